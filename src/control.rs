//! The unix socket by which the command line asks a running daemon: redb locks its file, so one process owns it.
//!
//! A request is one line of JSON. The answer is one line, `{"ok":true}` or `{"error":"…"}`, and after an ok the output of
//! the command up to the end of the stream. The same requests are carried out without a daemon by [`execute`].

use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
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

use crate::app::App;
use crate::crypto::Secret;
use crate::domain::audit::Actor;
use crate::domain::backup::Trigger;
use crate::domain::octets::Octets;
use crate::domain::operator::Role;
use crate::operations::backups::destination;
use crate::operations::doctor::{self, Depth};
use crate::operations::{
    Error, backups, export, licence, operators, pulse, search, setup, simulator, updates,
};

/// The name of the socket in the data folder.
const SOCKET: &str = "control.sock";
/// Commands carried out at once.
const MOST_AT_ONCE: usize = 4;
/// A request is a line of at most this many octets.
const LONGEST_REQUEST: u64 = 16 * 1024;
/// How long a peer may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

/// What can be asked. No Debug: passwords travel in it, over a socket that only the daemon's user can open.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// A new one-time setup link.
    Setup,
    OperatorAdd {
        name: String,
        role: String,
        password: String,
    },
    OperatorResetPassword {
        name: String,
        password: String,
    },
    OperatorResetFactor {
        name: String,
    },
    ExportSessions,
    /// A backup now; the first line of the answer is its file.
    BackupCreate,
    BackupList,
    BackupPassphrase {
        passphrase: String,
    },
    Reindex,
    /// What was found, as JSON: a list of `doctor::Finding`.
    Doctor {
        quick: bool,
    },
    /// Whether the daemon is well, in a moment.
    Pulse,
    /// How the licence stands.
    LicenseStatus,
    LicenseRegister {
        company: String,
        email: String,
    },
    LicenseActivate {
        key: String,
    },
    LicenseDeactivate,
    UpdateCheck,
    UpdateDownload,
    UpdateInstall,
    UpdateHistory,
    /// What a subscriber or a plan would get, as lines or as JSON.
    Simulate {
        asked: simulator::Asked,
        json: bool,
    },
}

#[derive(Serialize, Deserialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    ok: bool,
}

/// Carries a request out and writes its output. Blocks; not for async threads.
pub fn execute(
    app: &App,
    runtime: &Handle,
    request: Request,
    out: &mut dyn Write,
) -> Result<(), Error> {
    match request {
        Request::Setup => {
            let token = runtime.block_on(setup::new_token(app))?;
            writeln!(out, "{}/setup?token={}", app.panel_url(), token.expose())?;
        }
        Request::OperatorAdd {
            name,
            role,
            password,
        } => {
            let role = Role::parse(&role).map_err(|problem| Error::Field {
                field: "role",
                problem,
            })?;
            let password = Secret::new(password);
            let operator = runtime.block_on(operators::add(
                app,
                &Actor::CommandLine,
                &name,
                role,
                password,
            ))?;
            writeln!(
                out,
                "{} was added as {}",
                operator.name,
                operator.role.word()
            )?;
        }
        Request::OperatorResetPassword { name, password } => {
            let id = operators::find(app, &name)?.id;
            runtime.block_on(operators::reset_password(
                app,
                &Actor::CommandLine,
                id,
                Secret::new(password),
            ))?;
            writeln!(
                out,
                "{name} has a new password; all its browsers are signed out"
            )?;
        }
        Request::OperatorResetFactor { name } => {
            let id = operators::find(app, &name)?.id;
            runtime.block_on(operators::reset_factor(app, &Actor::CommandLine, id))?;
            writeln!(
                out,
                "{name} signs in with the password alone; all its browsers are signed out"
            )?;
        }
        Request::ExportSessions => {
            let picture = app.accounting.picture()?;
            export::sessions(&picture.live, &picture.view, out)?;
        }
        Request::Simulate { asked, json } => {
            let question = simulator::read(app, &asked)?.map_err(|problems| {
                let said = problems
                    .iter()
                    .map(|(field, why)| format!("{field}: {why}"));
                Error::Refused(said.collect::<Vec<_>>().join("; "))
            })?;
            let answer = simulator::answer(app, &question)?;
            if json {
                let text = serde_json::to_string_pretty(&answer).map_err(io::Error::from)?;
                writeln!(out, "{text}")?;
            } else {
                for line in answer.lines() {
                    writeln!(out, "{line}")?;
                }
            }
        }
        Request::BackupCreate => {
            let made = backups::create(app, Trigger::Person)?;
            let path = app.config.backup.folder.join(&made.name);
            writeln!(out, "{}", path.display())?;
            writeln!(
                out,
                "{} subscribers, {} rows, {}; restored for a test and compared",
                made.subscribers,
                made.rows,
                Octets(made.octets)
            )?;
            if let Some(destination) = destination::get(app)? {
                // The job sends it, now or when the daemon runs again.
                app.jobs.run_now(backups::JOB);
                let place = destination.place();
                match backups::pause::since(app)? {
                    None => writeln!(out, "It is sent to {place} next")?,
                    Some(_) => writeln!(
                        out,
                        "It is not sent to {place}: sending is paused since the restore; Settings, Backups resumes it"
                    )?,
                }
            }
        }
        Request::BackupPassphrase { passphrase } => {
            let passphrase = Secret::new(passphrase);
            let set = backups::settings::set_passphrase(app, &Actor::CommandLine, passphrase);
            runtime.block_on(set)?;
            writeln!(
                out,
                "The passphrase is set. Without it nobody can open a backup: keep it away from this machine"
            )?;
        }
        Request::BackupList => {
            let settings = app.settings();
            for line in backups::list(app)? {
                writeln!(out, "{}", backups::line(&line, &settings.calendar))?;
            }
        }
        Request::Reindex => {
            let documents = search::rebuild(app, |_| ControlFlow::Continue(()))?;
            writeln!(out, "{documents} entries are in the search index")?;
        }
        Request::Pulse => {
            let well = pulse::take(app)?;
            writeln!(
                out,
                "ok      proxpanel {}, store version {}, {} subscribers, {} sessions open",
                well.program, well.store, well.subscribers, well.open_sessions
            )?;
        }
        Request::LicenseStatus => say_licence(app, out)?,
        Request::LicenseRegister { company, email } => {
            let actor = Actor::CommandLine;
            runtime.block_on(licence::register(app, &actor, &company, &email))?;
            say_licence(app, out)?;
        }
        Request::LicenseActivate { key } => {
            runtime.block_on(licence::activate(app, &Actor::CommandLine, &key))?;
            say_licence(app, out)?;
        }
        Request::LicenseDeactivate => {
            let told = match runtime.block_on(licence::deactivate(app, &Actor::CommandLine))? {
                true => "The licence was given up; another machine can activate it",
                false => {
                    "The licence was given up here, but the vendor did not answer: for another machine, ask it to move the licence"
                }
            };
            writeln!(out, "{told}")?;
        }
        Request::UpdateCheck => match runtime.block_on(updates::check(app))? {
            Some(release) => {
                let size = Octets(release.octets);
                writeln!(out, "Version {} can be had, {size}", release.version)?;
                // Another's words on a terminal: no escape sequences.
                let is_plain = |c: &char| *c == '\n' || !c.is_control();
                let notes: String = release.notes.chars().filter(is_plain).collect();
                writeln!(out, "{notes}")?;
            }
            None => writeln!(out, "{} is the newest version", licence::VERSION)?,
        },
        Request::UpdateDownload => {
            let release = runtime.block_on(updates::download(app))?;
            let version = &release.version;
            writeln!(out, "Version {version} is here, and the vendor signed it")?;
        }
        Request::UpdateInstall => {
            let release = runtime.block_on(updates::install(app, &Actor::CommandLine))?;
            writeln!(
                out,
                "Version {} is handed to the package manager. What becomes of it: proxpanel update history",
                release.version
            )?;
        }
        Request::UpdateHistory => {
            for row in updates::status(app)?.history {
                writeln!(out, "{}", updates::line(&row, &app.settings().calendar))?;
            }
        }
        Request::Doctor { quick } => {
            let depth = match quick {
                true => Depth::Quick,
                false => Depth::Whole,
            };
            if depth == Depth::Whole {
                // Folding first puts everything into the tables, so that the sums compare whole figures.
                app.accounting.fold();
            }
            let findings = doctor::examine(app, depth);
            serde_json::to_writer(out, &findings).map_err(io::Error::from)?;
        }
    }
    Ok(())
}

