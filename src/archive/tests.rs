//! Backups that are whole, and all the ways in which they are not.

mod flow;

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::header::CHUNK;
use super::*;

fn passphrase(text: &str) -> Words {
    Words::Passphrase(Secret::new(text.to_owned()))
}

fn licence(id: &str, key: &str) -> Words {
    Words::Licence {
        id: id.to_owned(),
        key: Secret::new(key.to_owned()),
    }
}

/// A packer whose key costs next to nothing.
fn packer(words: &Words) -> Packer<Vec<u8>> {
    let (header, key) = Header::make_at_cost(words, 8, 1).unwrap();
    Packer::begin(Vec::new(), &header, &key).unwrap()
}

/// Octets that do not compress, never the same for two seeds.
struct Noise {
    state: u64,
    left: u64,
}

fn noise(seed: u64, octets: u64) -> Noise {
    Noise {
        state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        left: octets,
    }
}

impl Read for Noise {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = out.len().min(usize::try_from(self.left).unwrap());
        for eight in out[..count].chunks_mut(8) {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            eight.copy_from_slice(&self.state.to_le_bytes()[..eight.len()]);
        }
        self.left -= u64::try_from(count).unwrap();
        Ok(count)
    }
}

fn octets_of(mut from: impl Read) -> Vec<u8> {
    let mut octets = Vec::new();
    from.read_to_end(&mut octets).unwrap();
    octets
}

/// Three files that fill three chunks and a bit.
fn backup(words: &Words) -> Vec<u8> {
    let mut packer = packer(words);
    let large = u64::from(CHUNK) * 3 + 1_000;
    packer.add("manifest", 5, &b"hello"[..]).unwrap();
    packer.add("empty", 0, &b""[..]).unwrap();
    packer.add("tls/own.pem", large, noise(1, large)).unwrap();
    packer.finish().unwrap()
}

fn unpack(octets: &[u8], words: &Words) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
    let mut unpacker = Unpacker::new(octets, words)?;
    let mut files = Vec::new();
    while let Some(file) = unpacker.next_file()? {
        let mut content = Vec::new();
        unpacker.copy_to(&mut content)?;
        assert_eq!(u64::try_from(content.len()).unwrap(), file.size);
        files.push((file.name, content));
    }
    assert!(unpacker.next_file()?.is_none(), "the end stays the end");
    Ok(files)
}

fn error(octets: &[u8], words: &Words) -> String {
    unpack(octets, words).unwrap_err().to_string()
}

/// Where the header ends and each chunk begins, and the end.
fn chunks(octets: &[u8]) -> Vec<usize> {
    let mut start = Header::read(&mut &octets[..]).unwrap().octets().len();
    let mut starts = vec![start];
    while start < octets.len() {
        let length = u32::from_be_bytes(octets[start + 4..start + 8].try_into().unwrap());
        start += 8 + usize::try_from(length & 0x7fff_ffff).unwrap();
        starts.push(start);
    }
    assert_eq!(start, octets.len());
    starts
}

#[test]
fn files_come_back_as_they_were() {
    let words = passphrase("correct horse battery");
    let chunk = u64::from(CHUNK);
    for sizes in [
        vec![],
        vec![0],
        vec![1],
        vec![chunk - 200, chunk, chunk + 1],
        vec![3 * chunk],
    ] {
        let mut packer = packer(&words);
        for (number, size) in (1..).zip(&sizes) {
            packer
                .add(&format!("file-{number}"), *size, noise(number, *size))
                .unwrap();
        }
        let files = unpack(&packer.finish().unwrap(), &words).unwrap();
        assert_eq!(files.len(), sizes.len());
        for ((number, size), (name, content)) in (1..).zip(&sizes).zip(&files) {
            assert_eq!(*name, format!("file-{number}"));
            assert!(*content == octets_of(noise(number, *size)), "{size} octets");
        }
    }
}

