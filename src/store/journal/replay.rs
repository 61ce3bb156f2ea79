//! Reading the segments back at the start, and telling an unfinished end from damage.
//!
//! A group is synced before the next one is written, so at most the last group of the last segment can be unfinished. A
//! broken place with a whole group anywhere after it is therefore damage to acknowledged records, and is reported, not cut.
//! Invariant: files are changed only after all segments were read, and only by cutting that unfinished end and by
//! writing the last group once more as it is.

use super::disk::{Disk, SegmentFile};
use super::frame::{self, BadHeader, HEADER_OCTETS, MAX_GROUP_OCTETS, PREFIX_OCTETS, Prefix};
use super::{JournalError, segment_name};

/// Octets read at once while looking for a whole group after a broken place.
const WINDOW: usize = 1 << 20;
/// A group later in the same segment has a sequence at most this far on. Only keeps garbage from looking like a group.
const FARTHEST: u64 = 1 << 40;

/// What the journal held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// Records handed over.
    pub records: u64,
    /// The sequence after the last record found.
    pub next: u64,
    /// Octets of an unfinished group that were cut off at the end.
    pub torn_octets: u64,
}

/// The last segment, opened, with the place of its next frame; nothing when it must be made anew.
type Last = Option<(Box<dyn SegmentFile>, u64)>;

/// Reads the segments that start at `segments` (ascending) and hands over the records from `needed_from` on.
pub(super) fn replay(
    disk: &dyn Disk,
    segments: &[u64],
    needed_from: u64,
    mut apply: impl FnMut(u64, &[u8]),
) -> Result<(Replayed, Last), JournalError> {
    let mut replayed = Replayed {
        records: 0,
        next: 0,
        torn_octets: 0,
    };
    // Segments before the one that holds `needed_from` are leftovers of a trim.
    let needed = segments.iter().rposition(|first| *first <= needed_from);
    let Some(segments) = segments
        .get(needed.unwrap_or(0)..)
        .filter(|segments| !segments.is_empty())
    else {
        return Ok((replayed, None));
    };
    if let Some(first) = segments
        .first()
        .copied()
        .filter(|first| *first > needed_from)
    {
        return Err(JournalError::Gap {
            file: segment_name(first),
            expected: needed_from,
            found: first,
        });
    }
    let mut last = None;
    for (position, first) in segments.iter().enumerate() {
        let name = segment_name(*first);
        let fault = |error| JournalError::io("read", &name, error);
        let file = disk.open(&name).map_err(fault)?;
        let length = file.len().map_err(fault)?;
        let mut segment = Segment {
            name,
            file,
            length,
            last_group: HEADER_OCTETS,
            offset: HEADER_OCTETS,
            next: *first,
        };
        let successor = segments.get(position + 1).copied();
        replayed.next = *first;
        if length < HEADER_OCTETS && successor.is_none() {
            // Not even the header is whole, so no record was ever acknowledged from this file.
            replayed.torn_octets = length;
            last = None;
            break;
        }
        segment.check_header(*first)?;
        segment.read(successor, |sequence, record| {
            if sequence >= needed_from {
                replayed.records += 1;
                apply(sequence, record);
            }
        })?;
        replayed.next = segment.next;
        last = Some(segment);
    }
    let Some(mut segment) = last else {
        return Ok((replayed, None));
    };
    replayed.torn_octets = segment.settle()?;
    Ok((replayed, Some((segment.file, segment.offset))))
}

struct Segment {
    name: String,
    file: Box<dyn SegmentFile>,
    length: u64,
    /// Where the last frame read begins, or the header's end.
    last_group: u64,
    /// Where the next frame begins, if there is one.
    offset: u64,
    /// The sequence that it must have.
    next: u64,
}

impl Segment {
    fn check_header(&self, first: u64) -> Result<(), JournalError> {
        let wanted = usize::try_from(HEADER_OCTETS.min(self.length)).unwrap_or_default();
        let mut header = vec![0; wanted];
        self.read_at(0, &mut header)?;
        frame::check_header(&header, first).map_err(|bad| match bad {
            BadHeader::Newer(found) => JournalError::Newer {
                file: self.name.clone(),
                found,
            },
            BadHeader::Damaged(what) => self.damaged(0, what),
        })
    }

    /// Hands over records up to the successor's first sequence, or to the end. What an older segment holds beyond that is
    /// disowned; a broken place in what is owned is damage, unless it is the unfinished end of the last segment.
    fn read(
        &mut self,
        successor: Option<u64>,
        mut apply: impl FnMut(u64, &[u8]),
    ) -> Result<(), JournalError> {
        let mut body = Vec::new();
        while successor.is_none_or(|first| self.next < first) {
            match self.next_group(&mut body)? {
                Found::Group(end) => {
                    let (prefix, body) = body
                        .split_first_chunk()
                        .ok_or_else(|| self.damaged(self.offset, "cut"))?;
                    let group = match frame::decode(Prefix::parse(prefix), body) {
                        Ok(group) => group,
                        Err(what) => return self.broken(successor, what),
                    };
                    if group.first != self.next {
                        let what =
                            format!("record {} stands where {} belongs", group.first, self.next);
                        return Err(self.damaged(self.offset, &what));
                    }
                    for record in group.records {
                        apply(self.next, record);
                        self.next = self.next.saturating_add(1);
                    }
                    self.last_group = self.offset;
                    self.offset = end;
                    if successor.is_some_and(|first| self.next > first) {
                        return Err(self.damaged(self.offset, "a group reaches into the next file"));
                    }
                }
                Found::Nothing => match successor {
                    Some(found) => {
                        return Err(JournalError::Gap {
                            file: segment_name(found),
                            expected: self.next,
                            found,
                        });
                    }
                    None => return Ok(()),
                },
                Found::Broken(what) => return self.broken(successor, what),
            }
        }
        Ok(())
    }

