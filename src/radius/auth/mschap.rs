//! MS-CHAP v1 and v2 (RFC 2433, RFC 2759, RFC 2548).
//!
//! Password change is not offered, and LAN Manager responses are refused: they break in seconds.

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use md4::Md4;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use super::{AttemptError, Credential, Proof, Verdict, mppe};
use crate::radius::attribute::{AttributeBuffer, EncodeError};
use crate::radius::number::microsoft;
use crate::radius::packet::Packet;

/// Which spelling of the user name the client put into the v2 hash. Worth a log line when it is not the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameForm {
    /// Without `DOMAIN\`, as RFC 2759 says.
    WithoutDomain,
    /// Exactly the User-Name.
    Whole,
    /// Without `@realm`.
    WithoutRealm,
}

/// The reasons MS-CHAP-Error can give (RFC 2759 s6). Unknown users get `AuthenticationFailed` as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCode {
    RestrictedHours,
    AccountDisabled,
    PasswordExpired,
    NoDialInPermission,
    AuthenticationFailed,
}

impl RefusalCode {
    pub fn number(self) -> u16 {
        match self {
            RefusalCode::RestrictedHours => 646,
            RefusalCode::AccountDisabled => 647,
            RefusalCode::PasswordExpired => 648,
            RefusalCode::NoDialInPermission => 649,
            RefusalCode::AuthenticationFailed => 691,
        }
    }
}

/// MS-CHAP-Response with its challenge.
pub(super) struct V1<'a> {
    pub ident: u8,
    challenge: &'a [u8; 8],
    nt_response: &'a [u8; 24],
}

impl<'a> V1<'a> {
    /// Layout: ident, flags, LM response 24, NT response 24.
    pub fn read(value: &'a [u8], packet: &Packet<'a>) -> Result<Self, AttemptError> {
        let wrong = AttemptError::Size {
            attribute: "MS-CHAP-Response",
            length: value.len(),
        };
        let value: &[u8; 50] = value.try_into().map_err(|_| wrong)?;
        let [ident, flags, ..] = *value;
        let nt_response = value.last_chunk::<24>().ok_or(wrong)?;
        if flags != 1 {
            return Err(AttemptError::LanManagerOnly);
        }
        Ok(V1 {
            ident,
            challenge: challenge(packet)?,
            nt_response,
        })
    }

    pub fn verify(&self, credential: &Credential<'_>) -> Verdict {
        let hash = hash_of(credential);
        if challenge_response(self.challenge, &hash)
            .ct_eq(self.nt_response)
            .into()
        {
            Verdict::Match(Proof::MsChap {
                nt_hash_hash: hash_of_hash(&hash),
            })
        } else {
            Verdict::Mismatch { garbled: false }
        }
    }
}

/// MS-CHAP2-Response with its challenge.
pub(super) struct V2<'a> {
    pub ident: u8,
    challenge: &'a [u8; 16],
    peer_challenge: &'a [u8; 16],
    nt_response: &'a [u8; 24],
}

impl<'a> V2<'a> {
    /// Layout: ident, flags, peer challenge 16, reserved 8, NT response 24. In PPP itself the flags come last.
    pub fn read(value: &'a [u8], packet: &Packet<'a>) -> Result<Self, AttemptError> {
        let wrong = AttemptError::Size {
            attribute: "MS-CHAP2-Response",
            length: value.len(),
        };
        let value: &[u8; 50] = value.try_into().map_err(|_| wrong)?;
        let (&[ident, _flags], rest) = value.split_first_chunk::<2>().ok_or(wrong)?;
        let (peer_challenge, _) = rest.split_first_chunk::<16>().ok_or(wrong)?;
        let nt_response = value.last_chunk::<24>().ok_or(wrong)?;
        Ok(V2 {
            ident,
            challenge: challenge(packet)?,
            peer_challenge,
            nt_response,
        })
    }

