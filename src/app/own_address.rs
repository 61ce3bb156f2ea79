//! Which of this machine's addresses to show to people, when it listens on all of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;

/// The address that this machine would use towards others; without a default route the first of its own that others can
/// reach, else the loopback address. Nothing is sent: connecting a UDP socket only picks a route.
pub fn towards_others(unspecified: IpAddr) -> IpAddr {
    let elsewhere: SocketAddr = match unspecified {
        IpAddr::V4(_) => (Ipv4Addr::new(192, 0, 2, 1), 9).into(),
        IpAddr::V6(_) => (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into(),
    };
    let route = UdpSocket::bind((unspecified, 0)).and_then(|socket| {
        socket.connect(elsewhere)?;
        socket.local_addr()
    });
    route.map_or_else(|_| best(unspecified, interfaces()), |local| local.ip())
}

/// The addresses of all interfaces, in the kernel's order.
fn interfaces() -> Vec<IpAddr> {
    let Ok(interfaces) = getifaddrs() else {
        return Vec::new();
    };
    interfaces
        .filter_map(|interface| ip_of(&interface.address?))
        .collect()
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = || address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    let v6 = || address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()));
    v4().or_else(v6)
}

/// The first of the wanted family that is of use in a link on another machine.
fn best(unspecified: IpAddr, mut addresses: Vec<IpAddr>) -> IpAddr {
    addresses.retain(|ip| {
        let reachable = match ip {
            IpAddr::V4(v4) => !v4.is_link_local(),
            IpAddr::V6(v6) => !v6.is_unicast_link_local(),
        };
        reachable && !ip.is_loopback() && ip.is_ipv4() == unspecified.is_ipv4()
    });
    let loopback: IpAddr = match unspecified {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    addresses.first().copied().unwrap_or(loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_an_address_that_others_can_reach() {
        for (listens, own, expected) in [
            ("0.0.0.0", "", "127.0.0.1"),
            ("0.0.0.0", "127.0.0.1 10.99.0.1 10.99.0.2", "10.99.0.1"),
            ("0.0.0.0", "169.254.7.7 fd00::1 192.168.1.1", "192.168.1.1"),
            ("::", "10.99.0.1 ::1 fe80::1 fd00::1", "fd00::1"),
            ("::", "10.99.0.1", "::1"),
        ] {
            let ip = |text: &str| text.parse::<IpAddr>().unwrap();
            let own = own.split_whitespace().map(ip).collect();
            assert_eq!(best(ip(listens), own), ip(expected), "{listens}");
        }
    }

    #[test]
    fn the_interfaces_of_this_machine_are_read() {
        assert!(interfaces().iter().any(IpAddr::is_loopback));
        assert!(!towards_others(Ipv4Addr::UNSPECIFIED.into()).is_unspecified());
    }
}
