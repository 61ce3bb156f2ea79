//! Settings, Support: lets a technician of the vendor in for some hours, and shows that one may come in.

use askama::Template;
use axum::response::IntoResponse;

use crate::domain::operator::{SUPPORT_HOURS, SUPPORT_NAME};
use crate::operations::support as verbs;
use crate::web::error::{Reply, done};
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number};
use crate::web::page::Page;
use crate::web::pages::account::{self, LoginRow};
use crate::web::parts::{Fact, Select};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::tabs::{self, Tabs};
use crate::web::words::Words;

const PATH: &str = "/settings/support";

/// `GET /settings/support`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/settings/support.html")]
pub struct SupportPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub refusal: Option<String>,
    pub is_on: bool,
    /// Of the support that is on.
    pub facts: Vec<Fact>,
    pub browsers: Vec<LoginRow>,
    /// For how long it may be switched on.
    pub hours: Select,
    /// What was done under its name.
    pub audit_href: String,
}

/// The answer to switching it on: the code, shown once.
#[derive(Template)]
#[template(path = "pages/settings/support_code.html")]
pub struct CodePage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub name: &'static str,
    pub code: String,
    pub until: String,
}

pub async fn show(signed: Signed) -> Reply {
    let form = FormData::filled(vec![("hours", "4".to_owned())]);
    let page = page(&signed, &form, &Problems::default())?;
    Ok(Page::ok(page).into_response())
}

pub async fn begin(Change { signed, form }: Change) -> Reply {
    let app = signed.app();
    let mut problems = Problems::default();
    if let Some(hours) = problems.take("hours", number(form.text("hours"), 1, u16::MAX)) {
        let begun = verbs::begin(app, &signed.actor(), hours).await;
        if let Some(code) = problems.absorb(begun)? {
            let until = verbs::current(app)?.map(|support| support.until);
            let page = CodePage {
                shell: signed.shell(&tabs::settings(PATH).title(), Nav::Settings),
                tabs: tabs::settings(PATH),
                name: SUPPORT_NAME,
                code: code.expose().clone(),
                until: until.map_or_else(String::new, |at| Words::of(app).minute(at)),
            };
            return Ok(Page::ok(page).into_response());
        }
    }
    let page = page(&signed, &form, &problems)?;
    Ok(Page::unprocessable(page).into_response())
}

pub async fn end(change: Change) -> Reply {
    let signed = change.signed;
    verbs::end(signed.app(), &signed.actor()).await?;
    let flash = Flash::good("Remote support is off, and signed out everywhere.");
    Ok(done(&signed, flash, PATH))
}

fn page(
    signed: &Signed,
    form: &FormData,
    problems: &Problems,
) -> Result<SupportPage, crate::operations::Error> {
    let app = signed.app();
    let words = Words::of(app);
    let support = verbs::current(app)?;
    let choices = SUPPORT_HOURS.map(|hours| match hours {
        1 => ("1".to_owned(), "1 hour".to_owned()),
        hours => (hours.to_string(), format!("{hours} hours")),
    });
    let (facts, browsers) = match support {
        None => (Vec::new(), Vec::new()),
        Some(support) => (
            vec![
                Fact::new("Ends by itself", words.minute(support.until)),
                Fact::new(
                    "One-time code",
                    if support.waits {
                        "Not used yet"
                    } else {
                        "Used"
                    },
                ),
            ],
            account::login_rows(
                signed,
                support.operator,
                &format!("/operators/{}/logins", support.operator),
            )?,
        ),
    };
    Ok(SupportPage {
        shell: signed.shell(&tabs::settings(PATH).title(), Nav::Settings),
        tabs: tabs::settings(PATH),
        refusal: problems.refusal(),
        is_on: support.is_some(),
        facts,
        browsers,
        hours: problems.select("hours", Select::new(choices, form.text("hours"))),
        audit_href: format!("/audit?q={SUPPORT_NAME}"),
    })
}
