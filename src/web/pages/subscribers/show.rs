//! One subscriber: why it is as it is, its facts, usage, sessions, attempts and changes.

use std::fmt::Display;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::domain::hours::FreeWindow;
use crate::domain::id::SubscriberId;
use crate::domain::octets::{Octets, Usage};
use crate::domain::plan::{OnLimit, Plan};
use crate::domain::quota::Direction;
use crate::domain::rate::Kbps;
use crate::domain::session::Session;
use crate::domain::speed;
use crate::domain::subscriber::{MacMode, Subscriber};
use crate::domain::why::{self, Known, LastAttempt, Mood, OpenSession, Remedy};
use crate::operations::overview::{self, Detail};
use crate::operations::{self, blocking};
use crate::web::chart::{self, Bars};
use crate::web::error::{Failure, Reply};
use crate::web::extract::Signed;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::{self, addresses, audit, auth_log, sessions};
use crate::web::parts::{Badge, Fact, Tone};
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};
use crate::web::words::{self, Words};

use super::fair_use::{QuotaPart, quota_part};

/// `GET /subscribers/{id}`.
#[derive(Template)]
#[template(path = "pages/subscribers/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    /// `/subscribers/{id}`: the forms of this page post below it.
    pub path: String,
    pub user_name: String,
    pub full_name: String,
    pub state: Badge,
    pub presence: Badge,
    pub is_enabled: bool,
    pub is_online: bool,
    pub has_mac_lock: bool,
    pub why: Why,
    /// When the session is ended for a change that only a new login brings, and who wants it; or empty.
    pub planned: String,
    pub account: Vec<Fact>,
    pub access: Vec<Fact>,
    pub notes: String,
    pub used_today: String,
    pub used_this_month: String,
    /// How much of it did not count, or empty.
    pub free_this_month: String,
    /// Last 30 days.
    pub usage: Bars,
    /// Last 12 months.
    pub months: Bars,
    pub quota: QuotaPart,
    /// The speed now, what made it, and what the router was told.
    pub speed: SpeedPart,
    /// Whether the router of an open session can be asked for the speed of this moment.
    pub has_live: bool,
    pub open: SessionsPart,
    pub attempts: Vec<auth_log::Row>,
    /// The authentication log, filtered by this subscriber.
    pub attempts_href: String,
    pub audit: Vec<audit::Row>,
}

/// One sentence that explains the present state: why offline, rejected, slow.
#[derive(Clone, Default)]
pub struct Why {
    pub tone: Tone,
    pub title: String,
    pub text: String,
    /// Steps that led there, such as those of the effective speed; may be empty.
    pub steps: Vec<String>,
    /// What to do about it, or empty.
    pub href: String,
    pub action: String,
}

/// The effective speed with its steps.
#[derive(Clone, Default)]
pub struct SpeedPart {
    pub download: String,
    pub upload: String,
    pub steps: Vec<String>,
    /// What the router has, where it differs, and why; or empty.
    pub pending: String,
    pub free_hours: Vec<String>,
}

/// Open and last sessions: `GET /subscribers/{id}/sessions`, asked for by htmx every few seconds.
#[derive(Template, Default)]
#[template(path = "pages/subscribers/_sessions.html")]
pub struct SessionsPart {
    pub csrf: String,
    pub open: Vec<sessions::OnlineRow>,
    pub closed: Vec<sessions::HistoryRow>,
    /// The history, filtered by this subscriber.
    pub all_href: String,
}

/// The page of one subscriber.
pub async fn show(Path(id): Path<u32>, signed: Signed) -> Reply {
    let id = SubscriberId(id);
    let app = Arc::clone(&signed.panel.app);
    let detail = blocking(move || overview::subscriber(&app, id)).await??;
    let name = detail.subscriber.username.as_str().to_owned();
    let shell = signed.shell(&name, Nav::Subscribers);
    Ok(Page::ok(page(&signed, shell, &detail)?).into_response())
}

