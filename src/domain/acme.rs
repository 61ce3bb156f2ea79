//! Certificates by ACME (RFC 8555): what the owner asks for, and when the authority is asked.

use super::Invalid;
use super::time::{DAY, HOUR, Timestamp};

/// Names of one certificate; a panel has one or two.
pub const MOST_NAMES: usize = 10;
/// Longest DNS name in text form (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
/// Longest address of mail (RFC 5321 section 4.5.3.1).
const LONGEST_EMAIL: usize = 254;
const LONGEST_DIRECTORY: usize = 500;
/// Characters of the ID of an account elsewhere; authorities give some 30.
const LONGEST_KEY_ID: usize = 200;

/// A new certificate is ordered so long before the end of the old one.
const BEFORE_END: i64 = 30 * DAY;
/// Waits after the first failure in a row, the second, and each further one: four tries on the first day, then two.
const WAITS: [i64; 2] = [HOUR, 4 * HOUR];
const LONGEST_WAIT: i64 = 12 * HOUR;
/// Tries within an hour, those by hand included. Authorities lock out who fails more often.
pub const MOST_TRIES_AN_HOUR: usize = 5;

/// What the owner asked for, and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acme {
    /// DNS names, lower case, the first of which the panel is known by.
    pub names: Vec<String>,
    /// Where the authority writes; may be empty.
    pub email: String,
    /// Address of the authority's directory, `https`.
    pub directory: String,
    /// PEM text of the only authority to trust for the directory; empty for those that browsers trust.
    pub authority: String,
    /// The account that the owner has with the authority in another way, to which that of the panel is bound (RFC 8555
    /// section 7.3.4); empty where it asks for none.
    pub key_id: String,
    /// Whether certificates are ordered; the owner agreed to the authority's terms.
    pub is_on: bool,
    /// Tries in a row that failed.
    pub failures: u32,
    /// Why the last one failed, in words; empty after a success.
    pub last_error: String,
    pub last_try: Option<Timestamp>,
    /// Tries of the last hour, oldest first, at most [`MOST_TRIES_AN_HOUR`].
    pub tries: Vec<Timestamp>,
}

/// From when to when a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

impl Term {
    /// When the next certificate is due: 30 days before the end, or after two thirds of a short life.
    pub fn renew_at(self) -> Timestamp {
        let life = self.not_after.since(self.not_before);
        let late = self.not_before.plus(life / 3 * 2);
        late.max(self.not_after.plus(-BEFORE_END))
    }
}

impl Acme {
    /// When the authority is to be asked next. `term` is that of the certificate in use, if it came from the authority and
    /// has all the names. `None` while certificates are not ordered. Tries that lie ahead, since the clock was set back, do
    /// not count.
    pub fn next_try(&self, term: Option<Term>, now: Timestamp) -> Option<Timestamp> {
        if !self.is_on {
            return None;
        }
        let due = term.map_or(Timestamp(0), Term::renew_at);
        let waited = match (self.failures, self.last_try) {
            (1.., Some(last)) if last <= now => last.plus(self.wait()),
            _ => due,
        };
        Some(due.max(waited).max(self.allowed_at(now)))
    }

    fn wait(&self) -> i64 {
        let earlier = usize::try_from(self.failures.saturating_sub(1)).unwrap_or(usize::MAX);
        WAITS.get(earlier).copied().unwrap_or(LONGEST_WAIT)
    }

    /// When the bound of tries an hour lets the next one through.
    fn allowed_at(&self, now: Timestamp) -> Timestamp {
        match self.tries.first() {
            Some(oldest) if self.tries.len() >= MOST_TRIES_AN_HOUR && *oldest <= now => {
                oldest.plus(HOUR)
            }
            _ => Timestamp(0),
        }
    }

    /// Notes that a try begins.
    pub fn begin(&mut self, now: Timestamp) {
        self.tries.retain(|at| *at <= now && now.since(*at) < HOUR);
        while self.tries.len() >= MOST_TRIES_AN_HOUR {
            self.tries.remove(0);
        }
        self.tries.push(now);
        self.last_try = Some(now);
    }

