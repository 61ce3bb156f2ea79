//! The file as it is written, and the checks that turn its text into values.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::licence::LicenceShape;
use super::{Backup, Config, Level, Log, Overrides, Radius, Source, VERSION, Web};

/// More listeners than any machine has addresses worth naming; each costs sockets and threads.
pub(super) const MAX_LISTENERS: usize = 16;

/// Proxies that may name the true address of a browser. Searched at every page, so the list stays short.
pub(super) const MAX_TRUSTED_PROXIES: usize = 64;

/// One socket thread reaches the promised rates; more than this only costs memory.
const MAX_RADIUS_THREADS: usize = 64;

/// Threads taken when the file does not say: two are enough to keep every small machine's cores busy.
const DEFAULT_RADIUS_THREADS: usize = 2;

/// The ports of the default lists.
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
const AUTH_PORT: u16 = 1812;
const ACCT_PORT: u16 = 1813;
const RADSEC_PORT: u16 = 2083;
pub(super) const DEFAULT_PORTS: [u16; 5] =
    [HTTP_PORT, HTTPS_PORT, AUTH_PORT, ACCT_PORT, RADSEC_PORT];

/// The data folder of the package, and where its backups go. Any other data folder has its backups inside.
const DATA_DIR: &str = "/var/lib/proxpanel";
const BACKUP_DIR: &str = "/var/backups/proxpanel";

