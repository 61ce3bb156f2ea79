//! The panel: pages that work as plain links and forms, of which htmx replaces regions.
//!
//! Here: routes, page structs, forms, static files, response headers. Not here: any rule, sum or
//! table; a view carries strings that are ready to show. Invariant: no inline script or style in
//! any page, so that the content security policy stays strict.

pub mod alerts;
pub mod assets;
pub mod chart;
pub mod client;
pub mod cookies;
pub mod csrf;
pub mod download;
pub mod error;
pub mod extract;
pub mod filters;
pub mod form;
pub mod headers;
pub mod htmx;
mod metered;
pub mod multipart;
pub mod page;
pub mod pager;
pub mod pages;
pub mod parts;
pub mod qr;
pub mod query;
pub mod secure;
pub mod server;
pub mod shell;
pub mod tabs;
pub mod upload;
pub mod words;

#[cfg(test)]
mod preview;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
pub mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::operations::operators::Throttle;
use extract::Panel;
use pages::{
    account, addresses, audit, auth_log, cdn, dashboard, imports, login, nas, operators, plans,
    rules, search, second_factor, sessions, settings, setup, simulator, subscribers, system,
};

/// Octets of a form; the notes of a subscriber are its longest part.
const LARGEST_BODY: usize = 256 * 1024;
/// A page that takes longer is given up; the slowest list takes well under a second.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// The whole panel as one service.
pub fn router(app: Arc<App>) -> Router {
    let panel = Panel {
        app,
        throttle: Arc::new(Throttle::default()),
    };
    dressed(routes(), panel)
}

