//! What the engine runs: names resolved, constants typed, spans kept for run-time errors.
//!
//! A plan is made by [`crate::compile`] only, so whatever holds one may rely on what the
//! checker promised: systems, resources and fields exist, abilities are there, keys can be
//! looked up by, every expression parses.

use std::ops::Range;
use std::time::Duration;

use rust_decimal::Decimal;

/// Where something stands in the flow file, in bytes.
pub type Span = Range<usize>;

/// A checked flow.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The title after `flow`.
    pub name: String,
    /// Where records come from.
    pub source: Role,
    /// Where records go.
    pub target: Role,
    /// Scripts that expressions may call.
    pub uses: Vec<Use>,
    /// Questions with typed answers.
    pub settings: Vec<Setting>,
    /// Value mappings.
    pub tables: Vec<Table>,
    /// When the flow runs by itself.
    pub triggers: Vec<Trigger>,
    /// What happens when a run is due while one is under way.
    pub overlapping: Overlapping,
    /// What happens to runs that were due while nothing ran.
    pub missed: Missed,
    /// Least time between two runs.
    pub apart: Option<Duration>,
    /// How source records are read.
    pub fetch: Fetch,
    /// What is done with each record, in order.
    pub steps: Vec<Step>,
    /// What the flow carries, for the two-way rule.
    pub carries: Vec<Carries>,
}

/// One entity in one direction: what the two-way rule compares between flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carries {
    /// Resource that is read in the source.
    pub from: String,
    /// Resource that is written in the target.
    pub to: String,
}

/// One side of the flow: `source shop: ccv_salespos`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The name that steps use: `shop`.
    pub name: String,
    /// The kind of system: `ccv_salespos`.
    pub system: String,
    /// Where the line stands.
    pub span: Span,
}

/// Which of the two sides a step speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where records come from.
    Source,
    /// Where records go.
    Target,
}

/// `use "scripts/address.rhai" as address`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Path as written, relative to the project.
    pub path: String,
    /// The name before `::` in expressions.
    pub alias: String,
    /// Where the line stands.
    pub span: Span,
}

/// `setting employee_number: integer = 999999`
#[derive(Clone, Debug)]
pub struct Setting {
    /// Name; expressions read `settings.NAME`.
    pub name: String,
    /// Type of the answer.
    pub kind: SettingType,
    /// The answer may be left empty; expressions then read `()`.
    pub optional: bool,
    /// The answer when nobody gave one.
    pub default: Option<Constant>,
    /// The question after `ask`.
    pub ask: Option<String>,
    /// Where the line stands.
    pub span: Span,
}

/// The type of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingType {
    /// Text.
    Text,
    /// Exact integer.
    Integer,
    /// Exact decimal number.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// Calendar date.
    Date,
    /// One of these texts.
    Choice(Vec<String>),
    /// Any number of these.
    List(Box<SettingType>),
}

/// A value that stands in the flow file or in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constant {
    /// Text.
    Text(String),
    /// Exact integer.
    Integer(i64),
    /// Exact decimal number.
    Decimal(Decimal),
    /// True or false.
    Boolean(bool),
    /// `()`: no value.
    Nothing,
    /// A list.
    List(Vec<Constant>),
}

/// `table vat_code: (country, rate) -> integer`
#[derive(Clone, Debug)]
pub struct Table {
    /// Name; expressions read `NAME[key]` or `NAME[key, key]`.
    pub name: String,
    /// Names of the key columns, or their types when the writer gave types.
    pub keys: Vec<TableKey>,
    /// Type of the value.
    pub value: SettingType,
    /// The question after `ask`.
    pub ask: Option<String>,
    /// Rows in the order in which they are tried.
    pub rows: Vec<TableRow>,
    /// What a key that no row names gives.
    pub otherwise: Otherwise,
    /// Where it stands.
    pub span: Span,
}

/// One key column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableKey {
    /// Name, for messages: `country`; `key` when the writer gave a type only.
    pub name: String,
    /// Type, when given.
    pub kind: Option<SettingType>,
}

