//! The panel through its real router: what holds for all pages, and each of its pages.

mod account;
mod addresses;
mod cdn;
mod dashboard;
mod everywhere;
mod forms;
mod isp;
mod nas;
mod nas_router;
mod plans;
mod records;
mod setup;
mod signing_in;
mod subscriber_form;
mod subscribers;
