//! A page of the guides, played: what stands there as typed is typed, and what stands there as seen
//! has to be seen. `UPDATE_DOCS=1` writes down what is seen.
//!
//! A block of `console` is a terminal; `terminal=NAME` one that stays open, in which later blocks
//! go on: an empty first line is Enter, `^C` is Ctrl-C. `file=NAME` is a file that is written, and
//! a `diff` with it one that is changed; `in=NAME` shows lines that the file has by then. What ends with `…` is as seen up to there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::connect::{get, sent_to};
use super::person::{Person, Screen};
use super::town::Folder;

const DOWN: &str = "\u{1b}[B";

/// The day of the page. The world of the stand-ins is the same on every other day.
const TODAY: &str = "2026-11-22T12:00:00Z";

/// A page, part by part: what stands behind a fence, and what stands within; or text.
enum Part {
    Text(String),
    Block(String, Vec<String>),
}

fn parts(page: &str) -> Vec<Part> {
    let mut parts = vec![Part::Text(String::new())];
    let mut block: Option<(String, Vec<String>)> = None;
    for line in page.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(head)) => block = Some((head.to_owned(), Vec::new())),
            (Some(_), Some(_)) => {
                let (head, body) = block.take().unwrap();
                parts.extend([Part::Block(head, body), Part::Text(String::new())]);
            }
            (Some((_, body)), None) => body.push(line.to_owned()),
            (None, None) => {
                if let Some(Part::Text(text)) = parts.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    parts
}

/// Somebody who follows a page.
pub(crate) struct Reader {
    page: PathBuf,
    home: Folder,
    /// Where the reader is.
    folder: PathBuf,
    /// What the page has, and what this machine has of today in its place: ports and the like.
    today: Vec<(String, String)>,
    /// What a file has besides what the page shows of it.
    besides: BTreeMap<String, String>,
    /// What is done where something is asked.
    answers: Vec<(String, Answer)>,
    /// Terminals that stay open, and the lines of them that were read.
    open: BTreeMap<String, (Person, usize)>,
    /// Settings that a stand-in has named, to be typed where they are asked.
    named: BTreeMap<String, String>,
}

/// What a reader does at a question, besides what the page has.
#[derive(Clone)]
enum Answer {
    Types(String),
    Hides(String),
    /// Opens the address above it in a browser, and lets Weft in.
    LetsIn,
}

