//! What has been asked of the stand-in, for tests to wait for and to count.

use std::net::SocketAddr;

use proxpanel::radius::Code;

/// What became of a CoA or Disconnect request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Ack,
    /// With this Error-Cause (RFC 5176 section 3.5).
    Nak(u32),
    /// No answer, and why.
    Dropped(&'static str),
}

/// One CoA or Disconnect request. Copies of one that was answered are answered again and only counted.
#[derive(Debug, Clone)]
pub struct Received {
    pub code: Code,
    pub source: SocketAddr,
    pub user: Option<String>,
    pub session_id: Option<String>,
    /// Mikrotik-Rate-Limit as it came.
    pub rate: Option<String>,
    pub answer: Answer,
}

/// Counters since the start of the stand-in; a reboot leaves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// As `/radius/incoming/monitor` shows them.
    pub coa_requests: u64,
    pub disconnect_requests: u64,
    pub bad_requests: u64,
    pub copies: u64,
    pub acks: u64,
    pub naks: u64,
    /// As `/radius/monitor` shows them.
    pub access_requests: u64,
    pub accepts: u64,
    pub rejects: u64,
    pub accounting_requests: u64,
    pub accounting_responses: u64,
    pub resends: u64,
    pub timeouts: u64,
    /// Replies with a wrong authenticator, or without Message-Authenticator where it is required.
    pub bad_replies: u64,
    /// Of the API.
    pub connections: u64,
    pub open_connections: u64,
    pub logins: u64,
    pub refused_logins: u64,
    /// Commands after the login, `/cancel` not counted.
    pub commands: u64,
}
