//! FTP and FTPS, passive mode (RFC 959, RFC 2428, RFC 4217).

use std::path::Path;

use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsFtpStream};
use suppaftp::types::FileType;
use suppaftp::{FtpError, Mode};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{
    CONNECT_TIME, MOST_FILES, Progress, Protocol, RemoteError, RemoteFile, Server, in_time, pour,
    said,
};
use crate::tls::trust::{self, Fingerprint, Trust, Verifier};

/// Not every server tells sizes in a listing; the reply to SIZE is asked for those that do not.
pub struct Link {
    stream: AsyncRustlsFtpStream,
}

impl Link {
    pub async fn open(server: &Server) -> Result<Link, RemoteError> {
        let connecting = TcpStream::connect((server.host.as_str(), server.port));
        let socket = timeout(CONNECT_TIME, connecting)
            .await
            .map_err(|_| RemoteError::Timeout { what: "answer" })?
            .map_err(|error| RemoteError::Unreachable(error.to_string()))?;
        let is_ipv6 = socket.peer_addr().is_ok_and(|peer| peer.is_ipv6());
        let greeted = AsyncRustlsFtpStream::connect_with_stream(socket);
        let mut stream = in_time("greet", greeted).await?;
        if server.protocol == Protocol::Ftps {
            stream = secure(stream, server).await?;
        }
        stream.set_mode(if is_ipv6 {
            Mode::ExtendedPassive
        } else {
            Mode::Passive
        });
        // Servers behind address translation name an address that cannot be reached.
        stream.set_passive_nat_workaround(true);
        let login = stream.login(&server.user, server.password.expose());
        in_time("sign us in", login)
            .await
            .map_err(|error| match error {
                RemoteError::Refused(_) => RemoteError::LoginRefused,
                other => other,
            })?;
        in_time(
            "take the transfer type",
            stream.transfer_type(FileType::Binary),
        )
        .await?;
        let mut link = Link { stream };
        link.enter(&server.folder).await?;
        Ok(link)
    }

    /// Goes into the folder, step by step, and makes what is missing.
    async fn enter(&mut self, folder: &str) -> Result<(), RemoteError> {
        if folder.starts_with('/') {
            in_time("open its folder", self.stream.cwd("/")).await?;
        }
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            let entered = in_time("open its folder", self.stream.cwd(part)).await;
            if let Err(RemoteError::Refused(_)) = entered {
                in_time("make the folder", self.stream.mkdir(part)).await?;
                in_time("open its folder", self.stream.cwd(part)).await?;
            } else {
                entered?;
            }
        }
        Ok(())
    }

    pub async fn put(
        &mut self,
        file: &Path,
        part: &str,
        name: &str,
        progress: Progress<'_>,
    ) -> Result<u64, RemoteError> {
        let mut transfer = in_time("take the file", self.stream.put_with_stream(part)).await?;
        let sent = pour(file, &mut transfer, progress).await?;
        in_time("take the end of the file", transfer.finish()).await?;
        self.check_size(part, sent).await?;
        in_time("rename the file", self.stream.rename(part, name)).await?;
        Ok(sent)
    }

    /// A server that cannot tell sizes has said that the transfer is complete, which must do.
    async fn check_size(&mut self, name: &str, sent: u64) -> Result<(), RemoteError> {
        match in_time("tell a size", self.stream.size(name)).await {
            Ok(found) => {
                let found = u64::try_from(found).unwrap_or(u64::MAX);
                if found == sent {
                    Ok(())
                } else {
                    Err(RemoteError::Incomplete { sent, found })
                }
            }
            Err(RemoteError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub async fn list(&mut self) -> Result<Vec<RemoteFile>, RemoteError> {
        let names = in_time("list its folder", self.stream.nlst(None)).await?;
        let mut files = Vec::new();
        for name in names.into_iter().take(MOST_FILES) {
            // Some servers put the folder in front.
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            match in_time("tell a size", self.stream.size(&name)).await {
                Ok(octets) => files.push(RemoteFile {
                    name,
                    octets: u64::try_from(octets).unwrap_or(u64::MAX),
                }),
                // A folder, or gone since.
                Err(RemoteError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }

    pub async fn remove(&mut self, name: &str) -> Result<(), RemoteError> {
        in_time("remove the file", self.stream.rm(name)).await
    }

    pub async fn close(mut self) {
        // The work is done; a server that does not say good-bye is left.
        let _ = in_time("say good-bye", self.stream.quit()).await;
    }
}

async fn secure(
    stream: AsyncRustlsFtpStream,
    server: &Server,
) -> Result<AsyncRustlsFtpStream, RemoteError> {
    let trust = match &server.identity {
        None => Trust::Public,
        Some(text) => Trust::Pinned(Fingerprint::parse(text).ok_or_else(|| {
            RemoteError::Tls("the known certificate is not a SHA-256".to_owned())
        })?),
    };
    let (config, verifier) =
        trust::watched_config(&trust, None).map_err(|error| RemoteError::Tls(error.to_string()))?;
    let connector = AsyncRustlsConnector::from(TlsConnector::from(config));
    in_time("encrypt", stream.into_secure(connector, &server.host))
        .await
        .map_err(|error| refused_handshake(error, &trust, &verifier))
}

/// Says which certificate was shown where that is why the handshake failed.
fn refused_handshake(error: RemoteError, trust: &Trust, verifier: &Verifier) -> RemoteError {
    match (error, trust, verifier.shown()) {
        (RemoteError::Tls(_), Trust::Pinned(expected), Some(found)) if *expected != found => {
            RemoteError::Differs {
                expected: expected.to_string(),
                shown: found.to_string(),
            }
        }
        (RemoteError::Tls(_), Trust::Public, Some(found)) => RemoteError::Unknown {
            shown: found.to_string(),
        },
        (error, ..) => error,
    }
}

impl From<FtpError> for RemoteError {
    fn from(error: FtpError) -> RemoteError {
        match error {
            FtpError::ConnectionError(error) => RemoteError::Lost(error.to_string()),
            FtpError::SecureError(why) => RemoteError::Tls(said(&why)),
            FtpError::UnexpectedResponse(response) => {
                RemoteError::Refused(said(&String::from_utf8_lossy(&response.body)))
            }
            other => RemoteError::Refused(said(&other.to_string())),
        }
    }
}
