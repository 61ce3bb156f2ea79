//! Step 2: what the network is called, its calendar and its money.

use askama::Template;
use axum::response::IntoResponse;

use crate::domain::time::zone_names;
use crate::operations::settings as verbs;
use crate::operations::setup::{self, Step, StepState};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::pages::settings::general;
use crate::web::parts::Field;
use crate::web::shell::{Bare, Flash};

use super::{Frame, NETWORK, ROUTER, StepLink, frame, over, refusal_of};

const FIELDS: [&str; 3] = ["isp_name", "time_zone", "currency"];

/// `GET /setup/network`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/setup/network.html")]
pub struct NetworkPage {
    pub shell: Bare,
    pub steps: Vec<StepLink>,
    pub action: &'static str,
    pub refusal: Option<String>,
    pub isp_name: Field,
    pub time_zone: Field,
    /// Names offered while typing.
    pub time_zones: Vec<String>,
    /// ISO 4217 code of new plans.
    pub currency: Field,
}

pub async fn network(Administrator(signed): Administrator) -> Reply {
    let settings = signed.app().settings();
    let saved = general::filled(&settings);
    let form = match setup::progress(signed.app())?.state(Step::Network) {
        StepState::Done => saved,
        // Nobody shall go on in UTC because it stood there.
        _ => saved.with("isp_name", "").with("time_zone", ""),
    };
    Ok(Page::ok(page(&signed, &form, &Problems::default())?).into_response())
}

pub async fn save_network(Change { signed, form }: Change) -> Reply {
    let app = signed.app();
    let whole = over(general::filled(&app.settings()), &form, &FIELDS);
    let mut problems = Problems::default();
    if let Some(new) = general::parse(&whole, &mut problems) {
        let flash = Flash::good(format!("{} is saved.", new.isp_name));
        let saved = verbs::set_general(app, &signed.actor(), new).await;
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, flash, ROUTER));
        }
    }
    Ok(Page::unprocessable(page(&signed, &form, &problems)?).into_response())
}

fn page(signed: &Signed, form: &FormData, problems: &Problems) -> Result<NetworkPage, Failure> {
    let Frame { shell, steps } = frame(signed, "Your network", Some(Step::Network))?;
    Ok(NetworkPage {
        shell,
        steps,
        action: NETWORK,
        refusal: refusal_of(problems, &FIELDS),
        isp_name: problems.field(form, "isp_name"),
        time_zone: problems.field(form, "time_zone"),
        time_zones: zone_names(),
        currency: problems.field(form, "currency"),
    })
}
