//! What the installation is set to: one file for each tab.

pub mod licence;
