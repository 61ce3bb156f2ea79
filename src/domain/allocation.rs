//! Which slots of a pool are taken: one bit each.
//!
//! Not here: what a slot stands for (`pool`), and who has it. Invariant: a slot is handed out once until it is freed.

/// Slots in one word of the bitmap.
const WORD: u32 = u64::BITS;

/// Slots 0 to `size`, each free or taken. The search goes on where the last one ended, so that a slot which was freed rests
/// as long as there are others.
#[derive(Debug, Clone)]
pub struct Allocation {
    words: Vec<u64>,
    size: u32,
    taken: u32,
    /// Where the next search begins.
    cursor: u32,
}

impl Allocation {
    /// All free.
    pub fn new(size: u32) -> Allocation {
        let words = usize::try_from(size.div_ceil(WORD)).unwrap_or(usize::MAX);
        Allocation {
            words: vec![0; words],
            size,
            taken: 0,
            cursor: 0,
        }
    }

    pub fn size(&self) -> u32 {
        self.size
    }

    pub fn taken(&self) -> u32 {
        self.taken
    }

    /// Whether the slot can be taken: false for one that does not exist.
    pub fn is_free(&self, slot: u32) -> bool {
        slot < self.size && self.word(slot).is_some_and(|word| word & bit(slot) == 0)
    }

    /// Takes the preferred slot if it is free, else the next free one; `None` when all are taken.
    pub fn take(&mut self, preferred: Option<u32>) -> Option<u32> {
        if let Some(slot) = preferred.filter(|slot| self.is_free(*slot)) {
            self.set(slot);
            return Some(slot);
        }
        let slot = self.free_from(self.cursor).or_else(|| self.free_from(0))?;
        self.set(slot);
        self.cursor = slot.saturating_add(1);
        Some(slot)
    }

    /// False when it was free, or does not exist.
    pub fn free(&mut self, slot: u32) -> bool {
        if slot >= self.size || self.is_free(slot) {
            return false;
        }
        if let Some(word) = self.word_mut(slot) {
            *word &= !bit(slot);
            self.taken = self.taken.saturating_sub(1);
        }
        true
    }

    /// Frees all; the search goes on where it was.
    pub fn free_all(&mut self) {
        self.words.fill(0);
        self.taken = 0;
    }

    fn set(&mut self, slot: u32) {
        if let Some(word) = self.word_mut(slot) {
            *word |= bit(slot);
            self.taken = self.taken.saturating_add(1);
        }
    }

    /// The first free slot from `start` on.
    fn free_from(&self, start: u32) -> Option<u32> {
        let first = start / WORD;
        let words = self.words.iter().zip(0_u32..).skip(index(start));
        for (word, number) in words {
            // Slots before the start count as taken.
            let passed = if number == first { bit(start) - 1 } else { 0 };
            let free = (!(word | passed)).trailing_zeros();
            if free < WORD {
                return Some(number * WORD + free).filter(|slot| *slot < self.size);
            }
        }
        None
    }

    fn word(&self, slot: u32) -> Option<&u64> {
        self.words.get(index(slot))
    }

    fn word_mut(&mut self, slot: u32) -> Option<&mut u64> {
        self.words.get_mut(index(slot))
    }
}

fn index(slot: u32) -> usize {
    usize::try_from(slot / WORD).unwrap_or(usize::MAX)
}

fn bit(slot: u32) -> u64 {
    1 << (slot % WORD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn every_slot_is_handed_out_once() {
        for size in [0, 1, 63, 64, 65, 127, 128, 1_000] {
            let mut slots = Allocation::new(size);
            let handed: HashSet<u32> = std::iter::from_fn(|| slots.take(None)).collect();
            assert_eq!(handed, (0..size).collect(), "{size}");
            assert_eq!((slots.taken(), slots.take(Some(0))), (size, None));
            slots.free_all();
            assert_eq!((slots.taken(), slots.is_free(size)), (0, false));
            assert_eq!(
                std::iter::from_fn(|| slots.take(None)).count(),
                handed.len()
            );
        }
    }

    #[test]
    fn a_freed_slot_rests_until_the_others_were_used() {
        let mut slots = Allocation::new(3);
        assert_eq!((slots.take(None), slots.take(None)), (Some(0), Some(1)));
        assert!(slots.free(0));
        assert_eq!(slots.take(None), Some(2));
        assert_eq!(slots.take(None), Some(0));
        assert_eq!(slots.take(None), None);
        slots.free_all();
        assert_eq!(slots.take(None), Some(1));
    }

    #[test]
    fn the_preferred_slot_comes_first_and_moves_nothing() {
        let mut slots = Allocation::new(100);
        assert_eq!(slots.take(Some(70)), Some(70));
        assert_eq!(slots.take(Some(70)), Some(0));
        assert_eq!(slots.take(Some(100)), Some(1));
        assert_eq!(slots.take(Some(u32::MAX)), Some(2));
        assert!(!slots.free(3) && !slots.free(100) && !slots.free(u32::MAX));
        assert!(slots.free(70) && !slots.free(70));
        assert_eq!(slots.taken(), 3);
    }

    proptest! {
        #[test]
        fn no_slot_has_two_holders(size in 1_u32..200, steps in proptest::collection::vec((any::<bool>(), 0_u32..220), 0..400)) {
            let mut slots = Allocation::new(size);
            let mut held = HashSet::new();
            for (takes, slot) in steps {
                if takes {
                    match slots.take(Some(slot)) {
                        Some(taken) => {
                            prop_assert!(taken < size && held.insert(taken));
                            prop_assert!(taken == slot || slot >= size || held.contains(&slot));
                        }
                        None => prop_assert_eq!(held.len(), usize::try_from(size).unwrap()),
                    }
                } else {
                    prop_assert_eq!(slots.free(slot), held.remove(&slot));
                }
                prop_assert_eq!(usize::try_from(slots.taken()).unwrap(), held.len());
                prop_assert_eq!(slots.is_free(slot), slot < size && !held.contains(&slot));
            }
        }
    }
}
