//! Bandwidth rules and the simulator: rows, follow-up work, audit, refusals; what would be, and why.

use super::*;
use crate::domain::bandwidth_rule::{Adjust, BandwidthRule};
use crate::domain::fup::{Threshold, Tier, TierAction};
use crate::domain::hours::{FreeWindow, SpeedWindow, WhenThrottled};
use crate::domain::id::RuleId;
use crate::domain::plan::{OnExpiry, Plan};
use crate::domain::quota::{Direction, WhenUsedUp};
use crate::domain::rate::{Burst, Rate};
use crate::domain::text::Username;
use crate::domain::window::Window;
use crate::operations::simulator::{Answer, Asked, Change, answer, preview, read};

fn rule(name: &str) -> BandwidthRule {
    BandwidthRule {
        id: RuleId(0),
        name: name.to_owned(),
        enabled: true,
        window: Window::parse("00:00-00:00").unwrap(),
        from: None,
        until: None,
        priority: 100,
        download: Adjust::Percent(200),
        upload: Adjust::Unchanged,
        plans: Vec::new(),
        subscribers: Vec::new(),
    }
}

fn window(text: &str) -> Window {
    Window::parse(text).unwrap()
}

#[test]
fn a_rule_lives_from_creation_to_deletion_and_everybody_is_told() {
    let it = TestApp::new();
    let app = &it.app;
    let home = it.add_plan(plan("Home"));
    let ali = it.add_subscriber(subscriber("Ali", home));
    let pushes = || {
        let work = waiting(&it, Lane::Routers);
        work.iter().filter(|work| **work == Work::PushAll).count()
    };
    let id = run(bandwidth_rules::create(app, &actor(), rule("Night"))).unwrap();
    let object = Object::BandwidthRule(id);
    assert_eq!(
        changes(&noted(&it, object)),
        [
            ("hours", "", "always"),
            ("download", "", "200 %"),
            ("upload", "", "unchanged"),
            ("for", "", "everybody")
        ]
    );
    assert_eq!((app.rules().get(id).unwrap().id, pushes()), (id, 1));
    assert_eq!(
        refused_field(run(bandwidth_rules::create(app, &actor(), rule("nIGHT")))),
        "name"
    );

    // Nothing changed: nothing is written.
    let before = entries(&it);
    run(bandwidth_rules::update(app, &actor(), id, rule("Night"))).unwrap();
    run(bandwidth_rules::enable(app, &actor(), id)).unwrap();
    assert_eq!((entries(&it), pushes()), (before, 1));

    let changed = BandwidthRule {
        window: window("1-5 22:00-06:00"),
        upload: Adjust::Add(512),
        plans: vec![home],
        subscribers: vec![ali],
        ..rule("Night")
    };
    run(bandwidth_rules::update(app, &actor(), id, changed)).unwrap();
    let entry = noted(&it, object);
    assert_eq!(
        (entry.action.as_str(), entry.object_name.as_str()),
        ("changed", "Night")
    );
    assert_eq!(
        changes(&entry),
        [
            ("hours", "always", "1,2,3,4,5 22:00-06:00"),
            ("upload", "unchanged", "+512 kbit/s"),
            ("for", "everybody", "Home, Ali")
        ]
    );
    run(bandwidth_rules::disable(app, &actor(), id)).unwrap();
    assert_eq!(noted(&it, object).action, "disabled");
    assert!(!app.rules().get(id).unwrap().enabled);
    run(bandwidth_rules::enable(app, &actor(), id)).unwrap();
    assert_eq!(
        (noted(&it, object).action.as_str(), pushes()),
        ("enabled", 4)
    );
    run(bandwidth_rules::remove(app, &actor(), id)).unwrap();
    assert!(app.rules().get(id).is_none());
    assert_eq!(
        (noted(&it, object).action.as_str(), pushes()),
        ("deleted", 5)
    );
    let gone = [
        run(bandwidth_rules::update(app, &actor(), id, rule("Night"))),
        run(bandwidth_rules::enable(app, &actor(), id)),
        run(bandwidth_rules::disable(app, &actor(), id)),
        run(bandwidth_rules::remove(app, &actor(), id)),
    ];
    for refused in gone {
        assert!(matches!(refused, Err(Error::Missing("bandwidth rule"))));
    }
}

