//! Every check of a login, both sides of its edge, and their order.

use super::*;
use crate::domain::bandwidth_rule::Rules;
use crate::domain::id::{PlanId, SubscriberId};
use crate::domain::octets::Traffic;
use crate::domain::plan::Plan;
use crate::domain::quota::{Quota, Used};
use crate::domain::rate::{Burst, FASTEST_KBPS, Rate};
use crate::domain::testing;
use crate::domain::time::{Calendar, HOUR};
use crate::domain::window::Window;

const NOW: Timestamp = Timestamp(1_780_000_000_000);
const LINE: Mac = Mac([2, 0, 0, 0, 0, 1]);
const OTHER: Mac = Mac([2, 0, 0, 0, 0, 2]);

fn plan() -> Plan {
    Plan {
        id: PlanId(1),
        pool: "home".into(),
        created_at: NOW,
        ..testing::plan("Home", Rate::new(10_000, 50_000))
    }
}

fn facts<'a>(plan: &'a Plan, calendar: &'a Calendar) -> AccessFacts<'a> {
    AccessFacts {
        status: &Status::Enabled,
        speed: SpeedFacts {
            subscriber: SubscriberId(1),
            plan,
            own: None,
            boost: None,
            used: Used::default(),
            raised: 0,
            expires_at: None,
            rules: no_rules(),
            calendar,
            fastest_kbps: FASTEST_KBPS,
        },
        max_sessions: None,
        on_limit: None,
        mac_mode: MacMode::Off,
        macs: &[],
        only_nas: None,
        static_address: None,
        static_prefix: None,
        checks_hold: true,
        extra_reply: &[],
        open: &[],
        nas: NasId(1),
        mac: Some(LINE),
        login: LoginId(0),
        interim_interval: 60,
    }
}

fn no_rules() -> &'static Rules {
    static NONE: std::sync::LazyLock<Rules> = std::sync::LazyLock::new(Rules::default);
    &NONE
}

/// The same with another end of the term.
fn ending<'a>(mut facts: AccessFacts<'a>, expires_at: Timestamp) -> AccessFacts<'a> {
    facts.speed.expires_at = Some(expires_at);
    facts
}

fn open(id: u64, mac: Mac, silent_seconds: i64, presence: Presence) -> OpenSession {
    OpenSession {
        id: SessionId(id),
        nas: NasId(1),
        mac: Some(mac),
        started_at: NOW.plus(i64::try_from(id).unwrap()),
        heard_at: NOW.plus(-silent_seconds * SECOND),
        presence,
    }
}

fn accepted(facts: &AccessFacts<'_>) -> Accepted {
    match decide(facts, NOW) {
        Decision::Accept(accepted) => accepted,
        Decision::Reject(reason) => panic!("rejected: {reason:?}"),
    }
}

#[test]
fn the_term_ends_at_its_instant() {
    let (plan, calendar) = (plan(), Calendar::utc());
    let until = |ms| ending(facts(&plan, &calendar), NOW.plus(ms));
    assert_eq!(decide(&until(0), NOW), Decision::Reject(Reason::Expired));
    assert_eq!(accepted(&until(1)).entitlement.session_timeout, Some(60));
    assert_eq!(
        accepted(&until(HOUR)).entitlement.session_timeout,
        Some(3600)
    );
    assert_eq!(
        accepted(&facts(&plan, &calendar))
            .entitlement
            .session_timeout,
        None
    );
}

#[test]
fn the_timeout_is_spread_over_ten_minutes() {
    let hour = NOW.plus(HOUR);
    assert_eq!(spread_timeout(hour, NOW, LoginId(599)), 3600 + 599);
    assert_eq!(spread_timeout(hour, NOW, LoginId(600)), 3600);
    assert_eq!(
        spread_timeout(Timestamp(i64::MAX), NOW, LoginId(1)),
        u32::MAX
    );
}

