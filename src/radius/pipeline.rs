//! Which packets are worth an answer: the checks between the socket and the duplicate cache, in their fixed order.
//!
//! Pure: octets and a NAS record in, a checked packet or a refusal out, and a refused packet has changed nothing
//! (radius.md sections 2 and 3).

use super::authenticator;
use super::handler::{AccountingRequest, MaPolicy, NasPeer, Port};
use super::number;
use super::packet::{self, Code, DecodeError, Packet};

/// Why a packet from a known NAS is dropped in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    #[error("malformed: {0}")]
    Malformed(DecodeError),
    #[error("code {0} is not served on this port")]
    UnexpectedCode(u8),
    #[error("no Message-Authenticator, which this NAS or this packet must have")]
    MissingMessageAuthenticator,
    #[error("Proxy-State without Message-Authenticator")]
    ProxyStateUnprotected,
    #[error("EAP-Message together with a password")]
    EapWithPassword,
    #[error("wrong Message-Authenticator")]
    WrongMessageAuthenticator,
    #[error("wrong accounting authenticator")]
    WrongAccountingAuthenticator,
    #[error("accounting attribute {kind} is missing or has the wrong size")]
    AccountingAttribute { kind: u8 },
}

/// Steps 2 to 6. `datagram` is what arrived, padding included.
/// Errors: the first `Refusal` in the order of the reference.
pub fn check<'a>(port: Port, peer: &NasPeer, datagram: &'a [u8]) -> Result<Packet<'a>, Refusal> {
    let octets = packet::frame(datagram).map_err(Refusal::Malformed)?;
    let code = Code(octets.first().copied().unwrap_or_default());
    match (port, code) {
        (Port::Auth, Code::ACCESS_REQUEST)
        | (Port::Acct, Code::ACCOUNTING_REQUEST)
        | (_, Code::STATUS_SERVER) => {}
        _ => return Err(Refusal::UnexpectedCode(code.0)),
    }
    let packet = Packet::walk(octets).map_err(Refusal::Malformed)?;
    check_policy(peer, &packet)?;
    if authenticator::verify_message_authenticator(&peer.secret, &packet) == Some(false) {
        return Err(Refusal::WrongMessageAuthenticator);
    }
    if code == Code::ACCOUNTING_REQUEST
        && !authenticator::verify_request_authenticator(&peer.secret, &packet)
    {
        return Err(Refusal::WrongAccountingAuthenticator);
    }
    Ok(packet)
}

/// Step 5: what may be missing, before any digest is computed.
fn check_policy(peer: &NasPeer, packet: &Packet<'_>) -> Result<(), Refusal> {
    let protected = packet.has_message_authenticator();
    match packet.code() {
        Code::STATUS_SERVER if !protected => return Err(Refusal::MissingMessageAuthenticator),
        Code::ACCESS_REQUEST => {}
        _ => return Ok(()),
    }
    if !protected {
        if peer.message_authenticator == MaPolicy::Yes || packet.holds_eap() {
            return Err(Refusal::MissingMessageAuthenticator);
        }
        if peer.limit_proxy_state && packet.holds_proxy_state() {
            return Err(Refusal::ProxyStateUnprotected);
        }
    }
    let passwords = [
        number::USER_PASSWORD,
        number::CHAP_PASSWORD,
        number::ARAP_PASSWORD,
    ];
    if packet.holds_eap()
        && packet
            .attributes()
            .any(|(kind, _)| passwords.contains(&kind))
    {
        return Err(Refusal::EapWithPassword);
    }
    Ok(())
}

/// Counters that bill, so that a wrong size drops the record instead of being ignored.
const BILLED: [u8; 5] = [
    number::ACCT_INPUT_OCTETS,
    number::ACCT_OUTPUT_OCTETS,
    number::ACCT_INPUT_GIGAWORDS,
    number::ACCT_OUTPUT_GIGAWORDS,
    number::ACCT_SESSION_TIME,
];

/// Step 8 for accounting: names its kind and session, and what bills is readable (RFC 2866 s5).
/// Errors: `AccountingAttribute` with the first bad one.
pub(super) fn check_accounting<'a>(
    packet: &'a Packet<'a>,
    peer: &'a NasPeer,
    source: std::net::SocketAddr,
) -> Result<AccountingRequest<'a>, Refusal> {
    let missing = |kind| Refusal::AccountingAttribute { kind };
    let status_type = packet
        .u32(number::ACCT_STATUS_TYPE)
        .ok_or(missing(number::ACCT_STATUS_TYPE))?;
    let session_id = packet
        .first(number::ACCT_SESSION_ID)
        .ok_or(missing(number::ACCT_SESSION_ID))?;
    if let Some((kind, _)) = packet
        .attributes()
        .find(|(kind, value)| value.len() != 4 && BILLED.contains(kind))
    {
        return Err(missing(kind));
    }
    Ok(AccountingRequest {
        packet,
        peer,
        source,
        status_type,
        session_id,
    })
}
