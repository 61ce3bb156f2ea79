//! The groups of the plan form, their warnings, and the preview.

use axum::http::StatusCode;

use super::isp::{PLAN, taken, with};
use crate::domain::fup::{Threshold, TierAction};
use crate::domain::hours::WhenThrottled;
use crate::domain::id::PlanId;
use crate::domain::operator::Role;
use crate::domain::plan::{AddressSource, OnExpiry};
use crate::domain::quota::{Direction, MonthAnchor, WhenUsedUp};
use crate::domain::rate::Rate;
use crate::store::audit;
use crate::web::testing::TestApp;

const OK: StatusCode = StatusCode::OK;
const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// A name that no router would take.
const LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// Something in every group.
const GROUPS: [(&str, &str); 46] = [
    ("on_expiry", "grace"),
    ("grace_days", "3"),
    ("expired_download_kbps", "1M"),
    ("expired_upload_kbps", "512k"),
    ("daily_quota", "5"),
    ("monthly_quota", "100"),
    ("total_quota", "300"),
    ("quota_direction", "download"),
    ("month_begins", "day"),
    ("month_day", "31"),
    ("when_used_up", "go_on"),
    ("daily_tier_1_threshold", "3"),
    ("daily_tier_1_action", "throttle"),
    ("daily_tier_1_down", "4M"),
    ("daily_tier_1_up", "1M"),
    ("daily_tier_2_action", "throttle"),
    ("daily_tier_3_threshold", "80%"),
    ("daily_tier_3_action", "percent"),
    ("daily_tier_3_percent", "10"),
    ("monthly_tier_1_threshold", "90%"),
    ("monthly_tier_1_action", "notify"),
    ("monthly_tier_2_threshold", "100%"),
    ("monthly_tier_2_action", "block"),
    ("keep_burst", "on"),
    ("speed_window_2_days", "Sat-Wed"),
    ("speed_window_2_from", "22:00"),
    ("speed_window_2_to", "06:00"),
    ("speed_window_2_down", "40M"),
    ("speed_window_2_up", "10M"),
    ("speed_window_2_throttled", "lift"),
    ("free_hours_1_from", "01:00"),
    ("free_hours_1_to", "06:00"),
    ("free_hours_1_percent", "70"),
    ("free_hours_1_direction", "upload"),
    ("free_hours_8_days", "Fri"),
    ("free_hours_8_from", "00:00"),
    ("free_hours_8_to", "00:00"),
    ("free_hours_8_percent", "100"),
    ("login_hours", "Mon-Fri 08:00-16:30"),
    ("address_source", "server"),
    ("pool", "homes"),
    ("ipv6_pool", "link6"),
    ("delegated_pool", "pd6"),
    ("router_profile", "gold"),
    ("extra_check", "NAS-Port-Type = Ethernet"),
    ("extra_reply", "Framed-Route = 192.0.2.0/24 0.0.0.0 1"),
];

#[tokio::test]
async fn every_group_is_saved_and_shown_again() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let fields = with(&PLAN, &GROUPS);
    // Something is odd, so the form is shown again.
    assert_eq!(taken(&browser, "/plans", &fields).await, "/plans/1/edit");
    let plan = test.app.plan(PlanId(1)).unwrap();
    let quota = plan.quota;
    assert_eq!(
        (quota.daily, quota.monthly, quota.total),
        (
            Some(5_000_000_000),
            Some(100_000_000_000),
            Some(300_000_000_000)
        )
    );
    assert_eq!(
        (quota.direction, quota.anchor, quota.when_used_up),
        (
            Direction::Download,
            MonthAnchor::DayOfMonth(31),
            WhenUsedUp::GoOn
        )
    );
    let daily: Vec<_> = plan
        .fair_use
        .daily
        .iter()
        .map(|t| (t.threshold, t.action))
        .collect();
    assert_eq!(
        daily,
        [
            (
                Threshold::Octets(3_000_000_000),
                TierAction::Throttle(Rate::new(1_000, 4_000))
            ),
            (Threshold::Percent(80), TierAction::Percent(10)),
        ]
    );
    let monthly: Vec<_> = plan.fair_use.monthly.iter().map(|t| t.action).collect();
    assert_eq!(monthly, [TierAction::Notify, TierAction::Block]);
    assert!(plan.fair_use.keep_burst);
    let window = plan.speed_windows[0];
    assert_eq!(window.window.to_string(), "1,2,3,6,7 22:00-06:00");
    assert_eq!(
        (window.rate, window.when_throttled),
        (Rate::new(10_000, 40_000), WhenThrottled::Lift)
    );
    let free: Vec<_> = plan
        .free_windows
        .iter()
        .map(|w| (w.free_percent, w.direction))
        .collect();
    assert_eq!(free, [(70, Direction::Upload), (100, Direction::Both)]);
    assert_eq!(
        plan.on_expiry,
        OnExpiry::Grace {
            days: 3,
            rate: Some(Rate::new(512, 1_000))
        }
    );
    assert_eq!(
        (
            plan.address_source,
            plan.ipv6_pool.as_str(),
            plan.delegated_pool.as_str(),
            plan.router_profile.as_str()
        ),
        (AddressSource::Server, "link6", "pd6", "gold")
    );

    let extras = &plan.extras;
    assert_eq!((extras.check.len(), extras.reply.len()), (1, 1));

    let form = browser.get("/plans/1/edit").await;
    form.shows(
        OK,
        &[
            "The term quota does nothing",
            "Free hours 1 and 2 overlap",
            "id=\"daily_tier_2_threshold\" name=\"daily_tier_2_threshold\" type=\"text\" value=\"80%\"",
            "value=\"Mon-Wed, Sat-Sun\"",
            "value=\"22:00\"",
            "value=\"512k\"",
            "512 kbit/s",
            "1 GB of upload counts as 0.3 GB",
            "<option value=\"go_on\" selected>",
            "<option value=\"server\" selected>",
            "<option value=\"lift\" selected>",
            "NAS-Port-Type = Ethernet</textarea>",
            "<svg viewBox=\"0 0 400 142\"",
            "from 3.0 GB a day",
        ],
    );
    // The same again changes nothing.
    let entries = || {
        let view = test.app.store.view().unwrap();
        audit::newest(&view, u64::MAX, 1, 1, |_| true).unwrap()[0].sequence
    };
    let before = entries();
    taken(&browser, "/plans/1/edit", &fields).await;
    assert_eq!(entries(), before);
}

