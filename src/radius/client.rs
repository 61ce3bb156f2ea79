//! A blocking RADIUS client for `radtest`, tests and load: send, wait, try again.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

pub use super::request::{Login, ReplyError, Request};

use super::attribute::EncodeError;
use super::clock::monotonic;
use super::packet::{DecodeError, PACKET_MAX_OCTETS, Packet};

/// Datagrams looked at per try that are not the reply; more means somebody floods us.
const STRAYS_MAX: usize = 64;

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// `stray` is what was wrong with the last datagram that did come, if one came.
    #[error("no reply after {tries} tries{}", stray_note(.stray.as_ref()))]
    NoReply {
        tries: u32,
        stray: Option<ReplyError>,
    },
}

fn stray_note(stray: Option<&ReplyError>) -> String {
    stray.map_or_else(String::new, |error| format!(" (one was ignored: {error})"))
}

/// A verified reply.
#[derive(Debug)]
pub struct Reply {
    octets: Vec<u8>,
    /// From the first send to the reply.
    pub elapsed: Duration,
    /// Sends it took.
    pub tries: u32,
}

impl Reply {
    /// Errors: none in practice, since the octets have been parsed before.
    pub fn packet(&self) -> Result<Packet<'_>, DecodeError> {
        Packet::parse(&self.octets)
    }
}

/// Sends `request` up to `tries` times, waiting `timeout` after each, from a port of its own.
/// Errors: `Io` (also for a closed port), `NoReply`.
pub fn exchange(
    server: SocketAddr,
    request: &Request,
    timeout: Duration,
    tries: u32,
) -> Result<Reply, ClientError> {
    let any: IpAddr = if server.is_ipv6() {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    let started = monotonic();
    let mut stray = None;
    for number in 1..=tries {
        socket.send(request.octets())?;
        if let Some(octets) = wait(&socket, request, monotonic() + timeout, &mut stray)? {
            return Ok(Reply {
                octets,
                elapsed: monotonic().duration_since(started),
                tries: number,
            });
        }
    }
    Err(ClientError::NoReply { tries, stray })
}

/// Waits for the reply until `deadline`; remembers why the last other datagram was not it.
fn wait(
    socket: &UdpSocket,
    request: &Request,
    deadline: Instant,
    stray: &mut Option<ReplyError>,
) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = vec![0; PACKET_MAX_OCTETS];
    for _ in 0..STRAYS_MAX {
        let left = deadline.saturating_duration_since(monotonic());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Ok(None),
                io::ErrorKind::Interrupted => continue,
                _ => return Err(error),
            },
        };
        let datagram = buffer.get(..length).unwrap_or_default();
        match request.verify(datagram) {
            Ok(packet) => return Ok(Some(packet.octets().to_vec())),
            Err(error) => *stray = Some(error),
        }
    }
    Ok(None)
}
