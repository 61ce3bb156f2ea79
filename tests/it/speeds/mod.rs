//! What the product promises about speeds, held against stand-in routers: the jobs, the RADIUS servers and the panel run as
//! in the daemon, in process, on a clock that the test moves.

mod appliance;
mod crowd;
mod demo;
mod hours;
mod ladder;
mod terms;

use std::net::Ipv4Addr;
use std::time::Duration;

use proxpanel::domain::fup::{Threshold, Tier, TierAction};
use proxpanel::domain::money::{Currency, Money};
use proxpanel::domain::plan::Plan;
use proxpanel::domain::quota::Direction;
use proxpanel::domain::rate::Rate;
use proxpanel::domain::time::Timestamp;

use appliance::Appliance;

use crate::support::routeros::{Router, Session};

/// 2027-01-15 08:00:00 UTC, a Friday.
const NOW: Timestamp = Timestamp(1_800_000_000_000);
const GB: u64 = 1_000_000_000;
/// What the product promises at most; what happens sooner is not waited for.
const PROMISED: Duration = Duration::from_secs(30);
const MAC: &str = "02:00:00:00:00:07";

const FULL: Rate = Rate {
    upload_kbps: 2_000,
    download_kbps: 10_000,
};
const SLOW: Rate = Rate {
    upload_kbps: 512,
    download_kbps: 1_000,
};

/// 2 up, 10 down, from the pool of the stand-in.
fn plan(name: &str) -> Plan {
    let price = Money {
        minor: 1_500,
        currency: Currency::parse("USD").unwrap(),
    };
    Plan {
        pool: "isp-active".to_owned(),
        ..Plan::new(name, price, FULL)
    }
}

/// Slower at 1 GB of download a day and blocked at 2 GB.
fn tiered() -> Plan {
    let mut plan = plan("Tiered");
    plan.quota.direction = Direction::Download;
    plan.fair_use.daily = vec![
        Tier {
            threshold: Threshold::Octets(GB),
            action: TierAction::Throttle(SLOW),
        },
        Tier {
            threshold: Threshold::Octets(2 * GB),
            action: TierAction::Block,
        },
    ];
    plan
}

/// Ali, online through one router.
struct Scene {
    it: Appliance,
    router: Router,
    ali: proxpanel::domain::id::SubscriberId,
    /// As it was when the subscriber had dialled in.
    session: Session,
}

impl Scene {
    fn new(plan: Plan) -> Scene {
        Scene::at(Appliance::start(NOW), plan, None)
    }

    fn at(it: Appliance, plan: Plan, expires_at: Option<Timestamp>) -> Scene {
        let router = it.add_router(Ipv4Addr::LOCALHOST, |_, _| ());
        Scene::through(it, router, plan, expires_at)
    }

    fn through(it: Appliance, router: Router, plan: Plan, expires_at: Option<Timestamp>) -> Scene {
        let plan = it.add_plan(plan);
        let ali = it.add_subscriber("ali", plan, expires_at);
        let session = router.dial("ali", appliance::PASSWORD, MAC).online();
        let scene = Scene {
            it,
            router,
            ali,
            session,
        };
        assert_eq!(scene.rate(), Some(scene.rate_told()));
        scene
    }

    /// Downloads so much more and has it accounted.
    fn download(&self, octets: u64) {
        self.it
            .pass_time(&[&self.router], self.it.now().plus(600_000));
        self.router.pass("ali", 0, octets);
        assert!(self.router.interim("ali"), "the record is acknowledged");
    }

    /// Lets the clock go on to an instant, the router with it.
    fn go_on_to(&self, at: Timestamp) {
        self.it.pass_time(&[&self.router], at);
    }

    /// What the router's queue holds the session to.
    fn rate(&self) -> Option<Rate> {
        self.router
            .rate_of("ali")
            .map(|rate| Rate::new(rate.upload / 1_000, rate.download / 1_000))
    }

    /// What the appliance knows the router to have confirmed.
    fn rate_told(&self) -> Rate {
        self.it
            .told(self.ali)
            .expect("a live session that was told")
    }

    /// Waits until the router has this speed and the appliance has taken note of it. Fails when the session was dropped.
    #[track_caller]
    fn becomes(&self, rate: Rate) {
        let (upload, download) = (rate.upload_bps(), rate.download_bps());
        let changed = self.router.wait_for_rate("ali", upload, download, PROMISED);
        assert!(changed, "still {:?}, not {rate}", self.rate());
        self.it.until(|| self.it.told(self.ali) == Some(rate));
        self.is_the_same_session();
        assert_eq!(
            self.queue(),
            self.router.rate_of("ali").unwrap().to_string()
        );
    }

    /// The limit of the dynamic queue that the router made for the session.
    fn queue(&self) -> String {
        let queues = self.router.rows("/queue/simple");
        let queue = queues.iter().find(|row| row["name"] == "<pppoe-ali>");
        queue.expect("a dynamic queue")["max-limit"].clone()
    }

    #[track_caller]
    fn is_the_same_session(&self) {
        let session = self.router.session("ali").expect("still online");
        assert_eq!(session.id, self.session.id, "it was dropped");
        assert_eq!(self.router.totals().disconnect_requests, 0);
    }

    /// CoA requests that the router got so far, copies not counted.
    fn asked(&self) -> u64 {
        self.router.totals().coa_requests
    }

    /// The text of the subscriber's page.
    fn page(&self) -> String {
        self.it.page(&format!("/subscribers/{}", self.ali.0))
    }

    #[track_caller]
    fn page_says(&self, texts: &[&str]) {
        let page = self.page();
        for text in texts {
            assert!(page.contains(text), "no {text:?} in {page}");
        }
    }
}
