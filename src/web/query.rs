//! Filters in the address: builds a query string in which links change one thing and keep the rest.

use std::str::FromStr;

use axum::http::Uri;

/// Names and values in the order in which they were added; a name stands once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

/// Pairs that are read from an address; a filter form has about eight.
const MOST_PAIRS: usize = 32;
/// Characters of one value; the longest filter is a name.
const LONGEST_VALUE: usize = 200;

impl Query {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the query of an address: of `known` names the first value that is not empty. What else somebody put there is
    /// left out, and so does not come back in links.
    pub fn read(address: &str, known: &[&str]) -> Self {
        let pairs = address
            .parse::<Uri>()
            .ok()
            .and_then(|uri| axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).ok())
            .map_or_else(Vec::new, |query| query.0);
        let mut query = Self::new();
        for (name, value) in pairs.into_iter().take(MOST_PAIRS) {
            if known.contains(&name.as_str()) && query.get(&name).is_empty() {
                let value: String = value.chars().take(LONGEST_VALUE).collect();
                query = query.with(&name, value.trim());
            }
        }
        query
    }

    /// The value of `name`, or the empty text.
    pub fn get(&self, name: &str) -> &str {
        self.pairs
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// The value of `name` as a number, if it is one.
    pub fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name).parse().ok()
    }

    /// Sets `name`; an empty value removes it, so that addresses stay short.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if value.is_empty() {
            return self.without(name);
        }
        match self.pairs.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.pairs.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.pairs.retain(|(known, _)| known != name);
        self
    }

    /// `path` with the query behind it, or `path` alone.
    pub fn href(&self, path: &str) -> String {
        let mut text = path.to_owned();
        for (i, (name, value)) in self.pairs.iter().enumerate() {
            text.push(if i == 0 { '?' } else { '&' });
            encode(name, &mut text);
            text.push('=');
            encode(value, &mut text);
        }
        text
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 s2.3.
pub fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_filters_are_read_from_the_address_and_nothing_else() {
        let read = |address| Query::read(address, &["q", "nas"]);
        let query = read("/online?q=%20ali%20b+c%26&nas=7&evil=1&q=second");
        assert_eq!(query.get("q"), "ali b c&");
        assert_eq!(query.number::<u32>("nas"), Some(7));
        assert_eq!(query.href("/online"), "/online?q=ali%20b%20c%26&nas=7");
        assert_eq!(read("/online?nas=x").number::<u32>("nas"), None);
        assert_eq!(read("/online?q=&nas"), Query::new());
        assert_eq!(read("no address at all"), Query::new());
        let long = format!("/?q={}", "a".repeat(300));
        assert_eq!(read(&long).get("q").len(), LONGEST_VALUE);
    }

    #[test]
    fn a_link_changes_one_thing_and_keeps_the_rest() {
        let query = Query::new()
            .with("q", "ali")
            .with("state", "expired")
            .with("page", "4");
        assert_eq!(
            query.clone().with("page", "5").href("/s"),
            "/s?q=ali&state=expired&page=5"
        );
        assert_eq!(
            query.clone().without("q").href("/s"),
            "/s?state=expired&page=4"
        );
        assert_eq!(
            query
                .with("q", "")
                .without("state")
                .without("page")
                .href("/s"),
            "/s"
        );
    }

    #[test]
    fn values_cannot_break_out_of_the_address() {
        let query = Query::new().with("q", "a b&c=d\"<>#%é");
        assert_eq!(query.href("/s"), "/s?q=a%20b%26c%3Dd%22%3C%3E%23%25%C3%A9");
    }
}
