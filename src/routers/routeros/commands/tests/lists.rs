//! Queues, address lists and rules.

use super::*;

#[tokio::test]
async fn queues_in_full() {
    let queues = dialogue(
        |router| async move { queues::simple(&router).await },
        &[(
            &[
                "/queue/simple/print",
                "=.proplist=.id,name,target,max-limit,rate,bytes,dynamic,disabled,comment",
            ],
            &[
                &[
                    "=.id=*1",
                    "=name=<pppoe-ali>",
                    "=target=<pppoe-ali>",
                    "=max-limit=10000000/50M",
                    "=rate=1/2",
                    "=bytes=3/4",
                    "=dynamic=true",
                    "=disabled=false",
                    "=comment=isp:7",
                ],
                &["=.id=*2", "=name=office", "=disabled=true"],
            ],
        )],
    )
    .await;
    let first = queues::SimpleQueue {
        id: id("*1"),
        name: "<pppoe-ali>".to_owned(),
        target: some("<pppoe-ali>"),
        max_limit: Some(Pair::new(10_000_000, 50_000_000)),
        rate: Some(Pair::new(1, 2)),
        octets: Some(Traffic::new(3, 4)),
        is_dynamic: true,
        is_disabled: false,
        comment: some("isp:7"),
    };
    let second = queues::SimpleQueue {
        id: id("*2"),
        name: "office".to_owned(),
        target: None,
        max_limit: None,
        rate: None,
        octets: None,
        is_dynamic: false,
        is_disabled: true,
        comment: None,
    };
    assert_eq!(queues, Ok(vec![first, second]));
}

#[tokio::test]
async fn address_lists_of_both_families() {
    let fields = "=.proplist=.id,list,address,timeout,dynamic,disabled,comment";
    for (family, print) in [
        (firewall::Family::V4, "/ip/firewall/address-list/print"),
        (firewall::Family::V6, "/ipv6/firewall/address-list/print"),
    ] {
        let entries = dialogue(
            |router| async move { firewall::list(&router, family, "isp-expired").await },
            &[(
                &[print, "?list=isp-expired", fields],
                &[&[
                    "=.id=*1",
                    "=list=isp-expired",
                    "=address=10.0.0.5",
                    "=timeout=23h59m59s",
                    "=dynamic=true",
                    "=comment=isp:7",
                ]],
            )],
        )
        .await;
        let expected = firewall::ListEntry {
            id: id("*1"),
            list: "isp-expired".to_owned(),
            address: "10.0.0.5".to_owned(),
            timeout: Some(Duration::from_secs(86_399)),
            is_dynamic: true,
            is_disabled: false,
            comment: some("isp:7"),
        };
        assert_eq!(entries, Ok(vec![expected]));
    }
}

#[tokio::test]
async fn an_address_that_is_listed_already_is_a_success() {
    let day = Some(Duration::from_secs(86_400));
    for (address, timeout, words, reply, expected) in [
        (
            "10.0.0.5",
            day,
            vec![
                "/ip/firewall/address-list/add",
                "=list=isp-expired",
                "=address=10.0.0.5",
                "=comment=isp:7",
                "=timeout=86400s",
            ],
            vec!["!done", "=ret=*1A"],
            Ok(Some(id("*1A"))),
        ),
        (
            "2001:db8::/64",
            None,
            vec![
                "/ipv6/firewall/address-list/add",
                "=list=isp-expired",
                "=address=2001:db8::/64",
                "=comment=isp:7",
            ],
            vec!["!trap", "=message=failure: already have such entry"],
            Ok(None),
        ),
        (
            "x",
            None,
            vec![
                "/ip/firewall/address-list/add",
                "=list=isp-expired",
                "=address=x",
                "=comment=isp:7",
            ],
            vec!["!trap", "=message=invalid value"],
            Err(trap("invalid value")),
        ),
    ] {
        let result = dialogue(
            |router| async move {
                firewall::add_to_list(&router, "isp-expired", address, timeout, "isp:7").await
            },
            &[(&words, &[&reply])],
        )
        .await;
        assert_eq!(result, expected, "{address}");
    }
}

#[tokio::test]
async fn rules_keep_their_order() {
    for (table, print) in [
        (firewall::Table::Filter, "/ip/firewall/filter/print"),
        (firewall::Table::Mangle, "/ip/firewall/mangle/print"),
        (firewall::Table::Nat, "/ip/firewall/nat/print"),
    ] {
        let rules = dialogue(
            |router| async move { firewall::rules(&router, table).await },
            &[(
                &[
                    print,
                    "=.proplist=.id,chain,action,comment,disabled,dynamic,bytes,packets",
                ],
                &[
                    &[
                        "=.id=*9",
                        "=chain=forward",
                        "=action=jump",
                        "=comment=isp",
                        "=bytes=10",
                        "=packets=1",
                    ],
                    &[
                        "=.id=*2",
                        "=chain=input",
                        "=action=drop",
                        "=disabled=true",
                        "=dynamic=true",
                    ],
                ],
            )],
        )
        .await;
        let first = firewall::Rule {
            id: id("*9"),
            chain: "forward".to_owned(),
            action: "jump".to_owned(),
            comment: some("isp"),
            is_disabled: false,
            is_dynamic: false,
            octets: Some(10),
            packets: Some(1),
        };
        let second = firewall::Rule {
            id: id("*2"),
            chain: "input".to_owned(),
            action: "drop".to_owned(),
            comment: None,
            is_disabled: true,
            is_dynamic: true,
            octets: None,
            packets: None,
        };
        assert_eq!(rules, Ok(vec![first, second]));
    }
}
