//! What a plan that is being typed comes to: warnings, speeds at each tier, hours of the week, the reply to a router.

use askama::Template;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::id::PlanId;
use crate::domain::plan::Plan;
use crate::domain::plan_warnings::warnings;
use crate::domain::rate::{Burst, Kbps};
use crate::operations::simulator::{self, PreviewRow};
use crate::web::error::{Failure, Reply};
use crate::web::extract::Work;
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;

use super::form;
use super::parse::parse;
use super::week::{Week, weeks};

/// The region beside the form: `POST /plans/preview` by htmx.
#[derive(Template, Clone, Default)]
#[template(path = "pages/plans/_preview.html")]
pub struct PreviewPart {
    /// Why there is nothing to show yet, or empty.
    pub missing: String,
    pub warnings: Vec<String>,
    pub rows: Vec<PreviewRow>,
    /// `30 Mbit/s down for 8 s at full rate from idle`, or empty.
    pub burst: String,
    pub free_hours: Vec<String>,
    pub weeks: Vec<Week>,
    /// Attributes, one a line.
    pub reply: String,
}

/// Shows the form again with its preview, or the preview alone to htmx. Nothing is saved.
pub async fn preview(Work { signed, form }: Work) -> Reply {
    let app = signed.app();
    let id = form.text("id").parse().ok().map(PlanId);
    let old = id.and_then(|id| app.plan(id));
    let part = preview_of(app, &form, old.as_deref())?;
    if signed.htmx.wants_partial {
        return Ok(Page::ok(part).into_response());
    }
    let page = form::page(
        form::shell(&signed, old.is_none()),
        old.map(|plan| plan.id),
        &form,
        &Problems::default(),
    );
    let page = form::FormPage {
        preview: part,
        cdn: form::cdn(app, &form),
        ..page
    };
    Ok(Page::ok(page).into_response())
}

/// The preview of what was typed; a name and a price may still be missing.
pub(super) fn preview_of(
    app: &App,
    form: &FormData,
    old: Option<&Plan>,
) -> Result<PreviewPart, Failure> {
    let mut problems = Problems::default();
    let form = form.clone().or("name", "this plan").or("price", "0");
    match parse(&form, &app.cdn_profiles(), &mut problems) {
        Some(mut plan) => {
            if let Some(old) = old {
                plan.id = old.id;
            }
            let told = warnings(&plan);
            let mut part = of_plan(app, plan)?;
            part.warnings = told.iter().map(ToString::to_string).collect();
            Ok(part)
        }
        None => Ok(PreviewPart {
            missing: problems
                .first()
                .map_or_else(String::new, |(field, problem)| {
                    format!("Not yet: {problem} ({})", field.replace('_', " "))
                }),
            ..PreviewPart::default()
        }),
    }
}

/// The preview of a plan as it is, without the warnings, which stand above its form.
pub(super) fn of_plan(app: &App, plan: Plan) -> Result<PreviewPart, Failure> {
    let burst = plan.burst.map_or_else(String::new, burst);
    let weeks = weeks(&plan.speed_windows, &plan.free_windows);
    let seen = simulator::preview(app, plan)?;
    Ok(PreviewPart {
        missing: String::new(),
        warnings: Vec::new(),
        rows: seen.rows,
        burst,
        free_hours: seen.free_hours,
        weeks,
        reply: seen.reply.join("\n"),
    })
}

fn burst(burst: Burst) -> String {
    let (up, down) = burst.seconds_from_idle();
    format!(
        "{} down for {down} s, {} up for {up} s at full rate from idle",
        Kbps(burst.rate.download_kbps),
        Kbps(burst.rate.upload_kbps)
    )
}
