//! Lines that are taken, lines that are refused and why, and requests that hold them or not.

use proptest::prelude::*;

use super::*;
use crate::domain::audit::Object;
use crate::domain::extra::Extras;
use crate::operations::subscribers;
use crate::operations::testing::{TestApp, actor, plan, run, subscriber};
use crate::store::audit;

fn texts(extras: &[Extra]) -> Vec<&str> {
    extras.iter().map(|extra| extra.text.as_str()).collect()
}

fn octets(text: &str) -> Vec<u8> {
    let mut extras = parse_reply(text).unwrap();
    assert_eq!(extras.len(), 1, "{text}");
    extras.remove(0).octets
}

fn vendor(vendor: u32, kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap();
    let head = [26, length + 8];
    [&head, &vendor.to_be_bytes()[..], &[kind, length + 2], value].concat()
}

#[test]
fn every_shape_of_value_is_written() {
    for (text, expected) in [
        ("Filter-Id = gold", [&[11, 6][..], b"gold"].concat()),
        ("service-type := Login-User", vec![6, 6, 0, 0, 0, 1]),
        ("Idle-Timeout=300", vec![28, 6, 0, 0, 1, 44]),
        (
            "Framed-IP-Netmask = 255.255.255.0",
            vec![9, 6, 255, 255, 255, 0],
        ),
        (
            "Framed-IPv6-Prefix = 2001:db8:1::/48",
            vec![97, 10, 0, 48, 0x20, 0x01, 0x0D, 0xB8, 0, 1],
        ),
        (
            "Framed-IPv6-Address = 2001:db8::1",
            [&[168, 18, 0x20, 0x01, 0x0D, 0xB8][..], &[0; 11], &[1]].concat(),
        ),
        ("Chargeable-User-Identity = 0x00ff", vec![89, 4, 0, 255]),
        ("Mikrotik-Group = vip", vendor(14988, 3, b"vip")),
        (
            "ERX-Service-Timeout:2 = 60",
            vendor(4874, 68, &[2, 0, 0, 60]),
        ),
        ("ERX-Service-Activate = a(1)", vendor(4874, 65, b"\x01a(1)")),
        ("Tunnel-Type:3 = 13", vec![64, 6, 3, 0, 0, 13]),
        (
            "Cisco-AVPair = \"ip:vrf-id=blue\"",
            vendor(9, 1, b"ip:vrf-id=blue"),
        ),
        ("Filter-Id = \" x \"", vec![11, 5, b' ', b'x', b' ']),
        ("Filter-Id = \"=x\"", vec![11, 4, b'=', b'x']),
    ] {
        assert_eq!(octets(text), expected, "{text}");
    }
}

#[test]
fn lines_are_kept_in_one_spelling() {
    let typed =
        "\r\n  mikrotik-group:=vip \r\n\r\nerx-service-activate : 2 = \"a\"\nFilter-Id =  \" x\"";
    let extras = parse_reply(typed).unwrap();
    let expected = [
        "Mikrotik-Group = vip",
        "ERX-Service-Activate:2 = a",
        "Filter-Id = \" x\"",
    ];
    assert_eq!(texts(&extras), expected);
    assert_eq!(parse_reply(&to_text(&extras)), Ok(extras));
    assert_eq!(parse_check(""), Ok(Vec::new()));
}

