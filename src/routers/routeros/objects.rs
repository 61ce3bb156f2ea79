//! Objects of ours on a router: what there should be, what there is, and the changes from one to the other.
//!
//! Not here: what they are for (`cdn`), and the connection. Invariant: what does not bear our mark is never changed,
//! removed or moved. The mark is a comment that begins with [`COMMENT`], and in the menu of queue types, which know no
//! comments, a name that begins with [`NAME`].

use std::collections::{HashMap, HashSet};

use super::commands::ItemId;
use super::wire::Sentence;
use crate::domain::nas::Network;

/// Begins the comment of all that we make.
pub const COMMENT: &str = "proxpanel:cdn:";
/// Begins the names that we give: of queue types, queues, lists and marks.
pub const NAME: &str = "pp-cdn-";

/// Where we make things, in the order in which they are added: what is named by another comes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Menu {
    QueueType,
    AddressList,
    AddressList6,
    Queue,
    Mangle,
    Mangle6,
}

impl Menu {
    pub const ALL: [Menu; 6] = [
        Menu::QueueType,
        Menu::AddressList,
        Menu::AddressList6,
        Menu::Queue,
        Menu::Mangle,
        Menu::Mangle6,
    ];

    pub fn path(self) -> &'static str {
        match self {
            Menu::QueueType => "/queue/type",
            Menu::AddressList => "/ip/firewall/address-list",
            Menu::AddressList6 => "/ipv6/firewall/address-list",
            Menu::Queue => "/queue/simple",
            Menu::Mangle => "/ip/firewall/mangle",
            Menu::Mangle6 => "/ipv6/firewall/mangle",
        }
    }

    /// The fields that are read of each row. Slow ones, such as counters, are not among them.
    pub fn fields(self) -> &'static str {
        match self {
            Menu::QueueType => {
                ".id,name,kind,pcq-rate,pcq-classifier,pcq-src-address6-mask,pcq-dst-address6-mask"
            }
            Menu::AddressList | Menu::AddressList6 => ".id,list,address,comment,dynamic,disabled",
            Menu::Queue => ".id,name,target,packet-marks,queue,max-limit,comment,dynamic,disabled",
            Menu::Mangle | Menu::Mangle6 => {
                ".id,chain,action,new-packet-mark,passthrough,src-address-list,dst-address-list,comment,dynamic,disabled"
            }
        }
    }

    /// A router without IPv6 has no such menu.
    pub fn is_ipv6(self) -> bool {
        matches!(self, Menu::AddressList6 | Menu::Mangle6)
    }

    /// Rules are read from the top, so their order is kept as wanted.
    fn is_ordered(self) -> bool {
        matches!(self, Menu::Mangle | Menu::Mangle6)
    }
}

/// One object as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub menu: Menu,
    /// Its comment, or its name in the menu of queue types; unique in its menu.
    pub key: String,
    /// Names and values, without the comment; those in [`ONCE`] are told when it is added and not looked at again.
    pub fields: Vec<(&'static str, String)>,
}

/// Counts down on the router.
const ONCE: &[&str] = &["timeout"];

/// One object of ours as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    menu: Menu,
    id: ItemId,
    key: String,
    /// Rows of its menu above it.
    place: usize,
    fields: HashMap<String, String>,
}

/// What a router holds, as far as it matters: objects of ours, and where the dynamic queues stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actual {
    rows: Vec<Row>,
    /// Rows read of each menu, ours or not.
    read: HashMap<Menu, usize>,
    /// Places and ids of the dynamic queues, which the router made for sessions.
    dynamic: Vec<(usize, ItemId)>,
}

