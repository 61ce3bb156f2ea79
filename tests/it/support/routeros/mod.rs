//! A router that is not there: it speaks the RouterOS API and RADIUS as mikrotik.md describes them.
//!
//! Written from the reference and not from the program: where the two disagree, one of them has misread. RADIUS packets
//! are the program's own types; the API's wire format is not. Nothing here uses other test support, so that the
//! benchmarks can include this folder by its path. Values come from tests, so that a wrong one is a panic.
#![allow(
    dead_code,
    unused_imports,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a stand-in for tests and benchmarks, which fail by panicking and each use a part of it"
)]

mod coa;
mod commands;
mod connection;
mod exchange;
mod faults;
mod grant;
mod live;
mod login;
mod menus;
mod monitors;
mod nas;
mod options;
mod query;
mod rate;
mod record;
mod session;
mod setup;
mod state;
mod table;
mod tls;
mod wire;

pub use exchange::Server;
pub use faults::{ApiFault, CoaFault, Faults, Switches};
pub use nas::{Dial, Dialed, cause};
pub use options::{Options, Radius, User};
pub use rate::{Pair, Rate};
pub use record::{Answer, Received, Totals};
pub use session::{Counters, Grant, Session, SessionKey};
pub use state::{Change, State};
pub use tls::Certificate;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

/// What the threads of one router share.
pub(crate) struct Shared {
    options: Options,
    state: Mutex<State>,
    changed: Condvar,
    faults: Switches,
    certificate: Mutex<Certificate>,
    /// Sent to end all open connections of the API.
    dropped: watch::Sender<u64>,
}

impl Shared {
    /// A test that failed while it looked must not hide behind a poisoned lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    fn certificate(&self) -> Certificate {
        let certificate = self.certificate.lock();
        certificate.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends the Stop of a session that is gone, without making the caller wait.
    fn stop_later(self: &Arc<Self>, session: Session, counters: Counters, cause: u32) {
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || nas::stop(&shared, &session, counters, cause));
    }
}

