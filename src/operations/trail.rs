//! The audit entry that every verb leaves, in the transaction that does the work.

use crate::domain::audit::{Actor, Difference, Object};
use crate::domain::bandwidth_rule::BandwidthRule;
use crate::domain::cdn::CdnProfile;
use crate::domain::nas::Nas;
use crate::domain::operator::Operator;
use crate::domain::plan::Plan;
use crate::domain::pool::Pool;
use crate::domain::subscriber::Subscriber;
use crate::domain::time::Timestamp;
use crate::store::Tx;
use crate::store::audit::{self, NewEntry};

use super::Error;

/// What entries are about.
pub(super) trait Audited {
    fn object(&self) -> Object;

    /// The name it has now; it may be gone when the entry is read.
    fn name(&self) -> &str;
}

impl Audited for Subscriber {
    fn object(&self) -> Object {
        Object::Subscriber(self.id)
    }

    fn name(&self) -> &str {
        self.username.as_str()
    }
}

impl Audited for Plan {
    fn object(&self) -> Object {
        Object::Plan(self.id)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Audited for Pool {
    fn object(&self) -> Object {
        Object::Pool(self.id)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Audited for CdnProfile {
    fn object(&self) -> Object {
        Object::Cdn(self.id)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Audited for BandwidthRule {
    fn object(&self) -> Object {
        Object::BandwidthRule(self.id)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Audited for Nas {
    fn object(&self) -> Object {
        Object::Nas(self.id)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Audited for Operator {
    fn object(&self) -> Object {
        Object::Operator(self.id)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// What is known by its name alone, such as a session after its user.
pub(super) struct Named<'n>(pub Object, pub &'n str);

impl Audited for Named<'_> {
    fn object(&self) -> Object {
        self.0
    }

    fn name(&self) -> &str {
        self.1
    }
}

/// A part of the appliance, such as a tab of its settings.
pub(super) fn part(name: &str) -> Named<'_> {
    Named(Object::Settings, name)
}

/// Adds the entry: who did what to which thing, and what is different now.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &str,
    what: &impl Audited,
    difference: Difference,
    now: Timestamp,
) -> Result<(), Error> {
    let entry = NewEntry {
        at: now,
        actor,
        action,
        object: what.object(),
        object_name: what.name(),
        changes: difference.into_changes(),
    };
    Ok(audit::add(tx, entry)?)
}
