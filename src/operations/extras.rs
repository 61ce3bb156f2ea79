//! Extra RADIUS attributes of plans and subscribers: read from what was typed, and compared with a request.
//!
//! A line is `NAME = VALUE` or `NAME := VALUE`, with `NAME:TAG` for attributes that have tags. The dictionary says how the
//! value is written. Invariant: what comes out of here fits into a packet beside our own attributes, and says nothing that
//! only the appliance may say.

use crate::domain::Invalid;
use crate::domain::extra::{Extra, MOST_EXTRAS};
use crate::domain::mac::Mac;
use crate::radius::describe::{ValueError, push_named};
use crate::radius::dictionary::{self, Definition, Kind, STANDARD};
use crate::radius::number::{self, huawei, microsoft, mikrotik, wispr, zte};
use crate::radius::{AttributeBuffer, EncodeError, Packet};

/// Octets on the wire of one list. A plan's and a subscriber's together leave half of the packet to our own attributes.
const MOST_OCTETS: usize = 1_000;

/// What a request must say, one attribute a line. Errors: the first line that is wrong, by its number.
pub fn parse_check(text: &str) -> Result<Vec<Extra>, Invalid> {
    parse(text, why_not_checked)
}

/// What an accept says besides ours, one attribute a line. Errors: the first line that is wrong, by its number.
pub fn parse_reply(text: &str) -> Result<Vec<Extra>, Invalid> {
    parse(text, why_not_sent)
}

/// The lines of a form.
pub fn to_text(extras: &[Extra]) -> String {
    let lines: Vec<&str> = extras.iter().map(|extra| extra.text.as_str()).collect();
    lines.join("\n")
}

/// Whether the request carries each of these with the same value.
pub fn hold<'a>(packet: &Packet<'_>, checks: impl IntoIterator<Item = &'a Extra>) -> bool {
    checks.into_iter().all(|check| holds(packet, &check.octets))
}

fn holds(packet: &Packet<'_>, wanted: &[u8]) -> bool {
    match *wanted {
        [
            number::VENDOR_SPECIFIC,
            _,
            a,
            b,
            c,
            d,
            kind,
            _,
            ref value @ ..,
        ] => {
            let vendor = u32::from_be_bytes([a, b, c, d]);
            let mut parts = packet.vendor_attributes();
            parts.any(|p| (p.vendor, p.kind, p.value) == (vendor, kind.into(), value))
        }
        [kind, _, ref value @ ..] => packet.all(kind).any(|found| is_same(kind, value, found)),
        _ => false,
    }
}

/// The same octets; of a MAC address the same address, which every router writes in its own way (radius.md section 9).
fn is_same(kind: u8, wanted: &[u8], found: &[u8]) -> bool {
    let mac = |octets| std::str::from_utf8(octets).ok().and_then(Mac::read);
    wanted == found
        || (kind == number::CALLING_STATION_ID
            && mac(wanted).is_some_and(|wanted| mac(found) == Some(wanted)))
}

/// Says why an attribute may not stand in a list.
type WhyNot = fn(&Definition) -> Option<&'static str>;

fn parse(text: &str, why_not: WhyNot) -> Result<Vec<Extra>, Invalid> {
    let mut extras = Vec::new();
    let mut octets = 0;
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if extras.len() == MOST_EXTRAS {
            return Err(Invalid::new(format!("At most {MOST_EXTRAS} attributes")));
        }
        let extra = parse_line(line, why_not)
            .map_err(|problem| Invalid::new(format!("Line {}: {problem}", index + 1)))?;
        octets += extra.octets.len();
        if octets > MOST_OCTETS {
            return Err(Invalid::new(format!(
                "At most {MOST_OCTETS} octets of attributes"
            )));
        }
        extras.push(extra);
    }
    Ok(extras)
}

fn parse_line(line: &str, why_not: WhyNot) -> Result<Extra, String> {
    let shape = || "it must be NAME = VALUE".to_owned();
    let (name, value) = line.split_once('=').ok_or_else(shape)?;
    let name = name.trim_end();
    let name = name.strip_suffix(':').unwrap_or(name).trim();
    let (name, tag) = match name.split_once(':') {
        Some((name, tag)) => (name.trim_end(), Some(tag.trim_start())),
        None => (name, None),
    };
    if name.is_empty() || value.starts_with('=') {
        return Err(shape());
    }
    let definition = dictionary::by_name(name)
        .ok_or_else(|| format!("no attribute is called {}", short(name)))?;
    let name = definition.name;
    if let Some(why) = why_not(definition) {
        return Err(format!("{name} cannot stand here: {why}"));
    }
    let tag = tag.map(|tag| read_tag(definition, tag)).transpose()?;
    let value = unquoted(value.trim()).ok_or("the closing quote is missing")?;
    if value.chars().any(char::is_control) {
        return Err(format!("{name} has a control character in its value"));
    }
    let mut out = AttributeBuffer::new();
    push_named(&mut out, name, tag, value).map_err(|error| wrong_value(definition, &error))?;
    let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    Ok(Extra {
        text: format!("{name}{tag} = {}", quoted(value)),
        octets: out.octets().to_vec(),
    })
}

