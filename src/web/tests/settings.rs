//! The tabs of settings: what is saved holds at once and is in the audit log, what cannot be is refused beside its field.

use axum::http::StatusCode;

use crate::domain::id::SubscriberId;
use crate::domain::operator::Role;
use crate::domain::session::RecordKind;
use crate::domain::time::{DAY, Day, HOUR};
use crate::store::{Read, audit};
use crate::web::testing::{Browser, NOW, TestApp};

const GENERAL: [(&str, &str); 4] = [
    ("isp_name", "Cedar Net"),
    ("time_zone", "Asia/Baghdad"),
    ("day_starts", "03:30"),
    ("currency", "iqd"),
];

/// The changes of the newest entry, as `field: old > new`.
fn last_changes(test: &TestApp) -> Vec<String> {
    let view = test.app.store.view().unwrap();
    let newest = audit::newest(&view, u64::MAX, 1, 1, |_| true).unwrap();
    let changes = newest.into_iter().next().unwrap().changes;
    changes
        .iter()
        .map(|change| format!("{}: {} > {}", change.field, change.old, change.new))
        .collect()
}

async fn refused(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)], field: &str) {
    let page = browser.post(path, fields).await;
    let error = format!("id=\"{field}-error\"");
    page.shows(StatusCode::UNPROCESSABLE_ENTITY, &[&error]);
}

#[tokio::test]
async fn the_name_of_a_group_leads_to_its_first_page() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    for (group, first) in [
        ("/settings", "/settings/general"),
        ("/system", "/system/health"),
    ] {
        let answer = browser.get(group).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("location"), first);
    }
}

#[tokio::test]
async fn general_settings_hold_at_once_for_pages_and_for_accounting() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let page = browser.get("/settings/general").await;
    page.shows(
        StatusCode::OK,
        &[
            "value=\"UTC\"",
            "value=\"00:05\"",
            "value=\"USD\"",
            "value=\"English\"",
        ],
    );
    let answer = browser.post("/settings/general", &GENERAL).await;
    assert_eq!(answer.header("location"), "/settings/general");
    let changes = last_changes(&test);
    for change in [
        "name: ProxPanel > Cedar Net",
        "time zone: UTC > Asia/Baghdad",
        "day starts, minutes after midnight: 5 > 210",
        "currency: USD > IQD",
    ] {
        assert!(changes.contains(&change.to_owned()), "{changes:?}");
    }
    // NOW is 08:00 in UTC.
    let page = browser.get("/settings/general").await;
    page.shows(StatusCode::OK, &["2027-01-15 11:00", "value=\"03:30\""]);
    // Accounting books on the new calendar: 10:00 in Baghdad is before a day that begins at noon.
    super::isp::furnish(&browser).await;
    let noon = super::isp::with(&GENERAL, &[("day_starts", "12:00")]);
    browser.post("/settings/general", &noon).await;
    let kind = RecordKind::Interim;
    super::isp::account(&test.app, "ali", Some(1), kind, 1_000_000);
    let picture = test.app.accounting.picture().unwrap();
    let booked = ["2027-01-14", "2027-01-15"].map(|day| {
        let day = Day::parse(day).unwrap();
        picture.usage_of_day(day, SubscriberId(1)).unwrap().raw
    });
    assert!(
        booked[0].total() > 0 && booked[1].total() == 0,
        "{booked:?}"
    );
}

#[tokio::test]
async fn what_did_not_change_leaves_no_entry() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser.post("/settings/general", &GENERAL).await;
    let before = last_changes(&test);
    let name = [("isp_name", "Oak Net")];
    browser
        .post("/settings/general", &super::isp::with(&GENERAL, &name))
        .await;
    assert_eq!(last_changes(&test), ["name: Cedar Net > Oak Net"]);
    assert_ne!(last_changes(&test), before);
    let same = super::isp::with(&GENERAL, &name);
    browser.post("/settings/general", &same).await;
    let entries = {
        let view = test.app.store.view().unwrap();
        view.count(&crate::store::tables::AUDIT).unwrap()
    };
    browser.post("/settings/general", &same).await;
    let view = test.app.store.view().unwrap();
    assert_eq!(view.count(&crate::store::tables::AUDIT).unwrap(), entries);
}

