//! Whole scripts against golden files, and what must hold for any of them.

use super::*;

const V6: &str = include_str!("../../../tests/golden/script-v6.rsc");
const V7: &str = include_str!("../../../tests/golden/script-v7.rsc");

fn full() -> ScriptInput<'static> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ScriptInput {
        identity: Some("bras-01"),
        server: "192.0.2.10".parse().ok(),
        source: "10.20.0.1".parse().ok(),
        secret: Some("shared-secret"),
        auth_port: 1812,
        acct_port: 1813,
        coa_port: 3799,
        interim_seconds: 300,
        pools: names(&["homes", "offices", "homes"]),
        expired_pools: names(&["expired"]),
        profiles: names(&["gold"]),
        portal: "192.0.2.80".parse().ok(),
        access_interface: Some("ether2"),
        api: Some(ScriptApi {
            user: "proxpanel",
            password: Some("api-password"),
            port: 8729,
            service: ApiService::OwnCertificate,
        }),
    }
}

fn bare() -> ScriptInput<'static> {
    ScriptInput {
        auth_port: 1812,
        acct_port: 1813,
        coa_port: 1700,
        interim_seconds: 60,
        ..ScriptInput::default()
    }
}

fn text(input: &ScriptInput<'_>, version: Version) -> String {
    render(&script(input, version).unwrap())
}

#[test]
fn scripts_of_both_versions_are_the_golden_ones() {
    assert_eq!(text(&full(), Version::V6), V6);
    assert_eq!(text(&full(), Version::V7), V7);
}

/// Quotes, brackets and blocks are closed; every command is guarded, and every `add` looks first.
fn check(script: &str) {
    // The openers of the blocks around a line, outermost first.
    let mut blocks: Vec<String> = Vec::new();
    for line in script.lines() {
        if line.starts_with('#') {
            assert!(blocks.is_empty(), "a step inside of another: {line}");
            continue;
        }
        let (mut quoted, mut escaped, mut brackets) = (false, false, 0);
        let mut opener = String::new();
        for c in line.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' => {
                    assert!(quoted, "a backslash outside of quotes: {line}");
                    escaped = true;
                }
                '"' => quoted = !quoted,
                _ if quoted => {}
                '[' | '(' => brackets += 1,
                ']' | ')' => brackets -= 1,
                '{' => blocks.push(opener.trim().to_owned()),
                '}' => {
                    blocks.pop().unwrap_or_else(|| panic!("not opened: {line}"));
                }
                _ => {}
            }
            assert!(brackets >= 0, "{line}");
            opener.push(c);
        }
        assert!(!quoted && !escaped && brackets == 0, "not closed: {line}");
        let command = line.trim();
        if command.starts_with('/') {
            let outermost = blocks.first().map(String::as_str);
            assert_eq!(outermost, Some(":do"), "not guarded: {line}");
        }
        if command.starts_with('/') && command.contains(" add ") {
            let looks = |block: &String| block.contains("[:len [") && block.contains("= 0) do=");
            assert!(blocks.iter().any(looks), "added without a look: {line}");
        }
    }
    assert!(blocks.is_empty(), "blocks left open: {blocks:?}");
}

#[test]
fn every_script_is_well_formed_and_adds_nothing_twice() {
    let plain = |service| ScriptInput {
        server: "2001:db8::10".parse().ok(),
        secret: None,
        portal: None,
        identity: None,
        api: Some(ScriptApi {
            user: "proxpanel",
            password: None,
            port: 8728,
            service,
        }),
        ..full()
    };
    let inputs = [
        full(),
        bare(),
        plain(ApiService::Plain),
        plain(ApiService::GivenCertificate),
    ];
    for input in inputs {
        for version in [Version::V6, Version::V7] {
            check(&text(&input, version));
        }
    }
}

