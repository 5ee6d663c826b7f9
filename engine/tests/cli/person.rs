//! A person at a terminal: reads the screen, and types.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::town::Folder;

/// How long a person waits for something to appear.
const PATIENCE: Duration = Duration::from_mins(2);

/// A person who waits for a text, and types.
pub(crate) struct Person {
    pub(crate) child: Child,
    pub(crate) screen: Screen,
    /// What came and was not waited for yet.
    seen: String,
    /// The beginning of a letter whose rest has not come yet.
    part: Vec<u8>,
}

impl Person {
    /// Sits down at a terminal of their own; `None`: there is no `script` on this machine.
    pub(crate) fn at(folder: &Folder, call: &str) -> Option<Self> {
        Self::in_folder(folder.path(), call)
    }

    pub(crate) fn in_folder(folder: &std::path::Path, call: &str) -> Option<Self> {
        // Between two letters of an answer a terminal shows by itself what is typed, and nobody
        // types as fast as a test.
        Self::sits_down(folder, "stty -echo; ", call)
    }

    /// At a terminal that shows what is typed, for a program that asks nothing.
    pub(crate) fn echoed(folder: &std::path::Path, call: &str) -> Option<Self> {
        Self::sits_down(folder, "", call)
    }

    fn sits_down(folder: &std::path::Path, before: &str, call: &str) -> Option<Self> {
        // So that the name is enough, as on any machine where Weft is installed.
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_weft")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        // The shell makes room for the program: Ctrl-C would end a shell that waits for it, with
        // a status of its own.
        let line = format!("stty cols 100 rows 50; {before}exec {call}");
        let child = Command::new("script")
            .args(["-qfec", &line, "/dev/null"])
            .current_dir(folder)
            .env("PATH", path)
            .env("TERM", "xterm")
            .env("TZ", "UTC")
            .env("SHELL", "/bin/sh")
            .env_remove("COLUMNS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        Some(Self { child: child.ok()?, screen: Screen::default(), seen: String::new(), part: Vec::new() })
    }

    /// Reads on; false at the end.
    pub(crate) async fn reads(&mut self, waiting_for: &str) -> bool {
        let mut bytes = vec![0; 4096];
        let out = self.child.stdout.as_mut().unwrap();
        let read = tokio::time::timeout(PATIENCE, out.read(&mut bytes)).await;
        let length = read.unwrap_or_else(|_| panic!("`{waiting_for}` never came:\n{}", self.screen.text()));
        let length = length.unwrap();
        self.part.extend_from_slice(&bytes[..length]);
        let whole = match std::str::from_utf8(&self.part) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.part.split_off(whole);
        let text = String::from_utf8(std::mem::replace(&mut self.part, rest)).unwrap();
        self.screen.write(&text);
        self.seen.push_str(&text);
        length > 0
    }

    pub(crate) async fn until(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert!(self.reads(text).await, "it ended before `{text}`:\n{}", self.screen.text());
        }
        let at = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..at);
    }

    /// Waits until the screen is as it should be.
    pub(crate) async fn sees(&mut self, what: &str, is_so: impl Fn(&Screen) -> bool) {
        while !is_so(&self.screen) {
            assert!(self.reads(what).await, "it ended before `{what}`:\n{}", self.screen.text());
        }
    }

    pub(crate) async fn types(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).await.unwrap();
    }

    /// Waits for the texts in their order, then types.
    pub(crate) async fn answers(&mut self, texts: &[&str], keys: &str) {
        for text in texts {
            self.until(text).await;
        }
        self.types(keys).await;
    }

    /// Waits for the end.
    pub(crate) async fn leaves(&mut self) -> std::process::ExitStatus {
        while self.reads("the end").await {}
        self.child.wait().await.unwrap()
    }
}

/// What a terminal shows: lines of letters, written by texts that move about.
#[derive(Default)]
pub(crate) struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// The cursor is not seen: something is chosen from a list.
    pub(crate) hides_cursor: bool,
    /// An order of the terminal whose end has not come yet.
    order: Option<String>,
}

impl Screen {
    /// The lines without what is blank at their end.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect()
    }

    pub(crate) fn text(&self) -> String {
        self.lines().join("\n").trim_end().to_owned()
    }

    fn write(&mut self, text: &str) {
        for letter in text.chars() {
            if let Some(mut order) = self.order.take() {
                order.push(letter);
                let is_whole = order.len() > 1 && letter.is_ascii_alphabetic() || !order.starts_with('[');
                if is_whole {
                    self.obey(&order);
                } else {
                    self.order = Some(order);
                }
                continue;
            }
            match letter {
                '\u{1b}' => self.order = Some(String::new()),
                '\r' => self.column = 0,
                '\n' => self.row += 1,
                '\u{8}' => self.column = self.column.saturating_sub(1),
                letter if letter.is_control() => {}
                letter => self.put(letter),
            }
        }
    }

    fn put(&mut self, letter: char) {
        while self.lines.len() <= self.row {
            self.lines.push(Vec::new());
        }
        let line = &mut self.lines[self.row];
        while line.len() <= self.column {
            line.push(' ');
        }
        line[self.column] = letter;
        self.column += 1;
    }

    fn obey(&mut self, order: &str) {
        let Some((number, what)) =
            order.strip_prefix('[').and_then(|order| order.split_at_checked(order.len() - 1))
        else {
            return;
        };
        let many: usize = number.parse().unwrap_or(1);
        match what {
            "A" => self.row = self.row.saturating_sub(many),
            "B" => self.row += many,
            "C" => self.column += many,
            "D" => self.column = self.column.saturating_sub(many),
            "G" => self.column = many - 1,
            "K" => {
                let all = number == "2";
                let from = if all { 0 } else { self.column };
                if let Some(line) = self.lines.get_mut(self.row) {
                    line.truncate(from);
                }
            }
            "J" => {
                self.lines.truncate(self.row + 1);
                if let Some(line) = self.lines.get_mut(self.row) {
                    line.truncate(self.column);
                }
            }
            "l" if number == "?25" => self.hides_cursor = true,
            "h" if number == "?25" => self.hides_cursor = false,
            _ => {}
        }
    }
}

#[test]
fn a_screen_shows_what_is_left_in_the_end() {
    let mut screen = Screen::default();
    screen.write("? a\r\n  one\r\n\u{1b}[32m  tw");
    screen.write("o\u{1b}[0m\r\n\u{1b}[2A\r\u{1b}[2Ktwo\u{1b}[1B\r\u{1b}[2K\u{1b}[?25l");
    assert_eq!(screen.text(), "? a\ntwo");
    assert!(screen.hides_cursor);
}
