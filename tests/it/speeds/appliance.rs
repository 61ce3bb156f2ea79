//! The whole appliance in process, but for its sockets to browsers: the store, real RADIUS servers on free ports, the real
//! jobs, and the panel's router, on a clock that stands still until a test moves it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use proxpanel::app::{App, Clock, JobStatus};
use proxpanel::crypto::Secret;
use proxpanel::domain::audit::Actor;
use proxpanel::domain::id::{PlanId, SubscriberId};
use proxpanel::domain::nas::ApiTransport;
use proxpanel::domain::operator::{Operator, Role};
use proxpanel::domain::plan::Plan;
use proxpanel::domain::rate::Rate;
use proxpanel::domain::session::Session;
use proxpanel::domain::time::{DAY, HOUR, Timestamp};
use proxpanel::jobs::{self, Supervisor};
use proxpanel::operations::aaa::Aaa;
use proxpanel::operations::routers::Clients;
use proxpanel::operations::{nas, operators, plans, subscribers};
use proxpanel::radius::coa::Schedule;
use proxpanel::radius::{Handler, Port, Server, server};
use proxpanel::{daemon, web};
use tower::ServiceExt;

use crate::support::isp;
use crate::support::routeros::{Options, Radius, Router};

pub use crate::support::isp::PASSWORD;

const SECRET: &str = "n4s-Secret-01";
/// Far longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
const LARGEST_PAGE: usize = 4 << 20;
/// Seconds between interim records of the routers, so that hours may pass at once.
const INTERIM_SECONDS: u32 = 3_600;
/// A session that was heard of so lately counts as online.
const STEP: i64 = 2 * HOUR;

pub struct Appliance {
    pub app: Arc<App>,
    runtime: tokio::runtime::Runtime,
    clock: Clock,
    schedule: Schedule,
    running: Option<Running>,
    operator: Operator,
    folder: tempfile::TempDir,
}

struct Running {
    auth: Server,
    acct: Server,
    supervisor: Supervisor,
    panel: axum::Router,
}

impl Running {
    fn start(app: &Arc<App>, schedule: Schedule) -> Running {
        let handler: Arc<dyn Handler> = Arc::new(Aaa::new(Arc::clone(app)));
        let listen = |port| {
            let any = (Ipv4Addr::LOCALHOST, 0).into();
            server::spawn(any, port, 1, Arc::clone(&handler)).unwrap()
        };
        let (auth, acct) = (listen(Port::Auth), listen(Port::Acct));
        let mut supervisor = Supervisor::default();
        let clients = Clients::bind(None).unwrap().with_schedule(schedule);
        jobs::start(&mut supervisor, app, clients);
        Running {
            auth,
            acct,
            supervisor,
            panel: web::router(Arc::clone(app)),
        }
    }
}

impl Appliance {
    /// As the daemon runs it.
    pub fn start(now: Timestamp) -> Appliance {
        Appliance::start_with(now, Schedule::JOB)
    }

    /// With another patience for routers that do not answer.
    pub fn start_with(now: Timestamp, schedule: Schedule) -> Appliance {
        let folder = tempfile::tempdir().unwrap();
        let (runtime, clock) = (daemon::runtime().unwrap(), Clock::standing_at(now));
        let app = isp::open(folder.path(), &clock);
        let operator = runtime
            .block_on(operators::add(
                &app,
                &Actor::CommandLine,
                "rania",
                Role::Administrator,
                Secret::new("correct horse".to_owned()),
            ))
            .unwrap();
        let inside = runtime.enter();
        let running = Some(Running::start(&app, schedule));
        drop(inside);
        Appliance {
            app,
            runtime,
            clock,
            schedule,
            running,
            operator,
            folder,
        }
    }

    /// Stops it as the daemon stops, and starts it again on the same folder. Routers are told the new ports.
    pub fn restart(&mut self, routers: &[&Router]) {
        self.stop();
        self.app = isp::open(self.folder.path(), &self.clock);
        let inside = self.runtime.enter();
        self.running = Some(Running::start(&self.app, self.schedule));
        drop(inside);
        for router in routers {
            router.use_radius(&self.radius());
        }
    }

    fn stop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        running.auth.stop();
        running.acct.stop();
        self.runtime.block_on(running.supervisor.stop());
        self.app.close();
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    fn radius(&self) -> Radius {
        Radius {
            auth: self.running().auth.local_addr(),
            acct: self.running().acct.local_addr(),
            secret: SECRET.to_owned(),
        }
    }

    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock alone: routers are not heard of meanwhile.
    pub fn move_clock_to(&self, at: Timestamp) {
        self.clock.move_to(at);
    }

