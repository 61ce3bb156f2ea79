//! The figures of the dashboard, gathered anew every few seconds. Reads only; a page with 100,000 subscribers takes
//! milliseconds.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::{LivePart, NasHealth, StatCard, StateCount};
use crate::app::{App, NasEntry};
use crate::domain::access::Reason;
use crate::domain::duration;
use crate::domain::octets::Octets;
use crate::domain::time::Timestamp;
use crate::operations::Error;
use crate::operations::aaa::reject_slot;
use crate::operations::backups;
use crate::operations::overview::{self, Counts, State};
use crate::telemetry::{HostSample, SAMPLES, Snapshot, monotonic};
use crate::web::chart::Sparkline;
use crate::web::pages::{self, auth_log};
use crate::web::parts::{Badge, Fact, Meter, Tone, thousands};
use crate::web::words::{self, ago_or_never};

/// Rows of each short list; the full lists are a link away.
const ROWS: usize = 8;
/// Blocks of the authentication log, of 512 attempts each, in which the latest rejects are looked for.
const BLOCKS: usize = 8;

pub(super) fn part(app: &App, counts: &Counts) -> Result<LivePart, Error> {
    let now = app.now();
    let snapshot = app.telemetry.snapshot(monotonic());
    let counters = &app.telemetry.counters;
    let rates = &snapshot.authentications_per_second;
    let (latest, peak) = (latest(rates), peak(rates));
    let rate_now = match rates.is_empty() {
        true => "measuring".to_owned(),
        false => format!("{latest:.1}/s now"),
    };
    let running = i64::try_from(snapshot.running.as_millis()).unwrap_or(i64::MAX);
    Ok(LivePart {
        cards: cards(counts, &snapshot),
        rate: sparkline(rates),
        rate_now,
        rate_peak: if rates.is_empty() {
            String::new()
        } else {
            format!("peak {peak:.1}/s")
        },
        accepts: thousands(counters.access_accepts.get()),
        rejects: thousands(counters.rejects_total()),
        since: format!("since the start, {} ago", duration::short(running)),
        reject_reasons: reject_reasons(|reason| counters.rejects(reject_slot(reason)).get()),
        states: counts
            .states
            .iter()
            .map(|(state, count)| state_count(*state, *count, counts.subscribers))
            .collect(),
        nas: nas(app.nas_table().all(), counts, now),
        machine: machine(&snapshot.host),
        machine_facts: machine_facts(&snapshot.host, running),
        store: store_state(app),
        store_facts: store_facts(app, now)?,
        latest_rejects: latest_rejects(app)?,
        updated: time_of_day(app, now),
    })
}

fn cards(counts: &Counts, snapshot: &Snapshot) -> Vec<StatCard> {
    let card = |label: &str, value: String, unit: &str, note: String, icon, href: &str| StatCard {
        label: label.to_owned(),
        value,
        unit: unit.to_owned(),
        note,
        icon,
        href: href.to_owned(),
    };
    let of = |wanted| {
        counts
            .states
            .iter()
            .find(|(state, _)| *state == wanted)
            .map_or(0, |(_, count)| *count)
    };
    // Who expires soon may still sign in.
    let active = of(State::Active).saturating_add(of(State::ExpiringSoon));
    let open: usize = counts.by_nas.values().sum();
    vec![
        card(
            "Online now",
            number(counts.online),
            "",
            format!("{} without a recent update", number(counts.stale)),
            "activity",
            "/online",
        ),
        card(
            "Active subscribers",
            number(active),
            "",
            format!("of {} in all", number(counts.subscribers)),
            "users",
            "/subscribers",
        ),
        card(
            "Authentications",
            format!("{:.1}", latest(&snapshot.authentications_per_second)),
            "/s",
            format!(
                "peak {:.1}/s in the last hour",
                peak(&snapshot.authentications_per_second)
            ),
            "key-round",
            "/auth-log",
        ),
        card(
            "Accounting",
            format!("{:.1}", latest(&snapshot.accounting_per_second)),
            "/s",
            format!("{} open sessions", number(open)),
            "database",
            "/sessions",
        ),
    ]
}

fn sparkline(rates: &[f64]) -> Sparkline {
    // The chart is an hour wide from the start; before the daemon ran there was nothing.
    let missing = SAMPLES.saturating_sub(rates.len());
    let measured = rates.iter().map(|rate| tenths(*rate));
    let tenths: Vec<u64> = std::iter::repeat_n(0, missing).chain(measured).collect();
    let summary = match tenths.iter().max() {
        None | Some(0) => "No authentication in the last hour".to_owned(),
        Some(_) => format!(
            "Authentications per second over the last hour, at most {:.1}",
            peak(rates)
        ),
    };
    // One a second fills the height at least, so that a quiet hour looks quiet.
    Sparkline::new(&tenths, 10, summary)
}

