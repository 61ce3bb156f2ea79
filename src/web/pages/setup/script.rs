//! Step 3, second half: what the router must be told, and whether it works already.

use std::net::IpAddr;

use askama::Template;
use axum::response::{IntoResponse, Redirect};

use crate::app::{App, NasEntry};
use crate::domain::nas::{Nas, Profile};
use crate::operations::nas::{self as verbs, RouterSecrets};
use crate::operations::router_script;
use crate::operations::setup::{self, Step};
use crate::web::error::{Failure, Reply};
use crate::web::extract::{Administrator, Change, Signed, Visitor};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::nas::{Asked, VersionLink};
use crate::web::parts::{Fact, Field};
use crate::web::query::Query;
use crate::web::shell::Bare;

use super::{Frame, PLAN, ROUTER, SCRIPT, StepLink, frame};

/// Fields of the address, which the script follows.
const KNOWN: [&str; 2] = ["version", "server"];

/// `GET /setup/router/script?version=&server=`, and the post that shows the secret. No Debug: it may hold it.
#[derive(Template)]
#[template(path = "pages/setup/script.html")]
pub struct ScriptPage {
    pub shell: Bare,
    pub steps: Vec<StepLink>,
    pub name: String,
    pub path: &'static str,
    pub back: &'static str,
    pub onward: &'static str,
    /// Empty for vendors that we write no script for.
    pub versions: Vec<VersionLink>,
    pub version: &'static str,
    pub server: Field,
    /// Why there is no script.
    pub refusal: Option<String>,
    /// The whole script, or empty.
    pub script: String,
    pub has_secret: bool,
    /// The script with explanations, as a file, and everything else of this router.
    pub nas_href: String,
    /// What is to be typed into a router by hand.
    pub facts: Vec<Fact>,
}

pub async fn script(visitor: Visitor, Administrator(signed): Administrator) -> Reply {
    let Some(entry) = setup::first_router(signed.app()) else {
        return Ok(Redirect::to(ROUTER).into_response());
    };
    let query = Query::read(&signed.here, &KNOWN);
    Ok(Page::ok(page(&signed, &visitor, &entry, query, None)?).into_response())
}

/// With the secret. Each look is in the audit log.
pub async fn reveal(visitor: Visitor, Change { signed, form }: Change) -> Reply {
    let entry = setup::first_router(signed.app()).ok_or(Failure::Missing)?;
    let typed = |query: Query, name: &&str| query.with(name, form.text(name).trim());
    let query = KNOWN.iter().fold(Query::new(), typed);
    let secrets = verbs::reveal_secrets(signed.app(), &signed.actor(), entry.nas.id).await?;
    Ok(Page::ok(page(&signed, &visitor, &entry, query, Some(&secrets))?).into_response())
}

fn page(
    signed: &Signed,
    visitor: &Visitor,
    entry: &NasEntry,
    query: Query,
    secrets: Option<&RouterSecrets>,
) -> Result<ScriptPage, Failure> {
    let (app, nas) = (signed.app(), &entry.nas);
    let Frame { shell, steps } = frame(signed, "Connect the router", Some(Step::Router))?;
    let asked = Asked::read(with_server(signed, visitor, query));
    let is_scripted = nas.profile == Profile::MikroTik;
    let (script, refusal) = match is_scripted.then(|| asked.steps(signed, entry, secrets)) {
        None => (String::new(), None),
        Some(Ok(steps)) => (router_script::render(&steps), None),
        Some(Err(crate::operations::Error::Refused(why))) => (String::new(), Some(why)),
        Some(Err(error)) => return Err(error.into()),
    };
    Ok(ScriptPage {
        shell,
        steps,
        name: nas.name.clone(),
        path: SCRIPT,
        back: ROUTER,
        onward: PLAN,
        versions: match is_scripted {
            true => asked.version_links(SCRIPT),
            false => Vec::new(),
        },
        version: asked.version_word(),
        refusal,
        script: script.trim_end().to_owned(),
        has_secret: secrets.is_some(),
        nas_href: format!("/nas/{}", nas.id),
        facts: facts(app, nas, &asked.server.value, secrets),
        server: asked.server,
    })
}

/// The values for routers that we write no script for.
fn facts(app: &App, nas: &Nas, server: &str, secrets: Option<&RouterSecrets>) -> Vec<Fact> {
    let (auth_port, acct_port) = router_script::ports(app);
    let mut facts = vec![
        match server {
            "" => Fact::new("RADIUS server", "the address of this machine"),
            server => Fact::new("RADIUS server", server).copyable(),
        },
        Fact::new("Authentication", format!("UDP {auth_port}")),
        Fact::new("Accounting", format!("UDP {acct_port}")),
        Fact::new("CoA, on the router", format!("UDP {}", nas.coa_port)),
    ];
    if let Some(secrets) = secrets {
        facts.push(Fact::new("Shared secret", secrets.shared.expose()).copyable());
    }
    facts
}

/// Where nobody said it, the address under which the browser found the panel is the best guess of what a router can reach.
fn with_server(signed: &Signed, visitor: &Visitor, query: Query) -> Query {
    if !query.get("server").is_empty() {
        return query;
    }
    let host = visitor.host.trim_start_matches('[').trim_end_matches(']');
    let guess = router_script::own_address(signed.app()).or_else(|| host.parse::<IpAddr>().ok());
    match guess {
        Some(server) => query.with("server", &server.to_string()),
        None => query,
    }
}
