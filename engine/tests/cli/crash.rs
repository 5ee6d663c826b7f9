//! The daemon is killed with -9 at random moments and started again, while the network is bad and
//! another daemon may be on the same store. What is in both books at the end is what an
//! undisturbed run puts there: nothing is lost, nothing is doubled, and a further run finds
//! nothing to do.
//!
//! `just crash ROUNDS SEED` does it as often as one likes; each round says its seed, with which
//! it can be done again.

use std::time::{Duration, Instant};

use connectors::simulator::{Fault, Simulator as _};

use super::kill::{End, FAULTS, articles, finish, orders, same};
use super::postgres::in_database;
use super::serve::Daemon;
use super::server;
use super::town::{Folder, Town};

/// Rounds within the tests, and the seed of the first.
const ROUNDS: u64 = 2;
const SEED: u64 = 20_261_122;

/// Times that the daemon is killed in a round.
const KILLS: usize = 6;

/// A daemon that has nothing to do is killed too, after so long.
const BORED: Duration = Duration::from_secs(2);

/// Servers that are overloaded rather than networks that break.
const SERVERS: [(Fault, u32); 3] = [(Fault::Down, 60), (Fault::Html, 60), (Fault::Expired, 60)];

/// A way to fill two systems, and the flows between them.
type Fill = fn(&Town) -> Folder;

/// What a round is about.
struct Round {
    seed: u64,
    fill: (&'static str, Fill),
    faults: (&'static str, &'static [(Fault, u32)]),
    two: bool,
    /// The store is a database, where this machine has a server.
    database: bool,
}

impl Round {
    fn of(seed: u64) -> (Self, fastrand::Rng) {
        let mut random = fastrand::Rng::with_seed(seed);
        let fills: [(&str, Fill); 2] = [("orders", orders), ("articles", articles)];
        let faults: [(&str, &'static [(Fault, u32)]); 3] =
            [("a good network", &[]), ("a bad network", &FAULTS), ("bad servers", &SERVERS)];
        let round = Self {
            seed,
            fill: fills[random.usize(..fills.len())],
            faults: faults[random.usize(..faults.len())],
            two: random.bool(),
            database: random.u8(0..3) == 0,
        };
        (round, random)
    }
}

/// Every flow, whenever it is not running.
fn restless(folder: &Folder) {
    for entry in std::fs::read_dir(folder.path().join("flows")).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("every ")).collect();
        let text = lines.join("\n");
        let text = text.replacen("\nfetch ", "\nevery 1 second\n\nfetch ", 1);
        std::fs::write(entry.path(), text).unwrap();
    }
}

fn asked(town: &Town) -> u64 {
    town.shop_server.requests() + town.till_server.requests()
}

/// Kills a daemon after it has asked so many things, and a little later.
async fn kill_once(town: &Town, folder: &Folder, random: &mut fastrand::Rng) {
    let (last, later) = (asked(town) + random.u64(1..90), Duration::from_micros(random.u64(0..20_000)));
    let begin = Instant::now();
    let daemon = Daemon::start(folder, &[]);
    while asked(town) < last && begin.elapsed() < BORED {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(later).await;
    daemon.kill().await;
}

/// What undisturbed runs leave.
struct Clean {
    end: End,
    /// The same where orders came before customers.
    orders_first: End,
}

impl Clean {
    async fn of(fill: Fill) -> Self {
        let mut ends = Vec::new();
        for first in [&[][..], &["run", "products_to_till", "variants_to_till", "orders"]] {
            let town = Town::new().await;
            let folder = fill(&town);
            restless(&folder);
            if !first.is_empty() && folder.path().join("flows/orders.flow").exists() {
                let told = folder.weft(first).await;
                assert!(matches!(told.code, Some(0 | 1)), "{}{}", told.out, told.err);
            }
            ends.push(finish(&town, &folder).await);
        }
        let [end, orders_first] = ends.try_into().unwrap();
        Self { end, orders_first }
    }

    /// As it is where each customer was created by the flow that the other end shows. The flow of
    /// orders and that of customers say different things of a customer who is new, and of daemons
    /// nobody knows which of them is first.
    fn as_created_in(&self, other: &End) -> End {
        let mut clean = self.end.clone();
        for (email, customer) in &mut clean.customers {
            let one = self.orders_first.customers.get(email);
            if let Some(one) = one.filter(|one| Some(*one) == other.customers.get(email)) {
                customer.clone_from(one);
            }
        }
        clean
    }
}

async fn disturbed(round: &Round, random: &mut fastrand::Rng) -> End {
    let town = Town::new().await;
    let folder = (round.fill.1)(&town);
    restless(&folder);
    if let Some(address) = round.database.then(server::place).flatten() {
        in_database(&folder, &address);
    }
    for server in [&town.shop_server, &town.till_server] {
        server.faults.retry_after(Some(0));
        for (fault, rate) in round.faults.1 {
            server.faults.rate(*fault, *rate);
        }
    }
    let other = round.two.then(|| Daemon::start(&folder, &[]));
    for _ in 0..KILLS {
        kill_once(&town, &folder, random).await;
    }
    if let Some(other) = other {
        other.kill().await;
    }
    town.shop_server.faults.clear();
    town.till_server.faults.clear();
    // The last start settles what was on its way, and stops in order.
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("run ended", 1).await;
    daemon.stop().await;
    let end = finish(&town, &folder).await;
    // Ledger and target agree: everything once more changes nothing.
    let before = (town.till.books().to_string(), town.shop.books().to_string());
    let told = folder.weft(&["run"]).await;
    assert!(matches!(told.code, Some(0 | 1)), "{}{}", told.out, told.err);
    assert_eq!(before, (town.till.books().to_string(), town.shop.books().to_string()));
    end
}

fn number(name: &str, standard: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(standard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_is_killed_at_any_moment_and_the_end_is_the_same() {
    let (rounds, first) = (number("WEFT_CRASH_ROUNDS", ROUNDS), number("WEFT_CRASH_SEED", SEED));
    let begin = Instant::now();
    let mut clean: Vec<(&str, Clean)> = Vec::new();
    for seed in first..first + rounds {
        let (round, mut random) = Round::of(seed);
        let (what, fill) = round.fill;
        if !clean.iter().any(|(known, _)| *known == what) {
            clean.push((what, Clean::of(fill).await));
        }
        let clean = &clean.iter().find(|(known, _)| *known == what).unwrap().1;
        assert!(clean.end.orders.len() + clean.end.products.len() > 100);
        if what == "orders" {
            assert_ne!(clean.end.customers, clean.orders_first.customers, "it does not matter who is first");
        }
        println!(
            "seed {}: {what}, {}, {}, {} …",
            round.seed,
            round.faults.0,
            if round.two { "two daemons" } else { "one daemon" },
            if round.database { "a database" } else { "a file" }
        );
        let end = disturbed(&round, &mut random).await;
        same(&clean.as_created_in(&end), &end);
        // Of an order whose customer was there already the same is done in fewer creates.
        if what == "articles" {
            assert_eq!(clean.end.created, end.created, "each create is counted once");
        }
        let killed = KILLS * usize::try_from(seed - first + 1).unwrap();
        println!(
            "seed {}: the same {} orders, customers, articles and products; {killed} kills so far, {:.0?}",
            round.seed,
            end.orders.len() + end.customers.len() + end.articles.len() + end.products.len(),
            begin.elapsed()
        );
    }
}
