//! The setup script of a router: step by step, as one file, and with its secrets for administrators.

use std::net::{IpAddr, Ipv4Addr};

use askama::Template;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::app::NasEntry;
use crate::domain::Invalid;
use crate::domain::id::NasId;
use crate::domain::nas::Profile;
use crate::domain::text;
use crate::operations;
use crate::operations::nas::{self as verbs, RouterSecrets};
use crate::operations::router_script::{self, Step, Version, Wishes};
use crate::web::error::{Failure, Reply};
use crate::web::extract::{Change, Signed};
use crate::web::filters;
use crate::web::form::optional;
use crate::web::page::Page;
use crate::web::parts::Field;
use crate::web::query::Query;
use crate::web::shell::{Nav, Shell};

use super::PATH;

/// Fields of the address, which the script follows.
const KNOWN: [&str; 5] = ["version", "server", "portal", "interface", "set_name"];
const LONGEST_INTERFACE: usize = 64;

/// `GET /nas/{id}/script`, and the post that shows the secrets. No Debug: it may hold them.
#[derive(Template)]
#[template(path = "pages/nas/script.html")]
pub struct ScriptPage {
    pub shell: Shell,
    /// The page of the script, without a query.
    pub path: String,
    pub name: String,
    pub back: String,
    pub versions: Vec<VersionLink>,
    /// The chosen version as the address says it.
    pub version: String,
    pub server: Field,
    pub portal: Field,
    pub interface: Field,
    pub sets_name: bool,
    /// Why there is no script.
    pub refusal: Option<String>,
    pub has_secrets: bool,
    /// The word `SERVER` is to be replaced.
    pub lacks_server: bool,
    /// No API is set for this NAS, so the script opens none.
    pub lacks_api: bool,
    pub steps: Vec<StepView>,
    pub download_href: String,
}

pub struct VersionLink {
    pub label: &'static str,
    pub href: String,
    pub is_current: bool,
}

pub struct StepView {
    /// Of the block to copy from.
    pub id: String,
    pub title: &'static str,
    pub why: &'static str,
    pub commands: String,
}

/// What the address or the form says, and what is wrong with it.
pub struct Asked {
    query: Query,
    version: Version,
    wishes: Wishes,
    pub server: Field,
    portal: Field,
    interface: Field,
}

impl Asked {
    pub fn read(query: Query) -> Asked {
        let server = optional(query.get("server"), parse_address::<IpAddr>);
        let portal = optional(query.get("portal"), parse_address::<Ipv4Addr>);
        let interface = optional(query.get("interface"), |typed| {
            text::line(typed, LONGEST_INTERFACE)
        });
        let field = |name, problem: Option<&Invalid>| Field {
            value: query.get(name).to_owned(),
            error: problem.map(|problem| problem.0.clone()),
        };
        Asked {
            server: field("server", server.as_ref().err()),
            portal: field("portal", portal.as_ref().err()),
            interface: field("interface", interface.as_ref().err()),
            version: match query.get("version") {
                "6" => Version::V6,
                _ => Version::V7,
            },
            wishes: Wishes {
                server: server.unwrap_or_default(),
                portal: portal.unwrap_or_default(),
                interface: interface.unwrap_or_default(),
                sets_name: !query.get("set_name").is_empty(),
            },
            query,
        }
    }

    fn is_wrong(&self) -> bool {
        let fields = [&self.server, &self.portal, &self.interface];
        fields.iter().any(|field| field.error.is_some())
    }

    /// The chosen version as the address says it.
    pub fn version_word(&self) -> &'static str {
        word(self.version)
    }

    /// The same script for each version, on the page at `path`.
    pub fn version_links(&self, path: &str) -> Vec<VersionLink> {
        let link = |(version, label)| VersionLink {
            label,
            href: self.query.clone().with("version", word(version)).href(path),
            is_current: version == self.version,
        };
        let both = [(Version::V7, "RouterOS 7"), (Version::V6, "RouterOS 6")];
        both.into_iter().map(link).collect()
    }

    /// The steps, or why there are none.
    pub fn steps(
        &self,
        signed: &Signed,
        entry: &NasEntry,
        secrets: Option<&RouterSecrets>,
    ) -> Result<Vec<Step>, operations::Error> {
        if self.is_wrong() {
            return Err(operations::Error::Refused(
                "Mend the values above to see the script.".to_owned(),
            ));
        }
        let app = signed.app();
        router_script::steps(app, &entry.nas, &self.wishes, secrets, self.version)
    }
}

