//! Subscribers: create, change, suspend, delete, forget a MAC address.

use crate::app::App;
use crate::crypto::{self, Sealer, Secret};
use crate::domain::audit::{Actor, Difference};
use crate::domain::extra::Extras;
use crate::domain::id::{NasId, PlanId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::plan::{OnExpiry, OnLimit};
use crate::domain::rate::Rate;
use crate::domain::reconnect::Reconnect;
use crate::domain::speed::{self, TermGate};
use crate::domain::subscriber::{MOST_MACS, MacMode, Status, Subscriber};
use crate::domain::text::Username;
use crate::domain::time::{Calendar, Timestamp};
use crate::store::outbox::{self, Work};
use crate::store::subscribers::{self, StoredSubscriber, password_context};
use crate::store::{Tx, nas, plans};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::reconnects::{self, Wish};
use super::subscriber_words::{differences, expiry, plan_name, state_word};
use super::trail::note;
use super::{Error, addresses, licence, macs};

/// What a form says of a subscriber; every value is possible in itself.
#[derive(Clone)]
pub struct Draft {
    pub username: Username,
    /// `None` keeps the present one; needed for a new subscriber.
    pub password: Option<Arc<Secret<String>>>,
    pub full_name: String,
    pub phone: String,
    pub email: String,
    pub address: String,
    pub notes: String,
    pub plan: PlanId,
    pub enabled: bool,
    pub expires_at: Option<Timestamp>,
    pub max_sessions: Option<u8>,
    pub on_limit: Option<OnLimit>,
    pub mac_mode: MacMode,
    pub macs: Vec<Mac>,
    pub only_nas: Option<NasId>,
    pub static_address: Option<Ipv4Addr>,
    pub static_prefix: Option<(Ipv6Addr, u8)>,
    pub rate_override: Option<Rate>,
    /// Made by [`super::extras`].
    pub extras: Extras,
    /// When live sessions end that do not get the change otherwise.
    pub reconnect: Reconnect,
}

impl Draft {
    /// Enabled, without a password, an end, or anything of its own beside the plan.
    pub fn new(username: Username, plan: PlanId) -> Draft {
        Draft {
            username,
            password: None,
            full_name: String::new(),
            phone: String::new(),
            email: String::new(),
            address: String::new(),
            notes: String::new(),
            plan,
            enabled: true,
            expires_at: None,
            max_sessions: None,
            on_limit: None,
            mac_mode: MacMode::Off,
            macs: Vec::new(),
            only_nas: None,
            static_address: None,
            static_prefix: None,
            rate_override: None,
            extras: Extras::default(),
            reconnect: Reconnect::default(),
        }
    }
}

/// Errors: `Field` for a name or address that is taken, a plan or NAS that is gone, or a missing password.
pub async fn create(app: &App, actor: &Actor, draft: Draft) -> Result<SubscriberId, Error> {
    let (actor, now) = (actor.clone(), app.now());
    let (sealer, settings) = (app.store.sealer().clone(), app.settings());
    let standing = app.licence();
    app.store
        .write("create subscriber", move |tx| {
            licence::check_room(&standing, tx, 1)?;
            let newcomer = Newcomer {
                draft: &draft,
                since: now,
                action: "created",
            };
            insert(tx, &newcomer, &sealer, &settings.calendar, &actor, now)
        })
        .await
}

/// Somebody who is not here yet.
pub(super) struct Newcomer<'d> {
    pub draft: &'d Draft,
    /// When the customer came, which may be long ago.
    pub since: Timestamp,
    /// How it came here, for the audit log.
    pub action: &'static str,
}

/// Adds a subscriber in a transaction that has looked for room in the licence.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    newcomer: &Newcomer<'_>,
    sealer: &Sealer,
    calendar: &Calendar,
    actor: &Actor,
    now: Timestamp,
) -> Result<SubscriberId, Error> {
    let draft = newcomer.draft;
    let Some(password) = draft.password.as_ref() else {
        return Err(Error::field("password", "A password is needed"));
    };
    check(tx, draft, None)?;
    let id = subscribers::next_id(tx)?;
    let blank = Subscriber::new(id, draft.username.clone(), draft.plan, newcomer.since);
    let subscriber = build(draft, blank, now);
    let sealed_password = sealer.seal(
        password_context(id).as_bytes(),
        password.expose().as_bytes(),
    )?;
    subscribers::put(
        tx,
        &StoredSubscriber {
            subscriber: subscriber.clone(),
            sealed_password,
        },
    )?;
    outbox::add(tx, Work::IndexSubscriber(id))?;
    let plan = plan_name(tx, subscriber.plan)?;
    let mut difference = Difference::default();
    difference.field("plan", "", plan).field(
        "expires",
        "",
        expiry(calendar, subscriber.expires_at),
    );
    note(tx, actor, newcomer.action, &subscriber, difference, now)?;
    Ok(id)
}

