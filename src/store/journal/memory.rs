//! A disk made of memory for the tests of the journal: it runs full, fails, forgets what a failed sync should have
//! written, and loses power.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::disk::{Disk, SegmentFile};

/// A disk made of memory: folder entries and contents each have a durable and a current side.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    files: Vec<Content>,
    pub(super) names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Octets that may still be written.
    pub(crate) room: Option<usize>,
    pub(crate) refuse_sync: bool,
    pub(crate) refuse_set_len: bool,
    pub(crate) refuse_rename: bool,
    pub(crate) refuse_folder_sync: bool,
}

/// Octets of the unit in which a file reaches the disk.
const SECTOR: usize = 512;

#[derive(Default, Clone)]
struct Content {
    current: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors written since the last sync. A failed sync forgets them, as Linux does: the cache keeps showing what was
    /// written, and no later sync brings it to the disk.
    dirty: BTreeSet<usize>,
}

impl Content {
    fn write(&mut self, offset: usize, octets: &[u8]) {
        let end = offset + octets.len();
        self.resize(self.current.len().max(end));
        self.current[offset..end].copy_from_slice(octets);
        self.dirty.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }

    fn resize(&mut self, length: usize) {
        let before = self.current.len();
        self.current.resize(length, 0);
        if length > before {
            self.dirty.extend(before / SECTOR..length.div_ceil(SECTOR));
        }
    }

    fn sync(&mut self) {
        self.durable.resize(self.current.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            self.arrive(sector);
        }
    }

    fn arrive(&mut self, sector: usize) {
        let start = (sector * SECTOR).min(self.current.len());
        let end = (start + SECTOR)
            .min(self.current.len())
            .min(self.durable.len())
            .max(start);
        if end <= self.durable.len() {
            self.durable[start..end].copy_from_slice(&self.current[start..end]);
        }
    }
}

struct Open {
    memory: Memory,
    number: usize,
}

impl Memory {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What is found when the power comes back. `keep` decides for each sector not synced whether it arrived.
    pub(crate) fn after_power_loss(&self, mut keep: impl FnMut() -> bool) -> Memory {
        let state = self.state();
        let mut files = state.files.clone();
        for content in &mut files {
            if keep() {
                content.durable.resize(content.current.len(), 0);
            }
            for sector in std::mem::take(&mut content.dirty) {
                if keep() {
                    content.arrive(sector);
                }
            }
            content.current = content.durable.clone();
        }
        // Renames and removals arrive in the order in which they were made, or not at all.
        let names = if keep() {
            state.names.clone()
        } else {
            state.durable_names.clone()
        };
        let found = State {
            files,
            names: names.clone(),
            durable_names: names,
            ..State::default()
        };
        Memory(Arc::new(Mutex::new(found)))
    }

    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let number = state.names[name];
        let content = &mut state.files[number];
        change(&mut content.current);
        content.durable = content.current.clone();
        content.dirty.clear();
    }

    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.room = None;
        state.refuse_sync = false;
        state.refuse_set_len = false;
        state.refuse_rename = false;
        state.refuse_folder_sync = false;
    }

    pub(crate) fn octets(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.files[state.names[name]].current.clone()
    }

    pub(crate) fn listing(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }
}

fn refuse(refused: bool, kind: io::ErrorKind) -> io::Result<()> {
    if refused { Err(kind.into()) } else { Ok(()) }
}

impl Disk for Memory {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.listing())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let mut state = self.state();
        state.files.push(Content::default());
        let number = state.files.len() - 1;
        state.names.insert(name.to_owned(), number);
        Ok(Box::new(Open {
            memory: self.clone(),
            number,
        }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let number = *self
            .state()
            .names
            .get(name)
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Open {
            memory: self.clone(),
            number,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        refuse(state.refuse_rename, io::ErrorKind::Other)?;
        let number = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), number);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state()
            .names
            .remove(name)
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        refuse(state.refuse_folder_sync, io::ErrorKind::Other)?;
        state.durable_names = state.names.clone();
        Ok(())
    }
}

impl SegmentFile for Open {
    fn len(&self) -> io::Result<u64> {
        Ok(self.memory.state().files[self.number]
            .current
            .len()
            .try_into()
            .unwrap())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let state = self.memory.state();
        let part = state.files[self.number]
            .current
            .get(offset..offset + out.len());
        out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, octets: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let mut state = self.memory.state();
        let written = octets.len().min(state.room.unwrap_or(usize::MAX));
        if let Some(room) = &mut state.room {
            *room -= written;
        }
        state.files[self.number].write(offset, &octets[..written]);
        refuse(written < octets.len(), io::ErrorKind::StorageFull)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.memory.state();
        refuse(state.refuse_set_len, io::ErrorKind::Other)?;
        state.files[self.number].resize(usize::try_from(length).unwrap());
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.memory.state();
        if state.refuse_sync {
            state.files[self.number].dirty.clear();
            return Err(io::ErrorKind::Other.into());
        }
        state.files[self.number].sync();
        Ok(())
    }
}
