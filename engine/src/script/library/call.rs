//! One call of a library function: its arguments, checked, and what it may use.

use super::operand::Operand;
use crate::script::budget;
use crate::script::error::Mistake;
use crate::script::values::with_article;

/// What a library function gives to whoever made the call.
pub(in crate::script) type Given<C, T = <C as Call>::Value> = Result<T, <C as Call>::Error>;

/// What a field of a record takes, with its name.
pub(super) const FIELD: usize = 64;

/// Sizes that no single value may pass.
#[derive(Clone, Copy, Debug)]
pub(in crate::script) struct Most {
    /// Bytes of a text.
    pub(in crate::script) text: usize,
    /// Items of a list.
    pub(in crate::script) items: usize,
}

impl Most {
    /// Refuses a text that is too long.
    pub(in crate::script) fn fits_text(self, bytes: usize) -> Result<(), Mistake> {
        if self.text > 0 && bytes > self.text {
            return Err(Mistake::limit("text length", format!("{} bytes", self.text)));
        }
        Ok(())
    }

    /// Draws for a text of that many bytes, and refuses one that is too long.
    pub(in crate::script) fn room_for_text(self, bytes: usize) -> Result<(), Mistake> {
        self.fits_text(bytes)?;
        budget::make(bytes)
    }

    /// Draws for a list of that many items, and refuses one that is too long.
    pub(in crate::script) fn room_for_items(self, items: usize) -> Result<(), Mistake> {
        if self.items > 0 && items > self.items {
            return Err(Mistake::limit("list length", format!("{} items", self.items)));
        }
        budget::make(items.saturating_mul(16))
    }
}

/// A call, by Rhai or by lowered code.
pub(in crate::script) trait Call: Sized {
    /// Arguments and results.
    type Value: Operand;
    /// A function that was given as an argument.
    type Function;
    /// What stops the caller.
    type Error: From<Mistake>;

    /// The name that was called.
    fn name(&self) -> &'static str;
    /// Number of arguments.
    fn count(&self) -> usize;
    /// An argument, whatever it is; nothing when there is none.
    fn value(&self, at: usize) -> &Self::Value;
    /// A copy of an argument.
    fn owned(&self, at: usize) -> Self::Value;
    /// Changes the variable that the first argument is.
    fn put(&mut self, value: Self::Value) -> Given<Self, ()>;
    /// Adds an item to the list variable that the first argument is.
    fn append(&mut self, item: Self::Value) -> Given<Self, ()>;
    /// A function: `|line| line.price`, or the name of one.
    fn function(&self, at: usize) -> Option<Self::Function>;
    /// Runs a function that was given as an argument.
    fn run<const N: usize>(&self, function: &Self::Function, args: [Self::Value; N]) -> Given<Self>;
    /// Sizes that no value may pass.
    fn most(&self) -> Most;

    /// A text.
    fn text(&self, at: usize) -> Result<<Self::Value as Operand>::Text<'_>, Mistake> {
        let text = self.value(at).as_text().ok_or_else(|| self.wrong(at, "a text"))?;
        budget::read(text.len())?;
        Ok(text)
    }

    /// A whole number.
    fn integer(&self, at: usize) -> Result<i64, Mistake> {
        self.value(at).int().ok_or_else(|| self.wrong(at, "an integer"))
    }

    /// A whole number that counts something: never below zero.
    fn size(&self, at: usize) -> Result<usize, Mistake> {
        let number = self.integer(at)?;
        usize::try_from(number).map_err(|_| {
            Mistake::bad_argument(format!(
                "`{}` cannot work with {number}: it must be 0 or more",
                self.name()
            ))
        })
    }

    /// A number, exact.
    fn number(&self, at: usize) -> Result<rust_decimal::Decimal, Mistake> {
        self.value(at).number().ok_or_else(|| self.wrong(at, "a number"))
    }

    /// A list to read.
    fn list(&self, at: usize) -> Result<<Self::Value as Operand>::Items<'_>, Mistake> {
        let list = self.value(at).items().ok_or_else(|| self.wrong(at, "a list"))?;
        budget::read(list.len() * 16)?;
        Ok(list)
    }

    /// A record to read, and how many fields it has.
    fn fields(&self, at: usize) -> Result<(&Self::Value, usize), Mistake> {
        let record = self.value(at);
        let fields = record.field_count().ok_or_else(|| self.wrong(at, "a record"))?;
        Ok((record, fields))
    }

    /// A record whose fields are about to be copied.
    fn record(&self, at: usize) -> Result<&Self::Value, Mistake> {
        let (record, fields) = self.fields(at)?;
        budget::make(fields * FIELD)?;
        Ok(record)
    }

    /// A function to be run with [`Call::invoke`].
    fn callback(&self, at: usize) -> Result<Self::Function, Mistake> {
        self.function(at).ok_or_else(|| self.wrong(at, "a function, such as `|item| item.price`"))
    }

    /// Calls a function that was given as an argument.
    fn invoke<const N: usize>(&self, function: &Self::Function, args: [Self::Value; N]) -> Given<Self> {
        budget::step()?;
        self.run(function, args)
    }

    /// As [`Call::invoke`], for functions that must answer true or false.
    fn ask(&self, function: &Self::Function, item: Self::Value) -> Given<Self, bool> {
        let answer = self.invoke(function, [item])?;
        answer.boolean().ok_or_else(|| {
            let given = with_article(answer.kind());
            Mistake::wrong_kind(
                format!("the function given to `{}` must answer true or false, not {given}", self.name()),
                Some("compare something in it: `|item| item.price > 0`"),
            )
            .into()
        })
    }

    /// Draws for a text of that many bytes, and refuses one that is too long.
    fn room_for_text(&self, bytes: usize) -> Result<(), Mistake> {
        self.most().room_for_text(bytes)
    }

    /// Draws for a list of that many items, and refuses one that is too long.
    fn room_for_items(&self, items: usize) -> Result<(), Mistake> {
        self.most().room_for_items(items)
    }

    /// The mistake of giving something else than what is needed.
    fn wrong(&self, at: usize, needed: &str) -> Mistake {
        let value = self.value(at);
        let given = with_article(value.kind());
        let place = match (self.count(), at) {
            (1, _) | (_, 0) => String::new(),
            _ => format!(" as argument {}", at + 1),
        };
        let help = value.is_nothing().then_some("`??` gives a value in place of nothing: `value ?? \"\"`");
        Mistake::wrong_kind(format!("`{}` needs {needed}{place}, and was given {given}", self.name()), help)
    }
}
