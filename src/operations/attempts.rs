//! Authentication attempts: from memory into the log.

use crate::app::App;
use crate::store::auth_log;

use super::Error;

/// Writes the attempts that wait, in one or more blocks, and says how many. Called by one job, and once at the stop. Blocks.
pub fn write(app: &App) -> Result<usize, Error> {
    let mut written = 0;
    // What comes meanwhile is for the next call, or a flood would never let this one end.
    let end = app.auth_log.end();
    loop {
        let (first, block) = app.auth_log.oldest();
        let count = block.len();
        if count == 0 {
            return Ok(written);
        }
        let now = app.now();
        app.store
            .write("authentication log", move |tx| {
                auth_log::append(tx, first, &block, now)
            })
            .wait()?;
        app.auth_log.written();
        written += count;
        if first.saturating_add(u64::try_from(count).unwrap_or(0)) >= end {
            return Ok(written);
        }
    }
}
