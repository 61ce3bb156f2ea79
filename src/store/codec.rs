//! How a value becomes the octets of a row: one version octet, then the minicbor body.
//!
//! The shapes themselves live beside the nouns. Invariants: old octets stay readable for ever through `decode_version`,
//! and octets written by a newer version are refused, never guessed at.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Decoder, Encode};

/// A value that can be stored. Old shapes stay in the code as `mod v1`, and `decode_version` turns them into the
/// newest one:
///
/// ```text
/// impl Record for v2::Plan {
///     const VERSION: u8 = 2;
///     fn decode_version(version: u8, body: &[u8]) -> Result<Self, Undecodable> {
///         match version {
///             1 => decode_body::<v1::Plan>(body).map(Into::into),
///             _ => Self::decode_current(version, body),
///         }
///     }
/// }
/// ```
pub trait Record: Encode<()> + for<'b> Decode<'b, ()> + Sized {
    /// The version octet of rows written now.
    const VERSION: u8;

    /// Reads a body of the given version. Overridden by records that have older shapes.
    fn decode_version(version: u8, body: &[u8]) -> Result<Self, Undecodable> {
        Self::decode_current(version, body)
    }

    /// Reads a body of the current version and refuses any other.
    fn decode_current(version: u8, body: &[u8]) -> Result<Self, Undecodable> {
        if version > Self::VERSION {
            return Err(Undecodable::Newer {
                found: version,
                known: Self::VERSION,
            });
        }
        if version < Self::VERSION {
            return Err(Undecodable::Body(format!(
                "nothing reads version {version}"
            )));
        }
        decode_body(body)
    }
}

/// Why the octets of a row are not a value; `StoreError` adds the table and the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecodable {
    /// Written by a newer program.
    Newer { found: u8, known: u8 },
    /// Not a body of that version: damaged, or another type's.
    Body(String),
}

/// The octets of a row. Errors: what a hand-written encoder refuses; derived ones refuse nothing.
pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>, String> {
    let mut octets = vec![R::VERSION];
    minicbor::encode(record, &mut octets).map_err(|error| error.to_string())?;
    Ok(octets)
}

/// The value behind the octets of a row, whatever version wrote them.
pub fn decode<R: Record>(octets: &[u8]) -> Result<R, Undecodable> {
    match octets.split_first() {
        Some((&version, body)) => R::decode_version(version, body),
        None => Err(Undecodable::Body("the row is empty".into())),
    }
}

/// A minicbor body that must be used up to its last octet.
pub fn decode_body<T: for<'b> Decode<'b, ()>>(body: &[u8]) -> Result<T, Undecodable> {
    let mut decoder = Decoder::new(body);
    let value = decoder
        .decode()
        .map_err(|error| Undecodable::Body(error.to_string()))?;
    match body.len().saturating_sub(decoder.position()) {
        0 => Ok(value),
        rest => Err(Undecodable::Body(format!("{rest} octets follow the value"))),
    }
}

/// The empty value of an index whose key says everything.
impl Record for () {
    const VERSION: u8 = 1;
}

/// The id that an index points at.
impl Record for u32 {
    const VERSION: u8 = 1;
}

/// A counter, a sequence or an id that an index points at.
impl Record for u64 {
    const VERSION: u8 = 1;
}

impl Record for String {
    const VERSION: u8 = 1;
}

/// Plain octets.
impl Record for ByteVec {
    const VERSION: u8 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    mod v1 {
        #[derive(Debug, PartialEq, minicbor::Encode, minicbor::Decode)]
        pub struct Lamp {
            #[n(0)]
            pub watts: u32,
        }
        impl super::Record for Lamp {
            const VERSION: u8 = 1;
        }
    }

    #[derive(Debug, PartialEq, minicbor::Encode, minicbor::Decode)]
    struct Lamp {
        #[n(0)]
        milliwatts: u64,
        #[n(1)]
        colour: Option<String>,
    }

    impl From<v1::Lamp> for Lamp {
        fn from(old: v1::Lamp) -> Self {
            Lamp {
                milliwatts: u64::from(old.watts) * 1000,
                colour: None,
            }
        }
    }

    impl Record for Lamp {
        const VERSION: u8 = 2;
        fn decode_version(version: u8, body: &[u8]) -> Result<Self, Undecodable> {
            match version {
                1 => decode_body::<v1::Lamp>(body).map(Into::into),
                _ => Self::decode_current(version, body),
            }
        }
    }

    #[test]
    fn a_row_is_its_version_and_its_body() {
        let lamp = Lamp {
            milliwatts: 9,
            colour: Some("red".into()),
        };
        let octets = encode(&lamp).unwrap();
        assert_eq!(octets, [2, 0x82, 9, 0x63, b'r', b'e', b'd']);
        assert_eq!(decode::<Lamp>(&octets), Ok(lamp));
    }

    #[test]
    fn an_older_shape_is_upgraded_when_read() {
        let old = encode(&v1::Lamp { watts: 60 }).unwrap();
        assert_eq!(
            decode::<Lamp>(&old),
            Ok(Lamp {
                milliwatts: 60_000,
                colour: None
            })
        );
    }

    #[test]
    fn newer_empty_cut_and_padded_rows_are_refused() {
        let octets = encode(&Lamp {
            milliwatts: 9,
            colour: None,
        })
        .unwrap();
        let mut newer = octets.clone();
        newer[0] = 3;
        assert_eq!(
            decode::<Lamp>(&newer),
            Err(Undecodable::Newer { found: 3, known: 2 })
        );
        let mut unknown = octets.clone();
        unknown[0] = 0;
        assert!(matches!(
            decode::<Lamp>(&unknown),
            Err(Undecodable::Body(_))
        ));
        for cut in 0..octets.len() {
            assert!(
                matches!(decode::<Lamp>(&octets[..cut]), Err(Undecodable::Body(_))),
                "cut at {cut}"
            );
        }
        let mut padded = octets;
        padded.push(0);
        assert_eq!(
            decode::<Lamp>(&padded),
            Err(Undecodable::Body("1 octets follow the value".into()))
        );
    }

    #[test]
    fn plain_values_round_trip() {
        assert_eq!(decode::<()>(&encode(&()).unwrap()), Ok(()));
        for number in [0, 23, 24, u64::MAX] {
            assert_eq!(decode::<u64>(&encode(&number).unwrap()), Ok(number));
        }
        assert_eq!(decode::<u32>(&encode(&u32::MAX).unwrap()), Ok(u32::MAX));
        assert_eq!(
            decode::<String>(&encode(&"نور".to_string()).unwrap()),
            Ok("نور".into())
        );
        let octets = ByteVec::from(vec![0, 255, 7]);
        assert_eq!(decode::<ByteVec>(&encode(&octets).unwrap()), Ok(octets));
    }
}
