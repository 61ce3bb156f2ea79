//! What SIGHUP (`systemctl reload proxpanel`) reads again while everything goes on: the certificate, the level of the log;
//! and what a restart from the panel reads, which is all of the configuration.
//!
//! Invariant: a file that cannot be used leaves everything as it was, and the log says so.

use crate::app::App;
use crate::config::Config;
use crate::operations::certificates;
use crate::telemetry::Logging;

pub fn reload(app: &App, logging: &Logging) {
    // What cannot be read is on the log and on the pages; the certificate in use stays.
    let _kept = certificates::reload(app);
    let fresh = match app.config.source.load() {
        Ok(fresh) => fresh,
        Err(error) => {
            tracing::error!(%error, "nothing was reloaded");
            return;
        }
    };
    logging.set_level(&fresh.log.level.to_string());
    tracing::info!(level = %fresh.log.level, "the configuration was read again");
    if wants_restart(&app.config, fresh) {
        tracing::warn!(
            "the configuration has changes that hold only after a restart: systemctl restart proxpanel"
        );
    }
}

/// The configuration for starting anew. One that cannot be read leaves the one before in use: a panel on yesterday's
/// configuration is better than none.
pub fn read_again(running: Config, logging: &Logging) -> Config {
    match running.source.load() {
        Ok(fresh) => {
            logging.set_level(&fresh.log.level.to_string());
            fresh
        }
        Err(error) => {
            tracing::error!(%error, "starting anew with the configuration of before");
            running
        }
    }
}

/// Whether anything differs that a reload does not change.
fn wants_restart(running: &Config, fresh: Config) -> bool {
    let log = running.log.clone();
    Config { log, ..fresh } != *running
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Overrides;

    #[test]
    fn only_the_log_level_needs_no_restart() {
        let read = |text| Config::parse(text, Path::new("test"), &Overrides::default()).unwrap();
        let running = read("");
        for (text, expected) in [
            ("", false),
            ("[log]\nlevel = \"debug\"", false),
            ("data_dir = \"/srv/proxpanel\"", true),
            ("[web]\nlisten = [\"0.0.0.0:8080\"]", true),
            ("[radius]\nthreads = 7\n[log]\nlevel = \"debug\"", true),
        ] {
            assert_eq!(wants_restart(&running, read(text)), expected, "{text}");
        }
    }
}