/// Groups of five signs in a password that is made here: 50 random bits, since somebody must type it into a box.
const PASSWORD_GROUPS: usize = 2;

/// A password for somebody who has none yet.
pub fn made_password() -> Result<Secret<String>, Error> {
    Ok(crypto::readable_code(PASSWORD_GROUPS)?)
}

/// Live sessions are told a new speed or expiry; what needs a new login holds when the draft says.
pub async fn update(app: &App, actor: &Actor, id: SubscriberId, draft: Draft) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    let (sealer, settings) = (app.store.sealer().clone(), app.settings());
    let open = reconnects::open_of(app, id);
    app.store
        .write("change subscriber", move |tx| {
            let old = subscribers::get(tx, id)?.ok_or(Error::Missing("subscriber"))?;
            check(tx, &draft, Some(id))?;
            let was = &old.subscriber;
            let new = build(&draft, was.clone(), now);
            let sealed_password = match &draft.password {
                Some(password) => sealer.seal(
                    password_context(id).as_bytes(),
                    password.expose().as_bytes(),
                )?,
                None => old.sealed_password.clone(),
            };
            let mut difference = differences(tx, was, &new, &settings.calendar)?;
            difference.secret("password", draft.password.is_some());
            if difference.is_empty() {
                return Ok(());
            }
            subscribers::put(
                tx,
                &StoredSubscriber {
                    subscriber: new.clone(),
                    sealed_password,
                },
            )?;
            outbox::add(tx, Work::IndexSubscriber(id))?;
            let goes_on = follow_up(tx, was, &new, now)?;
            if goes_on
                && let Some(was_plan) = plans::get(tx, was.plan)?
                && let Some(plan) = plans::get(tx, new.plan)?
            {
                let wish = Wish {
                    when: draft.reconnect,
                    by: &actor,
                    calendar: &settings.calendar,
                    now,
                };
                let (was, new) = ((was, &was_plan), (&new, &plan));
                reconnects::follow(tx, &open, was, new, &wish, &mut difference)?;
            }
            let action = if was.plan == new.plan {
                "changed"
            } else {
                "plan changed"
            };
            note(tx, &actor, action, &new, difference, now)
        })
        .await
}

/// Suspends a subscriber and ends its sessions. Does nothing to one that is suspended already.
pub async fn suspend(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
    reason: String,
) -> Result<(), Error> {
    set_status(app, actor, id, "suspended", move |now| Status::Suspended {
        since: now,
        reason: reason.clone(),
    })
    .await
}

pub async fn enable(app: &App, actor: &Actor, id: SubscriberId) -> Result<(), Error> {
    set_status(app, actor, id, "enabled", |_| Status::Enabled).await
}

async fn set_status(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
    action: &'static str,
    status: impl Fn(Timestamp) -> Status + Send + 'static,
) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write(action, move |tx| {
            let mut stored = subscribers::get(tx, id)?.ok_or(Error::Missing("subscriber"))?;
            let was = stored.subscriber.clone();
            stored.subscriber.status = status(now);
            if was.is_suspended() == stored.subscriber.is_suspended() {
                return Ok(());
            }
            subscribers::put(tx, &stored)?;
            follow_up(tx, &was, &stored.subscriber, now)?;
            let mut difference = Difference::default();
            difference.field("state", state_word(&was), state_word(&stored.subscriber));
            if let Status::Suspended { reason, .. } = &stored.subscriber.status {
                difference.field("reason", "", reason);
            }
            note(tx, &actor, action, &stored.subscriber, difference, now)
        })
        .await
}

/// Forgets the learned MAC addresses, so that the next device is learned.
pub async fn forget_macs(app: &App, actor: &Actor, id: SubscriberId) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("forget MAC", move |tx| {
            macs::forget_in(tx, &actor, id, |_| true, now)?;
            Ok(())
        })
        .await
}

/// Deletes the record and ends its sessions. Usage, history and the audit log stay.
pub async fn remove(app: &App, actor: &Actor, id: SubscriberId) -> Result<(), Error> {
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("delete subscriber", move |tx| {
            let old = subscribers::get(tx, id)?.ok_or(Error::Missing("subscriber"))?;
            delete(tx, &old.subscriber, &actor, now)
        })
        .await
}

