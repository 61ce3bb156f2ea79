//! Holds the picture of ARCHITECTURE.md true: which room may use which, and what each room keeps to itself.
//!
//! The tables below are the documentation; `source.rs` and `template.rs` read files, and this file judges them. A rule
//! that has to change is changed here, in the commit that needs it.

mod planted;
mod source;
mod template;

use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

/// Each room, and the rooms or parts of rooms it may use. A room that is missing here is an error.
/// `radius::server` allows that part only; `radius` allows all of it.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli", "allocator"]),
    (
        "cli",
        &[
            "daemon",
            "control",
            "vendor",
            "tls",
            "operations",
            "app",
            "store",
            "radius",
            "domain",
            "config",
            "telemetry",
            "crypto",
            "allocator",
        ],
    ),
    (
        "daemon",
        &[
            "web",
            "jobs",
            "control",
            "operations",
            "app",
            "store",
            "search",
            "radius",
            "domain",
            "config",
            "telemetry",
            "crypto",
            "allocator",
        ],
    ),
    // Three ways to ask for something to be done. They do not see each other.
    (
        "web",
        &[
            "operations",
            "app",
            "store",
            "licence",
            "domain",
            "config",
            "telemetry",
            "crypto",
            "tls",
        ],
    ),
    (
        "jobs",
        &[
            "operations",
            "app",
            "store",
            "domain",
            "config",
            "telemetry",
            "crypto",
            "allocator",
        ],
    ),
    (
        "control",
        &[
            "operations",
            "app",
            "store",
            "domain",
            "config",
            "telemetry",
            "crypto",
        ],
    ),
    // The other side of licences: its own store and server, made of the generic parts of these rooms.
    (
        "vendor",
        &[
            // A clock, a socket for commands, connections and their certificate, and how pages look and forms are checked.
            "app::Clock",
            "control",
            "web",
            "tls",
            "store",
            "licence",
            "domain",
            "crypto",
            // Its tests set a whole appliance against it.
            "operations",
            "radius",
            "http_client",
            "config",
        ],
    ),
    // What can be done.
    (
        "operations",
        &[
            "app",
            "archive",
            "store",
            "search",
            "radius",
            "routers",
            "remote",
            "tls",
            "acme",
            "licence",
            "http_client",
            "domain",
            "config",
            "telemetry",
            "crypto",
            "allocator",
        ],
    ),
    (
        "app",
        // Of the protocol only what a NAS is to it, which the table of NAS devices keeps ready.
        &[
            "store",
            "search",
            "radius::handler",
            "radius::secret",
            // Whether a certificate is that of a NAS.
            "radius::radsec",
            // The connections to the routers' API, which all who ask share.
            "routers::routeros",
            "licence",
            "domain",
            "config",
            "telemetry",
            "crypto",
            "tls",
        ],
    ),
    // Four siblings that do not see each other, but for the attribute types.
    ("store", &["domain", "crypto"]),
    ("search", &["domain"]),
    ("radius", &["crypto"]),
    (
        "routers",
        // Digests and random numbers of crypto, the monotonic clock of telemetry: for connections to routers.
        &[
            "radius::attribute",
            "radius::number",
            "domain",
            "telemetry",
            "crypto",
            "tls",
        ],
    ),
    // Leaves, each with what it cannot do without.
    ("archive", &["crypto"]),
    ("remote", &["tls", "crypto"]),
    ("domain", &[]),
    // How the vendor's key is written.
    ("config", &["licence"]),
    ("telemetry", &[]),
    ("crypto", &[]),
    // Certificates; moments of domain, digests and secrets of crypto.
    ("tls", &["domain", "crypto"]),
    ("allocator", &[]),
    ("licence", &["domain", "crypto"]),
    ("http_client", &["tls", "crypto"]),
    ("acme", &["tls", "http_client", "crypto"]),
];

/// A word that belongs to some rooms only.
struct Kept {
    word: &'static str,
    by: &'static [&'static str],
    why: &'static str,
}

const KEPT: &[Kept] = &[
    Kept {
        word: "redb",
        by: &["store"],
        why: "only the store names the database",
    },
    Kept {
        word: "tantivy",
        by: &["search"],
        why: "only search names the index",
    },
    Kept {
        word: "askama",
        by: &["web", "vendor"],
        why: "HTML is made in web and templates only",
    },
    Kept {
        word: "SystemTime",
        by: &["app", "telemetry"],
        why: "the time is read through app::Clock",
    },
    Kept {
        word: "Timestamp::now",
        by: &["app"],
        why: "the time is read through app::Clock",
    },
    Kept {
        word: "Zoned::now",
        by: &["app"],
        why: "the time is read through app::Clock",
    },
    Kept {
        word: "Instant::now",
        by: CLOCK_ROOMS,
        why: "use telemetry::monotonic",
    },
    Kept {
        word: "thread::sleep",
        by: &[],
        why: "wait for the event, not for time",
    },
    Kept {
        word: "unsafe",
        by: &["allocator"],
        why: "src/allocator.rs is the only file with unsafe code",
    },
    Kept {
        word: "unsafe_code",
        by: &["allocator"],
        why: "src/allocator.rs is the only file with unsafe code",
    },
    // Reading is free; writing is not. A closure for the writer comes from operations.
    Kept {
        word: "store.write",
        by: &["operations", "store", "vendor"],
        why: "only operations write",
    },
    Kept {
        word: "store().write",
        by: &["operations", "store"],
        why: "only operations write",
    },
];

