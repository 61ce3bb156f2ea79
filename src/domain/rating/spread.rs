//! How octets fall to business days and to free hours: in proportion to time (rules.md sections 2 and 4).
//!
//! Invariant: the parts add up to the whole to the octet, and no part has more free octets than it has octets.

use crate::domain::hours::FreeWindow;
use crate::domain::octets::{Traffic, Usage};
use crate::domain::quota::Direction;
use crate::domain::time::{Calendar, DAY, Day, Timestamp};
use crate::domain::window::WallClock;

/// Minutes from one midnight to the next on the wall.
const MINUTES_OF_DAY: u16 = 1_440;
/// Edges of windows on one business day: two of each of eight windows, midnight and a change of the clock come to less.
const MOST_EDGES: usize = 64;
/// A day that lasts longer is the first of a span that is cut off at its old end: the reading of a broken clock, of which
/// nothing is free.
const LONGEST_DAY: i64 = 2 * DAY;

/// Spreads octets that were counted between two instants over the business days in between, oldest first, and says of
/// each part how much is free under `windows`. Days without octets are left out.
pub(super) fn spread(
    traffic: Traffic,
    from: Timestamp,
    to: Timestamp,
    windows: &[FreeWindow],
    calendar: &Calendar,
) -> Vec<(Day, Usage)> {
    let parts = calendar.split(from, to);
    let whole = parts
        .iter()
        .fold(0i64, |sum, (_, ms)| sum.saturating_add(*ms));
    let mut shares = Shares::new(traffic, whole);
    let mut begins = from.min(to);
    let mut days = Vec::with_capacity(parts.len());
    for (day, ms) in parts {
        let raw = shares.take(ms);
        if raw != Traffic::ZERO {
            let free = free(raw, begins, ms, windows, calendar);
            days.push((day, Usage { raw, free }));
        }
        begins = begins.plus(ms);
    }
    days
}

/// How many of the octets that were counted in `ms` milliseconds of one day do not count.
fn free(
    raw: Traffic,
    begins: Timestamp,
    ms: i64,
    windows: &[FreeWindow],
    calendar: &Calendar,
) -> Traffic {
    let mut free = Traffic::ZERO;
    if windows.is_empty() || ms > LONGEST_DAY {
        return free;
    }
    let ends = begins.plus(ms);
    let mut shares = Shares::new(raw, ms);
    let mut at = begins;
    for _ in 0..MOST_EDGES {
        let clock = calendar.wall_clock(at);
        let edge = calendar.minutes_on(at, to_next_edge(windows, &clock));
        let edge = edge.min(ends);
        let share = shares.take(edge.since(at));
        let open = windows.iter().find(|w| w.window.holds(&clock));
        free += open.map_or(Traffic::ZERO, |window| freed(share, window));
        if edge >= ends {
            break;
        }
        at = edge;
    }
    free
}

/// Minutes until a window may open or close: at one of its edges, or at midnight, when the weekday changes.
fn to_next_edge(windows: &[FreeWindow], clock: &WallClock) -> u16 {
    let ahead = |edge: u16| match edge.checked_sub(clock.minute) {
        Some(minutes) if minutes > 0 => minutes,
        _ => (MINUTES_OF_DAY - clock.minute).saturating_add(edge),
    };
    let edges = windows.iter().flat_map(|w| [w.window.start, w.window.end]);
    let midnight = MINUTES_OF_DAY - clock.minute;
    edges.map(ahead).fold(midnight, u16::min).max(1)
}

/// Rounded down.
fn freed(share: Traffic, window: &FreeWindow) -> Traffic {
    let percent = u64::from(window.free_percent.min(100));
    let of = |octets: u64| octets / 100 * percent + octets % 100 * percent / 100;
    match window.direction {
        Direction::Both => Traffic::new(of(share.upload), of(share.download)),
        Direction::Download => Traffic::new(0, of(share.download)),
        Direction::Upload => Traffic::new(of(share.upload), 0),
    }
}

/// Hands out a whole in proportion to time; what divisions leave falls to the part that ends it.
struct Shares {
    whole: Traffic,
    left: Traffic,
    ms: i64,
    ms_left: i64,
}

impl Shares {
    fn new(whole: Traffic, ms: i64) -> Shares {
        Shares {
            whole,
            left: whole,
            ms,
            ms_left: ms,
        }
    }

    fn take(&mut self, ms: i64) -> Traffic {
        self.ms_left = self.ms_left.saturating_sub(ms);
        let share = if self.ms_left <= 0 {
            self.left
        } else {
            Traffic::new(
                part(self.whole.upload, ms, self.ms),
                part(self.whole.download, ms, self.ms),
            )
        };
        self.left = self.left.beyond(share);
        share
    }
}

/// `octets * ms / whole`, rounded down.
fn part(octets: u64, ms: i64, whole: i64) -> u64 {
    let (ms, whole) = (
        u128::try_from(ms).unwrap_or(0),
        u128::try_from(whole).unwrap_or(1).max(1),
    );
    u64::try_from(u128::from(octets) * ms / whole).unwrap_or(octets)
}

#[cfg(test)]
#[path = "spread_tests.rs"]
mod tests;
