//! What the verbs do: the rows they write, the audit entry, the follow-up work, and what they refuse.

mod addresses;
mod macs;
mod notices;
mod reconnects;
mod routers;
mod rules;
mod search;
mod speeds;
mod usage_audit;
mod vendors;
mod verbs;
mod whole;

use std::net::{IpAddr, Ipv4Addr};

use super::testing::*;
use super::*;
use crate::domain::audit::{Entry, Object};
use crate::domain::id::{NasId, PlanId, SubscriberId};
use crate::store::audit;
use crate::store::outbox::{self, Lane, Work};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The newest audit entry of an object.
fn noted(it: &TestApp, object: Object) -> Entry {
    let view = it.app.store.view().unwrap();
    audit::of(&view, object, 1).unwrap().remove(0)
}

/// Audit entries so far.
fn entries(it: &TestApp) -> u64 {
    let view = it.app.store.view().unwrap();
    let newest = audit::newest(&view, u64::MAX, 1, 1, |_| true).unwrap();
    newest.first().map_or(0, |entry| entry.sequence)
}

/// Field, old and new value.
fn changes(entry: &Entry) -> Vec<(&str, &str, &str)> {
    let words = entry.changes.iter();
    words
        .map(|c| (c.field.as_str(), c.old.as_str(), c.new.as_str()))
        .collect()
}

/// The field of a form that is refused.
#[track_caller]
fn refused_field<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Field { field, .. }) => field,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was done"),
    }
}
