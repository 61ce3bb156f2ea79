//! A picture of the main file that can be opened without ever writing to it: what redb writes stays in memory.
//!
//! Used to look at a file before trusting it, and to go on reading when the file cannot be written. Invariant: the file
//! below never changes. Memory: redb writes a few pages when it opens, and no write transaction runs on an overlay.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// The unit in which changes are kept. redb writes whole pages of this size.
const PAGE: usize = 4096;
const PAGE_OCTETS: u64 = 4096;

#[derive(Debug)]
pub(super) struct Overlay {
    below: Box<dyn StorageBackend>,
    /// False for a file opened without write permission, whose locks the system refuses.
    locks: bool,
    changes: Mutex<Changes>,
}

#[derive(Debug)]
struct Changes {
    length: u64,
    /// How much of the file below still shows through: less than its length once it was shortened here.
    visible: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

impl Overlay {
    pub(super) fn new(below: impl StorageBackend, locks: bool) -> io::Result<Self> {
        let length = below.len()?;
        let changes = Changes {
            length,
            visible: length,
            pages: BTreeMap::new(),
        };
        Ok(Overlay {
            below: Box::new(below),
            locks,
            changes: Mutex::new(changes),
        })
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One page as it looks now.
    fn page(&self, changes: &Changes, number: u64) -> io::Result<Box<[u8; PAGE]>> {
        if let Some(page) = changes.pages.get(&number) {
            return Ok(page.clone());
        }
        let mut page = Box::new([0; PAGE]);
        let start = number
            .checked_mul(PAGE_OCTETS)
            .ok_or(io::ErrorKind::InvalidInput)?;
        let shown = changes.visible.saturating_sub(start).min(PAGE_OCTETS);
        let shown = usize::try_from(shown).unwrap_or(PAGE);
        if let Some(part) = page.get_mut(..shown).filter(|part| !part.is_empty()) {
            self.below.read(start, part)?;
        }
        Ok(page)
    }
}

/// Cuts `length` octets from `offset` into pieces that each lie in one page: page number, start in the page, octets.
fn pieces(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let mut offset = offset;
    let mut left = length;
    std::iter::from_fn(move || {
        let start = usize::try_from(offset % PAGE_OCTETS).unwrap_or(0);
        let take = left.min(PAGE - start);
        if take == 0 {
            return None;
        }
        let piece = (offset / PAGE_OCTETS, start, take);
        offset = offset.saturating_add(u64::try_from(take).unwrap_or(u64::MAX));
        left -= take;
        Some(piece)
    })
}

fn end_of(offset: u64, length: usize) -> io::Result<u64> {
    let length = u64::try_from(length).map_err(io::Error::other)?;
    offset
        .checked_add(length)
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changes().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changes = self.changes();
        if end_of(offset, out.len())? > changes.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut rest = out;
        for (number, start, take) in pieces(offset, rest.len()) {
            let page = self.page(&changes, number)?;
            let (part, after) = rest
                .split_at_mut_checked(take)
                .ok_or(io::ErrorKind::InvalidInput)?;
            part.copy_from_slice(
                page.get(start..start + take)
                    .ok_or(io::ErrorKind::InvalidInput)?,
            );
            rest = after;
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut changes = self.changes();
        changes.visible = changes.visible.min(length);
        changes
            .pages
            .retain(|number, _| number.saturating_mul(PAGE_OCTETS) < length);
        // What is cut off must not come back when the file grows again.
        if let Some(page) = changes.pages.get_mut(&(length / PAGE_OCTETS)) {
            let kept = usize::try_from(length % PAGE_OCTETS).unwrap_or(PAGE);
            page.iter_mut().skip(kept).for_each(|octet| *octet = 0);
        }
        changes.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut changes = self.changes();
        if end_of(offset, data.len())? > changes.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut rest = data;
        for (number, start, take) in pieces(offset, rest.len()) {
            let mut page = self.page(&changes, number)?;
            let (part, after) = rest
                .split_at_checked(take)
                .ok_or(io::ErrorKind::InvalidInput)?;
            page.get_mut(start..start + take)
                .ok_or(io::ErrorKind::InvalidInput)?
                .copy_from_slice(part);
            changes.pages.insert(number, page);
            rest = after;
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.below.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.locks {
            self.below.try_lock_range(start, end)
        } else {
            Err(BackendError::Unsupported)
        }
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.locks {
            self.below.lock_range(start, end)
        } else {
            Err(BackendError::Unsupported)
        }
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.locks {
            self.below.unlock_range(start, end)
        } else {
            Err(BackendError::Unsupported)
        }
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.locks {
            self.below.query_lock_range(start, end)
        } else {
            Err(BackendError::Unsupported)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::backends::InMemoryBackend;

    fn below(octets: &[u8]) -> InMemoryBackend {
        let backend = InMemoryBackend::new();
        backend.set_len(octets.len().try_into().unwrap()).unwrap();
        backend.write(0, octets).unwrap();
        backend
    }

    fn all(backend: &dyn StorageBackend) -> Vec<u8> {
        let mut octets = vec![0; usize::try_from(backend.len().unwrap()).unwrap()];
        backend.read(0, &mut octets).unwrap();
        octets
    }

    #[test]
    fn pieces_never_cross_a_page() {
        assert_eq!(pieces(0, 0).count(), 0);
        assert_eq!(
            pieces(4095, 2).collect::<Vec<_>>(),
            [(0, 4095, 1), (1, 0, 1)]
        );
        assert_eq!(pieces(4096, 4096).collect::<Vec<_>>(), [(1, 0, 4096)]);
        assert_eq!(
            pieces(1, 8192).collect::<Vec<_>>(),
            [(0, 1, 4095), (1, 0, 4096), (2, 0, 1)]
        );
    }

    proptest::proptest! {
        #[test]
        fn it_behaves_like_the_file_and_leaves_the_file_alone(
            start in 0usize..12_000,
            steps in proptest::collection::vec((0usize..14_000, 0usize..5_000, proptest::bool::ANY), 0..12),
        ) {
            let original: Vec<u8> = (0..start).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let overlay = Overlay::new(below(&original), false).unwrap();
            let mut model = original.clone();
            for (offset, length, resize) in steps {
                if resize {
                    overlay.set_len(offset.try_into().unwrap()).unwrap();
                    model.resize(offset, 0);
                } else {
                    let written = overlay.write(offset.try_into().unwrap(), &vec![0xee; length]);
                    proptest::prop_assert_eq!(written.is_ok(), offset + length <= model.len());
                    if written.is_ok() {
                        model[offset..offset + length].fill(0xee);
                    }
                }
                proptest::prop_assert_eq!(all(&overlay), model.clone());
            }
            proptest::prop_assert_eq!(all(overlay.below.as_ref()), original);
        }
    }
}
