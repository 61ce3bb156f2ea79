//! A router that works, and one that fails in every way, over TCP.

use tokio::time::timeout;

use super::*;
use crate::routers::RouterError;
use crate::routers::routeros::connection::RUNNING_MAX;
use crate::routers::routeros::peer::{
    LIMITS, PATIENCE, Peer, TIMES, Talk, access, both, encoded, names, print,
};

fn short(milliseconds: u64) -> Limits {
    Limits {
        time: Duration::from_millis(milliseconds),
        ..LIMITS
    }
}

/// The router goes offline, which may be a moment after a request has failed; its error and when it is tried again.
async fn offline(router: &Router) -> (Option<ApiError>, Duration) {
    let mut states = router.state.subscribe();
    let is_offline = |state: &State| matches!(state, State::Offline { .. });
    let state = timeout(PATIENCE, states.wait_for(is_offline)).await;
    let State::Offline {
        error, next_try, ..
    } = state.unwrap().unwrap().clone()
    else {
        unreachable!()
    };
    (error, next_try.saturating_duration_since(monotonic()))
}

/// The next request makes a new connection and is answered.
async fn recovers(router: &Router, peer: &Peer) {
    ready(router, peer).await;
}

/// A connection that was made for a request and has answered it.
async fn ready(router: &Router, peer: &Peer) -> Talk {
    let (reply, talk) = both(router.call(print(), LIMITS), async {
        let mut talk = peer.welcome().await;
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[&["=name=again"]]).await;
        talk
    })
    .await;
    assert_eq!(names(&reply.unwrap()), ["again"]);
    talk
}

#[tokio::test]
async fn one_login_serves_many_requests_in_any_order() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    assert!(matches!(router.state(), State::Offline { error: None, .. }));
    let client = async {
        tokio::join!(
            router.call(print(), LIMITS),
            router.call(Command::new("/y/print"), LIMITS),
        )
    };
    let ((first, second), mut talk) = both(client, async {
        let mut talk = peer.welcome().await;
        let first = talk.expect(&["/x/print"]).await;
        let second = talk.expect(&["/y/print"]).await;
        talk.say(&["!re", &first, "=name=x1"]).await;
        talk.answer(&second, &[&["=name=y1"], &["=name=y2"]]).await;
        talk.answer(&first, &[&["=name=x2"]]).await;
        talk
    })
    .await;
    assert_eq!(names(&first.unwrap()), ["x1", "x2"]);
    assert_eq!(names(&second.unwrap()), ["y1", "y2"]);
    let State::Ready { certificate, .. } = router.state() else {
        panic!("{:?}", router.state())
    };
    assert_eq!(certificate, None);
    let (reply, ()) = both(router.call(Command::new("/x/add"), LIMITS), async {
        let tag = talk.expect(&["/x/add"]).await;
        talk.say(&["!done", &tag, "=ret=*1A"]).await;
    })
    .await;
    assert_eq!(
        reply.unwrap().done.attribute("ret"),
        Some(b"*1A".as_slice())
    );
}

#[tokio::test]
async fn a_trap_fails_one_request_and_no_other() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let (failed, mut talk) = both(router.call(print(), LIMITS), async {
        let mut talk = peer.welcome().await;
        let tag = talk.expect(&["/x/print"]).await;
        talk.say(&["!trap", &tag, "=category=0", "=message=no such item"])
            .await;
        talk.say(&["!done", &tag]).await;
        talk
    })
    .await;
    assert!(failed.unwrap_err().is_missing());
    let too_long = router.call(Command::new(""), LIMITS).await;
    assert_eq!(too_long, Err(ApiError::Protocol(RouterError::EmptyWord)));
    let (reply, ()) = both(router.call(print(), LIMITS), async {
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[]).await;
    })
    .await;
    assert_eq!(reply.unwrap().rows, []);
}

#[tokio::test]
async fn a_connection_that_is_refused() {
    // Bound, so that nobody else gets the port, but not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let access = access(socket.local_addr().unwrap(), Security::Plain);
    let router = Router::spawn_with(access, TIMES);
    let expected = ApiError::Unreachable("connection refused".to_owned());
    for _ in 0..3 {
        let reply = router.call(print(), LIMITS).await;
        assert_eq!(reply, Err(expected.clone()), "tried again after its pause");
    }
    let (error, pause) = offline(&router).await;
    assert_eq!(error, Some(expected));
    // 20 ms, 40 ms, 80 ms and a quarter at most.
    assert!(pause <= Duration::from_millis(100), "{pause:?}");
}

