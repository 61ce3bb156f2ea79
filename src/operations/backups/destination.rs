//! The other machine that backups are sent to: where it is, by what it is known, and whether it takes a file.
//!
//! One sealed row, since an address and a user name beside a password are half a sign-in. Invariant: a password is kept only
//! for the server and the user that it was typed for, so that a form that names another server never gives it away.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::app::{App, BackupStep};
use crate::crypto::{CryptoError, Sealer, Secret, hex, unhex};
use crate::domain::audit::{Actor, Difference};
use crate::domain::time::Timestamp;
use crate::domain::{Invalid, text};
use crate::operations::Error;
pub use crate::remote::{Protocol, RemoteError, Server};
use crate::store::Read;
use crate::store::settings::{self as stored, Setting};
use crate::store::swap::WORK;
use crate::tls::Fingerprint;

use super::files::{self, Passing};
use super::settings::noted;
use super::{busy, pause, unless_cancelled};

/// Where the row belongs.
const CONTEXT: &[u8] = b"settings/backup-destination";
/// Longest DNS name in text form, and longest label of one (RFC 1035 section 2.3.4).
const LONGEST_HOST: usize = 253;
const LONGEST_LABEL: usize = 63;
/// Characters of a user name, of a password, and of a folder.
const LONGEST_USER: usize = 100;
const LONGEST_PASSWORD: usize = 200;
const LONGEST_FOLDER: usize = 200;
/// Characters behind `SHA256:` in the fingerprint of an SSH host key: 32 octets in base64 without padding.
const KEY_DIGITS: usize = 43;
/// How long a test takes at most: a person waits for it, and the panel gives up a page a little later.
const TEST_TIME: Duration = Duration::from_secs(25);
/// The file of a test, here and there.
const TEST_FILE: &str = "proxpanel-test.txt";

/// Where backups are sent. No Debug: it holds a password.
#[derive(Clone)]
pub struct Destination {
    pub server: Server,
    /// How many stay there; 0 for all.
    pub keep: u16,
    /// When this place was chosen. What was made before is not sent there by itself.
    pub since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    protocol: String,
    host: String,
    port: u16,
    user: String,
    password: String,
    folder: String,
    identity: Option<String>,
    keep: u16,
    since: i64,
}

impl Destination {
    /// For people: `sftp://isp@backup.example:22/folder`.
    pub fn place(&self) -> String {
        let server = &self.server;
        let host = match server.host.contains(':') {
            true => format!("[{}]", server.host),
            false => server.host.clone(),
        };
        let slash = match server.folder.is_empty() || server.folder.starts_with('/') {
            true => "",
            false => "/",
        };
        format!(
            "{}://{}@{host}:{}{slash}{}",
            server.protocol.word(),
            server.user,
            server.port,
            server.folder
        )
    }

    fn seal(&self, sealer: &Sealer) -> Result<String, Error> {
        let server = &self.server;
        let stored = Stored {
            protocol: server.protocol.word().to_owned(),
            host: server.host.clone(),
            port: server.port,
            user: server.user.clone(),
            password: server.password.expose().clone(),
            folder: server.folder.clone(),
            identity: server.identity.clone(),
            keep: self.keep,
            since: self.since.0,
        };
        let plain = serde_json::to_vec(&stored).map_err(std::io::Error::from)?;
        let plain = Secret::new(plain);
        Ok(hex(&sealer.seal(CONTEXT, plain.expose())?))
    }

    fn unseal(sealer: &Sealer, sealed: &str) -> Result<Destination, Error> {
        let plain = sealer.unseal(CONTEXT, &unhex(sealed))?;
        let stored: Stored =
            serde_json::from_slice(plain.expose()).map_err(|_| CryptoError::Unseal)?;
        let protocol = Protocol::parse(&stored.protocol).ok_or(CryptoError::Unseal)?;
        Ok(Destination {
            server: Server {
                protocol,
                host: stored.host,
                port: stored.port,
                user: stored.user,
                password: Secret::new(stored.password),
                folder: stored.folder,
                identity: stored.identity,
            },
            keep: stored.keep,
            since: Timestamp(stored.since),
        })
    }
}

/// What a form asks for. An empty password stands for the one that is kept. No Debug: it may hold one.
#[derive(Clone)]
pub struct Wanted {
    pub server: Server,
    pub keep: u16,
}

