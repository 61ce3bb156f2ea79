//! ZTE (vendor 3902): sustained rates as numbers, QoS profiles by name.

use super::{RouterError, both_ways};
use crate::domain::rate::Rate;
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number::zte;

/// 32 bits, bit/s; some products are said to count otherwise (vendors.md, ZTE).
pub(super) fn push_speed(rate: Rate, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    for (kind, bps) in [
        (zte::RATE_CTRL_SCR_UP, rate.upload_bps()),
        (zte::RATE_CTRL_SCR_DOWN, rate.download_bps()),
    ] {
        out.push_vendor_u32(zte::VENDOR, kind, u32::try_from(bps).unwrap_or(u32::MAX))?;
    }
    Ok(())
}

/// The QoS profiles of both directions.
pub(super) fn push_profile(name: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    let (upload, download) = both_ways(name);
    out.push_vendor_text(zte::VENDOR, zte::QOS_PROFILE_UP, upload)?;
    Ok(out.push_vendor_text(zte::VENDOR, zte::QOS_PROFILE_DOWN, download)?)
}
