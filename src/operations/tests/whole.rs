//! Demo data, the sums that doctor checks, and the export.

use std::ops::ControlFlow;

use super::*;
use crate::domain::octets::Traffic;
use crate::domain::time::Calendar;
use crate::operations::doctor::{Depth, Finding, Verdict, check_sums, examine};
use crate::store::accounting::mark_folded;
use crate::store::{
    Store, StoreError, nas as nas_rows, plans as plan_rows, sessions as rows, usage,
};

const SIZE: demo::Size = demo::Size {
    subscribers: 60,
    sessions: 25,
    days: 3,
};

fn fill(store: &Store) -> Result<(), Error> {
    demo::fill(store, SIZE, NOW, |_, _, _| ControlFlow::Continue(()))
}

/// Everything that the demo made, without what is sealed: that is different each time, on purpose.
fn everything(store: &Store) -> String {
    let view = store.view().unwrap();
    let mut all = format!("{:?}", plan_rows::all(&view).unwrap());
    for stored in nas_rows::all(&view).unwrap() {
        all.push_str(&format!("{:?}", stored.nas));
    }
    crate::store::subscribers::each(&view, SubscriberId(0), |stored| {
        all.push_str(&format!("{:?}", stored.subscriber));
        ControlFlow::Continue(())
    })
    .unwrap();
    rows::each_closed(&view, |session| {
        all.push_str(&format!("{session:?}"));
        ControlFlow::Continue(())
    })
    .unwrap();
    all.push_str(&format!("{:?}", rows::open_at_fold(&view).unwrap()));
    all
}

#[test]
fn the_demo_is_the_same_every_time_and_adds_up() {
    let (one, two) = (TestApp::new(), TestApp::new());
    fill(&one.app.store).unwrap();
    fill(&two.app.store).unwrap();
    let all = everything(&one.app.store);
    assert_eq!(all, everything(&two.app.store));
    assert!(all.contains("user00059") && !all.contains("user00060"));
    let view = one.app.store.view().unwrap();
    assert_eq!(rows::open_at_fold(&view).unwrap().len(), 25);
    assert!(
        rows::count_closed(&view).unwrap() > 90,
        "most are online on most of the days"
    );
    // Started on it, the appliance finds the sessions, serves the logins, and its sums agree.
    let TestApp { app, folder, .. } = one;
    drop(view);
    app.close();
    drop(app);
    let it = TestApp::open(folder);
    assert_eq!(it.app.accounting.live().open_count(), 25);
    assert_eq!(check_sums(&it.app).unwrap().verdict, Verdict::Good);
    let facts = it
        .app
        .login_facts()
        .find(&it.app.store, "user00000")
        .unwrap()
        .unwrap();
    let context = crate::store::subscribers::password_context(facts.id);
    let password = it
        .app
        .store
        .sealer()
        .unseal(context.as_bytes(), &facts.sealed_password);
    assert_eq!(password.unwrap().expose(), b"pass00000");
    // A new session gets an id of its own, and a new subscriber too.
    let id = it.add_subscriber(subscriber("new", PlanId(1)));
    assert_eq!(id, SubscriberId(61));
    it.go_online("new", id, NasId(1), LOCALHOST);
    assert_eq!(it.app.accounting.live().open_count(), 26);
}

#[test]
fn the_demo_goes_into_an_unused_folder_only() {
    let it = TestApp::new();
    let id = it.add_plan(plan("Home"));
    let refused = |it: &TestApp| matches!(fill(&it.app.store), Err(Error::Refused(_)));
    assert!(refused(&it));
    run(plans::remove(&it.app, &actor(), id)).unwrap();
    assert!(
        refused(&it),
        "ids were given out, which are never used again"
    );
    let used = TestApp::new();
    let write = used.app.store.write("fold", |tx| mark_folded(tx, 7));
    write.wait().map_err(|e: StoreError| e.to_string()).unwrap();
    assert!(refused(&used), "sessions were folded into it");
    let too_many = demo::Size {
        days: demo::MOST_DAYS + 1,
        ..SIZE
    };
    let filled = demo::fill(&TestApp::new().app.store, too_many, NOW, |_, _, _| {
        ControlFlow::Continue(())
    });
    assert!(matches!(filled, Err(Error::Refused(_))));
}

