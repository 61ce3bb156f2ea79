//! From what there is to what there should be: nothing, the same, something else, somebody else's, in another order.

use super::*;

fn item(menu: Menu, key: &str, fields: &[(&'static str, &str)]) -> Item {
    let key = match menu {
        Menu::QueueType => format!("{NAME}{key}"),
        _ => format!("{COMMENT}{key}"),
    };
    let fields = fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    Item {
        menu,
        key,
        fields: fields.collect(),
    }
}

/// A row of `print`; words are `name=value`.
fn row(words: &[&str]) -> Sentence {
    let mut row = Sentence::default();
    row.push(b"!re").unwrap();
    for word in words {
        row.push(format!("={word}").as_bytes()).unwrap();
    }
    row
}

fn actual(rows: &[(Menu, &[&str])]) -> Actual {
    let mut actual = Actual::default();
    for (menu, words) in rows {
        actual.take(*menu, &row(words));
    }
    actual
}

/// One line a change: `add KEY before ID`, `set ID NAME=VALUE`, `move ID before ID`, `remove ID`.
fn told(changes: &[Change]) -> Vec<String> {
    let before = |id: &Option<ItemId>| match id {
        Some(id) => format!(" before {id}"),
        None => String::new(),
    };
    let short = |key: &str| key.replace(COMMENT, "").replace(NAME, "");
    let line = |change: &Change| match change {
        Change::Add { item, before: id } => format!("add {}{}", short(&item.key), before(id)),
        Change::Set { id, fields, .. } => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!(" {name}={value}"));
            format!("set {id}{}", fields.collect::<String>())
        }
        Change::Move { id, before: at, .. } => format!("move {id}{}", before(at)),
        Change::Remove { id, .. } => format!("remove {id}"),
    };
    changes.iter().map(line).collect()
}

fn one_of_each() -> Vec<Item> {
    vec![
        item(Menu::Mangle, "1:mark", &[("chain", "postrouting")]),
        item(Menu::Queue, "1:down", &[("target", "0.0.0.0/0")]),
        item(
            Menu::AddressList,
            "1:10.0.0.0/8",
            &[("address", "10.0.0.0/8")],
        ),
        item(
            Menu::QueueType,
            "1-down",
            &[("kind", "pcq"), ("pcq-rate", "5000000")],
        ),
    ]
}

const SAME: &[(Menu, &[&str])] = &[
    (
        Menu::QueueType,
        &[
            ".id=*1",
            "name=pp-cdn-1-down",
            "kind=pcq",
            "pcq-rate=5000000",
        ],
    ),
    (
        Menu::AddressList,
        &[
            ".id=*2",
            "comment=proxpanel:cdn:1:10.0.0.0/8",
            "address=10.0.0.0/8",
        ],
    ),
    (
        Menu::Queue,
        &[".id=*3", "comment=proxpanel:cdn:1:down", "target=0.0.0.0/0"],
    ),
    (
        Menu::Mangle,
        &[
            ".id=*4",
            "comment=proxpanel:cdn:1:mark",
            "chain=postrouting",
        ],
    ),
];

#[test]
fn rules_come_last_and_go_first() {
    let changes = diff(&one_of_each(), &Actual::default());
    let added = ["add 1-down", "add 1:10.0.0.0/8", "add 1:down", "add 1:mark"];
    assert_eq!(told(&changes), added);
    let removed = ["remove *4", "remove *3", "remove *2", "remove *1"];
    assert_eq!(told(&diff(&[], &actual(SAME))), removed);
    assert_eq!(diff(&one_of_each(), &actual(SAME)), []);
    assert_eq!(actual(SAME).count(), 4);
}

/// Menu, fields as they should be, words of the row, and what is done.
type Case<'a> = (Menu, Fields<'a>, &'a [&'a str], &'a str);
type Fields<'a> = &'a [(&'static str, &'a str)];

