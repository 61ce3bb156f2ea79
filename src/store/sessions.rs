//! Accounting sessions as the tables hold them. Between folds the truth of open sessions is in
//! `accounting`, in memory and in the journal.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

use super::codec::Record;
use super::plan_parts::RateRow;
use super::plans::BurstRow;
use super::tables::{CLOSED_SESSIONS, OPEN_SESSIONS, SESSIONS_BY_SUBSCRIBER};
use super::{Order, Read, StoreError, Tx, session_addresses};
use crate::domain::id::{LoginId, NasId, SessionId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::octets::Traffic;
use crate::domain::rate::RateLimit;
use crate::domain::session::{Cause, Place, Session, Stopped};
use crate::domain::time::Timestamp;

pub use v1::{PlaceRow, RateLimitRow, SessionRow, TrafficRow};

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional. Kept small: there are millions of them.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct SessionRow {
        #[n(0)]
        pub nas: u32,
        #[n(1)]
        pub acct_session_id: ByteVec,
        #[n(2)]
        pub username: String,
        #[n(3)]
        pub subscriber: Option<u32>,
        #[n(4)]
        pub login: Option<u64>,
        #[n(5)]
        pub started_at: i64,
        /// Milliseconds after `started_at`.
        #[n(6)]
        pub updated_after: i64,
        /// Milliseconds after `updated_at`.
        #[n(7)]
        pub heard_after: i64,
        #[n(8)]
        pub session_time: u32,
        #[n(9)]
        pub highest: TrafficRow,
        /// Absent where it equals `highest`.
        #[n(10)]
        pub booked: Option<TrafficRow>,
        #[n(11)]
        pub place: PlaceRow,
        #[n(12)]
        pub stopped: Option<StoppedRow>,
        #[n(13)]
        pub resumed: Option<bool>,
        /// Absent where all octets count.
        #[n(14)]
        pub free: Option<TrafficRow>,
        #[n(15)]
        pub told: Option<RateLimitRow>,
    }

    /// A speed that a router was told.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct RateLimitRow {
        #[n(0)]
        pub rate: RateRow,
        #[n(1)]
        pub priority: u8,
        #[n(2)]
        pub burst: Option<BurstRow>,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct TrafficRow {
        #[n(0)]
        pub upload: u64,
        #[n(1)]
        pub download: u64,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct StoppedRow {
        #[n(0)]
        pub at: i64,
        /// Acct-Terminate-Cause, or one of our own from [`super::OWN_CAUSES`] on.
        #[n(1)]
        pub cause: u64,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct PlaceRow {
        #[n(0)]
        pub address: Option<u32>,
        #[n(1)]
        pub ipv6_prefix: Option<ByteVec>,
        #[n(2)]
        pub delegated_prefix: Option<ByteVec>,
        #[n(3)]
        pub mac: Option<ByteVec>,
        #[n(4)]
        pub calling_station: Option<String>,
        #[n(5)]
        pub nas_port: Option<u32>,
        #[n(6)]
        pub nas_port_id: Option<String>,
        #[n(7)]
        pub nas_ip: Option<u32>,
        #[n(8)]
        pub source: Option<ByteVec>,
    }
}

impl Record for SessionRow {
    const VERSION: u8 = 1;
}

/// Our own causes stand above the 32 bits of Acct-Terminate-Cause.
const OWN_CAUSES: u64 = 1 << 32;

fn cause_number(cause: Cause) -> u64 {
    match cause {
        Cause::Radius(number) => number.into(),
        Cause::Lost => OWN_CAUSES,
        Cause::NasReboot => OWN_CAUSES + 1,
        Cause::NasOff => OWN_CAUSES + 2,
    }
}

fn cause(number: u64) -> Cause {
    match u32::try_from(number) {
        Ok(number) => Cause::Radius(number),
        Err(_) if number == OWN_CAUSES + 1 => Cause::NasReboot,
        Err(_) if number == OWN_CAUSES + 2 => Cause::NasOff,
        Err(_) => Cause::Lost,
    }
}

impl From<Traffic> for TrafficRow {
    fn from(t: Traffic) -> Self {
        TrafficRow {
            upload: t.upload,
            download: t.download,
        }
    }
}

impl From<TrafficRow> for Traffic {
    fn from(row: TrafficRow) -> Self {
        Traffic::new(row.upload, row.download)
    }
}

/// `None` for nothing, so that rows of those without do not grow.
pub(super) fn filled_traffic(traffic: Traffic) -> Option<TrafficRow> {
    (traffic != Traffic::ZERO).then(|| traffic.into())
}

impl From<RateLimit> for RateLimitRow {
    fn from(limit: RateLimit) -> Self {
        RateLimitRow {
            rate: limit.rate.into(),
            priority: limit.priority,
            burst: limit.burst.map(BurstRow::from),
        }
    }
}

impl From<RateLimitRow> for RateLimit {
    fn from(row: RateLimitRow) -> Self {
        RateLimit {
            rate: row.rate.into(),
            priority: row.priority,
            burst: row.burst.map(BurstRow::into),
        }
    }
}

/// The prefix length, then the sixteen octets of the address.
pub(super) fn prefix_octets((address, length): (Ipv6Addr, u8)) -> ByteVec {
    let mut octets = vec![length];
    octets.extend(address.octets());
    octets.into()
}

pub(super) fn prefix(octets: &ByteVec) -> Option<(Ipv6Addr, u8)> {
    let (length, address) = octets.split_first()?;
    let address: [u8; 16] = address.try_into().ok()?;
    Some((address.into(), *length))
}

pub(super) fn address_octets(address: IpAddr) -> ByteVec {
    match address {
        IpAddr::V4(a) => a.octets().to_vec().into(),
        IpAddr::V6(a) => a.octets().to_vec().into(),
    }
}

pub(super) fn address(octets: &ByteVec) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets.as_slice()) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(octets.as_slice())
        .ok()
        .map(IpAddr::from)
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl From<&Place> for PlaceRow {
    fn from(p: &Place) -> Self {
        PlaceRow {
            address: p.address.map(Ipv4Addr::to_bits),
            ipv6_prefix: p.ipv6_prefix.map(prefix_octets),
            delegated_prefix: p.delegated_prefix.map(prefix_octets),
            mac: p.mac.map(|mac| mac.0.to_vec().into()),
            calling_station: filled(&p.calling_station),
            nas_port: p.nas_port,
            nas_port_id: filled(&p.nas_port_id),
            nas_ip: p.nas_ip.map(Ipv4Addr::to_bits),
            source: p.source.map(address_octets),
        }
    }
}

impl From<PlaceRow> for Place {
    fn from(row: PlaceRow) -> Self {
        Place {
            address: row.address.map(Ipv4Addr::from_bits),
            ipv6_prefix: row.ipv6_prefix.as_ref().and_then(prefix),
            delegated_prefix: row.delegated_prefix.as_ref().and_then(prefix),
            mac: row.mac.and_then(|m| m.as_slice().try_into().ok().map(Mac)),
            calling_station: row.calling_station.unwrap_or_default(),
            nas_port: row.nas_port,
            nas_port_id: row.nas_port_id.unwrap_or_default(),
            nas_ip: row.nas_ip.map(Ipv4Addr::from_bits),
            source: row.source.as_ref().and_then(address),
        }
    }
}

impl From<&Session> for SessionRow {
    fn from(s: &Session) -> Self {
        SessionRow {
            nas: s.nas.0,
            acct_session_id: s.acct_session_id.clone().into(),
            username: s.username.clone(),
            subscriber: s.subscriber.map(|id| id.0),
            login: s.login.map(|id| id.0),
            started_at: s.started_at.0,
            updated_after: s.updated_at.0.saturating_sub(s.started_at.0),
            heard_after: s.heard_at.0.saturating_sub(s.updated_at.0),
            session_time: s.session_time,
            highest: s.highest.into(),
            booked: (s.booked != s.highest).then(|| s.booked.into()),
            place: (&s.place).into(),
            stopped: s.stopped.map(|stop| v1::StoppedRow {
                at: stop.at.0,
                cause: cause_number(stop.cause),
            }),
            resumed: s.resumed.then_some(true),
            free: filled_traffic(s.free),
            told: s.told.map(RateLimitRow::from),
        }
    }
}

impl SessionRow {
    pub(super) fn into_session(self, id: SessionId) -> Session {
        let started_at = Timestamp(self.started_at);
        let updated_at = started_at.plus(self.updated_after);
        let highest = Traffic::from(self.highest);
        Session {
            id,
            nas: NasId(self.nas),
            acct_session_id: self.acct_session_id.into(),
            username: self.username,
            subscriber: self.subscriber.map(SubscriberId),
            login: self.login.map(LoginId),
            started_at,
            updated_at,
            heard_at: updated_at.plus(self.heard_after),
            session_time: self.session_time,
            highest,
            booked: self.booked.map_or(highest, Traffic::from),
            place: self.place.into(),
            stopped: self.stopped.map(|stop| Stopped {
                at: Timestamp(stop.at),
                cause: cause(stop.cause),
            }),
            resumed: self.resumed.unwrap_or(false),
            free: self.free.map_or(Traffic::ZERO, Traffic::from),
            told: self.told.map(RateLimit::from),
        }
    }
}

/// Every session that was open at the last fold.
pub fn open_at_fold(read: &impl Read) -> Result<Vec<Session>, StoreError> {
    let mut sessions = Vec::new();
    each_open_at_fold(read, |session| sessions.push(session))?;
    Ok(sessions)
}

/// The same one by one.
pub fn each_open_at_fold(
    read: &impl Read,
    mut visit: impl FnMut(Session),
) -> Result<(), StoreError> {
    read.scan(
        &OPEN_SESSIONS,
        0u64..,
        Order::Ascending,
        usize::MAX,
        |id, row: SessionRow| {
            visit(row.into_session(SessionId(id)));
            ControlFlow::Continue(())
        },
    )?;
    Ok(())
}

pub fn closed(read: &impl Read, id: SessionId) -> Result<Option<Session>, StoreError> {
    Ok(read
        .get(&CLOSED_SESSIONS, id.0)?
        .map(|row: SessionRow| row.into_session(id)))
}

/// Walks over closed sessions below `before`, newest first, until `visit` breaks; at most `look` of them.
pub fn each_closed_before(
    read: &impl Read,
    before: SessionId,
    look: usize,
    mut visit: impl FnMut(Session) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    read.scan(
        &CLOSED_SESSIONS,
        ..before.0,
        Order::Descending,
        look,
        |id, row: SessionRow| visit(row.into_session(SessionId(id))),
    )?;
    Ok(())
}

/// Walks over all closed sessions, oldest first, for exports.
pub fn each_closed(
    read: &impl Read,
    mut visit: impl FnMut(Session) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    read.scan(
        &CLOSED_SESSIONS,
        0u64..,
        Order::Ascending,
        usize::MAX,
        |id, row: SessionRow| visit(row.into_session(SessionId(id))),
    )?;
    Ok(())
}

/// The newest closed sessions of a subscriber.
pub fn closed_of(
    read: &impl Read,
    subscriber: SubscriberId,
    limit: usize,
) -> Result<Vec<Session>, StoreError> {
    let mut ids = Vec::new();
    let range = (subscriber.0, 0u64)..=(subscriber.0, u64::MAX);
    read.scan(
        &SESSIONS_BY_SUBSCRIBER,
        range,
        Order::Descending,
        limit,
        |(_, id): (u32, u64), ()| {
            ids.push(SessionId(id));
            ControlFlow::Continue(())
        },
    )?;
    let mut sessions = Vec::with_capacity(ids.len());
    for id in ids {
        sessions.extend(closed(read, id)?);
    }
    Ok(sessions)
}

/// Walks over the ended sessions of the subscribers in a range, those of one after those of another.
pub fn each_closed_of(
    read: &impl Read,
    subscribers: std::ops::Range<u32>,
    mut visit: impl FnMut(Session) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut failed = None;
    let range = (subscribers.start, 0u64)..(subscribers.end, 0u64);
    read.scan(
        &SESSIONS_BY_SUBSCRIBER,
        range,
        Order::Ascending,
        usize::MAX,
        |(_, id): (u32, u64), ()| match closed(read, SessionId(id)) {
            Ok(session) => session.map_or(ControlFlow::Continue(()), &mut visit),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        },
    )?;
    failed.map_or(Ok(()), Err)
}

pub fn count_closed(read: &impl Read) -> Result<u64, StoreError> {
    read.count(&CLOSED_SESSIONS)
}

/// Writes a session where it belongs: open or closed.
pub fn put(tx: &mut Tx<'_>, session: &Session) -> Result<(), StoreError> {
    let row = SessionRow::from(session);
    if session.stopped.is_none() {
        if let Some(was) = closed(tx, session.id)? {
            tx.remove(&CLOSED_SESSIONS, session.id.0)?;
            session_addresses::remove(tx, session.id, &was.place)?;
            if let Some(subscriber) = session.subscriber {
                tx.remove(&SESSIONS_BY_SUBSCRIBER, (subscriber.0, session.id.0))?;
            }
        }
        return tx.insert(&OPEN_SESSIONS, session.id.0, &row);
    }
    tx.remove(&OPEN_SESSIONS, session.id.0)?;
    if let Some(was) = closed(tx, session.id)? {
        session_addresses::remove(tx, session.id, &was.place)?;
    }
    session_addresses::put(tx, session.id, &session.place)?;
    tx.insert(&CLOSED_SESSIONS, session.id.0, &row)?;
    if let Some(subscriber) = session.subscriber {
        tx.insert(&SESSIONS_BY_SUBSCRIBER, (subscriber.0, session.id.0), &())?;
    }
    Ok(())
}
