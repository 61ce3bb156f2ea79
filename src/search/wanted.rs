//! What a typed query asks for.
//!
//! A query has one or more readings (`0770 123` is two words or one phone number); a reading is words that must all be
//! found; a word has forms of which any will do. `query` asks the index with them, [`matches`] asks a row.
//! Invariant: whatever is typed, there are at most [`MOST_WORDS`] words and a handful of forms.

use super::words::{self, LONGEST_WORD};
use crate::domain::text;

/// Characters of a query that are read; the box allows no more.
const LONGEST_QUERY: usize = LONGEST_WORD;
/// Words of a query that are read; each costs a few look-ups.
const MOST_WORDS: usize = 8;
/// Shorter texts are looked for at the start of words only: they are inside of nearly everything.
const SHORTEST_INSIDE: usize = words::GRAM;
/// A number without its prefix is looked for once it has so many digits; fewer are inside of too many numbers.
const SHORTEST_TAIL: usize = 5;
/// Numbers are written with this country code or with a leading zero.
const COUNTRY_CODE: &str = "964";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub readings: Vec<Vec<Word>>,
}

/// Alternatives, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub forms: Vec<Form>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// A word begins so.
    Start(String),
    /// A word has this in it: at least [`SHORTEST_INSIDE`] characters.
    Inside(String),
}

impl Form {
    fn new(text: String) -> Form {
        if text.chars().count() < SHORTEST_INSIDE {
            Form::Start(text)
        } else {
            Form::Inside(text)
        }
    }

    fn fits(&self, word: &str) -> bool {
        match self {
            Form::Start(text) => word.starts_with(text),
            Form::Inside(text) => word.contains(text),
        }
    }
}

impl Wanted {
    /// Longer input is cut. No readings if nothing in it can be looked for.
    pub fn parse(query: &str) -> Wanted {
        let short: String = query.chars().take(LONGEST_QUERY).collect();
        let plain = text::searchable(&short);
        let tokens: Vec<&str> = words::tokens(&plain).take(MOST_WORDS).collect();
        let mut readings = Vec::new();
        let separate: Vec<Word> = tokens.iter().filter_map(|token| word(token)).collect();
        if !separate.is_empty() {
            readings.push(separate);
        }
        if tokens.len() > 1 {
            let forms = joined_forms(&tokens);
            if !forms.is_empty() {
                readings.push(vec![Word { forms }]);
            }
        }
        Wanted { readings }
    }
}

/// Whether a row with these texts is an answer to the query. The index gives candidates; this decides.
pub fn matches(texts: &[String], query: &str) -> bool {
    let wanted = Wanted::parse(query);
    let present = words::of_texts(texts);
    wanted.readings.iter().any(|reading| {
        reading.iter().all(|word| {
            word.forms
                .iter()
                .any(|form| present.iter().any(|word| form.fits(word)))
        })
    })
}

/// `None` for punctuation alone.
fn word(token: &str) -> Option<Word> {
    let trimmed = token.trim_matches(|c: char| !c.is_alphanumeric());
    if trimmed.is_empty() {
        return None;
    }
    if is_address_start(token) {
        let forms = vec![Form::Start(token.to_owned())];
        return Some(Word { forms });
    }
    let mut forms = vec![Form::new(trimmed.to_owned())];
    let others = mac_part(trimmed).into_iter().chain(phone_forms(trimmed));
    for text in others {
        add(&mut forms, text);
    }
    Some(Word { forms })
}

/// The whole query as one MAC address or phone number written with blanks.
fn joined_forms(tokens: &[&str]) -> Vec<Form> {
    let mut forms = Vec::new();
    if let Some(digits) = mac_part(&tokens.join(":")) {
        add(&mut forms, digits);
    }
    if let Some(digits) = words::phone_digits(&tokens.join(" ")) {
        add(&mut forms, digits.clone());
        for text in phone_forms(&digits) {
            add(&mut forms, text);
        }
    }
    forms
}

fn add(forms: &mut Vec<Form>, text: String) {
    let form = Form::new(text);
    if !forms.contains(&form) {
        forms.push(form);
    }
}

/// Digits and dots that can still become an IPv4 address: `10.`, `10.0.0`, `10.0.0.5`.
fn is_address_start(token: &str) -> bool {
    let groups = token.split('.').count();
    let octets = token
        .split('.')
        .enumerate()
        .all(|(at, group)| group.parse::<u8>().is_ok() || (group.is_empty() && at + 1 == groups));
    octets && (2..=4).contains(&groups)
}

