//! What the generator asks: logins of random demo subscribers, and the accounting of sessions that grow.
//!
//! Names, passwords and the secret are those of `proxpanel demo`.

use std::net::Ipv4Addr;

use proxpanel::operations::demo;
use proxpanel::radius::auth::Method;
use proxpanel::radius::client::{Login, Request};
use proxpanel::radius::{AttributeBuffer, EncodeError, SharedSecret, number};

use crate::clock;
use crate::fault::Fault;

/// Where requests come from. `None` ends the load of this source.
pub trait Source: Send {
    fn next(&mut self, identifier: u8) -> Result<Option<Request>, Fault>;
}

pub fn secret() -> Result<SharedSecret, Fault> {
    Ok(SharedSecret::new(demo::SECRET.as_bytes())?)
}

/// Logins with one method, each of a random one of the subscribers, as a MikroTik sends them for PPPoE.
pub struct Logins {
    secret: SharedSecret,
    method: Method,
    subscribers: u32,
    random: u64,
}

impl Logins {
    /// `seed` tells the sources of one load apart.
    pub fn new(method: Method, subscribers: u32, seed: u64) -> Result<Logins, Fault> {
        Ok(Logins {
            secret: secret()?,
            method,
            subscribers,
            random: seed,
        })
    }
}

impl Source for Logins {
    fn next(&mut self, identifier: u8) -> Result<Option<Request>, Fault> {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = u32::try_from(scatter(self.random) % u64::from(self.subscribers.max(1)))?;
        let mut extra = AttributeBuffer::new();
        extra.push_u32(number::SERVICE_TYPE, 2)?;
        extra.push_u32(number::FRAMED_PROTOCOL, 1)?;
        push_line(&mut extra, number)?;
        let user_name = format!("user{number:05}");
        let password = format!("pass{number:05}");
        let login = Login {
            user_name: &user_name,
            password: &password,
            method: self.method,
        };
        Ok(Some(Request::access(
            &self.secret,
            identifier,
            &login,
            &extra,
        )?))
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn scatter(seed: u64) -> u64 {
    let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Where a subscriber's line ends, the same in every packet about it.
fn push_line(out: &mut AttributeBuffer, number: u32) -> Result<(), EncodeError> {
    let [_, a, b, c] = number.to_be_bytes();
    out.push_u32(number::NAS_PORT, 0x00f0_0000 + number)?;
    out.push_u32(number::NAS_PORT_TYPE, 15)?;
    out.push_text(number::NAS_PORT_ID, "ether2-access")?;
    out.push_text(
        number::CALLING_STATION_ID,
        &format!("02:10:20:{a:02X}:{b:02X}:{c:02X}"),
    )?;
    out.push_text(number::CALLED_STATION_ID, "pppoe")?;
    out.push_text(number::NAS_IDENTIFIER, "bench-router")?;
    out.push_ipv4(number::NAS_IP_ADDRESS, Ipv4Addr::LOCALHOST)
}

/// What the next record of a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// One Start for each session, then the source is dry.
    Starts,
    /// Interims without end, session after session, each with counters above its last.
    Interims,
}

/// The accounting of some sessions, one for each subscriber from `first` on.
pub struct Sessions {
    secret: SharedSecret,
    pub records: Records,
    /// Makes the Acct-Session-Ids of one run differ from those of another.
    run: u32,
    first: u32,
    /// Session-Time of each session, from which its counters follow.
    seconds: Vec<u32>,
    next: usize,
}

/// What a session moves in a second, upload and download.
const UPLOAD: u64 = 20_011;
const DOWNLOAD: u64 = 250_007;
const INTERVAL: u32 = 60;

impl Sessions {
    pub fn new(run: u32, first: u32, count: usize) -> Result<Sessions, Fault> {
        let seconds = vec![0; count];
        Ok(Sessions {
            secret: secret()?,
            records: Records::Starts,
            run,
            first,
            seconds,
            next: 0,
        })
    }

    pub fn interims(mut self) -> Sessions {
        self.records = Records::Interims;
        self.next = 0;
        self
    }

    fn record(&self, identifier: u8, number: u32, seconds: u32) -> Result<Request, Fault> {
        let mut out = AttributeBuffer::new();
        out.push_text(number::USER_NAME, &format!("user{number:05}"))?;
        out.push_u32(number::ACCT_STATUS_TYPE, if seconds == 0 { 1 } else { 3 })?;
        out.push_text(
            number::ACCT_SESSION_ID,
            &format!("{:03x}{number:05x}", self.run),
        )?;
        out.push_ipv4(
            number::FRAMED_IP_ADDRESS,
            Ipv4Addr::from_bits(0x6440_0002 + number),
        )?;
        out.push_u32(number::EVENT_TIMESTAMP, clock::civil_seconds())?;
        push_line(&mut out, number)?;
        if seconds > 0 {
            let (up_high, up_low) = halves(u64::from(seconds) * UPLOAD);
            let (down_high, down_low) = halves(u64::from(seconds) * DOWNLOAD);
            out.push_u32(number::ACCT_SESSION_TIME, seconds)?;
            out.push_u32(number::ACCT_INPUT_OCTETS, up_low)?;
            out.push_u32(number::ACCT_INPUT_GIGAWORDS, up_high)?;
            out.push_u32(number::ACCT_OUTPUT_OCTETS, down_low)?;
            out.push_u32(number::ACCT_OUTPUT_GIGAWORDS, down_high)?;
            out.push_u32(number::ACCT_INPUT_PACKETS, seconds * 40)?;
            out.push_u32(number::ACCT_OUTPUT_PACKETS, seconds * 200)?;
        }
        Ok(Request::accounting(&self.secret, identifier, &out)?)
    }
}

/// Gigawords and octets (RFC 2869 section 5.1).
fn halves(octets: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = octets.to_be_bytes();
    (
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
    )
}

impl Source for Sessions {
    fn next(&mut self, identifier: u8) -> Result<Option<Request>, Fault> {
        if self.next >= self.seconds.len() {
            if self.records == Records::Starts {
                return Ok(None);
            }
            self.next = 0;
        }
        let number = self.first + u32::try_from(self.next)?;
        let Some(seconds) = self.seconds.get_mut(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        if self.records == Records::Interims {
            *seconds += INTERVAL;
        }
        let seconds = *seconds;
        Ok(Some(self.record(identifier, number, seconds)?))
    }
}

/// Several sources asked one after the other.
pub struct InTurn<'a, S> {
    sources: &'a mut [S],
    turn: usize,
}

impl<'a, S> InTurn<'a, S> {
    pub fn new(sources: &'a mut [S]) -> Self {
        InTurn { sources, turn: 0 }
    }
}

impl<S: Source> Source for InTurn<'_, S> {
    fn next(&mut self, identifier: u8) -> Result<Option<Request>, Fault> {
        self.turn = (self.turn + 1) % self.sources.len().max(1);
        match self.sources.get_mut(self.turn) {
            Some(source) => source.next(identifier),
            None => Ok(None),
        }
    }
}
