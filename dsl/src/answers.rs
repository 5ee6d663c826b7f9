//! Settings and tables as the engine asks of them: does this answer fit, which row is it.

use rust_decimal::Decimal;

use crate::plan::{Constant, Otherwise, Setting, SettingType, Table};

impl SettingType {
    /// Whether the value is of this type. An integer is a decimal number too, a date is text
    /// of the form `2026-11-21`, and `()` is of no type: see [`Setting::accepts`].
    #[must_use]
    pub fn accepts(&self, value: &Constant) -> bool {
        match (self, value) {
            (Self::Text, Constant::Text(_))
            | (Self::Integer, Constant::Integer(_))
            | (Self::Decimal, Constant::Decimal(_) | Constant::Integer(_))
            | (Self::Boolean, Constant::Boolean(_)) => true,
            (Self::Date, Constant::Text(text)) => is_date(text),
            (Self::Choice(options), Constant::Text(text)) => options.contains(text),
            (Self::List(item), Constant::List(values)) => values.iter().all(|value| item.accepts(value)),
            _ => false,
        }
    }

    /// The type as a flow file writes it: `list of text`.
    #[must_use]
    pub fn written(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Decimal => "decimal".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Choice(options) => {
                options.iter().map(|option| format!("\"{option}\"")).collect::<Vec<_>>().join(" | ")
            }
            Self::List(item) => format!("list of {}", item.written()),
        }
    }
}

impl Setting {
    /// Whether the value may be the answer; `()` may when the setting is optional.
    #[must_use]
    pub fn accepts(&self, value: &Constant) -> bool {
        match value {
            Constant::Nothing => self.optional,
            value => self.kind.accepts(value),
        }
    }
}

/// What a table gives for some keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'t> {
    /// This value.
    Value(&'t Constant),
    /// The key itself (`otherwise keep`).
    Key,
    /// Nothing: the record fails.
    Nothing,
}

impl Table {
    /// What the table gives for these keys: the first row that fits, else `otherwise`.
    /// Numbers are compared by value, so `21`, `21.0` and `21.00` are one key.
    #[must_use]
    pub fn look_up(&self, keys: &[Constant]) -> Found<'_> {
        let fits = |row: &[Option<Constant>]| {
            row.len() == keys.len()
                && row.iter().zip(keys).all(|(row, key)| row.as_ref().is_none_or(|row| row.is_same(key)))
        };
        if let Some(row) = self.rows.iter().find(|row| fits(&row.keys)) {
            return Found::Value(&row.value);
        }
        match &self.otherwise {
            Otherwise::Fail => Found::Nothing,
            Otherwise::Keep => Found::Key,
            Otherwise::Value(value) => Found::Value(value),
        }
    }
}

impl Constant {
    /// Equal by value: `1` and `1.00` are.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.as_decimal(), other.as_decimal()) {
            (Some(one), Some(other)) => one == other,
            _ => self == other,
        }
    }

    fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Integer(integer) => Some(Decimal::from(*integer)),
            Self::Decimal(decimal) => Some(*decimal),
            _ => None,
        }
    }

    /// The constant as a flow file writes it.
    #[must_use]
    pub fn written(&self) -> String {
        match self {
            Self::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Self::Integer(integer) => integer.to_string(),
            Self::Decimal(decimal) => decimal.to_string(),
            Self::Boolean(boolean) => boolean.to_string(),
            Self::Nothing => "()".to_owned(),
            Self::List(values) => {
                format!("[{}]", values.iter().map(Self::written).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// `2026-11-21`, a day that exists.
pub(crate) fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts
            .next()
            .filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()));
        part.and_then(|part| part.parse::<u32>().ok())
    };
    let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    parts.next().is_none() && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::{Found, is_date};
    use crate::plan::{Constant, Otherwise, SettingType, Table, TableRow};

    #[test]
    fn numbers_are_one_key_however_written() {
        let table = Table {
            name: "vat".to_owned(),
            keys: Vec::new(),
            value: SettingType::Integer,
            ask: None,
            rows: vec![
                TableRow { keys: vec![Some(Constant::Integer(21))], value: Constant::Integer(1) },
                TableRow { keys: vec![None], value: Constant::Integer(2) },
            ],
            otherwise: Otherwise::Fail,
            span: 0..0,
        };
        let decimal = Constant::Decimal("21.00".parse().unwrap());
        assert_eq!(table.look_up(&[decimal]), Found::Value(&Constant::Integer(1)));
        assert_eq!(table.look_up(&[Constant::Text("21".to_owned())]), Found::Value(&Constant::Integer(2)));
        assert_eq!(table.look_up(&[]), Found::Nothing);
    }

    #[test]
    fn dates_are_days_that_exist() {
        assert!(is_date("2024-02-29") && is_date("2026-12-31"));
        assert!(
            !is_date("2026-02-29")
                && !is_date("21-11-2026")
                && !is_date("2026-1-1")
                && !is_date("2026-11-21-")
        );
    }
}
