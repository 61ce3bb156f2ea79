//! From an entitlement to the attributes of an Access-Accept, and from a speed to those of a CoA-Request.
//!
//! The order is that of radius.md section 9. Message-Authenticator and Class are not written here, nor is what
//! identifies a session in a CoA-Request. Invariant: no value that a router takes for "none" is written; 0 seconds and
//! empty names are left out or raised.

use super::{RouterError, accel_ppp, cisco, generic, huawei, juniper, mikrotik, nokia, wispr, zte};
use crate::domain::access::{AddressChoice, Entitlement};
use crate::domain::extra::Extra;
use crate::domain::nas::Profile;
use crate::domain::rate::RateLimit;
use crate::radius::attribute::{AttributeBuffer, Ipv6Prefix};
use crate::radius::number;

const SERVICE_TYPE_FRAMED: u32 = 2;
const FRAMED_PROTOCOL_PPP: u32 = 1;
/// Session-Timeout and Acct-Interim-Interval, in seconds. RouterOS takes an interim interval of 0 for its own setting.
const SHORTEST: u32 = 60;

/// Appends what an Access-Accept says about the session; extra attributes come last and take the place of ours.
///
/// Errors: a pool or list name does not fit into an attribute, or the packet is full; `out` then holds a part.
pub fn accept(
    profile: Profile,
    entitlement: &Entitlement,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    out.push_u32(number::SERVICE_TYPE, SERVICE_TYPE_FRAMED)?;
    out.push_u32(number::FRAMED_PROTOCOL, FRAMED_PROTOCOL_PPP)?;
    push_address(profile, &entitlement.address, out)?;
    push_ipv6(profile, entitlement, out)?;
    if let Some(seconds) = entitlement.session_timeout {
        out.push_u32(number::SESSION_TIMEOUT, seconds.max(SHORTEST))?;
    }
    out.push_u32(
        number::ACCT_INTERIM_INTERVAL,
        entitlement.interim_interval.max(SHORTEST),
    )?;
    push_speed(profile, &entitlement.limit, out)?;
    push_names(profile, entitlement, out)?;
    push_extras(&entitlement.extra_reply, out)
}

/// Appends what a CoA-Request may change of a running session: its speed and, if given, its remaining time in seconds.
///
/// Never the address, the pool or the address list: routers refuse the whole request for them (mikrotik.md a4).
/// Errors: `NeedsDisconnect` for routers that take a new speed only at login; nothing was written then.
pub fn change(
    profile: Profile,
    limit: &RateLimit,
    session_timeout: Option<u32>,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    if !profile.can_change_speed() {
        return Err(RouterError::NeedsDisconnect(profile.label()));
    }
    if let Some(seconds) = session_timeout {
        let seconds = seconds.max(SHORTEST);
        match profile {
            Profile::Nokia => nokia::push_time_left(seconds, out)?,
            _ => out.push_u32(number::SESSION_TIMEOUT, seconds)?,
        }
    }
    push_speed(profile, limit, out)
}

fn push_address(
    profile: Profile,
    choice: &AddressChoice,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    match choice {
        AddressChoice::Static(address) => out.push_ipv4(number::FRAMED_IP_ADDRESS, *address)?,
        AddressChoice::Pool(pool) if !pool.is_empty() => match profile {
            Profile::Cisco => cisco::push_pool(pool, out)?,
            Profile::Juniper => juniper::push_pool(pool, out)?,
            _ => out.push_text(number::FRAMED_POOL, pool)?,
        },
        // An address of ours is put in its place before the reply is written; our pool means nothing to a router.
        AddressChoice::Pool(_) | AddressChoice::Router | AddressChoice::Server(_) => {}
    }
    Ok(())
}

/// The pool of the link, and the delegated prefix or the pool it comes from.
fn push_ipv6(
    profile: Profile,
    entitlement: &Entitlement,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    let link = entitlement.ipv6_pool.as_str();
    if !link.is_empty() {
        match profile {
            Profile::Juniper => juniper::push_link_pool(link, out)?,
            Profile::Nokia => nokia::push_link_pool(link, out)?,
            _ => out.push_text(number::FRAMED_IPV6_POOL, link)?,
        }
    }
    if let Some((address, length)) = entitlement.delegated_prefix {
        let prefix = Ipv6Prefix::new(address, length)?;
        return Ok(out.push_ipv6_prefix(number::DELEGATED_IPV6_PREFIX, prefix)?);
    }
    let delegated = entitlement.delegated_pool.as_str();
    if delegated.is_empty() {
        return Ok(());
    }
    match profile {
        Profile::MikroTik => mikrotik::push_delegated_pool(delegated, out),
        Profile::Huawei => huawei::push_delegated_pool(delegated, out),
        Profile::Juniper => juniper::push_delegated_pool(delegated, out),
        Profile::Nokia => nokia::push_delegated_pool(delegated, out),
        _ => Ok(out.push_text(number::DELEGATED_IPV6_PREFIX_POOL, delegated)?),
    }
}

/// The speed in numbers, which Cisco does not take.
fn push_speed(
    profile: Profile,
    limit: &RateLimit,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    match profile {
        Profile::MikroTik => mikrotik::push_rate_limit(limit, out),
        Profile::Cisco => Ok(()),
        Profile::Huawei => huawei::push_speed(limit.rate, out),
        Profile::Juniper => juniper::push_speed(limit.rate, out),
        Profile::Nokia => nokia::push_speed(limit.rate, out),
        Profile::Zte => zte::push_speed(limit.rate, out),
        Profile::AccelPpp => accel_ppp::push_speed(limit.rate, out),
        Profile::Wispr | Profile::Generic => wispr::push_bandwidth(limit.rate, out),
    }
}

/// The names that the router must know: its profile, policy or service, and the address list.
fn push_names(
    profile: Profile,
    entitlement: &Entitlement,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    if profile == Profile::MikroTik && !entitlement.address_list.is_empty() {
        mikrotik::push_address_list(&entitlement.address_list, out)?;
    }
    let name = entitlement.router_profile.as_str();
    if name.is_empty() || (is_walled(entitlement) && profile != Profile::MikroTik) {
        return Ok(());
    }
    match profile {
        Profile::MikroTik => mikrotik::push_group(name, out),
        Profile::Cisco => cisco::push_policy(name, out),
        Profile::Huawei => huawei::push_profile(name, out),
        Profile::Juniper => juniper::push_service(name, out),
        Profile::Nokia => nokia::push_profile(name, out),
        Profile::Zte => zte::push_profile(name, out),
        Profile::AccelPpp | Profile::Wispr => Ok(()),
        Profile::Generic => generic::push_filter(name, out),
    }
}

/// In the expired pool the profile is called like the pool. Only RouterOS was told to have one (mikrotik.md c1); elsewhere an
/// unknown name may end the session (vendors.md, Huawei), so there the pool alone has to do.
fn is_walled(entitlement: &Entitlement) -> bool {
    entitlement.is_expired
        && matches!(&entitlement.address, AddressChoice::Pool(pool) if *pool == entitlement.router_profile)
}

/// An attribute that was typed replaces ours of that name, so that no router has to choose; but AV pairs add up.
fn push_extras(extras: &[Extra], out: &mut AttributeBuffer) -> Result<(), RouterError> {
    for extra in extras {
        if !cisco::is_pair(&extra.octets) {
            out.remove_like(&extra.octets);
        }
    }
    for extra in extras {
        out.push_whole(&extra.octets)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
