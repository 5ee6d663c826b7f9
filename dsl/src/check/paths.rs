//! The steps of a path: fields of records, `settings.NAME`, `TABLE[key]`.

use rhai::Expr;

use super::Checker;
use super::known::{FieldOf, Kind, Known};
use crate::plan::{self, Constant, Span};
use crate::problem::{Code, Problem, did_you_mean};

/// Properties of texts.
const OF_TEXT: &[&str] = &["len", "chars", "bytes", "bits", "is_empty", "tag", "is_even", "is_odd"];

impl<'c> Checker<'c> {
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
                Some(FieldOf::Found { kind, .. }) => return kind.into(),
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
                if let Some(FieldOf::Found { .. }) = item.field(name) {
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
            return Kind::of_setting(&setting.kind).into();
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
            (Kind::List(item), _) => Known::from((**item).clone()),
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

    fn table_look_up(&mut self, table: usize, index: &Expr, at: &plan::Expr) -> Known<'c> {
        let (given, place) = match index {
            Expr::Array(items, position) => {
                for item in items {
                    self.walk(item, at);
                }
                (items.len(), *position)
            }
            other => {
                self.walk(other, at);
                (1, other.start_position())
            }
        };
        let Some(found) = self.plan.tables.get(table) else { return Known::any() };
        let kind = Kind::of_setting(&found.value);
        if found.keys.len() != given {
            let names: Vec<&str> = found.keys.iter().map(|key| key.name.as_str()).collect();
            let (name, wants, first) = (found.name.clone(), found.keys.len(), found.span.clone());
            let form = names.join(", ");
            let place = Self::span_of(at, place, 1);
            self.report(
                Problem::new(
                    Code::WrongKeyCount,
                    place,
                    format!("the table `{name}` takes {wants}, and is given {given}"),
                )
                .label(format!("{given} given"))
                .also(first, "the table stands here")
                .help(format!("write `{name}[{form}]`")),
            );
        }
        kind.into()
    }

    pub(super) fn table_not_indexed(&mut self, table: usize, place: Span) {
        let Some(found) = self.plan.tables.get(table) else { return };
        let names: Vec<&str> = found.keys.iter().map(|key| key.name.as_str()).collect();
        let help = format!("write `{}[{}]`", found.name, names.join(", "));
        let message = format!("the table `{}` is read in square brackets", found.name);
        self.report(Problem::new(Code::TableNotIndexed, place, message).label("not like this").help(help));
    }
}
