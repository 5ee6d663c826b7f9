//! Library functions as Rhai calls them: its values as operands, its errors.

use rhai::{
    Array, Dynamic, DynamicReadLock, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext, Position,
};
use rust_decimal::Decimal;

use super::call::{Call, Most};
use super::operand::Operand;
use crate::script::error::Mistake;
use crate::script::limits::Limits;
use crate::script::table::TableValue;
use crate::script::values::{Record, from_dynamic, kind};

/// What a function gives to Rhai.
pub(in crate::script) type Outcome<T = Dynamic> = Result<T, Box<EvalAltResult>>;

/// The arguments of a call by Rhai.
pub(in crate::script) struct RhaiCall<'a, 'v> {
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

impl<'a, 'v> RhaiCall<'a, 'v> {
    pub(super) const fn new(
        name: &'static str,
        context: NativeCallContext<'a>,
        args: &'a mut [&'v mut Dynamic],
    ) -> Self {
        Self { name, context, args }
    }
}

impl Call for RhaiCall<'_, '_> {
    type Value = Dynamic;
    type Function = FnPtr;
    type Error = Box<EvalAltResult>;

    fn name(&self) -> &'static str {
        self.name
    }

    fn count(&self) -> usize {
        self.args.len()
    }

    fn value(&self, at: usize) -> &Dynamic {
        self.args.get(at).map_or(&NOTHING, |value| &**value)
    }

    /// Free of shared cells.
    fn owned(&self, at: usize) -> Dynamic {
        self.value(at).flatten_clone()
    }

    fn put(&mut self, value: Dynamic) -> Outcome<()> {
        let refused = self.wrong(0, "a variable");
        let Some(mut first) = self.args.get_mut(0).and_then(|first| first.write_lock::<Dynamic>()) else {
            return Err(refused.into());
        };
        *first = value;
        Ok(())
    }

    fn append(&mut self, item: Dynamic) -> Outcome<()> {
        if let Some(mut list) = self.args.get_mut(0).and_then(|first| first.write_lock::<Array>()) {
            list.push(item);
        }
        Ok(())
    }

    fn function(&self, at: usize) -> Option<FnPtr> {
        self.value(at).read_lock::<FnPtr>().map(|function| function.clone())
    }

    fn run<const N: usize>(&self, function: &FnPtr, args: [Dynamic; N]) -> Outcome {
        function.call_raw(&self.context, None, args)
    }

    fn most(&self) -> Most {
        let engine = self.context.engine();
        Most { text: engine.max_string_size(), items: engine.max_array_size() }
    }
}

/// The items of one of Rhai's lists; the list is locked as long as they are read.
pub(in crate::script) struct Items<'i> {
    list: DynamicReadLock<'i, Array>,
    at: usize,
    end: usize,
}

impl Iterator for Items<'_> {
    type Item = Dynamic;

    fn next(&mut self) -> Option<Dynamic> {
        if self.at >= self.end {
            return None;
        }
        self.at += 1;
        self.list.get(self.at - 1).cloned()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.at, Some(self.end - self.at))
    }
}

impl DoubleEndedIterator for Items<'_> {
    fn next_back(&mut self) -> Option<Dynamic> {
        if self.at >= self.end {
            return None;
        }
        self.end -= 1;
        self.list.get(self.end).cloned()
    }
}

impl ExactSizeIterator for Items<'_> {}

impl Operand for Dynamic {
    type Text<'t> = ImmutableString;
    type Items<'i> = Items<'i>;

    fn nothing() -> Self {
        Self::UNIT
    }

    fn of_str(text: &str) -> Self {
        Self::from(ImmutableString::from(text))
    }

    fn of_text(text: ImmutableString) -> Self {
        Self::from(text)
    }

    fn of_list(items: Vec<Self>) -> Self {
        Self::from_array(items)
    }

    fn part(&self, part: &str) -> Self {
        Self::of_str(part)
    }

