//! What people write about a subscriber, in a form or in a list: each value within its bounds.

use super::MOST_MACS;
use crate::domain::Invalid;
use crate::domain::mac::Mac;
use crate::domain::text::{self, number};

/// Characters of the texts that only people read.
const LONGEST_NAME: usize = 120;
const LONGEST_PHONE: usize = 40;
const LONGEST_ADDRESS: usize = 250;
const LONGEST_NOTES: usize = 4_000;
/// Sessions at once that a subscriber may have.
const MOST_SESSIONS: u8 = 100;

pub fn full_name(text: &str) -> Result<String, Invalid> {
    text::line(text, LONGEST_NAME)
}

pub fn phone(text: &str) -> Result<String, Invalid> {
    text::line(text, LONGEST_PHONE)
}

pub fn address(text: &str) -> Result<String, Invalid> {
    text::line(text, LONGEST_ADDRESS)
}

pub fn notes(text: &str) -> Result<String, Invalid> {
    text::paragraph(text, LONGEST_NOTES)
}

/// Empty, or what may well be an address.
pub fn email(text: &str) -> Result<String, Invalid> {
    let text = text::line(text, LONGEST_NAME)?;
    let is_empty_or_plausible = text.is_empty()
        || text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !text.contains(' ')
        });
    match is_empty_or_plausible {
        true => Ok(text),
        false => Err(Invalid::new("An address such as ali@example.net")),
    }
}

pub fn max_sessions(text: &str) -> Result<u8, Invalid> {
    number(text, 1, MOST_SESSIONS)
}

/// Each in any notation; one that stands twice counts once.
pub fn macs<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Vec<Mac>, Invalid> {
    let mut macs = Vec::new();
    for text in texts
        .into_iter()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let mac = Mac::read(text)
            .ok_or_else(|| Invalid::new(format!("{} is not a MAC address", short(text))))?;
        if !macs.contains(&mac) {
            macs.push(mac);
        }
        if macs.len() > MOST_MACS {
            return Err(Invalid::new(format!("At most {MOST_MACS} addresses")));
        }
    }
    Ok(macs)
}

/// What was written, short enough for a sentence.
fn short(text: &str) -> String {
    text.chars().take(30).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_its_bound() {
        for (longest, read) in [
            (120, full_name as fn(&str) -> _),
            (40, phone),
            (250, address),
            (4_000, notes),
        ] {
            assert!(read(&"x".repeat(longest)).is_ok());
            assert!(read(&"x".repeat(longest + 1)).is_err());
        }
    }

    #[test]
    fn an_e_mail_address_is_empty_or_plausible() {
        for (text, is_fine) in [
            ("", true),
            ("ali@example.net", true),
            ("ali", false),
            ("@example.net", false),
            ("ali@", false),
            ("al i@example.net", false),
        ] {
            assert_eq!(email(text).is_ok(), is_fine, "{text}");
        }
    }

    #[test]
    fn addresses_of_devices_are_counted_once_and_bounded() {
        let mac = "02:00:00:00:00:01";
        assert_eq!(macs([mac, " ", "0200.0000.0001"]).unwrap().len(), 1);
        let problem = macs(["nonsense"]).unwrap_err();
        assert_eq!(problem.0, "nonsense is not a MAC address");
        let many: Vec<String> = (0..=MOST_MACS)
            .map(|n| format!("02:00:00:00:00:{n:02x}"))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(macs(many.iter().copied().skip(1)).unwrap().len(), MOST_MACS);
        assert!(macs(many).is_err());
    }
}