    /// Reads the frame at `offset` into `octets`, unless the file ends before it does.
    fn next_group(&self, octets: &mut Vec<u8>) -> Result<Found, JournalError> {
        let left = self.length.saturating_sub(self.offset);
        if left == 0 {
            return Ok(Found::Nothing);
        }
        if left < u64_of(PREFIX_OCTETS) {
            return Ok(Found::Broken("a group is cut short"));
        }
        let mut prefix = [0; PREFIX_OCTETS];
        self.read_at(self.offset, &mut prefix)?;
        let Some(body) = Prefix::parse(&prefix).body_octets() else {
            return Ok(Found::Broken("the length of a group is impossible"));
        };
        let frame = PREFIX_OCTETS + body;
        if left < u64_of(frame) {
            return Ok(Found::Broken("a group is cut short"));
        }
        octets.resize(frame, 0);
        self.read_at(self.offset, octets)?;
        Ok(Found::Group(self.offset.saturating_add(u64_of(frame))))
    }

    /// Decides what a broken place is: the unfinished end of the last segment, or damage.
    fn broken(&self, successor: Option<u64>, what: &str) -> Result<(), JournalError> {
        if successor.is_some() || self.whole_group_after(self.offset.saturating_add(1))? {
            return Err(self.damaged(self.offset, what));
        }
        Ok(())
    }

    /// Whether a whole group begins anywhere from `from` on.
    fn whole_group_after(&self, from: u64) -> Result<bool, JournalError> {
        // Enough of a frame to see whether it is worth reading: prefix and first sequence.
        const LOOK: usize = PREFIX_OCTETS + 8;
        let mut window = Vec::new();
        let mut start = from;
        while self.length.saturating_sub(start) >= u64_of(LOOK) {
            let left = usize::try_from(self.length - start).unwrap_or(usize::MAX);
            window.resize(left.min(WINDOW), 0);
            self.read_at(start, &mut window)?;
            for (position, look) in window.windows(LOOK).enumerate() {
                let offset = start.saturating_add(u64_of(position));
                if self.is_group_at(offset, look)? {
                    return Ok(true);
                }
            }
            start = start.saturating_add(u64_of(window.len() + 1 - LOOK));
        }
        Ok(false)
    }

    fn is_group_at(&self, offset: u64, look: &[u8]) -> Result<bool, JournalError> {
        let Some((prefix, rest)) = look.split_first_chunk::<PREFIX_OCTETS>() else {
            return Ok(false);
        };
        let Some((first, _)) = rest.split_first_chunk::<8>() else {
            return Ok(false);
        };
        let first = u64::from_le_bytes(*first);
        let prefix = Prefix::parse(prefix);
        let Some(length) = prefix.body_octets() else {
            return Ok(false);
        };
        let left = self.length.saturating_sub(offset);
        let is_near = (self.next..self.next.saturating_add(FARTHEST)).contains(&first);
        if !is_near || left < u64_of(PREFIX_OCTETS + length) || length > MAX_GROUP_OCTETS {
            return Ok(false);
        }
        let mut body = vec![0; length];
        self.read_at(offset.saturating_add(u64_of(PREFIX_OCTETS)), &mut body)?;
        Ok(frame::decode(prefix, &body).is_ok())
    }

    /// Cuts off what follows the last whole group, returns how much that was, and makes the rest durable.
    ///
    /// The last group may have been read from the cache of the system only: written, never synced, because the process was
    /// killed or the sync failed. After a failed sync the system takes the cache for clean and no later sync would write
    /// it, so the group is written once more.
    fn settle(&mut self) -> Result<u64, JournalError> {
        let torn = self.length.saturating_sub(self.offset);
        let fault = |error| JournalError::io("settle", &self.name, error);
        if torn > 0 {
            tracing::warn!(
                file = self.name,
                offset = self.offset,
                octets = torn,
                "an unfinished group was cut off"
            );
            self.file.set_len(self.offset).map_err(fault)?;
        }
        let octets =
            usize::try_from(self.offset.saturating_sub(self.last_group)).unwrap_or_default();
        let mut group = vec![0; octets];
        self.file
            .read_at(self.last_group, &mut group)
            .map_err(fault)?;
        self.file.write_at(self.last_group, &group).map_err(fault)?;
        self.file.sync().map_err(fault)?;
        Ok(torn)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), JournalError> {
        self.file
            .read_at(offset, out)
            .map_err(|error| JournalError::io("read", &self.name, error))
    }

    fn damaged(&self, offset: u64, what: &str) -> JournalError {
        JournalError::Damaged {
            file: self.name.clone(),
            offset,
            what: what.to_owned(),
        }
    }
}

enum Found {
    /// A frame was read; the next one begins here.
    Group(u64),
    Nothing,
    Broken(&'static str),
}

/// Lengths in memory always fit 64 bits.
fn u64_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
