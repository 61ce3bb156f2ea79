//! Bandwidth rules: more or less speed for some people in some hours.

mod form;

pub use form::{FormPage, create, edit, new, update};

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::app::App;
use crate::domain::bandwidth_rule::{Adjust, BandwidthRule, Rules};
use crate::domain::id::RuleId;
use crate::domain::window::WallClock;
use crate::operations::bandwidth_rules as verbs;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::page::Page;
use crate::web::pages::deletion::DeletePage;
use crate::web::parts::{Badge, Tone, thousands};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

const PATH: &str = "/rules";

/// `GET /rules`.
#[derive(Template)]
#[template(path = "pages/rules/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
}

#[derive(Clone, Default)]
pub struct Row {
    /// `/rules/{id}`; editing, switching and deletion are below it.
    pub href: String,
    pub priority: String,
    pub name: String,
    /// Why it may not do what its name promises, one sentence each.
    pub hints: Vec<String>,
    pub hours: String,
    /// First and last day, or empty.
    pub days: String,
    pub download: String,
    pub upload: String,
    pub whom: String,
    pub state: Badge,
    pub is_enabled: bool,
}

/// All rules, the one that wins in front; there are at most two hundred.
pub async fn list(signed: Signed) -> Reply {
    let words = Words::of(signed.app());
    let clock = words.calendar().wall_clock(words.now);
    let rules = signed.app().rules();
    let page = ListPage {
        shell: signed.shell("Bandwidth rules", Nav::Rules),
        rows: rules
            .iter()
            .map(|rule| row(&words, &rules, rule, &clock))
            .collect(),
    };
    Ok(Page::ok(page).into_response())
}

fn row(words: &Words<'_>, rules: &Rules, rule: &BandwidthRule, clock: &WallClock) -> Row {
    Row {
        href: format!("{PATH}/{}", rule.id),
        priority: rule.priority.to_string(),
        name: rule.name.clone(),
        hints: hints(rules, rule),
        hours: match rule.window.is_always() {
            true => "always".to_owned(),
            false => format!("{} {}", rule.window.days(), rule.window.hours()),
        },
        days: match (rule.from, rule.until) {
            (None, None) => String::new(),
            (Some(from), None) => format!("from {from}"),
            (None, Some(until)) => format!("until {until}"),
            (Some(from), Some(until)) => format!("{from} to {until}"),
        },
        download: effect(rule.download),
        upload: effect(rule.upload),
        whom: whom(words, rule),
        state: match (rule.enabled, rule.is_on(clock)) {
            (false, _) => Badge::new(Tone::Quiet, "Disabled"),
            (true, true) => Badge::new(Tone::Good, "On now"),
            (true, false) => Badge::new(Tone::Info, "Waits"),
        },
        is_enabled: rule.enabled,
    }
}

/// Rules with the same priority for the same people at the same hours: which of them wins is nobody's choice.
fn hints(rules: &Rules, rule: &BandwidthRule) -> Vec<String> {
    verbs::rivals(rules, rule)
        .map(|other| {
            let winner = if other.id < rule.id { other } else { rule };
            format!(
                "Same priority and hours as {}. The older one wins: {}.",
                other.name, winner.name
            )
        })
        .collect()
}

fn effect(adjust: Adjust) -> String {
    match adjust {
        Adjust::Unchanged => "–".to_owned(),
        adjust => adjust.to_string(),
    }
}

/// Names shown in a row; the rest is counted.
const MOST_SHOWN: usize = 3;

fn whom(words: &Words<'_>, rule: &BandwidthRule) -> String {
    if rule.concerns_all() {
        return "everybody".to_owned();
    }
    let plans = rule.plans.iter().map(|id| words.plan(*id));
    let mut shown: Vec<String> = plans.take(MOST_SHOWN).collect();
    let room = MOST_SHOWN.saturating_sub(shown.len());
    let subscribers = rule.subscribers.iter().take(room);
    shown.extend(subscribers.map(|id| words.subscriber(*id)));
    let all = rule.plans.len() + rule.subscribers.len();
    if all > shown.len() {
        let more = u64::try_from(all - shown.len()).unwrap_or(u64::MAX);
        shown.push(format!("{} more", thousands(more)));
    }
    shown.join(", ")
}

/// A rule of the copy in memory.
fn found(app: &App, id: u32) -> Result<BandwidthRule, Failure> {
    app.rules().get(RuleId(id)).cloned().ok_or(Failure::Missing)
}

pub async fn enable(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let rule = found(signed.app(), id)?;
    verbs::enable(signed.app(), &signed.actor(), rule.id).await?;
    let flash = Flash::good(format!("The rule {} is enabled.", rule.name));
    Ok(done(&signed, flash, PATH))
}

pub async fn disable(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let rule = found(signed.app(), id)?;
    verbs::disable(signed.app(), &signed.actor(), rule.id).await?;
    let flash = Flash::good(format!("The rule {} is disabled.", rule.name));
    Ok(done(&signed, flash, PATH))
}

pub async fn ask_remove(Path(id): Path<u32>, signed: Signed) -> Reply {
    let rule = found(signed.app(), id)?;
    let page = DeletePage {
        shell: signed.shell("Delete rule", Nav::Rules),
        list: "Bandwidth rules",
        list_href: PATH,
        verb: "Delete",
        thing: "rule",
        action: format!("{PATH}/{id}/delete"),
        back: format!("{PATH}/{id}/edit"),
        name: rule.name,
        consequences: vec![
            "Whoever is online gets the speed without it at once, without a drop.".to_owned(),
            "Its changes stay in the audit log.".to_owned(),
        ],
        blocked: String::new(),
    };
    Ok(Page::ok(page).into_response())
}

pub async fn remove(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let rule = found(signed.app(), id)?;
    verbs::remove(signed.app(), &signed.actor(), rule.id).await?;
    let flash = Flash::good(format!("The rule {} is deleted.", rule.name));
    Ok(done(&signed, flash, PATH))
}
