//! The full-text index behind the search box. The only room that names tantivy.
//!
//! Here: documents of normalised words under a key, and queries that give keys back. Not here: what a key stands for,
//! who may see it, and the texts themselves, which stay in the store. Invariant: the index can be deleted any day; the
//! sequence number in its last commit says from which change on the caller must replay.

mod indexer;
mod query;
mod schema;
mod wanted;
mod words;

pub use indexer::{Index, Opened, Rebuilt};
pub use wanted::matches;

use std::path::PathBuf;

/// What a document is found as: the caller's kind of thing and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub kind: u8,
    pub id: u32,
}

impl Key {
    /// The kind above the low 32 bits, so that keys order as pairs do.
    fn pack(self) -> u64 {
        (u64::from(self.kind) << 32) | u64::from(self.id)
    }

    /// `None` for a number that [`Key::pack`] never makes.
    fn unpack(packed: u64) -> Option<Key> {
        Some(Key {
            kind: u8::try_from(packed >> 32).ok()?,
            id: u32::try_from(packed & u64::from(u32::MAX)).ok()?,
        })
    }
}

/// One thing to be found by any of its texts: names, phones, addresses, numbers, as people wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub key: Key,
    pub texts: Vec<String>,
}

/// A step from the store to the index. Both may be repeated without harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds the document or replaces the one with its key.
    Put(Document),
    Delete(Key),
}

#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error("search folder {path}: {source}")]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("search index: {0}")]
    Engine(#[from] tantivy::TantivyError),
}

#[cfg(test)]
mod tests;
