//! Every reason for which a login is refused: what the router hears, what the log and the counters say.

use hmac::{Hmac, KeyInit, Mac as _};

use super::*;
use crate::domain::mac::Mac;
use crate::domain::plan::{OnLimit, Plan};
use crate::domain::subscriber::MacMode;
use crate::domain::time::{MINUTE, SECOND};
use crate::domain::window::Window;
use crate::operations::aaa::reject_slot;
use crate::operations::extras;
use crate::operations::subscribers::Draft;
use crate::radius::number::microsoft;
use crate::store::subscribers;

fn method_of(method: Method) -> auth_log::Method {
    match method {
        Method::Pap => auth_log::Method::Pap,
        Method::Chap => auth_log::Method::Chap,
        Method::MsChap => auth_log::Method::MsChapV1,
        Method::MsChap2 => auth_log::Method::MsChapV2,
    }
}

/// What makes a login fail for a reason, and the error that Windows clients show for it (RFC 2433, RFC 2759).
struct Case {
    reason: Reason,
    plan: fn(&mut Plan),
    draft: fn(&mut Draft),
    password: &'static str,
    error: &'static [u8],
}

fn case(reason: Reason, plan: fn(&mut Plan), draft: fn(&mut Draft), error: &'static [u8]) -> Case {
    let password = "pass-1";
    Case {
        reason,
        plan,
        draft,
        password,
        error,
    }
}

const DENIED: &[u8] = b"E=691 ";

fn cases() -> Vec<Case> {
    vec![
        Case {
            password: "pass-2",
            ..case(Reason::WrongPassword, |_| {}, |_| {}, DENIED)
        },
        case(Reason::Disabled, |_| {}, |d| d.enabled = false, b"E=647 "),
        case(
            Reason::Expired,
            |_| {},
            |d| d.expires_at = Some(NOW),
            b"E=648 ",
        ),
        case(
            Reason::QuotaBlocked,
            |p| p.quota.monthly = Some(11_000),
            |_| {},
            b"E=648 ",
        ),
        case(
            Reason::WrongMac,
            |_| {},
            |d| (d.mac_mode, d.macs) = (MacMode::Fixed, vec![Mac([1; 6])]),
            b"E=649 ",
        ),
        case(
            Reason::WrongNas,
            |_| {},
            |d| d.only_nas = Some(NasId(2)),
            b"E=649 ",
        ),
        case(
            Reason::SessionLimit,
            |p| p.on_limit = OnLimit::RejectNew,
            |_| {},
            b"E=649 ",
        ),
        case(
            Reason::OutsideHours,
            |p| p.login_hours = Some(Window::parse("20:27-20:26").unwrap()),
            |_| {},
            b"E=646 ",
        ),
        case(
            Reason::CheckFailed,
            |p| p.extras.check = extras::parse_check("NAS-Port-Id = ether1").unwrap(),
            |_| {},
            DENIED,
        ),
        case(Reason::Fault, |_| {}, |_| {}, DENIED),
    ]
}

