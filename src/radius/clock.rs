//! The one place of this room that reads a clock: the monotonic one, for timers and expiry. Civil time is not its
//! business.

use std::time::Instant;

/// Now, on a clock that never jumps. Tests add to it instead of waiting.
#[allow(
    clippy::disallowed_methods,
    reason = "timers of the protocol need the monotonic clock, read only here"
)]
pub(super) fn monotonic() -> Instant {
    Instant::now()
}