impl Reader {
    /// At a page of the guides, with nothing at hand; `None`: nobody can sit at a terminal here.
    pub(crate) fn at(page: &str) -> Option<Self> {
        let home = Folder::new();
        if Person::at(&home, "true").is_none() {
            eprintln!("not played: there is no program `script` on this machine");
            return None;
        }
        Some(Self {
            page: Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page),
            folder: home.path().to_owned(),
            home,
            today: Vec::new(),
            besides: BTreeMap::new(),
            answers: Vec::new(),
            open: BTreeMap::new(),
            named: BTreeMap::new(),
        })
    }

    /// The folder in which the page is followed.
    pub(crate) const fn home(&self) -> &Folder {
        &self.home
    }

    /// Follows the page in that folder.
    pub(crate) fn moves(&mut self, home: Folder) {
        home.path().clone_into(&mut self.folder);
        self.home = home;
    }

    /// A file of the page has more than the page shows.
    pub(crate) fn adds(&mut self, file: &str, text: &str) {
        self.besides.insert(file.to_owned(), text.to_owned());
    }

    /// What the page writes stands for something else today.
    pub(crate) fn has(&mut self, page: &str, today: &str) {
        self.today.push((page.to_owned(), today.to_owned()));
    }

    /// Types that where the screen ends so.
    pub(crate) fn types(&mut self, asked: &str, keys: &str) {
        self.answers.push((asked.to_owned(), Answer::Types(keys.to_owned())));
    }

    /// Types a secret, which nobody sees, where the screen ends so.
    pub(crate) fn hides(&mut self, asked: &str, keys: &str) {
        self.answers.push((asked.to_owned(), Answer::Hides(keys.to_owned())));
    }

    /// Opens the address that is shown in a browser, once the screen ends so.
    pub(crate) fn lets_in(&mut self, asked: &str) {
        self.answers.push((asked.to_owned(), Answer::LetsIn));
    }

    /// The text of a block that makes a file.
    pub(crate) fn file(&self, name: &str) -> String {
        let head = format!("file={name}");
        let found = parts(&self.written()).into_iter().find_map(|part| match part {
            Part::Block(fence, body) if fence.ends_with(&head) => Some(body.join("\n") + "\n"),
            _ => None,
        });
        self.whole(name, &found.unwrap_or_else(|| panic!("the page has no {name}")))
    }

    /// A file of the page as it is written down today.
    fn whole(&self, name: &str, text: &str) -> String {
        self.typed(text) + self.besides.get(name).map_or("", String::as_str)
    }

    fn written(&self) -> String {
        std::fs::read_to_string(&self.page).unwrap()
    }

    /// Follows the page from its first line to its last.
    pub(crate) async fn plays(mut self) {
        let written = self.written();
        let mut came = String::new();
        for part in parts(&written) {
            match part {
                Part::Text(text) => came.push_str(&text),
                Part::Block(head, body) => {
                    let body = self.block(&head, body).await;
                    writeln!(came, "```{head}\n{}\n```", body.join("\n")).unwrap();
                }
            }
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&self.page, came).unwrap();
            return;
        }
        let diff = similar::TextDiff::from_lines(&written, &came);
        let diff = diff.unified_diff().context_radius(2).to_string();
        assert!(written == came, "{}: UPDATE_DOCS=1 writes what is seen:\n{diff}", self.page.display());
    }

    /// As the machine of today has it.
    fn typed(&self, text: &str) -> String {
        let pairs: Vec<_> = self.today.iter().map(|(page, today)| (page.as_str(), today.as_str())).collect();
        replaced(text, &pairs)
    }

    /// As the page has it.
    fn seen(&self, text: &str) -> String {
        let pairs: Vec<_> = self.today.iter().map(|(page, today)| (today.as_str(), page.as_str())).collect();
        replaced(text, &pairs)
    }

    /// Does what a block says; gives it as it is seen.
    async fn block(&mut self, head: &str, body: Vec<String>) -> Vec<String> {
        let word = |name: &str| head.split(' ').find_map(|word| word.strip_prefix(name)).map(str::to_owned);
        match (head.split(' ').next(), word("file="), word("terminal=")) {
            (Some("diff"), Some(name), _) => self.change(&name, &body),
            (_, Some(name), _) => {
                let path = self.folder.join(&name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, self.whole(&name, &(body.join("\n") + "\n"))).unwrap();
            }
            _ if head.contains(" in=") => {
                let file = std::fs::read_to_string(self.folder.join(word("in=").unwrap())).unwrap();
                let shown = body.join("\n");
                assert!(file.contains(&shown), "the file has not:\n{shown}\nbut:\n{file}");
            }
            (Some("console"), _, _) if head.contains(" from=") => is_from(&word("from=").unwrap(), &body),
            (Some("console"), _, Some(terminal)) => return self.stays(terminal, body, head).await,
            (Some("console"), _, None) => return self.console(body).await,
            _ => {}
        }
        body
    }

    fn change(&self, name: &str, lines: &[String]) {
        let of = |mark: char| {
            let lines = lines.iter().filter_map(move |line| line.strip_prefix(mark));
            lines.collect::<Vec<_>>().join("\n")
        };
        let path = self.folder.join(name);
        let before = std::fs::read_to_string(&path).unwrap();
        assert_eq!(before.matches(&of('-')).count(), 1, "{name}: {}", of('-'));
        std::fs::write(&path, before.replace(&of('-'), &of('+'))).unwrap();
    }

    /// Commands, each with what is seen of it.
    async fn console(&mut self, body: Vec<String>) -> Vec<String> {
        let mut came = Vec::new();
        for lines in body.chunk_by(|_, line| !line.starts_with("$ ")) {
            let call = lines[0].strip_prefix("$ ").unwrap_or_else(|| panic!("no command: {}", lines[0]));
            came.push(lines[0].clone());
            if let Some(folder) = call.strip_prefix("cd ") {
                self.folder = self.folder.join(folder);
                continue;
            }
            if let Some(address) = call.strip_prefix("curl ") {
                let answer = get(&self.typed(address)).await;
                let (_, answer) = answer.split_once("\r\n\r\n").unwrap();
                came.extend(settled(
                    &lines[1..],
                    self.seen(answer).lines().map(str::to_owned).collect(),
                    false,
                ));
                continue;
            }
            let is_hidden = |line: &String| {
                let mut hidden = self.answers.iter().filter(|(_, answer)| matches!(answer, Answer::Hides(_)));
                hidden.any(|(asked, _)| line == asked)
            };
            let is_asked = |line: &String| line.starts_with("✔ ") || is_hidden(line);
            let sits = if lines[1..].iter().any(is_asked) { Person::in_folder } else { Person::echoed };
            let mut person = sits(&self.folder, &self.typed(call)).unwrap();
            for line in &lines[1..] {
                let Some(answered) = line.strip_prefix("✔ ") else { continue };
                let (question, answer) = answered.rsplit_once(" · ").unwrap();
                self.answer(&mut person, question, &self.typed(answer)).await;
            }
            self.until_the_end(&mut person).await;
            let text = self.seen(&person.screen.text());
            came.extend(settled(&lines[1..], text.lines().map(str::to_owned).collect(), false));
        }
        came
    }

    /// Waits for the end, and answers what is asked until then.
    async fn until_the_end(&self, person: &mut Person) {
        let mut left = self.answers.clone();
        while person.reads("the end").await {
            let text = person.screen.text();
            let Some(at) = left.iter().position(|(asked, _)| text.ends_with(asked)) else { continue };
            match left.remove(at).1 {
                Answer::Types(keys) | Answer::Hides(keys) => person.types(&keys).await,
                Answer::LetsIn => {
                    let address = text.lines().find(|line| line.trim_start().starts_with("http"));
                    get(&sent_to(address.unwrap().trim()).await).await;
                }
            }
        }
        person.child.wait().await.unwrap();
    }

    /// Answers one question of `weft init`.
    async fn answer(&self, person: &mut Person, question: &str, answer: &str) {
        let answered = |screen: &Screen| {
            let begin = format!("✔ {question} · ");
            screen.lines().iter().filter(|line| line.starts_with(&begin)).count()
        };
        let before = answered(&person.screen);
        if answer == "is not shown" {
            let prompt = format!("{question} (is not shown):");
            person.sees(question, |screen| screen.lines().contains(&prompt)).await;
            person.types(&format!("{}\r", self.named[question])).await;
        } else {
            person.sees(question, |screen| asked(screen).is_some()).await;
            let (prompt, items) = asked(&person.screen).unwrap();
            assert!(
                prompt.starts_with(&format!("? {question}")),
                "the page has `{question}`, asked is: {prompt}"
            );
            let keys = if prompt.contains("(y/n)") {
                answer.chars().take(1).collect()
            } else if person.screen.hides_cursor {
                let wanted: Vec<&str> = answer.split(", ").collect();
                let is_one = |item: &String, wanted: &str| {
                    let text = item.trim_start_matches(['❯', '⬚', '✔', ' ']);
                    text == wanted || text.starts_with(&format!("{wanted}  "))
                };
                let has =
                    |items: &[String]| wanted.iter().all(|one| items.iter().any(|item| is_one(item, one)));
                person.sees(answer, |screen| asked(screen).is_some_and(|(_, items)| has(&items))).await;
                let (_, items) = asked(&person.screen).unwrap_or((prompt.clone(), items));
                let many = items.iter().any(|item| item.starts_with(['⬚', '✔']));
                let chosen = items.iter().map(|item| wanted.iter().any(|one| is_one(item, one)));
                let last = chosen.clone().rposition(|one| one).unwrap();
                chosen
                    .take(last + 1)
                    .map(|one| if one && many { format!(" {DOWN}") } else { DOWN.to_owned() })
                    .collect::<String>()
                    .strip_suffix(DOWN)
                    .unwrap()
                    .to_owned()
                    + "\r"
            } else {
                format!("{answer}\r")
            };
            person.types(&keys).await;
        }
        person.sees(&format!("✔ {question}"), |screen| answered(screen) > before).await;
    }

    /// A terminal that stays open.
    async fn stays(&mut self, name: String, body: Vec<String>, head: &str) -> Vec<String> {
        let mut lines = body.as_slice();
        let mut came = Vec::new();
        if let Some(call) = lines[0].strip_prefix("$ ") {
            let today = if call.contains("simulate") { format!(" --today {TODAY}") } else { String::new() };
            let person = Person::echoed(&self.folder, &format!("{}{today}", self.typed(call))).unwrap();
            self.open.insert(name.clone(), (person, 0));
            came.push(lines[0].clone());
            lines = &lines[1..];
        }
        let (mut person, read) = self.open.remove(&name).unwrap();
        if lines[0].is_empty() {
            person.types("\r").await;
        }
        let before = lines.iter().position(|line| line.starts_with("^C"));
        let stops = before.is_some();
        // In whichever order they come.
        for line in &lines[..before.unwrap_or(lines.len())] {
            let line = normal(line);
            let is_there =
                |screen: &Screen| screen.lines().iter().skip(read).any(|one| normal(&self.seen(one)) == line);
            person.sees(&line, is_there).await;
        }
        if stops {
            person.types("\u{3}").await;
            person.leaves().await;
        }
        let now: Vec<String> = person.screen.lines().iter().skip(read).map(|line| self.seen(line)).collect();
        for line in &now {
            if let Some((name, value)) = line.trim().split_once("  ") {
                self.named.insert(name.to_owned(), self.typed(value.trim()));
            }
        }
        if !stops {
            self.open.insert(name, (person, read + now.len()));
        }
        came.extend(settled(lines, now, head.ends_with(" unordered")));
        came
    }
}

