//! Files on other machines: FTP, FTPS and SFTP.
//!
//! A leaf: it knows servers and files, not what a backup is. Invariants: a file has its name only when all of it has
//! arrived (until then it ends in `.part`); a server that encrypts is only given a password when it is the one that the
//! owner trusts; every wait has its time. Plain FTP is for those who have nothing else: it hides nothing.

mod chunks;
mod ftp;
mod sftp;

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use chunks::Chunks;

use crate::crypto::Secret;

/// How long a server may take to accept a connection.
const CONNECT_TIME: Duration = Duration::from_secs(15);
/// How long a server may take for one command or to take one chunk.
const COMMAND_TIME: Duration = Duration::from_secs(60);
/// Names read from a folder; one with more is not for backups alone.
pub const MOST_FILES: usize = 10_000;
/// A file that is still being sent is called so.
const PART: &str = ".part";
/// What a message of a server is cut to: it ends on a page.
const LONGEST_MESSAGE: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Nothing is encrypted (RFC 959).
    Ftp,
    /// FTP that turns to TLS before the password (RFC 4217).
    Ftps,
    /// Files over SSH.
    Sftp,
}

impl Protocol {
    pub const ALL: [Protocol; 3] = [Protocol::Sftp, Protocol::Ftps, Protocol::Ftp];

    pub fn word(self) -> &'static str {
        match self {
            Protocol::Ftp => "ftp",
            Protocol::Ftps => "ftps",
            Protocol::Sftp => "sftp",
        }
    }

    pub fn parse(word: &str) -> Option<Protocol> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.word() == word)
    }

    pub fn default_port(self) -> u16 {
        match self {
            Protocol::Ftp | Protocol::Ftps => 21,
            Protocol::Sftp => 22,
        }
    }
}

/// A folder of an account on a server. No Debug: it holds the password.
#[derive(Clone)]
pub struct Server {
    pub protocol: Protocol,
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Secret<String>,
    /// Made when it is missing; empty for the folder that the account begins in.
    pub folder: String,
    /// By what the owner knows the server: the SHA-256 of its certificate in hexadecimal, or of its SSH host key as
    /// `SHA256:…`. Without one, FTPS takes certificates that browsers trust, and SFTP none.
    pub identity: Option<String>,
}

/// Why a file did not get there or back. Never holds a password.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// `what` ends the sentence "the server did not".
    #[error("the server did not {what} in time")]
    Timeout { what: &'static str },
    /// Nobody has said yet that this server may be trusted.
    #[error("the server is not known yet: it shows {shown}")]
    Unknown { shown: String },
    #[error("the server shows {shown} instead of {expected}: it was changed, or it is another one")]
    Differs { expected: String, shown: String },
    #[error("no encrypted connection to the server: {0}")]
    Tls(String),
    #[error("the server refused the user name or the password")]
    LoginRefused,
    #[error("the server said: {0}")]
    Refused(String),
    #[error("the connection to the server was lost: {0}")]
    Lost(String),
    #[error("the server holds {found} octets of {sent}")]
    Incomplete { sent: u64, found: u64 },
    #[error("the file cannot be read here: {0}")]
    Local(#[from] io::Error),
    #[error("given up on request")]
    Stopped,
}

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    pub name: String,
    pub octets: u64,
}

impl RemoteFile {
    /// The name that a file did not get because not all of it arrived; nothing for one that is whole.
    pub fn torn(&self) -> Option<&str> {
        self.name.strip_suffix(PART)
    }
}

/// Told after each chunk how many octets have gone; breaks to give up.
pub type Progress<'a> = &'a mut (dyn FnMut(u64) -> ControlFlow<()> + Send);

/// A connection that is signed in and stands in the folder.
pub struct Link(Kind);

enum Kind {
    Ftp(Box<ftp::Link>),
    Sftp(sftp::Link),
}

impl Server {
    /// Connects, recognises the server, signs in, and makes the folder when it is missing.
    ///
    /// Errors: `Unknown` and `Differs` before the password has left; `LoginRefused` after.
    pub async fn connect(&self) -> Result<Link, RemoteError> {
        let kind = match self.protocol {
            Protocol::Ftp | Protocol::Ftps => ftp::Link::open(self)
                .await
                .map(|link| Kind::Ftp(Box::new(link))),
            Protocol::Sftp => sftp::Link::open(self).await.map(Kind::Sftp),
        };
        kind.map(Link)
    }

