//! When the flow runs: `every`, `at`, `on webhook`, and the policies.

use super::{Checker, repeated};
use crate::ast::{File, Kind as Line, Name, Text};
use crate::cron::Cron;
use crate::plan::{Side, Span, Trigger};
use crate::problem::{Code, Problem, closest, did_you_mean};

impl Checker<'_> {
    pub(super) fn triggers(&mut self, file: &File) {
        let mut every: Option<Span> = None;
        let mut policies: [Option<Span>; 3] = [None, None, None];
        for node in &file.nodes {
            let policy = match &node.kind {
                Line::Every(duration) => {
                    match &every {
                        Some(first) => self.report(repeated("`every`", &first.clone(), &node.span)),
                        None => every = Some(node.span.clone()),
                    }
                    self.plan.triggers.extend(duration.map(Trigger::Every));
                    continue;
                }
                Line::At(cron, zone) => {
                    self.at(cron, zone);
                    continue;
                }
                Line::Webhook(role, event) => {
                    self.webhook(role, event);
                    continue;
                }
                Line::Overlapping(policy) => {
                    self.plan.overlapping = *policy;
                    (0, "`overlapping runs`")
                }
                Line::Missed(policy) => {
                    self.plan.missed = *policy;
                    (1, "`missed runs`")
                }
                Line::Apart(duration) => {
                    self.plan.apart = *duration;
                    (2, "`at least … apart`")
                }
                _ => continue,
            };
            let (which, what) = policy;
            if let Some(slot) = policies.get_mut(which) {
                match slot {
                    Some(first) => {
                        let first = first.clone();
                        self.report(repeated(what, &first, &node.span));
                    }
                    None => *slot = Some(node.span.clone()),
                }
            }
        }
    }

    fn at(&mut self, cron: &Text, zone: &Text) {
        if let Err(why) = Cron::parse(&cron.value) {
            self.report(
                Problem::new(Code::WrongCron, cron.span.clone(), why)
                    .label("minute, hour, day of month, month, day of week")
                    .help("`\"30 6 * * 1-5\"` is half past six from Monday to Friday; `\"0 * * * *\"` is every full hour"),
            );
        }
        if let Err(help) = check_zone(&zone.value) {
            self.report(
                Problem::new(Code::WrongZone, zone.span.clone(), format!("`{}` is no time zone", zone.value))
                    .label("expected a name such as `Europe/Amsterdam`")
                    .help(help),
            );
        }
        self.plan.triggers.push(Trigger::At { cron: cron.value.clone(), zone: zone.value.clone() });
    }

    fn webhook(&mut self, role: &Name, event: &Text) {
        let Some(side) = self.side(role) else { return };
        if let Some(system) = self.system(side)
            && !system.events.contains(&event.value)
        {
            let events = system.events.iter().map(String::as_str);
            let help = did_you_mean(&event.value, events, "its events are")
                .unwrap_or_else(|| format!("`{}` sends no webhooks; use `every 5 minutes`", system.name));
            let message = format!("`{}` sends no event `{}`", system.name, event.value);
            self.report(
                Problem::new(Code::UnknownEvent, event.span.clone(), message)
                    .label("not an event of this system")
                    .help(help),
            );
        }
        self.plan.triggers.push(Trigger::Webhook { side, event: event.value.clone() });
    }

    /// The side that a name stands for.
    pub(super) fn side(&mut self, role: &Name) -> Option<Side> {
        if role.text == self.plan.source.name {
            return Some(Side::Source);
        }
        if role.text == self.plan.target.name {
            return Some(Side::Target);
        }
        let (source, target) = (&self.plan.source, &self.plan.target);
        if source.name.is_empty() || target.name.is_empty() {
            // Its line is missing or could not be read; that has been said.
            return None;
        }
        let named = [(source, "source"), (target, "target")];
        let help = if let Some((found, word)) =
            named.iter().find(|(found, word)| found.system == role.text || *word == role.text)
        {
            format!("steps call the {word} by the name that the head gives it: `{}`", found.name)
        } else if let Some(meant) = closest(&role.text, [source.name.as_str(), target.name.as_str()]) {
            format!("did you mean `{meant}`?")
        } else {
            format!("the source is called `{}`, the target `{}`", source.name, target.name)
        };
        self.report(
            Problem::new(
                Code::UnknownRole,
                role.span.clone(),
                format!("neither `source` nor `target` is called `{}`", role.text),
            )
            .label("not a side of this flow")
            .help(help),
        );
        None
    }
}

const AREAS: &[&str] = &[
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
    "Etc",
];

fn check_zone(zone: &str) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/');
    if zone == "UTC" {
        return Ok(());
    }
    let Some((area, place)) = zone.split_once('/') else {
        let help = match zone.to_uppercase().as_str() {
            "CET" | "CEST" | "MET" | "GMT+1" | "UTC+1" | "+01:00" => {
                "write the place, so that summer time is kept: `\"Europe/Amsterdam\"`".to_owned()
            }
            "GMT" | "Z" => "write `\"UTC\"`".to_owned(),
            _ => {
                let mut letters = zone.chars().filter(|c| c.is_alphabetic());
                let city = letters.next().map_or_else(
                    || "Amsterdam".to_owned(),
                    |first| first.to_uppercase().chain(letters).collect(),
                );
                format!("write area and city: `\"Europe/{city}\"`")
            }
        };
        return Err(help);
    };
    if !AREAS.contains(&area) {
        return Err(closest(area, AREAS.iter().copied()).map_or_else(
            || "areas are `Europe`, `America`, `Asia` and so on".to_owned(),
            |area| format!("did you mean `{area}/{place}`?"),
        ));
    }
    let capital = place.starts_with(|c: char| c.is_ascii_uppercase());
    if place.is_empty() || !capital || !place.chars().all(fine) {
        return Err(
            "a place is written with a capital letter, and `_` for a blank: `America/New_York`".to_owned()
        );
    }
    Ok(())
}
