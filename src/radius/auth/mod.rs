//! Credentials of an Access-Request: which kind it carries, whether a stored credential answers it, and what the reply
//! must then carry.
//!
//! Whose credential it is, and whether that person may come in, is decided elsewhere. Invariant: an [`Attempt`] holds
//! exactly one kind of credential, of the right size (RFC 2865 s4.1, s5.44; radius.md sections 6 to 8 and 14).

pub(super) mod chap;
pub(super) mod mppe;
pub(super) mod mschap;
mod pap;

pub use mschap::{NameForm, RefusalCode, nt_hash};

use super::attribute::{AttributeBuffer, EncodeError};
use super::authenticator;
use super::handler::AccessRequest;
use super::number::{self, microsoft};
use super::packet::{Authenticator, Packet};
use super::secret::SharedSecret;

/// Why there is no attempt to check. The caller answers with an Access-Reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttemptError {
    #[error("no User-Name")]
    NoUserName,
    #[error("no credential")]
    NoCredential,
    #[error("more than one credential")]
    SeveralCredentials,
    #[error("{attribute} of {length} octets")]
    Size {
        attribute: &'static str,
        length: usize,
    },
    #[error("LAN Manager response only")]
    LanManagerOnly,
    /// EAP is refused; the identifier goes into the EAP-Failure.
    #[error("EAP is not offered")]
    Eap { identifier: Option<u8> },
}

/// What is stored about a subscriber's password.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// The password itself: answers every method.
    Password(&'a [u8]),
    /// MD4 of the UTF-16LE password: answers PAP and MS-CHAP, not CHAP.
    NtHash([u8; 16]),
}

/// The kinds of credential, for logs and counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Pap,
    Chap,
    MsChap,
    MsChap2,
}

/// Outcome of comparing an attempt with a credential.
pub enum Verdict {
    Match(Proof),
    /// `garbled`: a PAP password that is not text, which usually means that the NAS has another secret.
    Mismatch {
        garbled: bool,
    },
    /// The stored form cannot answer this method (NT hash for CHAP).
    CannotVerify,
}

/// What a match obliges the Access-Accept to carry.
pub enum Proof {
    Plain,
    MsChap {
        nt_hash_hash: [u8; 16],
    },
    MsChap2 {
        success: [u8; 43],
        master_key: [u8; 16],
        name_form: NameForm,
    },
}

