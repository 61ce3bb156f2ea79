//! Backups of a small ISP: whole, proven, restored elsewhere; and all that goes wrong on the way.

mod crafted;
mod elsewhere;
mod verbs;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::app::Clock;
use crate::crypto::Secret;
use crate::domain::backup::{Every, Retention, Schedule};
use crate::domain::id::SubscriberId;
use crate::domain::octets::Traffic;
use crate::domain::session::RecordKind;
use crate::domain::time::DAY;
use crate::operations::subscribers;
use crate::operations::testing::{
    AT_ONCE, NOW, TestApp, actor, config, interim, plan, router, run, subscriber,
};
use crate::store::audit;
use crate::store::snapshot::examine;
use crate::store::swap;

const WORDS: &str = "four words make one";

fn words(text: &str) -> Words {
    Words::Passphrase(Secret::new(text.to_owned()))
}

fn set_passphrase(test: &TestApp, text: &str) -> Result<(), Error> {
    let (actor, text) = (actor(), Secret::new(text.to_owned()));
    run(settings::set_passphrase(&test.app, &actor, text))
}

/// A passphrase, a plan, a router, `ali` who is online with usage.
fn isp() -> TestApp {
    let test = TestApp::new();
    set_passphrase(&test, WORDS).unwrap();
    let plan = test.add_plan(plan("Home"));
    let nas = test.add_nas(router("Tower", "192.0.2.1"));
    let ali = test.add_subscriber(subscriber("ali", plan));
    test.go_online("ali", ali, nas, "192.0.2.1".parse().unwrap());
    test
}

fn path(test: &TestApp, backup: &Backup) -> PathBuf {
    test.app.config.backup.folder.join(&backup.name)
}

fn go_on(_: BackupStep, _: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What the audit log says was done, newest first.
fn actions(app: &App) -> Vec<String> {
    let view = app.store.view().unwrap();
    let entries = audit::newest(&view, u64::MAX, 3, 3, |_| true).unwrap();
    entries.into_iter().map(|entry| entry.action).collect()
}

#[test]
fn a_backup_is_proven_at_once_and_opens_on_a_blank_machine() {
    let test = isp();
    let made = create(&test.app, Trigger::Person).unwrap();
    assert_eq!(made.name, "backup_2026-05-28_20-26-40.enc");
    assert!(made.is_proven(), "{made:?}");
    assert_eq!(made.subscribers, 1);
    let file = fs::metadata(path(&test, &made)).unwrap();
    assert_eq!((file.len(), file.mode() & 0o777), (made.octets, 0o600));
    let listed = list(&test.app).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].octets, &listed[0].backup),
        (Some(made.octets), &Some(made.clone()))
    );
    assert_eq!(
        latest(&test.app).unwrap(),
        Latest {
            made: Some(made.clone()),
            proven: Some(made.clone()),
            elsewhere: None,
        }
    );
    assert!(
        !test.folder.path().join(WORK).exists(),
        "no copy in clear stays"
    );
    assert!(!test.app.backups.is_busy());

    let blank = tempfile::tempdir().unwrap();
    let backup = File::open(path(&test, &made)).unwrap();
    let manifest = restore::prepare(backup, &words(WORDS), blank.path(), NOW, &mut go_on).unwrap();
    assert_eq!(manifest.rows(), made.rows);
    assert_eq!(manifest.sums.sessions.download, 10_000);
    assert_eq!(manifest.sums.sessions, manifest.sums.days);
    assert!(swap::is_waiting(blank.path()));
    let app = App::open(config(blank.path()), Clock::standing_at(NOW), AT_ONCE).unwrap();
    assert!(!swap::is_waiting(blank.path()));
    let password = run(subscribers::reveal_password(
        &app,
        &actor(),
        SubscriberId(1),
    ));
    assert_eq!(password.unwrap().expose(), "pass-1");
    // Accounting goes on behind what was restored, and is counted once.
    let live = app.accounting.live();
    let session = live.open_of(SubscriberId(1)).next().unwrap().clone();
    drop(live);
    assert_eq!(session.usage().raw, Traffic::new(1_000, 10_000));
    let restored = TestApp {
        app: std::sync::Arc::new(app),
        clock: Clock::standing_at(NOW),
        folder: blank,
    };
    restored.go_online(
        "ali",
        SubscriberId(1),
        session.nas,
        "192.0.2.1".parse().unwrap(),
    );
    assert!(restored.app.accounting.fold());
    let summed = restored.app.store.view().unwrap();
    let day = restored.app.settings().calendar.day(NOW);
    let usage = crate::store::usage::of_day(&summed, day, SubscriberId(1)).unwrap();
    assert_eq!(usage.raw, Traffic::new(1_000, 10_000));
    drop(summed);
    restored.app.close();
}

