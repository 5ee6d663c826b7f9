//! Names for processes, and whether the process of a name is gone.
//!
//! A name is enough to prove that a process of the same machine has ended, so that a daemon
//! that was killed takes its flows up again at once. Where nothing can be proved, the lease
//! has to run out.

use std::fs;
use std::path::Path;

/// The name of this process as the holder of leases, the same for its whole life:
/// `host/pid/start/boot/namespace`.
#[must_use]
pub fn this_process() -> String {
    let pid = std::process::id();
    let host = read("/proc/sys/kernel/hostname").or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.unwrap_or_else(|| "localhost".to_owned()).replace('/', "-");
    match Proof::of(pid) {
        Some(Proof { start, boot, space }) => format!("{host}/{pid}/{start}/{boot}/{space}"),
        // Another system: unlike any other name, and never provably dead.
        None => format!("{host}/{pid}/{}", uuid::Uuid::new_v4()),
    }
}

/// The holder of a lease, for people.
#[must_use]
pub fn holder_in_words(holder: &str) -> String {
    match holder.split('/').collect::<Vec<_>>().as_slice() {
        [host, pid, _, ..] => format!("process {pid} on {host}"),
        _ => holder.to_owned(),
    }
}

/// Whether the process of this name is known to be gone: it ran under this start of this
/// machine, among the processes that we can see, and is not there any more.
#[must_use]
pub fn is_dead(holder: &str) -> bool {
    let parts: Vec<&str> = holder.split('/').collect();
    let [_, pid, start, boot, space] = parts.as_slice() else { return false };
    let (Ok(pid), Some(here)) = (pid.parse(), Proof::of(std::process::id())) else { return false };
    if *boot != here.boot || *space != here.space {
        return false;
    }
    match started(pid) {
        Some(now) => now != *start,
        None => !Path::new(&format!("/proc/{pid}")).exists(),
    }
}

/// What tells a process from a later one of the same number.
struct Proof {
    /// When it started, in ticks since the machine did.
    start: String,
    /// Which start of the machine.
    boot: String,
    /// Which space of process numbers: containers have their own.
    space: String,
}

impl Proof {
    fn of(pid: u32) -> Option<Self> {
        let space = fs::read_link("/proc/self/ns/pid").ok()?;
        let space = space.to_str()?.chars().filter(char::is_ascii_digit).collect();
        Some(Self { start: started(pid)?, boot: read("/proc/sys/kernel/random/boot_id")?, space })
    }
}

/// Field 22 of the process's line, counted from behind its name, which may hold anything.
fn started(pid: u32) -> Option<String> {
    let line = read(&format!("/proc/{pid}/stat"))?;
    let (_, after) = line.rsplit_once(')')?;
    let mut fields = after.split_whitespace();
    // A process that has ended but was not collected yet holds nothing any more.
    if fields.next()? == "Z" {
        return Some("ended".to_owned());
    }
    fields.nth(18).map(str::to_owned)
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_keeps_its_name() {
        assert_eq!(this_process(), this_process());
        assert!(!is_dead(&this_process()));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_that_ended_is_dead() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep");
        let Proof { start, boot, space } = Proof::of(child.id()).expect("proof");
        let name = format!("here/{}/{start}/{boot}/{space}", child.id());
        assert!(!is_dead(&name));
        child.kill().expect("kill");
        child.wait().expect("wait");
        assert!(is_dead(&name));
        assert!(!is_dead(&format!("here/{}/{start}/{boot}/1", child.id())), "another container");
        assert!(!is_dead(&format!("here/{}/{start}/other-boot/{space}", child.id())), "another machine");
    }

    #[test]
    fn names_of_another_make_are_not_judged() {
        for name in ["", "host", "host/x/1/b/s", "host/1/0c7f"] {
            assert!(!is_dead(name), "{name}");
        }
    }
}
