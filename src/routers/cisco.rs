//! Cisco (vendor 9): standard attributes, the pool as an AV pair, and policy maps by name.
//!
//! What a policy map does is written on the router, so a number has no place here; that is also why a speed changes only
//! with a new session (vendors.md, Cisco).

use super::{RouterError, both_ways};
use crate::radius::attribute::AttributeBuffer;
use crate::radius::number::{self, cisco};

pub(super) fn push_pool(pool: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    push_pair("ip:addr-pool", pool, out)
}

/// The policy maps of both directions, seen from the router: in is upload.
pub(super) fn push_policy(name: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    let (upload, download) = both_ways(name);
    push_pair("ip:sub-qos-policy-in", upload, out)?;
    push_pair("ip:sub-qos-policy-out", download, out)
}

fn push_pair(name: &str, value: &str, out: &mut AttributeBuffer) -> Result<(), RouterError> {
    let pair = format!("{name}={value}");
    Ok(out.push_vendor_text(cisco::VENDOR, cisco::AV_PAIR, &pair)?)
}

/// Whether this is an AV pair (one whole attribute as on the wire), of which a packet has as many as it likes.
pub(super) fn is_pair(attribute: &[u8]) -> bool {
    let [a, b, c, d] = cisco::VENDOR.to_be_bytes();
    attribute.starts_with(&[number::VENDOR_SPECIFIC])
        && attribute
            .get(2..7)
            .is_some_and(|name| name == [a, b, c, d, cisco::AV_PAIR])
}
