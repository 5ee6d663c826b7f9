//! A small disk of its own for a test, where this user may mount one.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Gone when it is dropped.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// A disk of that size at that path; `None`, with a word about it, where this user may not.
    pub(crate) fn new(path: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(path).expect("folder");
        let options = format!("size={size}");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path).output();
        if done.is_ok_and(|done| done.status.success()) {
            return Some(Self(path.to_owned()));
        }
        // Past the harness, which hides what a test prints that went well.
        let line = "this user may mount no disk: a test that needs a small one is SKIPPED\n";
        std::io::stderr().write_all(line.as_bytes()).expect("said");
        None
    }

    /// The same disk with other options: larger, or to be read only.
    pub(crate) fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount").args(["-o", &options]).arg(&self.0).status().expect("mount");
        assert!(status.success(), "{options}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
