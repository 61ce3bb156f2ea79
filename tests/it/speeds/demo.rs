//! The story that the product is sold with: a subscriber crosses a tier, is slowed down without a drop, and gets the speed
//! back the next day, and the page says why each time.

use std::net::Ipv4Addr;

use proxpanel::domain::time::{HOUR, MINUTE};

use super::appliance::Appliance;
use super::{FULL, GB, NOW, SLOW, Scene, tiered};

/// The clock stands at 08:00 of Friday; the next business day begins at 00:05.
const FIVE_PAST_MIDNIGHT: i64 = 16 * HOUR + 5 * 60_000;

#[test]
fn a_tier_is_crossed_and_the_next_day_gives_the_speed_back() {
    let mut scene = Scene::new(tiered());
    assert_eq!(scene.rate(), Some(FULL));
    scene.download(GB - 1);
    scene.it.run_job("quota sync");
    assert_eq!(
        (scene.rate(), scene.asked()),
        (Some(FULL), 0),
        "one octet short"
    );
    scene.page_says(&[
        "Online at 10 Mbit/s down, 2 Mbit/s up",
        "The speed of the plan Tiered.",
    ]);

    scene.download(1);
    scene.it.run_job("quota sync");
    scene.becomes(SLOW);
    assert_eq!(scene.asked(), 1);
    scene.page_says(&[
        "Online at 1 Mbit/s down, 512 kbit/s up",
        "Slowed down by fair use: 1.0 GB used, and the daily tier 1 begins at 1.0 GB.",
        "Plan Tiered: 10 Mbit/s down, 2 Mbit/s up",
        "Daily tier 1 at 1.0 GB (1.0 GB used): 1 Mbit/s down, 512 kbit/s up",
    ]);
    assert!(!scene.page().contains("The router still has"));

    // What was confirmed is known after a restart: nobody is told twice.
    scene.it.restart(&[&scene.router]);
    scene.it.run_job("quota sync");
    scene.it.run_job("routers");
    assert_eq!(scene.it.told(scene.ali), Some(SLOW));
    assert_eq!(scene.it.app.pushes.counts(), (0, 0));
    assert_eq!(scene.asked(), 1);

    scene.go_on_to(NOW.plus(FIVE_PAST_MIDNIGHT - 1_000));
    scene.it.run_job("quota sync");
    assert_eq!(
        (scene.rate(), scene.asked()),
        (Some(SLOW), 1),
        "still Friday"
    );
    scene.go_on_to(NOW.plus(FIVE_PAST_MIDNIGHT));
    scene.it.run_job("quota sync");
    scene.becomes(FULL);
    assert_eq!(scene.asked(), 2);
    scene.page_says(&[
        "Online at 10 Mbit/s down, 2 Mbit/s up",
        "The speed of the plan Tiered.",
    ]);
    assert!(!scene.page().contains("Slowed down"));
    let totals = scene.router.totals();
    assert_eq!((totals.acks, totals.naks, totals.copies), (2, 0, 0));
}

#[test]
fn the_counters_of_the_api_show_a_tier_before_accounting_does() {
    let it = Appliance::start(NOW);
    let router = it.add_router_with_api(Ipv4Addr::LOCALHOST, false);
    let scene = Scene::through(it, router, tiered(), None);
    scene.router.advance(60);
    scene.it.move_clock_to(NOW.plus(MINUTE));
    scene.router.pass("ali", 0, GB);
    scene.it.run_job("quota sync");
    scene.becomes(SLOW);
    scene.page_says(&["Slowed down by fair use: 1.0 GB used"]);
    // The record that says the same later counts nothing a second time, or Ali would be blocked.
    assert!(scene.router.interim("ali"));
    scene.it.run_job("quota sync");
    scene.it.run_job("routers");
    assert_eq!(scene.asked(), 1);
    scene.is_the_same_session();
    scene.page_says(&["Slowed down by fair use: 1.0 GB used"]);
}

#[test]
fn the_live_graph_shows_what_the_router_moves_right_now() {
    let it = Appliance::start(NOW);
    let router = it.add_router_with_api(Ipv4Addr::LOCALHOST, false);
    let scene = Scene::through(it, router, tiered(), None);
    let live = format!("/subscribers/{}/live", scene.ali);
    assert!(scene.page().contains("Asking the router"));
    scene.router.flow("ali", 1_500_000, 8_000_000);
    scene.it.until(|| scene.it.page(&live).contains("8 Mbit/s"));
    let text = scene.it.page(&live);
    assert!(text.contains("Download 8 Mbit/s"), "{text}");
    assert!(text.contains("Upload 1.5 Mbit/s"), "{text}");
    // A router that does not answer leaves a sentence in its place, and the page stands.
    scene
        .router
        .faults()
        .change(|faults| faults.api = crate::support::routeros::ApiFault::Refuse);
    scene.router.drop_connections();
    scene.it.until(|| !scene.it.page(&live).contains("Mbit/s"));
    scene.router.hang_up("ali", 1);
    scene.it.until(|| scene.it.page(&live).contains("Offline."));
}
