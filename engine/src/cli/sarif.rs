//! Problems as SARIF 2.1.0: the form that code hosts and many editors read.

use miette::Report;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::problems::{Place, Problem, problems};

/// What a path may not hold in an address.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'`');

/// One run of the checker, with everything that it found.
pub(super) fn document(reports: &[Report]) -> Value {
    let mut rules: Vec<String> = Vec::new();
    let mut results = Vec::new();
    for problem in reports.iter().flat_map(|report| problems(report.as_ref())) {
        results.push(result(&problem, &mut rules));
    }
    let rules: Vec<Value> = rules.into_iter().map(|id| json!({ "id": id })).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "weft", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(problem: &Problem<'_>, rules: &mut Vec<String>) -> Value {
    let (code, mut message, help) = problem.words();
    if let Some(help) = help {
        message = format!("{message}; {help}");
    }
    let mut result = json!({ "level": "error", "message": { "text": message } });
    let Some(all) = result.as_object_mut() else { return result };
    if let Some(code) = code {
        let index = rules.iter().position(|rule| *rule == code).unwrap_or_else(|| {
            rules.push(code.clone());
            rules.len() - 1
        });
        all.insert("ruleId".into(), json!(code));
        all.insert("ruleIndex".into(), json!(index));
    }
    let (main, others) = problem.places();
    if let (Some(main), Some((written, instead))) = (&main, problem.fix()) {
        all.insert("fixes".into(), json!([fix(main, &written, &instead)]));
    }
    all.insert("locations".into(), main.iter().map(location).collect());
    if !others.is_empty() {
        all.insert("relatedLocations".into(), others.iter().map(location).collect());
    }
    result
}

/// What a tool may write by itself: the word that was probably meant.
fn fix(place: &Place, written: &str, instead: &str) -> Value {
    let what = match instead {
        "" => format!("take `{written}` away"),
        instead => format!("change `{written}` to `{instead}`"),
    };
    json!({
        "description": { "text": what },
        "artifactChanges": [{
            "artifactLocation": { "uri": uri(place) },
            "replacements": [{ "deletedRegion": region(place), "insertedContent": { "text": instead } }],
        }],
    })
}

fn uri(place: &Place) -> String {
    let path = place.file.replace('\\', "/");
    if path.starts_with('/') {
        format!("file://{}", utf8_percent_encode(&path, PATH))
    } else {
        utf8_percent_encode(&path, PATH).to_string()
    }
}

fn region(place: &Place) -> Value {
    json!({
        "startLine": place.start.0,
        "startColumn": place.start.1,
        "endLine": place.end.0,
        "endColumn": place.end.1,
    })
}

fn location(place: &Place) -> Value {
    let mut location = json!({
        "physicalLocation": { "artifactLocation": { "uri": uri(place) }, "region": region(place) },
    });
    if let (Some(label), Some(all)) = (&place.label, location.as_object_mut()) {
        all.insert("message".into(), json!({ "text": label }));
    }
    location
}
