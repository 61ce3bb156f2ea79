//! A change of a router in words, for the page that shows it before it is made.

use crate::routers::routeros::objects::{Change, Item};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Add,
    Change,
    Move,
    Remove,
}

/// One change of a router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub verb: Verb,
    /// Where on the router: `/queue/simple`.
    pub menu: &'static str,
    /// The comment by which it is known as ours, or its name where there are no comments.
    pub object: String,
    /// The values that are told, as on the command line of the router; empty for a removal.
    pub values: String,
}

impl From<&Change> for Step {
    fn from(change: &Change) -> Step {
        let (verb, values) = match change {
            Change::Add {
                item: Item { fields, .. },
                ..
            } => (Verb::Add, values(fields)),
            Change::Set { fields, .. } => (Verb::Change, values(fields)),
            Change::Move { before, .. } => {
                let place = match before {
                    Some(_) => "above the queues of sessions",
                    None => "to the end",
                };
                (Verb::Move, place.to_owned())
            }
            Change::Remove { .. } => (Verb::Remove, String::new()),
        };
        Step {
            verb,
            menu: change.menu().path(),
            object: change.key().to_owned(),
            values,
        }
    }
}

fn values(fields: &[(&'static str, String)]) -> String {
    let values = fields.iter().map(|(name, value)| format!("{name}={value}"));
    values.collect::<Vec<_>>().join(" ")
}
