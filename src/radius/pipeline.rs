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
        (Port::Auth | Port::Both, Code::ACCESS_REQUEST)
        | (Port::Acct | Port::Both, Code::ACCOUNTING_REQUEST)
        // Only to be declined.
        | (Port::Both, Code::COA_REQUEST | Code::DISCONNECT_REQUEST)
        | (_, Code::STATUS_SERVER) => {}
        _ => return Err(Refusal::UnexpectedCode(code.0)),
    }
    let packet = Packet::walk(octets).map_err(Refusal::Malformed)?;
    check_policy(peer, &packet)?;
    if authenticator::verify_message_authenticator(&peer.secret, &packet) == Some(false) {
        return Err(Refusal::WrongMessageAuthenticator);
    }
    let is_digest = !matches!(code, Code::ACCESS_REQUEST | Code::STATUS_SERVER);
    if is_digest && !authenticator::verify_request_authenticator(&peer.secret, &packet) {
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

#[cfg(test)]
mod tests {
    use super::super::attribute::AttributeBuffer;
    use super::super::authenticator::sign_access;
    use super::super::draft::Draft;
    use super::super::secret::SharedSecret;
    use super::*;

    const RA: [u8; 16] = [5; 16];

    /// Policy, limit_proxy_state, whether signed, attribute types, outcome.
    type Case = (MaPolicy, bool, bool, &'static [u8], Option<Refusal>);

    fn peer(message_authenticator: MaPolicy, limit_proxy_state: bool) -> NasPeer {
        NasPeer {
            nas: 1,
            secret: SharedSecret::new(b"s").unwrap(),
            message_authenticator,
            limit_proxy_state,
            send_message_authenticator: true,
        }
    }

    /// A signed or bare Access-Request with one octet in each of these attributes.
    fn request(protected: bool, kinds: &[u8]) -> Vec<u8> {
        let mut buffer = AttributeBuffer::new();
        for kind in kinds {
            buffer.push_octets(*kind, b"x").unwrap();
        }
        let mut octets = Vec::new();
        let draft = Draft {
            code: Code::ACCESS_REQUEST,
            identifier: 1,
            authenticator: &RA,
            message_authenticator: protected,
            attributes: buffer.octets(),
            proxy_states: &[],
        };
        draft.write(&mut octets).unwrap();
        if protected {
            sign_access(&SharedSecret::new(b"s").unwrap(), &mut octets, &RA);
        }
        octets
    }

    #[test]
    fn the_policy_table() {
        use MaPolicy::{Auto, No, Yes};
        use Refusal::{EapWithPassword, MissingMessageAuthenticator, ProxyStateUnprotected};
        const PLAIN: &[u8] = &[number::USER_NAME, number::USER_PASSWORD];
        const PROXIED: &[u8] = &[number::USER_NAME, number::PROXY_STATE];
        const EAP: &[u8] = &[number::USER_NAME, number::EAP_MESSAGE];
        let cases: [Case; 17] = [
            (No, true, false, PLAIN, None),
            (No, true, true, PLAIN, None),
            (Auto, true, false, PLAIN, None),
            (Auto, true, true, PLAIN, None),
            (Yes, true, false, PLAIN, Some(MissingMessageAuthenticator)),
            (Yes, true, true, PLAIN, None),
            (No, true, false, PROXIED, Some(ProxyStateUnprotected)),
            (No, true, true, PROXIED, None),
            (No, false, false, PROXIED, None),
            (Auto, true, false, PROXIED, Some(ProxyStateUnprotected)),
            (Yes, true, false, PROXIED, Some(MissingMessageAuthenticator)),
            (No, true, false, EAP, Some(MissingMessageAuthenticator)),
            (No, true, true, EAP, None),
            (
                No,
                true,
                true,
                &[number::EAP_MESSAGE, number::USER_PASSWORD],
                Some(EapWithPassword),
            ),
            (
                No,
                true,
                true,
                &[number::CHAP_PASSWORD, number::EAP_MESSAGE],
                Some(EapWithPassword),
            ),
            (
                No,
                true,
                true,
                &[number::EAP_MESSAGE, number::ARAP_PASSWORD],
                Some(EapWithPassword),
            ),
            (No, true, true, &[number::EAP_MESSAGE, number::STATE], None),
        ];
        for (policy, limit, protected, kinds, expected) in cases {
            let octets = request(protected, kinds);
            let refusal = check(Port::Auth, &peer(policy, limit), &octets).err();
            assert_eq!(
                refusal, expected,
                "{policy:?} limit {limit} protected {protected} {kinds:?}"
            );
        }
    }

    #[test]
    fn codes_belong_to_their_port() {
        let served: [(Port, &[u8]); 3] = [
            (Port::Auth, &[1, 12]),
            (Port::Acct, &[4, 12]),
            (Port::Both, &[1, 4, 12, 40, 43]),
        ];
        for (port, allowed) in served {
            for code in 0..=255 {
                let mut octets = request(false, &[number::USER_NAME]);
                octets[0] = code;
                let refusal = check(port, &peer(MaPolicy::No, true), &octets).err();
                let is_unexpected = refusal == Some(Refusal::UnexpectedCode(code));
                assert_eq!(is_unexpected, !allowed.contains(&code), "{port:?} {code}");
            }
        }
    }

    #[test]
    fn the_position_of_the_message_authenticator_does_not_matter() {
        let mut octets = request(true, &[number::USER_NAME]);
        octets[20..].rotate_left(18);
        assert_eq!(octets[20], number::USER_NAME);
        let refusal = check(Port::Auth, &peer(MaPolicy::Yes, true), &octets).err();
        assert_eq!(
            refusal,
            Some(Refusal::WrongMessageAuthenticator),
            "the digest covers the order"
        );
        let mut zeroed = octets.clone();
        zeroed[25..].fill(0);
        let mut hmac = SharedSecret::new(b"s").unwrap().keyed();
        hmac::Mac::update(&mut hmac, &zeroed);
        let digest: [u8; 16] = hmac::Mac::finalize(hmac).into_bytes().into();
        octets[25..].copy_from_slice(&digest);
        assert!(check(Port::Auth, &peer(MaPolicy::Yes, true), &octets).is_ok());
    }
}
