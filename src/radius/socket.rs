//! One UDP socket of the server: opened with the right options, received from and answered from the address the
//! request came to.
//!
//! Octets only. Datagrams that wait together are received together, and their replies leave together: a system call costs
//! about half a microsecond, which is a twentieth of a login. Invariant: at most [`MOST_AT_ONCE`] are received at once; on
//! a wildcard address every reply leaves from the address that was asked (packet-info), which NAS and firewalls insist on.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket,
};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrIn, SockaddrIn6,
    SockaddrLike, cmsg_space, recvmmsg, recvmsg, sendmmsg, sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::packet::PACKET_MAX_OCTETS;

/// Room for a burst of some ten thousand requests while a thread is busy; the kernel may grant less.
const RECEIVE_BUFFER_OCTETS: usize = 4 << 20;
/// Datagrams that are received together at most: the first reply waits for the last, some 100 µs.
pub(super) const MOST_AT_ONCE: usize = 16;
/// Bounds how long a stop can go unnoticed should its wake-up be lost.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(1);

/// Our end of a conversation on a wildcard socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Local {
    /// The socket has one address; the kernel knows it.
    Bound,
    V4(Ipv4Addr),
    /// With the interface, which link-local addresses need.
    V6(Ipv6Addr, u32),
}

impl Local {
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Local::Bound => None,
            Local::V4(address) => Some(address.into()),
            Local::V6(address, _) => Some(address.into()),
        }
    }
}

/// Where a datagram came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    length: usize,
    pub source: SocketAddr,
    pub local: Local,
}

/// Room for datagrams that are received together. Octets beyond a packet's size are lost, which is harmless: a longer packet
/// is refused for its length.
pub(super) struct Batch {
    /// [`MOST_AT_ONCE`] times the largest packet.
    octets: Vec<u8>,
    received: Vec<Received>,
    /// On the heap, where the structures that the kernel writes are aligned.
    control: Vec<u8>,
}

impl Batch {
    pub fn new() -> Batch {
        Batch {
            octets: vec![0; MOST_AT_ONCE * PACKET_MAX_OCTETS],
            received: Vec::with_capacity(MOST_AT_ONCE),
            control: vec![0; CONTROL_OCTETS],
        }
    }

    /// The datagrams of the last receive, in their order. Empty ones deserve no answer and are left out.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Received)> {
        let places = self.octets.chunks_exact(PACKET_MAX_OCTETS);
        places
            .zip(&self.received)
            .map(|(place, received)| (place.get(..received.length).unwrap_or_default(), received))
            .filter(|(datagram, _)| !datagram.is_empty())
    }
}

#[derive(Debug)]
pub(super) struct ServerSocket {
    socket: UdpSocket,
    wildcard: bool,
    v6: bool,
}

