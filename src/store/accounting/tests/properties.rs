//! Accounting against a model: any records with duplicates and late ones, folds and faults, and power loss at any point.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::hours::FreeWindow;
use crate::domain::quota::{Direction, Used};
use crate::domain::rate::{Rate, RateLimit};
use crate::domain::time::Day;
use crate::domain::window::Window;

/// The model needs no archive: it never folds, so it forgets nothing.
struct Nowhere;

impl Archive for Nowhere {
    fn folded(&self) -> u64 {
        0
    }

    fn usage_of_day(&self, _: Day, _: SubscriberId) -> Usage {
        Usage::ZERO
    }

    fn closed(&self, _: SessionId) -> Option<Session> {
        None
    }

    fn closed_of(&self, _: SubscriberId, _: usize) -> Vec<Session> {
        Vec::new()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Record(Record),
    /// An earlier record comes again.
    Repeat(proptest::sample::Index),
    /// The router of one of the sessions there are confirmed so many kbit/s.
    Tell(proptest::sample::Index, u64),
    /// Octets of one of them that shall not count, so many seconds after T0.
    Discount(proptest::sample::Index, u64, i64),
    Fold,
    /// The journal fails under the record, then works again and the router repeats it.
    JournalFails(Record, bool),
    /// The main file fails under a fold after so many accesses.
    FoldFails(usize),
    /// The power fails; the seed says which of the octets not synced arrive.
    PowerLoss(u64),
    Restart,
}

prop_compose! {
    /// Two routers, three session ids, two subscribers and a name that is known to nobody at times.
    fn records()(
        kind in prop_oneof![
            2 => Just(RecordKind::Start),
            6 => Just(RecordKind::Interim),
            3 => Just(STOP),
            1 => Just(RecordKind::On),
        ],
        nas in 1u32..=2,
        id in 0u8..3,
        who in 1u32..=3,
        is_known in any::<bool>(),
        login in 0u64..3,
        at in 0i64..400_000,
        session_time in proptest::option::of(0u32..200_000),
        totals in proptest::option::of((0u64..1_000, 0u64..1_000_000)),
        port in proptest::option::of(0u32..2),
        free_windows in free_windows(),
    ) -> Record {
        Record {
            kind,
            nas: NasId(nas),
            nas_since: Timestamp::from_seconds(T0 + 50_000),
            acct_session_id: vec![id],
            username: format!("user{who}"),
            subscriber: (who < 3 || is_known).then_some(SubscriberId(who)),
            login: (login > 0).then_some(LoginId(login)),
            event_at: Timestamp::from_seconds(T0 + at),
            received_at: Timestamp::from_seconds(T0 + at),
            session_time,
            totals: totals.map(|(upload, download)| Traffic::new(upload, download)),
            has_gigawords: true,
            place: Place { nas_port: port, ..Place::default() },
            free_windows,
            told: None,
        }
    }
}

fn free_windows() -> impl Strategy<Value = Vec<FreeWindow>> {
    let window = (0u16..1_440, 0u16..1_440).prop_map(|(start, end)| FreeWindow {
        window: Window {
            weekdays: 0,
            start,
            end,
        },
        free_percent: 70,
        direction: Direction::Download,
    });
    proptest::collection::vec(window, 0..2)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => records().prop_map(Step::Record),
        3 => any::<proptest::sample::Index>().prop_map(Step::Repeat),
        2 => (any::<proptest::sample::Index>(), 64u64..99).prop_map(|(of, kbps)| Step::Tell(of, kbps)),
        3 => (any::<proptest::sample::Index>(), 0u64..500_000, 0i64..400_000)
            .prop_map(|(of, octets, at)| Step::Discount(of, octets, at)),
        3 => Just(Step::Fold),
        1 => (records(), any::<bool>()).prop_map(|(record, full)| Step::JournalFails(record, full)),
        1 => (0usize..12).prop_map(Step::FoldFails),
        2 => any::<u64>().prop_map(Step::PowerLoss),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..60)
}

struct Against {
    bench: Bench,
    model: Live,
    given: Vec<Record>,
}

impl Against {
    fn give(&mut self, record: Record) {
        self.bench.give(record.clone());
        let sequence = self.model.applied() + 1;
        self.model
            .apply(sequence, &Entry::Record(record.clone()), &Nowhere);
        self.given.push(record);
    }

    /// What nobody waits for: it is applied when the model's sequence is reached.
    fn follow(&mut self, entry: Entry) {
        let sequence = self.model.applied() + 1;
        self.model.apply(sequence, &entry, &Nowhere);
        until(|| self.bench.accounting.live().applied() == sequence);
    }

    /// One of the sessions there are.
    fn pick(&self, index: proptest::sample::Index) -> Option<SessionId> {
        let ids: Vec<SessionId> = self.bench.sessions().into_keys().collect();
        (!ids.is_empty()).then(|| *index.get(&ids))
    }

