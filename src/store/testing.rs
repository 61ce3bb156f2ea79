//! A disk made of memory for the tests of the store: it can lose what was not synced, run full, refuse writes or reads,
//! and lose power after a set number of accesses. And the rows that versions before wrote.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use redb::{Database, DatabaseError, StorageBackend};

use super::codec::{self, Record};
use super::overlay::Overlay;
use super::schema::{self, MIGRATIONS, Migration};
use super::tables::{AnyMap, Map};
use super::writer::Reopen;
use super::{OpenOptions, Store, StoreError, open};
use crate::crypto::{Key, Sealer, hex};

/// Memory for pages: little, so that reads reach the disk.
const CACHE: usize = 64 << 10;

/// A table that only tests have.
pub(super) const NUMBERS: Map<u32, u64> = Map::new("numbers");

/// The product's first migration and one that adds the tests' table.
pub(super) fn migrations() -> Vec<Migration> {
    let first = MIGRATIONS.iter().map(|it| Migration {
        version: it.version,
        name: it.name,
        run: it.run,
    });
    let run = |transaction: &_| NUMBERS.create(transaction);
    let next = schema::newest(MIGRATIONS) + 1;
    first
        .chain([Migration {
            version: next,
            name: "create the tests' table",
            run,
        }])
        .collect()
}

pub(super) fn sealer() -> Sealer {
    Sealer::new(&Key::from_bytes([3; 32]))
}

/// Options with no waiting, so that tests are quick and batches are made by hand.
pub(super) fn quick() -> OpenOptions {
    OpenOptions {
        cache_octets: 1 << 20,
        linger: Duration::ZERO,
        pause: Duration::ZERO,
        ..OpenOptions::default()
    }
}

#[derive(Debug, Clone)]
enum Access {
    Write(usize, Vec<u8>),
    SetLength(usize),
}

impl Access {
    fn apply(&self, octets: &mut Vec<u8>) {
        match self {
            Access::Write(offset, data) => {
                let end = offset + data.len();
                if octets.len() < end {
                    octets.resize(end, 0);
                }
                octets[*offset..end].copy_from_slice(data);
            }
            Access::SetLength(length) => octets.resize(*length, 0),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    current: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Access>,
    allocated: BTreeSet<usize>,
    /// Pages never written before get no room.
    pub full: bool,
    pub refuse_sync: bool,
    pub read_only: bool,
    pub refuse_reads: bool,
    /// Writes and syncs until the power fails; from then on nothing works.
    pub power: Option<usize>,
    /// Writes and syncs so far.
    pub accesses: usize,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

impl Disk {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What a machine finds when its power comes back: all that was synced, and of the rest what `keep` says.
    pub(super) fn after_power_loss(&self, mut keep: impl FnMut() -> bool) -> Disk {
        let state = self.state();
        let mut octets = state.durable.clone();
        for access in &state.unsynced {
            if keep() {
                access.apply(&mut octets);
            }
        }
        let allocated = (0..octets.len().div_ceil(4096)).collect();
        let found = State {
            current: octets.clone(),
            durable: octets,
            allocated,
            ..State::default()
        };
        Disk(Arc::new(Mutex::new(found)))
    }

    /// A new store on this disk.
    pub(super) fn new_store(&self, options: &OpenOptions) -> Store {
        let database = self.for_writing().unwrap();
        let check = schema::key_check(&sealer()).unwrap();
        schema::migrate(&database, 0, &migrations(), Some(check)).unwrap();
        self.start(database, options)
    }

    pub(super) fn old_store(&self, options: &OpenOptions) -> Store {
        self.start(self.for_writing().unwrap(), options)
    }

    fn start(&self, database: Database, options: &OpenOptions) -> Store {
        open::start(
            database,
            Box::new(self.clone()),
            sealer(),
            PathBuf::new(),
            options,
        )
        .unwrap()
    }
}

impl Reopen for Disk {
    fn for_writing(&self) -> Result<Database, DatabaseError> {
        open::builder(CACHE).create_with_backend(self.clone())
    }

    fn for_reading(&self) -> Result<Database, DatabaseError> {
        open::builder(CACHE).create_with_backend(Overlay::new(self.clone(), false)?)
    }
}

impl State {
    fn access(&mut self) -> io::Result<()> {
        self.accesses += 1;
        match &mut self.power {
            Some(0) => return Err(io::Error::other("no power")),
            Some(left) => *left -= 1,
            None => {}
        }
        if self.read_only {
            Err(io::ErrorKind::ReadOnlyFilesystem.into())
        } else {
            Ok(())
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().current.len().try_into().unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        if state.refuse_reads || state.power == Some(0) {
            return Err(io::Error::other("a sector cannot be read"));
        }
        let offset = usize::try_from(offset).unwrap();
        let part = state
            .current
            .get(offset..offset + out.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(part);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.state();
        state.access()?;
        // A longer file is a sparse file: room is needed only when its pages are written.
        let access = Access::SetLength(usize::try_from(length).unwrap());
        access.apply(&mut state.current);
        state.unsynced.push(access);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.access()?;
        if state.refuse_sync {
            return Err(io::Error::other("the disk did not take the cache"));
        }
        state.durable = state.current.clone();
        state.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.access()?;
        let offset = usize::try_from(offset).unwrap();
        for page in offset / 4096..(offset + data.len()).div_ceil(4096) {
            if state.full && !state.allocated.contains(&page) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.allocated.insert(page);
        }
        let access = Access::Write(offset, data.to_vec());
        access.apply(&mut state.current);
        state.unsynced.push(access);
        Ok(())
    }
}

/// What a rule says in tests.
#[derive(Debug)]
pub(super) enum Refusal {
    Rule(&'static str),
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Refusal::Store(error)
    }
}

/// What a version of the program wrote into its store and into a vendor's, one row a line: a name and the octets in hex. Lines
/// are never changed.
pub(crate) const GOLDEN: &str = include_str!("../../tests/golden/rows-v1.txt");

/// Checks one row against its line. A new version of a shape keeps the first assertion and gives up the second.
#[track_caller]
pub(crate) fn golden<R: Record>(name: &str, row: R) {
    let now = codec::encode(&row).unwrap();
    let line = GOLDEN
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no line for\n{name} {}", hex(&now)));
    let kept: Vec<u8> = line
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let read: R = codec::decode(&kept).expect("octets of version 1");
    assert_eq!(
        hex(&codec::encode(&read).unwrap()),
        hex(&now),
        "{name} reads as another value"
    );
    assert_eq!(hex(&now), line, "{name} is written in another way");
}
