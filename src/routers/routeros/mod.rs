//! MikroTik's API protocol: the codec (mikrotik.md b2 to b4). No sockets.

pub mod login;
pub mod query;
pub mod wire;
