//! Members of the API's records, as `members.txt` lists them: what a write must leave out, what
//! type a value has, and what the simulator refuses.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The members of one kind of record.
#[derive(Debug, Default)]
pub struct Entity {
    /// In the order of the vendor's text.
    pub members: Vec<Member>,
}

/// One member.
#[derive(Debug)]
pub struct Member {
    /// Name on the wire.
    pub name: &'static str,
    /// Type.
    pub form: Form,
    /// A write must give it.
    pub must: bool,
    /// Only the service writes it.
    pub read: bool,
    /// It may be null.
    pub null: bool,
    /// Longest text, in characters.
    pub most: Option<usize>,
    /// Least and most number.
    pub range: Option<(i64, i64)>,
}

/// The type of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// GUID.
    Guid,
    /// Text.
    Text,
    /// Date, or date and time.
    Moment,
    /// Whole number.
    Integer,
    /// Number.
    Number,
    /// Boolean.
    Boolean,
    /// Another record; the empty name for one that is not listed.
    Record(&'static str),
    /// A list of records; the empty name for what is not listed.
    List(&'static str),
}

static ENTITIES: LazyLock<BTreeMap<&'static str, Entity>> = LazyLock::new(read);

/// Every kind of record that is listed.
#[must_use]
pub fn entities() -> &'static BTreeMap<&'static str, Entity> {
    &ENTITIES
}

/// One kind of record.
pub(super) fn entity(name: &str) -> Option<&'static Entity> {
    ENTITIES.get(name)
}

impl Entity {
    /// The member of that name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

fn read() -> BTreeMap<&'static str, Entity> {
    let mut entities: BTreeMap<&'static str, Entity> = BTreeMap::new();
    let mut current = "";
    for line in include_str!("members.txt").lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with(' ') {
            current = line.trim();
        } else if let Some(member) = member(line) {
            entities.entry(current).or_default().members.push(member);
        }
    }
    entities
}

fn member(line: &'static str) -> Option<Member> {
    let mut words = line.split_whitespace().peekable();
    let name = words.next()?;
    let form = match words.next()? {
        "guid" => Form::Guid,
        "text" => Form::Text,
        "moment" => Form::Moment,
        "integer" => Form::Integer,
        "number" => Form::Number,
        "boolean" => Form::Boolean,
        kind => {
            let of = words.next_if(|word| word.starts_with(char::is_uppercase)).unwrap_or("");
            if kind == "list" { Form::List(of) } else { Form::Record(of) }
        }
    };
    let mut member = Member { name, form, must: false, read: false, null: false, most: None, range: None };
    for word in words {
        match word {
            "must" => member.must = true,
            "read" => member.read = true,
            "null" => member.null = true,
            _ => match word.split_once("..") {
                Some((least, most)) => member.range = least.parse().ok().zip(most.parse().ok()),
                None => member.most = word.parse().ok(),
            },
        }
    }
    Some(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_whole() {
        let article = entity("ArticleApi").unwrap();
        let number = article.member("Number").unwrap();
        assert_eq!((number.form, number.must, number.most), (Form::Text, true, Some(40)));
        let barcodes = article.member("Barcodes").unwrap();
        assert_eq!((barcodes.form, barcodes.null), (Form::List("ArticleBarcodeApi"), true));
        assert!(article.member("Id").unwrap().read);
        let status = entity("OrderApi").unwrap().member("Status").unwrap();
        assert_eq!(status.range, Some((1, 4)));
        let lines = include_str!("members.txt").lines().filter(|line| line.starts_with("  ")).count();
        assert_eq!(entities().values().map(|entity| entity.members.len()).sum::<usize>(), lines);
    }
}
