//! What can be done to one subscriber with a button: disconnect, suspend, enable, forget its devices, show its password,
//! delete it.

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::domain::id::SubscriberId;
use crate::domain::text;
use crate::operations::{sessions, subscribers as verbs};
use crate::store::subscribers as stored;
use crate::web::error::{Failure, Reply, done, stay};
use crate::web::extract::{Change, Signed, Work};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::Tone;
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words;

use super::PATH;

/// Characters of the reason for a suspension.
const LONGEST_REASON: usize = 200;

/// The password in plain, where the button was: `POST /subscribers/{id}/password` by htmx.
#[derive(Template)]
#[template(path = "pages/subscribers/_password.html")]
pub struct PasswordPart {
    pub password: String,
}

/// The same as a page, for browsers without script.
#[derive(Template)]
#[template(path = "pages/subscribers/password.html")]
pub struct PasswordPage {
    pub shell: Shell,
    pub user_name: String,
    pub back: String,
    pub part: PasswordPart,
}

/// Asks the routers to end every open session.
pub async fn disconnect(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let id = SubscriberId(id);
    name(&signed, id)?;
    let count = sessions::disconnect_subscriber(signed.app(), &signed.actor(), id).await?;
    let (tone, text) = match count {
        0 => (Tone::Info, "No session is open.".to_owned()),
        1 => (
            Tone::Good,
            "The router was asked to end the session.".to_owned(),
        ),
        count => (
            Tone::Good,
            format!("The router was asked to end {count} sessions."),
        ),
    };
    Ok(stay(&signed, tone, &text))
}

pub async fn suspend(Path(id): Path<u32>, Work { signed, form }: Work) -> Reply {
    let id = SubscriberId(id);
    let name = name(&signed, id)?;
    let reason = text::line(form.text("reason"), LONGEST_REASON)
        .map_err(|problem| Failure::Unfit(format!("reason: {problem}")))?;
    verbs::suspend(signed.app(), &signed.actor(), id, reason).await?;
    let flash = Flash::good(format!("{name} is suspended, and its sessions end."));
    Ok(done(&signed, flash, &words::subscriber_href(id)))
}

pub async fn enable(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let id = SubscriberId(id);
    let name = name(&signed, id)?;
    verbs::enable(signed.app(), &signed.actor(), id).await?;
    let flash = Flash::good(format!("{name} is enabled."));
    Ok(done(&signed, flash, &words::subscriber_href(id)))
}

pub async fn forget_macs(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let id = SubscriberId(id);
    let name = name(&signed, id)?;
    verbs::forget_macs(signed.app(), &signed.actor(), id).await?;
    let flash = Flash::good(format!("The MAC addresses of {name} are forgotten."));
    Ok(done(&signed, flash, &words::subscriber_href(id)))
}

/// Shows the password to administrators. Each look is in the audit log.
pub async fn reveal_password(Path(id): Path<u32>, change: Change) -> Reply {
    let signed = change.signed;
    let id = SubscriberId(id);
    let user_name = name(&signed, id)?;
    let password = verbs::reveal_password(signed.app(), &signed.actor(), id).await?;
    let part = PasswordPart {
        password: password.expose().clone(),
    };
    if signed.htmx.wants_partial {
        return Ok(Page::ok(part).into_response());
    }
    let page = PasswordPage {
        shell: signed.shell("Password", Nav::Subscribers),
        user_name,
        back: words::subscriber_href(id),
        part,
    };
    Ok(Page::ok(page).into_response())
}

/// Asks before deleting, and says what goes and what stays.
pub async fn ask_remove(Path(id): Path<u32>, signed: Signed) -> Reply {
    let id = SubscriberId(id);
    let user_name = name(&signed, id)?;
    let open = signed.app().accounting.live().open_of(id).count();
    let sessions = match open {
        0 => "The next sign-in is rejected as unknown.".to_owned(),
        1 => "The open session is ended, and the next sign-in is rejected as unknown.".to_owned(),
        open => format!(
            "The {open} open sessions are ended, and the next sign-in is rejected as unknown."
        ),
    };
    let back = words::subscriber_href(id);
    let page = DeletePage {
        shell: signed.shell("Delete subscriber", Nav::Subscribers),
        list: "Subscribers",
        list_href: PATH,
        verb: "Delete",
        thing: "subscriber",
        action: format!("{back}/delete"),
        back,
        name: user_name,
        consequences: vec![
            sessions,
            "Its password, notes and contact details are gone.".to_owned(),
            "Its sessions stay in the history, and its changes in the audit log.".to_owned(),
        ],
        blocked: String::new(),
    };
    Ok(Page::ok(page).into_response())
}

pub async fn remove(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let id = SubscriberId(id);
    let name = name(&signed, id)?;
    verbs::remove(signed.app(), &signed.actor(), id).await?;
    Ok(done(
        &signed,
        Flash::good(format!("{name} is deleted.")),
        PATH,
    ))
}

/// The user name, for sentences. Errors: `Missing`.
fn name(signed: &Signed, id: SubscriberId) -> Result<String, Failure> {
    let found = stored::get(&signed.app().store.view()?, id)?.ok_or(Failure::Missing)?;
    Ok(found.subscriber.username.as_str().to_owned())
}
