//! MikroTik's API: the protocol (mikrotik.md b1 to b3) in `wire`, `exchange` and `login`, which know no sockets; one
//! connection to each router in `client` and what lies behind it; what is asked of routers in `commands`; what CDN
//! profiles need on them in `cdn` and `objects`.

pub mod cdn;
pub mod client;
pub mod commands;
mod connect;
mod connection;
pub mod error;
pub mod exchange;
pub mod login;
pub mod objects;
#[cfg(test)]
pub(crate) mod peer;
pub mod query;
pub mod request;
pub mod rows;
pub mod tls;
pub mod values;
pub mod wire;
