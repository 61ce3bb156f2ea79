//! What the tests of the whole product stand on.
#![allow(
    dead_code,
    reason = "a helper is written once, whole, and stays when the last test that needs a part of it goes"
)]

pub mod browser;
pub mod daemon;
pub mod file_servers;
pub mod https;
pub mod isp;
pub mod pebble;
pub mod process;
pub mod radius;
pub mod radsec;
pub mod routeros;
