//! The RADIUS client of the router: logins and accounting (mikrotik.md a2, a5).

use std::time::Duration;

use proxpanel::radius::auth::Method;
use proxpanel::radius::number::mikrotik;
use proxpanel::radius::{AttributeBuffer, Code, Packet, SharedSecret, number};

use super::Shared;
use super::exchange::{Job, Outcome, Server, ask_all};
use super::grant;
use super::session::{Counters, Grant, Session, SessionKey};
use super::state::State;
use super::table::duration;

/// The PPPoE service name, which becomes Called-Station-Id, and the port it runs on.
pub const SERVICE: &str = "isp";
pub const ACCESS_PORT: &str = "ether2-access";

/// Acct-Status-Type.
const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM: u32 = 3;

/// Acct-Terminate-Cause (RFC 2866 section 5.10).
pub mod cause {
    pub const USER_REQUEST: u32 = 1;
    pub const LOST_CARRIER: u32 = 2;
    pub const IDLE_TIMEOUT: u32 = 4;
    pub const SESSION_TIMEOUT: u32 = 5;
    pub const ADMIN_RESET: u32 = 6;
    pub const NAS_REQUEST: u32 = 10;
    pub const NAS_REBOOT: u32 = 11;
}

/// A subscriber's equipment that calls.
#[derive(Debug, Clone, Copy)]
pub struct Dial<'a> {
    pub user: &'a str,
    pub password: &'a str,
    pub mac: &'a str,
    pub method: Method,
}

/// What came of a call.
#[derive(Debug, Clone)]
pub enum Dialed {
    /// Boxed, since it is much larger than the rest.
    Online(Box<Session>),
    Rejected {
        message: Option<String>,
    },
    /// Accepted by the server, but the router cannot carry it out; or no RADIUS on this router.
    Failed(String),
    NoAnswer,
}

impl Dialed {
    /// The session; fails the test when there is none.
    pub fn online(self) -> Session {
        match self {
            Dialed::Online(session) => *session,
            other => panic!("the subscriber is not online: {other:?}"),
        }
    }
}

/// The entry of `/radius` for PPP, as it is now.
pub fn server(shared: &Shared, state: &State) -> Option<Server> {
    let row = state.tables["/radius"].rows.iter().find(|row| {
        let services = row.get("service").unwrap_or_default();
        services.split(',').any(|service| service == "ppp") && row.get("disabled") != Some("true")
    })?;
    let address = row.get("address")?.parse().ok()?;
    let port = |name: &str| row.get(name)?.parse::<u16>().ok();
    let timeout = row.get("timeout")?;
    let timeout = match timeout.strip_suffix("ms") {
        Some(millis) => Duration::from_millis(millis.parse().ok()?),
        None => Duration::from_secs(duration(timeout)?),
    };
    Some(Server {
        auth: (std::net::IpAddr::V4(address), port("authentication-port")?).into(),
        acct: (std::net::IpAddr::V4(address), port("accounting-port")?).into(),
        secret: secret(shared, row.get("secret")?),
        timeout,
        message_authenticator: row.get("require-message-auth") == Some("yes-for-request-resp"),
    })
}

/// The secret of an entry, or another one while that is the fault.
pub fn secret(shared: &Shared, text: &str) -> SharedSecret {
    let text = if shared.faults.now().wrong_secret {
        format!("not {text}")
    } else {
        text.to_owned()
    };
    SharedSecret::new(text.as_bytes()).expect("a secret")
}

/// Logs subscribers in, as many at a time as one router would, and sends their Start.
pub fn dial_all(shared: &Shared, calls: &[Dial<'_>]) -> Vec<Dialed> {
    let mut done: Vec<Option<Dialed>> = Vec::new();
    let mut asked: Vec<(usize, SessionKey, Session)> = Vec::new();
    let mut jobs: Vec<Job> = Vec::new();
    let server = shared.change(|state| {
        for (index, call) in calls.iter().enumerate() {
            let (key, id) = state.next_id();
            let mut session = Session::new(call.user, id, state.now());
            session.mac = call.mac.to_owned();
            session.port = 0x00F0_0000 + key;
            if let Some(outcome) = local(state, key, &session, call) {
                done.push(Some(outcome));
                continue;
            }
            jobs.push(Job::Access {
                user: call.user.to_owned(),
                password: call.password.to_owned(),
                method: call.method,
                attributes: line(shared, state, &session),
            });
            asked.push((index, key, session));
            done.push(None);
        }
        let asks = state.setting("/ppp/aaa", "use-radius") == Some("yes");
        server(shared, state).filter(|_| asks)
    });
    let Some(server) = server else {
        let none = || Dialed::Failed("no RADIUS server for PPP".to_owned());
        return done
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(none))
            .collect();
    };
    let outcome = ask_all(shared.options.address, server.auth, &server, &jobs);
    let mut started = Vec::new();
    shared.change(|state| {
        state.totals.access_requests += u64::try_from(jobs.len()).unwrap_or(0);
        count(state, &outcome);
        for ((index, key, session), reply) in asked.into_iter().zip(&outcome.replies) {
            let dialed = answered(state, key, session, reply.as_deref());
            if matches!(dialed, Dialed::Online(_)) {
                started.push(key);
            }
            done[index] = Some(dialed);
        }
    });
    account(shared, &started, START);
    done.into_iter().flatten().collect()
}

