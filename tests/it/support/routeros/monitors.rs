//! Commands that look at the router now, once or again and again: traffic, torch, the counters of RADIUS, ping.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::commands::{Command, Replies};
use super::state::State;
use super::table::Trap;

/// What a monitor shows at one moment.
type Look = fn(&State, &Command) -> Rows;

/// The monitor of that name, and the policy it needs.
pub fn find(menu: &str, verb: &str) -> Option<(&'static str, Look)> {
    Some(match (menu, verb) {
        ("/interface", "monitor-traffic") => ("read", traffic),
        ("/tool", "torch") => ("sniff", torch),
        ("/radius", "monitor") => ("read", radius),
        ("/radius/incoming", "monitor") => ("read", incoming),
        _ => return None,
    })
}

pub type Rows = Result<Vec<Vec<(String, String)>>, Trap>;

/// Sends rows once, or again and again until it is cancelled.
pub async fn watch(
    shared: &Arc<Shared>,
    command: &Command,
    replies: &Replies,
    rows: Look,
) -> Result<Option<String>, Trap> {
    let proplist = command.proplist();
    loop {
        for mut row in shared.read(|state| rows(state, command))? {
            if let Some(proplist) = &proplist {
                row.retain(|(name, _)| proplist.contains(&name.as_str()));
            }
            replies.send("!re", &row).await;
        }
        if command.get("once").is_some() {
            return Ok(None);
        }
        tokio::time::sleep(shared.options.stream_interval).await;
    }
}

fn row(columns: &[(&str, String)]) -> Vec<(String, String)> {
    let named = columns.iter();
    named
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn traffic(state: &State, command: &Command) -> Rows {
    let names = command
        .get("interface")
        .ok_or_else(|| Trap::missing("interface"))?;
    let one = |name: &str| {
        let table = &state.tables["/interface"];
        let place = table
            .place(name)
            .ok_or_else(|| Trap::failure("input does not match any value of interface"))?;
        let session = table.rows[place].session;
        let flow = session
            .and_then(|key| Some(state.sessions.get(&key)?.flow()))
            .unwrap_or_default();
        Ok(row(&[
            ("name", name.to_owned()),
            ("rx-packets-per-second", (flow.upload / 8000).to_string()),
            ("rx-bits-per-second", flow.upload.to_string()),
            ("tx-packets-per-second", (flow.download / 8000).to_string()),
            ("tx-bits-per-second", flow.download.to_string()),
        ]))
    };
    names.split(',').map(one).collect()
}

fn torch(state: &State, command: &Command) -> Rows {
    let name = command
        .get("interface")
        .ok_or_else(|| Trap::missing("interface"))?;
    let mut sessions = state.sessions.values();
    let session = sessions
        .find(|session| session.interface == name)
        .ok_or_else(|| Trap::failure("input does not match any value of interface"))?;
    Ok(vec![row(&[
        ("src-address", session.address.to_string()),
        ("dst-address", "192.0.2.1".to_owned()),
        ("tx", session.flow().download.to_string()),
        ("rx", session.flow().upload.to_string()),
    ])])
}

fn radius(state: &State, command: &Command) -> Rows {
    let numbers = command
        .get("numbers")
        .or_else(|| command.get(".id"))
        .ok_or_else(|| Trap::missing("numbers"))?;
    state.tables["/radius"]
        .place(numbers)
        .ok_or_else(Trap::no_such_item)?;
    let totals = &state.totals;
    Ok(vec![row(&[
        ("pending", "0".to_owned()),
        (
            "requests",
            (totals.access_requests + totals.accounting_requests).to_string(),
        ),
        ("accepts", totals.accepts.to_string()),
        ("rejects", totals.rejects.to_string()),
        ("resends", totals.resends.to_string()),
        ("timeouts", totals.timeouts.to_string()),
        ("bad-replies", totals.bad_replies.to_string()),
        ("last-request-rtt", "10ms".to_owned()),
    ])])
}

fn incoming(state: &State, _command: &Command) -> Rows {
    let totals = &state.totals;
    Ok(vec![row(&[
        (
            "requests",
            (totals.coa_requests + totals.disconnect_requests).to_string(),
        ),
        ("bad-requests", totals.bad_requests.to_string()),
        ("acks", totals.acks.to_string()),
        ("naks", totals.naks.to_string()),
    ])])
}

pub async fn ping(command: &Command, replies: &Replies) -> Result<Option<String>, Trap> {
    let address = command
        .get("address")
        .ok_or_else(|| Trap::missing("address"))?;
    let count: u32 = command
        .get("count")
        .map_or(Ok(u32::MAX), str::parse)
        .map_err(|_| Trap::invalid("count"))?;
    for number in 0..count {
        let columns = row(&[
            ("seq", number.to_string()),
            ("host", address.to_owned()),
            ("size", "56".to_owned()),
            ("ttl", "64".to_owned()),
            ("time", "1ms".to_owned()),
            ("sent", (number + 1).to_string()),
            ("received", (number + 1).to_string()),
            ("packet-loss", "0".to_owned()),
        ]);
        replies.send("!re", &columns).await;
        if number + 1 < count {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(None)
}
