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
pub mod pager;
pub mod pages;
pub mod parts;
pub mod query;
pub mod shell;
pub mod words;

#[cfg(test)]
mod preview;
