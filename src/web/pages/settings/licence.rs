//! The licence: how it stands, what it is for, and the forms that activate it or give it up.

use askama::Template;
use axum::response::IntoResponse;

use crate::domain::time::Timestamp;
use crate::licence::Likeness;
use crate::operations::licence::{self, Status};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::parts::{Badge, Fact, Field, Tone, thousands};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::tabs::{self, Tabs};
use crate::web::words::Words;

const HERE: &str = "/settings/licence";

/// `GET /settings/licence`, and its posts with errors (422).
#[derive(Template)]
#[template(path = "pages/settings/licence.html")]
pub struct LicencePage {
    pub shell: Shell,
    pub tabs: Tabs,
    /// The sentence at the top; its tone is that of `state`.
    pub title: String,
    pub text: String,
    pub state: Badge,
    /// Without a vendor the page says so and nothing else.
    pub has_vendor: bool,
    pub is_activated: bool,
    pub facts: Vec<Fact>,
    pub machine: Vec<Fact>,
    /// One sentence above the forms.
    pub refusal: Option<String>,
    pub key: Field,
    pub company: Field,
    pub email: Field,
}

pub async fn show(signed: Signed) -> Reply {
    let problems = Problems::default();
    let company = signed.app().settings().isp_name.clone();
    let form = FormData::filled(vec![("company", company)]);
    let page = page(&signed, &form, &problems)?;
    Ok(Page::ok(page).into_response())
}

pub async fn activate(Change { signed, form }: Change) -> Reply {
    let done = licence::activate(signed.app(), &signed.actor(), form.text("key")).await;
    answer(&signed, &form, done, "The licence is active.")
}

pub async fn register(Change { signed, form }: Change) -> Reply {
    let (company, email) = (form.text("company"), form.text("email"));
    let done = licence::register(signed.app(), &signed.actor(), company, email).await;
    answer(
        &signed,
        &form,
        done,
        "The vendor gave a licence, and it is active.",
    )
}

pub async fn deactivate(Change { signed, .. }: Change) -> Reply {
    let flash = match licence::deactivate(signed.app(), &signed.actor()).await? {
        true => Flash::good("The licence was given up. Another machine can activate it."),
        false => Flash::bad(
            "The licence was given up here, but the vendor did not answer: for another machine, ask it to move the licence.",
        ),
    };
    Ok(done(&signed, flash, HERE))
}

/// Asks the vendor at once instead of within the hour.
pub async fn ask(Change { signed, .. }: Change) -> Reply {
    use licence::Beat;
    let flash = match licence::beat(signed.app(), true).await? {
        Beat::Good => Flash::good("The vendor says that all is well."),
        Beat::NoVendor | Beat::NotActivated => Flash::bad("There is no licence to ask about."),
        Beat::Bad(said) | Beat::Silent(said) => Flash::bad(format!("{said}.")),
    };
    Ok(done(&signed, flash, HERE))
}

fn answer(
    signed: &Signed,
    form: &FormData,
    outcome: Result<(), crate::operations::Error>,
    good: &str,
) -> Reply {
    let mut problems = Problems::default();
    if problems.absorb(outcome)?.is_some() {
        return Ok(done(signed, Flash::good(good), HERE));
    }
    Ok(Page::unprocessable(page(signed, form, &problems)?).into_response())
}

fn page(signed: &Signed, form: &FormData, problems: &Problems) -> Result<LicencePage, Failure> {
    let words = Words::of(signed.app());
    let status = licence::status(signed.app())?;
    let said = licence::words(&status.standing, words.calendar());
    let state = match (said.is_well, said.is_limited) {
        (true, _) => Badge::new(Tone::Good, "Well"),
        (false, false) => Badge::new(Tone::Warn, "Needs attention"),
        (false, true) => Badge::new(Tone::Bad, "Limited"),
    };
    Ok(LicencePage {
        shell: signed.shell(&tabs::settings(HERE).title(), Nav::Settings),
        tabs: tabs::settings(HERE),
        title: said.title,
        text: said.text,
        state,
        has_vendor: !status.vendor_url.is_empty(),
        is_activated: status.is_activated(),
        facts: facts(&words, &status),
        machine: machine(&status),
        refusal: problems.refusal().map(|text| format!("{text}.")),
        key: problems.secret("key"),
        company: problems.field(form, "company"),
        email: problems.field(form, "email"),
    })
}

fn facts(words: &Words<'_>, status: &Status) -> Vec<Fact> {
    let minute = |at: Option<Timestamp>| at.map_or_else(String::new, |at| words.minute(at));
    let mut facts = vec![Fact::new("Vendor", &status.vendor_url)];
    if let Some(licence) = &status.standing.licence {
        let trial = if licence.is_trial { ", a trial" } else { "" };
        let ends = licence.expires_at.map(Timestamp);
        facts.push(Fact::new(
            "Licence",
            format!("number {}{trial}", licence.id),
        ));
        facts.push(Fact::new("Customer", &licence.customer));
        facts.push(Fact::new(
            "Ends",
            ends.map_or_else(|| "never".to_owned(), |at| words.minute(at)),
        ));
        facts.push(Fact::new(
            "Grace",
            format!(
                "{} days after its end, or without the vendor",
                licence.grace_days
            ),
        ));
    }
    if status.is_activated() {
        facts.push(Fact::new("Key", format!("ends with {}", status.key_hint)));
    }
    let of = status
        .standing
        .most_subscribers()
        .map_or_else(|| "any number".to_owned(), |most| thousands(most.into()));
    facts.push(Fact::new(
        "Subscribers",
        format!("{} of {of}", thousands(status.subscribers)),
    ));
    facts.push(Fact::new("All well at", minute(status.last_good)));
    facts.push(Fact::new("Last asked", minute(status.last_tried)));
    if !status.problem.is_empty() {
        facts.push(Fact::new("Problem", &status.problem));
    }
    if let Some(behind) = status.standing.clock_behind {
        facts.push(Fact::new("Clock", licence::clock_words(behind)));
    }
    facts
}

/// By what the licence knows this machine, and which of it is still as it was.
fn machine(status: &Status) -> Vec<Fact> {
    let here = &status.hardware;
    let likeness = status
        .standing
        .licence
        .as_ref()
        .map(|licence| licence.hardware.likeness(here));
    let part = |label: &str, is_known: bool, alike: fn(&Likeness) -> Option<bool>| {
        let value = match (is_known, likeness.as_ref().and_then(alike)) {
            (false, _) => "not shown by this machine",
            (true, None) => "known",
            (true, Some(true)) => "as in the licence",
            (true, Some(false)) => "another than in the licence",
        };
        Fact::new(label, value)
    };
    vec![
        Fact::new("Number", here.id()).copyable(),
        part("System", here.system.is_some(), |it| it.system),
        part("Board", here.board.is_some(), |it| it.board),
        part("Network cards", !here.cards.is_empty(), |it| it.cards),
    ]
}
