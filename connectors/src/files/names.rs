//! What names of files and columns tell.

use super::scan::Format;

/// What a file is by its name.
pub(super) fn format_of(name: &str) -> Option<Format> {
    if name.ends_with(".schema.toml") {
        return None;
    }
    match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "csv" | "tsv" => Some(Format::Csv),
        "ndjson" | "jsonl" => Some(Format::Lines),
        "json" => Some(Format::Array),
        _ => None,
    }
}

/// `Order No.` → `order_no`: a name that flows can spell.
pub(super) fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut after_small = false;
    for letter in name.chars() {
        if letter.is_alphanumeric() {
            if letter.is_uppercase() && after_small {
                out.push('_');
            }
            after_small = letter.is_lowercase() || letter.is_numeric();
            match letter.to_lowercase().next().filter(char::is_ascii) {
                Some(plain) => out.push(plain),
                None => out.push_str(unaccented(letter)),
            }
        } else {
            after_small = false;
            if !out.ends_with('_') {
                out.push('_');
            }
        }
    }
    let out = out.trim_matches('_');
    if out.starts_with(|first: char| first.is_ascii_lowercase()) {
        out.to_owned()
    } else {
        format!("column_{out}").trim_end_matches('_').to_owned()
    }
}

/// The plain letter under the accent, for the languages of our users.
fn unaccented(letter: char) -> &'static str {
    match letter.to_lowercase().next().unwrap_or(letter) {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ą' => "a",
        'é' | 'è' | 'ê' | 'ë' | 'ę' => "e",
        'í' | 'ì' | 'î' | 'ï' => "i",
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' => "o",
        'ú' | 'ù' | 'û' | 'ü' => "u",
        'ç' | 'ć' => "c",
        'ñ' | 'ń' => "n",
        'ł' => "l",
        'ś' => "s",
        'ż' | 'ź' => "z",
        'ß' => "ss",
        _ => "x",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_one_that_flows_can_spell() {
        for (name, spelt) in [
            ("Order No.", "order_no"),
            ("orderNo", "order_no"),
            ("BTW %", "btw"),
            ("Straße", "strasse"),
            ("Côté", "cote"),
            ("2e regel", "column_2e_regel"),
            ("%%%", "column"),
            ("日本", "xx"),
        ] {
            assert_eq!(snake(name), spelt, "{name}");
        }
        assert_eq!(format_of("a.CSV"), Some(Format::Csv));
        assert_eq!(format_of("a.schema.toml"), None);
    }
}
