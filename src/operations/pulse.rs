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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{NasId, SubscriberId};
    use crate::operations::testing::{TestApp, interim, plan, subscriber, until};

    #[test]
    fn a_pulse_tells_what_there_is() {
        let it = TestApp::new();
        let home = it.add_plan(plan("Home"));
        let ali = it.add_subscriber(subscriber("ali", home));
        it.go_online("ali", ali, NasId(1), [127, 0, 0, 1].into());
        let pulse = take(&it.app).unwrap();
        assert_eq!((pulse.subscribers, pulse.open_sessions), (1, 1));
        assert_eq!(pulse.store, store::newest_version());
    }

    #[test]
    fn a_journal_that_cannot_be_written_is_no_good_pulse_and_no_reason_for_a_restart() {
        let (it, journal) = TestApp::with_failing_journal();
        assert!(take(&it.app).is_ok());
        journal.state().room = Some(0);
        let record = interim(
            &it.app,
            "ali",
            SubscriberId(1),
            NasId(1),
            [127, 0, 0, 1].into(),
        );
        it.app.accounting.record(record, Box::new(|| {}));
        until(|| it.app.accounting.health().failing.is_some());
        let refused = take(&it.app).unwrap_err().to_string();
        assert!(
            refused.contains("accounting cannot be written"),
            "{refused}"
        );
        assert!(read_store(&it.app).is_ok());
        journal.heal();
    }

    #[test]
    fn a_store_that_cannot_be_read_has_no_pulse() {
        let it = TestApp::new();
        assert!(read_store(&it.app).is_ok());
        it.app.store.close();
        assert!(read_store(&it.app).is_err() && take(&it.app).is_err());
    }
}
