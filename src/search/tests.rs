//! The promises of the search box, against an index on disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

const ALI: Key = Key { kind: 1, id: 1 };
const OMAR: Key = Key { kind: 1, id: 2 };
const FATIMA: Key = Key { kind: 1, id: 3 };
const KHALID: Key = Key { kind: 1, id: 4 };
const ALIYA: Key = Key { kind: 2, id: 1 };

fn put(key: Key, texts: &[&str]) -> Change {
    Change::Put(Document {
        key,
        texts: texts.iter().map(|t| (*t).to_owned()).collect(),
    })
}

fn people() -> Vec<Change> {
    vec![
        put(
            KHALID,
            &["khalid.jasim", "خالد جاسم", "+964 780 555 0001", "10.0.1.5"],
        ),
        put(
            ALIYA,
            &[
                "aliya7",
                "علياء مصطفى",
                "07901112223",
                "10.0.0.57",
                "20:BB:CC:DD:EE:02",
            ],
        ),
        put(
            ALI,
            &[
                "ali",
                "Ali Hassan",
                "أحمد علي حسن",
                "0770 123 4567",
                "10.0.0.5",
                "AA:BB:CC:DD:EE:01",
            ],
        ),
        put(
            OMAR,
            &[
                "omar@isp",
                "Omar Hassan",
                "عمر حسن",
                "0770-765-4321",
                "110.0.0.5",
            ],
        ),
        put(FATIMA, &["fatima", "فاطمة الزهراء", "00964 750 999 8877"]),
    ]
}

/// An index of [`people`] in a folder of its own.
struct Fixture {
    folder: tempfile::TempDir,
    index: Index,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap().index;
    index.update(people(), 5).unwrap();
    Fixture { folder, index }
}

impl Fixture {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What the caller shows: candidates whose row matches.
    fn found(&self, query: &str) -> Vec<Key> {
        let mut keys = self.index.query(query, 20).unwrap();
        keys.retain(|key| {
            people().iter().any(|change| {
                matches!(change, Change::Put(d) if d.key == *key && matches(&d.texts, query))
            })
        });
        keys
    }
}

#[test]
fn keys_survive_packing() {
    for (kind, id) in [(0, 0), (1, 1), (7, u32::MAX), (u8::MAX, u32::MAX)] {
        let key = Key { kind, id };
        assert_eq!(Key::unpack(key.pack()), Some(key));
    }
    assert_eq!(Key::unpack(1 << 40), None, "a kind above 255");
}

#[test]
fn best_first() {
    let f = fixture();
    // The whole word, then the beginning of one, then the inside.
    assert_eq!(f.found("ali"), [ALI, ALIYA, KHALID]);
    assert_eq!(
        f.found("al"),
        [ALIYA, ALI],
        "two characters: beginnings only"
    );
    assert_eq!(f.found("علي"), [ALI, ALIYA]);
    assert_eq!(f.index.query("ali", 2).unwrap(), [ALI, ALIYA]);
    assert_eq!(f.index.query("ali", 0).unwrap(), []);
}

#[test]
fn names_in_both_scripts() {
    let f = fixture();
    let table: [(&str, &[Key]); 18] = [
        ("HASSAN", &[ALI, OMAR]),
        ("hassan ali", &[ALI]),
        ("ali omar", &[]),
        ("assa", &[ALI, OMAR]),
        ("omar@isp", &[OMAR]),
        ("isp", &[OMAR]),
        ("jasim", &[KHALID]),
        ("احمد", &[ALI]),
        ("أَحْمَد", &[ALI]),
        ("حسن", &[ALI, OMAR]),
        ("حسن عمر", &[OMAR]),
        ("فاطمه", &[FATIMA]),
        ("الزهرا", &[FATIMA]),
        ("مصطفي", &[ALIYA]),
        ("صطف", &[ALIYA]),
        ("ف", &[FATIMA]),
        ("o h", &[OMAR]),
        ("nobody", &[]),
    ];
    for (query, expected) in table {
        assert_eq!(f.found(query), expected, "{query}");
    }
}

#[test]
fn numbers_and_addresses() {
    let f = fixture();
    let table: [(&str, &[Key]); 22] = [
        ("07701234567", &[ALI]),
        ("+9647701234567", &[ALI]),
        ("00964 770 123 4567", &[ALI]),
        ("٠٧٧٠١٢٣٤٥٦٧", &[ALI]),
        ("7701234567", &[ALI]),
        ("234567", &[ALI]),
        ("0770 765 4321", &[OMAR]),
        ("07805550001", &[KHALID]),
        ("0750-999-8877", &[FATIMA]),
        ("+964 750", &[FATIMA]),
        ("aa:bb:cc:dd:ee:01", &[ALI]),
        ("AABB.CCDD.EE01", &[ALI]),
        ("aabbccddee01", &[ALI]),
        ("aa bb cc dd ee 01", &[ALI]),
        ("aa:bb", &[ALI]),
        ("bb-cc-dd", &[ALIYA, ALI]),
        ("10.0.0.", &[ALIYA, ALI]),
        ("10.0.0.5", &[ALI, ALIYA]),
        ("10.0.0.57", &[ALIYA]),
        ("10.0", &[KHALID, ALIYA, ALI]),
        ("110.", &[OMAR]),
        ("10.0.0.5 hassan", &[ALI]),
    ];
    for (query, expected) in table {
        assert_eq!(f.found(query), expected, "{query}");
    }
}

