//! ProxPanel: the library behind the `proxpanel` daemon and command.

pub mod allocator;
pub mod config;
pub mod telemetry;
