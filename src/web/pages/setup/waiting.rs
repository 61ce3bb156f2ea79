//! Step 5, second half: waiting for the first login, with what came instead of it and what to do about that.

use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Redirect};

use crate::app::App;
use crate::domain::access::Reason;
use crate::domain::duration::short;
use crate::domain::time::MINUTE;
use crate::operations::nas_health::{self, Trouble};
use crate::operations::overview::{self, Detail};
use crate::operations::records::{self, AttemptFilter, OutcomeFilter};
use crate::operations::setup::{self, Step, StepState};
use crate::operations::{Error, blocking};
use crate::store::auth_log::Attempt;
use crate::web::error::Reply;
use crate::web::extract::Administrator;
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::nas;
use crate::web::pages::subscribers::{Why, explain};
use crate::web::parts::Tone;
use crate::web::query::Query;
use crate::web::shell::Bare;
use crate::web::words::{Words, subscriber_href};

use super::{BACKUPS, Frame, ROUTER, SCRIPT, SUBSCRIBER, StepLink, WAITING, frame};

/// What came so long ago has nothing to do with a box that is being set up now.
const LATELY: i64 = 10 * MINUTE;

/// `GET /setup/login`; htmx gets `WaitingPart` every two seconds.
#[derive(Template)]
#[template(path = "pages/setup/waiting.html")]
pub struct WaitingPage {
    pub shell: Bare,
    pub steps: Vec<StepLink>,
    pub user_name: String,
    pub path: &'static str,
    pub back: &'static str,
    /// Where the form that shows the password posts to.
    pub reveal: String,
    pub part: WaitingPart,
}

#[derive(Template, Default)]
#[template(path = "pages/setup/_waiting.html")]
pub struct WaitingPart {
    pub is_in: bool,
    /// How it stands.
    pub why: Why,
    /// What came instead, or did not come, most telling first.
    pub notes: Vec<Why>,
    pub path: &'static str,
    pub onward: &'static str,
    /// `14:03:22`.
    pub updated: String,
}

pub async fn waiting(Administrator(signed): Administrator) -> Reply {
    let Some(subscriber) = setup::first_subscriber(signed.app())? else {
        return Ok(Redirect::to(SUBSCRIBER).into_response());
    };
    let (app, id) = (Arc::clone(&signed.panel.app), subscriber.id);
    let part = blocking(move || part(&app, &overview::subscriber(&app, id)?)).await??;
    if signed.htmx.wants_partial {
        return Ok(Page::ok(part).into_response());
    }
    let Frame { shell, steps } = frame(&signed, "The first login", Some(Step::Subscriber))?;
    let page = WaitingPage {
        shell,
        steps,
        user_name: subscriber.username.as_str().to_owned(),
        path: WAITING,
        back: SUBSCRIBER,
        reveal: format!("{}/password", subscriber_href(id)),
        part,
    };
    Ok(Page::ok(page).into_response())
}

fn part(app: &App, detail: &Detail) -> Result<WaitingPart, Error> {
    let words = Words::of(app);
    let counted = setup::counted_routers(app);
    let tried: Vec<&Attempt> = detail
        .attempts
        .iter()
        .map(|(_, attempt)| attempt)
        .filter(|attempt| counted.contains(&attempt.nas))
        .collect();
    let was_accepted = tried.iter().any(|attempt| attempt.reason.is_none());
    let is_in = was_accepted || detail.sessions.iter().any(|it| counted.contains(&it.nas));
    // Whoever imported a list waits for anybody on it.
    let is_other_in = !is_in && setup::progress(app)?.state(Step::Subscriber) == StepState::Done;
    let notes = match is_in || is_other_in {
        true => Vec::new(),
        false => notes(&words, detail, tried.is_empty())?,
    };
    let now = words.second(words.now);
    Ok(WaitingPart {
        is_in: is_in || is_other_in,
        why: match (is_in, is_other_in) {
            (true, _) => well(&words, detail),
            (false, true) => other(detail),
            (false, false) => not_yet(&words, detail),
        },
        notes,
        path: WAITING,
        onward: BACKUPS,
        updated: now.rsplit(' ').next().unwrap_or_default().to_owned(),
    })
}

/// The first login was accepted.
fn well(words: &Words<'_>, detail: &Detail) -> Why {
    let name = detail.subscriber.username.as_str();
    let is_online = detail.sessions.iter().any(|s| s.stopped.is_none());
    let text = match (is_online, detail.sessions.is_empty()) {
        (true, _) => explain(words, detail).title,
        (false, true) => {
            "The router got its answer. The session appears with its first accounting record."
                .to_owned()
        }
        (false, false) => "Its session has ended since.".to_owned(),
    };
    Why {
        tone: Tone::Good,
        title: format!("{name} is in"),
        text,
        href: subscriber_href(detail.subscriber.id),
        action: "See its page".to_owned(),
        ..Why::default()
    }
}

