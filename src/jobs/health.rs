//! Samples the rates and the machine for the dashboard, and lets go lists that nobody looks at any more.

use std::sync::Arc;

use super::{Job, Next};
use crate::app::App;
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::telemetry::{SAMPLE_INTERVAL, monotonic};

pub struct Health;

impl Job for Health {
    fn name(&self) -> &'static str {
        "health"
    }

    async fn work(&mut self, app: Arc<App>, now: Timestamp) -> Result<Next, Error> {
        app.telemetry.sample(monotonic());
        app.imports.forget_old(now);
        Ok(Next::After(SAMPLE_INTERVAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::WaitingImport;
    use crate::crypto::Secret;
    use crate::domain::id::OperatorId;
    use crate::operations::import::first_choices;
    use crate::operations::testing::{NOW, TestApp, run};

    #[test]
    fn a_list_that_nobody_looks_at_any_more_is_let_go() {
        let test = TestApp::new();
        let list = b"user\nali\n".to_vec();
        let by = OperatorId(1);
        test.app.imports.put(WaitingImport {
            by,
            name: String::new(),
            choices: first_choices(&list).unwrap(),
            octets: Arc::new(Secret::new(list)),
            since: NOW,
        });
        let held = || test.app.imports.of(by, NOW).is_some();
        for (minutes, is_held) in [(59, true), (60, false)] {
            let now = NOW.plus(minutes * 60_000);
            run(Health.work(Arc::clone(&test.app), now)).unwrap();
            assert_eq!(held(), is_held, "{minutes}");
        }
    }
}
