//! CDN profiles: another speed for listed networks, and traffic that does not count (rules.md section 7).
//!
//! Not here: what routers are told of it (`routers::routeros::cdn`). Invariant: the networks of a profile are sorted, no
//! two of them overlap, and no two halves of one network stand side by side.

use super::Invalid;
use super::id::{CdnId, NasId};
use super::nas::Network;
use super::rate::Rate;

/// Networks of a profile; each is an entry in an address list of every router.
pub const MOST_NETWORKS: usize = 2_000;
/// Lines of a pasted list, before what is twice in it is put together.
pub const MOST_LINES: usize = 10_000;
/// Shorter prefixes are no content network but half of the Internet.
const SHORTEST_V4: u8 = 8;
const SHORTEST_V6: u8 = 16;
/// Simple queues are tried in order (mikrotik.md b5), so thousands of them slow every packet down.
pub const MOST_QUEUES: u16 = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CdnMode {
    /// The networks get another speed; octets count as always.
    SpeedOnly,
    /// Besides, what a queue for each subscriber counted is taken off the usage.
    SpeedAndAccounting,
}

impl CdnMode {
    pub const ALL: [CdnMode; 2] = [CdnMode::SpeedOnly, CdnMode::SpeedAndAccounting];

    pub fn word(self) -> &'static str {
        match self {
            CdnMode::SpeedOnly => "speed",
            CdnMode::SpeedAndAccounting => "accounting",
        }
    }

    pub fn parse(text: &str) -> Result<CdnMode, Invalid> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.word() == text)
            .ok_or_else(|| Invalid::new("Choose one of the list"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdnProfile {
    pub id: CdnId,
    pub name: String,
    /// Off takes everything of it from the routers.
    pub enabled: bool,
    pub mode: CdnMode,
    /// Made by [`networks`]; at most [`MOST_NETWORKS`].
    pub networks: Vec<Network>,
    /// What each subscriber gets to and from these networks.
    pub rate: Rate,
    /// Subscribers with a queue of their own on one router, where octets are counted. 1 to [`MOST_QUEUES`].
    pub most_per_router: u16,
    /// Sorted; empty is every router whose API we may use.
    pub nas: Vec<NasId>,
    pub notes: String,
}

impl CdnProfile {
    pub fn is_on(&self, nas: NasId) -> bool {
        self.enabled && (self.nas.is_empty() || self.nas.binary_search(&nas).is_ok())
    }
}

/// What keeps CDN traffic on a router from its queues, or subscribers from theirs. Shown until it is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CdnWarning {
    /// So many rules of FastTrack are on: what they take passes no queue at all.
    FastTrack(usize),
    /// So many dynamic queues stand above ours and take the traffic first.
    QueuesAbove(usize),
    /// So many subscribers are beyond the number of queues of a profile.
    LeftOut(usize),
}

/// Reads a pasted list: addresses and networks, one or more a line, parted by blanks or commas, with comments behind `#`.
///
/// Errors: the first line that is none, in words with its number; a list that is empty or too long.
pub fn networks(text: &str) -> Result<Vec<Network>, Invalid> {
    let mut read = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if number >= MOST_LINES {
            return Err(Invalid::new(format!("At most {MOST_LINES} lines")));
        }
        let entries = line.split('#').next().unwrap_or_default();
        for entry in entries.split(|c: char| c.is_whitespace() || c == ',') {
            if entry.is_empty() {
                continue;
            }
            let in_line = |problem: Invalid| {
                Invalid::new(format!("Line {}, {entry:?}: {problem}", number + 1))
            };
            let network = Network::parse(entry).map_err(in_line)?;
            let shortest = match network.address().is_ipv4() {
                true => SHORTEST_V4,
                false => SHORTEST_V6,
            };
            if network.prefix() < shortest {
                return Err(in_line(Invalid::new(format!(
                    "Too large, the prefix must be /{shortest} or longer"
                ))));
            }
            read.push(network);
        }
    }
    let networks = aggregated(read);
    match networks.len() {
        0 => Err(Invalid::new("At least one network is needed")),
        count if count > MOST_NETWORKS => Err(Invalid::new(format!(
            "{count} networks, but at most {MOST_NETWORKS} fit into the list of a router"
        ))),
        _ => Ok(networks),
    }
}

