//! The tests of the whole product: the real binary, a real browser, and the shape of the source itself.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this crate is tests only: a panic is how a test fails, and its helpers fail the same way"
)]

mod appliance;
mod backups;
mod browser_frame;
mod certificates;
mod crash;
mod first_run;
mod import_panel;
mod imports;
mod licence;
mod offsite;
mod package;
mod panel;
mod radsec;
mod remote;
mod router_checks;
mod routeros;
mod service;
mod speeds;
mod support;
mod system;
mod tidy;
mod updates;
