//! Many sessions that cross an hour in the same second.

use std::net::Ipv4Addr;

use proxpanel::domain::hours::{SpeedWindow, WhenThrottled};
use proxpanel::domain::rate::Rate;
use proxpanel::domain::time::HOUR;
use proxpanel::domain::window::Window;
use proxpanel::radius::auth::Method;
use proxpanel::telemetry::monotonic;

use super::appliance::{Appliance, PASSWORD};
use super::{NOW, PROMISED, plan};
use crate::support::routeros::{Dial, Router, Session};

const ROUTERS: u8 = 5;
const SESSIONS_EACH: u64 = 100;
const NIGHT: Rate = Rate {
    upload_kbps: 8_000,
    download_kbps: 40_000,
};

#[test]
fn five_hundred_sessions_cross_a_window_and_each_is_told_once() {
    let it = Appliance::start(NOW);
    let mut plan = plan("Night");
    plan.speed_windows = vec![SpeedWindow {
        window: Window::parse("09:00-10:00").unwrap(),
        rate: NIGHT,
        when_throttled: WhenThrottled::Skip,
    }];
    let plan = it.add_plan(plan);
    let routers: Vec<Router> = (0..ROUTERS)
        .map(|n| it.add_router(Ipv4Addr::new(127, 0, 1, n + 1), |_, _| ()))
        .collect();
    for (router, from) in routers.iter().zip((0..).step_by(100)) {
        let people: Vec<(String, String)> = (from..from + SESSIONS_EACH)
            .map(|n| {
                (
                    format!("user{n:03}"),
                    format!("02:00:00:00:{:02x}:{:02x}", n / 256, n % 256),
                )
            })
            .collect();
        for (name, _) in &people {
            it.add_subscriber(name, plan, None);
        }
        let calls: Vec<Dial<'_>> = people
            .iter()
            .map(|(user, mac)| Dial {
                user,
                password: PASSWORD,
                mac,
                method: Method::Pap,
            })
            .collect();
        for dialed in router.dial_all(&calls) {
            dialed.online();
        }
    }
    it.move_clock_to(NOW.plus(HOUR));
    let began = monotonic();
    it.run_job("speed windows");
    let has_it = |session: &Session| {
        let rate = session.rate();
        rate.is_some_and(|rate| rate.download == NIGHT.download_bps())
    };
    for router in &routers {
        let left = PROMISED.saturating_sub(began.elapsed());
        let all = router.wait_until(left, |state| state.sessions.values().all(has_it));
        assert!(all, "within {PROMISED:?}");
    }
    it.until(|| it.app.pushes.counts() == (0, 0));
    // The jobs that look at everybody find nothing more to tell.
    it.run_job("bandwidth rules");
    it.run_job("quota sync");
    it.run_job("routers");
    for router in &routers {
        let totals = router.totals();
        assert_eq!(
            (totals.coa_requests, totals.acks, totals.copies),
            (SESSIONS_EACH, SESSIONS_EACH, 0)
        );
        assert_eq!(totals.disconnect_requests, 0);
    }
}
