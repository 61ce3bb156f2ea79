//! The certificate of the panel: what browsers see, and the three ways to another one.

use askama::Template;
use axum::http::HeaderMap;
use axum::response::IntoResponse;

use crate::crypto::Secret;
use crate::domain::acme::{parse_directory, parse_email, parse_key_id, parse_names};
use crate::domain::text;
use crate::operations::certificates::{self, LETS_ENCRYPT, State, Wanted};
use crate::tls::{Source, Step};
use crate::web::error::{Reply, done};
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::parts::{Badge, Fact, Field, Tone};
use crate::web::secure;
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::tabs::{self, Tabs};
use crate::web::words::Words;

const PATH: &str = "/settings/certificate";
/// Characters of the authority's PEM text; a few certificates.
const LONGEST_AUTHORITY: usize = 32 * 1024;

/// `GET /settings/certificate`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/settings/certificate.html")]
pub struct CertificatePage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub refusal: Option<String>,
    pub part: StatePart,
    /// Nothing can be chosen where the configuration names the files.
    pub may_choose: bool,
    pub acme: AcmeForm,
    pub own: OwnForm,
}

/// What is in use and what is under way, which the page asks for again every few seconds.
#[derive(Template, Default)]
#[template(path = "pages/settings/_certificate.html")]
pub struct StatePart {
    pub source: Badge,
    /// Why the chosen one cannot be used, or empty.
    pub fault: String,
    pub facts: Vec<Fact>,
    /// How orders fare; `None` where none are wanted.
    pub order: Option<OrderCard>,
}

#[derive(Clone, Default)]
pub struct OrderCard {
    pub state: Badge,
    pub text: String,
    /// Why the last one failed, or empty.
    pub error: String,
}

#[derive(Clone, Default)]
pub struct AcmeForm {
    pub names: Field,
    pub email: Field,
    pub directory: Field,
    pub authority: Field,
    pub key_id: Field,
    pub binding_key: Field,
    pub agreed: bool,
    /// The rare fields are shown.
    pub shows_more: bool,
}

#[derive(Clone, Default)]
pub struct OwnForm {
    pub certificate: Field,
    pub key: Field,
}

pub async fn show(signed: Signed) -> Reply {
    let state = certificates::state(signed.app())?;
    let part = part(&signed, &state);
    if signed.htmx.wants_partial {
        return Ok(Page::ok(part).into_response());
    }
    let page = CertificatePage {
        part,
        ..page(&signed, &state)
    };
    Ok(Page::ok(page).into_response())
}

pub async fn use_own(headers: HeaderMap, Change { signed, form }: Change) -> Reply {
    let key = Secret::new(form.text("key").to_owned());
    let chain = form.text("certificate");
    let taken = certificates::use_own(&signed.panel.app, &signed.actor(), chain, &key).await;
    let mut problems = Problems::default();
    let Some(facts) = problems.absorb(taken)? else {
        return again(&signed, &form, &problems);
    };
    let names = facts.names.join(", ");
    let here = secure::host(&headers).filter(|here| !facts.covers(here));
    let flash = match here {
        None => format!("The certificate for {names} is in use."),
        Some(here) => format!(
            "The certificate for {names} is in use. You came here as {here}, which is none of these: browsers will warn there."
        ),
    };
    Ok(done(&signed, Flash::good(flash), PATH))
}

pub async fn use_acme(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    let wanted = wanted(&form, &mut problems);
    if !form.has("agreed") {
        problems.refuse("An authority issues certificates only to those who agree to its terms.");
    }
    let Some(wanted) = wanted.filter(|_| problems.is_empty()) else {
        return again(&signed, &form, &problems);
    };
    let key = form.text("binding_key").trim();
    let key = (!key.is_empty()).then(|| Secret::new(key.to_owned()));
    let app = &signed.panel.app;
    let ordered = certificates::use_acme(app, &signed.actor(), wanted, key.as_ref()).await;
    if problems.absorb(ordered)?.is_some() {
        let flash = Flash::good(
            "The certificate is being ordered. This page shows how it goes; until it is there, the present one stays.",
        );
        return Ok(done(&signed, flash, PATH));
    }
    again(&signed, &form, &problems)
}

pub async fn use_self_signed(Change { signed, .. }: Change) -> Reply {
    back_to_self_signed(&signed, false).await
}

pub async fn new_self_signed(Change { signed, .. }: Change) -> Reply {
    back_to_self_signed(&signed, true).await
}

async fn back_to_self_signed(signed: &Signed, fresh: bool) -> Reply {
    certificates::use_self_signed(&signed.panel.app, &signed.actor(), fresh).await?;
    let flash =
        "The self-signed certificate is in use. Compare its fingerprint where the browser asks.";
    Ok(done(signed, Flash::good(flash), PATH))
}

fn wanted(form: &FormData, problems: &mut Problems) -> Option<Wanted> {
    let names = problems.take("names", parse_names(form.text("names")));
    let email = problems.take("email", parse_email(form.text("email")));
    let directory = match form.text("directory").trim() {
        "" => Ok(LETS_ENCRYPT.to_owned()),
        typed => parse_directory(typed),
    };
    let directory = problems.take("directory", directory);
    let authority = text::paragraph(form.text("authority"), LONGEST_AUTHORITY);
    let authority = problems.take("authority", authority);
    let key_id = problems.take("key_id", parse_key_id(form.text("key_id")));
    Some(Wanted {
        names: names?,
        email: email?,
        directory: directory?,
        authority: authority?,
        key_id: key_id?,
    })
}

