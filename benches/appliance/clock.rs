//! Time as the measurements see it: the monotonic clock, and waiting.

use std::time::{Duration, Instant};

#[allow(
    clippy::disallowed_methods,
    reason = "measuring time is what this program is for"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// Lets time pass where the passing of time is what is measured, or between two looks at another process.
#[allow(
    clippy::disallowed_methods,
    reason = "the pace of a load is time itself"
)]
pub fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Seconds since 1970, for Event-Timestamp.
#[allow(
    clippy::disallowed_methods,
    reason = "a router stamps its records with the civil time"
)]
pub fn civil_seconds() -> u32 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}

/// Until a minute since 1970 begins; `None` when it has begun.
#[allow(clippy::disallowed_methods, reason = "windows open by the civil time")]
pub fn until_minute(minute: u32) -> Option<Duration> {
    let begins = std::time::UNIX_EPOCH + Duration::from_secs(u64::from(minute) * 60);
    begins.duration_since(std::time::SystemTime::now()).ok()
}
