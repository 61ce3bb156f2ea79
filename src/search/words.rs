//! From the texts of a document to the words it is found by.
//!
//! The same functions serve the index and the check of a row, so that both agree. Words are in the form of
//! [`text::searchable`]; MAC addresses are twelve bare hex digits and phone numbers bare digits, however they were
//! written. Invariant: a word is never empty, never longer than [`LONGEST_WORD`] and holds no white space.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use crate::domain::mac::Mac;
use crate::domain::text;

/// A document is a form with some twenty fields; more would be a mistake of the caller.
const MOST_TEXTS: usize = 64;
/// Characters of one text that are looked at. Only notes are longer, and their beginning is enough to find them.
const LONGEST_TEXT: usize = 1_000;
/// Words of one document; keeps a pasted list from outweighing everything else.
const MOST_WORDS: usize = 400;
/// Characters of a word, as many as a query can have.
pub(super) const LONGEST_WORD: usize = 100;
/// Characters of a gram, and of the longest beginning kept for ordinary words.
pub(super) const GRAM: usize = 3;
/// Digits of a phone number: shorter runs are house numbers; E.164 ends at 15, and `00` may stand before it.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=17;

/// All words of the texts, each once.
pub(super) fn of_texts(texts: &[String]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for text in texts.iter().take(MOST_TEXTS) {
        let short: String = text.chars().take(LONGEST_TEXT).collect();
        let plain = text::searchable(&short);
        // A MAC address or phone number may be written with blanks between its groups.
        if let Some(digits) = mac_digits(&plain).or_else(|| phone_digits(&plain)) {
            words.insert(digits);
        }
        for token in tokens(&plain) {
            if words.len() >= MOST_WORDS {
                return words;
            }
            add_token(token, &mut words);
        }
    }
    words
}

/// What stands between white space and control characters.
pub(super) fn tokens(plain: &str) -> impl Iterator<Item = &str> {
    plain
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|token| !token.is_empty())
}

fn add_token(token: &str, words: &mut BTreeSet<String>) {
    let (before_slash, _) = token.split_once('/').unwrap_or((token, ""));
    if is_ipv4(before_slash) {
        // The groups of an address are not words: everybody has a "10".
        words.insert(before_slash.to_owned());
        words.insert(cut(token));
        return;
    }
    if let Some(digits) = mac_digits(token) {
        words.insert(digits);
        return;
    }
    words.insert(cut(token));
    words.extend(phone_digits(token));
    for part in token.split(|c: char| !c.is_alphanumeric()) {
        if !part.is_empty() {
            words.insert(cut(part));
        }
    }
}

fn cut(word: &str) -> String {
    word.chars().take(LONGEST_WORD).collect()
}

pub(super) fn is_ipv4(word: &str) -> bool {
    word.parse::<Ipv4Addr>().is_ok()
}

/// The twelve bare hex digits of a whole MAC address in any notation.
pub(super) fn mac_digits(text: &str) -> Option<String> {
    Mac::read(text).map(|mac| mac.to_string().replace(':', "").to_lowercase())
}

/// The bare digits of what is a phone number and nothing else, in any punctuation.
pub(super) fn phone_digits(text: &str) -> Option<String> {
    if tokens(text).any(is_ipv4) {
        return None;
    }
    let digits = bare_digits(text)?;
    PHONE_DIGITS.contains(&digits.len()).then_some(digits)
}

/// The digits of a text that has only digits and the punctuation of phone numbers.
pub(super) fn bare_digits(text: &str) -> Option<String> {
    let is_phone = text
        .chars()
        .all(|c| c.is_ascii_digit() || c.is_whitespace() || "+-().".contains(c));
    is_phone.then(|| text.chars().filter(char::is_ascii_digit).collect())
}

/// How the words begin: one to three characters, and every beginning of an IPv4 address, since nobody types those whole.
pub(super) fn starts(words: &BTreeSet<String>) -> BTreeSet<String> {
    let mut starts = BTreeSet::new();
    for word in words {
        let longest = if is_ipv4(word) { LONGEST_WORD } else { GRAM };
        let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
        for end in ends.take(longest) {
            starts.extend(word.get(..end).map(str::to_owned));
        }
    }
    starts
}

