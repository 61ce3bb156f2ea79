//! The panel through its real router: what holds for all pages, and each of its pages.

mod account;
mod addresses;
mod backups;
mod cdn;
mod certificate;
mod dashboard;
mod everywhere;
mod forms;
pub mod isp;
mod nas;
mod nas_router;
mod plan_form;
mod plans;
mod records;
mod rules;
mod setup;
mod signing_in;
mod simulator;
mod subscriber_form;
mod subscribers;
mod system;