/// Rooms that may read the monotonic clock, in one small function each: `telemetry` for all others, and the rooms
/// below it that time their own sockets and commits.
const CLOCK_ROOMS: &[&str] = &["app", "telemetry", "radius", "store"];

/// Rooms whose text may hold HTML.
const HTML_ROOMS: &[&str] = &["web"];

/// What makes a text HTML. Whole tags, because `<` alone means "less than" and `<NAME>` a placeholder.
const HTML: &[&str] = &[
    "<!doctype",
    "<html",
    "<body",
    "<div",
    "<span",
    "<p>",
    "<a href",
    "<br",
    "<table",
    "<form",
    "<input",
    "<script",
    "<svg",
];

/// A file that has grown past this is two files.
const MAX_LINES: usize = 500;

/// More files than this is not our source tree.
const MAX_FILES: usize = 2_000;

/// Everything wrong with one file, as "path:line: message". `path` begins with `src/` or `templates/`.
fn violations(path: &str, text: &str) -> Vec<String> {
    let found = match Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
    {
        Some("rs") => source_violations(path, text),
        Some("html" | "svg") => template::violations(text),
        _ => Vec::new(),
    };
    found
        .into_iter()
        .map(|(line, message)| format!("{path}:{line}: {message}"))
        .collect()
}

fn source_violations(path: &str, text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        found.push((
            lines,
            format!("{lines} lines: at most {MAX_LINES}, split the file"),
        ));
    }
    let source = Source::read(text);
    let modules = source::modules(path);
    let room = modules.first().map_or("lib", String::as_str);
    for kept in KEPT {
        if !kept.by.contains(&room) {
            found.extend(
                source
                    .lines_with(kept.word)
                    .into_iter()
                    .map(|line| (line, format!("`{}`: {}", kept.word, kept.why))),
            );
        }
    }
    if !HTML_ROOMS.contains(&room) {
        let html = source.strings.iter().filter(|(_, string)| {
            let string = string.to_ascii_lowercase();
            HTML.iter().any(|tag| string.contains(tag))
        });
        found.extend(html.map(|(line, _)| {
            (
                *line,
                "HTML in a string: it belongs to web and templates".to_owned(),
            )
        }));
    }
    // lib.rs is the list of rooms, and belongs to none of them.
    if room != "lib" {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            found.push((
                1,
                format!("`{room}` is not a room of tests/it/tidy: add it with its arrows"),
            ));
            return found;
        };
        for (line, used) in source.paths(&modules) {
            found.extend(judge(room, allowed, &used).map(|message| (line, message)));
        }
    }
    found
}

/// What is wrong with the use of a path such as `store::View` in a room.
fn judge(room: &str, allowed: &[&str], used: &str) -> Option<String> {
    let target = used.split("::").next().unwrap_or(used);
    if target == room {
        return None;
    }
    if !ARROWS.iter().any(|(name, _)| *name == target) {
        return Some(format!(
            "crate::{used}: `{target}` is not a room of tests/it/tidy"
        ));
    }
    let fits = |arrow: &&str| {
        used == *arrow
            || used
                .strip_prefix(*arrow)
                .is_some_and(|rest| rest.starts_with("::"))
    };
    let message = || {
        format!(
            "crate::{used}: `{room}` may use {}",
            if allowed.is_empty() {
                "no other room".to_owned()
            } else {
                allowed.join(", ")
            }
        )
    };
    (!allowed.iter().any(fits)).then(message)
}

fn files(folder: &Path, list: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            files(&path, list);
        } else {
            list.push(path);
        }
        assert!(list.len() < MAX_FILES, "too many files");
    }
}

/// Path, relative to the package, and text of every file in `src` and `templates`.
fn tree() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut list = Vec::new();
    files(&root.join("src"), &mut list);
    files(&root.join("templates"), &mut list);
    list.sort();
    let read = |path: &PathBuf| {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.strip_prefix(root).expect("inside the package");
        (name.to_string_lossy().into_owned(), text)
    };
    let tree: Vec<(String, String)> = list.iter().map(read).collect();
    assert!(
        tree.iter().any(|(path, _)| path == "src/lib.rs"),
        "the source is not where it should be"
    );
    tree
}

#[test]
fn the_source_and_the_templates_keep_to_the_rules() {
    let found: Vec<String> = tree()
        .iter()
        .flat_map(|(path, text)| violations(path, text))
        .collect();
    assert!(
        found.is_empty(),
        "{} violations:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn a_room_reads_the_clock_in_one_place() {
    for room in CLOCK_ROOMS {
        let mut readers = Vec::new();
        for (path, text) in tree() {
            if path.ends_with(".rs")
                && source::modules(&path)
                    .first()
                    .is_some_and(|first| first == room)
            {
                let lines = Source::read(&text).lines_with("Instant::now");
                readers.extend(lines.into_iter().map(|line| format!("{path}:{line}")));
            }
        }
        assert!(
            readers.len() <= 1,
            "{room} reads the monotonic clock in {}",
            readers.join(", ")
        );
    }
}

#[test]
fn every_arrow_leads_to_a_room_and_none_leads_back() {
    for (room, allowed) in ARROWS {
        for arrow in *allowed {
            let target = arrow.split("::").next().expect("a name");
            let Some((_, back)) = ARROWS.iter().find(|(name, _)| *name == target) else {
                panic!("{room} -> {target}: no such room")
            };
            assert!(
                !back
                    .iter()
                    .any(|back| back.split("::").next() == Some(*room)),
                "{room} and {target} use each other"
            );
        }
    }
}
