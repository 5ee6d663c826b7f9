//! What can be done about a problem with one key: every `did you mean`.

use serde_json::{Value, json};

use super::diagnostics::{diagnostic, problems};
use super::view::View;

/// The changes that mend problems in the range of the request.
pub(super) fn actions(view: &View<'_>, params: &Value) -> Value {
    let edge = |name: &str| {
        params.pointer(&format!("/range/{name}")).and_then(|at| super::place::offset(view.text(), at))
    };
    let (Some(from), Some(till)) = (edge("start"), edge("end")) else { return json!([]) };
    let mut all = Vec::new();
    for told in problems(view.loader, view.document) {
        let (Some((at, _)), Some(help)) = (&told.at, &told.help) else { continue };
        if at.end < from || till < at.start {
            continue;
        }
        let Some(instead) = dsl::fix(view.text(), at, &told.message, help) else { continue };
        let written = view.text().get(at.clone()).unwrap_or_default();
        let title = match instead.as_str() {
            "" => format!("Take `{written}` away"),
            instead => format!("Change `{written}` to `{instead}`"),
        };
        let edit = json!({ "range": view.lines.range(at), "newText": instead });
        all.push(json!({
            "title": title,
            "kind": "quickfix",
            "isPreferred": true,
            "diagnostics": [diagnostic(&told, &view.lines, &view.document.path)],
            "edit": { "changes": { (view.document.uri.as_str()): [edit] } },
        }));
    }
    Value::Array(all)
}