impl Wanted {
    fn over(&self, old: Option<&Destination>, now: Timestamp) -> Result<Destination, Error> {
        let mut server = self.server.clone();
        let known = old.filter(|old| is_same_account(&old.server, &server));
        if server.password.expose().is_empty() {
            let kept = known.ok_or_else(|| {
                Error::field(
                    "server_password",
                    "Type it; one is kept only for the same server and user",
                )
            })?;
            server.password = kept.server.password.clone();
        }
        let since = known
            .filter(|old| is_same_place(&old.server, &server))
            .map_or(now, |old| old.since);
        Ok(Destination {
            server,
            keep: self.keep,
            since,
        })
    }
}

fn is_same_account(one: &Server, other: &Server) -> bool {
    let of = |server: &Server| {
        (
            server.protocol,
            server.host.clone(),
            server.port,
            server.user.clone(),
        )
    };
    of(one) == of(other)
}

fn is_same_place(one: &Server, other: &Server) -> bool {
    is_same_account(one, other) && one.folder == other.folder
}

/// Nothing while backups stay here.
pub fn get(app: &App) -> Result<Option<Destination>, Error> {
    read(&app.store.view()?, app.store.sealer())
}

fn read(from: &impl Read, sealer: &Sealer) -> Result<Option<Destination>, Error> {
    let sealed = stored::get(from, Setting::BackupDestination)?;
    sealed
        .map(|sealed| Destination::unseal(sealer, &sealed))
        .transpose()
}

/// Chooses another place, or none. Errors: `Field` for a password that has to be typed.
pub async fn update(app: &App, actor: &Actor, wanted: Option<Wanted>) -> Result<(), Error> {
    change(app, actor, move |old, now| {
        let wanted = wanted.as_ref();
        wanted.map(|wanted| wanted.over(old, now)).transpose()
    })
    .await
}

/// Takes over what the server showed, because the owner says that it is the right one.
///
/// Errors: `Refused` for what no server shows, and while backups stay here.
pub async fn trust(app: &App, actor: &Actor, shown: &str) -> Result<(), Error> {
    let shown = shown.to_owned();
    change(app, actor, move |old, _| {
        let mut trusted = old.cloned().ok_or_else(none)?;
        let identity = parse_identity(trusted.server.protocol, &shown);
        let identity = identity.map_err(|problem| Error::Refused(problem.0))?;
        trusted.server.identity = identity;
        Ok(Some(trusted))
    })
    .await
}

/// Works out another destination from the one that is stored, and keeps it with what changed.
async fn change(
    app: &App,
    actor: &Actor,
    work: impl Fn(Option<&Destination>, Timestamp) -> Result<Option<Destination>, Error>
    + Send
    + 'static,
) -> Result<(), Error> {
    let (actor, now, sealer) = (actor.clone(), app.now(), app.store.sealer().clone());
    app.store
        .write("change where backups are sent", move |tx| {
            let old = read(tx, &sealer)?;
            let new = work(old.as_ref(), now)?;
            match &new {
                Some(new) => {
                    stored::put(tx, Setting::BackupDestination, &new.seal(&sealer)?)?;
                    if old
                        .as_ref()
                        .is_none_or(|old| !is_same_place(&old.server, &new.server))
                    {
                        pause::end(tx)?;
                    }
                }
                None => stored::remove(tx, Setting::BackupDestination)?,
            }
            noted(tx, &actor, difference(old.as_ref(), new.as_ref()), now)
        })
        .await
}

fn difference(old: Option<&Destination>, new: Option<&Destination>) -> Difference {
    let place = |it: Option<&Destination>| it.map_or("nowhere".to_owned(), Destination::place);
    let kept = |it: Option<&Destination>| it.map_or(String::new(), |it| kept_words(it.keep));
    let known = |it: Option<&Destination>| it.and_then(|it| it.server.identity.clone());
    let password = |it: Option<&Destination>| it.map(|it| it.server.password.expose().clone());
    let mut difference = Difference::default();
    difference
        .field("sent to", place(old), place(new))
        .field("kept there", kept(old), kept(new))
        .field(
            "known by",
            known(old).unwrap_or_default(),
            known(new).unwrap_or_default(),
        )
        .secret(
            "password of the server",
            new.is_some() && password(old) != password(new),
        );
    difference
}

