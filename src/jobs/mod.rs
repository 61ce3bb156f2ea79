//! When things are done: a clock and a call into `operations`.
//!
//! A job does one bounded piece of work and says when it wants to go on. The supervisor owns waiting, back-off and the
//! record of runs. Due work is found by asking the store, so a stopped daemon catches up by itself.

mod auth_log;
mod backups;
mod cdn;
mod certificate;
mod dispatcher;
mod health;
mod licence;
mod macs;
mod outbox;
mod quota_sync;
mod reconnects;
mod search_index;
mod speeds;
mod stale_sessions;
mod supervisor;
mod support;
mod updates;
mod usage_audit;

pub use supervisor::Supervisor;

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::operations::routers::Clients;

/// What a job says after a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There is more to do.
    Again,
    /// Nothing until then, or until the job's own bell rings.
    After(Duration),
}

/// A thing that is done again and again. `work` is one bounded piece; `wait` may be dropped at any moment.
pub trait Job: Send + 'static {
    fn name(&self) -> &'static str;

    fn work(
        &mut self,
        app: Arc<App>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Next, Error>> + Send;

    /// What the last run did, in words; empty where there is nothing to say.
    fn outcome(&mut self) -> String {
        String::new()
    }

    /// Rings before the time is over when there is something to do.
    fn wait(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// Starts all jobs. They end when `supervisor` is stopped.
pub fn start(supervisor: &mut Supervisor, app: &Arc<App>, clients: Clients) {
    supervisor.run(app, health::Health);
    supervisor.run(app, auth_log::AuthLog);
    supervisor.run(app, stale_sessions::StaleSessions);
    supervisor.run(app, quota_sync::QuotaSync::default());
    supervisor.run(app, speeds::SpeedWindows::default());
    supervisor.run(app, speeds::BandwidthRules::default());
    supervisor.run(app, speeds::Expiry::default());
    supervisor.run(app, speeds::TopUps::default());
    supervisor.run(app, reconnects::Reconnects::default());
    supervisor.run(app, macs::Macs::default());
    supervisor.run(app, usage_audit::UsageAudit::default());
    supervisor.run(app, backups::Backups::default());
    supervisor.run(app, support::RemoteSupport::default());
    supervisor.run(app, certificate::Certificate::default());
    supervisor.run(app, search_index::SearchIndex::new(app));
    supervisor.run(app, licence::Licence::default());
    supervisor.run(app, updates::Updates::default());
    supervisor.run(app, cdn::Cdn::new(app));
    supervisor.run(app, outbox::Outbox::new(app, clients));
}
