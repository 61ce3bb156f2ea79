//! What surrounds the data, judged on both sides of each boundary; and an examination of a whole appliance.

use std::path::Path;
use std::time::Duration;

use super::Verdict::{Bad, Good, Warning};
use super::around::*;
use super::backups::{BACKUP_LATE, BACKUP_OLD, Wanted, age, finding, judge};
use super::*;
use crate::app::{JobStatus, Listening};
use crate::config::{Config, Overrides};
use crate::domain::backup::{Backup, RestoreTest, Sent, Trigger};
use crate::domain::time::{Calendar, HOUR};
use crate::operations::licence::Words;
use crate::operations::testing::{
    NOW, TestApp, fail_backup, interim, plan, router, run, subscriber,
};
use crate::store::updates::UpdateRow;
use crate::tls::{Facts, Fingerprint, InUse, Source};

#[test]
fn the_daemon_listens_where_it_should() {
    let text = "[web]\nlisten = [\"127.0.0.1:80\", \"[::1]:80\"]\n[radius]\nradsec_listen = []";
    let config = Config::parse(text, Path::new("t"), &Overrides::default()).unwrap();
    let bound = |web: &[&str]| Listening {
        web: web.iter().map(|it| it.parse().unwrap()).collect(),
        https: config.web.https_listen.clone(),
        auth: config.radius.auth_listen.clone(),
        acct: config.radius.acct_listen.clone(),
        radsec: Vec::new(),
    };
    let stopped = daemon(None, &config);
    assert_eq!(stopped.verdict, Bad);
    assert!(stopped.mend.contains("systemctl start proxpanel"));
    let whole = daemon(Some(&bound(&["127.0.0.1:80", "[::1]:80"])), &config);
    assert_eq!(whole.verdict, Good, "{}", whole.seen);
    assert!(whole.seen.contains("panel 127.0.0.1:80 [::1]:80;"));
    assert!(!whole.seen.contains("RadSec"));
    let half = daemon(Some(&bound(&["127.0.0.1:80"])), &config);
    assert_eq!(half.verdict, Warning);
    assert!(half.seen.ends_with("address of: panel"), "{}", half.seen);
}

#[test]
fn a_certificate_is_told_two_weeks_before_its_end() {
    let in_use = |left: i64, fault: Option<&str>| InUse {
        source: Source::Own,
        facts: Facts {
            names: vec!["a.example".into()],
            issuer: "ca".into(),
            not_before: NOW.plus(-DAY),
            not_after: NOW.plus(left),
            fingerprint: Fingerprint([0; 32]),
            is_self_signed: false,
        },
        fault: fault.map(Into::into),
    };
    for (left, fault, expected) in [
        (ENDS_SOON + 1, None, Good),
        (ENDS_SOON, None, Warning),
        (1, None, Warning),
        (0, None, Bad),
        (-DAY, None, Bad),
        (ENDS_SOON + 1, Some("why"), Bad),
    ] {
        let finding = judge_certificate(&in_use(left, fault), NOW, &Calendar::utc());
        assert_eq!(finding.verdict, expected, "{left}");
        assert_eq!(finding.page, "/settings/certificate");
    }
}

/// A backup of so long ago that was restored for a test.
fn backup(age: i64) -> Backup {
    Backup {
        began_at: NOW.plus(-age),
        by: Trigger::Schedule,
        name: "backup_2026-05-28_03-00-00.enc".into(),
        took_ms: 1,
        octets: 1,
        rows: 1,
        subscribers: 1,
        error: None,
        test: Some(RestoreTest {
            at: NOW.plus(-age),
            took_ms: 1,
            problem: None,
        }),
        sent: None,
    }
}

