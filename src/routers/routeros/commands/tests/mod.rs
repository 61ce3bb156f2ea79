//! Each question in the words of mikrotik.md b4 and b5, and what its answer means.

mod cdn;
mod lists;
mod machine;
mod sessions;
mod traffic;
mod verbs;

use std::future::Future;

use super::*;
use crate::domain::octets::Traffic;
use crate::routers::mikrotik::Pair;
use crate::routers::routeros::client::Security;
use crate::routers::routeros::peer::{Peer, Talk, both};

/// One request: its words, then the rows of its answer. The last row may be a whole `!done` or `!trap`.
type Exchanged<'a> = (&'a [&'a str], &'a [&'a [&'a str]]);

/// Runs what asks against a peer that expects these requests in this order.
async fn dialogue<T, F: Future<Output = T>>(
    asks: impl FnOnce(Router) -> F,
    expected: &[Exchanged<'_>],
) -> T {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Plain);
    let (result, _talk) = both(asks(router), async {
        let mut talk = peer.welcome().await;
        for (words, rows) in expected {
            let tag = talk.expect(words).await;
            answer(&mut talk, &tag, rows).await;
        }
        talk
    })
    .await;
    result
}

async fn answer(talk: &mut Talk, tag: &str, rows: &[&[&str]]) {
    let mut is_done = false;
    for row in rows {
        let (first, rest) = row
            .split_first()
            .map_or(("", &[][..]), |(first, rest)| (*first, rest));
        if first.starts_with('!') {
            is_done |= first == "!done";
            talk.say(&[&[first, tag], rest].concat()).await;
        } else {
            talk.say(&[&["!re", tag], *row].concat()).await;
        }
    }
    if !is_done {
        talk.say(&["!done", tag]).await;
    }
}

fn id(text: &str) -> ItemId {
    ItemId(text.to_owned())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn trap(message: &str) -> ApiError {
    ApiError::Trap {
        message: message.to_owned(),
        category: None,
    }
}
