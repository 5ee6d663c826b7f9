//! Statements: variables, loops, ways out.

use std::rc::Rc;

use super::chain::place;
use super::machine::{Machine, Ran, Stop};
use super::tree::{For, Node, SetIn};
use super::value::{Fields, List, Val};
use crate::script::budget;
use crate::script::library::{Operand, Operator};

impl<'a> Machine<'a> {
    pub(super) fn statement(&self, node: &'a Node) -> Ran<'a> {
        budget::step()?;
        match node {
            Node::Block(nodes) => {
                let mut last = Val::Nothing;
                for node in nodes {
                    last = self.eval(node)?;
                }
                return Ok(last);
            }
            Node::Let(slot, value) | Node::Set(slot, None, value) => {
                let value = self.eval(value)?;
                self.set_slot(*slot, value)?;
            }
            Node::Set(slot, Some(operator), value) => {
                let value = self.eval(value)?;
                let value = self.operate(*operator, &self.slot(*slot)?, &value)?;
                self.set_slot(*slot, value)?;
            }
            Node::SetIn(set) => self.set_in(set)?,
            Node::Change(slot, call) => return self.change(*slot, call),
            Node::While(parts) => return self.repeat(parts),
            Node::For(each) => return self.each(each),
            Node::Break(value) => return Err(self.leave(value.as_deref(), Stop::Break)),
            Node::Return(value) => return Err(self.leave(value.as_deref(), Stop::Return)),
            Node::Continue => return Err(Stop::Continue),
            _ => return Err(Stop::Odd),
        }
        Ok(Val::Nothing)
    }

    fn leave(&self, value: Option<&'a Node>, stop: Stop) -> Stop {
        match value.map_or(Ok(Val::Nothing), |value| self.eval(value)) {
            Ok(value) => {
                self.carried.set(Some(value));
                stop
            }
            Err(stop) => stop,
        }
    }

    /// What a loop's body asks for next: to go on, or to end with a value.
    fn goes_on(&self, ran: Ran<'a>) -> Result<Option<Val<'a>>, Stop> {
        match ran {
            Ok(_) | Err(Stop::Continue) => Ok(None),
            Err(Stop::Break) => Ok(Some(self.carried.take().unwrap_or(Val::Nothing))),
            Err(stop) => Err(stop),
        }
    }

    fn repeat(&self, parts: &'a (Node, Node)) -> Ran<'a> {
        while self.condition(&parts.0)? {
            budget::step()?;
            if let Some(value) = self.goes_on(self.eval(&parts.1))? {
                return Ok(value);
            }
        }
        Ok(Val::Nothing)
    }

    fn each(&self, each: &'a For) -> Ran<'a> {
        let list = self.eval(&each.list)?;
        if let Val::Range { from, to, inclusive } = list {
            let end = if inclusive { to.checked_add(1).ok_or(Stop::Odd)? } else { to };
            return self.over(each, (from..end).map(Val::Int));
        }
        let items = list.items().ok_or(Stop::Odd)?;
        self.over(each, items)
    }

    fn over(&self, each: &'a For, items: impl Iterator<Item = Val<'a>>) -> Ran<'a> {
        for (item, number) in items.zip(0_i64..) {
            budget::step()?;
            if let Some(counter) = each.counter {
                self.set_slot(counter, Val::Int(number))?;
            }
            self.set_slot(each.slot, item)?;
            if let Some(value) = self.goes_on(self.eval(&each.body))? {
                return Ok(value);
            }
        }
        Ok(Val::Nothing)
    }

    fn set_in(&self, set: &'a SetIn) -> Result<(), Stop> {
        let value = self.eval(&set.value)?;
        let keys: Result<Vec<_>, Stop> = set.steps.iter().map(|step| self.eval(step)).collect();
        let keys = keys?;
        let mut target = std::mem::replace(
            self.slots.borrow_mut().get_mut(self.base.get() + set.slot).ok_or(Stop::Odd)?,
            Val::Nothing,
        );
        self.put(&mut target, &keys, set.operator, value)?;
        self.set_slot(set.slot, self.bounded(target)?)
    }

    fn put(
        &self,
        target: &mut Val<'a>,
        keys: &[Val<'a>],
        operator: Option<Operator>,
        value: Val<'a>,
    ) -> Result<(), Stop> {
        let Some((key, rest)) = keys.split_first() else {
            *target = match operator {
                Some(operator) => self.operate(operator, target, &value)?,
                None => value,
            };
            return Ok(());
        };
        match target {
            Val::Record(map) => *target = Val::MadeRecord(Rc::new(Val::to_fields(map))),
            Val::List(items) => {
                budget::make(items.len() * 16)?;
                *target = Val::MadeList(Rc::new(List::new(items.iter().map(Val::of).collect())));
            }
            _ => {}
        }
        match target {
            Val::MadeRecord(record) => {
                let name = key.as_text().ok_or(Stop::Odd)?;
                let record = Rc::make_mut(record);
                if !rest.is_empty() && record.get(&name).is_none() {
                    return Err(Stop::Odd);
                }
                budget::read(record.fields.len() * 8)?;
                let place = record.entry(&name).ok_or(Stop::Odd)?;
                self.put(place, rest, operator, value)?;
                *record = Fields::new(std::mem::take(&mut record.fields));
                Ok(())
            }
            Val::MadeList(list) => {
                let Val::Int(at) = key else { return Err(Stop::Odd) };
                let list = Rc::make_mut(list);
                budget::read(list.items.len() * 8)?;
                let at = place(*at, list.items.len())?;
                self.put(list.items.get_mut(at).ok_or(Stop::Odd)?, rest, operator, value)?;
                *list = List::new(std::mem::take(&mut list.items));
                Ok(())
            }
            _ => Err(Stop::Odd),
        }
    }
}
