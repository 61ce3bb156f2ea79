//! The form of a CDN profile: from what was typed to a profile, with every problem beside its field.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::domain::cdn::{CdnMode, CdnProfile, MOST_NETWORKS, MOST_QUEUES, networks};
use crate::domain::id::{CdnId, NasId};
use crate::domain::rate::Rate;
use crate::domain::text;
use crate::operations::cdn as verbs;
use crate::web::error::{Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number};
use crate::web::page::Page;
use crate::web::parts::{Field, Select, Tick};
use crate::web::shell::{Flash, Nav, Shell};

use super::{PATH, find};

const LONGEST_NAME: usize = 80;
const LONGEST_NOTES: usize = 4_000;
/// Queues that even a small router tries in order without trouble.
const USUAL_QUEUES: u16 = 200;

/// `GET /cdn/new`, `GET /cdn/{id}/edit`, and the posts with errors (422).
#[derive(Template)]
#[template(path = "pages/cdn/form.html")]
pub struct FormPage {
    pub shell: Shell,
    pub action: String,
    pub back: String,
    pub is_new: bool,
    pub refusal: Option<String>,
    pub name: Field,
    pub enabled: bool,
    pub mode: Select,
    pub download_kbps: Field,
    pub upload_kbps: Field,
    /// One network a line.
    pub networks: Field,
    pub most_networks: usize,
    pub most_per_router: Field,
    /// The routers with an API.
    pub nas: Vec<Tick>,
    pub notes: Field,
}

pub async fn new(signed: Signed) -> Reply {
    let form = FormData::filled(vec![
        ("enabled", "on".to_owned()),
        ("mode", CdnMode::SpeedOnly.word().to_owned()),
        ("most_per_router", USUAL_QUEUES.to_string()),
    ]);
    Ok(Page::ok(page(&signed, None, &form, &Problems::default())).into_response())
}

pub async fn create(Work { signed, form }: Work) -> Reply {
    let mut problems = Problems::default();
    if let Some(profile) = parse(&form, &mut problems) {
        let flash = Flash::good(format!("The CDN profile {} is created.", profile.name));
        let created = verbs::create(signed.app(), &signed.actor(), profile).await;
        if problems.absorb(created)?.is_some() {
            return Ok(done(&signed, flash, PATH));
        }
    }
    Ok(Page::unprocessable(page(&signed, None, &form, &problems)).into_response())
}

pub async fn edit(Path(id): Path<u32>, signed: Signed) -> Reply {
    let profile = find(&signed, id)?;
    let form = filled(&profile);
    let page = page(&signed, Some(profile.id), &form, &Problems::default());
    Ok(Page::ok(page).into_response())
}

pub async fn update(Path(id): Path<u32>, Work { signed, form }: Work) -> Reply {
    let id = find(&signed, id)?.id;
    let mut problems = Problems::default();
    if let Some(profile) = parse(&form, &mut problems) {
        let flash = Flash::good(format!("The CDN profile {} is saved.", profile.name));
        let saved = verbs::update(signed.app(), &signed.actor(), id, profile).await;
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, flash, PATH));
        }
    }
    Ok(Page::unprocessable(page(&signed, Some(id), &form, &problems)).into_response())
}

fn page(signed: &Signed, id: Option<CdnId>, form: &FormData, problems: &Problems) -> FormPage {
    let field = |name| problems.field(form, name);
    let modes = CdnMode::ALL.map(|mode| (mode.word(), mode_word(mode)));
    let (title, action) = match id {
        None => ("New CDN profile", PATH.to_owned()),
        Some(id) => ("Edit CDN profile", format!("{PATH}/{id}/edit")),
    };
    let table = signed.app().nas_table().all();
    let with_api = table.iter().filter(|entry| entry.nas.api.is_some());
    FormPage {
        shell: signed.shell(title, Nav::Cdn),
        action,
        back: PATH.to_owned(),
        is_new: id.is_none(),
        refusal: problems.summary(),
        name: field("name"),
        enabled: form.has("enabled"),
        mode: problems.select("mode", Select::new(modes, form.text("mode"))),
        download_kbps: field("download_kbps"),
        upload_kbps: field("upload_kbps"),
        networks: field("networks"),
        most_networks: MOST_NETWORKS,
        most_per_router: field("most_per_router"),
        nas: with_api
            .map(|entry| form.tick("nas", entry.nas.id, &entry.nas.name))
            .collect(),
        notes: field("notes"),
    }
}

fn mode_word(mode: CdnMode) -> &'static str {
    match mode {
        CdnMode::SpeedOnly => "Counts like all traffic",
        CdnMode::SpeedAndAccounting => "Does not count",
    }
}

/// The form as it stands for a profile.
fn filled(profile: &CdnProfile) -> FormData {
    let networks: Vec<String> = profile.networks.iter().map(ToString::to_string).collect();
    let mut fields = vec![
        ("name", profile.name.clone()),
        ("mode", profile.mode.word().to_owned()),
        ("download_kbps", profile.rate.download_kbps.to_string()),
        ("upload_kbps", profile.rate.upload_kbps.to_string()),
        ("networks", networks.join("\n")),
        ("most_per_router", profile.most_per_router.to_string()),
        ("notes", profile.notes.clone()),
    ];
    if profile.enabled {
        fields.push(("enabled", "on".to_owned()));
    }
    fields.extend(profile.nas.iter().map(|id| ("nas", id.to_string())));
    FormData::filled(fields)
}

/// What was typed as a profile; `None` once any problem was noted. The id is given by the verb.
fn parse(form: &FormData, problems: &mut Problems) -> Option<CdnProfile> {
    let name = problems.take("name", text::name(form.text("name"), LONGEST_NAME));
    let mode = problems.take("mode", CdnMode::parse(form.text("mode")));
    let download = problems.take(
        "download_kbps",
        Rate::parse_kbps(form.text("download_kbps")),
    );
    let upload = problems.take("upload_kbps", Rate::parse_kbps(form.text("upload_kbps")));
    let networks = problems.take("networks", networks(form.text("networks")));
    let most = number(form.text("most_per_router"), 1, MOST_QUEUES);
    let most_per_router = problems.take("most_per_router", most);
    let notes = problems.take("notes", text::paragraph(form.text("notes"), LONGEST_NOTES));
    // The boxes give numbers; what is none was not ticked on the page.
    let ticked = form.all("nas").into_iter();
    let nas: BTreeSet<NasId> = ticked.filter_map(|id| id.parse().ok().map(NasId)).collect();
    Some(CdnProfile {
        id: CdnId(0),
        name: name?,
        enabled: form.has("enabled"),
        mode: mode?,
        networks: networks?,
        rate: Rate::new(upload?, download?),
        most_per_router: most_per_router?,
        nas: nas.into_iter().collect(),
        notes: notes?,
    })
}
