//! Settings of the installation: one file for each tab, each with its own address.

mod appearance;
mod general;
mod radius;
mod security;
mod support;

pub use appearance::{AppearancePage, appearance, set_appearance};
pub use general::{GeneralPage, general, set_general};
pub use radius::{RadiusPage, radius, set_radius};
pub use security::{SecurityPage, security, set_security};
pub use support::{CodePage, SupportPage, begin_support, end_support, support};