fn parse_address<T: std::str::FromStr>(typed: &str) -> Result<T, Invalid> {
    typed
        .parse()
        .map_err(|_| Invalid::new("An address, such as 192.0.2.10"))
}

fn word(version: Version) -> &'static str {
    match version {
        Version::V6 => "6",
        Version::V7 => "7",
    }
}

pub async fn show(Path(id): Path<u32>, signed: Signed) -> Reply {
    let entry = mikrotik(&signed, id)?;
    let asked = Asked::read(Query::read(&signed.here, &KNOWN));
    page(&signed, &entry, asked, None)
}

/// The script as a file, with words in place of secrets.
pub async fn download(Path(id): Path<u32>, signed: Signed) -> Reply {
    let entry = mikrotik(&signed, id)?;
    let asked = Asked::read(Query::read(&signed.here, &KNOWN));
    Ok(file(&entry, &asked, &asked.steps(&signed, &entry, None)?))
}

/// With the secrets, on a page or as a file. Each look is in the audit log.
pub async fn reveal(Path(id): Path<u32>, Change { signed, form }: Change) -> Reply {
    let entry = mikrotik(&signed, id)?;
    let query = KNOWN.iter().fold(Query::new(), |query, name| {
        query.with(name, form.text(name).trim())
    });
    let asked = Asked::read(query);
    let secrets = verbs::reveal_secrets(signed.app(), &signed.actor(), entry.nas.id).await?;
    if form.text("as") == "file" {
        let steps = asked.steps(&signed, &entry, Some(&secrets))?;
        return Ok(file(&entry, &asked, &steps));
    }
    page(&signed, &entry, asked, Some(&secrets))
}

/// Errors: `Missing` also for other vendors, which have no such page.
fn mikrotik(signed: &Signed, id: u32) -> Result<std::sync::Arc<NasEntry>, Failure> {
    let entry = signed.app().nas(NasId(id));
    entry
        .filter(|entry| entry.nas.profile == Profile::MikroTik)
        .ok_or(Failure::Missing)
}

fn file(entry: &NasEntry, asked: &Asked, steps: &[Step]) -> Response {
    let name = format!("proxpanel-{}-v{}.rsc", entry.nas.id, word(asked.version));
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, router_script::render(steps)).into_response()
}

fn page(signed: &Signed, entry: &NasEntry, asked: Asked, secrets: Option<&RouterSecrets>) -> Reply {
    let (steps, refusal) = match asked.steps(signed, entry, secrets) {
        Ok(steps) => (steps, None),
        Err(operations::Error::Refused(why)) => (Vec::new(), Some(why)),
        Err(error) => return Err(error.into()),
    };
    let back = format!("{PATH}/{}", entry.nas.id);
    let path = format!("{back}/script");
    let known = asked
        .wishes
        .server
        .or_else(|| router_script::own_address(signed.app()));
    let page = ScriptPage {
        shell: signed.shell("Setup script", Nav::Nas),
        name: entry.nas.name.clone(),
        versions: asked.version_links(&path),
        version: asked.version_word().to_owned(),
        sets_name: asked.wishes.sets_name,
        refusal,
        has_secrets: secrets.is_some(),
        lacks_server: known.is_none(),
        lacks_api: entry.nas.api.is_none(),
        steps: steps
            .into_iter()
            .enumerate()
            .map(|(number, step)| step_view(number, step))
            .collect(),
        download_href: asked.query.href(&format!("{path}.rsc")),
        server: asked.server,
        portal: asked.portal,
        interface: asked.interface,
        path,
        back,
    };
    Ok(Page::ok(page).into_response())
}

fn step_view(number: usize, step: Step) -> StepView {
    StepView {
        id: format!("step-{}", number + 1),
        title: step.title,
        why: step.why,
        commands: step.commands.trim_end().to_owned(),
    }
}
