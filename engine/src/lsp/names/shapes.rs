//! What is known of values: types of the catalog, also for settings and for what a flow makes.

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

/// A field of which only the type is known.
pub(super) fn field(name: &str, kind: Type) -> Field {
    Field {
        name: name.to_owned(),
        kind,
        about: String::new(),
        required: false,
        read_only: false,
        write_only: false,
        max_length: None,
        digits_only: false,
    }
}

/// A type in the words of the language.
pub(in crate::lsp) fn words(kind: &Type) -> String {
    match kind {
        Type::Text => "text".to_owned(),
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
