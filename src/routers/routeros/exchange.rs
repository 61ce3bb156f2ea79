//! The protocol of one connection: octets in, events out; requests in, octets out. No sockets and no time.
//!
//! It logs in first, then keeps the requests apart by their tags (mikrotik.md b2, b3). Invariant: every request that was
//! accepted ends in exactly one `Ended` event, or with the connection; a cancelled one gives no more rows.

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::error::{ApiError, message};
use super::login::legacy_response;
use super::request::Command;
use super::wire::{Decoder, Sentence};
use crate::crypto::Secret;

/// Room for the lengths of the few words of a login.
const LENGTHS: usize = 32;

/// What a router said.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// From now on requests are taken.
    LoggedIn,
    Row {
        tag: u64,
        row: Sentence,
    },
    /// The request is over: the words of `!done`, or the first trap before it.
    Ended {
        tag: u64,
        result: Result<Sentence, ApiError>,
    },
}

/// Who logs in, and how.
#[derive(Clone)]
pub struct Credentials {
    pub name: String,
    pub password: Secret<String>,
    /// For routers before 6.43, which would be told the password in clear before they ask for its digest.
    pub legacy_first: bool,
}

/// Where the login stands.
enum Stage {
    /// Name and password were sent; an old router answers with a challenge.
    Offered,
    /// A challenge was asked for.
    Asked,
    /// The challenge was answered.
    Answered,
    LoggedIn,
}

/// A request that was sent.
#[derive(Default)]
struct Request {
    /// The first trap; the request is over only with `!done`.
    trap: Option<ApiError>,
    cancelled: bool,
}

pub struct Exchange {
    credentials: Credentials,
    stage: Stage,
    decoder: Decoder,
    requests: HashMap<u64, Request>,
    /// The last tag given; 64 bits do not come round.
    tag: u64,
    output: Zeroizing<Vec<u8>>,
}

impl Exchange {
    /// Begins with the login, which waits in the output.
    ///
    /// Errors: `Protocol` when name or password are too long for a word.
    pub fn new(credentials: Credentials) -> Result<Exchange, ApiError> {
        let mut exchange = Exchange {
            stage: Stage::Asked,
            credentials,
            decoder: Decoder::new(),
            requests: HashMap::new(),
            tag: 0,
            output: Zeroizing::default(),
        };
        if exchange.credentials.legacy_first {
            exchange.say(&[b"/login"])?;
        } else {
            let name = attribute("name", exchange.credentials.name.as_bytes());
            let password = exchange.credentials.password.expose();
            let password = attribute("password", password.as_bytes());
            exchange.say(&[b"/login", &name, &password])?;
            exchange.stage = Stage::Offered;
        }
        Ok(exchange)
    }

    /// The octets to send since the last call.
    pub fn take_output(&mut self) -> Zeroizing<Vec<u8>> {
        std::mem::take(&mut self.output)
    }

    /// Queues a request and gives its tag.
    ///
    /// Errors: `Protocol` when it does not fit in a sentence; nothing is queued then.
    pub fn request(&mut self, command: &Command) -> Result<u64, ApiError> {
        command.encode(self.tag + 1, &mut self.output)?;
        self.tag += 1;
        self.requests.insert(self.tag, Request::default());
        Ok(self.tag)
    }

    /// Asks the router to end a request; its `Ended` event is still to come. Does nothing for one that is over.
    pub fn cancel(&mut self, tag: u64) -> Result<(), ApiError> {
        match self.requests.get_mut(&tag) {
            Some(request) if !request.cancelled => request.cancelled = true,
            _ => return Ok(()),
        }
        // The answer to the /cancel itself has a tag that nobody waits for.
        self.tag += 1;
        let cancel = Command::new("/cancel").with("tag", tag.to_string());
        Ok(cancel.encode(self.tag, &mut self.output)?)
    }

    /// Takes octets as they arrive and appends what they mean.
    ///
    /// Errors: `Protocol`, `LoginRefused`, `Fatal`: the connection must be closed. Events before the error are appended.
    pub fn receive(&mut self, mut octets: &[u8], events: &mut Vec<Event>) -> Result<(), ApiError> {
        while let Some(sentence) = self.decoder.next(&mut octets)? {
            let event = if matches!(self.stage, Stage::LoggedIn) {
                self.reply(sentence)?
            } else {
                self.login(&sentence)?
            };
            events.extend(event);
        }
        Ok(())
    }

