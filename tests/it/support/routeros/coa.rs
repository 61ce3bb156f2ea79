//! The router's ear for CoA and Disconnect (mikrotik.md a4, RFC 5176).

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};
use proxpanel::radius::authenticator::{
    verify_message_authenticator, verify_request_authenticator,
};
use proxpanel::radius::packet::{HEADER_OCTETS, PACKET_MAX_OCTETS};
use proxpanel::radius::{Code, Packet, number};
use tokio::net::UdpSocket;

use super::faults::CoaFault;
use super::grant::{
    self, MISSING_ATTRIBUTE, NAS_IDENTIFICATION_MISMATCH, SESSION_CONTEXT_NOT_FOUND,
};
use super::record::{Answer, Received};
use super::session::SessionKey;
use super::state::{RECORD_MAX, State};
use super::{Shared, nas};

/// Requests remembered, so that a copy gets the same answer and is not done twice (RFC 5080 section 2.2.2).
const COPIES_KNOWN: usize = 256;

/// One request that has been seen.
struct Seen {
    source: SocketAddr,
    identifier: u8,
    authenticator: [u8; 16],
    answer: Option<Vec<u8>>,
}

/// Answers for as long as the stand-in lives.
pub async fn serve(shared: Arc<Shared>, socket: UdpSocket) {
    let socket = Arc::new(socket);
    let mut seen: VecDeque<Seen> = VecDeque::new();
    let mut buffer = vec![0; PACKET_MAX_OCTETS];
    loop {
        // An error is the port of a server that went away; the next packet is read all the same.
        let Ok((length, source)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let Some(answer) = hear(&shared, &buffer[..length], source, &mut seen) else {
            continue;
        };
        match shared.faults.now().coa {
            CoaFault::LoseAnswer => {}
            CoaFault::Slow(delay) => {
                tokio::spawn(late(Arc::clone(&socket), answer, source, delay));
            }
            _ => {
                let _lost = socket.send_to(&answer, source).await;
            }
        }
    }
}

async fn late(socket: Arc<UdpSocket>, answer: Vec<u8>, to: SocketAddr, delay: Duration) {
    tokio::time::sleep(delay).await;
    let _lost = socket.send_to(&answer, to).await;
}

/// Judges one datagram, does what it says, and returns the answer.
fn hear(
    shared: &Arc<Shared>,
    datagram: &[u8],
    source: SocketAddr,
    seen: &mut VecDeque<Seen>,
) -> Option<Vec<u8>> {
    let packet = match Packet::parse(datagram) {
        Ok(packet) if matches!(packet.code(), Code::COA_REQUEST | Code::DISCONNECT_REQUEST) => {
            packet
        }
        _ => {
            shared.change(|state| state.totals.bad_requests += 1);
            return None;
        }
    };
    let secret = match trusted(shared, &packet, source.ip()) {
        Ok(secret) => secret,
        Err(why) => {
            shared.change(|state| {
                state.totals.bad_requests += 1;
                remember(state, &packet, source, Answer::Dropped(why));
            });
            return None;
        }
    };
    let known = seen.iter().position(|old| {
        old.source == source
            && old.identifier == packet.identifier()
            && old.authenticator == *packet.authenticator()
    });
    if let Some(place) = known {
        shared.change(|state| state.totals.copies += 1);
        if seen[place].answer.is_some() {
            return seen[place].answer.clone();
        }
    }
    let answer = obey(shared, &packet, source, known.is_none());
    let octets = reply(&packet, answer, &secret);
    if let Some(place) = known {
        seen.remove(place);
    }
    if seen.len() == COPIES_KNOWN {
        seen.pop_front();
    }
    seen.push_back(Seen {
        source,
        identifier: packet.identifier(),
        authenticator: *packet.authenticator(),
        answer: octets.clone(),
    });
    octets
}

/// The secret of the entry whose address sent this, when the packet is signed with it.
fn trusted(shared: &Shared, packet: &Packet<'_>, source: IpAddr) -> Result<String, &'static str> {
    let (incoming, secret) = shared.read(|state| {
        let entry = state.tables["/radius"].rows.iter().find(|row| {
            row.get("address") == Some(&source.to_string()) && row.get("disabled") != Some("true")
        });
        let secret = entry.and_then(|row| row.get("secret")).map(str::to_owned);
        (
            state.setting("/radius/incoming", "accept") == Some("yes"),
            secret,
        )
    });
    if !incoming {
        return Err("incoming requests are switched off");
    }
    let text = secret.ok_or("unknown address")?;
    let secret = nas::secret(shared, &text);
    if !verify_request_authenticator(&secret, packet)
        || verify_message_authenticator(&secret, packet) == Some(false)
    {
        return Err("wrong authenticator");
    }
    Ok(text)
}

/// Does what the request says, and writes it down.
fn obey(shared: &Arc<Shared>, packet: &Packet<'_>, source: SocketAddr, first: bool) -> Answer {
    let fault = shared.faults.now().coa;
    let (answer, ended) = shared.change(|state| {
        if first {
            match packet.code() {
                Code::COA_REQUEST => state.totals.coa_requests += 1,
                _ => state.totals.disconnect_requests += 1,
            }
        }
        let done = match fault {
            CoaFault::Silent => Err(None),
            CoaFault::Wants(attribute) if packet.first(attribute).is_none() => Err(None),
            CoaFault::Nak(cause) => Err(Some(cause)),
            _ => find(shared, state, packet)
                .and_then(|key| act(state, key, packet))
                .map_err(Some),
        };
        let (answer, ended) = match done {
            Ok(ended) => (Answer::Ack, ended),
            Err(Some(cause)) => (Answer::Nak(cause), None),
            Err(None) => (Answer::Dropped("silent"), None),
        };
        match answer {
            Answer::Ack => state.totals.acks += 1,
            Answer::Nak(_) => state.totals.naks += 1,
            Answer::Dropped(_) => {}
        }
        remember(state, packet, source, answer);
        (answer, ended)
    });
    if let Some((session, counters)) = ended {
        shared.stop_later(session, counters, nas::cause::ADMIN_RESET);
    }
    answer
}

type Ended = Option<(super::Session, super::Counters)>;

fn act(state: &mut State, key: SessionKey, packet: &Packet<'_>) -> Result<Ended, u32> {
    if packet.code() == Code::DISCONNECT_REQUEST {
        let now = state.now();
        let session = state.close(key).ok_or(SESSION_CONTEXT_NOT_FOUND)?;
        let counters = session.counters(now);
        return Ok(Some((session, counters)));
    }
    let session = state
        .sessions
        .get_mut(&key)
        .ok_or(SESSION_CONTEXT_NOT_FOUND)?;
    grant::change(session, packet)?;
    let (upload, download) = (session.grant.upload_limit, session.grant.download_limit);
    state.set_queue(key);
    let active = state.table("/ppp/active");
    if let Some(row) = active.rows.iter_mut().find(|row| row.session == Some(key)) {
        row.put("limit-bytes-in", upload.to_string());
        row.put("limit-bytes-out", download.to_string());
    }
    Ok(None)
}

/// The session that all identifying attributes fit; two of them are needed. Errors: the Error-Cause.
fn find(shared: &Shared, state: &State, packet: &Packet<'_>) -> Result<SessionKey, u32> {
    let identity = state.setting("/system/identity", "name");
    let foreign = packet
        .ipv4(number::NAS_IP_ADDRESS)
        .is_some_and(|address| address != shared.options.address)
        || packet
            .text(number::NAS_IDENTIFIER)
            .is_some_and(|name| Some(name) != identity);
    if foreign {
        return Err(NAS_IDENTIFICATION_MISMATCH);
    }
    let user = packet.text(number::USER_NAME);
    let id = packet.text(number::ACCT_SESSION_ID);
    let address = packet.ipv4(number::FRAMED_IP_ADDRESS);
    let mac = packet.text(number::CALLING_STATION_ID);
    let given = [
        user.is_some(),
        id.is_some(),
        address.is_some(),
        mac.is_some(),
    ];
    if given.iter().filter(|given| **given).count() < 2 {
        return Err(MISSING_ATTRIBUTE);
    }
    let fits = |session: &super::Session| {
        user.is_none_or(|user| session.user == user)
            && id.is_none_or(|id| session.id == id)
            && address.is_none_or(|address| session.address == address)
            && mac.is_none_or(|mac| session.mac == mac)
    };
    let mut sessions = state.sessions.iter();
    let found = sessions.find(|(_, session)| fits(session));
    found.map(|(key, _)| *key).ok_or(SESSION_CONTEXT_NOT_FOUND)
}

fn remember(state: &mut State, packet: &Packet<'_>, source: SocketAddr, answer: Answer) {
    if state.received.len() == RECORD_MAX {
        state.received.pop_front();
    }
    state.received.push_back(Received {
        code: packet.code(),
        source,
        user: packet.text(number::USER_NAME).map(str::to_owned),
        session_id: packet.text(number::ACCT_SESSION_ID).map(str::to_owned),
        rate: nas::rate_text(packet),
        answer,
    });
}

/// Signed over the request's authenticator (RFC 5176 section 2.3); `None` for silence.
fn reply(request: &Packet<'_>, answer: Answer, secret: &str) -> Option<Vec<u8>> {
    let coa = request.code() == Code::COA_REQUEST;
    let (code, cause) = match answer {
        Answer::Ack if coa => (Code::COA_ACK, None),
        Answer::Ack => (Code::DISCONNECT_ACK, None),
        Answer::Nak(cause) if coa => (Code::COA_NAK, Some(cause)),
        Answer::Nak(cause) => (Code::DISCONNECT_NAK, Some(cause)),
        Answer::Dropped(_) => return None,
    };
    let mut attributes = Vec::new();
    if let Some(cause) = cause {
        attributes.extend_from_slice(&[number::ERROR_CAUSE, 6]);
        attributes.extend_from_slice(&cause.to_be_bytes());
    }
    for state in request.all(number::PROXY_STATE) {
        let length = u8::try_from(state.len() + 2).expect("an attribute");
        attributes.extend_from_slice(&[number::PROXY_STATE, length]);
        attributes.extend_from_slice(state);
    }
    let length = u16::try_from(HEADER_OCTETS + attributes.len()).expect("a small packet");
    let mut octets = vec![code.0, request.identifier()];
    octets.extend_from_slice(&length.to_be_bytes());
    let digest = Md5::new()
        .chain_update(&octets)
        .chain_update(request.authenticator())
        .chain_update(&attributes)
        .chain_update(secret)
        .finalize();
    octets.extend_from_slice(&digest);
    octets.extend_from_slice(&attributes);
    Some(octets)
}
