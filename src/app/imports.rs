//! Lists of subscribers that somebody brought in and has not said yes to: in memory only, since passwords stand in them.
//!
//! `operations::import` writes here. Invariant: one file for each operator, few in all, and none for longer than an hour.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::crypto::Secret;
use crate::domain::id::OperatorId;
use crate::domain::import::Choices;
use crate::domain::time::{HOUR, Timestamp};

/// Files that wait at once; the oldest makes room.
const MOST_WAITING: usize = 4;
/// How long one waits.
pub const LONGEST_WAIT: i64 = HOUR;

/// A file and how it is to be read. No Debug: passwords stand in it.
#[derive(Clone)]
pub struct WaitingImport {
    pub by: OperatorId,
    /// As the browser named it.
    pub name: String,
    pub octets: Arc<Secret<Vec<u8>>>,
    pub choices: Choices,
    pub since: Timestamp,
}

#[derive(Default)]
pub struct Imports {
    waiting: Mutex<Vec<WaitingImport>>,
}

impl Imports {
    /// In place of the one that this operator had.
    pub fn put(&self, import: WaitingImport) {
        let mut waiting = self.waiting();
        waiting.retain(|other| other.by != import.by);
        if waiting.len() >= MOST_WAITING {
            waiting.remove(0);
        }
        waiting.push(import);
    }

    pub fn of(&self, by: OperatorId, now: Timestamp) -> Option<WaitingImport> {
        self.forget_old(now);
        let waiting = self.waiting();
        waiting.iter().find(|import| import.by == by).cloned()
    }

    pub fn choose(&self, by: OperatorId, choices: Choices) {
        let mut waiting = self.waiting();
        if let Some(import) = waiting.iter_mut().find(|import| import.by == by) {
            import.choices = choices;
        }
    }

    pub fn forget(&self, by: OperatorId) {
        self.waiting().retain(|import| import.by != by);
    }

    /// Lets go what has waited too long; called now and then, so that no password stays in memory for days.
    pub fn forget_old(&self, now: Timestamp) {
        self.waiting()
            .retain(|import| now.since(import.since) < LONGEST_WAIT);
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<WaitingImport>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rate::Rate;

    fn import(by: u32, name: &str, since: Timestamp) -> WaitingImport {
        WaitingImport {
            by: OperatorId(by),
            name: name.to_owned(),
            octets: Arc::new(Secret::new(Vec::new())),
            choices: Choices {
                charset: None,
                has_headings: true,
                columns: Vec::new(),
                dates: None,
                plan: None,
                same_plans: Vec::new(),
                new_rate: Rate::new(1_000, 1_000),
                leaves_out: false,
            },
            since,
        }
    }

    #[test]
    fn one_for_each_operator_few_in_all_and_not_for_long() {
        let (imports, now) = (Imports::default(), Timestamp(1_780_000_000_000));
        let name = |by| imports.of(OperatorId(by), now).map(|import| import.name);
        imports.put(import(1, "first", now));
        imports.put(import(1, "second", now));
        assert_eq!(name(1).as_deref(), Some("second"));
        assert_eq!(name(2), None, "it is nobody else's");
        for by in 2..=5 {
            imports.put(import(by, "other", now));
        }
        assert_eq!(name(1), None, "the oldest made room");
        assert_eq!(name(2).as_deref(), Some("other"));
        let mut choices = import(2, "", now).choices;
        choices.leaves_out = true;
        imports.choose(OperatorId(2), choices);
        let chosen = |by| imports.of(OperatorId(by), now).unwrap().choices;
        assert!(chosen(2).leaves_out && !chosen(3).leaves_out);
        imports.forget(OperatorId(2));
        assert_eq!(name(2), None);
        let later = now.plus(LONGEST_WAIT);
        imports.put(import(2, "late", now.plus(1)));
        imports.forget_old(later);
        assert_eq!(name(3), None);
        assert_eq!(name(2).as_deref(), Some("late"));
    }
}
