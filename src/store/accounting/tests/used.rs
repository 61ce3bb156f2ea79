//! What counts against quota and tiers, and that sums kept between folds are never older than the tables.

use super::*;
use crate::domain::hours::FreeWindow;
use crate::domain::plan::Plan;
use crate::domain::quota::{Counting, Direction, Period, Quota, QuotaKind, Used};
use crate::domain::rate::Rate;
use crate::domain::testing;
use crate::domain::time::{DAY, Day};
use crate::domain::window::Window;
use crate::store::accounting::kept::{Kept, Sum};

/// The business day of T0, 2026-05-28.
const FIRST: Day = Day(20_601);

pub(super) fn plan() -> Plan {
    Plan {
        quota: Quota {
            daily: Some(1),
            monthly: Some(1),
            total: Some(1),
            ..Quota::default()
        },
        ..testing::plan("Home", Rate::new(1, 1))
    }
}

/// Counts the month from `month` on and the term from `term` on, as of `today`; in days after FIRST.
pub(super) fn counting(month: i32, term: i32, today: i32) -> Counting {
    Counting {
        today: FIRST.plus(today),
        month: Period {
            start: FIRST.plus(month),
            end: FIRST.plus(month + 30),
        },
        term: FIRST.plus(term),
    }
}

fn used(bench: &Bench, counting: &Counting) -> Used {
    bench.accounting.used(ALI, counting, &plan()).unwrap()
}

/// Download of today, of the month and of the term.
fn downloads(bench: &Bench, counting: &Counting) -> [u64; 3] {
    let used = used(bench, counting);
    [used.today, used.month, used.term].map(|traffic| traffic.download)
}

/// A session of its own that used `download` octets in one minute, so many days after T0.
fn on_day(bench: &Bench, day: u32, download: u64) {
    let at = Timestamp::from_seconds(T0).plus(i64::from(day) * DAY);
    let name = bench.sessions().len().to_string();
    bench.give(Record {
        acct_session_id: name.into_bytes(),
        event_at: at,
        received_at: at,
        login: None,
        ..record(STOP, 60, 0, download)
    });
}

/// Changes the tables behind the back of accounting, which shows what is read from them.
fn spoil(bench: &Bench, day: i32, download: u64) {
    let write = bench.store.write("spoil", move |tx| {
        usage::add(tx, FIRST.plus(day), ALI, Traffic::new(0, download).into())
    });
    write.wait().unwrap();
}

#[test]
fn each_kind_counts_its_own_days_in_memory_and_in_the_tables() {
    let bench = bench(AT_ONCE);
    for (day, download) in [(0, 1), (3, 10), (4, 100), (5, 1_000)] {
        on_day(&bench, day, download);
    }
    for is_folded in [false, true] {
        assert_eq!(
            downloads(&bench, &counting(3, 0, 4)),
            [100, 110, 111],
            "{is_folded}"
        );
        assert_eq!(downloads(&bench, &counting(4, 4, 5)), [1_000, 1_100, 1_100]);
        assert_eq!(downloads(&bench, &counting(-90, 1, 3)), [10, 11, 10]);
        assert!(bench.accounting.fold());
    }
    // A plan that asks for one sum gets that one.
    let picture = bench.accounting.picture().unwrap();
    let only_month = Plan {
        quota: Quota {
            daily: None,
            total: None,
            ..plan().quota
        },
        ..plan()
    };
    let used = picture.used(ALI, &counting(3, 0, 4), &only_month).unwrap();
    assert_eq!((used.today, used.term), (Traffic::ZERO, Traffic::ZERO));
    assert_eq!(used.month.download, 110);
    let nobody = picture.used(SubscriberId(9), &counting(3, 0, 4), &plan());
    assert_eq!(nobody.unwrap(), Used::default());
}

#[test]
fn the_tables_are_added_up_once_and_folds_are_followed() {
    let bench = bench(AT_ONCE);
    let today = counting(1, 0, 5);
    on_day(&bench, 2, 1);
    on_day(&bench, 5, 10);
    assert!(bench.accounting.fold());
    assert_eq!(downloads(&bench, &today), [10, 11, 11]);
    spoil(&bench, 2, 100);
    assert_eq!(downloads(&bench, &today), [10, 11, 11], "from memory");
    // A fold adds what it writes to the sums that hold the day.
    on_day(&bench, 5, 20);
    assert_eq!(downloads(&bench, &today), [30, 31, 31]);
    assert!(bench.accounting.fold());
    assert_eq!(downloads(&bench, &today), [30, 31, 31]);
    // A late record of yesterday, and one before the month, which the term has; one of tomorrow is in neither.
    let today = counting(1, 0, 5);
    for (day, download) in [(4, 40), (0, 300), (6, 7_000)] {
        on_day(&bench, day, download);
    }
    for _ in 0..2 {
        assert_eq!(downloads(&bench, &today), [30, 71, 371]);
        assert!(bench.accounting.fold());
    }
    let bench = bench.restart();
    assert_eq!(
        downloads(&bench, &today),
        [30, 171, 471],
        "read again, spoilt as it is"
    );
}