/// Another subscriber than this one was the first.
fn other(detail: &Detail) -> Why {
    let name = detail.subscriber.username.as_str();
    Why {
        tone: Tone::Good,
        title: "A subscriber is in".to_owned(),
        text: format!("It is not {name}, but a login through a router was accepted: all is well."),
        href: "/auth-log".to_owned(),
        action: "See who".to_owned(),
        ..Why::default()
    }
}

/// What the last attempt met, or that there was none.
fn not_yet(words: &Words<'_>, detail: &Detail) -> Why {
    let name = detail.subscriber.username.as_str();
    if detail.attempts.is_empty() {
        return Why {
            tone: Tone::Info,
            title: format!("Waiting for {name} to log in"),
            text: "Type the user name and the password into the subscriber's router or PPPoE client, and let it dial.".to_owned(),
            ..Why::default()
        };
    }
    let newest = detail.attempts.first();
    if newest.is_some_and(|(_, attempt)| attempt.reason.is_none()) {
        return Why {
            tone: Tone::Info,
            title: format!("{name} was let in, but not through the router yet"),
            text: "The name and the password are right. That login came from this machine, or through a NAS that was deleted since. \
                   Now let the subscriber's own device dial in."
                .to_owned(),
            ..Why::default()
        };
    }
    let told = explain(words, detail);
    let edit = format!("{}/edit", subscriber_href(detail.subscriber.id));
    Why {
        // The small form is enough, and leads back here.
        href: if told.href == edit {
            SUBSCRIBER.to_owned()
        } else {
            told.href
        },
        ..told
    }
}

/// What came instead of the login, most telling first; or what to look at while nothing came through a router.
fn notes(words: &Words<'_>, detail: &Detail, none_came: bool) -> Result<Vec<Why>, Error> {
    let app = words.app;
    let mut notes = Vec::new();
    let Some(entry) = setup::first_router(app) else {
        notes.push(note(
            Tone::Warn,
            "There is no router yet",
            "Nobody can ask for a login without one.".to_owned(),
            ROUTER.to_owned(),
            "Add the router",
        ));
        return Ok(notes);
    };
    let is_old = |at| words.now.since(at) > LATELY;
    let strangers = app.sightings.list();
    if let Some(stranger) = strangers.first().filter(|stranger| !is_old(stranger.last)) {
        let address = stranger.source.to_string();
        notes.push(note(
            Tone::Warn,
            &format!("Packets come from {address}, which is no router here"),
            format!("If that is {}, this is the address that it must have here. Packets are accepted from known addresses only.", entry.nas.name),
            Query::new().with("address", &address).href(ROUTER),
            "Use this address",
        ));
    }
    let troubles = nas_health::troubles(&entry, words.now);
    let keeps_out = |trouble: &Trouble| {
        matches!(
            trouble,
            Trouble::WrongSecret | Trouble::MissingAuthenticator | Trouble::Radsec
        )
    };
    if troubles.first().is_some_and(keeps_out)
        && let Some(hint) = nas::hints(words, &entry).into_iter().next()
    {
        notes.push(note(
            Tone::Bad,
            &hint.title,
            hint.text,
            SCRIPT.to_owned(),
            "See the script",
        ));
    }
    if let Some(tried) = other_name(app, detail)? {
        let name = detail.subscriber.username.as_str();
        notes.push(note(
            Tone::Warn,
            &format!("Somebody tries as “{tried}”"),
            format!("Nobody has this user name. If that should be {name}, mend it on the other side, or here."),
            SUBSCRIBER.to_owned(),
            "Edit",
        ));
    }
    if notes.is_empty() && none_came {
        let title = match entry.stats.last_seen() {
            None => format!("Nothing came from {} yet", entry.nas.name),
            Some(at) => format!(
                "{} last spoke {} ago",
                entry.nas.name,
                short(words.now.since(at))
            ),
        };
        notes.push(note(
            Tone::Quiet,
            &title,
            "The script must have run on it, and no firewall on the way may hold back UDP 1812."
                .to_owned(),
            SCRIPT.to_owned(),
            "See the script and the checks",
        ));
    }
    Ok(notes)
}

/// A user name that nobody has, tried since the subscriber was made.
fn other_name(app: &App, detail: &Detail) -> Result<Option<String>, Error> {
    let filter = AttemptFilter {
        outcome: Some(OutcomeFilter::Because(Reason::UnknownUser)),
        span: records::Span {
            from: Some(detail.subscriber.created_at),
            until: None,
        },
        ..AttemptFilter::default()
    };
    let found = records::attempts(app, &filter, u64::MAX, 1)?;
    let newest = found.rows.into_iter().next();
    Ok(newest.map(|(_, attempt)| attempt.username.to_string()))
}

fn note(tone: Tone, title: &str, text: String, href: String, action: &str) -> Why {
    Why {
        tone,
        title: title.to_owned(),
        text,
        steps: Vec::new(),
        href,
        action: action.to_owned(),
    }
}
