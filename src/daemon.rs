//! The order of start and stop; the only place that binds sockets and starts tasks.
//!
//! Start: store and journal, sockets, jobs, panel, control socket, then the ready line. Stop: RADIUS and panel close
//! their doors, jobs finish their piece, accounting and the writer drain, the store closes.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::{App, AppError, Clock, Listening};
use crate::config::{self, Config};
use crate::jobs::{self, Supervisor};
use crate::operations::aaa::Aaa;
use crate::operations::routers::Clients;
use crate::operations::{self, attempts, certificates, demo, setup};
use crate::radius::{Handler, Port, Server, server};
use crate::store::accounting::Pace;
use crate::web::server::Door;
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
/// Connections of one TCP port that wait to be accepted; a burst of browsers.
const BACKLOG: i32 = 512;

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
    let mut panel = Panel::listen(&app.config.web)?;
    app.set_listening(Listening {
        web: bound(&panel.plain)?,
        https: bound(&panel.https)?,
        auth: addresses(&radius.auth),
        acct: addresses(&radius.acct),
    });
    let mut supervisor = Supervisor::default();
    jobs::start(
        &mut supervisor,
        app,
        Clients::bind(app.config.radius.coa_bind)?,
    );
    panel.start(app, app.listening().https.first().map(SocketAddr::port));
    let control = control::Server::start(app)?;
    if greet {
        greet_person(app).await?;
    }
    say_ready(&app.listening())?;

    let ended = tokio::select! {
        signal = wait_for_signal(app) => signal.map(|()| Ended::Stopped)?,
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

/// Until SIGTERM or SIGINT. SIGHUP reads again what may have changed on disk: the certificate.
async fn wait_for_signal(app: &App) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => {
                // What cannot be read is on the log and on the pages; the certificate in use stays.
                let _kept = certificates::reload(app);
            }
        }
    }
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
    plain: Vec<TcpListener>,
    https: Vec<TcpListener>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Panel {
    fn listen(web: &config::Web) -> Result<Panel, DaemonError> {
        Ok(Panel {
            plain: listen(&web.listen, "the panel")?,
            https: listen(&web.https_listen, "the panel over HTTPS")?,
            tasks: JoinSet::new(),
            stop: watch::Sender::new(false),
        })
    }

    /// `https_port` is the one that browsers on a plain port are sent to.
    fn start(&mut self, app: &Arc<App>, https_port: Option<u16>) {
        let router = web::router(Arc::clone(app));
        let plain = self
            .plain
            .drain(..)
            .map(|it| (it, Door::Plain { https_port }));
        let tls = Door::Tls(app.certificates.server_config());
        let https = self.https.drain(..).map(|it| (it, tls.clone()));
        for (listener, door) in plain.chain(https) {
            let mut stop = self.stop.subscribe();
            let stopped = async move {
                // An error means that the panel is gone, which is a stop too.
                let _ = stop.wait_for(|stop| *stop).await;
            };
            self.tasks
                .spawn(web::server::serve(listener, door, router.clone(), stopped));
        }
    }

    async fn stop(mut self) {
        // An error means that no listener is left.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Opens TCP ports. A kernel without IPv6 is no reason not to serve IPv4, so there the IPv6 wildcard is left out.
fn listen(addresses: &[SocketAddr], what: &'static str) -> Result<Vec<TcpListener>, DaemonError> {
    let mut listeners = Vec::new();
    for address in addresses {
        match bind(*address) {
            Ok(listener) => listeners.push(listener),
            Err(error) if addresses.len() > 1 && is_without_ipv6(*address, &error) => {
                tracing::warn!(%address, "this system has no IPv6");
            }
            Err(source) => {
                return Err(DaemonError::Listen {
                    address: *address,
                    what,
                    source,
                });
            }
        }
    }
    Ok(listeners)
}

/// IPv6 sockets take IPv6 only, so that both wildcards can stand side by side.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A port whose last connections are still closing can be opened again after a restart.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn is_without_ipv6(address: SocketAddr, error: &io::Error) -> bool {
    let no_such_family = io::Error::from(Errno::EAFNOSUPPORT).raw_os_error();
    address.is_ipv6() && address.ip().is_unspecified() && error.raw_os_error() == no_such_family
}

fn bound(listeners: &[TcpListener]) -> io::Result<Vec<SocketAddr>> {
    listeners.iter().map(TcpListener::local_addr).collect()
}

fn addresses(servers: &[Server]) -> Vec<SocketAddr> {
    servers.iter().map(Server::local_addr).collect()
}

/// The line that says that everything listens: `ready web=ADDR https=ADDR auth=ADDR acct=ADDR`.
fn say_ready(listening: &Listening) -> io::Result<()> {
    let mut line = "ready".to_owned();
    for (word, addresses) in [
        ("web", &listening.web),
        ("https", &listening.https),
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