    /// Every session and every day's usage is that of the model.
    fn compare(&self) {
        let model: BTreeMap<SessionId, Session> = self
            .model
            .open_sessions()
            .chain(self.model.ended_sessions())
            .map(|s| (s.id, s.clone()))
            .collect();
        assert_eq!(self.bench.sessions(), model);
        let live = self.bench.accounting.live();
        assert_eq!(live.open_count(), self.model.open_count());
        assert_eq!(live.online(), self.model.online());
        drop(live);
        let mut months = BTreeSet::new();
        for ((day, subscriber), octets) in self.model.all_usage_beyond(u64::MAX) {
            let picture = self.bench.accounting.picture().unwrap();
            let sum = self.model.usage_beyond(u64::MAX, day, subscriber);
            assert_eq!(sum, octets, "the model folds nothing");
            assert_eq!(picture.usage_of_day(day, subscriber).unwrap(), octets);
            assert_eq!(octets.free.lowest(octets.raw), octets.free);
            months.insert((day.month(), subscriber));
        }
        for (month, subscriber) in months {
            let picture = self.bench.accounting.picture().unwrap();
            let days = self.model.all_usage_beyond(u64::MAX);
            let days = days.filter(|((day, of), _)| day.month() == month && *of == subscriber);
            let sum = days.fold(Usage::ZERO, |sum, (_, octets)| sum + octets);
            assert_eq!(picture.usage_of_month(month, subscriber).unwrap(), sum);
        }
        self.bench.booked_to(ALI);
    }

    /// What counts is the sum of the model's days, whatever was kept of earlier answers.
    fn compare_used(&self) {
        let picture = self.bench.accounting.picture().unwrap();
        for subscriber in (1..=3).map(SubscriberId) {
            for (month, term, today) in [(0, -3, 3), (2, 0, 4), (0, -3, 2)] {
                let counting = used::counting(month, term, today);
                let sum = |from: Day| {
                    let days = self.model.usage_days_beyond(u64::MAX, subscriber);
                    let days = days.filter(|(day, _)| (from..=counting.today).contains(day));
                    days.fold(Usage::ZERO, |sum, (_, octets)| sum + octets)
                        .counted()
                };
                let wanted = Used {
                    today: sum(counting.today),
                    month: sum(counting.month.start),
                    term: sum(counting.term),
                };
                let used = picture.used(subscriber, &counting, &used::plan());
                assert_eq!(used.unwrap(), wanted);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_happens_the_state_is_that_of_the_answered_records(steps in steps()) {
        let mut it = Against {
            bench: bench(AT_ONCE),
            model: Live::new(Calendar::utc(), 0, Vec::new(), Recent::default()),
            given: Vec::new(),
        };
        for step in steps {
            match step {
                Step::Record(record) => it.give(record),
                Step::Repeat(index) if !it.given.is_empty() => {
                    let again = index.get(&it.given).clone();
                    it.give(again);
                }
                Step::Repeat(_) => {}
                Step::Tell(of, kbps) => {
                    let limit = RateLimit { rate: Rate::new(kbps, kbps), burst: None, priority: 8 };
                    if let Some(session) = it.pick(of) {
                        it.bench.accounting.tell(session, limit, Box::new(|| ()));
                        it.follow(Entry::Told { session, limit });
                    }
                }
                Step::Discount(of, octets, at) => {
                    let octets = Traffic::new(octets / 1_000, octets);
                    let at = Timestamp::from_seconds(T0 + at);
                    if let Some(session) = it.pick(of) {
                        it.bench.accounting.discount(session, octets, at);
                        it.follow(Entry::Discount { session, octets, at });
                    }
                }
                Step::Fold => assert!(it.bench.accounting.fold()),
                Step::JournalFails(record, is_full) => {
                    match is_full {
                        true => it.bench.journal.state().room = Some(7),
                        false => it.bench.journal.state().refuse_sync = true,
                    }
                    assert!(!is_answered(&it.bench.send(record.clone())));
                    it.bench.journal.heal();
                    it.give(record);
                }
                Step::FoldFails(power) => {
                    it.bench.main.state().power = Some(power);
                    it.bench.accounting.fold();
                    it.bench.power_returns();
                }
                Step::PowerLoss(seed) => {
                    let mut bits = seed;
                    let after = it.bench.after_power_loss(|| {
                        bits = bits.rotate_left(1);
                        bits & 1 == 1
                    });
                    it.bench.accounting.close();
                    it.bench.store.close();
                    it.bench = after;
                    it.compare();
                }
                Step::Restart => {
                    it.bench = it.bench.restart();
                    it.compare();
                }
            }
            it.compare_used();
        }
        it.compare();
        it.bench = it.bench.restart();
        it.compare();
        assert_eq!(it.bench.accounting.live().in_memory(), it.model.open_count(), "all is folded");
    }
}
