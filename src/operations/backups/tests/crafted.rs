//! Backups that open with the right words and still are not what they say: none of them gets to a data folder.

use super::*;
use crate::archive::{Packer, Unpacker};
use crate::store::snapshot::known_schema;
use crate::store::{FILE_NAME, KEY_NAME};

type Files = Vec<(String, Vec<u8>)>;

/// What a backup holds, in its order.
fn content(path: &Path) -> Files {
    let mut unpacker = Unpacker::new(File::open(path).unwrap(), &words(WORDS)).unwrap();
    let mut files = Vec::new();
    while let Some(file) = unpacker.next_file().unwrap() {
        let mut octets = Vec::new();
        unpacker.copy_to(&mut octets).unwrap();
        files.push((file.name, octets));
    }
    files
}

/// Packs it with the same words, so that only what is in it differs.
fn pack(files: &Files, path: &Path) {
    let mut packer = Packer::new(File::create(path).unwrap(), &words(WORDS)).unwrap();
    for (name, octets) in files {
        let size = u64::try_from(octets.len()).unwrap();
        packer.add(name, size, &octets[..]).unwrap();
    }
    packer.finish().unwrap();
}

fn rewrite(files: &mut Files, change: impl Fn(&mut Manifest)) {
    let mut manifest: Manifest = serde_json::from_slice(&files[0].1).unwrap();
    change(&mut manifest);
    files[0].1 = serde_json::to_vec(&manifest).unwrap();
}

fn without(files: &mut Files, name: &str) {
    files.retain(|(known, _)| known != name);
}

/// What is said of a backup that was changed so.
struct Case(&'static str, fn(&mut Files));

const CASES: &[Case] = &[
    Case("table subscribers has 1 rows instead of 2", |files| {
        rewrite(files, |it| *it.tables.get_mut("subscribers").unwrap() += 1);
    }),
    Case("table others is missing", |files| {
        rewrite(files, |it| {
            it.tables.insert("others".into(), 0);
        });
    }),
    Case("the sum of the usage of all sessions is another", |files| {
        rewrite(files, |it| it.sums.sessions.upload += 1);
    }),
    Case("the sum of the usage of all days is another", |files| {
        rewrite(files, |it| it.sums.days.download += 1);
    }),
    Case("the sum of the usage of all months is another", |files| {
        rewrite(files, |it| it.sums.months.free_upload += 1);
    }),
    Case("install that version or a newer one first", |files| {
        rewrite(files, |it| it.schema = known_schema() + 1);
    }),
    Case("the store or its key is missing", |files| {
        without(files, KEY_NAME);
    }),
    Case("the store or its key is missing", |files| {
        without(files, FILE_NAME);
    }),
    Case("its table of contents is missing", Vec::clear),
    Case("its table of contents is missing", |files| {
        without(files, MANIFEST);
    }),
    Case("its table of contents is missing", |files| files.swap(0, 1)),
    Case("its table of contents is missing", |files| {
        files[0].1.truncate(10);
    }),
    // It is read into memory, so it has a bound.
    Case("its table of contents is missing", |files| {
        let longest = usize::try_from(manifest::LARGEST).unwrap();
        files[0].1.resize(longest + 1, b' ');
    }),
    // No file is written over another one.
    Case("cannot write ", |files| files.push(files[1].clone())),
];

#[test]
fn what_is_in_a_backup_is_compared_with_what_it_says() {
    let test = isp();
    let made = create(&test.app, Trigger::Person).unwrap();
    let files = content(&path(&test, &made));
    let place = tempfile::tempdir().unwrap();
    let crafted = place.path().join("crafted.enc");
    let blank = place.path().join("data");
    fs::create_dir(&blank).unwrap();
    for Case(problem, change) in CASES {
        let mut changed = files.clone();
        change(&mut changed);
        pack(&changed, &crafted);
        let backup = File::open(&crafted).unwrap();
        let restored = restore::prepare(backup, &words(WORDS), &blank, NOW, &mut go_on);
        let said = restored.map(|_| ()).unwrap_err().to_string();
        assert!(said.contains(problem), "{said} is not: {problem}");
        assert_eq!(fs::read_dir(&blank).unwrap().count(), 0, "{problem}");
    }
}

#[test]
fn of_a_backup_only_what_belongs_to_the_data_is_taken() {
    let test = isp();
    let made = create(&test.app, Trigger::Person).unwrap();
    let mut files = content(&path(&test, &made));
    for name in ["stray", "before-restore-1/stray", "tls/own.pem"] {
        files.push((name.to_owned(), b"x".to_vec()));
    }
    let longest = usize::try_from(manifest::LARGEST).unwrap();
    files[0].1.resize(longest, b' ');
    let place = tempfile::tempdir().unwrap();
    let crafted = place.path().join("crafted.enc");
    pack(&files, &crafted);
    let backup = File::open(&crafted).unwrap();
    restore::prepare(backup, &words(WORDS), place.path(), NOW, &mut go_on).unwrap();
    let ready = place.path().join(swap::READY);
    let entries = fs::read_dir(&ready).unwrap().map(Result::unwrap);
    let mut found: Vec<(String, u32)> = entries
        .map(|entry| {
            let mode = entry.metadata().unwrap().mode() & 0o777;
            (entry.file_name().into_string().unwrap(), mode)
        })
        .collect();
    found.sort();
    let expected = [
        (swap::KEPT_AS, 0o600),
        (FILE_NAME, 0o600),
        (KEY_NAME, 0o600),
        ("tls", 0o700),
    ];
    assert_eq!(found, expected.map(|(name, mode)| (name.to_owned(), mode)));
    let own = fs::metadata(ready.join("tls/own.pem")).unwrap();
    assert_eq!(own.mode() & 0o777, 0o600);
}
