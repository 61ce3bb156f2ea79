//! Large backups go through in pieces, both ways.

use std::cell::Cell;
use std::io::{Seek, SeekFrom};

use super::*;

/// Counts what went through; `mark` is shared with the other side.
struct Counting<'c, T> {
    inner: T,
    count: &'c Cell<u64>,
}

impl<T: Read> Read for Counting<'_, T> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.count
            .set(self.count.get() + u64::try_from(count).unwrap());
        Ok(count)
    }
}

/// Fails when it is further behind the other side than a few chunks: then octets pile up in between.
struct Near<'c, T> {
    inner: T,
    passed: u64,
    other: &'c Cell<u64>,
}

/// One chunk in the making, one sealed, and the buffers of the compression.
const MOST_BETWEEN: u64 = 3 * 262_144;

impl<T: Write> Write for Near<'_, T> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let between = self.other.get().saturating_sub(self.passed);
        assert!(between <= MOST_BETWEEN, "{between} octets are on their way");
        let count = self.inner.write(octets)?;
        self.passed += u64::try_from(count).unwrap();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[test]
fn nothing_piles_up_whatever_the_size() {
    const SIZE: u64 = 8 << 20;
    let words = passphrase("correct horse battery");
    let (header, key) = Header::make_at_cost(&words, 8, 1).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    let read = Cell::new(0);
    let out = Near {
        inner: &file,
        passed: 0,
        other: &read,
    };
    let mut packer = Packer::begin(out, &header, &key).unwrap();
    let source = Counting {
        inner: noise(5, SIZE),
        count: &read,
    };
    packer.add("large", SIZE, source).unwrap();
    packer.finish().unwrap();
    assert_eq!(read.get(), SIZE);

    file.seek(SeekFrom::Start(0)).unwrap();
    let read = Cell::new(0);
    let source = Counting {
        inner: &file,
        count: &read,
    };
    let mut unpacker = Unpacker::new(source, &words).unwrap();
    assert_eq!(unpacker.next_file().unwrap().unwrap().size, SIZE);
    let out = Near {
        inner: io::sink(),
        passed: 0,
        other: &read,
    };
    unpacker.copy_to(out).unwrap();
    assert!(unpacker.next_file().unwrap().is_none());
    assert!(read.get() > SIZE);
}
