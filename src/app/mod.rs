//! What the daemon is made of: the store, accounting, and the copies in memory that packets and pages read.
//!
//! Built once, passed by reference. Invariant: the copies here follow every commit before its caller is answered.

mod addresses;
mod auth_log;
mod backup_board;
mod cdn;
mod clock;
mod directory;
mod imports;
mod job_board;
mod licence;
mod live_rates;
mod login_facts;
mod login_ids;
mod nas_table;
mod notices;
mod own_address;
mod promises;
mod pushes;
mod radsec_state;
mod routers;
mod settings;
mod sightings;
mod strangers;
mod update_board;

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};

use addresses::Fresh;
use licence::LicenceCopy;

use crate::config::Config;
use crate::crypto::{CryptoError, Sealer};
use crate::domain::Invalid;
use crate::domain::bandwidth_rule::Rules;
use crate::domain::cdn::CdnProfile;
use crate::domain::id::{NasId, PlanId, SubscriberId};
use crate::domain::plan::Plan;
use crate::domain::time::Timestamp;
use crate::licence::Standing;
use crate::radius::handler::NasPeer;
use crate::radius::radsec::Links;
use crate::search::{self, SearchError};
use crate::store::accounting::{Accounting, AccountingError, Pace};
use crate::store::settings::Setting;
use crate::store::{
    Change, OpenError, OpenOptions, Store, StoreError, View, bandwidth_rules, cdn as cdn_rows,
    outbox, plans,
};
use crate::telemetry::{LogLines, Telemetry, monotonic};
use crate::tls::{Certificates, Configured, Source, TlsError};

pub use addresses::{Addresses, Asked, Counted};
pub use auth_log::{AuthLog, MOST_WAITING};
pub use backup_board::{BackupBoard, BackupProgress, BackupStep, BackupTurn, BackupWish};
pub use cdn::{CdnOutcome, CdnRouters};
pub use clock::Clock;
pub use directory::{Directory, DirectoryEntry};
pub use imports::{Imports, LONGEST_WAIT, WaitingImport};
pub use job_board::{JobBoard, JobEntry, JobStatus};
pub use licence::{Held, ThisMachine};
pub use live_rates::{LiveRates, RateSample};
pub use login_facts::{LoginFacts, LoginFactsCache};
pub use login_ids::LoginIds;
pub use nas_table::{CoaOutcome, CoaReport, NasEntry, NasStats, NasTable};
pub use notices::Notices;
pub use promises::Promises;
pub use pushes::{Pending, Pushes, Wanted};
pub use radsec_state::{RadsecPeer, RadsecState, RadsecTrouble};
pub use routers::{NoApi, Routers};
pub use settings::{ATTEMPT_DAYS, DAY_STARTS, IDLE_HOURS, LONGEST_DAYS, Settings, SignIn};
pub use sightings::{Sighting, Sightings};
pub use strangers::{Stranger, Strangers};
pub use update_board::{UpdateBoard, UpdateProgress, UpdateTurn};

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Accounting(#[from] AccountingError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("a setting in the store is not valid: {0}")]
    Setting(Invalid),
}

/// The folder of the search index in the data folder.
const SEARCH_FOLDER: &str = "search";

/// The copies that follow every commit.
struct Copies {
    settings: ArcSwap<Settings>,
    plans: ArcSwap<HashMap<PlanId, Arc<Plan>>>,
    rules: ArcSwap<Rules>,
    cdn_profiles: ArcSwap<Vec<Arc<CdnProfile>>>,
    cdn_bell: watch::Sender<u64>,
    nas: ArcSwap<NasTable>,
    login_facts: LoginFactsCache,
    directory: Directory,
    addresses: Addresses,
    licence: LicenceCopy,
    sealer: Sealer,
    outbox: watch::Sender<u64>,
}

impl Copies {
    fn read(view: &View, sealer: Sealer, config: &Config) -> Result<Copies, AppError> {
        Ok(Copies {
            settings: ArcSwap::from_pointee(Settings::read(view)?),
            plans: ArcSwap::from_pointee(read_plans(view)?),
            rules: ArcSwap::from_pointee(read_rules(view)?),
            cdn_profiles: ArcSwap::from_pointee(read_cdn_profiles(view)?),
            cdn_bell: watch::Sender::new(0),
            nas: ArcSwap::from_pointee(NasTable::read(view, &sealer, &NasTable::default())?),
            login_facts: LoginFactsCache::new(),
            directory: Directory::new(),
            addresses: Addresses::new(Fresh::read(view)?),
            licence: LicenceCopy::read(view, config.licence.vendor.as_ref())?,
            sealer,
            outbox: watch::Sender::new(0),
        })
    }

