//! The ladder of rules.md section 6: what happens where a router does not do what it is told.

use std::net::Ipv4Addr;
use std::time::Duration;

use proxpanel::app::CoaOutcome;
use proxpanel::domain::audit::Actor;
use proxpanel::domain::time::SECOND;
use proxpanel::operations::coa_test;
use proxpanel::radius::coa::Schedule;
use proxpanel::radius::number;
use proxpanel::telemetry::monotonic;

use super::appliance::{Appliance, PASSWORD};
use super::{FULL, GB, MAC, NOW, SLOW, Scene, tiered};
use crate::support::routeros::{CoaFault, Dial};
use proxpanel::radius::auth::Method;

/// Two quick sends, so that silence is known soon.
const QUICK: Schedule = Schedule {
    initial: Duration::from_millis(50),
    longest_wait: Duration::from_millis(50),
    sends: 2,
    duration: Duration::from_millis(100),
};
const SESSION_CONTEXT_NOT_FOUND: u32 = 503;
const ADMINISTRATIVELY_PROHIBITED: u32 = 501;

/// Ali has crossed a tier, and the router answers CoA so.
fn crossed(fault: CoaFault) -> Scene {
    let it = Appliance::start_with(NOW, QUICK);
    let scene = Scene::at(it, tiered(), None);
    scene.router.faults().change(|faults| faults.coa = fault);
    scene.download(GB);
    scene.it.run_job("quota sync");
    scene
}

impl Scene {
    fn failures(&self) -> u32 {
        let session = self.it.live(self.ali).expect("a live session");
        let pending = self.it.app.pushes.get(session.id);
        pending.map_or(0, |pending| pending.failures)
    }
}

#[test]
fn silence_leaves_the_change_pending_until_a_minute_has_passed() {
    let scene = crossed(CoaFault::Silent);
    scene.it.until(|| scene.failures() == 1);
    assert_eq!(scene.rate(), Some(FULL));
    scene.page_says(&[
        "The router still has 10 Mbit/s down, 2 Mbit/s up: no answer from the router. Tried again by itself.",
    ]);
    let tried = scene.asked();
    assert_eq!((tried, scene.router.totals().copies), (1, 1));

    scene.go_on_to(scene.it.now().plus(59 * SECOND));
    scene.it.run_job("quota sync");
    scene.it.run_job("routers");
    assert_eq!((scene.asked(), scene.failures()), (tried, 1), "not yet");
    scene.go_on_to(scene.it.now().plus(SECOND));
    scene.it.run_job("quota sync");
    scene.it.until(|| scene.failures() == 2);
    assert_eq!(scene.asked(), tried + 1);

    // The second pause is five minutes; by then the router is well again.
    scene.router.faults().clear();
    scene.go_on_to(scene.it.now().plus(5 * 60 * SECOND));
    scene.it.run_job("quota sync");
    scene.becomes(SLOW);
    assert!(!scene.page().contains("The router still has"));
    assert_eq!(scene.it.app.pushes.counts(), (0, 0));
}

#[test]
fn what_a_router_was_never_told_is_right_at_the_next_login() {
    let scene = crossed(CoaFault::Silent);
    scene.it.until(|| scene.failures() == 1);
    assert!(
        scene
            .router
            .hang_up("ali", crate::support::routeros::cause::USER_REQUEST)
    );
    scene.router.dial("ali", PASSWORD, MAC).online();
    assert_eq!(scene.rate(), Some(SLOW));
    let tried = scene.asked();
    scene.it.run_job("quota sync");
    scene.it.run_job("routers");
    assert_eq!(scene.asked(), tried, "there is nothing left to tell");
    assert_eq!(scene.it.app.pushes.counts(), (0, 0));
}

#[test]
fn what_the_test_found_out_is_how_the_router_is_asked_from_then_on() {
    for wanted in [number::MESSAGE_AUTHENTICATOR, number::EVENT_TIMESTAMP] {
        let scene = crossed(CoaFault::Wants(wanted));
        scene.it.until(|| scene.failures() == 1);
        assert_eq!(scene.rate(), Some(FULL));
        let nas = scene.it.live(scene.ali).unwrap().nas;
        let tested = coa_test::test(&scene.it.app, &Actor::CommandLine, nas);
        let answer = scene.it.run(tested).unwrap().expect("an answer");
        assert_eq!(answer.outcome, CoaOutcome::Refused(Some(503)));
        scene.go_on_to(scene.it.now().plus(60 * SECOND));
        scene.it.run_job("quota sync");
        scene.it.until(|| scene.it.told(scene.ali) == Some(SLOW));
        assert_eq!(scene.rate(), Some(SLOW));
        let page = scene.it.page(&format!("/nas/{nas}"));
        let form = format!("{} as the test found out", answer.form.label());
        assert!(page.contains(&form), "{page}");
    }
}

#[test]
fn a_refusal_is_shown_with_its_cause() {
    let scene = crossed(CoaFault::Nak(ADMINISTRATIVELY_PROHIBITED));
    scene.it.until(|| scene.failures() == 1);
    scene.page_says(&["The router still has 10 Mbit/s down, 2 Mbit/s up: refused"]);
    scene.is_the_same_session();
}