#[tokio::test]
async fn each_wrong_value_of_a_group_is_told_beside_its_field() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let base = with(&with(&PLAN, &GROUPS), &[("notes", "kept as it was")]);
    let speed = "A speed is needed";
    // What is changed, the field that is wrong then, and what is said of it.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (
            &[("daily_tier_1_threshold", "x")],
            "daily_tier_1_threshold",
            "Gigabytes such as 12.5",
        ),
        (
            &[("daily_tier_1_threshold", "")],
            "daily_tier_1_threshold",
            "Gigabytes such as 12.5",
        ),
        (
            &[("daily_tier_3_threshold", "0%")],
            "daily_tier_3_threshold",
            "A whole number from 1 to 1000",
        ),
        (
            &[("daily_tier_3_threshold", "1001%")],
            "daily_tier_3_threshold",
            "A whole number from 1 to 1000",
        ),
        (
            &[("daily_quota", "")],
            "daily_tier_3_threshold",
            "There is no daily quota to take a share of",
        ),
        (
            &[("monthly_quota", "")],
            "monthly_tier_1_threshold",
            "There is no monthly quota",
        ),
        // 80 % of 5 GB are 4 GB.
        (
            &[("daily_tier_1_threshold", "4")],
            "daily_tier_3_threshold",
            "Above the threshold of the tier before",
        ),
        (&[("daily_tier_1_down", "")], "daily_tier_1_down", speed),
        (
            &[("daily_tier_1_up", "63")],
            "daily_tier_1_up",
            "Between 64",
        ),
        (
            &[("daily_tier_1_action", "fly")],
            "daily_tier_1_action",
            "Choose one of the list",
        ),
        (
            &[("daily_tier_3_percent", "0")],
            "daily_tier_3_percent",
            "A whole number from 1 to 100",
        ),
        (
            &[("daily_tier_3_percent", "101")],
            "daily_tier_3_percent",
            "A whole number from 1 to 100",
        ),
        (&[("speed_window_2_down", "")], "speed_window_2_down", speed),
        (&[("speed_window_2_up", "")], "speed_window_2_up", speed),
        (
            &[("speed_window_2_from", "")],
            "speed_window_2_from",
            "A time such as 08:00",
        ),
        (
            &[("speed_window_2_to", "24:00")],
            "speed_window_2_to",
            "A time such as 08:00",
        ),
        (
            &[("speed_window_2_days", "Xyz")],
            "speed_window_2_days",
            "Days such as Mon-Fri",
        ),
        (
            &[("speed_window_2_throttled", "x")],
            "speed_window_2_throttled",
            "Choose one of the list",
        ),
        (
            &[("speed_window_7_days", "Mon")],
            "speed_window_7_down",
            speed,
        ),
        (
            &[("free_hours_1_percent", "0")],
            "free_hours_1_percent",
            "A whole number from 1 to 100",
        ),
        (
            &[("free_hours_1_percent", "101")],
            "free_hours_1_percent",
            "A whole number from 1 to 100",
        ),
        (
            &[("free_hours_1_from", "")],
            "free_hours_1_from",
            "A time such as 08:00",
        ),
        (
            &[("free_hours_1_direction", "x")],
            "free_hours_1_direction",
            "Choose one of the list",
        ),
        (&[("daily_quota", "0")], "daily_quota", "Gigabytes, such as"),
        (
            &[("total_quota", "-1")],
            "total_quota",
            "Gigabytes, such as",
        ),
        (
            &[("quota_direction", "x")],
            "quota_direction",
            "Choose one of the list",
        ),
        (
            &[("month_day", "0")],
            "month_day",
            "A whole number from 1 to 31",
        ),
        (
            &[("month_day", "32")],
            "month_day",
            "A whole number from 1 to 31",
        ),
        (
            &[("month_begins", "x")],
            "month_begins",
            "Choose one of the list",
        ),
        (
            &[("when_used_up", "x")],
            "when_used_up",
            "Choose one of the list",
        ),
        (
            &[("grace_days", "0")],
            "grace_days",
            "A whole number from 1 to 365",
        ),
        (
            &[("grace_days", "366")],
            "grace_days",
            "A whole number from 1 to 365",
        ),
        (&[("expired_upload_kbps", "")], "expired_upload_kbps", speed),
        (
            &[
                ("on_expiry", "expired_speed"),
                ("expired_download_kbps", ""),
                ("expired_upload_kbps", ""),
            ],
            "expired_download_kbps",
            speed,
        ),
        (
            &[("pool", "")],
            "pool",
            "The name of the server pool is needed",
        ),
        (
            &[("address_source", "x")],
            "address_source",
            "Choose one of the list",
        ),
        (
            &[("router_profile", LONG)],
            "router_profile",
            "At most 64 characters",
        ),
        (
            &[("extra_reply", "Nothing = 1")],
            "extra_reply",
            "no attribute is called Nothing",
        ),
    ];
    for (changes, field, problem) in cases {
        let answer = browser.post("/plans", &with(&base, changes)).await;
        answer.shows(
            WRONG,
            &[problem, &format!("id=\"{field}-error\""), "kept as it was"],
        );
    }
    assert!(test.app.plans().is_empty());
    // What is not chosen may hold anything, and the edges themselves are fine.
    let edges = [
        ("on_expiry", "reject"),
        ("grace_days", "x"),
        ("expired_download_kbps", "x"),
        ("month_begins", "renewal"),
        ("month_day", "x"),
        ("daily_tier_1_threshold", "3.999999999"),
        ("daily_tier_3_percent", "100"),
        ("free_hours_1_percent", "1"),
    ];
    taken(&browser, "/plans", &with(&base, &edges)).await;
}

