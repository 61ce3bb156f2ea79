//! ProxPanel: the library behind the `proxpanel` daemon and command.

pub mod allocator;
pub mod app;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod operations;
pub mod radius;
pub mod routers;
pub mod search;
pub mod store;
pub mod telemetry;
pub mod web;
