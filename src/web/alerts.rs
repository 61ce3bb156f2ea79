//! Lasting conditions of the appliance that every page says above its content.

use crate::app::App;
use crate::domain::time::{DAY, Timestamp};
use crate::operations::doctor::{self, ENDS_SOON, NEARLY_FULL, Standing, Verdict};
use crate::operations::support::{self, Support};
use crate::operations::{licence, updates};
use crate::store::{Health, accounting};
use crate::telemetry::{DiskSample, monotonic};
use crate::tls::InUse;
use crate::web::parts::Tone;
use crate::web::shell::Alert;
use crate::web::words::Words;

/// Characters of a cause above every page; its own page has all of them.
const LONGEST_CAUSE: usize = 200;

/// What is wrong now; empty on a good day.
pub fn of(app: &App) -> Vec<Alert> {
    let disk = app.telemetry.snapshot(monotonic()).host.disk;
    let mut alerts = alerts(&app.store.health(), &app.accounting.health(), disk);
    // Behind a proxy that speaks HTTPS in our place, nobody sees the certificate.
    if !app.listening().https.is_empty() {
        alerts.extend(of_certificate(&app.certificates.in_use(), app.now()));
    }
    // A store that cannot be read says so by other means.
    if let Ok(Some(on)) = support::current(app) {
        alerts.push(remote_support(on, &Words::of(app).minute(on.until)));
    }
    alerts.extend(of_licence(app));
    alerts.extend(of_updates(app));
    alerts.extend(of_backups(app));
    alerts.extend(of_failed_update(app));
    alerts
}

/// An update that failed, which nobody may have watched. What cannot be looked at has its own alert.
fn of_failed_update(app: &App) -> Option<Alert> {
    let finding = doctor::updates(app).ok()??;
    let is_bad = finding.verdict == Verdict::Bad;
    let text = format!("{}. Settings, Updates says more.", cause(&finding.seen));
    is_bad.then(|| alert(Tone::Bad, "The last update failed.", &text))
}

/// What was seen as a sentence, without its end.
fn cause(seen: &str) -> String {
    let mut text: String = seen.chars().take(1).flat_map(char::to_uppercase).collect();
    text.extend(seen.chars().skip(1).take(LONGEST_CAUSE));
    text.trim_end_matches('.').to_owned()
}

fn of_certificate(in_use: &InUse, now: Timestamp) -> Option<Alert> {
    let left = in_use.facts.not_after.since(now);
    if in_use.fault.is_some() {
        let text = "The one before stays in use, or a self-signed one. Settings, Certificate says what is wrong.";
        return Some(alert(Tone::Bad, "The certificate cannot be used.", text));
    }
    let text = "Settings, Certificate shows why it was not renewed, and the ways to a new one.";
    match left {
        0 => Some(alert(Tone::Bad, "The certificate has ended.", text)),
        1..=ENDS_SOON => {
            let title = match left / DAY {
                0 => "The certificate ends today.".to_owned(),
                1 => "The certificate ends tomorrow.".to_owned(),
                days => format!("The certificate ends in {days} days."),
            };
            Some(alert(Tone::Warn, &title, text))
        }
        _ => None,
    }
}

/// A licence that limits something, or soon will.
fn of_licence(app: &App) -> Option<Alert> {
    let said = licence::words(&app.licence(), &app.settings().calendar);
    let tone = match said.is_limited {
        true => Tone::Bad,
        false => Tone::Warn,
    };
    (!said.is_well).then(|| {
        alert(
            tone,
            &said.title,
            &format!("{} See Settings, Licence.", said.text),
        )
    })
}

/// A version that can be had. A store that cannot be read has its own alert.
fn of_updates(app: &App) -> Option<Alert> {
    let (release, _) = updates::offered(app).ok()??;
    let title = format!("Version {} can be installed.", release.version);
    let text = "Settings, Updates says what is new.";
    Some(alert(Tone::Info, &title, text))
}

/// What every page says of the backups; what can wait stands in the report only. A store that cannot be read has its own alert.
fn of_backups(app: &App) -> Option<Alert> {
    let (standing, finding) = doctor::backups(app).ok()?;
    let (tone, title, text) = match &standing {
        Standing::Failed(_) | Standing::Unrestorable(_) | Standing::Late => (
            Tone::Bad,
            "Backups need attention.",
            format!("{}. Settings, Backups says more.", cause(&finding.seen)),
        ),
        Standing::WithoutKey { is_late } => (
            if *is_late { Tone::Bad } else { Tone::Warn },
            "No backup can be made.",
            "There is nothing to encrypt them with: a passphrase, or an activated licence. See Settings, Backups.".to_owned(),
        ),
        Standing::Paused(since) => (
            Tone::Warn,
            "Backups stay on this machine.",
            format!(
                "Sending them to the other machine is paused since the restore of {}. Settings, Backups resumes it.",
                Words::of(app).minute(*since)
            ),
        ),
        Standing::Unsent(problem) => (
            Tone::Warn,
            "The newest backup is on this machine only.",
            format!("Sending it failed: {problem}. See Settings, Backups."),
        ),
        Standing::Missing | Standing::Forgotten | Standing::Untested | Standing::Good => {
            return None;
        }
    };
    Some(alert(tone, title, &text))
}