#[test]
fn a_fold_that_reached_the_tables_and_did_not_end_counts_once() {
    let calendar = Calendar::utc();
    let bench = bench(AT_ONCE);
    let mut live = Live::new(calendar, 0, Vec::new(), Recent::default());
    let nothing = bench.store.view().unwrap();
    let give = |live: &mut Live, sequence: u64, day: u32, download| {
        let at = Timestamp::from_seconds(T0).plus(i64::from(day) * DAY);
        let record = Record {
            acct_session_id: sequence.to_be_bytes().to_vec(),
            event_at: at,
            received_at: at,
            ..record(STOP, 60, 0, download)
        };
        live.apply(sequence, &Entry::Record(record), &nothing);
    };
    let today = counting(0, 0, 5);
    let used = |live: &Live| {
        live.used(ALI, &today, &plan())
            .map(|used| used.term.download)
    };
    give(&mut live, 1, 5, 1);
    assert_eq!(used(&live), None, "nothing is kept yet");
    let sums = |folded, download| {
        let mut kept = Kept::default();
        kept.folded = folded;
        for kind in QuotaKind::ALL {
            let (from, until) = (today.began(kind), today.today.plus(1));
            let usage = Traffic::new(0, download).into();
            kept.put(kind, Sum { from, until, usage });
        }
        kept
    };
    // Read before the fold, and again in the middle of it, when the tables have it.
    for (folded, in_tables) in [(0, 100), (1, 101)] {
        live.keep(ALI, sums(0, 100));
        assert_eq!(used(&live), Some(101));
        if folded == 0 {
            assert_eq!(live.capture().sequence, 1);
        }
        live.keep(ALI, sums(folded, in_tables));
        assert_eq!(used(&live), Some(101), "{folded}");
        assert_eq!(live.kept(folded, ALI), Some(sums(folded, in_tables)));
        assert_eq!(live.kept(1 - folded, ALI), None);
    }
    give(&mut live, 2, 5, 10);
    assert_eq!(used(&live), Some(111));
    live.folded();
    assert_eq!(used(&live), Some(111));
    assert_eq!(live.kept(1, ALI), Some(sums(1, 101)));
    // The next one was not in the tables when the sums were read.
    assert_eq!(live.capture().sequence, 2);
    assert_eq!(used(&live), Some(111));
    live.folded();
    assert_eq!(used(&live), Some(111));
    assert_eq!(live.kept(2, ALI).map(|kept| kept.folded), Some(1));
}

#[test]
fn at_midnight_a_day_joins_and_when_the_clock_jumps_back_it_leaves() {
    let bench = bench(AT_ONCE);
    for (day, download) in [(1, 1), (2, 10), (3, 100)] {
        on_day(&bench, day, download);
    }
    assert!(bench.accounting.fold());
    assert_eq!(downloads(&bench, &counting(1, 1, 2)), [10, 11, 11]);
    spoil(&bench, 1, 1_000);
    assert_eq!(
        downloads(&bench, &counting(1, 1, 3)),
        [100, 111, 111],
        "only day 2 was added"
    );
    assert_eq!(downloads(&bench, &counting(1, 1, 5)), [0, 111, 111]);
    // Back again, and with another first day: added up anew.
    assert_eq!(downloads(&bench, &counting(1, 1, 3)), [100, 1_111, 1_111]);
    spoil(&bench, 1, 1_000);
    assert_eq!(downloads(&bench, &counting(2, 1, 3)), [100, 110, 1_111]);
    assert_eq!(downloads(&bench, &counting(1, 2, 3)), [100, 2_111, 110]);
}

#[test]
fn what_is_free_does_not_count() {
    let bench = bench(AT_ONCE);
    let free = |record: Record| Record {
        free_windows: vec![FreeWindow {
            window: Window::parse("00:00-00:00").unwrap(),
            free_percent: 70,
            direction: Direction::Download,
        }],
        ..record
    };
    bench.give(free(interim(60, 100, 1_000)));
    for _ in 0..2 {
        let used = used(&bench, &counting(0, 0, 0));
        assert_eq!(used.month, Traffic::new(100, 300));
        assert_eq!(bench.usage_of(ALI).raw, Traffic::new(100, 1_000));
        assert!(bench.accounting.fold());
    }
    let bench = bench.restart();
    bench.give(free(interim(120, 100, 2_000)));
    assert_eq!(
        used(&bench, &counting(0, 0, 0)).term,
        Traffic::new(100, 600)
    );
    assert_eq!(bench.only_session().free, Traffic::new(0, 1_400));
}

#[test]
fn whole_months_are_one_row_each_and_add_up_to_the_day() {
    let bench = bench(AT_ONCE);
    let write = bench.store.write("days", |tx| {
        for day in 0..800 {
            let octets = Traffic::new(1, u64::try_from(day).unwrap());
            usage::add(tx, Day(20_000 + day), ALI, octets.into())?;
        }
        Ok::<_, StoreError>(())
    });
    write.wait().unwrap();
    let view = bench.store.view().unwrap();
    for (from, until) in [
        (0, 800),
        (10, 11),
        (10, 10),
        (20, 10),
        (25, 400),
        (100, 131),
        (-5_000, 900),
    ] {
        let (from, until) = (Day(20_000 + from), Day(20_000 + until));
        let sum = usage::between(&view, ALI, from, until).unwrap();
        let mut days = Usage::ZERO;
        for day in from.0..until.0 {
            days += usage::of_day(&view, Day(day), ALI).unwrap();
        }
        assert_eq!(sum, days, "{from} to {until}");
    }
    // A term that began by a broken clock is no walk of a million years.
    let all = usage::between(&view, ALI, Day(i32::MIN), Day(30_000)).unwrap();
    assert_eq!(all.raw.upload, 800);
    assert_eq!(
        usage::between(&view, ALI, Day(0), Day(i32::MIN)).unwrap(),
        Usage::ZERO
    );
}
