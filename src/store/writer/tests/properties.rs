//! The writer against a model: any mix of closures, and power loss at any access.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::super::testing::{Disk, NUMBERS, Refusal, quick};
use super::super::super::{Store, WriteTicket};
use super::{hold, numbers, put};

#[derive(Debug, Clone)]
enum Step {
    Put(u32, u64),
    Remove(u32),
    RemoveRange(u32, u32),
    Refuse,
    FailHalfWay(u32),
    Panic(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0u32..20;
    prop_oneof![
        4 => (key.clone(), any::<u64>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => key.clone().prop_map(Step::Remove),
        1 => (key.clone(), key.clone()).prop_map(|(from, to)| Step::RemoveRange(from.min(to), from.max(to))),
        1 => Just(Step::Refuse),
        1 => key.clone().prop_map(Step::FailHalfWay),
        1 => key.prop_map(Step::Panic),
    ]
}

fn submit(store: &Store, step: Step) -> WriteTicket<(), Refusal> {
    store.write("step", move |tx| match step {
        Step::Put(key, value) => Ok(tx.insert(&NUMBERS, key, &value)?),
        Step::Remove(key) => Ok(tx.remove(&NUMBERS, key).map(drop)?),
        Step::RemoveRange(from, to) => Ok(tx.remove_range(&NUMBERS, from..to).map(drop)?),
        Step::Refuse => Err(Refusal::Rule("refused")),
        Step::FailHalfWay(key) => {
            tx.insert(&NUMBERS, key, &666)?;
            Err(Refusal::Rule("half-way"))
        }
        Step::Panic(key) => {
            tx.remove(&NUMBERS, key)?;
            panic!("half-way")
        }
    })
}

fn apply(model: &mut BTreeMap<u32, u64>, step: &Step) -> bool {
    match *step {
        Step::Put(key, value) => drop(model.insert(key, value)),
        Step::Remove(key) => drop(model.remove(&key)),
        Step::RemoveRange(from, to) => model.retain(|key, _| !(from..to).contains(key)),
        Step::Refuse | Step::FailHalfWay(_) | Step::Panic(_) => return false,
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_closures_ends_like_a_map(batches in prop::collection::vec(prop::collection::vec(step(), 0..8), 0..5)) {
        let disk = Disk::default();
        let store = disk.new_store(&quick());
        let mut model = BTreeMap::new();
        for batch in batches {
            let release = hold(&store);
            let tickets: Vec<_> = batch.iter().map(|step| submit(&store, step.clone())).collect();
            release.send(()).unwrap();
            for (step, ticket) in batch.iter().zip(tickets) {
                prop_assert_eq!(ticket.wait().is_ok(), apply(&mut model, step), "{:?}", step);
            }
            prop_assert_eq!(numbers(&store), model.clone());
        }
        // What was answered was also synced.
        prop_assert_eq!(numbers(&disk.after_power_loss(|| false).old_store(&quick())), model);
    }

    #[test]
    fn power_loss_keeps_every_answered_write_and_no_half_of_another(
        power in 0usize..120,
        kept in prop::collection::vec(any::<bool>(), 64),
    ) {
        let disk = Disk::default();
        let store = disk.new_store(&quick());
        put(&store, 0, 0).wait().unwrap();
        disk.state().power = Some(power);
        let mut answered = 0;
        // Each write changes two rows, far apart in the table, that must agree.
        for value in 1..=20u64 {
            let write = store.write("pair", move |tx| {
                (100..300u32).try_for_each(|key| tx.insert(&NUMBERS, key, &value))?;
                tx.insert(&NUMBERS, 0, &value)
            });
            if write.wait().is_err() {
                break;
            }
            answered = value;
        }
        let mut kept = kept.into_iter().cycle();
        let after = disk.after_power_loss(|| kept.next().unwrap()).old_store(&quick());
        let found = numbers(&after);
        let value = found[&0];
        // The write under way may have arrived just before the power went.
        prop_assert!(value == answered || value == answered + 1, "answered {}, found {}", answered, value);
        if value > 0 {
            prop_assert!((100..300).all(|key| found[&key] == value));
        }
        put(&after, 1, 1).wait().unwrap();
    }
}
