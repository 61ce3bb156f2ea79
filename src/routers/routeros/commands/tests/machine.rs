//! The router itself, its pools, and what it is to RADIUS.

use super::*;
use crate::domain::time::Timestamp;
use crate::routers::routeros::client::State;

#[tokio::test]
async fn a_row_that_identifies_nothing_fails_the_list() {
    let sessions = dialogue(
        |router| async move { pools::pools(&router).await },
        &[(
            &[
                "/ip/pool/print",
                "=.proplist=.id,name,ranges,next-pool,total,used",
            ],
            &[&["=.id=*1", "=ranges=10.0.0.2-10.0.0.9"]],
        )],
    )
    .await;
    let expected = ApiError::Value {
        field: "name",
        text: String::new(),
    };
    assert_eq!(sessions, Err(expected));
}

#[tokio::test]
async fn pools_with_and_without_counts() {
    let pools = dialogue(
        |router| async move { pools::pools(&router).await },
        &[(
            &[
                "/ip/pool/print",
                "=.proplist=.id,name,ranges,next-pool,total,used",
            ],
            &[
                &[
                    "=.id=*1",
                    "=name=isp-active",
                    "=ranges=10.0.0.2-10.0.0.9",
                    "=next-pool=b",
                    "=total=8",
                    "=used=3",
                ],
                &["=.id=*2", "=name=b"],
            ],
        )],
    )
    .await;
    let pool = |number: &str, name: &str| pools::Pool {
        id: id(number),
        name: name.to_owned(),
        ranges: None,
        next_pool: None,
        total: None,
        used: None,
    };
    let first = pools::Pool {
        ranges: some("10.0.0.2-10.0.0.9"),
        next_pool: some("b"),
        total: Some(8),
        used: Some(3),
        ..pool("*1", "isp-active")
    };
    assert_eq!(pools, Ok(vec![first, pool("*2", "b")]));
}

#[tokio::test]
async fn the_router_as_radius_client() {
    let entries = dialogue(
        |router| async move { radius::entries(&router).await },
        &[(
            &[
                "/radius/print",
                "=.proplist=.id,service,address,authentication-port,accounting-port,timeout,src-address,disabled",
            ],
            &[&[
                "=.id=*1",
                "=service=ppp,hotspot",
                "=address=10.0.0.1",
                "=authentication-port=1812",
                "=accounting-port=1813",
                "=timeout=300ms",
                "=src-address=10.0.0.2",
                "=disabled=false",
            ]],
        )],
    )
    .await;
    let expected = radius::RadiusEntry {
        id: id("*1"),
        service: "ppp,hotspot".to_owned(),
        address: "10.0.0.1".to_owned(),
        authentication_port: Some(1812),
        accounting_port: Some(1813),
        timeout: Some(Duration::from_millis(300)),
        source_address: some("10.0.0.2"),
        is_disabled: false,
    };
    assert_eq!(entries, Ok(vec![expected]));
    let counters = dialogue(
        |router| async move { radius::counters(&router, &id("*1")).await },
        &[(
            &["/radius/monitor", "=numbers=*1", "=once="],
            &[&[
                "=requests=6",
                "=accepts=1",
                "=rejects=2",
                "=resends=3",
                "=timeouts=4",
                "=bad-replies=5",
            ]],
        )],
    )
    .await;
    let expected = radius::RadiusCounters {
        requests: 6,
        accepts: 1,
        rejects: 2,
        resends: 3,
        timeouts: 4,
        bad_replies: 5,
    };
    assert_eq!(counters, Ok(expected));
    let incoming = dialogue(
        |router| async move { radius::incoming(&router).await },
        &[(
            &["/radius/incoming/print", "=.proplist=accept,port"],
            &[&["=accept=true", "=port=3799"]],
        )],
    )
    .await;
    let expected = radius::RadiusIncoming {
        is_accepted: true,
        port: Some(3799),
    };
    assert_eq!(incoming, Ok(expected));
}

#[tokio::test]
async fn the_router_itself() {
    let (name, resource, state) = dialogue(
        |router| async move {
            let name = system::identity(&router).await;
            (name, system::resource(&router).await, router.state())
        },
        &[
            (&["/system/identity/print", "=.proplist=name"], &[&["=name=bras-01"]]),
            (
                &[
                    "/system/resource/print",
                    "=.proplist=uptime,version,cpu-load,cpu-count,free-memory,total-memory,board-name,architecture-name",
                ],
                &[&[
                    "=uptime=1w",
                    "=version=7.15.3 (stable)",
                    "=cpu-load=7",
                    "=cpu-count=4",
                    "=free-memory=1000",
                    "=total-memory=2000",
                    "=board-name=CCR2004",
                    "=architecture-name=arm64",
                ]],
            ),
        ],
    )
    .await;
    assert_eq!(name.as_deref(), Ok("bras-01"));
    let expected = system::Resource {
        uptime: Some(Duration::from_secs(604_800)),
        version: "7.15.3 (stable)".to_owned(),
        cpu_load: Some(7),
        cpu_count: Some(4),
        free_memory: Some(1000),
        total_memory: Some(2000),
        board_name: some("CCR2004"),
        architecture_name: some("arm64"),
    };
    assert_eq!(resource, Ok(expected));
    let State::Ready {
        identity, version, ..
    } = state
    else {
        panic!("{state:?}")
    };
    assert_eq!(
        (identity, version),
        (some("bras-01"), some("7.15.3 (stable)"))
    );
}

#[tokio::test]
async fn clock_and_services() {
    let words: &[&str] = &[
        "/system/clock/print",
        "=.proplist=date,time,time-zone-name,gmt-offset",
    ];
    for (row, now) in [
        (
            vec![
                "=date=2026-01-31",
                "=time=23:59:59",
                "=time-zone-name=Asia/Baghdad",
                "=gmt-offset=+03:00",
            ],
            Some(Timestamp(1_769_893_199_000)),
        ),
        (
            vec!["=date=2026-01-31", "=time-zone-name=Asia/Baghdad"],
            None,
        ),
    ] {
        let clock = dialogue(
            |router| async move { system::clock(&router).await },
            &[(words, &[&row])],
        )
        .await;
        let zone = some("Asia/Baghdad");
        assert_eq!(clock, Ok(system::Clock { now, zone }));
    }
}
