//! The panel: pages that work as plain links and forms, of which htmx replaces regions.
//!
//! Here: routes, page structs, forms, static files, response headers. Not here: any rule, sum or
//! table; a view carries strings that are ready to show. Invariant: no inline script or style in
//! any page, so that the content security policy stays strict.

pub mod assets;
pub mod chart;
pub mod filters;
pub mod headers;
pub mod htmx;
pub mod page;
pub mod pages;
pub mod parts;
pub mod query;
pub mod shell;

#[cfg(test)]
mod preview;

/// Placeholder until the handlers land.
pub fn router(_app: std::sync::Arc<crate::app::App>) -> axum::Router {
    assets::router()
}
pub mod server {
    pub async fn serve(
        listener: tokio::net::TcpListener,
        router: axum::Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        let _ = axum::serve(listener, router)
            .with_graceful_shutdown(stop)
            .await;
    }
}
