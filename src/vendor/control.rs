//! The vendor's commands: asked of a running server over its socket, or carried out without one.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::desk::Desk;
use super::licences::{Issue, Terms};
use super::publish::Publish;
use super::records::Who;
use super::{VendorError, pages};
use crate::{control, crypto};

/// What can be asked.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    Issue {
        customer: String,
        email: String,
        most_subscribers: Option<u32>,
        days: Option<u32>,
        grace_days: u16,
    },
    Renew {
        licence: u32,
        most_subscribers: Option<u32>,
        days: Option<u32>,
        grace_days: u16,
    },
    Revoke {
        licence: u32,
        reason: String,
    },
    Move {
        licence: u32,
    },
    List {
        search: String,
    },
    Key,
    Publish {
        /// A whole path.
        file: PathBuf,
        version: String,
        architecture: String,
        notes: String,
    },
    Withdraw {
        release: u32,
    },
    Releases,
}

/// Carries a request out and writes its output. Blocks; not for async threads.
pub fn execute(
    desk: &Desk,
    runtime: &Handle,
    request: Request,
    out: &mut dyn Write,
) -> Result<(), VendorError> {
    let who = Who::command_line();
    match request {
        Request::Issue {
            customer,
            email,
            most_subscribers,
            days,
            grace_days,
        } => {
            let issue = Issue {
                customer,
                email,
                terms: Terms {
                    most_subscribers,
                    days,
                    grace_days,
                },
            };
            let (id, key) = runtime.block_on(desk.issue(who, &issue))?;
            writeln!(out, "Licence {id} for {}", issue.customer)?;
            writeln!(out, "Key: {}", key.expose())?;
        }
        Request::Renew {
            licence,
            most_subscribers,
            days,
            grace_days,
        } => {
            let terms = Terms {
                most_subscribers,
                days,
                grace_days,
            };
            runtime.block_on(desk.renew(who, licence, terms))?;
            writeln!(out, "Licence {licence} has new terms")?;
        }
        Request::Revoke { licence, reason } => {
            runtime.block_on(desk.revoke(who, licence, &reason))?;
            writeln!(
                out,
                "Licence {licence} is revoked; its machine hears of it within the hour"
            )?;
        }
        Request::Move { licence } => {
            runtime.block_on(desk.move_on(who, licence))?;
            writeln!(
                out,
                "Licence {licence} is free: the next machine that activates it has it"
            )?;
        }
        Request::List { search } => {
            for listed in desk.licences(u32::MAX, &search)? {
                writeln!(out, "{}", pages::line(&listed, desk.now()))?;
            }
        }
        Request::Publish {
            file,
            version,
            architecture,
            notes,
        } => {
            let publish = Publish {
                file,
                version,
                architecture,
                notes,
            };
            let (id, row) = runtime.block_on(desk.publish(who, publish))?;
            writeln!(
                out,
                "Release {id}: {} for {}, {} octets, SHA-256 {}",
                row.version,
                row.architecture,
                row.octets,
                crypto::hex(&row.sha256)
            )?;
        }
        Request::Withdraw { release } => {
            runtime.block_on(desk.withdraw(who, release))?;
            writeln!(
                out,
                "Release {release} is withdrawn: nobody is offered it any more"
            )?;
        }
        Request::Releases => {
            for (id, row) in desk.releases()? {
                writeln!(out, "{}", pages::release_line(id, &row))?;
            }
        }
        Request::Key => {
            for line in desk.key_lines()? {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

/// Listens for commands. Must be called inside the runtime.
pub(super) fn start(desk: &Arc<Desk>) -> std::io::Result<control::Server> {
    let folder = desk.folder().to_owned();
    let desk = Arc::clone(desk);
    control::Server::listen(&folder, move |runtime, request, out| {
        execute(&desk, runtime, request, out).map_err(|error| error.to_string())
    })
}
