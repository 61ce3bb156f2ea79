//! The order of start and stop; the only place that binds sockets and starts tasks.
//!
//! Start: store and journal, sockets, jobs, panel, control socket, then the ready line. Stop: RADIUS and panel close
//! their doors, jobs finish their piece, accounting and the writer drain, the store closes. Invariant: from the signal to
//! the end it takes at most five seconds, whatever hangs, and what was acknowledged is on disk before and after.

mod reload;
mod systemd;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::app::{App, AppError, Clock, Listening};
use crate::config::{self, Config};
use crate::jobs::{self, Supervisor};
use crate::operations::aaa::Aaa;
use crate::operations::routers::Clients;
use crate::operations::{self, attempts, backups, demo, setup};
use crate::radius::radsec::{Limits, Radsec, RadsecError};
use crate::radius::{Handler, Port, Server, server};
use crate::store::accounting::Pace;
use crate::telemetry::Logging;
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
    #[error("RadSec: {0}")]
    Radsec(#[from] RadsecError),
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
/// Connections of one TCP port that wait to be accepted; a burst of browsers, or of routers after a restart.
const BACKLOG: i32 = 512;

/// How long answers and jobs under way may take at the stop; then they are cut off. Jobs find again what they left.
const DOORS_LIMIT: Duration = Duration::from_secs(2);
/// How long the last sessions may take into the tables; what is left then is read from the journal at the next start.
const CLOSE_LIMIT: Duration = Duration::from_millis(2500);
/// The same before it starts anew: then nobody waits for the end of the process, and the files must be free.
const CLOSE_LIMIT_ANEW: Duration = Duration::from_secs(30);
/// How long threads that do not listen are waited for. With the two above it makes less than five seconds.
const THREADS_LIMIT: Duration = Duration::from_millis(250);

/// A runtime of the size that suits a small machine.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(MOST_WORKERS))
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .enable_all()
        .build()
}

/// Runs the appliance until SIGTERM or SIGINT; SIGHUP reads again what can be read again. With `greet` the first steps are
/// told on standard error, for people who start it by hand; the setup link in it is a secret, so it is not for a log.
///
/// A restart that somebody asks for, and one after a restore, happens in this process under systemd too: so it is the same
/// under any supervisor and none, ports are closed for a moment only, and a configuration with a mistake in it does not end
/// the panel by which it was asked for. What cannot be opened then ends the process, and systemd starts it anew.
pub fn serve(mut config: Config, logging: &Logging, greet: bool) -> Result<(), DaemonError> {
    while let Ended::ToStartAnew = serve_once(config.clone(), logging, greet)? {
        config = reload::read_again(config, logging);
    }
    Ok(())
}

/// Why the appliance stopped in good order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Stopped,
    /// Somebody asked for it: the same again with the configuration and the data that are there now.
    ToStartAnew,
}

fn serve_once(config: Config, logging: &Logging, greet: bool) -> Result<Ended, DaemonError> {
    systemd::status("Opening the data folder");
    let mut app = App::open(config, Clock::System, Pace::default())?;
    app.log = Arc::clone(&logging.lines);
    let app = Arc::new(app);
    let runtime = runtime()?;
    let served = runtime.block_on(run(&app, logging, greet));
    // Whatever happened, what was acknowledged is brought into the tables.
    let limit = match served {
        Ok(Ended::ToStartAnew) => CLOSE_LIMIT_ANEW,
        _ => CLOSE_LIMIT,
    };
    close(&app, limit);
    runtime.shutdown_timeout(THREADS_LIMIT);
    served
}

