//! Whose certificate it is, and what is seen of RadSec.

use std::net::SocketAddr;

use rcgen::{CertificateParams, date_time_ymd};

use super::*;
use crate::app::RadsecTrouble;
use crate::crypto;
use crate::domain::audit::Object;
use crate::domain::radsec::RadsecTrust;
use crate::domain::time::DAY;
use crate::operations::{Error, nas as verbs};
use crate::radius::MaPolicy;
use crate::radius::radsec::peer::{Identity, TestAuthority, params};
use crate::radius::radsec::{ClientCertificate, Ending};
use crate::store::audit;

const SOURCE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)), 40_000);

fn with_radsec(name: &str, network: &str, trust: RadsecTrust) -> verbs::Draft {
    verbs::Draft {
        radsec: Some(trust),
        ..router(name, network)
    }
}

fn pinned(identity: &Identity) -> RadsecTrust {
    RadsecTrust::Pinned(identity.fingerprint())
}

fn named(authority: &TestAuthority, name: &str) -> RadsecTrust {
    RadsecTrust::Authority {
        pem: authority.pem.clone(),
        name: name.to_owned(),
    }
}

fn device(authority: &TestAuthority, name: &str) -> Identity {
    authority.sign(&params(name, &[name]))
}

fn shown(identity: &Identity) -> ClientCertificate {
    ClientCertificate::new(std::slice::from_ref(&identity.certificate)).unwrap()
}

fn handler(it: &TestApp) -> Aaa {
    Aaa::new(Arc::clone(&it.app))
}

#[test]
fn a_certificate_names_its_nas_and_no_other() {
    let it = TestApp::new();
    let (ours, theirs) = (TestAuthority::new(), TestAuthority::new());
    let (north, other) = (Identity::own("north"), Identity::own("north"));
    let a = it.add_nas(with_radsec("north", "10.0.0.1", pinned(&north)));
    let b = it.add_nas(with_radsec(
        "south",
        "10.0.0.2",
        named(&ours, "South.isp.test"),
    ));
    let c = it.add_nas(with_radsec("west", "10.0.0.3", named(&ours, "10.0.0.3")));
    it.add_nas(router("udp only", "10.0.0.4"));
    let expired = |mut params: CertificateParams| {
        params.not_after = date_time_ymd(2026, 5, 28);
        params
    };
    let south = "south.isp.test";
    for (identity, expected) in [
        (&north, Some(a)),
        (&other, None),
        (&device(&ours, south), Some(b)),
        (&device(&ours, "10.0.0.3"), Some(c)),
        (&device(&ours, "east.isp.test"), None),
        (&device(&ours, "udp only"), None),
        (&device(&theirs, south), None),
        (&Identity::own(south), None),
        (&ours.sign(&expired(params(south, &[south]))), None),
    ] {
        let found = handler(&it).nas_of_certificate(&shown(identity), SOURCE);
        assert_eq!(
            found.as_ref().map(|peer| NasId(peer.nas)),
            expected,
            "{}",
            identity.pem
        );
        if let Some(peer) = found {
            assert_eq!(peer.message_authenticator, MaPolicy::No);
            assert!(!peer.limit_proxy_state && peer.send_message_authenticator);
        }
    }
    // The one whose name it had knows why it was not let in.
    let trouble = it.app.nas(b).unwrap().stats.radsec.trouble();
    let RadsecTrouble { at, source, why } = trouble.unwrap();
    assert_eq!((at, source), (NOW, SOURCE));
    assert!(why.contains("expired"), "{why}");
    assert_eq!(it.app.nas(c).unwrap().stats.radsec.trouble(), None);
    // One that ends while its connection is open has no more to say.
    let mut brief = params(south, &[south]);
    brief.not_after = date_time_ymd(2026, 5, 30);
    let brief = ours.sign(&brief);
    for (days, is_known) in [(1, true), (2, false)] {
        it.clock.move_to(NOW.plus(days * DAY));
        let found = handler(&it).nas_of_certificate(&shown(&brief), SOURCE);
        assert_eq!(found.is_some(), is_known, "after {days} days");
    }
}

