//! How the command line asks a running daemon: redb locks its file, so one process owns it.
//!
//! What can be asked stands here, and the way it travels in `socket`. The same requests are carried out without a daemon by
//! [`execute`].

mod socket;

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::app::App;
use crate::crypto::Secret;
use crate::domain::audit::Actor;
use crate::domain::backup::Trigger;
use crate::domain::octets::Octets;
use crate::domain::operator::Role;
use crate::operations::backups::destination;
use crate::operations::doctor::{self, Depth};
use crate::operations::import::Reading;
use crate::operations::{
    Error, backups, export, import, licence, operators, pulse, search, setup, simulator, updates,
};

pub use socket::{Asked, Server, ask, is_served};

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
    /// What the list that follows would come to, as JSON: `import::Told`.
    ImportLook {
        reading: Reading,
    },
    /// Adds whom the list that follows has.
    ImportApply {
        /// What the file is called.
        file: String,
        reading: Reading,
    },
    ImportList,
    ImportUndo {
        import: u32,
    },
}

/// Carries a request out, with the octets that belong to it, and writes its output. Blocks; not for async threads.
pub fn execute(
    app: &App,
    runtime: &Handle,
    request: Request,
    body: &[u8],
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
        Request::ImportLook { reading } => {
            let choices = import::wanted(app, body, &reading)?;
            let told = import::tell(&import::look(app, body, &choices)?, choices.leaves_out);
            serde_json::to_writer(out, &told).map_err(io::Error::from)?;
        }
        Request::ImportApply { file, reading } => {
            let choices = import::wanted(app, body, &reading)?;
            let done = import::apply(app, &Actor::CommandLine, &file, body, &choices)?;
            for line in import::done_lines(&done) {
                writeln!(out, "{line}")?;
            }
        }
        Request::ImportList => {
            let settings = app.settings();
            for past in import::past(app)? {
                writeln!(out, "{}", import::past_line(&past, &settings.calendar))?;
            }
        }
        Request::ImportUndo { import } => {
            let before = import::ask_undo(app, import)?;
            let deleted = import::undo(app, &Actor::CommandLine, import)?;
            writeln!(out, "{}", import::undone_line(import, deleted, &before))?;
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

impl Server {
    /// Listens for the command line. Must be called inside the runtime.
    pub fn start(app: &Arc<App>) -> io::Result<Server> {
        let folder = app.store.folder().to_owned();
        let app = Arc::clone(app);
        Self::listen_for_bodies(&folder, move |runtime, request, body, out| {
            execute(&app, runtime, request, body, out).map_err(|error| error.to_string())
        })
    }
}
