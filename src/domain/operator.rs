//! Operators: who signs in to the panel.

use super::Invalid;
use super::id::OperatorId;
use super::time::Timestamp;

/// What an operator may do. An operator without a role could do nothing, so there is none. Whatever a role is not
/// expressly allowed it may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Administrator,
    /// Sees everything, changes nothing but the own password.
    Viewer,
    /// The technician of the vendor, for some hours (PRODUCT.md section 8): the daily work, but nothing that shows a secret
    /// or gives anybody more rights.
    Support,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Administrator, Role::Viewer, Role::Support];
    /// Those that a person may be given; remote support is switched on, not given.
    pub const GIVEN: [Role; 2] = [Role::Administrator, Role::Viewer];

    pub fn word(self) -> &'static str {
        match self {
            Role::Administrator => "administrator",
            Role::Viewer => "viewer",
            Role::Support => "support",
        }
    }

    /// The role behind a word that was kept.
    pub fn from_word(word: &str) -> Option<Role> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// A role that somebody is to be given.
    pub fn parse(text: &str) -> Result<Role, Invalid> {
        Self::GIVEN
            .into_iter()
            .find(|role| role.word() == text)
            .ok_or_else(|| Invalid::new("One of administrator, viewer"))
    }

    /// May change everything and see secrets: NAS devices, operators, settings, passwords and all that is not daily work.
    pub fn may_change(self) -> bool {
        self == Role::Administrator
    }

    /// May do the daily work: subscribers, plans, rules, addresses, CDN profiles, sessions, jobs.
    pub fn may_work(self) -> bool {
        matches!(self, Role::Administrator | Role::Support)
    }
}

/// The name of the account of remote support. Nobody else may have it.
pub const SUPPORT_NAME: &str = "support";
/// For how many hours remote support can be switched on.
pub const SUPPORT_HOURS: [u16; 4] = [1, 4, 24, 72];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub id: OperatorId,
    /// Compared without case, kept as typed.
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
}

/// The name an operator signs in with: 2 to 32 letters, digits and `. _ - @`.
pub fn parse_name(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let fits = (2..=32).contains(&text.chars().count());
    if fits
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "._-@".contains(c))
    {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(
            "2 to 32 letters, digits, dots, dashes, underscores or @",
        ))
    }
}

/// At least ten characters (NIST SP 800-63B asks for length, not for kinds of characters).
pub fn check_password(text: &str) -> Result<(), Invalid> {
    match text.chars().count() {
        0..=9 => Err(Invalid::new("At least 10 characters")),
        10..=256 => Ok(()),
        _ => Err(Invalid::new("At most 256 characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_role_may_is_written_down_and_no_more() {
        for (role, may_work, may_change) in [
            (Role::Administrator, true, true),
            (Role::Viewer, false, false),
            (Role::Support, true, false),
        ] {
            assert_eq!(role.may_work(), may_work, "{role:?}");
            assert_eq!(role.may_change(), may_change, "{role:?}");
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
        assert_eq!(Role::from_word("owner"), None);
        assert_eq!(Role::parse("viewer"), Ok(Role::Viewer));
        assert!(
            Role::parse("support").is_err(),
            "nobody is given remote support"
        );
    }

    #[test]
    fn names_and_passwords_have_bounds() {
        assert_eq!(parse_name(" ali.k "), Ok("ali.k".into()));
        for text in ["", "a", "a b", "a/b", &"a".repeat(33)] {
            assert!(parse_name(text).is_err(), "{text}");
        }
        assert!(check_password(&"x".repeat(9)).is_err());
        assert!(check_password(&"x".repeat(10)).is_ok());
        assert!(check_password(&"x".repeat(257)).is_err());
    }
}
