//! Huawei NetEngine and ME60 (vendor 2011): rates as numbers, a QoS profile by name.

use super::RouterError;
use crate::domain::nas::Profile;
use crate::domain::rate::Rate;
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number::huawei;

/// Average and peak of both directions, bit/s (vendors.md, Huawei).
///
/// The peak is the rate itself: it may be used for as long as somebody likes, which a burst may not.
pub(super) fn push_speed(rate: Rate, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    let rate = rate.clamp(Profile::Huawei.fastest_kbps());
    for (kind, bps) in [
        (huawei::INPUT_AVERAGE_RATE, rate.upload_bps()),
        (huawei::INPUT_PEAK_RATE, rate.upload_bps()),
        (huawei::OUTPUT_AVERAGE_RATE, rate.download_bps()),
        (huawei::OUTPUT_PEAK_RATE, rate.download_bps()),
    ] {
        out.push_vendor_u32(huawei::VENDOR, kind, u32::try_from(bps).unwrap_or(u32::MAX))?;
    }
    Ok(())
}

/// The QoS profile. One that the router does not know ends the session, unless it was told otherwise.
pub(super) fn push_profile(name: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(huawei::VENDOR, huawei::QOS_PROFILE_NAME, name)?)
}

pub(super) fn push_delegated_pool(
    pool: &str,
    out: &mut AttributeBuffer,
) -> Result<(), RouterError> {
    Ok(out.push_vendor_text(huawei::VENDOR, huawei::DELEGATED_IPV6_PREFIX_POOL, pool)?)
}