    pub fn succeed(&mut self) {
        self.failures = 0;
        self.last_error.clear();
    }

    pub fn fail(&mut self, reason: String) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = reason;
    }
}

/// DNS names out of what was typed, with blanks, commas or lines between them. Errors: the first that is none, in words.
pub fn parse_names(text: &str) -> Result<Vec<String>, Invalid> {
    let mut names: Vec<String> = Vec::new();
    let words = text.split([' ', ',', ';', '\t', '\r', '\n']);
    for word in words.filter(|word| !word.is_empty()) {
        let name = word.trim_end_matches('.').to_ascii_lowercase();
        check_name(&name)?;
        if names.len() >= MOST_NAMES {
            return Err(Invalid::new(format!("At most {MOST_NAMES} names")));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.is_empty() {
        true => Err(Invalid::new(
            "Name the panel's domain, such as panel.example.net",
        )),
        false => Ok(names),
    }
}

fn check_name(name: &str) -> Result<(), Invalid> {
    if name.starts_with("*.") {
        return Err(Invalid::new(format!(
            "{name}: proof over HTTP gives no certificates for all names below one"
        )));
    }
    if name.parse::<std::net::IpAddr>().is_ok() {
        return Err(Invalid::new(format!(
            "{name} is an address; a certificate needs a domain name that leads to it"
        )));
    }
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_name = name.len() <= LONGEST_NAME && name.contains('.') && name.split('.').all(is_label);
    match is_name {
        true => Ok(()),
        false => Err(Invalid::new(format!(
            "“{name}” is not a domain name, such as panel.example.net"
        ))),
    }
}

/// An address of mail, or nothing. Only its shape is looked at.
pub fn parse_email(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let is_plain = text
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b",;<>\"?".contains(&b));
    let has_parts = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
    match text.is_empty() || is_plain && has_parts && text.len() <= LONGEST_EMAIL {
        true => Ok(text.to_owned()),
        false => Err(Invalid::new(
            "An address such as noc@example.net, or nothing",
        )),
    }
}

/// The address of a directory.
pub fn parse_directory(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let host = text
        .strip_prefix("https://")
        .and_then(|rest| rest.split('/').next());
    let is_plain = text.len() <= LONGEST_DIRECTORY && text.bytes().all(|b| b.is_ascii_graphic());
    match host.is_some_and(|host| !host.is_empty()) && is_plain {
        true => Ok(text.to_owned()),
        false => Err(Invalid::new(
            "The address of a directory; it begins with https://",
        )),
    }
}

/// The ID of an account with the authority, or nothing.
pub fn parse_key_id(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    match text.len() <= LONGEST_KEY_ID && text.bytes().all(|b| b.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err(Invalid::new(
            "The ID as the authority gave it, without blanks, or nothing",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn days(from: i64, to: i64) -> Term {
        Term {
            not_before: NOW.plus(from * DAY),
            not_after: NOW.plus(to * DAY),
        }
    }

    #[test]
    fn a_certificate_is_renewed_thirty_days_before_its_end_or_after_two_thirds_of_a_short_life() {
        for (life, renewed_after) in [(90, 60), (365, 335), (60, 40), (6, 4), (91, 61), (0, 0)] {
            assert_eq!(
                days(0, life).renew_at(),
                NOW.plus(renewed_after * DAY),
                "{life}"
            );
        }
    }

    fn on() -> Acme {
        Acme {
            is_on: true,
            ..Acme::default()
        }
    }

    #[test]
    fn nothing_is_asked_before_it_is_due() {
        assert_eq!(Acme::default().next_try(None, NOW), None);
        assert_eq!(on().next_try(None, NOW), Some(Timestamp(0)));
        let term = days(0, 90);
        assert_eq!(on().next_try(Some(term), NOW), Some(term.renew_at()));
    }

    #[test]
    fn failures_make_the_waits_longer_and_a_success_ends_them() {
        let mut acme = on();
        let mut now = NOW;
        for hours in [1, 4, 12, 12, 12] {
            acme.begin(now);
            acme.fail("away".to_owned());
            let next = acme.next_try(None, now).unwrap();
            assert_eq!(next, now.plus(hours * HOUR));
            now = next;
        }
        assert_eq!(acme.last_error, "away");
        // A certificate that is far from its end is not renewed because tries failed long ago.
        let term = days(10, 100);
        assert_eq!(acme.next_try(Some(term), now), Some(term.renew_at()));
        acme.succeed();
        assert_eq!((acme.failures, acme.last_error.as_str()), (0, ""));
        assert_eq!(acme.next_try(None, now), Some(Timestamp(0)));
        // A clock that was set back does not make it wait for years.
        acme.fail("away".to_owned());
        let next = acme.next_try(None, now.plus(-365 * DAY));
        assert_eq!(next, Some(Timestamp(0)));
    }

    #[test]
    fn tries_by_hand_are_bounded_too() {
        let mut acme = on();
        for minute in 0..5 {
            assert!(acme.next_try(None, NOW).unwrap() <= NOW);
            acme.begin(NOW.plus(minute * 60_000));
        }
        assert_eq!(acme.next_try(None, NOW), Some(NOW.plus(HOUR)));
        assert_eq!(acme.next_try(None, NOW.plus(-DAY)), Some(Timestamp(0)));
        acme.begin(NOW.plus(HOUR));
        assert_eq!(acme.tries.len(), 5);
        let later = NOW.plus(HOUR);
        assert_eq!(acme.next_try(None, later), Some(later.plus(60_000)));
        // A clock that was set back forgets what lies ahead.
        acme.begin(NOW);
        assert_eq!(acme.tries, [NOW]);
    }

    #[test]
    fn names_are_domain_names() {
        let parsed =
            parse_names(" Panel.Example.net., b.example\r\nb.example;c-1.example ").unwrap();
        assert_eq!(parsed, ["panel.example.net", "b.example", "c-1.example"]);
        let ten: Vec<String> = (0..10).map(|n| format!("n{n}.example")).collect();
        assert_eq!(parse_names(&ten.join(" ")).unwrap().len(), MOST_NAMES);
        assert!(parse_names(&format!("{} x.example", ten.join(" "))).is_err());
        let label = "a".repeat(63);
        assert!(parse_names(&format!("{label}.example")).is_ok());
        for bad in [
            "",
            " , ",
            "localhost",
            "192.0.2.7",
            "2001:db8::7",
            "*.example.net",
            "a..b",
            "-a.example",
            "a-.example",
            "a_b.example",
            "é.example",
            "http://a.example/",
            &format!("a{label}.example"),
            &vec!["a.b"; 64].join(".").repeat(2),
        ] {
            assert!(parse_names(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn mail_and_directory_have_their_shape() {
        for (text, good) in [
            ("", true),
            (" noc@example.net ", true),
            ("noc", false),
            ("@example.net", false),
            ("noc@localhost", false),
            ("a@b@c.d", false),
            ("a b@c.d", false),
            ("a@b.c?subject=x", false),
        ] {
            assert_eq!(parse_email(text).is_ok(), good, "{text}");
        }
        for (text, good) in [
            ("https://ca.example/dir", true),
            (" https://127.0.0.1:14000/dir ", true),
            ("http://ca.example/dir", false),
            ("https://", false),
            ("https:///dir", false),
            ("ca.example", false),
            ("https://ca.example/a b", false),
        ] {
            assert_eq!(parse_directory(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn the_id_of_an_account_is_one_word() {
        for (text, read) in [
            ("", Some("")),
            (" kid-1 ", Some("kid-1")),
            (&"x".repeat(200), Some("x".repeat(200).as_str())),
            (&"x".repeat(201), None),
            ("two words", None),
            ("é", None),
        ] {
            assert_eq!(parse_key_id(text).ok().as_deref(), read, "{text}");
        }
    }
}
