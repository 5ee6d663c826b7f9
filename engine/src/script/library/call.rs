//! One call of a library function: its arguments, checked, and what it may use.

use rhai::{
    Array, Dynamic, DynamicReadLock, DynamicWriteLock, EvalAltResult, FnPtr, ImmutableString, Map,
    NativeCallContext, Position,
};
use rust_decimal::Decimal;

use crate::script::budget;
use crate::script::error::Mistake;
use crate::script::values::{Record, kind, with_article};

/// What a library function gives.
pub(in crate::script) type Outcome<T = Dynamic> = Result<T, Box<EvalAltResult>>;

/// The arguments of a call.
pub(in crate::script) struct Call<'a, 'v> {
    name: &'static str,
    context: NativeCallContext<'a>,
    args: &'a mut [&'v mut Dynamic],
}

impl From<Mistake> for Box<EvalAltResult> {
    /// Limits end the script; other mistakes may be caught by it.
    fn from(mistake: Mistake) -> Self {
        let ends = matches!(mistake, Mistake::Limit { .. });
        let token = Dynamic::from(mistake);
        Self::new(if ends {
            EvalAltResult::ErrorTerminated(token, Position::NONE)
        } else {
            EvalAltResult::ErrorRuntime(token, Position::NONE)
        })
    }
}

static NOTHING: Dynamic = Dynamic::UNIT;

impl<'a, 'v> Call<'a, 'v> {
    pub(super) const fn new(
        name: &'static str,
        context: NativeCallContext<'a>,
        args: &'a mut [&'v mut Dynamic],
    ) -> Self {
        Self { name, context, args }
    }

    /// The name that was called.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Number of arguments.
    pub(super) const fn count(&self) -> usize {
        self.args.len()
    }

    /// An argument, whatever it is.
    pub(super) fn value(&self, at: usize) -> &Dynamic {
        self.args.get(at).map_or(&NOTHING, |value| &**value)
    }

    /// A copy of an argument, free of shared cells.
    pub(super) fn owned(&self, at: usize) -> Dynamic {
        self.value(at).flatten_clone()
    }

    /// An argument to change in place.
    pub(super) fn change(&mut self, at: usize) -> Outcome<DynamicWriteLock<'_, Dynamic>> {
        let refused = self.wrong(at, "a variable");
        self.args.get_mut(at).and_then(|value| value.write_lock::<Dynamic>()).ok_or_else(|| refused.into())
    }

    /// A text.
    pub(super) fn text(&self, at: usize) -> Outcome<ImmutableString> {
        let value = self.value(at);
        let text = match value.as_immutable_string_ref() {
            Ok(text) => text.clone(),
            Err(_) => match value.as_char() {
                Ok(letter) => letter.to_string().into(),
                Err(_) => return Err(self.wrong(at, "a text").into()),
            },
        };
        budget::read(text.len())?;
        Ok(text)
    }

    /// A whole number.
    pub(super) fn integer(&self, at: usize) -> Outcome<i64> {
        self.value(at).as_int().map_err(|_| self.wrong(at, "an integer").into())
    }

    /// A whole number that counts something: never below zero.
    pub(super) fn size(&self, at: usize) -> Outcome<usize> {
        let number = self.integer(at)?;
        usize::try_from(number).map_err(|_| {
            Mistake::bad_argument(format!("`{}` cannot work with {number}: it must be 0 or more", self.name))
                .into()
        })
    }

    /// A number, exact.
    pub(super) fn number(&self, at: usize) -> Outcome<Decimal> {
        number(self.value(at)).ok_or_else(|| self.wrong(at, "a number").into())
    }

    /// A list to read.
    pub(super) fn list(&self, at: usize) -> Outcome<DynamicReadLock<'_, Array>> {
        let list = self.value(at).read_lock::<Array>().ok_or_else(|| self.wrong(at, "a list"))?;
        budget::read(list.len() * 16)?;
        Ok(list)
    }

    /// Number of items of a list.
    pub(super) fn items(&self, at: usize) -> Outcome<usize> {
        self.value(at)
            .read_lock::<Array>()
            .map(|list| list.len())
            .ok_or_else(|| self.wrong(at, "a list").into())
    }

    /// A record, as a copy that can be changed.
    pub(super) fn record(&self, at: usize) -> Outcome<Map> {
        let fields = Fields::of(self.value(at)).ok_or_else(|| self.wrong(at, "a record"))?;
        budget::make(fields.len() * FIELD)?;
        drop(fields);
        map_of(self.value(at)).ok_or_else(|| self.wrong(at, "a record").into())
    }

    /// A function: `|line| line.price`, or the name of one.
    pub(super) fn function(&self, at: usize) -> Outcome<FnPtr> {
        self.value(at)
            .read_lock::<FnPtr>()
            .map(|function| function.clone())
            .ok_or_else(|| self.wrong(at, "a function, such as `|item| item.price`").into())
    }

    /// Calls a function that was given as an argument.
    pub(super) fn invoke(&self, function: &FnPtr, args: impl AsMut<[Dynamic]>) -> Outcome {
        budget::step()?;
        function.call_raw(&self.context, None, args)
    }

    /// As [`Call::invoke`], for functions that must answer true or false.
    pub(super) fn ask(&self, function: &FnPtr, item: &Dynamic) -> Outcome<bool> {
        let answer = self.invoke(function, [item.clone()])?;
        answer.as_bool().map_err(|_| {
            let given = with_article(kind(&answer));
            Mistake::wrong_kind(
                format!("the function given to `{}` must answer true or false, not {given}", self.name),
                Some("compare something in it: `|item| item.price > 0`"),
            )
            .into()
        })
    }

    /// Draws for a text of that many bytes, and refuses one that is too long.
    pub(super) fn room_for_text(&self, bytes: usize) -> Outcome<()> {
        room_for_text(&self.context, bytes)
    }

    /// Refuses a text that is too long.
    pub(super) fn fits_text(&self, bytes: usize) -> Outcome<()> {
        fits_text(&self.context, bytes)
    }

    /// Draws for a list of that many items, and refuses one that is too long.
    pub(super) fn room_for_items(&self, items: usize) -> Outcome<()> {
        room_for_items(&self.context, items)
    }

    /// The fields of a record, to read.
    pub(super) fn fields(&self, at: usize) -> Outcome<Fields<'_>> {
        Fields::of(self.value(at)).ok_or_else(|| self.wrong(at, "a record").into())
    }

    /// Most bytes of a text.
    pub(super) fn most_text(&self) -> usize {
        self.context.engine().max_string_size()
    }

    /// Most items of a list.
    pub(super) fn most_items(&self) -> usize {
        self.context.engine().max_array_size()
    }

    /// The mistake of giving something else than what is needed.
    pub(super) fn wrong(&self, at: usize, needed: &str) -> Mistake {
        let value = self.value(at);
        let given = with_article(kind(value));
        let place = match (self.args.len(), at) {
            (1, _) | (_, 0) => String::new(),
            _ => format!(" as argument {}", at + 1),
        };
        let help = value.is_unit().then_some("`??` gives a value in place of nothing: `value ?? \"\"`");
        Mistake::wrong_kind(format!("`{}` needs {needed}{place}, and was given {given}", self.name), help)
    }
}

