//! CHAP: a digest over identifier, password and challenge (RFC 1994; RFC 2865 s2.2, s5.3).

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use super::{AttemptError, Credential, Proof, Verdict};
use crate::radius::number;
use crate::radius::packet::Packet;

/// CHAP-Password and the challenge it answers.
pub(super) struct Answer<'a> {
    ident: u8,
    response: &'a [u8; 16],
    challenge: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The challenge is CHAP-Challenge, or the Request Authenticator where that is absent.
    pub fn read(value: &'a [u8], packet: &Packet<'a>) -> Result<Self, AttemptError> {
        let wrong = AttemptError::Size {
            attribute: "CHAP-Password",
            length: value.len(),
        };
        let (&[ident], response) = value.split_first_chunk::<1>().ok_or(wrong)?;
        let response = response.try_into().map_err(|_| wrong)?;
        let challenge = packet
            .first(number::CHAP_CHALLENGE)
            .unwrap_or(packet.authenticator());
        Ok(Answer {
            ident,
            response,
            challenge,
        })
    }

    pub fn verify(&self, credential: &Credential<'_>) -> Verdict {
        let Credential::Password(password) = credential else {
            return Verdict::CannotVerify;
        };
        if response(self.ident, password, self.challenge)
            .ct_eq(self.response)
            .into()
        {
            Verdict::Match(Proof::Plain)
        } else {
            Verdict::Mismatch { garbled: false }
        }
    }
}

/// `MD5(ident | password | challenge)`; EAP-MD5 uses the same with the EAP identifier.
pub(in crate::radius) fn response(ident: u8, password: &[u8], challenge: &[u8]) -> [u8; 16] {
    Md5::new()
        .chain_update([ident])
        .chain_update(password)
        .chain_update(challenge)
        .finalize()
        .into()
}
