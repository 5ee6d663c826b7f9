//! The steps, in their order.

use super::Checker;
use super::exprs::Purpose;
use super::fields::Into;
use super::known::{Kind, Known, Shape};
use crate::ast::{Block, ConditionText, Expr, File, Kind as Line, Name, Node};
use crate::parse::is_step;
use crate::plan::{Action, Condition, Fetch, Lookup, MapWith, Side, Since, Span, Step};
use crate::problem::{Code, Problem};

impl<'c> Checker<'c> {
    /// All steps of the flow. Gives the fetch; the others are in the plan.
    pub(super) fn steps_of_flow(&mut self, file: &File) -> Option<Fetch> {
        let mut names = Vec::new();
        names_given(&file.nodes, &mut names);
        self.scope.announce(names);
        let mut fetch = None;
        let mut first_fetch: Option<Span> = None;
        let mut first_step: Option<Span> = None;
        let mut rest = Vec::new();
        for node in &file.nodes {
            if let Line::Fetch { .. } = &node.kind {
                if let Some(first) = &first_fetch {
                    self.second_fetch(&node.span, first.clone());
                    continue;
                }
                first_fetch = Some(node.span.clone());
                if let Some(first) = first_step.clone() {
                    self.report(
                        Problem::new(
                            Code::FetchNotFirst,
                            node.span.clone(),
                            "the fetch comes before all other steps",
                        )
                        .label("records come from here")
                        .also(first, "this step stands before it")
                        .help("move the fetch up"),
                    );
                }
                fetch = self.fetch(node);
            } else if is_step(&node.kind) && first_step.is_none() {
                first_step = Some(node.span.clone());
            }
            rest.push(node);
        }
        if first_fetch.is_none() {
            self.fetches_nothing = true;
            self.no_fetch(file, first_step.as_ref());
        }
        let steps = self.steps(&rest);
        self.nothing_written(file, &steps, first_fetch.as_ref());
        self.carries(&steps, fetch.as_ref());
        self.plan.steps = steps;
        fetch
    }

    fn second_fetch(&mut self, at: &Span, first: Span) {
        self.report(
            Problem::new(Code::SecondFetch, at.clone(), "a flow fetches one kind of record")
                .label("a second fetch")
                .also(first, "the first stands here")
                .help("find what belongs to a record with `lookup`; another kind of record is a flow of its own"),
        );
    }

    fn no_fetch(&mut self, file: &File, first_step: Option<&Span>) {
        let unread = file.nodes.iter().any(|node| {
            let line = self.text.get(node.span.clone()).unwrap_or_default();
            let first = line.split_whitespace().next().unwrap_or_default();
            matches!(node.kind, Line::Malformed)
                && (line.contains(" from ") || crate::problem::closest(first, ["fetch"]).is_some())
        });
        if unread {
            return;
        }
        let end = self.text.trim_end().len();
        let place = first_step.cloned().unwrap_or(end.saturating_sub(1)..end);
        let source = if self.plan.source.name.is_empty() { "shop" } else { self.plan.source.name.as_str() };
        let help = format!("say what is read: `fetch order from {source}.orders since modified_at`");
        self.report(
            Problem::new(Code::NoFetch, place, "the flow fetches nothing")
                .label("expected a `fetch` before this")
                .help(help),
        );
    }

    /// The names of the nodes, without the fetch.
    fn steps(&mut self, nodes: &[&Node]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut before: Option<&Node> = None;
        for node in nodes {
            if matches!(node.kind, Line::Malformed) {
                self.malformed(node);
            }
            let is_else = matches!(node.kind, Line::Else | Line::ElseWhen(_));
            if is_else {
                self.else_branch(node, before, &mut steps);
            } else if let Some(step) = self.step(node) {
                steps.push(step);
            }
            before = Some(node);
        }
        steps
    }