/// The fewest networks that hold the same addresses, in order.
fn aggregated(mut networks: Vec<Network>) -> Vec<Network> {
    // By address, the larger of two that start alike first: what a network holds stands behind it.
    networks.sort_unstable();
    let mut kept: Vec<Network> = Vec::with_capacity(networks.len());
    for network in networks {
        if kept
            .last()
            .is_some_and(|last| last.contains(network.address()))
        {
            continue;
        }
        kept.push(network);
        while let [.., first, second] = kept.as_slice()
            && let Some(parent) = first.parent()
            && second.parent() == Some(parent)
        {
            kept.truncate(kept.len() - 2);
            kept.push(parent);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<String> {
        let networks = networks(text).unwrap();
        networks.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_pasted_list_is_put_in_order_without_what_is_twice_in_it() {
        for (text, wanted) in [
            ("203.0.113.7", vec!["203.0.113.7"]),
            (
                " 203.0.113.0/25 # Frankfurt\n\n# nothing\n198.51.100.0/24\r\n",
                vec!["198.51.100.0/24", "203.0.113.0/25"],
            ),
            (
                "10.0.0.0/8, 10.1.0.0/16\t10.1.2.3\n10.0.0.0/8",
                vec!["10.0.0.0/8"],
            ),
            // Two halves are one, and that may be a half again.
            ("10.0.1.0/24\n10.0.0.0/24", vec!["10.0.0.0/23"]),
            ("10.0.3.0/24\n10.0.0.0/23\n10.0.2.0/24", vec!["10.0.0.0/22"]),
            ("10.0.0.0/32\n10.0.0.1", vec!["10.0.0.0/31"]),
            // Neighbours that are no halves of one network.
            (
                "10.0.1.0/24\n10.0.2.0/24",
                vec!["10.0.1.0/24", "10.0.2.0/24"],
            ),
            (
                "2001:db8:8000::/33\n10.0.0.1\n2001:db8::/33\n2001:db8:1::/48",
                vec!["10.0.0.1", "2001:db8::/32"],
            ),
        ] {
            assert_eq!(listed(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_network_is_told_with_its_line() {
        for (text, words) in [
            ("", "At least one"),
            ("# only words", "At least one"),
            ("10.0.0.1\n\nexample.net", "Line 3, \"example.net\""),
            ("10.0.0.1/24", "did you mean 10.0.0.0/24"),
            ("0.0.0.0/0", "/8 or longer"),
            ("10.0.0.0/7", "/8 or longer"),
            ("2000::/15", "/16 or longer"),
        ] {
            let problem = networks(text).unwrap_err().0;
            assert!(problem.contains(words), "{text}: {problem}");
        }
        assert_eq!(listed("10.0.0.0/8\n2000::/16").len(), 2);
    }

    #[test]
    fn lists_are_bounded_after_they_were_put_together() {
        let every_other = |count: usize| -> String {
            (0..count)
                .map(|n| format!("10.{}.{}.0/24\n", n / 128, n % 128 * 2))
                .collect()
        };
        assert_eq!(listed(&every_other(MOST_NETWORKS)).len(), MOST_NETWORKS);
        let problem = networks(&every_other(MOST_NETWORKS + 1)).unwrap_err().0;
        assert!(problem.contains("2001 networks"), "{problem}");
        let same = "10.0.0.1\n".repeat(MOST_LINES);
        assert_eq!(listed(&same).len(), 1);
        assert!(networks(&(same + "10.0.0.1")).is_err());
    }

    #[test]
    fn a_profile_is_on_its_routers_only() {
        let mut profile = CdnProfile {
            id: CdnId(1),
            name: "Cache".to_owned(),
            enabled: true,
            mode: CdnMode::SpeedOnly,
            networks: Vec::new(),
            rate: Rate::new(10_000, 10_000),
            most_per_router: 1,
            nas: Vec::new(),
            notes: String::new(),
        };
        assert!(profile.is_on(NasId(1)));
        profile.nas = vec![NasId(1), NasId(3)];
        assert!(profile.is_on(NasId(3)) && !profile.is_on(NasId(2)));
        profile.enabled = false;
        assert!(!profile.is_on(NasId(1)));
    }
}
