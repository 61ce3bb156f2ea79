//! Keys for links that encrypt themselves (RFC 3079; RFC 2548 s2.4). Start keys only: the NAS derives session keys.

use sha1::{Digest, Sha1};

use super::Proof;
use crate::radius::attribute::{AttributeBuffer, EncodeError};
use crate::radius::authenticator::{hide_in_place, hide_salted};
use crate::radius::number::microsoft;
use crate::radius::packet::Authenticator;
use crate::radius::secret::SharedSecret;

/// Both 40 and 128 bits are offered.
const ENCRYPTION_TYPES: u32 = 6;

/// Which direction, from the server's view.
#[derive(Clone, Copy)]
pub(in crate::radius) enum Direction {
    Send,
    Receive,
}

/// `SHA1(NT hash hash | NT response | "This is the MPPE Master Key")[0..16]` (RFC 3079 s3.4).
pub(in crate::radius) fn master_key(nt_hash_hash: &[u8; 16], nt_response: &[u8; 24]) -> [u8; 16] {
    let digest = Sha1::new()
        .chain_update(nt_hash_hash)
        .chain_update(nt_response)
        .chain_update(b"This is the MPPE Master Key")
        .finalize();
    first_16(digest.into())
}

/// The 128-bit start key of one direction (RFC 3079 s3.4); shorter ones are its beginning.
pub(in crate::radius) fn start_key(master_key: &[u8; 16], direction: Direction) -> [u8; 16] {
    let magic: &[u8] = match direction {
        Direction::Send => {
            b"On the client side, this is the receive key; on the server side, it is the send key."
        }
        Direction::Receive => {
            b"On the client side, this is the send key; on the server side, it is the receive key."
        }
    };
    let digest = Sha1::new()
        .chain_update(master_key)
        .chain_update([0; 40])
        .chain_update(magic)
        .chain_update([0xF2; 40])
        .finalize();
    first_16(digest.into())
}

fn first_16(digest: [u8; 20]) -> [u8; 16] {
    let [key @ .., _, _, _, _] = digest;
    key
}

/// Plain MS-CHAP-MPPE-Keys: LM-Key left zero, then the hash of the NT hash where RFC 2548 says the hash itself; that
/// is what NAS expect (radius.md section 8).
pub(in crate::radius) fn v1_keys(nt_hash_hash: &[u8; 16]) -> [u8; 32] {
    let mut keys = [0; 32];
    for (place, octet) in keys.iter_mut().skip(8).zip(nt_hash_hash) {
        *place = *octet;
    }
    keys
}

/// Writes keys, policy and types. `salts` is random; top bits and difference are forced here (RFC 2868 s3.5).
pub(in crate::radius) fn push_keys(
    proof: &Proof,
    reply: &mut AttributeBuffer,
    secret: &SharedSecret,
    request_authenticator: &Authenticator,
    salts: [u8; 4],
    required: bool,
) -> Result<(), EncodeError> {
    let policy = if required { 2 } else { 1 };
    match proof {
        Proof::Plain => Ok(()),
        Proof::MsChap { nt_hash_hash } => {
            let mut keys = v1_keys(nt_hash_hash);
            hide_in_place(secret, request_authenticator, &mut keys);
            reply.push_vendor(microsoft::VENDOR, microsoft::CHAP_MPPE_KEYS, &keys)?;
            push_policy(reply, policy)
        }
        Proof::MsChap2 { master_key, .. } => {
            let [high, low, other_high, other_low] = salts;
            let send_salt = [high | 0x80, low];
            let mut receive_salt = [other_high | 0x80, other_low];
            if send_salt == receive_salt {
                receive_salt = [other_high | 0x80, other_low ^ 1];
            }
            push_policy(reply, policy)?;
            for (kind, direction, salt) in [
                (microsoft::MPPE_SEND_KEY, Direction::Send, send_salt),
                (microsoft::MPPE_RECV_KEY, Direction::Receive, receive_salt),
            ] {
                let key = start_key(master_key, direction);
                let hidden = hide_salted(secret, request_authenticator, salt, &key)?;
                reply.push_vendor(microsoft::VENDOR, kind, &hidden)?;
            }
            Ok(())
        }
    }
}

fn push_policy(reply: &mut AttributeBuffer, policy: u32) -> Result<(), EncodeError> {
    reply.push_vendor_u32(microsoft::VENDOR, microsoft::MPPE_ENCRYPTION_POLICY, policy)?;
    reply.push_vendor_u32(
        microsoft::VENDOR,
        microsoft::MPPE_ENCRYPTION_TYPES,
        ENCRYPTION_TYPES,
    )
}