fn say_licence(app: &App, out: &mut dyn Write) -> Result<(), Error> {
    let status = licence::status(app)?;
    for line in licence::lines(&status, &app.settings().calendar) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Listens for the command line. Dropping the server closes the socket.
pub struct Server {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Must be called inside the runtime.
    pub fn start(app: &Arc<App>) -> io::Result<Server> {
        let folder = app.store.folder().to_owned();
        let app = Arc::clone(app);
        Self::listen(&folder, move |runtime, request, out| {
            execute(&app, runtime, request, out).map_err(|error| error.to_string())
        })
    }

    /// Listens in a data folder for requests of another kind. The caller owns the folder, so a socket that is there is a
    /// leftover.
    pub fn listen<R: DeserializeOwned + 'static>(
        folder: &Path,
        carry: impl Fn(&Handle, R, &mut dyn Write) -> Result<(), String> + Send + Sync + 'static,
    ) -> io::Result<Server> {
        let path = folder.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let carry = move |runtime: &Handle, line: &str, out: &mut dyn Write| {
            let request = serde_json::from_str::<R>(line);
            let request = request.map_err(|_| {
                "the daemon does not know this command; is it another version?".to_owned()
            })?;
            carry(runtime, request, out)
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

/// Carries out a line of JSON, and says why not.
type Carry = dyn Fn(&Handle, &str, &mut dyn Write) -> Result<(), String> + Send + Sync;

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
                serve(carry.as_ref(), &runtime, stream)
            });
            if let Err(error) = served {
                tracing::warn!(%error, "a command broke off");
            }
            drop(place);
        });
    }
}

fn serve(carry: &Carry, runtime: &Handle, stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.try_clone()?.take(LONGEST_REQUEST)).read_line(&mut line)?;
    let mut reply = Reply {
        stream: io::BufWriter::new(stream),
        begun: false,
    };
    match carry(runtime, &line, &mut reply) {
        Ok(()) => reply.begin()?,
        // After output has begun nothing can be said any more; the stream just ends early.
        Err(error) if reply.begun => return Err(io::Error::other(error)),
        Err(error) => reply.refuse(error)?,
    }
    reply.stream.flush()
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

/// Asks the daemon that owns `folder`, and copies its output to `out`.
pub fn ask(folder: &Path, request: &impl Serialize, out: &mut dyn Write) -> io::Result<Asked> {
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
    writeln!(&stream, "{}", serde_json::to_string(request)?)?;
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
