//! MikroTik's API protocol: the codec (mikrotik.md b2 to b4). No sockets.

pub mod cdn;
pub mod login;
pub mod objects;
pub mod query;
pub mod wire;
