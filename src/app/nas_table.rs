//! The NAS devices in memory: found by source address, with what was seen of each.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::AppError;
use super::radsec_state::RadsecState;
use crate::crypto::Sealer;
use crate::domain::id::NasId;
use crate::domain::nas::{MessageAuthenticator, Nas};
use crate::domain::radsec::RadsecTrust;
use crate::domain::time::{SECOND, Timestamp};
use crate::radius::handler::{MaPolicy, NasPeer};
use crate::radius::radsec::{self, Authority, AuthorityError, ClientCertificate};
use crate::radius::secret::SharedSecret;
use crate::store::View;
use crate::store::nas::{self, StoredNas, secret_context};

#[derive(Debug)]
pub struct NasEntry {
    pub nas: Nas,
    pub peer: Arc<NasPeer>,
    radsec: Option<RadsecEntry>,
    pub stats: Arc<NasStats>,
}

/// How a NAS is known and spoken to over RadSec.
#[derive(Debug)]
struct RadsecEntry {
    peer: Arc<NasPeer>,
    trust: Trust,
}

#[derive(Debug)]
enum Trust {
    Pinned([u8; 32]),
    Authority { authority: Authority, name: String },
}

/// What was seen of a NAS since the start.
#[derive(Debug, Default)]
pub struct NasStats {
    /// Milliseconds; 0 is never.
    last_auth: AtomicI64,
    last_acct: AtomicI64,
    last_garbled: AtomicI64,
    last_wrong_digest: AtomicI64,
    last_missing_authenticator: AtomicI64,
    /// When its first Message-Authenticator was last acted on.
    last_pin: AtomicI64,
    pub accepts: AtomicU64,
    pub rejects: AtomicU64,
    pub accounting: AtomicU64,
    pub dropped: AtomicU64,
    pub duplicates: AtomicU64,
    coa: Mutex<VecDeque<CoaReport>>,
    pub radsec: RadsecState,
}

/// How one CoA or Disconnect ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoaReport {
    pub at: Timestamp,
    pub is_disconnect: bool,
    pub username: String,
    pub outcome: CoaOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoaOutcome {
    Confirmed,
    /// NAK with its Error-Cause.
    Refused(Option<u32>),
    NoAnswer,
    /// It could not be sent.
    Failed(String),
}

/// A pin that is not in force after so many milliseconds was lost.
const PIN_AGAIN: u64 = 10_000;
/// CoA outcomes kept per NAS.
const MOST_REPORTS: usize = 50;

impl NasStats {
    pub fn saw_auth(&self, now: Timestamp) {
        self.last_auth.store(now.0, Ordering::Relaxed);
    }

    pub fn saw_acct(&self, now: Timestamp) {
        self.last_acct.store(now.0, Ordering::Relaxed);
        self.accounting.fetch_add(1, Ordering::Relaxed);
    }

    /// A PAP password came out as garbage.
    pub fn saw_garbled(&self, now: Timestamp) {
        self.last_garbled.store(now.0, Ordering::Relaxed);
    }

    /// An authenticator did not verify.
    pub fn saw_wrong_digest(&self, now: Timestamp) {
        self.last_wrong_digest.store(now.0, Ordering::Relaxed);
    }

    pub fn saw_missing_authenticator(&self, now: Timestamp) {
        self.last_missing_authenticator
            .store(now.0, Ordering::Relaxed);
    }

    /// Notes a first Message-Authenticator. True now and then: packets keep coming until the pin is in force, and each
    /// would ask for the same write.
    pub fn saw_first_authenticator(&self, now: Timestamp) -> bool {
        let last = self.last_pin.load(Ordering::Relaxed);
        let is_due = now.0.abs_diff(last) >= PIN_AGAIN;
        is_due && self.last_pin.swap(now.0, Ordering::Relaxed) == last
    }

    pub fn last_auth(&self) -> Option<Timestamp> {
        read(&self.last_auth)
    }

    pub fn last_acct(&self) -> Option<Timestamp> {
        read(&self.last_acct)
    }

    pub fn last_seen(&self) -> Option<Timestamp> {
        self.last_auth().max(self.last_acct())
    }

    /// When the router last looked as if it had another secret.
    pub fn last_wrong_secret(&self) -> Option<Timestamp> {
        read(&self.last_garbled).max(read(&self.last_wrong_digest))
    }

    pub fn last_missing_authenticator(&self) -> Option<Timestamp> {
        read(&self.last_missing_authenticator)
    }

    pub fn report_coa(&self, report: CoaReport) {
        let mut reports = self.coa.lock().unwrap_or_else(PoisonError::into_inner);
        reports.push_front(report);
        reports.truncate(MOST_REPORTS);
    }

    /// Newest first.
    pub fn coa_reports(&self) -> Vec<CoaReport> {
        self.coa
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }
}

fn read(at: &AtomicI64) -> Option<Timestamp> {
    match at.load(Ordering::Relaxed) {
        0 => None,
        at => Some(Timestamp(at)),
    }
}

/// All NAS devices as of one commit.
#[derive(Debug, Default)]
pub struct NasTable {
    by_id: HashMap<NasId, Arc<NasEntry>>,
    by_host: HashMap<IpAddr, Arc<NasEntry>>,
    by_certificate: HashMap<[u8; 32], Arc<NasEntry>>,
    /// Those that an authority vouches for.
    by_authority: Vec<Arc<NasEntry>>,
    /// Longest prefix first.
    networks: Vec<Arc<NasEntry>>,
}

