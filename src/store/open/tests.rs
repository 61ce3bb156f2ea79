//! Each way in which a data folder can be wrong: what is said, and that every file stays as it was.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use super::super::tables::AnyMap;
use super::super::testing::{NUMBERS, migrations, quick};
use super::super::{Read as _, StoreError, WriteTicket};
use super::*;
use crate::crypto::{CryptoError, Key};

/// A data folder with a store of a few hundred rows, closed.
fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), quick(), &migrations()).unwrap();
    fill(&store, 0..500);
    store.close();
    folder
}

fn fill(store: &Store, keys: std::ops::Range<u32>) {
    let write: WriteTicket<(), StoreError> = store.write("fill", move |tx| {
        keys.clone()
            .try_for_each(|key| tx.insert(&NUMBERS, key, &7))
    });
    write.wait().unwrap();
}

/// Name, mode and octets of everything in a folder.
fn picture(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let entry = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        let octets = if metadata.is_file() {
            fs::read(entry.path()).unwrap()
        } else {
            Vec::new()
        };
        (
            entry.file_name().into_string().unwrap(),
            (metadata.permissions().mode(), octets),
        )
    };
    fs::read_dir(folder).unwrap().map(entry).collect()
}

/// Opens, expects a refusal that leaves the folder as it was, and returns the refusal.
fn refused(folder: &Path) -> OpenError {
    let before = picture(folder);
    let error = match open_with(folder, quick(), &migrations()) {
        Err(error) => error,
        Ok(_) => panic!("it opened"),
    };
    assert!(picture(folder) == before, "{error}: the folder changed");
    error
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_folder_gets_a_private_store_and_a_key_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), quick(), &migrations()).unwrap();
    fill(&store, 0..3);
    let sealed = store.sealer().seal(b"place", b"pass00001").unwrap();
    store.close();
    let names: Vec<_> = picture(folder.path())
        .into_iter()
        .map(|(name, (mode, _))| (name, mode & 0o777))
        .collect();
    assert_eq!(
        names,
        [(FILE_NAME.to_owned(), 0o600), (KEY_NAME.to_owned(), 0o600)]
    );
    let store = open_with(folder.path(), quick(), &migrations()).unwrap();
    assert_eq!(store.view().unwrap().count(&NUMBERS).unwrap(), 3);
    assert_eq!(
        store.sealer().unseal(b"place", &sealed).unwrap().expose(),
        b"pass00001"
    );
}

#[test]
fn the_product_opens_a_new_folder_with_every_table() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), OpenOptions::default()).unwrap();
    let view = store.view().unwrap();
    assert_eq!(view.count(&super::super::tables::META).unwrap(), 2);
    assert_eq!(store.folder(), folder.path());
}

#[test]
fn a_missing_folder_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere");
    assert!(matches!(
        open_with(&path, quick(), &migrations()),
        Err(OpenError::NoFolder(_))
    ));
    assert!(!path.exists());
}

#[test]
fn a_missing_store_is_not_replaced_while_its_journal_or_copies_are_there() {
    for name in [
        "accounting-0000000000000001.journal",
        "proxpanel.redb.before-v2",
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), b"x").unwrap();
        let error = refused(folder.path());
        assert!(
            matches!(&error, OpenError::StoreMissing { found, .. } if found == name),
            "{error}"
        );
    }
}

#[test]
fn an_interrupted_first_start_is_made_good() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("proxpanel.redb.new"), b"half").unwrap();
    open_with(folder.path(), quick(), &migrations())
        .unwrap()
        .close();
    assert_eq!(picture(folder.path()).len(), 2);
}

