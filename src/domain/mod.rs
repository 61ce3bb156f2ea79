//! The rules of an internet service provider: values in, values out.
//!
//! Nothing here reads a clock, a socket, a file or a table. Every function that
//! depends on the present takes `now`. The only crate used is the civil-time one.

pub mod access;
pub mod acme;
pub mod address;
pub mod allocation;
pub mod audit;
pub mod backup;
pub mod bandwidth_rule;
pub mod cdn;
pub mod duration;
pub mod extra;
pub mod fup;
pub mod hours;
pub mod id;
pub mod import;
pub mod mac;
pub mod money;
pub mod nas;
pub mod notice;
pub mod octets;
pub mod operator;
pub mod plan;
pub mod plan_warnings;
pub mod pool;
pub mod quota;
pub mod radsec;
pub mod rate;
pub mod rating;
pub mod reconnect;
pub mod schedule;
pub mod session;
pub mod speed;
pub mod subscriber;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
pub mod theme;
pub mod time;
pub mod usage_audit;
pub mod why;
pub mod window;

/// Why a typed value was refused: which rule it broke, in words for the form field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub String);

impl Invalid {
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}