/// What is shown shortened stands on a page that is played; `…` stands for lines that are left out.
fn is_from(page: &str, shown: &[String]) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let page = std::fs::read_to_string(page).unwrap();
    let mut rest = page.as_str();
    for lines in shown.split(|line| line == "…") {
        let lines = format!("\n{}\n", lines.join("\n"));
        let found = rest.split_once(&lines);
        (_, rest) = found.unwrap_or_else(|| panic!("the page that is played has not:{lines}"));
    }
}

/// The question that waits for an answer, and what can be chosen.
fn asked(screen: &Screen) -> Option<(String, Vec<String>)> {
    let lines = screen.lines();
    let at = lines.iter().rposition(|line| line.starts_with("? ") && line.contains('›'))?;
    Some((lines[at].clone(), lines[at + 1..].to_vec()))
}

/// What the page has, where that is what was seen but for times and the like; else what was seen.
fn settled(page: &[String], seen: Vec<String>, unordered: bool) -> Vec<String> {
    let normal = |lines: &[String]| {
        let mut lines: Vec<String> = lines.iter().map(|line| normal(line)).collect();
        if unordered {
            lines.sort();
        }
        lines
    };
    let (mut shown, came) = (normal(page), normal(&seen));
    if !unordered {
        for (line, came) in shown.iter_mut().zip(&came) {
            let is_cut = line.strip_suffix('…').is_some_and(|begin| came.starts_with(begin.trim_end()));
            if is_cut {
                line.clone_from(came);
            }
        }
    }
    if shown == came { page.to_vec() } else { seen }
}