#[tokio::test]
async fn bad_values_are_refused_beside_their_field() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    for (field, value) in [
        ("isp_name", ""),
        ("isp_name", &"x".repeat(61)),
        ("time_zone", "Beirut"),
        ("time_zone", ""),
        ("day_starts", "24:00"),
        ("day_starts", "soon"),
        ("currency", "dollars"),
    ] {
        let fields = super::isp::with(&GENERAL, &[(field, value)]);
        refused(&browser, "/settings/general", &fields, field).await;
    }
    for days in ["0", "366", "", "a month", "-1", "99999999999"] {
        let fields = [("attempt_days", days)];
        refused(&browser, "/settings/radius", &fields, "attempt_days").await;
    }
    for (field, value) in [
        ("idle_hours", "0"),
        ("idle_hours", "169"),
        ("longest_days", "0"),
        ("longest_days", "31"),
    ] {
        let fields = [("idle_hours", "12"), ("longest_days", "30")];
        let fields = super::isp::with(&fields, &[(field, value)]);
        refused(&browser, "/settings/security", &fields, field).await;
    }
    let settings = test.app.settings();
    assert_eq!(
        (settings.attempt_days, settings.sign_in.idle_hours),
        (30, 12)
    );
}

#[tokio::test]
async fn the_log_of_attempts_is_kept_as_long_as_was_said() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    super::isp::furnish(&browser).await;
    let page = browser.get("/settings/radius").await;
    page.shows(
        StatusCode::OK,
        &[
            "value=\"30\"",
            "0.0.0.0:1812",
            "/etc/proxpanel/proxpanel.toml",
        ],
    );
    let attempts = || {
        let app = std::sync::Arc::clone(&test.app);
        std::thread::spawn(move || crate::operations::attempts::write(&app).unwrap())
            .join()
            .unwrap()
    };
    let is_kept = async |name: &str| browser.get("/auth-log").await.body.contains(name);
    super::isp::attempt(&test.app, "old-one", None, None, NOW.plus(-3 * DAY));
    attempts();
    assert!(is_kept("old-one").await);
    for (days, kept) in [("3", true), ("2", false)] {
        let answer = browser
            .post("/settings/radius", &[("attempt_days", days)])
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        super::isp::attempt(&test.app, "new-one", None, None, NOW);
        attempts();
        assert_eq!(is_kept("old-one").await, kept, "{days}");
    }
    let text = "Attempts are kept for 2 days";
    browser
        .get("/auth-log")
        .await
        .shows(StatusCode::OK, &[text]);
    assert_eq!(last_changes(&test), ["days that attempts are kept: 3 > 2"]);
}

#[tokio::test]
async fn shorter_sessions_sign_browsers_out_at_once() {
    let test = TestApp::start().await;
    let (browser, idle) = (test.sign_in().await, test.sign_in().await);
    test.app.clock.move_to(NOW.plus(2 * HOUR));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let wish = [("idle_hours", "1"), ("longest_days", "1")];
    let answer = browser.post("/settings/security", &wish).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(idle.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let changes = last_changes(&test);
    assert!(changes[0].ends_with(": 12 > 1") && changes[1].ends_with(": 30 > 1"));
    // However busy: a day after signing in it is over.
    for hours in 3..=24 {
        test.app.clock.move_to(NOW.plus(hours * HOUR));
        // That a browser is in use is noted behind its back, and in the order of writes before this change.
        let theme = [("theme", if hours % 2 == 0 { "dark" } else { "light" })];
        let answer = browser.post("/settings/appearance", &theme).await;
        assert_eq!(answer.header("location"), "/settings/appearance", "{hours}");
    }
    test.app.clock.move_to(NOW.plus(DAY + 1));
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn colours_hold_for_browsers_that_chose_none() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let answer = browser
        .post("/settings/appearance", &[("theme", "dark")])
        .await;
    assert_eq!(answer.header("location"), "/settings/appearance");
    assert_eq!(last_changes(&test), ["colours: auto > dark"]);
    let light = test.browser(format!("{}; theme=light", browser.cookie), "");
    let auto = test.browser(format!("{}; theme=auto", browser.cookie), "");
    for (who, theme) in [
        (&browser, "dark"),
        (&test.stranger(), "dark"),
        (&light, "light"),
        (&auto, "auto"),
    ] {
        for path in ["/login", "/nothing-here", "/settings/appearance"] {
            let page = who.get(path).await;
            if !page.body.is_empty() {
                let wanted = format!("data-theme=\"{theme}\"");
                assert!(page.body.contains(&wanted), "{path} {theme}");
            }
        }
    }
}

#[tokio::test]
async fn a_viewer_sees_the_settings_and_nothing_to_press() {
    let test = TestApp::start().await;
    test.operator("ziad", Role::Viewer).await;
    let ziad = test.sign_in_as("ziad").await;
    for tab in ["general", "radius", "security", "support", "appearance"] {
        let page = ziad.get(&format!("/settings/{tab}")).await;
        page.shows(StatusCode::OK, &["Settings"]);
        let main = page.body.split("<main").nth(1).unwrap();
        assert!(!main.contains("<button class=\"button primary\""), "{tab}");
    }
}
