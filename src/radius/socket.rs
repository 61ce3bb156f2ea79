//! One UDP socket of the server: opened with the right options, received from and answered from the address the
//! request came to.
//!
//! Octets only. Invariant: one receive call and one send call per datagram, and one receive call that finds nothing before
//! replies leave; on a wildcard address every reply leaves from the address that was asked (packet-info), which NAS and
//! firewalls insist on.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket,
};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, cmsg_space, recvmsg,
    sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Room for a burst of some ten thousand requests while a thread is busy; the kernel may grant less.
const RECEIVE_BUFFER_OCTETS: usize = 4 << 20;
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

/// A datagram in the caller's buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub length: usize,
    pub source: SocketAddr,
    pub local: Local,
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

    /// The next datagram; with `wait`, as soon as one comes. `Ok(None)` when there is none, after the timeout, an
    /// interruption, `wake` or an empty datagram. Octets beyond `buffer` are lost, which is harmless: a packet longer than
    /// the buffer is refused for its length.
    pub fn receive(
        &self,
        buffer: &mut [u8],
        control: &mut [u8],
        wait: bool,
    ) -> io::Result<Option<Received>> {
        let flags = if wait {
            MsgFlags::empty()
        } else {
            MsgFlags::MSG_DONTWAIT
        };
        let control = self.wildcard.then_some(control);
        let received = if self.v6 {
            self.receive_v6(buffer, control, flags)
        } else {
            self.receive_v4(buffer, control, flags)
        };
        match received {
            // A read that `wake` ended looks like an empty datagram from nowhere. Real ones deserve no answer either.
            Ok(received) if received.length == 0 => Ok(None),
            Ok(received) => Ok(Some(received)),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            },
        }
    }

    fn receive_v4(
        &self,
        buffer: &mut [u8],
        control: Option<&mut [u8]>,
        flags: MsgFlags,
    ) -> io::Result<Received> {
        let mut parts = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrIn>(self.socket.as_raw_fd(), &mut parts, control, flags)?;
        let source = message.address.ok_or(io::ErrorKind::WouldBlock)?;
        let local = message.cmsgs()?.find_map(|part| match part {
            ControlMessageOwned::Ipv4PacketInfo(info) => Some(Local::V4(Ipv4Addr::from(
                info.ipi_spec_dst.s_addr.to_ne_bytes(),
            ))),
            _ => None,
        });
        Ok(Received {
            length: message.bytes,
            source: SocketAddrV4::from(source).into(),
            local: local.unwrap_or(Local::Bound),
        })
    }

    fn receive_v6(
        &self,
        buffer: &mut [u8],
        control: Option<&mut [u8]>,
        flags: MsgFlags,
    ) -> io::Result<Received> {
        let mut parts = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrIn6>(self.socket.as_raw_fd(), &mut parts, control, flags)?;
        let source = message.address.ok_or(io::ErrorKind::WouldBlock)?;
        let local = message.cmsgs()?.find_map(|part| match part {
            ControlMessageOwned::Ipv6PacketInfo(info) => Some(Local::V6(
                Ipv6Addr::from(info.ipi6_addr.s6_addr),
                info.ipi6_ifindex,
            )),
            _ => None,
        });
        Ok(Received {
            length: message.bytes,
            source: SocketAddrV6::from(source).into(),
            local: local.unwrap_or(Local::Bound),
        })
    }

    /// Sends a reply from `local` to `destination`.
    pub fn send(&self, packet: &[u8], destination: SocketAddr, local: Local) -> io::Result<()> {
        let parts = [IoSlice::new(packet)];
        let descriptor = self.socket.as_raw_fd();
        match (local, destination) {
            (Local::V4(address), SocketAddr::V4(to)) => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr {
                        s_addr: u32::from_ne_bytes(address.octets()),
                    },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                let control = [ControlMessage::Ipv4PacketInfo(&info)];
                sendmsg(
                    descriptor,
                    &parts,
                    &control,
                    MsgFlags::empty(),
                    Some(&SockaddrIn::from(to)),
                )?;
            }
            (Local::V6(address, interface), SocketAddr::V6(to)) => {
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
                let control = [ControlMessage::Ipv6PacketInfo(&info)];
                sendmsg(
                    descriptor,
                    &parts,
                    &control,
                    MsgFlags::empty(),
                    Some(&SockaddrIn6::from(to)),
                )?;
            }
            _ => {
                self.socket.send_to(packet, destination)?;
            }
        }
        Ok(())
    }
}

/// Space for the one control message of [`ServerSocket::receive`].
pub(super) fn control_buffer() -> Vec<u8> {
    vec![0; cmsg_space::<libc::in6_pktinfo>().max(cmsg_space::<libc::in_pktinfo>())]
}

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
            sender.send_to(b"question", (asked, port)).unwrap();
            let mut buffer = [0; 16];
            let received = socket
                .receive(&mut buffer, &mut control_buffer(), true)
                .unwrap()
                .unwrap();
            assert_eq!(buffer[..received.length], *b"question");
            assert_eq!(received.source, sender.local_addr().unwrap());
            let expected = listen.ip().is_unspecified().then_some(asked);
            assert_eq!(received.local.ip(), expected, "{listen}");
        }
    }

    #[test]
    fn a_woken_socket_does_not_wait() {
        for listen in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
            let socket = ServerSocket::bind(listen.parse().unwrap(), false).unwrap();
            socket.wake();
            let started = monotonic();
            let received = socket.receive(&mut [0; 16], &mut control_buffer(), true);
            assert!(matches!(received, Ok(None)), "{listen}: {received:?}");
            assert!(
                monotonic() < started + RECEIVE_TIMEOUT,
                "{listen} waited for its timeout"
            );
        }
    }
}