    /// Sends a small file, looks that it is there, and removes it.
    pub async fn test(&self, file: &Path, name: &str) -> Result<(), RemoteError> {
        let mut link = self.connect().await?;
        link.put(file, name, &mut |_| ControlFlow::Continue(()))
            .await?;
        let listed = link.list().await?;
        if !listed.iter().any(|listed| listed.name == name) {
            return Err(RemoteError::Refused(format!(
                "{name} was sent and is not there"
            )));
        }
        link.remove(name).await?;
        link.close().await;
        Ok(())
    }
}

impl Link {
    /// Sends a file and gives it its name once the server holds all of it. Returns its octets.
    pub async fn put(
        &mut self,
        file: &Path,
        name: &str,
        progress: Progress<'_>,
    ) -> Result<u64, RemoteError> {
        let part = format!("{name}{PART}");
        match &mut self.0 {
            Kind::Ftp(link) => link.put(file, &part, name, progress).await,
            Kind::Sftp(link) => link.put(file, &part, name, progress).await,
        }
    }

    /// The files of the folder, at most [`MOST_FILES`], with those that are torn or still being sent.
    pub async fn list(&mut self) -> Result<Vec<RemoteFile>, RemoteError> {
        let mut files = match &mut self.0 {
            Kind::Ftp(link) => link.list().await?,
            Kind::Sftp(link) => link.list().await?,
        };
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    pub async fn remove(&mut self, name: &str) -> Result<(), RemoteError> {
        match &mut self.0 {
            Kind::Ftp(link) => link.remove(name).await,
            Kind::Sftp(link) => link.remove(name).await,
        }
    }

    /// Says good-bye; a server that does not answer is left.
    pub async fn close(self) {
        match self.0 {
            Kind::Ftp(link) => link.close().await,
            Kind::Sftp(link) => link.close().await,
        }
    }
}

/// Sends a file piece by piece, and says how many octets went. The end of the file is the caller's to tell.
async fn pour(
    file: &Path,
    into: &mut (impl AsyncWrite + Unpin),
    progress: Progress<'_>,
) -> Result<u64, RemoteError> {
    let mut chunks = Chunks::open(file).await?;
    let mut sent = 0;
    loop {
        let piece = chunks.next().await?;
        if piece.is_empty() {
            return Ok(sent);
        }
        in_time("take the file", into.write_all(piece))
            .await
            .map_err(lost)?;
        sent += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if progress(sent).is_break() {
            return Err(RemoteError::Stopped);
        }
    }
}

/// What the server said, short enough for a page.
fn said(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_MESSAGE)
        .collect()
}

/// Waits for one command at most [`COMMAND_TIME`].
async fn in_time<T, E>(
    what: &'static str,
    command: impl Future<Output = Result<T, E>>,
) -> Result<T, RemoteError>
where
    RemoteError: From<E>,
{
    timeout(COMMAND_TIME, command)
        .await
        .map_err(|_| RemoteError::Timeout { what })?
        .map_err(RemoteError::from)
}

/// An error of the socket, not of our file.
fn lost(error: RemoteError) -> RemoteError {
    match error {
        RemoteError::Local(error) => RemoteError::Lost(error.to_string()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_have_words_and_ports() {
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::parse(protocol.word()), Some(protocol));
        }
        assert_eq!(Protocol::parse("scp"), None);
        assert_eq!(Protocol::Sftp.default_port(), 22);
        assert_eq!(Protocol::Ftps.default_port(), 21);
    }

    #[test]
    fn a_file_that_is_not_whole_is_known_by_its_name() {
        let torn = |name: &str| {
            let file = RemoteFile {
                name: name.to_owned(),
                octets: 1,
            };
            file.torn().map(str::to_owned)
        };
        assert_eq!(torn("one.enc.part").as_deref(), Some("one.enc"));
        assert_eq!(torn("one.enc"), None);
        assert_eq!(torn("part"), None);
    }

    #[test]
    fn what_a_server_says_is_cut_and_has_no_control_characters() {
        assert_eq!(said("530 \x1b[31mno\r\n"), "530 [31mno");
        assert_eq!(said(&"x".repeat(5_000)).len(), LONGEST_MESSAGE);
    }
}