impl Actual {
    /// Takes one row of `print`, in the order of the router. A row without an id is none.
    pub fn take(&mut self, menu: Menu, row: &Sentence) {
        let Ok(id) = ItemId::of(row) else { return };
        let read = self.read.entry(menu).or_default();
        let place = *read;
        *read += 1;
        let (mark, key) = match menu {
            Menu::QueueType => (NAME, text(row, "name")),
            _ => (COMMENT, text(row, "comment")),
        };
        if let Some(key) = key.filter(|key| key.starts_with(mark)) {
            self.rows.push(Row {
                menu,
                id,
                key,
                place,
                fields: fields(row),
            });
        } else if menu == Menu::Queue && text(row, "dynamic").as_deref() == Some("true") {
            self.dynamic.push((place, id));
        }
    }

    /// Objects of ours.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// Dynamic queues above the lowest queue of ours. They take the traffic first: simple queues match in order.
    pub fn queues_above(&self) -> usize {
        let ours = self.rows.iter().filter(|row| row.menu == Menu::Queue);
        let Some(lowest) = ours.map(|row| row.place).max() else {
            return 0;
        };
        let above = |(place, _): &&(usize, ItemId)| *place < lowest;
        self.dynamic.iter().filter(above).count()
    }
}

fn text(row: &Sentence, name: &str) -> Option<String> {
    let value = row.attribute(name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn fields(row: &Sentence) -> HashMap<String, String> {
    let words = row.words().filter_map(|word| {
        let text = String::from_utf8_lossy(word.strip_prefix(b"=")?).into_owned();
        let (name, value) = text.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    words.collect()
}

/// One command to the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `before` is the id of a row; `None` is the end.
    Add {
        item: Item,
        before: Option<ItemId>,
    },
    Set {
        menu: Menu,
        id: ItemId,
        key: String,
        fields: Vec<(&'static str, String)>,
    },
    Move {
        menu: Menu,
        id: ItemId,
        key: String,
        before: Option<ItemId>,
    },
    Remove {
        menu: Menu,
        id: ItemId,
        key: String,
    },
}

impl Change {
    pub fn menu(&self) -> Menu {
        match self {
            Change::Add { item, .. } => item.menu,
            Change::Set { menu, .. } | Change::Move { menu, .. } | Change::Remove { menu, .. } => {
                *menu
            }
        }
    }

    /// Whether the next change need not wait for this one.
    pub fn may_go_beside(&self, next: &Change) -> bool {
        let is_placed =
            |change: &Change| change.menu().is_ordered() || matches!(change, Change::Move { .. });
        self.menu() == next.menu()
            && std::mem::discriminant(self) == std::mem::discriminant(next)
            && !is_placed(self)
    }

    pub fn key(&self) -> &str {
        match self {
            Change::Add { item, .. } => &item.key,
            Change::Set { key, .. } | Change::Move { key, .. } | Change::Remove { key, .. } => key,
        }
    }
}

/// What has to be done so that the router holds `desired` and nothing else of ours.
///
/// In this order traffic never meets half of it: queue types, lists, queues and only then the rules that mark packets for
/// them; afterwards what is too much goes the other way round, the rules first.
pub fn diff(desired: &[Item], actual: &Actual) -> Vec<Change> {
    let mut kept: HashMap<(Menu, &str), &Row> = HashMap::new();
    let wanted: HashSet<(Menu, &str)> = desired
        .iter()
        .map(|item| (item.menu, item.key.as_str()))
        .collect();
    let mut too_much = Vec::new();
    for row in &actual.rows {
        let key = (row.menu, row.key.as_str());
        if wanted.contains(&key) && !kept.contains_key(&key) {
            kept.insert(key, row);
        } else {
            too_much.push(row);
        }
    }
    let mut changes = Vec::new();
    for menu in Menu::ALL {
        let items: Vec<&Item> = desired.iter().filter(|item| item.menu == menu).collect();
        let row_of = |item: &Item| kept.get(&(menu, item.key.as_str())).copied();
        let anchor = match menu {
            Menu::Queue => anchor(kept.values().copied(), &actual.dynamic),
            _ => None,
        };
        let in_order = match menu.is_ordered() {
            true => in_order(
                &items,
                kept.values().copied().filter(|row| row.menu == menu),
            ),
            false => items.len(),
        };
        for (number, item) in items.into_iter().enumerate() {
            let Some(row) = row_of(item) else {
                changes.push(Change::Add {
                    item: item.clone(),
                    before: anchor.clone(),
                });
                continue;
            };
            let fields = differing(item, row);
            if !fields.is_empty() {
                changes.push(Change::Set {
                    menu,
                    id: row.id.clone(),
                    key: row.key.clone(),
                    fields,
                });
            }
            let is_below = menu == Menu::Queue
                && actual
                    .dynamic
                    .first()
                    .is_some_and(|(place, _)| *place < row.place);
            if is_below || number >= in_order {
                changes.push(Change::Move {
                    menu,
                    id: row.id.clone(),
                    key: row.key.clone(),
                    before: anchor.clone(),
                });
            }
        }
    }
    too_much.sort_by_key(|row| std::cmp::Reverse(row.menu));
    changes.extend(too_much.into_iter().map(|row| Change::Remove {
        menu: row.menu,
        id: row.id.clone(),
        key: row.key.clone(),
    }));
    changes
}

/// What queues of ours are put before: one of ours that stands above all dynamic queues, since those come and go with
/// sessions; else the first of those.
fn anchor<'a>(kept: impl Iterator<Item = &'a Row>, dynamic: &[(usize, ItemId)]) -> Option<ItemId> {
    let (first, id) = dynamic.first()?;
    let above = kept.filter(|row| row.menu == Menu::Queue && row.place < *first);
    let top = above.min_by_key(|row| row.place);
    Some(top.map_or(id, |row| &row.id).clone())
}

/// How many of the first items stand as wanted; all behind them go to the end, one after the other.
fn in_order<'a>(items: &[&Item], kept: impl Iterator<Item = &'a Row>) -> usize {
    let mut rows: Vec<&Row> = kept.collect();
    rows.sort_by_key(|row| row.place);
    let alike = |(item, row): &(&&Item, &&Row)| item.key == row.key;
    items.iter().zip(&rows).take_while(alike).count()
}

fn differing(item: &Item, row: &Row) -> Vec<(&'static str, String)> {
    let differs = |(name, value): &&(&'static str, String)| {
        let is = row.fields.get(*name).map_or("", String::as_str);
        !ONCE.contains(name) && plain(name, is) != plain(name, value)
    };
    item.fields.iter().filter(differs).cloned().collect()
}

/// A value as it compares: routers write addresses, switches and speeds in more than one way (mikrotik.md b4).
fn plain(name: &str, value: &str) -> String {
    match name {
        "disabled" | "passthrough" => match value {
            "yes" | "true" => "yes".to_owned(),
            // What is off may be left out.
            _ => "no".to_owned(),
        },
        "max-limit" | "pcq-rate" => value.split('/').map(speed).collect::<Vec<_>>().join("/"),
        "address" | "target" | "packet-marks" => {
            let mut parts: Vec<String> = value.split(',').map(address).collect();
            parts.sort_unstable();
            parts.join(",")
        }
        _ => value.to_owned(),
    }
}

/// `10.0.0.5/32` and `10.0.0.5` are one address.
fn address(text: &str) -> String {
    Network::parse(text).map_or_else(|_| text.trim().to_owned(), |network| network.to_string())
}

/// `10M` and `10000000` are one speed.
fn speed(text: &str) -> String {
    let scales = [('k', 1_000), ('M', 1_000_000), ('G', 1_000_000_000)];
    let bps = scales.iter().find_map(|(suffix, scale)| {
        let digits = text.strip_suffix(*suffix)?;
        digits.parse::<u64>().ok()?.checked_mul(*scale)
    });
    bps.map_or_else(|| text.to_owned(), |bps| bps.to_string())
}

#[cfg(test)]
#[path = "objects_tests.rs"]
mod tests;
