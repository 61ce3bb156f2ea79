//! What quotas, terms and operators do to a live session: blocked, let in again, boosted, expired, in grace.

use std::net::Ipv4Addr;

use proxpanel::domain::access::Reason;
use proxpanel::domain::audit::Actor;
use proxpanel::domain::fup::{Threshold, Tier, TierAction};
use proxpanel::domain::plan::{OnExpiry, Plan};
use proxpanel::domain::quota::{Direction, MonthAnchor, Quota};
use proxpanel::domain::rate::Rate;
use proxpanel::domain::reconnect::Reconnect;
use proxpanel::domain::subscriber::MacMode;
use proxpanel::domain::time::{DAY, HOUR, MINUTE, Timestamp};
use proxpanel::operations::aaa::reject_slot;
use proxpanel::operations::fair_use::{self, Holds, Scope};
use proxpanel::operations::speeds::{self, Whom};
use proxpanel::operations::{macs, subscribers};

use super::appliance::{Appliance, PASSWORD};
use super::{FULL, GB, MAC, NOW, PROMISED, SLOW, Scene, plan, tiered};
use crate::support::routeros::{Dialed, cause};

impl Scene {
    /// Waits until the router has ended the session and the appliance has its Stop.
    #[track_caller]
    fn is_dropped(&self) {
        let dropped = self
            .router
            .wait_until(PROMISED, |state| state.session("ali").is_none());
        assert!(dropped, "the session goes on");
        self.it.until(|| self.it.live(self.ali).is_none());
        assert_eq!(self.router.totals().disconnect_requests, 1);
    }

    /// Dials, is refused, and the page says why.
    #[track_caller]
    fn is_rejected(&self, title: &str) {
        let dialed = self.router.dial("ali", PASSWORD, MAC);
        assert!(matches!(dialed, Dialed::Rejected { .. }), "{dialed:?}");
        self.page_says(&[title]);
    }

    /// Dials in again and has this speed at once, without a CoA.
    #[track_caller]
    fn dials_in_with(&self, rate: Rate) {
        let asked = self.asked();
        self.router.dial("ali", PASSWORD, MAC).online();
        assert_eq!(self.rate(), Some(rate));
        self.it.run_job("quota sync");
        self.it.run_job("routers");
        assert_eq!(self.asked(), asked, "an accept said it already");
    }

    /// Logins that were rejected for this reason since the start.
    fn rejected_for(&self, reason: Reason) -> u64 {
        let counters = &self.it.app.telemetry.counters;
        counters.rejects(reject_slot(reason)).get()
    }
}

#[test]
fn a_block_tier_ends_the_session_and_a_reset_lets_it_in_again() {
    let scene = Scene::new(tiered());
    scene.download(2 * GB);
    scene.it.run_job("quota sync");
    scene.is_dropped();
    scene.is_rejected("Rejected: quota");
    assert_eq!(scene.rejected_for(Reason::QuotaBlocked), 1);
    let reset = fair_use::reset(
        &scene.it.app,
        &Actor::CommandLine,
        scene.ali,
        Scope::Day,
        "storm".to_owned(),
    );
    scene.it.run(reset).unwrap();
    scene.dials_in_with(FULL);
}

#[test]
fn a_reset_gives_a_live_session_its_speed_back() {
    let scene = Scene::new(tiered());
    scene.download(GB);
    scene.it.run_job("quota sync");
    scene.becomes(SLOW);
    let reset = fair_use::reset(
        &scene.it.app,
        &Actor::CommandLine,
        scene.ali,
        Scope::All,
        String::new(),
    );
    scene.it.run(reset).unwrap();
    // No job is waited for: the form left the change in the outbox.
    scene.becomes(FULL);
    assert_eq!(scene.asked(), 2);
}

/// 1 GB of download a month from the first of it.
fn metered() -> Plan {
    let mut plan = plan("Metered");
    plan.quota = Quota {
        monthly: Some(GB),
        direction: Direction::Download,
        anchor: MonthAnchor::DayOfMonth(1),
        ..Quota::default()
    };
    plan
}