#[test]
fn doctor_names_a_sum_that_is_wrong() {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Home"));
    let nas = it.add_nas(router("localhost", "127.0.0.1"));
    let ali = it.add_subscriber(subscriber("ali", plan));
    it.go_online("ali", ali, nas, LOCALHOST);
    let verdict = || check_sums(&it.app).unwrap();
    assert_eq!(verdict().verdict, Verdict::Good, "in memory only");
    assert!(it.app.accounting.fold());
    assert_eq!(verdict().verdict, Verdict::Good);
    it.app.set_listening(it.app.listening());
    let findings = examine(&it.app, Depth::Whole);
    // What the machine that runs the tests lacks is no matter here.
    let is_ours = |f: &&Finding| !f.what.starts_with("Disk") && f.what != "Memory";
    let bad: Vec<_> = findings
        .iter()
        .filter(|f| f.verdict == Verdict::Bad)
        .filter(is_ours)
        .collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert!(
        findings.iter().any(|f| f.mend.contains("proxpanel setup")),
        "nobody can sign in"
    );
    let day = Calendar::utc().day(NOW);
    let spoil = it.app.store.write("spoil", move |tx| {
        usage::add(tx, day, ali, Traffic::new(1, 0).into())
    });
    spoil.wait().map_err(|e: StoreError| e.to_string()).unwrap();
    let finding = verdict();
    assert_eq!(finding.verdict, Verdict::Bad);
    assert!(
        finding
            .seen
            .contains("1 subscribers, the first has number 1"),
        "{}",
        finding.seen
    );
}

#[test]
fn the_export_has_every_session_wherever_it_is() {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Home"));
    let nas = it.add_nas(router("tower, north", "127.0.0.1"));
    let ali = it.add_subscriber(subscriber("ali", plan));
    let record = |id: &str, kind| {
        let mut record = interim(&it.app, "ali", ali, nas, LOCALHOST);
        record.acct_session_id = id.into();
        record.place.address = Some(Ipv4Addr::new(100, 64, 0, 9));
        record.kind = kind;
        record
    };
    use crate::domain::session::RecordKind::{Interim, Stop};
    it.account(record("folded-ended", Stop { cause: 1 }));
    it.account(record("folded-open", Interim));
    assert!(it.app.accounting.fold());
    it.account(record("journal-ended", Stop { cause: 99 }));
    it.account(record("journal-open", Interim));
    let picture = it.app.accounting.picture().unwrap();
    let mut out = Vec::new();
    assert_eq!(
        export::sessions(&picture.live, &picture.view, &mut out).unwrap(),
        4
    );
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "nas,acct_session_id,username,address,start,last_update,stop,upload_octets,download_octets,terminate_cause,free_upload_octets,free_download_octets"
    );
    let times = "2026-05-28T20:16:40Z,2026-05-28T20:26:40Z";
    assert_eq!(
        lines[1],
        format!(
            "\"tower, north\",folded-ended,ali,100.64.0.9,{times},2026-05-28T20:26:40Z,1000,10000,User-Request,0,0"
        )
    );
    assert_eq!(
        lines[3],
        format!("\"tower, north\",folded-open,ali,100.64.0.9,{times},,1000,10000,,0,0")
    );
    assert!(lines[2].ends_with("Cause-99,0,0") && lines[4].contains("journal-open"));
    drop(picture);
    run(nas::remove(&it.app, &actor(), nas)).unwrap();
    let picture = it.app.accounting.picture().unwrap();
    let mut out = Vec::new();
    export::sessions(&picture.live, &picture.view, &mut out).unwrap();
    assert!(
        String::from_utf8(out)
            .unwrap()
            .contains("\nnas-1,journal-open"),
        "its sessions stay"
    );
}
