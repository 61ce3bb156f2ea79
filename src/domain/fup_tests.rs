//! Tiers on both sides of each threshold.

use super::*;
use proptest::prelude::*;

fn throttle(threshold: Threshold, kbps: u64) -> Tier {
    Tier {
        threshold,
        action: TierAction::Throttle(Rate::new(kbps, kbps)),
    }
}

#[test]
fn a_tier_begins_at_its_threshold() {
    let tiers = [
        throttle(Threshold::Octets(100), 1_000),
        throttle(Threshold::Percent(50), 500),
        Tier {
            threshold: Threshold::Percent(100),
            action: TierAction::Notify,
        },
    ];
    let index = |quota, raised, used| active(&tiers, quota, raised, used).map(|r| r.index);
    assert_eq!(index(Some(400), 0, 99), None);
    assert_eq!(index(Some(400), 0, 100), Some(0));
    assert_eq!(index(Some(400), 0, 199), Some(0));
    assert_eq!(index(Some(400), 0, 200), Some(1));
    assert_eq!(index(Some(400), 0, 400), Some(1), "telling lifts nothing");
    assert_eq!(index(None, 0, u64::MAX), Some(0), "a share of no quota");
    // A top-up of 50 moves every threshold.
    assert_eq!(index(Some(400), 50, 149), None);
    assert_eq!(index(Some(400), 50, 150), Some(0));
    assert_eq!(index(Some(400), 50, 250), Some(1));
    assert_eq!(active(&tiers, Some(400), 50, 250).unwrap().threshold, 250);
}

#[test]
fn shares_of_huge_quotas_do_not_wrap() {
    let share = |percent| Threshold::Percent(percent).octets(Some(u64::MAX), 0);
    assert_eq!(share(100), Some(u64::MAX));
    assert_eq!(share(200), Some(u64::MAX));
    assert_eq!(share(50), Some(u64::MAX / 2));
    assert_eq!(Threshold::Octets(u64::MAX).octets(None, 5), Some(u64::MAX));
}

#[test]
fn actions_only_lower() {
    let rate = Rate::new(1_000, 10_000);
    let to = |up, down| TierAction::Throttle(Rate::new(up, down)).apply(rate);
    assert_eq!(to(500, 20_000), Some(Rate::new(500, 10_000)));
    assert_eq!(
        TierAction::Percent(25).apply(rate),
        Some(Rate::new(250, 2_500))
    );
    assert_eq!(TierAction::Block.apply(rate), None);
    assert_eq!(TierAction::Notify.apply(rate), None);
}

#[test]
fn more_than_six_tiers_are_not_looked_at() {
    let tiers: Vec<Tier> = (1..=7)
        .map(|n| throttle(Threshold::Octets(n), 8 - n))
        .collect();
    assert_eq!(active(&tiers, None, 0, 7).unwrap().index, 5);
}

proptest! {
    #[test]
    fn more_usage_never_means_a_lower_tier(
        thresholds in proptest::collection::vec((any::<bool>(), 0u64..1_000), 0..8),
        quota in proptest::option::of(0u64..1_000), raised in 0u64..100, less in 0u64..2_000, more in 0u64..2_000,
    ) {
        let tiers: Vec<Tier> = thresholds
            .into_iter()
            .map(|(percent, n)| {
                let n = if percent { Threshold::Percent(u16::try_from(n).unwrap()) } else { Threshold::Octets(n) };
                throttle(n, 100)
            })
            .collect();
        let threshold = |used| active(&tiers, quota, raised, used).map(|r| r.threshold);
        prop_assert!(threshold(less.min(more)) <= threshold(less.max(more)));
    }
}
