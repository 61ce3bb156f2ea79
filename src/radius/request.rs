//! Requests this program sends itself, and the check that a reply answers one of them. Shared by the test client and
//! the CoA client; sockets and timers are theirs.

use std::fmt;

use subtle::ConstantTimeEq;

use super::attribute::{AttributeBuffer, EncodeError};
use super::auth::{Method, chap, mschap, nt_hash};
use super::authenticator;
use super::draft::Draft;
use super::number::{self, microsoft};
use super::packet::{Authenticator, Code, DecodeError, Packet};
use super::secret::SharedSecret;

/// Why a datagram is not the reply to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    #[error("identifier {got} of another request")]
    Identifier { got: u8 },
    #[error("{0} does not answer this request")]
    UnexpectedCode(Code),
    #[error("wrong Response Authenticator or Message-Authenticator: another secret?")]
    WrongAuthenticator,
    #[error("MS-CHAP2-Success is missing or wrong")]
    WrongServerProof,
}

/// Who logs in, for [`Request::access`].
#[derive(Clone, Copy)]
pub struct Login<'a> {
    pub user_name: &'a str,
    pub password: &'a str,
    pub method: Method,
}

/// A signed packet and what its reply is checked against.
pub struct Request {
    octets: Vec<u8>,
    code: Code,
    identifier: u8,
    authenticator: Authenticator,
    secret: SharedSecret,
    /// What MS-CHAP2-Success must say.
    server_proof: Option<[u8; 43]>,
}

impl Request {
    /// An Access-Request with Message-Authenticator first, User-Name and credential, then `extra`.
    pub fn access(
        secret: &SharedSecret,
        identifier: u8,
        login: &Login<'_>,
        extra: &AttributeBuffer,
    ) -> Result<Self, EncodeError> {
        let authenticator = authenticator::random()?;
        let mut attributes = AttributeBuffer::new();
        attributes.push_text(number::USER_NAME, login.user_name)?;
        let server_proof = push_credential(&mut attributes, secret, &authenticator, login)?;
        for (kind, value) in extra.iter() {
            attributes.push_raw(kind, value)?;
        }
        let mut request = Self::draft(
            Code::ACCESS_REQUEST,
            secret,
            identifier,
            authenticator,
            true,
            attributes.octets(),
        )?;
        request.server_proof = server_proof;
        authenticator::sign_access(secret, &mut request.octets, &authenticator);
        Ok(request)
    }

    /// A Status-Server (RFC 5997).
    pub fn status(secret: &SharedSecret, identifier: u8) -> Result<Self, EncodeError> {
        let authenticator = authenticator::random()?;
        let mut request = Self::draft(
            Code::STATUS_SERVER,
            secret,
            identifier,
            authenticator,
            true,
            &[],
        )?;
        authenticator::sign_access(secret, &mut request.octets, &authenticator);
        Ok(request)
    }

    /// An Accounting-Request of exactly these attributes.
    pub fn accounting(
        secret: &SharedSecret,
        identifier: u8,
        attributes: &AttributeBuffer,
    ) -> Result<Self, EncodeError> {
        Self::digest_signed(
            Code::ACCOUNTING_REQUEST,
            secret,
            identifier,
            attributes,
            false,
        )
    }

    /// Accounting, CoA and Disconnect, whose authenticator is a digest of the packet (RFC 2866 s3, 5176 s2.3).
    pub(super) fn digest_signed(
        code: Code,
        secret: &SharedSecret,
        identifier: u8,
        attributes: &AttributeBuffer,
        message_authenticator: bool,
    ) -> Result<Self, EncodeError> {
        let zero = [0; 16];
        let mut request = Self::draft(
            code,
            secret,
            identifier,
            zero,
            message_authenticator,
            attributes.octets(),
        )?;
        request.authenticator =
            authenticator::sign_request(secret, &mut request.octets, message_authenticator);
        Ok(request)
    }

    fn draft(
        code: Code,
        secret: &SharedSecret,
        identifier: u8,
        authenticator: Authenticator,
        message_authenticator: bool,
        attributes: &[u8],
    ) -> Result<Self, EncodeError> {
        let mut octets = Vec::new();
        let draft = Draft {
            code,
            identifier,
            authenticator: &authenticator,
            message_authenticator,
            attributes,
            proxy_states: &[],
        };
        draft.write(&mut octets)?;
        Ok(Request {
            octets,
            code,
            identifier,
            authenticator,
            secret: secret.clone(),
            server_proof: None,
        })
    }