#[test]
fn what_is_wrong_names_the_line() {
    for (text, expected) in [
        ("Filter-Id", "Line 1: it must be NAME = VALUE"),
        ("= gold", "Line 1: it must be NAME = VALUE"),
        ("Filter-Id == gold", "Line 1: it must be NAME = VALUE"),
        ("\nNo-Such = 1", "Line 2: no attribute is called No-Such"),
        ("Filter-Id =", "Line 1: Filter-Id needs a value"),
        ("Filter-Id = \"a", "Line 1: the closing quote is missing"),
        ("Filter-Id = \"", "Line 1: the closing quote is missing"),
        ("Filter-Id:1 = a", "Line 1: Filter-Id has no tags"),
        (
            "Tunnel-Type:32 = 13",
            "Line 1: a tag is a number from 1 to 31",
        ),
        (
            "Tunnel-Type:0 = 13",
            "Line 1: a tag is a number from 1 to 31",
        ),
        (
            "Tunnel-Type = 16777216",
            "Line 1: Tunnel-Type takes a whole number below 16777216",
        ),
        (
            "Filter-Id = gold\nIdle-Timeout = soon",
            "Line 2: Idle-Timeout takes a whole number",
        ),
        (
            "Framed-IP-Netmask = 255.255",
            "Line 1: Framed-IP-Netmask takes an IPv4 address, such as 192.0.2.1",
        ),
        (
            "Framed-IPv6-Prefix = 2001:db8::/129",
            "Line 1: Framed-IPv6-Prefix takes an IPv6 prefix, such as 2001:db8::/56",
        ),
        (
            "Chargeable-User-Identity = 0x0",
            "Line 1: Chargeable-User-Identity takes octets in hex, such as 0x00ff",
        ),
        (
            "Filter-Id = a\u{7}b",
            "Line 1: Filter-Id has a control character in its value",
        ),
    ] {
        assert_eq!(parse_reply(text), Err(Invalid::new(expected)), "{text:?}");
    }
    for (length, is_taken) in [(247, true), (248, false)] {
        let text = format!("Mikrotik-Group = {}", "x".repeat(length));
        let expected = "Line 1: the value of Mikrotik-Group is too long for an attribute";
        let result = parse_reply(&text);
        assert_eq!(result.is_ok(), is_taken, "{length}");
        if let Err(problem) = result {
            assert_eq!(problem.0, expected);
        }
    }
}

#[test]
fn a_list_is_bounded_in_lines_and_in_octets() {
    let lines = |count: usize| "Filter-Id = a\n\n".repeat(count);
    assert_eq!(parse_reply(&lines(16)).map(|e| e.len()), Ok(16));
    let problem = Invalid::new("At most 16 attributes");
    assert_eq!(parse_reply(&lines(17)), Err(problem));
    // Five attributes of 200 octets are a thousand.
    let text = format!("Filter-Id = {}\n", "x".repeat(198));
    assert!(parse_reply(&text.repeat(5)).is_ok());
    let problem = Invalid::new("At most 1000 octets of attributes");
    assert_eq!(
        parse_reply(&format!("{}Filter-Id = a", text.repeat(5))),
        Err(problem)
    );
}

