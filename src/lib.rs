//! ProxPanel: the library behind the `proxpanel` daemon and command.

pub mod acme;
pub mod allocator;
pub mod app;
pub mod archive;
pub mod cli;
pub mod config;
pub mod control;
pub mod crypto;
pub mod daemon;
pub mod domain;
pub mod http_client;
pub mod jobs;
pub mod licence;
pub mod operations;
pub mod radius;
pub mod remote;
pub mod routers;
pub mod search;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod vendor;
pub mod web;
