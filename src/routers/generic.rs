//! Routers of no particular vendor: what every dictionary has, and the WISPr bandwidth that many vendors read.
//!
//! A Filter-Id only where the plan names one: it is a filter that somebody must have made on the router, and an unknown
//! one ends the session.

use super::RouterError;
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number;

pub(super) fn push_filter(name: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    Ok(out.push_text(number::FILTER_ID, name)?)
}
