//! `proxpanel vendor`: the other side of licences.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::{CliError, GENERATED_GROUPS, read_password, step_down};
use crate::app::Clock;
use crate::control::{self, Asked};
use crate::crypto;
use crate::vendor::{Configured, Desk, Init, Lent, Request, ServeOptions, execute, serve};
use crate::{daemon, telemetry};

#[derive(Args, Clone)]
pub(super) struct Folder {
    /// The vendor's data folder; never that of an appliance
    #[arg(long, value_name = "DIR", default_value = "/var/lib/proxpanel-vendor")]
    data_dir: PathBuf,
}

#[derive(Args, Clone)]
pub(super) struct Terms {
    /// Most subscribers; without it, any number
    #[arg(long, value_name = "N")]
    subscribers: Option<u32>,
    /// Days from now; without it, for ever
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Days that go on after the end, and without a word from here
    #[arg(long, value_name = "N", default_value_t = 14)]
    grace: u16,
}

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make the data folder, the signing key, a certificate and the password of the page
    Init {
        #[command(flatten)]
        folder: Folder,
        /// Name or address of this machine, for the certificate; may be repeated
        #[arg(long, value_name = "NAME", default_value = "localhost")]
        host: Vec<String>,
        /// Read the password of the page from standard input instead of generating one
        #[arg(long)]
        password_stdin: bool,
        /// Days of a licence that a machine may ask for itself; 0 gives none
        #[arg(long, value_name = "N", default_value_t = 30)]
        trial_days: u32,
        /// Most subscribers of such a licence
        #[arg(long, value_name = "N", default_value_t = 100)]
        trial_subscribers: u32,
    },
    /// Answer appliances and show the page
    Serve {
        #[command(flatten)]
        folder: Folder,
        /// Where HTTPS listens; port 0 takes a free one
        #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:443")]
        listen: SocketAddr,
        /// PEM file of a certificate, with those of the authorities in between; without it, the one that init made
        #[arg(long, value_name = "FILE", requires = "key")]
        certificate: Option<PathBuf>,
        /// PEM file of its key
        #[arg(long, value_name = "FILE", requires = "certificate")]
        key: Option<PathBuf>,
    },
    /// Make a licence and print its key
    Issue {
        #[command(flatten)]
        folder: Folder,
        customer: String,
        #[arg(long, default_value = "")]
        email: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// Give a licence other terms, from now on; a revoked one holds again
    Renew {
        #[command(flatten)]
        folder: Folder,
        licence: u32,
        #[command(flatten)]
        terms: Terms,
    },
    /// Take a licence back
    Revoke {
        #[command(flatten)]
        folder: Folder,
        licence: u32,
        /// What the customer is told
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Free a licence from its machine: the next one that activates it has it
    Move {
        #[command(flatten)]
        folder: Folder,
        licence: u32,
    },
    /// List licences, newest first
    List {
        #[command(flatten)]
        folder: Folder,
        /// Part of a customer's name or address, a number, or the end of a key
        #[arg(default_value = "")]
        search: String,
    },
    /// Sign a Debian package and offer it to appliances
    Publish {
        #[command(flatten)]
        folder: Folder,
        file: PathBuf,
        /// Of the package, such as 0.3.0
        #[arg(long)]
        version: String,
        /// amd64 or arm64
        #[arg(long, value_name = "ARCH")]
        arch: String,
        /// What is new, for customers: plain text
        #[arg(long, default_value = "")]
        notes: String,
    },
    /// Offer a release no longer
    Withdraw {
        #[command(flatten)]
        folder: Folder,
        release: u32,
    },
    /// List releases, newest first
    Releases {
        #[command(flatten)]
        folder: Folder,
    },
    /// Print what goes into the configuration of customers
    Key {
        #[command(flatten)]
        folder: Folder,
    },
}

pub(super) fn run(verb: Verb) -> Result<(), CliError> {
    match verb {
        Verb::Init {
            folder,
            host,
            password_stdin,
            trial_days,
            trial_subscribers,
        } => {
            // Before the line is read: it cannot be read twice.
            step_down::to_owner_of(&folder.data_dir)?;
            let password = match password_stdin {
                true => read_password()?,
                false => crypto::readable_code(GENERATED_GROUPS)?.expose().clone(),
            };
            let shown = password.clone();
            let init = Init {
                password,
                hosts: host,
                trial_days,
                trial_subscribers,
            };
            let desk = Desk::init(&folder.data_dir, &init, Clock::System)?;
            let lines = desk.key_lines();
            desk.store.close();
            let mut out = io::stdout().lock();
            if !password_stdin {
                writeln!(out, "Password of the page: {shown}\n")?;
            }
            writeln!(out, "For the configuration of customers:\n")?;
            for line in lines? {
                writeln!(out, "{line}")?;
            }
            Ok(())
        }
        Verb::Serve {
            folder,
            listen,
            certificate,
            key,
        } => {
            telemetry::start_logging("info");
            let options = ServeOptions {
                listen,
                certificate: certificate
                    .zip(key)
                    .map(|(certificate, key)| Configured { certificate, key }),
            };
            let desk = Arc::new(Desk::open(&folder.data_dir, Clock::System)?);
            let served = daemon::runtime()?.block_on(serve(Arc::clone(&desk), &options));
            desk.store.close();
            Ok(served?)
        }
        Verb::Issue {
            folder,
            customer,
            email,
            terms,
        } => ask(
            &folder.data_dir,
            Request::Issue {
                customer,
                email,
                most_subscribers: terms.subscribers,
                days: terms.days,
                grace_days: terms.grace,
            },
        ),
        Verb::Renew {
            folder,
            licence,
            terms,
        } => ask(
            &folder.data_dir,
            Request::Renew {
                licence,
                most_subscribers: terms.subscribers,
                days: terms.days,
                grace_days: terms.grace,
            },
        ),
        Verb::Revoke {
            folder,
            licence,
            reason,
        } => ask(&folder.data_dir, Request::Revoke { licence, reason }),
        Verb::Move { folder, licence } => ask(&folder.data_dir, Request::Move { licence }),
        Verb::List { folder, search } => ask(&folder.data_dir, Request::List { search }),
        Verb::Publish {
            folder,
            file,
            version,
            arch,
            notes,
        } => publish(&folder.data_dir, &file, |file| Request::Publish {
            file,
            version,
            architecture: arch,
            notes,
        }),
        Verb::Withdraw { folder, release } => ask(&folder.data_dir, Request::Withdraw { release }),
        Verb::Releases { folder } => ask(&folder.data_dir, Request::Releases),
        Verb::Key { folder } => ask(&folder.data_dir, Request::Key),
    }
}

/// Asks the running server, or opens the data folder itself when there is none.
fn ask(folder: &Path, request: Request) -> Result<(), CliError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match control::ask(folder, &request, &[], &mut out)? {
        Asked::Done => {}
        Asked::Failed(why) => return Err(CliError::Refused(why)),
        Asked::NoDaemon => {
            step_down::to_owner_of(folder)?;
            let runtime = daemon::runtime()?;
            let desk = Desk::open(folder, Clock::System)?;
            let done = execute(&desk, runtime.handle(), request, &mut out);
            desk.store.close();
            done?;
        }
    }
    out.flush()?;
    Ok(())
}

/// A running server is another user, for whom most folders do not exist: it gets a copy in its own.
fn publish(
    folder: &Path,
    file: &Path,
    request: impl FnOnce(PathBuf) -> Request,
) -> Result<(), CliError> {
    if !control::is_served(folder) {
        return ask(folder, request(file.to_owned()));
    }
    let lent = Lent::copy(file, folder)?;
    ask(folder, request(std::path::absolute(lent.path())?))
}