/// The sessions of one subscriber, which its page asks for every few seconds.
pub async fn sessions(Path(id): Path<u32>, signed: Signed) -> Reply {
    let id = SubscriberId(id);
    let (app, csrf) = (Arc::clone(&signed.panel.app), pages::button_token(&signed));
    let part = blocking(move || {
        let found = overview::sessions_of(&app, id)?;
        Ok::<_, operations::Error>(sessions_part(&Words::of(&app), id, &found, csrf))
    })
    .await??;
    Ok(Page::ok(part).into_response())
}

fn page(signed: &Signed, shell: Shell, detail: &Detail) -> Result<ShowPage, Failure> {
    let app = signed.app();
    let words = Words::of(app);
    let subscriber = &detail.subscriber;
    let plan = app
        .plan(subscriber.plan)
        .ok_or_else(|| Failure::Fault(format!("{} has a plan that is gone", subscriber.id)))?;
    let newest = newest_open(detail);
    let name = subscriber.username.as_str();
    Ok(ShowPage {
        path: words::subscriber_href(subscriber.id),
        user_name: name.to_owned(),
        full_name: subscriber.full_name.clone(),
        state: words::state_badge(detail.state),
        presence: match newest {
            Some(session) => words::presence_badge(words.presence(session)),
            None => Badge::new(Tone::Quiet, "Offline"),
        },
        is_enabled: !subscriber.is_suspended(),
        is_online: newest.is_some(),
        has_mac_lock: !subscriber.macs.is_empty(),
        why: explain(&words, detail),
        planned: detail.planned.as_ref().map_or_else(String::new, |plan| {
            let at = words.minute(plan.due_at);
            format!("The session is ended on {at}, so that the next login brings what changed. Planned by {}.", plan.by)
        }),
        account: account(&words, subscriber),
        access: access(&words, detail, &plan),
        notes: subscriber.notes.clone(),
        used_today: words::octets(detail.used_today.raw.total()),
        used_this_month: words::octets(detail.used_this_month.raw.total()),
        free_this_month: match detail.used_this_month.free.total() {
            0 => String::new(),
            free => words::octets(free),
        },
        usage: usage(&detail.days, "day"),
        months: usage(&detail.months, "month"),
        quota: quota_part(&words, detail),
        speed: speed_part(&words, detail, newest),
        has_live: newest.is_some_and(|session| {
            app.nas(session.nas)
                .is_some_and(|entry| entry.nas.api.is_some())
        }),
        open: sessions_part(
            &words,
            subscriber.id,
            &detail.sessions,
            pages::button_token(signed),
        ),
        attempts: detail
            .attempts
            .iter()
            .map(|(_, attempt)| words::attempt(app, attempt))
            .collect(),
        attempts_href: Query::new().with("q", name).href("/auth-log"),
        audit: detail
            .audit
            .iter()
            .map(|entry| audit::row(&words, entry))
            .collect(),
        shell,
    })
}

/// The open session that was heard of last.
fn newest_open(detail: &Detail) -> Option<&Session> {
    let open = detail.sessions.iter().filter(|s| s.stopped.is_none());
    open.max_by_key(|session| session.heard_at)
}

