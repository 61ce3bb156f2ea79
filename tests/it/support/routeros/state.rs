//! Everything the router knows: its tables, its sessions, and what has been asked of it.
//!
//! Invariant: the rows of a session (active list, interface, queue, pool, address lists) come and go with it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::Ipv4Addr;

use tokio::sync::broadcast;
use tokio::time::Instant;

use super::menus::{MENUS, Menu};
use super::rate::Rate;
use super::record::{Received, Totals};
use super::session::{Session, SessionKey};
use super::table::{Row, Table};
use super::{Options, User, wire};

/// Changes that a slow `listen` may be behind before it loses some, as a router's may.
const CHANGES_WAITING: usize = 1024;
/// Requests and commands remembered; the totals go on counting.
pub const RECORD_MAX: usize = 20_000;

/// What a `listen` on a table is told.
#[derive(Debug, Clone)]
pub struct Change {
    pub path: &'static str,
    /// All columns of the row as it is now, or its id alone when it is gone.
    pub columns: Vec<(String, String)>,
}

pub struct State {
    pub tables: BTreeMap<&'static str, Table>,
    pub sessions: BTreeMap<SessionKey, Session>,
    pub users: Vec<User>,
    /// Sentences the API was sent, without the passwords of logins.
    pub commands: VecDeque<Vec<String>>,
    /// CoA and Disconnect requests, newest last.
    pub received: VecDeque<Received>,
    pub totals: Totals,
    pub version: (u32, u32),
    pub(super) version_text: &'static str,
    pub(super) changes: broadcast::Sender<Change>,
    started: Instant,
    shift: u64,
    booted: u64,
    boots: u32,
    next_key: SessionKey,
    /// Counts the sessions since the boot.
    next_number: u32,
    cursors: HashMap<String, u32>,
}

impl State {
    pub fn new(options: &Options) -> State {
        let mut numbers = options.version.split('.').map(|part| part.parse::<u32>());
        let mut number = || numbers.next().and_then(Result::ok).unwrap_or(0);
        let version = (number(), number());
        let tables = MENUS
            .iter()
            .filter(|menu| menu.since <= version)
            .map(|menu| (menu.path, Table::new(menu)))
            .collect();
        State {
            tables,
            sessions: BTreeMap::new(),
            users: options.users.clone(),
            commands: VecDeque::new(),
            received: VecDeque::new(),
            totals: Totals::default(),
            version,
            version_text: options.version,
            changes: broadcast::Sender::new(CHANGES_WAITING),
            started: Instant::now(),
            shift: 0,
            booted: 0,
            boots: 1,
            next_key: 1,
            next_number: 1,
            cursors: HashMap::new(),
        }
    }

