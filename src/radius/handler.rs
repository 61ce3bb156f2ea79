//! What the protocol asks of the rest of the program, and the words both use: requests, outcomes, observations.
//!
//! The trait is implemented elsewhere; nothing here knows a subscriber. Invariant: whatever a handler is shown has
//! passed every check of `pipeline`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use super::attribute::{AttributeBuffer, octet_total};
use super::number;
use super::packet::{Code, Packet};
use super::pipeline::Refusal;
use super::radsec::{ClientCertificate, Ending};
use super::reply::PendingResponse;
use super::secret::SharedSecret;

/// Which of the two services a socket offers. Decides the codes it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Port {
    Auth,
    Acct,
    /// RadSec: one port for all codes (RFC 6614 s2.1).
    Both,
}

/// Whether Access-Requests of a NAS must carry Message-Authenticator (RFC 3579 s3.2, CVE-2024-3596).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MaPolicy {
    /// Not demanded. Insecure; the panel shows it.
    No,
    /// Requests without are dropped before any digest work.
    Yes,
    /// Not demanded until the first valid one without EAP has been seen; the handler then pins `Yes`.
    Auto,
}

/// What the protocol must know about one NAS.
#[derive(Debug, Clone)]
pub struct NasPeer {
    /// Opaque to the protocol; comes back in observations. Two records must not share it.
    pub nas: u32,
    pub secret: SharedSecret,
    pub message_authenticator: MaPolicy,
    /// Drops Access-Requests that have Proxy-State but no Message-Authenticator. On unless the NAS is a proxy of ours.
    pub limit_proxy_state: bool,
    /// Puts Message-Authenticator first into every reply to an Access-Request. Off only for NAS that discard it.
    pub send_message_authenticator: bool,
}

/// The program behind the protocol.
pub trait Handler: Send + Sync {
    /// The record for a source address, longest prefix first. `None`: unknown, dropped.
    fn nas(&self, source: IpAddr) -> Option<Arc<NasPeer>>;

    /// The record for a certificate whose key a RadSec client has (RFC 6614 s2.4). `None`: no NAS of ours, cut off.
    /// Asked for every packet, so that a NAS that is changed or deleted is heard no more.
    fn nas_of_certificate(
        &self,
        certificate: &ClientCertificate,
        source: SocketAddr,
    ) -> Option<Arc<NasPeer>>;

    /// Decides a login and fills the reply. Runs on the socket's own thread: must not wait for anything slow.
    /// An outcome of `Reject` with an accept's attributes in the buffer is the handler's mistake: clear it first.
    fn access(&self, request: &AccessRequest<'_>, reply: &mut AttributeBuffer) -> AccessOutcome;

    /// Takes an accounting record. `acknowledgement` is sent once the record is durable, from any thread.
    fn account(&self, request: &AccountingRequest<'_>, acknowledgement: Acknowledgement);

    /// Answers a Status-Server: whether this service can serve right now (RFC 5997).
    fn status(&self, port: Port) -> bool;

    /// Counters and rare facts. Called on the hot path: must be cheap.
    fn observe(&self, event: Observation<'_>);
}

/// What happens to an Access-Request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessOutcome {
    Accept,
    /// Answered after `delay` (at most [`super::server::REJECT_DELAY_MAX`]) plus jitter, so that guessing is slow.
    Reject {
        delay: Duration,
    },
    /// No answer: the NAS tries again or elsewhere.
    Silence,
}

/// An authentic, well-formed Access-Request.
#[derive(Clone, Copy)]
pub struct AccessRequest<'a> {
    pub packet: &'a Packet<'a>,
    pub peer: &'a NasPeer,
    pub source: SocketAddr,
}

impl<'a> AccessRequest<'a> {
    /// User-Name octets exactly as sent.
    pub fn user_name(&self) -> Option<&'a [u8]> {
        self.packet.first(number::USER_NAME)
    }
}

/// An authentic Accounting-Request that names its kind and its session.
#[derive(Clone, Copy)]
pub struct AccountingRequest<'a> {
    pub packet: &'a Packet<'a>,
    pub peer: &'a NasPeer,
    pub source: SocketAddr,
    pub status_type: u32,
    pub session_id: &'a [u8],
}

