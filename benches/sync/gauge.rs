//! Runs a program and says what it cost: processor time, wall time and memory at its peak. The
//! kernel keeps such sums for all children of a process, so each program gets a process of its
//! own to be the child of.

use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// What a program cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Processor seconds, user and system.
    pub(crate) cpu: f64,
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Mebibytes at the peak.
    pub(crate) peak: f64,
}

/// Runs a program to its end, through a gauge of its own.
pub(crate) fn cost_of(program: &[String]) -> Cost {
    let own = std::env::current_exe().unwrap();
    let output = Command::new(own)
        .arg("gauge")
        .args(program)
        .stderr(Stdio::inherit())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{program:?}: {text}");
    let last = text.trim_end().lines().next_back().unwrap_or_default();
    let mut numbers = last.split(' ').map(|number| number.parse::<f64>().expect(last));
    let mut next = || numbers.next().unwrap();
    Cost { cpu: next(), wall: next(), peak: next() }
}

/// The process in between: `gauge PROGRAM ARGUMENTS…`.
pub(crate) fn gauge(program: &[String]) {
    let begin = Instant::now();
    let done = Command::new(&program[0]).args(&program[1..]).stdout(Stdio::null()).status().unwrap();
    let wall = begin.elapsed();
    assert!(done.success(), "{program:?} ended with {done}");
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds = |time: nix::sys::time::TimeVal| {
        #[expect(clippy::cast_precision_loss, reason = "seconds of one run")]
        let seconds = time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        seconds
    };
    #[expect(clippy::cast_precision_loss, reason = "mebibytes of one run")]
    let peak = used.max_rss() as f64 / 1024.0;
    println!("{} {} {peak}", seconds(used.user_time()) + seconds(used.system_time()), wall.as_secs_f64());
}