#[test]
fn pauses_double_up_to_the_longest() {
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    let access = access(peer, Security::Plain);
    let (state, _) = watch::channel(State::Connecting);
    let (_, orders) = mpsc::channel(1);
    let mut actor = Actor::new(
        access,
        Times::USUAL,
        orders,
        Arc::new(state),
        Arc::new(Notify::new()),
    );
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().chain([60; 40]) {
        let pause = actor.pause();
        let least = Duration::from_secs(seconds);
        let most = least + least / 4;
        assert!((least..=most).contains(&pause), "{seconds}: {pause:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_over_and_over() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let client = async { tokio::join!(router.call(print(), LIMITS), router.call(print(), LIMITS)) };
    let ((first, second), ()) = both(client, async {
        let mut talk = peer.accept().await;
        talk.hear().await;
        talk.say(&["!trap", "=message=invalid user name or password (6)"])
            .await;
    })
    .await;
    let expected = Err(ApiError::LoginRefused(
        "invalid user name or password (6)".to_owned(),
    ));
    assert_eq!(first, expected);
    assert_eq!(second, expected, "told at once, not after the pause");
    let (error, pause) = offline(&router).await;
    assert_eq!(error, expected.clone().err());
    assert!(pause > TIMES.longest_pause - PATIENCE, "{pause:?}");
    assert_eq!(router.call(print(), LIMITS).await, expected);
}

#[tokio::test]
async fn a_router_that_accepts_and_stays_silent() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let (reply, _open) = both(router.call(print(), LIMITS), peer.tcp()).await;
    let expected = ApiError::Timeout {
        what: "answer the login",
    };
    assert_eq!(reply, Err(expected.clone()));
    assert_eq!(offline(&router).await.0, Some(expected));
    recovers(&router, &peer).await;
}

#[tokio::test]
async fn a_router_that_never_answers_is_left() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let mut talk = ready(&router, &peer).await;
    let (reply, _) = both(router.call(print(), short(500)), talk.expect(&["/x/print"])).await;
    assert_eq!(reply, Err(ApiError::Timeout { what: "answer" }));
    assert_eq!(talk.hear().await, ["/cancel", "=tag=2", ".tag=3"]);
    // Nor is the /cancel answered, so the connection is of no use.
    let expected = ApiError::Timeout {
        what: "end a request",
    };
    assert_eq!(offline(&router).await.0, Some(expected));
    assert_eq!(talk.try_hear().await, None);
    recovers(&router, &peer).await;
}

/// What a request gets from a router that sends these octets and closes, and what the state says.
async fn spoilt(octets: &[u8]) -> ApiError {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let (reply, ()) = both(router.call(print(), LIMITS), async {
        let mut talk = peer.welcome().await;
        talk.expect(&["/x/print"]).await;
        talk.send(octets).await;
    })
    .await;
    let error = reply.unwrap_err();
    assert_eq!(offline(&router).await.0, Some(error.clone()));
    recovers(&router, &peer).await;
    error
}

#[tokio::test]
async fn what_breaks_a_connection_fails_the_request_and_heals_with_the_next() {
    assert_eq!(spoilt(b"").await, ApiError::Closed);
    assert_eq!(
        spoilt(b"\x03!re\x06=na").await,
        ApiError::Closed,
        "mid-sentence"
    );
    assert_eq!(
        spoilt(b"\xFFgarbage").await,
        ApiError::Protocol(RouterError::ReservedLength(0xFF))
    );
    assert_eq!(
        spoilt(&encoded(&["SSH-2.0-ROSSSH"])).await,
        ApiError::Reply("SSH-2.0-ROSSSH".to_owned())
    );
    let fatal = encoded(&["!fatal", "session terminated"]);
    assert_eq!(
        spoilt(&fatal).await,
        ApiError::Fatal("session terminated".to_owned())
    );
    let mut word_of_64_megabytes = vec![3, b'!', b'r', b'e', 0xE4, 0, 0, 0];
    word_of_64_megabytes.resize(1 << 20, b'x');
    assert_eq!(
        spoilt(&word_of_64_megabytes).await,
        ApiError::Protocol(RouterError::LongWord(64 << 20))
    );
}

