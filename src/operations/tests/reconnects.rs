//! Changes that only a new login brings: what is planned, cancelled, carried out, and what needs none.

use super::*;
use crate::domain::id::SessionId;
use crate::domain::nas::Profile;
use crate::domain::rate::Rate;
use crate::domain::reconnect::Reconnect;
use crate::domain::session::RecordKind;
use crate::domain::time::{HOUR, Timestamp};
use crate::operations::reconnects::{self, Done};

/// 2026-05-29 04:00 UTC, seven and a half hours on.
const FOUR: Timestamp = Timestamp(1_780_027_200_000);
const NOTHING: Done = Done {
    ended: 0,
    is_more: false,
};

struct Bench {
    it: TestApp,
    nas: NasId,
    home: PlanId,
    /// From another pool.
    other: PlanId,
    /// As fast as home, from the same pool.
    alike: PlanId,
    ali: SubscriberId,
    session: SessionId,
}

fn bench(profile: Profile) -> Bench {
    let it = TestApp::new();
    let mut tower = router("tower", "127.0.0.1");
    tower.profile = profile;
    let nas = it.add_nas(tower);
    let home = it.add_plan(plan("Home"));
    let mut others = plan("Other");
    others.pool = "others".to_owned();
    let (other, alike) = (it.add_plan(others), it.add_plan(plan("Alike")));
    let ali = it.add_subscriber(subscriber("ali", home));
    let session = it.go_online("ali", ali, nas, LOCALHOST);
    Bench {
        it,
        nas,
        home,
        other,
        alike,
        ali,
        session,
    }
}

impl Bench {
    fn change(&self, plan: PlanId, own: Option<Rate>, reconnect: Reconnect) {
        let draft = subscribers::Draft {
            password: None,
            rate_override: own,
            reconnect,
            ..subscriber("ali", plan)
        };
        run(subscribers::update(&self.it.app, &actor(), self.ali, draft)).unwrap();
    }

    fn planned(&self) -> Option<Timestamp> {
        let planned = reconnects::planned_of(&self.it.app, self.ali).unwrap();
        planned.map(|plan| plan.due_at)
    }

    /// Orders to end the session that wait.
    fn ends(&self) -> usize {
        let end = Work::Disconnect(self.session);
        let work = waiting(&self.it, Lane::Routers);
        work.iter().filter(|work| **work == end).count()
    }

    fn carry_out(&self, at: Timestamp) -> Done {
        self.it.clock.move_to(at);
        reconnects::carry_out(&self.it.app, at).unwrap()
    }

    fn hang_up(&self) {
        let mut stop = interim(&self.it.app, "ali", self.ali, self.nas, LOCALHOST);
        stop.kind = RecordKind::Stop { cause: 1 };
        self.it.account(stop);
    }
}

#[test]
fn the_session_is_ended_at_once_tonight_or_not_at_all() {
    for (when, ends, planned, told) in [
        (Reconnect::NextLogin, 0, None, None),
        (Reconnect::Now, 1, None, Some("now")),
        (Reconnect::Tonight, 0, Some(FOUR), Some("2026-05-29 04:00")),
    ] {
        let bench = bench(Profile::MikroTik);
        bench.change(bench.other, None, when);
        assert_eq!((bench.ends(), bench.planned()), (ends, planned), "{when:?}");
        let entry = noted(&bench.it, Object::Subscriber(bench.ali));
        let changes = changes(&entry);
        let login = changes.iter().find(|(field, ..)| *field == "new login");
        assert_eq!(login.map(|(.., new)| *new), told, "{when:?}");
        // The speed is told at once in any case.
        let work = waiting(&bench.it, Lane::Routers);
        assert!(work.contains(&Work::PushSubscriber(bench.ali)));
    }
}

#[test]
fn what_a_coa_can_tell_ends_no_session() {
    let fast = Some(Rate::new(4_000, 40_000));
    for (profile, alike, faster) in [(Profile::MikroTik, 0, 0), (Profile::Cisco, 0, 1)] {
        let bench = bench(profile);
        bench.change(bench.alike, None, Reconnect::Now);
        assert_eq!(bench.ends(), alike, "{profile:?}");
        bench.change(bench.alike, fast, Reconnect::Now);
        assert_eq!(bench.ends(), faster, "{profile:?}");
    }
}

#[test]
fn what_was_planned_is_done_at_its_hour_and_once() {
    let bench = bench(Profile::MikroTik);
    bench.change(bench.other, None, Reconnect::Tonight);
    assert_eq!(bench.carry_out(FOUR.plus(-1)), NOTHING);
    assert_eq!((bench.ends(), bench.planned()), (0, Some(FOUR)));
    let one = Done {
        ended: 1,
        is_more: false,
    };
    assert_eq!(bench.carry_out(FOUR), one);
    assert_eq!((bench.ends(), bench.planned()), (1, None));
    let entry = noted(&bench.it, Object::Subscriber(bench.ali));
    assert_eq!(
        (&*entry.actor, &*entry.action, &*entry.object_name),
        ("system: planned new login", "disconnected", "ali")
    );
    assert_eq!(changes(&entry)[1], ("planned by", "", "command line"));
    assert_eq!(bench.carry_out(FOUR.plus(HOUR)), NOTHING);
    assert_eq!(bench.ends(), 1);
}

#[test]
fn a_session_that_ended_before_is_left_alone_and_so_is_the_next() {
    let bench = bench(Profile::MikroTik);
    bench.change(bench.other, None, Reconnect::Tonight);
    bench.hang_up();
    assert_eq!(bench.planned(), None, "it is over");
    let before = entries(&bench.it);
    assert_eq!(bench.carry_out(FOUR), NOTHING);
    assert_eq!((bench.ends(), entries(&bench.it)), (0, before));
    let view = bench.it.app.store.view().unwrap();
    assert_eq!(
        crate::store::planned::of(&view, bench.ali).unwrap(),
        [],
        "the row is dropped"
    );
}

#[test]
fn a_later_plan_takes_the_place_of_an_earlier_one_and_can_be_cancelled() {
    let bench = bench(Profile::MikroTik);
    let app = &bench.it.app;
    bench.change(bench.other, None, Reconnect::Tonight);
    bench.it.clock.move_to(FOUR);
    bench.change(bench.home, None, Reconnect::Tonight);
    let next_night = FOUR.plus(24 * HOUR);
    assert_eq!(bench.planned(), Some(next_night));
    assert_eq!(bench.carry_out(FOUR), NOTHING);
    let cancel = || run(reconnects::cancel(app, &actor(), bench.ali)).unwrap();
    assert!(cancel());
    assert_eq!(bench.planned(), None);
    let entry = noted(&bench.it, Object::Subscriber(bench.ali));
    assert_eq!(entry.action, "new login cancelled");
    assert_eq!(changes(&entry), [("new login", "2026-05-30 04:00", "")]);
    assert!(!cancel());
    assert_eq!(noted(&bench.it, Object::Subscriber(bench.ali)), entry);
    assert_eq!(bench.carry_out(next_night), NOTHING);
    assert_eq!(bench.ends(), 0);
    let gone = run(reconnects::cancel(app, &actor(), SubscriberId(99)));
    assert!(matches!(gone, Err(Error::Missing("subscriber"))));
}
