//! Parts that can be folded: blocks, tables, comments.

use dsl::ast::{Kind, Node};
use serde_json::{Value, json};

use super::view::View;

pub(super) fn ranges(view: &View<'_>) -> Value {
    let mut all = Vec::new();
    walk(view, &view.names.file.nodes, &mut all);
    comments(view, &mut all);
    let fold = |(start, end, kind): (usize, usize, Option<&str>)| {
        let mut fold = json!({ "startLine": start, "endLine": end });
        if let (Some(kind), Some(fold)) = (kind, fold.as_object_mut()) {
            fold.insert("kind".into(), json!(kind));
        }
        fold
    };
    all.retain(|(start, end, _)| start < end);
    all.sort_unstable();
    all.into_iter().map(fold).collect()
}

fn walk(view: &View<'_>, nodes: &[Node], all: &mut Vec<(usize, usize, Option<&str>)>) {
    let line = |at: usize| view.lines.at(at).0;
    for (number, node) in nodes.iter().enumerate() {
        let start = line(node.span.start);
        if let Some(block) = &node.block {
            let close = block.close.unwrap_or(view.text().len());
            // The brace stays in sight.
            all.push((start, line(close).saturating_sub(usize::from(block.close.is_some())), None));
            walk(view, &block.nodes, all);
        } else if matches!(node.kind, Kind::Table { .. } | Kind::Setting { .. }) {
            let belongs =
                |node: &&Node| matches!(node.kind, Kind::Ask(_) | Kind::Row(..) | Kind::Otherwise(_));
            let last = nodes.iter().skip(number + 1).take_while(belongs).last().unwrap_or(node);
            all.push((start, line(last.span.end), None));
        } else {
            all.push((start, line(node.span.end), None));
        }
    }
}

/// Comments of several lines, and comments on lines below each other.
fn comments(view: &View<'_>, all: &mut Vec<(usize, usize, Option<&str>)>) {
    let mut run: Option<(usize, usize)> = None;
    for comment in &view.names.file.comments {
        let (start, end) = (view.lines.at(comment.start).0, view.lines.at(comment.end).0);
        run = match run {
            Some((first, last)) if start == last + 1 => Some((first, end)),
            other => {
                all.extend(other.map(|(first, last)| (first, last, Some("comment"))));
                Some((start, end))
            }
        };
    }
    all.extend(run.map(|(first, last)| (first, last, Some("comment"))));
}
