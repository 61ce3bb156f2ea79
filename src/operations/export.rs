//! Exports.

use std::io::Write;

use crate::domain::session::Session;
use crate::domain::time::Calendar;
use crate::store::accounting::{Live, each_session};
use crate::store::{View, nas};

use super::Error;
use std::collections::HashMap;
use std::ops::ControlFlow;

const COLUMNS: [&str; 12] = [
    "nas",
    "acct_session_id",
    "username",
    "address",
    "start",
    "last_update",
    "stop",
    "upload_octets",
    "download_octets",
    "terminate_cause",
    "free_upload_octets",
    "free_download_octets",
];

/// Writes every session as CSV (RFC 4180), open and ended; times are UTC. Returns how many.
pub fn sessions(live: &Live, view: &View, out: impl Write) -> Result<u64, Error> {
    let mut table = Table::new(view, out)?;
    let mut failed = None;
    each_session(live, view, |session| {
        failed = table.row(session).err();
        if failed.is_none() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    table.finish(failed)
}

struct Table<W: Write> {
    writer: csv::Writer<W>,
    nas: HashMap<u32, String>,
    rows: u64,
}

impl<W: Write> Table<W> {
    fn new(view: &View, out: W) -> Result<Self, Error> {
        let nas = nas::all(view)?
            .into_iter()
            .map(|stored| (stored.nas.id.0, stored.nas.name))
            .collect();
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS).map_err(io)?;
        Ok(Table {
            writer,
            nas,
            rows: 0,
        })
    }

    fn row(&mut self, session: &Session) -> Result<(), Error> {
        let nas = self
            .nas
            .get(&session.nas.0)
            .cloned()
            .unwrap_or_else(|| format!("nas-{}", session.nas));
        let utc = Calendar::format_utc;
        let record = [
            nas,
            session.acct_session_id_text(),
            session.username.clone(),
            session
                .place
                .address
                .map(|a| a.to_string())
                .unwrap_or_default(),
            utc(session.started_at),
            utc(session.updated_at),
            session.stopped.map(|s| utc(s.at)).unwrap_or_default(),
            session.booked.upload.to_string(),
            session.booked.download.to_string(),
            session.stopped.map(|s| s.cause.word()).unwrap_or_default(),
            session.free.upload.to_string(),
            session.free.download.to_string(),
        ];
        self.rows += 1;
        self.writer.write_record(record).map_err(io)
    }

    fn finish(mut self, failed: Option<Error>) -> Result<u64, Error> {
        self.writer.flush()?;
        failed.map_or(Ok(self.rows), Err)
    }
}

fn io(error: csv::Error) -> Error {
    Error::Io(std::io::Error::other(error))
}
