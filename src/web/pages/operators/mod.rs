//! The people who sign in: list, a new one, and what an administrator may do to the account of another.

mod show;

use askama::Template;
use axum::response::IntoResponse;

use crate::crypto::Secret;
use crate::domain::Invalid;
use crate::domain::operator::{Operator, Role, parse_name};
use crate::operations::operators as verbs;
use crate::web::error::{Reply, done};
use crate::web::extract::{Administrator, Change, Signed};
use crate::web::filters;
use crate::web::form::{FormData, Problems};
use crate::web::page::Page;
use crate::web::parts::{Badge, Field, Select, Tone};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::Words;

pub use show::{
    ShowPage, ask_remove, change_role, remove, reset_factor, reset_password, revoke, show, sign_out,
};

/// Where the pages of operators begin.
const PATH: &str = "/operators";

/// `GET /operators`.
#[derive(Template)]
#[template(path = "pages/operators/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub rights: Vec<Right>,
}

#[derive(Clone, Default)]
pub struct Row {
    pub name: String,
    /// The page of the operator; empty for those who may only look.
    pub href: String,
    pub is_you: bool,
    pub role: String,
    pub factor: Badge,
    pub browsers: String,
    pub last_used: String,
    pub since: String,
}

/// One line of what each role may do.
#[derive(Clone, Default)]
pub struct Right {
    pub what: &'static str,
    pub administrator: bool,
    pub viewer: bool,
    pub support: bool,
}

/// `GET /operators/new`, and the post with errors (422).
#[derive(Template)]
#[template(path = "pages/operators/new.html")]
pub struct NewPage {
    pub shell: Shell,
    pub refusal: Option<String>,
    pub name: Field,
    pub role: Select,
    pub password: Field,
    pub password_again: Field,
}

pub async fn list(signed: Signed) -> Reply {
    let app = signed.app();
    let words = Words::of(app);
    let rows = verbs::list(app)?
        .into_iter()
        .map(|listed| Row {
            href: match signed.may_change() {
                true => href(&listed.operator),
                false => String::new(),
            },
            is_you: listed.operator.id == signed.current.operator.id,
            role: role_word(listed.operator.role).to_owned(),
            factor: match listed.has_factor {
                true => Badge::new(Tone::Good, "On"),
                false => Badge::new(Tone::Quiet, "Off"),
            },
            browsers: listed.browsers.to_string(),
            last_used: listed
                .last_used
                .map_or_else(String::new, |at| words.ago(at)),
            since: words.day(listed.operator.created_at),
            name: listed.operator.name,
        })
        .collect();
    let page = ListPage {
        shell: signed.shell("Operators", Nav::Operators),
        rows,
        rights: rights(),
    };
    Ok(Page::ok(page).into_response())
}

/// What the extractors of forms and pages enforce, in words.
pub fn rights() -> Vec<Right> {
    let right = |what, may: fn(Role) -> bool| Right {
        what,
        administrator: may(Role::Administrator),
        viewer: may(Role::Viewer),
        support: may(Role::Support),
    };
    vec![
        right(
            "See subscribers, sessions, plans, logs and settings",
            |_| true,
        ),
        right(
            "Change subscribers, plans, rules, addresses and CDN profiles; disconnect; run jobs",
            Role::may_work,
        ),
        right(
            "See passwords and secrets; change NAS devices",
            Role::may_change,
        ),
        right(
            "Operators, settings, backups, licence, updates, remote support",
            Role::may_change,
        ),
    ]
}

pub async fn new(Administrator(signed): Administrator) -> Reply {
    let form = FormData::filled(vec![("role", Role::Viewer.word().to_owned())]);
    Ok(Page::ok(new_page(&signed, &form, &Problems::default())).into_response())
}

pub async fn create(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    let name = problems.take("name", parse_name(form.text("name")));
    let role = problems.take("role", Role::parse(form.text("role")));
    let password = new_password(&form, &mut problems);
    if let (Some(name), Some(role), Some(password)) = (name, role, password) {
        let added = verbs::add(signed.app(), &signed.actor(), &name, role, password).await;
        if let Some(operator) = problems.absorb(added)? {
            let text = format!("{} can sign in now.", operator.name);
            return Ok(done(&signed, Flash::good(text), PATH));
        }
    }
    Ok(Page::unprocessable(new_page(&signed, &form, &problems)).into_response())
}

/// The new password of the two fields, or `None` once a problem was noted. Its length is checked by the verbs.
fn new_password(form: &FormData, problems: &mut Problems) -> Option<Secret<String>> {
    let password = form.text("password");
    problems.take(
        "password",
        crate::domain::operator::check_password(password),
    )?;
    if password != form.text("password_again") {
        problems.add("password_again", Invalid::new("The two passwords differ"));
        return None;
    }
    Some(Secret::new(password.to_owned()))
}

fn new_page(signed: &Signed, form: &FormData, problems: &Problems) -> NewPage {
    NewPage {
        shell: signed.shell("New operator", Nav::Operators),
        refusal: problems.refusal(),
        name: problems.field(form, "name"),
        role: problems.select("role", role_select(form.text("role"))),
        password: problems.secret("password"),
        password_again: problems.secret("password_again"),
    }
}

fn role_select(chosen: &str) -> Select {
    let choices = Role::GIVEN.map(|role| (role.word(), role_choice(role)));
    Select::new(choices, chosen)
}

fn role_choice(role: Role) -> &'static str {
    match role {
        Role::Administrator => "Administrator: everything",
        Role::Viewer => "Viewer: sees everything, changes nothing",
        Role::Support => "Remote support",
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Administrator => "Administrator",
        Role::Viewer => "Viewer",
        Role::Support => "Remote support",
    }
}

fn href(operator: &Operator) -> String {
    format!("{PATH}/{}", operator.id)
}
