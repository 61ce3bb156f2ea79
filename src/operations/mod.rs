//! What can be done: one file per noun, one public function per verb.
//!
//! The panel, the command line and the jobs call the same verbs. Invariant: everything that changes the store is here,
//! in one transaction with its audit entry and its follow-up work.

pub mod aaa;
pub mod addresses;
pub mod api_usage;
pub mod attempts;
pub mod backups;
pub mod bandwidth_rules;
pub mod cdn;
pub mod certificates;
pub mod coa_test;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod extras;
pub mod fair_use;
pub mod import;
pub mod jobs;
pub mod licence;
pub mod live_rate;
pub mod macs;
pub mod nas;
pub mod nas_checks;
pub mod nas_health;
mod notices;
pub mod online;
pub mod operators;
mod others;
pub mod overview;
mod paging;
mod plan_words;
pub mod plans;
pub mod pools;
pub mod pulse;
pub mod quota_sync;
pub mod reconnects;
pub mod records;
pub mod restart;
pub mod router_api;
pub mod router_script;
pub mod routers;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod simulator;
pub mod speeds;
mod subscriber_words;
pub mod subscribers;
pub mod support;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod trail;
pub mod updates;
pub mod usage_audit;

use crate::archive::ArchiveError;
use crate::crypto::CryptoError;
use crate::domain::Invalid;
use crate::remote::RemoteError;
use crate::search::SearchError;
use crate::store::StoreError;
use crate::store::accounting::AccountingError;
use crate::store::snapshot::SnapshotError;
use crate::tls::TlsError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule forbids it; in words for the operator. Nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// One value of a form is not possible, known only once the store was asked.
    #[error("{field}: {problem}")]
    Field {
        field: &'static str,
        problem: Invalid,
    },
    #[error("this {0} does not exist (any more)")]
    Missing(&'static str),
    /// Passwords were tried too fast.
    #[error("Too many attempts. Wait a minute, then try again")]
    Throttled,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Accounting(#[from] AccountingError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A backup that opens and does not hold what it should.
    #[error("the backup is not whole: {0}. Take another one")]
    NotWhole(String),
    /// A file that did not get to another machine.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error("it was cancelled")]
    Cancelled,
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("a background thread ended early")]
    Interrupted,
}

impl Error {
    /// Whether a backup cannot be restored, and not only not here and now.
    fn is_about_the_backup(&self) -> bool {
        match self {
            Error::NotWhole(_) => true,
            Error::Archive(error) => !matches!(
                error,
                ArchiveError::WrongWords(_)
                    | ArchiveError::OtherKind { .. }
                    | ArchiveError::Newer { .. }
                    | ArchiveError::Io(_)
                    | ArchiveError::Crypto(_)
            ),
            Error::Snapshot(error) => {
                !matches!(error, SnapshotError::Cancelled | SnapshotError::Io { .. })
            }
            _ => false,
        }
    }

    pub(crate) fn field(field: &'static str, problem: impl Into<String>) -> Error {
        Error::Field {
            field,
            problem: Invalid::new(problem),
        }
    }
}

/// Runs work that blocks, such as scans and password hashes, beside the async threads.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::Interrupted)
}