/// With the first of each pair replaced by the second, in one go.
fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    let (mut made, mut rest) = (String::new(), text);
    while let Some(letter) = rest.chars().next() {
        let mut found = pairs.iter().filter_map(|(old, new)| Some((rest.strip_prefix(old)?, new)));
        if let Some((after, new)) = found.next() {
            made.push_str(new);
            rest = after;
        } else {
            made.push(letter);
            rest = rest.strip_prefix(letter).unwrap_or_default();
        }
    }
    made
}

/// A line without what differs from one day to the next: moments, how long it took, and numbers
/// that the systems give.
fn normal(line: &str) -> String {
    const GIVEN: [&str; 5] =
        ["relations", "relation_number:", "products", "categories", "product_categories"];
    let indent = line.len() - line.trim_start().len();
    let line = line.strip_prefix("^C").unwrap_or(line);
    // The first product of a brand makes the brand as well; which one is first is chance.
    let line = if line.to_lowercase().contains("the system answered 20") { "answered" } else { line };
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut text = " ".repeat(indent);
    for (at, word) in words.iter().enumerate() {
        let core = word.trim_matches(|letter: char| "\"():;,.‹›".contains(letter));
        let shape: String = core.chars().map(|one| if one.is_ascii_hexdigit() { '9' } else { one }).collect();
        let is_number = !core.is_empty() && core.chars().all(|one| one.is_ascii_digit());
        let follows = at > 0 && GIVEN.contains(&words[at - 1]);
        let normal = match shape.as_str() {
            "9999-99-99" | "99:99:99" | "99999999-9999-9999-9999-999999999999" => "…",
            _ if ["took_ms=", "run=", "under_way="].iter().any(|name| word.starts_with(name)) => "…",
            _ if shape.starts_with("9999-99-99T99:99:99") => "…",
            _ if words.get(at + 1).is_some_and(|next| next.trim_end_matches(['.', ':']) == "s") => "…",
            // The daemon, and where it runs.
            _ if at > 0 && words[at - 1] == "process" => "…",
            _ if at > 2 && words[at - 3] == "process" => "…",
            _ if is_number && (follows || core.len() == 4 && core.starts_with('1')) => "…",
            _ => word,
        };
        text.push_str(normal);
        text.push(' ');
    }
    text.trim_end().to_owned()
}

/// Two ports, one after the other, that nobody has.
pub(crate) fn free_ports() -> [u16; 2] {
    let free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port));
    loop {
        let first = free(0).unwrap();
        let port = first.local_addr().unwrap().port();
        if port < u16::MAX && free(port + 1).is_ok() {
            return [port, port + 1];
        }
    }
}

#[test]
fn what_differs_from_day_to_day_is_left_out() {
    let one = normal("  On 2026-11-22 11:20:34 a run took 0.4 s: products 1133 (1406), \"id\": \"1091\"");
    let other = normal("  On 2027-01-02 01:02:03 a run took 11.0 s: products 12 (1500), \"id\": \"1234\"");
    assert_eq!(one, other);
    assert_ne!(normal("2026-1003  refused: 3 of 4"), normal("2026-1003  refused: 2 of 4"));
    assert_ne!(normal("price: 20.39"), normal("price: 20.40"));
}
