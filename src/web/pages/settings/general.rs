//! Settings, General: the name of the network, its calendar, its currency.

use askama::Template;
use axum::response::IntoResponse;

use crate::app::Settings;
use crate::domain::Invalid;
use crate::domain::money::Currency;
use crate::domain::text;
use crate::domain::time::{Calendar, zone_names};
use crate::domain::window::parse_minutes;
use crate::operations::settings::{self as verbs, General};
use crate::web::error::Reply;
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::parts::Field;
use crate::web::shell::{Nav, Shell};
use crate::web::tabs::{self, Tabs};

use super::saved;

const PATH: &str = "/settings/general";
/// Characters of the network's name.
const LONGEST_NAME: usize = 60;

/// `GET /settings/general`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/settings/general.html")]
pub struct GeneralPage {
    pub shell: Shell,
    pub tabs: Tabs,
    pub refusal: Option<String>,
    pub isp_name: Field,
    pub time_zone: Field,
    /// Names offered while typing.
    pub time_zones: Vec<String>,
    /// What the clock of the network shows now.
    pub clock: String,
    /// `HH:MM`.
    pub day_starts: Field,
    pub currency: Field,
}

pub async fn show(signed: Signed) -> Reply {
    let form = filled(&signed.app().settings());
    Ok(Page::ok(page(&signed, &form, &Problems::default())).into_response())
}

/// The form as it stands.
pub fn filled(settings: &Settings) -> FormData {
    let starts = settings.day_starts;
    FormData::filled(vec![
        ("isp_name", settings.isp_name.clone()),
        ("time_zone", settings.calendar.zone_name().to_owned()),
        (
            "day_starts",
            format!("{:02}:{:02}", starts / 60, starts % 60),
        ),
        ("currency", settings.currency.as_str().to_owned()),
    ])
}

pub async fn save(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    if let Some(new) = parse(&form, &mut problems) {
        let set = verbs::set_general(signed.app(), &signed.actor(), new).await;
        if problems.absorb(set)?.is_some() {
            return Ok(saved(&signed, PATH));
        }
    }
    Ok(Page::unprocessable(page(&signed, &form, &problems)).into_response())
}

/// What was typed; `None` once any problem was noted.
pub fn parse(form: &FormData, problems: &mut Problems) -> Option<General> {
    let time_zone = form.text("time_zone").trim().to_owned();
    let day_starts = parse_minutes(form.text("day_starts").trim())
        .ok_or_else(|| Invalid::new("A time from 00:00 to 23:59"));
    let isp_name = problems.take("isp_name", text::name(form.text("isp_name"), LONGEST_NAME));
    problems.take("time_zone", Calendar::new(&time_zone, 0));
    let day_starts = problems.take("day_starts", day_starts);
    let currency = problems.take("currency", Currency::parse(form.text("currency")));
    if !problems.is_empty() {
        return None;
    }
    Some(General {
        isp_name: isp_name?,
        time_zone,
        day_starts: day_starts?,
        currency: currency?,
    })
}

fn page(signed: &Signed, form: &FormData, problems: &Problems) -> GeneralPage {
    let app = signed.app();
    GeneralPage {
        shell: signed.shell(&tabs::settings(PATH).title(), Nav::Settings),
        tabs: tabs::settings(PATH),
        refusal: problems.refusal(),
        isp_name: problems.field(form, "isp_name"),
        time_zone: problems.field(form, "time_zone"),
        time_zones: zone_names(),
        clock: app.settings().calendar.format_minute(app.now()),
        day_starts: problems.field(form, "day_starts"),
        currency: problems.field(form, "currency"),
    }
}
