//! What systemd is told: ready, reloading, stopping, and that the daemon still looks around.
//! Elsewhere, and without `NOTIFY_SOCKET`, nothing is told to anybody.

#[cfg(target_os = "linux")]
use sd_notify::NotifyState;

/// Time that a start asks for again and again, longer than any pause between two tries.
#[cfg(target_os = "linux")]
const MORE_TIME: u32 = 120_000_000;

/// The daemon serves.
pub(super) fn ready(status: &str) {
    #[cfg(target_os = "linux")]
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    #[cfg(not(target_os = "linux"))]
    let _ = status;
}

/// One line about how it fares, for `systemctl status`.
pub(super) fn status(status: &str) {
    #[cfg(target_os = "linux")]
    tell(&[NotifyState::Status(status)]);
    #[cfg(not(target_os = "linux"))]
    let _ = status;
}

/// It cannot start yet, and takes longer than it was given.
pub(super) fn starting(status: &str) {
    #[cfg(target_os = "linux")]
    tell(&[NotifyState::ExtendTimeoutUsec(MORE_TIME), NotifyState::Status(status)]);
    #[cfg(not(target_os = "linux"))]
    let _ = status;
}

/// Files have changed and are read; [`ready`] follows.
pub(super) fn reloading() {
    #[cfg(target_os = "linux")]
    match NotifyState::monotonic_usec_now() {
        Ok(moment) => tell(&[NotifyState::Reloading, moment]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// It takes nothing up any more.
pub(super) fn stopping() {
    #[cfg(target_os = "linux")]
    tell(&[NotifyState::Stopping]);
}

/// It looks around.
pub(super) fn alive() {
    #[cfg(target_os = "linux")]
    tell(&[NotifyState::Watchdog]);
}

#[cfg(target_os = "linux")]
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
