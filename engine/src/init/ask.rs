//! Who answers the questions of `weft init`: what was given beforehand, then a person at a
//! terminal; where there is neither, the command says what is missing and how to give it.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dialoguer::console::{Term, style, truncate_str};
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Input, MultiSelect, Select};
use futures::FutureExt as _;
use zeroize::Zeroizing;

use super::given::shown;
use crate::cli::Show;
use crate::trouble::Trouble;

/// How long a question has to say that it was stopped.
const MOMENT: Duration = Duration::from_millis(500);

/// Lines of a list that are shown at once.
const SHOWN: usize = 15;

/// Somebody to ask.
pub(super) struct Asker {
    terminal: bool,
    theme: ColorfulTheme,
    /// A question is open, and says itself that it was stopped.
    open: Arc<AtomicBool>,
}

/// A value that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) value: String,
    /// What it means, for people.
    pub(super) about: String,
}

impl Choice {
    fn shown(&self) -> String {
        if self.about.is_empty() { self.value.clone() } else { format!("{}  {}", self.value, self.about) }
    }
}

impl Asker {
    pub(super) fn new(asks: bool) -> Self {
        let terminal = asks && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let open = Arc::new(AtomicBool::new(false));
        if terminal {
            let open = Arc::clone(&open);
            let mut stop = Box::pin(tokio::signal::ctrl_c());
            // Asked once here, so that it is heeded before the first question is seen.
            let now = (&mut stop).now_or_never();
            tokio::spawn(async move {
                let stop = match now {
                    Some(stop) => stop,
                    None => stop.await,
                };
                if stop.is_ok() {
                    if !open.load(Ordering::Relaxed) {
                        std::process::exit(130);
                    }
                    // The question says so itself, unless the key came just before it was asked.
                    tokio::time::sleep(MOMENT).await;
                    let _ = Term::stderr().show_cursor();
                    let interrupted = std::io::Error::from(std::io::ErrorKind::Interrupted);
                    let trouble = stopped(&interrupted.into());
                    Show::new(false).trouble(&trouble);
                    std::process::exit(i32::from(trouble.exit_code()));
                }
            });
        }
        Self { terminal, theme: ColorfulTheme::default(), open }
    }

    /// Asks. Whoever stops here finds the terminal as it was: the cursor is seen again.
    fn ask<T>(&self, question: impl FnOnce() -> dialoguer::Result<T>) -> Result<T, Trouble> {
        self.open.store(true, Ordering::Relaxed);
        let answer = question().map_err(|error| {
            let _ = Term::stderr().show_cursor();
            stopped(&error)
        })?;
        self.open.store(false, Ordering::Relaxed);
        Ok(answer)
    }

    /// A secret, which is not shown; empty means none where that is allowed.
    pub(super) fn secret(&self, name: &str, may_be_empty: bool) -> Result<Zeroizing<String>, Trouble> {
        loop {
            self.open.store(true, Ordering::Relaxed);
            let typed = rpassword::prompt_password(format!("{name} (is not shown): "));
            let typed = Zeroizing::new(typed.map_err(|error| stopped(&error.into()))?);
            self.open.store(false, Ordering::Relaxed);
            // The question becomes what was answered, as with all others.
            let _ = Term::stderr().clear_last_lines(1);
            if !typed.is_empty() || may_be_empty {
                eprintln!("{} {name} · is not shown", style("✔").green());
                return Ok(typed);
            }
        }
    }

    /// There is somebody.
    pub(super) const fn is_there(&self) -> bool {
        self.terminal
    }

    /// Says what has no answer where nobody can be asked.
    fn needs(&self, question: &str, how: &str) -> Result<(), Trouble> {
        if self.terminal {
            return Ok(());
        }
        let message = format!("nobody is there to answer: {question}");
        Err(Trouble::new("R130", message).help(format!("{how}; what was answered before is kept")))
    }

    /// One of several.
    pub(super) fn choose(&self, question: &str, choices: &[String], how: &str) -> Result<usize, Trouble> {
        self.needs(question, how)?;
        let items = on_a_line(choices, width());
        let select = Select::with_theme(&self.theme).with_prompt(question).items(&items).default(0);
        self.ask(|| select.max_length(SHOWN).interact())
    }

    /// Any number of several.
    pub(super) fn several(
        &self,
        question: &str,
        choices: &[String],
        chosen: &[bool],
        how: &str,
    ) -> Result<Vec<usize>, Trouble> {
        self.needs(question, how)?;
        let select = MultiSelect::with_theme(&self.theme)
            .with_prompt(format!("{question} (space chooses, Enter goes on)"))
            .items(on_a_line(choices, width()))
            .defaults(chosen)
            .max_length(SHOWN)
            .report(false);
        let chosen = self.ask(|| select.interact())?;
        let names = chosen.iter().filter_map(|at| choices.get(*at)?.split("  ").next());
        let names = names.map(str::trim).collect::<Vec<_>>().join(", ");
        eprintln!("{} {question} · {}", style("✔").green(), if names.is_empty() { "none" } else { &names });
        Ok(chosen)
    }