/// A running router. Dropping it closes its ports.
pub struct Router {
    shared: Arc<Shared>,
    api: SocketAddr,
    api_tls: SocketAddr,
    coa: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Router {
    /// Starts a router with three free ports on its address: API, API over TLS, and CoA.
    pub fn start(options: Options) -> Router {
        let api = TcpListener::bind((options.address, 0)).expect("a port for the API");
        let api_tls = TcpListener::bind((options.address, 0)).expect("a port for api-ssl");
        let coa = UdpSocket::bind((options.address, 0)).expect("a port for CoA");
        let ports = [
            api.local_addr().expect("bound"),
            api_tls.local_addr().expect("bound"),
            coa.local_addr().expect("bound"),
        ];
        let mut state = State::new(&options);
        setup::fill(&mut state, &options, ports);
        let certificate = Certificate::new(&options.identity, state.version);
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            faults: Switches::new(),
            certificate: Mutex::new(certificate),
            dropped: watch::Sender::new(0),
            options,
        });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve(serving, api, api_tls, coa, stopped));
        Router {
            shared,
            api: ports[0],
            api_tls: ports[1],
            coa: ports[2],
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn address(&self) -> Ipv4Addr {
        self.shared.options.address
    }

    pub fn api_addr(&self) -> SocketAddr {
        self.api
    }

    pub fn api_tls_addr(&self) -> SocketAddr {
        self.api_tls
    }

    pub fn coa_addr(&self) -> SocketAddr {
        self.coa
    }

    pub fn coa_port(&self) -> u16 {
        self.coa.port()
    }

    /// SHA-256 of the certificate that `api-ssl` shows, and the certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.shared.certificate().fingerprint
    }

    pub fn fingerprint_hex(&self) -> String {
        self.shared.certificate().fingerprint_hex()
    }

    pub fn certificate_pem(&self) -> String {
        self.shared.certificate().pem
    }

    /// From the next connection on, `api-ssl` shows another certificate.
    pub fn replace_certificate(&self) {
        let version = self.read(|state| state.version);
        let fresh = Certificate::new(&self.shared.options.identity, version);
        *self.shared.certificate.lock().expect("no holder panics") = fresh;
    }

    /// Ends all connections of the API.
    pub fn drop_connections(&self) {
        self.shared.dropped.send_modify(|count| *count += 1);
    }

    pub fn faults(&self) -> &Switches {
        &self.shared.faults
    }

    /// Looks at everything the router knows.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        self.shared.read(read)
    }

    /// Changes what the router knows behind everybody's back.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.shared.change(change)
    }

    /// Waits until `look` finds something, and returns it; `None` when the time is over before that.
    pub fn wait_for<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&State) -> Option<T>,
    ) -> Option<T> {
        let mut found = None;
        let waiting = |state: &mut State| {
            found = look(state);
            found.is_none()
        };
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), limit, waiting);
        drop(waited);
        found
    }

    /// Waits until `is_true`; `false` when the time is over before that.
    pub fn wait_until(&self, limit: Duration, is_true: impl Fn(&State) -> bool) -> bool {
        self.wait_for(limit, |state| is_true(state).then_some(()))
            .is_some()
    }

    /// The rows of a table as `print` would show them.
    pub fn rows(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        self.read(|state| state.rows(path))
    }

    /// Adds a row as an operator would at the console. Returns its id.
    pub fn add(&self, path: &str, values: &[(&str, &str)]) -> String {
        let values: Vec<(String, String)> = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.change(|state| {
            let (now, version) = (state.now(), state.version);
            let table = state.table(path);
            let place = table.add(&values, None, now, version);
            let place = place.unwrap_or_else(|trap| panic!("{path}: {}", trap.message));
            let (path, name) = (table.menu.path, table.rows[place].name());
            state.tell(path, place);
            name
        })
    }

    /// Puts a row into any table, also into one that only the router itself fills, such as `/ip/hotspot/active`.
    pub fn insert(&self, path: &str, values: &[(&str, &str)]) -> String {
        self.change(|state| {
            let table = state.table(path);
            let place = table.insert(values);
            let (path, name) = (table.menu.path, table.rows[place].name());
            state.tell(path, place);
            name
        })
    }

    /// Points the router at a RADIUS server, for example one that has new ports after a restart.
    pub fn use_radius(&self, radius: &Radius) {
        let options = &self.shared.options;
        self.change(|state| setup::radius(state, options, radius));
    }

    /// A subscriber calls. Waits for the server's answer, and for that to the Start.
    pub fn dial(&self, user: &str, password: &str, mac: &str) -> Dialed {
        let method = self.shared.options.method;
        let call = Dial {
            user,
            password,
            mac,
            method,
        };
        self.dial_all(&[call]).remove(0)
    }

    /// Many subscribers call at once. The answers are in their order.
    pub fn dial_all(&self, calls: &[Dial<'_>]) -> Vec<Dialed> {
        nas::dial_all(&self.shared, calls)
    }

    /// Octets that pass at once, as the subscriber sees them.
    pub fn pass(&self, user: &str, upload: u64, download: u64) {
        self.with_session(user, |session, _| session.pass(upload, download));
    }

    /// Traffic from now on, in bits a second.
    pub fn flow(&self, user: &str, upload: u64, download: u64) {
        let flow = Pair { upload, download };
        self.with_session(user, |session, now| session.set_flow(flow, now));
    }

    /// Lets time pass for the router alone: sessions grow older, and so does what has a timeout.
    pub fn advance(&self, seconds: u64) {
        self.change(|state| state.advance(seconds));
    }

    /// Sends an interim record of a user's newest session. `false` when it was not acknowledged.
    pub fn interim(&self, user: &str) -> bool {
        nas::interims(&self.shared, Some(user)) > 0
    }

    /// Sends one of every session. Returns how many records were acknowledged.
    pub fn interim_all(&self) -> usize {
        nas::interims(&self.shared, None)
    }

    /// Sends an earlier interim record again, as a new packet that comes late: `back` counts from the last one.
    pub fn resend_interim(&self, user: &str, back: usize, delay_seconds: u32) -> bool {
        nas::resend_interim(&self.shared, user, back, delay_seconds)
    }

    /// Ends a user's newest session, with one of [`cause`]. `false` when the Stop was not acknowledged.
    pub fn hang_up(&self, user: &str, cause: u32) -> bool {
        let key = self.read(|state| state.key_of(user));
        nas::hang_up(&self.shared, key.expect("an open session"), cause)
    }

    /// Ends the sessions whose Session-Timeout or limit of octets is reached, as routers do by themselves. Returns how
    /// many there were.
    pub fn end_used_up(&self) -> usize {
        nas::end_used_up(&self.shared)
    }

    /// A power cut: every session and connection is gone, and nobody is told.
    pub fn reboot(&self) {
        self.change(State::reboot);
        self.drop_connections();
    }

    pub fn session(&self, user: &str) -> Option<Session> {
        self.read(|state| state.session(user).cloned())
    }

    pub fn online(&self) -> usize {
        self.read(|state| state.sessions.len())
    }

    /// The rate a user's newest session has now. `None` without a session or without a rate.
    pub fn rate_of(&self, user: &str) -> Option<Pair> {
        self.read(|state| state.session(user)?.rate())
    }

    /// Waits until a user's newest session has that rate, in bits a second.
    pub fn wait_for_rate(&self, user: &str, upload: u64, download: u64, limit: Duration) -> bool {
        let wanted = Some(Pair { upload, download });
        self.wait_until(limit, |state| {
            state.session(user).and_then(Session::rate) == wanted
        })
    }

    /// How often the API was asked for a command such as `/ppp/active/print`, among the commands that are remembered.
    pub fn asked(&self, command: &str) -> usize {
        let is_it = |words: &&Vec<String>| words.first().is_some_and(|word| word == command);
        self.read(|state| state.commands.iter().filter(is_it).count())
    }

    pub fn totals(&self) -> Totals {
        self.read(|state| state.totals)
    }

    fn with_session(&self, user: &str, change: impl FnOnce(&mut Session, u64)) {
        self.change(|state| {
            let now = state.now();
            let key = state.key_of(user).expect("an open session");
            change(state.sessions.get_mut(&key).expect("found"), now);
        });
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the router's thread has been printed already, and a second one here would abort the test.
            let _panicked = thread.join();
        }
    }
}

/// One thread, so that commands begin in the order in which they arrive.
fn serve(
    shared: Arc<Shared>,
    api: TcpListener,
    api_tls: TcpListener,
    coa: UdpSocket,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (api, api_tls) = (connection::adopt(api), connection::adopt(api_tls));
        coa.set_nonblocking(true).expect("a socket to be polled");
        let coa = tokio::net::UdpSocket::from_std(coa).expect("inside the runtime");
        tokio::spawn(connection::serve(Arc::clone(&shared), api, false));
        tokio::spawn(connection::serve(Arc::clone(&shared), api_tls, true));
        tokio::spawn(coa::serve(Arc::clone(&shared), coa));
        // The other end is dropped, not used.
        let _dropped = stopped.await;
    });
    // A Stop that still waits for its server must not keep the test waiting.
    runtime.shutdown_background();
}
