//! Invented data for the tabs of the settings.

use super::{Wish, bad, good, quiet, warn};
use crate::web::pages::settings::backups::{
    BackupRow, BackupsPage, BackupsPart, DestinationForm, RestorePage,
};
use crate::web::parts::{Badge, Field, Meter, Select, Tone};
use crate::web::shell::Nav;
use crate::web::tabs;

pub(super) fn backups(wish: Wish) -> BackupsPage {
    let name = wish.said("backup_2026-11-22_03-00-00.enc");
    let row = |test, note: &str, error: bool| BackupRow {
        when: "2026-11-22 03:00".into(),
        by: "Schedule".into(),
        name: if error { String::new() } else { name.clone() },
        size: "48.2 MB".into(),
        holds: "4,907 subscribers, 1,204,511 rows".into(),
        took: "7.4 s".into(),
        test,
        note: wish.said(note),
        sent: if error {
            Badge::default()
        } else {
            warn("Not sent")
        },
        sent_note: wish.said("the server refused the user name or the password."),
        send_href: "/settings/backups/a.enc/send".into(),
        href: if error {
            String::new()
        } else {
            format!("/settings/backups/{name}")
        },
        test_href: "/settings/backups/a.enc/test".into(),
        delete_href: "/settings/backups/a.enc/delete".into(),
        delete_question: wish.said("a.enc is removed for good."),
    };
    BackupsPage {
        shell: wish.shell(&tabs::settings("/settings/backups").title(), Nav::Settings),
        tabs: tabs::settings("/settings/backups"),
        part: BackupsPart {
            csrf: "csrf-token".into(),
            progress: Some(Meter {
                label: wish.said("Backup: copying the tables"),
                value: "42%, began 3 s ago".into(),
                percent: 42,
                tone: Tone::Info,
            }),
            problem: Some(wish.said("the passphrase does not open this backup.")),
            can_create: true,
            shows_sent: true,
            rows: vec![
                row(
                    good("Proven"),
                    "restored and compared on 2026-11-22 03:00",
                    false,
                ),
                row(bad("Failed"), "the disk is full", true),
                row(quiet("Not tested"), "", false),
            ],
        },
        refusal: Some("One field needs your attention.".into()),
        no_key: "No backup can be made before you set a passphrase below.",
        has_passphrase: true,
        may_choose_key: true,
        uses_licence: false,
        key: Select::new([("passphrase", "The passphrase")], "passphrase"),
        passphrase: Field::wrong("", "12 to 200 characters"),
        passphrase_again: Field::default(),
        every: Select::new([("never", "Never"), ("day", "Every day")], "day"),
        weekday: Select::new([("1", "Monday")], "1"),
        day: Field::new(wish.said("1")),
        hour: Select::new([("3", "03:00")], "3"),
        keep_days: Field::new("7"),
        keep_weeks: Field::new("4"),
        keep_months: Field::new("6"),
        next: "2026-11-23 03:00".into(),
        folder: "/var/backups/proxpanel".into(),
        destination: destination(wish),
        paused: wish.said("2026-11-22 03:00"),
    }
}

fn destination(wish: Wish) -> DestinationForm {
    DestinationForm {
        place: wish.said("ftp://isp@backup.example:21/proxpanel"),
        is_plain: true,
        stranger: wish.said("SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDiWf6WQZhTDfPOw1o"),
        protocol: Select::new([("off", "Nowhere"), ("ftp", "FTP, not encrypted")], "ftp"),
        host: Field::wrong(wish.said("back up"), "A name or an address"),
        port: Field::new("21"),
        user: Field::new(wish.said("isp")),
        password: Field::default(),
        folder: Field::new(wish.said("proxpanel")),
        keep: Field::new("14"),
        identity: Field::new(wish.said("SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDiWf6WQZhTDfPOw1o")),
    }
}

pub(super) fn restore(wish: Wish) -> RestorePage {
    RestorePage {
        shell: wish.shell("Restore", Nav::Settings),
        name: wish.said("backup_2026-11-22_03-00-00.enc"),
        action: "/settings/backups/a.enc/restore".into(),
        back: "/settings/backups",
        label: wish.said("Key of licence 5"),
        typed: Field::default(),
    }
}
