//! Extra attributes of plans and subscribers: what a request must have, and what the accept carries.

use super::*;
use crate::domain::extra::Extras;
use crate::domain::plan::{OnExpiry, Plan};
use crate::operations::extras::{parse_check, parse_reply};
use crate::operations::subscribers::Draft;
use crate::radius::number::mikrotik;

/// What the router sends besides the credentials.
fn line(port: &str, port_type: u32) -> AttributeBuffer {
    let mut extra = calling("02:00:00:00:00:09");
    extra.push_text(number::NAS_PORT_ID, port).unwrap();
    extra.push_u32(number::NAS_PORT_TYPE, port_type).unwrap();
    extra
}

#[test]
fn the_checks_of_plan_and_subscriber_must_all_hold() {
    let bench = bench();
    let plan = bench.it.add_plan(Plan {
        extras: Extras {
            check: parse_check("NAS-Port-Type = Ethernet").unwrap(),
            reply: Vec::new(),
        },
        ..plan("Home")
    });
    bench.it.add_subscriber(Draft {
        extras: Extras {
            check: parse_check("NAS-Port-Id = ether1\nCalling-Station-Id = 0200.0000.0009")
                .unwrap(),
            reply: Vec::new(),
        },
        ..subscriber("ali", plan)
    });
    let cases = [
        ("ether1", 15, Code::ACCESS_ACCEPT),
        ("ether2", 15, Code::ACCESS_REJECT),
        ("ether1", 5, Code::ACCESS_REJECT),
    ];
    let asked =
        cases.map(|(port, kind, _)| bench.ask("ali", "pass-1", Method::Pap, &line(port, kind)));
    for (asked, (port, kind, expected)) in asked.iter().zip(cases) {
        assert_eq!(code(&asked.reply()), expected, "{port} {kind}");
    }
    assert_eq!(bench.logged("ali").reason, Some(Reason::CheckFailed));
}

#[test]
fn the_accept_carries_the_attributes_of_plan_and_subscriber() {
    let bench = bench();
    let plan = bench.it.add_plan(Plan {
        router_profile: "gold".to_owned(),
        on_expiry: OnExpiry::ExpiredPool {
            pool: "walled".to_owned(),
        },
        extras: Extras {
            check: Vec::new(),
            reply: parse_reply("Idle-Timeout = 600\nReply-Message = plan").unwrap(),
        },
        ..plan("Home")
    });
    let own = Extras {
        check: Vec::new(),
        reply: parse_reply("Mikrotik-Group = vip\nReply-Message = own").unwrap(),
    };
    bench.it.add_subscriber(Draft {
        extras: own.clone(),
        ..subscriber("ali", plan)
    });
    bench.it.add_subscriber(Draft {
        extras: own,
        expires_at: Some(NOW),
        ..subscriber("late", plan)
    });
    bench.it.add_subscriber(subscriber("sara", plan));
    for (name, idle, messages, group) in [
        ("ali", Some(600), vec!["plan", "own"], "vip"),
        ("sara", Some(600), vec!["plan"], "gold"),
        ("late", None, vec![], "walled"),
    ] {
        let octets = bench.login(name);
        let reply = Packet::parse(&octets).unwrap();
        assert_eq!(reply.code(), Code::ACCESS_ACCEPT, "{name}");
        assert_eq!(reply.u32(number::IDLE_TIMEOUT), idle, "{name}");
        let said: Vec<&[u8]> = reply.all(number::REPLY_MESSAGE).collect();
        let messages: Vec<&[u8]> = messages.iter().map(|text| text.as_bytes()).collect();
        assert_eq!(said, messages, "{name}");
        let groups: Vec<&[u8]> = reply
            .vendor_attributes()
            .filter(|a| (a.vendor, a.kind) == (mikrotik::VENDOR, u32::from(mikrotik::GROUP)))
            .map(|a| a.value)
            .collect();
        assert_eq!(groups, [group.as_bytes()], "{name}");
        assert!(reply.first(number::CLASS).is_some());
    }
}
