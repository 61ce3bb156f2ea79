//! RadSec (RADIUS over TLS): by which certificate a NAS is known.
//!
//! What a certificate is and who signed it is read elsewhere; here are the two ways to say which one is meant.

use super::Invalid;

/// Which certificate a NAS must show (RFC 6614 section 2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RadsecTrust {
    /// The one with this SHA-256. Names and dates are ignored.
    Pinned([u8; 32]),
    /// One that these authorities signed (PEM), valid today, with this name: the common name, or a DNS name or address
    /// among the alternative names.
    Authority { pem: String, name: String },
}

impl RadsecTrust {
    pub fn word(&self) -> &'static str {
        match self {
            RadsecTrust::Pinned(_) => "pinned",
            RadsecTrust::Authority { .. } => "authority",
        }
    }
}

/// Far more than any notation of 32 octets needs.
const LONGEST_FINGERPRINT: usize = 256;
/// Hexadecimal digits of a SHA-256 and of the sums that older tools show.
const SHA256_DIGITS: usize = 64;
const SHA1_DIGITS: usize = 40;
const MD5_DIGITS: usize = 32;

/// A SHA-256 as whatever tool shows it: `ab12…`, `AB:12:…`, `ab 12 …`, `SHA256:…`, `sha256 Fingerprint=AB:12:…`.
pub fn parse_fingerprint(typed: &str) -> Result<[u8; 32], Invalid> {
    let refused = || {
        Invalid::new(
            "A SHA-256 fingerprint: 64 digits 0-9 and a-f, colons and spaces do not matter",
        )
    };
    if typed.len() > LONGEST_FINGERPRINT {
        return Err(refused());
    }
    let lower = typed.trim().to_ascii_lowercase();
    let mut rest = lower.as_str();
    for label in ["sha256", "sha-256", " ", "fingerprint"] {
        rest = rest.strip_prefix(label).unwrap_or(rest);
    }
    // Some windows put an invisible mark in front of what is copied from them.
    let is_between =
        |c: char| c.is_whitespace() || ":-.=".contains(c) || c == '\u{200e}' || c == '\u{feff}';
    let digits: Vec<u32> = rest
        .chars()
        .filter(|c| !is_between(*c))
        .map(|c| c.to_digit(16).ok_or_else(refused))
        .collect::<Result<_, _>>()?;
    match digits.len() {
        SHA256_DIGITS => {}
        SHA1_DIGITS => {
            return Err(Invalid::new(
                "This is a SHA-1 fingerprint. The SHA-256 has 64 digits",
            ));
        }
        MD5_DIGITS => {
            return Err(Invalid::new(
                "This is an MD5 fingerprint. The SHA-256 has 64 digits",
            ));
        }
        _ => return Err(refused()),
    }
    let mut fingerprint = [0; 32];
    for (octet, pair) in fingerprint.iter_mut().zip(digits.chunks(2)) {
        let value = pair.iter().fold(0, |value, digit| value * 16 + digit);
        *octet = u8::try_from(value).map_err(|_| refused())?;
    }
    Ok(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets() -> [u8; 32] {
        std::array::from_fn(|index| 0xE0 + u8::try_from(index).unwrap() % 0x20)
    }

    fn written(between: &str) -> String {
        let pairs: Vec<String> = octets()
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        pairs.join(between)
    }

    #[test]
    fn every_notation_is_read() {
        for text in [
            written(""),
            written("").to_uppercase(),
            written(":"),
            written(" "),
            written("-"),
            written("\n"),
            format!("  {}\n", written(":").to_uppercase()),
            format!("SHA256:{}", written("")),
            format!("SHA-256: {}", written(":")),
            format!("sha256 Fingerprint={}", written(":").to_uppercase()),
            format!("SHA256 Fingerprint={}", written(":")),
            format!("\u{200e}{}", written(" ")),
        ] {
            assert_eq!(parse_fingerprint(&text), Ok(octets()), "{text}");
        }
    }

    #[test]
    fn what_is_no_sha_256_is_refused_and_named() {
        for (text, words) in [
            (String::new(), "64 digits"),
            (written("")[..62].to_owned(), "64 digits"),
            (format!("{}0", written("")), "64 digits"),
            (format!("{}00", written("")), "64 digits"),
            (written("").replace('e', "g"), "64 digits"),
            (written("")[..40].to_owned(), "SHA-1"),
            (written(":")[..47].to_owned(), "MD5"),
            (" ".repeat(10_000), "64 digits"),
            ("é".repeat(64), "64 digits"),
        ] {
            let refused = parse_fingerprint(&text).unwrap_err();
            assert!(refused.0.contains(words), "{text}: {}", refused.0);
        }
    }
}
