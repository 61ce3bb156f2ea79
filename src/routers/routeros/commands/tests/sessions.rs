//! Sessions, their end, and the settings of PPP.

use super::*;

#[tokio::test]
async fn active_sessions() {
    let sessions = dialogue(
        |router| async move { ppp::active(&router).await },
        &[(
            &[
                "/ppp/active/print",
                "=.proplist=.id,name,service,caller-id,address,uptime,encoding,session-id,limit-bytes-in,limit-bytes-out,radius",
            ],
            &[
                &[
                    "=.id=*8000001A",
                    "=name=ali",
                    "=service=pppoe",
                    "=caller-id=AA:BB:CC:DD:EE:FF",
                    "=address=100.64.0.10",
                    "=uptime=1d2h3m4s",
                    "=encoding=",
                    "=session-id=0x81D00000",
                    "=limit-bytes-in=100",
                    "=limit-bytes-out=200",
                    "=radius=true",
                ],
                &["=.id=*8000001B", "=name=sara"],
            ],
        )],
    )
    .await
    .unwrap();
    let ali = ppp::ActivePpp {
        id: id("*8000001A"),
        name: "ali".to_owned(),
        service: some("pppoe"),
        caller_id: some("AA:BB:CC:DD:EE:FF"),
        address: Some([100, 64, 0, 10].into()),
        uptime: Some(Duration::from_secs(93_784)),
        encoding: some(""),
        session_id: some("81d00000"),
        limit: Traffic::new(100, 200),
        is_radius: true,
    };
    let sara = ppp::ActivePpp {
        id: id("*8000001B"),
        name: "sara".to_owned(),
        service: None,
        caller_id: None,
        address: None,
        uptime: None,
        encoding: None,
        session_id: None,
        limit: Traffic::ZERO,
        is_radius: false,
    };
    assert_eq!(sessions, [ali, sara]);
}

#[tokio::test]
async fn changes_of_sessions_come_until_the_feed_is_dropped() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let client = async {
        let mut feed = ppp::listen(&router).unwrap();
        let mut changes = Vec::new();
        while changes.len() < 3 {
            changes.push(feed.next().await.unwrap().unwrap());
        }
        changes
    };
    let (changes, ()) = both(client, async {
        let mut talk = peer.welcome().await;
        let tag = talk
            .expect(&[
                "/ppp/active/listen",
                "=.proplist=.id,name,service,caller-id,address,uptime,encoding,session-id,limit-bytes-in,limit-bytes-out,radius",
            ])
            .await;
        talk.say(&["!re", &tag, "=.id=*1", "=name=ali"]).await;
        talk.say(&["!re", &tag, "=.dead=yes", "=.id=*1"]).await;
        talk.say(&["!re", &tag, "=.dead=true", "=.id=*2"]).await;
        assert_eq!(talk.hear().await, ["/cancel", "=tag=1", ".tag=2"]);
    })
    .await;
    let [ppp::ActiveChange::Up(up), gone, last] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!((&up.id, up.name.as_str()), (&id("*1"), "ali"));
    assert_eq!(*gone, ppp::ActiveChange::Gone(id("*1")));
    assert_eq!(*last, ppp::ActiveChange::Gone(id("*2")));
}

#[tokio::test]
async fn disconnecting_by_name_and_session() {
    let print: &[&str] = &[
        "/ppp/active/print",
        "?name=ali",
        "=.proplist=.id,session-id",
    ];
    let rows: &[&[&str]] = &[
        &["=.id=*1", "=session-id=0x81D00000"],
        &["=.id=*2", "=session-id=0x81D00001"],
        &["=.id=*3"],
    ];
    let remove_1: Exchanged<'_> = (&["/ppp/active/remove", "=.id=*1"], &[]);
    let remove_2: Exchanged<'_> = (
        &["/ppp/active/remove", "=.id=*2"],
        &[&["!trap", "=message=no such item (4)"]],
    );
    let remove_3: Exchanged<'_> = (&["/ppp/active/remove", "=.id=*3"], &[]);
    for (session_id, removes, count) in [
        (Some("81d00000"), vec![remove_1], 1),
        (Some("81D00001"), vec![remove_2], 1),
        (Some("81d00009"), vec![], 0),
        (Some("not hex"), vec![], 0),
        (None, vec![remove_1, remove_2, remove_3], 3),
    ] {
        let expected = [vec![(print, rows)], removes].concat();
        let ended = dialogue(
            |router| async move { ppp::disconnect(&router, "ali", session_id).await },
            &expected,
        )
        .await;
        assert_eq!(ended, Ok(count), "{session_id:?}");
    }
}

#[tokio::test]
async fn settings_of_ppp() {
    let aaa = dialogue(
        |router| async move { ppp::aaa(&router).await },
        &[(
            &[
                "/ppp/aaa/print",
                "=.proplist=use-radius,accounting,interim-update",
            ],
            &[&["=use-radius=true", "=accounting=no", "=interim-update=5m"]],
        )],
    )
    .await;
    let expected = ppp::PppAaa {
        uses_radius: true,
        has_accounting: false,
        interim_update: Some(Duration::from_secs(300)),
    };
    assert_eq!(aaa, Ok(expected));
    let profiles = dialogue(
        |router| async move { ppp::profiles(&router).await },
        &[(
            &[
                "/ppp/profile/print",
                "=.proplist=.id,name,local-address,remote-address,rate-limit,address-list",
            ],
            &[&[
                "=.id=*1",
                "=name=isp-expired",
                "=local-address=100.64.0.1",
                "=remote-address=isp-expired",
                "=rate-limit=1M/1M",
                "=address-list=isp-expired",
            ]],
        )],
    )
    .await;
    let expected = ppp::PppProfile {
        id: id("*1"),
        name: "isp-expired".to_owned(),
        local_address: some("100.64.0.1"),
        remote_address: some("isp-expired"),
        rate_limit: some("1M/1M"),
        address_list: some("isp-expired"),
    };
    assert_eq!(profiles, Ok(vec![expected]));
    let secrets = dialogue(
        |router| async move { ppp::secrets(&router).await },
        &[(
            &["/ppp/secret/print", "=.proplist=.id,name,disabled"],
            &[&["=.id=*1", "=name=ali", "=disabled=true"]],
        )],
    )
    .await;
    let expected = ppp::PppSecret {
        id: id("*1"),
        name: "ali".to_owned(),
        is_disabled: true,
    };
    assert_eq!(secrets, Ok(vec![expected]));
}
