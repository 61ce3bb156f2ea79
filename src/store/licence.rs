//! The licence of this machine: one row. What it means is in `licence`.

use minicbor::{Decode, Encode};

use super::codec::Record;
use super::tables::LICENCE;
use super::{Change, Read, StoreError, Tx};

/// The context under which the licence key is sealed.
pub const KEY_CONTEXT: &[u8] = b"licence/key";

pub use v1::LicenceRow;

mod v1 {
    use super::*;

    /// Times are milliseconds since 1970. Never renumber; new fields are optional; 4 was used.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
    pub struct LicenceRow {
        /// When this installation first knew of its vendor.
        #[n(0)]
        pub first_seen: i64,
        /// The licence key under [`KEY_CONTEXT`]; empty before activation.
        #[cbor(n(1), with = "minicbor::bytes")]
        pub sealed_key: Vec<u8>,
        /// The licence as the vendor signed it; empty before activation.
        #[n(2)]
        pub token: String,
        /// When the vendor last said that all is well.
        #[n(3)]
        pub last_good: i64,
        /// The latest moment that this machine or its vendor has named.
        #[n(5)]
        pub last_seen: i64,
        /// When the vendor was last asked, by our clock, and what went wrong; empty when nothing did.
        #[n(6)]
        pub last_tried: i64,
        #[n(7)]
        pub problem: String,
        /// The vendor took the licence back, with its reason.
        #[n(8)]
        pub revoked: Option<String>,
        /// The vendor says that the licence is bound to another machine.
        #[n(9)]
        pub is_elsewhere: bool,
    }
}

impl Record for LicenceRow {
    const VERSION: u8 = 1;
}

/// `None` before a vendor was configured for the first time.
pub fn get(read: &impl Read) -> Result<Option<LicenceRow>, StoreError> {
    read.get(&LICENCE, 0)
}

pub fn put(tx: &mut Tx<'_>, row: &LicenceRow) -> Result<(), StoreError> {
    tx.insert(&LICENCE, 0, row)?;
    tx.touch(Change::Licence);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_with_the_vendors_clock_in_it_is_read() {
        let with_clock = b"\x8a\x01\x41\x02\x61t\x03\x19\x30\x39\x05\x06\x60\xf6\xf5";
        let row: LicenceRow = minicbor::decode(with_clock).unwrap();
        assert_eq!((row.first_seen, row.last_good, row.last_seen), (1, 3, 5));
        assert!(row.is_elsewhere);
    }
}