#[test]
fn one_mistake_is_forgiven_when_asked() {
    let f = fixture();
    let table: [(&str, &[Key]); 8] = [
        ("fatmia", &[FATIMA]),
        ("fattima", &[FATIMA]),
        ("fatma", &[FATIMA]),
        ("hasan omar", &[OMAR]),
        ("فاطنه", &[FATIMA]),
        ("khalld", &[KHALID]),
        ("xatmia", &[]),
        ("oma", &[OMAR]),
    ];
    for (query, expected) in table {
        assert_eq!(f.index.similar(query, 20).unwrap(), expected, "{query}");
    }
    assert_eq!(f.index.query("fatmia", 20).unwrap(), []);
    assert_eq!(
        f.index.similar("omr", 20).unwrap(),
        [],
        "too short to forgive"
    );
}

#[test]
fn hostile_queries_find_nothing_and_break_nothing() {
    let f = fixture();
    let long = "ali".repeat(10_000);
    let many = "zz ".repeat(10_000);
    for query in [
        "",
        " ",
        "\0",
        "*",
        "?",
        ".*",
        "[",
        "(((",
        "\"",
        "-",
        "+",
        "\\",
        "OR",
        "ali AND",
        "key:1",
        "\u{202e}",
        "💥💥💥💥",
        &long,
        &many,
    ] {
        assert_eq!(f.found(query), [], "{query:?}");
        f.index.similar(query, 20).unwrap();
    }
}

#[test]
fn changes_replace_and_delete() {
    let f = fixture();
    assert_eq!(f.index.len(), 5);
    let renamed = put(OMAR, &["yousif"]);
    f.index
        .update(
            [
                renamed.clone(),
                renamed,
                Change::Delete(KHALID),
                Change::Delete(KHALID),
            ],
            6,
        )
        .unwrap();
    assert_eq!(f.index.len(), 4);
    assert_eq!(f.index.query("omar", 20).unwrap(), []);
    assert_eq!(f.index.query("khalid", 20).unwrap(), []);
    assert_eq!(f.index.query("yousif", 20).unwrap(), [OMAR]);
    // The same id of another kind is another document.
    f.index.update([Change::Delete(ALIYA)], 7).unwrap();
    assert_eq!(f.index.query("ali", 20).unwrap(), [ALI]);
}

#[test]
fn the_last_change_of_a_key_holds() {
    let f = fixture();
    let changes = [
        put(OMAR, &["first"]),
        Change::Delete(OMAR),
        put(OMAR, &["second"]),
        put(OMAR, &["third"]),
        put(KHALID, &["gone"]),
        Change::Delete(KHALID),
    ];
    f.index.update(changes, 6).unwrap();
    for (query, expected) in [
        ("first", vec![]),
        ("second", vec![]),
        ("third", vec![OMAR]),
        ("gone", vec![]),
    ] {
        assert_eq!(f.index.query(query, 20).unwrap(), expected, "{query}");
    }
}

#[test]
fn the_sequence_survives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/search");
    let opened = Index::open(&path).unwrap();
    assert_eq!((opened.sequence, opened.rebuilt), (0, None));
    assert!(opened.index.is_empty());
    drop(opened.index);
    let opened = Index::open(&path).unwrap();
    assert_eq!(
        (opened.sequence, opened.rebuilt),
        (0, None),
        "empty, not damaged"
    );
    opened.index.update(people(), u64::MAX).unwrap();
    opened.index.rest().unwrap();
    opened.index.rest().unwrap();
    opened.index.update([Change::Delete(ALI)], 8).unwrap();
    drop(opened.index);
    let opened = Index::open(&path).unwrap();
    assert_eq!((opened.sequence, opened.rebuilt), (8, None));
    assert_eq!(opened.index.query("hassan", 20).unwrap(), [OMAR]);
}

#[test]
fn many_commits_merge_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap().index;
    for id in 0..40 {
        index
            .update(
                [put(Key { kind: 0, id }, &[&format!("number{id}x")])],
                id.into(),
            )
            .unwrap();
    }
    index.rest().unwrap();
    assert_eq!(index.len(), 40);
    for id in 0..40 {
        assert_eq!(
            index.query(&format!("number{id}x"), 20).unwrap(),
            [Key { kind: 0, id }]
        );
    }
}

