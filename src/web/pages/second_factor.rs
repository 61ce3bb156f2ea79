//! The operator's own second factor: setting it up with a phone, new recovery codes, switching it off.
//!
//! Invariant: secret and codes are shown in the answer to a form or once on the page that sets up, never in an address.

use askama::Template;
use axum::response::IntoResponse;

use crate::crypto::Secret;
use crate::crypto::totp::FactorSecret;
use crate::domain::operator::Role;
use crate::operations::operators::{self as verbs, RecoveryCodes};
use crate::operations::{Error, setup};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Own, Signed};
use crate::web::filters;
use crate::web::form::Problems;
use crate::web::page::Page;
use crate::web::parts::{Fact, Field};
use crate::web::qr::QrCode;
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

const PATH: &str = "/account/second-factor";
/// The step of the first run that offers it.
const SETUP: &str = "/setup/operator";

/// `GET /account/second-factor` while it is off, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/second_factor/enrol.html")]
pub struct EnrolPage {
    pub shell: Shell,
    /// The operator can do nothing else before.
    pub is_needed: bool,
    pub refusal: Option<String>,
    pub code_image: QrCode,
    /// The secret in groups of four, for phones that cannot scan.
    pub groups: String,
    /// The same for the form.
    pub secret: String,
    pub present: Field,
    pub code: Field,
    /// Where it can be put off to, or empty.
    pub later: &'static str,
}

/// `GET /account/second-factor` while it is on.
#[derive(Template)]
#[template(path = "pages/second_factor/show.html")]
pub struct ShowPage {
    pub shell: Shell,
    pub facts: Vec<Fact>,
    /// May be switched off.
    pub may_end: bool,
}

/// Asks for the password: `GET` and `POST` (422) of `…/recovery` and `…/off`.
#[derive(Template)]
#[template(path = "pages/second_factor/ask.html")]
pub struct AskPage {
    pub shell: Shell,
    pub text: String,
    pub action: String,
    pub label: String,
    pub is_danger: bool,
    pub refusal: Option<String>,
    pub present: Field,
}

/// The answer to a form that made recovery codes; shown once.
#[derive(Template)]
#[template(path = "pages/second_factor/codes.html")]
pub struct CodesPage {
    pub shell: Shell,
    /// One a line.
    pub codes: String,
    /// Where to go on.
    pub onward: &'static str,
}

pub async fn show(signed: Signed) -> Reply {
    if signed.current.operator.role == Role::Support {
        let text = "Remote support signs in with its one-time code only.";
        return Err(Failure::Forbidden(text.to_owned()));
    }
    let app = signed.app();
    let Some(state) = verbs::factor_state(app, signed.current.operator.id)? else {
        let page = enrol_page(
            &signed,
            &FactorSecret::generate().map_err(Error::from)?,
            &Problems::default(),
        )?;
        return Ok(Page::ok(page).into_response());
    };
    let page = ShowPage {
        shell: shell(&signed),
        facts: vec![
            Fact::new("On since", Words::of(app).minute(state.since)),
            Fact::new("Recovery codes left", state.recovery_left.to_string())
                .note("Each works once. Make new ones before they run out."),
        ],
        may_end: !(app.settings().sign_in.needs_factor && signed.may_change()),
    };
    Ok(Page::ok(page).into_response())
}

/// Switches it on: the phone has shown that it knows the secret.
pub async fn create(Own { signed, form }: Own) -> Reply {
    let Some(secret) = FactorSecret::from_base32(form.text("secret")) else {
        return Err(Failure::Garbled);
    };
    let present = Secret::new(form.text("present").to_owned());
    let (panel, actor) = (&signed.panel, signed.actor());
    let enrolled = verbs::enrol(
        &panel.app,
        &panel.throttle,
        &signed.current,
        &actor,
        present,
        &secret,
        form.text("code"),
    )
    .await;
    let mut problems = Problems::default();
    if let Some(codes) = problems.absorb(enrolled)? {
        return codes_page(&signed, &codes);
    }
    let page = enrol_page(&signed, &secret, &problems)?;
    Ok(Page::unprocessable(page).into_response())
}

pub async fn ask_recovery(signed: Signed) -> Reply {
    let page = recovery_page(&signed, &Problems::default());
    Ok(Page::ok(page).into_response())
}

