//! The checks of a router, its kept certificate and the test of CoA against the stand-in, which was written by the
//! reference alone.

use std::net::SocketAddr;
use std::sync::Arc;

use proxpanel::app::{App, Clock, CoaOutcome};
use proxpanel::domain::audit::Actor;
use proxpanel::domain::id::NasId;
use proxpanel::domain::nas::{ApiTransport, CoaForm, MessageAuthenticator};
use proxpanel::operations::coa_test;
use proxpanel::operations::nas::{self, Draft};
use proxpanel::operations::nas_checks::{self, Check, Verdict};
use proxpanel::operations::router_api::{self, Connection};

use crate::support::isp;
use crate::support::routeros::{Options, Radius, Router, User};

const SECRET: &str = "between-us-two";
const PASSWORD: &str = "api-password-of-ours";

struct Panel {
    app: Arc<App>,
    _folder: tempfile::TempDir,
}

impl Panel {
    fn open() -> Panel {
        let folder = tempfile::tempdir().unwrap();
        Panel {
            app: isp::open(folder.path(), &Clock::System),
            _folder: folder,
        }
    }
}

impl Drop for Panel {
    /// On a thread of its own, since closing blocks, which an async test must not.
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            scope.spawn(|| self.app.close());
        });
    }
}

fn router() -> Router {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    Router::start(Options {
        users: vec![User::new("proxpanel", PASSWORD, "api,read,write,test")],
        radius: Some(Radius {
            auth: nowhere,
            acct: nowhere,
            secret: SECRET.to_owned(),
        }),
        ..Options::default()
    })
}

async fn add(app: &App, router: &Router, password: &str) -> NasId {
    let port = router.api_tls_addr().port();
    let draft = Draft {
        coa_port: router.coa_port(),
        message_authenticator: MessageAuthenticator::Required,
        api: Some(isp::api(
            port,
            "proxpanel",
            password,
            ApiTransport::Pinned(None),
        )),
        api_fallback: true,
        ..isp::router("Tower", router.address(), SECRET)
    };
    nas::create(app, &Actor::CommandLine, draft).await.unwrap()
}

async fn check(app: &App, id: NasId, name: &str) -> Check {
    let checks = nas_checks::run(app, id).await.unwrap();
    let found = checks.iter().find(|check| check.name == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {checks:?}"))
        .clone()
}

fn transport(app: &App, id: NasId) -> ApiTransport {
    let entry = app.nas(id).unwrap();
    entry.nas.api.clone().unwrap().transport
}

#[tokio::test]
async fn checks_follow_what_is_set_on_the_router() {
    let router = router();
    let panel = Panel::open();
    let app = &panel.app;
    let id = add(app, &router, PASSWORD).await;
    let checks = nas_checks::run(app, id).await.unwrap();
    let api = checks.iter().find(|check| check.name == "API").unwrap();
    assert_eq!(api.verdict, Verdict::Good, "{checks:?}");
    assert!(api.says.contains("RouterOS 7.20.6"), "{}", api.says);
    for name in [
        "PPP asks RADIUS",
        "CoA setting",
        "FastTrack",
        "Local secrets",
        "Pools",
    ] {
        let check = checks.iter().find(|check| check.name == name).unwrap();
        assert_eq!(check.verdict, Verdict::Good, "{check:?}");
    }
    assert_eq!(
        transport(app, id),
        ApiTransport::Pinned(Some(router.fingerprint()))
    );
    assert!(matches!(
        router_api::connection(app, id),
        Connection::Ready { .. }
    ));
    let rule = [("chain", "forward"), ("action", "fasttrack-connection")];
    router.add("/ip/firewall/filter", &rule);
    let fasttrack = check(app, id, "FastTrack").await;
    assert_eq!(fasttrack.verdict, Verdict::Bad, "{fasttrack:?}");
}

#[tokio::test]
async fn another_certificate_is_refused_until_the_kept_one_is_forgotten() {
    let router = router();
    let panel = Panel::open();
    let app = &panel.app;
    let id = add(app, &router, PASSWORD).await;
    assert_eq!(check(app, id, "API").await.verdict, Verdict::Good);
    let first = router.fingerprint_hex();
    router.replace_certificate();
    router.drop_connections();
    // The connection that ended may still count as open: the first question then only finds that out.
    let mut refused = check(app, id, "API").await;
    if !refused.says.contains("another certificate") {
        refused = check(app, id, "API").await;
    }
    assert_eq!(refused.verdict, Verdict::Bad);
    assert!(refused.says.contains(&first), "{}", refused.says);
    nas::forget_certificate(app, &Actor::CommandLine, id)
        .await
        .unwrap();
    assert_eq!(check(app, id, "API").await.verdict, Verdict::Good);
    assert_eq!(
        transport(app, id),
        ApiTransport::Pinned(Some(router.fingerprint()))
    );
}

#[tokio::test]
async fn a_wrong_password_is_said_with_its_cure() {
    let router = router();
    let panel = Panel::open();
    let id = add(&panel.app, &router, "another-password").await;
    let api = check(&panel.app, id, "API").await;
    assert_eq!(api.verdict, Verdict::Bad);
    assert!(
        api.command
            .starts_with("/user set [find where name=\"proxpanel\"]"),
        "{api:?}"
    );
    assert_eq!(
        transport(&panel.app, id),
        ApiTransport::Pinned(None),
        "nothing was kept"
    );
}

#[tokio::test]
async fn the_router_knows_no_session_of_nobody() {
    let router = router();
    let panel = Panel::open();
    let id = add(&panel.app, &router, PASSWORD).await;
    let answer = coa_test::test(&panel.app, &Actor::CommandLine, id);
    let answer = answer.await.unwrap().unwrap();
    assert_eq!(
        (answer.port, answer.form),
        (router.coa_port(), CoaForm::Plain)
    );
    assert_eq!(answer.outcome, CoaOutcome::Refused(Some(503)));
    let coa = check(&panel.app, id, "Changes and disconnects (CoA)").await;
    assert_eq!(coa.verdict, Verdict::Good, "{coa:?}");
}