/// Why it is as it is, and where something can be done about it.
pub fn explain(words: &Words<'_>, detail: &Detail) -> Why {
    let subscriber = &detail.subscriber;
    let newest = newest_open(detail);
    let known = Known {
        subscriber,
        speed: detail.speed.facts(),
        open: newest.map(|session| OpenSession {
            started_at: session.started_at,
            heard_at: session.heard_at,
            presence: words.presence(session),
        }),
        ended: detail
            .sessions
            .iter()
            .find_map(|session| session.stopped.map(|stopped| (stopped.at, stopped.cause))),
        attempt: detail.attempts.first().map(|(_, attempt)| LastAttempt {
            at: attempt.at,
            nas: attempt.nas,
            reason: attempt.reason,
        }),
    };
    let why = why::explain(&known, words.now);
    let path = words::subscriber_href(subscriber.id);
    let (href, action) = match why.remedy {
        None => (String::new(), ""),
        Some(Remedy::EditSubscriber(action)) => (format!("{path}/edit"), action),
        Some(Remedy::EditPlan(action)) => (format!("/plans/{}/edit", subscriber.plan), action),
        Some(Remedy::ResetFup) => (format!("{path}/fair-use"), "Reset or top up"),
        Some(Remedy::LookAtSessions) => {
            let query = Query::new().with("q", subscriber.username.as_str());
            (query.href("/online"), "See the sessions")
        }
        Some(Remedy::LookAtAttempts) => {
            let query = Query::new().with("q", subscriber.username.as_str());
            (query.href("/auth-log"), "See the attempts")
        }
        Some(Remedy::LookAtNas(nas)) => (words.nas_href(nas), "See the NAS"),
    };
    Why {
        tone: match why.mood {
            Mood::Well => Tone::Good,
            Mood::Notable => Tone::Info,
            Mood::Doubtful => Tone::Warn,
            Mood::Rejected => Tone::Bad,
        },
        title: why.title,
        text: why.text,
        steps: why.steps,
        href,
        action: action.to_owned(),
    }
}

fn account(words: &Words<'_>, subscriber: &Subscriber) -> Vec<Fact> {
    let (expires, note) = words.expiry(subscriber.expires_at);
    let mut facts = vec![
        Fact::new("Plan", words.plan(subscriber.plan))
            .link(format!("/plans/{}/edit", subscriber.plan)),
        Fact::new("Expires", expires).note(note),
        Fact::new("Phone", &subscriber.phone).copyable(),
    ];
    // What most ISPs leave empty is shown only where it is known.
    for (label, value) in [
        ("E-mail", &subscriber.email),
        ("Address", &subscriber.address),
    ] {
        if !value.is_empty() {
            facts.push(Fact::new(label, value).copyable());
        }
    }
    facts.push(Fact::new("Created", words.day(subscriber.created_at)));
    facts
}

fn access(words: &Words<'_>, detail: &Detail, plan: &Plan) -> Vec<Fact> {
    let subscriber = &detail.subscriber;
    let effective = speed::effective(&detail.speed.facts(), words.now);
    let last = effective.steps.last().map(|step| step.cause);
    let on_limit = match subscriber.on_limit.unwrap_or(plan.on_limit) {
        OnLimit::ReplaceOld => "a new one replaces the oldest",
        OnLimit::RejectNew => "a new one is rejected",
    };
    let most = subscriber.max_sessions.unwrap_or(plan.max_sessions);
    let macs: Vec<String> = subscriber.macs.iter().map(ToString::to_string).collect();
    let mac_lock = match subscriber.mac_mode {
        MacMode::Off => "Any device".to_owned(),
        MacMode::Learn(most) => format!("The first {most} seen"),
        MacMode::Fixed => "Listed devices only".to_owned(),
    };
    let address = match (subscriber.static_address, plan.pool.as_str()) {
        (Some(address), _) => Fact::new("IP address", address.to_string())
            .note(addresses::note(words.app, Some(address), None))
            .copyable(),
        (None, "") => Fact::new("IP address", "chosen by the router"),
        (None, pool) => Fact::new("IP address", format!("from the pool {pool}")),
    };
    let prefix = subscriber.static_prefix.map(|(prefix, length)| {
        Fact::new("IPv6 prefix", format!("{prefix}/{length}"))
            .note(addresses::note(words.app, None, Some((prefix, length))))
            .copyable()
    });
    let mut facts = vec![
        Fact::new("Speed", effective.limit.rate.to_string()).note(match last {
            Some(speed::Cause::Plan) | None => "of the plan",
            Some(speed::Cause::Own) => "of its own",
            Some(_) => "right now",
        }),
        address,
        Fact::new("Sessions at once", most.to_string()).note(on_limit),
        Fact::new("Devices", mac_lock).note(macs.join(", ")),
    ];
    facts.extend(prefix);
    if let Some(nas) = subscriber.only_nas {
        facts.push(Fact::new("Only through", words.nas(nas)).link(words.nas_href(nas)));
    }
    if let Some(hours) = plan.login_hours {
        facts.push(Fact::new("Login hours", hours.to_string()).note("of the plan"));
    }
    facts
}