/// Tenths of a rate; the chart draws whole numbers.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes the nearest u64, and what is below zero becomes 0"
)]
fn tenths(rate: f64) -> u64 {
    (rate * 10.0).round() as u64
}

fn latest(rates: &[f64]) -> f64 {
    rates.last().copied().unwrap_or(0.0)
}

fn peak(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
}

/// The most frequent reasons first.
fn reject_reasons(count: impl Fn(Reason) -> u64) -> Vec<Meter> {
    let mut counted: Vec<(Reason, u64)> = Reason::ALL
        .into_iter()
        .map(|reason| (reason, count(reason)))
        .collect();
    let total: u64 = counted.iter().map(|(_, count)| count).sum();
    counted.retain(|(_, count)| *count > 0);
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counted.truncate(ROWS);
    let meter = |(reason, count): (Reason, u64)| Meter {
        label: reason.words().to_owned(),
        value: thousands(count),
        percent: percent(count, total),
        tone: Tone::Quiet,
    };
    counted.into_iter().map(meter).collect()
}

fn state_count(state: State, count: usize, all: usize) -> StateCount {
    StateCount {
        badge: words::state_badge(state),
        count: number(count),
        href: format!("/subscribers?state={}", state.word()),
        percent: percent(whole(count), whole(all)),
    }
}

/// Those in trouble first, then by name.
fn nas(all: Vec<Arc<NasEntry>>, counts: &Counts, now: Timestamp) -> Vec<NasHealth> {
    let mut rows: Vec<(Badge, Arc<NasEntry>)> = all
        .into_iter()
        .map(|entry| (pages::nas::state_badge(&entry, now), entry))
        .collect();
    rows.sort_by_key(|(state, _)| match state.tone {
        Tone::Bad => 0,
        Tone::Warn => 1,
        Tone::Good | Tone::Info | Tone::Quiet => 2,
    });
    rows.truncate(ROWS);
    let health = |(state, entry): (Badge, Arc<NasEntry>)| NasHealth {
        name: entry.nas.name.clone(),
        href: format!("/nas/{}", entry.nas.id),
        address: entry.nas.network.to_string(),
        state,
        last_seen: ago_or_never(now, entry.stats.last_seen()),
        online: number(counts.by_nas.get(&entry.nas.id).copied().unwrap_or(0)),
        hints: pages::nas::titles(&entry, now),
    };
    rows.into_iter().map(health).collect()
}

pub(in crate::web::pages) fn machine(host: &HostSample) -> Vec<Meter> {
    let meter = |label: &str, value: String, percent: u8| Meter {
        label: label.to_owned(),
        value,
        percent,
        tone: match percent {
            90.. => Tone::Bad,
            75.. => Tone::Warn,
            _ => Tone::Info,
        },
    };
    let of = |used: u64, total: u64| format!("{} of {}", Octets(used), Octets(total));
    let cpu = tenths(f64::from(host.cpu_percent)) / 10;
    let mut meters = vec![
        meter("CPU", format!("{cpu} %"), percent(cpu, 100)),
        meter(
            "Memory",
            of(host.memory_used_bytes, host.memory_total_bytes),
            percent(host.memory_used_bytes, host.memory_total_bytes),
        ),
    ];
    if let Some(disk) = host.disk {
        let used = disk.total_bytes.saturating_sub(disk.available_bytes);
        meters.push(meter(
            "Disk",
            of(used, disk.total_bytes),
            disk.used_percent(),
        ));
    }
    meters.push(meter(
        "Daemon memory",
        Octets(host.process_memory_bytes).to_string(),
        percent(host.process_memory_bytes, host.memory_total_bytes),
    ));
    meters
}

pub(in crate::web::pages) fn machine_facts(host: &HostSample, running: i64) -> Vec<Fact> {
    let [one, five, fifteen] = host.load_average;
    let uptime = i64::try_from(host.uptime_seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000);
    vec![
        Fact::new("Load", format!("{one:.2}, {five:.2}, {fifteen:.2}"))
            .note(format!("{} cores", host.cores)),
        Fact::new("Uptime", duration::short(uptime))
            .note(format!("daemon {}", duration::short(running))),
        Fact::new("Version", env!("CARGO_PKG_VERSION")),
    ]
}

fn store_state(app: &App) -> Badge {
    let (store, accounting) = (app.store.health(), app.accounting.health());
    if accounting.disk_full
        || store
            .failing
            .as_ref()
            .is_some_and(|failure| failure.disk_full)
    {
        Badge::new(Tone::Bad, "Disk full")
    } else if store.failing.is_some() || accounting.failing.is_some() {
        Badge::new(Tone::Bad, "Cannot save")
    } else {
        Badge::new(Tone::Good, "Healthy")
    }
}

