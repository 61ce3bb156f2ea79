//! The sweep of live sessions, and what operators do about fair use.

use super::*;
use crate::app::Wanted;
use crate::domain::fup::{Threshold, Tier, TierAction};
use crate::domain::octets::Traffic;
use crate::domain::plan::{OnExpiry, Plan};
use crate::domain::quota::{CreditScope, Direction, MonthAnchor, Quota, Validity};
use crate::domain::rate::{Rate, RateLimit};
use crate::domain::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::operations::fair_use::{self, Holds, Scope};
use crate::operations::speeds::{Whom, due, sweep};
use crate::store::subscribers as stored;

const GB: u64 = 1_000_000_000;

/// Slower at 1 GB a day and blocked at 2 GB a day.
fn tiered() -> Plan {
    let mut plan = plan("Tiered");
    plan.quota.direction = Direction::Download;
    plan.fair_use.daily = vec![
        Tier {
            threshold: Threshold::Octets(GB),
            action: TierAction::Throttle(Rate::new(512, 1_000)),
        },
        Tier {
            threshold: Threshold::Octets(2 * GB),
            action: TierAction::Block,
        },
    ];
    plan
}

struct Bench {
    it: TestApp,
    ali: SubscriberId,
    session: crate::domain::id::SessionId,
    nas: NasId,
}

/// Ali is online with this plan.
fn bench(plan: Plan) -> Bench {
    let it = TestApp::new();
    let nas = it.add_nas(router("tower", "127.0.0.1"));
    let plan = it.add_plan(plan);
    let ali = it.add_subscriber(subscriber("ali", plan));
    let session = it.go_online("ali", ali, nas, LOCALHOST);
    Bench {
        it,
        ali,
        session,
        nas,
    }
}

impl Bench {
    /// What the router is to be told now.
    fn due(&self) -> Option<Wanted> {
        let due = due(&self.it.app, &Whom::All, self.it.app.now()).unwrap();
        assert!(due.len() <= 1);
        due.first().map(|due| due.wanted)
    }

    fn speed(&self) -> Option<Rate> {
        match self.due() {
            Some(Wanted::Speed(limit)) => Some(limit.rate),
            _ => None,
        }
    }

    /// The session has downloaded so much by now.
    fn use_up(&self, octets: u64) {
        let mut record = interim(&self.it.app, "ali", self.ali, self.nas, LOCALHOST);
        record.totals = Some(Traffic::new(0, octets));
        self.it.account(record);
    }

    fn tell(&self, up: u64, down: u64) {
        let limit = RateLimit {
            rate: Rate::new(up, down),
            burst: None,
            priority: 8,
        };
        let noted = Box::new(|| ());
        self.it.app.accounting.tell(self.session, limit, noted);
        until(|| {
            let live = self.it.app.accounting.live();
            live.session(self.session).unwrap().told == Some(limit)
        });
    }
}

#[test]
fn a_session_is_due_until_its_router_has_confirmed_the_speed() {
    let bench = bench(tiered());
    assert_eq!(bench.speed(), Some(Rate::new(2_000, 10_000)));
    bench.tell(2_000, 10_000);
    assert_eq!(bench.due(), None);
    bench.use_up(GB - 1);
    assert_eq!(bench.due(), None);
    bench.use_up(GB);
    assert_eq!(bench.speed(), Some(Rate::new(512, 1_000)));
    bench.tell(512, 1_000);
    assert_eq!(bench.due(), None);
    bench.use_up(2 * GB);
    assert_eq!(bench.due(), Some(Wanted::End));
    // The next day is a new count.
    bench.it.clock.move_to(NOW.plus(DAY));
    assert_eq!(bench.speed(), Some(Rate::new(2_000, 10_000)));
}

#[test]
fn the_sweep_leaves_each_change_once_in_the_outbox() {
    let bench = bench(tiered());
    let app = &bench.it.app;
    let before = waiting(&bench.it, Lane::Routers).len();
    assert_eq!(sweep(app, &Whom::All, NOW).unwrap(), 1);
    assert_eq!(
        waiting(&bench.it, Lane::Routers)[before..],
        [Work::PushSession(bench.session)]
    );
    assert_eq!(sweep(app, &Whom::All, NOW).unwrap(), 0, "it is under way");
    app.pushes.fail(bench.session, "silence".into(), NOW);
    let later = NOW.plus(MINUTE);
    assert_eq!(sweep(app, &Whom::All, NOW).unwrap(), 0, "not yet");
    assert_eq!(sweep(app, &Whom::All, later).unwrap(), 1);
    assert_eq!(
        sweep(app, &Whom::Plan(PlanId(999)), later).unwrap(),
        0,
        "another plan"
    );
}

