//! What can go wrong between us and the API of a router, in words for whoever looks after it.

use std::io;

use super::tls::Fingerprint;
use crate::routers::RouterError;

/// A message of a router is cut to this many characters: it ends on a page.
const MESSAGE_MAX_CHARACTERS: usize = 300;

/// Why a request to a router gave no result. Never holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error("the router cannot be reached: {0}")]
    Unreachable(String),
    /// `what` ends the sentence "the router did not".
    #[error("the router did not {what} in time")]
    Timeout { what: &'static str },
    #[error("the router refused the login: {0}")]
    LoginRefused(String),
    #[error("the router shows another certificate: {found} instead of {expected}")]
    CertificateDiffers {
        expected: Fingerprint,
        found: Fingerprint,
    },
    /// The certificate is not from the own authority, or no TLS was agreed on.
    #[error("no TLS with the router: {0}")]
    Tls(String),
    /// The PEM text of the own authority cannot be used.
    #[error("the certificate of the authority cannot be used: {0}")]
    Authority(String),
    #[error("the router does not speak the API: {0}")]
    Protocol(#[from] RouterError),
    /// What came is a sentence, but no reply.
    #[error("the router does not speak the API: it begins a reply with {0:?}")]
    Reply(String),
    #[error("the router sends what nobody asked for")]
    Unasked,
    /// A trap, with the category of mikrotik.md b2: 0 missing item or command, 1 bad argument, 2 interrupted and so on.
    #[error("the router said: {message}")]
    Trap {
        message: String,
        category: Option<u8>,
    },
    #[error("the router ended the connection: {0}")]
    Fatal(String),
    #[error("the router sent more than {most} rows or too long ones")]
    TooMany { most: usize },
    #[error("the rows of the router were not read fast enough")]
    TooSlow,
    #[error("the router closed the connection")]
    Closed,
    #[error("too many requests to the router are waiting")]
    Busy,
    /// The task of the router was ended: its access changed, or the daemon stops.
    #[error("the connection to the router was given up")]
    Stopped,
    #[error("{field} is not what a router says: {text:?}")]
    Value { field: &'static str, text: String },
}

impl ApiError {
    /// What an input or output error of a connection that stood means.
    pub(super) fn lost(error: &io::Error) -> ApiError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => ApiError::Closed,
            kind => ApiError::Unreachable(kind.to_string()),
        }
    }

    /// The item to add is there (mikrotik.md b5): a success for whoever wants it there.
    pub fn is_duplicate(&self) -> bool {
        self.says("already have")
    }

    /// The item to change or remove is gone.
    pub fn is_missing(&self) -> bool {
        self.says("no such item")
    }

    /// The API user lacks a policy (mikrotik.md b7).
    pub fn is_forbidden(&self) -> bool {
        self.says("not enough permissions")
    }

    /// This version has no such menu or command.
    pub fn is_unknown_command(&self) -> bool {
        self.says("no such command")
    }

    /// Texts are the only way to tell these apart (mikrotik.md b2).
    fn says(&self, part: &str) -> bool {
        matches!(self, ApiError::Trap { message, .. } if message.contains(part))
    }
}

/// A router's message as text of bounded length.
pub(super) fn message(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MESSAGE_MAX_CHARACTERS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_traps_are_told_apart() {
        let kinds = |text: &str| {
            let error = ApiError::Trap {
                message: text.to_owned(),
                category: None,
            };
            [
                error.is_duplicate(),
                error.is_missing(),
                error.is_forbidden(),
                error.is_unknown_command(),
            ]
        };
        for (text, expected) in [
            (
                "failure: already have such entry",
                [true, false, false, false],
            ),
            ("no such item (4)", [false, true, false, false]),
            ("not enough permissions (9)", [false, false, true, false]),
            ("no such command prefix", [false, false, false, true]),
            ("failure: something else", [false; 4]),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
        assert!(!ApiError::Fatal("no such item".to_owned()).is_missing());
    }

    #[test]
    fn messages_are_short_and_one_line() {
        assert_eq!(message(b"a\nb\xFF"), "a b\u{FFFD}");
        let long = "é".repeat(MESSAGE_MAX_CHARACTERS + 1);
        assert_eq!(
            message(long.as_bytes()).chars().count(),
            MESSAGE_MAX_CHARACTERS
        );
    }

    #[test]
    fn a_lost_connection_is_closed_or_unreachable() {
        for kind in [
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::BrokenPipe,
        ] {
            assert_eq!(ApiError::lost(&kind.into()), ApiError::Closed);
        }
        assert_eq!(
            ApiError::lost(&io::ErrorKind::TimedOut.into()),
            ApiError::Unreachable("timed out".to_owned())
        );
    }
}
