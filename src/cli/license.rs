//! `proxpanel license`: how the licence stands, and getting one.

use clap::Subcommand;

use super::Place;
use crate::control::Request;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Print how the licence stands
    Status {
        #[command(flatten)]
        place: Place,
    },
    /// Ask the vendor for a licence and activate it
    Register {
        #[command(flatten)]
        place: Place,
        company: String,
        /// E-mail address; the vendor writes to it
        email: String,
    },
    /// Bind a licence to this machine
    Activate {
        #[command(flatten)]
        place: Place,
        /// As the vendor sent it, such as PROX-7KQ2M-XB4TD-9WN3H-RC6VP
        key: String,
    },
    /// Give the licence up, so that another machine can activate it
    Deactivate {
        #[command(flatten)]
        place: Place,
    },
}

impl Verb {
    pub(super) fn request(self) -> (Place, Request) {
        match self {
            Verb::Status { place } => (place, Request::LicenseStatus),
            Verb::Register {
                place,
                company,
                email,
            } => (place, Request::LicenseRegister { company, email }),
            Verb::Activate { place, key } => (place, Request::LicenseActivate { key }),
            Verb::Deactivate { place } => (place, Request::LicenseDeactivate),
        }
    }
}
