//! What is told about volume: once a period, whatever comes between, and not again after a restart.

use super::*;
use crate::domain::fup::{Threshold, Tier, TierAction};
use crate::domain::octets::Traffic;
use crate::domain::plan::Plan;
use crate::domain::quota::{Direction, MonthAnchor, Quota, WhenUsedUp};
use crate::domain::time::{DAY, Timestamp};
use crate::operations::fair_use::{self, Holds, Scope};
use crate::operations::speeds::{Whom, sweep};
use crate::store::Read;
use crate::store::notices::{KEPT_DAYS, KEPT_DAYS_OF_TERMS};
use crate::store::tables::QUOTA_NOTICES;

const GB: u64 = 1_000_000_000;

/// Goes on beyond 1 GB of download a day and 10 GB a month from the first of it; tells at half of the day.
fn metered() -> Plan {
    let mut plan = plan("Metered");
    plan.quota = Quota {
        daily: Some(GB),
        monthly: Some(10 * GB),
        direction: Direction::Download,
        anchor: MonthAnchor::DayOfMonth(1),
        when_used_up: WhenUsedUp::GoOn,
        ..Quota::default()
    };
    plan.fair_use.daily = vec![Tier {
        threshold: Threshold::Percent(50),
        action: TierAction::Notify,
    }];
    plan
}

struct Bench {
    it: TestApp,
    ali: SubscriberId,
    nas: NasId,
}

fn bench(plan: Plan) -> Bench {
    let it = TestApp::new();
    let nas = it.add_nas(router("tower", "127.0.0.1"));
    let plan = it.add_plan(plan);
    let ali = it.add_subscriber(subscriber("ali", plan));
    it.go_online("ali", ali, nas, LOCALHOST);
    Bench { it, ali, nas }
}

impl Bench {
    /// The session has downloaded so much by now, all but an octet of it at this moment, and a sweep has looked.
    fn use_up(&self, octets: u64) {
        let live = self.it.app.accounting.live();
        let before = live.open_of(self.ali).map(|s| s.highest.download).max();
        drop(live);
        for total in [before.unwrap_or(0) + 1, octets] {
            let mut record = interim(&self.it.app, "ali", self.ali, self.nas, LOCALHOST);
            record.totals = Some(Traffic::new(0, total));
            self.it.account(record);
        }
        self.sweep();
    }

    fn sweep(&self) {
        sweep(&self.it.app, &Whom::All, self.it.app.now()).unwrap();
    }

    /// What was told in the periods that run now, and when.
    fn told(&self) -> Vec<(String, Timestamp)> {
        let detail = overview::subscriber(&self.it.app, self.ali).unwrap();
        let told = detail.told.iter();
        told.map(|told| (told.notice.to_string(), told.at))
            .collect()
    }

    fn rows(&self) -> u64 {
        let view = self.it.app.store.view().unwrap();
        view.count(&QUOTA_NOTICES).unwrap()
    }

    fn commits(&self) -> u64 {
        self.it.app.store.health().commits
    }
}

fn at(notices: &[&str], at: Timestamp) -> Vec<(String, Timestamp)> {
    notices.iter().map(|n| ((*n).to_owned(), at)).collect()
}

const HALF: &str = "the daily tier 1 at 500 MB";
const DAY_80: &str = "80 % of the daily quota of 1.0 GB";
const DAY_90: &str = "90 % of the daily quota of 1.0 GB";
const DAY_100: &str = "100 % of the daily quota of 1.0 GB";

#[test]
fn each_mark_is_told_once_when_it_is_reached() {
    let bench = bench(metered());
    bench.use_up(GB / 2 - 1);
    assert_eq!(bench.told(), []);
    bench.use_up(GB / 2);
    assert_eq!(bench.told(), at(&[HALF], NOW));
    let later = NOW.plus(60_000);
    bench.it.clock.move_to(later);
    bench.use_up(9 * GB / 10);
    let mut told = at(&[DAY_80, DAY_90], later);
    told.extend(at(&[HALF], NOW));
    assert_eq!(bench.told(), told);
    // What was told is not written again.
    let commits = bench.commits();
    bench.sweep();
    assert_eq!((bench.commits(), bench.rows()), (commits, 3));
    bench.use_up(GB);
    assert_eq!(bench.told().len(), 4);
    // A day is in no audit log.
    let object = Object::Subscriber(bench.ali);
    assert_eq!(noted(&bench.it, object).action, "created");
}