#[test]
fn a_top_up_opens_a_month_that_is_used_up() {
    let scene = Scene::new(metered());
    scene.download(GB - 1);
    scene.it.run_job("quota sync");
    scene.it.run_job("routers");
    scene.is_the_same_session();
    scene.download(1);
    scene.it.run_job("quota sync");
    scene.is_dropped();
    scene.is_rejected("Rejected: quota");
    let top_up = fair_use::top_up(
        &scene.it.app,
        &Actor::CommandLine,
        scene.ali,
        GB,
        Holds::EndOfMonth,
    );
    scene.it.run(top_up).unwrap();
    scene.dials_in_with(FULL);
}

#[test]
fn a_quota_is_told_of_once_and_the_page_says_when() {
    let mut plan = plan("Metered");
    plan.quota = Quota {
        daily: Some(10 * GB),
        direction: Direction::Download,
        ..Quota::default()
    };
    plan.fair_use.daily = vec![Tier {
        threshold: Threshold::Octets(6 * GB),
        action: TierAction::Notify,
    }];
    let mut scene = Scene::new(plan);
    let says = |scene: &Scene, text: &str| scene.page().matches(text).count();
    let (tier, quota) = (
        "On 2027-01-15 08:10 it reached the daily tier 1 at 6.0 GB.",
        "On 2027-01-15 08:20 it reached 80 % of the daily quota of 10.0 GB.",
    );
    scene.download(6 * GB);
    scene.it.run_job("quota sync");
    assert_eq!(
        (says(&scene, tier), says(&scene, "of the daily quota")),
        (1, 0)
    );
    scene.download(2 * GB);
    scene.it.run_job("quota sync");
    assert_eq!((says(&scene, tier), says(&scene, quota)), (1, 1));
    // Neither later sweeps nor a restart tell it once more.
    scene.it.restart(&[&scene.router]);
    scene.download(1);
    scene.it.run_job("quota sync");
    assert_eq!((says(&scene, tier), says(&scene, quota)), (1, 1));
    scene.is_the_same_session();
    assert_eq!(scene.rate(), Some(FULL));
}

#[test]
fn a_boost_begins_at_once_and_ends_by_itself() {
    let scene = Scene::new(tiered());
    let fast = Rate::new(20_000, 50_000);
    let boost = fair_use::boost(
        &scene.it.app,
        &Actor::CommandLine,
        scene.ali,
        fast,
        NOW.plus(HOUR),
    );
    scene.it.run(boost).unwrap();
    // A job that looks before the router has answered must not have it told once more.
    speeds::sweep(&scene.it.app, &Whom::All, NOW).unwrap();
    scene.becomes(fast);
    scene.it.run_job("routers");
    scene.page_says(&["Boost until 2027-01-15 09:00: 50 Mbit/s down, 20 Mbit/s up"]);
    scene.go_on_to(NOW.plus(HOUR - 1_000));
    scene.it.run_job("quota sync");
    assert_eq!(scene.asked(), 1);
    scene.go_on_to(NOW.plus(HOUR));
    scene.it.run_job("quota sync");
    scene.becomes(FULL);
    assert_eq!(scene.asked(), 2);
}

/// Ali's term ends in an hour, with this plan.
fn ends_soon(on_expiry: OnExpiry) -> (Scene, Timestamp) {
    let ends = NOW.plus(HOUR);
    let mut plan = plan("Ends");
    plan.on_expiry = on_expiry;
    (Scene::at(Appliance::start(NOW), plan, Some(ends)), ends)
}

