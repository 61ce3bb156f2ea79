//! ProxPanel: the library behind the `proxpanel` daemon and command.

pub mod domain;
pub mod radius;
pub mod routers;
pub mod search;
