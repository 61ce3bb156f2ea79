//! Every shape of row in the vendor's store: octets of every released version stay readable.

use crate::licence::Hardware;
use crate::store::StoreError;
use crate::store::testing::golden;
use crate::vendor::VendorError;
use crate::vendor::records;
use crate::vendor::tables::{
    CustomerRow, HeartbeatRow, LicenceRow, LogRow, ReleaseRow, RevokedRow,
};

const AT: i64 = 1_780_000_000_123;

fn heartbeat() -> HeartbeatRow {
    HeartbeatRow {
        at: AT + 3,
        address: "2001:db8::9".to_owned(),
        version: "0.2.0".to_owned(),
        subscribers: 4_321,
        is_bound: true,
    }
}

fn licence_full() -> LicenceRow {
    LicenceRow {
        customer: 7,
        sealed_key: vec![1, 2, 255],
        key_hint: "7QXK".to_owned(),
        most_subscribers: Some(5_000),
        issued_at: AT,
        expires_at: Some(AT + 1),
        grace_days: 14,
        is_trial: true,
        revoked: Some(RevokedRow {
            at: AT + 2,
            reason: "Unpaid since May".to_owned(),
        }),
        hardware: Some(Hardware {
            system: Some([5; 16].into()),
            board: None,
            cards: vec![[5; 16].into()],
        }),
        moves: 3,
        last: Some(heartbeat()),
    }
}

fn licence_bare() -> LicenceRow {
    LicenceRow {
        customer: 8,
        sealed_key: Vec::new(),
        key_hint: String::new(),
        most_subscribers: None,
        issued_at: AT,
        expires_at: None,
        grace_days: 0,
        is_trial: false,
        revoked: None,
        hardware: None,
        moves: 0,
        last: None,
    }
}

fn release() -> ReleaseRow {
    ReleaseRow {
        version: "0.3.0".to_owned(),
        architecture: "arm64".to_owned(),
        file_name: "proxpanel_0.3.0_arm64.deb".to_owned(),
        octets: 9_000_000_000,
        sha256: [6; 32],
        manifest: "eyJ2.c2ln".to_owned(),
        notes: "Faster\nSafer".to_owned(),
        published_at: AT,
        is_withdrawn: true,
    }
}

fn log(who: &str, what: &str, licence: Option<u32>, detail: &str) -> LogRow {
    LogRow {
        at: AT,
        who: who.to_owned(),
        what: what.to_owned(),
        licence,
        detail: detail.to_owned(),
    }
}

#[test]
fn rows_of_version_1_are_read_and_written_for_ever() {
    let customer = CustomerRow {
        name: "شبكة الأرز".to_owned(),
        email: "noc@cedar.example".to_owned(),
        created_at: AT,
    };
    golden("vendor-customer", customer);
    golden("vendor-licence", licence_full());
    golden("vendor-licence-bare", licence_bare());
    golden("vendor-heartbeat", heartbeat());
    golden("vendor-release", release());
    let issued = log("page 192.0.2.7", "licence issued", Some(7), "Cedar Net");
    golden("vendor-log", issued);
    golden(
        "vendor-log-bare",
        log("command line", "vendor made", None, ""),
    );
}

#[test]
fn a_vendor_has_room_for_so_many_licences_and_no_more() {
    let (desk, _folder) = super::vendor(30);
    let most = u32::try_from(records::MOST_LICENCES).unwrap();
    let fill = desk.store.write("fill", move |tx| {
        for id in 2..=most {
            records::put_licence(tx, 1_000_000 + id, &licence_bare())?;
        }
        Ok::<_, StoreError>(())
    });
    fill.wait().unwrap();
    let one_more = || {
        let write = desk.store.write("one more", |tx| {
            let id = records::next_licence(tx)?;
            records::put_licence(tx, id, &licence_bare())?;
            Ok::<_, VendorError>(())
        });
        write.wait()
    };
    one_more().unwrap();
    let refused = one_more().unwrap_err().to_string();
    assert!(refused.contains("at most 50000 licences"), "{refused}");
}