#[test]
fn the_timeout_is_where_the_plan_ends_the_session() {
    let calendar = Calendar::utc();
    let with = |on_expiry, login_hours, expires_at: Option<i64>| {
        let plan = Plan {
            on_expiry,
            login_hours,
            ..plan()
        };
        let mut facts = facts(&plan, &calendar).speed;
        facts.expires_at = expires_at.map(|ms| NOW.plus(ms));
        session_timeout(&facts, NOW, LoginId(0))
    };
    let reject = || OnExpiry::Reject;
    assert_eq!(with(reject(), None, Some(HOUR)), Some(3_600));
    assert_eq!(with(reject(), None, None), None);
    let slower = OnExpiry::ExpiredSpeed {
        rate: Rate::new(64, 64),
    };
    assert_eq!(with(slower, None, Some(HOUR)), None, "it goes on");
    let grace = OnExpiry::Grace {
        days: 2,
        rate: None,
    };
    assert_eq!(with(grace, None, Some(HOUR)), Some(3_600 + 2 * 86_400));
    // 2026-05-28 20:26 UTC, a Thursday.
    let hours = |text| Some(Window::parse(text).unwrap());
    assert_eq!(with(reject(), hours("20:00-21:00"), None), Some(34 * 60));
    assert_eq!(
        with(reject(), hours("20:00-21:00"), Some(10 * MINUTE)),
        Some(600),
        "what comes first"
    );
    assert_eq!(with(reject(), hours("20:00-20:27"), None), Some(60));
    assert_eq!(with(reject(), hours("4 20:00-02:00"), None), Some(334 * 60));
    assert_eq!(with(reject(), hours("4 05:00-05:00"), None), Some(214 * 60));
    assert_eq!(with(reject(), hours("00:00-00:00"), None), None);
}

#[test]
fn a_grace_ends_with_its_last_moment() {
    let calendar = Calendar::utc();
    let plan = Plan {
        on_expiry: OnExpiry::Grace {
            days: 2,
            rate: Some(Rate::new(512, 1_000)),
        },
        ..plan()
    };
    let ended = |ms: i64| ending(facts(&plan, &calendar), NOW.plus(-ms));
    let at_once = accepted(&ended(0)).entitlement;
    assert_eq!(at_once.limit.rate, Rate::new(512, 1_000));
    assert!(!at_once.is_expired);
    assert!(matches!(
        decide(&ended(2 * DAY - 1), NOW),
        Decision::Accept(_)
    ));
    assert_eq!(
        decide(&ended(2 * DAY), NOW),
        Decision::Reject(Reason::Expired)
    );
}

#[test]
fn an_expired_subscriber_may_land_in_the_expired_pool() {
    let plan = Plan {
        on_expiry: OnExpiry::ExpiredPool {
            pool: "late".into(),
        },
        ..plan()
    };
    let calendar = Calendar::utc();
    let facts = AccessFacts {
        static_address: Some(Ipv4Addr::new(10, 0, 0, 9)),
        ..facts(&plan, &calendar)
    };
    let entitlement = accepted(&ending(facts, NOW)).entitlement;
    assert_eq!(entitlement.address, AddressChoice::Pool("late".into()));
    assert_eq!(
        (
            entitlement.address_list.as_str(),
            entitlement.session_timeout
        ),
        ("late", Some(3600))
    );
    assert!(entitlement.is_expired);
    assert_eq!(entitlement.limit.rate, Rate::new(1_000, 1_000));
}

#[test]
fn quota_blocks_when_it_is_reached() {
    let plan = Plan {
        quota: Quota {
            monthly: Some(100),
            ..Quota::default()
        },
        ..plan()
    };
    let calendar = Calendar::utc();
    let used = |octets| {
        let mut facts = facts(&plan, &calendar);
        facts.speed.used.month = Traffic::new(octets, 0);
        decide(&facts, NOW)
    };
    assert!(matches!(used(99), Decision::Accept(_)));
    assert_eq!(used(100), Decision::Reject(Reason::QuotaBlocked));
}

