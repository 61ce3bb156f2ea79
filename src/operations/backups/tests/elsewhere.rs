//! The other machine: the form's row, what is due, and a server that is not there. Real servers: `tests/it/offsite.rs`.

use std::net::TcpListener;

use super::*;
use crate::domain::backup::{SEND_AGAIN_AFTER, Sent};
use crate::operations::backups::destination::{
    Protocol, RemoteError, Server, Wanted, parse_folder, parse_host, parse_identity,
    parse_password, parse_user,
};
use crate::store::settings::{self as stored, Setting};

const KEY: &str = "SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDiWf6WQZhTDfPOw1o";
const PASSWORD: &str = "pass-of-the-server";

/// An account on a port at which nobody listens.
fn nobody() -> Server {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port.local_addr().unwrap().port();
    Server {
        protocol: Protocol::Sftp,
        host: "127.0.0.1".to_owned(),
        port,
        user: "isp".to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
        folder: "backups".to_owned(),
        identity: None,
    }
}

fn choose(test: &TestApp, server: Server, keep: u16) -> Result<(), Error> {
    let wanted = Some(Wanted { server, keep });
    run(destination::update(&test.app, &actor(), wanted))
}

fn without_password(server: &Server) -> Server {
    Server {
        password: Secret::new(String::new()),
        ..server.clone()
    }
}

