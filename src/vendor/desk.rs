//! The vendor's data folder: its store, its signing key, and what is held in memory while it serves.
//!
//! Invariant: the signing key is made once and never replaced, because every licence that was ever signed hangs on it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::VendorError;
use super::records::{self, Setting, Who};
use super::sign_in::Logins;
use super::tables::KIND;
use super::throttle::Throttle;
use crate::app::Clock;
use crate::crypto::{self, KeyFile};
use crate::domain::time::Timestamp;
use crate::licence::{SigningKey, VendorKey};
use crate::store::{OpenOptions, Store};
use crate::tls::{Configured, Pair, TlsError, files, self_signed};

/// The seed of the signing key: 32 octets, mode 0600.
const SIGNING_KEY: &str = "signing.key";
/// Key and certificate that it makes itself, in one file. Appliances know the certificate by its digest, so it is never made
/// anew, and its end does not matter.
const OWN_CERTIFICATE: &str = "server.pem";
/// Where the files of releases lie.
const RELEASES: &str = "releases";
/// A vendor's machine has little else to do; still, an appliance's cache is enough.
const CACHE_OCTETS: usize = 8 << 20;

/// The vendor, open.
pub struct Desk {
    pub store: Store,
    pub clock: Clock,
    pub(super) signing: SigningKey,
    pub(super) throttle: Throttle,
    pub(super) logins: Logins,
    folder: PathBuf,
}

/// How a vendor begins. No Debug: it holds the password.
pub struct Init {
    /// Of the page.
    pub password: String,
    /// Names and addresses for the certificate that it makes itself.
    pub hosts: Vec<String>,
    /// Days of a licence that a machine asks for itself; 0 gives none.
    pub trial_days: u32,
    pub trial_subscribers: u32,
}

impl Desk {
    /// Makes the folder, the keys, the certificate and the store. Errors: `MadeAlready`.
    pub fn init(folder: &Path, init: &Init, clock: Clock) -> Result<Desk, VendorError> {
        if folder.join(KIND.file_name).exists() || folder.join(SIGNING_KEY).exists() {
            return Err(VendorError::MadeAlready(folder.to_owned()));
        }
        if init.password.chars().count() < 10 {
            return Err(VendorError::field("password", "At least 10 characters"));
        }
        make_folder(folder)?;
        make_folder(&folder.join(RELEASES))?;
        let now = clock.now();
        make_certificate(&folder.join(OWN_CERTIFICATE), &init.hosts, now)?;
        KeyFile::load_or_create(&folder.join(SIGNING_KEY), false)?;
        let desk = Self::open_made(folder, clock)?;
        let hash = crypto::hash_password(&init.password)?;
        let (days, most) = (
            init.trial_days.to_string(),
            init.trial_subscribers.to_string(),
        );
        let key_id = desk.public_key().id();
        let made = desk.store.write("vendor init", move |tx| {
            records::put_setting(tx, Setting::Password, &hash)?;
            records::put_setting(tx, Setting::TrialDays, &days)?;
            records::put_setting(tx, Setting::TrialSubscribers, &most)?;
            let who = Who::command_line();
            records::log(tx, now, &who, "vendor made", None, &format!("key {key_id}"))?;
            Ok::<_, VendorError>(())
        });
        made.wait()?;
        Ok(desk)
    }

    /// Opens what `init` made. Errors: `NotMade`, and those of the store and the keys.
    pub fn open(folder: &Path, clock: Clock) -> Result<Desk, VendorError> {
        if !folder.join(KIND.file_name).exists() {
            return Err(VendorError::NotMade(folder.to_owned()));
        }
        Self::open_made(folder, clock)
    }

    fn open_made(folder: &Path, clock: Clock) -> Result<Desk, VendorError> {
        let seed = KeyFile::load_or_create(&folder.join(SIGNING_KEY), true)?;
        let options = OpenOptions {
            cache_octets: CACHE_OCTETS,
            ..OpenOptions::default()
        };
        Ok(Desk {
            signing: SigningKey::from_seed(&seed)?,
            store: Store::open_kind(folder, options, &KIND)?,
            clock,
            throttle: Throttle::default(),
            logins: Logins::default(),
            folder: folder.to_owned(),
        })
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn public_key(&self) -> VendorKey {
        self.signing.public()
    }

    /// The folder of the files of releases.
    pub fn releases_folder(&self) -> PathBuf {
        self.folder.join(RELEASES)
    }

    /// The certificate that the server shows. Errors: `Certificate`, for files that cannot be used.
    pub fn certificate(&self, files: Option<&Configured>) -> Result<Pair, VendorError> {
        let own = self.folder.join(OWN_CERTIFICATE);
        let files = files.cloned().unwrap_or_else(|| Configured {
            certificate: own.clone(),
            key: own,
        });
        files
            .load()
            .map_err(|source| certificate_fault(&files.certificate, source))
    }

    /// What goes into the configuration of a customer's appliance.
    pub fn key_lines(&self) -> Result<Vec<String>, VendorError> {
        let certificate = self.certificate(None)?;
        Ok(vec![
            format!("# key {}", self.public_key().id()),
            "[licence]".to_owned(),
            "vendor_url = \"https://NAME-OF-THIS-MACHINE\"".to_owned(),
            format!("vendor_key = \"{}\"", self.public_key().to_text()),
            "# only while this machine shows the certificate that it made itself:".to_owned(),
            format!("vendor_pin = \"{}\"", certificate.facts().fingerprint),
        ])
    }
}

/// Leaves one that is there alone.
fn make_certificate(path: &Path, hosts: &[String], now: Timestamp) -> Result<(), VendorError> {
    if path.exists() {
        return Ok(());
    }
    self_signed::make(hosts, now)
        .and_then(|pair| files::write(path, &pair))
        .map_err(|source| certificate_fault(path, source))
}

fn certificate_fault(path: &Path, source: TlsError) -> VendorError {
    VendorError::Certificate {
        path: path.to_owned(),
        source,
    }
}

fn make_folder(folder: &Path) -> Result<(), VendorError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made.map_err(|source| VendorError::File {
        path: folder.to_owned(),
        source,
    })
}
