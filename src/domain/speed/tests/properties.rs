//! What holds for any plan, any rules and any usage.

use proptest::prelude::*;

use super::*;

fn any_rate() -> impl Strategy<Value = Rate> {
    (any::<u64>(), any::<u64>()).prop_map(|(up, down)| Rate::new(up, down))
}

fn any_tier() -> impl Strategy<Value = Tier> {
    let threshold = prop_oneof![
        any::<u64>().prop_map(Threshold::Octets),
        any::<u16>().prop_map(Threshold::Percent)
    ];
    let action = prop_oneof![
        any_rate().prop_map(TierAction::Throttle),
        any::<u16>().prop_map(TierAction::Percent),
        Just(TierAction::Block),
        Just(TierAction::Notify)
    ];
    (threshold, action).prop_map(|(threshold, action)| Tier { threshold, action })
}

fn any_window() -> impl Strategy<Value = Window> {
    (any::<u8>(), 0u16..1440, 0u16..1440).prop_map(|(weekdays, start, end)| Window {
        weekdays: weekdays & 0x7F,
        start,
        end,
    })
}

fn any_adjust() -> impl Strategy<Value = Adjust> {
    prop_oneof![
        Just(Adjust::Unchanged),
        any::<u16>().prop_map(Adjust::Percent),
        any::<i64>().prop_map(Adjust::Add)
    ]
}

proptest! {
    #[test]
    fn it_answers_for_anything(
        base in any_rate(), own in proptest::option::of(any_rate()),
        daily in proptest::collection::vec(any_tier(), 0..8), monthly in proptest::collection::vec(any_tier(), 0..8),
        windows in proptest::collection::vec((any_window(), any_rate(), 0u8..3), 0..9),
        adjusts in proptest::collection::vec((any::<u16>(), any_window(), any_adjust(), any_adjust()), 0..20),
        used in any::<(u64, u64)>(), raised in any::<u64>(), expires in proptest::option::of(any::<i64>()),
        boost in proptest::option::of((any_rate(), any::<i64>())), now in any::<i64>(), fastest in any::<u64>(),
    ) {
        let (effective, sentences) = resolve_at(Timestamp(now), |c| {
            c.plan.rate = base;
            c.own = own;
            c.plan.fair_use = FairUse { daily, monthly, keep_burst: raised % 2 == 0 };
            c.plan.speed_windows = windows
                .into_iter()
                .map(|(window, rate, when)| SpeedWindow {
                    window,
                    rate,
                    when_throttled: [WhenThrottled::Skip, WhenThrottled::Multiply, WhenThrottled::Lift][usize::from(when)],
                })
                .collect();
            c.rules = Rules::new(
                (1u32..).zip(adjusts)
                    .map(|(id, (priority, window, download, upload))| BandwidthRule {
                        window,
                        ..rule(id, priority, download, upload)
                    })
                    .collect(),
            );
            c.used = Used { today: down(used.0), month: down(used.1), term: down(used.1) };
            c.raised = raised;
            c.expires_at = expires.map(Timestamp);
            c.boost = boost.map(|(rate, until)| Boost { rate, until: Timestamp(until) });
            c.fastest_kbps = fastest;
        });
        let rate = effective.limit.rate;
        let fastest = fastest.max(SLOWEST_KBPS);
        for kbps in [rate.upload_kbps, rate.download_kbps] {
            prop_assert!((SLOWEST_KBPS..=fastest).contains(&kbps));
        }
        prop_assert_eq!(effective.steps.last().unwrap().rate, rate, "the last step is the answer");
        prop_assert_eq!(sentences.len(), effective.steps.len());
        if let Some(burst) = effective.limit.burst {
            prop_assert!(!burst.rate.is_slower(rate));
        }
    }

    #[test]
    fn more_usage_is_never_faster(
        kbps in proptest::collection::vec(64u64..30_000, 1..6), less in 0u64..700, more in 0u64..700,
    ) {
        let at = |used| rate(|c| {
            let mut falling = kbps.clone();
            falling.sort_unstable_by(|a, b| b.cmp(a));
            c.plan.fair_use.daily = falling
                .iter()
                .enumerate()
                .map(|(i, kbps)| throttle(100 * (u64::try_from(i).unwrap() + 1), *kbps, *kbps))
                .collect();
            c.used.today = down(used);
        });
        let (fast, slow) = (at(less.min(more)), at(less.max(more)));
        prop_assert_eq!(fast.lowest(slow), slow);
    }

    #[test]
    fn a_rule_in_front_always_wins(
        percents in proptest::collection::vec((0u16..500, 0u16..10), 1..20), winner in 0u16..500,
    ) {
        let mut rules: Vec<BandwidthRule> = (1u32..).zip(percents)
            .map(|(id, (percent, priority))| rule(id, priority + 1, Adjust::Percent(percent), Adjust::Unchanged))
            .collect();
        rules.push(rule(1_000, 0, Adjust::Percent(winner), Adjust::Unchanged));
        let rate = rate(|c| c.rules = Rules::new(rules));
        let expected = Rate::new(5_000, (20_000 * u64::from(winner) / 100).max(SLOWEST_KBPS));
        prop_assert_eq!(rate, expected);
    }
}
