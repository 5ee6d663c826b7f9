//! Library functions as lowered code calls them.

use super::machine::{Machine, Stop};
use super::tree::Closure;
use super::value::{List, Val};
use crate::script::library::{Call, Most};
use std::rc::Rc;

/// The arguments of a call by lowered code.
pub(in crate::script) struct NativeCall<'m, 'a> {
    pub(super) name: &'static str,
    pub(super) machine: &'m Machine<'a>,
    pub(super) args: &'m mut [Val<'a>],
}

impl<'a> Call for NativeCall<'_, 'a> {
    type Value = Val<'a>;
    type Function = &'a Closure;
    type Error = Stop;

    fn name(&self) -> &'static str {
        self.name
    }

    fn count(&self) -> usize {
        self.args.len()
    }

    fn value(&self, at: usize) -> &Val<'a> {
        self.args.get(at).unwrap_or(&Val::Nothing)
    }

    fn owned(&self, at: usize) -> Val<'a> {
        self.value(at).clone()
    }

    fn put(&mut self, value: Val<'a>) -> Result<(), Stop> {
        *self.args.first_mut().ok_or(Stop::Odd)? = value;
        Ok(())
    }

    fn append(&mut self, item: Val<'a>) -> Result<(), Stop> {
        let first = self.args.first_mut().ok_or(Stop::Odd)?;
        if let Val::List(items) = first {
            *first = Val::MadeList(Rc::new(List::new(items.iter().map(Val::of).collect())));
        }
        let Val::MadeList(list) = first else { return Err(Stop::Odd) };
        let list = Rc::make_mut(list);
        list.size.items += 1;
        list.size.add(item.size());
        list.items.push(item);
        Ok(())
    }

    fn function(&self, at: usize) -> Option<&'a Closure> {
        match self.value(at) {
            Val::Function(function) => Some(function),
            _ => None,
        }
    }

    fn run<const N: usize>(&self, function: &&'a Closure, args: [Val<'a>; N]) -> Result<Val<'a>, Stop> {
        self.machine.call_closure(function, args)
    }

    fn most(&self) -> Most {
        self.machine.most()
    }
}
