//! Step 4: the first plan.

use askama::Template;
use axum::response::IntoResponse;

use crate::domain::plan::TermUnit;
use crate::operations::plans as verbs;
use crate::operations::setup::{self, Step};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::pages::plans;
use crate::web::parts::{Field, Select, SpeedField};
use crate::web::shell::{Bare, Flash};

use super::{Frame, PLAN, SUBSCRIBER, StepLink, frame, over, refusal_of};

const FIELDS: [&str; 6] = [
    "name",
    "download_kbps",
    "upload_kbps",
    "price",
    "term",
    "term_unit",
];

/// `GET /setup/plan`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/setup/plan.html")]
pub struct PlanPage {
    pub shell: Bare,
    pub steps: Vec<StepLink>,
    pub action: &'static str,
    pub refusal: Option<String>,
    pub is_new: bool,
    pub name: Field,
    pub download: SpeedField,
    pub upload: SpeedField,
    pub price: Field,
    /// Behind the price.
    pub currency: String,
    pub term: Field,
    pub term_unit: Select,
}

pub async fn plan(Administrator(signed): Administrator) -> Reply {
    let form = base(&signed);
    Ok(Page::ok(page(&signed, &form, &Problems::default())?).into_response())
}

/// The first time it makes the plan, afterwards it changes it.
pub async fn save_plan(Change { signed, form }: Change) -> Reply {
    let (app, actor) = (signed.app(), signed.actor());
    let whole = over(base(&signed), &form, &FIELDS);
    let mut problems = Problems::default();
    if let Some(plan) = plans::parse(&whole, &app.cdn_profiles(), &mut problems) {
        let flash = Flash::good(format!("The plan {} is saved.", plan.name));
        let saved = match setup::first_plan(app) {
            None => verbs::create(app, &actor, plan).await.map(|_| ()),
            Some(old) => verbs::update(app, &actor, old.id, plan).await,
        };
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, flash, SUBSCRIBER));
        }
    }
    Ok(Page::unprocessable(page(&signed, &form, &problems)?).into_response())
}

/// The whole form of the first plan, of which this page shows a part.
fn base(signed: &Signed) -> FormData {
    match setup::first_plan(signed.app()) {
        Some(plan) => plans::filled(&plan),
        None => plans::defaults(signed.app()),
    }
}

fn page(signed: &Signed, form: &FormData, problems: &Problems) -> Result<PlanPage, Failure> {
    let Frame { shell, steps } = frame(signed, "Your first plan", Some(Step::Plan))?;
    let units = TermUnit::ALL.map(|unit| (unit.word(), unit.word()));
    Ok(PlanPage {
        shell,
        steps,
        action: PLAN,
        refusal: refusal_of(problems, &FIELDS),
        is_new: setup::first_plan(signed.app()).is_none(),
        name: problems.field(form, "name"),
        download: problems.speed(form, "download_kbps"),
        upload: problems.speed(form, "upload_kbps"),
        price: problems.field(form, "price"),
        currency: base(signed).text("currency").to_owned(),
        term: problems.field(form, "term"),
        term_unit: problems.select("term_unit", Select::new(units, form.text("term_unit"))),
    })
}