pub async fn new_recovery(Own { signed, form }: Own) -> Reply {
    let present = Secret::new(form.text("present").to_owned());
    let (panel, actor) = (&signed.panel, signed.actor());
    let (app, current) = (&panel.app, &signed.current);
    let made = verbs::new_recovery_codes(app, &panel.throttle, current, &actor, present).await;
    let mut problems = Problems::default();
    if let Some(codes) = problems.absorb(made)? {
        return codes_page(&signed, &codes);
    }
    let page = recovery_page(&signed, &problems);
    Ok(Page::unprocessable(page).into_response())
}

pub async fn ask_end(signed: Signed) -> Reply {
    let page = end_page(&signed, &Problems::default());
    Ok(Page::ok(page).into_response())
}

pub async fn end(Own { signed, form }: Own) -> Reply {
    let present = Secret::new(form.text("present").to_owned());
    let (panel, actor) = (&signed.panel, signed.actor());
    let (app, current) = (&panel.app, &signed.current);
    let ended = verbs::end_factor(app, &panel.throttle, current, &actor, present).await;
    let mut problems = Problems::default();
    if problems.absorb(ended)?.is_some() {
        let flash = Flash::good("Your second factor is off. The password alone lets you in.");
        return Ok(done(&signed, flash, PATH));
    }
    Ok(Page::unprocessable(end_page(&signed, &problems)).into_response())
}

fn shell(signed: &Signed) -> Shell {
    signed.shell("Second factor", Nav::Elsewhere)
}

fn enrol_page(
    signed: &Signed,
    secret: &FactorSecret,
    problems: &Problems,
) -> Result<EnrolPage, Error> {
    let settings = signed.app().settings();
    let address = secret.address(&settings.isp_name, &signed.current.operator.name)?;
    let base32 = secret.base32();
    Ok(EnrolPage {
        shell: shell(signed),
        is_needed: signed.current.must_enrol,
        refusal: problems.refusal(),
        code_image: QrCode::of(address.expose()).unwrap_or_default(),
        groups: groups_of_four(base32.expose()),
        secret: base32.expose().clone(),
        present: problems.secret("present"),
        code: problems.secret("code"),
        later: if is_setting_up(signed)? { SETUP } else { "" },
    })
}

/// Four groups a line, which a phone has room for.
fn groups_of_four(text: &str) -> String {
    let signs: Vec<char> = text.chars().collect();
    let groups: Vec<String> = signs
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    let lines: Vec<String> = groups.chunks(4).map(|line| line.join(" ")).collect();
    lines.join("\n")
}

fn recovery_page(signed: &Signed, problems: &Problems) -> AskPage {
    AskPage {
        shell: signed.shell("New recovery codes", Nav::Elsewhere),
        text: "You get ten new codes, and the old ones stop working.".to_owned(),
        action: format!("{PATH}/recovery"),
        label: "Make new codes".to_owned(),
        is_danger: false,
        refusal: problems.refusal(),
        present: problems.secret("present"),
    }
}

fn end_page(signed: &Signed, problems: &Problems) -> AskPage {
    AskPage {
        shell: signed.shell("Switch the second factor off", Nav::Elsewhere),
        text: "Then whoever knows your password can sign in. The recovery codes stop working too."
            .to_owned(),
        action: format!("{PATH}/off"),
        label: "Switch off".to_owned(),
        is_danger: true,
        refusal: problems.refusal(),
        present: problems.secret("present"),
    }
}

/// Whether this is a part of the first run, which then goes on.
fn is_setting_up(signed: &Signed) -> Result<bool, Error> {
    Ok(signed.may_change()
        && !signed.current.must_enrol
        && setup::progress(signed.app())?.is_open())
}

fn codes_page(signed: &Signed, codes: &RecoveryCodes) -> Reply {
    let lines: Vec<&str> = codes.0.iter().map(|code| code.expose().as_str()).collect();
    let page = CodesPage {
        shell: signed.shell("Recovery codes", Nav::Elsewhere),
        codes: lines.join("\n"),
        onward: if is_setting_up(signed)? { SETUP } else { "/" },
    };
    Ok(Page::ok(page).into_response())
}