/// One bar for each period, such as a day.
fn usage<P: Display>(periods: &[(P, Usage)], name: &str) -> Bars {
    let most = periods
        .iter()
        .map(|(_, used)| used.raw.total())
        .max()
        .unwrap_or(0);
    if most == 0 {
        return Bars::default();
    }
    let bars: Vec<chart::Day> = periods
        .iter()
        .map(|(period, used)| {
            let free = match used.free.total() {
                0 => String::new(),
                free => format!(", {} of it free", words::octets(free)),
            };
            chart::Day {
                title: format!(
                    "{period}: {} down, {} up{free}",
                    words::octets(used.raw.download),
                    words::octets(used.raw.upload)
                ),
                download_octets: used.raw.download,
                upload_octets: used.raw.upload,
            }
        })
        .collect();
    let label = |period: Option<&(P, Usage)>| {
        period.map_or_else(String::new, |(period, _)| period.to_string())
    };
    let top = format!("most: {}", words::octets(most));
    let summary = format!("Usage per {name} over {} {name}s, {top}", periods.len());
    Bars::new(&bars, summary).labelled(&label(periods.first()), &label(periods.last()), &top)
}

/// The speed now, and what the router of the newest session has been told.
fn speed_part(words: &Words<'_>, detail: &Detail, newest: Option<&Session>) -> SpeedPart {
    let facts = detail.speed.facts();
    let effective = speed::effective(&facts, words.now);
    let rate = effective.limit.rate;
    let told = newest.and_then(|session| session.told.map(|told| (session, told)));
    let pending = match told {
        Some((session, told)) if told != effective.limit => {
            let why = words.app.pushes.get(session.id);
            let why = why.map_or_else(String::new, |pending| pending.reason);
            match why.is_empty() {
                true => format!("The router still has {}; it is being told.", told.rate),
                false => format!(
                    "The router still has {}: {why}. Tried again by itself.",
                    told.rate
                ),
            }
        }
        _ => String::new(),
    };
    SpeedPart {
        download: Kbps(rate.download_kbps).to_string(),
        upload: Kbps(rate.upload_kbps).to_string(),
        steps: effective.sentences(&facts),
        pending,
        free_hours: facts.plan.free_windows.iter().map(free_hours).collect(),
    }
}

/// `22:00-06:00: 1 GB counts as 0.3 GB`.
fn free_hours(window: &FreeWindow) -> String {
    let counts = u64::from(100 - window.free_percent.min(100)) * 10_000_000;
    let direction = match window.direction {
        Direction::Both => "",
        Direction::Download => " of download",
        Direction::Upload => " of upload",
    };
    format!(
        "{}: 1 GB{direction} counts as {} GB",
        window.window,
        match counts {
            0 => "0".to_owned(),
            counts => Octets(counts).gigabytes(),
        }
    )
}

fn sessions_part(
    words: &Words<'_>,
    id: SubscriberId,
    found: &[Session],
    csrf: String,
) -> SessionsPart {
    let (open, closed): (Vec<&Session>, Vec<&Session>) =
        found.iter().partition(|session| session.stopped.is_none());
    SessionsPart {
        csrf,
        open: open
            .into_iter()
            .map(|session| sessions::open_row(words, session, words.presence(session)))
            .collect(),
        closed: closed
            .into_iter()
            .map(|session| sessions::closed_row(words, session))
            .collect(),
        all_href: Query::new()
            .with("subscriber", &id.to_string())
            .href("/sessions"),
    }
}
