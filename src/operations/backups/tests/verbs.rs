//! The schedule, stopping half-way, and what people do with files.

use super::*;

#[test]
fn a_schedule_is_kept_and_a_failed_try_is_repeated_after_an_hour() {
    let test = isp();
    let app = &test.app;
    assert!(!is_due(app, NOW).unwrap(), "nothing is scheduled");
    // The clock stands at 20:26 UTC.
    let schedule = Schedule {
        every: Every::Day,
        hour: 20,
    };
    let keep = Retention {
        days: 2,
        weeks: 0,
        months: 0,
    };
    let set = |schedule, keep| run(settings::update(app, &actor(), schedule, keep));
    set(Some(schedule), keep).unwrap();
    let nothing = Retention {
        days: 0,
        weeks: 0,
        months: 0,
    };
    assert!(set(Some(schedule), nothing).is_err());
    assert_eq!(
        settings::get(app).unwrap(),
        settings::BackupSettings {
            schedule: Some(schedule),
            keep,
            key: KeyKind::Passphrase,
            has_passphrase: true,
            has_licence: false,
        }
    );
    assert!(is_due(app, NOW).unwrap());
    let mut expected = Vec::new();
    for day in 0..4 {
        let now = NOW.plus(day * DAY);
        test.clock.move_to(now);
        assert!(is_due(app, now).unwrap(), "day {day}");
        let made = create(app, Trigger::Schedule).unwrap();
        assert!(!is_due(app, now).unwrap());
        // Until the next day's 20:00.
        let until = now.plus(DAY - 27 * 60_000);
        assert!(!is_due(app, until).unwrap());
        assert!(is_due(app, until.plus(60_000)).unwrap());
        expected.push(made.name);
    }
    // Of four days two are kept, the files with the rows.
    let names: Vec<String> = list(app)
        .unwrap()
        .into_iter()
        .map(|listed| listed.name)
        .collect();
    assert_eq!(names, [expected[3].clone(), expected[2].clone()]);
    let files = files::backups_in(&app.config.backup.folder).unwrap();
    assert_eq!(files.len(), 2);

    // A try that fails is repeated after an hour, not at once.
    let now = NOW.plus(4 * DAY);
    test.clock.move_to(now);
    keep_row(
        app,
        Backup {
            error: Some("full".into()),
            name: String::new(),
            ..list_rows(app)[0].clone()
        },
        now,
    );
    assert!(!is_due(app, now.plus(HOUR - 1)).unwrap());
    assert!(is_due(app, now.plus(HOUR)).unwrap());
    set(None, keep).unwrap();
    assert!(!is_due(app, now.plus(HOUR)).unwrap());
}

fn keep_row(app: &App, backup: Backup, began_at: Timestamp) {
    keep(app, &Backup { began_at, ..backup }).unwrap();
}

#[test]
fn a_clock_that_was_ahead_does_not_keep_backups_from_being_made() {
    let test = isp();
    let app = &test.app;
    let keep = Retention::default();
    let every = Every::Day;
    let schedule = Some(Schedule { every, hour: 20 });
    run(settings::update(app, &actor(), schedule, keep)).unwrap();
    test.clock.move_to(NOW.plus(900 * DAY));
    create(app, Trigger::Schedule).unwrap();
    for day in [0, 1] {
        let now = NOW.plus(day * DAY);
        test.clock.move_to(now);
        assert!(is_due(app, now).unwrap(), "day {day}");
        create(app, Trigger::Schedule).unwrap();
        assert!(!is_due(app, now).unwrap(), "day {day}");
    }
}

#[test]
fn two_backups_of_one_second_have_two_names() {
    let test = isp();
    let make = || pack::make(&test.app, &words(WORDS), NOW, &mut go_on).unwrap();
    let first = make();
    let before = fs::read(&first.path).unwrap();
    assert_eq!(first.name, "backup_2026-05-28_20-26-40.enc");
    assert_eq!(make().name, "backup_2026-05-28_20-26-41.enc");
    assert_eq!(make().name, "backup_2026-05-28_20-26-42.enc");
    assert!(fs::read(&first.path).unwrap() == before);
}

#[test]
fn a_backup_whose_file_was_taken_away_is_no_reason_to_remove_another() {
    let test = isp();
    let app = &test.app;
    let keep = Retention {
        days: 2,
        weeks: 0,
        months: 0,
    };
    run(settings::update(app, &actor(), None, keep)).unwrap();
    let of_day = |day: i64| {
        test.clock.move_to(NOW.plus(day * DAY));
        create(app, Trigger::Schedule).unwrap()
    };
    let (first, second) = (of_day(0), of_day(1));
    fs::remove_file(path(&test, &second)).unwrap();
    let third = of_day(2);
    let is_there = |backup| path(&test, backup).is_file();
    assert!(is_there(&first) && is_there(&third));
    let fourth = of_day(3);
    assert!(!is_there(&first) && is_there(&third) && is_there(&fourth));
}

