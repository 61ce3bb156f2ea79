//! The configuration: `proxpanel.toml`, checked once and never changed afterwards.
//!
//! Lives here: the shape of the file, its defaults, the command line's overrides and every check that needs no
//! socket. Does not live here: what an operator changes in the panel (that is in the store), and binding of ports
//! (`daemon`). Invariant: a [`Config`] that exists is whole: listeners are unique, and every value is in its range.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

mod licence;
mod shape;
#[cfg(test)]
mod tests;

pub use licence::{Licence, Vendor, VendorCertificate};
use shape::FileShape;

/// The file read when `--config` is not given. It may be missing: then the defaults hold.
pub const DEFAULT_PATH: &str = "/etc/proxpanel/proxpanel.toml";

/// The only value of the `version` key that this program understands.
pub const VERSION: i64 = 1;

/// A configuration is a few dozen lines. A larger file is a mistake, and is not read into memory.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// The checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder of the database, the accounting journal, the search index and the key file.
    pub data_dir: PathBuf,
    pub web: Web,
    pub radius: Radius,
    pub licence: Licence,
    pub backup: Backup,
    pub log: Log,
    /// Where all this was read.
    pub source: Source,
}

/// Whether a list of addresses is that of a standard port which holds where nobody wrote another: all addresses of this
/// machine, of whichever kind it has.
pub fn is_default_list(list: &[SocketAddr]) -> bool {
    shape::DEFAULT_PORTS
        .iter()
        .any(|port| *list == shape::wildcards(*port))
}

/// `[web]`: the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// TCP addresses for plain HTTP, at least one. Port 0 takes a free port. Where HTTPS listens too, browsers are sent there.
    pub listen: Vec<SocketAddr>,
    /// TCP addresses for HTTPS. Empty: plain HTTP serves the panel, as behind a proxy of one's own.
    pub https_listen: Vec<SocketAddr>,
    /// Certificate chain and private key in PEM files that another program renews; else the panel manages them.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Addresses whose `X-Forwarded-For` is believed; usually empty.
    pub trusted_proxies: Vec<IpAddr>,
}

/// `[radius]`: the RADIUS server and its CoA client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Radius {
    /// UDP addresses for authentication, at least one.
    pub auth_listen: Vec<SocketAddr>,
    /// UDP addresses for accounting, at least one.
    pub acct_listen: Vec<SocketAddr>,
    /// TCP addresses for RadSec; none switches it off.
    pub radsec_listen: Vec<SocketAddr>,
    /// Threads for each listener, 1 to 64.
    pub threads: usize,
    /// Address that CoA and Disconnect leave from. Routers only believe the address they send RADIUS to.
    pub coa_bind: Option<IpAddr>,
}

/// `[backup]`: where backups are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub folder: PathBuf,
}

/// `[log]`: what goes to standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub level: Level,
}

/// How much is logged. The environment variable `RUST_LOG` wins over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// What the command line says instead of the file. `None` and an empty list leave the file's value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    pub data_dir: Option<PathBuf>,
    /// Without `https_listen` beside it, it turns HTTPS off: who names a port by hand wants no other one.
    pub web_listen: Vec<SocketAddr>,
    pub https_listen: Vec<SocketAddr>,
    pub auth_listen: Vec<SocketAddr>,
    pub acct_listen: Vec<SocketAddr>,
    pub radsec_listen: Vec<SocketAddr>,
}

/// Where a configuration comes from, so that it can be read again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The operator's `--config`.
    pub path: Option<PathBuf>,
    pub overrides: Overrides,
}

impl Source {
    /// As [`Config::load`].
    pub fn load(&self) -> Result<Config, ConfigError> {
        Config::load(self.path.as_deref(), &self.overrides)
    }

    /// The file that is read, which may be missing when nobody named it.
    pub fn file(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(DEFAULT_PATH))
    }
}

/// Why there is no configuration. Each message names the file, and what to change in it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "the configuration {path} is larger than {MAX_FILE_BYTES} bytes; it is probably another file"
    )]
    TooLarge { path: PathBuf },
    #[error("{path}{}: {message}", line.map_or_else(String::new, |line| format!(", line {line}")))]
    Syntax {
        path: PathBuf,
        line: Option<usize>,
        message: String,
    },
    /// Every problem found, so that one edit mends all of them.
    #[error("the configuration {path} has {} problem{}:{}", problems.len(), if problems.len() == 1 { "" } else { "s" }, list(problems))]
    Invalid {
        path: PathBuf,
        problems: Vec<String>,
    },
}

fn list(problems: &[String]) -> String {
    problems
        .iter()
        .map(|problem| format!("\n  - {problem}"))
        .collect()
}

impl Config {
    /// Reads the file and applies the command line on top of it.
    ///
    /// `path` is the operator's `--config`: it must exist. Without it [`DEFAULT_PATH`] is read if there is one.
    /// Errors: [`ConfigError`], with all problems of the values collected.
    pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Self, ConfigError> {
        let named = path.unwrap_or(Path::new(DEFAULT_PATH));
        let text = match read_bounded(named) {
            Ok(text) => text,
            Err(ConfigError::Read { source, .. })
                if path.is_none() && source.kind() == io::ErrorKind::NotFound =>
            {
                String::new()
            }
            Err(error) => return Err(error),
        };
        let source = Source {
            path: path.map(Path::to_path_buf),
            overrides: overrides.clone(),
        };
        Ok(Self {
            source,
            ..Self::parse(&text, named, overrides)?
        })
    }

    /// Reads the text of a configuration. `path` is only named in messages.
    pub fn parse(text: &str, path: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        let file: FileShape = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            path: path.to_path_buf(),
            line: error.span().map(|span| line_of(text, span.start)),
            message: error.message().trim_end().to_owned(),
        })?;
        file.check(overrides)
            .map_err(|problems| ConfigError::Invalid {
                path: path.to_path_buf(),
                problems,
            })
    }
}

fn read_bounded(path: &Path) -> Result<String, ConfigError> {
    let fault = |source| ConfigError::Read {
        path: path.to_path_buf(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(fault)?;
    file.take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(fault)?;
    if text.len() > usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX) {
        return Err(ConfigError::TooLarge {
            path: path.to_path_buf(),
        });
    }
    Ok(text)
}

/// The line, counted from one, of a byte offset in `text`.
fn line_of(text: &str, offset: usize) -> usize {
    let newlines = text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count();
    newlines + 1
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            "trace" => Ok(Self::Trace),
            other => Err(format!(
                "log.level = \"{other}\": take error, warn, info, debug or trace"
            )),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}
