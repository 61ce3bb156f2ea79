//! The octets of a segment: its header and its frames. All numbers are little-endian.
//!
//! ```text
//! header  magic (8) | format version (4) | first sequence (8) | CRC-32 of the 20 octets before (4)
//! frame   length of the body (4) | CRC-32 of that length and the body (4) | body
//! body    first sequence (8) | count (4) | count x ( length (4) | octets )
//! ```
//!
//! Reading files is `replay`'s business. Invariant: what `encode` writes, `decode` accepts, and any change of an octet
//! makes `decode` refuse.

use super::JournalError;

/// Octets of one record: an accounting record is a few hundred; the limit keeps a bad caller from filling the disk.
pub const MAX_RECORD_OCTETS: usize = 64 << 10;
/// Octets of one group with its lengths: bounds the memory that reading a damaged length can ask for.
pub const MAX_GROUP_OCTETS: usize = 4 << 20;

const MAGIC: [u8; 8] = *b"PXJRNL\r\n";
const FORMAT: u32 = 1;
/// Octets of the header of a segment.
pub(super) const HEADER_OCTETS: u64 = 24;
/// Octets of a frame before its body.
pub(super) const PREFIX_OCTETS: usize = 8;
/// Octets of a body before its records.
const BODY_START: usize = 12;
/// A body holds at least one record, which may be empty.
pub(super) const MIN_BODY_OCTETS: usize = BODY_START + 4;

/// The header of a segment that starts at sequence `first`.
pub(super) fn header(first: u64) -> Vec<u8> {
    let mut octets = MAGIC.to_vec();
    octets.extend_from_slice(&FORMAT.to_le_bytes());
    octets.extend_from_slice(&first.to_le_bytes());
    octets.extend_from_slice(&crc32fast::hash(&octets).to_le_bytes());
    octets
}

/// Why a header is not the one that belongs to the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    Newer(u32),
    Damaged(&'static str),
}

/// Checks the header of the segment whose name says `first`.
pub(super) fn check_header(octets: &[u8], first: u64) -> Result<(), BadHeader> {
    let (content, crc) = octets
        .split_last_chunk::<4>()
        .ok_or(BadHeader::Damaged("the header is cut"))?;
    if !content.starts_with(&MAGIC) {
        return Err(BadHeader::Damaged("the file does not begin like a journal"));
    }
    if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
        return Err(BadHeader::Damaged("the checksum of the header is wrong"));
    }
    let (rest, named) = content
        .split_last_chunk::<8>()
        .ok_or(BadHeader::Damaged("the header is cut"))?;
    let (_, format) = rest
        .split_last_chunk::<4>()
        .ok_or(BadHeader::Damaged("the header is cut"))?;
    match u32::from_le_bytes(*format) {
        FORMAT => {}
        newer if newer > FORMAT => return Err(BadHeader::Newer(newer)),
        _ => return Err(BadHeader::Damaged("the format version is unknown")),
    }
    if u64::from_le_bytes(*named) != first {
        return Err(BadHeader::Damaged(
            "the header belongs to a file of another name",
        ));
    }
    Ok(())
}

/// Writes a frame into `frame`, in place of what it held, and returns the number of records.
pub(super) fn encode(
    first: u64,
    records: &[impl AsRef<[u8]>],
    frame: &mut Vec<u8>,
) -> Result<u32, JournalError> {
    let mut octets = BODY_START;
    for record in records {
        let length = record.as_ref().len();
        if length > MAX_RECORD_OCTETS {
            return Err(JournalError::RecordTooLong { octets: length });
        }
        octets = octets.saturating_add(4 + length);
    }
    let too_long = || JournalError::GroupTooLong { octets };
    if octets > MAX_GROUP_OCTETS {
        return Err(too_long());
    }
    let length = u32::try_from(octets).map_err(|_| too_long())?.to_le_bytes();
    let count = u32::try_from(records.len()).map_err(|_| too_long())?;
    frame.clear();
    frame.extend_from_slice(&length);
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(&first.to_le_bytes());
    frame.extend_from_slice(&count.to_le_bytes());
    for record in records {
        let record = record.as_ref();
        let length = u32::try_from(record.len()).map_err(|_| too_long())?;
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(record);
    }
    let crc = checksum(length, frame.get(PREFIX_OCTETS..).unwrap_or_default());
    if let Some(place) = frame.get_mut(4..PREFIX_OCTETS) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
    Ok(count)
}

/// The first eight octets of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prefix {
    length: [u8; 4],
    crc: u32,
}

impl Prefix {
    pub(super) fn parse(octets: &[u8; PREFIX_OCTETS]) -> Prefix {
        let [a, b, c, d, e, f, g, h] = *octets;
        Prefix {
            length: [a, b, c, d],
            crc: u32::from_le_bytes([e, f, g, h]),
        }
    }

    /// Octets of the body, or nothing when no body is that long.
    pub(super) fn body_octets(self) -> Option<usize> {
        let length = usize::try_from(u32::from_le_bytes(self.length)).ok()?;
        (MIN_BODY_OCTETS..=MAX_GROUP_OCTETS)
            .contains(&length)
            .then_some(length)
    }
}

/// The records of one group.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group<'b> {
    pub first: u64,
    pub records: Vec<&'b [u8]>,
}