    fn login(&mut self, sentence: &Sentence) -> Result<Option<Event>, ApiError> {
        match Kind::of(sentence)? {
            Kind::Done => {}
            Kind::Trap => return Err(ApiError::LoginRefused(trap_message(sentence))),
            Kind::Fatal => return Err(ApiError::LoginRefused(fatal_message(sentence))),
            Kind::Row | Kind::Empty => return Ok(None),
        }
        match (&self.stage, sentence.attribute("ret")) {
            (Stage::Offered | Stage::Asked, Some(challenge)) => {
                let password = self.credentials.password.expose();
                let response = legacy_response(password.as_bytes(), challenge)?;
                let name = attribute("name", self.credentials.name.as_bytes());
                let response = attribute("response", response.as_bytes());
                self.say(&[b"/login", &name, &response])?;
                self.stage = Stage::Answered;
                Ok(None)
            }
            // From 6.45 a bare /login is no question any more.
            (Stage::Asked, None) => Err(ApiError::LoginRefused(
                "it gives no challenge; it is no old router".to_owned(),
            )),
            _ => {
                self.stage = Stage::LoggedIn;
                Ok(Some(Event::LoggedIn))
            }
        }
    }

    fn reply(&mut self, sentence: Sentence) -> Result<Option<Event>, ApiError> {
        let kind = Kind::of(&sentence)?;
        if let Kind::Fatal = kind {
            return Err(ApiError::Fatal(fatal_message(&sentence)));
        }
        // A reply to no request of ours: the answer to a /cancel, or a late word of one that is over.
        let Some((tag, request)) = sentence
            .attribute(".tag")
            .and_then(tag_of)
            .and_then(|tag| Some((tag, self.requests.get_mut(&tag)?)))
        else {
            return Ok(None);
        };
        match kind {
            Kind::Row if !request.cancelled => Ok(Some(Event::Row { tag, row: sentence })),
            Kind::Trap => {
                let category = sentence.attribute("category");
                request.trap.get_or_insert_with(|| ApiError::Trap {
                    message: trap_message(&sentence),
                    category: category
                        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()),
                });
                Ok(None)
            }
            Kind::Done => {
                let trap = self.requests.remove(&tag).and_then(|request| request.trap);
                let result = trap.map_or(Ok(sentence), Err);
                Ok(Some(Event::Ended { tag, result }))
            }
            Kind::Row | Kind::Empty | Kind::Fatal => Ok(None),
        }
    }

    /// Queues a sentence without a tag, as the login is.
    fn say(&mut self, words: &[&[u8]]) -> Result<(), ApiError> {
        let mut sentence = Zeroizing::new(Sentence::default());
        for word in words {
            sentence.push(word)?;
        }
        // In one piece, so that no copy of a password is left behind as the buffer grows.
        self.output.reserve(sentence.octets() + LENGTHS);
        sentence.encode(&mut self.output);
        Ok(())
    }
}

/// The first word of a reply.
#[derive(Clone, Copy)]
enum Kind {
    Row,
    Done,
    Trap,
    Fatal,
    /// There are no rows; `!done` follows (7.18 and later).
    Empty,
}

impl Kind {
    /// Errors: `Reply` for anything that is no reply, which no router sends.
    fn of(sentence: &Sentence) -> Result<Kind, ApiError> {
        match sentence.first().unwrap_or_default() {
            b"!re" => Ok(Kind::Row),
            b"!done" => Ok(Kind::Done),
            b"!trap" => Ok(Kind::Trap),
            b"!fatal" => Ok(Kind::Fatal),
            b"!empty" => Ok(Kind::Empty),
            other => Err(ApiError::Reply(message(other))),
        }
    }
}

fn attribute(name: &str, value: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([b"=", name.as_bytes(), b"=", value].concat())
}

fn tag_of(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn trap_message(sentence: &Sentence) -> String {
    message(sentence.attribute("message").unwrap_or(b"no reason given"))
}

/// The reason of a `!fatal` is a word of its own, not an attribute.
fn fatal_message(sentence: &Sentence) -> String {
    let reason = sentence
        .words()
        .skip(1)
        .find(|word| !word.starts_with(b".tag="));
    message(
        sentence
            .attribute("message")
            .or(reason)
            .unwrap_or(b"no reason given"),
    )
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
