//! The three kinds of trust, against certificates made here.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::*;
use crate::routers::routeros::client::{Security, State};
use crate::routers::routeros::peer::{LIMITS, Peer, both};
use crate::routers::routeros::request::Command;

/// A certificate and its key, as a router has them.
struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Identity {
    fn own(names: &[&str]) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params(names).self_signed(&key).unwrap();
        Identity {
            certificate: certificate.der().clone(),
            key,
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    fn config(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let key = ring::sign::any_supported_type(&key).unwrap();
        // Whether the key belongs to the certificate is not looked at: a thief has another.
        let certified = CertifiedKey::new(vec![self.certificate.clone()], key);
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        Arc::new(config)
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

/// RFC 7468.
fn pem(certificate: &CertificateDer<'_>) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for (line, octets) in certificate.chunks(3).enumerate() {
        let number = octets
            .iter()
            .fold(0, |number, &octet| number << 8 | u32::from(octet));
        let number = number << (8 * (3 - octets.len()));
        for digit in 0..=octets.len() {
            let at = usize::try_from(number >> (18 - 6 * digit)).unwrap() & 0x3F;
            text.push(char::from(DIGITS[at]));
        }
        text.push_str(&"=".repeat(3 - octets.len()));
        if line % 16 == 15 {
            text.push('\n');
        }
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}

/// An authority as PEM text, and a router's certificate from it.
fn authority(names: &[&str]) -> (String, Identity) {
    let mut params_of_authority = params(&[]);
    params_of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = pem(params_of_authority.self_signed(&key).unwrap().der());
    let issuer = Issuer::new(params_of_authority, key);
    let key = KeyPair::generate().unwrap();
    let certificate = params(names).signed_by(&key, &issuer).unwrap();
    let identity = Identity {
        certificate: certificate.der().clone(),
        key,
    };
    (pem, identity)
}

/// One request over TLS: its error, or what the state says of the certificate.
async fn seen(trust: Trust, identity: &Identity) -> Result<Option<Fingerprint>, ApiError> {
    let config = identity.config(rustls::ALL_VERSIONS);
    let peer = Peer::listen().await;
    let router = peer.router(Security::Tls(trust));
    let (reply, _) = both(router.call(Command::new("/x/print"), LIMITS), async {
        let mut talk = peer.accept_tls(&config).await.ok()?;
        // A client that does not trust us goes away without a word.
        let login = talk.try_hear().await?;
        assert_eq!(login, ["/login", "=name=panel", "=password=pass"]);
        talk.say(&["!done"]).await;
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[]).await;
        Some(talk)
    })
    .await;
    reply?;
    match router.state() {
        State::Ready { certificate, .. } => Ok(certificate),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_pinned_certificate_is_known_whatever_its_names_and_dates() {
    let mut old = params(&["elsewhere.example"]);
    old.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let key = KeyPair::generate().unwrap();
    let identity = Identity {
        certificate: old.self_signed(&key).unwrap().der().clone(),
        key,
    };
    let fingerprint = identity.fingerprint();
    let pinned = Trust::Pinned(fingerprint);
    assert_eq!(seen(pinned, &identity).await, Ok(Some(fingerprint)));
    let other = Identity::own(&["127.0.0.1"]);
    let error = seen(Trust::Pinned(other.fingerprint()), &identity).await;
    let expected = ApiError::CertificateDiffers {
        expected: other.fingerprint(),
        found: fingerprint,
    };
    let text = expected.to_string();
    assert_eq!(error, Err(expected));
    assert!(
        text.contains(&fingerprint.to_string()) && text.contains(&other.fingerprint().to_string())
    );
}

#[tokio::test]
async fn the_first_certificate_is_told_and_no_other_is_taken_after_it() {
    let first = Identity::own(&["router"]);
    assert_eq!(
        seen(Trust::FirstUse, &first).await,
        Ok(Some(first.fingerprint()))
    );
    let second = Identity::own(&["router"]);
    let peer = Peer::listen().await;
    let router = peer.router(Security::Tls(Trust::FirstUse));
    let (reply, ()) = both(router.call(Command::new("/x/print"), LIMITS), async {
        let config = first.config(&[&rustls::version::TLS12]);
        let mut talk = peer.accept_tls(&config).await.unwrap();
        talk.welcome().await;
        let tag = talk.expect(&["/x/print"]).await;
        talk.answer(&tag, &[]).await;
    })
    .await;
    assert!(reply.is_ok());
    let failed = async {
        loop {
            // The end of the first connection may be seen only now.
            match router.call(Command::new("/x/print"), LIMITS).await {
                Err(ApiError::Closed) => {}
                other => break other,
            }
        }
    };
    let (reply, refused) = both(failed, async {
        peer.accept_tls(&second.config(rustls::ALL_VERSIONS))
            .await
            .is_err()
    })
    .await;
    let expected = ApiError::CertificateDiffers {
        expected: first.fingerprint(),
        found: second.fingerprint(),
    };
    assert_eq!((reply, refused), (Err(expected), true));
}

#[tokio::test]
async fn a_certificate_of_the_own_authority_is_good_for_its_address() {
    let (pem, identity) = authority(&["127.0.0.1"]);
    let fingerprint = identity.fingerprint();
    let both_authorities = authority(&[]).0 + &pem;
    for trusted in [pem.clone(), both_authorities] {
        let trust = Trust::Authority(trusted);
        assert_eq!(seen(trust, &identity).await, Ok(Some(fingerprint)));
    }
    let (other_pem, _) = authority(&[]);
    let elsewhere = authority(&["127.0.0.2"]);
    for (pem, identity) in [(other_pem, &identity), (elsewhere.0, &elsewhere.1)] {
        let error = seen(Trust::Authority(pem), identity).await.unwrap_err();
        assert!(matches!(error, ApiError::Tls(_)), "{error}");
    }
}

#[test]
fn a_text_without_a_usable_authority_is_refused() {
    let (pem, _) = authority(&[]);
    assert!(client_config(&Trust::Authority(pem.clone())).is_ok());
    let broken = pem.replacen("MI", "!!", 1);
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no certificate", &broken, empty] {
        let refused = client_config(&Trust::Authority(text.to_owned())).err();
        assert!(matches!(refused, Some(ApiError::Authority(_))), "{text}");
    }
}

#[tokio::test]
async fn a_copied_certificate_without_its_key_is_refused() {
    let stolen = Identity::own(&["router"]);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let thief = Identity {
            certificate: stolen.certificate.clone(),
            key: KeyPair::generate().unwrap(),
        };
        let peer = Peer::listen().await;
        let router = peer.router(Security::Tls(Trust::Pinned(stolen.fingerprint())));
        let config = thief.config(&[version]);
        let (reply, accepted) = both(
            router.call(Command::new("/x/print"), LIMITS),
            peer.accept_tls(&config),
        )
        .await;
        assert!(matches!(reply, Err(ApiError::Tls(_))), "{reply:?}");
        drop(accepted);
    }
}

#[tokio::test]
async fn a_port_without_tls_is_no_tls() {
    let peer = Peer::listen().await;
    let router = peer.router(Security::Tls(Trust::FirstUse));
    let (reply, _open) = both(router.call(Command::new("/x/print"), LIMITS), async {
        let mut talk = peer.accept().await;
        talk.say(&["!fatal", "what is this"]).await;
        talk
    })
    .await;
    assert!(matches!(reply, Err(ApiError::Tls(_))), "{reply:?}");
}