#[test]
fn a_great_update_is_whole_or_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap().index;
    index.update(people(), 3).unwrap();
    let many = |count: u32| (0..count).map(|id| put(Key { kind: 9, id }, &["same"]));
    index.update(many(4_001), 4).unwrap();
    assert_eq!(index.len(), 4_006);
    // The source of changes fails just before the second commit.
    let broken = many(4_001).map(|change| match change {
        Change::Put(document) if document.key.id == 4_000 => panic!("the source breaks off"),
        Change::Put(document) => Change::Delete(document.key),
        change => change,
    });
    let update = std::panic::AssertUnwindSafe(|| index.update(broken, 5));
    assert!(std::panic::catch_unwind(update).is_err());
    drop(index);
    let opened = Index::open(folder.path()).unwrap();
    assert_eq!((opened.sequence, opened.rebuilt), (4, None));
    assert_eq!(
        opened.index.len(),
        2_006,
        "one commit of deletions is there"
    );
    opened.index.update([Change::Delete(ALI)], 5).unwrap();
    assert_eq!(opened.index.len(), 2_005);
}

/// Opens an index that must be found unusable, and checks that the new one works.
fn assert_rebuilt(path: &Path, what: &str) -> Rebuilt {
    let opened = Index::open(path).unwrap();
    assert_eq!(opened.sequence, 0, "{what}");
    assert!(opened.index.is_empty(), "{what}");
    opened.index.update(people(), 9).unwrap();
    assert_eq!(opened.index.query("omar", 20).unwrap(), [OMAR], "{what}");
    drop(opened.index);
    let again = Index::open(path).unwrap();
    assert_eq!((again.sequence, again.rebuilt), (9, None), "{what}");
    opened.rebuilt.expect(what)
}

fn files_of(path: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| !file.to_string_lossy().ends_with(".lock"))
        .collect();
    files.sort();
    files
}

type Damage = fn(&mut Vec<u8>);

#[test]
fn a_damaged_index_is_begun_anew() {
    let original = fixture();
    original.index.rest().unwrap();
    // One segment with its four files or more, the list of segments and the list of files.
    let names = files_of(original.path());
    assert!(names.len() >= 5, "{names:?}");
    let damages: [(&str, Damage); 5] = [
        ("emptied", |octets| octets.clear()),
        ("halved", |octets| octets.truncate(octets.len() / 2)),
        ("cut by two", |octets| octets.truncate(octets.len() - 2)),
        ("first octet flipped", |octets| octets[0] ^= 0xFF),
        ("zeroed", |octets| octets.fill(0)),
    ];
    for name in &names {
        for (damage, apply) in damages {
            let copy = tempfile::tempdir().unwrap();
            for file in &names {
                fs::copy(file, copy.path().join(file.file_name().unwrap())).unwrap();
            }
            let victim = copy.path().join(name.file_name().unwrap());
            let mut octets = fs::read(&victim).unwrap();
            apply(&mut octets);
            fs::write(&victim, octets).unwrap();
            let what = format!("{} {damage}", victim.display());
            assert!(
                matches!(assert_rebuilt(copy.path(), &what), Rebuilt::Damaged(_)),
                "{what}"
            );
        }
        let copy = tempfile::tempdir().unwrap();
        for file in names.iter().filter(|file| *file != name) {
            fs::copy(file, copy.path().join(file.file_name().unwrap())).unwrap();
        }
        assert_rebuilt(copy.path(), &format!("{} missing", name.display()));
    }
}

#[test]
fn an_index_of_another_schema_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = tantivy::schema::Schema::builder();
    builder.add_text_field("title", tantivy::schema::TEXT);
    tantivy::Index::create_in_dir(folder.path(), builder.build()).unwrap();
    assert_eq!(
        assert_rebuilt(folder.path(), "foreign"),
        Rebuilt::OtherSchema
    );

    let f = fixture();
    f.index.rest().unwrap();
    let meta = f.path().join("meta.json");
    let text = fs::read_to_string(&meta).unwrap();
    assert!(text.contains("schema=1;seq=5"));
    fs::write(&meta, text.replace("schema=1;", "schema=0;")).unwrap();
    assert_eq!(assert_rebuilt(f.path(), "older"), Rebuilt::OtherSchema);
}

#[test]
fn an_index_that_was_never_finished_is_begun_anew() {
    for (old, new) in [("seq=5", "seq=0"), ("payload", "paidoad")] {
        let f = fixture();
        f.index.rest().unwrap();
        let meta = f.path().join("meta.json");
        let text = fs::read_to_string(&meta).unwrap();
        assert!(text.contains(old));
        fs::write(&meta, text.replace(old, new)).unwrap();
        assert_eq!(assert_rebuilt(f.path(), new), Rebuilt::Unfinished);
    }
}

#[test]
fn strange_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let strange = folder.path().join("proxpanel.redb");
    fs::write(&strange, "precious").unwrap();
    fs::write(folder.path().join("meta.json"), "{}").unwrap();
    assert_rebuilt(folder.path(), "with a stranger");
    assert_eq!(fs::read_to_string(&strange).unwrap(), "precious");
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let Err(error) = Index::open(&file.join("search")) else {
        panic!("opened inside of a file");
    };
    assert!(error.to_string().contains("search folder"), "{error}");
}
