//! The shortest sign of life, for the watchdog and for whoever has just installed another version.

use crate::app::App;
use crate::store::settings::{self, Setting};
use crate::store::{self, subscribers};

use super::Error;

/// A daemon that is well, in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    pub program: &'static str,
    /// Schema version of the store, as `OpenError::Newer` names it.
    pub store: u32,
    pub subscribers: u64,
    pub open_sessions: usize,
}

/// One small read of the store. That is all the watchdog asks for: a full disk must not end logins by a restart.
pub fn read_store(app: &App) -> Result<(), Error> {
    settings::get(&app.store.view()?, Setting::IspName)?;
    Ok(())
}

/// Reads, and looks whether the disk took what was written last. Errors: `Refused` with what is broken.
pub fn take(app: &App) -> Result<Pulse, Error> {
    read_store(app)?;
    if let Some(failure) = app.store.health().failing {
        return Err(Error::Refused(format!(
            "changes cannot be written: {}",
            failure.message
        )));
    }
    if let Some(why) = app.accounting.health().failing {
        return Err(Error::Refused(format!(
            "accounting cannot be written: {why}"
        )));
    }
    Ok(Pulse {
        program: env!("CARGO_PKG_VERSION"),
        store: store::newest_version(),
        subscribers: subscribers::count(&app.store.view()?)?,
        open_sessions: app.accounting.live().open_count(),
    })
}
