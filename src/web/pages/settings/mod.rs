//! What the installation is set to: one file per tab.

pub mod backups;
pub mod certificate;
pub mod licence;
pub mod updates;
