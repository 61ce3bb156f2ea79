//! The accounting journal: groups of records appended to segment files and synced, so that an accounting answer costs one
//! small write instead of a commit of the main file (4 KB instead of 28 to 45 KB, measured).
//!
//! It knows nothing of accounting: a record is octets with a sequence number. Folding records into tables is done
//! elsewhere. Files: `accounting-<first sequence, 16 hex digits>.journal` (`frame.rs` has the layout).
//!
//! Invariants:
//! - A record whose `append` returned is on disk; sequence numbers are consumed only then, and have no gaps.
//! - A segment owns the sequences from its first up to the first of the next segment. After a failed sync nobody can say
//!   what is on disk, so the segment is not written again: the next append makes a new segment that starts at the sequence
//!   in doubt, and thereby disowns whatever the old segment may hold from there on. Nothing has to be compared or erased.
//! - Only two things are ever cut off: the unfinished end of the last segment, and whole segments that `trim` names.
//!
//! The folder belongs to one process, which the lock on the main file ensures: open the store first.

mod disk;
mod frame;
#[cfg(test)]
pub(crate) mod memory;
mod replay;
#[cfg(test)]
mod tests;

use std::io;
use std::ops::Range;
use std::path::Path;

use disk::{Disk, Folder, SegmentFile};
use frame::HEADER_OCTETS;

pub use frame::{MAX_GROUP_OCTETS, MAX_RECORD_OCTETS};
pub use replay::Replayed;

/// What can go wrong with the journal. Damage is reported with its place and never repaired by deleting.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(
        "the accounting journal {file} is damaged at octet {offset}: {what}. It was left as it is. Restore a \
         backup, or move this file and the later ones out of the folder to go on without their records"
    )]
    Damaged {
        file: String,
        offset: u64,
        what: String,
    },
    #[error(
        "the accounting journal lacks records {expected} to {} before {file}. Put the missing file back, or restore a backup",
        .found.saturating_sub(1)
    )]
    Gap {
        file: String,
        expected: u64,
        found: u64,
    },
    #[error(
        "the accounting journal {file} has format {found}, newer than this program's. Install the newer program again"
    )]
    Newer { file: String, found: u32 },
    #[error("a record of {octets} octets is longer than the journal's {MAX_RECORD_OCTETS}")]
    RecordTooLong { octets: usize },
    #[error("a group of {octets} octets is longer than the journal's {MAX_GROUP_OCTETS}")]
    GroupTooLong { octets: usize },
    #[error("cannot {doing} the accounting journal {file}: {source}")]
    Io {
        doing: &'static str,
        file: String,
        source: io::Error,
    },
}

impl JournalError {
    fn io(doing: &'static str, file: &str, source: io::Error) -> Self {
        JournalError::Io {
            doing,
            file: file.to_owned(),
            source,
        }
    }

    /// Whether the file system has no room left.
    pub fn is_disk_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, JournalError::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }
}

/// Whether a file name is that of a segment.
pub fn is_segment_name(name: &str) -> bool {
    first_of_name(name).is_some()
}

fn segment_name(first: u64) -> String {
    format!("accounting-{first:016x}.journal")
}

fn first_of_name(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("accounting-")?.strip_suffix(".journal")?;
    let first = u64::from_str_radix(digits, 16).ok()?;
    // Only the one way of writing a number counts, so that a name and a number belong together.
    (segment_name(first) == name).then_some(first)
}

/// The journal, open for appending. One owner; appending blocks for the time of one sync.
pub struct Journal {
    disk: Box<dyn Disk>,
    /// First sequences of the segments in the folder, ascending; the last one is being written.
    segments: Vec<u64>,
    file: Box<dyn SegmentFile>,
    /// Where the next frame goes in the last segment.
    end: u64,
    next: u64,
    /// The last segment may hold more or less than `end` says, or its successor may exist already.
    distrusted: bool,
    /// The frame being written, kept for its room.
    frame: Vec<u8>,
}

impl Journal {
    /// Opens the journal in `folder` and hands every record from sequence `needed_from` on to `apply`, in order.
    ///
    /// `needed_from` is the first sequence that the tables do not hold yet (1 for a new store); older records are skipped. An
    /// unfinished end of the last segment is cut off and counted in `Replayed::torn_octets`: it was never acknowledged. When
    /// there is no journal, or it ends before `needed_from`, it goes on at `needed_from`.
    ///
    /// Errors: `Damaged`, `Gap` and `Newer` leave all files as they are; what `apply` got until then must be thrown away.
    pub fn open(
        folder: &Path,
        needed_from: u64,
        apply: impl FnMut(u64, &[u8]),
    ) -> Result<(Journal, Replayed), JournalError> {
        Self::open_on(Box::new(Folder::new(folder)), needed_from, apply)
    }

    #[cfg(test)]
    pub(super) fn open_in_memory(
        memory: &memory::Memory,
        needed_from: u64,
        apply: impl FnMut(u64, &[u8]),
    ) -> Result<(Journal, Replayed), JournalError> {
        Self::open_on(Box::new(memory.clone()), needed_from, apply)
    }

