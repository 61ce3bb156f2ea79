//! By what a licence knows the machine it is for: marks of the system, the board and the network cards.
//!
//! Only digests leave the machine. Everything that is read may be read without rights, so that the daemon and root see the
//! same. Invariants: one part may change, such as a network card or a reinstalled system, and the machine is still the same;
//! a machine that shows nothing is nobody's.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use super::base64url;
use crate::crypto;

/// Octets of a mark: enough that two never meet by chance.
const MARK_OCTETS: usize = 16;
/// Network cards that are looked at; the lowest addresses count.
const MOST_CARDS: usize = 8;
/// Interfaces that are looked at to find them: a concentrator has one for each subscriber, without a device.
const MOST_INTERFACES: usize = 4_096;
/// Octets that are read of a file of the system; what counts is one line.
const LONGEST_LINE: u64 = 256;
/// The text of a machine is longer only if it is not one of ours.
const LONGEST_TEXT: usize = 512;

/// A digest of one value, under the name of its kind.
pub type Mark = ByteArray<MARK_OCTETS>;

/// What a machine shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Hardware {
    /// The machine id of the system (machine-id(5)).
    #[n(0)]
    pub system: Option<Mark>,
    /// The serial number of a single-board computer, else maker and model.
    #[n(1)]
    pub board: Option<Mark>,
    /// Addresses of the network cards, at most eight, in order.
    #[n(2)]
    pub cards: Vec<Mark>,
}

/// Which parts of two machines are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likeness {
    pub system: Option<bool>,
    pub board: Option<bool>,
    pub cards: Option<bool>,
}

impl Hardware {
    /// Looks at the machine whose root folder is `root`.
    pub fn read(root: &Path) -> Hardware {
        let line = |path: &str| first_line(&root.join(path));
        let system = line("etc/machine-id")
            .filter(|id| id != "uninitialized")
            .or_else(|| line("var/lib/dbus/machine-id"));
        let board = line("proc/device-tree/serial-number").or_else(|| {
            let names = ["sys_vendor", "product_name", "board_vendor", "board_name"];
            let known: Vec<String> = names
                .iter()
                .filter_map(|name| line(&format!("sys/class/dmi/id/{name}")))
                .collect();
            (!known.is_empty()).then(|| known.join("\n"))
        });
        Hardware {
            system: system.map(|id| mark("system", &id)),
            board: board.map(|names| mark("board", &names)),
            cards: cards(&root.join("sys/class/net")),
        }
    }

    /// Whether there is nothing by which this machine could be known again.
    pub fn is_unknown(&self) -> bool {
        self.system.is_none() && self.board.is_none() && self.cards.is_empty()
    }

    /// Compares what both sides know. Cards are alike when they share one.
    pub fn likeness(&self, other: &Hardware) -> Likeness {
        let alike = |one: &Option<Mark>, two: &Option<Mark>| {
            one.as_ref().zip(two.as_ref()).map(|(one, two)| one == two)
        };
        let cards = (!self.cards.is_empty() && !other.cards.is_empty())
            .then(|| self.cards.iter().any(|card| other.cards.contains(card)));
        Likeness {
            system: alike(&self.system, &other.system),
            board: alike(&self.board, &other.board),
            cards,
        }
    }

    /// Whether more parts are alike than differ.
    pub fn is_same_machine(&self, other: &Hardware) -> bool {
        let Likeness {
            system,
            board,
            cards,
        } = self.likeness(other);
        let count = |wanted| {
            [system, board, cards]
                .iter()
                .filter(|part| **part == Some(wanted))
                .count()
        };
        count(true) > count(false)
    }

    /// For the wire.
    pub fn to_text(&self) -> String {
        base64url::encode(&minicbor::to_vec(self).unwrap_or_default())
    }

    /// Reads what [`Hardware::to_text`] wrote. `None` for anything else, and for a machine that shows nothing.
    pub fn parse(text: &str) -> Option<Hardware> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let hardware: Hardware = minicbor::decode(&base64url::decode(text)?).ok()?;
        (!hardware.is_unknown() && hardware.cards.len() <= MOST_CARDS).then_some(hardware)
    }

    /// Twelve hexadecimal digits for people on the telephone. Any change of any part changes them.
    pub fn id(&self) -> String {
        let digest = crypto::hex(&crypto::sha256(self.to_text().as_bytes()));
        let short: Vec<char> = digest.to_uppercase().chars().take(12).collect();
        let groups = short
            .chunks(4)
            .map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join("-")
    }
}

fn mark(kind: &str, value: &str) -> Mark {
    let digest = crypto::sha256(format!("proxpanel hardware 1\0{kind}\0{value}").as_bytes());
    let mut mark = [0; MARK_OCTETS];
    mark.iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    mark.into()
}

/// Interfaces with a device behind them: not bridges, tunnels and the like, which come and go.
fn cards(folder: &Path) -> Vec<Mark> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut addresses: Vec<String> = entries
        .take(MOST_INTERFACES)
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("device").exists())
        .filter_map(|entry| first_line(&entry.path().join("address")))
        .filter(|address| address.bytes().any(|octet| !matches!(octet, b'0' | b':')))
        .map(|address| address.to_ascii_lowercase())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(MOST_CARDS);
    addresses
        .iter()
        .map(|address| mark("card", address))
        .collect()
}

