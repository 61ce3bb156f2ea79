//! What the API says of a router.

use super::*;

#[test]
fn the_api_tells_why_it_cannot_be_used() {
    let reach = "/ip service set api-ssl disabled=no port=8729 address=192.0.2.10";
    for (error, command) in [
        (ApiError::Unreachable("connection refused".into()), reach),
        (ApiError::Timeout { what: "answer" }, reach),
        (
            ApiError::LoginRefused("invalid user name or password".into()),
            "/user set [find where name=\"proxpanel\"] password=\"APIPASS\"",
        ),
        (
            ApiError::Tls("no certificate".into()),
            "/ip service set api-ssl certificate=\"proxpanel-api\"",
        ),
        (ApiError::Closed, ""),
    ] {
        let observed = seen(ApiSeen::Failed(error));
        assert_eq!(verdict(&observed, "API"), (Bad, command.to_owned()));
        assert_eq!(judge(&observed).len(), 6, "nothing else is known");
    }
    assert_eq!(verdict(&seen(ApiSeen::NotSet), "API").0, Unknown);
}

#[test]
fn the_clock_may_be_off_by_half_a_minute() {
    for (off, expected) in [
        (30 * SECOND, Good),
        (-30 * SECOND, Good),
        (30 * SECOND + 1, Bad),
        (-30 * SECOND - 1, Bad),
    ] {
        let clock = Ok(Some(NOW.plus(off)));
        let (found, command) = verdict(&read(RouterFacts { clock, ..facts() }), "Clock");
        assert_eq!(found, expected, "{off}");
        assert_eq!(command.contains(" servers="), expected == Bad);
    }
    let old = RouterFacts {
        clock: Ok(Some(NOW.plus(-61 * MINUTE))),
        version: "6.49.10 (long-term)".into(),
        ..facts()
    };
    let check = find(&read(old), "Clock");
    assert!(check.says.contains("61 min behind"), "{}", check.says);
    assert!(check.command.contains("primary-ntp="), "{}", check.command);
    let odd = RouterFacts {
        clock: Ok(None),
        ..facts()
    };
    assert_eq!(verdict(&read(odd), "Clock").0, Unknown);
}

#[test]
fn the_radius_entry_leads_here_with_time_enough() {
    let entry = facts().radius.unwrap().remove(0);
    let with = |entry: RadiusEntry| {
        read(RouterFacts {
            radius: Ok(vec![entry]),
            ..facts()
        })
    };
    let found = "[find where address=192.0.2.10]";
    let ms = |ms| Some(Duration::from_millis(ms));
    for (changed, expected, command) in [
        (
            RadiusEntry {
                address: "192.0.2.10@main".into(),
                ..entry.clone()
            },
            Good,
            String::new(),
        ),
        (
            RadiusEntry {
                timeout: ms(2_000),
                ..entry.clone()
            },
            Good,
            String::new(),
        ),
        (
            RadiusEntry {
                timeout: ms(1_999),
                ..entry.clone()
            },
            Bad,
            format!("/radius set {found} timeout=3s"),
        ),
        (
            RadiusEntry {
                is_disabled: true,
                ..entry.clone()
            },
            Bad,
            format!("/radius enable {found}"),
        ),
        (
            RadiusEntry {
                service: "login".into(),
                ..entry.clone()
            },
            Bad,
            format!("/radius set {found} service=ppp"),
        ),
        (
            RadiusEntry {
                source_address: Some("0.0.0.0".into()),
                ..entry.clone()
            },
            Good,
            String::new(),
        ),
        (
            RadiusEntry {
                source_address: None,
                ..entry.clone()
            },
            Good,
            String::new(),
        ),
        (
            RadiusEntry {
                source_address: Some("10.20.0.2".into()),
                ..entry.clone()
            },
            Bad,
            format!("/radius set {found} src-address=10.20.0.1"),
        ),
    ] {
        assert_eq!(verdict(&with(changed), "RADIUS entry"), (expected, command));
    }
    let elsewhere = with(RadiusEntry {
        address: "192.0.2.11".into(),
        ..entry
    });
    let (bad, command) = verdict(&elsewhere, "RADIUS entry");
    assert_eq!(bad, Bad);
    assert!(command.starts_with("/radius add "), "{command}");
    // Who does not know the own address takes any entry.
    let unsure = Observed {
        server: None,
        ..elsewhere
    };
    assert_eq!(verdict(&unsure, "RADIUS entry").0, Good);
}

