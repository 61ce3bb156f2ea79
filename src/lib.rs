//! ProxPanel: the library behind the `proxpanel` daemon and command.

pub mod crypto;
pub mod domain;
pub mod store;