#[test]
fn subscribers_of_a_rule_are_named_and_strangers_are_told() {
    let it = TestApp::new();
    let home = it.add_plan(plan("Home"));
    let ali = it.add_subscriber(subscriber("Ali", home));
    let names = |list: &[&str]| -> Vec<Username> {
        list.iter()
            .map(|name| Username::parse(name).unwrap())
            .collect()
    };
    let found = bandwidth_rules::named(&it.app, &names(&["aLI"])).unwrap();
    assert_eq!(found, [ali]);
    match bandwidth_rules::named(&it.app, &names(&["ali", "x", "y"])) {
        Err(Error::Field { field, problem }) => {
            assert_eq!(
                (field, problem.0.as_str()),
                ("subscribers", "Nobody is called x, y")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn live_sessions_are_told_of_every_change_that_may_concern_them() {
    let it = TestApp::new();
    let id = it.add_plan(plan("Home"));
    let tier = Tier {
        threshold: Threshold::Octets(1),
        action: TierAction::Notify,
    };
    let pushes = || {
        let work = waiting(&it, Lane::Routers);
        work.iter()
            .filter(|work| **work == Work::PushPlan(id))
            .count()
    };
    type Edit = fn(&mut Plan, Tier);
    let told: [Edit; 9] = [
        |plan, _| plan.rate = Rate::new(1_000, 1_000),
        |plan, _| {
            plan.burst = Some(Burst {
                rate: Rate::new(4_000, 20_000),
                threshold: Rate::new(1_000, 5_000),
                time_s: 8,
            });
        },
        |plan, _| plan.priority = 7,
        |plan, _| plan.quota.daily = Some(1),
        |plan, _| plan.quota.when_used_up = WhenUsedUp::GoOn,
        |plan, tier| plan.fair_use.monthly = vec![tier],
        |plan, _| {
            plan.speed_windows = vec![SpeedWindow {
                window: Window::parse("01:00-02:00").unwrap(),
                rate: Rate::new(9_000, 9_000),
                when_throttled: WhenThrottled::Skip,
            }];
        },
        |plan, _| plan.login_hours = Some(Window::parse("01:00-02:00").unwrap()),
        |plan, _| {
            plan.on_expiry = OnExpiry::Grace {
                days: 3,
                rate: None,
            }
        },
    ];
    for (number, edit) in told.into_iter().enumerate() {
        let mut changed = plan("Home");
        edit(&mut changed, tier);
        run(plans::update(&it.app, &actor(), id, changed)).unwrap();
        assert!(pushes() > number, "{number}");
    }
    // Back to the plain plan, and then only what holds at the next login.
    run(plans::update(&it.app, &actor(), id, plan("Home"))).unwrap();
    let before = pushes();
    let untold: [Edit; 4] = [
        |plan, _| plan.pool = "other".into(),
        |plan, _| plan.router_profile = "gold".into(),
        |plan, _| plan.notes = "n".into(),
        |plan, _| {
            plan.free_windows = vec![FreeWindow {
                window: Window::parse("01:00-02:00").unwrap(),
                free_percent: 50,
                direction: Direction::Both,
            }];
        },
    ];
    let mut changed = plan("Home");
    for edit in untold {
        edit(&mut changed, tier);
        run(plans::update(&it.app, &actor(), id, changed.clone())).unwrap();
    }
    assert_eq!(pushes(), before);
    let entry = noted(&it, Object::Plan(id));
    assert_eq!(
        changes(&entry),
        [("free hours", "none", "01:00-02:00: 1 GB counts as 0.5 GB")]
    );
}

/// 10 GB a day, then 2 Mbit/s; 20 Mbit/s at night; the last hour of it counts half.
fn metered() -> Plan {
    let mut metered = plan("Home");
    metered.fair_use.daily = vec![Tier {
        threshold: Threshold::Octets(10_000_000_000),
        action: TierAction::Throttle(Rate::new(500, 2_000)),
    }];
    metered.speed_windows = vec![SpeedWindow {
        window: window("22:00-06:00"),
        rate: Rate::new(4_000, 20_000),
        when_throttled: WhenThrottled::Skip,
    }];
    metered.free_windows = vec![FreeWindow {
        window: window("05:00-06:00"),
        free_percent: 50,
        direction: Direction::Both,
    }];
    metered
}

fn told(it: &TestApp, asked: &Asked) -> Answer {
    let question = read(&it.app, asked).unwrap().unwrap();
    answer(&it.app, &question).unwrap()
}

fn asked(pairs: &[(&str, &str)]) -> Asked {
    let mut asked = Asked::default();
    for (field, text) in pairs {
        let place = match *field {
            "subscriber" => &mut asked.subscriber,
            "plan" => &mut asked.plan,
            "at" => &mut asked.at,
            "today" => &mut asked.today,
            "month" => &mut asked.month,
            "term" => &mut asked.term,
            _ => &mut asked.expires,
        };
        *place = (*text).to_owned();
    }
    asked
}

fn change(at: &str, what: &str) -> Change {
    Change {
        at: at.to_owned(),
        what: what.to_owned(),
    }
}

#[test]
fn a_plan_is_simulated_with_its_steps_and_what_comes_next() {
    let it = TestApp::new();
    it.add_plan(metered());
    let at_night = told(&it, &asked(&[("plan", "hOME"), ("at", "2026-05-28 23:00")]));
    assert_eq!(at_night.speed, "20 Mbit/s down, 4 Mbit/s up");
    assert_eq!(
        (at_night.download_kbps, at_night.upload_kbps),
        (20_000, 4_000)
    );
    assert_eq!(at_night.used, ["today 0 B"]);
    assert!(at_night.is_accepted && at_night.reason.is_empty() && at_night.quota.is_empty());
    assert!(
        at_night
            .reply
            .contains(&"Mikrotik-Rate-Limit = \"4M/20M\"".to_owned()),
        "{:?}",
        at_night.reply
    );
    assert!(
        at_night
            .reply
            .contains(&"Framed-Pool = \"homes\"".to_owned())
    );
    assert_eq!(at_night.session_timeout, None);
    assert_eq!(
        at_night.changes,
        [
            change(
                "2026-05-29 05:00",
                "20 Mbit/s down, 4 Mbit/s up (1 GB counts as 0.5 GB)"
            ),
            change("2026-05-29 06:00", "10 Mbit/s down, 2 Mbit/s up"),
            change("2026-05-29 22:00", "20 Mbit/s down, 4 Mbit/s up"),
        ]
    );

    // Throttled, until the day is over: the window is for those who are not.
    let throttled = told(&it, &asked(&[("plan", "1"), ("today", "10")]));
    assert_eq!(throttled.at, "2026-05-28 20:26");
    assert_eq!(throttled.speed, "2 Mbit/s down, 500 kbit/s up");
    assert_eq!(throttled.quota, "daily tier 1 from 10.0 GB on");
    assert_eq!(throttled.steps.len(), 2);
    assert_eq!(
        throttled.changes[0],
        change("2026-05-29 00:05", "20 Mbit/s down, 4 Mbit/s up")
    );
    let below = told(&it, &asked(&[("plan", "1"), ("today", "9.999999999")]));
    assert_eq!(below.speed, "10 Mbit/s down, 2 Mbit/s up");
    let lines = throttled.lines();
    assert!(lines.contains(&"speed             2 Mbit/s down, 500 kbit/s up".to_owned()));
    let json: serde_json::Value = serde_json::to_value(&throttled).unwrap();
    assert_eq!(json["download_kbps"], 2_000);
}

#[test]
fn a_subscriber_is_simulated_with_its_own_usage_and_term() {
    let it = TestApp::new();
    let plan = it.add_plan(metered());
    it.add_subscriber(subscriber("Ali", plan));
    let now = told(&it, &asked(&[("subscriber", "aLI")]));
    assert_eq!(now.session_timeout, Some(30 * 86_400));
    assert_eq!(
        (now.subscriber.as_str(), now.plan.as_str()),
        ("aLI", "Home")
    );
    // The last day ends at five past midnight.
    let last = told(
        &it,
        &asked(&[("subscriber", "ali"), ("expires", "2026-05-28")]),
    );
    assert_eq!(last.session_timeout, Some(13_100));
    assert!(last.is_accepted);
    let ends = last
        .changes
        .iter()
        .find(|change| change.at == "2026-05-29 00:05");
    assert_eq!(ends.unwrap().what, "no login: Expired");
    let over = told(
        &it,
        &asked(&[("subscriber", "ali"), ("expires", "2026-05-27")]),
    );
    assert_eq!((over.is_accepted, over.reason.as_str()), (false, "Expired"));
    assert!(over.reply.is_empty() && over.session_timeout.is_none());
}

#[test]
fn what_cannot_be_understood_is_said_beside_its_field() {
    let it = TestApp::new();
    it.add_plan(plan("Home"));
    for (pairs, field, says) in [
        (&[][..], "subscriber", "A user name or a plan is needed"),
        (&[("plan", "none")], "plan", "There is no such plan"),
        (
            &[("subscriber", "x")],
            "subscriber",
            "Nobody has this user name",
        ),
        (&[("plan", "1"), ("at", "noon")], "at", "A date and a time"),
        (
            &[("plan", "1"), ("at", "2029-05-28 00:00")],
            "at",
            "At most two years",
        ),
        (
            &[("plan", "1"), ("at", "2024-05-26 00:00")],
            "at",
            "At most two years",
        ),
        (&[("plan", "1"), ("today", "-1")], "today", "Gigabytes"),
        (&[("plan", "1"), ("month", "x")], "month", "Gigabytes"),
        (&[("plan", "1"), ("term", "1,5")], "term", "Gigabytes"),
        (&[("plan", "1"), ("expires", "soon")], "expires", "A date"),
    ] {
        let problems = read(&it.app, &asked(pairs)).unwrap().unwrap_err();
        let (found, problem) = &problems[0];
        assert_eq!((*found, problems.len()), (field, 1));
        assert!(problem.0.starts_with(says), "{field}: {problem}");
    }
    let zero = asked(&[("plan", "1"), ("today", "0"), ("at", "2026-05-28T23:00")]);
    assert!(read(&it.app, &zero).unwrap().is_ok());
}

#[test]
fn a_plan_that_is_not_saved_is_previewed_at_each_tier() {
    let it = TestApp::new();
    let mut plan = metered();
    plan.fair_use.daily.push(Tier {
        threshold: Threshold::Octets(20_000_000_000),
        action: TierAction::Notify,
    });
    plan.fair_use.daily.push(Tier {
        threshold: Threshold::Octets(30_000_000_000),
        action: TierAction::Block,
    });
    let seen = preview(&it.app, plan).unwrap();
    let rows: Vec<(&str, &str, &str)> = seen
        .rows
        .iter()
        .map(|row| {
            (
                row.when.as_str(),
                row.download.as_str(),
                row.upload.as_str(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("now", "10 Mbit/s", "2 Mbit/s"),
            ("from 10.0 GB a day", "2 Mbit/s", "500 kbit/s"),
            ("from 30.0 GB a day", "–", "–"),
        ]
    );
    assert!(seen.rows[1].note.starts_with("Daily tier 1 at 10.0 GB"));
    assert_eq!(seen.free_hours, ["05:00-06:00: 1 GB counts as 0.5 GB"]);
    assert!(it.app.plans().is_empty());
}
