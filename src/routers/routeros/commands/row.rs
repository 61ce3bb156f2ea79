//! The fields of one row as values. What identifies or counts must be there; the rest may be missing or new to us.

use std::net::IpAddr;
use std::str;
use std::time::Duration;

use super::ItemId;
use crate::domain::octets::Traffic;
use crate::routers::mikrotik::Pair;
use crate::routers::routeros::error::{ApiError, message};
use crate::routers::routeros::values;
use crate::routers::routeros::wire::Sentence;

pub(super) struct Row<'a>(pub(super) &'a Sentence);

impl<'a> Row<'a> {
    /// Names and comments: any octets, which are shown as well as they can be.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let octets = self.0.attribute(name)?;
        Some(String::from_utf8_lossy(octets).into_owned())
    }

    /// Errors: `Value` when it is missing.
    pub(super) fn required(&self, name: &'static str) -> Result<String, ApiError> {
        self.text(name).ok_or_else(|| self.refused(name))
    }

    /// `.id`, or `ret` of a `!done`. Errors: `Value` when it is missing or empty.
    pub(super) fn id(&self, name: &'static str) -> Result<ItemId, ApiError> {
        self.text(name)
            .filter(|id| !id.is_empty())
            .map(ItemId)
            .ok_or_else(|| self.refused(name))
    }

    /// Errors: `Value` when it is missing or no number.
    pub(super) fn number(&self, name: &'static str) -> Result<u64, ApiError> {
        self.count(name).ok_or_else(|| self.refused(name))
    }

    pub(super) fn count(&self, name: &str) -> Option<u64> {
        values::number(self.plain(name)?)
    }

    /// What is missing is not so.
    pub(super) fn is(&self, name: &str) -> bool {
        self.plain(name).and_then(values::truth).unwrap_or(false)
    }

    pub(super) fn duration(&self, name: &str) -> Option<Duration> {
        values::duration(self.plain(name)?)
    }

    pub(super) fn address(&self, name: &str) -> Option<IpAddr> {
        self.plain(name)?.parse().ok()
    }

    /// Rates in bit/s, `upload/download`.
    pub(super) fn pair(&self, name: &str) -> Option<Pair> {
        Pair::parse(self.plain(name)?)
    }

    /// Octets, `upload/download`.
    pub(super) fn traffic(&self, name: &str) -> Option<Traffic> {
        let pair = self.pair(name)?;
        Some(Traffic::new(pair.upload, pair.download))
    }

    /// Text of the router itself, which is never anything but ASCII.
    pub(super) fn plain(&self, name: &str) -> Option<&'a str> {
        str::from_utf8(self.0.attribute(name)?).ok()
    }

    fn refused(&self, field: &'static str) -> ApiError {
        let text = message(self.0.attribute(field).unwrap_or_default());
        ApiError::Value { field, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(words: &[&[u8]]) -> Sentence {
        let mut sentence = Sentence::default();
        for word in [&[b"!re".as_slice()], words].concat() {
            sentence.push(word).unwrap();
        }
        sentence
    }

    #[test]
    fn what_must_be_there_is_an_error_when_it_is_not() {
        let sentence = sentence(&[
            b"=.id=*1",
            b"=ret=",
            b"=rx-byte=12",
            b"=tx-byte=1.5k",
            b"=name=b\xE9",
        ]);
        let row = Row(&sentence);
        let refused = |field, text: &str| ApiError::Value {
            field,
            text: text.to_owned(),
        };
        assert_eq!(row.id(".id"), Ok(ItemId("*1".to_owned())));
        assert_eq!(row.id("ret"), Err(refused("ret", "")));
        assert_eq!(row.number("rx-byte"), Ok(12));
        assert_eq!(row.number("tx-byte"), Err(refused("tx-byte", "1.5k")));
        assert_eq!(row.number("bytes"), Err(refused("bytes", "")));
        assert_eq!(row.required("name"), Ok("b\u{FFFD}".to_owned()));
        assert_eq!(row.required("user"), Err(refused("user", "")));
    }

    #[test]
    fn the_rest_is_none_when_it_is_missing_or_strange() {
        let sentence = sentence(&[
            b"=radius=true",
            b"=dynamic=perhaps",
            b"=uptime=1h2m",
            b"=address=10.0.0.5",
            b"=remote-address=pool1",
            b"=max-limit=10M/50000000",
            b"=bytes=17/18446744073709551615",
            b"=rate=\xE9",
        ]);
        let row = Row(&sentence);
        assert_eq!(
            (row.is("radius"), row.is("dynamic"), row.is("disabled")),
            (true, false, false)
        );
        assert_eq!(row.duration("uptime"), Some(Duration::from_secs(3720)));
        assert_eq!(row.duration("address"), None);
        assert_eq!(row.address("address"), Some([10, 0, 0, 5].into()));
        assert_eq!(row.address("remote-address"), None);
        assert_eq!(
            row.pair("max-limit"),
            Some(Pair::new(10_000_000, 50_000_000))
        );
        assert_eq!(row.traffic("bytes"), Some(Traffic::new(17, u64::MAX)));
        assert_eq!(
            (row.pair("rate"), row.text("rate")),
            (None, Some("\u{FFFD}".to_owned()))
        );
    }
}
