//! The API of a router that misbehaves, as a client on a bare socket sees it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tokio::time::Instant;

use super::{PATIENCE, with_anna};
use crate::support::routeros::{ApiFault, Options, Router, User};

/// So long a silence counts as silence.
const SILENCE: Duration = Duration::from_millis(300);

/// A client of bare words, each below 128 octets.
struct Raw(TcpStream);

impl Raw {
    fn connect(address: SocketAddr) -> Raw {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Raw(stream)
    }

    fn login(router: &Router) -> Raw {
        let mut raw = Raw::connect(router.api_addr());
        raw.say(&["/login", "=name=isp-api", "=password=api-pass"]);
        assert_eq!(raw.hear(), ["!done"]);
        raw
    }

    fn say(&mut self, words: &[&str]) {
        let mut octets = Vec::new();
        for word in words {
            octets.push(u8::try_from(word.len()).unwrap());
            octets.extend_from_slice(word.as_bytes());
        }
        octets.push(0);
        self.0.write_all(&octets).unwrap();
    }

    fn octet(&mut self) -> Option<u8> {
        let mut octet = [0];
        match self.0.read(&mut octet) {
            Ok(0) => None,
            Ok(_) => Some(octet[0]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// One sentence; empty when the router has closed.
    fn hear(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(first @ 1..) = self.octet() {
            let length = if first < 0x80 {
                usize::from(first)
            } else {
                usize::from(first & 0x3F) << 8 | usize::from(self.octet().unwrap())
            };
            let mut word = vec![0; length];
            self.0.read_exact(&mut word).unwrap();
            words.push(String::from_utf8(word).unwrap());
        }
        words
    }

    /// Everything until the router closes.
    fn rest(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.0.read_to_end(&mut octets).unwrap();
        octets
    }

    fn is_silent(&mut self) -> bool {
        self.0.set_read_timeout(Some(SILENCE)).unwrap();
        let read = self.0.read(&mut [0]);
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
        read.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }
}

const ASK: &[&str] = &["/system/identity/print", "=.proplist=name"];

fn sound(raw: &mut Raw) {
    raw.say(ASK);
    assert_eq!(raw.hear(), ["!re", "=name=bras-01"]);
    assert_eq!(raw.hear(), ["!done"]);
}

#[test]
fn connections_are_refused_silent_or_dropped() {
    let router = with_anna("7.20.6");
    let set = |api: ApiFault| router.faults().change(|faults| faults.api = api);
    let mut old = Raw::login(&router);
    sound(&mut old);

    set(ApiFault::Refuse);
    let refused = || {
        let answer = TcpStream::connect(router.api_addr());
        answer.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    };
    // The port closes a moment after the switch.
    let started = Instant::now();
    while !refused() {
        assert!(started.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    sound(&mut old);
    router.faults().clear();
    let started = Instant::now();
    while refused() {
        assert!(started.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    sound(&mut Raw::login(&router));

    set(ApiFault::Silent);
    old.say(ASK);
    assert!(old.is_silent());
    let mut fresh = Raw::connect(router.api_addr());
    fresh.say(&["/login", "=name=isp-api", "=password=api-pass"]);
    assert!(fresh.is_silent());
    router.faults().clear();
    assert_eq!(fresh.hear(), ["!done"], "what waited is heard after all");

    router.drop_connections();
    assert_eq!(fresh.hear(), [""; 0]);
    assert!(router.wait_until(PATIENCE, |state| state.totals.open_connections == 0));
}

#[test]
fn answers_are_garbage_cut_off_too_large_slow_or_one_sided() {
    let router = with_anna("7.20.6");
    let set = |api: ApiFault| router.faults().change(|faults| faults.api = api);
    let logged_in = || {
        router.faults().clear();
        Raw::login(&router)
    };

    let mut raw = logged_in();
    set(ApiFault::Garbage(b"\xff\xfeHTTP/1.1"));
    raw.say(ASK);
    let mut garbage = [0; 10];
    raw.0.read_exact(&mut garbage).unwrap();
    assert_eq!(&garbage, b"\xff\xfeHTTP/1.1");

    let mut raw = logged_in();
    set(ApiFault::CloseMidSentence);
    raw.say(ASK);
    assert_eq!(raw.rest(), b"\x03!re\x07=.id=*1\x0c=name=hal");

    let mut raw = logged_in();
    set(ApiFault::HugeWord);
    raw.say(ASK);
    let mut start = [0; 5];
    raw.0.read_exact(&mut start).unwrap();
    assert_eq!(start, [0xE4, 0, 0, 0, b'x']);
    drop(raw);

    let mut raw = logged_in();
    set(ApiFault::Slow(SILENCE));
    raw.say(ASK);
    let started = Instant::now();
    assert_eq!(raw.hear(), ["!re", "=name=bras-01"]);
    assert_eq!(raw.hear(), ["!done"]);
    assert!(started.elapsed() >= 2 * SILENCE);

    let mut raw = logged_in();
    set(ApiFault::HalfClosed);
    raw.say(ASK);
    assert_eq!(raw.rest(), b"");
    raw.say(ASK);
    raw.say(ASK);
    assert!(router.wait_until(PATIENCE, |state| {
        let asked = state.commands.iter().rev().take(3);
        asked.filter(|words| words[0] == ASK[0]).count() == 3
    }));
}

#[test]
fn rights_and_logins_are_refused() {
    let users = ["read,api", "api,read,write", "api,read,sensitive"];
    let names = ["reader", "writer", "auditor"];
    let router = Router::start(Options {
        users: names
            .iter()
            .zip(users)
            .map(|(name, policies)| User::new(name, "p", policies))
            .collect(),
        ..Options::default()
    });
    router.add("/ppp/secret", &[("name", "anna"), ("password", "secret")]);
    let login = |name: &str| {
        let mut raw = Raw::connect(router.api_addr());
        raw.say(&["/login", &format!("=name={name}"), "=password=p"]);
        let answer = raw.hear();
        (raw, answer)
    };
    let adding: &[&str] = &["/ip/pool/add", "=name=p", "=ranges=10.0.0.1-10.0.0.9"];
    let (mut reader, _) = login("reader");
    reader.say(adding);
    assert_eq!(
        reader.hear(),
        ["!trap", "=message=not enough permissions (9)"]
    );
    assert_eq!(reader.hear(), ["!done"]);
    reader.say(&["/tool/torch", "=interface=ether1"]);
    assert_eq!(reader.hear()[0], "!trap");
    assert_eq!(reader.hear(), ["!done"]);

    let (mut writer, _) = login("writer");
    router
        .faults()
        .change(|faults| faults.trap_on_write = Some("failure: out of memory".to_owned()));
    writer.say(adding);
    assert_eq!(writer.hear(), ["!trap", "=message=failure: out of memory"]);
    assert_eq!(writer.hear(), ["!done"]);
    router.faults().clear();
    writer.say(adding);
    assert!(writer.hear()[1].starts_with("=ret=*"));

    let secrets: &[&str] = &["/ppp/secret/print", "=.proplist=name,password"];
    writer.say(secrets);
    assert_eq!(writer.hear(), ["!re", "=name=anna"]);
    let (mut auditor, _) = login("auditor");
    auditor.say(secrets);
    assert_eq!(auditor.hear(), ["!re", "=name=anna", "=password=secret"]);

    router.faults().change(|faults| faults.refuse_login = true);
    let (_, answer) = login("writer");
    assert_eq!(answer[0], "!trap");
    // From 7.16 a router takes twenty at a time.
    assert!(router.wait_until(PATIENCE, |state| state.totals.open_connections == 3));
    let _more: Vec<Raw> = (3..20).map(|_| Raw::connect(router.api_addr())).collect();
    assert!(router.wait_until(PATIENCE, |state| state.totals.open_connections == 20));
    assert_eq!(Raw::connect(router.api_addr()).rest(), b"");
    router.drop_connections();
    assert!(router.wait_until(PATIENCE, |state| state.totals.open_connections == 0));
    let mut stranger = Raw::connect(router.api_addr());
    stranger.say(ASK);
    assert_eq!(stranger.hear(), ["!fatal", "not logged in"]);
    assert_eq!(stranger.rest(), b"");
    let recorded = router.read(|state| format!("{:?}", state.commands));
    assert!(!recorded.contains("password=p\""), "{recorded}");
}

#[test]
fn a_crowd_is_listed_while_other_commands_are_answered() {
    let router = with_anna("7.20.6");
    router.faults().change(|faults| faults.crowd = 50_000);
    let mut raw = Raw::login(&router);
    raw.say(&["/ppp/active/print", "=.proplist=.id,name", ".tag=long"]);
    raw.say(&["/system/identity/print", ".tag=short"]);
    let (mut rows, mut answered_at) = (0, None);
    loop {
        let words = raw.hear();
        match (words[0].as_str(), words[1].as_str()) {
            ("!re", ".tag=long") => rows += 1,
            ("!done", ".tag=short") => answered_at = Some(rows),
            ("!done", ".tag=long") => break,
            _ => {}
        }
    }
    assert_eq!(rows, 50_001);
    assert!(
        answered_at.is_some_and(|rows| rows < 10_000),
        "{answered_at:?}"
    );
    raw.say(&["/ppp/active/print", "=count-only=", "?name=crowd49999"]);
    assert_eq!(raw.hear(), ["!done", "=ret=1"]);
}

#[test]
fn lists_are_ordered_and_timed_and_sessions_end_over_the_api() {
    let router = with_anna("7.20.6");
    let mut raw = Raw::login(&router);
    raw.say(&[
        "/ip/firewall/address-list/add",
        "=list=isp-expired",
        "=address=10.0.0.5/32",
        "=timeout=1h",
    ]);
    assert_eq!(raw.hear(), ["!done", "=ret=*1"]);
    router.advance(1800);
    raw.say(&["/ip/firewall/address-list/print"]);
    let row = raw.hear();
    for word in ["=address=10.0.0.5", "=dynamic=true"] {
        assert!(row.iter().any(|found| found == word), "{row:?}");
    }
    let left = row.iter().find_map(|word| word.strip_prefix("=timeout="));
    assert!(left.is_some_and(|left| left.starts_with("29m") || left == "30m"));
    assert_eq!(raw.hear(), ["!done"]);
    router.advance(1800);
    raw.say(&["/ip/firewall/address-list/print"]);
    assert_eq!(raw.hear(), ["!empty"]);
    assert_eq!(raw.hear(), ["!done"]);

    raw.say(&["/ppp/active/listen", ".tag=l"]);
    raw.say(&["/ppp/active/print", "=.proplist=.id,uptime,session-id"]);
    let row = raw.hear();
    assert_eq!(row[..3], ["!re", "=.id=*1", "=session-id=0x81100001"]);
    // An hour, and what the test has taken so far.
    assert!(row[3].starts_with("=uptime=1h"), "{row:?}");
    assert_eq!(raw.hear(), ["!done"]);
    raw.say(&["/ppp/active/set", "=.id=*1", "=name=x"]);
    assert_eq!(
        raw.hear(),
        ["!trap", "=category=0", "=message=no such command"]
    );
    assert_eq!(raw.hear(), ["!done"]);
    raw.say(&["/ppp/active/remove", "=.id=*1"]);
    let mut both = [raw.hear(), raw.hear()];
    both.sort();
    assert_eq!(both[0], ["!done"]);
    assert_eq!(both[1], ["!re", ".tag=l", "=.id=*1", "=.dead=yes"]);
    assert_eq!(router.online(), 0);

    // A power cut takes the connection, and what had a timeout.
    raw.say(&[
        "/ip/firewall/address-list/add",
        "=list=x",
        "=address=10.0.0.6",
        "=timeout=1h",
    ]);
    assert_eq!(raw.hear()[0], "!done");
    router.reboot();
    assert_eq!(raw.hear(), [""; 0]);
    assert!(router.rows("/ip/firewall/address-list").is_empty());
}
