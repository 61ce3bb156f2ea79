//! Tells the vendor every hour that this machine lives; soon again after no answer. At the start the licence is validated.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, Next};
use crate::app::App;
use crate::crypto;
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::operations::licence::{self, Beat};

const PERIOD: Duration = Duration::from_secs(3_600);
/// After no answer: a line that broke is often back soon.
const SOON: Duration = Duration::from_secs(600);
/// Machines that started together after a power cut must not ask together: up to a quarter is added.
const JITTER: u32 = 4;

#[derive(Default)]
pub struct Licence {
    has_begun: bool,
    outcome: String,
}

impl Job for Licence {
    fn name(&self) -> &'static str {
        "licence"
    }

    fn outcome(&mut self) -> String {
        std::mem::take(&mut self.outcome)
    }

    async fn work(&mut self, app: Arc<App>, _now: Timestamp) -> Result<Next, Error> {
        let beat = licence::beat(&app, !self.has_begun).await?;
        self.has_begun |= matches!(beat, Beat::Good | Beat::Bad(_));
        let (pause, outcome) = after(beat);
        self.outcome = outcome;
        let random = crypto::random_bytes::<1>()?;
        Ok(Next::After(jittered(pause, u8::from_be_bytes(random))))
    }
}

/// How long to rest, and what is said of it.
fn after(beat: Beat) -> (Duration, String) {
    match beat {
        Beat::NoVendor => (PERIOD, "no vendor is configured".to_owned()),
        Beat::NotActivated => (PERIOD, "no licence is activated".to_owned()),
        Beat::Good => (PERIOD, "the vendor says that all is well".to_owned()),
        Beat::Bad(said) => (PERIOD, said),
        Beat::Silent(why) => (SOON, why),
    }
}

fn jittered(pause: Duration, random: u8) -> Duration {
    pause + pause * u32::from(random) / (JITTER * u32::from(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendor_is_asked_every_hour_and_soon_again_after_no_answer() {
        for (beat, minutes) in [
            (Beat::NoVendor, 60),
            (Beat::NotActivated, 60),
            (Beat::Good, 60),
            (Beat::Bad("revoked".to_owned()), 60),
            (Beat::Silent("away".to_owned()), 10),
        ] {
            let (pause, said) = after(beat.clone());
            assert_eq!(pause.as_secs(), minutes * 60, "{beat:?}");
            assert!(!said.is_empty(), "{beat:?}");
        }
    }

    #[test]
    fn up_to_a_quarter_is_added() {
        let seconds = |random| jittered(PERIOD, random).as_secs();
        assert_eq!([0, 51, 255].map(seconds), [3_600, 3_780, 4_500]);
    }
}
