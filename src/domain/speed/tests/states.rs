//! Quotas, the end of a term, and the explanation.

use super::*;

#[test]
fn quotas_block_when_they_are_used_up() {
    let state = |change: fn(&mut Case)| {
        resolve(|c| {
            c.plan.quota = Quota {
                daily: Some(100),
                monthly: Some(1_000),
                total: Some(5_000),
                ..Quota::default()
            };
            change(c);
        })
        .quota
    };
    let blocked = |kind, limit, used| QuotaState::Blocked { kind, limit, used };
    assert_eq!(state(|c| c.used.today = down(99)), QuotaState::Ok);
    assert_eq!(
        state(|c| c.used.today = Traffic::new(60, 40)),
        blocked(QuotaKind::Day, 100, 100)
    );
    assert_eq!(
        state(|c| c.used.month = down(1_000)),
        blocked(QuotaKind::Month, 1_000, 1_000)
    );
    assert_eq!(
        state(|c| c.used.term = down(5_001)),
        blocked(QuotaKind::Term, 5_000, 5_001)
    );
    // A top-up extends the monthly quota only.
    let topped = |used: Used| {
        resolve(|c| {
            c.plan.quota.monthly = Some(1_000);
            c.plan.quota.daily = Some(5_000);
            c.raised = 10;
            c.used = used;
        })
        .quota
    };
    let month = |octets| Used {
        month: down(octets),
        ..Used::default()
    };
    assert_eq!(topped(month(1_009)), QuotaState::Ok);
    assert_eq!(
        topped(month(1_010)),
        blocked(QuotaKind::Month, 1_010, 1_010)
    );
    assert_eq!(
        topped(Used {
            today: down(5_000),
            ..month(5)
        }),
        blocked(QuotaKind::Day, 5_000, 5_000)
    );
    assert_eq!(
        state(|c| {
            c.used.today = down(100);
            c.plan.quota.when_used_up = WhenUsedUp::GoOn;
        }),
        QuotaState::Ok
    );
}

#[test]
fn a_blocking_tier_beats_all() {
    let both = resolve(|c| {
        c.plan.fair_use.monthly = vec![tier(10, TierAction::Block), throttle(20, 64, 64)];
        c.used.month = down(25);
    });
    assert_eq!(
        both.quota,
        QuotaState::Blocked {
            kind: QuotaKind::Month,
            limit: 10,
            used: 25
        }
    );
    let only_download = |used| {
        resolve(|c| {
            c.plan.quota.direction = crate::domain::quota::Direction::Download;
            c.plan.fair_use.daily = vec![tier(10, TierAction::Block)];
            c.used.today = used;
        })
        .quota
    };
    assert_eq!(only_download(Traffic::new(100, 9)), QuotaState::Ok);
    assert!(matches!(
        only_download(down(10)),
        QuotaState::Blocked { .. }
    ));
}

#[test]
fn the_end_of_a_term_decides_before_all() {
    let ended = |on_expiry: OnExpiry, ago: i64| {
        resolve(|c| {
            c.plan.on_expiry = on_expiry;
            c.expires_at = Some(NOW.plus(-ago));
            c.rules = Rules::new(vec![rule(1, 1, Adjust::Percent(200), Adjust::Percent(200))]);
            c.boost = Some(Boost {
                rate: Rate::new(9_000, 90_000),
                until: NOW.plus(1),
            });
        })
        .limit
    };
    let slow = || OnExpiry::ExpiredSpeed {
        rate: Rate::new(128, 256),
    };
    assert_eq!(ended(slow(), 0).rate, Rate::new(128, 256));
    assert_eq!(ended(slow(), -1).rate, Rate::new(10_000, 90_000));
    let pool = || OnExpiry::ExpiredPool { pool: "x".into() };
    assert_eq!(ended(pool(), 0).rate, EXPIRED_RATE);
    assert_eq!(
        (ended(pool(), 0).burst, ended(pool(), 0).priority),
        (None, 8)
    );
    let grace = |rate| OnExpiry::Grace { days: 1, rate };
    assert_eq!(
        ended(grace(Some(Rate::new(100, 200))), 0).rate,
        Rate::new(100, 200)
    );
    assert_eq!(ended(grace(None), 0).rate, Rate::new(10_000, 90_000));
}

#[test]
fn a_term_is_open_in_grace_restricted_or_closed() {
    let gate = |on_expiry, ago: i64| {
        let plan = Plan {
            on_expiry,
            ..plan()
        };
        term_gate(&plan, Some(NOW.plus(-ago)), NOW)
    };
    assert_eq!(gate(OnExpiry::Reject, -1), TermGate::Open);
    assert_eq!(gate(OnExpiry::Reject, 0), TermGate::Closed);
    let grace = || OnExpiry::Grace {
        days: 1,
        rate: None,
    };
    assert_eq!(gate(grace(), DAY - 1), TermGate::Grace(NOW.plus(1), None));
    assert_eq!(gate(grace(), DAY), TermGate::Closed);
    assert_eq!(
        term_gate(&plan(), None, NOW),
        TermGate::Open,
        "no end, no gate"
    );
}

#[test]
fn the_steps_tell_the_whole_way() {
    let (_, sentences) = resolve_at(NOW.plus(MINUTE), |c| {
        c.own = Some(Rate::new(4_000, 16_000));
        c.plan.fair_use.monthly = vec![tier(1_000_000_000, TierAction::Percent(50))];
        c.used.month = down(2_000_000_000);
        c.rules = Rules::new(vec![rule(1, 1, Adjust::Add(1_000), Adjust::Unchanged)]);
        c.boost = Some(Boost {
            rate: Rate::new(3_000, 1),
            until: NOW.plus(HOUR),
        });
        c.fastest_kbps = 2_500;
    });
    assert_eq!(
        sentences,
        [
            "Plan Home 20: 20 Mbit/s down, 5 Mbit/s up",
            "The subscriber's own speed: 16 Mbit/s down, 4 Mbit/s up",
            "Monthly tier 1 at 1.0 GB (2.0 GB used, 50 %): 8 Mbit/s down, 2 Mbit/s up",
            "Bandwidth rule rule 1: 9 Mbit/s down, 2 Mbit/s up",
            "Boost until 2026-11-22 13:00: 9 Mbit/s down, 3 Mbit/s up",
            "Limits of the router: 2.5 Mbit/s down, 2.5 Mbit/s up",
        ]
    );
}
