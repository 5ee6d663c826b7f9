//! Lines `on delete`: whether the source tells what it has deleted, and the target can be told.

use super::Checker;
use super::abilities::Remote;
use crate::catalog::Deleted;
use crate::plan::{FieldLine, On, Side, Trigger};
use crate::problem::{Code, Problem};

impl<'c> Checker<'c> {
    pub(super) fn check_deletes(&mut self, written: &Remote<'c>, lines: &[FieldLine]) {
        let Some(line) = lines.iter().find(|line| line.on == On::Delete) else { return };
        let at = line.span.clone();
        if written.resource.is_some_and(|resource| !resource.update) {
            self.report(
                Problem::new(
                    Code::CannotUpdate,
                    at.clone(),
                    format!("`{}` cannot be updated", written.called),
                )
                .label("what was made of a deleted record would have to be changed")
                .help("take the line away"),
            );
        }
        if let Some(resource) =
            written.resource.filter(|resource| !resource.find.contains(&vec![resource.key.clone()]))
        {
            self.report(
                Problem::new(
                    Code::CannotFind,
                    at.clone(),
                    format!("`{}` cannot be found by its key, `{}`", written.called, resource.key),
                )
                .label("what was made of a deleted record could not be found again")
                .help("take the line away"),
            );
        }
        let Some(fetched) = self.fetched else { return };
        let source = &self.plan.source;
        let read = format!("{}.{}", source.name, fetched.name);
        match &fetched.deleted {
            Some(Deleted::Field(_)) => {}
            Some(Deleted::Event(event)) => {
                let is_told = |trigger: &Trigger| matches!(trigger, Trigger::Webhook { side: Side::Source, event: told } if told == event);
                if !self.plan.triggers.iter().any(is_told) {
                    let help = format!("add it to the head: `on webhook {} \"{event}\"`", source.name);
                    self.report(
                        Problem::new(
                            Code::DeletesUntold,
                            at,
                            format!("the flow does not hear what is deleted from `{read}`"),
                        )
                        .label("never comes to this")
                        .help(help),
                    );
                }
            }
            None => {
                let title = self.system(Side::Source).map_or("the system", |system| system.title.as_str());
                let message = format!("{title} does not tell what is deleted from `{read}`");
                self.report(
                    Problem::new(Code::DeletesUntold, at, message).label("never comes to this").help(
                        "take the line away; records that are blocked or switched off are read as ever",
                    ),
                );
            }
        }
    }
}
