//! Any order of appends, rotations, trims and faults: every answered record is found, once and in order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::JournalError;
use super::super::memory::Memory;
use super::{open, record};

#[derive(Debug, Clone)]
enum Step {
    Append(u64, usize),
    Rotate,
    Trim(u64),
    Full(usize),
    RefuseSync,
    RefuseSetLen,
    RefuseRename,
    RefuseFolderSync,
    Heal,
    Kill,
    PowerLoss(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1u64..5, 0usize..700).prop_map(|(count, length)| Step::Append(count, length)),
        1 => Just(Step::Rotate),
        1 => (0u64..40).prop_map(Step::Trim),
        1 => (0usize..900).prop_map(Step::Full),
        1 => Just(Step::RefuseSync),
        1 => Just(Step::RefuseSetLen),
        1 => Just(Step::RefuseRename),
        1 => Just(Step::RefuseFolderSync),
        3 => Just(Step::Heal),
        1 => Just(Step::Kill),
        1 => any::<u64>().prop_map(Step::PowerLoss),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_fails_every_answered_record_is_found_once(steps in prop::collection::vec(step(), 1..40)) {
        let mut memory = Memory::default();
        let (mut journal, ..) = open(&memory, 1).unwrap();
        let mut kept = 1;
        let mut answered: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut attempt = 0u64;
        for step in steps.into_iter().chain([Step::PowerLoss(0), Step::PowerLoss(u64::MAX)]) {
            match step {
                Step::Append(count, length) => {
                    // No two attempts write the same octets, so a disowned record cannot pass for an answered one.
                    let records: Vec<_> = (0..count).map(|_| { attempt += 1; record(attempt, length) }).collect();
                    if let Ok(range) = journal.append(&records) {
                        answered.extend(range.zip(records));
                    }
                }
                Step::Rotate => drop(journal.rotate()),
                Step::Trim(up_to) => {
                    let up_to = up_to.min(journal.next_sequence());
                    if journal.trim(up_to).is_ok() || kept < up_to {
                        kept = kept.max(up_to);
                    }
                }
                Step::Full(room) => memory.state().room = Some(room),
                Step::RefuseSync => memory.state().refuse_sync = true,
                Step::RefuseSetLen => memory.state().refuse_set_len = true,
                Step::RefuseRename => memory.state().refuse_rename = true,
                Step::RefuseFolderSync => memory.state().refuse_folder_sync = true,
                Step::Heal => memory.heal(),
                Step::Kill | Step::PowerLoss(_) => {
                    if let Step::PowerLoss(bits) = step {
                        let mut turn = 0;
                        memory = memory.after_power_loss(|| { turn += 1; bits.rotate_left(turn) & 1 == 1 });
                    }
                    let opened = match open(&memory, kept) {
                        Err(JournalError::Io { .. }) => {
                            memory.heal();
                            open(&memory, kept)
                        }
                        opened => opened,
                    };
                    let (reopened, replayed, found) = opened.unwrap();
                    journal = reopened;
                    let wanted: Vec<_> = answered.range(kept..).map(|(at, octets)| (*at, octets.clone())).collect();
                    prop_assert!(found.len() >= wanted.len(), "{} of {}", found.len(), wanted.len());
                    prop_assert_eq!(&found[..wanted.len()], &wanted[..]);
                    // An unanswered group may have arrived whole; it is now as good as answered.
                    prop_assert!(replayed.next >= answered.last_key_value().map_or(1, |(at, _)| at + 1));
                    answered.extend(found);
                }
            }
        }
    }
}