#[test]
fn a_term_that_is_over_ends_the_session_after_its_own_timeout() {
    let ends = NOW.plus(30 * DAY);
    let at = |on_expiry: OnExpiry, ms: i64| {
        let mut plan = plan("Ends");
        plan.on_expiry = on_expiry;
        let bench = bench(plan);
        bench.it.clock.move_to(ends.plus(ms));
        bench.due()
    };
    let speed = |kbps| {
        Some(Wanted::Speed(RateLimit {
            rate: Rate::new(kbps, kbps),
            burst: None,
            priority: 8,
        }))
    };
    let slow = || OnExpiry::ExpiredSpeed {
        rate: Rate::new(128, 128),
    };
    let pool = || OnExpiry::ExpiredPool {
        pool: "late".into(),
    };
    assert_eq!(at(OnExpiry::Reject, 12 * MINUTE), None);
    assert_eq!(at(OnExpiry::Reject, 12 * MINUTE + 1), Some(Wanted::End));
    assert_eq!(at(pool(), 12 * MINUTE + 1), Some(Wanted::End));
    assert_eq!(at(slow(), 0), speed(128));
    assert_eq!(at(slow(), DAY), speed(128));
    let grace = || OnExpiry::Grace {
        days: 2,
        rate: Some(Rate::new(256, 256)),
    };
    assert_eq!(at(grace(), 0), speed(256));
    assert_eq!(at(grace(), 2 * DAY + 12 * MINUTE), None);
    assert_eq!(at(grace(), 2 * DAY + 12 * MINUTE + 1), Some(Wanted::End));
}

#[test]
fn a_new_date_asks_for_a_new_login_only_where_the_address_moves() {
    let over = Some(NOW.plus(-HOUR));
    let paid = Some(NOW.plus(30 * DAY));
    let slow = Rate::new(128, 128);
    let pool = OnExpiry::ExpiredPool {
        pool: "late".into(),
    };
    let grace = OnExpiry::Grace {
        days: 2,
        rate: Some(slow),
    };
    // Whether the end of the term, and the payment, ask for one.
    let cases = [
        (OnExpiry::Reject, true, false),
        (pool, true, true),
        (OnExpiry::ExpiredSpeed { rate: slow }, false, false),
        (grace, false, false),
    ];
    for (on_expiry, at_end, at_payment) in cases {
        let it = TestApp::new();
        let mut ends = plan("Ends");
        ends.on_expiry = on_expiry.clone();
        let plan = it.add_plan(ends);
        let draft = |expires_at| subscribers::Draft {
            expires_at,
            ..subscriber("ali", plan)
        };
        let ali = it.add_subscriber(draft(paid));
        for (date, is_login) in [(over, at_end), (paid, at_payment)] {
            run(subscribers::update(&it.app, &actor(), ali, draft(date))).unwrap();
            let wanted = match is_login {
                true => Work::DisconnectSubscriber(ali),
                false => Work::PushSubscriber(ali),
            };
            let waiting = waiting(&it, Lane::Routers);
            assert_eq!(waiting.last(), Some(&wanted), "{on_expiry:?} {date:?}");
        }
    }
}

#[test]
fn a_session_that_began_in_the_expired_pool_may_stay_there() {
    let mut plan = plan("Walled");
    plan.on_expiry = OnExpiry::ExpiredPool {
        pool: "late".into(),
    };
    let it = TestApp::new();
    let nas = it.add_nas(router("tower", "127.0.0.1"));
    let plan = it.add_plan(plan);
    let mut draft = subscriber("ali", plan);
    draft.expires_at = Some(NOW.plus(-DAY));
    let ali = it.add_subscriber(draft);
    it.go_online("ali", ali, nas, LOCALHOST);
    let due = due(&it.app, &Whom::All, NOW).unwrap();
    assert!(matches!(due[0].wanted, Wanted::Speed(limit) if limit.rate == Rate::new(1_000, 1_000)));
}

#[test]
fn resetting_gives_the_speed_back_and_erases_nothing() {
    let bench = bench(tiered());
    let (app, ali) = (&bench.it.app, bench.ali);
    bench.use_up(GB);
    assert_eq!(bench.speed(), Some(Rate::new(512, 1_000)));
    run(fair_use::reset(
        app,
        &actor(),
        ali,
        Scope::Day,
        "storm".into(),
    ))
    .unwrap();
    assert_eq!(bench.speed(), Some(Rate::new(2_000, 10_000)));
    assert_eq!(
        waiting(&bench.it, Lane::Routers).last(),
        Some(&Work::PushSubscriber(ali))
    );
    let entry = noted(&bench.it, Object::Subscriber(ali));
    assert_eq!(entry.action, "FUP reset");
    assert_eq!(
        changes(&entry),
        [
            ("daily usage that counts", "1.0 GB", "0 B"),
            ("reason", "", "storm")
        ]
    );
    let found = stored::get(&app.store.view().unwrap(), ali)
        .unwrap()
        .unwrap();
    assert!(matches!(
        found.subscriber.credits[0].scope,
        CreditScope::Day(_)
    ));
    // As much again, and the tier is reached again.
    bench.use_up(2 * GB - 1);
    assert_eq!(bench.speed(), Some(Rate::new(2_000, 10_000)));
    bench.use_up(2 * GB);
    assert_eq!(bench.speed(), Some(Rate::new(512, 1_000)));
    // Nothing was used by somebody else, so nothing is written.
    let before = entries(&bench.it);
    bench.it.clock.move_to(NOW.plus(DAY));
    run(fair_use::reset(
        app,
        &actor(),
        ali,
        Scope::Day,
        String::new(),
    ))
    .unwrap();
    assert_eq!(entries(&bench.it), before);
}

