//! What one router is told of profiles and sessions.

use super::*;
use crate::domain::cdn::networks;
use crate::domain::rate::Rate;

fn profile(id: u32, mode: CdnMode, list: &str) -> Arc<CdnProfile> {
    Arc::new(CdnProfile {
        id: CdnId(id),
        name: "Cache".to_owned(),
        enabled: true,
        mode,
        networks: networks(list).unwrap(),
        rate: Rate::new(20_000, 50_000),
        most_per_router: 2,
        nas: Vec::new(),
        notes: String::new(),
    })
}

fn line(session: u64, address: &str, cdn: &[u32]) -> Line {
    Line {
        session: SessionId(session),
        address: address.parse().ok(),
        prefixes: Vec::new(),
        cdn: cdn.iter().map(|id| CdnId(*id)).collect(),
    }
}

/// One line an item: menu, key without our mark, `name=value` of each field.
fn told(items: &[Item]) -> Vec<String> {
    let line = |item: &Item| {
        let key = item.key.replace(COMMENT, "");
        let fields = item
            .fields
            .iter()
            .map(|(name, value)| format!(" {name}={value}"));
        format!("{:?} {key}:{}", item.menu, fields.collect::<String>())
    };
    items.iter().map(line).collect()
}

fn keys(desired: &Desired, menu: Menu) -> Vec<String> {
    let of_menu = desired.items.iter().filter(|item| item.menu == menu);
    of_menu.map(|item| item.key.replace(COMMENT, "")).collect()
}

#[test]
fn speed_only_is_two_shared_queues() {
    let profiles = [profile(3, CdnMode::SpeedOnly, "203.0.113.0/24")];
    let desired = desired(
        &profiles,
        &[line(7, "10.0.0.5", &[3]), line(8, "10.0.0.6", &[4])],
    );
    let wanted = [
        "AddressList 3:network:203.0.113.0/24: list=pp-cdn-3 address=203.0.113.0/24 disabled=no",
        "AddressList 3:subscriber:10.0.0.5: list=pp-cdn-3-subscribers address=10.0.0.5 disabled=no timeout=1w",
        "Mangle 3:mark-down: chain=postrouting action=mark-packet new-packet-mark=pp-cdn-3-down passthrough=yes \
         src-address-list=pp-cdn-3 dst-address-list=pp-cdn-3-subscribers disabled=no",
        "Mangle 3:mark-up: chain=postrouting action=mark-packet new-packet-mark=pp-cdn-3-up passthrough=yes \
         src-address-list=pp-cdn-3-subscribers dst-address-list=pp-cdn-3 disabled=no",
        "QueueType pp-cdn-3-down: kind=pcq pcq-rate=50000000 pcq-classifier=dst-address pcq-src-address6-mask=64 \
         pcq-dst-address6-mask=64",
        "Queue 3:down: target=0.0.0.0/0 packet-marks=pp-cdn-3-down queue=pp-cdn-3-down/pp-cdn-3-down \
         name=pp-cdn-3-down disabled=no",
        "QueueType pp-cdn-3-up: kind=pcq pcq-rate=20000000 pcq-classifier=src-address pcq-src-address6-mask=64 \
         pcq-dst-address6-mask=64",
        "Queue 3:up: target=0.0.0.0/0 packet-marks=pp-cdn-3-up queue=pp-cdn-3-up/pp-cdn-3-up name=pp-cdn-3-up disabled=no",
    ];
    assert_eq!(told(&desired.items), wanted);
    assert_eq!(desired.left_out, 0);
}

#[test]
fn accounting_is_a_queue_for_each_session_up_to_the_bound() {
    let profiles = [profile(1, CdnMode::SpeedAndAccounting, "203.0.113.0/24")];
    let mut lines = vec![
        line(9, "10.0.0.9", &[1]),
        line(7, "10.0.0.7", &[1]),
        line(8, "", &[1]),
        line(6, "10.0.0.6", &[]),
    ];
    let both = desired(&profiles, &lines);
    let queue = "Queue 1:session:7: name=pp-cdn-1-7 target=10.0.0.7 packet-marks=pp-cdn-1 \
                 max-limit=20000000/50000000 disabled=no";
    assert!(told(&both.items).contains(&queue.to_owned()));
    assert_eq!(keys(&both, Menu::Queue), ["1:session:7", "1:session:9"]);
    assert_eq!(keys(&both, Menu::QueueType), [""; 0]);
    assert_eq!(both.left_out, 0);
    let marks = both.items.iter().flat_map(|item| &item.fields);
    let marks = marks.filter(|(name, _)| *name == "new-packet-mark");
    assert!(marks.clone().count() == 2 && marks.clone().all(|(_, mark)| *mark == "pp-cdn-1"));
    // The newest has to wait.
    lines.push(line(10, "10.0.0.10", &[1]));
    let three = desired(&profiles, &lines);
    assert_eq!(keys(&three, Menu::Queue), ["1:session:7", "1:session:9"]);
    assert_eq!(three.left_out, 1);
}