    fn block_steps(&mut self, block: Option<&Block>) -> Vec<Step> {
        let Some(block) = block else { return Vec::new() };
        if block.nodes.is_empty() && block.close.is_some() {
            self.report(
                Problem::new(Code::EmptyBlock, block.open..block.open + 1, "the block is empty")
                    .label("no step stands in it")
                    .help("give it a step, or take it away"),
            );
        }
        self.nesting += 1;
        let steps = self.steps(&block.nodes.iter().collect::<Vec<_>>());
        self.nesting -= 1;
        steps
    }

    /// What a line could have given is guessed, and its block is read for what it can tell.
    fn malformed(&mut self, node: &Node) {
        self.bind_guesses(&node.span);
        if let Some(block) = &node.block
            && block.nodes.iter().any(|node| is_step(&node.kind))
        {
            self.nesting += 1;
            drop(self.steps(&block.nodes.iter().filter(|node| is_step(&node.kind)).collect::<Vec<_>>()));
            self.nesting -= 1;
        }
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        if !is_step(&node.kind) {
            self.not_a_step(node);
            return None;
        }
        if let Line::Fetch { .. } = node.kind {
            return None;
        }
        let index = self.steps;
        self.steps += 1;
        let action = self.action(node)?;
        Some(Step { index, span: node.span.clone(), action })
    }

    fn action(&mut self, node: &Node) -> Option<Action> {
        let faulty = node.faulty;
        Some(match &node.kind {
            Line::Filter(expr) => Action::Filter(self.expr(expr, Purpose::Condition, faulty).expr),
            Line::Lookup { name, all, from, by } => {
                let remote = self.remote(from);
                let matches = self.matches(&remote, by, faulty);
                let fields: Vec<Name> = by.iter().map(|one| one.field.clone()).collect();
                self.check_find(&remote, &fields);
                let found = Known::from(remote.kind());
                let known = if *all { Known::list_of(found) } else { found.or_absent(&[]) };
                self.bind(name, known, !*all);
                Action::Lookup(Lookup {
                    name: name.text.clone(),
                    all: *all,
                    side: remote.side?,
                    resource: remote.name,
                    by: matches,
                })
            }
            Line::Skip(reason, when) => {
                let (reason, when) = self.verdict(reason, when.as_ref(), faulty);
                Action::Skip { reason, when }
            }
            Line::Fail(reason, when) => {
                let (reason, when) = self.verdict(reason, when.as_ref(), faulty);
                Action::Fail { reason, when }
            }
            Line::Notify(message, when) => {
                let when = when.as_ref().map(|when| self.condition(when, faulty));
                Action::Notify { message: self.message(message, faulty), when }
            }
            Line::Map(name, with) => self.map(node, name, with.as_ref()),
            Line::Write(verb, name, to) => self.write(node, verb, name, to),
            Line::Each(name, list) => {
                let checked = self.expr(list, Purpose::Value, faulty);
                let item = self.item_of(&checked.known, &list.span);
                let depth = self.scope.depth();
                self.bind(name, item, false);
                let steps = self.block_steps(node.block.as_ref());
                self.scope.end(depth);
                Action::Each { name: name.text.clone(), list: checked.expr, steps }
            }
            Line::When(condition) => {
                let condition = self.expr(condition, Purpose::Condition, faulty).expr;
                let then = self.block_steps(node.block.as_ref());
                Action::When { condition, then, otherwise: Vec::new() }
            }
            _ => return None,
        })
    }

    /// `else` belongs to the `when` right before it; several form a chain.
    fn else_branch(&mut self, node: &Node, before: Option<&Node>, steps: &mut [Step]) {
        let follows_when = before.is_some_and(|node| matches!(node.kind, Line::When(_) | Line::ElseWhen(_)));
        let excused = before.is_some_and(|node| matches!(node.kind, Line::Malformed));
        if !follows_when && !excused {
            self.report(
                Problem::new(Code::LoneElse, node.span.clone(), "`else` follows a `when`")
                    .label("no `when` stands before it")
                    .help("put it right behind the `}` of its `when`"),
            );
        }
        let otherwise = if let Line::ElseWhen(condition) = &node.kind {
            let index = self.steps;
            self.steps += 1;
            let condition = self.expr(condition, Purpose::Condition, node.faulty).expr;
            let then = self.block_steps(node.block.as_ref());
            vec![Step {
                index,
                span: node.span.clone(),
                action: Action::When { condition, then, otherwise: Vec::new() },
            }]
        } else {
            self.block_steps(node.block.as_ref())
        };
        if let (true, Some(last)) = (follows_when, steps.last_mut()) {
            append_else(last, otherwise);
        }
    }