/// Everybody asks at the same time, because each reject is held back for a second.
#[test]
fn each_reason_has_its_words_its_log_entry_and_its_counter_whatever_the_method() {
    let bench = bench();
    let app = &bench.it.app;
    let other = bench.it.add_nas(router("other", "127.0.9.9"));
    assert_eq!(other, NasId(2));
    let mut asked = Vec::new();
    for case in cases() {
        let code = case.reason.code();
        let mut plan = plan(code);
        (case.plan)(&mut plan);
        let plan = bench.it.add_plan(plan);
        for method in METHODS {
            let name = format!("{code}-{method:?}");
            let mut draft = subscriber(&name, plan);
            (case.draft)(&mut draft);
            let id = bench.it.add_subscriber(draft);
            match case.reason {
                Reason::QuotaBlocked | Reason::SessionLimit => {
                    bench.it.go_online(&name, id, other, LOCALHOST);
                }
                Reason::Fault => spoil_password(app, id),
                _ => {}
            }
            let ask = bench.ask(&name, case.password, method, &calling("02:00:00:00:00:09"));
            asked.push((case.reason, method, name, case.error, ask));
        }
    }
    for (reason, method, name, error, ask) in asked {
        let octets = ask.reply();
        let reply = Packet::parse(&octets).unwrap();
        assert_eq!(reply.code(), Code::ACCESS_REJECT, "{name}");
        assert_eq!(
            reply.text(number::REPLY_MESSAGE),
            Some(reason.reply_message()),
            "{name}"
        );
        assert_eq!(
            reply.first(number::CLASS),
            None,
            "{name}: nothing of an accept"
        );
        let shown = reply.vendor(microsoft::VENDOR, microsoft::CHAP_ERROR);
        match method {
            Method::Pap | Method::Chap => assert_eq!(shown, None),
            _ => assert!(shown.unwrap()[1..].starts_with(error), "{name}"),
        }
        let logged = bench.logged(&name);
        assert_eq!(
            (logged.reason, logged.method),
            (Some(reason), method_of(method)),
            "{name}"
        );
        assert_eq!(
            (logged.at, logged.nas, logged.source),
            (NOW, NasId(1), LOCALHOST)
        );
        assert_eq!(logged.mac, Some(Mac([2, 0, 0, 0, 0, 9])));
        assert!(logged.subscriber.is_some());
    }
    for case in cases() {
        let counted = app
            .telemetry
            .counters
            .rejects(reject_slot(case.reason))
            .get();
        assert_eq!(counted, 4, "{:?}", case.reason);
    }
    assert_eq!(app.telemetry.counters.access_accepts.get(), 0);
    let nas = app.nas(NasId(1)).unwrap();
    assert_eq!(
        nas.stats.rejects.load(std::sync::atomic::Ordering::Relaxed),
        40
    );
    assert_eq!(nas.stats.last_wrong_secret(), None);
}

fn spoil_password(app: &App, id: crate::domain::id::SubscriberId) {
    let write = app.store.write("spoil", move |tx| {
        let mut stored = subscribers::get(tx, id)?.unwrap();
        stored.sealed_password[5] ^= 1;
        subscribers::put(tx, &stored)
    });
    write.wait().unwrap();
}

#[test]
fn requests_without_a_subscriber_are_refused_each_for_its_reason() {
    let bench = bench();
    let plan = bench.it.add_plan(plan("Home"));
    bench.it.add_subscriber(subscriber("ali", plan));
    let mut no_credential = AttributeBuffer::new();
    no_credential
        .push_text(number::USER_NAME, "nothing")
        .unwrap();
    let mut eap = AttributeBuffer::new();
    eap.push_text(number::USER_NAME, "eap").unwrap();
    eap.push_eap_message(&[2, 77, 0, 8, 1, b'e', b'a', b'p'])
        .unwrap();
    let mut foreign = AttributeBuffer::new();
    foreign.push_raw(number::USER_NAME, b"\xff\xfe").unwrap();
    foreign
        .push_octets(number::USER_PASSWORD, &[0; 16])
        .unwrap();
    let cases = [
        (
            "nothing",
            Reason::BadRequest,
            None,
            unsigned(&no_credential),
        ),
        ("eap", Reason::EapNotSupported, None, signed(&eap)),
        (
            "nobody",
            Reason::UnknownUser,
            None,
            bare("nobody", "pass-1", SECRET),
        ),
        (
            "nobody2",
            Reason::WrongSecret,
            None,
            bare("nobody2", "pass-1", "another-secret"),
        ),
        (
            "ali",
            Reason::WrongSecret,
            Some(()),
            bare("ali", "pass-1", "another-secret"),
        ),
        (
            "\u{fffd}\u{fffd}",
            Reason::UnknownUser,
            None,
            unsigned(&foreign),
        ),
    ];
    let sockets: Vec<_> = cases
        .iter()
        .map(|(.., octets)| bench.send(&bench.auth, LOCALHOST, octets))
        .collect();
    for ((name, reason, known, _), socket) in cases.iter().zip(sockets) {
        let reply = receive(&socket);
        assert_eq!(code(&reply), Code::ACCESS_REJECT, "{name}");
        let packet = Packet::parse(&reply).unwrap();
        let (first, _) = packet.attributes().next().unwrap();
        assert_eq!(first, number::MESSAGE_AUTHENTICATOR, "{name}");
        if *reason == Reason::EapNotSupported {
            assert_eq!(packet.first(number::EAP_MESSAGE), Some(&[4, 77, 0, 4][..]));
        }
        let logged = bench.logged(name);
        assert_eq!(logged.subscriber.is_some(), known.is_some(), "{name}");
        assert_eq!(logged.reason, Some(*reason), "{name}");
    }
    // The panel can say that the router has another secret.
    let stats = &bench.it.app.nas(NasId(1)).unwrap().stats;
    assert_eq!(stats.last_wrong_secret(), Some(NOW));
}