/// A secret of the router's own, which comes before RADIUS.
fn local(state: &mut State, key: SessionKey, session: &Session, call: &Dial<'_>) -> Option<Dialed> {
    let row = state.tables["/ppp/secret"]
        .rows
        .iter()
        .find(|row| row.get("name") == Some(call.user) && row.get("disabled") != Some("true"))?;
    if row.get("password").unwrap_or_default() != call.password {
        return Some(Dialed::Rejected { message: None });
    }
    let mut session = session.clone();
    session.radius = false;
    session.grant = Grant {
        profile: row.get("profile").map(str::to_owned),
        address: row
            .get("remote-address")
            .and_then(|address| address.parse().ok()),
        ..Grant::default()
    };
    Some(open(state, key, session))
}

fn answered(
    state: &mut State,
    key: SessionKey,
    mut session: Session,
    reply: Option<&[u8]>,
) -> Dialed {
    let Some(reply) = reply else {
        return Dialed::NoAnswer;
    };
    let packet = Packet::parse(reply).expect("it has been verified");
    if packet.code() != Code::ACCESS_ACCEPT {
        state.totals.rejects += 1;
        let message = packet.text(number::REPLY_MESSAGE).map(str::to_owned);
        return Dialed::Rejected { message };
    }
    state.totals.accepts += 1;
    match grant::of_accept(&packet) {
        Ok(grant) => {
            session.grant = grant;
            open(state, key, session)
        }
        Err(why) => Dialed::Failed(why),
    }
}

fn open(state: &mut State, key: SessionKey, session: Session) -> Dialed {
    match state.open(key, session) {
        Ok(()) => Dialed::Online(Box::new(state.sessions[&key].clone())),
        Err(why) => Dialed::Failed(why),
    }
}

fn count(state: &mut State, outcome: &Outcome) {
    state.totals.resends += outcome.resends;
    state.totals.timeouts += outcome.timeouts();
    state.totals.bad_replies += outcome.bad_replies;
}

/// Attributes that every packet about a session carries, beside User-Name.
fn line(shared: &Shared, state: &State, session: &Session) -> AttributeBuffer {
    let mut out = AttributeBuffer::new();
    let identity = state
        .setting("/system/identity", "name")
        .unwrap_or_default();
    let mut integers = |kind, value: u32| out.push_u32(kind, value).expect("room");
    integers(number::SERVICE_TYPE, 2);
    integers(number::FRAMED_PROTOCOL, 1);
    integers(number::NAS_PORT, session.port);
    integers(number::NAS_PORT_TYPE, 15);
    let texts = [
        (number::CALLING_STATION_ID, session.mac.as_str()),
        (number::CALLED_STATION_ID, SERVICE),
        (number::NAS_PORT_ID, ACCESS_PORT),
        (number::ACCT_SESSION_ID, &session.id),
        (number::NAS_IDENTIFIER, identity),
    ];
    for (kind, text) in texts {
        if !text.is_empty() {
            out.push_text(kind, text).expect("room");
        }
    }
    out.push_ipv4(number::NAS_IP_ADDRESS, shared.options.address)
        .expect("room");
    out
}

/// What makes one record differ from another.
#[derive(Clone, Copy)]
struct Kind {
    status: u32,
    cause: Option<u32>,
    delay_seconds: u32,
}

fn record(
    shared: &Shared,
    state: &State,
    session: &Session,
    counters: Counters,
    kind: Kind,
) -> Job {
    let faults = shared.faults.now();
    let mut out = AttributeBuffer::new();
    out.push_u32(number::ACCT_STATUS_TYPE, kind.status)
        .expect("room");
    out.push_text(number::USER_NAME, &session.user)
        .expect("room");
    for (kind, value) in line(shared, state, session).iter() {
        out.push_raw(kind, value).expect("room");
    }
    out.push_u32(number::ACCT_AUTHENTIC, 1).expect("room");
    for class in &session.grant.class {
        out.push_octets(number::CLASS, class).expect("room");
    }
    if kind.status != START || !faults.start_without_address {
        out.push_ipv4(number::FRAMED_IP_ADDRESS, session.address)
            .expect("room");
    }
    if kind.status != START {
        let (mut input, mut output) = (counters.upload, counters.download);
        if faults.swapped_direction {
            std::mem::swap(&mut input, &mut output);
        }
        let mut push = |kind, value: u64| {
            let low = u32::try_from(value & u64::from(u32::MAX)).expect("masked");
            out.push_u32(kind, low).expect("room");
        };
        push(number::ACCT_SESSION_TIME, counters.seconds);
        push(number::ACCT_INPUT_OCTETS, input);
        push(number::ACCT_OUTPUT_OCTETS, output);
        if !faults.no_gigawords {
            push(number::ACCT_INPUT_GIGAWORDS, input >> 32);
            push(number::ACCT_OUTPUT_GIGAWORDS, output >> 32);
        }
        push(number::ACCT_INPUT_PACKETS, input / 1000);
        push(number::ACCT_OUTPUT_PACKETS, output / 1000);
    }
    if let Some(cause) = kind.cause {
        out.push_u32(number::ACCT_TERMINATE_CAUSE, cause)
            .expect("room");
    }
    Job::Accounting {
        attributes: out,
        delay_seconds: kind.delay_seconds,
    }
}

