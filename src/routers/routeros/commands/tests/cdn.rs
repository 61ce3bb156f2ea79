//! Objects of ours: read menu by menu, changed one by one, counted.

use super::*;
use crate::domain::id::{CdnId, SessionId};
use crate::routers::routeros::commands::cdn::{actual, apply, counted, fasttrack_rules};
use crate::routers::routeros::objects::{Change, Item, Menu};

fn item(menu: Menu) -> Item {
    Item {
        menu,
        key: "key".to_owned(),
        fields: vec![("list", "a=b".to_owned())],
    }
}

#[tokio::test]
async fn all_menus_are_read_and_a_router_may_have_no_ipv6() {
    let words: Vec<[String; 2]> = Menu::ALL
        .iter()
        .map(|menu| {
            [
                format!("{}/print", menu.path()),
                format!("=.proplist={}", menu.fields()),
            ]
        })
        .collect();
    let words: Vec<[&str; 2]> = words
        .iter()
        .map(|[path, fields]| [path.as_str(), fields.as_str()])
        .collect();
    let ours: &[&[&str]] = &[
        &["=.id=*1", "=name=pp-cdn-1-down"],
        &["=.id=*2", "=name=default"],
    ];
    let missing: &[&[&str]] = &[&["!trap", "=message=no such command prefix"]];
    let exchanged: Vec<Exchanged<'_>> = words
        .iter()
        .zip(Menu::ALL)
        .map(|(words, menu)| {
            let rows = match menu {
                Menu::QueueType => ours,
                menu if menu.is_ipv6() => missing,
                _ => &[],
            };
            (words.as_slice(), rows)
        })
        .collect();
    let read = dialogue(|router| async move { actual(&router).await }, &exchanged).await;
    assert_eq!(read.unwrap().count(), 1);
    // The other menus every router has.
    let refused = dialogue(
        |router| async move { actual(&router).await },
        &[(words[0].as_slice(), missing)],
    )
    .await;
    assert!(refused.unwrap_err().is_unknown_command());
}

#[tokio::test]
async fn changes_are_commands() {
    let changes = [
        Change::Add {
            item: item(Menu::QueueType),
            before: None,
        },
        Change::Add {
            item: item(Menu::Queue),
            before: Some(id("*7")),
        },
        Change::Add {
            item: item(Menu::AddressList),
            before: None,
        },
        Change::Set {
            menu: Menu::Mangle,
            id: id("*1"),
            key: String::new(),
            fields: vec![("chain", "c".to_owned())],
        },
        Change::Move {
            menu: Menu::Mangle6,
            id: id("*1"),
            key: String::new(),
            before: None,
        },
        Change::Move {
            menu: Menu::Queue,
            id: id("*1"),
            key: String::new(),
            before: Some(id("*2")),
        },
        Change::Remove {
            menu: Menu::AddressList6,
            id: id("*1"),
            key: String::new(),
        },
    ];
    let result = dialogue(
        |router| async move {
            for change in &changes {
                apply(&router, change).await?;
            }
            apply(&router, &changes[1]).await
        },
        &[
            (
                &["/queue/type/add", "=list=a=b", "=name=key"],
                &[&["!done", "=ret=*1"]],
            ),
            (
                &[
                    "/queue/simple/add",
                    "=list=a=b",
                    "=comment=key",
                    "=place-before=*7",
                ],
                &[&["!done", "=ret=*2"]],
            ),
            (
                &["/ip/firewall/address-list/add", "=list=a=b", "=comment=key"],
                &[&["!trap", "=message=failure: already have such entry"]],
            ),
            (&["/ip/firewall/mangle/set", "=.id=*1", "=chain=c"], &[]),
            (&["/ipv6/firewall/mangle/move", "=numbers=*1"], &[]),
            (
                &["/queue/simple/move", "=numbers=*1", "=destination=*2"],
                &[],
            ),
            (
                &["/ipv6/firewall/address-list/remove", "=.id=*1"],
                &[&["!trap", "=message=no such item (4)"]],
            ),
            // A queue that is there already is somebody else's.
            (
                &[
                    "/queue/simple/add",
                    "=list=a=b",
                    "=comment=key",
                    "=place-before=*7",
                ],
                &[&["!trap", "=message=failure: already have such name"]],
            ),
        ],
    );
    assert!(result.await.unwrap_err().is_duplicate());
}

#[tokio::test]
async fn rules_of_fasttrack_count_while_they_are_on() {
    let asked = |menu: &'static str| {
        [
            menu,
            "?action=fasttrack-connection",
            "=.proplist=.id,disabled",
        ]
    };
    let (four, six) = (
        asked("/ip/firewall/filter/print"),
        asked("/ipv6/firewall/filter/print"),
    );
    let rules = dialogue(
        |router| async move { fasttrack_rules(&router).await },
        &[
            (
                &four,
                &[
                    &["=.id=*1", "=disabled=false"],
                    &["=.id=*2", "=disabled=true"],
                    &["=.id=*3"],
                ],
            ),
            (&six, &[&["=.id=*1", "=disabled=false"]]),
        ],
    )
    .await;
    assert_eq!(rules, Ok(3));
    let without = dialogue(
        |router| async move { fasttrack_rules(&router).await },
        &[
            (&four, &[]),
            (&six, &[&["!trap", "=message=no such command prefix"]]),
        ],
    )
    .await;
    assert_eq!(without, Ok(0));
}

#[tokio::test]
async fn queues_of_ours_say_what_they_counted() {
    let read = dialogue(
        |router| async move { counted(&router, &[CdnId(3), CdnId(4)]).await },
        &[
            (
                &[
                    "/queue/simple/print",
                    "?packet-marks=pp-cdn-3",
                    "=.proplist=.id,comment,bytes",
                ],
                &[
                    &[
                        "=.id=*1",
                        "=comment=proxpanel:cdn:3:session:7",
                        "=bytes=10/2000",
                    ],
                    &["=.id=*2", "=comment=theirs", "=bytes=1/1"],
                    &["=.id=*3", "=bytes=1/1"],
                    &["=.id=*4", "=comment=proxpanel:cdn:3:session:8"],
                ],
            ),
            (
                &[
                    "/queue/simple/print",
                    "?packet-marks=pp-cdn-4",
                    "=.proplist=.id,comment,bytes",
                ],
                &[],
            ),
        ],
    );
    let wanted = ((CdnId(3), SessionId(7)), Traffic::new(10, 2_000));
    assert_eq!(read.await, Ok(vec![wanted]));
}
