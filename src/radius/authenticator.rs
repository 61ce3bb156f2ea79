//! The digests that say who sent a packet: Request and Response Authenticator, Message-Authenticator, and the hiding
//! of attribute values under the secret.
//!
//! No policy: whether a digest must be there is `pipeline`. Comparisons run in constant time
//! (RFC 2865 s3, 2866 s3, 2868 s3.5, 3579 s3.2, 5176 s2.3; radius.md sections 1, 3, 4).

use hmac::Mac;
use md5::Digest;
use subtle::ConstantTimeEq;

use super::attribute::EncodeError;
use super::packet::{Authenticator, Code, HEADER_OCTETS, MESSAGE_AUTHENTICATOR_OCTETS, Packet};
use super::secret::SharedSecret;

const ZERO: Authenticator = [0; 16];
/// Our own Message-Authenticator is always the first attribute; this is where its value starts.
const OWN_VALUE_OFFSET: usize = HEADER_OCTETS + 2;
/// Longest hidden User-Password (RFC 2865 s5.2).
pub(super) const HIDDEN_PASSWORD_MAX_OCTETS: usize = 128;

/// `HMAC-MD5(S, packet)` with the Authenticator field replaced and the value at `offset` zeroed (RFC 3579 s3.2).
fn message_authenticator(
    secret: &SharedSecret,
    packet: &[u8],
    offset: usize,
    authenticator: &Authenticator,
) -> Authenticator {
    let mut hmac = secret.keyed();
    hmac.update(packet.get(..4).unwrap_or_default());
    hmac.update(authenticator);
    hmac.update(packet.get(HEADER_OCTETS..offset).unwrap_or_default());
    hmac.update(&ZERO);
    hmac.update(packet.get(offset + 16..).unwrap_or_default());
    hmac.finalize().into_bytes().into()
}

/// `MD5(Code | Id | Length | authenticator | Attributes | S)` (RFC 2865 s3). With a zero authenticator it is the
/// Request Authenticator of accounting, CoA and Disconnect (RFC 2866 s3).
fn packet_digest(
    secret: &SharedSecret,
    packet: &[u8],
    authenticator: &Authenticator,
) -> Authenticator {
    md5::Md5::new()
        .chain_update(packet.get(..4).unwrap_or_default())
        .chain_update(authenticator)
        .chain_update(packet.get(HEADER_OCTETS..).unwrap_or_default())
        .chain_update(secret.octets())
        .finalize()
        .into()
}

/// Which authenticator a received packet's Message-Authenticator was computed over.
fn covered<'a>(packet: &Packet<'a>) -> &'a Authenticator {
    match packet.code() {
        Code::ACCOUNTING_REQUEST | Code::COA_REQUEST | Code::DISCONNECT_REQUEST => &ZERO,
        _ => packet.authenticator(),
    }
}

/// Whether the Message-Authenticator of a *request* is right; `None` when it has none.
pub fn verify_message_authenticator(secret: &SharedSecret, request: &Packet<'_>) -> Option<bool> {
    let found = request.message_authenticator()?;
    let expected = message_authenticator(secret, request.octets(), found.offset, covered(request));
    Some(expected.ct_eq(found.value).into())
}

/// Whether the Request Authenticator of an accounting, CoA or Disconnect request is right.
pub fn verify_request_authenticator(secret: &SharedSecret, request: &Packet<'_>) -> bool {
    packet_digest(secret, request.octets(), &ZERO)
        .ct_eq(request.authenticator())
        .into()
}

/// Whether a reply belongs to the request with `request_authenticator`: Response Authenticator, and
/// Message-Authenticator where there is one.
pub fn verify_reply(
    secret: &SharedSecret,
    reply: &Packet<'_>,
    request_authenticator: &Authenticator,
) -> bool {
    let digest = packet_digest(secret, reply.octets(), request_authenticator);
    if !bool::from(digest.ct_eq(reply.authenticator())) {
        return false;
    }
    reply.message_authenticator().is_none_or(|found| {
        let expected =
            message_authenticator(secret, reply.octets(), found.offset, request_authenticator);
        expected.ct_eq(found.value).into()
    })
}

/// Signs a reply in place: Message-Authenticator (if `own`, the first attribute) first, then Response Authenticator.
pub(super) fn sign_reply(
    secret: &SharedSecret,
    packet: &mut [u8],
    own: bool,
    request_authenticator: &Authenticator,
) {
    if own {
        put_message_authenticator(secret, packet, request_authenticator);
    }
    let digest = packet_digest(secret, packet, request_authenticator);
    put(packet, 4, &digest);
}

/// Signs an accounting, CoA or Disconnect request in place and returns its Request Authenticator.
pub(super) fn sign_request(secret: &SharedSecret, packet: &mut [u8], own: bool) -> Authenticator {
    if own {
        put_message_authenticator(secret, packet, &ZERO);
    }
    let digest = packet_digest(secret, packet, &ZERO);
    put(packet, 4, &digest);
    digest
}

/// Signs an Access-Request or Status-Server, whose authenticator is random and stays.
pub(super) fn sign_access(secret: &SharedSecret, packet: &mut [u8], authenticator: &Authenticator) {
    put_message_authenticator(secret, packet, authenticator);
}

