//! accel-ppp, also inside VyOS: the shaper reads Filter-Id unless it is told otherwise (vendors.md, accel-ppp).

use super::RouterError;
use crate::domain::nas::Profile;
use crate::domain::rate::Rate;
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number;

/// `50000/10000`: kbit/s, download first.
pub(super) fn push_speed(rate: Rate, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    let rate = rate.clamp(Profile::AccelPpp.fastest_kbps());
    let text = format!("{}/{}", rate.download_kbps, rate.upload_kbps);
    Ok(out.push_text(number::FILTER_ID, &text)?)
}