#[test]
fn a_password_is_sealed_and_kept_for_its_own_server_only() {
    let test = isp();
    let app = &test.app;
    let server = nobody();
    let problem = |server: Server| match choose(&test, server, 3) {
        Err(Error::Field { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(problem(without_password(&server)), "server_password");
    choose(&test, server.clone(), 3).unwrap();
    let row = stored::get(&app.store.view().unwrap(), Setting::BackupDestination);
    let row = row.unwrap().unwrap();
    for plain in [PASSWORD, "127.0.0.1", "isp"] {
        assert!(!row.contains(plain) && !row.contains(&crate::crypto::hex(plain.as_bytes())));
    }
    let kept = || destination::get(app).unwrap().unwrap();
    assert_eq!(
        kept().place(),
        format!("sftp://isp@127.0.0.1:{}/backups", server.port)
    );

    // Another folder, another number: the same account.
    test.clock.move_to(NOW.plus(HOUR));
    let same = without_password(&server);
    choose(&test, same.clone(), 4).unwrap();
    assert_eq!((kept().keep, kept().since), (4, NOW));
    let elsewhere = Server {
        folder: "/srv/isp".to_owned(),
        ..same.clone()
    };
    choose(&test, elsewhere, 4).unwrap();
    assert_eq!(kept().since, NOW.plus(HOUR), "nothing was sent there yet");
    assert_eq!(kept().server.password.expose(), PASSWORD);
    assert!(kept().place().ends_with("/srv/isp"));
    let other = |change: fn(&mut Server)| {
        let mut server = same.clone();
        change(&mut server);
        server
    };
    for server in [
        other(|server| server.host = "evil.example".to_owned()),
        other(|server| server.port ^= 1),
        other(|server| server.user = "root".to_owned()),
        other(|server| server.protocol = Protocol::Ftp),
    ] {
        assert_eq!(problem(server), "server_password");
    }

    run(destination::trust(app, &actor(), KEY)).unwrap();
    assert_eq!(kept().server.identity.as_deref(), Some(KEY));
    for no_key in ["", "SHA256:", &"a".repeat(64)] {
        let trusted = run(destination::trust(app, &actor(), no_key));
        let is_taken = trusted.is_ok();
        assert_eq!(is_taken, no_key.is_empty(), "{no_key}");
    }
    run(destination::update(app, &actor(), None)).unwrap();
    assert!(destination::get(app).unwrap().is_none());
    assert!(run(destination::trust(app, &actor(), KEY)).is_err());
    let view = app.store.view().unwrap();
    let entries = audit::newest(&view, u64::MAX, 50, 50, |_| true).unwrap();
    assert!(!format!("{entries:?}").contains(PASSWORD));
}

#[test]
fn what_did_not_get_there_stands_with_the_backup_and_is_tried_once_more() {
    let test = isp();
    let app = &test.app;
    let before = create(app, Trigger::Person).unwrap();
    test.clock.move_to(NOW.plus(1_000));
    let due = |after: i64| send::due(app, NOW.plus(after)).unwrap();
    assert_eq!(due(0), None, "nowhere to send it");
    assert!(matches!(
        run(send::send(app, &before.name)),
        Err(Error::Refused(_))
    ));
    assert!(matches!(
        run(destination::test(app)),
        Err(Error::Refused(_))
    ));
    choose(&test, nobody(), 3).unwrap();
    assert_eq!(due(1_000), None, "made before anybody chose");

    test.clock.move_to(NOW.plus(2_000));
    let made = create(app, Trigger::Schedule).unwrap();
    assert_eq!(due(2_000), Some(made.name.clone()));
    for (tries, after) in [(1, 2_000), (2, 2_000 + SEND_AGAIN_AFTER)] {
        assert_eq!(due(after - 1), None);
        assert_eq!(due(after), Some(made.name.clone()));
        test.clock.move_to(NOW.plus(after));
        let error = run(send::send(app, &made.name)).unwrap_err();
        let is_away = matches!(error, Error::Remote(RemoteError::Unreachable(_)));
        assert!(is_away, "{error}");
        let row = &list_rows(app)[0];
        let sent = row.sent.as_ref().unwrap();
        assert_eq!((sent.tries, sent.octets, sent.at), (tries, 0, app.now()));
        assert_eq!(sent.problem, Some(error.to_string()));
        assert!(row.is_proven(), "here it is as good as before");
        assert!(!app.backups.is_busy());
    }
    assert_eq!(due(10 * SEND_AGAIN_AFTER), None, "the next one brings it");
    let error = run(destination::test(app)).unwrap_err();
    assert!(matches!(error, Error::Remote(_)), "{error}");
    assert!(!test.folder.path().join(WORK).exists());

    let said = line(&list(app).unwrap()[0], &app.settings().calendar);
    assert!(
        said.contains("; NOT SENT: the server cannot be reached"),
        "{said}"
    );
    let turn = app.backups.begin("Backup".into(), NOW).unwrap();
    assert!(matches!(
        run(send::send(app, &made.name)),
        Err(Error::Refused(_))
    ));
    drop(turn);
    assert!(matches!(
        run(send::send(app, "another.enc")),
        Err(Error::Missing(_))
    ));
    // A file that somebody took away is not due.
    test.clock.move_to(NOW.plus(20 * HOUR));
    let next = create(app, Trigger::Schedule).unwrap();
    assert_eq!(due(20 * HOUR), Some(next.name.clone()));
    fs::remove_file(path(&test, &next)).unwrap();
    assert_eq!(due(20 * HOUR), None);
}

#[test]
fn a_backup_of_a_clock_that_was_ahead_holds_up_no_other() {
    let test = isp();
    let app = &test.app;
    choose(&test, nobody(), 3).unwrap();
    test.clock.move_to(NOW.plus(900 * DAY));
    let ahead = create(app, Trigger::Schedule).unwrap();
    let due = || send::due(app, app.now()).unwrap();
    assert_eq!(due(), Some(ahead.name.clone()));
    let sent = Sent {
        at: app.now(),
        took_ms: 1,
        octets: ahead.octets,
        tries: 1,
        problem: None,
        note: None,
    };
    let sent = Some(sent);
    keep(app, &Backup { sent, ..ahead }).unwrap();
    assert_eq!(due(), None);
    // The clock is right again, and the next one goes the same way.
    test.clock.move_to(NOW.plus(DAY));
    let next = create(app, Trigger::Schedule).unwrap();
    assert_eq!(due(), Some(next.name));
}

#[test]
fn a_restored_copy_sends_nothing_before_a_person_lets_it() {
    let test = isp();
    choose(&test, nobody(), 3).unwrap();
    let made = create(&test.app, Trigger::Person).unwrap();
    assert_eq!(pause::since(&test.app).unwrap(), None);
    assert_eq!(send::due(&test.app, NOW).unwrap(), Some(made.name.clone()));
    test.clock.move_to(NOW.plus(HOUR));
    restore::restore(&test.app, &actor(), &made.name, None).unwrap();
    assert_eq!(
        pause::since(&test.app).unwrap(),
        None,
        "what is put aside stays as it was"
    );
    test.app.close();
    let TestApp { app, folder, .. } = test;
    drop(app);

    let test = TestApp::open(folder);
    let app = &test.app;
    assert_eq!(pause::since(app).unwrap(), Some(NOW.plus(HOUR)));
    let next = create(app, Trigger::Schedule).unwrap();
    assert_eq!(send::due(app, NOW).unwrap(), None);
    let refused = run(send::send(app, &next.name)).unwrap_err().to_string();
    assert!(refused.starts_with("Sending is paused"), "{refused}");
    assert_eq!(list_rows(app)[0].sent, None, "nothing was tried");
    let tested = run(destination::test(app)).unwrap_err();
    assert!(
        matches!(tested, Error::Remote(_)),
        "the test tries: {tested}"
    );
    // The same place under another number stays paused, and so does the copy of the copy.
    choose(&test, without_password(&kept_server(app)), 9).unwrap();
    assert!(pause::since(app).unwrap().is_some());

    run(pause::resume(app, &actor())).unwrap();
    assert_eq!(actions(app)[0], "changed");
    assert_eq!(pause::since(app).unwrap(), None);
    assert_eq!(send::due(app, NOW).unwrap(), Some(next.name));
    assert!(matches!(
        run(pause::resume(app, &actor())),
        Err(Error::Refused(_))
    ));
}

fn kept_server(app: &App) -> Server {
    destination::get(app).unwrap().unwrap().server
}

#[test]
fn another_place_is_chosen_for_this_machine() {
    let begun = || {
        let test = isp();
        choose(&test, nobody(), 3).unwrap();
        test.app.close();
        let TestApp { app, folder, .. } = test;
        drop(app);
        pause::begin(folder.path(), NOW).unwrap();
        let test = TestApp::open(folder);
        assert_eq!(pause::since(&test.app).unwrap(), Some(NOW));
        test
    };
    let test = begun();
    let elsewhere = Server {
        folder: "copy".to_owned(),
        ..without_password(&kept_server(&test.app))
    };
    choose(&test, elsewhere, 3).unwrap();
    assert_eq!(pause::since(&test.app).unwrap(), None);

    let test = begun();
    run(destination::update(&test.app, &actor(), None)).unwrap();
    assert_eq!(
        pause::since(&test.app).unwrap(),
        None,
        "nothing is sent anyway"
    );
    choose(&test, nobody(), 3).unwrap();
    assert_eq!(pause::since(&test.app).unwrap(), None);
}

#[test]
fn what_names_a_server_is_checked_at_the_door() {
    for (text, host) in [
        (" backup.example ", Some("backup.example")),
        ("nas_1", Some("nas_1")),
        ("192.0.2.1", Some("192.0.2.1")),
        ("[2001:db8::1]", Some("2001:db8::1")),
        ("2001:db8::1", Some("2001:db8::1")),
        ("", None),
        ("a..b", None),
        ("back up", None),
        ("sftp://a", None),
        ("a:22", None),
        ("a/b", None),
        ("a\r\nDELE b", None),
    ] {
        assert_eq!(parse_host(text).ok().as_deref(), host, "{text}");
    }
    let label = "a".repeat(63);
    let name = [label.as_str(); 4].join(".");
    assert!(parse_host(&label).is_ok() && parse_host(&format!("{label}a")).is_err());
    assert!(parse_host(&name[..253]).is_ok() && parse_host(&name).is_err());

    assert_eq!(parse_user(" isp ").unwrap(), "isp");
    assert!(parse_user(" ").is_err() && parse_user(&"u".repeat(101)).is_err());
    assert_eq!(parse_password(" p ").unwrap().expose(), " p ");
    for password in ["a\r\nb", "a\0", &"p".repeat(201)] {
        assert!(parse_password(password).is_err());
    }
    assert!(parse_password(&"p".repeat(200)).is_ok());
    for (text, folder) in [
        ("", Some("")),
        (" isp/backups/ ", Some("isp/backups")),
        ("/srv/isp", Some("/srv/isp")),
        ("isp/../root", None),
    ] {
        assert_eq!(parse_folder(text).ok().as_deref(), folder, "{text}");
    }
    assert!(parse_folder("a\r\nDELE b").is_ok_and(|folder| !folder.contains('\n')));

    let known = |protocol, text: &str| parse_identity(protocol, text).ok();
    let pin = "ab".repeat(32);
    for protocol in Protocol::ALL {
        assert_eq!(known(protocol, " "), Some(None));
    }
    let line = format!("256 {KEY} root@nas (ED25519)");
    assert_eq!(known(Protocol::Sftp, &line), Some(Some(KEY.to_owned())));
    assert_eq!(known(Protocol::Sftp, &KEY[..49]), None);
    assert_eq!(known(Protocol::Sftp, &format!("{KEY}a")), None);
    assert_eq!(known(Protocol::Sftp, &pin), None);
    let pairs = "AB:".repeat(32);
    let pairs = pairs.trim_end_matches(':');
    assert_eq!(known(Protocol::Ftps, pairs), Some(Some(pin)));
    assert_eq!(known(Protocol::Ftps, KEY), None);
    assert_eq!(known(Protocol::Ftp, "anything"), Some(None));
}