async fn run(app: &Arc<App>, logging: &Logging, greet: bool) -> Result<Ended, DaemonError> {
    let mut signals = Signals::listen(greet)?;
    let handler: Arc<dyn Handler> = Arc::new(Aaa::new(Arc::clone(app)));
    let radius = Radius::listen(app, &handler)?;
    let radsec = listen_radsec(app, &handler)?;
    let mut panel = Panel::listen(&app.config.web)?;
    app.set_listening(Listening {
        web: bound(&panel.plain)?,
        https: bound(&panel.https)?,
        auth: addresses(&radius.auth),
        acct: addresses(&radius.acct),
        radsec: radsec.addresses().to_vec(),
    });
    if let Err(error) = backups::clean_up(app) {
        tracing::warn!(%error, "what is left of a backup stays");
    }
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
    let listening = listening_line(&app.listening());
    say_ready(&listening)?;
    systemd::ready(&listening);
    let watchdog = systemd::start_watchdog(app);

    let ended = loop {
        let wish = tokio::select! {
            wish = signals.next() => wish,
            () = app.restart.notified() => break Ended::ToStartAnew,
        };
        if wish == Wish::Stop {
            break Ended::Stopped;
        }
        systemd::reloading();
        reload::reload(app, logging);
        systemd::ready(&listening);
    };
    tracing::info!(?ended, "stopping");
    match ended {
        Ended::Stopped => systemd::stopping(),
        // After that word systemd would wait for the process to end.
        Ended::ToStartAnew => systemd::reloading(),
    }
    // A backup may have minutes to go; what it left is removed at the next start.
    app.backups.cancel();
    app.updates.cancel();
    drop(control);
    // The sockets' threads are joined, which may take a moment.
    let sockets = tokio::task::spawn_blocking(move || radius.stop());
    let doors = async { tokio::join!(sockets, radsec.stop(), panel.stop(), supervisor.stop()).0 };
    match timeout(DOORS_LIMIT, doors).await {
        Ok(joined) => joined.map_err(io::Error::other)?,
        Err(_) => tracing::warn!("what took too long was cut off"),
    }
    if let Some(watchdog) = watchdog {
        watchdog.abort();
    }
    Ok(ended)
}

/// Brings into the tables what the journal and the queues hold, and closes the files, as far as there is time for it.
fn close(app: &Arc<App>, limit: Duration) {
    let (done, ended) = mpsc::sync_channel(1);
    let closing = Arc::clone(app);
    let work = move || {
        if let Err(error) = attempts::write(&closing) {
            tracing::error!(%error, "the last authentication attempts were not written");
        }
        closing.close();
        // Nobody waits any more when it took too long.
        let _ = done.send(());
    };
    if let Err(error) = thread::Builder::new().name("close".to_owned()).spawn(work) {
        tracing::error!(%error, "no thread to close the tables with");
        return;
    }
    // The thread ends with the process, and a commit that is broken off so has not happened.
    if ended.recv_timeout(limit).is_err() {
        tracing::warn!(
            "the tables are not up to date yet; the next start brings in the rest from the journal"
        );
    }
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Reload,
    Stop,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// What a hang-up means: for a person's own daemon, that the terminal is gone.
    on_hangup: Wish,
}

impl Signals {
    fn listen(by_hand: bool) -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            on_hangup: if by_hand { Wish::Stop } else { Wish::Reload },
        })
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.hangup.recv() => self.on_hangup,
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
            open_all(addresses, what, |address| {
                server::spawn(address, port, config.threads, Arc::clone(handler))
            })
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

