//! Who has a connection: the bounds in all, of one NAS, and of handshakes from one address.
//!
//! Invariant: what was taken is given back when its guard is dropped, whatever way a connection ends.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Limits;

pub(super) struct Seats {
    limits: Limits,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
    by_nas: HashMap<u32, usize>,
}

impl Seats {
    pub fn new(limits: Limits) -> Arc<Seats> {
        Arc::new(Seats {
            limits,
            taken: Mutex::default(),
        })
    }

    /// A place for a handshake. `None` when there is no room.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Handshake> {
        let mut taken = self.lock();
        if taken.total >= self.limits.connections {
            return None;
        }
        if !add(
            &mut taken.by_address,
            address,
            self.limits.handshakes_per_address,
        ) {
            return None;
        }
        taken.total += 1;
        Some(Handshake {
            seats: Arc::clone(self),
            address,
            is_over: false,
        })
    }

    /// A poisoned lock is entered: the counts are whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K, most: usize) -> bool {
    let count = counts.entry(key).or_default();
    let has_room = *count < most;
    if has_room {
        *count += 1;
    }
    has_room
}

/// Forgets a key that has none left, so that the map holds only what is open.
fn subtract<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// A connection that is not anybody's yet.
pub(super) struct Handshake {
    seats: Arc<Seats>,
    address: IpAddr,
    is_over: bool,
}

impl Handshake {
    /// Turns it into a connection of this NAS. `None` when it has too many already.
    pub fn sit(mut self, nas: u32) -> Option<Seat> {
        let seats = Arc::clone(&self.seats);
        let mut taken = seats.lock();
        if !add(&mut taken.by_nas, nas, seats.limits.per_nas) {
            return None;
        }
        self.is_over = true;
        subtract(&mut taken.by_address, &self.address);
        drop(taken);
        Some(Seat { seats, nas })
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        if !self.is_over {
            let mut taken = self.seats.lock();
            taken.total = taken.total.saturating_sub(1);
            subtract(&mut taken.by_address, &self.address);
        }
    }
}

/// A connection of a NAS.
pub(super) struct Seat {
    seats: Arc<Seats>,
    nas: u32,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.total = taken.total.saturating_sub(1);
        subtract(&mut taken.by_nas, &self.nas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const TWO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn seats() -> Arc<Seats> {
        Seats::new(Limits {
            connections: 4,
            per_nas: 2,
            handshakes_per_address: 2,
            ..Limits::default()
        })
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let seats = seats();
        let first = seats.enter(ONE).unwrap();
        let second = seats.enter(ONE).unwrap();
        assert!(seats.enter(ONE).is_none());
        let third = seats.enter(TWO).unwrap();
        drop(first);
        let fourth = seats.enter(ONE).unwrap();
        let fifth = seats.enter(TWO).unwrap();
        drop((second, fourth));
        let _sixth = seats.enter(ONE).unwrap();
        let _seventh = seats.enter(ONE).unwrap();
        assert!(
            seats.enter(IpAddr::from([10, 0, 0, 3])).is_none(),
            "four in all"
        );
        drop((third, fifth));
        assert!(seats.enter(IpAddr::from([10, 0, 0, 3])).is_some());
    }

    #[test]
    fn a_nas_has_its_own_bound_and_everything_is_given_back() {
        let seats = seats();
        let first = seats.enter(ONE).unwrap().sit(7).unwrap();
        let second = seats.enter(ONE).unwrap().sit(7).unwrap();
        assert!(seats.enter(ONE).unwrap().sit(7).is_none());
        let other = seats.enter(ONE).unwrap().sit(8).unwrap();
        drop(first);
        let third = seats.enter(ONE).unwrap().sit(7).unwrap();
        drop((second, third, other));
        let taken = seats.lock();
        assert_eq!(taken.total, 0);
        assert!(taken.by_address.is_empty() && taken.by_nas.is_empty());
    }
}
