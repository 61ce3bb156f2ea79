//! Extra RADIUS attributes of a plan or a subscriber: what else a request must say, and what else a reply says.
//!
//! Here they are text and octets; what an attribute is called and how its value is written is known to the dictionary, by which
//! they were checked when they were typed. Invariant: `octets` is what `text` means.

/// Attributes of one list.
pub const MOST_EXTRAS: usize = 16;

/// One attribute with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// As typed, but the name and the blanks in one spelling: `Mikrotik-Group = gold`.
    pub text: String,
    /// Type, length and value as on the wire, vendor-specific ones inside attribute 26.
    pub octets: Vec<u8>,
}

/// The attributes of a plan or subscriber; each list at most [`MOST_EXTRAS`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extras {
    /// The request must carry each of these, or the login is refused.
    pub check: Vec<Extra>,
    /// The accept carries these behind our own.
    pub reply: Vec<Extra>,
}

impl Extras {
    pub fn is_empty(&self) -> bool {
        self.check.is_empty() && self.reply.is_empty()
    }
}
