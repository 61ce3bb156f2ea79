//! What was changed, by whom, from where.

use super::id::{CdnId, NasId, OperatorId, PlanId, PoolId, RuleId, SubscriberId};
use super::time::Timestamp;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Operator {
        id: OperatorId,
        name: String,
        address: String,
    },
    /// The `proxpanel` command, run by the machine's owner.
    CommandLine,
    /// The daemon itself, with the reason.
    System(&'static str),
}

impl Actor {
    pub fn name(&self) -> String {
        match self {
            Actor::Operator { name, .. } => name.clone(),
            Actor::CommandLine => "command line".to_owned(),
            Actor::System(what) => format!("system: {what}"),
        }
    }

    pub fn address(&self) -> &str {
        match self {
            Actor::Operator { address, .. } => address,
            _ => "",
        }
    }
}

/// What was acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    Subscriber(SubscriberId),
    Plan(PlanId),
    Cdn(CdnId),
    Nas(NasId),
    Operator(OperatorId),
    Settings,
    Pool(PoolId),
    BandwidthRule(RuleId),
}

/// One changed value. Secrets appear as [`HIDDEN`] on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub field: String,
    pub old: String,
    pub new: String,
}

pub const HIDDEN: &str = "(hidden)";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Grows by one with every entry.
    pub sequence: u64,
    pub at: Timestamp,
    pub actor: String,
    pub address: String,
    /// What was done, past tense: `created`, `suspended`, `plan changed`.
    pub action: String,
    pub object: Object,
    /// The object's name at that time, since it may be gone later.
    pub object_name: String,
    pub changes: Vec<Change>,
}

/// Collects the fields that differ.
#[derive(Debug, Default)]
pub struct Difference(Vec<Change>);

impl Difference {
    pub fn field(&mut self, field: &str, old: impl ToString, new: impl ToString) -> &mut Self {
        let (old, new) = (old.to_string(), new.to_string());
        if old != new {
            self.0.push(Change {
                field: field.to_owned(),
                old,
                new,
            });
        }
        self
    }

    /// A secret that was replaced.
    pub fn secret(&mut self, field: &str, replaced: bool) -> &mut Self {
        if replaced {
            self.0.push(Change {
                field: field.to_owned(),
                old: HIDDEN.to_owned(),
                new: HIDDEN.to_owned(),
            });
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_changes(self) -> Vec<Change> {
        self.0
    }
}
