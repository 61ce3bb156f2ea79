//! The forms of the schedule, of the passphrase, and of which key is used.

use crate::crypto::Secret;
use crate::domain::Invalid;
use crate::domain::backup::{Every, Retention, Schedule};
use crate::domain::window::WEEKDAYS;
use crate::operations::backups::KeyKind;
use crate::operations::backups::settings::{self as verbs, BackupSettings, MOST_KEPT};
use crate::web::error::{Reply, done};
use crate::web::extract::Change;
use crate::web::form::{FormData, Problems, number};
use crate::web::parts::Select;
use crate::web::shell::Flash;

use super::{PATH, again, word};

pub(super) fn every(chosen: &str) -> Select {
    let all = [
        ("never", "Never"),
        ("day", "Every day"),
        ("week", "Every week"),
        ("month", "Every month"),
    ];
    Select::new(all, chosen)
}

pub(super) fn weekdays(chosen: &str) -> Select {
    let all = (1..).zip(WEEKDAYS);
    Select::new(all.map(|(day, name)| (day.to_string(), name)), chosen)
}

pub(super) fn hours(chosen: &str) -> Select {
    Select::new(
        (0..24).map(|hour| (hour.to_string(), format!("{hour:02}:00"))),
        chosen,
    )
}

/// The form as it stands for what is set.
pub(super) fn filled(set: &BackupSettings) -> FormData {
    let every = set.schedule.map(|schedule| schedule.every);
    let (mut weekday, mut day) = (1, 1);
    match every {
        Some(Every::Week(chosen)) => weekday = chosen,
        Some(Every::Month(chosen)) => day = chosen,
        Some(Every::Day) | None => {}
    }
    let hour = set.schedule.map_or(3, |schedule| schedule.hour);
    FormData::filled(vec![
        ("every", every.map_or("never", word).to_owned()),
        ("weekday", weekday.to_string()),
        ("day", day.to_string()),
        ("hour", hour.to_string()),
        ("keep_days", set.keep.days.to_string()),
        ("keep_weeks", set.keep.weeks.to_string()),
        ("keep_months", set.keep.months.to_string()),
        ("key", key_word(set.key).to_owned()),
    ])
}

/// Schedule and retention.
pub async fn update(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    let schedule = schedule(&form, &mut problems);
    let kept = |name| number(form.text(name), 0, MOST_KEPT);
    let days = problems.take("keep_days", kept("keep_days"));
    let weeks = problems.take("keep_weeks", kept("keep_weeks"));
    let months = problems.take("keep_months", kept("keep_months"));
    if let (Some(schedule), Some(days), Some(weeks), Some(months)) = (schedule, days, weeks, months)
    {
        let keep = Retention {
            days,
            weeks,
            months,
        };
        let saved = verbs::update(signed.app(), &signed.actor(), schedule, keep).await;
        if problems.absorb(saved)?.is_some() {
            return Ok(done(&signed, Flash::good("Saved."), PATH));
        }
    }
    again(&signed, form, &problems, "").await
}

/// What was typed; the inner nothing is `never`, the outer one a problem that was noted.
fn schedule(form: &FormData, problems: &mut Problems) -> Option<Option<Schedule>> {
    let every = match form.text("every") {
        "never" => return Some(None),
        "day" => Some(Every::Day),
        "week" => problems
            .take("weekday", number(form.text("weekday"), 1, 7))
            .map(Every::Week),
        "month" => problems
            .take("day", number(form.text("day"), 1, 31))
            .map(Every::Month),
        _ => {
            problems.add("every", Invalid::new("Choose one of the list"));
            None
        }
    };
    let hour = problems.take("hour", number(form.text("hour"), 0, 23));
    Some(Some(Schedule {
        every: every?,
        hour: hour?,
    }))
}

/// A new passphrase.
pub async fn passphrase(Change { signed, form }: Change) -> Reply {
    let mut problems = Problems::default();
    if let Some(secret) = read_passphrase(&form, &mut problems) {
        let set = verbs::set_passphrase(signed.app(), &signed.actor(), secret).await;
        if problems.absorb(set)?.is_some() {
            let text = "The passphrase is set. Write it down and keep it away from this machine.";
            return Ok(done(&signed, Flash::good(text), PATH));
        }
    }
    again(&signed, FormData::default(), &problems, "").await
}

pub(super) fn keys(chosen: &str) -> Select {
    let all = [KeyKind::Passphrase, KeyKind::Licence].map(|kind| {
        let name = match kind {
            KeyKind::Passphrase => "The passphrase",
            KeyKind::Licence => "The licence key",
        };
        (key_word(kind), name)
    });
    Select::new(all, chosen)
}

fn key_word(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Passphrase => "passphrase",
        KeyKind::Licence => "licence",
    }
}

/// Which of the two opens backups from now on.
pub async fn choose_key(Change { signed, form }: Change) -> Reply {
    let chosen = [KeyKind::Passphrase, KeyKind::Licence]
        .into_iter()
        .find(|kind| key_word(*kind) == form.text("key"));
    let mut problems = Problems::default();
    let chosen = chosen.ok_or_else(|| Invalid::new("Choose one of the list"));
    if let Some(chosen) = problems.take("key", chosen) {
        let set = verbs::set_key(signed.app(), &signed.actor(), chosen).await;
        if problems.absorb(set)?.is_some() {
            let text = format!("Backups made from now on open with the {chosen}.");
            return Ok(done(&signed, Flash::good(text), PATH));
        }
    }
    again(&signed, form, &problems, "").await
}

/// What was typed twice alike; `None` once a problem was noted.
pub fn read_passphrase(form: &FormData, problems: &mut Problems) -> Option<Secret<String>> {
    let typed = form.text("passphrase");
    let is_same = typed == form.text("passphrase_again");
    let differ = || Invalid::new("The two passphrases differ");
    let secret = is_same.then(|| Secret::new(typed.to_owned()));
    problems.take("passphrase_again", secret.ok_or_else(differ))
}