/// Every address of the panel.
fn routes() -> Router<Panel> {
    Router::new()
        .route("/healthz", get(health))
        .route("/login", get(login::show).post(login::create))
        .route("/login/code", get(login::code).post(login::confirm))
        .route("/logout", post(login::remove))
        .route("/setup", get(setup::show).post(setup::create))
        .route("/setup/operator", get(setup::operator))
        .route(
            "/setup/network",
            get(setup::network).post(setup::save_network),
        )
        .route("/setup/router", get(setup::router).post(setup::save_router))
        .route(
            "/setup/router/script",
            get(setup::script).post(setup::reveal),
        )
        .route("/setup/plan", get(setup::plan).post(setup::save_plan))
        .route(
            "/setup/subscriber",
            get(setup::subscriber).post(setup::save_subscriber),
        )
        .route("/setup/login", get(setup::waiting))
        .route(
            "/setup/backups",
            get(setup::backups).post(setup::save_backups),
        )
        .route("/setup/done", get(setup::done))
        .route("/setup/skip", post(setup::skip))
        .route("/setup/dismiss", post(setup::dismiss))
        .route("/account/logins", get(account::logins))
        .route("/account/logins/{browser}/revoke", post(account::revoke))
        .route(
            "/account/logins/revoke-others",
            post(account::revoke_others),
        )
        .route(
            "/account/password",
            get(account::password).post(account::change_password),
        )
        .route("/account/theme", post(account::theme))
        .route(
            "/account/second-factor",
            get(second_factor::show).post(second_factor::create),
        )
        .route(
            "/account/second-factor/recovery",
            get(second_factor::ask_recovery).post(second_factor::new_recovery),
        )
        .route(
            "/account/second-factor/off",
            get(second_factor::ask_end).post(second_factor::end),
        )
        .route("/", get(dashboard::show))
        .route(
            "/subscribers",
            get(subscribers::list).post(subscribers::create),
        )
        .route("/subscribers/new", get(subscribers::new))
        .route(
            "/subscribers/forget-macs",
            get(subscribers::ask_forget_macs).post(subscribers::forget_many_macs),
        )
        .route(
            "/subscribers/forget-macs-after",
            post(subscribers::set_forgetting),
        )
        .route("/subscribers/import", get(imports::show))
        .route(
            "/subscribers/import/look",
            get(imports::look).post(imports::choose),
        )
        .route("/subscribers/import/apply", post(imports::apply))
        .route("/subscribers/import/forget", post(imports::forget))
        .route(
            "/subscribers/import/{id}/undo",
            get(imports::ask_undo).post(imports::undo),
        )
        .route("/subscribers/{id}", get(subscribers::show))
        .route("/subscribers/{id}/sessions", get(subscribers::sessions))
        .route(
            "/subscribers/{id}/edit",
            get(subscribers::edit).post(subscribers::update),
        )
        .route(
            "/subscribers/{id}/delete",
            get(subscribers::ask_remove).post(subscribers::remove),
        )
        .route(
            "/subscribers/{id}/disconnect",
            post(subscribers::disconnect),
        )
        .route("/subscribers/{id}/suspend", post(subscribers::suspend))
        .route("/subscribers/{id}/enable", post(subscribers::enable))
        .route(
            "/subscribers/{id}/forget-mac",
            post(subscribers::forget_macs),
        )
        .route(
            "/subscribers/{id}/cancel-new-login",
            post(subscribers::cancel_reconnect),
        )
        .route("/subscribers/{id}/live", get(subscribers::live))
        .route("/subscribers/{id}/fair-use", get(subscribers::fair_use))
        .route("/subscribers/{id}/reset-fup", post(subscribers::reset_fup))
        .route("/subscribers/{id}/top-up", post(subscribers::top_up))
        .route("/subscribers/{id}/boost", post(subscribers::boost))
        .route("/subscribers/{id}/end-boost", post(subscribers::end_boost))
        .route(
            "/subscribers/{id}/password",
            post(subscribers::reveal_password),
        )
        .route("/plans", get(plans::list).post(plans::create))
        .route("/plans/new", get(plans::new))
        .route("/plans/preview", post(plans::preview))
        .route("/plans/{id}/edit", get(plans::edit).post(plans::update))
        .route(
            "/plans/{id}/delete",
            get(plans::ask_remove).post(plans::remove),
        )
        .route("/cdn", get(cdn::list).post(cdn::create))
        .route("/cdn/new", get(cdn::new))
        .route("/cdn/{id}/edit", get(cdn::edit).post(cdn::update))
        .route("/cdn/{id}/delete", get(cdn::ask_remove).post(cdn::remove))
        .route("/cdn/routers/{id}", get(cdn::router))
        .route("/cdn/routers/{id}/push", post(cdn::push))
        .route("/cdn/routers/{id}/remove", post(cdn::remove_everything))
        .route("/rules", get(rules::list).post(rules::create))
        .route("/rules/new", get(rules::new))
        .route("/rules/{id}/edit", get(rules::edit).post(rules::update))
        .route("/rules/{id}/enable", post(rules::enable))
        .route("/rules/{id}/disable", post(rules::disable))
        .route(
            "/rules/{id}/delete",
            get(rules::ask_remove).post(rules::remove),
        )
        .route("/simulator", get(simulator::show))
        .route("/nas", get(nas::list).post(nas::create))
        .route("/nas/new", get(nas::new))
        .route("/nas/unknown", get(nas::unknown))
        .route("/nas/{id}", get(nas::show))
        .route("/nas/{id}/edit", get(nas::edit).post(nas::update))
        .route("/nas/{id}/checks", get(nas::checks))
        .route("/nas/{id}/test-coa", post(nas::test_coa))
        .route(
            "/nas/{id}/forget-certificate",
            post(nas::forget_certificate),
        )
        .route("/nas/{id}/script", get(nas::script).post(nas::reveal))
        .route("/nas/{id}/script.rsc", get(nas::download))
        .route("/nas/{id}/delete", get(nas::ask_remove).post(nas::remove))
        .route("/addresses", get(addresses::list).post(addresses::create))
        .route("/addresses/new", get(addresses::new))
        .route("/addresses/static", get(addresses::statics))
        .route("/addresses/holder", get(addresses::holder))
        .route(
            "/addresses/{id}/edit",
            get(addresses::edit).post(addresses::update),
        )
        .route(
            "/addresses/{id}/delete",
            get(addresses::ask_remove).post(addresses::remove),
        )
        .route("/online", get(sessions::online))
        .route("/sessions", get(sessions::history))
        .route("/sessions/{id}/disconnect", post(sessions::disconnect))
        .route("/auth-log", get(auth_log::list))
        .route("/audit", get(audit::list))
        .route("/operators", get(operators::list).post(operators::create))
        .route("/operators/new", get(operators::new))
        .route("/operators/{id}", get(operators::show))
        .route("/operators/{id}/role", post(operators::change_role))
        .route("/operators/{id}/password", post(operators::reset_password))
        .route(
            "/operators/{id}/reset-second-factor",
            post(operators::reset_factor),
        )
        .route("/operators/{id}/sign-out", post(operators::sign_out))
        .route(
            "/operators/{id}/logins/{browser}/revoke",
            post(operators::revoke),
        )
        .route(
            "/operators/{id}/delete",
            get(operators::ask_remove).post(operators::remove),
        )
        .route("/settings", get(Redirect::to("/settings/general")))
        .route(
            "/settings/general",
            get(settings::general::show).post(settings::general::save),
        )
        .route(
            "/settings/radius",
            get(settings::radius::show).post(settings::radius::save),
        )
        .route(
            "/settings/security",
            get(settings::security::show).post(settings::security::save),
        )
        .route(
            "/settings/support",
            get(settings::support::show).post(settings::support::begin),
        )
        .route("/settings/support/end", post(settings::support::end))
        .route(
            "/settings/appearance",
            get(settings::appearance::show).post(settings::appearance::save),
        )
        .route(
            "/settings/backups",
            get(settings::backups::show).post(settings::backups::update),
        )
        .route(
            "/settings/backups/passphrase",
            post(settings::backups::passphrase),
        )
        .route("/settings/backups/key", post(settings::backups::choose_key))
        .route(
            "/settings/backups/destination",
            post(settings::backups::save_destination),
        )
        .route(
            "/settings/backups/destination/test",
            post(settings::backups::test_destination),
        )
        .route(
            "/settings/backups/destination/trust",
            post(settings::backups::trust_destination),
        )
        .route(
            "/settings/backups/destination/resume",
            post(settings::backups::resume_sending),
        )
        .route("/settings/backups/create", post(settings::backups::create))
        .route("/settings/backups/cancel", post(settings::backups::cancel))
        .route("/settings/backups/{name}", get(settings::backups::download))
        .route(
            "/settings/backups/{name}/test",
            post(settings::backups::test),
        )
        .route(
            "/settings/backups/{name}/send",
            post(settings::backups::send),
        )
        .route(
            "/settings/backups/{name}/restore",
            get(settings::backups::ask_restore).post(settings::backups::restore),
        )
        .route(
            "/settings/backups/{name}/delete",
            post(settings::backups::remove),
        )
        .route(
            "/.well-known/acme-challenge/{token}",
            get(secure::challenge),
        )
        .route("/settings/certificate", get(settings::certificate::show))
        .route(
            "/settings/certificate/own",
            post(settings::certificate::use_own),
        )
        .route(
            "/settings/certificate/acme",
            post(settings::certificate::use_acme),
        )
        .route(
            "/settings/certificate/self-signed",
            post(settings::certificate::use_self_signed),
        )
        .route(
            "/settings/certificate/self-signed/new",
            post(settings::certificate::new_self_signed),
        )
        .route("/system", get(Redirect::to("/system/health")))
        .route("/system/health", get(system::health))
        .route("/system/jobs", get(system::jobs))
        .route("/system/jobs/{name}/run", post(system::run_job))
        .route("/system/logs", get(system::logs))
        .route(
            "/system/restart",
            get(system::ask_restart).post(system::restart),
        )
        .route("/system/restarting", get(system::wait_for_restart))
        .route("/settings/licence", get(settings::licence::show))
        .route(
            "/settings/licence/activate",
            post(settings::licence::activate),
        )
        .route(
            "/settings/licence/register",
            post(settings::licence::register),
        )
        .route(
            "/settings/licence/deactivate",
            post(settings::licence::deactivate),
        )
        .route("/settings/licence/ask", post(settings::licence::ask))
        .route("/settings/updates", get(settings::updates::show))
        .route("/settings/updates/check", post(settings::updates::check))
        .route(
            "/settings/updates/download",
            post(settings::updates::download),
        )
        .route("/settings/updates/cancel", post(settings::updates::cancel))
        .route(
            "/settings/updates/install",
            post(settings::updates::install),
        )
        .route("/search", get(search::show))
        .merge(assets::router())
}

/// Addresses that take files, for as long as the line to the browser needs. Their handlers bound what they read.
fn uploads() -> Router<Panel> {
    Router::new()
        .route("/settings/backups/upload", post(settings::backups::upload))
        .route("/subscribers/import/upload", post(imports::upload))
}

/// What surrounds every handler. A layer encloses those above it.
fn dressed(routes: Router<Panel>, panel: Panel) -> Router {
    routes
        .fallback(error::missing)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            LONGEST_ANSWER,
        ))
        .merge(uploads())
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn_with_state(panel.clone(), error::answer))
        // Pages hold a token besides what was typed (BREACH), but other sites cannot make a browser fetch them with its
        // cookie, which is SameSite.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(middleware::from_fn_with_state(panel.clone(), secure::guard))
        .layer(middleware::from_fn(headers::security))
        .with_state(panel)
}

/// For the supervisor and monitors: `ok` while the store can be read.
async fn health(State(panel): State<Panel>) -> (StatusCode, &'static str) {
    match panel.app.store.view() {
        Ok(_) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read"),
    }
}
