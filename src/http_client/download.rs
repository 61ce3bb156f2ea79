//! Files that are fetched: streamed to the disk, never into memory.
//!
//! Invariant: the file appears under its name only when it is whole and on the disk. What was fetched before a connection
//! broke is thrown away; the next attempt starts from the first octet.

use std::fs::{self, File};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{Client, HttpError, host, parse};

/// Octets that are gathered before they are written: each write is handed to a thread that may block.
const PIECE: usize = 256 << 10;
/// A download that dribbles must end too; 100 MB need 30 KB a second for this.
const LONGEST: Duration = Duration::from_secs(3_600);

/// What was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Downloaded {
    pub octets: u64,
    pub sha256: [u8; 32],
}

impl Client {
    /// Fetches a file into `to`, by way of `to` with `.part` behind its name. `progress` gets the octets so far and, where
    /// the other side says so, the octets of all.
    ///
    /// Errors: `TooLarge` beyond `largest` octets, `Timeout` when nothing comes for a while, `File` for what the disk
    /// refuses. After an error no file is left.
    pub async fn download(
        &self,
        url: &str,
        bearer: Option<&str>,
        to: &Path,
        largest: u64,
        progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Downloaded, HttpError> {
        let uri = parse(url)?;
        let host = host(&uri);
        let answer = self.follow(uri, bearer).await?;
        let mut name = to.as_os_str().to_owned();
        name.push(".part");
        let draft = PathBuf::from(name);
        let fetching = self.fetch(&host, answer.into_body(), &draft, largest, progress);
        let whole = match timeout(LONGEST, fetching).await {
            Ok(Ok(whole)) => fs::rename(&draft, to)
                .map(|()| whole)
                .map_err(|source| file_fault(to, source)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(HttpError::Timeout { host }),
        };
        if whole.is_err() {
            // The half of a file only takes room; whether it can be removed changes nothing.
            let _ = fs::remove_file(&draft);
        }
        whole
    }

    async fn fetch(
        &self,
        host: &str,
        mut body: Incoming,
        draft: &Path,
        largest: u64,
        mut progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Downloaded, HttpError> {
        let too_large = || HttpError::TooLarge {
            host: host.to_owned(),
            limit: largest,
        };
        let announced = body.size_hint().exact();
        if announced.is_some_and(|all| all > largest) {
            return Err(too_large());
        }
        let mut file = File::create(draft).map_err(|source| file_fault(draft, source))?;
        let mut digest = Sha256::new();
        let mut octets = 0_u64;
        let mut waiting = Vec::with_capacity(PIECE);
        while let Some(frame) = timeout(self.limits.stall, body.frame())
            .await
            .map_err(|_| HttpError::Timeout {
                host: host.to_owned(),
            })?
        {
            let frame = frame.map_err(|error| HttpError::Garbled {
                host: host.to_owned(),
                why: error.to_string(),
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            octets = octets.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
            if octets > largest {
                return Err(too_large());
            }
            digest.update(&data);
            waiting.extend_from_slice(&data);
            if waiting.len() >= PIECE {
                file = write(file, mem::take(&mut waiting), false)
                    .await
                    .map_err(|source| file_fault(draft, source))?;
                progress(octets, announced);
            }
        }
        write(file, waiting, true)
            .await
            .map_err(|source| file_fault(draft, source))?;
        progress(octets, announced);
        Ok(Downloaded {
            octets,
            sha256: digest.finalize().into(),
        })
    }
}

/// Writes beside the async threads.
async fn write(mut file: File, octets: Vec<u8>, is_last: bool) -> io::Result<File> {
    tokio::task::spawn_blocking(move || {
        file.write_all(&octets)?;
        if is_last {
            file.sync_all()?;
        }
        Ok(file)
    })
    .await
    .map_err(io::Error::other)?
}

fn file_fault(path: &Path, source: io::Error) -> HttpError {
    HttpError::File {
        path: path.to_owned(),
        source,
    }
}
