//! Every shape of row: it reads back as it was, and octets of every released version stay readable.

mod accounting;
mod addresses;
mod backups;
mod indexes;
mod machine;
mod routers;
mod samples;

use proptest::prelude::*;

use super::super::accounting::Entry;
use super::super::codec;
use super::super::tables::{
    ACME, AUDIT, AUTH_LOG, BANDWIDTH_RULES, CDN_PROFILES, CDN_ROUTERS, CLOSED_SESSIONS, IMPORTS,
    LICENCE, LOGINS, NAS, OPEN_SESSIONS, OPERATORS, PLANNED_DISCONNECTS, PLANS, QUOTA_NOTICES,
    SUBSCRIBERS, UPDATE_OFFER, UPDATES, USAGE_AUDIT, USAGE_DAYS,
};
use super::super::testing::{Disk, GOLDEN, golden, quick};
use super::super::{
    Read, Store, StoreError, Tx, acme, auth_log, bandwidth_rules, cdn, licence, nas, notices,
    operators, outbox, planned, plans, sessions, subscribers, usage, usage_audit,
};
use crate::crypto::hex;
use crate::domain::id::{CdnId, LoginId, NasId, OperatorId, SessionId, SubscriberId};
use crate::domain::octets::Traffic;
use crate::domain::quota::{Counting, Period};
use crate::domain::radsec::RadsecTrust;
use crate::domain::session::{Cause, Session, Stopped};
use crate::domain::time::{Day, Timestamp};

fn store() -> Store {
    Disk::default().new_store(&quick())
}

fn write<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write("test", move |tx| work(tx)).wait().unwrap()
}

#[test]
fn rows_of_version_1_are_read_and_written_for_ever() {
    let store = store();
    write(&store, samples::put_all);
    let view = store.view().unwrap();
    golden(
        "subscriber-full",
        view.get(&SUBSCRIBERS, 1).unwrap().unwrap(),
    );
    golden(
        "subscriber-bare",
        view.get(&SUBSCRIBERS, 2).unwrap().unwrap(),
    );
    golden("plan-full", view.get(&PLANS, 1).unwrap().unwrap());
    golden("plan-bare", view.get(&PLANS, 2).unwrap().unwrap());
    golden("plan-newest", view.get(&PLANS, 3).unwrap().unwrap());
    golden(
        "subscriber-newest",
        view.get(&SUBSCRIBERS, 3).unwrap().unwrap(),
    );
    golden(
        "bandwidth-rule",
        view.get(&BANDWIDTH_RULES, 1).unwrap().unwrap(),
    );
    golden("cdn-profile", view.get(&CDN_PROFILES, 1).unwrap().unwrap());
    golden("cdn-router", view.get(&CDN_ROUTERS, 2).unwrap().unwrap());
    golden("nas-newest", view.get(&NAS, 3).unwrap().unwrap());
    golden("nas-tested", view.get(&NAS, 4).unwrap().unwrap());
    golden("nas-full", view.get(&NAS, 1).unwrap().unwrap());
    golden("nas-bare", view.get(&NAS, 2).unwrap().unwrap());
    golden("nas-radsec-pinned", view.get(&NAS, 5).unwrap().unwrap());
    golden("nas-radsec-authority", view.get(&NAS, 6).unwrap().unwrap());
    golden("operator", view.get(&OPERATORS, 1).unwrap().unwrap());
    golden("operator-newest", view.get(&OPERATORS, 2).unwrap().unwrap());
    golden("login", view.get(&LOGINS, [7; 32]).unwrap().unwrap());
    golden("audit", view.get(&AUDIT, 1).unwrap().unwrap());
    golden("auth-log", view.get(&AUTH_LOG, 1).unwrap().unwrap());
    golden(
        "session-closed",
        view.get(&CLOSED_SESSIONS, 1).unwrap().unwrap(),
    );
    golden(
        "session-open",
        view.get(&OPEN_SESSIONS, 2).unwrap().unwrap(),
    );
    golden(
        "usage",
        view.get(&USAGE_DAYS, (20_600, 1)).unwrap().unwrap(),
    );
    golden(
        "session-newest",
        view.get(&OPEN_SESSIONS, 3).unwrap().unwrap(),
    );
    golden(
        "usage-newest",
        view.get(&USAGE_DAYS, (20_601, 1)).unwrap().unwrap(),
    );
    golden(
        "quota-notice",
        view.get(&QUOTA_NOTICES, (1, 20_600, 1, 80))
            .unwrap()
            .unwrap(),
    );
    golden(
        "planned-disconnect",
        view.get(&PLANNED_DISCONNECTS, (samples::NOW.0, 3))
            .unwrap()
            .unwrap(),
    );
    golden("acme", view.get(&ACME, 0).unwrap().unwrap());
    golden("acme-bound", acme::AcmeRow::from(&samples::acme_bound()));
    golden("licence", view.get(&LICENCE, 0).unwrap().unwrap());
    golden("update-offer", view.get(&UPDATE_OFFER, 0).unwrap().unwrap());
    golden("update", view.get(&UPDATES, 1).unwrap().unwrap());
    golden("import", view.get(&IMPORTS, 1).unwrap().unwrap());
    golden("usage-audit", view.get(&USAGE_AUDIT, 0).unwrap().unwrap());
    for (number, work) in samples::all_work().into_iter().enumerate() {
        golden(
            &format!("outbox-{}", number + 1),
            outbox::OutboxRow::from(work),
        );
    }
    golden("id", 61_u32);
    golden("counter", u64::MAX);
    golden("text", "نور".to_owned());
    golden("octets", minicbor::bytes::ByteVec::from(vec![0, 1, 255]));
    golden("empty", ());
    for line in GOLDEN.lines().filter(|line| line.starts_with("journal-")) {
        let (name, octets) = line.split_once(' ').unwrap();
        let entry = accounting::entry(name);
        assert_eq!(hex(&entry.encode().unwrap()), octets, "{name}");
    }
    for name in [
        "journal-stop",
        "journal-on",
        "journal-give-up",
        "journal-newest",
        "journal-told",
        "journal-discount",
    ] {
        let octets = hex(&accounting::entry(name).encode().unwrap());
        assert!(
            GOLDEN.contains(&format!("{name} {octets}\n")),
            "{name} {octets}"
        );
    }
}

