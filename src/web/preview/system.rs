//! Invented data for the machine room: health, logs, the restart. Jobs are in `others`.

use askama::Template;

use super::{Sample, Wish, bad, good, warn};
use crate::web::pager::{ActiveFilter, Pager};
use crate::web::pages::system::{
    FindingRow, HealthPage, HealthPart, LogRow, LogsPage, LogsPart, Piece, RestartPage,
    RestartingPage,
};
use crate::web::parts::{Badge, Fact, Meter, Select, Tone};
use crate::web::query::Query;
use crate::web::shell::Nav;
use crate::web::tabs;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/system/health", health(wish).render()),
        page("/system/logs", logs(wish).render()),
        page(
            "/system/logs/empty",
            LogsPage {
                part: LogsPart::default(),
                ..logs(wish)
            }
            .render(),
        ),
        page(
            "/system/restart",
            RestartPage {
                shell: wish.shell("Restart", Nav::System),
                configuration: wish.said("/etc/proxpanel/proxpanel.toml"),
                back: "/system/health",
            }
            .render(),
        ),
        page(
            "/system/restarting",
            RestartingPage {
                shell: wish.shell("Restarting", Nav::System),
                wait_href: "/system/restarting?since=1800000000000".into(),
                next: "/system/health",
            }
            .render(),
        ),
    ]
}

fn health(wish: Wish) -> HealthPage {
    let row = |what: &str, href: &str, state, seen: &str, mend: &[(bool, &str)]| FindingRow {
        what: what.into(),
        href: href.into(),
        state,
        seen: wish.said(seen),
        mend: mend
            .iter()
            .map(|(is_command, text)| Piece {
                is_command: *is_command,
                text: wish.said(text),
            })
            .collect(),
    };
    let meter = |label: &str, value: &str, percent, tone| Meter {
        label: label.into(),
        value: value.into(),
        percent,
        tone,
    };
    HealthPage {
        shell: wish.shell("Health", Nav::System),
        tabs: tabs::system("/system/health"),
        part: HealthPart {
            state: bad("1 bad, 1 to look at"),
            rows: vec![
                row(
                    "Backups",
                    "/settings/backups",
                    bad("Bad"),
                    "the last one failed: cannot write /var/backups/proxpanel/backup_2026-11-22_03-00-00.enc.part: No space left on device",
                    &[
                        (false, "mend what it says, then "),
                        (true, "proxpanel backup"),
                    ],
                ),
                row(
                    "NAS devices",
                    "/nas",
                    warn("Look at it"),
                    "no packet for a day: Tower North",
                    &[(
                        false,
                        "the checks on the page of each NAS say what is missing on the router",
                    )],
                ),
                row(
                    "Daemon",
                    "",
                    good("Good"),
                    "listens: HTTPS 0.0.0.0:443 [::]:443; authentication 0.0.0.0:1812",
                    &[],
                ),
                row(
                    "Disk of the data",
                    "",
                    good("Good"),
                    "34 % full, 12.0 GB of 20.0 GB free",
                    &[],
                ),
                row(
                    "Clock",
                    "",
                    good("Good"),
                    "2026-11-22 14:02:30, set by a time server",
                    &[],
                ),
            ],
            machine: vec![
                meter("CPU", "7 %", 7, Tone::Info),
                meter("Memory", "212 MB of 512 MB", 41, Tone::Info),
                meter("Disk", "18.4 GB of 20.0 GB", 92, Tone::Bad),
            ],
            machine_facts: vec![
                Fact::new("Load", "0.08, 0.10, 0.09").note("1 cores"),
                Fact::new("Uptime", "42 d 3 h").note("daemon 3 d 4 h"),
                Fact::new("Version", "0.1.0"),
            ],
            daemon_facts: vec![
                Fact::new("HTTPS", "0.0.0.0:443, [::]:443"),
                Fact::new("RadSec (TCP)", "off"),
                Fact::new("Data folder", wish.said("/var/lib/proxpanel")),
            ],
            updated: "2026-11-22 14:02:30".into(),
        },
    }
}

fn logs(wish: Wish) -> LogsPage {
    let row = |tone, level: &str, target: &str, text: &str| LogRow {
        time: "2026-11-22 14:02:30".into(),
        level: Badge::new(tone, level),
        target: target.into(),
        text: wish.said(text),
    };
    let query = Query::new().with("level", "info");
    LogsPage {
        shell: wish.shell("Logs", Nav::System),
        tabs: tabs::system("/system/logs"),
        q: wish.said("disk"),
        level: Select::new([("", "All lines"), ("info", "Notices and worse")], "info"),
        size: String::new(),
        kept: "2,000".into(),
        configuration: wish.said("/etc/proxpanel/proxpanel.toml"),
        part: LogsPart {
            here: "/system/logs?level=info".into(),
            filters: vec![ActiveFilter {
                text: wish.said("text “disk”"),
                remove_href: "/system/logs?level=info".into(),
            }],
            rows: vec![
                row(
                    Tone::Bad,
                    "Error",
                    "store::accounting::owner",
                    "accounting records cannot be stored, so they are not answered error=\"No space left on device (os error 28)\"",
                ),
                row(
                    Tone::Warn,
                    "Warning",
                    "jobs::supervisor",
                    "a job failed and will be tried again job=\"backups\" error=the folder /var/backups/proxpanel cannot be written",
                ),
                row(
                    Tone::Info,
                    "Notice",
                    "daemon::reload",
                    "the configuration was read again level=info",
                ),
            ],
            pager: Pager::log("/system/logs", &query, 50, 3, Some(17)),
            updated: "2026-11-22 14:02:30".into(),
        },
    }
}