/// RadSec always listens, also before any NAS uses it: a router that tries is shown with its certificate.
fn listen_radsec(app: &App, handler: &Arc<dyn Handler>) -> Result<Radsec, DaemonError> {
    let certificate = app.certificates.resolver();
    let links = Arc::clone(&app.radsec_links);
    let mut radsec = Radsec::new(Arc::clone(handler), certificate, links, Limits::default())?;
    for listener in open_all(&app.config.radius.radsec_listen, "RadSec", bind)? {
        radsec.listen(listener)?;
    }
    Ok(radsec)
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
            plain: open_all(&web.listen, "the panel", bind)?,
            https: open_all(&web.https_listen, "the panel over HTTPS", bind)?,
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

/// Opens each address of a list. A kernel without IPv6 is no reason not to serve IPv4, where nobody asked for IPv6 in particular.
fn open_all<T>(
    addresses: &[SocketAddr],
    what: &'static str,
    open: impl Fn(SocketAddr) -> io::Result<T>,
) -> Result<Vec<T>, DaemonError> {
    let mut opened = Vec::new();
    for address in addresses {
        match open(*address) {
            Ok(one) => opened.push(one),
            Err(error)
                if config::is_default_list(addresses) && is_without_ipv6(*address, &error) =>
            {
                tracing::warn!(%address, what, "this system has no IPv6, so it is not served there");
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
    Ok(opened)
}

/// Opens a TCP port. IPv6 sockets take IPv6 only, so that both wildcards can stand side by side.
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
    address.is_ipv6() && error.raw_os_error() == no_such_family
}

fn bound(listeners: &[TcpListener]) -> io::Result<Vec<SocketAddr>> {
    listeners.iter().map(TcpListener::local_addr).collect()
}

fn addresses(servers: &[Server]) -> Vec<SocketAddr> {
    servers.iter().map(Server::local_addr).collect()
}

/// Where everything listens: `web=ADDR https=ADDR auth=ADDR acct=ADDR radsec=ADDR`.
fn listening_line(listening: &Listening) -> String {
    let mut words = Vec::new();
    for (word, addresses) in [
        ("web", &listening.web),
        ("https", &listening.https),
        ("auth", &listening.auth),
        ("acct", &listening.acct),
        ("radsec", &listening.radsec),
    ] {
        words.extend(addresses.iter().map(|address| format!("{word}={address}")));
    }
    words.join(" ")
}

/// The line that says that everything listens: `ready web=ADDR auth=ADDR acct=ADDR radsec=ADDR`.
fn say_ready(listening: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "ready {listening}")?;
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
    if !listening.radsec.is_empty() {
        lines.push(format!(
            "  RadSec           TCP {}",
            list(&listening.radsec)
        ));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_ipv6_serves_ipv4_where_nobody_asked_for_more() {
        let open = |number: Errno| {
            move |address: SocketAddr| match address.is_ipv6() {
                true => Err(io::Error::from(number)),
                false => Ok(address),
            }
        };
        let list = |texts: &str| -> Vec<SocketAddr> {
            texts.split(' ').map(|text| text.parse().unwrap()).collect()
        };
        let (no_ipv6, taken) = (Errno::EAFNOSUPPORT, Errno::EADDRINUSE);
        for (texts, number, opened) in [
            ("0.0.0.0:80 [::]:80", no_ipv6, Some("0.0.0.0:80")),
            ("0.0.0.0:1812 [::]:1812", no_ipv6, Some("0.0.0.0:1812")),
            ("0.0.0.0:80 [::]:80", taken, None),
            ("0.0.0.0:81 [::]:81", no_ipv6, None),
            ("[::]:80", no_ipv6, None),
            ("0.0.0.0:80 [::1]:80", no_ipv6, None),
            ("0.0.0.0:81", no_ipv6, Some("0.0.0.0:81")),
        ] {
            let got = open_all(&list(texts), "it", open(number));
            match (got, opened) {
                (Ok(got), Some(opened)) => assert_eq!(got, list(opened), "{texts}"),
                (Err(DaemonError::Listen { address, .. }), None) => {
                    assert!(address.is_ipv6(), "{texts}");
                }
                (got, _) => panic!("{texts}: {:?}", got.map_err(|error| error.to_string())),
            }
        }
        // The IPv4 one is not left out, whatever is wrong with it.
        let none = |_| Err::<SocketAddr, _>(io::Error::from(no_ipv6));
        assert!(open_all(&list("0.0.0.0:80 [::]:80"), "it", none).is_err());
    }
}