/// Puts the Message-Authenticator that an EAP request must have first (RFC 3579 section 3.2).
fn signed(attributes: &AttributeBuffer) -> Vec<u8> {
    let mut octets = unsigned(attributes);
    octets.splice(
        20..20,
        [&[number::MESSAGE_AUTHENTICATOR, 18][..], &[0; 16]].concat(),
    );
    let length = u16::try_from(octets.len()).unwrap();
    octets[2..4].copy_from_slice(&length.to_be_bytes());
    let mut mac = Hmac::<md5::Md5>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&octets);
    octets[22..38].copy_from_slice(&mac.finalize().into_bytes());
    octets
}

#[test]
fn a_silent_session_does_not_keep_its_subscriber_out() {
    let bench = bench();
    let plan = bench.it.add_plan(Plan {
        on_limit: OnLimit::RejectNew,
        ..plan("Home")
    });
    let other = bench.it.add_nas(router("other", "127.0.9.9"));
    let names = ["within", "beyond"];
    for (name, silent) in names.iter().zip([120, 121]) {
        let id = bench.it.add_subscriber(subscriber(name, plan));
        bench.it.clock.move_to(NOW.plus(-silent * SECOND));
        bench.it.go_online(name, id, other, LOCALHOST);
    }
    bench.it.clock.move_to(NOW);
    let [within, beyond] =
        names.map(|name| bench.ask(name, "pass-1", Method::Pap, &AttributeBuffer::new()));
    assert_eq!(code(&beyond.reply()), Code::ACCESS_ACCEPT);
    assert_eq!(code(&within.reply()), Code::ACCESS_REJECT);
    assert_eq!(bench.logged("within").reason, Some(Reason::SessionLimit));
}

#[test]
fn a_clock_that_jumps_neither_stops_nor_spoils_anything() {
    let bench = bench();
    let plan = bench.it.add_plan(plan("Home"));
    let id = bench.it.add_subscriber(subscriber("ali", plan));
    bench.it.go_online("ali", id, NasId(1), LOCALHOST);
    for jump in [-400 * 24 * 60 * MINUTE, 20 * 24 * 60 * MINUTE, i64::MIN / 2] {
        bench.it.clock.move_to(NOW.plus(jump));
        assert_eq!(code(&bench.login("ali")), Code::ACCESS_ACCEPT, "{jump}");
        let mut record = interim(&bench.it.app, "ali", id, NasId(1), LOCALHOST);
        record.totals = Some(crate::domain::octets::Traffic::new(2_000, 20_000));
        bench.it.account(record);
    }
    bench.it.clock.move_to(NOW);
    let live = bench.it.app.accounting.live();
    let booked: u64 = live
        .all_usage_beyond(0)
        .map(|(_, usage)| usage.raw.total())
        .sum();
    assert_eq!(booked, 22_000);
}