impl NasTable {
    /// Reads the table; what was seen of a NAS is taken over from `before`.
    pub(super) fn read(
        view: &View,
        sealer: &Sealer,
        before: &NasTable,
    ) -> Result<NasTable, AppError> {
        let mut table = NasTable::default();
        for stored in nas::all(view)? {
            let stats = before
                .by_id(stored.nas.id)
                .map_or_else(Arc::default, |entry| Arc::clone(&entry.stats));
            match peer(&stored, sealer) {
                Ok(peer) => table.add(Arc::new(NasEntry {
                    radsec: radsec_entry(&stored.nas),
                    nas: stored.nas,
                    peer: Arc::new(peer),
                    stats,
                })),
                // One damaged row must not take the others down.
                Err(error) => {
                    tracing::error!(%error, nas = stored.nas.id.0, "a NAS cannot be used")
                }
            }
        }
        table
            .networks
            .sort_by_key(|entry| std::cmp::Reverse(entry.nas.network.prefix()));
        Ok(table)
    }

    fn add(&mut self, entry: Arc<NasEntry>) {
        self.by_id.insert(entry.nas.id, Arc::clone(&entry));
        match entry.radsec.as_ref().map(|radsec| &radsec.trust) {
            Some(Trust::Pinned(pin)) => {
                self.by_certificate.insert(*pin, Arc::clone(&entry));
            }
            Some(Trust::Authority { .. }) => self.by_authority.push(Arc::clone(&entry)),
            None => {}
        }
        match entry.nas.network.single() {
            Some(host) => {
                self.by_host.insert(host, entry);
            }
            None => self.networks.push(entry),
        }
    }

    /// The NAS a packet comes from: longest prefix first.
    pub fn find(&self, source: IpAddr) -> Option<&Arc<NasEntry>> {
        let source = source.to_canonical();
        self.by_host.get(&source).or_else(|| {
            self.networks
                .iter()
                .find(|entry| entry.nas.network.contains(source))
        })
    }

    /// The NAS that a certificate belongs to: by its fingerprint, else by name and authority. `Err` holds those that it names
    /// and why its authority does not stand behind it.
    pub fn find_certificate(
        &self,
        certificate: &ClientCertificate,
        now: Timestamp,
    ) -> Result<Arc<NasPeer>, Vec<(Arc<NasEntry>, AuthorityError)>> {
        if let Some(radsec) = self
            .by_certificate
            .get(certificate.fingerprint())
            .and_then(|entry| entry.radsec.as_ref())
        {
            return Ok(Arc::clone(&radsec.peer));
        }
        let unix_seconds = u64::try_from(now.0 / SECOND).unwrap_or(0);
        let mut refusals = Vec::new();
        for entry in &self.by_authority {
            let Some(RadsecEntry {
                peer,
                trust: Trust::Authority { authority, name },
            }) = &entry.radsec
            else {
                continue;
            };
            // The name is cheap to compare, the signature is not to verify.
            if !certificate.has_name(name) {
                continue;
            }
            match authority.check(certificate, unix_seconds) {
                Ok(()) => return Ok(Arc::clone(peer)),
                Err(error) => refusals.push((Arc::clone(entry), error)),
            }
        }
        Err(refusals)
    }

    pub fn by_id(&self, id: NasId) -> Option<Arc<NasEntry>> {
        self.by_id.get(&id).cloned()
    }

    /// All by name.
    pub fn all(&self) -> Vec<Arc<NasEntry>> {
        let mut all: Vec<Arc<NasEntry>> = self.by_id.values().cloned().collect();
        all.sort_by_key(|entry| (entry.nas.name.to_lowercase(), entry.nas.id));
        all
    }
}

fn peer(stored: &StoredNas, sealer: &Sealer) -> Result<NasPeer, AppError> {
    let nas = &stored.nas;
    let secret = sealer.unseal(secret_context(nas.id).as_bytes(), &stored.sealed_secret)?;
    let secret = SharedSecret::new(secret.expose())
        .map_err(|error| AppError::Setting(crate::domain::Invalid::new(error.to_string())))?;
    Ok(NasPeer {
        nas: nas.id.0,
        secret,
        message_authenticator: match nas.message_authenticator {
            MessageAuthenticator::Auto { pinned: false } => MaPolicy::Auto,
            MessageAuthenticator::Auto { pinned: true } | MessageAuthenticator::Required => {
                MaPolicy::Yes
            }
            MessageAuthenticator::Optional => MaPolicy::No,
        },
        limit_proxy_state: nas.limit_proxy_state,
        send_message_authenticator: nas.send_message_authenticator,
    })
}

/// Inside TLS the certificate protects what Message-Authenticator does elsewhere (radius.md section 13).
fn radsec_entry(nas: &Nas) -> Option<RadsecEntry> {
    let trust = match nas.radsec.as_ref()? {
        RadsecTrust::Pinned(pin) => Trust::Pinned(*pin),
        RadsecTrust::Authority { pem, name } => {
            let authority = Authority::parse(pem).inspect_err(
                |error| tracing::error!(%error, nas = nas.id.0, "a NAS cannot use RadSec"),
            );
            Trust::Authority {
                authority: authority.ok()?,
                name: name.clone(),
            }
        }
    };
    let peer = NasPeer {
        nas: nas.id.0,
        secret: SharedSecret::new(radsec::SECRET).ok()?,
        message_authenticator: MaPolicy::No,
        limit_proxy_state: false,
        send_message_authenticator: nas.send_message_authenticator,
    };
    Some(RadsecEntry {
        peer: Arc::new(peer),
        trust,
    })
}
