//! Authentication attempts: from memory into the log.

use crate::app::{App, AuthLog};
use crate::domain::time::{DAY, Timestamp};
use crate::store::{Store, Tx, auth_log};

use super::Error;

/// Writes the attempts that wait, in one or more blocks, and says how many. Called by one job, and once at the stop. Blocks.
pub fn write(app: &App) -> Result<usize, Error> {
    let kept_for = i64::from(app.settings().attempt_days) * DAY;
    write_all(&app.auth_log, &app.store, app.now(), kept_for)
}

fn write_all(log: &AuthLog, store: &Store, now: Timestamp, kept_for: i64) -> Result<usize, Error> {
    let end = log.end();
    let mut written = 0;
    loop {
        let (first, block) = log.next_block();
        let count = block.len();
        if count > 0 {
            let append = move |tx: &mut Tx<'_>| {
                auth_log::append(tx, first, &block, now, now.plus(-kept_for))
            };
            store.write("authentication log", append).wait()?;
            log.written();
            written += count;
        }
        // What came meanwhile is for the next time, or a flood would never let this one end.
        let next = first.saturating_add(u64::try_from(count).unwrap_or(0));
        if count == 0 || next >= end {
            return Ok(written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{AuthLog, MOST_WAITING};
    use crate::domain::id::NasId;
    use crate::store::OpenOptions;
    use crate::store::auth_log::Attempt;
    use crate::store::auth_log::Method;
    use std::ops::ControlFlow;

    fn attempt(number: u64) -> Attempt {
        Attempt {
            at: Timestamp(i64::try_from(number).unwrap()),
            username: format!("user{number}").into(),
            subscriber: None,
            nas: NasId(1),
            source: [127, 0, 0, 1].into(),
            mac: None,
            method: Method::Pap,
            reason: None,
        }
    }

    /// The numbers seen below `before`, each checked to be that of its attempt.
    fn seen(log: &AuthLog, store: &Store, before: u64, most: usize) -> Vec<u64> {
        let mut seen = Vec::new();
        log.each_before(&store.view().unwrap(), before, 1_000, |number, attempt| {
            assert_eq!(attempt.username, self::attempt(number).username);
            seen.push(number);
            if seen.len() < most {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })
        .unwrap();
        seen
    }

    #[test]
    fn every_attempt_is_seen_once_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), OpenOptions::default()).unwrap();
        let log = AuthLog::open(&store.view().unwrap()).unwrap();
        let all: Vec<u64> = (1..=1_500).rev().collect();
        for number in 1..=600 {
            log.add(attempt(number));
        }
        assert_eq!(write_all(&log, &store, Timestamp(600), DAY).unwrap(), 600);
        for number in 601..=1_100 {
            log.add(attempt(number));
        }
        // A block that is being written, with newer attempts behind it.
        log.next_block();
        for number in 1_101..=1_500 {
            log.add(attempt(number));
        }
        assert_eq!(seen(&log, &store, u64::MAX, usize::MAX), all);
        for before in [1_501, 1_500, 1_101, 1_100, 1_099, 845, 601, 600, 2, 1] {
            let expected: Vec<u64> = (1..before.min(1_501)).rev().collect();
            assert_eq!(seen(&log, &store, before, usize::MAX), expected, "{before}");
        }
        assert_eq!(seen(&log, &store, u64::MAX, 3), [1_500, 1_499, 1_498]);
        // The unfinished block goes first, under its old numbers.
        assert_eq!(write_all(&log, &store, Timestamp(1_500), DAY).unwrap(), 900);
        assert_eq!(seen(&log, &store, u64::MAX, usize::MAX), all);
        let again = AuthLog::open(&store.view().unwrap()).unwrap();
        again.add(attempt(1_501));
        assert_eq!(seen(&again, &store, u64::MAX, 2), [1_501, 1_500]);
    }

    #[test]
    fn a_flood_drops_the_oldest_that_nobody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), OpenOptions::default()).unwrap();
        let log = AuthLog::open(&store.view().unwrap()).unwrap();
        log.add(attempt(1));
        log.next_block();
        let most = u64::try_from(MOST_WAITING).unwrap();
        for number in 2..=most + 3 {
            log.add(attempt(number));
        }
        assert_eq!(log.dropped(), 2);
        let numbers = seen(&log, &store, u64::MAX, usize::MAX);
        assert_eq!(
            (numbers.first(), numbers.last()),
            (Some(&(most + 3)), Some(&1))
        );
        assert_eq!(
            u64::try_from(numbers.len()).unwrap(),
            most + 1,
            "2 and 3 are gone"
        );
        assert_eq!(
            u64::try_from(write_all(&log, &store, Timestamp(0), DAY).unwrap()).unwrap(),
            most + 1
        );
    }
}
