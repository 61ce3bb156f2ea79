//! The part of the script that subscribers dial into: pools, profiles, the PPPoE server.

use std::net::Ipv4Addr;

use super::text::{ensure, guarded, unless_there};
use super::{MOST_POOLS, Names, Version};

/// Our end of every PPP link, outside all pools that are made here.
const LOCAL_ADDRESS: &str = "100.64.0.1";
/// What the expired get until they paid.
const EXPIRED_SPEED: &str = "1M/1M";

pub(super) fn pools(names: &Names) -> Vec<String> {
    let all = names.pools.iter().chain(&names.expired_pools);
    let pool = |(name, (first, last)): (&String, (Ipv4Addr, Ipv4Addr))| {
        guarded(
            "a pool",
            &unless_there(
                "/ip pool",
                &format!("name={name}"),
                &format!("name={name} ranges={first}-{last}"),
            ),
        )
    };
    all.zip(ranges()).map(pool).collect()
}

/// One block of 8,192 addresses after the other, without the first few.
fn ranges() -> impl Iterator<Item = (Ipv4Addr, Ipv4Addr)> {
    (0..MOST_POOLS).map_while(|block| {
        let second = 64 + u8::try_from(block / 8).ok()?;
        let third = u8::try_from(block % 8).ok()? * 32;
        Some((
            Ipv4Addr::new(100, second, third, 10),
            Ipv4Addr::new(100, second, third + 31, 254),
        ))
    })
}

pub(super) fn profiles(names: &Names, version: Version) -> Vec<String> {
    let link = format!(
        "local-address={LOCAL_ADDRESS} dns-server={LOCAL_ADDRESS} change-tcp-mss=yes use-encryption=no use-compression=no only-one=no"
    );
    let own = names.interface.as_ref().map(|_| "\"proxpanel\"");
    let usual = names.profiles.iter().map(String::as_str).chain(own);
    let usual = usual.map(|name| {
        let key = format!("name={name}");
        guarded(
            "a profile",
            &unless_there("/ppp profile", &key, &format!("{key} {link}")),
        )
    });
    // Without its package, RouterOS 6 does not know of IPv6.
    let no_ipv6 = match version {
        Version::V6 => "",
        Version::V7 => " use-ipv6=no",
    };
    let expired = names.expired_pools.iter().map(|name| {
        let key = format!("name={name}");
        let garden = format!("remote-address={name} address-list={name}{no_ipv6}");
        let add = format!("{key} {link} {garden} rate-limit={EXPIRED_SPEED}");
        guarded(
            "the profile of the expired",
            &ensure("/ppp profile", &key, &add, &garden),
        )
    });
    usual.chain(expired).collect()
}

pub(super) fn pppoe(interface: &str) -> String {
    let fields = format!(
        "interface={interface} default-profile=\"proxpanel\" authentication=pap,chap,mschap2 keepalive-timeout=30 one-session-per-host=yes max-mtu=1492 max-mru=1492 disabled=no"
    );
    let key = format!("interface={interface}");
    guarded(
        "the PPPoE server",
        &unless_there(
            "/interface pppoe-server server",
            &key,
            &format!("service-name=\"internet\" {fields}"),
        ),
    )
}