/// One row; a key of `None` is the wildcard `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// One entry for each key column.
    pub keys: Vec<Option<Constant>>,
    /// What it maps to.
    pub value: Constant,
}

/// What a table says of a key that no row names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// The record fails; the message names table and key. Also when nothing is written.
    Fail,
    /// The key itself (tables of one key only).
    Keep,
    /// This value.
    Value(Constant),
}

/// When a flow runs by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// `every 5 minutes`
    Every(Duration),
    /// `at "0 6 * * *" in "Europe/Amsterdam"`
    At {
        /// Five cron fields.
        cron: String,
        /// IANA zone name.
        zone: String,
    },
    /// `on webhook shop "orders.updated"`
    Webhook {
        /// Which side sends it.
        side: Side,
        /// Its name.
        event: String,
    },
}

/// `overlapping runs skip | queue`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlapping {
    /// The run that became due is left out.
    #[default]
    Skip,
    /// It starts when the one under way has ended; at most one waits.
    Queue,
}

/// `missed runs once | skip`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missed {
    /// However many were missed, one run makes up for them.
    #[default]
    Once,
    /// They are left out.
    Skip,
}

/// Rhai text with its place in the flow file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What Rhai compiles: as written, but for table look-ups by several keys, which become
    /// a list: `vat_code[[country, rate]]`.
    pub rhai: String,
    /// Where the expression stands.
    pub span: Span,
    /// Where `rhai` got longer than what was written: byte offset in `rhai` and number of
    /// bytes put in there, ascending.
    pub inserted: Vec<(usize, usize)>,
}

/// `fetch order from shop.orders since modified_at overlap 10 minutes where paid = true`
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Name that steps read the record by.
    pub name: String,
    /// Which side it is read from; a flow fetches from its source.
    pub side: Side,
    /// Resource name.
    pub resource: String,
    /// Field that the cursor follows; without one every run reads everything.
    pub since: Option<Since>,
    /// Conditions that the source itself applies.
    pub conditions: Vec<Match>,
    /// Where it stands.
    pub span: Span,
}

/// `since modified_at overlap 10 minutes`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// Field name.
    pub field: String,
    /// How far before the cursor each run reads again.
    pub overlap: Option<Duration>,
}

/// `ext_order_id = order.number`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Field of the resource.
    pub field: String,
    /// Value that it must have.
    pub value: Expr,
    /// Where it stands.
    pub span: Span,
}

/// One thing that is done with a record.
#[derive(Clone, Debug)]
pub struct Step {
    /// Number of the step in the flow, counted from 0 in the order of the text through all
    /// blocks. The ledger knows writes by [`Write::id`], not by this.
    pub index: usize,
    /// Where the step's first line stands.
    pub span: Span,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// The record is left out, quietly, when the condition does not hold.
    Filter(Expr),
    /// A record is looked for.
    Lookup(Lookup),
    /// `skip "why" if condition`: the record is left out, with the reason.
    Skip {
        /// Text for people.
        reason: Expr,
        /// Condition.
        when: Condition,
    },
    /// `fail "why" unless condition`: the record is refused, with the reason.
    Fail {
        /// Text for people.
        reason: Expr,
        /// Condition.
        when: Condition,
    },
    /// `map NAME { … }` or `map NAME with script::function(…)`
    Map {
        /// Name that later expressions read it by.
        name: String,
        /// How it is made.
        with: MapWith,
    },
    /// `create`, `update` and `upsert`
    Write(Write),
    /// `each line in order.lines { … }`
    Each {
        /// Name of the item.
        name: String,
        /// The list.
        list: Expr,
        /// What is done with each item.
        steps: Vec<Step>,
    },
    /// `when condition { … } else { … }`; an `else when` is a single step in `otherwise`.
    When {
        /// Condition.
        condition: Expr,
        /// When it holds.
        then: Vec<Step>,
        /// When it does not.
        otherwise: Vec<Step>,
    },
    /// `notify "text" if condition`
    Notify {
        /// Text for people.
        message: Expr,
        /// Condition; `None`: always.
        when: Option<Condition>,
    },
}