#[test]
fn backups_are_judged_by_the_newest_its_test_and_the_schedule() {
    let failed = |age: i64| Backup {
        error: Some("no room".into()),
        test: None,
        ..backup(age)
    };
    let tested = |age: i64, problem: Option<&str>| Backup {
        test: problem.map(|problem| RestoreTest {
            at: NOW,
            took_ms: 1,
            problem: Some(problem.into()),
        }),
        ..backup(age)
    };
    let unsent = Backup {
        sent: Some(Sent {
            at: NOW,
            took_ms: 1,
            octets: 0,
            tries: 1,
            problem: Some("no route".into()),
            note: None,
        }),
        ..backup(HOUR)
    };
    let by_hand = Wanted {
        due: None,
        has_key: true,
        elsewhere: false,
        paused: None,
    };
    let due = |before: i64| Wanted {
        due: Some(NOW.plus(-before)),
        ..by_hand
    };
    let sent = Wanted {
        elsewhere: true,
        ..by_hand
    };
    let without_key = |before: i64| Wanted {
        has_key: false,
        ..due(before)
    };
    let paused = Wanted {
        paused: Some(NOW),
        ..sent
    };
    for (known, wanted, expected, seen) in [
        (vec![], by_hand, Warning, "none"),
        (vec![backup(HOUR)], by_hand, Good, "1 h old"),
        (vec![backup(BACKUP_OLD - 1)], by_hand, Good, ""),
        (vec![backup(BACKUP_OLD)], by_hand, Warning, "no schedule"),
        (vec![failed(0), backup(HOUR)], by_hand, Bad, "no room"),
        (vec![backup(0), failed(HOUR)], by_hand, Good, ""),
        (vec![tested(HOUR, None)], by_hand, Warning, "never restored"),
        (vec![tested(HOUR, Some("7 rows"))], by_hand, Bad, "7 rows"),
        // Made at or after the moment it was due, or not yet late.
        (vec![backup(BACKUP_LATE)], due(BACKUP_LATE), Good, ""),
        (vec![backup(DAY)], due(BACKUP_LATE - 1), Good, ""),
        (vec![backup(DAY)], due(BACKUP_LATE), Bad, "1 d old"),
        // A schedule of a month is no reason to complain.
        (vec![backup(20 * DAY)], due(20 * DAY), Good, ""),
        (
            vec![backup(DAY)],
            without_key(HOUR),
            Warning,
            "without a key",
        ),
        (
            vec![backup(HOUR)],
            without_key(DAY),
            Warning,
            "without a key",
        ),
        (
            vec![backup(DAY)],
            without_key(BACKUP_LATE),
            Bad,
            "without a key",
        ),
        (
            vec![],
            without_key(BACKUP_LATE - 1),
            Warning,
            "none; no other",
        ),
        (vec![], without_key(BACKUP_LATE), Bad, "none; no other"),
        (vec![backup(HOUR)], sent, Good, ""),
        (vec![unsent.clone()], sent, Warning, "only: no route"),
        (
            vec![unsent.clone()],
            paused,
            Warning,
            "paused since the restore of 2026-05-28 20:26",
        ),
        (vec![failed(0)], paused, Bad, "no room"),
        (vec![unsent], by_hand, Good, ""),
    ] {
        let standing = judge(&known, wanted, NOW);
        let finding = finding(&standing, age(&known, NOW), &Calendar::utc());
        assert_eq!(finding.verdict, expected, "{finding:?}");
        assert!(finding.seen.contains(seen), "{}", finding.seen);
        assert_eq!(finding.mend.is_empty(), expected == Good);
    }
}

#[test]
fn an_update_that_failed_is_told_for_a_week_or_until_another_one() {
    let tried = |ended: i64, problem: &str| UpdateRow {
        version: "9.0.0".into(),
        ended_at: Some(NOW.0 - ended),
        problem: problem.into(),
        ..UpdateRow::default()
    };
    let failed = tried(UPDATE_TOLD - 1, "it hangs");
    for (newest, offered, problem, expected, seen) in [
        (None, None, "", Good, "newest known"),
        (None, Some("9.0.0"), "", Good, "9.0.0 can be installed"),
        (None, None, "no route", Warning, "no route"),
        (Some(&failed), Some("9.0.0"), "no route", Bad, "it hangs"),
        (Some(&tried(UPDATE_TOLD, "it hangs")), None, "", Good, ""),
        (Some(&tried(0, "")), None, "", Good, ""),
    ] {
        let finding = judge_updates(newest, offered, problem, NOW);
        assert_eq!(finding.verdict, expected, "{finding:?}");
        assert!(finding.seen.contains(seen), "{}", finding.seen);
    }
}

#[test]
fn a_licence_is_bad_once_it_limits_something() {
    let judged = |is_well: bool, is_limited: bool| {
        let said = Words {
            title: "So it is.".into(),
            text: String::new(),
            is_well,
            is_limited,
        };
        judge_licence(&said)
    };
    assert_eq!(judged(true, false).verdict, Good);
    assert_eq!(judged(false, false).verdict, Warning);
    assert_eq!(judged(false, true).verdict, Bad);
    assert_eq!(judged(true, false).seen, "So it is.");
    assert!(licence(&TestApp::new().app).is_none(), "no vendor");
}

