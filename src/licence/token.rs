//! What the vendor signs: the licence itself, and its answers to our questions.
//!
//! Both are minicbor under an Ed25519 signature, so that they hold without asking anybody. Invariant: an answer holds for one
//! question only, because it repeats the nonce of the question.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use super::hardware::Hardware;
use super::signature::{Purpose, SignatureError, SigningKey, VendorKey};

/// Random octets of a question.
pub const NONCE_OCTETS: usize = 16;
pub type Nonce = [u8; NONCE_OCTETS];

/// A licence for one machine. Never renumber; new fields are optional.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Licence {
    /// The vendor's number of it, the same after a renewal or a move.
    #[n(0)]
    pub id: u32,
    #[n(1)]
    pub customer: String,
    #[n(2)]
    pub hardware: Hardware,
    /// Subscribers in the store; none means any number.
    #[n(3)]
    pub most_subscribers: Option<u32>,
    /// Milliseconds since 1970, as all times here.
    #[n(4)]
    pub issued_at: i64,
    /// None means for ever.
    #[n(5)]
    pub expires_at: Option<i64>,
    /// Days that go on after the end, and without a word from the vendor.
    #[n(6)]
    pub grace_days: u16,
    /// Of the key that signed it ([`VendorKey::id`]).
    #[n(7)]
    pub key_id: String,
    #[n(8)]
    pub is_trial: bool,
}

/// What the vendor says of a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Verdict {
    /// The token that comes with it holds.
    #[n(0)]
    Good,
    /// Taken back.
    #[n(1)]
    Revoked,
    /// Bound to another machine, or to none after a move.
    #[n(2)]
    Elsewhere,
}

/// What the vendor says to one question.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
    /// That of the question.
    #[n(0)]
    pub nonce: ByteArray<NONCE_OCTETS>,
    /// The vendor's clock.
    #[n(1)]
    pub at: i64,
    #[n(2)]
    pub licence: u32,
    #[n(3)]
    pub verdict: Verdict,
    /// Why a licence was revoked, in the vendor's words.
    #[n(4)]
    pub reason: String,
    /// The licence as it is now, signed by itself; with `Good`.
    #[n(5)]
    pub token: Option<String>,
}

/// Why a licence or an answer is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("it was signed, but cannot be read; another version of this program may be needed")]
    Unreadable,
    #[error("it answers another question: somebody repeats an old answer")]
    Replayed,
    #[error("it is about another licence")]
    OtherLicence,
    #[error("the vendor says that all is well, but sends no licence")]
    NoLicence,
}

impl Licence {
    pub fn sign(&self, key: &SigningKey) -> String {
        key.sign(Purpose::Licence, &encode(self))
    }

    /// Reads a token, whoever holds it; nothing is asked. Errors: `Signature`, `Unreadable`.
    pub fn open(key: &VendorKey, token: &str) -> Result<Licence, TokenError> {
        decode(&key.open(Purpose::Licence, token)?)
    }
}

impl Answer {
    pub fn sign(&self, key: &SigningKey) -> String {
        key.sign(Purpose::Answer, &encode(self))
    }

    /// Reads the answer to the question with this nonce, and the licence in it, which `Good` alone has. The nonce alone says
    /// that the answer is new: a vendor whose clock was ahead once is believed again as soon as it is right.
    ///
    /// Errors: `Signature` and `Unreadable` for either text, `Replayed`, `OtherLicence` when token and answer are of two
    /// licences, `NoLicence`.
    pub fn open(
        key: &VendorKey,
        text: &str,
        nonce: &Nonce,
    ) -> Result<(Answer, Option<Licence>), TokenError> {
        let answer: Answer = decode(&key.open(Purpose::Answer, text)?)?;
        if *answer.nonce != *nonce {
            return Err(TokenError::Replayed);
        }
        let licence = match (answer.verdict, &answer.token) {
            (Verdict::Good, None) => return Err(TokenError::NoLicence),
            (Verdict::Good, Some(token)) => Some(Licence::open(key, token)?),
            (Verdict::Revoked | Verdict::Elsewhere, _) => None,
        };
        if licence
            .as_ref()
            .is_some_and(|licence| licence.id != answer.licence)
        {
            return Err(TokenError::OtherLicence);
        }
        Ok((answer, licence))
    }
}

/// Derived encoders refuse nothing.
fn encode(value: &impl Encode<()>) -> Vec<u8> {
    minicbor::to_vec(value).unwrap_or_default()
}

fn decode<T: for<'b> Decode<'b, ()>>(payload: &[u8]) -> Result<T, TokenError> {
    minicbor::decode(payload).map_err(|_| TokenError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Key;
    use crate::licence::testing::{licence, signing_key};

    const NONCE: Nonce = [7; NONCE_OCTETS];
    const AT: i64 = 1_780_000_000_000;

    fn answer(verdict: Verdict, token: Option<String>) -> Answer {
        Answer {
            nonce: NONCE.into(),
            at: AT,
            licence: 5,
            verdict,
            reason: String::new(),
            token,
        }
    }

    #[test]
    fn a_licence_holds_under_its_key_only() {
        let token = licence().sign(&signing_key());
        assert_eq!(
            Licence::open(&signing_key().public(), &token),
            Ok(licence())
        );
        let other = SigningKey::from_seed(&Key::from_bytes([8; 32])).unwrap();
        assert_eq!(
            Licence::open(&other.public(), &token),
            Err(TokenError::Signature(SignatureError::Wrong))
        );
        let odd = signing_key().sign(Purpose::Licence, b"odd");
        assert_eq!(
            Licence::open(&signing_key().public(), &odd),
            Err(TokenError::Unreadable)
        );
    }

    #[test]
    fn an_answer_is_of_its_question() {
        let key = signing_key();
        let token = licence().sign(&key);
        let text = answer(Verdict::Good, Some(token.clone())).sign(&key);
        let open = |text: &str, nonce: &Nonce| {
            Answer::open(&key.public(), text, nonce).map(|opened| opened.1)
        };
        assert_eq!(open(&text, &NONCE), Ok(Some(licence())));
        assert_eq!(open(&text, &[8; NONCE_OCTETS]), Err(TokenError::Replayed));
        assert_eq!(
            open(&token, &NONCE),
            Err(TokenError::Signature(SignatureError::Wrong)),
            "a licence is no answer"
        );
        let empty = answer(Verdict::Good, None).sign(&key);
        assert_eq!(open(&empty, &NONCE), Err(TokenError::NoLicence));
        let of_another = Answer {
            licence: 6,
            ..answer(Verdict::Good, Some(token.clone()))
        };
        assert_eq!(
            open(&of_another.sign(&key), &NONCE),
            Err(TokenError::OtherLicence)
        );
        let forged = format!("{}x", token);
        let with_forged = answer(Verdict::Good, Some(forged)).sign(&key);
        assert!(matches!(
            open(&with_forged, &NONCE),
            Err(TokenError::Signature(_))
        ));
        for verdict in [Verdict::Revoked, Verdict::Elsewhere] {
            let text = answer(verdict, Some(token.clone())).sign(&key);
            assert_eq!(open(&text, &NONCE), Ok(None));
        }
    }
}
