//! An appliance for tests: in process, in a throw-away folder, with a clock that stands still until it is moved.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::app::{App, Clock};
use crate::config::{Backup, Config, Level, Licence, Log, Radius, Source, Web};
use crate::crypto::Secret;
use crate::domain::audit::Actor;
use crate::domain::backup::{Backup as FailedBackup, Trigger};
use crate::domain::id::{NasId, PlanId, PoolId, SessionId, SubscriberId};
use crate::domain::money::{Currency, Money};
use crate::domain::nas::{MessageAuthenticator, Network};
use crate::domain::octets::Traffic;
use crate::domain::plan::Plan;
use crate::domain::pool::{Pool, PoolKind, Ranges};
use crate::domain::rate::Rate;
use crate::domain::session::{Place, Record, RecordKind};
use crate::domain::text::Username;
use crate::domain::time::{DAY, Timestamp};
use crate::store::accounting::{Accounting, Pace};
use crate::store::journal::memory::Memory;
use crate::store::outbox::{self, Lane, Work};

use super::{nas, plans, pools, subscribers};

/// 2026-05-28 20:26:40 UTC, a Thursday.
pub const NOW: Timestamp = Timestamp(1_780_000_000_000);
pub const SECRET: &str = "n4s-Secret-01";
/// Far longer than anything here takes; only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Records are committed as they come.
pub const AT_ONCE: Pace = Pace {
    group: 1,
    spacing: Duration::ZERO,
    fold_every: Duration::from_secs(3_600),
    fold_after: u64::MAX,
    most_sessions: 1_000,
};

pub struct TestApp {
    pub app: Arc<App>,
    pub clock: Clock,
    pub folder: tempfile::TempDir,
}

pub fn config(folder: &std::path::Path) -> Config {
    let any = || vec!["127.0.0.1:0".parse().unwrap()];
    Config {
        data_dir: folder.to_owned(),
        web: Web {
            listen: any(),
            https_listen: any(),
            certificate: None,
            trusted_proxies: Vec::new(),
        },
        radius: Radius {
            auth_listen: any(),
            acct_listen: any(),
            radsec_listen: any(),
            threads: 1,
            coa_bind: None,
        },
        licence: Licence::default(),
        backup: Backup {
            folder: folder.join("backups"),
        },
        log: Log { level: Level::Info },
        source: Source::default(),
    }
}

pub fn run<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

/// Waits for what another thread does, without an end only when that never happens.
#[track_caller]
pub fn until(is_so: impl Fn() -> bool) {
    let (_never, tick) = channel::<()>();
    for _ in 0..20_000 {
        if is_so() {
            return;
        }
        // Nothing ever comes: this lets the others run.
        let _ = tick.recv_timeout(Duration::from_millis(1));
    }
    panic!("it never came about");
}

pub fn actor() -> Actor {
    Actor::CommandLine
}

/// All follow-up work that waits, oldest first in each lane.
pub fn waiting(it: &TestApp, lane: Lane) -> Vec<Work> {
    let view = it.app.store.view().unwrap();
    let waiting = outbox::waiting(&view, lane, 999).unwrap();
    waiting.into_iter().map(|(_, work)| work.unwrap()).collect()
}

pub fn secret(text: &str) -> Option<Arc<Secret<String>>> {
    Some(Arc::new(Secret::new(text.to_owned())))
}

/// 2 up, 10 down, from the router's pool `homes`; one session, replaced by the next.
pub fn plan(name: &str) -> Plan {
    let price = Money {
        minor: 1_500,
        currency: Currency::parse("USD").unwrap(),
    };
    Plan {
        pool: "homes".to_owned(),
        ..Plan::new(name, price, Rate::new(2_000, 10_000))
    }
}

/// Addresses of such ranges; not sticky.
pub fn pool(name: &str, ranges: &str) -> Pool {
    Pool {
        id: PoolId(0),
        name: name.to_owned(),
        kind: PoolKind::V4(Ranges::parse(ranges).unwrap()),
        sticky: false,
        notes: String::new(),
    }
}

/// Enabled for thirty days, with the password `pass-1`.
pub fn subscriber(name: &str, plan: PlanId) -> subscribers::Draft {
    subscribers::Draft {
        password: secret("pass-1"),
        expires_at: Some(NOW.plus(30 * DAY)),
        ..subscribers::Draft::new(Username::parse(name).unwrap(), plan)
    }
}

