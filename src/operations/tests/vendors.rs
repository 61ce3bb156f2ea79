//! The packets that each vendor's routers get, octet by octet, against `tests/golden/accept-*.txt`.
//!
//! When a template changes on purpose, the failing test prints the file as it has to be.

use std::fmt::Write;
use std::path::Path;

use crate::domain::access::{AddressChoice, Entitlement};
use crate::domain::extra::Extra;
use crate::domain::nas::Profile;
use crate::domain::rate::{Burst, Rate, RateLimit};
use crate::operations::extras;
use crate::radius::describe::describe;
use crate::radius::{AttributeBuffer, Packet};
use crate::routers::{RouterError, profile};

/// 10 up, 50 down.
const RATE: Rate = Rate {
    upload_kbps: 10_000,
    download_kbps: 50_000,
};

fn bare() -> Entitlement {
    Entitlement {
        limit: RateLimit {
            rate: RATE,
            burst: None,
            priority: 8,
        },
        address: AddressChoice::Router,
        address_list: String::new(),
        ipv6_pool: String::new(),
        delegated_pool: String::new(),
        delegated_prefix: None,
        router_profile: String::new(),
        extra_reply: Vec::new(),
        session_timeout: None,
        interim_interval: 300,
        is_expired: false,
    }
}

/// Everything that a plan can say.
fn full() -> Entitlement {
    Entitlement {
        limit: RateLimit {
            rate: RATE,
            burst: Some(Burst {
                rate: Rate::new(15_000, 75_000),
                threshold: Rate::new(8_000, 40_000),
                time_s: 16,
            }),
            priority: 5,
        },
        address: AddressChoice::Pool("homes".to_owned()),
        address_list: "paying".to_owned(),
        ipv6_pool: "links6".to_owned(),
        delegated_pool: "homes6".to_owned(),
        router_profile: "gold".to_owned(),
        extra_reply: extras::parse_reply("Framed-Route = 192.0.2.0/24 0.0.0.0 1").unwrap(),
        session_timeout: Some(86_400),
        ..bare()
    }
}

/// A subscriber with addresses of its own, on the same plan.
fn fixed() -> Entitlement {
    Entitlement {
        address: AddressChoice::Static([198, 51, 100, 23].into()),
        delegated_prefix: Some(("2001:db8:7::".parse().unwrap(), 56)),
        extra_reply: Vec::<Extra>::new(),
        ..full()
    }
}

fn accepted(vendor: Profile, entitlement: &Entitlement) -> AttributeBuffer {
    let mut out = AttributeBuffer::new();
    profile::accept(vendor, entitlement, &mut out).unwrap();
    out
}

fn changed(vendor: Profile) -> Result<AttributeBuffer, RouterError> {
    let mut out = AttributeBuffer::new();
    profile::change(vendor, &full().limit, Some(3_600), &mut out).map(|()| out)
}

/// The attributes as the dictionary reads them, in the order of the packet.
fn lines(attributes: &[u8]) -> Vec<String> {
    let length = u16::try_from(20 + attributes.len()).unwrap();
    let header = [&[2, 0][..], &length.to_be_bytes(), &[0; 16]].concat();
    describe(&Packet::parse(&[&header, attributes].concat()).unwrap()).split_off(1)
}

/// A comment that people can read and a line of hex for each attribute.
fn section(title: &str, attributes: &AttributeBuffer, text: &mut String) {
    writeln!(text, "## {title}").unwrap();
    let mut rest = attributes.octets();
    while let &[_, length, ..] = rest {
        let (attribute, after) = rest.split_at(usize::from(length));
        writeln!(text, "# {}", lines(attribute).join(", ")).unwrap();
        for octet in attribute {
            write!(text, "{octet:02x}").unwrap();
        }
        text.push('\n');
        rest = after;
    }
}