    /// Runs on the store's writer thread after each commit, before anybody is answered.
    fn follow(&self, view: &View, changes: &[Change]) {
        let mut plans_changed = false;
        let mut rules_changed = false;
        let mut pools_changed = false;
        let mut cdn_changed = false;
        let mut nas_changed = false;
        let mut settings_changed = false;
        let mut subscribers_changed = HashSet::new();
        for change in changes {
            match change {
                Change::Subscriber(id) => {
                    subscribers_changed.insert(SubscriberId(*id));
                    self.directory.follow(view, SubscriberId(*id));
                    self.addresses.follow_subscriber(view, SubscriberId(*id));
                }
                Change::Plan(_) => plans_changed = true,
                Change::BandwidthRules => rules_changed = true,
                Change::Pools => pools_changed = true,
                Change::Cdn => cdn_changed = true,
                Change::Nas(_) => nas_changed = true,
                Change::Settings => settings_changed = true,
                Change::Licence => self.licence.follow(view),
                Change::Outbox => self.outbox.send_modify(|commits| *commits += 1),
                Change::Operators => {}
            }
        }
        self.login_facts.forget(&subscribers_changed);
        if plans_changed {
            keep(read_plans(view), "plans", |plans| {
                self.plans.store(Arc::new(plans))
            });
        }
        if rules_changed {
            keep(read_rules(view), "bandwidth rules", |rules| {
                self.rules.store(Arc::new(rules))
            });
        }
        if pools_changed {
            keep(Fresh::read(view), "pools", |fresh| {
                self.addresses.follow_pools(fresh)
            });
        }
        if cdn_changed {
            keep(read_cdn_profiles(view), "CDN profiles", |profiles| {
                self.cdn_profiles.store(Arc::new(profiles));
            });
        }
        if cdn_changed || plans_changed {
            self.cdn_bell.send_modify(|commits| *commits += 1);
        }
        if nas_changed {
            let read = NasTable::read(view, &self.sealer, &self.nas.load());
            keep(read, "NAS devices", |table| self.nas.store(Arc::new(table)));
        }
        if settings_changed {
            keep(Settings::read(view), "settings", |settings| {
                self.settings.store(Arc::new(settings))
            });
        }
    }
}

/// Takes a fresh copy over; one that cannot be read leaves the old one in place and is logged.
fn keep<T>(read: Result<T, AppError>, what: &str, take: impl FnOnce(T)) {
    match read {
        Ok(fresh) => take(fresh),
        Err(error) => tracing::error!(%error, what, "a copy in memory is out of date"),
    }
}

fn read_plans(view: &View) -> Result<HashMap<PlanId, Arc<Plan>>, AppError> {
    Ok(plans::all(view)?
        .into_iter()
        .map(|plan| (plan.id, Arc::new(plan)))
        .collect())
}

fn read_rules(view: &View) -> Result<Rules, AppError> {
    Ok(Rules::new(bandwidth_rules::all(view)?))
}

fn read_cdn_profiles(view: &View) -> Result<Vec<Arc<CdnProfile>>, AppError> {
    Ok(cdn_rows::all(view)?.into_iter().map(Arc::new).collect())
}

/// Where the daemon listens; what was configured as port 0 has its real number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    pub web: Vec<SocketAddr>,
    pub https: Vec<SocketAddr>,
    pub auth: Vec<SocketAddr>,
    pub acct: Vec<SocketAddr>,
    /// Empty where RadSec is switched off.
    pub radsec: Vec<SocketAddr>,
}