#[test]
fn what_a_crash_left_goes_at_the_start_and_nothing_else() {
    let test = isp();
    let made = create(&test.app, Trigger::Person).unwrap();
    let (data, folder) = (test.folder.path(), &test.app.config.backup.folder);
    for left in [WORK, PART] {
        fs::create_dir(data.join(left)).unwrap();
        fs::write(data.join(left).join("in clear"), b"x").unwrap();
    }
    for name in ["a.enc.part", "b.enc.upload", "c.part", "mine.enc"] {
        fs::write(folder.join(name), b"x").unwrap();
    }
    clean_up(&test.app).unwrap();
    assert!(!data.join(WORK).exists() && !data.join(PART).exists());
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [made.name.as_str(), "c.part", "mine.enc"]);
}

#[test]
fn a_cancelled_backup_leaves_nothing() {
    let test = isp();
    let turn = test.app.backups.begin("Backup".into(), NOW).unwrap();
    assert!(matches!(
        create(&test.app, Trigger::Person),
        Err(Error::Refused(_))
    ));
    for stop_at in [
        BackupStep::Folding,
        BackupStep::Copying,
        BackupStep::Packing,
    ] {
        let mut tell = |step, _, _| match step == stop_at {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let made = pack::make(&test.app, &words(WORDS), NOW, &mut tell);
        let error = made.err().expect("cancelled");
        let is_cancelled = matches!(
            &error,
            Error::Cancelled | Error::Snapshot(crate::store::snapshot::SnapshotError::Cancelled)
        );
        assert!(is_cancelled, "{stop_at:?}: {error}");
        assert_eq!(
            fs::read_dir(&test.app.config.backup.folder)
                .unwrap()
                .count(),
            0
        );
        assert!(!test.folder.path().join(WORK).exists());
    }
    drop(turn);
    let made = create(&test.app, Trigger::Person).unwrap();
    let blank = tempfile::tempdir().unwrap();
    for stop_at in [BackupStep::Unpacking, BackupStep::Comparing] {
        let mut tell = |step, _, _| match step == stop_at {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let backup = File::open(path(&test, &made)).unwrap();
        let stopped = restore::prepare(backup, &words(WORDS), blank.path(), NOW, &mut tell);
        assert!(stopped.is_err(), "{stop_at:?}");
        assert_eq!(fs::read_dir(blank.path()).unwrap().count(), 0);
    }
}

#[test]
fn backups_are_deleted_verified_and_brought_in() {
    let test = isp();
    let app = &test.app;
    let made = create(app, Trigger::Person).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join(&made.name);
    fs::copy(path(&test, &made), &copy).unwrap();
    let manifest = verify(&copy, &words(WORDS), &mut go_on).unwrap();
    assert_eq!(manifest.rows_of("subscribers"), 1);
    assert!(verify(&copy, &words("something else"), &mut go_on).is_err());
    assert_eq!(
        fs::read_dir(elsewhere.path()).unwrap().count(),
        1,
        "nothing in clear stays"
    );

    let (mut file, octets) = open(app, &actor(), &made.name).unwrap();
    let mut taken = Vec::new();
    Read::read_to_end(&mut file, &mut taken).unwrap();
    assert_eq!(u64::try_from(taken.len()).unwrap(), octets);
    remove(app, &actor(), &made.name).unwrap();
    assert_eq!(actions(app)[..2], ["backup deleted", "backup downloaded"]);
    assert!(list(app).unwrap().is_empty());
    for name in [made.name.as_str(), "../secret.key", "proxpanel.redb", ""] {
        assert!(
            matches!(remove(app, &actor(), name), Err(Error::Missing(_))),
            "{name}"
        );
        assert!(
            matches!(open(app, &actor(), name), Err(Error::Missing(_))),
            "{name}"
        );
        assert!(
            matches!(super::test(app, name), Err(Error::Missing(_))),
            "{name}"
        );
    }

    let begin = |name: &str| upload::Upload::begin(app, name, 10);
    let upload = begin("no backup.txt").unwrap().write(b"hello").unwrap();
    assert!(matches!(
        upload.finish(app, &actor()),
        Err(Error::Refused(_))
    ));
    drop(begin(&made.name).unwrap().write(&taken).unwrap());
    assert!(list(app).unwrap().is_empty(), "one that broke off is gone");
    let upload = begin(&made.name).unwrap().write(&taken).unwrap();
    assert_eq!(upload.finish(app, &actor()).unwrap(), made.name);
    assert!(begin(&made.name).is_err(), "it is there already");
    assert_eq!(actions(app)[0], "backup uploaded");
    let file = fs::metadata(path(&test, &made)).unwrap();
    assert_eq!(file.mode() & 0o777, 0o600);
    let listed = list(app).unwrap();
    assert_eq!(
        (listed[0].name.as_str(), &listed[0].backup),
        (made.name.as_str(), &None)
    );
    assert!(line(&listed[0], &app.settings().calendar).ends_with("not made here"));
    assert!(super::test(app, &made.name).is_ok());
    // A name that leads out of the folder, or would not be found again, is another one here.
    for name in ["../evil.enc", "/tmp/evil.enc", ".enc", "e vil.enc"] {
        let upload = begin(name).unwrap().write(&taken).unwrap();
        let named = upload.finish(app, &actor()).unwrap();
        assert_eq!(named, "uploaded_2026-05-28_20-26-40.enc", "{name}");
        remove(app, &actor(), &named).unwrap();
    }
    assert!(!test.folder.path().join("evil.enc").exists());
}