    fn verdict(
        &mut self,
        reason: &Expr,
        when: Option<&ConditionText>,
        faulty: bool,
    ) -> (crate::plan::Expr, Condition) {
        // What the condition has asked for the reason may rely on.
        let when = when.map(|when| self.condition(when, faulty));
        let reason = self.message(reason, faulty);
        let when = if let Some(when) = when {
            when
        } else {
            // Without a condition it always holds, which makes sense within a `when`.
            let expr = crate::plan::Expr {
                rhai: "true".to_owned(),
                span: reason.span.clone(),
                inserted: Vec::new(),
            };
            Condition { negated: false, expr }
        };
        (reason, when)
    }

    fn message(&mut self, message: &Expr, faulty: bool) -> crate::plan::Expr {
        let checked = self.expr(message, Purpose::Value, faulty);
        if let Kind::Record(_) | Kind::List(_) | Kind::Boolean = checked.known.kind {
            let is = checked.known.kind.name().unwrap_or("no text");
            self.report(
                Problem::new(Code::WrongType, message.span.clone(), "people are told a text")
                    .label(format!("this is {is}"))
                    .help("write a text in quotes, or a template: `` `order ${order.number}` ``"),
            );
        }
        checked.expr
    }

    fn condition(&mut self, written: &ConditionText, faulty: bool) -> Condition {
        Condition {
            negated: written.negated,
            expr: self.expr(&written.expr, Purpose::Condition, faulty).expr,
        }
    }

