//! Lines that somebody types while something else may happen first: nothing is taken from the
//! terminal that is meant for a later question, and a program in the background is not stopped.

/// How long a look takes.
#[cfg(unix)]
const LOOK: rustix::time::Timespec = rustix::time::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// The next line of standard input; `None`: there is no more, or it is not wanted any more.
pub(crate) fn line(is_wanted: impl Fn() -> bool) -> Option<String> {
    while is_wanted() {
        // What was typed after it was not wanted any more answers another question.
        if !is_there() || !is_wanted() {
            continue;
        }
        let mut line = String::new();
        return match std::io::stdin().read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line),
        };
    }
    None
}

/// Waits a moment for a line. A terminal gives lines whole.
#[cfg(unix)]
fn is_there() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};

    let stdin = std::io::stdin();
    // Whoever reads from a terminal in the background is stopped by it.
    let in_front =
        rustix::termios::tcgetpgrp(&stdin).map_or(true, |group| group == rustix::process::getpgrp());
    let mut asked = [PollFd::new(&stdin, PollFlags::IN)];
    if !in_front {
        std::thread::sleep(std::time::Duration::from_millis(100));
        return false;
    }
    // What cannot be waited for is read, which says why.
    match poll(&mut asked, Some(&LOOK)) {
        Ok(ready) => ready > 0,
        Err(error) => error != rustix::io::Errno::INTR,
    }
}

#[cfg(not(unix))]
fn is_there() -> bool {
    true
}