    fn kind(&self) -> &'static str {
        kind(self)
    }

    fn is_nothing(&self) -> bool {
        self.is_unit()
    }

    fn is_text(&self) -> bool {
        self.is_string() || self.is_char()
    }

    fn boolean(&self) -> Option<bool> {
        Self::as_bool(self).ok()
    }

    fn int(&self) -> Option<i64> {
        Self::as_int(self).ok()
    }

    fn exact(&self) -> Option<Decimal> {
        Self::as_decimal(self).ok()
    }

    fn as_text(&self) -> Option<ImmutableString> {
        if let Ok(text) = self.as_immutable_string_ref() {
            return Some(text.clone());
        }
        self.as_char().ok().map(|letter| letter.to_string().into())
    }

    fn items(&self) -> Option<Items<'_>> {
        let list = self.read_lock::<Array>()?;
        let end = list.len();
        Some(Items { list, at: 0, end })
    }

    fn written(&self) -> Result<ImmutableString, Mistake> {
        if let Some(text) = self.as_text() {
            return Ok(text);
        }
        if let Some(mistake) = self.read_lock::<Mistake>() {
            return Ok(mistake.to_string().into());
        }
        match from_dynamic(self, &Limits::default()) {
            Ok(connectors::record::Value::Null) => Ok(ImmutableString::new()),
            Ok(value) => Ok(value.to_string().into()),
            Err(limit @ Mistake::Limit { .. }) => Err(limit),
            Err(_) => Ok(kind(self).into()),
        }
    }

    fn each_item(&self, work: &mut dyn FnMut(&Self) -> Result<(), Mistake>) -> Option<Result<(), Mistake>> {
        Some(self.read_lock::<Array>()?.iter().try_for_each(work))
    }

    fn same_items(
        &self,
        other: &Self,
        same: &mut dyn FnMut(&Self, &Self) -> Result<bool, Mistake>,
    ) -> Option<Result<bool, Mistake>> {
        let (left, right) = (self.read_lock::<Array>()?, other.read_lock::<Array>()?);
        if left.len() != right.len() {
            return Some(Ok(false));
        }
        for (left, right) in left.iter().zip(right.iter()) {
            match same(left, right) {
                Ok(true) => {}
                other => return Some(other),
            }
        }
        Some(Ok(true))
    }

    fn each_field(
        &self,
        work: &mut dyn FnMut(&str, &Self) -> Result<(), Mistake>,
    ) -> Option<Result<(), Mistake>> {
        if let Some(map) = self.read_lock::<Map>() {
            return Some(map.iter().try_for_each(|(name, value)| work(name.as_str(), value)));
        }
        let record = self.read_lock::<Record>()?;
        Some(record.fields().iter().try_for_each(|(name, value)| work(name.as_str(), value)))
    }

    fn search(&self) -> usize {
        self.read_lock::<Record>().map_or(0, |record| record.fields().len())
    }

    fn field_count(&self) -> Option<usize> {
        match self.as_map_ref() {
            Ok(map) => Some(map.len()),
            Err(_) => self.read_lock::<Record>().map(|record| record.fields().len()),
        }
    }

    fn field(&self, name: &str) -> Option<Self> {
        match self.as_map_ref() {
            Ok(map) => map.get(name).cloned(),
            Err(_) => self.read_lock::<Record>().and_then(|record| record.get(name).cloned()),
        }
    }

    fn fields(&self) -> Vec<(String, Self)> {
        let map = match self.as_map_ref() {
            Ok(map) => map.clone(),
            Err(_) => self.read_lock::<Record>().map(|record| record.to_map()).unwrap_or_default(),
        };
        map.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    fn of_fields(fields: Vec<(String, Self)>) -> Self {
        Self::from_map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect::<Map>())
    }

    fn holds(&self, value: &Self) -> Option<Result<bool, Mistake>> {
        if let Some(table) = self.read_lock::<TableValue>() {
            return Some(table.has(value));
        }
        let number = value.int()?;
        if let Some(range) = self.read_lock::<std::ops::Range<i64>>() {
            return Some(Ok(range.contains(&number)));
        }
        self.read_lock::<std::ops::RangeInclusive<i64>>().map(|range| Ok(range.contains(&number)))
    }
}