#[test]
fn a_file_that_nobody_wants_is_skipped() {
    let words = passphrase("correct horse battery");
    let octets = backup(&words);
    let mut unpacker = Unpacker::new(&octets[..], &words).unwrap();
    let mut names = Vec::new();
    while let Some(file) = unpacker.next_file().unwrap() {
        names.push((file.name, file.size));
    }
    let large = u64::from(CHUNK) * 3 + 1_000;
    let wanted = [("manifest", 5), ("empty", 0), ("tls/own.pem", large)];
    assert_eq!(names, wanted.map(|(name, size)| (name.to_owned(), size)));
}

#[test]
fn the_real_cost_is_paid_and_two_backups_have_nothing_in_common() {
    let words = passphrase("correct horse battery");
    let pack = || {
        let mut packer = Packer::new(Vec::new(), &words).unwrap();
        packer.add("a", 1, &b"a"[..]).unwrap();
        packer.finish().unwrap()
    };
    let (one, other) = (pack(), pack());
    assert_eq!(one[10..22], [0, 0, 0x20, 0, 0, 0, 0, 12, 0, 0, 0, 1]);
    assert_ne!(one[22..54], other[22..54], "salt and check");
    assert_ne!(one[58..65], other[58..65], "nonces");
    assert_ne!(one[66..], other[66..]);
    assert_eq!(unpack(&one, &words).unwrap(), [("a".into(), b"a".to_vec())]);
}

#[test]
fn only_the_right_words_of_the_right_kind_open_it() {
    let words = passphrase("correct horse battery");
    let mut octets = backup(&words);
    assert_eq!(
        error(&octets, &passphrase("correct horse batterz")),
        "the passphrase does not open this backup. Look for typing errors; a backup keeps the words that held when it was made"
    );
    assert_eq!(
        error(&octets, &licence("L-1", "correct horse battery")),
        "the backup was made with a passphrase, but a licence key was given"
    );
    assert_eq!(
        look(&octets[..]).unwrap(),
        Lock {
            kind: KeyKind::Passphrase,
            id: String::new()
        }
    );
    octets = backup(&licence("L-2027-0001", "AAAA-BBBB"));
    assert_eq!(look(&octets[..]).unwrap().id, "L-2027-0001");
    assert_eq!(look(&octets[..]).unwrap().kind, KeyKind::Licence);
    assert!(unpack(&octets, &licence("whatever", "AAAA-BBBB")).is_ok());
    assert!(
        error(&octets, &licence("L-2027-0001", "AAAA-BBBC"))
            .starts_with("the licence key does not open")
    );
    assert!(error(&octets, &words).starts_with("the backup was made with a licence key"));
}

#[test]
fn no_octet_of_the_header_can_be_changed_or_missing() {
    let words = licence("L-1", "AAAA-BBBB");
    let octets = backup(&words);
    let length = chunks(&octets)[0];
    assert_eq!(length, 66 + 3);
    for position in 0..length {
        // Higher bits of the cost would cost time and no more.
        let mut changed = octets.clone();
        changed[position] ^= 1;
        assert!(unpack(&changed, &words).is_err(), "octet {position}");
        let cut = error(&octets[..position], &words);
        let wanted = match position {
            ..8 => "this is not a backup of ProxPanel",
            _ => "the start of the backup is damaged: it is cut short",
        };
        assert!(cut.starts_with(wanted), "{position}: {cut}");
    }
    let mut newer = octets.clone();
    newer[8] = 2;
    assert_eq!(
        error(&newer, &words),
        "this backup has format 2, and this program knows formats up to 1. Install the newer program"
    );
    for (at, number, what) in [
        (10, (128 << 10) + 1, "the memory for its key"),
        (10, 7, "the memory for its key"),
        (14, 33, "the passes for its key"),
        (14, 0, "the passes for its key"),
        (18, 9, "the lanes for its key"),
        (54, 1_023, "the size of its parts"),
        (54, (4 << 20) + 1, "the size of its parts"),
    ] {
        let mut greedy = octets.clone();
        greedy[at..at + 4].copy_from_slice(&u32::to_be_bytes(number));
        let said = error(&greedy, &words);
        assert_eq!(said, format!("the start of the backup is damaged: {what}"));
    }
    assert!(error(b"", &words).starts_with("this is not a backup"));
    assert!(error(&[7; 500], &words).starts_with("this is not a backup"));
}