/// `if …` holds when the expression is true, `unless …` when it is not. A record counts as
/// true, `()` as false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `unless`
    pub negated: bool,
    /// The expression.
    pub expr: Expr,
}

/// `lookup sent in till.orders by ext_order_id = order.number`
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Name that later expressions read the found record by, or `()`.
    pub name: String,
    /// `lookup all`: the name binds a list of every match instead.
    pub all: bool,
    /// Which side is asked.
    pub side: Side,
    /// Resource name.
    pub resource: String,
    /// Fields and values; the resource can be found by exactly this set of fields.
    pub by: Vec<Match>,
}

/// How a `map` makes its record.
#[derive(Clone, Debug)]
pub enum MapWith {
    /// Field lines.
    Block(Vec<FieldLine>),
    /// One expression, usually a call.
    Expr(Expr),
}

/// `create`, `update` or `upsert`.
#[derive(Clone, Debug)]
pub struct Write {
    /// Stable name of the write in the ledger: verb, resource and, from the second of the
    /// same on, a number: `create orders`, `upsert relations 2`.
    pub id: String,
    /// Name that later expressions read the written record by.
    pub name: String,
    /// Verb.
    pub verb: Verb,
    /// Which side is written: the target.
    pub side: Side,
    /// Resource name.
    pub resource: String,
    /// Field lines.
    pub fields: Vec<FieldLine>,
}

/// What a write does.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Always a new record.
    Create,
    /// An existing record, found by key; the source record fails when there is none.
    Update {
        /// Fields and values.
        by: Vec<Match>,
    },
    /// Found by one of these keys, tried in order, and updated; else created.
    Upsert {
        /// Sets of target fields; their values come from the field lines.
        by: Vec<UpsertKey>,
    },
}

/// One key of an upsert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsertKey {
    /// `by email` or `by branch and number`
    Fields(Vec<String>),
    /// `by settings.match_key`: a choice whose every option is a field that can be found by.
    Setting(String),
}

/// One line of a write's or a map's block.
#[derive(Clone, Debug)]
pub struct FieldLine {
    /// Target field.
    pub field: String,
    /// Where its value comes from.
    pub value: FieldValue,
    /// Written only then.
    pub on: On,
    /// `when condition`
    pub when: Option<Expr>,
    /// Where the line stands.
    pub span: Span,
}

/// Where a field's value comes from.
#[derive(Clone, Debug)]
pub enum FieldValue {
    /// `field = expression`
    Expr(Expr),
    /// `field { … }`: a nested record.
    Record(Vec<FieldLine>),
    /// `field each item in list { … }`: a list of records; lines of one field append.
    Each {
        /// Name of the item.
        name: String,
        /// The list.
        list: Expr,
        /// Field lines of one entry.
        fields: Vec<FieldLine>,
    },
}

/// `on create`, `on update`, `on delete`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum On {
    /// Both.
    #[default]
    Always,
    /// Only while the record is new.
    Create,
    /// Only when it exists.
    Update,
    /// Only when the source says that it has deleted its record.
    Delete,
}

impl Expr {
    /// The place in the flow file of a position in [`Expr::rhai`], both lines and columns
    /// counted from 1 as Rhai does, columns in characters.
    #[must_use]
    pub fn place(&self, line: usize, column: usize) -> usize {
        let mut offset = 0;
        for (number, text) in self.rhai.split_inclusive('\n').enumerate() {
            if number + 1 == line {
                offset += text.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
                break;
            }
            offset += text.len();
        }
        let shift: usize =
            self.inserted.iter().take_while(|(at, _)| *at < offset).map(|(_, length)| length).sum();
        (self.span.start + offset.saturating_sub(shift)).min(self.span.end)
    }
}
