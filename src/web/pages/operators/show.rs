//! The page of one operator, for administrators: role, password, second factor, signed-in browsers, removal.

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::crypto;
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role};
use crate::operations::Error;
use crate::operations::operators as verbs;
use crate::store::operators as stored;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::form::Problems;
use crate::web::page::Page;
use crate::web::pages::account::{self, LoginRow};
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::{Badge, Fact, Field, Select, Tone};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

use super::{PATH, href, new_password, role_select, role_word};

/// `GET /operators/{id}`, and the posts of its forms with errors (422).
#[derive(Template)]
#[template(path = "pages/operators/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    pub path: String,
    pub name: String,
    pub role_badge: Badge,
    pub facts: Vec<Fact>,
    /// Whether the forms are offered: neither for the own account nor for remote support.
    pub may_manage: bool,
    /// Why they are not.
    pub note: &'static str,
    pub has_factor: bool,
    pub refusal: Option<String>,
    pub role: Select,
    pub password: Field,
    pub password_again: Field,
    pub browsers: Vec<LoginRow>,
}

pub async fn show(Path(id): Path<u32>, Administrator(signed): Administrator) -> Reply {
    let page = page(&signed, id, &Problems::default())?;
    Ok(Page::ok(page).into_response())
}

pub async fn change_role(Path(id): Path<u32>, Change { signed, form }: Change) -> Reply {
    let operator = find(&signed, id)?;
    let mut problems = Problems::default();
    if let Some(role) = problems.take("role", Role::parse(form.text("role"))) {
        let actor = signed.actor();
        let changed = verbs::change_role(signed.app(), &actor, operator.id, role).await;
        if problems.absorb(changed)?.is_some() {
            let word = role_word(role).to_lowercase();
            let flash = Flash::good(format!("{} has the role {word} now.", operator.name));
            return Ok(done(&signed, flash, &href(&operator)));
        }
    }
    let page = page(&signed, id, &problems)?;
    Ok(Page::unprocessable(page).into_response())
}

pub async fn reset_password(Path(id): Path<u32>, Change { signed, form }: Change) -> Reply {
    let operator = find(&signed, id)?;
    let mut problems = Problems::default();
    if let Some(password) = new_password(&form, &mut problems) {
        let actor = signed.actor();
        let reset = verbs::reset_password(signed.app(), &actor, operator.id, password).await;
        if problems.absorb(reset)?.is_some() {
            let text = format!(
                "{} has a new password, and must sign in again everywhere.",
                operator.name
            );
            return Ok(done(&signed, Flash::good(text), &href(&operator)));
        }
    }
    let page = page(&signed, id, &problems)?;
    Ok(Page::unprocessable(page).into_response())
}

pub async fn reset_factor(Path(id): Path<u32>, change: Change) -> Reply {
    let signed = change.signed;
    let operator = find(&signed, id)?;
    verbs::reset_factor(signed.app(), &signed.actor(), operator.id).await?;
    let text = format!("{} signs in with the password alone now.", operator.name);
    Ok(done(&signed, Flash::good(text), &href(&operator)))
}

/// Signs one browser of the operator out; `browser` is the hash of its token, in hex.
pub async fn revoke(Path((id, browser)): Path<(u32, String)>, change: Change) -> Reply {
    let signed = change.signed;
    let operator = find(&signed, id)?;
    let known = verbs::logins(signed.app(), operator.id)?;
    let found = known
        .into_iter()
        .find(|(token, _)| crypto::hex(token) == browser);
    let (token, _) = found.ok_or(Error::Missing("browser"))?;
    let back = href(&operator);
    verbs::revoke(signed.app(), &signed.actor(), operator, token).await?;
    Ok(done(
        &signed,
        Flash::good("The browser was signed out."),
        &back,
    ))
}

pub async fn sign_out(Path(id): Path<u32>, change: Change) -> Reply {
    let signed = change.signed;
    let operator = find(&signed, id)?;
    let count = verbs::sign_out_all(signed.app(), &signed.actor(), operator.id).await?;
    let text = match count {
        0 => "No browser was signed in.".to_owned(),
        1 => "One browser was signed out.".to_owned(),
        count => format!("{count} browsers were signed out."),
    };
    Ok(done(&signed, Flash::good(text), &href(&operator)))
}

/// Asks before removing, and says what goes and what stays.
pub async fn ask_remove(Path(id): Path<u32>, Administrator(signed): Administrator) -> Reply {
    let operator = find(&signed, id)?;
    let back = href(&operator);
    let page = DeletePage {
        shell: signed.shell("Remove operator", Nav::Operators),
        list: "Operators",
        list_href: PATH,
        verb: "Remove",
        thing: "operator",
        action: format!("{back}/delete"),
        back,
        consequences: vec![
            "All browsers with this name are signed out at once.".to_owned(),
            "What was done under this name stays in the audit log.".to_owned(),
        ],
        name: operator.name,
        blocked: String::new(),
    };
    Ok(Page::ok(page).into_response())
}

pub async fn remove(Path(id): Path<u32>, change: Change) -> Reply {
    let signed = change.signed;
    let operator = find(&signed, id)?;
    verbs::remove(signed.app(), &signed.actor(), operator.id).await?;
    let text = format!("{} is removed.", operator.name);
    Ok(done(&signed, Flash::good(text), PATH))
}

fn find(signed: &Signed, id: u32) -> Result<Operator, Failure> {
    let found = stored::get(&signed.app().store.view()?, OperatorId(id))?;
    found.map(|stored| stored.operator).ok_or(Failure::Missing)
}

fn page(signed: &Signed, id: u32, problems: &Problems) -> Result<ShowPage, Failure> {
    let operator = find(signed, id)?;
    let app = signed.app();
    let words = Words::of(app);
    let factor = verbs::factor_state(app, operator.id)?;
    let path = href(&operator);
    let is_own = operator.id == signed.current.operator.id;
    let note = match (is_own, operator.role) {
        (true, _) => {
            "This is your own account. The menu behind your name leads to your password, second factor and browsers."
        }
        (false, Role::Support) => "Remote support is switched on and off under Settings, Support.",
        (false, _) => "",
    };
    let (tone, role) = match operator.role {
        Role::Support => (Tone::Warn, role_word(operator.role)),
        role => (Tone::Info, role_word(role)),
    };
    let factor_fact = match &factor {
        Some(state) => Fact::new(
            "Second factor",
            format!("On since {}", words.day(state.since)),
        )
        .note(format!("{} recovery codes left", state.recovery_left)),
        None => Fact::new("Second factor", "Off"),
    };
    Ok(ShowPage {
        shell: signed.shell(&operator.name, Nav::Operators),
        role_badge: Badge::new(tone, role),
        facts: vec![
            Fact::new("Since", words.minute(operator.created_at)),
            factor_fact,
        ],
        may_manage: note.is_empty(),
        note,
        has_factor: factor.is_some(),
        refusal: problems.refusal(),
        role: problems.select("role", role_select(operator.role.word())),
        password: problems.secret("password"),
        password_again: problems.secret("password_again"),
        browsers: account::login_rows(signed, operator.id, &format!("{path}/logins"))?,
        name: operator.name,
        path,
    })
}
