//! The unix socket itself: who listens, what a request and its answer look like, and asking. Knows no command.
//!
//! A request is one line of JSON. Octets may follow the line; then their number and a blank stand before the JSON. The answer is one
//! line, `{"ok":true}` or `{"error":"…"}`, and after an ok the output of the command up to the end of the stream.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::crypto::Secret;
use crate::operations::import;

/// The name of the socket in the data folder.
const SOCKET: &str = "control.sock";
/// Commands carried out at once.
const MOST_AT_ONCE: usize = 4;
/// A request is a line of at most this many octets.
const LONGEST_REQUEST: u64 = 16 * 1024;
/// Octets that follow a request: a list of subscribers is all that ever does.
const LARGEST_BODY: usize = import::LARGEST;
/// How long a peer may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    ok: bool,
}

/// Listens for the command line. Dropping the server closes the socket.
pub struct Server {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Listens in a data folder for requests of any kind. The caller owns the folder, so a socket that is there is a
    /// leftover. Must be called inside the runtime.
    pub fn listen<R: DeserializeOwned + 'static>(
        folder: &Path,
        carry: impl Fn(&Handle, R, &mut dyn Write) -> Result<(), String> + Send + Sync + 'static,
    ) -> io::Result<Server> {
        Self::listen_for_bodies(folder, move |runtime, request, _, out| {
            carry(runtime, request, out)
        })
    }

    /// The same for requests that octets may follow.
    pub(super) fn listen_for_bodies<R: DeserializeOwned + 'static>(
        folder: &Path,
        carry: impl Fn(&Handle, R, &[u8], &mut dyn Write) -> Result<(), String> + Send + Sync + 'static,
    ) -> io::Result<Server> {
        let path = folder.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let carry = move |runtime: &Handle, json: &str, body: &[u8], out: &mut dyn Write| {
            let request = serde_json::from_str::<R>(json);
            let request = request.map_err(|_| {
                "the daemon does not know this command; is it another version?".to_owned()
            })?;
            carry(runtime, request, body, out)
        };
        let task = tokio::spawn(accept(listener, Arc::new(carry)));
        Ok(Server { path, task })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Carries out a line of JSON and the octets that follow it, and says why not.
type Carry = dyn Fn(&Handle, &str, &[u8], &mut dyn Write) -> Result<(), String> + Send + Sync;

async fn accept(listener: UnixListener, carry: Arc<Carry>) {
    let places = Arc::new(Semaphore::new(MOST_AT_ONCE));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the control socket cannot accept");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let (carry, runtime) = (Arc::clone(&carry), Handle::current());
        tokio::task::spawn_blocking(move || {
            let served = stream.into_std().and_then(|stream| {
                stream.set_nonblocking(false)?;
                serve(carry.as_ref(), &runtime, stream, PATIENCE)
            });
            if let Err(error) = served {
                tracing::warn!(%error, "a command broke off");
            }
            drop(place);
        });
    }
}

fn serve(
    carry: &Carry,
    runtime: &Handle,
    stream: UnixStream,
    patience: Duration,
) -> io::Result<()> {
    stream.set_read_timeout(Some(patience))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.by_ref().take(LONGEST_REQUEST).read_line(&mut line)?;
    let (length, json) = parts(&line);
    let mut reply = Reply {
        stream: io::BufWriter::new(stream),
        begun: false,
    };
    let done = if length > LARGEST_BODY {
        Err(format!("at most {LARGEST_BODY} octets follow a command"))
    } else {
        let body = read_body(&mut reader, length)?;
        carry(runtime, json, body.expose(), &mut reply)
    };
    match done {
        Ok(()) => reply.begin()?,
        // After output has begun nothing can be said any more; the stream just ends early.
        Err(error) if reply.begun => return Err(io::Error::other(error)),
        Err(error) => reply.refuse(error)?,
    }
    reply.stream.flush()
}

/// How many octets follow a line, and its JSON.
fn parts(line: &str) -> (usize, &str) {
    let with_length = line.split_once(' ').and_then(|(length, json)| {
        let length = length.parse().ok()?;
        Some((length, json))
    });
    with_length.unwrap_or((0, line))
}

/// Errors: a peer that stalls or ends before all of it came.
fn read_body(reader: &mut impl Read, length: usize) -> io::Result<Secret<Vec<u8>>> {
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Secret::new(body))
}

/// Writes the ok line before the first output.
struct Reply {
    stream: io::BufWriter<UnixStream>,
    begun: bool,
}

impl Reply {
    fn begin(&mut self) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            writeln!(
                self.stream,
                "{}",
                serde_json::to_string(&Answer {
                    ok: true,
                    error: None
                })?
            )?;
        }
        Ok(())
    }

    fn refuse(&mut self, error: String) -> io::Result<()> {
        writeln!(
            self.stream,
            "{}",
            serde_json::to_string(&Answer {
                ok: false,
                error: Some(error)
            })?
        )
    }
}

impl Write for Reply {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.begin()?;
        self.stream.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// What became of asking a daemon.
pub enum Asked {
    Done,
    /// It refused or failed, and said why.
    Failed(String),
    /// No daemon runs on this data folder.
    NoDaemon,
}

/// Whether a daemon answers on this data folder.
pub fn is_served(folder: &Path) -> bool {
    UnixStream::connect(folder.join(SOCKET)).is_ok()
}

/// Asks the daemon that owns `folder`, with the octets that belong to the request, if any, and copies its output to `out`.
pub fn ask(
    folder: &Path,
    request: &impl Serialize,
    body: &[u8],
    out: &mut dyn Write,
) -> io::Result<Asked> {
    let json = serde_json::to_string(request)?;
    let line = match body.len() {
        0 => format!("{json}\n"),
        length => format!("{length} {json}\n"),
    };
    if u64::try_from(line.len()).is_ok_and(|length| length > LONGEST_REQUEST) {
        let text = format!("the options of a command have at most {LONGEST_REQUEST} octets");
        return Err(io::Error::other(text));
    }
    let stream = match UnixStream::connect(folder.join(SOCKET)) {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(Asked::NoDaemon);
        }
        Err(error) => return Err(error),
    };
    let sent = (&stream).write_all(line.as_bytes());
    match sent.and_then(|()| (&stream).write_all(body)) {
        // Who refuses early reads no further; the answer says why.
        Err(error) if !is_hung_up(&error) => return Err(error),
        _ => {}
    }
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let answer: Answer = serde_json::from_str(&line).map_err(|_| {
        io::Error::other("the daemon broke off without an answer; its log says why")
    })?;
    if !answer.ok {
        return Ok(Asked::Failed(answer.error.unwrap_or_default()));
    }
    io::copy(&mut reader, out)?;
    Ok(Asked::Done)
}

fn is_hung_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
