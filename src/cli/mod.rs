//! The command line: says what to do, and where.

mod backup;
mod doctor;
mod import;
mod license;
mod radsec;
mod radtest;
mod simulate;
mod step_down;
mod update;
mod vendor;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::app::{App, Clock};
use crate::config::{Config, ConfigError, Overrides, Source};
use crate::control::{self, Asked, Request};
use crate::crypto;
use crate::daemon::{self, DaemonError};
use crate::domain::operator::Role;
use crate::operations::demo;
use crate::store::accounting::Pace;
use crate::store::{OpenOptions, Store};
use crate::{operations, telemetry};

/// RADIUS, accounting and a panel for small internet service providers.
#[derive(Parser)]
#[command(name = "proxpanel", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Clone)]
struct Place {
    /// Configuration file [default: /etc/proxpanel/proxpanel.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder, instead of the configured one
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the appliance
    Serve {
        #[command(flatten)]
        place: Place,
        /// Where the panel listens for plain HTTP, without HTTPS unless that is named too; may be repeated, port 0 takes a free one
        #[arg(long, value_name = "ADDR")]
        web_listen: Vec<SocketAddr>,
        /// Where the panel listens for HTTPS; may be repeated
        #[arg(long, value_name = "ADDR")]
        https_listen: Vec<SocketAddr>,
        /// Where RADIUS authentication listens; may be repeated
        #[arg(long, value_name = "ADDR")]
        auth_listen: Vec<SocketAddr>,
        /// Where RADIUS accounting listens; may be repeated
        #[arg(long, value_name = "ADDR")]
        acct_listen: Vec<SocketAddr>,
        /// Where RadSec listens (TCP); may be repeated
        #[arg(long, value_name = "ADDR")]
        radsec_listen: Vec<SocketAddr>,
        /// Tell a person who starts it by hand what to do first
        #[arg(long)]
        greet: bool,
    },
    /// Print a new one-time link that makes the first operator
    Setup {
        #[command(flatten)]
        place: Place,
    },
    /// Check the configuration and name every problem in it
    CheckConfig {
        #[command(flatten)]
        place: Place,
    },
    /// Manage the people who sign in to the panel
    Operator {
        #[command(subcommand)]
        verb: OperatorVerb,
    },
    /// Send a login to a RADIUS server and print the decoded reply
    Radtest(radtest::Options),
    /// Say what a subscriber or a plan would get at some moment with some usage, and why
    Simulate(simulate::Options),
    /// Make a backup now, test it, and print its file
    Backup(backup::Backup),
    /// Put a backup in a data folder, on this machine or on a blank one
    Restore(backup::Restore),
    /// Add subscribers from a list: look at it, import it, take it back
    Import {
        #[command(subcommand)]
        verb: import::Verb,
    },
    /// Make the search index anew
    Reindex {
        #[command(flatten)]
        place: Place,
    },
    /// Look at everything that can go wrong, and say what to do about it
    Doctor(doctor::Options),
    /// Fill an empty data folder with an invented ISP
    Demo {
        #[command(flatten)]
        place: Place,
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(demo::MOST_SUBSCRIBERS)))]
        subscribers: u32,
        /// Sessions that are open
        #[arg(long, value_name = "M", default_value_t = 0)]
        sessions: u32,
        /// Days of history
        #[arg(long, value_name = "D", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(demo::MOST_DAYS)))]
        days: u32,
    },
    /// The licence of this installation, where it has a vendor
    License {
        #[command(subcommand)]
        verb: license::Verb,
    },
    /// Newer versions from the vendor: look, fetch, install
    Update {
        #[command(subcommand)]
        verb: update::Verb,
    },
    /// Be a vendor: issue licences and give out updates, from a data folder of its own
    Vendor {
        #[command(subcommand)]
        verb: vendor::Verb,
    },
    /// Print data
    Export {
        #[command(subcommand)]
        what: Exported,
    },
    /// Print the completions for a shell
    #[command(hide = true)]
    Completions { shell: clap_complete::Shell },
}

