//! What CDN profiles are on a MikroTik router: lists, marks, queues (rules.md section 7).
//!
//! How it works there, after the packet flow of the RouterOS manual (not tried on a router yet):
//!
//! - **Only a simple queue helps.** The speed of a session is a dynamic simple queue. Queue trees do not take traffic away
//!   from it: a packet passes the tree and then the simple queues. Of simple queues the first that matches takes the packet,
//!   so ours must stand above the dynamic ones.
//! - **The marks are set in `postrouting`.** Simple queues come right behind it. Unlike in `prerouting`, replies have the
//!   subscriber's own address there already, and unlike in `srcnat`, requests still have it, so both match behind NAT. What
//!   rules of the operator in `forward` do, such as MSS clamping with `passthrough=no`, neither stops ours nor is stopped.
//! - **With `passthrough=yes`, at the end.** Rules below ours still work; a packet has one mark, and the last one counts. So
//!   where networks of two profiles overlap and a subscriber has both, the newer profile holds.
//! - **Only subscribers who have the profile are marked,** by a second list. Its entries have a timeout: the router keeps them
//!   in memory instead of its flash, which every login would wear, and they end by themselves should we be gone for good.
//! - **Mode A is one queue a direction with PCQ,** which gives each subscriber the speed, without an object each. The queue's
//!   target is everything, and of such a target the router cannot tell upload from download; the mark can, so both sides
//!   of the queue have the same type. With IPv6 each /64 counts as a subscriber.
//! - **Mode B is a queue for each session,** whose target is the subscriber and whose octets are what does not count. Here one
//!   mark is enough: the target tells the direction.
//! - FastTrack passes all queues and marks by, and is looked for.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::objects::{COMMENT, Item, Menu, NAME};
use crate::domain::cdn::{CdnMode, CdnProfile};
use crate::domain::id::{CdnId, SessionId};
use crate::domain::nas::Network;

/// Longer than most sessions; renewed at the first push after its end.
const SUBSCRIBER_TIMEOUT: &str = "1w";
/// Each subscriber has at least one such network (mikrotik.md a3).
const SUBSCRIBER_PREFIX: &str = "64";

/// A session on the router whose subscriber has CDN profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub session: SessionId,
    pub address: Option<Ipv4Addr>,
    /// Link and delegated prefix, as far as there are any.
    pub prefixes: Vec<(Ipv6Addr, u8)>,
    pub cdn: Vec<CdnId>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    pub items: Vec<Item>,
    /// Sessions without a queue, because their profile has as many as it may.
    pub left_out: usize,
}

/// What the router should hold: `profiles` are those that are on there, `lines` its sessions.
pub fn desired(profiles: &[Arc<CdnProfile>], lines: &[Line]) -> Desired {
    let mut desired = Desired::default();
    let mut profiles: Vec<&CdnProfile> = profiles.iter().map(Arc::as_ref).collect();
    profiles.sort_by_key(|profile| profile.id);
    for profile in profiles {
        of_profile(profile, lines, &mut desired);
    }
    desired
}

/// The profile and session that a queue counts for, by its comment.
pub fn queue_of(comment: &str) -> Option<(CdnId, SessionId)> {
    let (profile, session) = comment.strip_prefix(COMMENT)?.split_once(":session:")?;
    Some((
        CdnId(profile.parse().ok()?),
        SessionId(session.parse().ok()?),
    ))
}

/// The mark of all traffic of a profile in mode B, by which its queues are found.
pub fn counted_mark(profile: CdnId) -> String {
    format!("{NAME}{profile}")
}

/// Direction of a rule and of its mark.
#[derive(Clone, Copy)]
enum Way {
    Down,
    Up,
}

impl Way {
    const BOTH: [Way; 2] = [Way::Down, Way::Up];

    fn word(self) -> &'static str {
        match self {
            Way::Down => "down",
            Way::Up => "up",
        }
    }
}

fn of_profile(profile: &CdnProfile, lines: &[Line], desired: &mut Desired) {
    let id = profile.id;
    let has_ipv4 = profile.networks.iter().any(|n| n.address().is_ipv4());
    let has_ipv6 = profile.networks.iter().any(|n| n.address().is_ipv6());
    let has = |network: &Network| match network.address().is_ipv4() {
        true => has_ipv4,
        false => has_ipv6,
    };
    let mine = lines_of(lines, id, has);
    let items = &mut desired.items;
    for network in &profile.networks {
        items.push(entry(id, &format!("{NAME}{id}"), network, None));
    }
    let subscribers: BTreeSet<Network> = mine.values().flatten().copied().collect();
    for network in &subscribers {
        items.push(entry(
            id,
            &subscribers_list(id),
            network,
            Some(SUBSCRIBER_TIMEOUT),
        ));
    }
    let menus = [(Menu::Mangle, has_ipv4), (Menu::Mangle6, has_ipv6)];
    for (menu, _) in menus.into_iter().filter(|(_, has)| *has) {
        items.extend(Way::BOTH.map(|way| rule(profile, menu, way)));
    }
    match profile.mode {
        CdnMode::SpeedOnly => {
            for way in Way::BOTH {
                items.push(queue_type(profile, way));
                items.push(shared_queue(profile, way, has_ipv4, has_ipv6));
            }
        }
        CdnMode::SpeedAndAccounting => {
            let most = usize::from(profile.most_per_router);
            desired.left_out += mine.len().saturating_sub(most);
            let queues = mine.iter().take(most);
            items.extend(queues.map(|(session, networks)| own_queue(profile, *session, networks)));
        }
    }
}

