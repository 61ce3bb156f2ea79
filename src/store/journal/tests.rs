//! The journal on the real file system and on a disk made of memory that fails on demand.

mod properties;

use std::fs;

use super::memory::Memory;
use super::*;

/// Opens the journal on such a disk and keeps the records that it hands over.
fn open(memory: &Memory, needed_from: u64) -> Result<Opened, JournalError> {
    let mut found = Vec::new();
    let apply = |sequence, record: &[u8]| found.push((sequence, record.to_vec()));
    let (journal, replayed) = Journal::open_on(Box::new(memory.clone()), needed_from, apply)?;
    Ok((journal, replayed, found))
}

type Opened = (Journal, Replayed, Vec<(u64, Vec<u8>)>);

/// A record that tells which one it is.
fn record(sequence: u64, length: usize) -> Vec<u8> {
    let mut octets = sequence.to_be_bytes().to_vec();
    octets.resize(8 + length, u8::try_from(sequence % 251).unwrap());
    octets
}

fn append(journal: &mut Journal, count: u64, length: usize) -> Result<Range<u64>, JournalError> {
    let next = journal.next_sequence();
    let records: Vec<_> = (next..next + count)
        .map(|sequence| record(sequence, length))
        .collect();
    journal.append(&records)
}

fn expected(range: Range<u64>, length: usize) -> Vec<(u64, Vec<u8>)> {
    range
        .map(|sequence| (sequence, record(sequence, length)))
        .collect()
}

#[test]
fn names_and_first_sequences_belong_together() {
    assert_eq!(segment_name(255), "accounting-00000000000000ff.journal");
    assert_eq!(first_of_name(&segment_name(u64::MAX)), Some(u64::MAX));
    for other in [
        "accounting-ff.journal",
        "accounting-00000000000000FF.journal",
        "accounting-+0000000000000ff.journal",
        "accounting-00000000000000ff.journal.new",
        "proxpanel.redb",
        "accounting-.journal",
    ] {
        assert!(!is_segment_name(other), "{other}");
    }
}

#[test]
fn records_come_back_in_order_on_the_real_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, replayed) =
        Journal::open(folder.path(), 1, |_, _| panic!("it is new")).unwrap();
    assert_eq!(
        replayed,
        Replayed {
            records: 0,
            next: 0,
            torn_octets: 0
        }
    );
    assert_eq!(append(&mut journal, 3, 10).unwrap(), 1..4);
    assert_eq!(
        journal.append(&[[]; 2]).unwrap(),
        4..6,
        "empty records are records"
    );
    assert_eq!(journal.append(&[[]; 0]).unwrap(), 6..6);
    assert_eq!(journal.rotate().unwrap(), 6);
    assert_eq!(journal.rotate().unwrap(), 6, "an empty segment is enough");
    assert_eq!(append(&mut journal, 1, 0).unwrap(), 6..7);
    drop(journal);
    let mut found = Vec::new();
    let (mut journal, replayed) = Journal::open(folder.path(), 3, |at, octets| {
        found.push((at, octets.to_vec()))
    })
    .unwrap();
    assert_eq!(
        found,
        [
            (3, record(3, 10)),
            (4, vec![]),
            (5, vec![]),
            (6, record(6, 0))
        ]
    );
    assert_eq!(
        replayed,
        Replayed {
            records: 4,
            next: 7,
            torn_octets: 0
        }
    );
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "accounting-0000000000000001.journal",
            "accounting-0000000000000006.journal"
        ]
    );
    journal.trim(6).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(append(&mut journal, 1, 0).unwrap(), 7..8);
}

#[test]
fn trim_removes_only_segments_that_are_wholly_folded() {
    let memory = Memory::default();
    let (mut journal, ..) = open(&memory, 1).unwrap();
    for _ in 0..3 {
        append(&mut journal, 5, 1).unwrap();
        journal.rotate().unwrap();
    }
    for (up_to, left) in [(0, 4), (5, 4), (6, 3), (10, 3), (11, 2), (16, 1), (99, 1)] {
        journal.trim(up_to).unwrap();
        assert_eq!(memory.listing().len(), left, "trim up to {up_to}");
    }
    assert_eq!(open(&memory, 16).unwrap().0.next_sequence(), 16);
}

#[test]
fn older_segments_are_skipped_even_when_a_trim_was_interrupted() {
    let memory = Memory::default();
    let (mut journal, ..) = open(&memory, 1).unwrap();
    for _ in 0..3 {
        append(&mut journal, 5, 1).unwrap();
        journal.rotate().unwrap();
    }
    memory.state().names.remove(&segment_name(6));
    let (_, replayed, found) = open(&memory, 12).unwrap();
    assert_eq!((replayed.records, found), (4, expected(12..16, 1)));
    // But when the tables do not hold them, they are missed.
    assert!(matches!(
        open(&memory, 3),
        Err(JournalError::Gap {
            expected: 6,
            found: 11,
            ..
        })
    ));
    memory.state().names.remove(&segment_name(1));
    assert!(matches!(
        open(&memory, 3),
        Err(JournalError::Gap {
            expected: 3,
            found: 11,
            ..
        })
    ));
}