/// The form with what is wrong with it.
fn again(signed: &Signed, form: &FormData, problems: &Problems) -> Reply {
    let state = certificates::state(signed.app())?;
    let mut page = CertificatePage {
        refusal: problems.summary(),
        part: part(signed, &state),
        ..page(signed, &state)
    };
    // The form that was not sent keeps what is stored.
    if form.has("names") {
        page.acme = acme_form(form, problems);
    } else {
        page.own = OwnForm {
            certificate: problems.field(form, "certificate"),
            key: problems.secret("key"),
        };
    }
    Ok(Page::unprocessable(page).into_response())
}

/// The page as it stands, but for its part.
fn page(signed: &Signed, state: &State) -> CertificatePage {
    let acme = &state.acme;
    let filled = FormData::filled(vec![
        ("names", acme.names.join(" ")),
        ("email", acme.email.clone()),
        ("directory", acme.directory.clone()),
        ("authority", acme.authority.clone()),
        ("key_id", acme.key_id.clone()),
    ]);
    let mut form = acme_form(&filled, &Problems::default());
    form.agreed = acme.is_on;
    CertificatePage {
        shell: signed.shell(&tabs::settings(PATH).title(), Nav::Settings),
        tabs: tabs::settings(PATH),
        refusal: None,
        part: StatePart::default(),
        may_choose: !state.is_configured,
        acme: form,
        own: OwnForm::default(),
    }
}

fn acme_form(form: &FormData, problems: &Problems) -> AcmeForm {
    let directory = problems.field(form, "directory");
    let authority = problems.field(form, "authority");
    let key_id = problems.field(form, "key_id");
    let binding_key = problems.secret("binding_key");
    let is_usual = directory.value.is_empty() || directory.value == LETS_ENCRYPT;
    let has_more = [&authority, &key_id, &binding_key]
        .iter()
        .any(|field| !field.value.is_empty() || field.error.is_some());
    AcmeForm {
        names: problems.field(form, "names"),
        email: problems.field(form, "email"),
        shows_more: !is_usual || has_more,
        directory,
        authority,
        key_id,
        binding_key,
        agreed: form.has("agreed"),
    }
}

fn part(signed: &Signed, state: &State) -> StatePart {
    let words = Words::of(signed.app());
    let in_use = &state.in_use;
    let facts = &in_use.facts;
    let source = match in_use.source {
        Source::SelfSigned => Badge::new(Tone::Quiet, "Self-signed"),
        Source::Own => Badge::new(Tone::Good, "Your own"),
        Source::Acme => Badge::new(Tone::Good, "From an authority"),
        Source::Configured => Badge::new(Tone::Good, "From the configuration"),
    };
    let (_, left) = words.expiry(Some(facts.not_after));
    StatePart {
        source,
        fault: in_use.fault.clone().unwrap_or_default(),
        facts: vec![
            Fact::new("Good for", facts.names.join(", ")),
            Fact::new("Issued by", &facts.issuer),
            Fact::new("From", words.minute(facts.not_before)),
            Fact::new("Until", words.minute(facts.not_after)).note(left),
            Fact::new("SHA-256", facts.fingerprint.pairs())
                .note("The browser shows the same where it warns; compare before you go on.")
                .copyable(),
        ],
        order: order(&words, state),
    }
}

fn order(words: &Words<'_>, state: &State) -> Option<OrderCard> {
    let acme = &state.acme;
    if !acme.is_on || state.is_configured {
        return None;
    }
    let next = match state.next_try {
        Some(at) if at > words.now => format!("on {}", words.minute(at)),
        _ => "within a minute".to_owned(),
    };
    let names = acme.names.join(", ");
    let (state, text) = match (state.step, acme.last_error.as_str(), state.in_use.source) {
        (Some(step), _, _) => (Badge::new(Tone::Info, "Under way"), told(step, &acme.names)),
        (None, "", Source::Acme) => (
            Badge::new(Tone::Good, "Well"),
            format!("For {names}. The next one is ordered {next}."),
        ),
        (None, "", _) => (
            Badge::new(Tone::Info, "Waiting"),
            format!("For {names}. It is ordered {next}."),
        ),
        (None, _, _) => (
            Badge::new(Tone::Bad, "Not issued"),
            format!(
                "For {names}. It is tried again {next}; to try at once, save the form below again."
            ),
        ),
    };
    Some(OrderCard {
        state,
        text,
        error: acme.last_error.clone(),
    })
}

fn told(step: Step, names: &[String]) -> String {
    match step {
        Step::Account => "Signing in to the certificate authority.".to_owned(),
        Step::Order => "Ordering the certificate.".to_owned(),
        Step::Challenge => {
            let links: Vec<String> = names.iter().map(|name| format!("http://{name}/")).collect();
            format!(
                "The authority looks whether {} leads here, on port 80.",
                links.join(" and ")
            )
        }
        Step::Issue => "The authority issues the certificate.".to_owned(),
    }
}
