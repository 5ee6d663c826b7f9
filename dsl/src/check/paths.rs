//! The steps of a path: fields of records, `settings.NAME`, `TABLE[key]`.

use std::rc::Rc;

use rhai::{ASTFlags, Expr, FnCallExpr, Position};

use super::Checker;
use super::bodies::root_of;
use super::known::{FieldOf, Kind, Known};
use crate::plan::{self, Constant, Span};
use crate::problem::{Code, Problem, did_you_mean};

/// Properties of texts.
const OF_TEXT: &[&str] = &["len", "chars", "bytes", "bits", "is_empty", "tag", "is_even", "is_odd"];

/// One step of a path: `.name`, `.name(…)`, `[…]`.
enum Step<'e> {
    Field(&'e str, Position),
    Call(&'e FnCallExpr, Position),
    Index(&'e Expr),
    Other(&'e Expr),
}

/// A step, and whether it gives nothing of nothing: `?.`, `?[`.
struct Link<'e> {
    optional: bool,
    step: Step<'e>,
}

impl<'c> Checker<'c> {
    /// `a.b[c].d(e)`
    pub(super) fn path(&mut self, expr: &Expr, at: &plan::Expr) -> Known<'c> {
        let mut links = Vec::new();
        let base = match expr {
            Expr::Dot(parts, flags, _) => {
                rest_of_path(&parts.rhs, is_optional(*flags), &mut links);
                &parts.lhs
            }
            Expr::Index(parts, flags, _) => {
                index_of_path(&parts.rhs, *flags, &mut links);
                &parts.lhs
            }
            _ => return Known::any(),
        };
        // To read a field of something is no question whether it is there.
        let testing = std::mem::replace(&mut self.testing, false);
        let mut known = self.walk(base, at);
        if let Some(Link { step: Step::Call(..), .. }) = links.first()
            && testing
            && let Some(name) = root_of(base)
        {
            self.tested.insert(name.to_owned());
        }
        for Link { optional, step } in links {
            let absent = known.absent.clone();
            match (&step, base, optional) {
                (Step::Call(..), ..) => {}
                (_, Expr::Variable(variable, _, position), true) if self.within.is_none() => {
                    let name = variable.1.to_string();
                    let place = Self::span_of(at, *position, name.len());
                    self.doubted.entry(name).or_insert(place);
                }
                (_, _, false) => self.check_there(base, &known, &step, at),
                _ => {}
            }
            let next = match step {
                Step::Field(name, position) => {
                    self.field_of(&known.kind, name, Self::span_of(at, position, name.len()))
                }
                Step::Index(index) => self.index_of(&known.kind, index, at),
                Step::Call(call, position) => {
                    known = self.method(known, call, position, at);
                    continue;
                }
                Step::Other(expr) => {
                    self.walk(expr, at);
                    Known::any()
                }
            };
            known = match absent {
                Some(absent) if optional => next.or_absent(&absent),
                _ => next,
            };
        }
        self.testing = testing;
        if testing {
            self.tested.extend(root_of(base).map(str::to_owned));
            for name in known.absent.iter().flat_map(|names| names.iter()) {
                self.tested.insert(name.to_string());
            }
        }
        known
    }

    /// Whether any of the questions was asked that would make sure of a value.
    pub(super) fn is_asked(&self, absent: &[Rc<str>]) -> bool {
        absent.iter().any(|name| self.tested.contains(&**name))
    }

    /// A field is read of a record that was perhaps not found. Whether the flow knows better shows in
    /// its other lines: see [`Checker::doubted_elsewhere`].
    fn check_there(&mut self, base: &Expr, known: &Known<'c>, step: &Step<'_>, at: &plan::Expr) {
        let (Some(absent), Kind::Record(_), Expr::Variable(variable, ..)) =
            (&known.absent, &known.kind, base)
        else {
            return;
        };
        let name = variable.1.as_str();
        let Step::Field(field, position) = step else { return };
        if absent.is_empty() || self.is_asked(absent) || self.within.is_some() {
            return;
        }
        let place = Self::span_of(at, *position, field.len());
        let problem =
            Problem::new(Code::PerhapsNothing, place, format!("`{name}` may be `()`, which has no fields"))
                .label("read without asking")
                .help(format!("write `{name}?.{field}`, as elsewhere, to get no value then"));
        self.unasked.push((name.to_owned(), problem));
    }

    /// Reading without asking is a mistake where the same flow asks elsewhere.
    pub(super) fn doubted_elsewhere(&mut self) {
        for (name, problem) in std::mem::take(&mut self.unasked) {
            if let Some(at) = self.doubted.get(&name).cloned() {
                self.report(problem.also(at, "asked here"));
            }
        }
    }

    /// `.name`
    pub(super) fn field_of(&mut self, of: &Kind<'c>, name: &str, place: Span) -> Known<'c> {
        match of {
            Kind::Settings => return self.setting(name, place),
            Kind::Table(table) => self.table_not_indexed(*table, place),
            Kind::Record(shape) => match of.field(name) {
                Some(FieldOf::Found { write_only: true, .. }) => self.report(
                    Problem::new(
                        Code::WriteOnly,
                        place,
                        format!("`{}.{name}` can be written, not read", shape.whose()),
                    )
                    .label("never comes back from the system"),
                ),
                Some(FieldOf::Found { known, .. }) => return known,
                // A script reads records of many systems: what it asks for may be missing.
                _ if self.within.is_some() && self.bodies.is_asked(name) => {}
                _ => {
                    let help = did_you_mean(name, shape.names(), "its fields are");
                    self.report(
                        Problem::new(
                            Code::UnknownProperty,
                            place,
                            format!("`{}` has no field `{name}`", shape.whose()),
                        )
                        .label("not a field of this record")
                        .maybe_help(help),
                    );
                }
            },
            Kind::List(item) => {
                if let Some(FieldOf::Found { .. }) = item.kind.field(name) {
                    self.report(
                        Problem::new(
                            Code::FieldOfList,
                            place,
                            format!("`{name}` is a field of the items, not of the list"),
                        )
                        .label("this is a list")
                        .help("walk the list with `each`, or take one item: `[0]` is the first"),
                    );
                }
            }
            Kind::Text | Kind::Options(_) | Kind::Boolean if !OF_TEXT.contains(&name) => {
                let what = of.name().unwrap_or("this");
                self.report(
                    Problem::new(Code::UnknownProperty, place, format!("{what} has no field `{name}`"))
                        .label("not a record"),
                );
            }
            _ => {}
        }
        Known::any()
    }

    fn setting(&mut self, name: &str, place: Span) -> Known<'c> {
        if let Some(setting) = self.plan.settings.iter().find(|setting| setting.name == name) {
            let mut known = Known::from(Kind::of_setting(&setting.kind));
            if let Some(default) = self.defaults.get(name) {
                known.values = Rc::new([default.clone()]);
            }
            return if setting.optional {
                known.or_absent(&[format!("settings.{name}").into()])
            } else {
                known
            };
        }
        self.unknown_setting(name, place);
        Known::any()
    }

    pub(super) fn unknown_setting(&mut self, name: &str, place: Span) {
        let names = self.plan.settings.iter().map(|setting| setting.name.as_str());
        let help = did_you_mean(name, names, "the settings are")
            .unwrap_or_else(|| format!("ask for it in the head: `setting {name}: text`"));
        self.report(
            Problem::new(Code::UnknownSetting, place, format!("there is no setting `{name}`"))
                .label("not asked for in the head")
                .help(help),
        );
    }

    /// `[…]`
    pub(super) fn index_of(&mut self, of: &Kind<'c>, index: &Expr, at: &plan::Expr) -> Known<'c> {
        if let Kind::Table(table) = of {
            return self.table_look_up(*table, index, at);
        }
        let known = self.walk(index, at);
        match (of, &known.constant) {
            (Kind::List(item), _) => (**item).clone(),
            (Kind::Record(_), Some(Constant::Text(name))) => {
                let place = Self::span_of(at, index.position(), name.len() + 2);
                let name = name.clone();
                self.field_of(of, &name, place)
            }
            (Kind::Settings, Some(Constant::Text(name))) => {
                let place = Self::span_of(at, index.position(), name.len() + 2);
                let name = name.clone();
                self.setting(&name, place)
            }
            (Kind::Text, _) => Kind::Text.into(),
            _ => Known::any(),
        }
    }

    pub(super) fn table_not_indexed(&mut self, table: usize, place: Span) {
        let Some(found) = self.plan.tables.get(table) else { return };
        let names: Vec<&str> = found.keys.iter().map(|key| key.name.as_str()).collect();
        let help = format!("write `{}[{}]`", found.name, names.join(", "));
        let message = format!("the table `{}` is read in square brackets", found.name);
        self.report(Problem::new(Code::TableNotIndexed, place, message).label("not like this").help(help));
    }
}

fn is_optional(flags: ASTFlags) -> bool {
    flags.intersects(ASTFlags::NEGATED)
}

/// What follows a dot, down to the end of the path.
fn rest_of_path<'e>(expr: &'e Expr, optional: bool, links: &mut Vec<Link<'e>>) {
    match expr {
        Expr::Dot(parts, flags, _) => {
            links.push(Link { optional, step: step(&parts.lhs) });
            rest_of_path(&parts.rhs, is_optional(*flags), links);
        }
        Expr::Index(parts, flags, _) => {
            links.push(Link { optional, step: step(&parts.lhs) });
            index_of_path(&parts.rhs, *flags, links);
        }
        other => links.push(Link { optional, step: step(other) }),
    }
}

/// What follows `[`: the index alone, or the index with the rest of the path behind it.
fn index_of_path<'e>(expr: &'e Expr, flags: ASTFlags, links: &mut Vec<Link<'e>>) {
    let optional = is_optional(flags);
    match expr {
        Expr::Dot(parts, inner, _) if !flags.intersects(ASTFlags::BREAK) => {
            links.push(Link { optional, step: Step::Index(&parts.lhs) });
            rest_of_path(&parts.rhs, is_optional(*inner), links);
        }
        Expr::Index(parts, inner, _) if !flags.intersects(ASTFlags::BREAK) => {
            links.push(Link { optional, step: Step::Index(&parts.lhs) });
            index_of_path(&parts.rhs, *inner, links);
        }
        index => links.push(Link { optional, step: Step::Index(index) }),
    }
}

fn step(expr: &Expr) -> Step<'_> {
    match expr {
        Expr::Property(property, position) => Step::Field(&property.2, *position),
        Expr::MethodCall(call, position) | Expr::FnCall(call, position) => Step::Call(call, *position),
        other => Step::Other(other),
    }
}
