//! Telling routers: CoA for a new speed, Disconnect to end a session, and what came of it (rules.md section 6).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::app::{App, CoaOutcome, CoaReport, LoginFacts, NasEntry};
use crate::domain::access::session_timeout;
use crate::domain::id::{LoginId, NasId, PlanId, SessionId, SubscriberId};
use crate::domain::session::Session;
use crate::domain::speed::{self, TermGate};
use crate::radius::coa::{self, CoaClient, CoaTarget, Schedule};
use crate::radius::{AttributeBuffer, EncodeError, number};
use crate::routers::{RouterError, profile};
use crate::store::outbox::{self, Work};
use crate::store::{StoreError, subscribers};

use super::{Error, speeds};

/// The clients for both families; a router only believes the address it sends RADIUS to.
pub struct Clients {
    v4: CoaClient,
    v6: Option<CoaClient>,
    schedule: Schedule,
}

impl Clients {
    /// `bind` is the address of this machine that routers know, if it was set.
    pub fn bind(bind: Option<IpAddr>) -> Result<Clients, Error> {
        let any_v4 = IpAddr::from([0u8; 4]);
        let any_v6 = IpAddr::from([0u16; 8]);
        let v4 = CoaClient::bind(bind.filter(IpAddr::is_ipv4).unwrap_or(any_v4))?;
        // A machine without IPv6 has no IPv6 routers either.
        let v6 = CoaClient::bind(bind.filter(IpAddr::is_ipv6).unwrap_or(any_v6)).ok();
        Ok(Clients {
            v4,
            v6,
            schedule: Schedule::JOB,
        })
    }

    /// With other waits between tries.
    #[must_use]
    pub fn with_schedule(self, schedule: Schedule) -> Clients {
        Clients { schedule, ..self }
    }

    fn for_router(&self, address: IpAddr) -> Option<&CoaClient> {
        match address {
            IpAddr::V4(_) => Some(&self.v4),
            IpAddr::V6(_) => self.v6.as_ref(),
        }
    }
}

/// What one session is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The present speed and the time left.
    Push(SessionId),
    Disconnect(SessionId),
}

/// The sessions that a piece of follow-up work concerns, as they are now.
pub fn orders(app: &App, work: Work) -> Result<Vec<Order>, Error> {
    let live = app.accounting.live();
    Ok(match work {
        Work::Disconnect(id) => vec![Order::Disconnect(id)],
        Work::DisconnectSubscriber(id) => {
            live.open_of(id).map(|s| Order::Disconnect(s.id)).collect()
        }
        Work::PushSubscriber(id) => live.open_of(id).map(|s| Order::Push(s.id)).collect(),
        Work::PushPlan(plan) => {
            drop(live);
            plan_sessions(app, plan)?
                .into_iter()
                .map(Order::Push)
                .collect()
        }
        Work::PushAll => live.open_sessions().map(|s| Order::Push(s.id)).collect(),
        Work::IndexSubscriber(_) | Work::IndexPlan(_) | Work::IndexNas(_) => Vec::new(),
    })
}

fn plan_sessions(app: &App, plan: PlanId) -> Result<Vec<SessionId>, Error> {
    let subscribers: std::collections::HashSet<SubscriberId> =
        app.directory().with(&app.store, |all| {
            all.values()
                .filter(|e| e.plan == plan)
                .map(|e| e.id)
                .collect()
        })?;
    let live = app.accounting.live();
    Ok(live
        .open_sessions()
        .filter(|s| s.subscriber.is_some_and(|id| subscribers.contains(&id)))
        .map(|s| s.id)
        .collect())
}

/// The NAS of the session that an order concerns, if the session is still open.
pub fn nas_of(app: &App, order: Order) -> Option<NasId> {
    let (Order::Push(id) | Order::Disconnect(id)) = order;
    app.accounting
        .live()
        .session(id)
        .filter(|s| s.stopped.is_none())
        .map(|s| s.nas)
}

/// Removes follow-up work that was carried out.
pub async fn done(app: &App, keys: Vec<u64>) -> Result<(), Error> {
    app.store
        .write("router outbox", move |tx| outbox::done(tx, &keys))
        .await
        .map_err(|error: StoreError| error.into())
}

/// Carries one order out and reports the outcome on the NAS. `None` when there was nothing to do: the session ended
/// meanwhile, or its NAS is gone.
pub async fn carry_out(app: &App, clients: &Clients, order: Order) -> Option<CoaOutcome> {
    let (session, nas) = target(app, order)?;
    let outcome = match send(app, clients, order, &session, &nas).await {
        Ok(Some(outcome)) => outcome,
        Ok(None) => return None,
        Err(error) => CoaOutcome::Failed(error.to_string()),
    };
    report(app, order, &session, &nas, outcome.clone());
    if is_gone(&outcome) {
        // The router does not know the session: its Stop was lost.
        app.accounting.give_up(session.id, session.updated_at);
    }
    Some(outcome)
}

/// Reports an order as not answered without sending it: the router did not answer many before it.
pub fn give_up(app: &App, order: Order) {
    if let Some((session, nas)) = target(app, order) {
        report(app, order, &session, &nas, CoaOutcome::NoAnswer);
    }
}

fn target(app: &App, order: Order) -> Option<(Session, Arc<NasEntry>)> {
    let (Order::Push(id) | Order::Disconnect(id)) = order;
    let session = app
        .accounting
        .live()
        .session(id)
        .filter(|s| s.stopped.is_none())
        .cloned()?;
    let nas = app.nas(session.nas)?;
    Some((session, nas))
}

