//! Pools as they are typed, and their slots.

use super::*;
use proptest::prelude::*;

fn v4(text: &str) -> PoolKind {
    PoolKind::V4(Ranges::parse(text).unwrap())
}

fn delegated(network: &str, length: u8) -> PoolKind {
    PoolKind::Delegated(Prefixes::new(Network::parse(network).unwrap(), length).unwrap())
}

#[test]
fn ranges_as_people_type_them() {
    for (typed, shown, size) in [
        ("10.0.0.9", "10.0.0.9", 1),
        ("10.0.0.9-10.0.0.9", "10.0.0.9", 1),
        (" 10.0.0.1 - 10.0.0.10 ", "10.0.0.1-10.0.0.10", 10),
        ("10.0.0.0/24", "10.0.0.1-10.0.0.254", 254),
        ("10.0.0.0/30", "10.0.0.1-10.0.0.2", 2),
        ("10.0.0.0/31", "10.0.0.0-10.0.0.1", 2),
        ("10.0.0.0/32", "10.0.0.0", 1),
        (
            "100.64.40.0/24,\n100.64.0.10-100.64.31.254;",
            "100.64.0.10-100.64.31.254, 100.64.40.1-100.64.40.254",
            8_181 + 254,
        ),
        // Side by side is no overlap.
        (
            "10.0.0.1-10.0.0.2, 10.0.0.3",
            "10.0.0.1-10.0.0.2, 10.0.0.3",
            3,
        ),
        ("16.0.0.1-16.16.0.0", "16.0.0.1-16.16.0.0", MOST_IN_POOL),
    ] {
        let ranges = Ranges::parse(typed).unwrap();
        assert_eq!(ranges.to_string(), shown);
        assert_eq!(Ranges::parse(shown).unwrap(), ranges, "{typed} reads back");
        assert_eq!(PoolKind::V4(ranges).size(), size, "{typed}");
    }
}

#[test]
fn ranges_that_cannot_be() {
    let many: Vec<String> = (0..=MOST_RANGES).map(|n| format!("10.0.{n}.1")).collect();
    for (typed, problem) in [
        ("", "At least one range"),
        (" , ", "At least one range"),
        ("router", "router is no range"),
        ("10.0.0.1-", "is no range"),
        ("10.0.0.1-10.0.0.2-10.0.0.3", "is no range"),
        ("2001:db8::/64", "is no range"),
        ("10.0.0.1/24", "did you mean 10.0.0.0/24"),
        ("10.0.0.0/33", "An address or network"),
        ("10.0.0.9-10.0.0.8", "10.0.0.9 comes after 10.0.0.8"),
        ("10.0.0.1-10.0.0.5, 10.0.0.5", "overlaps 10.0.0.1-10.0.0.5"),
        ("10.0.0.0/24, 10.0.0.9-10.0.0.10", "overlaps"),
        ("0.0.0.1", "Routers cannot give"),
        ("126.255.255.0-127.0.0.1", "Routers cannot give"),
        ("223.255.255.0-224.0.0.0", "Routers cannot give"),
        ("16.0.0.0-16.16.0.0", "At most 1048576 addresses"),
        ("1.0.0.0-223.0.0.0", "At most 1048576 addresses"),
        (&many.join(","), "At most 64 ranges"),
    ] {
        let said = Ranges::parse(typed).unwrap_err().0;
        assert!(said.contains(problem), "{typed}: {said}");
    }
}

#[test]
fn prefixes_that_can_be_and_cannot() {
    for (network, length, size) in [
        ("2001:db8::/40", 56, Some(1 << 16)),
        ("2001:db8::/44", 64, Some(1 << 20)),
        ("2001:db8::/43", 64, None),
        ("2001:db8::/56", 56, Some(1)),
        ("2001:db8::/56", 55, None),
        ("2001:db8::/56", 65, None),
        ("2001:db8::/64", 64, Some(1)),
        ("2001:db8::/65", 64, None),
        ("10.0.0.0/24", 28, None),
        ("ff00::/48", 56, None),
        ("fe80::/56", 64, None),
        ("::/0", 1, None),
    ] {
        let network = Network::parse(network).unwrap();
        let made = Prefixes::new(network, length);
        let made = made.map(|it| PoolKind::Delegated(it).size()).ok();
        assert_eq!(made, size, "{network} {length}");
    }
    let kind = delegated("2001:db8:100::/40", 56);
    assert_eq!(kind.to_string(), "/56 of 2001:db8:100::/40");
}

#[test]
fn slots_run_over_all_ranges() {
    let kind = v4("10.0.0.1-10.0.0.2, 10.0.5.0");
    let address = |text: &str| Lease::Address(text.parse().unwrap());
    for (slot, lease) in [(0, "10.0.0.1"), (1, "10.0.0.2"), (2, "10.0.5.0")] {
        assert_eq!(kind.lease(slot), Some(address(lease)));
        assert_eq!(kind.slot(address(lease)), Some(slot));
    }
    assert_eq!((kind.lease(3), kind.lease(u32::MAX)), (None, None));
    for other in ["10.0.0.0", "10.0.0.3", "10.0.4.255", "10.0.5.1"] {
        assert_eq!(kind.slot(address(other)), None, "{other}");
    }
    assert_eq!(
        kind.slot(Lease::Prefix("2001:db8::".parse().unwrap(), 56)),
        None
    );
}

#[test]
fn slots_run_over_all_prefixes() {
    let kind = delegated("2001:db8::/48", 56);
    let prefix = |text: &str, length| Lease::Prefix(text.parse().unwrap(), length);
    for (slot, lease) in [
        (0, "2001:db8::"),
        (1, "2001:db8:0:100::"),
        (255, "2001:db8:0:ff00::"),
    ] {
        assert_eq!(kind.lease(slot), Some(prefix(lease, 56)));
        assert_eq!(kind.slot(prefix(lease, 56)), Some(slot));
    }
    assert_eq!((kind.lease(256), kind.lease(u32::MAX)), (None, None));
    for (other, length) in [
        ("2001:db8:0:1::", 56),
        ("2001:db8:0:100::", 64),
        ("2001:db8:1::", 56),
        ("2001:db7::", 56),
    ] {
        assert_eq!(kind.slot(prefix(other, length)), None, "{other}/{length}");
    }
    assert_eq!(kind.slot(Lease::Address(Ipv4Addr::LOCALHOST)), None);
    let asked = |text| kind.overlaps(Block::of_network(Network::parse(text).unwrap()));
    assert!(asked("2001:db8::/32") && asked("2001:db8:0:ff::7"));
    assert!(!asked("2001:db8:1::/64") && !asked("10.0.0.0/8"));
}

proptest! {
    #[test]
    fn slots_and_addresses_name_one_another(
        starts in proptest::collection::btree_set(1_u32..200, 1..20), lengths in proptest::collection::vec(0_u32..256, 20), slot in 0_u32..6_000,
    ) {
        let base = 0x6440_0000;
        let ranges = starts.iter().zip(lengths).map(|(start, length)| {
            let first = base + start * 256;
            (Ipv4Addr::from_bits(first), Ipv4Addr::from_bits(first + length))
        });
        let kind = PoolKind::V4(Ranges::new(ranges.collect()).unwrap());
        match kind.lease(slot) {
            Some(lease) => {
                prop_assert_eq!(kind.slot(lease), Some(slot));
                prop_assert!(slot < kind.size() && kind.overlaps(lease.block()));
            }
            None => prop_assert!(slot >= kind.size()),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(typed in "[0-9./,: a-f-]{0,60}") {
        let _ = Ranges::parse(&typed);
    }
}