#[test]
fn files_beside_the_store_come_back_with_it() {
    let test = isp();
    let tls = test.folder.path().join("tls");
    fs::create_dir_all(&tls).unwrap();
    fs::write(tls.join("own.pem"), b"certificate").unwrap();
    fs::create_dir(tls.join("folder")).unwrap();
    fs::write(test.folder.path().join("stray"), b"not ours").unwrap();
    let made = create(&test.app, Trigger::Person).unwrap();
    let blank = tempfile::tempdir().unwrap();
    let backup = File::open(path(&test, &made)).unwrap();
    restore::prepare(backup, &words(WORDS), blank.path(), NOW, &mut go_on).unwrap();
    let ready = blank.path().join(swap::READY);
    assert_eq!(fs::read(ready.join("tls/own.pem")).unwrap(), b"certificate");
    let mut names: Vec<String> = fs::read_dir(&ready)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["kept-as", "proxpanel.redb", "secret.key", "tls"]);
    let kept_as = fs::read_to_string(ready.join("kept-as")).unwrap();
    assert_eq!(kept_as, "before-restore-2026-05-28-20-26-40");
}

#[test]
fn under_load_everything_acknowledged_before_is_in_it_and_the_sums_agree() {
    const ROUTERS: u32 = 3;
    let test = isp();
    let plan = test.app.plans()[0].id;
    let nas = test.app.nas_table().all()[0].nas.id;
    let people: Vec<SubscriberId> = (0..ROUTERS)
        .map(|number| test.add_subscriber(subscriber(&format!("load{number}"), plan)))
        .collect();
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let (stop, answered, test) = (&stop, &answered, &test);
    let source = "192.0.2.1".parse().unwrap();
    let (before, made) = std::thread::scope(|scope| {
        for person in &people {
            scope.spawn(move || {
                for number in 1u32.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let mut record = interim(
                        &test.app,
                        &format!("load-{}", person.0),
                        *person,
                        nas,
                        source,
                    );
                    record.kind = RecordKind::Interim;
                    record.session_time = Some(number);
                    let octets = u64::from(number);
                    record.totals = Some(Traffic::new(octets, octets * 10));
                    test.account(record);
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // Forms are saved meanwhile, too.
        scope.spawn(move || {
            for number in 0u32.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                test.add_subscriber(subscriber(&format!("form{number}"), plan));
            }
        });
        crate::operations::testing::until(|| answered.load(Ordering::SeqCst) > 60);
        let before: Vec<u64> = people
            .iter()
            .map(|person| {
                let live = test.app.accounting.live();
                live.open_of(*person).map(|s| s.usage().raw.total()).sum()
            })
            .collect();
        let people_before = test.app.store.view().unwrap();
        let people_before = crate::store::subscribers::newest_id(&people_before)
            .unwrap()
            .0;
        let made = create(&test.app, Trigger::Person).unwrap();
        stop.store(true, Ordering::Relaxed);
        ((before, people_before), made)
    });
    assert!(made.is_proven(), "{made:?}");
    let blank = tempfile::tempdir().unwrap();
    let backup = File::open(path(test, &made)).unwrap();
    restore::prepare(backup, &words(WORDS), blank.path(), NOW, &mut go_on).unwrap();
    let app = App::open(config(blank.path()), Clock::standing_at(NOW), AT_ONCE).unwrap();
    for (person, before) in people.iter().zip(before.0) {
        let live = app.accounting.live();
        let restored: u64 = live.open_of(*person).map(|s| s.usage().raw.total()).sum();
        assert!(restored >= before, "{restored} of {before}");
    }
    let newest = crate::store::subscribers::newest_id(&app.store.view().unwrap()).unwrap();
    assert!(newest.0 >= before.1);
    app.close();
    let found = examine(blank.path()).unwrap();
    assert_eq!(found.sessions, found.days);
    assert_eq!(found.days, found.months);
    assert_eq!(u64::from(newest.0), made.subscribers);
}

#[test]
fn without_a_passphrase_or_a_folder_there_is_no_backup_and_it_is_said() {
    let test = TestApp::new();
    let refused = create(&test.app, Trigger::Schedule)
        .unwrap_err()
        .to_string();
    assert!(
        refused.starts_with("Set a passphrase for backups first"),
        "{refused}"
    );
    assert!(list(&test.app).unwrap().is_empty(), "nothing was tried");
    for text in ["eleven char", &"x".repeat(201)] {
        assert!(set_passphrase(&test, text).is_err());
    }
    set_passphrase(&test, "twelve chars").unwrap();
    let stored = crate::store::settings::get(
        &test.app.store.view().unwrap(),
        crate::store::settings::Setting::BackupPassphrase,
    );
    assert!(
        !stored
            .unwrap()
            .unwrap()
            .contains(&crate::crypto::hex(b"twelve"))
    );

    // A file stands where the folder should be.
    fs::write(&test.app.config.backup.folder, b"in the way").unwrap();
    let failed = create(&test.app, Trigger::Schedule).unwrap_err();
    assert!(matches!(failed, Error::Io(_)), "{failed}");
    let tried = &list_rows(&test.app)[0];
    assert!(
        tried
            .error
            .as_ref()
            .unwrap()
            .contains("cannot make the folder"),
        "{tried:?}"
    );
    assert_eq!((tried.name.as_str(), tried.test.as_ref()), ("", None));
    assert!(!test.app.backups.is_busy());
}

fn list_rows(app: &App) -> Vec<Backup> {
    backups::newest(&app.store.view().unwrap(), 100).unwrap()
}

#[test]
fn a_backup_that_was_changed_is_found_bad_and_an_unreadable_one_is_not_restored() {
    let test = isp();
    let made = create(&test.app, Trigger::Person).unwrap();
    let file = path(&test, &made);
    let whole = fs::read(&file).unwrap();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&file, &changed).unwrap();
    let bad = super::test(&test.app, &made.name).unwrap_err().to_string();
    assert!(
        bad.starts_with("the backup was changed or is damaged in part "),
        "{bad}"
    );
    let row = &list_rows(&test.app)[0];
    assert_eq!(row.test.as_ref().unwrap().problem.as_ref(), Some(&bad));
    assert!(!test.folder.path().join(WORK).exists());
    let restored = restore::restore(&test.app, &actor(), &made.name, None);
    assert!(restored.is_err());
    assert!(!swap::is_waiting(test.folder.path()));
    assert!(!test.folder.path().join(PART).exists());

    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    let cut = super::test(&test.app, &made.name).unwrap_err().to_string();
    assert!(cut.starts_with("the backup is cut short in part "), "{cut}");
    fs::write(&file, &whole).unwrap();
    assert!(super::test(&test.app, &made.name).is_ok());
    assert!(list_rows(&test.app)[0].is_proven());

    // With other words than it was made with.
    set_passphrase(&test, "another passphrase").unwrap();
    let wrong = super::test(&test.app, &made.name).unwrap_err();
    assert!(
        wrong
            .to_string()
            .starts_with("the passphrase does not open this backup")
    );
    assert!(
        list_rows(&test.app)[0].is_proven(),
        "that says nothing about the backup"
    );
    let wrong = restore::restore(&test.app, &actor(), &made.name, None).unwrap_err();
    assert!(
        wrong
            .to_string()
            .starts_with("the passphrase does not open this backup")
    );
    let theirs = Some(Secret::new(WORDS.to_owned()));
    restore::restore(&test.app, &actor(), &made.name, theirs).unwrap();
    assert!(swap::is_waiting(test.folder.path()));
    assert_eq!(actions(&test.app)[0], "backup restored");
    // The daemon is asked to start anew.
    run(async { test.app.restart.notified().await });
}

#[test]
fn a_restore_keeps_what_was_there() {
    let test = isp();
    let made = create(&test.app, Trigger::Person).unwrap();
    let plan = test.app.plans()[0].id;
    test.add_subscriber(subscriber("later", plan));
    restore::restore(&test.app, &actor(), &made.name, None).unwrap();
    test.app.close();
    let TestApp { app, folder, .. } = test;
    drop(app);
    let again = TestApp::open(folder);
    let newest = crate::store::subscribers::newest_id(&again.app.store.view().unwrap()).unwrap();
    assert_eq!(
        newest,
        SubscriberId(1),
        "what came later is not in the backup"
    );
    let kept = again
        .folder
        .path()
        .join("before-restore-2026-05-28-20-26-40");
    assert!(kept.join("proxpanel.redb").is_file() && kept.join("secret.key").is_file());
    assert!(path(&again, &made).is_file(), "backups stay where they are");
    assert!(
        again.app.search_is_stale.load(Ordering::Relaxed),
        "the index is made anew"
    );
    // What was kept is a whole data folder.
    let before = App::open(config(&kept), Clock::standing_at(NOW), AT_ONCE).unwrap();
    let newest = crate::store::subscribers::newest_id(&before.store.view().unwrap()).unwrap();
    assert_eq!(newest, SubscriberId(2));
    before.close();
}

#[test]
fn passphrases_are_secret() {
    let test = isp();
    assert!(format!("{:?}", settings::words(&test.app).unwrap()).contains("[redacted]"));
}