/// One login as the NAS presented it.
pub struct Attempt<'a> {
    secret: &'a SharedSecret,
    request_authenticator: &'a Authenticator,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Pap(pap::Hidden<'a>),
    Chap(chap::Answer<'a>),
    MsChap(mschap::V1<'a>),
    MsChap2(mschap::V2<'a>),
}

impl<'a> Attempt<'a> {
    /// Errors: `AttemptError`; each is an Access-Reject, `Eap` with [`push_eap_failure`].
    pub fn from_request(request: &AccessRequest<'a>) -> Result<Self, AttemptError> {
        Self::read(request.packet, &request.peer.secret)
    }

    /// The same without a server, for tests and tools.
    pub fn read(packet: &Packet<'a>, secret: &'a SharedSecret) -> Result<Self, AttemptError> {
        if packet.first(number::USER_NAME).is_none() {
            return Err(AttemptError::NoUserName);
        }
        let found = Found::in_packet(packet);
        let kind = match found.only()? {
            Method::Pap => Kind::Pap(pap::Hidden::read(found.pap)?),
            Method::Chap => Kind::Chap(chap::Answer::read(found.chap, packet)?),
            Method::MsChap => Kind::MsChap(mschap::V1::read(found.mschap, packet)?),
            Method::MsChap2 => Kind::MsChap2(mschap::V2::read(found.mschap2, packet)?),
        };
        Ok(Attempt {
            secret,
            request_authenticator: packet.authenticator(),
            kind,
        })
    }

    pub fn method(&self) -> Method {
        match self.kind {
            Kind::Pap(_) => Method::Pap,
            Kind::Chap(_) => Method::Chap,
            Kind::MsChap(_) => Method::MsChap,
            Kind::MsChap2(_) => Method::MsChap2,
        }
    }

    /// `user_name` is the User-Name as sent; only MS-CHAP v2 hashes it.
    pub fn verify(&self, credential: &Credential<'_>, user_name: &[u8]) -> Verdict {
        match &self.kind {
            Kind::Pap(hidden) => hidden.verify(self.secret, self.request_authenticator, credential),
            Kind::Chap(answer) => answer.verify(credential),
            Kind::MsChap(answer) => answer.verify(credential),
            Kind::MsChap2(answer) => answer.verify(credential, user_name),
        }
    }

    /// For an Access-Reject: MS-CHAP-Error with a fresh challenge, nothing for PAP and CHAP.
    /// `message` is short ASCII, shown by some clients. Errors: `EncodeError`.
    pub fn push_refusal(
        &self,
        reply: &mut AttributeBuffer,
        code: RefusalCode,
        message: &str,
    ) -> Result<(), EncodeError> {
        let (ident, v2) = match &self.kind {
            Kind::Pap(_) | Kind::Chap(_) => return Ok(()),
            Kind::MsChap(answer) => (answer.ident, false),
            Kind::MsChap2(answer) => (answer.ident, true),
        };
        let challenge = authenticator::random::<16>()?;
        mschap::push_error(reply, ident, v2, code, &challenge, message)
    }
}

impl Proof {
    /// What every Access-Accept must carry: MS-CHAP2-Success, or the client drops the link (RFC 2759 s5).
    pub fn push_success(&self, reply: &mut AttributeBuffer) -> Result<(), EncodeError> {
        match self {
            Proof::Plain | Proof::MsChap { .. } => Ok(()),
            Proof::MsChap2 { success, .. } => {
                reply.push_vendor(microsoft::VENDOR, microsoft::CHAP2_SUCCESS, success)
            }
        }
    }

    /// Keys for a link that encrypts itself, with policy "allowed" or "required". Nothing for PAP and CHAP, which
    /// have no keys. Not for plain PPPoE: RouterOS takes them as an order to encrypt (radius.md section 8).
    pub fn push_mppe(
        &self,
        reply: &mut AttributeBuffer,
        request: &AccessRequest<'_>,
        required: bool,
    ) -> Result<(), EncodeError> {
        let salts = authenticator::random::<4>()?;
        mppe::push_keys(
            self,
            reply,
            &request.peer.secret,
            request.packet.authenticator(),
            salts,
            required,
        )
    }

    /// Which spelling of the name the client had hashed, for MS-CHAP v2.
    pub fn name_form(&self) -> Option<NameForm> {
        match self {
            Proof::MsChap2 { name_form, .. } => Some(*name_form),
            Proof::Plain | Proof::MsChap { .. } => None,
        }
    }
}

/// Answers any EAP-Message with EAP-Failure for the same identifier (RFC 3748 s4.2). Without one: nothing.
pub fn push_eap_failure(
    error: &AttemptError,
    reply: &mut AttributeBuffer,
) -> Result<(), EncodeError> {
    match error {
        AttemptError::Eap {
            identifier: Some(identifier),
        } => reply.push_eap_message(&[4, *identifier, 0, 4]),
        _ => Ok(()),
    }
}

/// The credentials of a packet, counted in one pass.
#[derive(Default)]
struct Found<'a> {
    pap: &'a [u8],
    chap: &'a [u8],
    mschap: &'a [u8],
    mschap2: &'a [u8],
    eap: &'a [u8],
    methods: [usize; 5],
}

impl<'a> Found<'a> {
    fn in_packet(packet: &Packet<'a>) -> Self {
        let mut found = Found::default();
        for (kind, value) in packet.attributes() {
            let [pap, chap, _, _, eap] = &mut found.methods;
            match kind {
                number::USER_PASSWORD => {
                    found.pap = value;
                    *pap += 1;
                }
                number::CHAP_PASSWORD => {
                    found.chap = value;
                    *chap += 1;
                }
                number::EAP_MESSAGE if *eap == 0 => {
                    found.eap = value;
                    *eap = 1;
                }
                _ => {}
            }
        }
        for part in packet
            .vendor_attributes()
            .filter(|part| part.vendor == microsoft::VENDOR)
        {
            let [_, _, mschap, mschap2, _] = &mut found.methods;
            if part.kind == u32::from(microsoft::CHAP_RESPONSE) {
                found.mschap = part.value;
                *mschap += 1;
            } else if part.kind == u32::from(microsoft::CHAP2_RESPONSE) {
                found.mschap2 = part.value;
                *mschap2 += 1;
            }
        }
        found
    }

    fn only(&self) -> Result<Method, AttemptError> {
        match self.methods {
            [0, 0, 0, 0, 0] => Err(AttemptError::NoCredential),
            [1, 0, 0, 0, 0] => Ok(Method::Pap),
            [0, 1, 0, 0, 0] => Ok(Method::Chap),
            [0, 0, 1, 0, 0] => Ok(Method::MsChap),
            [0, 0, 0, 1, 0] => Ok(Method::MsChap2),
            [0, 0, 0, 0, 1] => Err(AttemptError::Eap {
                identifier: self.eap.get(1).copied(),
            }),
            _ => Err(AttemptError::SeveralCredentials),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::draft::Draft;
    use super::super::packet::Code;
    use super::*;

    /// Vendor, type, octets of value.
    type Part = (u32, u8, usize);
    type Read = Result<Method, AttemptError>;

    fn read(parts: &[Part]) -> Read {
        let mut buffer = AttributeBuffer::new();
        for (vendor, kind, length) in parts {
            let value = vec![1; *length];
            if *vendor == 0 {
                buffer.push_raw(*kind, &value).unwrap();
            } else {
                buffer.push_vendor(*vendor, *kind, &value).unwrap();
            }
        }
        let mut octets = Vec::new();
        let draft = Draft {
            code: Code::ACCESS_REQUEST,
            identifier: 1,
            authenticator: &[0; 16],
            message_authenticator: false,
            attributes: buffer.octets(),
            proxy_states: &[],
        };
        draft.write(&mut octets).unwrap();
        let secret = SharedSecret::new(b"s").unwrap();
        Attempt::read(&Packet::parse(&octets).unwrap(), &secret).map(|attempt| attempt.method())
    }

    #[test]
    fn exactly_one_credential_of_the_right_size() {
        const NAME: Part = (0, number::USER_NAME, 4);
        const PAP: Part = (0, number::USER_PASSWORD, 16);
        const CHAP: Part = (0, number::CHAP_PASSWORD, 17);
        const V1: Part = (microsoft::VENDOR, microsoft::CHAP_RESPONSE, 50);
        const V2: Part = (microsoft::VENDOR, microsoft::CHAP2_RESPONSE, 50);
        const EAP: Part = (0, number::EAP_MESSAGE, 5);
        const C8: Part = (microsoft::VENDOR, microsoft::CHAP_CHALLENGE, 8);
        const C16: Part = (microsoft::VENDOR, microsoft::CHAP_CHALLENGE, 16);
        let size = |attribute, length| Err(AttemptError::Size { attribute, length });
        let several = Err(AttemptError::SeveralCredentials);
        let cases: [(&[Part], Read); 21] = [
            (&[NAME, PAP], Ok(Method::Pap)),
            (&[NAME, CHAP], Ok(Method::Chap)),
            (&[NAME, V1, C8], Ok(Method::MsChap)),
            (&[NAME, C16, V2], Ok(Method::MsChap2)),
            (
                &[NAME, EAP, EAP],
                Err(AttemptError::Eap {
                    identifier: Some(1),
                }),
            ),
            (
                &[NAME, (0, number::EAP_MESSAGE, 1)],
                Err(AttemptError::Eap { identifier: None }),
            ),
            (&[PAP], Err(AttemptError::NoUserName)),
            (
                &[(0, number::USER_NAME, 0), PAP],
                Err(AttemptError::NoUserName),
            ),
            (&[NAME], Err(AttemptError::NoCredential)),
            (
                &[NAME, (0, number::STATE, 4)],
                Err(AttemptError::NoCredential),
            ),
            (&[NAME, PAP, PAP], several),
            (&[NAME, PAP, CHAP], several),
            (&[NAME, V1, V2, C16], several),
            (&[NAME, PAP, EAP], several),
            (
                &[NAME, (0, number::USER_PASSWORD, 17)],
                size("User-Password", 17),
            ),
            (
                &[NAME, (0, number::USER_PASSWORD, 0)],
                size("User-Password", 0),
            ),
            (
                &[NAME, (0, number::CHAP_PASSWORD, 16)],
                size("CHAP-Password", 16),
            ),
            (
                &[NAME, (0, number::CHAP_PASSWORD, 18)],
                size("CHAP-Password", 18),
            ),
            (&[NAME, V1, C16], size("MS-CHAP-Challenge", 16)),
            (&[NAME, V2, C8], size("MS-CHAP-Challenge", 8)),
            (
                &[
                    NAME,
                    C16,
                    (microsoft::VENDOR, microsoft::CHAP2_RESPONSE, 49),
                ],
                size("MS-CHAP2-Response", 49),
            ),
        ];
        for (parts, expected) in cases {
            assert_eq!(read(parts), expected, "{parts:?}");
        }
    }
}
