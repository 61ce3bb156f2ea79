//! The judge, on both sides of each edge: what packets say, and the routers that `settings` judges.

mod settings;

use std::time::Duration;

use super::*;
use crate::app::CoaOutcome;
use crate::domain::id::NasId;
use crate::domain::nas::{ApiAccess, ApiTransport, MessageAuthenticator, Profile, UsageSource};
use crate::domain::time::{MINUTE, SECOND};
use crate::routers::routeros::commands::ItemId;
use crate::routers::routeros::wire::Sentence;

const NOW: Timestamp = Timestamp(1_780_000_000_000);

fn nas() -> Nas {
    Nas {
        id: NasId(1),
        name: "Tower".into(),
        network: Network::parse("10.20.0.1").unwrap(),
        profile: Profile::MikroTik,
        coa_port: 3799,
        coa_form: None,
        message_authenticator: MessageAuthenticator::Required,
        limit_proxy_state: false,
        send_message_authenticator: true,
        swap_octets: false,
        interim_interval: None,
        api: Some(ApiAccess {
            address: None,
            port: 8729,
            user: "proxpanel".into(),
            transport: ApiTransport::Pinned(None),
            legacy_login: false,
        }),
        usage_source: UsageSource::Accounting,
        api_fallback: false,
        radsec: None,
        notes: String::new(),
        created_at: Timestamp(0),
    }
}

fn id() -> ItemId {
    let mut row = Sentence::default();
    row.push(b"!re").unwrap();
    row.push(b"=.id=*1").unwrap();
    ItemId::of(&row).unwrap()
}

