//! Months in seconds: schedules come as promised over both clock changes and a leap day, and what
//! the daemon keeps does not grow.

use jiff::tz::TimeZone;

use super::*;

/// How often a time of every day comes between two moments, counted on the wall.
fn days(from: &str, to: &str) -> usize {
    let zone = TimeZone::get("Europe/Amsterdam").unwrap();
    let date = |text: &str| zone.to_datetime(text.parse().unwrap()).date();
    usize::try_from((date(to) - date(from)).get_days()).unwrap()
}

/// Memory of this process that is in use, in bytes; 0 where nobody tells.
fn memory() -> u64 {
    let told = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    told.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4_096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_months_over_clock_changes_and_a_leap_day() {
    let world = World::new(
        "2028-02-20T12:00:00Z",
        vec![
            flow("often", "every 6 hours"),
            flow("night", "at \"30 2 * * *\" in \"Europe/Amsterdam\""),
            flow("office", "at \"15 9,17 * * mon-fri\" in \"Europe/Amsterdam\""),
            flow("leap", "at \"0 7 29 2 *\" in \"Europe/Amsterdam\""),
            flow("month_end", "at \"0 7 31 * *\" in \"Europe/Amsterdam\"\nmissed runs skip"),
        ],
    );
    for number in 0..20 {
        world.shop.order(&number.to_string(), "2028-02-20T00:00:00Z");
    }
    // Late winter to spring: the leap day, and the night without half past two.
    let served = world.serve("one").await;
    let (mut sizes, mut memories) = (Vec::new(), Vec::new());
    let mut now: Timestamp = "2028-02-20T12:00:00Z".parse().unwrap();
    let spring: Timestamp = "2028-04-05T12:00:00Z".parse().unwrap();
    while now < spring {
        // Everything changes every day.
        for number in 0..20 {
            world.shop.order(&number.to_string(), &now.to_string());
        }
        now += SignedDuration::from_hours(24);
        served.until(now).await;
        sizes.push(std::fs::metadata(world.root().join("store.db")).unwrap().len());
        memories.push(memory());
    }
    let stopped = served.stop().await;
    assert_eq!(stopped, Stopped::default());
    let store = world.store().await;
    let counts = |often: usize, night, office, leap, month_end| [often, night, office, leap, month_end];
    let names = ["often", "night", "office", "leap", "month_end"];
    let mut ran = Vec::new();
    for name in names {
        ran.push(runs(&*store, name).await);
    }
    let nights = days("2028-02-20T12:00:00Z", "2028-04-05T12:00:00Z");
    // 32 working days from the 21st on, twice each, and one of the two of the last day.
    assert_eq!(ran, counts(nights * 4 + 1, nights, 65, 1, 1));

    // A pause of half a year, and the night that has two of half past two.
    store.close().await;
    world.clock.set("2028-10-10T12:00:00Z".parse().unwrap());
    let served = world.serve("two").await;
    let mut now: Timestamp = "2028-10-10T12:00:00Z".parse().unwrap();
    while now < "2028-11-12T12:00:00Z".parse().unwrap() {
        now += SignedDuration::from_hours(24);
        served.until(now).await;
    }
    served.stop().await;
    let store = world.store().await;
    // The runs of spring are listed no longer.
    let mut more = Vec::new();
    for name in names {
        more.push(runs(&*store, name).await);
    }
    let nights = days("2028-10-10T12:00:00Z", "2028-11-12T12:00:00Z");
    // What was missed is made up for once; month ends are left out. `often` keeps its beat.
    assert_eq!(more, counts(nights * 4 + 1, nights + 1, 47 + 1, 0, 1));
    assert_eq!(world.till.orders().len(), 20 * names.len());

    // The log of two weeks is kept: from the third week on the store stays as large as it is.
    let (then, last) = (sizes[20], sizes[sizes.len() - 1]);
    assert!(last <= then + then / 8, "{sizes:?}");
    // Other tests of this process take memory too: only alone does it say anything.
    if std::env::var_os("WEFT_SOAK").is_some() {
        let (then, last) = (memories[10], memory());
        println!("store {sizes:?}, memory {then} after ten days, {last} at the end");
        assert!(last <= then + (8 << 20), "{memories:?}, {last}");
    }
    let now = std::fs::metadata(world.root().join("store.db")).unwrap().len();
    assert!(now <= last, "{last}, then {now}");
}
