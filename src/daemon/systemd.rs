//! What the service manager is told: ready, reloading, stopping, and the beats of its watchdog.
//!
//! Without a service manager (no `NOTIFY_SOCKET`) nothing is said. Invariant: the watchdog is fed only right after the
//! store was read, by a task of the same runtime that serves the panel: when either hangs, systemd starts the daemon anew.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::operations::pulse;

/// Beats in one period of the watchdog: two may be late before it bites.
const BEATS: u32 = 3;

/// Everything listens. `status` is what `systemctl status` shows.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A step that takes its time.
pub fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// The configuration is read again; [`ready`] ends it.
pub fn reloading() {
    // The stamp is wanted by newer service managers, to tell this reload from an older one.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the monotonic clock cannot be read"),
    }
}

pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("Stopping")]);
}

fn tell(words: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(words) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

/// Feeds the watchdog from now on, where the unit has one. Must be called inside the runtime.
pub fn start_watchdog(app: &Arc<App>) -> Option<JoinHandle<()>> {
    let period = sd_notify::watchdog_enabled()?;
    let app = Arc::clone(app);
    Some(tokio::spawn(async move {
        let read = || pulse::read_store(&app);
        let feed = || tell(&[NotifyState::Watchdog]);
        keep_feeding(period / BEATS, read, feed).await;
    }))
}

/// Reads and feeds once in each `pause`. The read runs here and not beside the async threads: one that hangs is to be
/// missed, and pages that keep those threads busy are no reason for a restart.
async fn keep_feeding<E: Display>(
    pause: Duration,
    read: impl Fn() -> Result<(), E>,
    feed: impl Fn(),
) {
    let mut was_well = true;
    loop {
        let result = read();
        match &result {
            Ok(()) => feed(),
            Err(error) if was_well => {
                tracing::error!(%error, "the store cannot be read; the watchdog is not fed");
            }
            Err(_) => {}
        }
        was_well = result.is_ok();
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn only_a_read_that_succeeds_feeds_the_watchdog() {
        // Reads 1 and 2 succeed, 3 to 5 fail, 6 succeeds, and with the seventh the test has seen enough.
        let reads = &AtomicU32::new(0);
        let fed_after = std::sync::Mutex::new(Vec::new());
        let read = || match reads.fetch_add(1, Ordering::Relaxed) + 1 {
            3..=5 => Err("a page is gone"),
            _ => Ok(()),
        };
        let feed = || {
            fed_after
                .lock()
                .unwrap()
                .push(reads.load(Ordering::Relaxed));
        };
        let enough = async {
            while reads.load(Ordering::Relaxed) < 7 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = keep_feeding(Duration::from_millis(1), read, feed) => {}
            () = enough => {}
        }
        assert_eq!(fed_after.lock().unwrap()[..3], [1, 2, 6]);
    }
}