fn kept_words(keep: u16) -> String {
    match keep {
        0 => "all".to_owned(),
        keep => keep.to_string(),
    }
}

/// Sends a small file, looks that it is there, and removes it. Takes at most half a minute.
///
/// Errors: `Remote` with what failed; `Refused` while backups stay here, and while something else is done with them.
pub async fn test(app: &App) -> Result<(), Error> {
    let server = get(app)?.ok_or_else(none)?.server;
    let turn = app
        .backups
        .begin("Test of the other machine".to_owned(), app.now());
    let turn = turn.ok_or_else(busy)?;
    turn.step(BackupStep::Sending, 0, 0);
    let work = app.store.folder().join(WORK);
    files::empty_folder(&work)?;
    let _passing = Passing(&work);
    let file = work.join(TEST_FILE);
    std::fs::write(&file, b"ProxPanel was here.\n")?;
    let tested = timeout(TEST_TIME, server.test(&file, TEST_FILE));
    let tested = async {
        let late = RemoteError::Timeout {
            what: "take, show and remove a small file",
        };
        tested.await.unwrap_or(Err(late))
    };
    unless_cancelled(&turn, tested).await
}

/// Why nothing is sent.
pub(super) fn none() -> Error {
    Error::Refused(
        "Backups are not sent anywhere. Choose where to, in Settings, Backups".to_owned(),
    )
}

/// A DNS name or an address.
pub fn parse_host(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let host = inner.unwrap_or(text);
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
    let is_label =
        |label: &str| (1..=LONGEST_LABEL).contains(&label.len()) && label.bytes().all(is_plain);
    let is_name = host.len() <= LONGEST_HOST && host.split('.').all(is_label);
    match is_name || host.parse::<IpAddr>().is_ok() {
        true => Ok(host.to_owned()),
        false => Err(Invalid::new(
            "A name or an address, such as backup.example.net",
        )),
    }
}

pub fn parse_user(text: &str) -> Result<String, Invalid> {
    let user = text::line(text, LONGEST_USER)?;
    match user.is_empty() {
        true => Err(Invalid::new("A user name is needed")),
        false => Ok(user),
    }
}

/// As it is typed. Both protocols end commands with a line break, which therefore cannot be in one.
pub fn parse_password(text: &str) -> Result<Secret<String>, Invalid> {
    if text.chars().count() > LONGEST_PASSWORD {
        return Err(Invalid::new(format!(
            "At most {LONGEST_PASSWORD} characters"
        )));
    }
    match text.chars().any(char::is_control) {
        true => Err(Invalid::new("No line breaks")),
        false => Ok(Secret::new(text.to_owned())),
    }
}

/// Empty for the folder that the account begins in.
pub fn parse_folder(text: &str) -> Result<String, Invalid> {
    let folder = text::line(text, LONGEST_FOLDER)?;
    match folder.split('/').any(|part| part == "..") {
        true => Err(Invalid::new("A folder such as backups/proxpanel")),
        false => Ok(folder.trim_end_matches('/').to_owned()),
    }
}

/// What a server is known by, as it shows it or as `ssh-keygen -l` prints it; nothing for an empty text, and for plain FTP,
/// which shows nothing.
pub fn parse_identity(protocol: Protocol, text: &str) -> Result<Option<String>, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match protocol {
        Protocol::Ftp => Ok(None),
        Protocol::Ftps => match Fingerprint::parse(text) {
            Some(fingerprint) => Ok(Some(fingerprint.to_string())),
            None => Err(Invalid::new(
                "The SHA-256 of the certificate: 64 hexadecimal digits",
            )),
        },
        Protocol::Sftp => {
            let is_digit = |octet: u8| octet.is_ascii_alphanumeric() || b"+/".contains(&octet);
            let is_key = |word: &&str| {
                word.strip_prefix("SHA256:").is_some_and(|digits| {
                    digits.len() == KEY_DIGITS && digits.bytes().all(is_digit)
                })
            };
            match text.split_whitespace().find(is_key) {
                Some(key) => Ok(Some(key.to_owned())),
                None => Err(Invalid::new(
                    "The fingerprint of the host key: SHA256: and 43 letters and digits",
                )),
            }
        }
    }
}
