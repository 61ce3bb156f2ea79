//! What the protocol saw: counters, the health of each NAS, strangers, and the Message-Authenticator pin.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use crate::app::App;
use crate::crypto::hex;
use crate::domain::audit::{Actor, Difference};
use crate::domain::id::NasId;
use crate::domain::nas::MessageAuthenticator;
use crate::operations::Error;
use crate::operations::trail;
use crate::radius::radsec::{ClientCertificate, Ending};
use crate::radius::{Code, Observation, Refusal};
use crate::store::nas;
use crate::telemetry::DropReason;

pub(super) fn note(app: &App, event: Observation<'_>) {
    let counters = &app.telemetry.counters;
    match event {
        Observation::Received { code, .. } => {
            if code == Code::ACCESS_REQUEST {
                counters.access_requests.increment();
            }
        }
        Observation::Replied { code, .. } => {
            if code == Code::ACCOUNTING_RESPONSE {
                counters.accounting_responses.increment();
            }
        }
        Observation::UnknownNas {
            source,
            user_name,
            nas_identifier,
            ..
        } => {
            counters.dropped(DropReason::UnknownNas).increment();
            if app.sightings.note(
                source.ip().to_canonical(),
                user_name,
                nas_identifier,
                app.now(),
            ) {
                tracing::warn!(source = %source.ip(), "RADIUS packets come from an address that is no NAS");
            }
        }
        Observation::Refused { nas, refusal, .. } => refused(app, NasId(nas), refusal),
        Observation::Duplicate { nas, resent } => {
            if resent {
                counters.resent_replies.increment();
            } else {
                counters.dropped(DropReason::Duplicate).increment();
            }
            if let Some(entry) = app.nas(NasId(nas)) {
                entry.stats.duplicates.fetch_add(1, Ordering::Relaxed);
            }
        }
        Observation::FirstMessageAuthenticator { nas } => {
            if app
                .nas(NasId(nas))
                .is_some_and(|entry| entry.stats.saw_first_authenticator(app.now()))
            {
                pin(app, NasId(nas));
            }
        }
        Observation::Silent { code, .. } => {
            if code == Code::ACCOUNTING_REQUEST {
                counters.dropped(DropReason::StoreFault).increment();
            }
        }
        Observation::HandlerPanicked { nas } => {
            tracing::error!(nas, "a request stopped with a panic")
        }
        Observation::SendFailed { nas } => tracing::debug!(nas, "a reply could not be sent"),
        Observation::RejectQueueFull { .. } => counters.dropped(DropReason::Overload).increment(),
        Observation::RadsecOpened { nas, source } => {
            if let Some(entry) = app.nas(NasId(nas)) {
                entry.stats.radsec.opened(source, app.now());
            }
        }
        Observation::RadsecClosed { nas, source, why } => {
            if let Some(entry) = app.nas(NasId(nas)) {
                entry.stats.radsec.closed(source);
                if !why.is_orderly() {
                    entry
                        .stats
                        .radsec
                        .saw_trouble(source, why.to_string(), app.now());
                }
            }
        }
        Observation::RadsecStranger {
            source,
            certificate,
        } => {
            stranger(app, source, certificate);
        }
        Observation::RadsecRefused { source, why } => {
            tracing::debug!(%source, %why, "a RadSec connection was not let in");
            radsec_trouble(app, source, why.to_string());
        }
        Observation::ReceiveFailed { port } => {
            tracing::warn!(?port, "a RADIUS socket reported an error")
        }
    }
}

/// A certificate that is no NAS's.
fn stranger(app: &App, source: SocketAddr, certificate: &ClientCertificate) {
    let reason = DropReason::UnknownNas;
    app.telemetry.counters.dropped(reason).increment();
    let ip = source.ip().to_canonical();
    if app.strangers.note(certificate, ip, app.now()) {
        let fingerprint = hex(certificate.fingerprint());
        tracing::warn!(%source, fingerprint, "a RadSec client shows a certificate that is no NAS's");
    }
    radsec_trouble(app, source, Ending::Stranger.to_string());
}

/// Told at the NAS that has this address, if it is one that shall use RadSec: the certificate cannot say which it is.
fn radsec_trouble(app: &App, source: SocketAddr, why: String) {
    let table = app.nas_table();
    if let Some(entry) = table.find(source.ip())
        && entry.nas.radsec.is_some()
    {
        entry.stats.radsec.saw_trouble(source, why, app.now());
    }
}

fn refused(app: &App, nas: NasId, refusal: Refusal) {
    let reason = match refusal {
        Refusal::MissingMessageAuthenticator | Refusal::ProxyStateUnprotected => {
            DropReason::MissingMessageAuthenticator
        }
        Refusal::WrongMessageAuthenticator => DropReason::WrongMessageAuthenticator,
        Refusal::WrongAccountingAuthenticator => DropReason::WrongAccountingAuthenticator,
        _ => DropReason::Malformed,
    };
    app.telemetry.counters.dropped(reason).increment();
    let Some(entry) = app.nas(nas) else { return };
    entry.stats.dropped.fetch_add(1, Ordering::Relaxed);
    match reason {
        DropReason::WrongMessageAuthenticator | DropReason::WrongAccountingAuthenticator => {
            entry.stats.saw_wrong_digest(app.now());
        }
        DropReason::MissingMessageAuthenticator => entry.stats.saw_missing_authenticator(app.now()),
        _ => {}
    }
}

/// The NAS sends Message-Authenticator: from now on it must, and an attacker cannot leave it out (CVE-2024-3596).
fn pin(app: &App, id: NasId) {
    let now = app.now();
    let ticket = app.store.write(
        "pin Message-Authenticator",
        move |tx| -> Result<(), Error> {
            let Some(mut stored) = nas::get(tx, id)? else {
                return Ok(());
            };
            if stored.nas.message_authenticator != (MessageAuthenticator::Auto { pinned: false }) {
                return Ok(());
            }
            stored.nas.message_authenticator = MessageAuthenticator::Auto { pinned: true };
            nas::put(tx, &stored)?;
            let mut difference = Difference::default();
            difference.field("Message-Authenticator", "accepted without", "required");
            let actor = Actor::System("the router sent its first Message-Authenticator");
            trail::note(
                tx,
                &actor,
                "protection pinned",
                &stored.nas,
                difference,
                now,
            )
        },
    );
    drop(ticket);
}