    fn open_on(
        disk: Box<dyn Disk>,
        needed_from: u64,
        apply: impl FnMut(u64, &[u8]),
    ) -> Result<(Journal, Replayed), JournalError> {
        let names = disk
            .names()
            .map_err(|error| JournalError::io("list", "folder", error))?;
        for draft in names
            .iter()
            .filter(|name| name.strip_suffix(".new").is_some_and(is_segment_name))
        {
            // A segment that was being made when the power went: no record is in it.
            disk.remove(draft)
                .map_err(|error| JournalError::io("remove", draft, error))?;
        }
        let mut segments: Vec<u64> = names
            .iter()
            .filter_map(|name| first_of_name(name))
            .collect();
        segments.sort_unstable();
        let (replayed, last) = replay::replay(disk.as_ref(), &segments, needed_from, apply)?;
        if replayed.next < needed_from {
            // The tables hold more than the journal, so nothing is lost. A new segment skips the difference.
            tracing::info!(
                journal = replayed.next,
                tables = needed_from,
                "the tables are ahead of the accounting journal, which goes on behind them"
            );
        }
        // The names that were read may not be durable yet, if the process was killed while it made a segment.
        disk.sync()
            .map_err(|error| JournalError::io("sync", "folder", error))?;
        let next = replayed.next.max(needed_from);
        let journal = match last {
            Some((file, end)) if replayed.next == next => Journal {
                disk,
                segments,
                file,
                end,
                next,
                distrusted: false,
                frame: Vec::new(),
            },
            _ => {
                let file = make_segment(disk.as_ref(), next).map_err(|(error, _)| error)?;
                let end = HEADER_OCTETS;
                let mut journal = Journal {
                    disk,
                    segments,
                    file,
                    end,
                    next,
                    distrusted: false,
                    frame: Vec::new(),
                };
                journal.add_segment(next);
                journal
            }
        };
        Ok((journal, replayed))
    }

    /// The sequence of the next record.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Octets in the segment being written, for deciding when to rotate.
    pub fn segment_octets(&self) -> u64 {
        self.end
    }

    /// Appends records as one group, with one write and one sync, and returns their sequences.
    ///
    /// Errors: on any error no sequence is consumed and the group counts as not written; the caller may append the same
    /// records again, or others. `RecordTooLong` and `GroupTooLong` touch nothing. After power loss a group whose append
    /// failed may be found or not: it was not acknowledged, and the router sends it again.
    pub fn append(&mut self, records: &[impl AsRef<[u8]>]) -> Result<Range<u64>, JournalError> {
        if records.is_empty() {
            return Ok(self.next..self.next);
        }
        let count = frame::encode(self.next, records, &mut self.frame)?;
        if self.distrusted {
            self.start_segment()?;
        }
        let name = segment_name(self.segments.last().copied().unwrap_or(self.next));
        if let Err(error) = self.file.write_at(self.end, &self.frame) {
            // Part of the frame may be there. Without it the segment is as good as before.
            self.distrusted = self.file.set_len(self.end).is_err();
            return Err(JournalError::io("write", &name, error));
        }
        if let Err(error) = self.file.sync() {
            self.distrusted = true;
            return Err(JournalError::io("sync", &name, error));
        }
        let octets = u64::try_from(self.frame.len()).unwrap_or(u64::MAX);
        self.end = self.end.saturating_add(octets);
        let first = self.next;
        self.next = first.saturating_add(u64::from(count));
        Ok(first..self.next)
    }

    /// Starts a new segment, so that a later `trim` can remove the ones before, and returns its first sequence. An empty
    /// segment is not left behind.
    pub fn rotate(&mut self) -> Result<u64, JournalError> {
        if self.distrusted || self.end > HEADER_OCTETS {
            self.start_segment()?;
        }
        Ok(self.next)
    }

    /// Removes the segments all of whose records come before `up_to`, once the tables hold them durably. The segment being
    /// written stays, because its name carries the sequence.
    pub fn trim(&mut self, up_to: u64) -> Result<(), JournalError> {
        let mut removed = false;
        while let [oldest, second, ..] = *self.segments.as_slice() {
            if second > up_to {
                break;
            }
            let name = segment_name(oldest);
            match self.disk.remove(&name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(JournalError::io("remove", &name, error));
                }
                _ => {}
            }
            self.segments.remove(0);
            removed = true;
        }
        if removed {
            self.disk
                .sync()
                .map_err(|error| JournalError::io("sync", "folder", error))?;
        }
        Ok(())
    }

    fn start_segment(&mut self) -> Result<(), JournalError> {
        match make_segment(self.disk.as_ref(), self.next) {
            Ok(file) => {
                self.file = file;
                self.end = HEADER_OCTETS;
                self.distrusted = false;
                self.add_segment(self.next);
                Ok(())
            }
            Err((error, may_exist)) => {
                // If the new segment may exist it disowns the old one from here on, so the old one must not grow.
                self.distrusted |= may_exist;
                Err(error)
            }
        }
    }

    fn add_segment(&mut self, first: u64) {
        // A segment without one good frame is replaced by its successor of the same name.
        if self.segments.last() != Some(&first) {
            self.segments.push(first);
        }
    }
}

/// Makes an empty segment under a second name, syncs it, and gives it its own name, so that a segment always begins with
/// a whole header. The error says whether the segment may exist all the same.
fn make_segment(disk: &dyn Disk, first: u64) -> Result<Box<dyn SegmentFile>, (JournalError, bool)> {
    let name = segment_name(first);
    let draft = format!("{name}.new");
    let fault = |doing, may_exist| {
        let name = name.clone();
        move |error| (JournalError::io(doing, &name, error), may_exist)
    };
    let mut file = disk.create(&draft).map_err(fault("create", false))?;
    file.write_at(0, &frame::header(first))
        .map_err(fault("write", false))?;
    file.sync().map_err(fault("sync", false))?;
    disk.rename(&draft, &name).map_err(fault("rename", true))?;
    disk.sync().map_err(fault("sync the folder of", true))?;
    Ok(file)
}