    /// Tries the name without its domain, whole, and without its realm, since clients differ in what they hash.
    pub fn verify(&self, credential: &Credential<'_>, user_name: &[u8]) -> Verdict {
        let hash = hash_of(credential);
        let usual = without_domain(user_name);
        let mut forms = [(usual, NameForm::WithoutDomain); 3];
        let mut known = 1;
        for (name, form) in [
            (user_name, NameForm::Whole),
            (before_last(usual, b'@'), NameForm::WithoutRealm),
        ] {
            if let Some(place) = forms.get_mut(known)
                && name != usual
            {
                *place = (name, form);
                known += 1;
            }
        }
        for (name, name_form) in forms.into_iter().take(known) {
            let challenge = v2_challenge(self.peer_challenge, self.challenge, name);
            if challenge_response(&challenge, &hash)
                .ct_eq(self.nt_response)
                .into()
            {
                return Verdict::Match(self.proof(&hash, &challenge, name_form));
            }
        }
        Verdict::Mismatch { garbled: false }
    }

    fn proof(&self, hash: &[u8; 16], challenge: &[u8; 8], name_form: NameForm) -> Proof {
        let nt_hash_hash = hash_of_hash(hash);
        let text = success_text(&nt_hash_hash, self.nt_response, challenge);
        Proof::MsChap2 {
            success: success_value(self.ident, &text),
            master_key: mppe::master_key(&nt_hash_hash, self.nt_response),
            name_form,
        }
    }
}

/// MS-CHAP-Challenge of the length this version needs: 8 octets for v1, 16 for v2.
fn challenge<'a, const N: usize>(packet: &Packet<'a>) -> Result<&'a [u8; N], AttemptError> {
    let value = packet
        .vendor(microsoft::VENDOR, microsoft::CHAP_CHALLENGE)
        .unwrap_or_default();
    value.try_into().map_err(|_| AttemptError::Size {
        attribute: "MS-CHAP-Challenge",
        length: value.len(),
    })
}

/// `MD4(UTF-16LE(password))`. Octets that are not UTF-8 are taken as U+0000 to U+00FF, one each.
pub fn nt_hash(password: &[u8]) -> [u8; 16] {
    let mut digest = Md4::new();
    match std::str::from_utf8(password) {
        Ok(text) => text
            .encode_utf16()
            .for_each(|unit| digest.update(unit.to_le_bytes())),
        Err(_) => password.iter().for_each(|octet| digest.update([*octet, 0])),
    }
    digest.finalize().into()
}

fn hash_of(credential: &Credential<'_>) -> [u8; 16] {
    match credential {
        Credential::Password(password) => nt_hash(password),
        Credential::NtHash(hash) => *hash,
    }
}

pub(in crate::radius) fn hash_of_hash(hash: &[u8; 16]) -> [u8; 16] {
    Md4::digest(hash).into()
}

/// The hash, padded to 21 octets, keys three DES encryptions of the challenge (RFC 2433 A.5).
pub fn challenge_response(challenge: &[u8; 8], hash: &[u8; 16]) -> [u8; 24] {
    let mut keys = [0; 21];
    for (place, octet) in keys.iter_mut().zip(hash) {
        *place = *octet;
    }
    let mut response = [0; 24];
    for (key, block) in keys
        .as_chunks::<7>()
        .0
        .iter()
        .zip(response.as_chunks_mut::<8>().0)
    {
        *block = des_block(key, challenge);
    }
    response
}

/// One DES block under a key of seven octets.
pub(in crate::radius) fn des_block(key: &[u8; 7], block: &[u8; 8]) -> [u8; 8] {
    let cipher = Des::new(&parity_key(key).into());
    let mut block = (*block).into();
    cipher.encrypt_block(&mut block);
    block.into()
}

