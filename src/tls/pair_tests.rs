//! What people paste: in any order, with words around it, with the wrong key.

use super::*;
use crate::domain::time::Timestamp;
use crate::tls::self_signed;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Certificate and key as PEM text.
fn made(name: &str) -> (String, String) {
    let pair = self_signed::make(&[name.to_owned()], NOW).unwrap();
    let (key, certificate) = pair
        .pem()
        .split_at(pair.pem().find("-----BEGIN CERT").unwrap());
    (certificate.to_owned(), key.to_owned())
}

#[test]
fn what_stands_around_the_blocks_does_no_harm() {
    let (certificate, key) = made("a.example");
    let expected = Pair::parse(&certificate, &key).unwrap();
    let both = format!("{certificate}{key}");
    for (chain, key) in [
        (certificate.clone(), key.clone()),
        (
            certificate.replace('\n', "\r\n"),
            format!("\r\n  {}", key.replace('\n', " \r\n")),
        ),
        (
            format!("Bag Attributes\n  name: x\n{certificate}\nbye"),
            key.clone(),
        ),
        (both.clone(), both.clone()),
        (
            certificate.clone(),
            format!(
                "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{key}"
            ),
        ),
    ] {
        let pair = Pair::parse(&chain, &key).unwrap();
        assert_eq!(pair.facts(), expected.facts());
        assert_eq!(pair.pem(), expected.pem());
        assert_eq!(
            Pair::parse(pair.pem(), pair.pem()).unwrap().pem(),
            pair.pem()
        );
    }
}

#[test]
fn each_mistake_has_its_own_words() {
    let (certificate, key) = made("a.example");
    let (other_certificate, other_key) = made("b.example");
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let old_encrypted = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n";
    let damaged = certificate.replace("MII", "MI!");
    let cut = &certificate[..certificate.len() / 2];
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (chain, key, says, of_key) in [
        ("", key.as_str(), "no certificate", false),
        (&key, &key, "no certificate", false),
        (cut, &key, "no certificate", false),
        (
            &damaged,
            &key,
            "Certificate 1 of the text cannot be read",
            false,
        ),
        (
            garbage,
            &key,
            "Certificate 1 of the text cannot be read",
            false,
        ),
        (&certificate, "", "no private key", true),
        (&certificate, &certificate, "no private key", true),
        (&certificate, &encrypted, "is encrypted", true),
        (&certificate, old_encrypted, "is encrypted", true),
        (
            &certificate,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            "none of RSA, ECDSA and Ed25519",
            true,
        ),
        (
            &certificate,
            "-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----",
            "damaged",
            true,
        ),
        (&certificate, &other_key, "does not belong", true),
        (
            &format!("{other_certificate}{certificate}"),
            &key,
            "does not belong",
            true,
        ),
    ] {
        let error = Pair::parse(chain, key).unwrap_err();
        assert!(error.to_string().contains(says), "{says}: {error}");
        assert_eq!(error.is_of_key(), of_key, "{error}");
    }
}

#[test]
fn a_chain_is_kept_in_its_order_and_bounded() {
    let (leaf, key) = made("a.example");
    let (issuer, _) = made("ca.example");
    let pair = Pair::parse(&format!("{leaf}{issuer}"), &key).unwrap();
    assert_eq!(pair.facts().names, ["a.example"]);
    assert_eq!(pair.certified().cert.len(), 2);
    let of = |count: usize| Pair::parse(&leaf.repeat(count), &key);
    assert_eq!(of(MOST_CERTIFICATES).unwrap().certified().cert.len(), 10);
    assert!(matches!(
        of(MOST_CERTIFICATES + 1),
        Err(TlsError::TooManyCertificates)
    ));
}