/// A MikroTik that need not protect its requests.
pub fn router(name: &str, network: &str) -> nas::Draft {
    nas::Draft {
        secret: secret(SECRET),
        message_authenticator: MessageAuthenticator::Optional,
        ..nas::Draft::new(name, Network::parse(network).unwrap())
    }
}

impl TestApp {
    pub fn new() -> TestApp {
        let folder = tempfile::tempdir().unwrap();
        Self::open(folder)
    }

    pub fn open(folder: tempfile::TempDir) -> TestApp {
        let clock = Clock::standing_at(NOW);
        let app = App::open(config(folder.path()), clock.clone(), AT_ONCE).unwrap();
        TestApp {
            app: Arc::new(app),
            clock,
            folder,
        }
    }

    /// With a journal on a disk that fails on demand.
    pub fn with_failing_journal() -> (TestApp, Memory) {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::standing_at(NOW);
        let mut app = App::open(config(folder.path()), clock.clone(), AT_ONCE).unwrap();
        app.accounting.close();
        let journal = Memory::default();
        let calendar = app.settings().calendar.clone();
        app.accounting = Accounting::in_memory(&app.store, calendar, AT_ONCE, &journal).unwrap();
        let app = Arc::new(app);
        (TestApp { app, clock, folder }, journal)
    }

    pub fn add_plan(&self, plan: Plan) -> PlanId {
        run(plans::create(&self.app, &actor(), plan)).unwrap()
    }

    pub fn add_pool(&self, pool: Pool) -> PoolId {
        run(pools::create(&self.app, &actor(), pool)).unwrap()
    }

    pub fn add_nas(&self, draft: nas::Draft) -> NasId {
        run(nas::create(&self.app, &actor(), draft)).unwrap()
    }

    pub fn add_subscriber(&self, draft: subscribers::Draft) -> SubscriberId {
        run(subscribers::create(&self.app, &actor(), draft)).unwrap()
    }

    /// Takes a record and waits until it is applied.
    #[track_caller]
    pub fn account(&self, record: Record) {
        let (answered, answer) = channel();
        let acknowledge = move || answered.send(()).unwrap();
        self.app.accounting.record(record, Box::new(acknowledge));
        answer.recv_timeout(PATIENCE).expect("an answer");
    }

    /// An open session that was heard of just now; its Acct-Session-Id is the user's name.
    pub fn go_online(
        &self,
        username: &str,
        subscriber: SubscriberId,
        nas: NasId,
        source: IpAddr,
    ) -> SessionId {
        self.account(interim(&self.app, username, subscriber, nas, source));
        let live = self.app.accounting.live();
        let mut open = live.open_of(subscriber);
        open.find(|s| s.username == username).unwrap().id
    }
}

/// An interim record after ten minutes with 1 kB up and 10 kB down.
pub fn interim(
    app: &App,
    username: &str,
    subscriber: SubscriberId,
    nas: NasId,
    source: IpAddr,
) -> Record {
    Record {
        kind: RecordKind::Interim,
        nas,
        nas_since: Timestamp(0),
        acct_session_id: username.as_bytes().to_vec(),
        username: username.to_owned(),
        subscriber: Some(subscriber),
        login: None,
        event_at: app.now(),
        received_at: app.now(),
        session_time: Some(600),
        totals: Some(Traffic::new(1_000, 10_000)),
        has_gigawords: true,
        place: Place {
            source: Some(source),
            ..Place::default()
        },
        free_windows: Vec::new(),
        told: None,
    }
}

/// A backup that the schedule wanted and that failed just now.
pub async fn fail_backup(app: &App, why: &str) {
    let failed = FailedBackup {
        began_at: app.now(),
        by: Trigger::Schedule,
        name: String::new(),
        took_ms: 0,
        octets: 0,
        rows: 0,
        subscribers: 0,
        error: Some(why.to_owned()),
        test: None,
        sent: None,
    };
    let write = app.store.write("a failed backup", move |tx| {
        crate::store::backups::put(tx, &failed)
    });
    write.await.unwrap();
}
