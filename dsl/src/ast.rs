//! The file as written: lines with their blocks, every part with its place.
//!
//! Nothing is resolved here and nothing is refused but what cannot be read at all; a line
//! that cannot be read is [`Kind::Malformed`], so that what is around it still counts.

use std::time::Duration;

use crate::plan::{Constant, Missed, On, Overlapping, SettingType, Side, Span};

/// A flow file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Lines in the order of the text.
    pub nodes: Vec<Node>,
    /// Where comments stand.
    pub comments: Vec<Span>,
}

/// One line with the block that it opens.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the line stands, without its block.
    pub span: Span,
    /// What it says.
    pub kind: Kind,
    /// Lines between `{` and `}`.
    pub block: Option<Block>,
    /// A problem of this line is known already: expressions in it are not looked at.
    pub faulty: bool,
}

/// What stands between braces.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where `{` stands.
    pub open: usize,
    /// Lines within.
    pub nodes: Vec<Node>,
    /// Where `}` stands; `None` when it is missing.
    pub close: Option<usize>,
}

/// A name and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A text in quotes and its place, quotes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What it says.
    pub value: String,
    /// Where it stands.
    pub span: Span,
}

/// An expression: Rhai text that is not looked into yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// Where it stands.
    pub span: Span,
}

/// A constant and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The constant.
    pub value: Constant,
    /// Where it stands.
    pub span: Span,
}

/// The type of a setting or of a column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeText {
    /// The type; `None` when what stands there is no type, and a problem says so.
    pub kind: Option<SettingType>,
    /// A question mark follows.
    pub optional: bool,
    /// Where it stands.
    pub span: Span,
}

/// `shop.orders`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceText {
    /// Before the dot.
    pub role: Name,
    /// After it.
    pub resource: Name,
}

/// `field = value` in `by` and `where`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchText {
    /// The field.
    pub field: Name,
    /// The value.
    pub value: Expr,
}

/// `if …` or `unless …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionText {
    /// `unless`
    pub negated: bool,
    /// The condition.
    pub expr: Expr,
}

/// One key of an upsert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyText {
    /// `email`, `branch and number`
    Fields(Vec<Name>),
    /// `settings.match_key`
    Setting(Name),
}

/// Verbs that write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteVerb {
    /// `create`
    Create,
    /// `update … by field = value`
    Update(Vec<MatchText>),
    /// `upsert … by field`
    Upsert(Vec<KeyText>),
}

/// Key columns of a table: name, when one is written, and type, when one is written.
pub type KeyColumn = (Option<Name>, Option<SettingType>);

/// What a line says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// `flow "title"`
    Flow(Text),
    /// `source name: system`, `target name: system`
    Role(Side, Name, Name),
    /// `use "path" as alias`
    Use(Text, Name),
    /// `setting name: type = default`
    Setting {
        /// Its name.
        name: Name,
        /// Its type.
        kind: TypeText,
        /// Its default.
        default: Option<Value>,
        /// The question, when it stands on the same line.
        ask: Option<Text>,
    },
    /// `table name: keys -> type`
    Table {
        /// Its name.
        name: Name,
        /// Its key columns.
        keys: Vec<KeyColumn>,
        /// Type of its values.
        value: TypeText,
        /// The question, when it stands on the same line.
        ask: Option<Text>,
    },
    /// `key -> value`; a key of `None` is the wildcard `_`.
    Row(Vec<(Option<Constant>, Span)>, Value),
    /// `otherwise value`, `otherwise fail`, `otherwise keep`
    Otherwise(OtherwiseText),
    /// `ask "question"`
    Ask(Text),
    /// `every 5 minutes`
    Every(Option<Duration>),
    /// `at "cron" in "zone"`
    At(Text, Text),
    /// `on webhook role "event"`
    Webhook(Name, Text),
    /// `overlapping runs skip`
    Overlapping(Overlapping),
    /// `missed runs once`
    Missed(Missed),
    /// `at least 1 minute apart`
    Apart(Option<Duration>),
    /// `fetch name from role.resource since … where …`
    Fetch {
        /// Name of the record.
        name: Name,
        /// What is read.
        from: ResourceText,
        /// The cursor's field and its overlap.
        since: Vec<(Name, Option<Duration>)>,
        /// Conditions.
        conditions: Vec<MatchText>,
    },
    /// `filter condition`
    Filter(Expr),
    /// `lookup name in role.resource by …`
    Lookup {
        /// Name of the record.
        name: Name,
        /// `lookup all`
        all: bool,
        /// Where it is looked for.
        from: ResourceText,
        /// Fields and values.
        by: Vec<MatchText>,
    },
    /// `skip message if condition`
    Skip(Expr, Option<ConditionText>),
    /// `fail message if condition`
    Fail(Expr, Option<ConditionText>),
    /// `notify message if condition`
    Notify(Expr, Option<ConditionText>),
    /// `map name { … }`, `map name with expression`
    Map(Name, Option<Expr>),
    /// `create`, `update`, `upsert`
    Write(WriteVerb, Name, ResourceText),
    /// `each name in list { … }`
    Each(Name, Expr),
    /// `when condition { … }`
    When(Expr),
    /// `else when condition { … }`
    ElseWhen(Expr),
    /// `else { … }`
    Else,
    /// `field = value on create when condition`
    Field {
        /// The field; may hold dots, to be refused.
        name: Name,
        /// Its value.
        value: Expr,
        /// `on create`, `on update`, `on delete`
        on: Vec<(On, Span)>,
        /// `when condition`
        when: Vec<Expr>,
    },
    /// `field each name in list when condition { … }`
    FieldEach {
        /// The field.
        name: Name,
        /// Name of the item.
        item: Name,
        /// The list.
        list: Expr,
        /// `when condition`
        when: Option<Expr>,
    },
    /// `field { … }`
    FieldBlock(Name),
    /// A line that could not be read; its problem is known.
    Malformed,
}

/// What stands after `otherwise`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherwiseText {
    /// `fail`
    Fail,
    /// `keep`
    Keep,
    /// A constant.
    Value(Value),
}
