//! One file per noun: page structs above, their handlers below. Every field is ready to show.

pub mod account;
pub mod addresses;
pub mod audit;
pub mod auth_log;
pub mod cdn;
pub mod dashboard;
pub mod deletion;
pub mod errors;
pub mod imports;
pub mod login;
pub mod nas;
pub mod operators;
pub mod plans;
pub mod rules;
pub mod search;
pub mod second_factor;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod simulator;
pub mod subscribers;
pub mod system;

use askama::Template;
use axum::response::{IntoResponse, Response};

use crate::domain::time::{Calendar, Day};
use crate::operations::records::Span;
use crate::web::extract::Signed;
use crate::web::htmx::with_address;
use crate::web::page::Page;
use crate::web::pager::ActiveFilter;
use crate::web::parts::Field;
use crate::web::query::Query;

/// The rows of a list for htmx. `address` is that of the list without empty filters; the browser shows it, unless it has
/// it already, so that refreshing leaves the history of the browser alone.
fn rows(signed: &Signed, rows: impl Template, address: &str) -> Response {
    let response = Page::ok(rows).into_response();
    if signed.here == address {
        response
    } else {
        with_address(response, address)
    }
}

/// The token for buttons in rows that are daily work; empty for those who may not, which hides the buttons.
fn button_token(signed: &Signed) -> String {
    match signed.may_work() {
        true => signed.current.login.csrf.clone(),
        false => String::new(),
    }
}

/// Business days `from` to `to` of the address, both included; what is no date is left open.
fn span(query: &Query, calendar: &Calendar) -> Span {
    let day = |name| Day::parse(query.get(name)).ok();
    Span {
        from: day("from").map(|day| calendar.starts(day)),
        until: day("to").map(|day| calendar.end_of(day)),
    }
}

/// A date of the address in its field, with what is wrong with it.
fn date_field(query: &Query, name: &str) -> Field {
    let value = query.get(name);
    match Day::parse(value) {
        Err(problem) if !value.is_empty() => Field::wrong(value, problem.0),
        _ => Field::new(value),
    }
}

/// The filters that are set, as chips above a list, each with the address of the list without it.
struct Chips<'a> {
    path: &'a str,
    query: &'a Query,
    list: Vec<ActiveFilter>,
}

impl<'a> Chips<'a> {
    fn new(path: &'a str, query: &'a Query) -> Self {
        Self {
            path,
            query,
            list: Vec::new(),
        }
    }

    /// The text of `q`.
    fn text(&mut self) {
        self.add("q", |value| format!("text “{value}”"));
    }

    /// A filter whose value is told as it is.
    fn plain(&mut self, name: &str, label: &str) {
        self.add(name, |value| format!("{label} {value}"));
    }

    /// A filter whose value is an id, told by its name.
    fn named(&mut self, name: &str, label: &str, word: impl Fn(u32) -> String) {
        if let Some(id) = self.query.number(name) {
            self.add(name, |_| format!("{label} {}", word(id)));
        }
    }

    fn add(&mut self, name: &str, text: impl Fn(&str) -> String) {
        let value = self.query.get(name);
        if !value.is_empty() {
            let rest = self.query.clone().without("page").without("before");
            self.list.push(ActiveFilter {
                text: text(value),
                remove_href: rest.without(name).href(self.path),
            });
        }
    }
}