#[test]
fn files_that_are_no_store_are_named_as_such() {
    let folder = filled();
    let path = folder.path().join(FILE_NAME);
    for (octets, wanted) in [
        (Vec::new(), "is empty"),
        (b"redb".to_vec(), "is not a ProxPanel store"),
        (b"SQLite format 3\0".repeat(400), "is not a ProxPanel store"),
        (vec![0; 8192], "is not a ProxPanel store"),
        (MAGIC.to_vec(), "is damaged or cut short"),
        (
            [&MAGIC[..], &[0xff; 8000]].concat(),
            "is damaged or cut short",
        ),
    ] {
        fs::write(&path, octets).unwrap();
        let error = refused(folder.path()).to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_redb_file_of_another_program_is_no_store() {
    let folder = filled();
    let path = folder.path().join(FILE_NAME);
    fs::remove_file(&path).unwrap();
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    NUMBERS.create(&transaction).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(
        refused(folder.path()),
        OpenError::NotAStore { .. }
    ));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let folder = filled();
    let path = folder.path().join(FILE_NAME);
    let whole = fs::read(&path).unwrap();
    for length in [
        10,
        319,
        320,
        4095,
        4096,
        4097,
        8192,
        whole.len() / 2,
        whole.len() - 4096,
        whole.len() - 1,
    ] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = refused(folder.path());
        assert!(
            matches!(error, OpenError::Corrupt { .. }),
            "cut at {length}: {error}"
        );
    }
}

#[test]
fn damaged_pages_never_panic_and_never_cost_the_file() {
    let folder = filled();
    let path = folder.path().join(FILE_NAME);
    let whole = fs::read(&path).unwrap();
    let mut refusals = 0;
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, &damaged).unwrap();
        // A page that holds nothing, or only rows, is not looked at when the file is opened.
        match open_with(folder.path(), quick(), &migrations()) {
            Ok(store) => store.close(),
            Err(OpenError::Corrupt { .. } | OpenError::NotAStore { .. }) => {
                refusals += 1;
                assert!(fs::read(&path).unwrap() == damaged, "page {page} changed");
            }
            Err(error) => panic!("page {page}: {error}"),
        }
    }
    assert!(
        refusals >= 2,
        "the header and the tree of tables are always looked at"
    );
}

#[test]
fn a_store_in_use_is_not_opened_twice() {
    let folder = filled();
    let store = open_with(folder.path(), quick(), &migrations()).unwrap();
    assert!(matches!(refused(folder.path()), OpenError::Locked(_)));
    store.close();
    open_with(folder.path(), quick(), &migrations())
        .unwrap()
        .close();
}

#[test]
fn permission_bits_are_respected_even_for_root() {
    let folder = filled();
    let path = folder.path().join(FILE_NAME);
    chmod(&path, 0o400);
    assert!(matches!(
        refused(folder.path()),
        OpenError::FileReadOnly { .. }
    ));
    chmod(&path, 0o600);
    chmod(folder.path(), 0o500);
    assert!(matches!(
        refused(folder.path()),
        OpenError::FolderReadOnly { .. }
    ));
    chmod(folder.path(), 0o700);
    open_with(folder.path(), quick(), &migrations())
        .unwrap()
        .close();
}

#[test]
fn a_folder_or_a_dangling_link_in_place_of_the_store_is_refused() {
    let folder = filled();
    let path = folder.path().join(FILE_NAME);
    fs::remove_file(&path).unwrap();
    symlink("gone", &path).unwrap();
    assert!(matches!(refused(folder.path()), OpenError::Io { .. }));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(refused(folder.path()), OpenError::NotAFile(_)));
}

#[test]
fn a_store_needs_its_own_key() {
    let folder = filled();
    let key = folder.path().join(KEY_NAME);
    let right = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(matches!(
        refused(folder.path()),
        OpenError::Key(CryptoError::KeyMissing { .. })
    ));
    fs::write(&key, [9; 32]).unwrap();
    chmod(&key, 0o600);
    assert!(matches!(refused(folder.path()), OpenError::WrongKey { .. }));
    fs::write(&key, [9; 31]).unwrap();
    assert!(matches!(
        refused(folder.path()),
        OpenError::Key(CryptoError::KeyLength { .. })
    ));
    fs::write(&key, &right).unwrap();
    chmod(&key, 0o644);
    assert!(matches!(
        refused(folder.path()),
        OpenError::Key(CryptoError::KeyExposed { .. })
    ));
    chmod(&key, 0o600);
    open_with(folder.path(), quick(), &migrations())
        .unwrap()
        .close();
}

