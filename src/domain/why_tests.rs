//! Every state of a subscriber, and the sentence for it.

use super::*;
use crate::domain::bandwidth_rule::Rules;
use crate::domain::id::{PlanId, SubscriberId};
use crate::domain::octets::Traffic;
use crate::domain::plan::Plan;
use crate::domain::quota::Used;
use crate::domain::rate::{FASTEST_KBPS, Rate};
use crate::domain::testing;
use crate::domain::text::Username;
use crate::domain::time::{Calendar, DAY, HOUR, MINUTE};
use crate::domain::window::Window;

/// 2026-11-22 12:00 UTC, a Sunday.
const NOW: Timestamp = Timestamp(1_795_348_800_000);

fn plan() -> Plan {
    Plan {
        id: PlanId(1),
        pool: "home".into(),
        created_at: NOW,
        ..testing::plan("Home 20", Rate::new(5_000, 20_000))
    }
}

fn subscriber() -> Subscriber {
    let name = Username::parse("ali").unwrap();
    Subscriber::new(SubscriberId(1), name, PlanId(1), NOW)
}

/// The facts of one case, changed from "nothing ever happened".
struct Case {
    plan: Plan,
    subscriber: Subscriber,
    used: u64,
    open: Option<Presence>,
    ended: Option<(Timestamp, Cause)>,
    attempt: Option<(i64, Option<Reason>)>,
}

fn case(change: impl FnOnce(&mut Case)) -> Why {
    let mut case = Case {
        plan: plan(),
        subscriber: subscriber(),
        used: 0,
        open: None,
        ended: None,
        attempt: None,
    };
    change(&mut case);
    let known = Known {
        subscriber: &case.subscriber,
        speed: SpeedFacts {
            subscriber: case.subscriber.id,
            plan: &case.plan,
            own: case.subscriber.rate_override,
            boost: case.subscriber.boost,
            used: Used {
                today: Traffic::ZERO,
                month: Traffic::new(case.used, 0),
                term: Traffic::ZERO,
            },
            raised: 0,
            expires_at: case.subscriber.expires_at,
            rules: &Rules::default(),
            calendar: &Calendar::utc(),
            fastest_kbps: FASTEST_KBPS,
        },
        open: case.open.map(|presence| OpenSession {
            started_at: NOW.plus(-HOUR),
            heard_at: NOW.plus(-5 * MINUTE),
            presence,
        }),
        ended: case.ended,
        attempt: case.attempt.map(|(ago, reason)| LastAttempt {
            at: NOW.plus(-ago),
            nas: NasId(7),
            reason,
        }),
    };
    explain(&known, NOW)
}

fn says(why: &Why, mood: Mood, title: &str, text: &str, remedy: Option<Remedy>) {
    assert_eq!(why.title, title);
    assert_eq!(why.mood, mood, "{title}");
    assert!(why.text.contains(text), "{title}: {}", why.text);
    assert_eq!(why.remedy, remedy, "{title}");
}

#[test]
fn online_with_the_speed_of_the_plan_or_another() {
    let plain = case(|c| c.open = Some(Presence::Online));
    says(
        &plain,
        Mood::Well,
        "Online at 20 Mbit/s down, 5 Mbit/s up",
        "plan Home 20.",
        None,
    );
    assert!(plain.steps.is_empty());
    let slow = case(|c| {
        c.open = Some(Presence::Online);
        c.subscriber.rate_override = Some(Rate::new(5_000, 4_000));
    });
    says(
        &slow,
        Mood::Notable,
        "Online at 4 Mbit/s down, 5 Mbit/s up",
        "Slower than the plan Home 20",
        Some(Remedy::EditSubscriber("Change the speed")),
    );
    assert_eq!(
        slow.steps,
        [
            "Plan Home 20: 20 Mbit/s down, 5 Mbit/s up",
            "The subscriber's own speed: 4 Mbit/s down, 5 Mbit/s up"
        ]
    );
    let fast = case(|c| {
        c.open = Some(Presence::Online);
        c.subscriber.rate_override = Some(Rate::new(5_000, 20_000));
    });
    assert_eq!((fast.mood, fast.remedy), (Mood::Well, None));
}

#[test]
fn online_although_the_term_is_over() {
    let over = |c: &mut Case, at: Timestamp| {
        c.open = Some(Presence::Online);
        c.subscriber.expires_at = Some(at);
        c.plan.on_expiry = OnExpiry::ExpiredPool {
            pool: "late".into(),
        };
    };
    says(
        &case(|c| over(c, NOW)),
        Mood::Doubtful,
        "Online, but restricted: the term is over",
        "Expired on 2026-11-22. The plan gives an address from the pool late",
        Some(Remedy::EditSubscriber("Set a new date")),
    );
    let not_yet = case(|c| over(c, NOW.plus(1)));
    assert_eq!(not_yet.mood, Mood::Well);
    says(
        &case(|c| {
            over(c, NOW);
            c.plan.on_expiry = OnExpiry::Reject;
        }),
        Mood::Doubtful,
        "Online, but the next login is rejected: expired",
        "Set a new expiry date",
        Some(Remedy::EditSubscriber("Set a new date")),
    );
}

