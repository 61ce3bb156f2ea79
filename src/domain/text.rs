//! Names and words as people type them, and the folding that makes them findable.

use super::Invalid;
use std::fmt::Display;
use std::str::FromStr;

/// A login name as the router sends it: 1 to 253 octets of UTF-8 without control characters.
/// Compared without case (rules.md section 2), kept as typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

/// RFC 2865 section 5: an attribute value has at most 253 octets.
pub const LONGEST_ATTRIBUTE: usize = 253;

impl Username {
    pub fn parse(text: &str) -> Result<Username, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::new("A user name is needed"));
        }
        if text.len() > LONGEST_ATTRIBUTE {
            return Err(Invalid::new("At most 253 octets fit into a RADIUS packet"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Invalid::new("No spaces or control characters"));
        }
        Ok(Username(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which names are compared.
    pub fn folded(&self) -> String {
        fold_case(&self.0)
    }
}

/// How user names compare: without case.
pub fn fold_case(name: &str) -> String {
    name.to_lowercase()
}

/// A line of free text within a length in characters; control characters become spaces.
pub fn line(text: &str, longest: usize) -> Result<String, Invalid> {
    let clean: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if clean.chars().count() > longest {
        return Err(Invalid::new(format!("At most {longest} characters")));
    }
    Ok(clean)
}

/// What something is called: such a line that is not empty.
pub fn name(text: &str, longest: usize) -> Result<String, Invalid> {
    let name = line(text, longest)?;
    match name.is_empty() {
        true => Err(Invalid::new("A name is needed")),
        false => Ok(name),
    }
}

/// Several lines of free text; only line breaks survive of the control characters.
pub fn paragraph(text: &str, longest: usize) -> Result<String, Invalid> {
    let clean: String = text
        .trim()
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect();
    if clean.chars().count() > longest {
        return Err(Invalid::new(format!("At most {longest} characters")));
    }
    Ok(clean)
}

/// A PPP password: 1 to 128 octets (RFC 2865 section 5.2), not trimmed.
pub fn ppp_password(text: &str) -> Result<&str, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("A password is needed"));
    }
    if text.len() > 128 {
        return Err(Invalid::new("At most 128 octets fit into a RADIUS packet"));
    }
    if text.contains('\0') || text.contains(['\n', '\r']) {
        return Err(Invalid::new("No line breaks"));
    }
    Ok(text)
}

/// `None` for an empty text, else what `parse` makes of it.
pub fn optional<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Result<Option<T>, Invalid> {
    match text.trim() {
        "" => Ok(None),
        text => parse(text).map(Some),
    }
}

/// A whole number from `least` to `most`.
pub fn number<T: FromStr + PartialOrd + Display>(
    text: &str,
    least: T,
    most: T,
) -> Result<T, Invalid> {
    let number = text.trim().parse::<T>().ok();
    number
        .filter(|number| (&least..=&most).contains(&number))
        .ok_or_else(|| Invalid::new(format!("A whole number from {least} to {most}")))
}

/// The digits 0 to 9 in place of those that Arabic and Persian are written with.
pub fn ascii_digits(text: &str) -> String {
    text.chars().map(ascii_digit).collect()
}

fn ascii_digit(c: char) -> char {
    let value = match c {
        '٠'..='٩' => u32::from(c) - u32::from('٠'),
        '۰'..='۹' => u32::from(c) - u32::from('۰'),
        _ => return c,
    };
    char::from_digit(value, 10).unwrap_or(c)
}

/// `1 row`, `1,234 rows`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    let word = if count == 1 { one } else { many };
    let count = thousands(u64::try_from(count).unwrap_or(u64::MAX));
    format!("{count} {word}")
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text as the search index and its queries see it: lower case, Arabic letters that people
/// mix up written alike, without vowel marks and stretching, digits in ASCII.
pub fn searchable(text: &str) -> String {
    // Nearly every name; told apart because lists fold each of theirs.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars()
        .flat_map(char::to_lowercase)
        .filter_map(|c| match c {
            'أ' | 'إ' | 'آ' | 'ٱ' => Some('ا'),
            'ى' | 'ئ' | 'ی' => Some('ي'),
            'ؤ' => Some('و'),
            'ة' => Some('ه'),
            'ک' => Some('ك'),
            '\u{064B}'..='\u{065F}' | '\u{0670}' | 'ـ' => None,
            c => Some(ascii_digit(c)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_compare_without_case() {
        assert_eq!(Username::parse(" Ali@ISP ").unwrap().folded(), "ali@isp");
        assert_eq!(Username::parse("Ali").unwrap().as_str(), "Ali");
        for text in ["", "  ", "a b", "a\u{7}b"] {
            assert!(Username::parse(text).is_err(), "{text:?}");
        }
        assert!(Username::parse(&"a".repeat(253)).is_ok());
        assert!(Username::parse(&"a".repeat(254)).is_err());
    }

    #[test]
    fn passwords_keep_their_spaces() {
        assert_eq!(ppp_password(" a "), Ok(" a "));
        assert!(ppp_password("").is_err());
        assert!(ppp_password(&"x".repeat(128)).is_ok());
        assert!(ppp_password(&"x".repeat(129)).is_err());
        assert!(ppp_password("a\0").is_err());
    }

    #[test]
    fn arabic_is_folded_for_search() {
        assert_eq!(searchable("أَحْمَد"), searchable("احمد"));
        assert_eq!(searchable("فاطمة"), searchable("فاطمه"));
        assert_eq!(searchable("مصطفى"), searchable("مصطفي"));
        assert_eq!(searchable("محـــمد"), "محمد");
        assert_eq!(searchable("٠٧٧۱"), "0771");
        assert_eq!(searchable("ALI"), "ali");
    }

    #[test]
    fn free_text_is_bounded_and_plain() {
        assert_eq!(line(" a\tb ", 3), Ok("a b".into()));
        assert!(line("abcd", 3).is_err());
        assert_eq!(name(" abc ", 3), Ok("abc".into()));
        assert!(name("abcd", 3).is_err() && name(" \t", 3).is_err());
        assert_eq!(
            paragraph("a\r\nb\u{7}", 9),
            Ok("a\nb".trim_end().to_owned() + " ")
        );
    }

    #[test]
    fn numbers_keep_to_their_range_and_optional_ones_may_be_missing() {
        for (text, number_read) in [
            ("1", Some(1)),
            (" 9 ", Some(9)),
            ("0", None),
            ("10", None),
            ("x", None),
            ("-1", None),
        ] {
            assert_eq!(number::<u8>(text, 1, 9).ok(), number_read, "{text}");
        }
        assert_eq!(
            number::<u8>("", 1, 9).unwrap_err().0,
            "A whole number from 1 to 9"
        );
        assert_eq!(optional("  ", |t| number::<u8>(t, 1, 9)), Ok(None));
        assert_eq!(optional(" 2", |t| number::<u8>(t, 1, 9)), Ok(Some(2)));
        assert!(optional("x", |t| number::<u8>(t, 1, 9)).is_err());
    }

    #[test]
    fn thousands_are_grouped_from_the_right() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }
}
