//! Speeds that change by the clock: windows of plans, and bandwidth rules.

use proxpanel::domain::bandwidth_rule::{Adjust, BandwidthRule};
use proxpanel::domain::hours::{SpeedWindow, WhenThrottled};
use proxpanel::domain::id::RuleId;
use proxpanel::domain::rate::Rate;
use proxpanel::domain::time::{HOUR, MINUTE};
use proxpanel::domain::window::Window;
use proxpanel::store::outbox::{self, Work};
use proxpanel::store::{StoreError, bandwidth_rules};

use super::{FULL, GB, NOW, SLOW, Scene, plan, tiered};

const LUNCH: Rate = Rate {
    upload_kbps: 4_000,
    download_kbps: 20_000,
};

fn lunch(when_throttled: WhenThrottled) -> SpeedWindow {
    SpeedWindow {
        window: Window::parse("12:00-13:00").unwrap(),
        rate: LUNCH,
        when_throttled,
    }
}

#[test]
fn a_speed_window_begins_and_ends_on_its_minute() {
    let mut plan = plan("Lunch");
    plan.speed_windows = vec![lunch(WhenThrottled::Skip)];
    let scene = Scene::new(plan);
    scene.go_on_to(NOW.plus(4 * HOUR - 1));
    scene.it.run_job("speed windows");
    assert_eq!((scene.rate(), scene.asked()), (Some(FULL), 0));
    scene.go_on_to(NOW.plus(4 * HOUR));
    scene.it.run_job("speed windows");
    scene.becomes(LUNCH);
    scene.page_says(&["Speed window 12:00-13:00: 20 Mbit/s down, 4 Mbit/s up"]);
    // Nothing changes within it, so nobody is told.
    scene.go_on_to(NOW.plus(5 * HOUR - 1));
    scene.it.run_job("speed windows");
    assert_eq!(scene.asked(), 1);
    scene.go_on_to(NOW.plus(5 * HOUR));
    scene.it.run_job("speed windows");
    scene.becomes(FULL);
    assert_eq!(scene.asked(), 2);
}

#[test]
fn a_window_lifts_fair_use_and_gives_it_back() {
    let mut plan = tiered();
    plan.speed_windows = vec![lunch(WhenThrottled::Lift)];
    let scene = Scene::new(plan);
    scene.download(GB);
    scene.it.run_job("quota sync");
    scene.becomes(SLOW);
    scene.go_on_to(NOW.plus(4 * HOUR));
    scene.it.run_job("speed windows");
    scene.becomes(LUNCH);
    scene.page_says(&["which lifts fair use (1.0 GB used)"]);
    scene.go_on_to(NOW.plus(5 * HOUR));
    scene.it.run_job("speed windows");
    scene.becomes(SLOW);
}

/// As the panel stores a rule: live sessions are told at once.
fn put_rule(scene: &Scene, rule: &BandwidthRule) {
    let rule = rule.clone();
    let written = scene.it.app.store.write("rule", move |tx| {
        bandwidth_rules::put(tx, &rule)?;
        outbox::add(tx, Work::PushAll)?;
        Ok::<_, StoreError>(())
    });
    written.wait().unwrap();
}

#[test]
fn a_bandwidth_rule_begins_is_edited_and_ends() {
    let scene = Scene::new(plan("Home"));
    let mut rule = BandwidthRule {
        id: RuleId(1),
        name: "Evening".to_owned(),
        enabled: true,
        window: Window::parse("09:00-10:00").unwrap(),
        from: None,
        until: None,
        priority: 1,
        download: Adjust::Percent(50),
        upload: Adjust::Unchanged,
        plans: Vec::new(),
        subscribers: Vec::new(),
    };
    put_rule(&scene, &rule);
    scene.it.run_job("routers");
    assert_eq!(scene.asked(), 0, "it does not hold yet");
    scene.go_on_to(NOW.plus(HOUR));
    scene.it.run_job("bandwidth rules");
    scene.becomes(Rate::new(2_000, 5_000));
    scene.page_says(&["Bandwidth rule Evening: 5 Mbit/s down, 2 Mbit/s up"]);
    // Edited while it holds: no job is waited for.
    rule.upload = Adjust::Add(1_000);
    rule.download = Adjust::Percent(200);
    put_rule(&scene, &rule);
    scene.becomes(Rate::new(3_000, 20_000));
    scene.go_on_to(NOW.plus(2 * HOUR - MINUTE));
    scene.it.run_job("bandwidth rules");
    assert_eq!(scene.asked(), 2);
    scene.go_on_to(NOW.plus(2 * HOUR));
    scene.it.run_job("bandwidth rules");
    scene.becomes(FULL);
    assert_eq!(scene.asked(), 3);
}