    /// Lets time pass here and on the routers, whose interim records come in as they would.
    pub fn pass_time(&self, routers: &[&Router], at: Timestamp) {
        while self.now() < at {
            let step = at.since(self.now()).min(STEP);
            self.clock.move_to(self.now().plus(step));
            for router in routers {
                router.advance(u64::try_from(step / 1_000).unwrap());
                assert_eq!(router.interim_all(), router.online());
            }
        }
    }

    /// Runs a job now, and waits until a run is over that began after this call.
    pub fn run_job(&self, name: &'static str) -> JobStatus {
        let entry = self.app.jobs.entry(name);
        let before = entry.status();
        // The run under way may have looked at the world before the test changed it.
        let enough = before.runs + 1 + u64::from(before.is_running);
        assert!(self.app.jobs.run_now(name), "no job {name}");
        self.until(|| entry.status().runs >= enough);
        entry.status()
    }

    /// Waits for what another thread does, without an end only when that never happens.
    #[track_caller]
    pub fn until(&self, is_so: impl Fn() -> bool) {
        let (_never, tick) = channel::<()>();
        let started = proxpanel::telemetry::monotonic();
        while started.elapsed() < PATIENCE {
            if is_so() {
                return;
            }
            // Nothing ever comes: this lets the others run.
            let _ = tick.recv_timeout(Duration::from_millis(2));
        }
        panic!("it never came about");
    }

    /// A stand-in router on this loopback address, and its row.
    pub fn add_router(
        &self,
        address: Ipv4Addr,
        change: impl FnOnce(&mut nas::Draft, &Router),
    ) -> Router {
        let router = Router::start(Options {
            address,
            radius: Some(self.radius()),
            ..Options::default()
        });
        let mut draft = nas::Draft {
            coa_port: router.coa_port(),
            interim_interval: Some(INTERIM_SECONDS),
            ..isp::router(&format!("tower {address}"), address, SECRET)
        };
        change(&mut draft, &router);
        self.run(nas::create(&self.app, &Actor::CommandLine, draft))
            .unwrap();
        router
    }

    /// A stand-in whose API may be used, also instead of CoA.
    pub fn add_router_with_api(&self, address: Ipv4Addr, api_fallback: bool) -> Router {
        self.add_router(address, |draft, router| {
            draft.api_fallback = api_fallback;
            let port = router.api_addr().port();
            draft.api = Some(isp::api(port, "isp-api", "api-pass", ApiTransport::Plain));
        })
    }

    pub fn add_plan(&self, plan: Plan) -> PlanId {
        self.run(plans::create(&self.app, &Actor::CommandLine, plan))
            .unwrap()
    }

    /// Enabled, for thirty days where nothing else is said.
    pub fn add_subscriber(
        &self,
        name: &str,
        plan: PlanId,
        expires_at: Option<Timestamp>,
    ) -> SubscriberId {
        let draft = self.draft(name, plan, expires_at);
        self.run(subscribers::create(&self.app, &Actor::CommandLine, draft))
            .unwrap()
    }

    pub fn draft(
        &self,
        name: &str,
        plan: PlanId,
        expires_at: Option<Timestamp>,
    ) -> subscribers::Draft {
        subscribers::Draft {
            expires_at: Some(expires_at.unwrap_or_else(|| self.now().plus(30 * DAY))),
            ..isp::subscriber(name, plan)
        }
    }

    /// The live session of a subscriber.
    pub fn live(&self, subscriber: SubscriberId) -> Option<Session> {
        let live = self.app.accounting.live();
        let mut open = live.open_of(subscriber);
        open.find(|session| session.stopped.is_none()).cloned()
    }

    /// The speed that the router of a live session is known to have.
    pub fn told(&self, subscriber: SubscriberId) -> Option<Rate> {
        self.live(subscriber)?.told.map(|limit| limit.rate)
    }

    /// The text of a page of the panel, without tags, as the administrator sees it.
    pub fn page(&self, path: &str) -> String {
        let agent = "Firefox".to_owned();
        let signed_in = operators::let_in(
            &self.app,
            self.operator.clone(),
            Ipv4Addr::LOCALHOST.to_string(),
            agent,
        );
        let token = self.run(signed_in).unwrap().token.expose().clone();
        let peer: SocketAddr = (Ipv4Addr::LOCALHOST, 40_000).into();
        let mut request = Request::builder()
            .uri(path)
            .header(header::HOST, "panel.example")
            .header(header::COOKIE, format!("{}={token}", web::cookies::SESSION))
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let body = self.run(async {
            let response = self.running().panel.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            to_bytes(response.into_body(), LARGEST_PAGE).await.unwrap()
        });
        let body = String::from_utf8(body.to_vec()).unwrap();
        let texts = body
            .split('<')
            .map(|part| part.split_once('>').map_or(part, |(_, behind)| behind));
        let text: Vec<&str> = texts.flat_map(str::split_whitespace).collect();
        text.join(" ")
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        self.stop();
    }
}