#[test]
fn mac_lock() {
    let (plan, calendar) = (plan(), Calendar::utc());
    let with = |mode, macs: &'static [Mac], mac| {
        decide(
            &AccessFacts {
                mac_mode: mode,
                macs,
                mac,
                ..facts(&plan, &calendar)
            },
            NOW,
        )
    };
    let learns = |decision| match decision {
        Decision::Accept(accepted) => Ok(accepted.learns),
        Decision::Reject(reason) => Err(reason),
    };
    assert_eq!(learns(with(MacMode::Off, &[OTHER], Some(LINE))), Ok(None));
    assert_eq!(learns(with(MacMode::Fixed, &[LINE], Some(LINE))), Ok(None));
    assert_eq!(
        learns(with(MacMode::Fixed, &[OTHER], Some(LINE))),
        Err(Reason::WrongMac)
    );
    assert_eq!(
        learns(with(MacMode::Fixed, &[LINE], None)),
        Err(Reason::WrongMac)
    );
    assert_eq!(
        learns(with(MacMode::Learn(1), &[], Some(LINE))),
        Ok(Some(LINE))
    );
    assert_eq!(learns(with(MacMode::Learn(1), &[], None)), Ok(None));
    assert_eq!(
        learns(with(MacMode::Learn(1), &[LINE], Some(LINE))),
        Ok(None)
    );
    assert_eq!(
        learns(with(MacMode::Learn(1), &[OTHER], Some(LINE))),
        Err(Reason::WrongMac)
    );
    assert_eq!(
        learns(with(MacMode::Learn(2), &[OTHER], Some(LINE))),
        Ok(Some(LINE))
    );
}

#[test]
fn session_limit() {
    let (plan, calendar) = (plan(), Calendar::utc());
    let with = |on_limit, max, open: &[OpenSession]| {
        let facts = AccessFacts {
            on_limit: Some(on_limit),
            max_sessions: Some(max),
            open,
            ..facts(&plan, &calendar)
        };
        match decide(&facts, NOW) {
            Decision::Accept(accepted) => {
                Ok(accepted.replaces.iter().map(|s| s.0).collect::<Vec<_>>())
            }
            Decision::Reject(reason) => Err(reason),
        }
    };
    let alive = open(1, OTHER, 0, Presence::Online);
    let newer = open(2, OTHER, 0, Presence::Online);
    let stale = open(3, OTHER, 300, Presence::Stale);
    let same_line = open(4, LINE, 0, Presence::Online);
    let replace = OnLimit::ReplaceOld;
    let reject = OnLimit::RejectNew;
    assert_eq!(with(replace, 1, &[]), Ok(vec![]));
    assert_eq!(with(replace, 1, &[alive]), Ok(vec![1]));
    assert_eq!(with(replace, 2, &[alive]), Ok(vec![]));
    assert_eq!(with(replace, 2, &[newer, alive]), Ok(vec![1]));
    assert_eq!(with(replace, 1, &[newer, alive]), Ok(vec![1, 2]));
    assert_eq!(with(replace, 1, &[stale, same_line]), Ok(vec![]));
    assert_eq!(with(reject, 1, &[alive]), Err(Reason::SessionLimit));
    assert_eq!(with(reject, 2, &[alive]), Ok(vec![]));
    assert_eq!(with(reject, 1, &[stale]), Ok(vec![]));
    assert_eq!(with(reject, 1, &[same_line]), Ok(vec![]));
    // Alive means an interim within two intervals of 60 s.
    assert_eq!(
        with(reject, 1, &[open(1, OTHER, 120, Presence::Online)]),
        Err(Reason::SessionLimit)
    );
    assert_eq!(
        with(reject, 1, &[open(1, OTHER, 121, Presence::Online)]),
        Ok(vec![1])
    );
}

