//! Accounting sessions and the records that make them (rules.md section 2).

use super::address::Block;
use super::hours::FreeWindow;
use super::id::{LoginId, NasId, SessionId, SubscriberId};
use super::mac::Mac;
use super::octets::{Traffic, Usage};
use super::rate::RateLimit;
use super::time::{SECOND, Timestamp};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Acct-Terminate-Cause as received (RFC 2866 section 5.10), or our own reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Radius(u32),
    /// No word for ten intervals, or a newer login took its place: the Stop was lost.
    Lost,
    /// The router said that it restarted (Accounting-On) or went down (Accounting-Off).
    NasReboot,
    NasOff,
}

impl Cause {
    pub fn word(self) -> String {
        let known = match self {
            Cause::Lost => "Lost",
            Cause::NasReboot => "NAS-Reboot",
            Cause::NasOff => "Admin-Reboot",
            Cause::Radius(0) => "Unspecified",
            Cause::Radius(number) => match terminate_cause(number) {
                Some(word) => word,
                None => return format!("Cause-{number}"),
            },
        };
        known.to_owned()
    }
}

fn terminate_cause(number: u32) -> Option<&'static str> {
    const WORDS: [&str; 18] = [
        "User-Request",
        "Lost-Carrier",
        "Lost-Service",
        "Idle-Timeout",
        "Session-Timeout",
        "Admin-Reset",
        "Admin-Reboot",
        "Port-Error",
        "NAS-Error",
        "NAS-Request",
        "NAS-Reboot",
        "Port-Unneeded",
        "Port-Preempted",
        "Port-Suspended",
        "Service-Unavailable",
        "Callback",
        "User-Error",
        "Host-Request",
    ];
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    WORDS.get(index).copied()
}

/// What kind of accounting record it is (Acct-Status-Type).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    Start,
    Interim,
    Stop {
        cause: u32,
    },
    /// Accounting-On: every session of this NAS that began earlier is over.
    On,
    Off,
}

/// One accounting record, with everything the rules need, so that applying it again gives the same result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub kind: RecordKind,
    pub nas: NasId,
    /// When this installation took the router over.
    pub nas_since: Timestamp,
    /// Byte for byte as received.
    pub acct_session_id: Vec<u8>,
    /// As received; compared without case.
    pub username: String,
    /// Who that is, if anybody.
    pub subscriber: Option<SubscriberId>,
    /// From our `Class`.
    pub login: Option<LoginId>,
    /// When it happened, by the router's word if that is believable.
    pub event_at: Timestamp,
    /// When it reached us, by our clock.
    pub received_at: Timestamp,
    /// Acct-Session-Time in seconds.
    pub session_time: Option<u32>,
    /// Upload and download totals of the session, 64-bit.
    pub totals: Option<Traffic>,
    /// The router sent Gigawords, so a fall is no wrap at 2^32.
    pub has_gigawords: bool,
    pub place: Place,
    /// The free hours of the subscriber's plan when the record came; the first that holds wins.
    pub free_windows: Vec<FreeWindow>,
    /// The speed that the login of this session was promised, where it is known.
    pub told: Option<RateLimit>,
}

/// What the counters of a router, read through its API, say of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub session: SessionId,
    /// Upload and download totals of the session, 64-bit.
    pub totals: Traffic,
    /// Seconds for which the session has lasted, by the router.
    pub uptime: u32,
    /// When it was read, by our clock.
    pub at: Timestamp,
    /// The free hours of the subscriber's plan.
    pub free_windows: Vec<FreeWindow>,
}

/// Where a session is attached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    pub address: Option<Ipv4Addr>,
    pub ipv6_prefix: Option<(Ipv6Addr, u8)>,
    pub delegated_prefix: Option<(Ipv6Addr, u8)>,
    pub mac: Option<Mac>,
    /// Calling-Station-Id as received, where it is no MAC address.
    pub calling_station: String,
    pub nas_port: Option<u32>,
    pub nas_port_id: String,
    /// NAS-IP-Address as received, repeated in CoA.
    pub nas_ip: Option<Ipv4Addr>,
    /// Where the packet came from, which is where CoA goes.
    pub source: Option<IpAddr>,
}

impl Place {
    /// What the session holds: its address, its link prefix, its delegated prefix.
    pub fn blocks(&self) -> [Option<Block>; 3] {
        [
            self.address.map(Block::of_v4),
            self.ipv6_prefix.map(Block::of_prefix),
            self.delegated_prefix.map(Block::of_prefix),
        ]
    }