impl<'a> AccountingRequest<'a> {
    /// User-Name octets exactly as sent.
    pub fn user_name(&self) -> Option<&'a [u8]> {
        self.packet.first(number::USER_NAME)
    }

    /// Octets from the subscriber since the session began: Acct-Input and its gigawords (RFC 2866 s5.3, 2869 s5.1).
    pub fn upload_octets(&self) -> Option<u64> {
        self.total(number::ACCT_INPUT_OCTETS, number::ACCT_INPUT_GIGAWORDS)
    }

    /// Octets to the subscriber since the session began: Acct-Output and its gigawords (RFC 2866 s5.4, 2869 s5.2).
    pub fn download_octets(&self) -> Option<u64> {
        self.total(number::ACCT_OUTPUT_OCTETS, number::ACCT_OUTPUT_GIGAWORDS)
    }

    fn total(&self, octets: u8, gigawords: u8) -> Option<u64> {
        let octets = self.packet.u32(octets)?;
        Some(octet_total(octets, self.packet.u32(gigawords).unwrap_or(0)))
    }
}

/// The right and duty to answer one Accounting-Request.
///
/// [`Acknowledgement::send`] says that the record is durable (RFC 2866 s4.1). Dropping it instead is silence: the
/// retry of the NAS is then processed anew.
#[must_use = "dropping it means that the record was not stored"]
pub struct Acknowledgement(Kind);

enum Kind {
    Wire(PendingResponse),
    Probe(Probe),
}

impl Acknowledgement {
    pub(super) fn wire(response: PendingResponse) -> Self {
        Acknowledgement(Kind::Wire(response))
    }

    /// One that reports to a channel instead of a NAS: `true` when sent, `false` when dropped. For tests and replay.
    pub fn probe() -> (Self, mpsc::Receiver<bool>) {
        let (reports, receiver) = mpsc::channel();
        (
            Acknowledgement(Kind::Probe(Probe {
                reports: Some(reports),
            })),
            receiver,
        )
    }

    /// Sends the Accounting-Response. Never blocks; a lost reply is healed by the retry of the NAS.
    pub fn send(self) {
        match self.0 {
            Kind::Wire(response) => response.send(),
            Kind::Probe(mut probe) => probe.report(true),
        }
    }
}

impl fmt::Debug for Acknowledgement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Acknowledgement")
    }
}

struct Probe {
    reports: Option<mpsc::Sender<bool>>,
}

impl Probe {
    fn report(&mut self, sent: bool) {
        if let Some(reports) = self.reports.take() {
            // Whoever made the probe may have stopped listening; then nobody wants to know.
            let _ = reports.send(sent);
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.report(false);
    }
}

/// What the protocol saw. `nas` is [`NasPeer::nas`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation<'a> {
    /// From a source without a record. The names are unauthenticated and only for display.
    UnknownNas {
        source: SocketAddr,
        code: Option<Code>,
        user_name: Option<&'a [u8]>,
        nas_identifier: Option<&'a [u8]>,
    },
    /// Passed every check.
    Received {
        nas: u32,
        code: Code,
    },
    /// Dropped in silence, and why.
    Refused {
        nas: u32,
        source: SocketAddr,
        refusal: Refusal,
    },
    /// A copy: of an answered request (the answer went out again) or of one still in progress (dropped).
    Duplicate {
        nas: u32,
        resent: bool,
    },
    /// A valid Message-Authenticator without EAP while the policy is `Auto`: time to pin `Yes`.
    FirstMessageAuthenticator {
        nas: u32,
    },
    Replied {
        nas: u32,
        code: Code,
    },
    /// No reply, by decision of the handler.
    Silent {
        nas: u32,
        code: Code,
    },
    /// The handler panicked; no reply.
    HandlerPanicked {
        nas: u32,
    },
    /// The reply would not fit a packet or could not be sent.
    SendFailed {
        nas: u32,
    },
    /// Too many delayed rejects waiting: this one went out at once.
    RejectQueueFull {
        nas: u32,
    },
    /// The socket reported an error other than a timeout.
    ReceiveFailed {
        port: Port,
    },
    /// A NAS connected with RadSec.
    RadsecOpened {
        nas: u32,
        source: SocketAddr,
    },
    RadsecClosed {
        nas: u32,
        source: SocketAddr,
        why: Ending,
    },
    /// The certificate is that of no NAS.
    RadsecStranger {
        source: SocketAddr,
        certificate: &'a ClientCertificate,
    },
    /// There was no handshake, or no room; who it was is not known.
    RadsecRefused {
        source: SocketAddr,
        why: Ending,
    },
}
