//! The only reader of the wall clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// The machine's clock, or one that a test sets.
#[derive(Debug, Clone)]
pub enum Clock {
    System,
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still until it is moved.
    pub fn standing_at(at: Timestamp) -> Clock {
        Clock::Set(Arc::new(AtomicI64::new(at.0)))
    }

    /// Moves a clock that was set; the machine's is left alone.
    pub fn move_to(&self, at: Timestamp) {
        if let Clock::Set(now) = self {
            now.store(at.0, Ordering::Relaxed);
        }
    }

    #[allow(clippy::disallowed_methods)]
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::Set(now) => Timestamp(now.load(Ordering::Relaxed)),
            Clock::System => {
                // A clock before 1970 counts as 1970.
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
        }
    }
}
