//! The program's own client against the stand-in: two people's ideas of the protocol meet.

use std::time::Duration;

use proxpanel::crypto::Secret;
use proxpanel::routers::routeros::client::{Access, Router as Client, Security, State};
use proxpanel::routers::routeros::commands::{self, firewall, interfaces, ppp, queues, system};
use proxpanel::routers::routeros::error::ApiError;
use proxpanel::routers::routeros::exchange::Credentials;
use proxpanel::routers::routeros::tls::{Fingerprint, Trust};

use super::with_anna;
use crate::support::routeros::{ApiFault, Options, Router, User};

/// A client inside a runtime, as the daemon has it.
fn client(router: &Router, security: Security, legacy_first: bool) -> Client {
    let address = match security {
        Security::Plain => router.api_addr(),
        Security::Tls(_) => router.api_tls_addr(),
    };
    Client::spawn(Access {
        address,
        security,
        credentials: Credentials {
            name: "isp-api".to_owned(),
            password: Secret::new("api-pass".to_owned()),
            legacy_first,
        },
    })
}

fn plain(router: &Router) -> Client {
    client(router, Security::Plain, false)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_logins_of_all_versions() {
    for (version, legacy_first) in [
        ("6.42.12", false),
        ("6.42.12", true),
        ("6.49.10", false),
        ("7.20.6", false),
    ] {
        let router = with_anna(version);
        let client = client(&router, Security::Plain, legacy_first);
        let name = system::identity(&client).await;
        assert_eq!(name.as_deref(), Ok("bras-01"), "{version} {legacy_first}");
        let resource = system::resource(&client).await.unwrap();
        assert!(
            resource.version.starts_with(version),
            "{}",
            resource.version
        );
    }
    let router = with_anna("7.20.6");
    let error = system::identity(&client(&router, Security::Plain, true)).await;
    assert!(matches!(error, Err(ApiError::LoginRefused(_))), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trust_over_tls() {
    let router = with_anna("7.20.6");
    let shown = Fingerprint(router.fingerprint());
    for trust in [Trust::FirstUse, Trust::Pinned(shown)] {
        let client = client(&router, Security::Tls(trust), false);
        assert_eq!(system::identity(&client).await.as_deref(), Ok("bras-01"));
        let State::Ready {
            certificate,
            identity,
            ..
        } = client.state()
        else {
            panic!("{:?}", client.state())
        };
        assert_eq!(
            (certificate, identity.as_deref()),
            (Some(shown), Some("bras-01"))
        );
    }
    // An authority's certificate must be for the address; this one names the router only.
    let authority = Trust::Authority(router.certificate_pem());
    let error = system::identity(&client(&router, Security::Tls(authority), false)).await;
    assert!(
        matches!(&error, Err(ApiError::Tls(text)) if text.contains("bras-01")),
        "{error:?}"
    );
    let pinned = client(&router, Security::Tls(Trust::Pinned(shown)), false);
    router.replace_certificate();
    let expected = ApiError::CertificateDiffers {
        expected: shown,
        found: Fingerprint(router.fingerprint()),
    };
    assert_eq!(system::identity(&pinned).await, Err(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_has_moved_and_its_end() {
    let router = with_anna("7.20.6");
    let client = plain(&router);
    let traffic = interfaces::user_traffic(&client).await.unwrap();
    let found: Vec<_> = traffic
        .iter()
        .map(|traffic| {
            (
                traffic.user.as_str(),
                traffic.octets.upload,
                traffic.octets.download,
            )
        })
        .collect();
    assert_eq!(found, [("anna", 1_000, 2_000)]);
    let sessions = ppp::active(&client).await.unwrap();
    let [session] = sessions.as_slice() else {
        panic!("{sessions:?}")
    };
    let in_radius = router.session("anna").unwrap().id;
    assert_eq!(session.session_id.as_deref(), Some(in_radius.as_str()));
    let rates = interfaces::live_rates(&client, &[traffic[0].session.name.as_str()]).await;
    assert_eq!(rates.map(|rates| rates.len()), Ok(1));
    let mut feed = ppp::listen(&client).unwrap();
    // The feed has begun when what was asked after it is answered.
    system::identity(&client).await.unwrap();
    assert_eq!(
        ppp::disconnect(&client, "anna", Some("81000000")).await,
        Ok(0)
    );
    assert_eq!(
        ppp::disconnect(&client, "anna", Some(&in_radius)).await,
        Ok(1)
    );
    let gone = ppp::ActiveChange::Gone(session.id.clone());
    let heard = tokio::time::timeout(super::PATIENCE, feed.next())
        .await
        .unwrap();
    assert_eq!(heard, Ok(Some(gone)));
    assert_eq!(router.online(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_queues_are_written() {
    let router = with_anna("7.20.6");
    let client = plain(&router);
    for (address, family) in [
        ("10.0.0.5", firewall::Family::V4),
        ("2001:db8::/64", firewall::Family::V6),
    ] {
        let day = Some(Duration::from_secs(86_400));
        let add = || firewall::add_to_list(&client, "isp-expired", address, day, "isp:7");
        let id = add().await.unwrap().expect("it is new");
        assert_eq!(add().await, Ok(None), "it is there");
        let entries = firewall::list(&client, family, "isp-expired")
            .await
            .unwrap();
        assert_eq!((entries.len(), &entries[0].id), (1, &id));
        for _ in 0..2 {
            commands::remove(&client, family.lists(), &id)
                .await
                .unwrap();
        }
        assert_eq!(
            firewall::list(&client, family, "isp-expired").await,
            Ok(vec![])
        );
    }
    let queue = [
        ("name", "isp-a"),
        ("target", "10.0.0.5/32"),
        ("max-limit", "10M/50M"),
    ];
    let id = commands::add(&client, queues::SIMPLE, &queue)
        .await
        .unwrap();
    commands::set(&client, queues::SIMPLE, &id, &[("max-limit", "1M/2M")])
        .await
        .unwrap();
    let queues = queues::simple(&client).await.unwrap();
    let queue = queues.iter().find(|queue| queue.id == id).unwrap();
    let limit = queue.max_limit.unwrap();
    assert_eq!((limit.upload, limit.download), (1_000_000, 2_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_read_is_told_so() {
    let router = Router::start(Options {
        users: vec![User::new("isp-api", "api-pass", "api,read")],
        ..Options::default()
    });
    let client = plain(&router);
    let added = firewall::add_to_list(&client, "a", "10.0.0.5", None, "").await;
    assert!(added.unwrap_err().is_forbidden());
    let unknown = commands::print(&client, "/no/such/menu", ".id", &[]).await;
    assert!(unknown.unwrap_err().is_unknown_command());
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_sessions() {
    let router = with_anna("7.20.6");
    router.faults().change(|faults| faults.crowd = 50_000);
    let sessions = ppp::active(&plain(&router)).await.unwrap();
    assert_eq!(sessions.len(), 50_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_in_an_error_and_heals() {
    for fault in [
        ApiFault::Garbage(b"\xFF\xFE"),
        ApiFault::CloseMidSentence,
        ApiFault::HugeWord,
        ApiFault::HalfClosed,
    ] {
        let router = with_anna("7.20.6");
        let client = plain(&router);
        system::identity(&client).await.unwrap();
        router.faults().change(|faults| faults.api = fault);
        let error = system::identity(&client).await.unwrap_err();
        let expected = matches!(error, ApiError::Closed | ApiError::Protocol(_));
        assert!(expected, "{fault:?}: {error}");
        router.faults().clear();
        let name = system::identity(&client).await;
        assert_eq!(name.as_deref(), Ok("bras-01"), "{fault:?}");
    }
}