#[test]
fn every_value_reads_back_as_it_was() {
    let store = store();
    write(&store, samples::put_all);
    let view = store.view().unwrap();
    for sample in [
        samples::subscriber_full(),
        samples::subscriber_bare(),
        samples::subscriber_newest(),
    ] {
        let read = subscribers::get(&view, sample.subscriber.id)
            .unwrap()
            .unwrap();
        assert_eq!(read.subscriber, sample.subscriber);
        assert_eq!(read.sealed_password, sample.sealed_password);
    }
    for plan in [
        samples::plan_full(),
        samples::plan_bare(),
        samples::plan_newest(),
    ] {
        assert_eq!(plans::get(&view, plan.id).unwrap(), Some(plan));
    }
    assert_eq!(plans::all(&view).unwrap().len(), 3);
    assert_eq!(
        bandwidth_rules::all(&view).unwrap(),
        [samples::bandwidth_rule()]
    );
    assert_eq!(cdn::all(&view).unwrap(), [samples::cdn_profile()]);
    assert_eq!(
        cdn::get(&view, CdnId(1)).unwrap(),
        Some(samples::cdn_profile())
    );
    assert_eq!(cdn::kept(&view).unwrap(), [NasId(2)]);
    assert_eq!(
        cdn::kept_since(&view, NasId(2)).unwrap(),
        Some(samples::NOW)
    );
    for sample in [
        routers::nas_full(),
        routers::nas_bare(),
        routers::nas_newest(),
        routers::nas_tested(),
        routers::nas_radsec(5, RadsecTrust::Pinned([8; 32])),
        routers::nas_radsec(6, routers::radsec_authority()),
    ] {
        let read = nas::get(&view, sample.nas.id).unwrap().unwrap();
        assert_eq!(
            (read.nas, read.sealed_secret, read.sealed_api_password),
            (sample.nas, sample.sealed_secret, sample.sealed_api_password)
        );
    }
    let operator = operators::get(&view, OperatorId(1)).unwrap().unwrap();
    assert_eq!(operator.operator, samples::operator().operator);
    assert_eq!(
        operators::named(&view, " ADMIN ")
            .unwrap()
            .unwrap()
            .password_hash,
        "$argon2id$x"
    );
    // No Debug, so no `assert_eq!`.
    let (newest, sample) = (
        operators::get(&view, OperatorId(2)).unwrap().unwrap(),
        samples::operator_newest(),
    );
    assert_eq!(newest.operator, sample.operator);
    assert!(newest.factor == sample.factor && newest.support == sample.support);
    assert!(operators::login(&view, &[7; 32]).unwrap() == Some(samples::login()));
    assert_eq!(
        sessions::closed(&view, SessionId(1)).unwrap(),
        Some(accounting::session_closed())
    );
    assert_eq!(
        sessions::open_at_fold(&view).unwrap(),
        [accounting::session_open(), accounting::session_newest()]
    );
    let plans = [samples::planned_login()];
    let of = |id| planned::of(&view, SubscriberId(id)).unwrap();
    assert_eq!((of(2).as_slice(), of(1).as_slice()), (&plans[..], &[][..]));
    let due = |at| planned::due(&view, at, 9).unwrap();
    assert_eq!(due(samples::NOW), plans);
    assert_eq!(due(samples::NOW.plus(-1)), []);
    let counting = Counting {
        today: Day(20_600),
        month: Period {
            start: Day(20_590),
            end: Day(20_620),
        },
        term: Day(20_500),
    };
    let told = |id| notices::of(&view, SubscriberId(id), &counting).unwrap();
    assert_eq!((told(1), told(2)), (samples::notices(), Vec::new()));
    assert_eq!(licence::get(&view).unwrap(), Some(samples::licence_row()));
    assert_eq!(usage_audit::last(&view).unwrap(), Some(accounting::audit()));
    assert_eq!(acme::get(&view).unwrap(), samples::acme());
    let bound = samples::acme_bound();
    assert_eq!(acme::Stored::from(acme::AcmeRow::from(&bound)), bound);
}

