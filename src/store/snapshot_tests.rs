use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use super::super::tables::{AUDIT, COUNTERS, SETTINGS, SUBSCRIBER_NAMES, USAGE_AUDIT};
use super::super::{OpenOptions as Options, Read, Tx, ids, settings, usage};
use super::*;
use crate::domain::id::SubscriberId;
use crate::domain::octets::Traffic;
use crate::domain::time::Day;
use settings::Setting;

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

struct Case {
    folder: tempfile::TempDir,
    store: Store,
}

impl Case {
    fn new() -> Case {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Options::default()).unwrap();
        Case { folder, store }
    }

    fn write(&self, work: impl Fn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static) {
        self.store.write("test", move |tx| work(tx)).wait().unwrap()
    }

    /// A folder for a copy, and the copy's inventory.
    fn copy(&self) -> (tempfile::TempDir, Inventory) {
        let to = tempfile::tempdir_in(self.folder.path()).unwrap();
        let inventory = self.store.snapshot(to.path(), &mut |_, _| GO_ON).unwrap();
        (to, inventory)
    }
}

fn rows(inventory: &Inventory, table: &str) -> u64 {
    let found = inventory.tables.iter().find(|(name, _)| name == table);
    found.unwrap_or_else(|| panic!("no {table}")).1
}

fn add_usage(tx: &mut Tx<'_>, day: i32, subscriber: u32) -> Result<(), StoreError> {
    let usage = Usage {
        raw: Traffic::new(10, 1_000),
        free: Traffic::new(1, 100),
    };
    usage::add(tx, Day(day), SubscriberId(subscriber), usage)
}

#[test]
fn a_copy_holds_every_row_of_every_table() {
    let case = Case::new();
    // More rows than fit into one commit of the copy, and exactly as many.
    let (many, exact) = (2 * ROWS_AT_ONCE + 1, ROWS_AT_ONCE);
    case.write(move |tx| {
        for number in 0..many {
            add_usage(tx, 20_000, u32::try_from(number).unwrap())?;
        }
        for number in 0..exact {
            tx.insert(&SUBSCRIBER_NAMES, format!("{number}").as_str(), &7)?;
        }
        settings::put(tx, Setting::IspName, "Nūr")
    });
    let (folder, inventory) = case.copy();
    assert_eq!(inventory.schema, known_schema());
    assert_eq!(inventory.tables.len(), ALL.len());
    assert_eq!(rows(&inventory, "usage_days"), u64::try_from(many).unwrap());
    assert_eq!(
        rows(&inventory, "subscriber_names"),
        u64::try_from(exact).unwrap()
    );
    assert_eq!(rows(&inventory, USAGE_AUDIT.name()), 0);
    let times = u64::try_from(many).unwrap();
    assert_eq!(inventory.days.raw, Traffic::new(10 * times, 1_000 * times));
    assert_eq!(inventory.days.free, Traffic::new(times, 100 * times));
    assert_eq!(inventory.days, inventory.months);
    assert_eq!(inventory.sessions, Usage::ZERO);

    let copied = Store::open(folder.path(), Options::default()).unwrap();
    let (before, after) = (case.store.view().unwrap(), copied.view().unwrap());
    for map in ALL {
        let count = |view: &View| map.rows(view.transaction()).unwrap();
        assert_eq!(count(&before), count(&after), "{}", map.name());
    }
    let all = |view: &View| {
        view.range(
            &super::super::tables::USAGE_DAYS,
            (0, 0)..(i32::MAX, 0),
            usize::MAX,
        )
    };
    let (before, after_rows) = (all(&before).unwrap(), all(&after).unwrap());
    assert_eq!(before.len(), many);
    for ((left, l), (right, r)) in before.into_iter().zip(after_rows) {
        assert_eq!((left, Usage::from(l)), (right, Usage::from(r)));
    }
    let name = settings::get(&after, Setting::IspName).unwrap();
    assert_eq!(name.as_deref(), Some("Nūr"));
    drop(after);
    copied.close();
    let mode = fs::metadata(folder.path().join(FILE_NAME)).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&mode) & 0o777, 0o600);
}

