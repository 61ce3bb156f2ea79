//! Forgetting learned devices: of a list, and of those who were offline for long.

use super::*;
use crate::domain::mac::Mac;
use crate::domain::session::RecordKind;
use crate::domain::subscriber::MacMode;
use crate::domain::time::{DAY, Timestamp};
use crate::operations::macs::{self, Forgotten, Step};
use crate::operations::overview::SubscriberFilter;
use crate::store::subscribers as stored;

struct Bench {
    it: TestApp,
    nas: NasId,
    home: PlanId,
    /// Learns; knows one device.
    ali: SubscriberId,
    /// Only those listed.
    nour: SubscriberId,
}

fn bench() -> Bench {
    let it = TestApp::new();
    let nas = it.add_nas(router("tower", "127.0.0.1"));
    let home = it.add_plan(plan("Home"));
    let add = |name, mac_mode| {
        let macs = vec![Mac([1; 6])];
        it.add_subscriber(subscribers::Draft {
            mac_mode,
            macs,
            ..subscriber(name, home)
        })
    };
    let (ali, nour) = (add("ali", MacMode::Learn(1)), add("nour", MacMode::Fixed));
    Bench {
        it,
        nas,
        home,
        ali,
        nour,
    }
}

impl Bench {
    fn knows(&self, id: SubscriberId) -> bool {
        let view = self.it.app.store.view().unwrap();
        let found = stored::get(&view, id).unwrap().unwrap();
        !found.subscriber.macs.is_empty()
    }

    fn forget_offline(&self, days: u16, now: Timestamp) -> Step {
        macs::forget_offline(&self.it.app, SubscriberId(0), days, now).unwrap()
    }

    fn more(&self, name: &str, plan: PlanId) -> SubscriberId {
        self.it.add_subscriber(subscribers::Draft {
            mac_mode: MacMode::Learn(2),
            macs: vec![Mac([2; 6])],
            ..subscriber(name, plan)
        })
    }
}

const NOTHING: Step = Step {
    forgotten: 0,
    next: None,
};

#[test]
fn who_never_came_online_is_forgotten_so_many_days_after_its_creation() {
    let bench = bench();
    let due = NOW.plus(30 * DAY);
    assert_eq!(bench.forget_offline(30, due.plus(-1)), NOTHING);
    assert!(bench.knows(bench.ali));
    let done = bench.forget_offline(30, due);
    assert_eq!((done.forgotten, done.next), (1, None));
    assert!(!bench.knows(bench.ali));
    assert!(bench.knows(bench.nour), "a person made that list");
    let entry = noted(&bench.it, Object::Subscriber(bench.ali));
    assert_eq!(
        (&*entry.actor, &*entry.action),
        ("system: offline for long", "MAC addresses forgotten")
    );
    assert_eq!(
        changes(&entry),
        [("MAC addresses", "01:01:01:01:01:01", "")]
    );
    let work = waiting(&bench.it, Lane::Search);
    assert_eq!(work.last(), Some(&Work::IndexSubscriber(bench.ali)));
    assert_eq!(bench.forget_offline(30, due), NOTHING);
}

#[test]
fn the_end_of_the_last_session_begins_the_count_and_who_is_online_is_not_forgotten() {
    let bench = bench();
    let (it, ali) = (&bench.it, bench.ali);
    it.go_online("ali", ali, bench.nas, LOCALHOST);
    assert_eq!(bench.forget_offline(1, NOW.plus(400 * DAY)), NOTHING);
    let ended = NOW.plus(10 * DAY);
    it.clock.move_to(ended);
    let mut stop = interim(&it.app, "ali", ali, bench.nas, LOCALHOST);
    stop.kind = RecordKind::Stop { cause: 1 };
    it.account(stop);
    let due = ended.plus(30 * DAY);
    assert_eq!(bench.forget_offline(30, due.plus(-1)), NOTHING);
    assert_eq!(bench.forget_offline(30, due).forgotten, 1);
    assert!(!bench.knows(ali));
}

#[test]
fn a_step_looks_at_some_and_says_where_to_go_on() {
    let bench = bench();
    let added: Vec<SubscriberId> = (0..1_001)
        .map(|n| bench.more(&format!("more{n}"), bench.home))
        .collect();
    let due = NOW.plus(DAY);
    let first = bench.forget_offline(1, due);
    // 1,000 were looked at, one of which has a list.
    let next = added[998];
    assert_eq!((first.forgotten, first.next), (999, Some(next)));
    assert!(!bench.knows(added[997]) && bench.knows(next));
    let rest = macs::forget_offline(&bench.it.app, next, 1, due).unwrap();
    assert_eq!((rest.forgotten, rest.next), (3, None));
    assert!(!bench.knows(added[1_000]));
}

#[test]
fn the_learned_devices_of_a_list_are_forgotten_with_an_entry_each() {
    let bench = bench();
    let app = &bench.it.app;
    let other = bench.it.add_plan(plan("Other"));
    let away = bench.more("away", other);
    let zaid = bench.more("zaid", bench.home);
    let of = |plan| SubscriberFilter {
        plan: Some(plan),
        ..SubscriberFilter::default()
    };
    assert_eq!(macs::count_learned(app, &of(bench.home)).unwrap(), 2);
    assert_eq!(macs::count_learned(app, &of(other)).unwrap(), 1);
    let before = entries(&bench.it);
    let forget = |filter: SubscriberFilter| macs::forget_many(app, &actor(), &filter).unwrap();
    let done = |count| Forgotten { count, left: 0 };
    assert_eq!(forget(of(bench.home)), done(2));
    assert_eq!(entries(&bench.it), before + 2);
    assert!(!bench.knows(bench.ali) && !bench.knows(zaid));
    assert!(bench.knows(bench.nour) && bench.knows(away));
    assert_eq!(forget(of(bench.home)), done(0));
    assert_eq!(forget(SubscriberFilter::default()), done(1));
    assert!(!bench.knows(away) && bench.knows(bench.nour));
}

#[test]
fn the_days_are_set_and_taken_back() {
    let bench = bench();
    let app = &bench.it.app;
    let set = |days| run(macs::set_forgetting(app, &actor(), days)).unwrap();
    assert_eq!(app.settings().forget_macs_after, None);
    set(Some(30));
    assert_eq!(app.settings().forget_macs_after, Some(30));
    let field = "learned MAC addresses are forgotten after";
    let entry = noted(&bench.it, Object::Settings);
    assert_eq!(changes(&entry), [(field, "never", "30 days offline")]);
    set(Some(30));
    assert_eq!(noted(&bench.it, Object::Settings).sequence, entry.sequence);
    set(None);
    assert_eq!(app.settings().forget_macs_after, None);
    let entry = noted(&bench.it, Object::Settings);
    assert_eq!(changes(&entry), [(field, "30 days offline", "never")]);
}
