//! RadSec of a NAS: its part of the form, its facts, and certificates that are those of no NAS.

use crate::app::{NasEntry, Stranger};
use crate::crypto;
use crate::domain::Invalid;
use crate::domain::nas::Nas;
use crate::domain::radsec::RadsecTrust;
use crate::domain::text;
use crate::operations::nas as verbs;
use crate::web::form::{FormData, Problems};
use crate::web::parts::{Fact, Field, Select, thousands};
use crate::web::query::Query;
use crate::web::words::Words;

use super::PATH;
use super::checks::fingerprint;

/// A few certificates in PEM: one is about two thousand characters.
const LONGEST_PEM: usize = 32_000;
/// A DNS name (RFC 1035).
const LONGEST_NAME: usize = 253;

pub struct RadsecFields {
    /// Off, or how the certificate is recognised.
    pub trust: Select,
    pub certificate: Field,
    pub authority: Field,
    pub name: Field,
}

pub fn fields(form: &FormData, problems: &Problems) -> RadsecFields {
    let field = |name| problems.field(form, name);
    let ways = [
        ("off", "No RadSec"),
        ("pinned", "This certificate only"),
        ("authority", "Certificates of your own authority"),
    ];
    RadsecFields {
        trust: problems.select("radsec", Select::new(ways, form.text("radsec"))),
        certificate: field("radsec_certificate"),
        authority: field("radsec_authority"),
        name: field("radsec_name"),
    }
}

/// The fields as they stand for a NAS. `shown` is the fingerprint of a certificate that it shall have from now on, or empty.
pub fn fill(nas: &Nas, shown: &str, fields: &mut Vec<(&'static str, String)>) {
    let word = match &nas.radsec {
        _ if !shown.is_empty() => "pinned",
        Some(trust) => trust.word(),
        None => "off",
    };
    fields.push(("radsec", word.to_owned()));
    let kept = match &nas.radsec {
        Some(RadsecTrust::Pinned(pin)) => fingerprint(pin),
        Some(RadsecTrust::Authority { pem, name }) => {
            fields.push(("radsec_authority", pem.clone()));
            fields.push(("radsec_name", name.clone()));
            String::new()
        }
        None => String::new(),
    };
    let certificate = if shown.is_empty() {
        kept
    } else {
        shown.to_owned()
    };
    fields.push(("radsec_certificate", certificate));
}

/// `None` once a problem was noted. Fields of the way that was not chosen are not looked at.
pub fn parse(form: &FormData, problems: &mut Problems) -> Option<Option<RadsecTrust>> {
    match form.text("radsec") {
        "" | "off" => Some(None),
        "pinned" => {
            let typed = form.text("radsec_certificate");
            let pin = problems.take("radsec_certificate", certificate(typed));
            Some(Some(RadsecTrust::Pinned(pin?)))
        }
        "authority" => {
            let pem = problems.take("radsec_authority", authority(form.text("radsec_authority")));
            let name = problems.take("radsec_name", name(form.text("radsec_name")));
            Some(Some(RadsecTrust::Authority {
                pem: pem?,
                name: name?,
            }))
        }
        _ => problems.take("radsec", Err(Invalid::new("Choose one of the list"))),
    }
}

fn certificate(typed: &str) -> Result<[u8; 32], Invalid> {
    match typed.trim() {
        "" => Err(Invalid::new(
            "Paste the fingerprint of the certificate, or the certificate itself (PEM)",
        )),
        _ if typed.len() > LONGEST_PEM => Err(Invalid::new("One certificate is shorter")),
        typed => verbs::certificate_fingerprint(typed),
    }
}

fn authority(typed: &str) -> Result<String, Invalid> {
    let pem = text::paragraph(typed, LONGEST_PEM)?;
    match pem.is_empty() {
        true => Err(Invalid::new("Paste the certificate of the authority (PEM)")),
        false => Ok(pem),
    }
}

fn name(typed: &str) -> Result<String, Invalid> {
    let name = text::line(typed, LONGEST_NAME)?;
    match name.is_empty() {
        true => Err(Invalid::new(
            "A name is needed, since the authority signs for others too",
        )),
        false => Ok(name),
    }
}

/// What was agreed, and how the connections do.
pub fn facts(words: &Words<'_>, entry: &NasEntry) -> Vec<Fact> {
    let agreed = match &entry.nas.radsec {
        None => return vec![Fact::new("RadSec", "not set up")],
        Some(RadsecTrust::Pinned(pin)) => {
            Fact::new("RadSec certificate", fingerprint(pin)).note("SHA-256; no other is let in")
        }
        Some(RadsecTrust::Authority { name, .. }) => {
            Fact::new("RadSec certificate", name.as_str()).note("signed by your authority")
        }
    };
    let mut facts = vec![agreed];
    for peer in entry.stats.radsec.open() {
        facts.push(
            Fact::new("RadSec connection", peer.source.to_string())
                .note(format!("since {}", words.second(peer.since))),
        );
    }
    if facts.len() == 1 {
        facts.push(Fact::new("RadSec connection", "none"));
    }
    if let Some(trouble) = entry.stats.radsec.trouble() {
        facts.push(
            Fact::new("Last RadSec trouble", words.ago(trouble.at))
                .note(format!("{}: {}", trouble.source, trouble.why)),
        );
    }
    facts
}

#[derive(Clone, Default)]
pub struct StrangerRow {
    pub fingerprint: String,
    /// Names in the certificate, which anybody can write.
    pub names: String,
    pub source: String,
    pub tries: String,
    pub last_seen: String,
    /// The form of the NAS with this address, else of a new one, with the fingerprint filled in.
    pub href: String,
    pub action: String,
}

pub fn stranger_rows(words: &Words<'_>) -> Vec<StrangerRow> {
    let strangers = words.app.strangers.list();
    strangers
        .iter()
        .map(|stranger| stranger_row(words, stranger))
        .collect()
}

fn stranger_row(words: &Words<'_>, stranger: &Stranger) -> StrangerRow {
    let source = stranger.source.to_string();
    let certificate = crypto::hex(&stranger.fingerprint);
    let table = words.app.nas_table();
    let (href, action) = match table.find(stranger.source) {
        Some(entry) => (
            Query::new()
                .with("certificate", &certificate)
                .href(&format!("{PATH}/{}/edit", entry.nas.id)),
            format!("Use for {}", entry.nas.name),
        ),
        None => (
            Query::new()
                .with("address", &source)
                .with("name", stranger.names.first().map_or("", String::as_str))
                .with("certificate", &certificate)
                .href("/nas/new"),
            "Add as NAS".to_owned(),
        ),
    };
    StrangerRow {
        fingerprint: fingerprint(&stranger.fingerprint),
        names: stranger.names.join(", "),
        source,
        tries: thousands(stranger.tries),
        last_seen: words.ago(stranger.last),
        href,
        action,
    }
}
