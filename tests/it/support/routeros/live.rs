//! Columns that are made when they are read: counters, uptimes, the clock; and rows of subscribers that are not there,
//! for lists of a size that nobody would dial.

use super::session::Session;
use super::state::State;
use super::table::{Row, duration_text};

/// Octets of a packet, for counters of packets.
const PACKET_OCTETS: u64 = 1000;

/// Adds the live columns of one row.
pub fn columns(state: &State, path: &str, row: &Row, add: &mut impl FnMut(&str, String)) {
    let now = state.now();
    if let Some(session) = row.session.and_then(|key| state.sessions.get(&key)) {
        return of_session(session, path, now, add);
    }
    if let Some(expires) = row.expires {
        add(
            "timeout",
            duration_text(expires.saturating_sub(now).div_ceil(1000)),
        );
    }
    match path {
        "/queue/simple" => {
            for name in ["bytes", "packets", "dropped", "rate"] {
                add(name, "0/0".to_owned());
            }
        }
        "/system/resource" => {
            add("uptime", duration_text(state.uptime_seconds()));
            add("version", format!("{} (stable)", state.version_text));
        }
        "/system/clock" => {
            let time = jiff::Timestamp::now();
            add("date", time.strftime("%Y-%m-%d").to_string());
            add("time", time.strftime("%H:%M:%S").to_string());
        }
        _ => {}
    }
}

fn of_session(session: &Session, path: &str, now: u64, add: &mut impl FnMut(&str, String)) {
    let counters = session.counters(now);
    match path {
        "/ppp/active" | "/interface/pppoe-server" => {
            add("uptime", duration_text(counters.seconds));
        }
        "/interface" => {
            add("rx-byte", counters.upload.to_string());
            add("tx-byte", counters.download.to_string());
            add("rx-packet", (counters.upload / PACKET_OCTETS).to_string());
            add("tx-packet", (counters.download / PACKET_OCTETS).to_string());
        }
        "/queue/simple" => {
            let flow = session.flow();
            add("rate", flow.to_string());
            add(
                "bytes",
                format!("{}/{}", counters.upload, counters.download),
            );
            let packets = (
                counters.upload / PACKET_OCTETS,
                counters.download / PACKET_OCTETS,
            );
            add("packets", format!("{}/{}", packets.0, packets.1));
            add("dropped", "0/0".to_owned());
        }
        _ => {}
    }
}

/// The row of subscriber `n` of a crowd, in the menus that list sessions.
pub fn crowd_row(path: &str, n: u32) -> Option<Vec<(String, String)>> {
    let [_, a, b, c] = n.to_be_bytes();
    let (user, mac) = (
        format!("crowd{n:05}"),
        format!("02:00:00:{a:02X}:{b:02X}:{c:02X}"),
    );
    let id = format!("*F{n:06X}");
    let interface = format!("<pppoe-{user}>");
    let columns: Vec<(&str, String)> = match path {
        "/ppp/active" => vec![
            (".id", id),
            ("name", user),
            ("service", "pppoe".to_owned()),
            ("caller-id", mac),
            ("address", format!("10.{a}.{b}.{c}")),
            ("encoding", String::new()),
            ("session-id", format!("0x81F{n:05X}")),
            ("limit-bytes-in", "0".to_owned()),
            ("limit-bytes-out", "0".to_owned()),
            ("radius", "true".to_owned()),
            ("uptime", duration_text(u64::from(n))),
        ],
        "/interface" => vec![
            (".id", id),
            ("name", interface),
            ("type", "pppoe-in".to_owned()),
            ("dynamic", "true".to_owned()),
            ("running", "true".to_owned()),
            ("disabled", "false".to_owned()),
            ("rx-byte", (u64::from(n) * 1_000).to_string()),
            ("tx-byte", (u64::from(n) * 10_000).to_string()),
        ],
        "/interface/pppoe-server" => vec![
            (".id", id),
            ("name", interface),
            ("user", user),
            ("service", super::nas::SERVICE.to_owned()),
            ("remote-address", mac),
            ("uptime", duration_text(u64::from(n))),
        ],
        _ => return None,
    };
    let named = columns
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Some(named.collect())
}
