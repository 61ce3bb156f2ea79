//! The other end of a connection for tests: says what the test tells it to. No router.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::client::{Access, Reply, Router, Security, Times};
use super::connect::Socket;
use super::exchange::Credentials;
use super::request::Command;
use super::rows::Limits;
use super::wire::{Decoder, Sentence};
use crate::crypto::Secret;

/// Nothing in a test takes this long.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub const LIMITS: Limits = Limits {
    time: PATIENCE,
    rows: 100,
};

/// Short, so that tests of failures are short.
pub(super) const TIMES: Times = Times {
    connect: PATIENCE,
    login: Duration::from_secs(1),
    write: Duration::from_secs(1),
    cancel: Duration::from_secs(1),
    patience: Duration::from_millis(200),
    first_pause: Duration::from_millis(20),
    longest_pause: Duration::from_secs(60),
};

pub struct Peer {
    listener: TcpListener,
}

impl Peer {
    pub async fn listen() -> Peer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Peer { listener }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// A client of this peer in the short times of tests.
    pub fn router(&self, security: Security) -> Router {
        Router::spawn_with(access(self.address(), security), TIMES)
    }

    pub async fn tcp(&self) -> TcpStream {
        let accepted = timeout(PATIENCE, self.listener.accept()).await;
        accepted.expect("a connection in time").unwrap().0
    }

    /// The next connection, before its login.
    pub async fn accept(&self) -> Talk {
        Talk::new(self.tcp().await)
    }

    pub async fn accept_tls(&self, config: &Arc<rustls::ServerConfig>) -> std::io::Result<Talk> {
        let acceptor = TlsAcceptor::from(Arc::clone(config));
        Ok(Talk::new(acceptor.accept(self.tcp().await).await?))
    }

    /// The next connection, its login accepted.
    pub async fn welcome(&self) -> Talk {
        let mut talk = self.accept().await;
        talk.welcome().await;
        talk
    }
}

pub fn access(address: SocketAddr, security: Security) -> Access {
    Access {
        address,
        security,
        credentials: Credentials {
            name: "panel".to_owned(),
            password: Secret::new("pass".to_owned()),
            legacy_first: false,
        },
    }
}

/// One connection, seen from the router.
pub struct Talk {
    socket: Box<dyn Socket>,
    decoder: Decoder,
    input: Vec<u8>,
}

impl Talk {
    fn new(socket: impl Socket + 'static) -> Talk {
        Talk {
            socket: Box::new(socket),
            decoder: Decoder::new(),
            input: Vec::new(),
        }
    }

    pub async fn welcome(&mut self) {
        assert_eq!(
            self.hear().await,
            ["/login", "=name=panel", "=password=pass"]
        );
        self.say(&["!done"]).await;
    }

    /// The words of the next request, none at the end of the connection.
    pub async fn try_hear(&mut self) -> Option<Vec<String>> {
        loop {
            let mut rest = self.input.as_slice();
            let sentence = self.decoder.next(&mut rest).unwrap();
            self.input = rest.to_vec();
            if let Some(sentence) = sentence {
                let text = |word: &[u8]| String::from_utf8(word.to_vec()).unwrap();
                return Some(sentence.words().map(text).collect());
            }
            let read = timeout(PATIENCE, self.socket.read_buf(&mut self.input)).await;
            if read.expect("a request in time").unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    pub async fn hear(&mut self) -> Vec<String> {
        self.try_hear().await.expect("a request, not the end")
    }

    /// Hears a request that begins with these words, and gives its tag as `.tag=N`.
    pub async fn expect(&mut self, words: &[&str]) -> String {
        let mut heard = self.hear().await;
        let tag = heard.pop().unwrap();
        assert_eq!(heard, words);
        assert!(tag.starts_with(".tag="), "{tag}");
        tag
    }

    pub async fn say(&mut self, words: &[&str]) {
        self.send(&encoded(words)).await;
    }

    /// Rows of one request, then its end.
    pub async fn answer(&mut self, tag: &str, rows: &[&[&str]]) {
        for row in rows {
            let words = [&["!re", tag], *row].concat();
            self.say(&words).await;
        }
        self.say(&["!done", tag]).await;
    }

    /// Errors are the client's business: it may have gone.
    pub async fn send(&mut self, octets: &[u8]) {
        let sent = async {
            let _ = self.socket.write_all(octets).await;
            let _ = self.socket.flush().await;
        };
        timeout(PATIENCE, sent).await.expect("octets are taken");
    }
}

/// What most tests ask.
pub fn print() -> Command {
    Command::new("/x/print")
}

/// The names of all rows.
pub fn names(reply: &Reply) -> Vec<String> {
    let name = |row: &Sentence| {
        String::from_utf8(row.attribute("name").unwrap_or_default().to_vec()).unwrap()
    };
    reply.rows.iter().map(name).collect()
}

pub fn encoded(words: &[&str]) -> Vec<u8> {
    let mut sentence = Sentence::default();
    for word in words {
        sentence.push(word.as_bytes()).unwrap();
    }
    let mut octets = Vec::new();
    sentence.encode(&mut octets);
    octets
}

/// Both sides of a dialogue, in time.
pub async fn both<A, B>(client: impl Future<Output = A>, peer: impl Future<Output = B>) -> (A, B) {
    let both = async { tokio::join!(client, peer) };
    timeout(PATIENCE, both)
        .await
        .expect("both come to their end")
}
