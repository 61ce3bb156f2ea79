//! Filters in the address: builds a query string in which links change one thing and keep the rest.

/// Names and values in the order in which they were added; a name stands once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub fn new() -> Self {
        Self::default()
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
