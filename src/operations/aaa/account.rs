//! Accounting-Request: read the record, say whose it is, and hand it to the owner of sessions.

use std::net::Ipv6Addr;

use crate::app::{App, NasEntry};
use crate::domain::access::event_time;
use crate::domain::id::{LoginId, NasId, PlanId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::octets::Traffic;
use crate::domain::session::{Place, Record, RecordKind};
use crate::domain::text::LONGEST_ATTRIBUTE;
use crate::domain::time::Timestamp;
use crate::radius::{AccountingRequest, Acknowledgement, Packet, number};
use crate::store::{StoreError, subscribers};
use crate::telemetry::AccountingKind;

/// Acct-Status-Type (RFC 2866 section 5.1).
const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM: u32 = 3;
const ON: u32 = 7;
const OFF: u32 = 8;

pub(super) fn take(app: &App, request: &AccountingRequest<'_>, acknowledgement: Acknowledgement) {
    let Some(nas) = app.nas(NasId(request.peer.nas)) else {
        // Deleted a moment ago: silence.
        return;
    };
    let now = app.now();
    nas.stats.saw_acct(now);
    let counters = &app.telemetry.counters;
    let kind = match request.status_type {
        START => RecordKind::Start,
        STOP => RecordKind::Stop {
            cause: request
                .packet
                .u32(number::ACCT_TERMINATE_CAUSE)
                .unwrap_or(0),
        },
        INTERIM => RecordKind::Interim,
        ON => RecordKind::On,
        OFF => RecordKind::Off,
        _ => {
            // Tunnel records and failures: acknowledged, not kept (radius.md section 10).
            counters.accounting(AccountingKind::Other).increment();
            acknowledgement.send();
            return;
        }
    };
    counters.accounting(counted(kind)).increment();
    match record(app, request, &nas, kind, now) {
        Ok(record) => app
            .accounting
            .record(record, Box::new(move || acknowledgement.send())),
        // Without knowing whose it is nothing can be booked: silence, and the router sends it again.
        Err(error) => tracing::error!(%error, "an accounting record was not taken"),
    }
}

fn counted(kind: RecordKind) -> AccountingKind {
    match kind {
        RecordKind::Start => AccountingKind::Start,
        RecordKind::Interim => AccountingKind::Interim,
        RecordKind::Stop { .. } => AccountingKind::Stop,
        RecordKind::On | RecordKind::Off => AccountingKind::OnOff,
    }
}

fn record(
    app: &App,
    request: &AccountingRequest<'_>,
    nas: &NasEntry,
    kind: RecordKind,
    now: Timestamp,
) -> Result<Record, StoreError> {
    let packet = request.packet;
    let username = String::from_utf8_lossy(request.user_name().unwrap_or_default()).into_owned();
    let class = class(packet);
    let whose = whose(app, &username, class.map(|(subscriber, _)| subscriber))?;
    let plan = whose.and_then(|(_, plan)| app.plan(plan));
    Ok(Record {
        kind,
        nas: nas.nas.id,
        nas_since: nas.nas.created_at,
        acct_session_id: request.session_id.to_vec(),
        username,
        subscriber: whose.map(|(subscriber, _)| subscriber),
        login: class.map(|(_, login)| login),
        event_at: event_time(
            packet.u32(number::EVENT_TIMESTAMP),
            packet.u32(number::ACCT_DELAY_TIME),
            now,
        ),
        received_at: now,
        session_time: packet.u32(number::ACCT_SESSION_TIME),
        totals: totals(request, nas),
        has_gigawords: packet.u32(number::ACCT_INPUT_GIGAWORDS).is_some()
            || packet.u32(number::ACCT_OUTPUT_GIGAWORDS).is_some(),
        place: place(request),
        free_windows: plan.map_or_else(Vec::new, |plan| plan.free_windows.clone()),
        told: class.and_then(|(_, login)| app.promises.of(login)),
    })
}

/// The subscriber of a login name, and its plan. Renamed while online, the router still says the old name, which may be
/// another's by now, but our `Class` says who it is. Nearly always both agree, and nothing more is read.
pub(in crate::operations) fn whose(
    app: &App,
    username: &str,
    class: Option<SubscriberId>,
) -> Result<Option<(SubscriberId, PlanId)>, StoreError> {
    let facts = app.login_facts().find(&app.store, username)?;
    let named = facts.map(|facts| (facts.id, facts.plan));
    match class {
        Some(id) if named.is_none_or(|(named, _)| named != id) => {
            let stored = subscribers::get(&app.store.view()?, id)?;
            Ok(stored.map(|stored| (id, stored.subscriber.plan)).or(named))
        }
        _ => Ok(named),
    }
}

/// Several Class attributes may come back; ours is recognised by its form.
fn class(packet: &Packet<'_>) -> Option<(SubscriberId, LoginId)> {
    packet.all(number::CLASS).find_map(LoginId::from_class)
}

/// Upload and download, the way round that the NAS counts.
fn totals(request: &AccountingRequest<'_>, nas: &NasEntry) -> Option<Traffic> {
    let (input, output) = (request.upload_octets(), request.download_octets());
    if input.is_none() && output.is_none() {
        return None;
    }
    let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
    Some(if nas.nas.swap_octets {
        Traffic::new(output, input)
    } else {
        Traffic::new(input, output)
    })
}

fn place(request: &AccountingRequest<'_>) -> Place {
    let packet = request.packet;
    let calling_station = packet.text(number::CALLING_STATION_ID).unwrap_or_default();
    let mac = Mac::read(calling_station);
    let prefix = |kind| -> Option<(Ipv6Addr, u8)> {
        packet.ipv6_prefix(kind).map(|p| (p.address(), p.length()))
    };
    Place {
        address: packet.ipv4(number::FRAMED_IP_ADDRESS),
        ipv6_prefix: prefix(number::FRAMED_IPV6_PREFIX),
        delegated_prefix: prefix(number::DELEGATED_IPV6_PREFIX),
        mac,
        calling_station: if mac.is_some() {
            String::new()
        } else {
            short(calling_station)
        },
        nas_port: packet.u32(number::NAS_PORT),
        nas_port_id: short(packet.text(number::NAS_PORT_ID).unwrap_or_default()),
        nas_ip: packet.ipv4(number::NAS_IP_ADDRESS),
        source: Some(request.source.ip().to_canonical()),
    }
}

/// An attribute is never longer; said here so that the record is bounded whatever the protocol room does.
fn short(text: &str) -> String {
    text.chars().take(LONGEST_ATTRIBUTE).collect()
}
