//! What a certificate says, for people: names, issuer, dates, fingerprint.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::trust::Fingerprint;
use crate::crypto;
use crate::domain::time::Timestamp;

/// Names that are shown and compared; certificates of authorities have at most this many.
const MOST_NAMES: usize = 100;
/// Characters of an issuer; the rest is cut off.
const LONGEST_ISSUER: usize = 200;

/// What one certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// DNS names and IP addresses (subjectAltName, RFC 5280 section 4.2.1.6), in lower case. Browsers look at no others.
    pub names: Vec<String>,
    /// The common name of the issuer, or its whole name.
    pub issuer: String,
    pub not_before: Timestamp,
    /// The last moment at which it is good.
    pub not_after: Timestamp,
    pub fingerprint: Fingerprint,
    /// Issued by itself, so no browser trusts it without being told to.
    pub is_self_signed: bool,
}

impl Facts {
    /// Reads the DER octets of a certificate. Errors: what is wrong with them, in words.
    pub(super) fn read(der: &[u8]) -> Result<Facts, String> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let validity = certificate.validity();
        let issuer = certificate.issuer();
        let common_name = issuer.iter_common_name().next();
        let issued_by = common_name
            .and_then(|name| name.as_str().ok())
            .map_or_else(|| issuer.to_string(), str::to_owned);
        Ok(Facts {
            names: names(&certificate)?,
            issuer: issued_by
                .chars()
                .filter(|letter| !letter.is_control())
                .take(LONGEST_ISSUER)
                .collect(),
            not_before: Timestamp::from_seconds(validity.not_before.timestamp()),
            not_after: Timestamp::from_seconds(validity.not_after.timestamp()),
            fingerprint: Fingerprint(crypto::sha256(der)),
            is_self_signed: issuer.as_raw() == certificate.subject().as_raw(),
        })
    }

    /// Whether browsers would take it for this name: the same, or `*.` in place of the first label (RFC 6125 section 6.4.3).
    pub fn covers(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let is_below = |wildcard: &str| {
            let rest = name
                .split_once('.')
                .filter(|(label, _)| !label.is_empty())
                .map(|(_, rest)| rest);
            rest.is_some() && wildcard.strip_prefix("*.") == rest
        };
        self.names
            .iter()
            .any(|known| *known == name || is_below(known))
    }
}

fn names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, String> {
    let extension = certificate
        .subject_alternative_name()
        .map_err(|error| error.to_string())?;
    let Some(extension) = extension else {
        return Ok(Vec::new());
    };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(octets) => address(octets).map(|address| address.to_string()),
        _ => None,
    };
    let all = &extension.value.general_names;
    Ok(all.iter().filter_map(name).take(MOST_NAMES).collect())
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Some(Ipv4Addr::from(four).into());
    }
    let sixteen = <[u8; 16]>::try_from(octets).ok()?;
    Some(Ipv6Addr::from(sixteen).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(names: &[&str]) -> Facts {
        Facts {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            issuer: String::new(),
            not_before: Timestamp(0),
            not_after: Timestamp(0),
            fingerprint: Fingerprint([0xab; 32]),
            is_self_signed: false,
        }
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let facts = facts(&["panel.example.net", "*.isp.example", "192.0.2.7"]);
        for (name, covered) in [
            ("panel.example.net", true),
            ("PANEL.example.NET", true),
            ("example.net", false),
            ("a.panel.example.net", false),
            ("a.isp.example", true),
            ("a.b.isp.example", false),
            ("isp.example", false),
            (".isp.example", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("", false),
        ] {
            assert_eq!(facts.covers(name), covered, "{name}");
        }
    }

    #[test]
    fn a_fingerprint_is_written_as_browsers_do() {
        let text = facts(&[]).fingerprint.pairs();
        assert!(
            text.starts_with("AB:AB:") && text.ends_with(":AB"),
            "{text}"
        );
        assert_eq!(text.len(), 95);
    }

    #[test]
    fn what_is_no_certificate_is_said_to_be_none() {
        for octets in [&b""[..], b"\x30", &[0x30; 64]] {
            assert!(Facts::read(octets).is_err());
        }
    }
}
