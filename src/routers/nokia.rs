//! Nokia SR OS (vendor 6527): an SLA profile by name, and overrides of its rates.
//!
//! An override waits, and harms nothing, where the SLA profile has no such queue (RADIUS attributes reference guide of the
//! 7750). Upload is that of ingress queue 1, since only egress has a rate for all queues together.

use super::RouterError;
use crate::domain::rate::Rate;
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number::nokia;

/// Two overrides, in kbit/s (vendors.md, Nokia).
pub(super) fn push_speed(rate: Rate, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    for text in [
        format!("i:q:1:pir={}", rate.upload_kbps),
        format!("e:r:rate={}", rate.download_kbps),
    ] {
        out.push_vendor_text(nokia::VENDOR, nokia::SUBSCRIBER_QOS_OVERRIDE, &text)?;
    }
    Ok(())
}

/// The time left in a CoA: seconds from now, where Session-Timeout would count from the start of the session.
pub(super) fn push_time_left(seconds: u32, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_vendor_u32(nokia::VENDOR, nokia::RELATIVE_SESSION_TIMEOUT, seconds)?)
}

/// The SLA profile; SR OS takes names of at most 16 characters.
pub(super) fn push_profile(name: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(nokia::VENDOR, nokia::SLA_PROF_STR, name)?)
}

pub(super) fn push_link_pool(pool: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(nokia::VENDOR, nokia::SLAAC_IPV6_POOL, pool)?)
}

pub(super) fn push_delegated_pool(
    pool: &str,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(nokia::VENDOR, nokia::DELEGATED_IPV6_POOL, pool)?)
}
