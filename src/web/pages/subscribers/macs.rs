//! Learned MAC addresses: forgetting those of a whole list, and the days after which they are forgotten by themselves.

use std::sync::Arc;

use askama::Template;
use axum::response::IntoResponse;

use crate::operations::blocking;
use crate::operations::macs::{self as verbs, MOST_AT_ONCE};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Change, Signed, Work};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number, optional};
use crate::web::page::Page;
use crate::web::parts::{Field, thousands};
use crate::web::query::Query;
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

use super::PATH;
use super::list::{active, filter};

/// The filters of the list that say which subscribers are meant.
pub(super) const MEANT: [&str; 4] = ["q", "plan", "state", "presence"];
/// Below the list.
pub(super) const FORGET_PATH: &str = "/subscribers/forget-macs";
/// Ten years, in days.
const MOST_DAYS: u16 = 3_650;

/// `GET /subscribers/forget-macs?q=&plan=&state=&presence=`.
#[derive(Template)]
#[template(path = "pages/subscribers/forget_macs.html")]
pub struct ForgetMacsPage {
    pub shell: Shell,
    /// The list with its filters.
    pub back: String,
    pub refusal: Option<String>,
    /// How many have learned devices, or empty for none.
    pub count: String,
    /// That more than one press is needed, or empty.
    pub note: String,
    /// What the list is filtered by, in words.
    pub filters: Vec<String>,
    /// The same for the form: names and values.
    pub meant: Vec<(String, String)>,
    pub days: Field,
}

/// Asks before forgetting, and says how many are meant.
pub async fn ask_forget_macs(signed: Signed) -> Reply {
    let query = Query::read(&signed.here, &MEANT);
    let days = signed.app().settings().forget_macs_after;
    let days = days.map_or_else(String::new, |days| days.to_string());
    let form = FormData::filled(vec![("days", days)]);
    let page = page(&signed, &query, &form, &Problems::default()).await?;
    Ok(Page::ok(page).into_response())
}

pub async fn forget_many_macs(Work { signed, form }: Work) -> Reply {
    let query = meant(&form);
    let (app, actor) = (Arc::clone(&signed.panel.app), signed.actor());
    let filter = filter(&query);
    let done_now = blocking(move || verbs::forget_many(&app, &actor, &filter)).await??;
    let count = match done_now.count {
        1 => "one subscriber".to_owned(),
        count => {
            let count = thousands(u64::try_from(count).unwrap_or(u64::MAX));
            format!("{count} subscribers")
        }
    };
    let text = match done_now.left {
        0 => format!("The learned MAC addresses of {count} are forgotten."),
        left => format!(
            "The learned MAC addresses of {count} are forgotten; {left} are left. Press the button once more."
        ),
    };
    Ok(done(&signed, Flash::good(text), &query.href(PATH)))
}

/// After how many days offline devices are forgotten by themselves.
pub async fn set_forgetting(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    let days = optional(form.text("days"), |text| number(text, 1, MOST_DAYS));
    let meant = meant(&form);
    if let Some(days) = problems.take("days", days) {
        let set = verbs::set_forgetting(signed.app(), &signed.actor(), days).await;
        if problems.absorb(set)?.is_some() {
            let text = match days {
                None => "Learned MAC addresses are kept until somebody forgets them.".to_owned(),
                Some(1) => "Learned MAC addresses are forgotten after a day offline.".to_owned(),
                Some(days) => {
                    format!("Learned MAC addresses are forgotten after {days} days offline.")
                }
            };
            return Ok(done(&signed, Flash::good(text), &meant.href(FORGET_PATH)));
        }
    }
    let page = page(&signed, &meant, &form, &problems).await?;
    Ok(Page::unprocessable(page).into_response())
}

/// The filters that a form carries.
fn meant(form: &FormData) -> Query {
    MEANT.into_iter().fold(Query::new(), |query, name| {
        query.with(name, form.text(name))
    })
}

async fn page(
    signed: &Signed,
    query: &Query,
    form: &FormData,
    problems: &Problems,
) -> Result<ForgetMacsPage, Failure> {
    let (app, meant) = (Arc::clone(&signed.panel.app), filter(query));
    let count = blocking(move || verbs::count_learned(&app, &meant)).await??;
    let chips = active(&Words::of(signed.app()), query);
    Ok(ForgetMacsPage {
        shell: signed.shell("Learned MAC addresses", Nav::Subscribers),
        back: query.href(PATH),
        refusal: problems.summary(),
        count: match count {
            0 => String::new(),
            count => thousands(u64::try_from(count).unwrap_or(u64::MAX)),
        },
        note: match count {
            ..=MOST_AT_ONCE => String::new(),
            _ => format!("At most {MOST_AT_ONCE} are forgotten at a time."),
        },
        filters: chips.into_iter().map(|chip| chip.text).collect(),
        meant: MEANT
            .into_iter()
            .map(|name| (name.to_owned(), query.get(name).to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        days: problems.field(form, "days"),
    })
}