#[test]
fn what_only_the_appliance_says_is_refused() {
    let value = |definition: &Definition| match definition.kind {
        Kind::Text | Kind::TaggedText => "a",
        Kind::Octets => "0x01",
        Kind::Ipv4 => "192.0.2.1",
        Kind::Ipv6 => "2001:db8::1",
        Kind::Ipv6Prefix => "2001:db8::/56",
        _ => "1",
    };
    for (name, check, reply) in [
        ("User-Name", None, Some(OURS)),
        ("User-Password", Some(CREDENTIAL), Some(CREDENTIAL)),
        ("CHAP-Password", Some(CREDENTIAL), Some(CREDENTIAL)),
        ("CHAP-Challenge", Some(CREDENTIAL), Some(CREDENTIAL)),
        ("Class", None, Some(OURS)),
        ("State", Some(CREDENTIAL), Some(CREDENTIAL)),
        ("Proxy-State", Some(CREDENTIAL), Some(CREDENTIAL)),
        ("Message-Authenticator", Some(CREDENTIAL), Some(CREDENTIAL)),
        ("EAP-Message", Some(CREDENTIAL), Some(CREDENTIAL)),
        ("MS-CHAP-Error", Some(CREDENTIAL), Some(CREDENTIAL)),
        ("MS-CHAP2-Success", Some(CREDENTIAL), Some(CREDENTIAL)),
        ("MS-MPPE-Send-Key", Some(CREDENTIAL), Some(CREDENTIAL)),
        (
            "MS-MPPE-Encryption-Policy",
            Some(CREDENTIAL),
            Some(CREDENTIAL),
        ),
        ("MS-Primary-DNS-Server", None, None),
        ("Tunnel-Password", Some(CREDENTIAL), Some(SECRET)),
        ("Mikrotik-Wireless-PSK", Some(CREDENTIAL), Some(SECRET)),
        ("Ruckus-DPSK", Some(CREDENTIAL), Some(SECRET)),
        ("Acct-Session-Id", None, Some(REQUEST_ONLY)),
        ("Acct-Input-Octets", None, Some(REQUEST_ONLY)),
        ("ERX-IPv6-Acct-Input-Octets", None, Some(REQUEST_ONLY)),
        ("Event-Timestamp", None, Some(REQUEST_ONLY)),
        ("Calling-Station-Id", None, Some(REQUEST_ONLY)),
        ("NAS-Port-Type", None, Some(REQUEST_ONLY)),
        ("Acct-Interim-Interval", None, Some(OURS)),
        ("Session-Timeout", None, Some(OURS)),
        ("Framed-IP-Address", None, Some(OURS)),
        ("Mikrotik-Rate-Limit", None, Some(SPEED)),
        ("WISPr-Bandwidth-Max-Up", None, Some(SPEED)),
        ("Huawei-Output-Peak-Rate", None, Some(SPEED)),
        ("ZTE-Rate-Ctrl-SCR-Down", None, Some(SPEED)),
        ("WISPr-Bandwidth-Min-Up", None, None),
        ("Mikrotik-Address-List", None, None),
        ("Framed-Pool", None, None),
        ("Framed-Route", None, None),
        ("Reply-Message", None, None),
    ] {
        let definition = dictionary::by_name(name).unwrap();
        let line = format!("{name} = {}", value(definition));
        for (parse, why) in [(parse_check as fn(&str) -> _, check), (parse_reply, reply)] {
            let result: Result<Vec<Extra>, Invalid> = parse(&line);
            match why {
                None => assert!(result.is_ok(), "{name}: {result:?}"),
                Some(why) => {
                    let problem = format!("Line 1: {name} cannot stand here: {why}");
                    assert_eq!(result, Err(Invalid(problem)));
                }
            }
        }
    }
}

/// A request with these attributes.
fn request(fill: impl Fn(&mut AttributeBuffer)) -> Vec<u8> {
    let mut out = AttributeBuffer::new();
    fill(&mut out);
    let length = u16::try_from(20 + out.octets().len()).unwrap();
    [&[1, 7][..], &length.to_be_bytes(), &[0; 16], out.octets()].concat()
}