#[test]
fn months_are_told_too_and_are_in_the_audit_log() {
    let bench = bench(metered());
    bench.use_up(8 * GB);
    let months = |told: &[(String, Timestamp)]| {
        let months = told.iter().filter(|(text, _)| text.contains("monthly"));
        months.count()
    };
    assert_eq!(months(&bench.told()), 1);
    let entry = noted(&bench.it, Object::Subscriber(bench.ali));
    assert_eq!(
        (&*entry.actor, &*entry.action),
        ("system: quota", "noticed")
    );
    assert_eq!(
        changes(&entry),
        [("reached", "", "80 % of the monthly quota of 10.0 GB")]
    );
    // 2026-05-29 is another day of the same month: the day begins anew, the month does not.
    let tomorrow = NOW.plus(DAY);
    bench.it.clock.move_to(tomorrow);
    let written = entries(&bench.it);
    bench.sweep();
    assert_eq!(bench.told().len(), 1);
    bench.use_up(8 * GB + 9 * GB / 10);
    let told = bench.told();
    assert_eq!(told[..2], at(&[DAY_80, DAY_90], tomorrow));
    assert_eq!((months(&told), entries(&bench.it)), (1, written));
}

#[test]
fn what_falls_below_a_mark_and_reaches_it_again_is_not_told_again() {
    let bench = bench(metered());
    let (app, ali) = (&bench.it.app, bench.ali);
    bench.use_up(GB);
    let told = bench.told();
    assert_eq!(told, at(&[DAY_80, DAY_90, DAY_100, HALF], NOW));
    let why = "storm".to_owned();
    run(fair_use::reset(app, &actor(), ali, Scope::Day, why)).unwrap();
    // Memory forgets it, the store does not.
    bench.sweep();
    bench.it.clock.move_to(NOW.plus(60_000));
    bench.use_up(2 * GB);
    assert_eq!((bench.told(), bench.rows()), (told, 4));
    // A top-up of the month moves its marks; those that were told stay told.
    bench.use_up(8 * GB);
    assert_eq!(bench.rows(), 5);
    run(fair_use::top_up(app, &actor(), ali, GB, Holds::EndOfMonth)).unwrap();
    bench.use_up(8 * GB + 8 * GB / 10);
    assert_eq!(bench.rows(), 5);
    bench.use_up(10 * GB);
    assert_eq!(bench.rows(), 6);
    let ninety = "90 % of the monthly quota of 11.0 GB".to_owned();
    assert!(bench.told().iter().any(|(text, _)| *text == ninety));
}

#[test]
fn a_restart_tells_nothing_twice() {
    let Bench { it, ali, nas } = {
        let bench = bench(metered());
        bench.use_up(GB);
        assert_eq!(bench.rows(), 4);
        bench
    };
    it.app.close();
    let TestApp { app, folder, .. } = it;
    drop(app);
    let it = TestApp::open(folder);
    let bench = Bench { it, ali, nas };
    let before = (entries(&bench.it), bench.rows());
    bench.it.clock.move_to(NOW.plus(60_000));
    sweep(&bench.it.app, &Whom::All, NOW.plus(60_000)).unwrap();
    assert_eq!((entries(&bench.it), bench.rows()), before);
    assert_eq!(bench.told(), at(&[DAY_80, DAY_90, DAY_100, HALF], NOW));
}

#[test]
fn what_was_told_long_ago_is_forgotten() {
    let mut plan = metered();
    plan.quota.monthly = None;
    plan.quota.total = Some(5 * GB);
    plan.fair_use.daily.clear();
    let bench = bench(plan);
    let days = |days: i32| NOW.plus(i64::from(days) * DAY);
    let more = |day, octets| {
        bench.it.clock.move_to(days(day));
        bench.use_up(octets);
        bench.rows()
    };
    // 80 % of the day, and of the term with 4 GB.
    assert_eq!(more(0, 8 * GB / 10), 1);
    assert_eq!(more(1, 4 * GB), 1 + 3 + 1);
    assert_eq!(more(KEPT_DAYS, 5 * GB), 5 + 3 + 2, "just young enough");
    assert_eq!(more(KEPT_DAYS + 1, 6 * GB), 10 - 1 + 3);
    // The term began with the subscriber, and is not told again while it is remembered.
    assert_eq!(more(KEPT_DAYS_OF_TERMS, 7 * GB), 3 + 3);
}