fn rule(chain: &str, action: &str, comment: &str) -> Rule {
    Rule {
        id: id(),
        chain: chain.into(),
        action: action.into(),
        comment: (!comment.is_empty()).then(|| comment.to_owned()),
        is_disabled: false,
        is_dynamic: false,
        octets: None,
        packets: None,
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A router as the setup script leaves it.
fn facts() -> RouterFacts {
    RouterFacts {
        version: "7.15.3 (stable)".into(),
        clock: Ok(Some(NOW)),
        read_at: NOW,
        radius: Ok(vec![RadiusEntry {
            id: id(),
            service: "ppp,hotspot".into(),
            address: "192.0.2.10".into(),
            authentication_port: Some(1812),
            accounting_port: Some(1813),
            timeout: Some(Duration::from_secs(3)),
            source_address: Some("10.20.0.1".into()),
            is_disabled: false,
        }]),
        incoming: Ok(RadiusIncoming {
            is_accepted: true,
            port: Some(3799),
        }),
        aaa: Ok(PppAaa {
            uses_radius: true,
            has_accounting: true,
            interim_update: Some(Duration::from_secs(300)),
        }),
        filter: Ok(vec![
            rule("forward", "jump", "proxpanel expired from late"),
            rule("forward", "jump", "proxpanel expired to late"),
            rule("forward", "accept", "established"),
            rule("proxpanel-expired", "accept", "proxpanel walled to"),
            rule("proxpanel-expired", "accept", "proxpanel walled from"),
            rule("proxpanel-expired", "reject", "proxpanel expired tcp"),
            rule("proxpanel-expired", "reject", "proxpanel expired rest"),
        ]),
        pools: Ok(names(&["homes", "late"])),
        ipv6_pools: Ok(names(&["pd"])),
        shadowing: Ok(Vec::new()),
    }
}

fn seen(api: ApiSeen) -> Observed {
    Observed {
        now: NOW,
        nas: nas(),
        named: Named {
            pools: names(&["homes"]),
            expired_pools: names(&["late"]),
            ipv6_pools: names(&["pd"]),
            profiles: Vec::new(),
        },
        server: "192.0.2.10".parse().ok(),
        interim_interval: 300,
        last_auth: Some(NOW),
        last_acct: Some(NOW),
        last_wrong_secret: None,
        coa: vec![report(CoaOutcome::Refused(Some(503)))],
        open: 10,
        overdue: 0,
        api,
    }
}

fn report(outcome: CoaOutcome) -> CoaReport {
    CoaReport {
        at: NOW,
        is_disconnect: true,
        username: "ali".into(),
        outcome,
    }
}

fn read(facts: RouterFacts) -> Observed {
    seen(ApiSeen::Read(Box::new(facts)))
}

#[track_caller]
fn find(observed: &Observed, name: &str) -> Check {
    let mut checks = judge(observed).into_iter();
    checks
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("no check {name}"))
}

/// Verdict and command of one check.
#[track_caller]
fn verdict(observed: &Observed, name: &str) -> (Verdict, String) {
    let check = find(observed, name);
    assert!(check.says.ends_with(['.', '”']), "{}", check.says);
    (check.verdict, check.command)
}

use Verdict::{Bad, Good, Unknown};

#[test]
fn a_router_that_is_set_up_is_green_throughout() {
    let checks = judge(&read(facts()));
    assert_eq!(checks.len(), 15);
    for check in checks {
        assert_eq!(check.verdict, Good, "{check:?}");
        assert_eq!(check.command, "", "{check:?}");
    }
}

#[test]
fn packets_are_judged_by_their_age() {
    let silent = NOW.plus(-10 * MINUTE);
    let case = |auth, acct, api| Observed {
        last_auth: auth,
        last_acct: acct,
        ..seen(api)
    };
    for (auth, acct, expected) in [
        (Some(silent), None, Good),
        (None, Some(silent), Good),
        (Some(silent.plus(-1)), Some(silent.plus(-1)), Bad),
        (None, None, Bad),
    ] {
        let (found, command) = verdict(&case(auth, acct, ApiSeen::NotSet), "Reachable");
        assert_eq!(found, expected);
        assert_eq!(
            command
                .starts_with("/radius add service=ppp address=192.0.2.10 src-address=10.20.0.1 "),
            expected == Bad
        );
    }
    let quiet = case(None, None, ApiSeen::Read(Box::new(facts())));
    assert_eq!(verdict(&quiet, "Reachable").0, Good);
    assert_eq!(verdict(&quiet, "Authentication").0, Unknown);
    for (wrong, expected) in [(silent, Bad), (silent.plus(-1), Good)] {
        let observed = Observed {
            last_wrong_secret: Some(wrong),
            ..seen(ApiSeen::NotSet)
        };
        assert_eq!(verdict(&observed, "Authentication").0, expected);
    }
}

#[test]
fn records_are_due_when_sessions_are_open() {
    let case = |open, overdue, acct, source| Observed {
        open,
        overdue,
        last_acct: acct,
        nas: Nas {
            usage_source: source,
            ..nas()
        },
        ..seen(ApiSeen::NotSet)
    };
    use UsageSource::{Accounting, Api};
    for (open, acct, source, expected) in [
        (0, None, Accounting, Unknown),
        (1, None, Accounting, Bad),
        (1, Some(NOW.plus(-10 * MINUTE)), Accounting, Good),
        (1, Some(NOW.plus(-10 * MINUTE - 1)), Accounting, Bad),
        (1, None, Api, Good),
    ] {
        assert_eq!(
            verdict(&case(open, 0, acct, source), "Accounting").0,
            expected
        );
    }
    for (open, overdue, source, expected, command) in [
        (0, 0, Accounting, Unknown, ""),
        (20, 0, Accounting, Good, ""),
        (20, 2, Accounting, Good, ""),
        (
            20,
            3,
            Accounting,
            Bad,
            "/ppp aaa set accounting=yes interim-update=300s",
        ),
        (20, 20, Api, Good, ""),
    ] {
        let found = verdict(&case(open, overdue, Some(NOW), source), "Interim records");
        assert_eq!(found, (expected, command.to_owned()), "{overdue} of {open}");
    }
}

#[test]
fn coa_is_judged_by_the_newest_outcomes() {
    let mend = "/radius incoming set accept=yes port=3799";
    for (outcomes, expected, command) in [
        (vec![], Unknown, ""),
        (vec![CoaOutcome::Confirmed], Good, ""),
        (vec![CoaOutcome::Refused(Some(503))], Good, ""),
        (vec![CoaOutcome::NoAnswer], Bad, mend),
        (vec![CoaOutcome::Refused(Some(501))], Bad, ""),
        (vec![CoaOutcome::Refused(None)], Bad, ""),
        (vec![CoaOutcome::NoAnswer, CoaOutcome::Confirmed], Good, ""),
    ] {
        let observed = Observed {
            coa: outcomes.into_iter().map(report).collect(),
            ..seen(ApiSeen::NotSet)
        };
        let found = verdict(&observed, "Changes and disconnects (CoA)");
        assert_eq!(found, (expected, command.to_owned()));
    }
}