/// 56 bits spread over eight octets, each with an odd-parity bit at the bottom (RFC 2759 s8.6).
pub(in crate::radius) fn parity_key(key: &[u8; 7]) -> [u8; 8] {
    let bits = key
        .iter()
        .fold(0u64, |sum, octet| (sum << 8) | u64::from(*octet));
    let mut spread = [0; 8];
    for (place, shift) in spread.iter_mut().zip((0..8).rev().map(|index| index * 7)) {
        let [.., low] = ((bits >> shift) & 0x7F).to_be_bytes();
        let seven = low << 1;
        *place = seven | u8::from(seven.count_ones() % 2 == 0);
    }
    spread
}

/// `SHA1(peer challenge | authenticator challenge | user name)[0..8]` (RFC 2759 s8.2).
pub fn v2_challenge(peer_challenge: &[u8; 16], challenge: &[u8; 16], user_name: &[u8]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..]: [u8; 20] = Sha1::new()
        .chain_update(peer_challenge)
        .chain_update(challenge)
        .chain_update(user_name)
        .finalize()
        .into();
    [a, b, c, d, e, f, g, h]
}

/// `S=` and forty upper-case hex digits: the server's own proof (RFC 2759 s8.7).
pub fn success_text(
    nt_hash_hash: &[u8; 16],
    nt_response: &[u8; 24],
    challenge: &[u8; 8],
) -> [u8; 42] {
    let digest = Sha1::new()
        .chain_update(nt_hash_hash)
        .chain_update(nt_response)
        .chain_update(b"Magic server to client signing constant")
        .finalize();
    let digest: [u8; 20] = Sha1::new()
        .chain_update(digest)
        .chain_update(challenge)
        .chain_update(b"Pad to make it do more than one iteration")
        .finalize()
        .into();
    let mut text = [0; 42];
    let digits = digest
        .iter()
        .flat_map(|octet| [hex_digit(octet >> 4), hex_digit(octet & 0x0F)]);
    for (place, character) in text.iter_mut().zip(b"S=".iter().copied().chain(digits)) {
        *place = character;
    }
    text
}

/// Value of MS-CHAP2-Success: the identifier of the request, then the text (RFC 2548 s2.3.3).
pub(in crate::radius) fn success_value(ident: u8, text: &[u8; 42]) -> [u8; 43] {
    let mut value = [ident; 43];
    for (place, character) in value.iter_mut().skip(1).zip(text) {
        *place = *character;
    }
    value
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 {
        b'0' + value
    } else {
        b'A' + value - 10
    }
}

/// MS-CHAP-Error: `E=<code> R=0 C=<challenge> V=<version>`, for v2 with `M=<message>` (RFC 2433 s10, RFC 2759 s6).
/// R=0 always: no retry state is kept. v1 uses the first eight octets of the challenge.
pub(in crate::radius) fn push_error(
    reply: &mut AttributeBuffer,
    ident: u8,
    v2: bool,
    code: RefusalCode,
    challenge: &[u8; 16],
    message: &str,
) -> Result<(), EncodeError> {
    let digits = if v2 { 16 } else { 8 };
    let challenge: String = challenge
        .iter()
        .take(digits)
        .map(|octet| format!("{octet:02X}"))
        .collect();
    let code = code.number();
    let text = if v2 {
        format!("E={code} R=0 C={challenge} V=3 M={message}")
    } else {
        format!("E={code} R=0 C={challenge} V=2")
    };
    let mut value = vec![ident];
    value.extend_from_slice(text.as_bytes());
    reply.push_vendor(microsoft::VENDOR, microsoft::CHAP_ERROR, &value)
}

/// What RFC 2759 hashes: the name behind the last `\\`. A realm stays.
pub(in crate::radius) fn without_domain(name: &[u8]) -> &[u8] {
    name.rsplit(|octet| *octet == b'\\').next().unwrap_or(name)
}

fn before_last(name: &[u8], separator: u8) -> &[u8] {
    match name.iter().rposition(|octet| *octet == separator) {
        Some(at) => name.get(..at).unwrap_or(name),
        None => name,
    }
}