#[test]
fn an_expired_term_goes_on_slower_until_it_is_paid() {
    let rate = Rate::new(128, 256);
    let (scene, ends) = ends_soon(OnExpiry::ExpiredSpeed { rate });
    scene.go_on_to(ends.plus(-1_000));
    scene.it.run_job("expiry");
    assert_eq!((scene.rate(), scene.asked()), (Some(FULL), 0));
    scene.go_on_to(ends);
    scene.it.run_job("expiry");
    scene.becomes(rate);
    let plan = scene.it.app.plans()[0].id;
    let mut draft = scene.it.draft("ali", plan, Some(ends.plus(30 * DAY)));
    draft.password = None;
    let paid = subscribers::update(&scene.it.app, &Actor::CommandLine, scene.ali, draft);
    scene.it.run(paid).unwrap();
    scene.becomes(FULL);
    assert_eq!(scene.asked(), 2);
}

#[test]
fn grace_slows_down_and_then_a_rule_ends_the_session() {
    let rate = Rate::new(256, 512);
    let (scene, ends) = ends_soon(OnExpiry::Grace {
        days: 1,
        rate: Some(rate),
    });
    scene.go_on_to(ends);
    scene.it.run_job("expiry");
    scene.becomes(rate);
    assert!(scene.router.hang_up("ali", cause::USER_REQUEST));
    scene.dials_in_with(rate);
    // Session-Timeout should have ended it by then; this router did not obey.
    scene.go_on_to(ends.plus(DAY + 12 * MINUTE));
    scene.it.run_job("expiry");
    scene.it.run_job("routers");
    assert_eq!(scene.router.totals().disconnect_requests, 0);
    scene.go_on_to(ends.plus(DAY + 13 * MINUTE));
    scene.it.run_job("expiry");
    scene.is_dropped();
    scene.is_rejected("Rejected: expired");
    assert_eq!(scene.rejected_for(Reason::Expired), 1);
}

#[test]
fn a_device_that_was_learned_is_forgotten_when_nobody_came_for_long() {
    let scene = Scene::new(plan("Home"));
    let (it, mac) = (&scene.it, &scene.session.mac);
    let mut draft = it.draft("ali", it.app.plans()[0].id, Some(NOW.plus(90 * DAY)));
    draft.password = None;
    draft.mac_mode = MacMode::Learn(1);
    it.run(subscribers::update(
        &it.app,
        &Actor::CommandLine,
        scene.ali,
        draft,
    ))
    .unwrap();
    assert!(scene.router.hang_up("ali", cause::USER_REQUEST));
    scene.router.dial("ali", PASSWORD, mac).online();
    let other = "02:00:00:00:00:08";
    assert!(scene.router.hang_up("ali", cause::USER_REQUEST));
    it.run(macs::set_forgetting(&it.app, &Actor::CommandLine, Some(30)))
        .unwrap();
    it.until(|| it.live(scene.ali).is_none());
    it.run_job("learned devices");
    let dialed = scene.router.dial("ali", PASSWORD, other);
    assert!(matches!(dialed, Dialed::Rejected { .. }), "{dialed:?}");
    it.move_clock_to(NOW.plus(31 * DAY));
    it.run_job("learned devices");
    scene.router.dial("ali", PASSWORD, other).online();
}

#[test]
fn a_change_of_address_ends_the_session_tonight() {
    let scene = Scene::new(plan("Home"));
    let it = &scene.it;
    let mut draft = it.draft("ali", it.app.plans()[0].id, Some(NOW.plus(30 * DAY)));
    draft.password = None;
    draft.static_address = Some(Ipv4Addr::new(10, 99, 0, 7));
    draft.reconnect = Reconnect::Tonight;
    let changed = subscribers::update(&it.app, &Actor::CommandLine, scene.ali, draft);
    it.run(changed).unwrap();
    scene.page_says(&["A new login is planned", "2027-01-16 04:00"]);
    // 2027-01-16 04:00 UTC.
    let four = NOW.plus(20 * HOUR);
    scene.go_on_to(four.plus(-1_000));
    it.run_job("new logins");
    it.run_job("routers");
    scene.is_the_same_session();
    scene.go_on_to(four);
    it.run_job("new logins");
    scene.is_dropped();
    let session = scene.router.dial("ali", PASSWORD, MAC).online();
    assert_eq!(session.address, Ipv4Addr::new(10, 99, 0, 7));
    assert!(!scene.page().contains("A new login is planned"));
}
