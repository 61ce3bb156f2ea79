//! Step 6: the passphrase of backups, and one every night.

use askama::Template;
use axum::response::IntoResponse;

use crate::domain::backup::{Every, Schedule};
use crate::operations::Error;
use crate::operations::backups::{KeyKind, settings as verbs};
use crate::operations::setup::Step;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::pages::settings::backups::read_passphrase;
use crate::web::parts::Field;
use crate::web::shell::{Bare, Flash};

use super::{BACKUPS, DONE, Frame, StepLink, frame, refusal_of};

const FIELDS: [&str; 2] = ["passphrase", "passphrase_again"];
/// When nobody is awake to notice the work.
const NIGHTLY: Schedule = Schedule {
    every: Every::Day,
    hour: 3,
};

/// `GET /setup/backups`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/setup/backups.html")]
pub struct BackupsPage {
    pub shell: Bare,
    pub steps: Vec<StepLink>,
    pub action: &'static str,
    pub onward: &'static str,
    pub refusal: Option<String>,
    /// There is what backups are encrypted with.
    pub has_key: bool,
    /// The licence key opens them, which was chosen under Settings.
    pub uses_licence: bool,
    /// They are made by themselves already.
    pub has_schedule: bool,
    pub nightly: bool,
    pub passphrase: Field,
    pub passphrase_again: Field,
}

pub async fn backups(Administrator(signed): Administrator) -> Reply {
    let form = FormData::filled(vec![("nightly", "on".to_owned())]);
    Ok(Page::ok(page(&signed, &form, &Problems::default())?).into_response())
}

pub async fn save_backups(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    let saved = save(&signed, &form, &mut problems).await;
    if problems.absorb(saved)? == Some(true) {
        let flash =
            Flash::good("Saved. Write the passphrase down and keep it away from this machine.");
        return Ok(done(&signed, flash, DONE));
    }
    Ok(Page::unprocessable(page(&signed, &form, &problems)?).into_response())
}

/// Whether all of it is saved; else the problem was noted.
async fn save(signed: &Signed, form: &FormData, problems: &mut Problems) -> Result<bool, Error> {
    let (app, actor) = (signed.app(), signed.actor());
    let set = verbs::get(app)?;
    let is_untouched = FIELDS.iter().all(|name| form.text(name).is_empty());
    if !(set.has_key() && is_untouched) {
        let Some(passphrase) = read_passphrase(form, problems) else {
            return Ok(false);
        };
        verbs::set_passphrase(app, &actor, passphrase).await?;
    }
    if form.has("nightly") && set.schedule.is_none() {
        verbs::update(app, &actor, Some(NIGHTLY), set.keep).await?;
    }
    Ok(true)
}

fn page(signed: &Signed, form: &FormData, problems: &Problems) -> Result<BackupsPage, Failure> {
    let Frame { shell, steps } = frame(signed, "Backups", Some(Step::Backups))?;
    let set = verbs::get(signed.app())?;
    Ok(BackupsPage {
        shell,
        steps,
        action: BACKUPS,
        onward: DONE,
        refusal: refusal_of(problems, &FIELDS),
        has_key: set.has_key(),
        uses_licence: set.has_key() && set.key == KeyKind::Licence,
        has_schedule: set.schedule.is_some(),
        nightly: form.has("nightly"),
        passphrase: problems.secret("passphrase"),
        passphrase_again: problems.secret("passphrase_again"),
    })
}
