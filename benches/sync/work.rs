//! What is measured, in which order, and the table that comes of it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::gauge::{Cost, cost_of};

/// The two systems, in a process of their own.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let own = std::env::current_exe().unwrap();
        let mut child = Command::new(own).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { child, address: format!("http://127.0.0.1:{}", port.trim()) }
    }

    /// Asks for something, by the plainest of clients.
    fn control(&self, what: &str) -> Value {
        use std::io::{Read as _, Write as _};
        let host = self.address.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        write!(stream, "GET /control/{what} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    fn reset(&self, orders: u64, delay: u64) {
        self.control(&format!("reset?orders={orders}&delay={delay}"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, with a reason on the screen.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A project of the program, with an empty store.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(address: &str, flow: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("systems/shop.toml", include_str!("project/systems/shop.toml"));
        put("systems/till.toml", include_str!("project/systems/till.toml"));
        let text = match flow {
            "orders" => include_str!("project/orders.flow"),
            "stream" => include_str!("project/stream.flow"),
            "reread" => include_str!("project/reread.flow"),
            other => panic!("no flow {other}"),
        };
        put("flow.flow", text);
        let main = format!(
            "[connections.shop]\nsystem = \"bench_shop\"\naddress = \"{address}\"\n\n[connections.till]\nsystem = \"bench_till\"\naddress = \"{address}\"\n\n[flows.flow]\nfile = \"flow.flow\"\n"
        );
        put("weft.toml", &main);
        Self { folder }
    }

    fn run(&self) -> Cost {
        let weft = weft().display().to_string();
        let folder = self.folder.path().display().to_string();
        cost_of(&[weft, "--project".to_owned(), folder, "run".to_owned()])
    }

    /// Bytes of the store on the disk.
    fn store(&self) -> u64 {
        let files = std::fs::read_dir(self.folder.path().join(".weft")).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    }
}

/// The program, built with the same profile as this one.
fn weft() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().and_then(Path::parent).unwrap().join("weft");
    assert!(path.exists(), "{} is not there: build it with the same profile first", path.display());
    path
}

fn by_hand(server: &Server, way: &str) -> Cost {
    let own = std::env::current_exe().unwrap().display().to_string();
    cost_of(&[own, way.to_owned(), server.address.clone()])
}

/// What the books say, without what differs from run to run.
fn outcome(books: &Value) -> String {
    format!(
        "{} orders ({}), {} customers ({}), {} doubled",
        books["orders"], books["orders_sum"], books["customers"], books["customers_sum"], books["doubled"]
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Both programs in turn; their costs, round by round.
struct Pair {
    hand: Vec<Cost>,
    ours: Vec<Cost>,
    again: Vec<Cost>,
    store: u64,
    books: [Value; 2],
}

impl Pair {
    fn measure(server: &Server, flow: &str, orders: u64, delay: u64, rounds: usize) -> Self {
        let way = if flow == "stream" { "hand-stream" } else { "hand" };
        let mut pair = Self {
            hand: Vec::new(),
            ours: Vec::new(),
            again: Vec::new(),
            store: 0,
            books: Default::default(),
        };
        for _ in 0..rounds {
            server.reset(orders, delay);
            pair.hand.push(by_hand(server, way));
            pair.books[0] = server.control("books");
            server.reset(orders, delay);
            let project = Project::new(&server.address, flow);
            pair.ours.push(project.run());
            pair.books[1] = server.control("books");
            pair.store = project.store();
            let (hand, ours) = (outcome(&pair.books[0]), outcome(&pair.books[1]));
            assert_eq!(hand, ours, "both make the same books");
            pair.again.push(project.run());
            assert_eq!(outcome(&server.control("books")), ours, "the second run writes nothing");
        }
        pair
    }

    /// The median of what a round gives.
    fn ratio(&self, of: impl Fn(&Cost) -> f64) -> f64 {
        median(self.ours.iter().zip(&self.hand).map(|(ours, hand)| of(ours) / of(hand)).collect())
    }

    fn again(&self, of: impl Fn(&Cost) -> f64) -> f64 {
        median(self.again.iter().zip(&self.ours).map(|(again, first)| of(again) / of(first)).collect())
    }
}

fn middle(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    median(costs.iter().map(of).collect())
}

fn seconds(cost: f64) -> String {
    format!("{cost:.2} s")
}

fn row(what: &str, hand: &str, ours: &str, ratio: f64, most: f64) {
    let verdict = if ratio <= most { "" } else { "  missed" };
    println!("{what:<52} {hand:>12} {ours:>12} {ratio:>7.2} {most:>7.2}{verdict}");
}

/// Measures what the words ask for: `small`, `orders=N`, `rounds=N`, names of rows.
pub(crate) fn measure(words: &[&str]) {
    let number = |name: &str, standard: u64| {
        let told = words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
        told.unwrap_or(standard)
    };
    let small = words.contains(&"small");
    let orders = if small { 1_000 } else { 10_000 };
    let rounds = usize::try_from(number("rounds", if small { 1 } else { 5 })).unwrap();
    let rows: Vec<&&str> =
        words.iter().filter(|word| ["sync", "latency", "reread", "stream", "many"].contains(word)).collect();
    let wanted = |row: &str| rows.is_empty() || rows.contains(&&row);
    let server = Server::start();
    println!("{:<52} {:>12} {:>12} {:>7} {:>7}", "", "by hand", "weft", "ratio", "at most");
    let mut first = None;
    if wanted("sync") || wanted("many") {
        let pair = Pair::measure(&server, "orders", orders, 0, rounds);
        let cpu = |costs: &[Cost]| middle(costs, |cost| cost.cpu);
        row(
            "order sync, processor",
            &seconds(cpu(&pair.hand)),
            &seconds(cpu(&pair.ours)),
            pair.ratio(|cost| cost.cpu),
            1.8,
        );
        let wall = |costs: &[Cost]| middle(costs, |cost| cost.wall);
        println!(
            "{:<52} {:>12} {:>12} {:>7.2}",
            "  wall, no latency",
            seconds(wall(&pair.hand)),
            seconds(wall(&pair.ours)),
            pair.ratio(|cost| cost.wall)
        );
        let peak = |costs: &[Cost]| format!("{:.0} MiB", middle(costs, |cost| cost.peak));
        println!("{:<52} {:>12} {:>12}", "  peak memory", peak(&pair.hand), peak(&pair.ours));
        println!(
            "{:<52} {:>12} {:>12}",
            "  requests / connections",
            told(&pair.books[0]),
            told(&pair.books[1])
        );
        println!("{:<52} {:>12} {:>12}", "  store, bytes a record", "", pair.store / orders);
        row(
            "second run, nothing changed, processor",
            &seconds(cpu(&pair.ours)),
            &seconds(cpu(&pair.again)),
            pair.again(|cost| cost.cpu),
            0.2,
        );
        first = Some(pair);
    }
    if wanted("reread") {
        let pair = Pair::measure(&server, "reread", orders, 0, rounds);
        let cpu = |costs: &[Cost]| seconds(middle(costs, |cost| cost.cpu));
        row(
            "second run, all read again, processor",
            &cpu(&pair.ours),
            &cpu(&pair.again),
            pair.again(|cost| cost.cpu),
            0.2,
        );
    }
    if wanted("latency") {
        for (delay, orders) in [(5, orders), (50, 1_000)] {
            let pair = Pair::measure(&server, "orders", orders, delay, rounds.min(3));
            let wall = |costs: &[Cost]| seconds(middle(costs, |cost| cost.wall));
            let what = format!("{orders} orders at {delay} ms, wall");
            row(&what, &wall(&pair.hand), &wall(&pair.ours), pair.ratio(|cost| cost.wall), 1.15);
            let most = |books: &Value| books["most_at_once"].to_string();
            println!(
                "{:<52} {:>12} {:>12}",
                "  most requests at once",
                most(&pair.books[0]),
                most(&pair.books[1])
            );
        }
    }
    if wanted("stream") {
        let pair = Pair::measure(&server, "stream", orders, 0, rounds);
        let cpu = |costs: &[Cost]| seconds(middle(costs, |cost| cost.cpu));
        row("stream, processor", &cpu(&pair.hand), &cpu(&pair.ours), pair.ratio(|cost| cost.cpu), 1.6);
    }
    let many = number("orders", 0);
    if let (Some(few), true) = (first, many > 0) {
        compare(&server, &few, orders, many);
    }
}

/// Measures whether a record costs as much among many as among few.
fn compare(server: &Server, few: &Pair, orders: u64, many: u64) {
    let pair = Pair::measure(server, "orders", many, 0, 1);
    let each = |costs: &[Cost], orders: u64, of: &dyn Fn(&Cost) -> f64| {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of one run")]
        let each = middle(costs, of) * 1e6 / orders as f64;
        each
    };
    for (what, of) in [
        ("wall", (&|cost: &Cost| cost.wall) as &dyn Fn(&Cost) -> f64),
        ("processor", &|cost: &Cost| cost.cpu),
    ] {
        let (at_few, at_many) = (each(&few.ours, orders, of), each(&pair.ours, many, of));
        row(
            &format!("a record of {many} against {orders}, {what}"),
            &format!("{at_few:.0} µs"),
            &format!("{at_many:.0} µs"),
            at_many / at_few,
            1.1,
        );
    }
    let (at_few, at_many) = (middle(&few.ours, |cost| cost.peak), middle(&pair.ours, |cost| cost.peak));
    row(
        &format!("peak memory, {many} against {orders}"),
        &format!("{at_few:.0} MiB"),
        &format!("{at_many:.0} MiB"),
        at_many / at_few,
        1.1,
    );
    row(
        &format!("{many} orders, processor"),
        &seconds(middle(&pair.hand, |cost| cost.cpu)),
        &seconds(middle(&pair.ours, |cost| cost.cpu)),
        pair.ratio(|cost| cost.cpu),
        1.8,
    );
    println!("{:<52} {:>12} {:>12}", format!("  store, bytes a record of {many}"), "", pair.store / many);
}

fn told(books: &Value) -> String {
    format!("{} / {}", books["requests"], books["connections"])
}
