//! The panel through its real router: what holds for all pages, and the pages around sign-in.

mod account;
mod dashboard;
mod everywhere;
mod forms;
mod setup;
mod signing_in;