#[derive(Subcommand)]
enum OperatorVerb {
    /// Add an operator; prints a generated password
    Add {
        #[command(flatten)]
        place: Place,
        name: String,
        /// administrator or viewer
        #[arg(long, default_value = "administrator")]
        role: String,
        /// Read the password from standard input instead of generating one
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give an operator a new generated password and sign all browsers out
    ResetPassword {
        #[command(flatten)]
        place: Place,
        name: String,
        #[arg(long)]
        password_stdin: bool,
    },
    /// Take the second factor of an operator away whose phone is lost, and sign all browsers out
    #[command(name = "reset-2fa")]
    ResetFactor {
        #[command(flatten)]
        place: Place,
        name: String,
    },
}

#[derive(Subcommand)]
enum Exported {
    /// Every session, open and closed, as CSV
    Sessions {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error(transparent)]
    App(#[from] crate::app::AppError),
    #[error(transparent)]
    Store(#[from] crate::store::OpenError),
    #[error(transparent)]
    Operation(#[from] operations::Error),
    #[error(transparent)]
    Vendor(#[from] crate::vendor::VendorError),
    #[error(transparent)]
    Crypto(#[from] crypto::CryptoError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Refused(String),
}

/// Runs the command of this process. 0: done; 1: failed, with the reason on standard error; 2: not understood.
pub fn run() -> ExitCode {
    match carry_out(Cli::parse().command) {
        Ok(code) => code,
        // Whoever reads the output has seen enough.
        Err(CliError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; then nobody can be told.
            let _ = writeln!(io::stderr(), "proxpanel: {error}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Serve {
            place,
            web_listen,
            https_listen,
            auth_listen,
            acct_listen,
            radsec_listen,
            greet,
        } => {
            let overrides = Overrides {
                data_dir: place.data_dir,
                web_listen,
                https_listen,
                auth_listen,
                acct_listen,
                radsec_listen,
            };
            let source = Source {
                path: place.config,
                overrides,
            };
            let config = source.load()?;
            let logging = telemetry::start_logging(&config.log.level.to_string());
            make_folder(&config.data_dir)?;
            daemon::serve(config, &logging, greet)?;
        }
        Command::CheckConfig { place } => {
            let config = configured(&place)?;
            writeln!(
                io::stdout(),
                "The configuration is good. Data folder: {}",
                config.data_dir.display()
            )?;
        }
        Command::Setup { place } => print(&place, Request::Setup)?,
        Command::Operator { verb } => operator(verb)?,
        Command::Radtest(options) => return radtest::run(&options).map_err(CliError::Refused),
        Command::Simulate(options) => {
            let place = options.place.clone();
            print(&place, options.request())?;
        }
        Command::License { verb } => {
            let (place, request) = verb.request();
            print(&place, request)?;
        }
        Command::Update { verb } => update::run(verb)?,
        Command::Vendor { verb } => vendor::run(verb)?,
        Command::Backup(options) => backup::backup(options)?,
        Command::Restore(options) => backup::restore(&options)?,
        Command::Import { verb } => import::run(verb)?,
        Command::Reindex { place } => print(&place, Request::Reindex)?,
        Command::Doctor(options) => return doctor::run(&options),
        Command::Demo {
            place,
            subscribers,
            sessions,
            days,
        } => {
            fill_demo(
                &configured(&place)?,
                demo::Size {
                    subscribers,
                    sessions,
                    days,
                },
            )?;
        }
        Command::Export {
            what: Exported::Sessions { place },
        } => print(&place, Request::ExportSessions)?,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "proxpanel", &mut io::stdout());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn configured(place: &Place) -> Result<Config, CliError> {
    let overrides = Overrides {
        data_dir: place.data_dir.clone(),
        ..Overrides::default()
    };
    Ok(Config::load(place.config.as_deref(), &overrides)?)
}

/// Carries a request out and prints its output.
fn print(place: &Place, request: Request) -> Result<(), CliError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    ask(place, request, &mut out)?;
    Ok(out.flush()?)
}

/// Asks the running daemon, or opens the data folder itself when there is none.
fn ask(place: &Place, request: Request, out: &mut dyn Write) -> Result<(), CliError> {
    ask_with(place, request, &[], out)
}

/// The same with octets that belong to the request.
fn ask_with(
    place: &Place,
    request: Request,
    body: &[u8],
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let config = configured(place)?;
    match control::ask(&config.data_dir, &request, body, out)? {
        Asked::Done => {}
        Asked::Failed(why) => return Err(CliError::Refused(why)),
        Asked::NoDaemon => {
            telemetry::start_logging("warn");
            let folder = &config.data_dir;
            if !folder.join(crate::store::FILE_NAME).exists() {
                return Err(CliError::Refused(format!(
                    "there is no data in {}; start the appliance once with `proxpanel serve`, or name its folder with --data-dir",
                    folder.display()
                )));
            }
            step_down::to_owner_of(folder)?;
            let runtime = daemon::runtime()?;
            let app = App::open(config, Clock::System, Pace::default())?;
            let done = control::execute(&app, runtime.handle(), request, body, out);
            app.close();
            done?;
        }
    }
    Ok(())
}

/// Asks the running daemon; that there is none is a failure.
fn ask_daemon(place: &Place, request: &Request) -> Result<(), CliError> {
    let config = configured(place)?;
    let mut out = io::stdout().lock();
    match control::ask(&config.data_dir, request, &[], &mut out)? {
        Asked::Done => Ok(out.flush()?),
        Asked::Failed(why) => Err(CliError::Refused(why)),
        Asked::NoDaemon => Err(CliError::Refused(format!(
            "no daemon runs on {}",
            config.data_dir.display()
        ))),
    }
}

/// Groups of five signs in a generated password: 100 bits.
const GENERATED_GROUPS: usize = 4;

fn operator(verb: OperatorVerb) -> Result<(), CliError> {
    let (place, name, password_stdin, role) = match verb {
        OperatorVerb::Add {
            place,
            name,
            role,
            password_stdin,
        } => {
            Role::parse(&role).map_err(|problem| CliError::Refused(problem.to_string()))?;
            (place, name, password_stdin, Some(role))
        }
        OperatorVerb::ResetPassword {
            place,
            name,
            password_stdin,
        } => (place, name, password_stdin, None),
        OperatorVerb::ResetFactor { place, name } => {
            return print(&place, Request::OperatorResetFactor { name });
        }
    };
    let password = if password_stdin {
        // Before the line is read: it cannot be read twice.
        step_down::to_owner_of(&configured(&place)?.data_dir)?;
        read_password()?
    } else {
        crypto::readable_code(GENERATED_GROUPS)?.expose().clone()
    };
    let shown = password.clone();
    let request = match role {
        Some(role) => Request::OperatorAdd {
            name,
            role,
            password,
        },
        None => Request::OperatorResetPassword { name, password },
    };
    print(&place, request)?;
    if !password_stdin {
        writeln!(io::stdout(), "Password: {shown}")?;
    }
    Ok(())
}

/// Makes the data folder of a new installation, for its owner alone. One that is there keeps its mode.
fn make_folder(folder: &Path) -> Result<(), CliError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made.map_err(|error| {
        CliError::Refused(format!(
            "cannot make the data folder {}: {error}",
            folder.display()
        ))
    })
}

/// One line of standard input.
fn read_password() -> Result<String, CliError> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn fill_demo(config: &Config, size: demo::Size) -> Result<(), CliError> {
    telemetry::start_logging("warn");
    make_folder(&config.data_dir)?;
    step_down::to_owner_of(&config.data_dir)?;
    let store = Store::open(&config.data_dir, OpenOptions::default())?;
    let filled = demo::fill(&store, size, Clock::System.now(), |what, done, of| {
        // Progress is a courtesy.
        let _ = writeln!(io::stderr(), "{what}: {done} of {of}");
        ControlFlow::Continue(())
    });
    store.close();
    filled?;
    writeln!(
        io::stdout(),
        "{} holds {} subscribers, user00000 with password pass00000 and so on",
        config.data_dir.display(),
        size.subscribers
    )?;
    Ok(())
}