pub struct App {
    pub config: Config,
    pub clock: Clock,
    pub store: Store,
    pub accounting: Accounting,
    search: ArcSwap<search::Index>,
    /// The index must be made anew: it was deleted, damaged, or replaced by an older one.
    pub search_is_stale: AtomicBool,
    pub telemetry: Telemetry,
    /// The last lines of the log; none where nobody keeps them.
    pub log: Arc<LogLines>,
    /// When this appliance was opened, which is at each start.
    pub started_at: Timestamp,
    pub auth_log: AuthLog,
    pub sightings: Sightings,
    pub strangers: Strangers,
    pub routers: Routers,
    pub jobs: JobBoard,
    pub pushes: Pushes,
    pub live_rates: LiveRates,
    listening: OnceLock<Listening>,
    pub login_ids: LoginIds,
    pub cdn: CdnRouters,
    pub promises: Promises,
    /// The open RadSec connections, for what is sent down them.
    pub radsec_links: Arc<Links>,
    pub backups: BackupBoard,
    pub updates: UpdateBoard,
    /// Lists that somebody looks at.
    pub imports: Imports,
    /// Asks the daemon to stop in good order and to start anew, such as on a restored backup.
    pub restart: Notify,
    pub certificates: Certificates,
    pub notices: Notices,
    pub machine: ThisMachine,
    copies: Arc<Copies>,
}