impl ServerSocket {
    /// Binds one socket. `shared` lets several sockets of this program have the same port (SO_REUSEPORT).
    pub fn bind(address: SocketAddr, shared: bool) -> io::Result<Self> {
        let v6 = address.is_ipv6();
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if v6 {
            socket.set_only_v6(true)?;
        }
        if shared {
            socket.set_reuse_port(true)?;
        }
        socket.set_recv_buffer_size(RECEIVE_BUFFER_OCTETS)?;
        socket.set_read_timeout(Some(RECEIVE_TIMEOUT))?;
        socket.bind(&address.into())?;
        let wildcard = address.ip().is_unspecified();
        if wildcard && v6 {
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        } else if wildcard {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        }
        Ok(ServerSocket {
            socket: socket.into(),
            wildcard,
            v6,
        })
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Ends the receive call that waits now, and every later one. Sending still works.
    pub fn wake(&self) {
        // On an unconnected UDP socket Linux reports ENOTCONN but does wake the reader; the timeout covers the rest.
        let _ = SockRef::from(&self.socket).shutdown(Shutdown::Read);
    }

    /// Waits for a datagram and takes those that came behind it. The batch is empty after the timeout, an interruption,
    /// `wake` or an empty datagram. Errors: those of the system, before anything was received.
    pub fn receive(&self, batch: &mut Batch) -> io::Result<()> {
        batch.received.clear();
        let (first, more) = batch.octets.split_at_mut(PACKET_MAX_OCTETS);
        let control = self.wildcard.then_some(batch.control.as_mut_slice());
        let first = if self.v6 {
            self.receive_one(first, control, from_v6)
        } else {
            self.receive_one(first, control, from_v4)
        };
        match first {
            // A read that `wake` ended looks like an empty datagram from nowhere.
            Ok(first) if first.length == 0 => return Ok(()),
            Ok(first) => batch.received.push(first),
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::WouldBlock
                    | io::ErrorKind::TimedOut
                    | io::ErrorKind::Interrupted => Ok(()),
                    _ => Err(error),
                };
            }
        }
        let received = &mut batch.received;
        // An error is that of the next receive, which says so.
        let _ = if self.v6 {
            self.receive_waiting(more, received, from_v6)
        } else {
            self.receive_waiting(more, received, from_v4)
        };
        Ok(())
    }

    fn receive_one<S: SockaddrLike>(
        &self,
        buffer: &mut [u8],
        control: Option<&mut [u8]>,
        read: impl Fn(&RecvMsg<'_, '_, S>) -> nix::Result<Received>,
    ) -> io::Result<Received> {
        let mut parts = [IoSliceMut::new(buffer)];
        let descriptor = self.socket.as_raw_fd();
        let message = recvmsg::<S>(descriptor, &mut parts, control, MsgFlags::empty())?;
        Ok(read(&message)?)
    }

    /// Takes what waits into places of [`PACKET_MAX_OCTETS`], without waiting itself.
    fn receive_waiting<S: SockaddrLike + Copy>(
        &self,
        places: &mut [u8],
        received: &mut Vec<Received>,
        read: impl Fn(&RecvMsg<'_, '_, S>) -> nix::Result<Received>,
    ) -> nix::Result<()> {
        let places = places.chunks_exact_mut(PACKET_MAX_OCTETS);
        let mut parts: Vec<_> = places.map(|place| [IoSliceMut::new(place)]).collect();
        let control = self.wildcard.then(|| vec![0; CONTROL_OCTETS]);
        // New each time: the kernel writes into the lengths.
        let mut headers = MultiHeaders::<S>::preallocate(parts.len(), control);
        let messages = recvmmsg(
            self.socket.as_raw_fd(),
            &mut headers,
            parts.iter_mut(),
            MsgFlags::MSG_DONTWAIT,
            None,
        )?;
        for message in messages {
            received.push(read(&message)?);
        }
        Ok(())
    }

    /// Sends a reply from `local` to `destination`.
    pub fn send(&self, packet: &[u8], destination: SocketAddr, local: Local) -> io::Result<()> {
        let parts = [IoSlice::new(packet)];
        let descriptor = self.socket.as_raw_fd();
        let none = MsgFlags::empty();
        with_control(local, |control| match destination {
            SocketAddr::V4(to) => sendmsg(
                descriptor,
                &parts,
                control,
                none,
                Some(&SockaddrIn::from(to)),
            ),
            SocketAddr::V6(to) => sendmsg(
                descriptor,
                &parts,
                control,
                none,
                Some(&SockaddrIn6::from(to)),
            ),
        })?;
        Ok(())
    }

    /// Sends several replies from `local` and says how many of them left, from the first on. Errors: the first did not.
    pub fn send_together(
        &self,
        replies: &[(&[u8], SocketAddr)],
        local: Local,
    ) -> io::Result<usize> {
        if let [(packet, destination)] = replies {
            return self.send(packet, *destination, local).map(|()| 1);
        }
        let sent = with_control(local, |control| {
            if self.v6 {
                let to = |destination| match destination {
                    SocketAddr::V6(to) => Some(SockaddrIn6::from(to)),
                    SocketAddr::V4(_) => None,
                };
                self.send_all(replies, to, control)
            } else {
                let to = |destination| match destination {
                    SocketAddr::V4(to) => Some(SockaddrIn::from(to)),
                    SocketAddr::V6(_) => None,
                };
                self.send_all(replies, to, control)
            }
        });
        Ok(sent?)
    }

    fn send_all<S: SockaddrLike + Copy>(
        &self,
        replies: &[(&[u8], SocketAddr)],
        to: impl Fn(SocketAddr) -> Option<S>,
        control: &[ControlMessage<'_>],
    ) -> nix::Result<usize> {
        let parts: Vec<_> = replies
            .iter()
            .map(|(packet, _)| [IoSlice::new(packet)])
            .collect();
        let destinations: Vec<_> = replies
            .iter()
            .map(|(_, destination)| to(*destination))
            .collect();
        // Exactly as much as will be written, since the kernel reads all of it.
        let room: usize = control.iter().map(control_space).sum();
        let room = (room > 0).then(|| vec![0; room]);
        let mut headers = MultiHeaders::preallocate(parts.len(), room);
        let sent = sendmmsg(
            self.socket.as_raw_fd(),
            &mut headers,
            &parts,
            destinations,
            control,
            MsgFlags::empty(),
        )?;
        Ok(sent.count())
    }
}