#[test]
fn what_the_record_says_refuses_before_what_was_attempted() {
    let wrong_password = Some((3 * MINUTE, Some(Reason::WrongPassword)));
    says(
        &case(|c| {
            c.attempt = wrong_password;
            c.subscriber.status = Status::Suspended {
                since: NOW.plus(-DAY),
                reason: "unpaid".into(),
            };
        }),
        Mood::Rejected,
        "Rejected: suspended since 2026-11-21 12:00, unpaid",
        "The last attempt was 3 min ago.",
        Some(Remedy::EditSubscriber("Edit")),
    );
    says(
        &case(|c| c.subscriber.expires_at = Some(NOW.plus(-2 * DAY))),
        Mood::Rejected,
        "Rejected: expired 2 d ago",
        "Set a new expiry date",
        Some(Remedy::EditSubscriber("Set a new date")),
    );
    for (used, mood) in [(999, Mood::Notable), (1_000, Mood::Rejected)] {
        let why = case(|c| {
            c.plan.quota.monthly = Some(1_000);
            c.used = used;
        });
        assert_eq!(why.mood, mood, "{}", why.title);
    }
    says(
        &case(|c| c.plan.login_hours = Some(Window::parse("13:00-14:00").unwrap())),
        Mood::Rejected,
        "Rejected: outside allowed hours",
        "at other hours",
        Some(Remedy::EditPlan("Change the hours")),
    );
}

#[test]
fn offline_after_an_attempt_a_session_or_nothing() {
    says(
        &case(|_| {}),
        Mood::Notable,
        "Never online",
        "No router has asked",
        None,
    );
    says(
        &case(|c| c.ended = Some((NOW.plus(-2 * HOUR), Cause::Radius(2)))),
        Mood::Notable,
        "Offline for 2 h",
        "Lost-Carrier",
        None,
    );
    says(
        &case(|c| {
            c.ended = Some((NOW.plus(-2 * HOUR), Cause::Radius(1)));
            c.attempt = Some((3 * HOUR, None));
        }),
        Mood::Notable,
        "Offline for 2 h",
        "User-Request",
        None,
    );
    says(
        &case(|c| c.attempt = Some((MINUTE, None))),
        Mood::Doubtful,
        "Accepted 1 min ago, but no session was reported",
        "UDP 1813",
        Some(Remedy::LookAtNas(NasId(7))),
    );
    says(
        &case(|c| c.attempt = Some((MINUTE, Some(Reason::Expired)))),
        Mood::Notable,
        "Offline; rejected 1 min ago: expired",
        "gone by now",
        None,
    );
    says(
        &case(|c| c.open = Some(Presence::Stale)),
        Mood::Doubtful,
        "Not heard of for 5 min",
        "blocks no login",
        Some(Remedy::LookAtSessions),
    );
}

#[test]
fn every_reason_of_a_rejected_attempt_is_explained() {
    let cases = [
        (
            Reason::BadRequest,
            "incomplete request",
            Remedy::LookAtNas(NasId(7)),
        ),
        (
            Reason::EapNotSupported,
            "EAP is not supported",
            Remedy::LookAtNas(NasId(7)),
        ),
        (Reason::UnknownUser, "unknown user", Remedy::LookAtAttempts),
        (
            Reason::WrongPassword,
            "wrong password",
            Remedy::EditSubscriber("Set the password"),
        ),
        (
            Reason::WrongSecret,
            "wrong shared secret on the router",
            Remedy::LookAtNas(NasId(7)),
        ),
        (
            Reason::WrongMac,
            "wrong MAC address",
            Remedy::EditSubscriber("Edit"),
        ),
        (
            Reason::WrongNas,
            "wrong NAS",
            Remedy::EditSubscriber("Edit"),
        ),
        (
            Reason::SessionLimit,
            "too many sessions",
            Remedy::LookAtSessions,
        ),
        (Reason::Fault, "internal fault", Remedy::LookAtAttempts),
    ];
    for (reason, words, remedy) in cases {
        let why = case(|c| c.attempt = Some((MINUTE, Some(reason))));
        let title = format!("Rejected 1 min ago: {words}");
        says(&why, Mood::Rejected, &title, advice(reason), Some(remedy));
    }
    let learned = case(|c| {
        c.subscriber.mac_mode = MacMode::Learn(2);
        c.attempt = Some((MINUTE, Some(Reason::WrongMac)));
    });
    assert!(learned.text.contains("Forget the MAC addresses"));
}