fn put_message_authenticator(
    secret: &SharedSecret,
    packet: &mut [u8],
    authenticator: &Authenticator,
) {
    debug_assert!(packet.len() >= HEADER_OCTETS + MESSAGE_AUTHENTICATOR_OCTETS);
    let value = message_authenticator(secret, packet, OWN_VALUE_OFFSET, authenticator);
    put(packet, OWN_VALUE_OFFSET, &value);
}

fn put(packet: &mut [u8], offset: usize, value: &Authenticator) {
    if let Some(place) = packet.get_mut(offset..offset + 16) {
        place.copy_from_slice(value);
    }
}

/// Hides or unhides `value` in place, 16 octets at a time: each block is XORed with `MD5(S | previous cipher block)`,
/// the first with `MD5(S | seed)` (RFC 2865 s5.2, RFC 2868 s3.5). `value` must be a multiple of 16 octets.
fn hide_blocks(secret: &SharedSecret, seed: &[&[u8]], value: &mut [u8], unhide: bool) {
    let mut digest = secret.prefixed();
    for part in seed {
        digest.update(part);
    }
    let mut mask: [u8; 16] = digest.finalize().into();
    let mut blocks = value.chunks_exact_mut(16).peekable();
    while let Some(block) = blocks.next() {
        let mut cipher: [u8; 16] = [0; 16];
        if unhide {
            cipher.copy_from_slice(block);
        }
        for (octet, mask) in block.iter_mut().zip(mask) {
            *octet ^= mask;
        }
        if !unhide {
            cipher.copy_from_slice(block);
        }
        if blocks.peek().is_some() {
            mask = secret.prefixed().chain_update(cipher).finalize().into();
        }
    }
}

/// Hides a User-Password, padded with NUL to a multiple of 16 (an empty one to 16).
/// Errors: `TooLong` above 128 octets.
pub fn hide_password(
    secret: &SharedSecret,
    request_authenticator: &Authenticator,
    password: &[u8],
) -> Result<Vec<u8>, EncodeError> {
    let length = password.len();
    if length > HIDDEN_PASSWORD_MAX_OCTETS {
        return Err(EncodeError::TooLong {
            kind: super::number::USER_PASSWORD,
            length,
        });
    }
    let mut value = password.to_vec();
    value.resize(length.next_multiple_of(16).max(16), 0);
    hide_blocks(secret, &[request_authenticator], &mut value, false);
    Ok(value)
}

/// Hides a value that is already a whole number of blocks, such as MS-CHAP-MPPE-Keys (RFC 2548 s2.4.1).
pub(super) fn hide_in_place(
    secret: &SharedSecret,
    request_authenticator: &Authenticator,
    value: &mut [u8],
) {
    hide_blocks(secret, &[request_authenticator], value, false);
}

/// Reverses [`hide_password`] into `value`, which keeps its NUL padding.
pub(super) fn unhide_in_place(
    secret: &SharedSecret,
    request_authenticator: &Authenticator,
    value: &mut [u8],
) {
    hide_blocks(secret, &[request_authenticator], value, true);
}

/// Hides a key or Tunnel-Password under a salt: `Salt | hidden(length | data | padding)` (RFC 2868 s3.5).
/// `salt` must have its top bit set and be unique in the packet. Errors: `TooLong` above 239 octets.
pub fn hide_salted(
    secret: &SharedSecret,
    request_authenticator: &Authenticator,
    salt: [u8; 2],
    data: &[u8],
) -> Result<Vec<u8>, EncodeError> {
    // 239 is what fits a tagged Tunnel-Password: 253 less tag and salt, cut to blocks of 16, less the length octet.
    const DATA_MAX_OCTETS: usize = 239;
    let too_long = EncodeError::TooLong {
        kind: super::number::TUNNEL_PASSWORD,
        length: data.len(),
    };
    let length = u8::try_from(data.len()).map_err(|_| too_long)?;
    if data.len() > DATA_MAX_OCTETS {
        return Err(too_long);
    }
    let mut hidden = Vec::with_capacity((data.len() + 1).next_multiple_of(16));
    hidden.push(length);
    hidden.extend_from_slice(data);
    hidden.resize((data.len() + 1).next_multiple_of(16), 0);
    hide_blocks(secret, &[request_authenticator, &salt], &mut hidden, false);
    let mut value = salt.to_vec();
    value.append(&mut hidden);
    Ok(value)
}

/// Reverses [`hide_salted`]; `None` when the value is not of that shape (with a wrong secret it may still look right).
pub fn unhide_salted(
    secret: &SharedSecret,
    request_authenticator: &Authenticator,
    value: &[u8],
) -> Option<Vec<u8>> {
    let (salt, hidden) = value.split_first_chunk::<2>()?;
    if hidden.is_empty() || !hidden.len().is_multiple_of(16) {
        return None;
    }
    let mut plain = hidden.to_vec();
    hide_blocks(secret, &[request_authenticator, salt], &mut plain, true);
    let (length, data) = plain.split_first()?;
    Some(data.get(..usize::from(*length))?.to_vec())
}

/// Random octets of the operating system. Errors: `Random`.
pub(super) fn random<const N: usize>() -> Result<[u8; N], EncodeError> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|_| EncodeError::Random)?;
    Ok(octets)
}