/// Sends one record of each session. Returns how many were acknowledged.
fn account(shared: &Shared, keys: &[SessionKey], status: u32) -> usize {
    let kind = Kind {
        status,
        cause: None,
        delay_seconds: 0,
    };
    let (server, jobs) = shared.change(|state| {
        let now = state.now();
        let mut jobs = Vec::new();
        for key in keys {
            let Some(session) = state.sessions.get_mut(key).filter(|session| session.radius) else {
                continue;
            };
            let counters = session.counters(now);
            if status == INTERIM {
                session.remember(counters);
            }
            let session = session.clone();
            jobs.push(record(shared, state, &session, counters, kind));
            if status == INTERIM && shared.faults.now().duplicate_interims {
                jobs.push(record(shared, state, &session, counters, kind));
            }
        }
        (server(shared, state), jobs)
    });
    send(shared, server, &jobs)
}

fn send(shared: &Shared, server: Option<Server>, jobs: &[Job]) -> usize {
    let Some(server) = server.filter(|_| !shared.faults.now().no_accounting) else {
        return 0;
    };
    let outcome = ask_all(shared.options.address, server.acct, &server, jobs);
    let acknowledged = outcome
        .replies
        .iter()
        .filter(|reply| reply.is_some())
        .count();
    shared.change(|state| {
        state.totals.accounting_requests += u64::try_from(jobs.len()).unwrap_or(0);
        state.totals.accounting_responses += u64::try_from(acknowledged).unwrap_or(0);
        count(state, &outcome);
    });
    acknowledged
}

/// Interim records of some users, or of all. Returns how many were acknowledged.
pub fn interims(shared: &Shared, user: Option<&str>) -> usize {
    let keys: Vec<SessionKey> = shared.read(|state| match user {
        Some(user) => state.key_of(user).into_iter().collect(),
        None => state.sessions.keys().copied().collect(),
    });
    account(shared, &keys, INTERIM)
}

/// An interim record that was sent before, `back` records ago, as a new packet that says how late it is.
pub fn resend_interim(shared: &Shared, user: &str, back: usize, delay_seconds: u32) -> bool {
    let (server, jobs) = shared.read(|state| {
        let session = state.session(user).expect("an open session");
        let counters = session.recorded(back).expect("an interim record sent");
        let kind = Kind {
            status: INTERIM,
            cause: None,
            delay_seconds,
        };
        (
            server(shared, state),
            vec![record(shared, state, session, counters, kind)],
        )
    });
    send(shared, server, &jobs) == 1
}

/// Ends a session and sends its Stop. Returns whether that was acknowledged.
pub fn hang_up(shared: &Shared, key: SessionKey, cause: u32) -> bool {
    let ended = shared.change(|state| Some((state.close(key)?, state.now())));
    ended.is_some_and(|(session, now)| stop(shared, &session, session.counters(now), cause))
}

/// Ends the sessions that have used up what they were allowed. Returns how many there were.
pub fn end_used_up(shared: &Shared) -> usize {
    let over: Vec<(SessionKey, u32)> = shared.read(|state| {
        let now = state.now();
        let over = state
            .sessions
            .iter()
            .filter(|(_, session)| session.is_over(now));
        over.map(|(key, session)| {
            let timeout = session.grant.session_timeout.map_or(u64::MAX, u64::from);
            let cause = if session.counters(now).seconds >= timeout {
                cause::SESSION_TIMEOUT
            } else {
                cause::NAS_REQUEST
            };
            (*key, cause)
        })
        .collect()
    });
    for (key, cause) in &over {
        hang_up(shared, *key, *cause);
    }
    over.len()
}

/// Sends the Stop of a session that is gone already.
pub fn stop(shared: &Shared, session: &Session, counters: Counters, cause: u32) -> bool {
    if !session.radius {
        return false;
    }
    let kind = Kind {
        status: STOP,
        cause: Some(cause),
        delay_seconds: 0,
    };
    let (server, jobs) = shared.read(|state| {
        (
            server(shared, state),
            vec![record(shared, state, session, counters, kind)],
        )
    });
    send(shared, server, &jobs) == 1
}

/// The rate limit's text in a packet, for the record of what was asked.
pub fn rate_text(packet: &Packet<'_>) -> Option<String> {
    let value = packet.vendor(mikrotik::VENDOR, mikrotik::RATE_LIMIT)?;
    Some(String::from_utf8_lossy(value).into_owned())
}