fn read_tag(definition: &Definition, tag: &str) -> Result<u8, String> {
    match definition.kind {
        Kind::TaggedInteger | Kind::TaggedText => tag
            .parse()
            .ok()
            .filter(|tag| (1..=31).contains(tag))
            .ok_or_else(|| "a tag is a number from 1 to 31".to_owned()),
        _ => Err(format!("{} has no tags", definition.name)),
    }
}

/// The value without the quotes around it; `None` where only the first one is there.
fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(value),
    }
}

/// In quotes where it would be read differently without them.
fn quoted(value: &str) -> String {
    match value.starts_with(['"', '=']) || value.trim() != value {
        true => format!("\"{value}\""),
        false => value.to_owned(),
    }
}

/// What was typed, short enough for a sentence.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn wrong_value(definition: &Definition, error: &ValueError) -> String {
    let name = definition.name;
    match error {
        ValueError::Encode(EncodeError::Empty { .. }) => format!("{name} needs a value"),
        ValueError::Encode(EncodeError::TooLong { .. }) => {
            format!("the value of {name} is too long for an attribute")
        }
        _ => format!("{name} takes {}", shape_of(definition)),
    }
}

/// For people: how a value is written.
fn shape_of(definition: &Definition) -> &'static str {
    match definition.kind {
        Kind::Text | Kind::TaggedText => "a text",
        Kind::Octets => "octets in hex, such as 0x00ff",
        Kind::Integer | Kind::Date | Kind::Integer64 => "a whole number",
        Kind::TaggedInteger => "a whole number below 16777216",
        Kind::Ipv4 => "an IPv4 address, such as 192.0.2.1",
        Kind::Ipv6 => "an IPv6 address, such as 2001:db8::1",
        Kind::InterfaceId => "16 hex digits",
        Kind::Ipv6Prefix => "an IPv6 prefix, such as 2001:db8::/56",
    }
}

const CREDENTIAL: &str = "it belongs to the password check";
const SECRET: &str = "it is a secret, and this page would show it";
const OURS: &str = "it is written by the appliance itself";
const SPEED: &str = "the speed is that of the plan";
const REQUEST_ONLY: &str = "only requests have it";

fn why_not_checked(definition: &Definition) -> Option<&'static str> {
    if definition.secret || is_credential(definition) {
        return Some(CREDENTIAL);
    }
    None
}

fn why_not_sent(definition: &Definition) -> Option<&'static str> {
    if is_credential(definition) {
        return Some(CREDENTIAL);
    }
    if definition.secret {
        return Some(SECRET);
    }
    match (definition.vendor, definition.number) {
        (
            STANDARD,
            number::USER_NAME
            | number::FRAMED_IP_ADDRESS
            | number::CLASS
            | number::SESSION_TIMEOUT
            | number::ACCT_INTERIM_INTERVAL,
        ) => Some(OURS),
        (
            STANDARD,
            number::NAS_IP_ADDRESS
            | number::NAS_PORT
            | number::CALLED_STATION_ID
            | number::CALLING_STATION_ID
            | number::NAS_IDENTIFIER
            | number::EVENT_TIMESTAMP
            | number::NAS_PORT_TYPE
            | number::NAS_PORT_ID
            | number::NAS_IPV6_ADDRESS
            | number::ERROR_CAUSE,
        ) => Some(REQUEST_ONLY),
        (mikrotik::VENDOR, mikrotik::RATE_LIMIT)
        | (wispr::VENDOR, wispr::BANDWIDTH_MAX_UP | wispr::BANDWIDTH_MAX_DOWN)
        | (
            huawei::VENDOR,
            huawei::INPUT_AVERAGE_RATE
            | huawei::INPUT_PEAK_RATE
            | huawei::OUTPUT_AVERAGE_RATE
            | huawei::OUTPUT_PEAK_RATE,
        )
        | (zte::VENDOR, zte::RATE_CTRL_SCR_UP | zte::RATE_CTRL_SCR_DOWN) => Some(SPEED),
        _ if definition.name.starts_with("Acct-") || definition.name.contains("-Acct-") => {
            Some(REQUEST_ONLY)
        }
        _ => None,
    }
}

/// What carries or proves a password, or the packet itself.
fn is_credential(definition: &Definition) -> bool {
    match definition.vendor {
        STANDARD => matches!(
            definition.number,
            number::USER_PASSWORD
                | number::CHAP_PASSWORD
                | number::CHAP_CHALLENGE
                | number::STATE
                | number::PROXY_STATE
                | number::EAP_MESSAGE
                | number::MESSAGE_AUTHENTICATOR
        ),
        // MS-CHAP and MPPE; the addresses of name servers begin behind them.
        microsoft::VENDOR => definition.number < microsoft::PRIMARY_DNS_SERVER,
        _ => false,
    }
}

#[cfg(test)]
#[path = "extras_tests.rs"]
mod tests;
