//! Expressions made from bytes: each byte is a choice, so that any bytes are an expression, and
//! bytes that differ little are expressions that differ little.

/// Bytes, taken one after the other; zeros when they are at an end.
pub(crate) struct Choices<'b> {
    bytes: std::slice::Iter<'b, u8>,
}

/// Expressions within expressions.
const DEEPEST: u32 = 5;

const NUMBERS: [&str; 10] = [
    "order.total",
    "order.count",
    "n",
    "1",
    "0.50",
    "-3",
    "order.lines[0].price",
    "9223372036854775807",
    "order.customer.tags.len()",
    "item",
];

const TEXTS: [&str; 10] = [
    "order.number",
    "order.note",
    "order.customer.name",
    "\"\"",
    "\"ß日\"",
    "\"a,b;c\"",
    "\"2026-02-28\"",
    "order.lines[1].sku",
    "\"12,50\"",
    "`n ${n} of ${order.total}`",
];

const LISTS: [&str; 6] = [
    "order.lines",
    "order.numbers",
    "[]",
    "[1, 2.50, -1]",
    "order.customer.tags",
    "[(), true, \"a\", [1], #{ x: 1 }]",
];

const OTHERS: [&str; 8] =
    ["order", "order.customer", "()", "true", "order.nothing", "#{}", "#{ a: 1, b: [2] }", "order.paid"];

const INFIX: [&str; 18] =
    ["+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "??", "in", "!in", ".."];

const FIELDS: [&str; 10] =
    [".sku", ".price", "?.price", ".customer?.name", "[0]", "[-1]", "[\"a\"]", ".a", "?.b[0]", "?[1]"];

impl<'b> Choices<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes: bytes.iter() }
    }

    fn next(&mut self) -> usize {
        self.bytes.next().copied().unwrap_or_default().into()
    }

    fn of(&mut self, words: &[&'static str]) -> &'static str {
        let at = self.next() % words.len();
        words.get(at).copied().unwrap_or_default()
    }

    /// An expression.
    pub(crate) fn expression(&mut self) -> String {
        self.value(DEEPEST)
    }

    fn value(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.leaf();
        }
        match self.next() % 24 {
            0..=3 => self.leaf(),
            4 | 5 => {
                let (a, b) = (self.value(depth - 1), self.value(depth - 1));
                format!("({a} {} {b})", self.of(&INFIX))
            }
            6..=8 => self.call(depth),
            9 => format!("{}{}", self.value(depth - 1), self.of(&FIELDS)),
            10 => {
                let (a, b) = (self.value(depth - 1), self.value(depth - 1));
                format!("if {} {{ {a} }} else {{ {b} }}", self.condition(depth))
            }
            11 | 12 => self.with_function(depth),
            13 => {
                let (a, b) = (self.value(depth - 1), self.value(depth - 1));
                format!("{{ let v = {a}; v = {b}; v }}")
            }
            14 => {
                let (a, b) = (self.value(depth - 1), self.value(depth - 1));
                format!("{{ let v = {a}; v{} = {b}; v }}", self.of(&FIELDS).replace('?', ""))
            }
            15 => {
                let (a, b) = (self.value(depth - 1), self.value(depth - 1));
                format!("{{ let v = []; for item in {a} {{ v.push({b}); }} v }}")
            }
            16 => {
                let (a, b) = (self.condition(depth), self.value(depth - 1));
                format!(
                    "{{ let i = 0; let v = 0; while i < 4 {{ i += 1; if {a} {{ continue; }} v += {b}; }} v }}"
                )
            }
            17 => format!("`${{{}}} é ${{{}}}`", self.value(depth - 1), self.value(depth - 1)),
            18 => format!("[{}, {}]", self.value(depth - 1), self.value(depth - 1)),
            19 => format!("#{{ b: {}, a: {} }}", self.value(depth - 1), self.value(depth - 1)),
            20 => {
                let (a, b, c) = (self.value(depth - 1), self.value(depth - 1), self.value(depth - 1));
                format!("switch {a} {{ 1 => {b}, \"a\" | \"0042\" if n > 3 => {c}, () => 0, _ => {b} }}")
            }
            21 => format!("codes[{}]", self.value(depth - 1)),
            22 => format!("my::{}({})", self.of(&["twice", "sum_to", "names"]), self.value(depth - 1)),
            _ => format!("{}{}", self.of(&["-", "!"]), self.value(depth - 1)),
        }
    }

    fn leaf(&mut self) -> String {
        let words: &[&'static str] = match self.next() % 8 {
            0..=2 => &NUMBERS,
            3 | 4 => &TEXTS,
            5 | 6 => &LISTS,
            _ => &OTHERS,
        };
        self.of(words).to_owned()
    }

    fn condition(&mut self, depth: u32) -> String {
        let (a, b) = (self.value(depth - 1), self.value(depth - 1));
        format!("{a} {} {b}", self.of(&["==", "!=", "<", ">=", "in"]))
    }

    /// A function of the library, any of them, with as many arguments as it may be.
    fn call(&mut self, depth: u32) -> String {
        let at = self.next() + 256 * (self.next() % 2);
        let count = engine::script::functions().count().max(1);
        let name = engine::script::functions().nth(at % count).map_or("len", |function| function.name);
        let args = 1 + self.next() % 3;
        let args: Vec<String> = (0..args).map(|_| self.value(depth - 1)).collect();
        match self.next() % 3 {
            0 => match args.split_first() {
                Some((first, rest)) => format!("{first}.{name}({})", rest.join(", ")),
                None => String::new(),
            },
            _ => format!("{name}({})", args.join(", ")),
        }
    }

    fn with_function(&mut self, depth: u32) -> String {
        let name = self.of(&["map", "filter", "find", "any", "all", "sum", "sort", "min", "max"]);
        let list = self.value(depth - 1);
        match self.next() % 4 {
            0 => format!("{list}.reduce(|v, item| {}, 0)", self.value(depth - 1)),
            1 => format!("{list}.{name}(|item| {})", self.condition(depth)),
            _ => format!("{list}.{name}(|item| {})", self.value(depth - 1)),
        }
    }
}
