//! Requests to the RADIUS server and their resends, many at a time (mikrotik.md a1).

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use proxpanel::radius::auth::Method;
use proxpanel::radius::client::{Login, Request};
use proxpanel::radius::packet::{
    HEADER_OCTETS, MESSAGE_AUTHENTICATOR_OCTETS, PACKET_MAX_OCTETS, Packet,
};
use proxpanel::radius::{AttributeBuffer, SharedSecret, number};
use tokio::time::Instant;

/// Below what a server holds open for one port of a router.
const IN_FLIGHT_MAX: usize = 128;
/// The first send and three resends.
const TRIES: u32 = 4;

/// What is to be asked.
pub enum Job {
    Access {
        user: String,
        password: String,
        method: Method,
        attributes: AttributeBuffer,
    },
    /// Without Acct-Delay-Time, which grows from one send to the next.
    Accounting {
        attributes: AttributeBuffer,
        delay_seconds: u32,
    },
}

/// The server as the `/radius` entry describes it.
#[derive(Clone)]
pub struct Server {
    pub auth: SocketAddr,
    pub acct: SocketAddr,
    pub secret: SharedSecret,
    pub timeout: Duration,
    /// Sends Message-Authenticator, and wants it in replies.
    pub message_authenticator: bool,
}

/// What came of a number of jobs.
#[derive(Default)]
pub struct Outcome {
    /// In the order of the jobs; `None` without an answer.
    pub replies: Vec<Option<Vec<u8>>>,
    pub resends: u64,
    pub bad_replies: u64,
}

impl Outcome {
    pub fn timeouts(&self) -> u64 {
        let unanswered = self.replies.iter().filter(|reply| reply.is_none()).count();
        u64::try_from(unanswered).unwrap_or(u64::MAX)
    }
}

/// Asks all of them, and waits. `from` is the router's own address.
pub fn ask_all(from: Ipv4Addr, to: SocketAddr, server: &Server, jobs: &[Job]) -> Outcome {
    let mut outcome = Outcome::default();
    for some in jobs.chunks(IN_FLIGHT_MAX) {
        let socket = UdpSocket::bind((from, 0)).expect("a socket on the router's address");
        socket.connect(to).expect("a RADIUS server's address");
        let mut volley = Volley {
            socket,
            server,
            jobs: some,
            sent: (0..256).map(|_| None).collect(),
            next_identifier: 0,
            replies: some.iter().map(|_| None).collect(),
            bad_replies: 0,
        };
        for number in 0..TRIES {
            let unanswered = volley.unanswered();
            if unanswered.is_empty() {
                break;
            }
            if number > 0 {
                outcome.resends += u64::try_from(unanswered.len()).unwrap_or(u64::MAX);
            }
            for index in unanswered {
                volley.send(index, number);
            }
            volley.collect();
        }
        outcome.bad_replies += volley.bad_replies;
        outcome.replies.append(&mut volley.replies);
    }
    outcome
}

/// The jobs of one socket.
struct Volley<'a> {
    socket: UdpSocket,
    server: &'a Server,
    jobs: &'a [Job],
    /// By identifier: the job, and what its reply is checked against.
    sent: Vec<Option<(usize, Request)>>,
    next_identifier: u8,
    replies: Vec<Option<Vec<u8>>>,
    bad_replies: u64,
}

impl Volley<'_> {
    fn unanswered(&self) -> Vec<usize> {
        let open = |index: &usize| self.replies[*index].is_none();
        (0..self.jobs.len()).filter(open).collect()
    }

    /// A resent Access-Request is the same packet; a resent record is a new one, with another delay.
    fn send(&mut self, index: usize, number: u32) {
        let resent = match &self.jobs[index] {
            Job::Access { .. } => self.place_of(index),
            Job::Accounting { .. } => None,
        };
        let place = resent.unwrap_or_else(|| {
            let identifier = self.next_identifier;
            self.next_identifier = identifier.wrapping_add(1);
            let waited = (self.server.timeout * number).as_secs();
            let waited = u32::try_from(waited).unwrap_or(u32::MAX);
            let request = self.jobs[index].request(self.server, identifier, waited);
            self.sent[usize::from(identifier)] = Some((index, request));
            usize::from(identifier)
        });
        let (_, request) = self.sent[place].as_ref().expect("it was just put there");
        let keep =
            self.server.message_authenticator || matches!(self.jobs[index], Job::Accounting { .. });
        let octets = if keep {
            request.octets().to_vec()
        } else {
            without_message_authenticator(request.octets())
        };
        // A server that is not there shows as an error of the next call; the resend is the answer to it.
        let _refused = self.socket.send(&octets);
    }

    fn place_of(&self, index: usize) -> Option<usize> {
        let same = |sent: &Option<(usize, Request)>| {
            sent.as_ref().is_some_and(|(other, _)| *other == index)
        };
        self.sent.iter().position(same)
    }

    /// Reads replies until all are there or the time is over.
    fn collect(&mut self) {
        let deadline = Instant::now() + self.server.timeout;
        let mut buffer = vec![0; PACKET_MAX_OCTETS];
        while self.replies.iter().any(Option::is_none) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.socket
                .set_read_timeout(Some(left))
                .expect("a time limit");
            match self.socket.recv(&mut buffer) {
                Ok(length) => self.take(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => panic!("a RADIUS socket fails: {error}"),
            }
        }
    }

    fn take(&mut self, datagram: &[u8]) {
        let place = usize::from(datagram.get(1).copied().unwrap_or_default());
        let Some((index, request)) = &self.sent[place] else {
            self.bad_replies += 1;
            return;
        };
        match request.verify(datagram) {
            Ok(reply) if self.wanted(*index, &reply) => {
                self.replies[*index] = Some(reply.octets().to_vec());
            }
            _ => self.bad_replies += 1,
        }
    }

    fn wanted(&self, index: usize, reply: &Packet<'_>) -> bool {
        match self.jobs[index] {
            Job::Access { .. } => {
                !self.server.message_authenticator || reply.has_message_authenticator()
            }
            Job::Accounting { .. } => true,
        }
    }
}

impl Job {
    fn request(&self, server: &Server, identifier: u8, waited: u32) -> Request {
        match self {
            Job::Access {
                user,
                password,
                method,
                attributes,
            } => {
                let login = Login {
                    user_name: user,
                    password,
                    method: *method,
                };
                Request::access(&server.secret, identifier, &login, attributes)
            }
            Job::Accounting {
                attributes,
                delay_seconds,
            } => {
                let mut attributes = attributes.clone();
                attributes
                    .push_u32(
                        number::ACCT_DELAY_TIME,
                        delay_seconds.saturating_add(waited),
                    )
                    .expect("room for the delay");
                Request::accounting(&server.secret, identifier, &attributes)
            }
        }
        .expect("a request that fits")
    }
}

/// An Access-Request as routers before 7.15 send it. Its authenticator is random, so nothing has to be signed anew.
fn without_message_authenticator(octets: &[u8]) -> Vec<u8> {
    assert_eq!(octets[HEADER_OCTETS], number::MESSAGE_AUTHENTICATOR);
    let mut shorter = octets[..HEADER_OCTETS].to_vec();
    shorter.extend_from_slice(&octets[HEADER_OCTETS + MESSAGE_AUTHENTICATOR_OCTETS..]);
    let length = u16::try_from(shorter.len()).expect("a packet below 4096 octets");
    shorter[2..4].copy_from_slice(&length.to_be_bytes());
    shorter
}