#[tokio::test]
async fn a_lost_connection_ends_all_that_run_and_is_made_again_at_once() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let mut stream = router.stream(Command::new("/x/listen")).unwrap();
    let (reply, mut talk) = both(router.call(print(), LIMITS), async {
        let mut talk = peer.welcome().await;
        talk.expect(&["/x/listen"]).await;
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[]).await;
        talk
    })
    .await;
    assert_eq!(reply.unwrap().rows, []);
    talk.say(&["!re", ".tag=1", "=name=a"]).await;
    assert!(stream.next().await.unwrap().is_some());
    let (reply, ()) = both(router.call(print(), LIMITS), async {
        talk.expect(&["/x/print"]).await;
        drop(talk);
    })
    .await;
    assert_eq!(reply, Err(ApiError::Closed));
    assert_eq!(stream.next().await, Err(ApiError::Closed));
    assert_eq!(stream.next().await, Err(ApiError::Stopped), "it has ended");
    let (error, pause) = offline(&router).await;
    assert_eq!((error, pause), (Some(ApiError::Closed), Duration::ZERO));
    recovers(&router, &peer).await;
}

#[tokio::test]
async fn the_last_handle_ends_the_connection_but_not_under_a_reader() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let mut stream = router.stream(Command::new("/x/listen")).unwrap();
    let mut talk = peer.welcome().await;
    let tag = talk.expect(&["/x/listen"]).await;
    drop(router.clone());
    drop(router);
    talk.answer(&tag, &[&["=name=last"]]).await;
    assert!(stream.next().await.unwrap().is_some());
    assert_eq!(stream.next().await, Ok(None));
    assert_eq!(talk.try_hear().await, None);
}

#[tokio::test]
async fn more_requests_than_the_queue_holds_are_refused_at_once() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let mut held = Vec::new();
    for _ in 0..QUEUE_MAX {
        held.push(router.rows(print(), LIMITS).unwrap());
    }
    assert_eq!(router.rows(print(), LIMITS).err(), Some(ApiError::Busy));
    let mut talk = peer.welcome().await;
    let mut tags = Vec::new();
    for _ in 0..RUNNING_MAX {
        tags.push(talk.expect(&["/x/print"]).await);
    }
    // The others wait until one has ended.
    talk.answer(&tags[0], &[]).await;
    assert_eq!(
        talk.expect(&["/x/print"]).await,
        format!(".tag={}", RUNNING_MAX + 1)
    );
    router.rows(print(), LIMITS).unwrap();
}

#[tokio::test]
async fn what_was_learnt_is_kept_while_the_connection_lasts() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    router.learn(Some("too early"), None);
    let talk = ready(&router, &peer).await;
    let known = || match router.state() {
        State::Ready {
            identity, version, ..
        } => (identity, version),
        other => panic!("{other:?}"),
    };
    assert_eq!(known(), (None, None));
    router.learn(Some("bras-01"), None);
    router.learn(None, Some("7.15"));
    assert_eq!(
        known(),
        (Some("bras-01".to_owned()), Some("7.15".to_owned()))
    );
    drop(talk);
    offline(&router).await;
    router.learn(Some("too late"), None);
    assert!(matches!(router.state(), State::Offline { .. }));
}

#[tokio::test]
async fn a_router_that_talks_unasked_is_left() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let mut talk = ready(&router, &peer).await;
    // Late words are no offence.
    let late = encoded(&["!done", ".tag=1"]);
    talk.send(&late.repeat(100)).await;
    let (reply, ()) = both(router.call(print(), LIMITS), async {
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[]).await;
    })
    .await;
    assert_eq!(reply.unwrap().rows, []);
    talk.send(&late.repeat(10_000)).await;
    assert_eq!(offline(&router).await.0, Some(ApiError::Unasked));
}

#[tokio::test]
async fn a_router_that_takes_nothing_is_left() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let _talk = ready(&router, &peer).await;
    // More than the buffers of both systems hold.
    let large = vec![b'x'; 1_000_000];
    let mut held: Vec<Rows> = (0..RUNNING_MAX)
        .map(|_| Command::new("/x/add").with("comment", &large))
        .map(|command| router.rows(command, LIMITS).unwrap())
        .collect();
    let expected = ApiError::Timeout {
        what: "take a request",
    };
    assert_eq!(held[0].next().await, Err(expected));
}