#[test]
fn what_differs_is_set_and_nothing_else() {
    let changed = |menu, fields: &[(&'static str, &str)], words: &[&str]| {
        let key = match menu {
            Menu::QueueType => "name=pp-cdn-k",
            _ => "comment=proxpanel:cdn:k",
        };
        let words: Vec<&str> = [".id=*1", key].iter().chain(words).copied().collect();
        let mut there = Actual::default();
        there.take(menu, &row(&words));
        let wanted = item(menu, "k", fields);
        told(&diff(&[wanted], &there)).join(";")
    };
    let cases: &[Case<'_>] = &[
        (
            Menu::QueueType,
            &[("pcq-rate", "5000000")],
            &["pcq-rate=4M"],
            "set *1 pcq-rate=5000000",
        ),
        (
            Menu::QueueType,
            &[("pcq-rate", "5000000")],
            &["pcq-rate=5M"],
            "",
        ),
        (
            Menu::QueueType,
            &[("pcq-rate", "5000000")],
            &["pcq-rate=5000k"],
            "",
        ),
        (
            Menu::QueueType,
            &[("kind", "pcq")],
            &["kind=pfifo"],
            "set *1 kind=pcq",
        ),
        (
            Menu::Queue,
            &[("max-limit", "1000/2000000000")],
            &["max-limit=1k/2G"],
            "",
        ),
        (
            Menu::Queue,
            &[("max-limit", "1000/2000")],
            &["max-limit=2000/1000"],
            "set *1 max-limit=1000/2000",
        ),
        (
            Menu::Queue,
            &[("target", "10.0.0.5,2001:db8::/64")],
            &["target=2001:db8::/64,10.0.0.5/32"],
            "",
        ),
        (
            Menu::Queue,
            &[("target", "10.0.0.5")],
            &["target=10.0.0.6/32"],
            "set *1 target=10.0.0.5",
        ),
        (
            Menu::Mangle,
            &[("passthrough", "yes")],
            &["passthrough=true"],
            "",
        ),
        (
            Menu::Mangle,
            &[("passthrough", "yes")],
            &["passthrough=false"],
            "set *1 passthrough=yes",
        ),
        (
            Menu::Mangle,
            &[("disabled", "no")],
            &["disabled=true"],
            "set *1 disabled=no",
        ),
        (Menu::Mangle, &[("disabled", "no")], &[], ""),
        (
            Menu::Mangle,
            &[("src-address-list", "a")],
            &[],
            "set *1 src-address-list=a",
        ),
        // What an operator added on the router is left as it is.
        (
            Menu::Mangle,
            &[("chain", "c")],
            &["chain=c", "log=true"],
            "",
        ),
        // Counts down.
        (
            Menu::AddressList,
            &[("timeout", "1w")],
            &["timeout=6d23h"],
            "",
        ),
    ];
    for (menu, fields, words, wanted) in cases {
        assert_eq!(
            changed(*menu, fields, words),
            *wanted,
            "{fields:?} {words:?}"
        );
    }
}

#[test]
fn objects_of_others_stay_as_they_are() {
    let theirs = actual(&[
        (Menu::QueueType, &[".id=*1", "name=pcq-download-default"]),
        (
            Menu::QueueType,
            &[".id=*2", "name=theirs", "comment=proxpanel:cdn:1:down"],
        ),
        (
            Menu::AddressList,
            &[".id=*3", "list=pp-cdn-1", "address=10.0.0.0/8"],
        ),
        (Menu::Queue, &[".id=*4", "name=pp-cdn-1", "comment=our cdn"]),
        (Menu::Queue, &[".id=*5", "name=<pppoe-ali>", "dynamic=true"]),
        (Menu::Mangle, &[".id=*6", "comment=not proxpanel:cdn:1"]),
        (Menu::Mangle, &["comment=proxpanel:cdn:1:mark"]),
    ]);
    assert_eq!(diff(&[], &theirs), []);
    assert_eq!(theirs.count(), 0);
    assert_eq!(theirs.queues_above(), 0, "none of ours");
}

#[test]
fn what_is_twice_there_goes_once() {
    let mut rows = SAME.to_vec();
    rows.push((
        Menu::Mangle,
        &[".id=*9", "comment=proxpanel:cdn:1:mark", "chain=forward"],
    ));
    assert_eq!(told(&diff(&one_of_each(), &actual(&rows))), ["remove *9"]);
}

#[test]
fn queues_stand_above_the_dynamic_ones() {
    let queues = |names: &[&str]| {
        let mut there = Actual::default();
        for (number, name) in names.iter().enumerate() {
            let id = format!(".id=*{number}");
            let key = format!("comment=proxpanel:cdn:{name}");
            there.take(
                Menu::Queue,
                &match *name {
                    "dynamic" => row(&[&id, "name=<pppoe-ali>", "dynamic=true"]),
                    "theirs" => row(&[&id, "name=theirs", "dynamic=false"]),
                    _ => row(&[&id, &key]),
                },
            );
        }
        there
    };
    let wanted: Vec<Item> = ["a", "b"].map(|key| item(Menu::Queue, key, &[])).into();
    let cases: &[(&[&str], &[&str], usize)] = &[
        (&[], &["add a", "add b"], 0),
        (&["theirs"], &["add a", "add b"], 0),
        (
            &["theirs", "dynamic"],
            &["add a before *1", "add b before *1"],
            0,
        ),
        (&["b", "a", "dynamic"], &[], 0),
        (&["theirs", "b", "theirs", "a", "dynamic"], &[], 0),
        (&["a", "dynamic"], &["add b before *0"], 0),
        (
            &["dynamic", "dynamic", "a", "b"],
            &["move *2 before *0", "move *3 before *0"],
            2,
        ),
        (&["a", "dynamic", "b", "dynamic"], &["move *2 before *0"], 1),
        (
            &["dynamic", "a"],
            &["move *1 before *0", "add b before *0"],
            1,
        ),
    ];
    for (there, changes, above) in cases {
        let there = queues(there);
        assert_eq!(told(&diff(&wanted, &there)), *changes);
        assert_eq!(there.queues_above(), *above);
    }
    // One that goes is nothing to hold on to.
    let there = queues(&["old", "dynamic", "a"]);
    let changes = ["move *2 before *1", "add b before *1", "remove *0"];
    assert_eq!(told(&diff(&wanted, &there)), changes);
}

#[test]
fn rules_stand_in_their_order_behind_those_of_others() {
    let wanted: Vec<Item> = ["a", "b", "c"]
        .map(|key| item(Menu::Mangle, key, &[]))
        .into();
    let rules = |names: &[&str]| {
        let mut there = Actual::default();
        for (number, name) in names.iter().enumerate() {
            let words = [format!(".id=*{number}"), format!("comment={COMMENT}{name}")];
            let theirs = [format!(".id=*{number}"), "comment=theirs".to_owned()];
            let words = if *name == "theirs" { theirs } else { words };
            there.take(Menu::Mangle, &row(&[&words[0], &words[1]]));
        }
        there
    };
    let cases: &[(&[&str], &[&str])] = &[
        (&["a", "b", "c"], &[]),
        (&["a", "theirs", "b", "c", "theirs"], &[]),
        (&["a", "b"], &["add c"]),
        (&["b", "a", "c"], &["move *1", "move *0", "move *2"]),
        (&["a", "c"], &["add b", "move *1"]),
        (&["b", "c"], &["add a", "move *0", "move *1"]),
        (&["a", "c", "b"], &["move *2", "move *1"]),
    ];
    for (there, changes) in cases {
        assert_eq!(told(&diff(&wanted, &rules(there))), *changes, "{there:?}");
    }
}