/// Reads the body that follows `prefix`, or says what is wrong with it.
pub(super) fn decode(prefix: Prefix, body: &[u8]) -> Result<Group<'_>, &'static str> {
    if checksum(prefix.length, body) != prefix.crc {
        return Err("the checksum of a group is wrong");
    }
    // From here on only a program error can be the cause, yet nothing is trusted.
    let odd = "a group does not add up";
    let (first, rest) = body.split_first_chunk::<8>().ok_or(odd)?;
    let (count, mut rest) = rest.split_first_chunk::<4>().ok_or(odd)?;
    let mut records = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| odd)?;
        let (record, after) = after.split_at_checked(length).ok_or(odd)?;
        records.push(record);
        rest = after;
    }
    if !rest.is_empty() || u32::try_from(records.len()) != Ok(u32::from_le_bytes(*count)) {
        return Err(odd);
    }
    Ok(Group {
        first: u64::from_le_bytes(*first),
        records,
    })
}

fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length);
    crc.update(body);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(frame: &[u8]) -> (Prefix, &[u8]) {
        let (prefix, body) = frame.split_first_chunk().unwrap();
        (Prefix::parse(prefix), body)
    }

    #[test]
    fn the_layout_is_as_documented() {
        let mut frame = Vec::new();
        assert_eq!(encode(0x0102, &[&b"ab"[..], b""], &mut frame).unwrap(), 2);
        assert_eq!(frame[..4], [22, 0, 0, 0]);
        assert_eq!(
            frame[8..],
            [
                2, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0
            ]
        );
        let (prefix, body) = split(&frame);
        assert_eq!(prefix.body_octets(), Some(body.len()));
        assert_eq!(
            decode(prefix, body),
            Ok(Group {
                first: 0x0102,
                records: vec![b"ab", b""]
            })
        );
        let header = header(0x0304);
        assert_eq!(
            header[..20],
            [&b"PXJRNL\r\n"[..], &[1, 0, 0, 0], &[4, 3, 0, 0, 0, 0, 0, 0]].concat()
        );
        assert_eq!(u64::try_from(header.len()).unwrap(), HEADER_OCTETS);
    }

    #[test]
    fn any_changed_bit_is_noticed() {
        let mut frame = Vec::new();
        encode(7, &[b"record one", b"record two"], &mut frame).unwrap();
        for bit in 0..frame.len() * 8 {
            let mut changed = frame.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let (prefix, body) = split(&changed);
            assert!(
                prefix.body_octets() != Some(body.len()) || decode(prefix, body).is_err(),
                "bit {bit}"
            );
        }
        let header = header(9);
        assert_eq!(check_header(&header, 9), Ok(()));
        for bit in 0..header.len() * 8 {
            let mut changed = header.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                matches!(check_header(&changed, 9), Err(BadHeader::Damaged(_))),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn headers_of_other_files_and_formats_are_told_apart() {
        assert!(matches!(
            check_header(&header(8), 9),
            Err(BadHeader::Damaged(
                "the header belongs to a file of another name"
            ))
        ));
        for (format, wanted) in [
            (2, BadHeader::Newer(2)),
            (0, BadHeader::Damaged("the format version is unknown")),
        ] {
            let mut octets = header(9)[..20].to_vec();
            octets[8] = format;
            octets.extend_from_slice(&crc32fast::hash(&octets).to_le_bytes());
            assert_eq!(check_header(&octets, 9), Err(wanted));
        }
    }

    #[test]
    fn groups_and_records_have_a_greatest_length() {
        let mut frame = Vec::new();
        let longest = vec![1; MAX_RECORD_OCTETS];
        assert!(encode(1, &[&longest], &mut frame).is_ok());
        let longer = vec![1; MAX_RECORD_OCTETS + 1];
        assert!(matches!(
            encode(1, &[&longer], &mut frame),
            Err(JournalError::RecordTooLong { octets: 65_537 })
        ));
        // 63 long records and one that fills the rest exactly.
        let rest = MAX_GROUP_OCTETS - BODY_START - 63 * (4 + MAX_RECORD_OCTETS) - 4;
        let mut records = vec![longest; 63];
        records.push(vec![2; rest]);
        encode(1, &records, &mut frame).unwrap();
        let (prefix, body) = split(&frame);
        assert_eq!(prefix.body_octets(), Some(MAX_GROUP_OCTETS));
        assert_eq!(decode(prefix, body).unwrap().records.len(), 64);
        records[63].push(2);
        assert!(matches!(
            encode(1, &records, &mut frame),
            Err(JournalError::GroupTooLong { .. })
        ));
    }

    #[test]
    fn a_body_that_does_not_add_up_is_refused() {
        for body in [
            &[0; 11][..],
            &[&[0; 8][..], &[1, 0, 0, 0]].concat(),
            &[&[0; 8][..], &[1, 0, 0, 0], &[1, 0, 0, 0]].concat(),
            &[&[0; 8][..], &[2, 0, 0, 0], &[0, 0, 0, 0]].concat(),
            &[&[0; 8][..], &[1, 0, 0, 0], &[0, 0, 0, 0], &[9]].concat(),
        ] {
            let length = u32::try_from(body.len()).unwrap().to_le_bytes();
            let prefix = Prefix {
                length,
                crc: checksum(length, body),
            };
            assert_eq!(
                decode(prefix, body),
                Err("a group does not add up"),
                "{body:?}"
            );
        }
    }
}