proptest! {
    #[test]
    fn sessions_read_back(
        started in any::<i32>(), lasts in -100_000i64..100_000_000, heard in -100_000i64..100_000_000,
        highest in any::<(u64, u64)>(), booked in any::<(u64, u64)>(), same in any::<bool>(),
        login in any::<Option<u64>>(), id in proptest::collection::vec(any::<u8>(), 0..40),
        name in "\\PC{0,20}", cause in proptest::option::of(prop_oneof![
            any::<u32>().prop_map(Cause::Radius), Just(Cause::Lost), Just(Cause::NasReboot), Just(Cause::NasOff),
        ]),
        resumed in any::<bool>(), free in any::<(u64, u64)>(), session_time in any::<u32>(), subscriber in any::<Option<u32>>(),
    ) {
        let started_at = Timestamp::from_seconds(started.into());
        let highest = Traffic::new(highest.0, highest.1);
        let session = Session {
            login: login.map(LoginId),
            subscriber: subscriber.map(SubscriberId),
            acct_session_id: id,
            username: name,
            started_at,
            updated_at: started_at.plus(lasts),
            heard_at: started_at.plus(heard),
            session_time,
            highest,
            booked: if same { highest } else { Traffic::new(booked.0, booked.1) },
            stopped: cause.map(|cause| Stopped { at: started_at.plus(lasts), cause }),
            resumed,
            free: Traffic::new(free.0, free.1),
            ..accounting::session_open()
        };
        let row = sessions::SessionRow::from(&session);
        let octets = codec::encode(&row).unwrap();
        let read: sessions::SessionRow = codec::decode(&octets).unwrap();
        prop_assert_eq!(read.into_session(session.id), session);
    }

    #[test]
    fn octets_of_any_kind_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = codec::decode::<subscribers::SubscriberRow>(&octets);
        let _ = codec::decode::<plans::PlanRow>(&octets);
        let _ = codec::decode::<sessions::SessionRow>(&octets);
        let _ = codec::decode::<auth_log::BlockRow>(&octets);
        let _ = Entry::decode(&octets);
    }
}
