//! Kill -9 and a full disk under accounting load: what was acknowledged is there, nothing is booked twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use proxpanel::telemetry::monotonic;

use crate::appliance::demo;
use crate::support::daemon::Daemon;
use crate::support::radius::{self, INTERIM, Record};

const ROUTERS: usize = 8;
const SESSIONS_EACH: usize = 5;
const ROUNDS: u32 = 4;

fn session(router: usize, number: usize) -> String {
    format!("crash-{router}-{number}")
}

/// Exported upload and download by Acct-Session-Id; a session that appears twice fails.
fn exported(daemon: &Daemon) -> HashMap<String, (u64, u64)> {
    let output = daemon.run(&["export", "sessions"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut sessions = HashMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let totals = (columns[7].parse().unwrap(), columns[8].parse().unwrap());
        assert!(
            sessions.insert(columns[1].to_owned(), totals).is_none(),
            "twice: {line}"
        );
    }
    sessions
}

/// Routers send interims with growing totals until `end` ends the daemon. Returns the highest acknowledged total of each session.
fn load_until(
    end: impl FnOnce(&mut Daemon),
    daemon: &mut Daemon,
    acknowledged: &HashMap<String, u32>,
) -> HashMap<String, u32> {
    let server = daemon.acct();
    let stop = AtomicBool::new(false);
    let answered = AtomicU32::new(0);
    let (stop, answered) = (&stop, &answered);
    let seen: Vec<HashMap<String, u32>> = std::thread::scope(|scope| {
        let routers: Vec<_> = (0..ROUTERS)
            .map(|router| {
                scope.spawn(move || {
                    let mut seen = HashMap::new();
                    for total in 1..10_000u32 {
                        for number in 0..SESSIONS_EACH {
                            if stop.load(Ordering::Relaxed) {
                                return seen;
                            }
                            let name = session(router, number);
                            let from = acknowledged.get(&name).copied().unwrap_or(0);
                            let total = from + total;
                            let record = Record {
                                status: INTERIM,
                                session: name.clone(),
                                user: format!("user{:05}", router * SESSIONS_EACH + number),
                                seconds: total,
                                upload: total,
                                download: total * 10,
                            };
                            match radius::account(server, &record, Duration::from_millis(300), 1) {
                                Ok(_) => {
                                    seen.insert(name, total);
                                    answered.fetch_add(1, Ordering::Relaxed);
                                }
                                // The daemon is gone: every record so far was answered or not, which is all that counts.
                                Err(_) => return seen,
                            }
                        }
                    }
                    seen
                })
            })
            .collect();
        // In the middle of the load: after so many answers, wherever that is.
        while answered.load(Ordering::Relaxed) < 400 {
            std::thread::yield_now();
        }
        end(daemon);
        stop.store(true, Ordering::Relaxed);
        routers
            .into_iter()
            .map(|router| router.join().unwrap())
            .collect()
    });
    seen.into_iter().flatten().collect()
}

/// One more may be on disk than was answered, never less, and nothing is counted twice.
fn assert_whole(acknowledged: &HashMap<String, u32>, found: &HashMap<String, (u64, u64)>) {
    for (name, total) in acknowledged {
        let (upload, download) = found[name];
        assert!(
            (u64::from(*total)..=u64::from(*total) + 1).contains(&upload),
            "{name}: {upload} of {total}"
        );
        assert_eq!(download, upload * 10, "{name}");
    }
}

#[test]
fn kill_9_loses_no_acknowledged_record_and_books_none_twice() {
    let subscribers = u32::try_from(ROUTERS * SESSIONS_EACH).unwrap();
    let mut daemon = demo(subscribers, 0, 0, &[]);
    let mut acknowledged: HashMap<String, u32> = HashMap::new();
    for round in 0..ROUNDS {
        for (name, total) in load_until(Daemon::kill9, &mut daemon, &acknowledged) {
            acknowledged.insert(name, total);
        }
        // Once the journal is read by the command line, else by the daemon.
        if round % 2 == 0 {
            daemon.restart();
        }
        assert_whole(&acknowledged, &exported(&daemon));
        let report = String::from_utf8(daemon.run(&["doctor"]).stdout).unwrap();
        assert!(report.contains("ok      Usage: adds up"), "{report}");
        if round % 2 == 1 {
            daemon.restart();
        }
    }
}

#[test]
fn a_stop_under_load_takes_five_seconds_at_most_and_loses_no_acknowledged_record() {
    let subscribers = u32::try_from(ROUTERS * SESSIONS_EACH).unwrap();
    let mut daemon = demo(subscribers, 0, 0, &[]);
    let stop = |daemon: &mut Daemon| {
        let began = monotonic();
        assert!(daemon.stop().success());
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}");
    };
    let acknowledged = load_until(stop, &mut daemon, &HashMap::new());
    assert!(!acknowledged.is_empty());
    assert_whole(&acknowledged, &exported(&daemon));
}