#[test]
fn what_is_written_meanwhile_is_not_in_it_and_waits_for_nothing() {
    let case = Case::new();
    case.write(|tx| (0..20_000).try_for_each(|number| add_usage(tx, 20_000, number)));
    let to = tempfile::tempdir().unwrap();
    let store = case.store.clone();
    let mut looks = 0;
    let inventory = case.store.snapshot(to.path(), &mut |done, all| {
        assert!(done <= all, "{done} of {all}");
        looks += 1;
        // The first look comes when the picture is taken already.
        let write = store.write("meanwhile", move |tx| add_usage(tx, 20_001, looks));
        write
            .wait()
            .map_err(|error: StoreError| error.to_string())
            .unwrap();
        GO_ON
    });
    let inventory = inventory.unwrap();
    assert!(looks >= 4, "{looks} looks");
    assert_eq!(rows(&inventory, "usage_days"), 20_000);
    assert_eq!(inventory.days, inventory.months);
    let (_folder, later) = case.copy();
    assert_eq!(rows(&later, "usage_days"), 20_000 + u64::from(looks));
}

#[test]
fn a_cancelled_copy_says_so() {
    let case = Case::new();
    case.write(|tx| (0..20_000).try_for_each(|number| add_usage(tx, 20_000, number)));
    for after in [0, 5_000, 15_000] {
        let to = tempfile::tempdir().unwrap();
        let mut last = 0;
        let cancelled = case.store.snapshot(to.path(), &mut |done, _| {
            last = done;
            match done >= after {
                true => ControlFlow::Break(()),
                false => GO_ON,
            }
        });
        assert!(matches!(cancelled, Err(SnapshotError::Cancelled)));
        assert_eq!(last, after);
    }
}

#[test]
fn a_copy_that_is_no_good_is_found_out() {
    let case = Case::new();
    case.write(|tx| (0..5_000).try_for_each(|number| add_usage(tx, 20_000, number)));
    let other = Case::new();
    let (folder, _) = case.copy();
    fs::copy(
        other.folder.path().join(KEY_NAME),
        folder.path().join(KEY_NAME),
    )
    .unwrap();
    assert!(matches!(
        examine(folder.path()),
        Err(SnapshotError::Open(OpenError::WrongKey { .. }))
    ));
    fs::remove_file(folder.path().join(KEY_NAME)).unwrap();
    assert!(matches!(
        examine(folder.path()),
        Err(SnapshotError::Open(OpenError::Key(_)))
    ));

    // One octet in the middle of the rows.
    let (folder, _) = case.copy();
    let path = folder.path().join(FILE_NAME);
    let length = fs::metadata(&path).unwrap().len();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    for place in (4_096 * 8..length).step_by(4_096) {
        let mut octets = [0; 64];
        file.read_exact_at(&mut octets, place).unwrap();
        file.write_all_at(&octets.map(|octet| octet ^ 0x55), place)
            .unwrap();
    }
    assert!(examine(folder.path()).is_err());

    let (folder, _) = case.copy();
    let path = folder.path().join(FILE_NAME);
    let half = fs::metadata(&path).unwrap().len() / 2;
    OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(half)
        .unwrap();
    assert!(examine(folder.path()).is_err());
}

#[test]
fn the_counters_go_with_it_so_that_a_restored_store_goes_on_behind() {
    let case = Case::new();
    case.write(|tx| {
        tx.insert(&COUNTERS, ids::FOLDED, &41)?;
        ids::next_sequence(tx, ids::AUDIT).map(drop)
    });
    let (folder, _) = case.copy();
    let copied = Store::open(folder.path(), Options::default()).unwrap();
    let view = copied.view().unwrap();
    assert_eq!(ids::current(&view, ids::FOLDED).unwrap(), 41);
    assert_eq!(
        ids::current(&view, ids::AUDIT).unwrap(),
        ids::current(&case.store.view().unwrap(), ids::AUDIT).unwrap()
    );
    assert_eq!(view.count(&AUDIT).unwrap(), 0);
    assert_eq!(view.count(&SETTINGS).unwrap(), 0);
    drop(view);
    copied.close();
}