fn fits_text(context: &NativeCallContext<'_>, bytes: usize) -> Outcome<()> {
    let most = context.engine().max_string_size();
    if most > 0 && bytes > most {
        return Err(Mistake::limit("text length", format!("{most} bytes")).into());
    }
    Ok(())
}

pub(super) fn room_for_text(context: &NativeCallContext<'_>, bytes: usize) -> Outcome<()> {
    fits_text(context, bytes)?;
    Ok(budget::make(bytes)?)
}

pub(super) fn room_for_items(context: &NativeCallContext<'_>, items: usize) -> Outcome<()> {
    let most = context.engine().max_array_size();
    if most > 0 && items > most {
        return Err(Mistake::limit("list length", format!("{most} items")).into());
    }
    Ok(budget::make(items.saturating_mul(16))?)
}

/// A number, whichever of the two kinds.
pub(in crate::script) fn number(value: &Dynamic) -> Option<Decimal> {
    value.as_int().map(Decimal::from).or_else(|_| value.as_decimal()).ok()
}

/// What a field of a record takes, with its name.
pub(super) const FIELD: usize = 64;

/// The fields of either kind of record, to read.
pub(in crate::script) enum Fields<'v> {
    /// Of the script's own record.
    Own(DynamicReadLock<'v, Map>),
    /// Of a record from outside.
    Given(DynamicReadLock<'v, Record>),
}

impl<'v> Fields<'v> {
    /// The fields of a value, when it is a record.
    pub(in crate::script) fn of(value: &'v Dynamic) -> Option<Self> {
        if let Some(map) = value.read_lock::<Map>() {
            return Some(Self::Own(map));
        }
        value.read_lock::<Record>().map(Self::Given)
    }

    /// How many there are.
    pub(in crate::script) fn len(&self) -> usize {
        match self {
            Self::Own(map) => map.len(),
            Self::Given(record) => record.fields().len(),
        }
    }

    /// What finding a field may cost, in bytes read.
    pub(in crate::script) fn search(&self) -> usize {
        match self {
            Self::Own(_) => 0,
            Self::Given(record) => record.fields().len(),
        }
    }

    /// A field.
    pub(in crate::script) fn get(&self, name: &str) -> Option<&Dynamic> {
        match self {
            Self::Own(map) => map.get(name),
            Self::Given(record) => record.get(name),
        }
    }

    /// Does something with each, until it fails.
    pub(in crate::script) fn each<E>(
        &self,
        mut work: impl FnMut(&str, &Dynamic) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Own(map) => map.iter().try_for_each(|(name, value)| work(name.as_str(), value)),
            Self::Given(record) => {
                record.fields().iter().try_for_each(|(name, value)| work(name.as_str(), value))
            }
        }
    }
}

/// The fields of either kind of record, as a copy that can be changed.
pub(in crate::script) fn map_of(value: &Dynamic) -> Option<Map> {
    if let Ok(map) = value.as_map_ref() {
        return Some(map.clone());
    }
    value.read_lock::<Record>().map(|record| record.to_map())
}
