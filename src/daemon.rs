//! The order of start and stop; the only place that binds sockets and starts tasks.
//!
//! Start: store and journal, sockets, jobs, panel, control socket, then the ready line. Stop: RADIUS and panel close
//! their doors, jobs finish their piece, accounting and the writer drain, the store closes.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::{App, AppError, Clock, Listening};
use crate::config::Config;
use crate::jobs::{self, Supervisor};
use crate::operations::aaa::Aaa;
use crate::operations::routers::Clients;
use crate::operations::{self, attempts, demo, setup};
use crate::radius::{Handler, Port, Server, server};
use crate::store::accounting::Pace;
use crate::{control, web};

#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error(transparent)]
    App(#[from] AppError),
    #[error("cannot listen on {address} for {what}: {source}")]
    Listen {
        address: SocketAddr,
        what: &'static str,
        source: io::Error,
    },
    #[error("{0}")]
    Operation(#[from] operations::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Threads of the panel and the jobs; RADIUS has its own.
const MOST_WORKERS: usize = 2;
/// Threads for what blocks: scans, exports, password hashes.
const BLOCKING_THREADS: usize = 16;
/// Idle blocking threads go soon: each holds a stack.
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(5);

/// A runtime of the size that suits a small machine.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(MOST_WORKERS))
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .enable_all()
        .build()
}

/// Runs the appliance until SIGTERM or SIGINT. With `greet` the first steps are told on standard error, for people who
/// start it by hand; the setup link in it is a secret, so it is not for a log.
pub fn serve(config: Config, greet: bool) -> Result<(), DaemonError> {
    while let Ended::ToStartAnew = serve_once(config.clone(), greet)? {}
    Ok(())
}

/// Why the appliance stopped in good order.
enum Ended {
    Stopped,
    /// Somebody asked for it, such as a restore: the same again on what is in the data folder now.
    ToStartAnew,
}

fn serve_once(config: Config, greet: bool) -> Result<Ended, DaemonError> {
    let app = Arc::new(App::open(config, Clock::System, Pace::default())?);
    let runtime = runtime()?;
    let served = runtime.block_on(run(&app, greet));
    if let Err(error) = attempts::write(&app) {
        tracing::error!(%error, "the last authentication attempts were not written");
    }
    // Whatever happened, what was acknowledged is brought into the tables.
    app.close();
    runtime.shutdown_timeout(Duration::from_secs(5));
    served
}

async fn run(app: &Arc<App>, greet: bool) -> Result<Ended, DaemonError> {
    let handler: Arc<dyn Handler> = Arc::new(Aaa::new(Arc::clone(app)));
    let radius = Radius::listen(app, &handler)?;
    let mut panel = Panel::listen(&app.config.web.listen).await?;
    app.set_listening(Listening {
        web: panel.addresses.clone(),
        auth: addresses(&radius.auth),
        acct: addresses(&radius.acct),
    });
    let mut supervisor = Supervisor::default();
    jobs::start(
        &mut supervisor,
        app,
        Clients::bind(app.config.radius.coa_bind)?,
    );
    panel.start(app);
    let control = control::Server::start(app)?;
    if greet {
        greet_person(app).await?;
    }
    say_ready(&app.listening())?;

    let ended = tokio::select! {
        signal = wait_for_signal() => signal.map(|()| Ended::Stopped)?,
        () = app.restart.notified() => Ended::ToStartAnew,
    };
    tracing::info!("stopping");
    // A backup may have minutes to go; what it left is removed by the next one.
    app.backups.cancel();
    drop(control);
    // The sockets' threads are joined, which may take a moment.
    tokio::task::spawn_blocking(move || radius.stop())
        .await
        .map_err(io::Error::other)?;
    panel.stop().await;
    supervisor.stop().await;
    Ok(ended)
}

async fn wait_for_signal() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

struct Radius {
    auth: Vec<Server>,
    acct: Vec<Server>,
}

impl Radius {
    fn listen(app: &App, handler: &Arc<dyn Handler>) -> Result<Radius, DaemonError> {
        let config = &app.config.radius;
        let open = |addresses: &[SocketAddr], port, what| {
            let open_one = |address: &SocketAddr| {
                server::spawn(*address, port, config.threads, Arc::clone(handler)).map_err(
                    |source| DaemonError::Listen {
                        address: *address,
                        what,
                        source,
                    },
                )
            };
            addresses
                .iter()
                .map(open_one)
                .collect::<Result<Vec<Server>, DaemonError>>()
        };
        Ok(Radius {
            auth: open(&config.auth_listen, Port::Auth, "RADIUS authentication")?,
            acct: open(&config.acct_listen, Port::Acct, "RADIUS accounting")?,
        })
    }

    fn stop(self) {
        self.auth
            .into_iter()
            .chain(self.acct)
            .for_each(Server::stop);
    }
}

struct Panel {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Panel {
    async fn listen(addresses: &[SocketAddr]) -> Result<Panel, DaemonError> {
        let mut listeners = Vec::new();
        let mut bound = Vec::new();
        for address in addresses {
            let listen = |source| DaemonError::Listen {
                address: *address,
                what: "the panel",
                source,
            };
            let listener = TcpListener::bind(address).await.map_err(listen)?;
            bound.push(listener.local_addr().map_err(listen)?);
            listeners.push(listener);
        }
        Ok(Panel {
            listeners,
            addresses: bound,
            tasks: JoinSet::new(),
            stop: watch::Sender::new(false),
        })
    }

    fn start(&mut self, app: &Arc<App>) {
        let router = web::router(Arc::clone(app));
        for listener in self.listeners.drain(..) {
            let mut stop = self.stop.subscribe();
            let stopped = async move {
                // An error means that the panel is gone, which is a stop too.
                let _ = stop.wait_for(|stop| *stop).await;
            };
            self.tasks
                .spawn(web::server::serve(listener, router.clone(), stopped));
        }
    }

    async fn stop(mut self) {
        // An error means that no listener is left.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

fn addresses(servers: &[Server]) -> Vec<SocketAddr> {
    servers.iter().map(Server::local_addr).collect()
}

/// The line that says that everything listens: `ready web=ADDR auth=ADDR acct=ADDR`.
fn say_ready(listening: &Listening) -> io::Result<()> {
    let mut line = "ready".to_owned();
    for (word, addresses) in [
        ("web", &listening.web),
        ("auth", &listening.auth),
        ("acct", &listening.acct),
    ] {
        for address in addresses {
            line.push_str(&format!(" {word}={address}"));
        }
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

async fn greet_person(app: &App) -> Result<(), DaemonError> {
    let mut lines = vec![String::new()];
    let panel = app.panel_url();
    lines.push(format!("  Panel            {panel}/"));
    if setup::is_needed(app)? {
        let token = setup::new_token(app).await?;
        lines.push(format!(
            "  First sign-in    {panel}/setup?token={}",
            token.expose()
        ));
        lines.push("                   (works once; a new one comes with every start until you have used it)".to_owned());
    }
    let listening = app.listening();
    let list = |addresses: &[SocketAddr]| {
        let texts: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        texts.join(", ")
    };
    lines.push(format!("  Authentication   UDP {}", list(&listening.auth)));
    lines.push(format!("  Accounting       UDP {}", list(&listening.acct)));
    if demo::is_present(app)?
        && let Some(server) = listening.auth.first()
    {
        lines.push(String::new());
        lines.push("  Try a login:".to_owned());
        let program = std::env::args()
            .next()
            .unwrap_or_else(|| "proxpanel".to_owned());
        lines.push(format!("    {program} {}", demo::login_command(*server)));
    }
    lines.push(String::new());
    let mut out = io::stderr().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
