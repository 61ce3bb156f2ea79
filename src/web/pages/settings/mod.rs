//! Settings of the installation: one file for each tab, each with its own address.

pub mod appearance;
pub mod backups;
pub mod certificate;
pub mod general;
pub mod licence;
pub mod radius;
pub mod security;
pub mod support;
pub mod updates;
