//! The certificate of the first minute: made by the machine itself, so no browser trusts it without being told to.

use std::net::IpAddr;
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use sysinfo::System;

use super::error::TlsError;
use super::pair::Pair;
use crate::domain::time::{DAY, Timestamp};

/// How long it is good. Devices of Apple take no certificate of more than 825 days, not even after a person agreed to it;
/// and a shorter life would ask every operator more often to look at a fingerprint again.
pub const LIFE: i64 = 820 * DAY;
/// A new one is made so long before the end of the old one.
pub const RENEWED_BEFORE: i64 = 30 * DAY;
/// Clocks of phones that are behind take it none the less.
const BACKDATED: i64 = DAY;

/// The last day of the year 9999, beyond which a certificate has no date.
const LAST_SECOND: u64 = 253_402_214_400;

/// Addresses in one certificate; a machine with more has virtual ones that nobody opens the panel at.
const MOST_ADDRESSES: usize = 32;
/// Longest common name (RFC 5280, upper bounds in appendix A.1).
const LONGEST_COMMON_NAME: usize = 64;

/// Makes a key (ECDSA P-256) and a certificate for `names`, which are DNS names or IP addresses. A name that cannot stand
/// in a certificate is left out. Errors: `SelfSigned`.
pub fn make(names: &[String], now: Timestamp) -> Result<Pair, TlsError> {
    let fault = |error: rcgen::Error| TlsError::SelfSigned(error.to_string());
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.iter().filter_map(|name| san(name)).collect();
    params.distinguished_name = DistinguishedName::new();
    let host = names.first().map_or("ProxPanel", String::as_str);
    let common_name: String = host.chars().take(LONGEST_COMMON_NAME).collect();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    // The moments of rcgen have a type that it does not give away. A clock before 1970 counts as 1970.
    let moment = |at: Timestamp| {
        let seconds = u64::try_from(at.seconds()).unwrap_or(0).min(LAST_SECOND);
        date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    params.not_before = moment(now.plus(-BACKDATED));
    params.not_after = moment(now.plus(LIFE - BACKDATED));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(fault)?;
    let certificate = params.self_signed(&key).map_err(fault)?;
    Pair::parse(&certificate.pem(), &key.serialize_pem())
}

fn san(name: &str) -> Option<SanType> {
    match name.parse() {
        Ok(address) => Some(SanType::IpAddress(address)),
        Err(_) => name.try_into().ok().map(SanType::DnsName),
    }
}

/// The names of this machine: its host name, `localhost`, and its addresses but for those of one link only.
pub(super) fn own_names() -> Vec<String> {
    let host = System::host_name().unwrap_or_default();
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() <= 253
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
    };
    let mut names: Vec<String> = Some(host.to_ascii_lowercase())
        .filter(|host| is_name(host))
        .into_iter()
        .collect();
    names.push("localhost".to_owned());
    let addresses = getifaddrs().into_iter().flatten().filter_map(|interface| {
        let address = interface.address?;
        let four = address.as_sockaddr_in().map(|it| IpAddr::V4(it.ip()));
        four.or_else(|| address.as_sockaddr_in6().map(|it| IpAddr::V6(it.ip())))
    });
    let mut own: Vec<IpAddr> = addresses.filter(is_lasting).take(MOST_ADDRESSES).collect();
    own.sort_unstable();
    names.extend(own.iter().map(IpAddr::to_string));
    names.dedup();
    names
}

fn is_lasting(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_link_local(),
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn it_is_good_for_its_names_and_for_as_long_as_phones_allow() {
        let names = ["panel.example", "localhost", "192.0.2.7", "2001:db8::7"].map(str::to_owned);
        let pair = make(&names, NOW).unwrap();
        let facts = pair.facts();
        assert_eq!(facts.names, names);
        assert_eq!(facts.issuer, "panel.example");
        assert!(facts.is_self_signed);
        assert_eq!(facts.not_before, NOW.plus(-DAY));
        let life = facts.not_after.since(facts.not_before);
        assert!(life <= 825 * DAY && life > 800 * DAY, "{life}");
        let other = make(&names, NOW).unwrap();
        assert_ne!(facts.fingerprint, other.facts().fingerprint);
    }

    #[test]
    fn a_name_that_fits_no_certificate_is_left_out_and_a_strange_clock_does_no_harm() {
        let names = ["é", "localhost"].map(str::to_owned);
        for now in [Timestamp(i64::MIN), Timestamp(0), NOW, Timestamp(i64::MAX)] {
            assert_eq!(make(&names, now).unwrap().facts().names, ["localhost"]);
        }
        assert_eq!(make(&[], NOW).unwrap().facts().issuer, "ProxPanel");
    }

    #[test]
    fn this_machine_knows_its_names() {
        let names = own_names();
        assert!(names.iter().any(|name| name == "localhost"), "{names:?}");
        assert!(names.iter().any(|name| name == "127.0.0.1"), "{names:?}");
        assert!(!names.iter().any(|name| name.starts_with("fe80")));
    }
}
