//! What is known of values: types of the catalog, also for settings and for what a flow makes.

use dsl::Gives;
use dsl::catalog::{Field, Resource, Type};
use dsl::plan::SettingType;

pub(in crate::lsp) fn of_setting(kind: &SettingType) -> Type {
    match kind {
        SettingType::Text => Type::Text,
        SettingType::Integer => Type::Integer,
        SettingType::Decimal => Type::Decimal,
        SettingType::Boolean => Type::Boolean,
        SettingType::Date => Type::Date,
        SettingType::Choice(options) => Type::Enum(options.clone()),
        SettingType::List(item) => Type::List(Box::new(of_setting(item))),
    }
}

pub(super) fn of_resource(resource: Option<&Resource>) -> Type {
    resource.map_or(Type::Any, |resource| Type::Record(resource.fields.clone()))
}

/// The one type that a value has; anything where there are several, or nobody knows.
pub(super) fn only(gives: Option<&Gives>) -> Type {
    match gives.map(|gives| gives.types.as_slice()) {
        Some([kind]) => kind.clone(),
        _ => Type::Any,
    }
}

/// What a list holds.
pub(super) fn item(list: Type) -> Type {
    match list {
        Type::List(item) => *item,
        _ => Type::Any,
    }
}

/// The fields of a record, or of the records of a list.
pub(in crate::lsp) fn fields(kind: &Type) -> Option<&[Field]> {
    match kind {
        Type::Record(fields) => Some(fields),
        Type::List(item) => fields(item),
        _ => None,
    }
}

/// A type in the words of the language.
pub(in crate::lsp) fn words(kind: &Type) -> String {
    match kind {
        Type::Text => "text".to_owned(),
        Type::Enum(options) if options.is_empty() => "text".to_owned(),
        Type::Enum(options) => {
            options.iter().map(|option| format!("\"{option}\"")).collect::<Vec<_>>().join(" | ")
        }
        Type::Integer => "integer".to_owned(),
        Type::Decimal => "decimal".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Date => "date".to_owned(),
        Type::DateTime => "datetime".to_owned(),
        Type::Record(_) => "record".to_owned(),
        Type::List(item) => format!("list of {}", words(item)),
        Type::Any => "anything".to_owned(),
    }
}

/// What an expression gives, in the words of the language; `None` where nothing is known.
pub(in crate::lsp) fn gives(gives: &Gives) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for kind in &gives.types {
        let word = match kind {
            Type::Integer | Type::Decimal if is_any_number(&gives.types) => "number".to_owned(),
            // Which texts they are says less, and reads badly among other kinds.
            Type::Enum(_) if gives.types.len() > 1 => words(&Type::Text),
            kind => words(kind),
        };
        if !all.contains(&word) {
            all.push(word);
        }
    }
    // That there may be nothing says little where nobody knows what else there may be.
    if gives.perhaps_nothing && !all.is_empty() {
        all.push("nothing".to_owned());
    }
    (!all.is_empty()).then(|| all.join(" or "))
}

fn is_any_number(kinds: &[Type]) -> bool {
    kinds.contains(&Type::Integer) && kinds.contains(&Type::Decimal)
}