    /// The packet as it goes on the wire; the same for every try.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    pub fn identifier(&self) -> u8 {
        self.identifier
    }

    /// Checks that a datagram answers this request: shape, identifier, code, authenticators, and for MS-CHAP v2 that
    /// the server knows the password as well. Errors: the first `ReplyError`.
    pub fn verify<'a>(&self, datagram: &'a [u8]) -> Result<Packet<'a>, ReplyError> {
        let reply = Packet::parse(datagram)?;
        if reply.identifier() != self.identifier {
            return Err(ReplyError::Identifier {
                got: reply.identifier(),
            });
        }
        if !answers(reply.code(), self.code) {
            return Err(ReplyError::UnexpectedCode(reply.code()));
        }
        if !authenticator::verify_reply(&self.secret, &reply, &self.authenticator) {
            return Err(ReplyError::WrongAuthenticator);
        }
        if let Some(proof) = &self.server_proof
            && reply.code() == Code::ACCESS_ACCEPT
        {
            let success = reply
                .vendor(microsoft::VENDOR, microsoft::CHAP2_SUCCESS)
                .unwrap_or_default();
            if !bool::from(success.ct_eq(proof.as_slice())) {
                return Err(ReplyError::WrongServerProof);
            }
        }
        Ok(reply)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} id {} of {} octets",
            self.code,
            self.identifier,
            self.octets.len()
        )
    }
}

fn answers(reply: Code, request: Code) -> bool {
    match request {
        Code::ACCESS_REQUEST => {
            matches!(
                reply,
                Code::ACCESS_ACCEPT | Code::ACCESS_REJECT | Code::ACCESS_CHALLENGE
            )
        }
        Code::ACCOUNTING_REQUEST => reply == Code::ACCOUNTING_RESPONSE,
        Code::STATUS_SERVER => matches!(reply, Code::ACCESS_ACCEPT | Code::ACCOUNTING_RESPONSE),
        Code::DISCONNECT_REQUEST => matches!(reply, Code::DISCONNECT_ACK | Code::DISCONNECT_NAK),
        Code::COA_REQUEST => matches!(reply, Code::COA_ACK | Code::COA_NAK),
        _ => false,
    }
}

/// Writes the credential; for MS-CHAP v2 returns what the server's success must be.
fn push_credential(
    attributes: &mut AttributeBuffer,
    secret: &SharedSecret,
    authenticator: &Authenticator,
    login: &Login<'_>,
) -> Result<Option<[u8; 43]>, EncodeError> {
    let password = login.password.as_bytes();
    match login.method {
        Method::Pap => {
            let hidden = authenticator::hide_password(secret, authenticator, password)?;
            attributes.push_octets(number::USER_PASSWORD, &hidden)?;
        }
        Method::Chap => {
            let challenge = authenticator::random::<16>()?;
            let [ident] = authenticator::random::<1>()?;
            let mut value = vec![ident];
            value.extend_from_slice(&chap::response(ident, password, &challenge));
            attributes.push_octets(number::CHAP_PASSWORD, &value)?;
            attributes.push_octets(number::CHAP_CHALLENGE, &challenge)?;
        }
        Method::MsChap => {
            let challenge = authenticator::random::<8>()?;
            let [ident] = authenticator::random::<1>()?;
            // Flags 1 says that the NT response counts; the LM response before it stays zero.
            let mut value = vec![ident, 1];
            value.extend_from_slice(&[0; 24]);
            value.extend_from_slice(&mschap::challenge_response(&challenge, &nt_hash(password)));
            attributes.push_vendor(microsoft::VENDOR, microsoft::CHAP_CHALLENGE, &challenge)?;
            attributes.push_vendor(microsoft::VENDOR, microsoft::CHAP_RESPONSE, &value)?;
        }
        Method::MsChap2 => {
            let challenge = authenticator::random::<16>()?;
            let peer_challenge = authenticator::random::<16>()?;
            let [ident] = authenticator::random::<1>()?;
            let hash = nt_hash(password);
            let hashed_name = mschap::without_domain(login.user_name.as_bytes());
            let mixed = mschap::v2_challenge(&peer_challenge, &challenge, hashed_name);
            let response = mschap::challenge_response(&mixed, &hash);
            let mut value = vec![ident, 0];
            value.extend_from_slice(&peer_challenge);
            value.extend_from_slice(&[0; 8]);
            value.extend_from_slice(&response);
            attributes.push_vendor(microsoft::VENDOR, microsoft::CHAP_CHALLENGE, &challenge)?;
            attributes.push_vendor(microsoft::VENDOR, microsoft::CHAP2_RESPONSE, &value)?;
            let success = mschap::success_text(&mschap::hash_of_hash(&hash), &response, &mixed);
            return Ok(Some(mschap::success_value(ident, &success)));
        }
    }
    Ok(None)
}
