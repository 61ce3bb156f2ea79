//! CDN profiles: the list with the routers that hold them, deletion. The form and the page of a router have their files.

mod form;
mod router;

pub use form::{FormPage, create, edit, new, update};
pub use router::{Hint, RouterPage, StepRow, push, remove_everything, router};

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::domain::cdn::{CdnMode, CdnProfile};
use crate::domain::id::CdnId;
use crate::domain::nas::Nas;
use crate::domain::rate::Kbps;
use crate::operations::cdn as verbs;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::{Badge, Tone, thousands};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

/// `GET /cdn`.
#[derive(Template)]
#[template(path = "pages/cdn/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub routers: Vec<RouterRow>,
}

#[derive(Clone, Default)]
pub struct Row {
    /// `/cdn/{id}`; editing and deletion are below it.
    pub href: String,
    pub name: String,
    pub state: Badge,
    pub counting: String,
    pub download: String,
    pub upload: String,
    pub networks: String,
    pub routers: String,
    pub plans: String,
}

/// A router whose API we may use.
#[derive(Clone, Default)]
pub struct RouterRow {
    pub href: String,
    pub name: String,
    pub state: Badge,
    pub last_push: String,
}

const PATH: &str = "/cdn";

/// All profiles, and the routers by name.
pub async fn list(signed: Signed) -> Reply {
    let words = Words::of(signed.app());
    let profiles = signed.app().cdn_profiles();
    let mut routers = Vec::new();
    for entry in signed.app().nas_table().all() {
        if entry.nas.api.is_some() {
            routers.push(router_row(&words, &entry.nas)?);
        }
    }
    let page = ListPage {
        shell: signed.shell("CDN profiles", Nav::Cdn),
        rows: profiles
            .iter()
            .map(|profile| row(&words, profile))
            .collect(),
        routers,
    };
    Ok(Page::ok(page).into_response())
}

fn row(words: &Words<'_>, profile: &CdnProfile) -> Row {
    let routers: Vec<String> = profile.nas.iter().map(|id| words.nas(*id)).collect();
    Row {
        href: format!("{PATH}/{}", profile.id),
        name: profile.name.clone(),
        state: match profile.enabled {
            true => Badge::new(Tone::Good, "On"),
            false => Badge::new(Tone::Quiet, "Off"),
        },
        counting: match profile.mode {
            CdnMode::SpeedOnly => "Counts".to_owned(),
            CdnMode::SpeedAndAccounting => "Does not count".to_owned(),
        },
        download: Kbps(profile.rate.download_kbps).to_string(),
        upload: Kbps(profile.rate.upload_kbps).to_string(),
        networks: thousands(u64::try_from(profile.networks.len()).unwrap_or(u64::MAX)),
        routers: match routers.is_empty() {
            true => "All".to_owned(),
            false => routers.join(", "),
        },
        plans: plans_with(words, profile.id).join(", "),
    }
}

fn plans_with(words: &Words<'_>, id: CdnId) -> Vec<String> {
    let plans = words.app.plans();
    let with = plans.iter().filter(|plan| plan.cdn.contains(&id));
    with.map(|plan| plan.name.clone()).collect()
}

fn router_row(words: &Words<'_>, nas: &Nas) -> Result<RouterRow, Failure> {
    let outcome = words.app.cdn.outcome(nas.id);
    Ok(RouterRow {
        href: router::path(nas.id),
        name: nas.name.clone(),
        state: router::state(verbs::keeps(words.app, nas.id)?, outcome.as_ref()),
        last_push: outcome.map_or_else(String::new, |outcome| words.ago(outcome.at)),
    })
}

/// Asks before deleting; a profile that a plan has cannot go.
pub async fn ask_remove(Path(id): Path<u32>, signed: Signed) -> Reply {
    let profile = find(&signed, id)?;
    let plans = plans_with(&Words::of(signed.app()), profile.id);
    let path = format!("{PATH}/{id}");
    let page = DeletePage {
        shell: signed.shell("Delete CDN profile", Nav::Cdn),
        list: "CDN profiles",
        list_href: PATH,
        verb: "Delete",
        thing: "profile",
        action: format!("{path}/delete"),
        back: format!("{path}/edit"),
        name: profile.name.clone(),
        consequences: vec![
            "Its lists, rules and queues are taken from every router that is kept in step."
                .to_owned(),
            "Traffic with its networks gets the speed of the plan, and counts.".to_owned(),
        ],
        blocked: match plans.as_slice() {
            [] => String::new(),
            [plan] => format!("The plan {plan} has this profile. Take it out there first."),
            plans => format!(
                "These plans have this profile: {}. Take it out there first.",
                plans.join(", ")
            ),
        },
    };
    Ok(Page::ok(page).into_response())
}

pub async fn remove(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let profile = find(&signed, id)?;
    verbs::remove(signed.app(), &signed.actor(), profile.id).await?;
    let flash = Flash::good(format!("The CDN profile {} is deleted.", profile.name));
    Ok(done(&signed, flash, PATH))
}

fn find(signed: &Signed, id: u32) -> Result<Arc<CdnProfile>, Failure> {
    let profiles = signed.app().cdn_profiles();
    let found = profiles.iter().find(|profile| profile.id == CdnId(id));
    found.cloned().ok_or(Failure::Missing)
}
