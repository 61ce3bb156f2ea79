//! Step 5, first half: the first subscriber. The second half, waiting for its first login, is in `waiting`.

use askama::Template;
use axum::response::IntoResponse;

use crate::operations::Error;
use crate::operations::setup::{self, Step};
use crate::operations::subscribers as verbs;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::pages::subscribers;
use crate::web::parts::{Field, Select};
use crate::web::shell::{Bare, Flash};
use crate::web::words::Words;

use super::{Frame, PLAN, SUBSCRIBER, StepLink, WAITING, frame, over, refusal_of};

const FIELDS: [&str; 3] = ["user_name", "password", "plan"];

/// `GET /setup/subscriber`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/setup/subscriber.html")]
pub struct SubscriberPage {
    pub shell: Bare,
    pub steps: Vec<StepLink>,
    pub action: &'static str,
    pub refusal: Option<String>,
    pub is_new: bool,
    /// Where to make a plan, since there is none; or empty.
    pub plan_href: &'static str,
    pub user_name: Field,
    /// Empty keeps the present one, or has one made.
    pub password: Field,
    pub plan: Select,
    /// The second half of this step, once there is a subscriber.
    pub onward: &'static str,
}

pub async fn subscriber(Administrator(signed): Administrator) -> Reply {
    let form = base(&signed)?;
    Ok(Page::ok(page(&signed, &form, &Problems::default())?).into_response())
}

/// The first time it makes the subscriber, afterwards it changes it.
pub async fn save_subscriber(Change { signed, form }: Change) -> Reply {
    let (app, actor) = (signed.app(), signed.actor());
    let old = setup::first_subscriber(app)?;
    let mut whole = over(base(&signed)?, &form, &FIELDS);
    if old.is_none() {
        let made = verbs::made_password()?;
        whole = whole.or("password", made.expose());
    }
    let calendar = app.settings().calendar.clone();
    let mut problems = Problems::default();
    if let Some(draft) = subscribers::parse(&whole, old.as_ref(), calendar, &mut problems) {
        let flash = Flash::good(format!("{} is saved.", draft.username.as_str()));
        let saved = match &old {
            None => verbs::create(app, &actor, draft).await.map(|_| ()),
            Some(old) => verbs::update(app, &actor, old.id, draft).await,
        };
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, flash, WAITING));
        }
    }
    Ok(Page::unprocessable(page(&signed, &form, &problems)?).into_response())
}

/// The whole form of the first subscriber, of which this page shows a part.
fn base(signed: &Signed) -> Result<FormData, Error> {
    let app = signed.app();
    Ok(match setup::first_subscriber(app)? {
        Some(old) => subscribers::filled(&old, &app.settings().calendar),
        None => {
            let plan = setup::first_plan(app);
            let plan = plan.map_or_else(String::new, |plan| plan.id.to_string());
            subscribers::defaults(&plan)
        }
    })
}

fn page(signed: &Signed, form: &FormData, problems: &Problems) -> Result<SubscriberPage, Failure> {
    let app = signed.app();
    let Frame { shell, steps } = frame(signed, "Your first subscriber", Some(Step::Subscriber))?;
    let is_new = setup::first_subscriber(app)?.is_none();
    let plans = Words::of(app).plan_choices("", form.text("plan"));
    Ok(SubscriberPage {
        shell,
        steps,
        action: SUBSCRIBER,
        refusal: refusal_of(problems, &FIELDS),
        is_new,
        plan_href: if plans.choices.is_empty() { PLAN } else { "" },
        user_name: problems.field(form, "user_name"),
        password: problems.secret("password"),
        plan: problems.select("plan", plans),
        onward: if is_new { "" } else { WAITING },
    })
}