#[test]
fn a_store_of_a_newer_program_is_refused_before_its_key_is_asked_for() {
    let folder = filled();
    fs::remove_file(folder.path().join(KEY_NAME)).unwrap();
    let before = picture(folder.path());
    let known = schema::newest(MIGRATIONS);
    match open_with(folder.path(), quick(), MIGRATIONS) {
        Err(OpenError::Newer {
            found, known: told, ..
        }) => assert_eq!((found, told), (known + 1, known)),
        other => panic!("{:?}", other.map(drop)),
    }
    assert!(picture(folder.path()) == before);
}

const LETTERS: super::super::tables::Map<u32, String> = super::super::tables::Map::new("letters");

fn with_letters(run: fn(&redb::WriteTransaction) -> Result<(), StoreError>) -> Vec<Migration> {
    let mut list = migrations();
    list.push(Migration {
        version: schema::newest(&list) + 1,
        name: "letters",
        run,
    });
    list
}

#[test]
fn an_upgrade_copies_the_file_first_and_keeps_its_rows() {
    let folder = filled();
    let old = fs::read(folder.path().join(FILE_NAME)).unwrap();
    let list = with_letters(|transaction| LETTERS.create(transaction));
    let store = open_with(folder.path(), quick(), &list).unwrap();
    assert_eq!(store.view().unwrap().count(&NUMBERS).unwrap(), 500);
    assert_eq!(store.view().unwrap().count(&LETTERS).unwrap(), 0);
    store.close();
    let copy = folder
        .path()
        .join(format!("{FILE_NAME}.before-v{}", schema::newest(&list)));
    assert!(fs::read(&copy).unwrap() == old);
    // The older program refuses the new file and opens the copy.
    assert!(matches!(refused(folder.path()), OpenError::Newer { .. }));
    fs::rename(&copy, folder.path().join(FILE_NAME)).unwrap();
    open_with(folder.path(), quick(), &migrations())
        .unwrap()
        .close();
}

#[test]
fn a_failed_upgrade_leaves_the_old_shape() {
    let folder = filled();
    let list = with_letters(|transaction| {
        LETTERS.create(transaction)?;
        Err(StoreError::Busy { waiting: 0 })
    });
    assert!(matches!(
        open_with(folder.path(), quick(), &list),
        Err(OpenError::Upgrade { .. })
    ));
    let store = open_with(folder.path(), quick(), &migrations()).unwrap();
    assert_eq!(store.view().unwrap().count(&NUMBERS).unwrap(), 500);
    assert!(store.view().unwrap().count(&LETTERS).is_err());
}

#[test]
fn a_copied_store_that_was_open_opens_like_after_a_crash() {
    let folder = filled();
    let store = open_with(folder.path(), quick(), &migrations()).unwrap();
    fill(&store, 500..900);
    let other = tempfile::tempdir().unwrap();
    for name in [FILE_NAME, KEY_NAME] {
        fs::copy(folder.path().join(name), other.path().join(name)).unwrap();
    }
    store.close();
    let store = open_with(other.path(), quick(), &migrations()).unwrap();
    assert_eq!(store.view().unwrap().count(&NUMBERS).unwrap(), 900);
}

#[test]
fn a_key_that_is_not_a_stores_key_is_known_by_the_check() {
    let check = schema::key_check(&Sealer::new(&Key::from_bytes([1; 32]))).unwrap();
    assert!(schema::is_key_of(
        &Sealer::new(&Key::from_bytes([1; 32])),
        &check
    ));
    assert!(!schema::is_key_of(
        &Sealer::new(&Key::from_bytes([2; 32])),
        &check
    ));
    assert!(!schema::is_key_of(
        &Sealer::new(&Key::from_bytes([1; 32])),
        b""
    ));
}
