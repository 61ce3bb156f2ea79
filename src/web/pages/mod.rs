//! One file per noun: page structs above, their handlers below. Every field is ready to show.

pub mod account;
pub mod audit;
pub mod auth_log;
pub mod dashboard;
pub mod errors;
pub mod login;
pub mod nas;
pub mod plans;
pub mod search;
pub mod sessions;
pub mod setup;
pub mod subscribers;
