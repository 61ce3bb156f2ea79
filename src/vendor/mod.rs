//! The vendor's side of licences and updates: `proxpanel vendor`, with a data folder of its own.
//!
//! Here: customers, licences, heartbeats and releases in their own store; the questions that appliances ask; a plain page
//! for the vendor's people; the commands. Not here: what a licence means (`licence`), and anything of the appliance but its
//! generic parts: the store's engine, certificates, connections, forms and headers of pages, the control socket. Nothing imports this room but `cli`.
//! Invariants: only what this room signs changes what an appliance may do; a licence is bound to one machine at a time; every
//! change has a line in the log.

mod answers;
mod api;
mod control;
mod desk;
mod download;
mod error;
mod licences;
mod pages;
mod publish;
mod records;
mod releases;
mod server;
mod sign_in;
mod tables;
#[cfg(test)]
mod tests;
mod throttle;

pub use control::{Request, execute};
pub use desk::{Desk, Init};
pub use error::{Refusal, VendorError};
pub use licences::{Issue, Terms};
pub use publish::Lent;
pub use server::{ServeOptions, serve};

pub use crate::tls::Configured;