#[test]
fn a_boost_holds_until_its_instant() {
    let bench = bench(tiered());
    let (app, ali) = (&bench.it.app, bench.ali);
    let fast = Rate::new(20_000, 50_000);
    let boost = |until| run(fair_use::boost(app, &actor(), ali, fast, until));
    assert_eq!(refused_field(boost(NOW)), "until");
    assert_eq!(refused_field(boost(NOW.plus(31 * DAY + 1))), "until");
    boost(NOW.plus(HOUR)).unwrap();
    assert_eq!(bench.speed(), Some(fast));
    bench.it.clock.move_to(NOW.plus(HOUR));
    assert_eq!(bench.speed(), Some(Rate::new(2_000, 10_000)));
    bench.it.clock.move_to(NOW);
    run(fair_use::end_boost(app, &actor(), ali)).unwrap();
    assert_eq!(bench.speed(), Some(Rate::new(2_000, 10_000)));
    assert_eq!(
        noted(&bench.it, Object::Subscriber(ali)).action,
        "boost ended"
    );
}

/// 1 GB a month from the first of it.
fn metered() -> Plan {
    let mut plan = plan("Metered");
    plan.quota = Quota {
        monthly: Some(GB),
        direction: Direction::Download,
        anchor: MonthAnchor::DayOfMonth(1),
        ..Quota::default()
    };
    plan
}

#[test]
fn a_top_up_opens_a_quota_that_is_used_up_and_pays_when_the_month_is_over() {
    let bench = bench(metered());
    let (app, ali) = (&bench.it.app, bench.ali);
    let top_up = |octets, holds| run(fair_use::top_up(app, &actor(), ali, octets, holds));
    let top_ups = || {
        let found = stored::get(&app.store.view().unwrap(), ali)
            .unwrap()
            .unwrap();
        let sizes = found.subscriber.top_ups.iter();
        sizes.map(|t| (t.octets, t.used)).collect::<Vec<_>>()
    };
    bench.use_up(GB);
    assert_eq!(bench.due(), Some(Wanted::End));
    top_up(GB, Holds::UntilUsed).unwrap();
    assert_eq!(bench.speed(), Some(Rate::new(2_000, 10_000)));
    top_up(GB / 2, Holds::EndOfMonth).unwrap();
    bench.use_up(2 * GB + GB / 2 - 1);
    assert!(bench.speed().is_some());
    bench.use_up(2 * GB + GB / 2);
    assert_eq!(bench.due(), Some(Wanted::End));
    assert_eq!(fair_use::settle_top_ups(app, NOW).unwrap(), 0);
    assert_eq!(top_ups(), [(GB, 0), (GB / 2, 0)]);
    // A month later the one that ended with its month is gone, and the other has paid the rest: 1 GB.
    let next_month = NOW.plus(31 * DAY);
    bench.it.clock.move_to(next_month);
    assert_eq!(fair_use::settle_top_ups(app, next_month).unwrap(), 1);
    assert_eq!(top_ups(), []);
    assert_eq!(fair_use::settle_top_ups(app, next_month).unwrap(), 0);
}

#[test]
fn what_a_month_left_of_a_top_up_is_there_in_the_next() {
    let bench = bench(metered());
    let (app, ali) = (&bench.it.app, bench.ali);
    run(fair_use::top_up(app, &actor(), ali, GB, Holds::Days(90))).unwrap();
    bench.use_up(GB + GB / 4);
    let next_month = NOW.plus(31 * DAY);
    bench.it.clock.move_to(next_month);
    assert_eq!(fair_use::settle_top_ups(app, next_month).unwrap(), 1);
    let found = stored::get(&app.store.view().unwrap(), ali)
        .unwrap()
        .unwrap();
    let top_up = &found.subscriber.top_ups[0];
    assert_eq!((top_up.octets, top_up.used), (GB, GB / 4));
    assert_eq!(top_up.validity, Validity::Until(NOW.plus(90 * DAY)));
    assert_eq!(top_up.bought_at, Timestamp(NOW.0));
}