fn packets(vendor: Profile) -> String {
    let mut text = String::new();
    section("bare", &accepted(vendor, &bare()), &mut text);
    section("full", &accepted(vendor, &full()), &mut text);
    section("fixed addresses", &accepted(vendor, &fixed()), &mut text);
    match changed(vendor) {
        Ok(change) => section("change", &change, &mut text),
        Err(error) => writeln!(text, "## change\n# {error}").unwrap(),
    }
    text
}

#[test]
fn each_vendor_gets_the_very_octets_of_its_golden_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for vendor in Profile::ALL {
        let file = folder.join(format!("accept-{}.txt", vendor.word()));
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let now = packets(vendor);
        assert!(kept == now, "{} has to be:\n{now}", file.display());
    }
}

/// Upload and download in kbit/s as the router would understand them; `None` where the packet says nothing of it.
fn speeds(vendor: Profile, attributes: &AttributeBuffer) -> [Option<u64>; 2] {
    let lines = lines(attributes.octets());
    let value = |name: &str| {
        let found = lines
            .iter()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        found
            .map(|text| text.trim_matches('"').to_owned())
            .collect::<Vec<String>>()
    };
    let bps = |name: &str| {
        value(name)
            .first()
            .map(|n| n.parse::<u64>().unwrap() / 1_000)
    };
    let after = |name: &str, head: &str| {
        let texts = value(name);
        let mut found = texts.iter().filter_map(|text| text.strip_prefix(head));
        found.next().map(str::to_owned)
    };
    let kbps = |text: String| text.parse::<u64>().unwrap();
    match vendor {
        Profile::MikroTik => {
            let text = value("Mikrotik-Rate-Limit").remove(0);
            let read: crate::routers::mikrotik::RateLimitText = text.parse().unwrap();
            [
                Some(read.rate.upload / 1_000),
                Some(read.rate.download / 1_000),
            ]
        }
        Profile::Cisco => [None, None],
        Profile::Huawei => {
            assert_eq!(
                bps("Huawei-Input-Peak-Rate"),
                bps("Huawei-Input-Average-Rate")
            );
            assert_eq!(
                bps("Huawei-Output-Peak-Rate"),
                bps("Huawei-Output-Average-Rate")
            );
            [
                bps("Huawei-Input-Average-Rate"),
                bps("Huawei-Output-Average-Rate"),
            ]
        }
        Profile::Juniper => {
            let rate = after("ERX-CoS-Shaping-Pmt-Type", "T01 ").unwrap();
            [None, Some(Rate::parse_kbps(&rate).unwrap())]
        }
        Profile::Nokia => [
            after("Alc-Subscriber-QoS-Override", "i:q:1:pir=").map(kbps),
            after("Alc-Subscriber-QoS-Override", "e:r:rate=").map(kbps),
        ],
        Profile::Zte => [bps("ZTE-Rate-Ctrl-SCR-Up"), bps("ZTE-Rate-Ctrl-SCR-Down")],
        Profile::AccelPpp => {
            let text = value("Filter-Id").remove(0);
            let (down, up) = text.split_once('/').unwrap();
            [Some(kbps(up.to_owned())), Some(kbps(down.to_owned()))]
        }
        Profile::Wispr | Profile::Generic => [
            bps("WISPr-Bandwidth-Max-Up"),
            bps("WISPr-Bandwidth-Max-Down"),
        ],
    }
}

#[test]
fn the_dictionary_reads_the_speed_back() {
    for vendor in Profile::ALL {
        let wanted = match vendor {
            Profile::Cisco => [None, None],
            Profile::Juniper => [None, Some(50_000)],
            _ => [Some(10_000), Some(50_000)],
        };
        for entitlement in [bare(), full(), fixed()] {
            let attributes = accepted(vendor, &entitlement);
            assert_eq!(speeds(vendor, &attributes), wanted, "{vendor:?}");
            let unnamed = lines(attributes.octets());
            assert!(
                unnamed.iter().all(|line| !line.contains("Attr-")),
                "{unnamed:?}"
            );
        }
        if let Ok(change) = changed(vendor) {
            assert_eq!(speeds(vendor, &change), wanted, "{vendor:?}");
        }
    }
}