#[test]
fn a_change_of_the_nas_holds_at_the_next_packet() {
    let it = TestApp::new();
    let (old, new) = (Identity::own("old"), Identity::own("new"));
    let id = it.add_nas(with_radsec("tower", "10.0.0.1", pinned(&old)));
    let handler = handler(&it);
    let is_known = |identity| {
        handler
            .nas_of_certificate(&shown(identity), SOURCE)
            .is_some()
    };
    assert!(is_known(&old) && !is_known(&new));
    let draft = with_radsec("tower", "10.0.0.1", pinned(&new));
    run(verbs::update(&it.app, &actor(), id, draft)).unwrap();
    assert!(!is_known(&old) && is_known(&new));
    let view = it.app.store.view().unwrap();
    let entry = audit::newest(&view, u64::MAX, 1, 1, |entry| {
        entry.object == Object::Nas(id)
    });
    let change = entry.unwrap().remove(0).changes.remove(0);
    let words =
        |identity: &Identity| format!("certificate {}", crypto::hex(&identity.fingerprint()));
    assert_eq!(
        (change.field, change.old, change.new),
        ("RadSec".to_owned(), words(&old), words(&new))
    );
    run(verbs::remove(&it.app, &actor(), id)).unwrap();
    assert!(!is_known(&new));
}

#[test]
fn one_certificate_is_one_nas() {
    let it = TestApp::new();
    let (ours, north) = (TestAuthority::new(), Identity::own("north"));
    it.add_nas(with_radsec("north", "10.0.0.1", pinned(&north)));
    it.add_nas(with_radsec("south", "10.0.0.2", named(&ours, "south")));
    let unreadable = RadsecTrust::Authority {
        pem: "-----BEGIN CERTIFICATE-----".into(),
        name: "west".into(),
    };
    for (trust, expected) in [
        (pinned(&north), "radsec_certificate"),
        (named(&ours, "SOUTH"), "radsec_name"),
        (unreadable, "radsec_authority"),
    ] {
        let draft = with_radsec("west", "10.0.0.3", trust);
        match run(verbs::create(&it.app, &actor(), draft)) {
            Err(Error::Field { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let other = TestAuthority::new();
    it.add_nas(with_radsec("west", "10.0.0.3", named(&other, "south")));
}

#[test]
fn connections_and_troubles_are_kept_with_the_nas() {
    let it = TestApp::new();
    let (own, strange) = (Identity::own("own"), Identity::own("strange"));
    let id = it.add_nas(with_radsec("tower", "203.0.113.0/24", pinned(&own)));
    let (handler, entry) = (handler(&it), it.app.nas(id).unwrap());
    let state = &entry.stats.radsec;
    let nas = id.0;
    let other = SocketAddr::new(SOURCE.ip(), 40_001);
    for source in [SOURCE, other] {
        handler.observe(Observation::RadsecOpened { nas, source });
    }
    let open: Vec<SocketAddr> = state.open().iter().map(|peer| peer.source).collect();
    assert_eq!(open, [SOURCE, other]);
    for (source, why, trouble) in [
        (SOURCE, Ending::Closed, None),
        (
            other,
            Ending::Length(7),
            Some("a packet says that it is 7 octets long"),
        ),
    ] {
        handler.observe(Observation::RadsecClosed { nas, source, why });
        assert_eq!(
            state.trouble().map(|trouble| trouble.why).as_deref(),
            trouble
        );
    }
    assert!(state.open().is_empty());

    // A certificate that is nobody's, from the address of this NAS and from elsewhere.
    let certificate = shown(&strange);
    handler.observe(Observation::RadsecStranger {
        source: SOURCE,
        certificate: &certificate,
    });
    assert_eq!(state.trouble().unwrap().why, Ending::Stranger.to_string());
    let source = SocketAddr::from(([198, 51, 100, 1], 5));
    let why = Ending::NoCertificate;
    handler.observe(Observation::RadsecRefused { source, why });
    assert_eq!(state.trouble().unwrap().source, SOURCE);
    let strangers = it.app.strangers.list();
    assert_eq!(strangers.len(), 1);
    assert_eq!(
        (strangers[0].fingerprint, strangers[0].tries),
        (strange.fingerprint(), 1)
    );
    let draft = with_radsec("tower", "203.0.113.0/24", pinned(&strange));
    run(verbs::update(&it.app, &actor(), id, draft)).unwrap();
    assert!(it.app.strangers.list().is_empty());
}