#[test]
fn a_journal_that_ends_before_the_tables_goes_on_after_them() {
    let memory = Memory::default();
    append(&mut open(&memory, 1).unwrap().0, 3, 1).unwrap();
    let (mut journal, replayed, found) = open(&memory, 100).unwrap();
    assert_eq!((replayed.next, found.len()), (4, 0));
    assert_eq!(append(&mut journal, 2, 1).unwrap(), 100..102);
    assert_eq!(open(&memory, 101).unwrap().2, expected(101..102, 1));
    // A folder whose journal was moved away goes on after the tables, too.
    assert_eq!(open(&Memory::default(), 7).unwrap().0.next_sequence(), 7);
}

/// Three groups of two records, the last segment of two; returns the offsets at which its frames end.
fn three_groups(memory: &Memory) -> Vec<u64> {
    let (mut journal, ..) = open(memory, 1).unwrap();
    append(&mut journal, 2, 40).unwrap();
    journal.rotate().unwrap();
    (0..3)
        .map(|_| {
            append(&mut journal, 2, 40).unwrap();
            journal.segment_octets()
        })
        .collect()
}

#[test]
fn every_cut_of_the_last_segment_keeps_the_groups_wholly_before_it() {
    let source = Memory::default();
    let ends = three_groups(&source);
    let name = segment_name(3);
    let whole = source.octets(&name);
    for cut in 0..=whole.len() {
        for garbage in [&b""[..], &[0; 30], &[0xff; 30]] {
            let memory = source.after_power_loss(|| true);
            memory.edit(&name, |octets| {
                octets.truncate(cut);
                octets.extend_from_slice(garbage);
            });
            let length = u64::try_from(cut + garbage.len()).unwrap();
            let groups = ends
                .iter()
                .filter(|end| **end <= u64::try_from(cut).unwrap())
                .count();
            let next = 3 + 2 * u64::try_from(groups).unwrap();
            if cut < 24 && length >= 24 {
                // A whole header that is wrong is damage, not an unfinished end.
                assert!(
                    matches!(
                        open(&memory, 1),
                        Err(JournalError::Damaged { offset: 0, .. })
                    ),
                    "cut at {cut}"
                );
                continue;
            }
            let (mut journal, replayed, found) = open(&memory, 1).unwrap();
            assert_eq!(found, expected(1..next, 40), "cut at {cut}");
            let end = if cut < 24 {
                0
            } else {
                ends[..groups].last().copied().unwrap_or(24)
            };
            assert_eq!(
                replayed,
                Replayed {
                    records: next - 1,
                    next,
                    torn_octets: length - end
                }
            );
            // Appending goes on cleanly.
            assert_eq!(append(&mut journal, 1, 40).unwrap(), next..next + 1);
            let (_, replayed, found) = open(&memory, 1).unwrap();
            assert_eq!(
                (found, replayed.torn_octets),
                (expected(1..next + 1, 40), 0)
            );
        }
    }
}

#[test]
fn damage_before_a_whole_group_is_an_error_and_nothing_is_cut() {
    let source = Memory::default();
    let ends = three_groups(&source);
    let last_start = usize::try_from(ends[1]).unwrap();
    for (first, length) in [(1, source.octets(&segment_name(1)).len()), (3, last_start)] {
        let name = segment_name(first);
        for position in 0..length {
            let memory = source.after_power_loss(|| true);
            memory.edit(&name, |octets| octets[position] ^= 0x10);
            let damaged = memory.octets(&name);
            match open(&memory, 1) {
                Err(JournalError::Damaged { file, offset, .. }) => {
                    assert_eq!(file, name);
                    assert!(
                        offset <= u64::try_from(position).unwrap(),
                        "octet {position}, reported at {offset}"
                    );
                }
                Err(JournalError::Newer { .. }) => {
                    panic!("octet {position}: the checksum comes first")
                }
                other => panic!("octet {position}: {:?}", other.map(|it| it.1)),
            }
            assert_eq!(memory.octets(&name), damaged);
        }
    }
}

#[test]
fn a_cut_in_an_older_segment_is_an_error() {
    let source = Memory::default();
    three_groups(&source);
    let name = segment_name(1);
    for cut in 0..source.octets(&name).len() {
        let memory = source.after_power_loss(|| true);
        memory.edit(&name, |octets| octets.truncate(cut));
        let error = open(&memory, 1).map(|it| it.1).unwrap_err();
        assert!(
            matches!(
                error,
                JournalError::Damaged { .. }
                    | JournalError::Gap {
                        expected: 1,
                        found: 3,
                        ..
                    }
            ),
            "{error}"
        );
    }
}

