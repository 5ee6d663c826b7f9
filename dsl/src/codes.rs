//! Every kind of mistake that a flow can contain, with the code that never changes.
//!
//! A code is never reused. Each has a page `docs/errors/CODE.md`.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// Kind of a problem. Codes are for searching and for the pages in `docs/errors/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every kind there is.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The code as printed: `F020`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }
        }
    };
}

codes! {
    // --- F001 to F019: text, lines, brackets ---
    /// The file is not UTF-8.
    NotUtf8 = "F001",
    /// The file says nothing.
    EmptyFile = "F002",
    /// The file is longer than any flow should be.
    TooLarge = "F003",
    /// Blocks or brackets stand within one another too deep.
    TooDeep = "F004",
    /// A character that cannot be seen and means nothing.
    StrangeCharacter = "F005",
    /// “Curly” quotes of a word processor.
    CurlyQuotes = "F006",
    /// A text without its closing quote.
    UnclosedText = "F007",
    /// A template without its closing backtick.
    UnclosedTemplate = "F008",
    /// A bracket without its partner.
    UnclosedBracket = "F009",
    /// A comment without its end.
    UnclosedComment = "F010",
    /// A closing bracket that closes nothing.
    StrayBracket = "F011",
    /// A block without its closing brace.
    UnclosedBlock = "F012",
    /// A closing brace that closes nothing.
    StrayBrace = "F013",
    /// Text in single quotes.
    SingleQuotes = "F014",
    /// Something else was expected here.
    Unexpected = "F015",
    /// A line that starts with no word of the language.
    UnknownVerb = "F016",
    /// A word of another language.
    ForeignVerb = "F017",
    /// Text without quotes.
    MissingQuotes = "F018",
    /// A block where none belongs, or none where one must stand.
    WrongBlock = "F019",

    // --- F020 to F039: names ---
    /// The system has no such resource.
    UnknownResource = "F020",
    /// There is no such kind of system.
    UnknownSystem = "F021",
    /// Neither `source` nor `target` has that name.
    UnknownRole = "F022",
    /// The resource has no such field, in a line or clause that names one.
    UnknownField = "F023",
    /// Nothing has that name, in an expression.
    UnknownName = "F024",
    /// The record has no such field, in an expression.
    UnknownProperty = "F025",
    /// There is no such setting.
    UnknownSetting = "F026",
    /// There is no such function.
    UnknownFunction = "F027",
    /// There is no such script.
    UnknownScript = "F028",
    /// The script does not compile.
    BrokenScript = "F029",
    /// `use` gave nothing that name.
    UnknownModule = "F030",
    /// The function takes another number of values.
    WrongArity = "F031",
    /// The system sends no such event.
    UnknownEvent = "F032",
    /// There is no such type.
    UnknownType = "F033",
    /// Two things have one name.
    NameTaken = "F034",
    /// The name means something already.
    ReservedName = "F035",
    /// The name is known elsewhere in the flow, not here.
    OutOfReach = "F036",

    // --- F040 to F059: head, triggers ---
    /// A line that every flow needs is not there.
    MissingHead = "F040",
    /// A line that may stand once stands twice.
    RepeatedLine = "F041",
    /// A line of the head stands among the steps.
    HeadAfterSteps = "F042",
    /// The default does not fit the type of the setting.
    WrongDefault = "F043",
    /// A choice names one option twice.
    RepeatedOption = "F044",
    /// A constant must stand here.
    NotAConstant = "F045",
    /// A length of time without its unit, or with one that is not known.
    WrongDuration = "F046",
    /// A cron line that no clock understands.
    WrongCron = "F047",
    /// Not the name of a time zone.
    WrongZone = "F048",
    /// A line that belongs under another one stands alone.
    Orphan = "F049",
    /// Two rows of a table say something of the same keys.
    RepeatedRow = "F050",
    /// A row that no key can reach.
    UnreachableRow = "F051",
    /// The table has another number of keys.
    WrongKeyCount = "F052",
    /// A value of a row does not fit its column.
    WrongRow = "F053",
    /// `keep` with several keys or with another type.
    WrongKeep = "F054",
    /// A table is read in brackets.
    TableNotIndexed = "F055",

    // --- F060 to F079: steps and abilities ---
    /// Nothing is fetched.
    NoFetch = "F060",
    /// There are two fetches.
    SecondFetch = "F061",
    /// The fetch does not come first.
    FetchNotFirst = "F062",
    /// The flow changes nothing anywhere.
    NothingWritten = "F063",
    /// Read from the target, or written to the source.
    WrongSide = "F064",
    /// The resource cannot be fetched.
    CannotFetch = "F065",
    /// The resource cannot be fetched since this field.
    CannotSince = "F066",
    /// The source cannot filter by this field.
    CannotFilter = "F067",
    /// The resource cannot be found by these fields.
    CannotFind = "F068",
    /// The resource cannot be created.
    CannotCreate = "F069",
    /// The resource cannot be updated.
    CannotUpdate = "F070",
    /// A step stands among field lines.
    StepAmongFields = "F071",
    /// A field line stands among steps.
    FieldAmongSteps = "F072",
    /// `else` without its `when`.
    LoneElse = "F073",
    /// The key setting of an upsert does not name fields to find by.
    WrongKeySetting = "F074",
    /// Two flows carry one entity in opposite directions.
    TwoWay = "F075",
    /// `on delete`, and nobody tells what is deleted.
    DeletesUntold = "F076",

    // --- F080 to F094: field lines and types ---
    /// A field that a new record needs gets no value.
    MissingRequired = "F080",
    /// The field can be read, not written.
    ReadOnly = "F081",
    /// A value of another type than the field.
    WrongType = "F082",
    /// Not one of the values that the field may have.
    NotAnOption = "F083",
    /// The text is longer than the field.
    TooLong = "F084",
    /// The field takes digits only.
    NotDigits = "F085",
    /// One field gets a value twice.
    RepeatedField = "F086",
    /// A field of a nested record, written with a dot.
    DottedField = "F087",
    /// A key of the upsert gets no value, or not always.
    KeyWithoutValue = "F088",
    /// A nested block for a field that is no record, or a value for one that is.
    WrongNesting = "F089",
    /// The field can be written, not read.
    WriteOnly = "F090",
    /// `on create`, `on update` or `on delete` where it means nothing.
    MisplacedOn = "F091",
    /// A block without lines.
    EmptyBlock = "F092",

    // --- F095 to F109: expressions ---
    /// Rhai does not understand the expression.
    WrongExpression = "F095",
    /// `=` where `==` was meant.
    AssignmentInCondition = "F096",
    /// `and`, `or`, `not` in an expression.
    WordOperator = "F097",
    /// `!`, `&&` or `||` on a record.
    RecordAsBoolean = "F098",
    /// A condition that is neither true nor false.
    NotACondition = "F099",
    /// Nothing stands where an expression must.
    MissingExpression = "F100",
    /// A field of the items was asked of the list.
    FieldOfList = "F101",
    /// `each` over something that is no list.
    NotAList = "F102",
    /// `==` where one `=` belongs, or `:`.
    WrongEquals = "F103",
    /// A statement where a value is wanted.
    Statement = "F104",

    // --- F110 to F139: what values can be ---
    /// A field that a new record needs may get no value.
    PerhapsMissing = "F110",
    /// A function is given a value that it cannot work with.
    WrongArgument = "F111",
    /// An operator between values that it does not join.
    WrongOperator = "F112",
    /// A field is read of what may be no value.
    PerhapsNothing = "F113",
    /// A table is read by a key that none of its rows can have.
    WrongKey = "F114",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
