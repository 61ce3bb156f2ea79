//! Counters, owners and speeds of PPPoE interfaces.

use super::*;
use crate::routers::routeros::commands::interfaces::{InterfaceCounters, LiveRate, PppoeSession};

#[tokio::test]
async fn traffic_of_users_is_joined_by_interface() {
    let counters: Exchanged<'_> = (
        &[
            "/interface/print",
            "?type=pppoe-in",
            "=.proplist=.id,name,rx-byte,tx-byte,rx-packet,tx-packet,running,last-link-up-time",
        ],
        &[
            &[
                "=.id=*A",
                "=name=<pppoe-ali>",
                "=rx-byte=10",
                "=tx-byte=20",
                "=running=true",
            ],
            &[
                "=.id=*B",
                "=name=<pppoe-ali-1>",
                "=rx-byte=1",
                "=tx-byte=2",
                "=running=true",
            ],
            &[
                "=.id=*C",
                "=name=office",
                "=rx-byte=5",
                "=tx-byte=18446744073709551615",
                "=running=true",
            ],
            &[
                "=.id=*D",
                "=name=idle",
                "=rx-byte=0",
                "=tx-byte=0",
                "=running=false",
            ],
            &[
                "=.id=*E",
                "=name=<pppoe-new>",
                "=rx-byte=7",
                "=tx-byte=7",
                "=running=true",
            ],
        ],
    );
    let sessions: Exchanged<'_> = (
        &[
            "/interface/pppoe-server/print",
            "=.proplist=name,user,service,uptime,remote-address,interface,vid,dynamic,running",
        ],
        &[
            &[
                "=name=<pppoe-ali>",
                "=user=ali",
                "=remote-address=AA:BB:CC:DD:EE:01",
            ],
            &[
                "=name=<pppoe-ali-1>",
                "=user=ali",
                "=remote-address=AA:BB:CC:DD:EE:02",
            ],
            &["=name=office", "=user=sara"],
            &["=name=idle", "=user="],
            &["=name=<pppoe-gone>", "=user=gone"],
        ],
    );
    let traffic = dialogue(
        |router| async move { interfaces::user_traffic(&router).await },
        &[counters, sessions],
    )
    .await
    .unwrap();
    let found: Vec<(&str, &str, Traffic)> = traffic
        .iter()
        .map(|traffic| {
            (
                traffic.user.as_str(),
                traffic.session.name.as_str(),
                traffic.octets,
            )
        })
        .collect();
    let expected = [
        ("ali", "<pppoe-ali>", Traffic::new(10, 20)),
        ("ali", "<pppoe-ali-1>", Traffic::new(1, 2)),
        ("sara", "office", Traffic::new(5, u64::MAX)),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn interfaces_in_full() {
    let counters = dialogue(
        |router| async move { interfaces::pppoe_counters(&router).await },
        &[(
            &[
                "/interface/print",
                "?type=pppoe-in",
                "=.proplist=.id,name,rx-byte,tx-byte,rx-packet,tx-packet,running,last-link-up-time",
            ],
            &[&[
                "=.id=*A",
                "=name=<pppoe-ali>",
                "=rx-byte=1",
                "=tx-byte=2",
                "=rx-packet=3",
                "=tx-packet=4",
                "=running=true",
                "=last-link-up-time=2026-01-31 23:59:59",
            ]],
        )],
    )
    .await;
    let expected = InterfaceCounters {
        id: id("*A"),
        name: "<pppoe-ali>".to_owned(),
        octets: Traffic::new(1, 2),
        packets: Traffic::new(3, 4),
        is_running: true,
        last_link_up: some("2026-01-31 23:59:59"),
    };
    assert_eq!(counters, Ok(vec![expected]));
    let sessions = dialogue(
        |router| async move { interfaces::pppoe_sessions(&router).await },
        &[(
            &[
                "/interface/pppoe-server/print",
                "=.proplist=name,user,service,uptime,remote-address,interface,vid,dynamic,running",
            ],
            &[&[
                "=name=<pppoe-ali>",
                "=user=ali",
                "=service=isp",
                "=uptime=00:00:05",
                "=remote-address=AA:BB:CC:DD:EE:FF",
                "=interface=ether2",
                "=vid=100",
                "=dynamic=true",
                "=running=true",
            ]],
        )],
    )
    .await;
    let expected = PppoeSession {
        name: "<pppoe-ali>".to_owned(),
        user: some("ali"),
        service: some("isp"),
        uptime: Some(Duration::from_secs(5)),
        remote_address: some("AA:BB:CC:DD:EE:FF"),
        interface: some("ether2"),
        vlan: some("100"),
        is_dynamic: true,
        is_running: true,
    };
    assert_eq!(sessions, Ok(vec![expected]));
}

#[tokio::test]
async fn speeds_once_and_until_dropped() {
    let row: &[&str] = &[
        "=name=<pppoe-ali>",
        "=rx-bits-per-second=1000",
        "=tx-bits-per-second=2000",
    ];
    let expected = LiveRate {
        interface: "<pppoe-ali>".to_owned(),
        rate: Pair::new(1000, 2000),
    };
    let once = dialogue(
        |router| async move { interfaces::live_rates(&router, &["<pppoe-ali>", "ether1"]).await },
        &[(
            &[
                "/interface/monitor-traffic",
                "=interface=<pppoe-ali>,ether1",
                "=once=",
            ],
            &[row],
        )],
    )
    .await;
    assert_eq!(once, Ok(vec![expected]));
}
