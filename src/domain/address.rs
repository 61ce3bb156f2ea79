//! Addresses and prefixes as stretches of numbers: what overlaps what, and who holds which.
//!
//! Not here: which pool an address comes from (`pool`). Invariant: IPv4 and IPv6 never overlap, since an IPv4 address stands
//! at `::ffff:0:0/96`, where no IPv6 address of the internet is.

use super::Invalid;
use super::nas::Network;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block {
    pub first: u128,
    pub last: u128,
}

impl Block {
    pub fn of_v4(address: Ipv4Addr) -> Block {
        let number = address.to_ipv6_mapped().to_bits();
        Block {
            first: number,
            last: number,
        }
    }

    pub fn of(address: IpAddr) -> Block {
        match address.to_canonical() {
            IpAddr::V4(address) => Block::of_v4(address),
            IpAddr::V6(address) => Block::of_prefix((address, 128)),
        }
    }

    /// The addresses under a prefix; bits of the address beyond the length do not count.
    pub fn of_prefix((address, length): (Ipv6Addr, u8)) -> Block {
        let kept = 128 - u32::from(length.min(128));
        let below = u128::MAX.checked_shr(128 - kept).unwrap_or(0);
        let first = address.to_bits() & !below;
        Block {
            first,
            last: first | below,
        }
    }

    pub fn of_network(network: Network) -> Block {
        match (network.address(), network.prefix()) {
            (IpAddr::V4(address), length) => {
                Block::of_prefix((address.to_ipv6_mapped(), length.saturating_add(96)))
            }
            (IpAddr::V6(address), length) => Block::of_prefix((address, length)),
        }
    }

    pub fn overlaps(self, other: Block) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// What a pool hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lease {
    Address(Ipv4Addr),
    /// A delegated prefix and its length.
    Prefix(Ipv6Addr, u8),
}

impl Lease {
    pub fn block(self) -> Block {
        match self {
            Lease::Address(address) => Block::of_v4(address),
            Lease::Prefix(address, length) => Block::of_prefix((address, length)),
        }
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lease::Address(address) => address.fmt(f),
            Lease::Prefix(address, length) => write!(f, "{address}/{length}"),
        }
    }
}

/// Who holds which stretch. Asking costs one walk down a tree, however many there are.
///
/// Stretches that contain one another are two holders of one address, which is a mistake already: of those that begin
/// before the one asked for, only the nearest is seen.
#[derive(Debug, Clone)]
pub struct Holdings<H> {
    /// By first number. Nearly always one holder.
    by_first: BTreeMap<u128, Vec<(H, Block)>>,
}

impl<H> Default for Holdings<H> {
    fn default() -> Self {
        Holdings {
            by_first: BTreeMap::new(),
        }
    }
}

impl<H: PartialEq + Copy> Holdings<H> {
    pub fn add(&mut self, block: Block, holder: H) {
        self.by_first
            .entry(block.first)
            .or_default()
            .push((holder, block));
    }

    /// Takes back one [`Holdings::add`] of the same values.
    pub fn remove(&mut self, block: Block, holder: H) {
        let Some(holders) = self.by_first.get_mut(&block.first) else {
            return;
        };
        if let Some(index) = holders.iter().position(|held| *held == (holder, block)) {
            holders.swap_remove(index);
        }
        if holders.is_empty() {
            self.by_first.remove(&block.first);
        }
    }

    /// The holders of any address of a stretch; one that holds two stretches of it comes twice.
    pub fn overlapping(&self, block: Block) -> impl Iterator<Item = H> + '_ {
        let before = self.by_first.range(..block.first).next_back();
        let within = self.by_first.range(block.first..=block.last);
        before
            .into_iter()
            .chain(within)
            .flat_map(|(_, holders)| holders)
            .filter(move |(_, held)| held.overlaps(block))
            .map(|(holder, _)| *holder)
    }
}

/// Whether a router can give an address to a subscriber: they take 0.0.0.0, 127.0.0.0/8 and everything from 224.0.0.0 on for
/// "from the pool" (mikrotik.md a3).
pub fn is_assignable(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    !matches!(first, 0 | 127 | 224..)
}

/// An IPv4 address for one subscriber.
pub fn parse_address(text: &str) -> Result<Ipv4Addr, Invalid> {
    let address: Ipv4Addr = text
        .trim()
        .parse()
        .map_err(|_| Invalid::new("An IPv4 address such as 10.0.0.25"))?;
    match is_assignable(address) {
        true => Ok(address),
        false => Err(Invalid::new(
            "Routers cannot give this address to a subscriber",
        )),
    }
}

/// A prefix for one subscriber, such as `2001:db8:12::/56`: from /16, which nobody has, to /64, which is one network.
pub fn parse_prefix(text: &str) -> Result<(Ipv6Addr, u8), Invalid> {
    let refused = || Invalid::new("An IPv6 prefix such as 2001:db8:12::/56");
    let network = Network::parse(text)?;
    match (network.address(), network.prefix()) {
        (IpAddr::V6(address), 16..=64) if is_unicast(address) => Ok((address, network.prefix())),
        _ => Err(refused()),
    }
}

