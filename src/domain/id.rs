//! Identifiers. Numbers that cannot be mistaken for one another.

use std::fmt::{self, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NasId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperatorId(pub u32);

/// A bandwidth rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u32);

/// A CDN profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CdnId(pub u32);

/// A server-side pool of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PoolId(pub u32);

/// One accounting session. Grows with time: it is the journal sequence of the record
/// that opened the session, so history keyed by it reads in order of appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// One accepted login, random; carried to the router in `Class` and back in accounting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginId(pub u64);

impl fmt::Display for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for NasId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for CdnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl LoginId {
    /// The text carried in `Class`: `v1:` and sixteen hex digits.
    pub fn to_class(self, subscriber: SubscriberId) -> String {
        // The longest: 3 + 8 + 1 + 16.
        let mut class = String::with_capacity(28);
        let _ = write!(class, "v1:{:x}:{:016x}", subscriber.0, self.0);
        class
    }

    /// Reads what [`LoginId::to_class`] wrote; anything else is somebody else's `Class`.
    pub fn from_class(class: &[u8]) -> Option<(SubscriberId, LoginId)> {
        let text = std::str::from_utf8(class).ok()?.strip_prefix("v1:")?;
        let (subscriber, login) = text.split_once(':')?;
        if login.len() != 16 {
            return None;
        }
        Some((
            SubscriberId(u32::from_str_radix(subscriber, 16).ok()?),
            LoginId(u64::from_str_radix(login, 16).ok()?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_reads_back_and_foreign_class_is_ignored() {
        let class = LoginId(0xabc).to_class(SubscriberId(7));
        assert_eq!(class, "v1:7:0000000000000abc");
        assert_eq!(
            LoginId::from_class(class.as_bytes()),
            Some((SubscriberId(7), LoginId(0xabc)))
        );
        for foreign in [
            "",
            "v1:",
            "v1:7",
            "v1:7:abc",
            "v2:7:0000000000000abc",
            "v1:x:0000000000000abc",
        ] {
            assert_eq!(LoginId::from_class(foreign.as_bytes()), None, "{foreign}");
        }
        assert_eq!(LoginId::from_class(&[0xff, 0xfe]), None);
    }
}