    /// Yes or no; the standard where nobody is there.
    pub(super) fn yes(&self, question: &str, standard: bool) -> Result<bool, Trouble> {
        if !self.terminal {
            return Ok(standard);
        }
        let confirm = Confirm::with_theme(&self.theme).with_prompt(question).default(standard);
        self.ask(|| confirm.interact())
    }

    /// A text that `fits`; empty means nothing where that is allowed.
    pub(super) fn text(
        &self,
        question: &str,
        standard: Option<&str>,
        may_be_empty: bool,
        how: &str,
        fits: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, Trouble> {
        self.needs(question, how)?;
        let mut input = Input::<String>::with_theme(&self.theme)
            .with_prompt(question)
            .allow_empty(may_be_empty)
            .validate_with(|text: &String| if text.is_empty() && may_be_empty { Ok(()) } else { fits(text) });
        if let Some(standard) = standard.filter(|standard| !standard.is_empty()) {
            input = input.default(standard.to_owned());
        }
        self.ask(|| input.interact_text()).map(|text| text.trim().to_owned())
    }

    /// One of the values that a system has, or one that is typed; `None`: none.
    pub(super) fn one_of(
        &self,
        question: &str,
        choices: &[Choice],
        now: Option<&str>,
        may_be_empty: bool,
        how: &str,
    ) -> Result<Option<String>, Trouble> {
        self.needs(question, how)?;
        let mut items: Vec<String> = choices.iter().map(Choice::shown).collect();
        items.push("another one …".to_owned());
        if may_be_empty {
            items.push("none".to_owned());
        }
        let at = choices.iter().position(|choice| Some(choice.value.as_str()) == now);
        let standard = at.unwrap_or(if may_be_empty && now.is_none() { items.len() - 1 } else { 0 });
        let items = on_a_line(&items, width());
        let select = Select::with_theme(&self.theme).with_prompt(question).items(&items).default(standard);
        let chosen = self.ask(|| select.max_length(SHOWN).interact())?;
        match choices.get(chosen) {
            Some(choice) => Ok(Some(choice.value.clone())),
            None if chosen == choices.len() => {
                self.text(question, now, may_be_empty, how, |_| Ok(())).map(|text| shown(&text))
            }
            None => Ok(None),
        }
    }
}

/// Columns of the terminal.
fn width() -> usize {
    usize::from(Term::stderr().size().1)
}

/// Words with commas between, in lines that fit the terminal.
pub(super) fn listed(head: &str, words: &[&str]) -> String {
    in_lines(head, words, width())
}

fn in_lines(head: &str, words: &[&str], width: usize) -> String {
    let (mut text, mut used) = (head.to_owned(), head.chars().count());
    for (at, word) in words.iter().enumerate() {
        let word = format!("{word}{}", if at + 1 == words.len() { "" } else { "," });
        let length = word.chars().count() + 1;
        if used + length > width.max(20) {
            text.push_str("\n   ");
            used = 3;
        }
        text.push(' ');
        text.push_str(&word);
        used += length;
    }
    text
}

/// What stands before a choice.
const MARK: usize = 4;

/// Choices that fit: what goes on in the next line is left behind when the list moves.
fn on_a_line(choices: &[String], width: usize) -> Vec<String> {
    let room = width.saturating_sub(MARK).max(20);
    choices.iter().map(|choice| truncate_str(choice, room, "…").into_owned()).collect()
}

fn stopped(error: &dialoguer::Error) -> Trouble {
    let dialoguer::Error::IO(error) = error;
    // What follows does not stand in the line of the question.
    eprintln!();
    let why = match error.kind() {
        std::io::ErrorKind::Interrupted => String::new(),
        _ => format!(": {}", crate::trouble::why(error)),
    };
    Trouble::new("R131", format!("stopped while a question was asked{why}"))
        .help("what was answered before is kept; the same call goes on from here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_broken_between_words() {
        let words = ["accept", "language", "package_id", "reads_per_minute"];
        let expected = "Others: accept, language,\n    package_id,\n    reads_per_minute";
        assert_eq!(in_lines("Others:", &words, 26), expected);
        assert_eq!(in_lines("Others:", &words[..2], 80), "Others: accept, language");
    }

    #[test]
    fn a_choice_keeps_to_its_line() {
        let choices = ["stock  The shop shows the stock of the till".to_owned(), "orders".to_owned()];
        assert_eq!(on_a_line(&choices, 30), ["stock  The shop shows the…", "orders"]);
        assert_eq!(on_a_line(&choices, 80), choices);
    }
}
