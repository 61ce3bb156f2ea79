//! The panel through its real router: what holds for all pages, and each of its pages.

mod account;
mod addresses;
mod backups;
mod cdn;
mod certificate;
mod dashboard;
mod everywhere;
mod first_run;
mod forms;
pub mod isp;
mod nas;
mod nas_router;
mod operators;
mod plan_form;
mod plans;
mod records;
mod rights;
mod rules;
mod second_factor;
mod settings;
mod setup;
mod signing_in;
mod simulator;
mod subscriber_form;
mod subscribers;
mod support;
mod system;