#[test]
fn a_change_anywhere_is_found_and_its_part_named() {
    let words = passphrase("correct horse battery");
    let octets = backup(&words);
    let starts = chunks(&octets);
    assert_eq!(starts.len(), 5, "four chunks");
    for (chunk, pair) in starts.windows(2).enumerate() {
        let (start, end) = (pair[0], pair[1]);
        // Length, its mark, first and last octets of ciphertext and tag.
        for position in [
            start + 4,
            start + 7,
            start + 8,
            (start + end) / 2,
            end - 17,
            end - 16,
            end - 1,
        ] {
            for bit in [0x01, 0x80] {
                let mut changed = octets.clone();
                changed[position] ^= bit;
                let said = unpack(&changed, &words).unwrap_err();
                let found = match said {
                    // A last chunk that claims to be longer ends too soon.
                    ArchiveError::Tampered { chunk } | ArchiveError::Truncated { chunk } => chunk,
                    // One that claims to be shorter leaves something over, which is not looked at before its tag.
                    other => panic!("{position}: {other}"),
                };
                assert_eq!(usize::try_from(found).unwrap(), chunk, "octet {position}");
            }
        }
        let mut renumbered = octets.clone();
        renumbered[start + 3] ^= 0x10;
        assert!(matches!(
            unpack(&renumbered, &words),
            Err(ArchiveError::OutOfOrder { .. })
        ));
    }
}

#[test]
fn parts_that_moved_or_are_missing_are_named() {
    let words = passphrase("correct horse battery");
    let octets = backup(&words);
    let starts = chunks(&octets);
    let head = &octets[..starts[0]];
    let part = |number: usize| &octets[starts[number]..starts[number + 1]];
    let made_of = |parts: &[&[u8]]| [head, &parts.concat()].concat();
    let order = |parts: &[usize]| made_of(&parts.iter().map(|at| part(*at)).collect::<Vec<_>>());
    assert!(unpack(&order(&[0, 1, 2, 3]), &words).is_ok());
    for (parts, expected, found) in [
        (vec![1, 0, 2, 3], 0, 1),
        (vec![0, 2, 1, 3], 1, 2),
        (vec![0, 1, 3], 2, 3),
        (vec![0, 0, 1, 2, 3], 1, 0),
        (vec![3], 0, 3),
    ] {
        let wanted = format!(
            "part {expected} of the backup is missing or out of its place: part {found} stands there. Take another one"
        );
        assert_eq!(error(&order(&parts), &words), wanted);
    }
    // Renumbered to hide the move.
    let mut second = part(2).to_vec();
    second[..4].copy_from_slice(&1u32.to_be_bytes());
    let hidden = made_of(&[part(0), &second, part(3)]);
    assert!(matches!(
        unpack(&hidden, &words),
        Err(ArchiveError::Tampered { chunk: 1 })
    ));
    // From another backup with the same words.
    let other = backup(&words);
    let foreign = [&octets[..starts[1]], &other[starts[1]..]].concat();
    assert!(matches!(
        unpack(&foreign, &words),
        Err(ArchiveError::Tampered { chunk: 1 })
    ));
    // Made last to hide that something is missing.
    let mut last = part(1).to_vec();
    last[4] |= 0x80;
    let shortened = made_of(&[part(0), &last]);
    assert!(matches!(
        unpack(&shortened, &words),
        Err(ArchiveError::Tampered { chunk: 1 })
    ));
}

