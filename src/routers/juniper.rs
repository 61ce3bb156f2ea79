//! Juniper MX subscriber management (vendor 4874, ERX): the shaping rate as a number, a service by name.
//!
//! Shaping is downstream only: upload is what the service says (vendors.md, Juniper).

use super::RouterError;
use crate::domain::rate::Rate;
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number::juniper;

/// The only tag in use: one service is activated.
const TAG: u8 = 1;

pub(super) fn push_pool(pool: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(juniper::VENDOR, juniper::ADDRESS_POOL_NAME, pool)?)
}

pub(super) fn push_link_pool(pool: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(juniper::VENDOR, juniper::IPV6_NDRA_POOL_NAME, pool)?)
}

pub(super) fn push_delegated_pool(
    pool: &str,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(juniper::VENDOR, juniper::IPV6_DELEGATED_POOL_NAME, pool)?)
}

/// `T01 50m`: the shaping rate of the session.
pub(super) fn push_speed(rate: Rate, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    let text = match rate.download_kbps {
        kbps if kbps % 1_000 == 0 => format!("T01 {}m", kbps / 1_000),
        kbps => format!("T01 {kbps}k"),
    };
    Ok(out.push_vendor_text(juniper::VENDOR, juniper::COS_SHAPING_PMT_TYPE, &text)?)
}

/// A dynamic profile, with its parameters in brackets if it has any.
pub(super) fn push_service(name: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_vendor_tagged_text(juniper::VENDOR, juniper::SERVICE_ACTIVATE, TAG, name)?)
}