    /// Milliseconds on the router's clock.
    pub fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX) + self.shift
    }

    /// Lets time pass for the router alone.
    pub fn advance(&mut self, seconds: u64) {
        self.shift += seconds * 1000;
    }

    pub fn uptime_seconds(&self) -> u64 {
        (self.now() - self.booted) / 1000
    }

    pub fn menu(&self, path: &str) -> Option<&'static Menu> {
        Menu::find(path, self.version)
    }

    pub fn table(&mut self, path: &str) -> &mut Table {
        self.tables.get_mut(path).expect("a menu of menus.rs")
    }

    /// The rows of a table with the columns that live with time.
    pub fn rows(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        let table = self.tables.get(path).expect("a menu of menus.rs");
        let rows = table.rows.iter();
        rows.map(|row| self.view(table.menu, row).into_iter().collect())
            .collect()
    }

    /// One setting of a menu without ids.
    pub fn setting(&self, path: &str, column: &str) -> Option<&str> {
        self.tables.get(path)?.rows.first()?.get(column)
    }

    /// All columns of a row as `print` shows them.
    pub fn view(&self, menu: &Menu, row: &Row) -> Vec<(String, String)> {
        let mut view = Vec::new();
        if !menu.settings {
            view.push((".id".to_owned(), row.name()));
        }
        view.extend(
            row.columns()
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        super::live::columns(self, menu.path, row, &mut |name, value| {
            view.push((name.to_owned(), value));
        });
        view
    }

    /// The newest session of a user.
    pub fn key_of(&self, user: &str) -> Option<SessionKey> {
        let mut newest = self.sessions.iter().rev();
        newest
            .find(|(_, session)| session.user == user)
            .map(|(key, _)| *key)
    }

    pub fn session(&self, user: &str) -> Option<&Session> {
        self.sessions.get(&self.key_of(user)?)
    }

    /// The next Acct-Session-Id: 81 for PPP, a digit of the boot, five digits of the session (mikrotik.md a2).
    pub fn next_id(&mut self) -> (SessionKey, String) {
        let (key, number) = (self.next_key, self.next_number);
        self.next_key += 1;
        self.next_number += 1;
        let id = format!("81{:x}{:05x}", self.boots % 16, number % 0x10_0000);
        (key, id)
    }

    /// Brings a session up: its address, and its rows in every table.
    /// Errors: why PPP fails in spite of the Access-Accept.
    pub fn open(&mut self, key: SessionKey, mut session: Session) -> Result<(), String> {
        let name = session.grant.profile.as_deref().unwrap_or("default");
        let profile = self.tables["/ppp/profile"]
            .rows
            .iter()
            .find(|row| row.get("name") == Some(name));
        let profile = profile.ok_or_else(|| format!("no profile {name}"))?.clone();
        let local = profile.get("remote-address").map(str::to_owned);
        let pool = session.grant.pool.clone().or(local);
        let fixed = session.grant.address.filter(|address| !is_any(*address));
        session.address = match (fixed, &pool) {
            (Some(address), _) => address,
            (None, Some(pool)) => self.take(pool, &session.user, key)?,
            (None, None) => return Err("no address and no pool".to_owned()),
        };
        if session.grant.rate.is_none() {
            let text = profile.get("rate-limit").unwrap_or_default().to_owned();
            session.grant.rate = Rate::parse(&text).map(|rate| (rate, text));
        }
        let lists = profile.get("address-list").map(str::to_owned);
        session.grant.address_lists.extend(lists);
        let user = wire::text(session.user.as_bytes());
        session.interface = self.free_interface(&user);
        self.add_rows(key, &user, &session);
        self.sessions.insert(key, session);
        self.set_queue(key);
        Ok(())
    }

    fn add_rows(&mut self, key: SessionKey, user: &str, session: &Session) {
        let address = session.address.to_string();
        let id = format!("0x{}", session.id.to_uppercase());
        let radius = if session.radius { "true" } else { "false" };
        let (upload, download) = (
            session.grant.upload_limit.to_string(),
            session.grant.download_limit.to_string(),
        );
        self.own(
            key,
            "/ppp/active",
            &[
                ("name", user),
                ("service", "pppoe"),
                ("caller-id", &session.mac),
                ("address", &address),
                ("encoding", ""),
                ("session-id", &id),
                ("limit-bytes-in", &upload),
                ("limit-bytes-out", &download),
                ("radius", radius),
            ],
        );
        self.own(
            key,
            "/interface",
            &[
                ("name", &session.interface),
                ("type", "pppoe-in"),
                ("dynamic", "true"),
                ("running", "true"),
                ("disabled", "false"),
            ],
        );
        self.own(
            key,
            "/interface/pppoe-server",
            &[
                ("name", &session.interface),
                ("user", user),
                ("service", super::nas::SERVICE),
                ("remote-address", &session.mac),
                ("interface", super::nas::ACCESS_PORT),
                ("dynamic", "true"),
                ("running", "true"),
            ],
        );
        if let Some(prefix) = session.grant.delegated_prefix {
            let row = [
                ("address", prefix.to_string()),
                ("server", session.interface.clone()),
                ("status", "bound".to_owned()),
                ("dynamic", "true".to_owned()),
            ];
            let row = row.each_ref().map(|(name, value)| (*name, value.as_str()));
            self.own(key, "/ipv6/dhcp-server/binding", &row);
        }
        for list in &session.grant.address_lists {
            let row = [
                ("list", list.as_str()),
                ("address", &address),
                ("dynamic", "true"),
                ("disabled", "false"),
            ];
            self.own(key, "/ip/firewall/address-list", &row);
        }
    }

    /// Adds a row that belongs to a session.
    fn own(&mut self, key: SessionKey, path: &'static str, values: &[(&str, &str)]) {
        let table = self.table(path);
        let place = table.insert(values);
        table.rows[place].session = Some(key);
        self.tell(path, place);
    }

    /// Makes, changes or takes away the dynamic queue of a session, as its rate says.
    pub fn set_queue(&mut self, key: SessionKey) {
        const PATH: &str = "/queue/simple";
        let session = self.sessions.get(&key).expect("an open session");
        let interface = session.interface.clone();
        let Some((rate, _)) = session.grant.rate.clone() else {
            return;
        };
        let place = self.tables[PATH]
            .rows
            .iter()
            .position(|row| row.session == Some(key));
        let place = place.unwrap_or_else(|| {
            // Dynamic queues come before those that people made (insert-queue-before=first).
            let table = self.table(PATH);
            let made = [
                ("name", interface.as_str()),
                ("target", &interface),
                ("parent", "none"),
                ("dynamic", "true"),
                ("disabled", "false"),
            ];
            let last = table.insert(&made);
            let mut row = table.rows.remove(last);
            row.session = Some(key);
            table.rows.insert(0, row);
            0
        });
        for (column, value) in rate.columns() {
            self.table(PATH).rows[place].put(column, value);
        }
        self.tell(PATH, place);
    }

    /// Takes a session down, with its rows. `None` when there is none.
    pub fn close(&mut self, key: SessionKey) -> Option<Session> {
        let session = self.sessions.remove(&key)?;
        for table in self.tables.values_mut() {
            for row in table.rows.extract_if(.., |row| row.session == Some(key)) {
                let _nobody_listens = self.changes.send(gone(table.menu.path, &row));
            }
        }
        Some(session)
    }

    /// A power cut: sessions and timed rows vanish without a word.
    pub fn reboot(&mut self) {
        self.sessions.clear();
        for table in self.tables.values_mut() {
            table
                .rows
                .retain(|row| row.session.is_none() && row.expires.is_none());
        }
        self.cursors.clear();
        self.boots += 1;
        self.next_number = 1;
        self.booted = self.now();
    }

    /// Drops rows whose timeout has passed.
    pub fn expire(&mut self) {
        let now = self.now();
        for table in self.tables.values_mut() {
            let over = |row: &mut Row| row.expires.is_some_and(|at| at <= now);
            for row in table.rows.extract_if(.., over) {
                let _nobody_listens = self.changes.send(gone(table.menu.path, &row));
            }
        }
    }

    /// Tells `listen` about a new or changed row.
    pub fn tell(&self, path: &'static str, place: usize) {
        if self.changes.receiver_count() == 0 {
            return;
        }
        let table = &self.tables[path];
        let columns = self.view(table.menu, &table.rows[place]);
        let _nobody_listens = self.changes.send(Change { path, columns });
    }

    /// Removes one row of a table, as an operator does.
    pub fn remove_row(&mut self, path: &'static str, place: usize) {
        let row = self.table(path).rows.remove(place);
        let _nobody_listens = self.changes.send(gone(path, &row));
    }

    fn free_interface(&self, user: &str) -> String {
        let taken: HashSet<&str> = self
            .sessions
            .values()
            .map(|session| session.interface.as_str())
            .collect();
        let mut name = format!("<pppoe-{user}>");
        let mut number = 0;
        while taken.contains(name.as_str()) {
            number += 1;
            name = format!("<pppoe-{user}-{number}>");
        }
        name
    }

    /// An address of a pool that no session has.
    fn take(&mut self, pool: &str, user: &str, key: SessionKey) -> Result<Ipv4Addr, String> {
        let row = self.tables["/ip/pool"]
            .rows
            .iter()
            .find(|row| row.get("name") == Some(pool));
        let ranges = row.and_then(|row| row.get("ranges"));
        let ranges = ranges.ok_or_else(|| format!("no pool {pool}"))?;
        let all: Vec<(u32, u32)> = ranges.split(',').filter_map(range).collect();
        let used: HashSet<Ipv4Addr> = self.sessions.values().map(|other| other.address).collect();
        let size: u32 = all.iter().map(|(first, last)| last - first + 1).sum();
        let cursor = self.cursors.entry(pool.to_owned()).or_default();
        for _ in 0..size {
            let mut place = *cursor % size;
            *cursor = (*cursor + 1) % size;
            for (first, last) in &all {
                let length = last - first + 1;
                if place >= length {
                    place -= length;
                    continue;
                }
                let address = Ipv4Addr::from_bits(first + place);
                if !used.contains(&address) {
                    let text = address.to_string();
                    let values = [
                        ("pool", pool),
                        ("address", &text),
                        ("owner", "PPPoE"),
                        ("info", user),
                    ];
                    self.own(key, "/ip/pool/used", &values);
                    return Ok(address);
                }
                break;
            }
        }
        Err(format!("pool {pool} is empty"))
    }
}

fn gone(path: &'static str, row: &Row) -> Change {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    Change {
        path,
        columns: vec![pair(".id", row.name()), pair(".dead", "yes".to_owned())],
    }
}

/// Values that mean "take one of the pool" (mikrotik.md a3).
fn is_any(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.octets()[0] >= 224
}

fn range(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.trim().split_once('-').unwrap_or((text, text));
    let first = first.parse::<Ipv4Addr>().ok()?.to_bits();
    let last = last.parse::<Ipv4Addr>().ok()?.to_bits();
    (first <= last).then_some((first, last))
}