pub(super) fn delete(
    tx: &mut Tx<'_>,
    old: &Subscriber,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Error> {
    subscribers::remove(tx, old)?;
    outbox::add(tx, Work::IndexSubscriber(old.id))?;
    outbox::add(tx, Work::DisconnectSubscriber(old.id))?;
    let mut difference = Difference::default();
    difference
        .field("full name", &old.full_name, "")
        .field("plan", plan_name(tx, old.plan)?, "");
    note(tx, actor, "deleted", old, difference, now)
}

/// `was` with what the form says; what the form does not show stays.
fn build(draft: &Draft, was: Subscriber, now: Timestamp) -> Subscriber {
    let status = match (draft.enabled, &was.status) {
        (true, _) => Status::Enabled,
        (false, suspended @ Status::Suspended { .. }) => suspended.clone(),
        (false, Status::Enabled) => Status::Suspended {
            since: now,
            reason: String::new(),
        },
    };
    Subscriber {
        username: draft.username.clone(),
        full_name: draft.full_name.clone(),
        phone: draft.phone.clone(),
        email: draft.email.clone(),
        address: draft.address.clone(),
        notes: draft.notes.clone(),
        plan: draft.plan,
        status,
        expires_at: draft.expires_at,
        max_sessions: draft.max_sessions,
        on_limit: draft.on_limit,
        mac_mode: draft.mac_mode,
        macs: draft.macs.iter().take(MOST_MACS).copied().collect(),
        only_nas: draft.only_nas,
        static_address: draft.static_address,
        static_prefix: draft.static_prefix,
        rate_override: draft.rate_override,
        extras: draft.extras.clone(),
        ..was
    }
}

/// What only the store can tell: names and addresses that are taken, plans and NAS devices that are gone.
fn check(tx: &mut Tx<'_>, draft: &Draft, own: Option<SubscriberId>) -> Result<(), Error> {
    let holder = subscribers::named(tx, draft.username.as_str())?;
    if holder.is_some() && holder != own {
        return Err(Error::field(
            "user_name",
            "Another subscriber has this user name",
        ));
    }
    if plans::get(tx, draft.plan)?.is_none() {
        return Err(Error::field("plan", "This plan does not exist any more"));
    }
    if let Some(only) = draft.only_nas
        && nas::get(tx, only)?.is_none()
    {
        return Err(Error::field("only_nas", "This NAS does not exist any more"));
    }
    addresses::check_static(tx, draft.static_address, draft.static_prefix, own)
}

/// Tells live sessions what changed: they end, or get another speed and time. Says whether they go on.
fn follow_up(
    tx: &mut Tx<'_>,
    was: &Subscriber,
    new: &Subscriber,
    now: Timestamp,
) -> Result<bool, Error> {
    let lost_access = !was.is_suspended() && new.is_suspended();
    if lost_access || needs_login(gate(tx, was, now)?, gate(tx, new, now)?) {
        outbox::add(tx, Work::DisconnectSubscriber(new.id))?;
        return Ok(false);
    }
    if was.plan != new.plan
        || was.rate_override != new.rate_override
        || was.expires_at != new.expires_at
    {
        outbox::add(tx, Work::PushSubscriber(new.id))?;
    }
    Ok(true)
}

/// What a term does to a session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// It goes on, perhaps slower.
    Open,
    ExpiredPool,
    Closed,
}

fn gate(tx: &Tx<'_>, subscriber: &Subscriber, now: Timestamp) -> Result<Gate, Error> {
    let Some(plan) = plans::get(tx, subscriber.plan)? else {
        return Ok(Gate::Open);
    };
    Ok(match speed::term_gate(&plan, subscriber.expires_at, now) {
        TermGate::Closed => Gate::Closed,
        TermGate::Restricted(_) if matches!(plan.on_expiry, OnExpiry::ExpiredPool { .. }) => {
            Gate::ExpiredPool
        }
        TermGate::Open | TermGate::Grace(..) | TermGate::Restricted(_) => Gate::Open,
    })
}

/// Out of the expired pool, or into it: only a new login changes the address. A session that outlived its term by the spread
/// of Session-Timeout goes on when the term does.
fn needs_login(was: Gate, new: Gate) -> bool {
    let moves = (was == Gate::ExpiredPool) != (new == Gate::ExpiredPool);
    moves || (new == Gate::Closed && was != Gate::Closed)
}

/// The password in plain, for staff that may see it. Each look is in the audit log.
pub async fn reveal_password(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
) -> Result<Secret<String>, Error> {
    let view = app.store.view()?;
    let stored = subscribers::get(&view, id)?.ok_or(Error::Missing("subscriber"))?;
    let password = app
        .store
        .sealer()
        .unseal(password_context(id).as_bytes(), &stored.sealed_password)?;
    let password = Secret::new(String::from_utf8_lossy(password.expose()).into_owned());
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("reveal password", move |tx| {
            note(
                tx,
                &actor,
                "password shown",
                &stored.subscriber,
                Difference::default(),
                now,
            )
        })
        .await?;
    Ok(password)
}