#[tokio::test]
async fn a_preview_shows_what_is_typed_and_saves_nothing() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    browser
        .get("/plans/new")
        .await
        .shows(OK, &["What it comes to", "Not yet: A speed is needed"]);
    let fields = with(&PLAN, &GROUPS);
    let part = browser.htmx_post("/plans/preview", &fields).await;
    part.shows(
        OK,
        &[
            "from 3.0 GB a day",
            "4 Mbit/s",
            "from 80 % a day",
            "2 Mbit/s",
            "Mikrotik-Rate-Limit = &#34;5M/20M&#34;",
            "Framed-Route = &#34;192.0.2.0/24 0.0.0.0 1&#34;",
            "Fri 06:00-24:00: 1 GB counts as 0 GB",
            "The term quota does nothing",
        ],
    );
    assert!(!part.body.contains("<html"));
    // A name and a price may come later.
    let unnamed = with(&fields, &[("name", ""), ("price", "")]);
    browser
        .htmx_post("/plans/preview", &unnamed)
        .await
        .shows(OK, &["from 3.0 GB a day"]);
    let wrong = with(&fields, &[("daily_tier_1_down", "fast")]);
    browser
        .htmx_post("/plans/preview", &wrong)
        .await
        .shows(OK, &["Not yet: A speed in kbit/s", "daily tier 1 down"]);
    // Without script: the whole page, with everything that was typed.
    browser
        .post("/plans/preview", &fields)
        .await
        .shows(OK, &["New plan", "value=\"Sat-Wed\"", "from 3.0 GB a day"]);
    assert!(test.app.plans().is_empty());
    taken(&browser, "/plans", &with(&PLAN, &[("on_expiry", "reject")])).await;
    let changed = with(&fields, &[("id", "1"), ("name", "Other name")]);
    browser.post("/plans/preview", &changed).await.shows(
        OK,
        &[
            "Edit plan",
            "action=\"/plans/1/edit\"",
            "value=\"Other name\"",
        ],
    );
    assert_eq!(test.app.plan(PlanId(1)).unwrap().name, "Home 20");
    test.operator("ziad", Role::Viewer).await;
    let viewer = test.sign_in_as("ziad").await;
    let refused = viewer.htmx_post("/plans/preview", &fields).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_burst_below_the_speed_is_a_warning_and_its_length_is_shown() {
    let test = TestApp::start().await;
    let browser = test.sign_in().await;
    let fields = with(
        &PLAN,
        &[
            ("on_expiry", "reject"),
            ("burst_download_kbps", "16M"),
            ("burst_upload_kbps", "8M"),
            ("burst_threshold_download_kbps", "16M"),
            ("burst_threshold_upload_kbps", "4M"),
            ("burst_seconds", "16"),
        ],
    );
    browser.htmx_post("/plans/preview", &fields).await.shows(
        OK,
        &[
            "The burst is slower than the plain speed",
            "16 Mbit/s down for 16 s, 8 Mbit/s up for 8 s at full rate from idle",
        ],
    );
}