/// The bare digits of a MAC address or of its first groups: `aa:bb:c`, `aabb.cc`, `aabbcc-dd`.
fn mac_part(text: &str) -> Option<String> {
    if let Some(digits) = words::mac_digits(text) {
        return Some(digits);
    }
    let (separator, sizes): (char, &[usize]) = match text.chars().find(|c| ":-.".contains(*c))? {
        '.' => ('.', &[4]),
        separator => (separator, &[2, 4, 6]),
    };
    let groups: Vec<&str> = text.split(separator).collect();
    let (last, full) = groups.split_last()?;
    let is_hex = |group: &&str| group.bytes().all(|b| b.is_ascii_hexdigit());
    let is_grouped = sizes
        .iter()
        .any(|size| full.iter().all(|group| group.len() == *size) && last.len() <= *size);
    let digits = groups.concat();
    (is_grouped && groups.iter().all(is_hex) && (SHORTEST_INSIDE..=12).contains(&digits.len()))
        .then_some(digits)
}

/// A number as bare digits, and without the prefix that the other side may have written differently.
fn phone_forms(text: &str) -> Vec<String> {
    let Some(digits) = words::bare_digits(text).filter(|d| d.len() >= SHORTEST_INSIDE) else {
        return Vec::new();
    };
    let international = digits.strip_prefix("00");
    let tail = international
        .unwrap_or(&digits)
        .strip_prefix(COUNTRY_CODE)
        .or_else(|| digits.strip_prefix('0'))
        .filter(|tail| tail.len() >= SHORTEST_TAIL)
        .map(str::to_owned);
    let international = international
        .filter(|rest| rest.len() >= SHORTEST_TAIL)
        .map(str::to_owned);
    [Some(digits), international, tail]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(query: &str) -> Vec<Vec<Vec<String>>> {
        let show = |form: &Form| match form {
            Form::Start(text) => format!("{text}*"),
            Form::Inside(text) => text.clone(),
        };
        Wanted::parse(query)
            .readings
            .iter()
            .map(|reading| {
                reading
                    .iter()
                    .map(|word| word.forms.iter().map(show).collect())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn queries_are_read() {
        let table: [(&str, &[&[&[&str]]]); 21] = [
            ("", &[]),
            (" -- + ", &[]),
            ("a", &[&[&["a*"]]]),
            ("Al", &[&[&["al*"]]]),
            ("Ali", &[&[&["ali"]]]),
            ("«أحمد»", &[&[&["احمد"]]]),
            ("ali, has", &[&[&["ali"], &["has"]]]),
            ("10.", &[&[&["10.*"]]]),
            ("10.0.0.5", &[&[&["10.0.0.5*"]]]),
            ("10.0.0.5.", &[&[&["10.0.0.5", "10005"]]]),
            ("256.1", &[&[&["256.1", "2561"]]]),
            ("aa:bb", &[&[&["aa:bb", "aabb"]]]),
            (
                "AA-BB-CC-DD-EE-FF",
                &[&[&["aa-bb-cc-dd-ee-ff", "aabbccddeeff"]]],
            ),
            ("aabb.cc", &[&[&["aabb.cc", "aabbcc"]]]),
            ("aabbcc-d", &[&[&["aabbcc-d", "aabbccd"]]]),
            ("aa:bb:ccc", &[&[&["aa:bb:ccc"]]]),
            ("aa bb c", &[&[&["aa*"], &["bb*"], &["c*"]], &[&["aabbc"]]]),
            ("0770-123", &[&[&["0770-123", "0770123", "770123"]]]),
            ("+9647701", &[&[&["9647701"]]]),
            ("+96477012", &[&[&["96477012", "77012"]]]),
            ("0077012", &[&[&["0077012", "77012", "077012"]]]),
        ];
        for (query, expected) in table {
            assert_eq!(forms(query), expected, "{query}");
        }
        assert_eq!(
            forms("00964 770 12"),
            [
                vec![vec!["00964",], vec!["770"], vec!["12*"]],
                vec![vec!["0096477012", "96477012", "77012"]]
            ]
        );
    }

    #[test]
    fn long_queries_are_cut() {
        let word = "x".repeat(LONGEST_QUERY + 1);
        assert_eq!(forms(&word), [[[&word[1..]]]]);
        assert_eq!(forms(&"abc ".repeat(9))[0].len(), MOST_WORDS);
    }

    #[test]
    fn rows_are_checked() {
        let texts: Vec<String> = ["Ali Hassan", "banana", "10.0.0.57", "+964 770 123 4567"]
            .map(str::to_owned)
            .into();
        for (query, expected) in [
            ("ali", true),
            ("hass ali", true),
            ("ali omar", false),
            ("assa", true),
            ("as", false),
            ("nanan", false),
            ("10.0.0.5", true),
            ("10.0.0.7", false),
            ("0.0.57", false),
            ("0770 123 4567", true),
            ("07701234568", false),
            ("", false),
        ] {
            assert_eq!(matches(&texts, query), expected, "{query}");
        }
    }
}
