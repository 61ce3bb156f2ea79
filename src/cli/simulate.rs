//! `simulate`: what a subscriber or a plan would get, and why.

use clap::Args;

use crate::control::Request;
use crate::operations::simulator::Asked;

use super::Place;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    pub place: Place,
    /// User name of a subscriber
    #[arg(required_unless_present = "plan", conflicts_with = "plan")]
    user: Option<String>,
    /// Name or number of a plan, to look at without a subscriber
    #[arg(long, value_name = "PLAN")]
    plan: Option<String>,
    /// The moment on the ISP's wall clock, such as "2026-12-31 18:30" [default: now]
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// Gigabytes used today [default: the real usage, like the two below]
    #[arg(long, value_name = "GB")]
    today: Option<String>,
    /// Gigabytes used this month
    #[arg(long, value_name = "GB")]
    month: Option<String>,
    /// Gigabytes used this term
    #[arg(long, value_name = "GB")]
    term: Option<String>,
    /// Last day of the term, such as 2026-12-31 [default: the real one]
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Options {
    /// What is asked of the daemon, or of the data folder without one.
    pub fn request(self) -> Request {
        Request::Simulate {
            asked: Asked {
                subscriber: self.user.unwrap_or_default(),
                plan: self.plan.unwrap_or_default(),
                at: self.at.unwrap_or_default(),
                today: self.today.unwrap_or_default(),
                month: self.month.unwrap_or_default(),
                term: self.term.unwrap_or_default(),
                expires: self.expires.unwrap_or_default(),
            },
            json: self.json,
        }
    }
}