/// The file as written: addresses are still text, so that all bad ones can be named together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileShape {
    version: i64,
    data_dir: PathBuf,
    web: WebShape,
    radius: RadiusShape,
    licence: LicenceShape,
    backup: BackupShape,
    log: LogShape,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WebShape {
    listen: Vec<String>,
    https_listen: Vec<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    trusted_proxies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RadiusShape {
    auth_listen: Vec<String>,
    acct_listen: Vec<String>,
    radsec_listen: Vec<String>,
    threads: Option<i64>,
    coa_bind: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct BackupShape {
    folder: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LogShape {
    level: String,
}

/// Every address of this machine, as the default lists have them.
pub(super) fn wildcards(port: u16) -> [SocketAddr; 2] {
    [
        (Ipv4Addr::UNSPECIFIED, port).into(),
        (Ipv6Addr::UNSPECIFIED, port).into(),
    ]
}

fn wildcard_texts(port: u16) -> Vec<String> {
    wildcards(port).map(|address| address.to_string()).to_vec()
}

impl Default for FileShape {
    fn default() -> Self {
        Self {
            version: VERSION,
            data_dir: PathBuf::from(DATA_DIR),
            web: WebShape::default(),
            radius: RadiusShape::default(),
            licence: LicenceShape::default(),
            backup: BackupShape::default(),
            log: LogShape::default(),
        }
    }
}

impl Default for WebShape {
    fn default() -> Self {
        Self {
            listen: wildcard_texts(HTTP_PORT),
            https_listen: wildcard_texts(HTTPS_PORT),
            certificate: None,
            key: None,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Default for RadiusShape {
    fn default() -> Self {
        Self {
            auth_listen: wildcard_texts(AUTH_PORT),
            acct_listen: wildcard_texts(ACCT_PORT),
            radsec_listen: wildcard_texts(RADSEC_PORT),
            threads: None,
            coa_bind: None,
        }
    }
}

impl Default for LogShape {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
        }
    }
}

impl FileShape {
    /// Turns text into values. All problems are returned together, in the order of the file.
    pub(super) fn check(self, overrides: &Overrides) -> Result<Config, Vec<String>> {
        let mut problems = Vec::new();
        if self.version != VERSION {
            problems.push(format!(
                "version = {}: this program understands version {VERSION} only",
                self.version
            ));
        }
        let data_dir = overrides.data_dir.clone().unwrap_or(self.data_dir);
        if data_dir.as_os_str().is_empty() {
            problems.push("data_dir is empty: name a folder".to_owned());
        }
        let folder = self.backup.folder.unwrap_or_else(|| backups_of(&data_dir));
        if folder.as_os_str().is_empty() {
            problems.push("backup.folder is empty: name a folder".to_owned());
        }
        let web = Web {
            listen: listeners(
                "web.listen",
                &self.web.listen,
                &overrides.web_listen,
                &mut problems,
            ),
            https_listen: https_listeners(&self.web.https_listen, overrides, &mut problems),
            certificate: certificate(self.web.certificate, self.web.key, &mut problems),
            trusted_proxies: addresses(
                "web.trusted_proxies",
                &self.web.trusted_proxies,
                &mut problems,
            ),
        };
        let radius = Radius {
            auth_listen: listeners(
                "radius.auth_listen",
                &self.radius.auth_listen,
                &overrides.auth_listen,
                &mut problems,
            ),
            acct_listen: listeners(
                "radius.acct_listen",
                &self.radius.acct_listen,
                &overrides.acct_listen,
                &mut problems,
            ),
            radsec_listen: optional_listeners(
                "radius.radsec_listen",
                &self.radius.radsec_listen,
                &overrides.radsec_listen,
                &mut problems,
            ),
            threads: threads(self.radius.threads, &mut problems),
            coa_bind: self
                .radius
                .coa_bind
                .and_then(|text| address("radius.coa_bind", &text, &mut problems)),
        };
        for (plain, https) in clashes(&web.listen, &web.https_listen) {
            problems.push(format!("web.listen {plain} and web.https_listen {https} want the same TCP port: give one of them another"));
        }
        for (auth, acct) in clashes(&radius.auth_listen, &radius.acct_listen) {
            problems.push(format!("radius.auth_listen {auth} and radius.acct_listen {acct} want the same UDP port: give one of them another"));
        }
        for (web, radsec) in clashes(&web.listen, &radius.radsec_listen) {
            problems.push(format!("web.listen {web} and radius.radsec_listen {radsec} want the same TCP port: give one of them another"));
        }
        let licence = self.licence.check(&mut problems);
        let level = self.log.level.parse().unwrap_or_else(|problem| {
            problems.push(problem);
            Level::Info
        });
        if problems.is_empty() {
            Ok(Config {
                data_dir,
                web,
                radius,
                licence,
                backup: Backup { folder },
                log: Log { level },
                // Only who reads a file knows which.
                source: Source::default(),
            })
        } else {
            Err(problems)
        }
    }
}

fn backups_of(data_dir: &Path) -> PathBuf {
    match data_dir == Path::new(DATA_DIR) {
        true => PathBuf::from(BACKUP_DIR),
        false => data_dir.join("backups"),
    }
}

/// The listeners of one key: the command line's list if it has any, else the file's.
fn listeners(
    key: &str,
    from_file: &[String],
    from_command_line: &[SocketAddr],
    problems: &mut Vec<String>,
) -> Vec<SocketAddr> {
    if from_command_line.is_empty() && from_file.is_empty() {
        problems.push(format!(
            "{key} is empty: name at least one address, or leave the key out for the default"
        ));
    }
    some_listeners(key, from_file, from_command_line, problems)
}

/// Those of HTTPS, of which there may be none.
fn https_listeners(
    from_file: &[String],
    overrides: &Overrides,
    problems: &mut Vec<String>,
) -> Vec<SocketAddr> {
    let from_file = match overrides.web_listen.is_empty() {
        true => from_file,
        false => &[],
    };
    some_listeners(
        "web.https_listen",
        from_file,
        &overrides.https_listen,
        problems,
    )
}

/// Both or neither.
fn certificate(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    problems: &mut Vec<String>,
) -> Option<(PathBuf, PathBuf)> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => {
            problems.push("web.certificate is set and web.key is not: name both files".to_owned());
            None
        }
        (None, Some(_)) => {
            problems.push("web.key is set and web.certificate is not: name both files".to_owned());
            None
        }
    }
}

fn some_listeners(
    key: &str,
    from_file: &[String],
    from_command_line: &[SocketAddr],
    problems: &mut Vec<String>,
) -> Vec<SocketAddr> {
    let mut list = from_command_line.to_vec();
    if list.is_empty() {
        for text in from_file {
            match text.parse() {
                Ok(listener) => list.push(listener),
                Err(_) => problems.push(format!("{key}: \"{text}\" is not an address with a port, such as \"0.0.0.0:1812\" or \"[::]:1812\"")),
            }
        }
    }
    if list.len() > MAX_LISTENERS {
        problems.push(format!(
            "{key} has {} addresses: at most {MAX_LISTENERS} are allowed",
            list.len()
        ));
    }
    for (index, listener) in list.iter().enumerate() {
        for earlier in list.iter().take(index) {
            if same_port(*earlier, *listener) {
                let what = if earlier == listener {
                    format!("{listener} twice")
                } else {
                    format!("{earlier} and {listener}, which overlap")
                };
                problems.push(format!("{key} has {what}: keep one"));
            }
        }
    }
    list
}

/// The same for what can be switched off by an empty list.
fn optional_listeners(
    key: &str,
    from_file: &[String],
    from_command_line: &[SocketAddr],
    problems: &mut Vec<String>,
) -> Vec<SocketAddr> {
    if from_file.is_empty() && from_command_line.is_empty() {
        return Vec::new();
    }
    listeners(key, from_file, from_command_line, problems)
}

/// Whether two sockets of one protocol would receive the same packets. Port 0 takes a fresh port each time. An
/// IPv6 wildcard does not overlap with IPv4, because those sockets are opened for IPv6 only.
fn same_port(one: SocketAddr, other: SocketAddr) -> bool {
    let same_address =
        one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0
        && one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && same_address
}

fn clashes(ones: &[SocketAddr], others: &[SocketAddr]) -> Vec<(SocketAddr, SocketAddr)> {
    let pairs = ones
        .iter()
        .flat_map(|one| others.iter().map(move |other| (*one, *other)));
    pairs
        .filter(|(one, other)| same_port(*one, *other))
        .collect()
}

fn addresses(key: &str, texts: &[String], problems: &mut Vec<String>) -> Vec<IpAddr> {
    if texts.len() > MAX_TRUSTED_PROXIES {
        problems.push(format!(
            "{key} has {} addresses: at most {MAX_TRUSTED_PROXIES} are allowed",
            texts.len()
        ));
    }
    let mut seen = BTreeSet::new();
    let mut list = Vec::new();
    for text in texts {
        let Some(address) = address(key, text, problems) else {
            continue;
        };
        if seen.insert(address) {
            list.push(address);
        } else {
            problems.push(format!("{key} has {address} twice: keep one"));
        }
    }
    list
}

fn address(key: &str, text: &str, problems: &mut Vec<String>) -> Option<IpAddr> {
    let parsed = text.parse().ok();
    if parsed.is_none() {
        problems.push(format!(
            "{key}: \"{text}\" is not an IP address, such as \"192.0.2.1\" or \"2001:db8::1\""
        ));
    }
    parsed
}

fn threads(from_file: Option<i64>, problems: &mut Vec<String>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let Some(number) = from_file else {
        return cores.min(DEFAULT_RADIUS_THREADS);
    };
    match usize::try_from(number) {
        Ok(threads) if (1..=MAX_RADIUS_THREADS).contains(&threads) => threads,
        _ => {
            problems.push(format!(
                "radius.threads = {number}: take a number from 1 to {MAX_RADIUS_THREADS}"
            ));
            1
        }
    }
}
