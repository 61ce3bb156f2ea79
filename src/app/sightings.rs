//! Addresses that sent RADIUS packets and are no NAS of ours, for the "add as NAS" button.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::domain::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub source: IpAddr,
    pub packets: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// As sent, unverified, for display.
    pub user_name: String,
    pub nas_identifier: String,
}

/// Addresses kept; anybody can send packets from many.
const MOST_SOURCES: usize = 256;
/// Characters kept of what strangers send.
const LONGEST_TEXT: usize = 64;

pub struct Sightings(Mutex<HashMap<IpAddr, Sighting>>);

impl Sightings {
    pub(super) fn new() -> Self {
        Sightings(Mutex::new(HashMap::new()))
    }

    /// Notes a packet. True when the address is new, so that it is logged once.
    pub fn note(
        &self,
        source: IpAddr,
        user_name: Option<&[u8]>,
        nas_identifier: Option<&[u8]>,
        now: Timestamp,
    ) -> bool {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !sources.contains_key(&source);
        if is_new && sources.len() >= MOST_SOURCES {
            let oldest = sources.values().min_by_key(|s| s.last).map(|s| s.source);
            oldest.and_then(|oldest| sources.remove(&oldest));
        }
        let sighting = sources.entry(source).or_insert_with(|| Sighting {
            source,
            packets: 0,
            first: now,
            last: now,
            user_name: String::new(),
            nas_identifier: String::new(),
        });
        sighting.packets += 1;
        sighting.last = now;
        remember(&mut sighting.user_name, user_name);
        remember(&mut sighting.nas_identifier, nas_identifier);
        is_new
    }

    /// Newest first.
    pub fn list(&self) -> Vec<Sighting> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<Sighting> = sources.values().cloned().collect();
        list.sort_by_key(|s| (std::cmp::Reverse(s.last), s.source));
        list
    }

    /// Forgets the addresses that a NAS covers by now.
    pub fn forget(&self, covered: impl Fn(IpAddr) -> bool) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|source, _| !covered(*source));
    }
}

fn remember(kept: &mut String, sent: Option<&[u8]>) {
    if let Some(sent) = sent {
        *kept = String::from_utf8_lossy(sent)
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST_TEXT)
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let sightings = Sightings::new();
        for n in 0..1_000u32 {
            let source = IpAddr::from(n.to_be_bytes());
            assert!(sightings.note(source, Some(&[b'x'; 253]), None, Timestamp(n.into())));
        }
        let list = sightings.list();
        assert_eq!(list.len(), MOST_SOURCES);
        assert_eq!(list[0].last, Timestamp(999));
        assert_eq!(list[0].user_name.len(), LONGEST_TEXT);
        assert!(!sightings.note(list[0].source, None, None, Timestamp(1_000)));
        assert_eq!(sightings.list()[0].packets, 2);
        sightings.forget(|_| true);
        assert!(sightings.list().is_empty());
    }
}
