//! The panel through its real router: what holds for all pages, and each of its pages.

mod account;
mod addresses;
mod dashboard;
mod everywhere;
mod forms;
mod isp;
mod nas;
mod plans;
mod records;
mod setup;
mod signing_in;
mod subscriber_form;
mod subscribers;