/// Every [`GRAM`] characters in a row of each word. A word has the text `x` in it only if it has all grams of `x`.
pub(super) fn grams(words: &BTreeSet<String>) -> BTreeSet<String> {
    words.iter().flat_map(|word| grams_of(word)).collect()
}

pub(super) fn grams_of(word: &str) -> BTreeSet<String> {
    let characters: Vec<char> = word.chars().collect();
    characters
        .windows(GRAM)
        .map(|gram| gram.iter().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(texts: &[&str]) -> Vec<String> {
        let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
        of_texts(&texts).into_iter().collect()
    }

    #[test]
    fn texts_become_words() {
        let table: [(&[&str], &[&str]); 11] = [
            (&[""], &[]),
            (&["Ali Hassan"], &["ali", "hassan"]),
            (&["أَحْمَد", "احمد"], &["احمد"]),
            (&["ali@isp"], &["ali", "ali@isp", "isp"]),
            (&["10.0.0.5"], &["10.0.0.5"]),
            (&["10.0.0.0/24"], &["10.0.0.0", "10.0.0.0/24"]),
            (&["AA-BB-CC-DD-EE-FF"], &["aabbccddeeff"]),
            (&["aabb.ccdd.eeff"], &["aabbccddeeff"]),
            (&["٠٧٧٠١٢٣"], &["0770123"]),
            (&["house 12"], &["12", "house"]),
            (&["a\u{0}b"], &["a", "b"]),
        ];
        for (texts, expected) in table {
            assert_eq!(words(texts), expected, "{texts:?}");
        }
    }

    #[test]
    fn phone_numbers_lose_their_punctuation() {
        for (text, digits) in [
            ("+964 770 123-4567", Some("9647701234567")),
            ("(0770) 123 4567", Some("07701234567")),
            ("0770.123.4567", Some("07701234567")),
            ("123456", None),
            ("1234567", Some("1234567")),
            ("12345678901234567", Some("12345678901234567")),
            ("123456789012345678", None),
            ("10.200.100.5", None),
            ("10.0.0.5 10.0.0.6", None),
            ("0770 123 4567 Ali", None),
        ] {
            assert_eq!(phone_digits(text).as_deref(), digits, "{text}");
        }
        assert!(words(&["+964 770 123 4567"]).contains(&"9647701234567".to_owned()));
    }

    #[test]
    fn beginnings_are_short_except_of_addresses() {
        let of =
            |word: &str| -> Vec<String> { starts(&[word.to_owned()].into()).into_iter().collect() };
        assert_eq!(of("محمد"), ["م", "مح", "محم"]);
        assert_eq!(of("a"), ["a"]);
        assert_eq!(
            of("1.2.3.4"),
            ["1", "1.", "1.2", "1.2.", "1.2.3", "1.2.3.", "1.2.3.4"]
        );
    }

    #[test]
    fn grams_are_of_characters_not_octets() {
        assert_eq!(
            grams_of("محمد"),
            ["حمد".to_owned(), "محم".to_owned()].into()
        );
        assert_eq!(grams_of("ab"), BTreeSet::new());
        assert_eq!(grams_of("aaaa"), ["aaa".to_owned()].into());
    }

    #[test]
    fn hostile_documents_are_bounded() {
        let long = "x".repeat(LONGEST_WORD + 1);
        assert_eq!(words(&[&long]), [&long[..LONGEST_WORD]]);
        let many: Vec<String> = (0..100).map(|n| format!("{n}a ").repeat(300)).collect();
        assert!(of_texts(&many).len() <= MOST_WORDS);
        let distinct: Vec<String> = (0..64)
            .map(|t| (0..100).map(|n| format!("{t}w{n} ")).collect())
            .collect();
        let count = of_texts(&distinct).len();
        assert!((MOST_WORDS..MOST_WORDS + 8).contains(&count), "{count}");
    }
}
