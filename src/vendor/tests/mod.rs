//! The vendor and an appliance against each other over TLS, and each alone with what nobody should send.

mod api;
mod appliance;
mod away;
mod backups;
mod both_sides;
mod folder;
mod lying;
mod page;
mod rows;
mod updates;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::desk::{Desk, Init};
use super::licences::{Issue, Terms};
use super::records::Who;
use super::server;
use crate::app::Clock;
use crate::domain::operator::Role;
use crate::licence::Hardware;
use crate::licence::testing::machine;
use crate::operations::licence::{self, Beat, Status};
use crate::web::server::{Door, serve};
use crate::web::testing::{NOW, TestApp};

const PASSWORD: &str = "vendor horse";

/// A vendor that has just begun, in a folder of its own.
fn vendor(trial_days: u32) -> (Arc<Desk>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let init = Init {
        password: PASSWORD.to_owned(),
        hosts: vec!["127.0.0.1".to_owned()],
        trial_days,
        trial_subscribers: 100,
    };
    let place = folder.path().join("vendor");
    // On a thread of its own, since it blocks, which an async test must not.
    let desk = std::thread::scope(|scope| {
        let made = scope.spawn(|| Desk::init(&place, &init, Clock::standing_at(NOW)));
        made.join().unwrap().unwrap()
    });
    (Arc::new(desk), folder)
}

fn terms(most_subscribers: Option<u32>, days: Option<u32>) -> Terms {
    Terms {
        most_subscribers,
        days,
        grace_days: 14,
    }
}

/// A vendor that listens, and what an appliance must know of it.
struct World {
    desk: Arc<Desk>,
    address: SocketAddr,
    config: String,
    server: JoinHandle<()>,
    _folder: TempDir,
}

impl World {
    async fn start() -> World {
        Self::with(30, server::router).await
    }

    /// A vendor whose answers come from another router.
    async fn with(trial_days: u32, router: impl FnOnce(&Arc<Desk>) -> Router) -> World {
        let (desk, folder) = vendor(trial_days);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let certificate = desk.certificate(None).unwrap();
        let door = Door::Tls(certificate.server_config().unwrap());
        let config = format!(
            "[licence]\nvendor_url = \"https://{address}\"\nvendor_key = \"{}\"\nvendor_pin = \"{}\"\n",
            desk.public_key().to_text(),
            certificate.facts().fingerprint
        );
        let serving = serve(listener, door, router(&desk), std::future::pending());
        let server = tokio::spawn(serving);
        World {
            desk,
            address,
            config,
            server,
            _folder: folder,
        }
    }

    /// An appliance of this vendor on a machine, with an administrator.
    async fn appliance(&self, hardware: Hardware) -> TestApp {
        let test = TestApp::empty(&self.config);
        test.app.machine.pretend(hardware);
        test.operator("rania", Role::Administrator).await;
        test
    }

    /// An appliance that has a licence already, and the number of it.
    async fn licensed(&self, terms: Terms) -> (TestApp, u32) {
        let (id, key) = self.issue(terms).await;
        let test = self.appliance(machine(1)).await;
        activate(&test, &key).await.unwrap();
        (test, id)
    }

    async fn issue(&self, terms: Terms) -> (u32, String) {
        let issue = Issue {
            customer: "Cedar Net".to_owned(),
            email: "noc@cedar.example".to_owned(),
            terms,
        };
        let (id, key) = self.desk.issue(Who::command_line(), &issue).await.unwrap();
        (id, key.expose().to_owned())
    }

    /// From now on nobody answers at the vendor's address.
    async fn go_away(&mut self) {
        self.server.abort();
        // An error is how an aborted task ends.
        let _ = (&mut self.server).await;
    }
}

async fn activate(test: &TestApp, key: &str) -> Result<(), crate::operations::Error> {
    licence::activate(&test.app, &crate::domain::audit::Actor::CommandLine, key).await
}

async fn beat(test: &TestApp) -> Beat {
    licence::beat(&test.app, false).await.unwrap()
}

fn status(test: &TestApp) -> Status {
    licence::status(&test.app).unwrap()
}

/// The first sentence about the licence.
fn title(test: &TestApp) -> String {
    licence::words(&test.app.licence(), &test.app.settings().calendar).title
}

fn move_to(clock: &Clock, after_now: i64) {
    clock.move_to(NOW.plus(after_now));
}