fn from_v4(message: &RecvMsg<'_, '_, SockaddrIn>) -> nix::Result<Received> {
    let local = message.cmsgs()?.find_map(|part| match part {
        ControlMessageOwned::Ipv4PacketInfo(info) => Some(Local::V4(Ipv4Addr::from(
            info.ipi_spec_dst.s_addr.to_ne_bytes(),
        ))),
        _ => None,
    });
    Ok(Received {
        length: message.bytes,
        source: SocketAddrV4::from(message.address.ok_or(Errno::EAGAIN)?).into(),
        local: local.unwrap_or(Local::Bound),
    })
}

fn from_v6(message: &RecvMsg<'_, '_, SockaddrIn6>) -> nix::Result<Received> {
    let local = message.cmsgs()?.find_map(|part| match part {
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(Local::V6(
            Ipv6Addr::from(info.ipi6_addr.s6_addr),
            info.ipi6_ifindex,
        )),
        _ => None,
    });
    Ok(Received {
        length: message.bytes,
        source: SocketAddrV6::from(message.address.ok_or(Errno::EAGAIN)?).into(),
        local: local.unwrap_or(Local::Bound),
    })
}

/// What makes the kernel send from `local`.
fn with_control<T>(local: Local, send: impl FnOnce(&[ControlMessage<'_>]) -> T) -> T {
    match local {
        Local::Bound => send(&[]),
        Local::V4(address) => {
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.octets()),
                },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            send(&[ControlMessage::Ipv4PacketInfo(&info)])
        }
        Local::V6(address, interface) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: address.octets(),
                },
                ipi6_ifindex: if address.is_unicast_link_local() {
                    interface
                } else {
                    0
                },
            };
            send(&[ControlMessage::Ipv6PacketInfo(&info)])
        }
    }
}

/// Room for one control message of ours.
fn control_space(message: &ControlMessage<'_>) -> usize {
    match message {
        ControlMessage::Ipv4PacketInfo(_) => cmsg_space::<libc::in_pktinfo>(),
        _ => cmsg_space::<libc::in6_pktinfo>(),
    }
}

