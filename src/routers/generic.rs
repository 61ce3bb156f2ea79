//! Routers of no particular vendor: what every dictionary has, and the WISPr bandwidth that many vendors read.
//!
//! No Filter-Id: it names a filter that somebody must have made on the router, and an unknown one ends the session.

use super::{RouterError, wispr};
use crate::domain::rate::Rate;
use crate::radius::attribute::AttributeBuffer;

pub(super) fn push_bandwidth(rate: Rate, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    wispr::push_bandwidth(rate, out)
}