#[test]
fn a_request_holds_what_is_in_it() {
    let octets = request(|out| {
        out.push_text(number::USER_NAME, "ali").unwrap();
        out.push_text(number::CALLING_STATION_ID, "aa-bb-cc-dd-ee-0f")
            .unwrap();
        out.push_text(number::NAS_IDENTIFIER, "Tower").unwrap();
        out.push_u32(number::NAS_PORT_TYPE, 15).unwrap();
        out.push_text(number::REPLY_MESSAGE, "one").unwrap();
        out.push_text(number::REPLY_MESSAGE, "two").unwrap();
        // Two parts in one Vendor-Specific.
        let parts = [0, 0, 0x3A, 0x8C, 9, 3, b'r', 3, 3, b'g'];
        out.push_raw(number::VENDOR_SPECIFIC, &parts).unwrap();
    });
    let packet = Packet::parse(&octets).unwrap();
    for (text, is_held) in [
        ("", true),
        ("User-Name = ali", true),
        ("User-Name = Ali", false),
        ("Calling-Station-Id = AA:BB:CC:DD:EE:0F", true),
        ("Calling-Station-Id = aabb.ccdd.ee0f", true),
        ("Calling-Station-Id = AA:BB:CC:DD:EE:0E", false),
        ("Calling-Station-Id = aa", false),
        ("NAS-Identifier = Tower", true),
        ("NAS-Identifier = tower", false),
        ("NAS-Identifier = Tow", false),
        ("NAS-Port-Type = Ethernet", true),
        ("NAS-Port-Type = Virtual", false),
        ("NAS-Port-Id = ether1", false),
        ("Reply-Message = two", true),
        ("Mikrotik-Realm = r", true),
        ("Mikrotik-Group = g", true),
        ("Mikrotik-Group = r", false),
        ("Mikrotik-Mark-Id = r", false),
        ("Cisco-NAS-Port = r", false),
        ("User-Name = ali\nNAS-Port-Type = Ethernet", true),
        ("User-Name = ali\nNAS-Port-Type = Virtual", false),
        ("NAS-Port-Type = Virtual\nUser-Name = ali", false),
    ] {
        let checks = parse_check(text).unwrap();
        assert_eq!(hold(&packet, &checks), is_held, "{text:?}");
    }
    let broken = Extra {
        text: String::new(),
        octets: vec![1],
    };
    assert!(!hold(&packet, [&broken]));
}

#[test]
fn only_the_calling_station_is_compared_as_an_address() {
    let octets = request(|out| {
        let mac = "aa-bb-cc-dd-ee-0f";
        out.push_text(number::CALLED_STATION_ID, mac).unwrap();
        out.push_text(number::CALLING_STATION_ID, "10.0.0.1")
            .unwrap();
    });
    let packet = Packet::parse(&octets).unwrap();
    for (text, is_held) in [
        ("Called-Station-Id = AA:BB:CC:DD:EE:0F", false),
        ("Called-Station-Id = aa-bb-cc-dd-ee-0f", true),
        ("Calling-Station-Id = 10.0.0.1", true),
        ("Calling-Station-Id = 10.0.0.2", false),
    ] {
        let checks = parse_check(text).unwrap();
        assert_eq!(hold(&packet, &checks), is_held, "{text}");
    }
}

#[test]
fn a_change_of_them_is_in_the_audit_log() {
    let it = TestApp::new();
    let plan = it.add_plan(plan("Home"));
    let draft = subscriber("ali", plan);
    let id = it.add_subscriber(draft.clone());
    let changed = subscribers::Draft {
        password: None,
        extras: Extras {
            check: parse_check("NAS-Port-Id=ether1").unwrap(),
            reply: parse_reply("Idle-Timeout:=600\nFramed-Pool=own").unwrap(),
        },
        ..draft
    };
    run(subscribers::update(&it.app, &actor(), id, changed)).unwrap();
    let view = it.app.store.view().unwrap();
    let entry = audit::of(&view, Object::Subscriber(id), 1)
        .unwrap()
        .remove(0);
    let changes: Vec<[&str; 3]> = entry
        .changes
        .iter()
        .map(|c| [c.field.as_str(), c.old.as_str(), c.new.as_str()])
        .collect();
    let reply = "Idle-Timeout = 600\nFramed-Pool = own";
    assert_eq!(
        changes,
        [
            ["check attributes", "", "NAS-Port-Id = ether1"],
            ["reply attributes", "", reply]
        ]
    );
}

proptest! {
    #[test]
    fn what_is_kept_reads_the_same_again(
        name in prop::sample::select(vec!["Filter-Id", "mikrotik-group", "Class", "Idle-Timeout", "Tunnel-Type:2", "ERX-Service-Activate"]),
        value in "[ -~é\"=]{0,40}",
    ) {
        if let Ok(extras) = parse_check(&format!("{name}={value}")) {
            let again = parse_check(&to_text(&extras));
            prop_assert_eq!(again, Ok(extras));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|\n){0,200}") {
        let _ = parse_reply(&text);
    }
}
