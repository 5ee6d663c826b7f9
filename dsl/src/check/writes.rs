//! `create`, `update` and `upsert`: where they write, what they find by, and what the flow
//! carries for it.

use super::Checker;
use super::abilities::Remote;
use super::fields::Into;
use super::steps::has_malformed;
use crate::ast::{KeyText, Name, Node, ResourceText, WriteVerb};
use crate::plan::{
    Action, Carries, Fetch, FieldLine, On, SettingType, Side, Span, Step, UpsertKey, Verb, Write,
};
use crate::problem::{Code, Problem};

impl<'c> Checker<'c> {
    pub(super) fn write(&mut self, node: &Node, verb: &WriteVerb, name: &Name, to: &ResourceText) -> Action {
        let remote = self.remote(to);
        let (creates, updates, word) = match verb {
            WriteVerb::Create => (true, false, "create"),
            WriteVerb::Update(_) => (false, true, "update"),
            WriteVerb::Upsert(_) => (true, true, "upsert"),
        };
        self.check_write(&remote, to, creates, updates, &node.span);
        let plan_verb = match verb {
            WriteVerb::Create => Verb::Create,
            WriteVerb::Update(by) => {
                let fields: Vec<Name> = by.iter().map(|one| one.field.clone()).collect();
                let by = self.matches(&remote, by, node.faulty);
                self.check_find(&remote, &fields);
                Verb::Update { by }
            }
            WriteVerb::Upsert(keys) => {
                Verb::Upsert { by: keys.iter().filter_map(|key| self.upsert_key(&remote, key)).collect() }
            }
        };
        let into = Into {
            fields: remote.resource.map(|resource| resource.fields.as_slice()),
            whose: remote.called.clone(),
            creates,
            both: creates && updates,
            whole: true,
        };
        let given = node.block.as_ref().map(|block| self.fields(block, &into, node)).unwrap_or_default();
        if let WriteVerb::Upsert(keys) = verb
            && !has_malformed(node.block.as_ref())
        {
            self.keys_have_values(keys, &given.lines);
        }
        self.check_deletes(&remote, &given.lines);
        self.bind(name, remote.kind().into(), false);
        let id = self.write_id(&format!("{word} {}", remote.name));
        let resource = remote.name;
        Action::Write(Write {
            id,
            name: name.text.clone(),
            verb: plan_verb,
            side: Side::Target,
            resource,
            fields: given.lines,
        })
    }

    /// `create orders`, from the second of the same on with a number.
    fn write_id(&mut self, base: &str) -> String {
        self.write_ids.push(base.to_owned());
        match self.write_ids.iter().filter(|other| *other == base).count() {
            1 => base.to_owned(),
            number => format!("{base} {number}"),
        }
    }

    fn upsert_key(&mut self, remote: &Remote<'c>, key: &KeyText) -> Option<UpsertKey> {
        match key {
            KeyText::Fields(names) => {
                for name in names {
                    self.clause_field(remote, name);
                }
                self.check_find(remote, names);
                Some(UpsertKey::Fields(names.iter().map(|name| name.text.clone()).collect()))
            }
            KeyText::Setting(name) => {
                let Some(setting) = self.plan.settings.iter().find(|setting| setting.name == name.text)
                else {
                    self.unknown_setting(&name.text, name.span.clone());
                    return None;
                };
                let declared = setting.span.clone();
                let options = match &setting.kind {
                    SettingType::Choice(options) if !setting.optional => options.clone(),
                    _ => {
                        self.report(
                            Problem::new(Code::WrongKeySetting, name.span.clone(), format!("`settings.{}` does not name a field to find by", name.text))
                                .label("not a choice of fields")
                                .also(declared, "asked for here")
                                .help("make it a choice of fields that can be found by: `setting match_by: \"email\" | \"number\" = \"email\"`"),
                        );
                        return None;
                    }
                };
                for option in options {
                    let offered = |resource: &crate::catalog::Resource| {
                        resource.find.iter().any(|set| set.len() == 1 && set.contains(&option))
                    };
                    if remote.resource.is_some_and(|resource| !offered(resource)) {
                        let sets = remote.resource.map(|resource| {
                            let single = resource.find.iter().filter(|set| set.len() == 1).flatten();
                            crate::problem::list(single.map(String::as_str), "or")
                        });
                        self.report(
                            Problem::new(
                                Code::WrongKeySetting,
                                name.span.clone(),
                                format!("`{}` cannot be found by `{option}`", remote.called),
                            )
                            .label(format!("can be `{option}`"))
                            .also(declared.clone(), "asked for here")
                            .maybe_help(
                                sets.filter(|sets| !sets.is_empty())
                                    .map(|sets| format!("it can be found by {sets}")),
                            ),
                        );
                    }
                }
                Some(UpsertKey::Setting(name.text.clone()))
            }
        }
    }

    /// What an upsert finds by gets its value in the block, always.
    fn keys_have_values(&mut self, keys: &[KeyText], lines: &[FieldLine]) {
        for key in keys {
            let names: Vec<(String, Span)> = match key {
                KeyText::Fields(names) => {
                    names.iter().map(|name| (name.text.clone(), name.span.clone())).collect()
                }
                KeyText::Setting(name) => match self
                    .plan
                    .settings
                    .iter()
                    .find(|setting| setting.name == name.text)
                    .map(|setting| &setting.kind)
                {
                    Some(SettingType::Choice(options)) => {
                        options.iter().map(|option| (option.clone(), name.span.clone())).collect()
                    }
                    _ => Vec::new(),
                },
            };
            for (name, at) in names {
                let counted = |line: &&FieldLine| line.field == name && line.on != On::Delete;
                let given: Vec<&FieldLine> = lines.iter().filter(counted).collect();
                if given.iter().any(|line| line.when.is_none() && line.on == On::Always) {
                    continue;
                }
                let problem = match given.first() {
                    None => {
                        Problem::new(Code::KeyWithoutValue, at, format!("`{name}` gets no value to find by"))
                            .label("found by this field")
                            .help(format!("give it a value in the block: `{name} = …`"))
                    }
                    Some(line) => Problem::new(
                        Code::KeyWithoutValue,
                        line.span.clone(),
                        format!("`{name}` is found by, so it always needs its value"),
                    )
                    .label("not always given")
                    .also(at, "found by this field")
                    .help("take `on create`, `on update` or `when` away from this line"),
                };
                self.report(problem);
            }
        }
    }

    pub(super) fn carries(&mut self, steps: &[Step], fetch: Option<&Fetch>) {
        let Some(fetch) = fetch else { return };
        let mut written = Vec::new();
        resources_written(steps, &mut written);
        for to in written {
            let carries = Carries { from: fetch.resource.clone(), to };
            if !self.plan.carries.contains(&carries) {
                self.plan.carries.push(carries);
            }
        }
    }
}

fn resources_written(steps: &[Step], written: &mut Vec<String>) {
    for step in steps {
        match &step.action {
            Action::Write(write) => written.push(write.resource.clone()),
            Action::Each { steps, .. } => resources_written(steps, written),
            Action::When { then, otherwise, .. } => {
                resources_written(then, written);
                resources_written(otherwise, written);
            }
            _ => {}
        }
    }
}