#[test]
fn settings_of_ppp_and_coa() {
    let aaa = |uses_radius, has_accounting, seconds| RouterFacts {
        aaa: Ok(PppAaa {
            uses_radius,
            has_accounting,
            interim_update: Some(Duration::from_secs(seconds)),
        }),
        ..facts()
    };
    for (uses, accounting, expected) in [(true, true, Good), (false, true, Bad), (true, false, Bad)]
    {
        let (found, command) = verdict(&read(aaa(uses, accounting, 0)), "PPP asks RADIUS");
        assert_eq!(found, expected);
        assert_eq!(command.is_empty(), expected == Good);
    }
    let by_api = Observed {
        nas: Nas {
            usage_source: UsageSource::Api,
            ..nas()
        },
        ..read(aaa(true, false, 0))
    };
    assert_eq!(verdict(&by_api, "PPP asks RADIUS").0, Good);
    for (seconds, expected) in [(0, Good), (59, Bad), (60, Good)] {
        let found = verdict(&read(aaa(true, true, seconds)), "Interim setting");
        assert_eq!(found.0, expected, "{seconds}");
    }
    let mend = "/radius incoming set accept=yes port=3799";
    for (is_accepted, port, expected, command) in [
        (true, Some(3799), Good, ""),
        (true, None, Good, ""),
        (true, Some(1700), Bad, mend),
        (false, Some(3799), Bad, mend),
    ] {
        let incoming = Ok(RadiusIncoming { is_accepted, port });
        let found = verdict(
            &read(RouterFacts {
                incoming,
                ..facts()
            }),
            "CoA setting",
        );
        assert_eq!(found, (expected, command.to_owned()));
    }
}

#[test]
fn fasttrack_secrets_and_pools() {
    let fast = rule("forward", "fasttrack-connection", "");
    let off = Rule {
        is_disabled: true,
        ..fast.clone()
    };
    let counter = Rule {
        is_dynamic: true,
        ..fast.clone()
    };
    for (rule, expected) in [(fast, Bad), (off, Good), (counter, Good)] {
        let mut facts = facts();
        facts.filter.as_mut().unwrap().push(rule);
        assert_eq!(verdict(&read(facts), "FastTrack").0, expected);
    }
    let many: Vec<String> = (1..=7).map(|n| format!("user{n}")).collect();
    let shadowed = RouterFacts {
        shadowing: Ok(many),
        ..facts()
    };
    let check = find(&read(shadowed), "Local secrets");
    assert!(check.says.ends_with("user5 and 2 more."), "{}", check.says);
    assert_eq!(check.command.lines().count(), 5);
    assert!(
        check
            .command
            .starts_with("/ppp secret disable [find where name=\"user1\"]")
    );
    // A name that would leave its quotes stays out of the command.
    let hostile = RouterFacts {
        shadowing: Ok(names(&["a\"]; /x"])),
        ..facts()
    };
    assert_eq!(find(&read(hostile), "Local secrets").command, "");
    let fewer = RouterFacts {
        pools: Ok(names(&["late"])),
        ipv6_pools: Ok(Vec::new()),
        ..facts()
    };
    let check = find(&read(fewer), "Pools");
    assert_eq!(check.verdict, Bad);
    assert_eq!(
        check.command,
        "/ip pool add name=\"homes\" ranges=FIRST-LAST\n/ipv6 pool add name=\"pd\" prefix=PREFIX prefix-length=LENGTH"
    );
    let no_package = RouterFacts {
        ipv6_pools: Err(ApiError::Closed),
        ..facts()
    };
    assert_eq!(verdict(&read(no_package), "Pools").0, Good);
}

#[test]
fn the_expired_are_held_before_anything_is_accepted() {
    const NAME: &str = "Rules for the expired";
    let nobody = Observed {
        named: Named::default(),
        ..read(facts())
    };
    assert!(judge(&nobody).iter().all(|check| check.name != NAME));
    for gone in 0..7 {
        let mut facts = facts();
        let rules = facts.filter.as_mut().unwrap();
        let is_ours = rules[gone].comment.as_deref() != Some("established");
        rules[gone].is_disabled = true;
        let (found, command) = verdict(&read(facts), NAME);
        assert_eq!(found, if is_ours { Bad } else { Good }, "{gone}");
        assert_eq!(command.contains("proxpanel expired from late"), is_ours);
    }
    for action in ["accept", "fasttrack-connection", "drop"] {
        let mut facts = facts();
        facts
            .filter
            .as_mut()
            .unwrap()
            .insert(1, rule("forward", action, "early"));
        let (found, command) = verdict(&read(facts), NAME);
        let is_late = action != "drop";
        assert_eq!(found, if is_late { Bad } else { Good }, "{action}");
        let moved = "/ip firewall filter move [find where comment=\"proxpanel expired to late\"] destination=";
        assert_eq!(
            command.starts_with(moved) && command.lines().count() == 1,
            is_late
        );
    }
    // What another chain accepts is not in the way.
    let mut input = facts();
    input
        .filter
        .as_mut()
        .unwrap()
        .insert(0, rule("input", "accept", "winbox"));
    assert_eq!(verdict(&read(input), NAME).0, Good);
}

#[test]
fn what_could_not_be_read_is_not_known() {
    let denied = || ApiError::Trap {
        message: "not enough permissions (9)".into(),
        category: None,
    };
    let facts = RouterFacts {
        clock: Err(denied()),
        radius: Err(denied()),
        incoming: Err(denied()),
        aaa: Err(denied()),
        filter: Err(denied()),
        pools: Err(denied()),
        ipv6_pools: Err(denied()),
        shadowing: Err(denied()),
        ..facts()
    };
    let checks = judge(&read(facts));
    let unknown: Vec<&Check> = checks
        .iter()
        .filter(|check| check.verdict == Unknown)
        .collect();
    assert_eq!(unknown.len(), 9);
    for check in unknown {
        assert!(check.says.contains("lacks the right"), "{check:?}");
        assert_eq!(check.command, "");
    }
}