impl App {
    /// Opens everything in the data folder. Errors say what to do, and change nothing.
    pub fn open(config: Config, clock: Clock, pace: Pace) -> Result<App, AppError> {
        let store = Store::open(&config.data_dir, OpenOptions::default())?;
        let view = store.view()?;
        let copies = Arc::new(Copies::read(&view, store.sealer().clone(), &config)?);
        let auth_log = AuthLog::open(&view)?;
        let last_indexed = outbox::last_indexed(&view)?;
        let certificates = open_certificates(&config, &view, clock.now())?;
        drop(view);
        let hooked = Arc::clone(&copies);
        store.on_commit(move |view, changes| hooked.follow(view, changes));
        let accounting = Accounting::open(&store, copies.settings.load().calendar.clone(), pace)?;
        let opened = search::Index::open(&config.data_dir.join(SEARCH_FOLDER))?;
        if let Some(reason) = &opened.rebuilt {
            tracing::info!(%reason, "the search index is made anew");
        }
        Ok(App {
            telemetry: Telemetry::new(&config.data_dir, monotonic()),
            log: Arc::default(),
            started_at: clock.now(),
            config,
            clock,
            store,
            accounting,
            search_is_stale: AtomicBool::new(
                opened.sequence == 0 || opened.sequence < last_indexed,
            ),
            search: ArcSwap::from_pointee(opened.index),
            auth_log,
            sightings: Sightings::new(),
            strangers: Strangers::new(),
            routers: Routers::default(),
            jobs: JobBoard::default(),
            pushes: Pushes::default(),
            live_rates: LiveRates::default(),
            listening: OnceLock::new(),
            login_ids: LoginIds::new()?,
            cdn: CdnRouters::default(),
            promises: Promises::new(),
            radsec_links: Arc::default(),
            backups: BackupBoard::default(),
            updates: UpdateBoard::default(),
            imports: Imports::default(),
            restart: Notify::new(),
            certificates,
            notices: Notices::default(),
            machine: ThisMachine::default(),
            copies,
        })
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn search(&self) -> Arc<search::Index> {
        self.search.load_full()
    }

    /// Opens the index anew after a fault of its files, and has it made anew from the tables.
    pub fn reopen_search(&self) -> Result<(), SearchError> {
        let opened = search::Index::open(&self.config.data_dir.join(SEARCH_FOLDER))?;
        self.search.store(Arc::new(opened.index));
        self.search_is_stale.store(true, Ordering::Release);
        Ok(())
    }

    pub fn settings(&self) -> Arc<Settings> {
        self.copies.settings.load_full()
    }

    pub fn plan(&self, id: PlanId) -> Option<Arc<Plan>> {
        self.copies.plans.load().get(&id).cloned()
    }

    /// All plans by name.
    pub fn plans(&self) -> Vec<Arc<Plan>> {
        let mut plans: Vec<Arc<Plan>> = self.copies.plans.load().values().cloned().collect();
        plans.sort_by_key(|plan| (plan.name.to_lowercase(), plan.id));
        plans
    }

    /// The bandwidth rules, in the order in which they win.
    pub fn rules(&self) -> Arc<Rules> {
        self.copies.rules.load_full()
    }

    /// All CDN profiles by id.
    pub fn cdn_profiles(&self) -> Arc<Vec<Arc<CdnProfile>>> {
        self.copies.cdn_profiles.load_full()
    }

    /// Changes with every commit of a CDN profile, of a plan that may have one, or of the routers that are kept in step.
    pub fn cdn_bell(&self) -> watch::Receiver<u64> {
        self.copies.cdn_bell.subscribe()
    }

    pub fn nas_table(&self) -> Arc<NasTable> {
        self.copies.nas.load_full()
    }

    /// What the protocol must know of the NAS that a packet comes from.
    pub fn peer(&self, source: IpAddr) -> Option<Arc<NasPeer>> {
        let table = self.copies.nas.load();
        table.find(source).map(|entry| Arc::clone(&entry.peer))
    }

    pub fn nas(&self, id: NasId) -> Option<Arc<NasEntry>> {
        self.copies.nas.load().by_id(id)
    }

    pub fn login_facts(&self) -> &LoginFactsCache {
        &self.copies.login_facts
    }

    pub fn directory(&self) -> &Directory {
        &self.copies.directory
    }

    /// Which addresses of server-side pools are taken.
    pub fn addresses(&self) -> &Addresses {
        &self.copies.addresses
    }

    /// Changes with every commit of follow-up work; nobody who looks between two changes misses one.
    pub fn outbox_bell(&self) -> watch::Receiver<u64> {
        self.copies.outbox.subscribe()
    }

    /// Seconds between interim records of a NAS right now (rules.md section 2).
    pub fn interim_interval(&self, nas: NasId) -> u32 {
        let own = self.nas(nas).and_then(|entry| entry.nas.interim_interval);
        crate::domain::access::interim_interval(own, self.accounting.live().open_count())
    }

    /// Whether the licence holds now, and what follows. RADIUS never asks.
    pub fn licence(&self) -> Standing {
        let hardware = self.machine.hardware();
        self.copies.licence.standing(hardware, self.now())
    }

    /// What is stored of the licence.
    pub fn held_licence(&self) -> Arc<Held> {
        self.copies.licence.held()
    }

    /// Said once by the daemon, when every socket is open.
    pub fn set_listening(&self, listening: Listening) {
        // A second word changes nothing: sockets do not move.
        let _ = self.listening.set(listening);
    }

    /// Where the daemon listens; nothing before it does, and where there is none.
    pub fn bound(&self) -> Option<&Listening> {
        self.listening.get()
    }

    /// Where the daemon listens, or will.
    pub fn listening(&self) -> Listening {
        let configured = || Listening {
            web: self.config.web.listen.clone(),
            https: self.config.web.https_listen.clone(),
            auth: self.config.radius.auth_listen.clone(),
            acct: self.config.radius.acct_listen.clone(),
            radsec: self.config.radius.radsec_listen.clone(),
        };
        self.listening.get().cloned().unwrap_or_else(configured)
    }

    /// The panel's address for a browser, as far as it can be told from here: `https://192.0.2.7`, or `http://` where HTTPS
    /// does not listen. A certificate that browsers trust is best opened by its name.
    pub fn panel_url(&self) -> String {
        let listening = self.listening();
        let (scheme, usual_port, bound) = match listening.https.first() {
            Some(address) => ("https", 443, Some(*address)),
            None => ("http", 80, listening.web.first().copied()),
        };
        let Some(address) = bound else {
            return "http://localhost".to_owned();
        };
        let ip = if address.ip().is_unspecified() {
            own_address::towards_others(address.ip())
        } else {
            address.ip()
        };
        let in_use = self.certificates.in_use();
        let name = in_use.facts.names.first().filter(|name| {
            scheme == "https" && in_use.source != Source::SelfSigned && !name.starts_with("*.")
        });
        let host = match (name, ip) {
            (Some(name), _) => name.clone(),
            (None, IpAddr::V4(ip)) => ip.to_string(),
            (None, IpAddr::V6(ip)) => format!("[{ip}]"),
        };
        match address.port() {
            port if port == usual_port => format!("{scheme}://{host}"),
            port => format!("{scheme}://{host}:{port}"),
        }
    }

    /// Commits what waits and closes the files. Blocks until done.
    pub fn close(&self) {
        self.accounting.close();
        self.store.close();
    }
}

fn open_certificates(
    config: &Config,
    view: &View,
    now: Timestamp,
) -> Result<Certificates, AppError> {
    let chosen = crate::store::settings::get(view, Setting::Certificate)?;
    let configured = config.web.certificate.clone();
    Ok(Certificates::open(
        &config.data_dir,
        chosen.map_or(Source::SelfSigned, |word| Source::parse(&word)),
        configured.map(|(certificate, key)| Configured { certificate, key }),
        now,
    )?)
}