#[test]
fn each_family_is_told_only_where_the_profile_has_networks_of_it() {
    let subscriber = Line {
        prefixes: vec![
            ("2001:db8:1::".parse().unwrap(), 64),
            ("2001:db8:ff00::".parse().unwrap(), 56),
        ],
        ..line(7, "10.0.0.7", &[1])
    };
    let lines = [subscriber];
    let six = [profile(1, CdnMode::SpeedAndAccounting, "2001:db8:c::/48")];
    let only_six = desired(&six, &lines);
    let four = |desired: &Desired| {
        let is_four = |item: &&Item| matches!(item.menu, Menu::AddressList | Menu::Mangle);
        desired.items.iter().filter(is_four).count()
    };
    assert_eq!(four(&only_six), 0);
    let networks = [
        "1:network:2001:db8:c::/48",
        "1:subscriber:2001:db8:1::/64",
        "1:subscriber:2001:db8:ff00::/56",
    ];
    assert_eq!(keys(&only_six, Menu::AddressList6), networks);
    assert_eq!(keys(&only_six, Menu::Mangle6), ["1:mark-down", "1:mark-up"]);
    let target = "target=2001:db8:1::/64,2001:db8:ff00::/56 ";
    assert!(
        told(&only_six.items)
            .iter()
            .any(|item| item.contains(target))
    );

    let only_four = desired(
        &[profile(1, CdnMode::SpeedAndAccounting, "10.9.0.0/16")],
        &lines,
    );
    assert!(only_four.items.iter().all(|item| !item.menu.is_ipv6()));
    assert!(
        told(&only_four.items)
            .iter()
            .any(|item| item.contains("target=10.0.0.7 "))
    );

    let both = desired(
        &[profile(
            1,
            CdnMode::SpeedOnly,
            "10.9.0.0/16 2001:db8:c::/48",
        )],
        &lines,
    );
    assert!(
        told(&both.items)
            .iter()
            .any(|item| item.contains("target=0.0.0.0/0,::/0 "))
    );
}

#[test]
fn an_address_is_the_newest_sessions() {
    let profiles = [profile(1, CdnMode::SpeedAndAccounting, "203.0.113.0/24")];
    let twice = [line(7, "10.0.0.7", &[1]), line(9, "10.0.0.7", &[1])];
    assert_eq!(
        keys(&desired(&profiles, &twice), Menu::Queue),
        ["1:session:9"]
    );
    // Somebody without the profile has it now.
    let lost = [line(7, "10.0.0.7", &[1]), line(9, "10.0.0.7", &[])];
    assert_eq!(keys(&desired(&profiles, &lost), Menu::Queue), [""; 0]);
    assert_eq!(
        keys(&desired(&profiles, &lost), Menu::AddressList),
        ["1:network:203.0.113.0/24"]
    );
}

#[test]
fn rules_stand_in_the_order_of_the_profiles() {
    let profiles = [
        profile(2, CdnMode::SpeedOnly, "203.0.113.0/24"),
        profile(1, CdnMode::SpeedAndAccounting, "203.0.0.0/16"),
    ];
    let rules = keys(&desired(&profiles, &[]), Menu::Mangle);
    assert_eq!(
        rules,
        ["1:mark-down", "1:mark-up", "2:mark-down", "2:mark-up"]
    );
    assert_eq!(
        desired(&[], &[line(1, "10.0.0.1", &[1])]),
        Desired::default()
    );
}

#[test]
fn a_counting_queue_is_known_by_its_comment() {
    for (comment, queue) in [
        ("proxpanel:cdn:3:session:77", Some((3, 77))),
        ("proxpanel:cdn:3:down", None),
        ("proxpanel:cdn:3:session:", None),
        ("proxpanel:cdn:x:session:7", None),
        ("3:session:77", None),
    ] {
        let found = queue_of(comment).map(|(profile, session)| (profile.0, session.0));
        assert_eq!(found, queue, "{comment}");
    }
}