/// Global or local to a site (RFC 4291 section 2.4, RFC 4193).
pub fn is_unicast(address: Ipv6Addr) -> bool {
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(text: &str) -> Block {
        Block::of_network(Network::parse(text).unwrap())
    }

    #[test]
    fn stretches_have_their_ends() {
        for (text, first, last) in [
            ("10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.1"),
            ("10.0.0.0/30", "::ffff:10.0.0.0", "::ffff:10.0.0.3"),
            ("0.0.0.0/0", "::ffff:0.0.0.0", "::ffff:255.255.255.255"),
            ("2001:db8::/126", "2001:db8::", "2001:db8::3"),
            ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2001:db8::5/128", "2001:db8::5", "2001:db8::5"),
        ] {
            let number = |text: &str| text.parse::<Ipv6Addr>().unwrap().to_bits();
            let wanted = Block {
                first: number(first),
                last: number(last),
            };
            assert_eq!(block(text), wanted, "{text}");
        }
        let beyond = ("2001:db8::5".parse().unwrap(), 64);
        assert_eq!(Block::of_prefix(beyond), block("2001:db8::/64"));
        let v4: IpAddr = "10.0.0.1".parse().unwrap();
        assert_eq!(Block::of(v4), block("10.0.0.1"));
        assert_eq!(
            Block::of("::ffff:10.0.0.1".parse().unwrap()),
            block("10.0.0.1")
        );
    }

    #[test]
    fn stretches_overlap_when_they_share_an_address() {
        for (a, b, wanted) in [
            ("10.0.0.0/24", "10.0.0.255", true),
            ("10.0.0.0/24", "10.0.1.0", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("2001:db8::/56", "2001:db8:0:ff::/64", true),
            ("2001:db8::/56", "2001:db8:0:100::/64", false),
        ] {
            assert_eq!(block(a).overlaps(block(b)), wanted, "{a} {b}");
            assert_eq!(block(b).overlaps(block(a)), wanted, "{b} {a}");
        }
    }

    #[test]
    fn holders_are_found_under_and_above_what_is_asked_for() {
        let mut held = Holdings::default();
        held.add(block("10.0.0.7"), 1);
        held.add(block("2001:db8:0:100::/56"), 2);
        held.add(block("2001:db8:0:200::/64"), 3);
        held.add(block("10.0.0.7"), 4);
        let of = |held: &Holdings<i32>, text| held.overlapping(block(text)).collect::<Vec<_>>();
        for (asked, wanted) in [
            ("10.0.0.7", &[1, 4][..]),
            ("10.0.0.6", &[]),
            ("10.0.0.8", &[]),
            ("10.0.0.0/24", &[1, 4]),
            ("2001:db8:0:1ff::1", &[2]),
            ("2001:db8:0:200::1", &[3]),
            ("2001:db8:0:201::1", &[]),
            ("2001:db8::/48", &[2, 3]),
        ] {
            assert_eq!(of(&held, asked), wanted, "{asked}");
        }
        held.remove(block("10.0.0.7"), 1);
        held.remove(block("10.0.0.7"), 9);
        assert_eq!(of(&held, "10.0.0.7"), [4]);
        held.remove(block("10.0.0.7"), 4);
        assert!(of(&held, "0.0.0.0/0").is_empty());
        assert_eq!(held.by_first.len(), 2);
    }

    #[test]
    fn prefixes_of_subscribers() {
        for text in ["2001:db8:12::/56", "fd00::/64", "2001:db8::/16"] {
            let parsed = parse_prefix(text);
            assert_eq!(parsed.is_ok(), !text.ends_with("8::/16"), "{text}");
        }
        for text in [
            "",
            "10.0.0.0/24",
            "2001:db8::/65",
            "2001:db8::1/56",
            "ff00::/16",
            "fe80::/64",
            "::/16",
        ] {
            assert!(parse_prefix(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_that_routers_do_not_take() {
        for (text, wanted) in [
            ("0.255.255.255", false),
            ("1.0.0.0", true),
            ("126.255.255.255", true),
            ("127.0.0.1", false),
            ("128.0.0.0", true),
            ("223.255.255.255", true),
            ("224.0.0.0", false),
        ] {
            assert_eq!(is_assignable(text.parse().unwrap()), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_tree_finds_what_a_walk_over_all_finds(
            starts in proptest::collection::btree_set(0_u8..64, 0..20), asked in any::<u8>(), length in 116_u8..=128,
        ) {
            // Networks side by side, /122 each.
            let network = |n: u8| Block::of_prefix((Ipv6Addr::from_bits(u128::from(n) << 6), 122));
            let mut held = Holdings::default();
            for start in &starts {
                held.add(network(*start), *start);
            }
            let asked = Block::of_prefix((Ipv6Addr::from_bits(u128::from(asked) << 4), length));
            let found: Vec<u8> = held.overlapping(asked).collect();
            let wanted: Vec<u8> = starts.into_iter().filter(|n| network(*n).overlaps(asked)).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