#[test]
fn a_newer_format_is_refused() {
    let memory = Memory::default();
    drop(open(&memory, 1).unwrap());
    memory.edit(&segment_name(1), |octets| {
        octets[8] = 9;
        let crc = crc32fast::hash(&octets[..20]).to_le_bytes();
        octets[20..].copy_from_slice(&crc);
    });
    assert!(matches!(
        open(&memory, 1),
        Err(JournalError::Newer { found: 9, .. })
    ));
}

#[test]
fn a_segment_half_made_is_forgotten() {
    let memory = Memory::default();
    append(&mut open(&memory, 1).unwrap().0, 1, 0).unwrap();
    Disk::create(&memory, "accounting-0000000000000002.journal.new").unwrap();
    assert_eq!(open(&memory, 1).unwrap().0.next_sequence(), 2);
    assert_eq!(memory.listing(), ["accounting-0000000000000001.journal"]);
}

#[test]
fn a_full_disk_consumes_nothing_and_leaves_a_clean_end() {
    for refuse_set_len in [false, true] {
        for room in 0..60 {
            let memory = Memory::default();
            let (mut journal, ..) = open(&memory, 1).unwrap();
            append(&mut journal, 2, 10).unwrap();
            memory.state().room = Some(room);
            memory.state().refuse_set_len = refuse_set_len;
            let error = append(&mut journal, 2, 30).unwrap_err();
            assert!(error.is_disk_full(), "{error}");
            assert_eq!(journal.next_sequence(), 3);
            // However often it is tried.
            assert!(append(&mut journal, 1, 30).is_err());
            assert_eq!(
                open(&memory.after_power_loss(|| true), 1).unwrap().2,
                expected(1..3, 10)
            );
            memory.state().room = None;
            memory.state().refuse_set_len = false;
            assert_eq!(append(&mut journal, 1, 10).unwrap(), 3..4);
            let (_, replayed, found) = open(&memory.after_power_loss(|| false), 1).unwrap();
            assert_eq!((found, replayed.torn_octets), (expected(1..4, 10), 0));
            assert_eq!(memory.listing().len(), if refuse_set_len { 2 } else { 1 });
        }
    }
}

#[test]
fn after_a_failed_sync_a_new_segment_disowns_what_the_old_one_may_hold() {
    for groups_before in [0, 1] {
        let memory = Memory::default();
        let (mut journal, ..) = open(&memory, 1).unwrap();
        if groups_before == 1 {
            append(&mut journal, 1, 5).unwrap();
        }
        let next = journal.next_sequence();
        memory.state().refuse_sync = true;
        assert!(matches!(
            journal.append(&[b"in doubt"; 3]),
            Err(JournalError::Io { doing: "sync", .. })
        ));
        assert!(
            journal.append(&[b"in doubt"; 3]).is_err(),
            "the new segment cannot be synced either"
        );
        assert_eq!(journal.next_sequence(), next);
        memory.state().refuse_sync = false;
        // Other records this time, so that it shows which ones are found.
        assert_eq!(append(&mut journal, 2, 5).unwrap(), next..next + 2);
        for kept in [false, true] {
            let (_, replayed, found) = open(&memory.after_power_loss(|| kept), 1).unwrap();
            assert_eq!((found, replayed.torn_octets), (expected(1..next + 2, 5), 0));
        }
    }
}

#[test]
fn an_old_segment_does_not_grow_when_its_successor_may_exist() {
    let memory = Memory::default();
    let (mut journal, ..) = open(&memory, 1).unwrap();
    append(&mut journal, 1, 5).unwrap();
    memory.state().refuse_folder_sync = true;
    assert!(journal.rotate().is_err());
    assert!(append(&mut journal, 1, 5).is_err());
    memory.state().refuse_folder_sync = false;
    assert_eq!(append(&mut journal, 1, 5).unwrap(), 2..3);
    for kept in [false, true] {
        assert_eq!(
            open(&memory.after_power_loss(|| kept), 1).unwrap().2,
            expected(1..3, 5)
        );
    }
}

#[test]
fn too_long_records_touch_nothing() {
    let memory = Memory::default();
    let (mut journal, ..) = open(&memory, 1).unwrap();
    let before = memory.octets(&segment_name(1));
    assert!(matches!(
        journal.append(&[vec![0; MAX_RECORD_OCTETS + 1]]),
        Err(JournalError::RecordTooLong { .. })
    ));
    assert!(matches!(
        journal.append(&vec![vec![0; 60_000]; 70]),
        Err(JournalError::GroupTooLong { .. })
    ));
    assert_eq!(memory.octets(&segment_name(1)), before);
    assert_eq!(append(&mut journal, 1, 0).unwrap(), 1..2);
}
