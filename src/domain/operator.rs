//! Operators: who signs in to the panel.

use super::Invalid;
use super::id::OperatorId;
use super::time::Timestamp;

/// What an operator may do. An operator without a role could do nothing, so there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Administrator,
    /// Sees everything, changes nothing but the own password.
    Viewer,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Administrator, Role::Viewer];

    pub fn word(self) -> &'static str {
        match self {
            Role::Administrator => "administrator",
            Role::Viewer => "viewer",
        }
    }

    pub fn parse(text: &str) -> Result<Role, Invalid> {
        Self::ALL
            .into_iter()
            .find(|r| r.word() == text)
            .ok_or_else(|| Invalid::new("One of administrator, viewer"))
    }

    pub fn may_change(self) -> bool {
        self == Role::Administrator
    }
}

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