fn store_facts(app: &App, now: Timestamp) -> Result<Vec<Fact>, Error> {
    let (store, accounting) = (app.store.health(), app.accounting.health());
    let sizes = overview::file_sizes(app);
    let latest = backups::latest(app)?;
    let tested = latest
        .proven
        .and_then(|backup| backup.test)
        .map(|test| test.at);
    let is_stale = app
        .search_is_stale
        .load(std::sync::atomic::Ordering::Relaxed);
    let href = "/settings/backups";
    let away = match backups::destination::get(app)? {
        Some(_) if backups::pause::since(app)?.is_some() => "paused since the restore".to_owned(),
        Some(_) => ago_or_never(now, latest.elsewhere.map(|it| it.began_at)),
        None => "not set up".to_owned(),
    };
    Ok(vec![
        Fact::new(
            "Last backup",
            ago_or_never(now, latest.made.map(|it| it.began_at)),
        )
        .link(href),
        Fact::new("Last restore test", ago_or_never(now, tested)).link(href),
        Fact::new("Last on another machine", away).link(href),
        Fact::new("Database", Octets(sizes.database).to_string()),
        Fact::new("Accounting journal", Octets(sizes.journal).to_string()).note(format!(
            "{} records in {} commits",
            thousands(accounting.records),
            thousands(accounting.commits)
        )),
        Fact::new("Commits", thousands(store.commits))
            .note(format!("{} changes", thousands(store.writes))),
        Fact::new(
            "Search index",
            if is_stale {
                "Being made anew"
            } else {
                "Up to date"
            },
        ),
    ])
}

fn latest_rejects(app: &App) -> Result<Vec<auth_log::Row>, Error> {
    let mut rows = Vec::new();
    app.auth_log
        .each_before(&app.store.view()?, u64::MAX, BLOCKS, |_, attempt| {
            if attempt.reason.is_some() {
                rows.push(words::attempt(app, &attempt));
            }
            if rows.len() < ROWS {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
    Ok(rows)
}

/// `14:03:22` on the ISP's wall clock.
fn time_of_day(app: &App, now: Timestamp) -> String {
    let whole = app.settings().calendar.format(now);
    whole
        .split_once(' ')
        .map_or(whole.clone(), |(_, time)| time.to_owned())
}

fn number(count: usize) -> String {
    thousands(whole(count))
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// `part` of `all`, 0 to 100, rounded down; 0 of nothing.
fn percent(part: u64, all: u64) -> u8 {
    let percent = u128::from(part)
        .saturating_mul(100)
        .checked_div(u128::from(all))
        .unwrap_or(0);
    u8::try_from(percent.min(100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_down_and_never_beyond_the_whole() {
        for (part, all, shown) in [
            (0, 0, 0),
            (5, 0, 0),
            (1, 3, 33),
            (999, 1_000, 99),
            (3, 3, 100),
            (9, 3, 100),
        ] {
            assert_eq!(percent(part, all), shown, "{part} of {all}");
        }
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }

    #[test]
    fn rates_become_tenths() {
        for (rate, shown) in [(0.0, 0), (12.4, 124), (0.06, 1), (-1.0, 0), (f64::NAN, 0)] {
            assert_eq!(tenths(rate), shown, "{rate}");
        }
        assert_eq!(sparkline(&[]).summary, "No authentication in the last hour");
        assert!(sparkline(&[1.0, 3.25]).summary.ends_with("at most 3.2"));
    }

    #[test]
    fn the_most_frequent_reason_stands_first() {
        let meters = reject_reasons(|reason| match reason {
            Reason::Expired => 1_000,
            Reason::WrongPassword => 3_000,
            _ => 0,
        });
        let shown: Vec<_> = meters
            .iter()
            .map(|m| (m.label.as_str(), m.value.as_str(), m.percent))
            .collect();
        let words = [Reason::WrongPassword.words(), Reason::Expired.words()];
        assert_eq!(shown, [(words[0], "3,000", 75), (words[1], "1,000", 25)]);
        assert!(reject_reasons(|_| 0).is_empty());
    }

    #[test]
    fn a_full_machine_is_red() {
        let host = HostSample {
            memory_total_bytes: 100,
            memory_used_bytes: 90,
            cpu_percent: 74.9,
            ..Default::default()
        };
        let tones: Vec<Tone> = machine(&host).iter().map(|meter| meter.tone).collect();
        assert_eq!(tones, [Tone::Info, Tone::Bad, Tone::Info]);
    }

    #[test]
    fn the_curve_is_an_hour_wide_from_the_first_sample() {
        let width = sparkline(&[]).width;
        assert_eq!(sparkline(&[2.0, 3.0]).width, width);
        assert_eq!(sparkline(&vec![1.0; SAMPLES]).width, width);
        assert!(
            sparkline(&[0.0, 3.0]).points.ends_with(",0"),
            "now is at the right edge"
        );
    }
}
