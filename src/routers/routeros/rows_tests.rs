//! Rows that are many, too many, not read, or not wanted any more.

use super::*;
use crate::routers::routeros::client::Security;
use crate::routers::routeros::peer::{LIMITS, Peer, Talk, both, encoded, names, print};
use crate::routers::routeros::request::Command;

/// Says `rows` rows of the request and its end.
async fn flood(talk: &mut Talk, tag: &str, rows: usize) {
    let row = encoded(&["!re", tag, "=name=subscriber", "=session-id=0x81D00000"]);
    for _ in 0..rows / 100 {
        talk.send(&row.repeat(100)).await;
    }
    talk.say(&["!done", tag]).await;
}

#[tokio::test]
async fn fifty_thousand_rows_come_through() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let client = async {
        let limits = Limits {
            rows: 50_000,
            ..LIMITS
        };
        let mut rows = router.rows(print(), limits).unwrap();
        let mut count = 0;
        while rows.next().await.unwrap().is_some() {
            count += 1;
        }
        assert_eq!(rows.next().await, Ok(None), "and the end stays");
        count
    };
    let (count, ()) = both(client, async {
        let mut talk = peer.welcome().await;
        let tag = talk.expect(&["/x/print"]).await;
        flood(&mut talk, &tag, 50_000).await;
    })
    .await;
    assert_eq!(count, 50_000);
}

#[tokio::test]
async fn a_call_takes_so_many_rows_and_no_more() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let limits = Limits { rows: 3, ..LIMITS };
    let (reply, mut talk) = both(router.call(print(), limits), async {
        let mut talk = peer.welcome().await;
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[&[], &[], &[]]).await;
        talk
    })
    .await;
    assert_eq!(reply.unwrap().rows.len(), 3);
    let (reply, tag) = both(router.call(print(), limits), async {
        let tag = talk.expect(&["/x/print"]).await;
        for _ in 0..4 {
            talk.say(&["!re", &tag]).await;
        }
        tag
    })
    .await;
    assert_eq!(reply, Err(ApiError::TooMany { most: 3 }));
    assert_eq!(talk.hear().await, ["/cancel", "=tag=2", ".tag=3"]);
    talk.say(&["!done", ".tag=3"]).await;
    talk.say(&["!trap", &tag, "=category=2", "=message=interrupted"])
        .await;
    talk.say(&["!done", &tag]).await;
    let (reply, ()) = both(router.call(print(), limits), async {
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[&["=name=same connection"]]).await;
    })
    .await;
    assert_eq!(names(&reply.unwrap()), ["same connection"]);
}

#[tokio::test]
async fn a_slow_reader_loses_its_rows_and_delays_nobody_for_long() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let mut slow = router.stream(Command::new("/x/listen")).unwrap();
    let (reply, (mut talk, tag)) = both(router.call(print(), LIMITS), async {
        let mut talk = peer.welcome().await;
        let slow = talk.expect(&["/x/listen"]).await;
        let tag = talk.expect(&["/x/print"]).await;
        // More than all batches on the way can hold.
        let row = encoded(&["!re", &slow, &format!("=name={}", "x".repeat(30_000))]);
        for _ in 0..20 {
            talk.send(&row).await;
        }
        talk.answer(&tag, &[&["=name=in time"]]).await;
        (talk, slow)
    })
    .await;
    assert_eq!(names(&reply.unwrap()), ["in time"]);
    assert_eq!(talk.hear().await, ["/cancel", "=tag=1", ".tag=3"]);
    let mut rows = 0;
    let end = loop {
        match slow.next().await {
            Ok(Some(_)) => rows += 1,
            other => break other,
        }
    };
    assert_eq!(end, Err(ApiError::TooSlow));
    assert!((1..20).contains(&rows), "{rows} rows came before");
    talk.say(&["!done", &tag]).await;
    let (reply, ()) = both(router.call(print(), LIMITS), async {
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[]).await;
    })
    .await;
    assert_eq!(reply.unwrap().rows, []);
}

#[tokio::test]
async fn what_is_dropped_is_cancelled() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let mut stream = router.stream(Command::new("/x/listen")).unwrap();
    let (row, mut talk) = both(stream.next(), async {
        let mut talk = peer.welcome().await;
        let tag = talk.expect(&["/x/listen"]).await;
        talk.say(&["!re", &tag]).await;
        talk
    })
    .await;
    assert!(row.unwrap().is_some());
    drop(stream);
    assert_eq!(talk.hear().await, ["/cancel", "=tag=1", ".tag=2"]);
    talk.say(&["!done", ".tag=1"]).await;
    // What was dropped before its turn is not even sent.
    drop(router.stream(Command::new("/y/listen")));
    let (reply, ()) = both(router.call(print(), LIMITS), async {
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[]).await;
    })
    .await;
    assert_eq!(reply.unwrap().rows, []);
}