#[test]
fn a_job_that_fails_is_named() {
    let job = |last_error: &str| JobStatus {
        last_error: last_error.into(),
        ..JobStatus::default()
    };
    let well = judge_jobs(&[("a", job("")), ("b", job(""))]);
    assert_eq!(
        (well.verdict, well.seen.as_str()),
        (Good, "2 run, none fails")
    );
    let ill = judge_jobs(&[("a", job("")), ("b", job("no disk"))]);
    assert_eq!((ill.verdict, ill.seen.as_str()), (Warning, "b: no disk"));
}

#[test]
fn a_router_is_told_after_a_day_without_a_packet() {
    let router = |name: &str, has_wrong_secret, heard: Option<i64>| Router {
        name: name.into(),
        has_wrong_secret,
        heard: heard.map(|before| NOW.plus(-before)),
    };
    let (short, day) = (
        Duration::from_secs(86_399),
        Duration::from_secs(24 * 60 * 60),
    );
    for (routers, listening, expected, seen) in [
        (vec![], day, Warning, "none yet"),
        (vec![router("a", false, None)], short, Good, "1"),
        (vec![router("a", false, None)], day, Warning, "day: a"),
        (
            vec![router("a", false, Some(ROUTER_SILENT - 1))],
            day,
            Good,
            "1",
        ),
        (
            vec![router("a", false, Some(ROUTER_SILENT))],
            short,
            Warning,
            "day: a",
        ),
        (
            vec![router("a", false, None), router("b", true, Some(0))],
            day,
            Bad,
            "here: b",
        ),
    ] {
        let finding = judge_routers(&routers, listening, NOW);
        assert_eq!(finding.verdict, expected, "{finding:?}");
        assert!(finding.seen.ends_with(seen), "{}", finding.seen);
    }
    let many: Vec<Router> = ["a", "b", "c", "d", "e", "f", "g"]
        .map(|name| router(name, false, Some(ROUTER_SILENT)))
        .into();
    let finding = judge_routers(&many, short, NOW);
    assert!(
        finding.seen.ends_with("a, b, c, d, e and 2 more"),
        "{}",
        finding.seen
    );
}

#[test]
fn an_appliance_is_examined_worst_first_and_every_bad_thing_has_a_way_out() {
    let it = TestApp::new();
    let found = |what: &str| {
        let all = examine(&it.app, Depth::Quick);
        assert!(all.is_sorted_by_key(|finding| finding.verdict));
        for finding in &all {
            assert_eq!(
                finding.mend.is_empty(),
                finding.verdict == Good,
                "{finding:?}"
            );
        }
        all.into_iter()
            .find(|finding| finding.what == what)
            .unwrap()
    };
    assert_eq!(found("Daemon").verdict, Bad, "nobody listens here");
    assert_eq!(found("Operators").verdict, Warning);
    assert_eq!(found("NAS devices").verdict, Warning);
    assert_eq!(found("Usage").verdict, Good, "nothing was compared yet");
    it.app.set_listening(it.app.listening());
    assert_eq!(found("Daemon").verdict, Good);
    assert_eq!(found("Saving").verdict, Good);

    // A session is older than a day; its router with it.
    let plan = it.add_plan(plan("Home"));
    let nas = it.add_nas(router("Tower", "127.0.0.1"));
    let ali = it.add_subscriber(subscriber("ali", plan));
    let source = "127.0.0.1".parse().unwrap();
    it.account(interim(&it.app, "ali", ali, nas, source));
    assert_eq!(found("NAS devices").verdict, Good);
    assert_eq!(found("Clock").verdict, Good);
    it.clock.move_to(NOW.plus(2 * DAY));
    assert_eq!(found("NAS devices").seen, "no packet for a day: Tower");
    // The clock goes back to before that record.
    it.clock.move_to(NOW.plus(-DAY));
    assert!(found("Clock").seen.contains("turned back"));
}

#[test]
fn alerts_ask_for_the_same_findings() {
    let it = TestApp::new();
    assert_eq!(backups(&it.app).unwrap().1.verdict, Warning);
    run(fail_backup(&it.app, "no room"));
    let (_, finding) = backups(&it.app).unwrap();
    assert_eq!(
        (finding.verdict, finding.page.as_str()),
        (Bad, "/settings/backups")
    );
    assert_eq!(updates(&it.app).unwrap(), None, "no vendor");
}