    /// Fills what a later record knows; what is known and not repeated stays.
    pub fn learn(&mut self, newer: &Place) {
        fn keep<T: Clone>(known: &mut Option<T>, newer: &Option<T>) {
            if newer.is_some() {
                known.clone_from(newer);
            }
        }
        keep(&mut self.address, &newer.address);
        keep(&mut self.ipv6_prefix, &newer.ipv6_prefix);
        keep(&mut self.delegated_prefix, &newer.delegated_prefix);
        keep(&mut self.mac, &newer.mac);
        keep(&mut self.nas_port, &newer.nas_port);
        keep(&mut self.nas_ip, &newer.nas_ip);
        keep(&mut self.source, &newer.source);
        if !newer.calling_station.is_empty() {
            self.calling_station.clone_from(&newer.calling_station);
        }
        if !newer.nas_port_id.is_empty() {
            self.nas_port_id.clone_from(&newer.nas_port_id);
        }
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    pub at: Timestamp,
    pub cause: Cause,
}

/// One session, open or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub nas: NasId,
    pub acct_session_id: Vec<u8>,
    pub username: String,
    pub subscriber: Option<SubscriberId>,
    pub login: Option<LoginId>,
    pub started_at: Timestamp,
    /// Event time of the newest record that was applied.
    pub updated_at: Timestamp,
    /// When the newest record reached us, by our clock: a router with a wrong clock is not stale.
    pub heard_at: Timestamp,
    /// Highest Acct-Session-Time of the present segment, seconds.
    pub session_time: u32,
    /// Highest totals of the present segment, as the router counts them.
    pub highest: Traffic,
    /// Octets booked to the subscriber: all segments, less the baseline.
    pub booked: Traffic,
    /// The part of `booked` that does not count; never above it.
    pub free: Traffic,
    pub place: Place,
    pub stopped: Option<Stopped>,
    /// A record arrived after the Stop that showed the session went on.
    pub resumed: bool,
    /// The speed that the router last confirmed for this session: at its login, or since.
    pub told: Option<RateLimit>,
}

/// Presence of an open session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Online,
    /// No interim for three intervals (rules.md section 2).
    Stale,
    /// No interim for ten: to be closed as lost.
    Lost,
}

impl Session {
    pub fn usage(&self) -> Usage {
        Usage {
            raw: self.booked,
            free: self.free,
        }
    }

    /// Presence at `now`, when records are due every `interval` seconds.
    pub fn presence(&self, now: Timestamp, interval: u32) -> Presence {
        let silent = now.since(self.heard_at);
        let interval = i64::from(interval).saturating_mul(SECOND);
        // One minute of slack: the record that is due now may still be under way.
        if silent > interval.saturating_mul(10).saturating_add(60 * SECOND) {
            Presence::Lost
        } else if silent > interval.saturating_mul(3).saturating_add(60 * SECOND) {
            Presence::Stale
        } else {
            Presence::Online
        }
    }

    pub fn acct_session_id_text(&self) -> String {
        String::from_utf8_lossy(&self.acct_session_id).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(heard_at: Timestamp) -> Session {
        Session {
            id: SessionId(1),
            nas: NasId(1),
            acct_session_id: b"81".to_vec(),
            username: "a".into(),
            subscriber: None,
            login: None,
            started_at: Timestamp(0),
            updated_at: Timestamp(0),
            heard_at,
            session_time: 0,
            highest: Traffic::ZERO,
            booked: Traffic::ZERO,
            free: Traffic::ZERO,
            place: Place::default(),
            stopped: None,
            resumed: false,
            told: None,
        }
    }

    #[test]
    fn presence_changes_after_three_and_ten_intervals() {
        let heard = Timestamp::from_seconds(1_000_000);
        let at = |seconds: i64| session(heard).presence(heard.plus(seconds * SECOND), 60);
        assert_eq!(at(-500), Presence::Online);
        assert_eq!(at(240), Presence::Online);
        assert_eq!(at(241), Presence::Stale);
        assert_eq!(at(660), Presence::Stale);
        assert_eq!(at(661), Presence::Lost);
    }

    #[test]
    fn causes_have_their_names() {
        assert_eq!(Cause::Radius(1).word(), "User-Request");
        assert_eq!(Cause::Radius(18).word(), "Host-Request");
        // A Stop without Acct-Terminate-Cause.
        assert_eq!(Cause::Radius(0).word(), "Unspecified");
        assert_eq!(Cause::Radius(19).word(), "Cause-19");
    }

    #[test]
    fn what_is_not_repeated_stays_known() {
        let mut place = Place {
            nas_port: Some(5),
            nas_port_id: "ether1".into(),
            ..Place::default()
        };
        place.learn(&Place {
            address: Some(Ipv4Addr::LOCALHOST),
            ..Place::default()
        });
        assert_eq!(
            (place.nas_port, place.nas_port_id.as_str(), place.address),
            (Some(5), "ether1", Some(Ipv4Addr::LOCALHOST))
        );
    }
}
