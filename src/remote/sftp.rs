//! SFTP (version 3, over SSH with password or keyboard-interactive login).

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use russh::client::{self, KeyboardInteractiveAuthResponse};
use russh::keys::{HashAlg, PublicKeyOrCertificate};
use russh_sftp::client::SftpSession;
use russh_sftp::client::error::Error as SftpError;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::{
    CONNECT_TIME, MOST_FILES, Progress, RemoteError, RemoteFile, Server, in_time, lost, pour, said,
};

/// A connection on which nothing moves for so long is dead.
const INACTIVE: Duration = Duration::from_secs(90);
/// Rounds of questions that a server may ask for a login.
const MOST_QUESTIONS: usize = 4;

pub struct Link {
    session: client::Handle<Recognise>,
    files: SftpSession,
    /// With a slash at its end, or empty.
    folder: String,
}

/// Recognises the server by the SHA-256 of its host key.
struct Recognise {
    expected: Option<String>,
    shown: Arc<OnceLock<String>>,
}

impl client::Handler for Recognise {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let shown = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.fingerprint(HashAlg::Sha256),
            PublicKeyOrCertificate::Certificate(certificate) => {
                certificate.public_key().fingerprint(HashAlg::Sha256)
            }
        };
        let shown = shown.to_string();
        let is_known = self.expected.as_deref() == Some(shown.as_str());
        // Another key of the same connection comes with new session keys, and must be the same.
        let _ = self.shown.set(shown);
        Ok(is_known)
    }
}

impl Link {
    pub async fn open(server: &Server) -> Result<Link, RemoteError> {
        let config = client::Config {
            inactivity_timeout: Some(INACTIVE),
            nodelay: true,
            ..client::Config::default()
        };
        let shown = Arc::new(OnceLock::new());
        let recognise = Recognise {
            expected: server.identity.clone(),
            shown: Arc::clone(&shown),
        };
        let connecting = client::connect(
            Arc::new(config),
            (server.host.as_str(), server.port),
            recognise,
        );
        let connected = timeout(CONNECT_TIME, connecting)
            .await
            .map_err(|_| RemoteError::Timeout { what: "answer" })?;
        let mut session = connected.map_err(|error| refused_key(error, server, shown.get()))?;
        sign_in(&mut session, server).await?;
        let channel = in_time("open a channel", session.channel_open_session()).await?;
        in_time("offer SFTP", channel.request_subsystem(true, "sftp")).await?;
        let files = in_time("offer SFTP", SftpSession::new(channel.into_stream())).await?;
        files.set_timeout(super::COMMAND_TIME.as_secs());
        let mut link = Link {
            session,
            files,
            folder: String::new(),
        };
        link.enter(&server.folder).await?;
        Ok(link)
    }

    /// Makes what is missing of the folder, step by step.
    async fn enter(&mut self, folder: &str) -> Result<(), RemoteError> {
        let mut path = if folder.starts_with('/') { "/" } else { "" }.to_owned();
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            path.push_str(part);
            if !in_time("open its folder", self.files.try_exists(path.clone())).await? {
                in_time("make the folder", self.files.create_dir(path.clone())).await?;
            }
            path.push('/');
        }
        self.folder = path;
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    pub async fn put(
        &mut self,
        file: &Path,
        part: &str,
        name: &str,
        progress: Progress<'_>,
    ) -> Result<u64, RemoteError> {
        let (part, name) = (self.path(part), self.path(name));
        let mut there = in_time("take the file", self.files.create(part.clone())).await?;
        let sent = pour(file, &mut there, progress).await?;
        in_time("take the end of the file", there.flush())
            .await
            .map_err(lost)?;
        in_time("take the end of the file", there.close())
            .await
            .map_err(lost)?;
        let found = in_time("tell a size", self.files.metadata(part.clone()))
            .await?
            .len();
        if found != sent {
            return Err(RemoteError::Incomplete { sent, found });
        }
        // Version 3 of the protocol does not rename onto a file that is there.
        if in_time("look for the file", self.files.try_exists(name.clone())).await? {
            in_time("remove the file", self.files.remove_file(name.clone())).await?;
        }
        in_time("rename the file", self.files.rename(part, name)).await?;
        Ok(sent)
    }

    pub async fn list(&mut self) -> Result<Vec<RemoteFile>, RemoteError> {
        let folder = if self.folder.is_empty() {
            ".".to_owned()
        } else {
            self.folder.clone()
        };
        let entries = in_time("list its folder", self.files.read_dir(folder)).await?;
        Ok(entries
            .filter(|entry| entry.file_type().is_file())
            .take(MOST_FILES)
            .map(|entry| RemoteFile {
                name: entry.file_name(),
                octets: entry.metadata().len(),
            })
            .collect())
    }

    pub async fn remove(&mut self, name: &str) -> Result<(), RemoteError> {
        in_time("remove the file", self.files.remove_file(self.path(name))).await
    }

    pub async fn close(self) {
        // The work is done; a server that does not say good-bye is left.
        let _ = in_time("say good-bye", self.files.close()).await;
        let bye = self
            .session
            .disconnect(russh::Disconnect::ByApplication, "", "en");
        let _ = in_time("say good-bye", bye).await;
    }
}

async fn sign_in(
    session: &mut client::Handle<Recognise>,
    server: &Server,
) -> Result<(), RemoteError> {
    let password = server.password.expose();
    let plain = session.authenticate_password(&server.user, password);
    if in_time("sign us in", plain).await?.success() {
        return Ok(());
    }
    // Some servers take passwords only as answers to questions.
    let asked = session.authenticate_keyboard_interactive_start(&server.user, None::<String>);
    let mut answer = in_time("sign us in", asked).await?;
    for _ in 0..MOST_QUESTIONS {
        let prompts = match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(()),
            KeyboardInteractiveAuthResponse::Failure { .. } => break,
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        let answers = prompts.iter().map(|_| password.clone()).collect();
        let next = session.authenticate_keyboard_interactive_respond(answers);
        answer = in_time("sign us in", next).await?;
    }
    Err(RemoteError::LoginRefused)
}

/// Why there is no session: a key that is not known, or anything else.
fn refused_key(error: russh::Error, server: &Server, shown: Option<&String>) -> RemoteError {
    match (error, &server.identity, shown) {
        (russh::Error::UnknownKey, None, Some(shown)) => RemoteError::Unknown {
            shown: shown.clone(),
        },
        (russh::Error::UnknownKey, Some(expected), Some(shown)) => RemoteError::Differs {
            expected: expected.clone(),
            shown: shown.clone(),
        },
        (russh::Error::IO(error), ..) => RemoteError::Unreachable(error.to_string()),
        (error, ..) => RemoteError::Tls(said(&error.to_string())),
    }
}

impl From<russh::Error> for RemoteError {
    fn from(error: russh::Error) -> RemoteError {
        RemoteError::Lost(said(&error.to_string()))
    }
}

impl From<SftpError> for RemoteError {
    fn from(error: SftpError) -> RemoteError {
        match error {
            SftpError::Status(status) => RemoteError::Refused(said(&status.error_message)),
            SftpError::Timeout => RemoteError::Timeout { what: "answer" },
            other => RemoteError::Lost(said(&other.to_string())),
        }
    }
}