    /// What the items of a list are; says so when it is no list.
    pub(super) fn item_of(&mut self, known: &Known<'c>, at: &Span) -> Known<'c> {
        match &known.kind {
            Kind::List(item) => (**item).clone(),
            Kind::Any | Kind::Nothing | Kind::Never | Kind::OneOf(_) => Known::any(),
            other => {
                let is = other.name().unwrap_or("no list");
                self.report(
                    Problem::new(Code::NotAList, at.clone(), "`each` walks a list")
                        .label(format!("this is {is}"))
                        .help("name a list of the record, such as `order.lines`, or a `lookup all`"),
                );
                Known::any()
            }
        }
    }

    fn fetch(&mut self, node: &Node) -> Option<Fetch> {
        let Line::Fetch { name, from, since, conditions } = &node.kind else { return None };
        let remote = self.remote(from);
        self.check_fetch(&remote, from, since, conditions);
        if let [_, (second, _), ..] = since.as_slice() {
            self.report(
                Problem::new(Code::RepeatedLine, second.span.clone(), "a fetch takes one `since`")
                    .label("a second one"),
            );
        }
        // Asked once a run, before there is a record: nothing but settings can be read.
        self.asking = true;
        let conditions = self.matches(&remote, conditions, node.faulty);
        self.asking = false;
        self.bind(name, remote.kind().into(), false);
        self.fetched = remote.resource;
        let since =
            since.first().map(|(field, overlap)| Since { field: field.text.clone(), overlap: *overlap });
        Some(Fetch {
            name: name.text.clone(),
            side: Side::Source,
            resource: remote.name,
            since,
            conditions,
            span: node.span.clone(),
        })
    }

    fn map(&mut self, node: &Node, name: &Name, with: Option<&Expr>) -> Action {
        let (with, known) = if let Some(expr) = with {
            let checked = self.expr(expr, Purpose::Value, node.faulty);
            (MapWith::Expr(checked.expr), checked.known)
        } else {
            let into =
                Into { fields: None, whose: name.text.clone(), creates: false, both: false, whole: false };
            let given = node.block.as_ref().map(|block| self.fields(block, &into, node)).unwrap_or_default();
            let known = if node.faulty || has_malformed(node.block.as_ref()) {
                Known::any()
            } else {
                let whose = format!("map {}", name.text).into();
                Kind::Record(Shape::Made { fields: given.known.into(), whose }).into()
            };
            (MapWith::Block(given.lines), known)
        };
        self.bind(name, known, false);
        Action::Map { name: name.text.clone(), with }
    }

    fn not_a_step(&mut self, node: &Node) {
        match &node.kind {
            Line::Field { name, .. } | Line::FieldBlock(name) | Line::FieldEach { name, .. } => {
                let block = node.block.as_ref().map(|block| block.open..block.open + 1);
                let help = if let Line::Field { .. } = node.kind {
                    format!(
                        "put it into the block of a `create`, `update`, `upsert` or `map`; was a block closed too early above? A value that is used twice: `map NAME {{ {} = … }}`",
                        name.text
                    )
                } else {
                    format!("was a verb left out, such as `create {} in ROLE.RESOURCE {{`?", name.text)
                };
                let place = node.span.start
                    ..block
                        .map_or(node.span.end, |open| open.end.min(node.span.end.max(node.span.start + 1)));
                self.report(
                    Problem::new(Code::FieldAmongSteps, place, "a field line stands among steps")
                        .label("belongs to no record")
                        .help(help),
                );
            }
            Line::Malformed => {}
            // Lines of the head that stand at the top are looked at elsewhere.
            _ if self.nesting > 0 => {
                self.report(
                    Problem::new(
                        Code::HeadAfterSteps,
                        node.span.clone(),
                        "this line belongs to the head, not into a block",
                    )
                    .label("part of the head")
                    .help("move it up, out of the block"),
                );
            }
            _ => {}
        }
    }

    fn nothing_written(&mut self, file: &File, steps: &[Step], fetch: Option<&Span>) {
        fn acts(nodes: &[Node]) -> bool {
            nodes.iter().any(|node| {
                matches!(node.kind, Line::Write(..) | Line::Notify(..) | Line::Malformed)
                    || node.block.as_ref().is_some_and(|block| acts(&block.nodes))
            })
        }
        let swallowed = self
            .problems
            .iter()
            .any(|problem| matches!(problem.code(), Code::UnclosedComment | Code::UnclosedBlock));
        if acts(&file.nodes) || swallowed {
            return;
        }
        let Some(place) = steps.last().map(|step| step.span.clone()).or_else(|| fetch.cloned()) else {
            return;
        };
        let target = if self.plan.target.name.is_empty() { "till" } else { self.plan.target.name.as_str() };
        let help = format!(
            "write something: `create`, `update` or `upsert NAME in {target}.…`, or tell people with `notify`"
        );
        self.report(
            Problem::new(Code::NothingWritten, place, "the flow changes nothing")
                .label("the last step")
                .help(help),
        );
    }
}

/// Puts an `else` at the end of a chain of `when … else when …`.
fn append_else(step: &mut Step, steps: Vec<Step>) {
    if let Action::When { otherwise, .. } = &mut step.action {
        match otherwise.as_mut_slice() {
            [] => *otherwise = steps,
            [last, ..] => append_else(last, steps),
        }
    }
}

pub(super) fn has_malformed(block: Option<&Block>) -> bool {
    block.is_none_or(|block| {
        block.close.is_none()
            || block.nodes.iter().any(|node| matches!(node.kind, Line::Malformed) || node.faulty)
    })
}

/// Names that steps give, outside of `each`.
fn names_given(nodes: &[Node], names: &mut Vec<(String, Span)>) {
    for node in nodes {
        match &node.kind {
            Line::Fetch { name, .. }
            | Line::Lookup { name, .. }
            | Line::Map(name, _)
            | Line::Write(_, name, _) => {
                names.push((name.text.clone(), name.span.clone()));
            }
            Line::When(_) | Line::ElseWhen(_) | Line::Else => {
                if let Some(block) = &node.block {
                    names_given(&block.nodes, names);
                }
            }
            _ => {}
        }
    }
}