/// Room for the control message of either family.
const CONTROL_OCTETS: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::clock::monotonic;
    use super::*;

    #[test]
    fn a_wildcard_socket_knows_which_address_was_asked() {
        for (listen, asked) in [
            ("0.0.0.0:0", "127.0.0.3"),
            ("[::]:0", "::1"),
            ("127.0.0.1:0", "127.0.0.1"),
        ] {
            let listen: SocketAddr = listen.parse().unwrap();
            let asked: IpAddr = asked.parse().unwrap();
            let socket = ServerSocket::bind(listen, false).unwrap();
            let port = socket.local_addr().unwrap().port();
            let sender = UdpSocket::bind((asked, 0)).unwrap();
            let questions = ["first", "second", "third"];
            for question in questions {
                sender.send_to(question.as_bytes(), (asked, port)).unwrap();
            }
            let mut batch = Batch::new();
            socket.receive(&mut batch).unwrap();
            let received: Vec<&[u8]> = batch.iter().map(|(datagram, _)| datagram).collect();
            assert_eq!(received, questions.map(str::as_bytes), "{listen}");
            let expected = listen.ip().is_unspecified().then_some(asked);
            for (_, received) in batch.iter() {
                assert_eq!(received.source, sender.local_addr().unwrap());
                assert_eq!(received.local.ip(), expected, "{listen}");
            }
            // Back from the address that was asked, alone and together.
            let local = batch.iter().next().unwrap().1.local;
            let to = sender.local_addr().unwrap();
            for count in [1, questions.len()] {
                let replies = questions.map(|question| (question.as_bytes(), to));
                assert_eq!(
                    socket.send_together(&replies[..count], local).unwrap(),
                    count
                );
                for question in &questions[..count] {
                    let mut buffer = [0; 16];
                    let (length, from) = sender.recv_from(&mut buffer).unwrap();
                    assert_eq!(buffer[..length], *question.as_bytes());
                    assert_eq!(from, SocketAddr::new(asked, port), "{listen}");
                }
            }
        }
    }

    #[test]
    fn what_waits_is_received_in_batches_without_empty_datagrams() {
        let socket = ServerSocket::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.connect(socket.local_addr().unwrap()).unwrap();
        // 15 numbers around an empty one, then three.
        for number in 0..MOST_AT_ONCE + 2 {
            sender.send(&number.to_be_bytes()).unwrap();
            if number == 3 {
                sender.send(b"").unwrap();
            }
        }
        let mut batch = Batch::new();
        let mut received = Vec::new();
        for count in [MOST_AT_ONCE - 1, 3] {
            socket.receive(&mut batch).unwrap();
            assert_eq!(batch.iter().count(), count);
            received.extend(batch.iter().map(|(datagram, _)| datagram.to_vec()));
        }
        let wanted = (0..MOST_AT_ONCE + 2).map(|number| number.to_be_bytes().to_vec());
        assert_eq!(received, wanted.collect::<Vec<_>>());
        // One in front is a receive of its own, as that of a woken socket.
        sender.send(b"").unwrap();
        sender.send(b"behind").unwrap();
        for count in [0, 1] {
            socket.receive(&mut batch).unwrap();
            assert_eq!(batch.iter().count(), count);
        }
    }

    #[test]
    fn a_reply_that_cannot_be_sent_keeps_no_other_back() {
        let socket = ServerSocket::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let good = receiver.local_addr().unwrap();
        // Loopback takes at most 65,507 octets.
        let large = vec![0; 70_000];
        let replies: [(&[u8], SocketAddr); 3] = [(b"one", good), (&large, good), (b"two", good)];
        assert_eq!(socket.send_together(&replies, Local::Bound).unwrap(), 1);
        assert!(socket.send_together(&replies[1..], Local::Bound).is_err());
        assert_eq!(
            socket.send_together(&replies[2..], Local::Bound).unwrap(),
            1
        );
    }

    #[test]
    fn a_woken_socket_does_not_wait() {
        for listen in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
            let socket = ServerSocket::bind(listen.parse().unwrap(), false).unwrap();
            socket.wake();
            let started = monotonic();
            let mut batch = Batch::new();
            socket.receive(&mut batch).unwrap();
            assert_eq!(batch.iter().count(), 0, "{listen}");
            assert!(
                monotonic() < started + RECEIVE_TIMEOUT,
                "{listen} waited for its timeout"
            );
        }
    }
}