#[test]
fn what_is_not_known_is_left_to_the_operator() {
    let script = text(&bare(), Version::V7);
    assert!(script.contains("address=SERVER "));
    assert!(script.contains("secret=\"SECRET\""));
    for absent in [
        "src-address=10",
        "/system identity",
        "/ip pool",
        "/ppp profile",
        "pppoe-server",
        "/user",
        "/certificate",
        "/ip service",
        "proxpanel-expired",
    ] {
        assert!(!script.contains(absent), "{absent}");
    }
    assert!(script.contains("port=1700") && script.contains("interim-update=60s"));
    // A word in place of a secret is for a new entry only: the second run must not spoil what was put there.
    let hidden = ScriptInput {
        secret: None,
        ..full()
    };
    let script = text(&hidden, Version::V7);
    assert_eq!(script.matches("SECRET").count(), 1);
    assert!(!script.contains("shared-secret"));
}

#[test]
fn the_server_is_reached_by_its_own_family() {
    let v6 = ScriptInput {
        server: "2001:db8::10".parse().ok(),
        ..full()
    };
    let script = text(&v6, Version::V7);
    assert!(script.contains("/ipv6 firewall filter add chain=input"));
    assert!(script.contains("address=2001:db8::10/128"));
    assert!(
        !script.contains("src-address=10.20.0.1"),
        "of the other family"
    );
}

#[test]
fn versions_differ_where_routeros_does() {
    for (words, in_v6, in_v7) in [
        ("require-message-auth", false, true),
        ("primary-ntp", true, false),
        ("servers=162.159.200.1,", false, true),
        ("use-ipv6", false, true),
        ("tls-version", false, true),
        ("key-usage", false, true),
        ("/radius incoming set accept=yes port=3799", true, true),
    ] {
        assert_eq!(text(&full(), Version::V6).contains(words), in_v6, "{words}");
        assert_eq!(text(&full(), Version::V7).contains(words), in_v7, "{words}");
    }
}

#[test]
fn values_that_would_leave_their_quotes_are_refused() {
    for c in [
        '"', '$', '[', ']', '{', '}', ';', '\\', '\n', '\r', '\t', '\0',
    ] {
        let value = format!("a{c}b");
        let api = |user, password| ScriptApi {
            user,
            password,
            port: 8729,
            service: ApiService::OwnCertificate,
        };
        let refused = |input: ScriptInput<'_>| script(&input, Version::V7).err();
        for (input, what) in [
            (
                ScriptInput {
                    identity: Some(&value),
                    ..bare()
                },
                "the name of the router",
            ),
            (
                ScriptInput {
                    secret: Some(&value),
                    ..bare()
                },
                "the shared secret",
            ),
            (
                ScriptInput {
                    access_interface: Some(&value),
                    ..bare()
                },
                "the interface",
            ),
            (
                ScriptInput {
                    api: Some(api(&value, None)),
                    ..bare()
                },
                "the API user",
            ),
            (
                ScriptInput {
                    api: Some(api("x", Some(&value))),
                    ..bare()
                },
                "the API password",
            ),
        ] {
            assert_eq!(
                refused(input),
                Some(RouterError::ScriptValue(what.to_owned()))
            );
        }
        for input in [
            ScriptInput {
                pools: vec![value.clone()],
                ..bare()
            },
            ScriptInput {
                expired_pools: vec![value.clone()],
                ..bare()
            },
            ScriptInput {
                profiles: vec![value.clone()],
                ..bare()
            },
        ] {
            assert!(refused(input).is_some(), "{c:?}");
        }
    }
    let harmless = ScriptInput {
        secret: Some("a b'c#d(e)=?*&%é"),
        ..bare()
    };
    check(&text(&harmless, Version::V7));
}

#[test]
fn pools_do_not_overlap_and_are_bounded() {
    let pools = |count: usize| ScriptInput {
        pools: (0..count).map(|n| format!("pool{n:03}")).collect(),
        ..bare()
    };
    let script = text(&pools(MOST_POOLS + 1), Version::V7);
    assert_eq!(script.matches("/ip pool add").count(), MOST_POOLS);
    for range in [
        "name=\"pool000\" ranges=100.64.0.10-100.64.31.254",
        "name=\"pool007\" ranges=100.64.224.10-100.64.255.254",
        "name=\"pool008\" ranges=100.65.0.10-100.65.31.254",
        "name=\"pool255\" ranges=100.95.224.10-100.95.255.254",
    ] {
        assert!(script.contains(range), "{range}");
    }
}