#[test]
fn a_session_that_the_router_does_not_know_is_closed_as_lost() {
    let scene = crossed(CoaFault::Nak(SESSION_CONTEXT_NOT_FOUND));
    scene.it.until(|| scene.it.live(scene.ali).is_none());
    // Once with the session's number, once more by name and address.
    assert_eq!(scene.asked(), 2);
    assert_eq!(scene.it.app.pushes.counts(), (0, 0));
    assert_eq!(scene.router.totals().disconnect_requests, 0);
    // It was there all the same: its next record opens it again.
    scene.router.faults().clear();
    scene.go_on_to(scene.it.now().plus(60 * SECOND));
    scene.it.until(|| scene.it.live(scene.ali).is_some());
    scene.it.run_job("quota sync");
    scene.becomes(SLOW);
}

#[test]
fn a_session_with_another_number_is_found_by_name_and_address() {
    let it = Appliance::start_with(NOW, QUICK);
    let mut scene = Scene::at(it, tiered(), None);
    scene.download(GB);
    let changed = "81f0ffff".to_owned();
    scene.router.change(|state| {
        let key = state.key_of("ali").unwrap();
        state.sessions.get_mut(&key).unwrap().id = changed.clone();
    });
    scene.session.id = changed;
    scene.it.run_job("quota sync");
    scene.becomes(SLOW);
    let totals = scene.router.totals();
    assert_eq!((totals.naks, totals.acks), (1, 1));
    let second = scene
        .router
        .read(|state| state.received.back().cloned())
        .unwrap();
    assert_eq!(
        (second.session_id, second.user.as_deref()),
        (None, Some("ali"))
    );
}

/// A router that is deaf to CoA and has an API; Ali has used so much through it.
fn deaf(api_fallback: bool, used: u64) -> Scene {
    let it = Appliance::start_with(NOW, QUICK);
    let router = it.add_router_with_api(Ipv4Addr::LOCALHOST, api_fallback);
    let scene = Scene::through(it, router, tiered(), None);
    let faults = scene.router.faults();
    faults.change(|faults| faults.coa = CoaFault::Silent);
    scene.download(used);
    scene.it.run_job("quota sync");
    scene
}

/// RouterOS may refuse to edit a queue that it made itself (mikrotik.md a3); then the change is not taken for made.
#[test]
fn a_speed_that_the_api_cannot_change_either_stays_pending() {
    let scene = deaf(true, GB);
    scene.it.until(|| scene.failures() == 1);
    assert_eq!(scene.router.asked("/queue/simple/set"), 1);
    assert_eq!((scene.rate(), scene.rate_told()), (Some(FULL), FULL));
    scene.page_says(&["The router still has 10 Mbit/s down, 2 Mbit/s up"]);
    scene.is_the_same_session();
}

#[test]
fn the_api_ends_a_session_where_disconnect_gets_no_answer() {
    let scene = deaf(true, 2 * GB);
    let gone = |state: &crate::support::routeros::State| state.session("ali").is_none();
    assert!(scene.router.wait_until(super::PROMISED, gone));
    scene.it.until(|| scene.it.live(scene.ali).is_none());
    assert_eq!(scene.router.asked("/ppp/active/remove"), 1);
}

#[test]
fn without_leave_the_api_changes_nothing() {
    let scene = deaf(false, GB);
    scene.it.until(|| scene.failures() == 1);
    assert_eq!(scene.rate(), Some(FULL));
    assert_eq!(scene.router.asked("/queue/simple/set"), 0);
}

#[test]
fn a_dead_router_does_not_delay_another() {
    let it = Appliance::start(NOW);
    let dead = it.add_router(Ipv4Addr::new(127, 0, 0, 2), |_, _| ());
    let plan = it.add_plan(tiered());
    let names: Vec<String> = (0..25).map(|n| format!("dead{n:02}")).collect();
    let ids: Vec<_> = names
        .iter()
        .map(|name| it.add_subscriber(name, plan, None))
        .collect();
    let calls: Vec<Dial<'_>> = names
        .iter()
        .map(|name| Dial {
            user: name,
            password: PASSWORD,
            mac: MAC,
            method: Method::Pap,
        })
        .collect();
    for dialed in dead.dial_all(&calls) {
        dialed.online();
    }
    let well = it.add_router(Ipv4Addr::new(127, 0, 0, 3), |_, _| ());
    let ali = it.add_subscriber("ali", plan, None);
    well.dial("ali", PASSWORD, MAC).online();
    dead.faults().change(|faults| faults.coa = CoaFault::Silent);
    it.pass_time(&[&dead, &well], NOW.plus(600 * SECOND));
    for name in &names {
        dead.pass(name, 0, GB);
    }
    well.pass("ali", 0, GB);
    assert_eq!((dead.interim_all(), well.interim_all()), (25, 1));

    let began = monotonic();
    it.run_job("quota sync");
    assert!(well.wait_for_rate(
        "ali",
        SLOW.upload_bps(),
        SLOW.download_bps(),
        super::PROMISED
    ));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    it.until(|| it.told(ali) == Some(SLOW));
    // Meanwhile one full flight waits for the dead one, and not more.
    assert!(dead.wait_until(super::PROMISED, |state| state.totals.coa_requests == 20));
    assert!(ids.iter().all(|id| it.told(*id) == Some(FULL)));
}