#[test]
fn a_cut_is_named_wherever_it_falls_and_so_is_what_follows_the_end() {
    let words = passphrase("correct horse battery");
    let octets = backup(&words);
    let starts = chunks(&octets);
    for (chunk, pair) in starts.windows(2).enumerate() {
        let (start, end) = (pair[0], pair[1]);
        for length in [
            start,
            start + 1,
            start + 4,
            start + 8,
            (start + end) / 2,
            end - 1,
        ] {
            let said = unpack(&octets[..length], &words).unwrap_err();
            assert!(
                matches!(&said, ArchiveError::Truncated { chunk: found } if usize::try_from(*found).unwrap() == chunk),
                "{length}: {said}"
            );
        }
    }
    let longer = [&octets[..], b"x"].concat();
    assert_eq!(
        error(&longer, &words),
        "something follows the end of the backup after part 3. Copy it again, or take another one"
    );
}

#[test]
fn what_the_chunks_hold_is_not_trusted_either() {
    let words = passphrase("correct horse battery");
    let (header, key) = Header::make_at_cost(&words, 8, 1).unwrap();
    let compressed = |content: &[u8]| {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(content).unwrap();
        deflate.finish().unwrap()
    };
    let sealed = |content: &[u8]| {
        let octets = header.octets();
        let mut chunks = ChunkWriter::new(octets.clone(), &header, octets, &key);
        chunks.write_all(content).unwrap();
        chunks.finish().unwrap()
    };
    let file = |name: &str, size: u64, content: &[u8]| {
        let length = u16::try_from(name.len()).unwrap().to_be_bytes();
        [&length, name.as_bytes(), &size.to_be_bytes(), content].concat()
    };
    let long = "n".repeat(101);
    for (content, wanted) in [
        (
            compressed(&file("../a", 1, b"a\0\0")),
            "a file has an impossible name",
        ),
        (
            compressed(&file("/a", 1, b"a\0\0")),
            "a file has an impossible name",
        ),
        (
            compressed(&file("a/b/c", 1, b"a\0\0")),
            "a file has an impossible name",
        ),
        (
            compressed(&file(&long, 1, b"a\0\0")),
            "it holds more or other files than a backup",
        ),
        (
            compressed(&file("a", 9, b"a\0\0")),
            "a file ends before its end",
        ),
        (compressed(&file("a", 1, b"a")), "it cannot be decompressed"),
        (compressed(b""), "it cannot be decompressed"),
        (compressed(b"\0\0x"), "something follows the last file"),
        (
            [compressed(b"\0\0"), b"x".repeat(100_000)].concat(),
            "something follows the last file",
        ),
        (b"no deflate at all".to_vec(), "it cannot be decompressed"),
    ] {
        let said = error(&sealed(&content), &words);
        assert_eq!(
            said,
            format!("the content of the backup does not add up: {wanted}")
        );
    }
}

#[test]
fn what_cannot_be_read_back_is_not_packed() {
    let words = passphrase("correct horse battery");
    for (name, size, wanted) in [
        ("..", 3, "its name is not one of ours"),
        ("", 3, "its name is not one of ours"),
        (".hidden", 3, "its name is not one of ours"),
        ("a//b", 3, "its name is not one of ours"),
        ("a/b/c", 3, "its name is not one of ours"),
        ("a\\b", 3, "its name is not one of ours"),
        ("é", 3, "its name is not one of ours"),
        ("a", 2, "it became longer while it was read"),
        ("a", 4, "it became shorter while it was read"),
    ] {
        let said = packer(&words)
            .add(name, size, &b"abc"[..])
            .unwrap_err()
            .to_string();
        assert_eq!(said, format!("{name} cannot be packed: {wanted}"));
    }
    let mut packer = packer(&words);
    for number in 0..MOST_FILES {
        packer.add(&format!("f{number}"), 0, &b""[..]).unwrap();
    }
    let said = packer.add("one-more", 0, &b""[..]).unwrap_err().to_string();
    assert_eq!(said, "one-more cannot be packed: there are too many files");
}