/// The first line without blanks around it; `None` for a file that is missing, unreadable or empty.
fn first_line(path: &Path) -> Option<String> {
    let mut octets = Vec::new();
    File::open(path)
        .ok()?
        .take(LONGEST_LINE)
        .read_to_end(&mut octets)
        .ok()?;
    let text = String::from_utf8_lossy(&octets);
    let line = text.lines().next()?.trim_matches(['\0', ' ', '\t', '\r']);
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &[(&str, &str)] = &[
        ("etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda4\n"),
        ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
        ("sys/class/dmi/id/product_name", "Standard PC\n"),
        ("sys/class/net/eth0/address", "52:54:00:AA:00:01\n"),
        ("sys/class/net/eth0/device/vendor", "1af4\n"),
        ("sys/class/net/eth1/address", "52:54:00:aa:00:02\n"),
        ("sys/class/net/eth1/device/vendor", "1af4\n"),
        ("sys/class/net/ppp0/address", "\n"),
        ("sys/class/net/br0/address", "52:54:00:bb:00:01\n"),
        ("sys/class/net/lo/address", "00:00:00:00:00:00\n"),
        ("sys/class/net/lo/device/odd", "\n"),
    ];

    /// The machine with other contents of some files; an empty one is missing.
    fn machine(changes: &[(&str, &str)]) -> Hardware {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in MACHINE.iter().chain(changes) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match *text {
                "" => fs::remove_file(path).unwrap_or_default(),
                text => fs::write(path, text).unwrap(),
            }
        }
        Hardware::read(root.path())
    }

    #[test]
    fn a_machine_shows_its_system_its_board_and_its_cards() {
        let whole = machine(&[]);
        assert_eq!(whole, machine(&[]));
        assert_eq!(whole.cards.len(), 2);
        assert_eq!(
            whole.system,
            Some(mark("system", "3d1219c7c4c5404aaa1f6d2a48adfda4"))
        );
        assert_eq!(whole.board, Some(mark("board", "QEMU\nStandard PC")));
        assert_eq!(whole.cards[0], mark("card", "52:54:00:aa:00:01"));
        let single_board = machine(&[("proc/device-tree/serial-number", "10000000abcdef01\0")]);
        assert_eq!(single_board.board, Some(mark("board", "10000000abcdef01")));
        let by_dbus = machine(&[
            ("etc/machine-id", "uninitialized\n"),
            (
                "var/lib/dbus/machine-id",
                "3d1219c7c4c5404aaa1f6d2a48adfda4\n",
            ),
        ]);
        assert_eq!(by_dbus.system, whole.system);
    }

    #[test]
    fn one_part_may_change_and_two_may_not() {
        const OTHER_ID: (&str, &str) = ("etc/machine-id", "ffff19c7c4c5404aaa1f6d2a48adfda4\n");
        const NO_ID: (&str, &str) = ("etc/machine-id", "");
        const OTHER_BOARD: (&str, &str) = ("sys/class/dmi/id/sys_vendor", "Dell\n");
        const OTHER_CARD: (&str, &str) = ("sys/class/net/eth0/address", "52:54:00:cc:00:01\n");
        const OTHER_CARD_2: (&str, &str) = ("sys/class/net/eth1/address", "52:54:00:cc:00:02\n");
        let bound = machine(&[]);
        for (changes, is_same) in [
            (&[][..], true),
            (&[OTHER_ID], true),
            (&[OTHER_BOARD], true),
            (&[OTHER_CARD], true),
            (&[OTHER_CARD, OTHER_CARD_2], true),
            (&[NO_ID], true),
            (&[OTHER_CARD, OTHER_ID], true),
            (&[OTHER_CARD, OTHER_CARD_2, OTHER_ID], false),
            (&[OTHER_BOARD, OTHER_ID], false),
            (&[OTHER_BOARD, OTHER_CARD, OTHER_CARD_2], false),
            (&[NO_ID, OTHER_BOARD], false),
        ] {
            assert_eq!(
                bound.is_same_machine(&machine(changes)),
                is_same,
                "{changes:?}"
            );
            assert_eq!(
                machine(changes).is_same_machine(&bound),
                is_same,
                "{changes:?}"
            );
        }
        let nothing = Hardware::default();
        assert!(nothing.is_unknown() && !nothing.is_same_machine(&nothing));
    }

    #[test]
    fn the_text_comes_back_and_other_texts_are_refused() {
        let hardware = machine(&[]);
        assert_eq!(Hardware::parse(&hardware.to_text()), Some(hardware.clone()));
        assert_eq!(hardware.id().len(), 14);
        let crowd = Hardware {
            cards: vec![mark("card", "x"); MOST_CARDS + 1],
            ..Hardware::default()
        };
        for wrong in [
            String::new(),
            "AAAA".to_owned(),
            "=".to_owned(),
            Hardware::default().to_text(),
            crowd.to_text(),
            "A".repeat(LONGEST_TEXT + 1),
        ] {
            assert_eq!(Hardware::parse(&wrong), None, "{wrong}");
        }
    }
}
