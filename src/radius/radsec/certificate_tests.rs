//! Names, and what an authority stands behind.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, SanType, date_time_ymd};

use super::*;
use crate::radius::radsec::peer::{Identity, TestAuthority, params};

/// 2026-05-28.
const NOW: u64 = 1_780_000_000;

fn shown(identity: &Identity) -> ClientCertificate {
    ClientCertificate::new(std::slice::from_ref(&identity.certificate)).unwrap()
}

#[test]
fn names_come_from_both_places_in_one_form() {
    let mut params = params(" Tower-1.ISP.test", &["tower-1.isp.test", "Radio.isp.test"]);
    let address = "2001:db8::1".parse().unwrap();
    params.subject_alt_names.push(SanType::IpAddress(address));
    let v4 = "10.0.0.1".parse().unwrap();
    params.subject_alt_names.push(SanType::IpAddress(v4));
    let certificate = shown(&TestAuthority::new().sign(&params));
    assert_eq!(
        certificate.names(),
        [
            "tower-1.isp.test",
            "radio.isp.test",
            "2001:db8::1",
            "10.0.0.1"
        ]
    );
    for (name, is_named) in [
        ("tower-1.isp.test", true),
        ("RADIO.isp.TEST ", true),
        ("2001:DB8:0::1", true),
        ("10.0.0.1", true),
        ("isp.test", false),
        ("*.isp.test", false),
        ("", false),
    ] {
        assert_eq!(certificate.has_name(name), is_named, "{name}");
    }
    let unreadable = ClientCertificate::new(&[CertificateDer::from(vec![0x30, 0x82])]).unwrap();
    assert!(unreadable.names().is_empty());
    assert_ne!(unreadable.fingerprint(), certificate.fingerprint());
    assert!(ClientCertificate::new(&[]).is_none());
}

#[test]
fn an_authority_stands_behind_its_own_valid_client_certificates_only() {
    let (ours, theirs) = (TestAuthority::new(), TestAuthority::new());
    let authority = Authority::parse(&ours.pem).unwrap();
    let check = |identity: &Identity| authority.check(&shown(identity), NOW);
    let device = |change: fn(&mut CertificateParams)| {
        let mut params = params("tower", &["tower"]);
        change(&mut params);
        params
    };
    let plain = device(|_| {});
    assert_eq!(check(&ours.sign(&plain)), Ok(()));
    let for_clients = device(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    assert_eq!(check(&ours.sign(&for_clients)), Ok(()));
    for (identity, words) in [
        (theirs.sign(&plain), "not accepted"),
        (Identity::own("tower"), "not accepted"),
        (
            ours.sign(&device(|params| {
                params.not_after = date_time_ymd(2026, 5, 28)
            })),
            "expired",
        ),
        (
            ours.sign(&device(|params| {
                params.not_before = date_time_ymd(2026, 5, 29)
            })),
            "not valid yet",
        ),
        (
            ours.sign(&device(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            })),
            "not accepted",
        ),
    ] {
        let refused = check(&identity).unwrap_err().to_string();
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

#[test]
fn pem_texts() {
    let identity = Identity::own("tower");
    assert_eq!(pem_fingerprint(&identity.pem), Ok(identity.fingerprint()));
    let renewed = format!("{}\n{}", TestAuthority::new().pem, identity.pem);
    assert!(Authority::parse(&renewed).is_ok(), "old and new together");
    let cut_off = &identity.pem[..identity.pem.len() / 2];
    for (text, error) in [
        ("", AuthorityError::Empty),
        ("no certificate", AuthorityError::Empty),
        ("-----BEGIN CERTIFICATE-----", AuthorityError::NotWhole),
        (cut_off, AuthorityError::NotWhole),
    ] {
        assert_eq!(Authority::parse(text).unwrap_err(), error, "{text}");
        assert_eq!(pem_fingerprint(text), Err(error), "{text}");
    }
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(
        Authority::parse(garbled),
        Err(AuthorityError::Unreadable(_))
    ));
}
