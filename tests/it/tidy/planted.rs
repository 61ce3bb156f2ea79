//! The rules are alive: each finds what was planted for it, and nothing in what is allowed.

use super::{MAX_LINES, violations};

#[test]
fn a_planted_violation_is_found() {
    let long = "//\n".repeat(MAX_LINES + 1);
    let planted = [
        (
            "src/store/plans.rs",
            "use crate::search::Index;",
            "`store` may use domain, crypto",
        ),
        (
            "src/store/plans.rs",
            "fn f() {\n    crate::search::go();\n}",
            "src/store/plans.rs:2: crate::search::go",
        ),
        (
            "src/domain/plan.rs",
            "use crate::{domain::rate, config as settings};",
            "crate::config: `domain` may use no other room",
        ),
        (
            "src/domain/plan.rs",
            "use crate::store::{codec as c};",
            "crate::store::codec",
        ),
        (
            "src/domain/plan.rs",
            "use crate::\n    store::View;",
            "src/domain/plan.rs:1: crate::store::View",
        ),
        (
            "src/domain/plan.rs",
            "use super::super::store::View;",
            "crate::store::View",
        ),
        (
            "src/config/mod.rs",
            "use super::store::View;",
            "crate::store::View",
        ),
        ("src/crypto.rs", "use super::telemetry;", "crate::telemetry"),
        (
            "src/domain/plan.rs",
            "use crate as root; use root::store;",
            "`crate` by itself",
        ),
        (
            "src/domain/plan.rs",
            "use crate::*;",
            "crate::*: `*` is not a room",
        ),
        (
            "src/routers/mikrotik.rs",
            "use crate::radius::server::spawn;",
            "`routers` may use radius::attribute, radius::number, domain",
        ),
        (
            "src/routers/mikrotik.rs",
            "use crate::radius::attributes;",
            "crate::radius::attributes",
        ),
        (
            "src/radius/server.rs",
            "use crate::domain::id::NasId;",
            "`radius` may use crypto",
        ),
        ("src/web/mod.rs", "use crate::jobs::Job;", "`web` may use"),
        (
            "src/main.rs",
            "use proxpanel::store::Store;",
            "`main` may use cli, allocator",
        ),
        (
            "src/billing.rs",
            "//! New.",
            "src/billing.rs:1: `billing` is not a room",
        ),
        (
            "src/web/mod.rs",
            "use crate::billing::Invoice;",
            "`billing` is not a room",
        ),
        (
            "src/web/mod.rs",
            "use redb::Database;",
            "`redb`: only the store",
        ),
        (
            "src/lib.rs",
            "use tantivy::Index;",
            "`tantivy`: only search",
        ),
        (
            "src/operations/aaa.rs",
            "#[derive(askama::Template)]",
            "`askama`: HTML",
        ),
        (
            "src/web/mod.rs",
            "app.store.write(\"name\", closure)",
            "`store.write`: only operations",
        ),
        (
            "src/jobs/expiry.rs",
            "app.store()\n  .write(closure)",
            "src/jobs/expiry.rs:1: `store().write`",
        ),
        (
            "src/store/writer.rs",
            "let now = SystemTime::now();",
            "`SystemTime`",
        ),
        (
            "src/web/mod.rs",
            "let now = std::time::Instant::now();",
            "`Instant::now`",
        ),
        (
            "src/operations/aaa.rs",
            "let now = jiff::Timestamp::now();",
            "`Timestamp::now`",
        ),
        (
            "src/telemetry/mod.rs",
            "std::thread::sleep(second);",
            "`thread::sleep`",
        ),
        (
            "src/radius/socket.rs",
            "unsafe { close(fd) }",
            "`unsafe`: src/allocator.rs",
        ),
        (
            "src/radius/mod.rs",
            "#![allow(unsafe_code)]",
            "`unsafe_code`: src/allocator.rs",
        ),
        (
            "src/operations/aaa.rs",
            "let page = \"<DIV>hello</DIV>\";",
            "HTML in a string",
        ),
        (
            "src/operations/aaa.rs",
            "let page = r#\"\n<p>\"hello\"</p>\"#;",
            "HTML in a string",
        ),
        (
            "src/domain/plan.rs",
            long.as_str(),
            "501 lines: at most 500",
        ),
        (
            "templates/layout/base.html",
            "<p>\n<script>alert(1)</script>",
            "templates/layout/base.html:2: a script without src",
        ),
    ];
    for (path, text, expected) in planted {
        let found = violations(path, text);
        assert_eq!(found.len(), 1, "{path}: {text}\n{found:?}");
        assert!(found[0].contains(expected), "{path}: {text}\n{found:?}");
    }
}

#[test]
fn what_is_allowed_is_not_reported() {
    let long = "//\n".repeat(MAX_LINES);
    let allowed = [
        (
            "src/store/plans.rs",
            "use crate::domain::plan::Plan;\nuse crate::store::{View, codec::{Record, decode}};\nuse super::tables::PLANS;",
        ),
        (
            "src/store/plans.rs",
            "use redb::ReadableTable;\nfn f(transaction: &redb::ReadTransaction) {}",
        ),
        (
            "src/store/writer.rs",
            "mod tests { use super::super::view::View; use super::*; }",
        ),
        (
            "src/routers/mikrotik.rs",
            "use crate::radius::{attribute, number::mikrotik, attribute::{Buffer}};",
        ),
        (
            "src/main.rs",
            "use proxpanel::{allocator, cli};\nfn main() { cli::main() }",
        ),
        (
            "src/allocator.rs",
            "#![allow(unsafe_code)]\nunsafe { libc::malloc_trim(0); }",
        ),
        (
            "src/lib.rs",
            "//! unsafe, redb and crate::store are only named here.\npub mod store;",
        ),
        (
            "src/domain/rate.rs",
            "// crate::store is not used: /* neither */ here\nlet text = \"crate::store and redb, unsafe\";\nlet quote = '\"'; /* crate::web /* nested */ crate::web */",
        ),
        (
            "src/domain/rate.rs",
            "pub(crate) fn f<'a>(text: &'a str) -> &'a str { text }",
        ),
        (
            "src/domain/rate.rs",
            "let placeholder = \"<password hidden>\"; let less = a <b; let raw = br##\"crate::store\"# redb\"##;",
        ),
        (
            "src/domain/rate.rs",
            "let predb = redbird; let unsafely = 1; $crate::whatever;",
        ),
        (
            "src/web/pages/plans.rs",
            "let svg = \"<svg>\";\nuse askama::Template;\nuse super::super::extract::Form;",
        ),
        ("src/telemetry/mod.rs", "Instant::now()"),
        (
            "src/operations/plans.rs",
            "app.store.write(\"plan\", |tx| Ok(()))",
        ),
        ("src/domain/plan.rs", long.as_str()),
        ("templates/layout/_notes.txt", "<script>"),
    ];
    for (path, text) in allowed {
        assert_eq!(
            violations(path, text),
            Vec::<String>::new(),
            "{path}: {text}"
        );
    }
}