#[test]
fn the_first_reason_in_order_is_named() {
    let calendar = Calendar::utc();
    let suspended = Status::Suspended {
        since: NOW,
        reason: String::new(),
    };
    let mut plan = Plan {
        quota: Quota {
            monthly: Some(0),
            ..Quota::default()
        },
        on_limit: OnLimit::RejectNew,
        // 2026-05-28 20:26 is outside.
        login_hours: Some(Window::parse("08:00-09:00").unwrap()),
        ..plan()
    };
    let alive = [open(1, OTHER, 0, Presence::Online)];
    let mut seen = Vec::new();
    for step in 0..9 {
        if step >= 3 {
            plan.quota = Quota::default();
        }
        if step >= 7 {
            plan.login_hours = None;
        }
        let facts = AccessFacts {
            status: if step < 1 {
                &suspended
            } else {
                &Status::Enabled
            },
            checks_hold: step >= 8,
            mac_mode: if step < 4 {
                MacMode::Fixed
            } else {
                MacMode::Off
            },
            only_nas: (step < 5).then_some(NasId(2)),
            open: if step < 6 { &alive } else { &[] },
            ..facts(&plan, &calendar)
        };
        let facts = if step < 2 { ending(facts, NOW) } else { facts };
        match decide(&facts, NOW) {
            Decision::Reject(reason) => seen.push(reason),
            Decision::Accept(_) => assert_eq!(step, 8),
        }
    }
    assert_eq!(
        seen,
        [
            Reason::Disabled,
            Reason::Expired,
            Reason::QuotaBlocked,
            Reason::WrongMac,
            Reason::WrongNas,
            Reason::SessionLimit,
            Reason::OutsideHours,
            Reason::CheckFailed
        ]
    );
}

#[test]
fn what_a_session_gets() {
    let calendar = Calendar::utc();
    let burst = Burst {
        rate: Rate::new(20_000, 90_000),
        threshold: Rate::new(8_000, 40_000),
        time_s: 16,
    };
    let plan = Plan {
        burst: Some(burst),
        address_list: "home".into(),
        priority: 5,
        ..plan()
    };
    let base = facts(&plan, &calendar);
    let mut own = AccessFacts {
        static_address: Some(Ipv4Addr::new(10, 0, 0, 9)),
        ..base.clone()
    };
    own.speed.own = Some(Rate::new(1, 9_999_999));

    let entitlement = accepted(&base).entitlement;
    assert_eq!(
        entitlement.limit,
        RateLimit {
            rate: plan.rate,
            burst: Some(burst),
            priority: 5
        }
    );
    assert_eq!(
        (
            entitlement.address,
            entitlement.address_list.as_str(),
            entitlement.interim_interval
        ),
        (AddressChoice::Pool("home".into()), "home", 60)
    );

    let entitlement = accepted(&own).entitlement;
    assert_eq!(
        entitlement.limit,
        RateLimit {
            rate: Rate::new(64, 4_294_967),
            burst: Some(Burst {
                rate: Rate::new(128, 4_294_967),
                threshold: Rate::new(64, 3_435_973),
                time_s: 16,
            }),
            priority: 5
        }
    );
    assert_eq!(
        entitlement.address,
        AddressChoice::Static(Ipv4Addr::new(10, 0, 0, 9))
    );

    let poolless = Plan {
        pool: String::new(),
        ..plan.clone()
    };
    assert_eq!(
        accepted(&facts(&poolless, &calendar)).entitlement.address,
        AddressChoice::Router
    );
}

#[test]
fn interim_follows_the_number_online() {
    assert_eq!(interim_interval(None, 3_000), 60);
    assert_eq!(interim_interval(None, 3_001), 120);
    assert_eq!(interim_interval(Some(300), 3_001), 300);
}

#[test]
fn the_routers_clock_is_believed_within_bounds() {
    let seconds = u32::try_from(NOW.seconds()).unwrap();
    let at = |stamp: Option<u32>, delay| event_time(stamp, delay, NOW).seconds() - NOW.seconds();
    assert_eq!(at(Some(seconds - 86_400), None), -86_400);
    assert_eq!(at(Some(seconds - 86_401), Some(7)), -7);
    assert_eq!(at(Some(seconds + 300), None), 300);
    assert_eq!(at(Some(seconds + 301), None), 0);
    assert_eq!(at(None, Some(u32::MAX)), -86_400);
}

#[test]
fn every_reason_has_its_own_code() {
    for reason in Reason::ALL {
        assert_eq!(Reason::from_code(reason.code()), Some(reason));
        assert!(!reason.words().is_empty() && !reason.reply_message().is_empty());
    }
}