fn remote_support(on: Support, until: &str) -> Alert {
    let text = match on.waits {
        true => "Its code was not used yet. End it under Settings, Support.",
        false => {
            "A technician of the vendor was let in; the audit log shows what is done. End it under Settings, Support."
        }
    };
    let title = format!("Remote support is on until {until}.");
    alert(Tone::Warn, &title, text)
}

fn alerts(store: &Health, accounting: &accounting::Health, disk: Option<DiskSample>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let disk_full = accounting.disk_full
        || store
            .failing
            .as_ref()
            .is_some_and(|failure| failure.disk_full);
    if disk_full {
        alerts.push(alert(
            Tone::Bad,
            "The disk is full.",
            "Subscribers can still sign in, but nothing can be saved. Free some space; saving goes on by itself.",
        ));
    } else if store.failing.is_some() {
        alerts.push(alert(
            Tone::Bad,
            "Changes cannot be saved.",
            "The disk reports errors; the log says which. Subscribers can still sign in.",
        ));
    } else if accounting.failing.is_some() {
        alerts.push(alert(
            Tone::Bad,
            "Accounting cannot be saved.",
            "Routers keep their records and send them again. The log says what is wrong.",
        ));
    }
    if let Some(percent) = disk
        .map(|disk| disk.used_percent())
        .filter(|percent| !disk_full && *percent >= NEARLY_FULL)
    {
        let title = format!("The disk is {percent} % full.");
        alerts.push(alert(
            Tone::Warn,
            &title,
            "Free some space before saving stops.",
        ));
    }
    alerts
}

fn alert(tone: Tone, title: &str, text: &str) -> Alert {
    Alert {
        tone,
        title: title.to_owned(),
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::CommitFailure;
    use crate::tls::{Facts, Fingerprint, Source};
    use std::time::Duration;

    fn store(disk_full: Option<bool>) -> Health {
        let failing = disk_full.map(|disk_full| CommitFailure {
            message: "secret path".into(),
            disk_full,
            since: Duration::ZERO,
            last: Duration::ZERO,
        });
        Health {
            failing,
            ..Health::default()
        }
    }

    #[test]
    fn a_certificate_is_an_alert_when_it_ends_or_cannot_be_used() {
        let now = Timestamp(1_800_000_000_000);
        let in_use = |left: i64, fault: Option<&str>| InUse {
            source: Source::Own,
            facts: Facts {
                names: vec!["a.example".into()],
                issuer: "ca".into(),
                not_before: now.plus(-DAY),
                not_after: now.plus(left),
                fingerprint: Fingerprint([0; 32]),
                is_self_signed: false,
            },
            fault: fault.map(Into::into),
        };
        for (left, fault, said) in [
            (14 * DAY + 1, None, ""),
            (14 * DAY, None, "The certificate ends in 14 days."),
            (2 * DAY, None, "The certificate ends in 2 days."),
            (DAY, None, "The certificate ends tomorrow."),
            (1, None, "The certificate ends today."),
            (0, None, "The certificate has ended."),
            (-DAY, None, "The certificate has ended."),
            (90 * DAY, Some("why"), "The certificate cannot be used."),
        ] {
            let alert = of_certificate(&in_use(left, fault), now);
            assert_eq!(alert.map_or(String::new(), |alert| alert.title), said);
        }
    }

    fn accounting(failing: bool, disk_full: bool) -> accounting::Health {
        accounting::Health {
            failing: failing.then(|| "why".into()),
            disk_full,
            ..accounting::Health::default()
        }
    }

    fn disk(percent: u64) -> Option<DiskSample> {
        Some(DiskSample {
            total_bytes: 1_000,
            available_bytes: 1_000 - percent * 10,
        })
    }

    #[test]
    fn each_trouble_is_said_once_and_the_worst_first() {
        for (store, accounting, disk, said) in [
            (store(None), accounting(false, false), disk(89), vec![]),
            (store(None), accounting(false, false), None, vec![]),
            (
                store(None),
                accounting(false, false),
                disk(90),
                vec!["The disk is 90 % full."],
            ),
            (
                store(Some(false)),
                accounting(true, false),
                disk(10),
                vec!["Changes cannot be saved."],
            ),
            (
                store(None),
                accounting(true, false),
                disk(10),
                vec!["Accounting cannot be saved."],
            ),
            (
                store(Some(true)),
                accounting(true, false),
                disk(100),
                vec!["The disk is full."],
            ),
            (
                store(None),
                accounting(true, true),
                disk(100),
                vec!["The disk is full."],
            ),
        ] {
            let alerts = alerts(&store, &accounting, disk);
            let titles: Vec<&str> = alerts.iter().map(|alert| alert.title.as_str()).collect();
            assert_eq!(titles, said);
            assert!(
                alerts
                    .iter()
                    .all(|alert| !alert.text.contains("secret path"))
            );
        }
    }
}