/// The networks of each session that has the profile, the oldest session first, so that one that has a queue keeps it. An
/// address that two sessions claim is the newer one's: the end of the other was lost.
fn lines_of(
    lines: &[Line],
    id: CdnId,
    has: impl Fn(&Network) -> bool,
) -> BTreeMap<SessionId, Vec<Network>> {
    let mut newest_first: Vec<&Line> = lines.iter().collect();
    newest_first.sort_by_key(|line| std::cmp::Reverse(line.session));
    let mut taken = HashSet::new();
    let mut mine = BTreeMap::new();
    for line in newest_first {
        let addresses = line
            .address
            .iter()
            .map(|address| Network::host((*address).into()));
        let prefixes = line.prefixes.iter();
        let prefixes = prefixes.filter_map(|(address, length)| network(*address, *length));
        let mut networks: Vec<Network> = addresses.chain(prefixes).filter(&has).collect();
        networks.retain(|network| taken.insert(*network));
        if line.cdn.contains(&id) && !networks.is_empty() {
            mine.insert(line.session, networks);
        }
    }
    mine
}

fn network(address: Ipv6Addr, length: u8) -> Option<Network> {
    Network::parse(&format!("{address}/{length}")).ok()
}

fn subscribers_list(id: CdnId) -> String {
    format!("{NAME}{id}-subscribers")
}

fn mark(profile: &CdnProfile, way: Way) -> String {
    match profile.mode {
        CdnMode::SpeedOnly => format!("{NAME}{}-{}", profile.id, way.word()),
        CdnMode::SpeedAndAccounting => counted_mark(profile.id),
    }
}

fn entry(id: CdnId, list: &str, network: &Network, timeout: Option<&str>) -> Item {
    let menu = match network.address().is_ipv4() {
        true => Menu::AddressList,
        false => Menu::AddressList6,
    };
    let kind = if timeout.is_some() {
        "subscriber"
    } else {
        "network"
    };
    let mut fields = vec![
        ("list", list.to_owned()),
        ("address", network.to_string()),
        ("disabled", "no".to_owned()),
    ];
    fields.extend(timeout.map(|timeout| ("timeout", timeout.to_owned())));
    Item {
        menu,
        key: format!("{COMMENT}{id}:{kind}:{network}"),
        fields,
    }
}

fn rule(profile: &CdnProfile, menu: Menu, way: Way) -> Item {
    let id = profile.id;
    let (networks, subscribers) = (format!("{NAME}{id}"), subscribers_list(id));
    let (from, to) = match way {
        Way::Down => (networks, subscribers),
        Way::Up => (subscribers, networks),
    };
    Item {
        menu,
        key: format!("{COMMENT}{id}:mark-{}", way.word()),
        fields: vec![
            ("chain", "postrouting".to_owned()),
            ("action", "mark-packet".to_owned()),
            ("new-packet-mark", mark(profile, way)),
            ("passthrough", "yes".to_owned()),
            ("src-address-list", from),
            ("dst-address-list", to),
            ("disabled", "no".to_owned()),
        ],
    }
}

fn queue_type(profile: &CdnProfile, way: Way) -> Item {
    let (classifier, bps) = match way {
        Way::Down => ("dst-address", profile.rate.download_bps()),
        Way::Up => ("src-address", profile.rate.upload_bps()),
    };
    Item {
        menu: Menu::QueueType,
        key: format!("{NAME}{}-{}", profile.id, way.word()),
        fields: vec![
            ("kind", "pcq".to_owned()),
            ("pcq-rate", bps.to_string()),
            ("pcq-classifier", classifier.to_owned()),
            ("pcq-src-address6-mask", SUBSCRIBER_PREFIX.to_owned()),
            ("pcq-dst-address6-mask", SUBSCRIBER_PREFIX.to_owned()),
        ],
    }
}

fn shared_queue(profile: &CdnProfile, way: Way, has_ipv4: bool, has_ipv6: bool) -> Item {
    let name = format!("{NAME}{}-{}", profile.id, way.word());
    let all = [("0.0.0.0/0", has_ipv4), ("::/0", has_ipv6)];
    let targets = all.iter().filter(|(_, has)| *has).map(|(all, _)| *all);
    Item {
        menu: Menu::Queue,
        key: format!("{COMMENT}{}:{}", profile.id, way.word()),
        fields: vec![
            ("target", targets.collect::<Vec<_>>().join(",")),
            ("packet-marks", mark(profile, way)),
            ("queue", format!("{name}/{name}")),
            ("name", name),
            ("disabled", "no".to_owned()),
        ],
    }
}

fn own_queue(profile: &CdnProfile, session: SessionId, networks: &[Network]) -> Item {
    let (id, rate) = (profile.id, profile.rate);
    let targets: Vec<String> = networks.iter().map(ToString::to_string).collect();
    Item {
        menu: Menu::Queue,
        key: format!("{COMMENT}{id}:session:{session}"),
        fields: vec![
            ("name", format!("{NAME}{id}-{session}")),
            ("target", targets.join(",")),
            ("packet-marks", counted_mark(id)),
            (
                "max-limit",
                format!("{}/{}", rate.upload_bps(), rate.download_bps()),
            ),
            ("disabled", "no".to_owned()),
        ],
    }
}

#[cfg(test)]
#[path = "cdn_tests.rs"]
mod tests;
