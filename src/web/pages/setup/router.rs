//! Step 3, first half: the first router. The second half, its script and its checks, is in `script`.

use askama::Template;
use axum::response::IntoResponse;

use crate::crypto;
use crate::domain::nas::Profile;
use crate::operations::Error;
use crate::operations::nas as verbs;
use crate::operations::setup::{self, Step};
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::pages::nas;
use crate::web::parts::{Field, Select};
use crate::web::query::Query;
use crate::web::shell::{Bare, Flash};

use super::{Frame, ROUTER, SCRIPT, StepLink, frame, over, refusal_of};

const FIELDS: [&str; 4] = ["name", "address", "secret", "profile"];
/// Groups of five signs in a secret that is made here: 100 random bits.
const SECRET_GROUPS: usize = 4;

/// `GET /setup/router?address=`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/setup/router.html")]
pub struct RouterPage {
    pub shell: Bare,
    pub steps: Vec<StepLink>,
    pub action: &'static str,
    pub refusal: Option<String>,
    pub is_new: bool,
    pub name: Field,
    pub address: Field,
    /// Empty keeps the present one, or has one made.
    pub secret: Field,
    pub profile: Select,
    /// An address from which packets come and which is no router yet; or empty.
    pub stranger: String,
    /// This page with that address filled in.
    pub stranger_href: String,
    /// The second half of this step, once there is a router.
    pub onward: &'static str,
}

/// The first router as it is saved, or an empty form. `address` of the page's address is filled in.
pub async fn router(Administrator(signed): Administrator) -> Reply {
    let query = Query::read(&signed.here, &["address"]);
    let saved = base(&signed);
    let form = match query.get("address") {
        "" => saved,
        address => saved.with("address", address),
    };
    Ok(Page::ok(page(&signed, &form, &Problems::default())?).into_response())
}

/// The first time it makes the router, afterwards it changes it.
pub async fn save_router(Change { signed, form }: Change) -> Reply {
    let (app, actor) = (signed.app(), signed.actor());
    let first = setup::first_router(app);
    let old = first.as_ref().map(|entry| &entry.nas);
    let mut whole = over(base(&signed), &form, &FIELDS);
    if old.is_none() {
        let made = crypto::readable_code(SECRET_GROUPS).map_err(Error::from)?;
        whole = whole.or("secret", made.expose());
    }
    let mut problems = Problems::default();
    if let Some(draft) = nas::parse(&whole, old, &mut problems) {
        let flash = Flash::good(format!(
            "{} is saved. Now tell it where we are.",
            draft.name
        ));
        let saved = match old {
            None => verbs::create(app, &actor, draft).await.map(|_| ()),
            Some(old) => verbs::update(app, &actor, old.id, draft).await,
        };
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, flash, SCRIPT));
        }
    }
    Ok(Page::unprocessable(page(&signed, &form, &problems)?).into_response())
}

/// The whole form of the first router, of which this page shows a part.
fn base(signed: &Signed) -> FormData {
    match setup::first_router(signed.app()) {
        Some(entry) => nas::filled(&entry.nas, ""),
        None => nas::defaults(),
    }
}

fn page(signed: &Signed, form: &FormData, problems: &Problems) -> Result<RouterPage, Failure> {
    let Frame { shell, steps } = frame(signed, "Your router", Some(Step::Router))?;
    let profiles = Profile::ALL.map(|profile| (profile.word(), profile.label()));
    let is_new = setup::first_router(signed.app()).is_none();
    let strangers = signed.app().sightings.list();
    let stranger = strangers
        .first()
        .map_or_else(String::new, |stranger| stranger.source.to_string());
    Ok(RouterPage {
        shell,
        steps,
        action: ROUTER,
        refusal: refusal_of(problems, &FIELDS),
        is_new,
        name: problems.field(form, "name"),
        address: problems.field(form, "address"),
        secret: problems.secret("secret"),
        profile: problems.select("profile", Select::new(profiles, form.text("profile"))),
        stranger_href: Query::new().with("address", &stranger).href(ROUTER),
        stranger,
        onward: if is_new { "" } else { SCRIPT },
    })
}