fn report(app: &App, order: Order, session: &Session, nas: &NasEntry, outcome: CoaOutcome) {
    count(app, &outcome);
    nas.stats.report_coa(CoaReport {
        at: app.now(),
        is_disconnect: matches!(order, Order::Disconnect(_)),
        username: session.username.clone(),
        outcome,
    });
}

/// Session context not found (RFC 5176 section 3.5): the session is over.
const SESSION_CONTEXT_NOT_FOUND: u32 = 503;

fn is_gone(outcome: &CoaOutcome) -> bool {
    *outcome == CoaOutcome::Refused(Some(SESSION_CONTEXT_NOT_FOUND))
}

fn count(app: &App, outcome: &CoaOutcome) {
    let counters = &app.telemetry.counters;
    match outcome {
        CoaOutcome::Confirmed => counters.coa_acks.increment(),
        CoaOutcome::Refused(_) => counters.coa_naks.increment(),
        CoaOutcome::NoAnswer | CoaOutcome::Failed(_) => counters.coa_timeouts.increment(),
    }
}

async fn send(
    app: &App,
    clients: &Clients,
    order: Order,
    session: &Session,
    nas: &NasEntry,
) -> Result<Option<CoaOutcome>, Error> {
    let address = session.place.source.or_else(|| nas.nas.network.single());
    let Some(address) = address else {
        return Ok(Some(CoaOutcome::Failed(
            "the router's address is not known".to_owned(),
        )));
    };
    let Some(client) = clients.for_router(address) else {
        return Ok(Some(CoaOutcome::Failed(
            "this machine has no IPv6".to_owned(),
        )));
    };
    // RouterOS wants neither Event-Timestamp nor Message-Authenticator until tried (radius.md section 12).
    let target = CoaTarget {
        address: SocketAddr::new(address, nas.nas.coa_port),
        secret: nas.peer.secret.clone(),
        message_authenticator: false,
        event_timestamp: None,
    };
    let client = (client, &clients.schedule);
    let outcome = exchange(app, client, &target, order, session, nas, Identify::Fully).await?;
    let outcome = match outcome {
        // Once more by name and address alone (rules.md section 6), where the first try named more.
        Some(refused) if is_gone(&refused) && session.place.address.is_some() => {
            exchange(
                app,
                client,
                &target,
                order,
                session,
                nas,
                Identify::ByAddress,
            )
            .await?
        }
        other => other,
    };
    Ok(outcome)
}

async fn exchange(
    app: &App,
    (client, schedule): (&CoaClient, &Schedule),
    target: &CoaTarget,
    order: Order,
    session: &Session,
    nas: &NasEntry,
    how: Identify,
) -> Result<Option<CoaOutcome>, Error> {
    let mut attributes = AttributeBuffer::new();
    identify(session, how, &mut attributes).map_err(unsendable)?;
    let result = match order {
        Order::Disconnect(_) => client.disconnect(target, &attributes, schedule).await,
        Order::Push(_) => {
            if !present(app, session, nas, &mut attributes)? {
                return Ok(None);
            }
            client.change(target, &attributes, schedule).await
        }
    };
    Ok(Some(match result {
        Ok(coa::CoaOutcome::Ack) => CoaOutcome::Confirmed,
        Ok(coa::CoaOutcome::Nak { error_cause }) => CoaOutcome::Refused(error_cause),
        Ok(coa::CoaOutcome::Timeout) => CoaOutcome::NoAnswer,
        Err(error) => CoaOutcome::Failed(error.to_string()),
    }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Identify {
    Fully,
    ByAddress,
}

/// Names the session as the router does: User-Name and Acct-Session-Id byte for byte, its addresses as received.
fn identify(
    session: &Session,
    how: Identify,
    out: &mut AttributeBuffer,
) -> Result<(), EncodeError> {
    out.push_text(number::USER_NAME, &session.username)?;
    if how == Identify::Fully {
        out.push_octets(number::ACCT_SESSION_ID, &session.acct_session_id)?;
        if let Some(nas_ip) = session.place.nas_ip {
            out.push_ipv4(number::NAS_IP_ADDRESS, nas_ip)?;
        }
    }
    if let Some(address) = session.place.address {
        out.push_ipv4(number::FRAMED_IP_ADDRESS, address)?;
    }
    Ok(())
}

/// Appends the present speed and time. False when the subscriber is gone or expired: then there is nothing to push.
fn present(
    app: &App,
    session: &Session,
    nas: &NasEntry,
    out: &mut AttributeBuffer,
) -> Result<bool, Error> {
    let Some(subscriber) = session.subscriber else {
        return Ok(false);
    };
    let Some(stored) = subscribers::get(&app.store.view()?, subscriber)? else {
        return Ok(false);
    };
    let Some(plan) = app.plan(stored.subscriber.plan) else {
        return Ok(false);
    };
    let now = app.now();
    let login = session.login.unwrap_or(LoginId(session.id.0));
    let about = Arc::new(LoginFacts::from(stored));
    let gathered = speeds::gather(app, about, plan, nas.nas.profile, now)?;
    let facts = gathered.facts();
    if speed::term_gate(facts.plan, facts.expires_at, now) == TermGate::Closed {
        return Ok(false);
    }
    let timeout = session_timeout(&facts, now, login);
    let limit = speed::effective(&facts, now).limit;
    profile::change(nas.nas.profile, &limit, timeout, out)
        .map_err(|error: RouterError| unsendable(error))?;
    Ok(true)
}

fn unsendable(error: impl std::fmt::Display) -> Error {
    Error::Refused(error.to_string())
}
