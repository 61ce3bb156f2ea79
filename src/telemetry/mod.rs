//! What the daemon says about itself: log lines, counters, the last hour's rates, the machine's health.
//!
//! Lives here: everything that is measured and may be forgotten at a restart. Does not live here: the authentication
//! log and the audit log, which are records (`store`). This room is a leaf: it knows no other room, so a reason or a
//! noun reaches it as a small number. Invariant: nothing here blocks or allocates on a request's path, but for what is logged.

use std::env;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use tracing_subscriber::{Registry, fmt, registry, reload};

mod counters;
mod host;
mod lines;
mod series;

pub use counters::{AccountingKind, Counter, Counters, DropReason, REJECT_SLOTS};
pub use host::{DiskSample, HostSample, HostSampler, disk_of};
pub use lines::{LogLine, LogLines, MOST_LINES};
pub use series::{SAMPLE_INTERVAL, SAMPLES, Series};

/// Everything measured, built once and shared by reference.
#[derive(Debug)]
pub struct Telemetry {
    /// Added to by every thread, without a lock.
    pub counters: Counters,
    started: Instant,
    sampled: Mutex<Sampled>,
}

#[derive(Debug)]
struct Sampled {
    authentications: Series,
    accounting: Series,
    sampler: HostSampler,
    host: Arc<HostSample>,
}

/// What the dashboard shows, copied in one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// How long this daemon has run.
    pub running: Duration,
    /// Access-Requests per second over the last hour, oldest first.
    pub authentications_per_second: Vec<f64>,
    /// Accounting-Requests per second over the last hour, oldest first.
    pub accounting_per_second: Vec<f64>,
    /// The machine, as of the last call of [`Telemetry::sample`].
    pub host: Arc<HostSample>,
}

impl Telemetry {
    /// `data_dir` names the disk to watch. `now` is where the rates begin.
    pub fn new(data_dir: &Path, now: Instant) -> Self {
        let sampled = Sampled {
            authentications: Series::new(now),
            accounting: Series::new(now),
            sampler: HostSampler::new(data_dir),
            host: Arc::new(HostSample::default()),
        };
        Self {
            counters: Counters::default(),
            started: now,
            sampled: Mutex::new(sampled),
        }
    }

    /// Takes one sample of the rates and of the machine. Called every [`SAMPLE_INTERVAL`] by a job; it reads a few
    /// small files of the kernel, which takes under a millisecond.
    pub fn sample(&self, now: Instant) {
        let mut sampled = self.sampled();
        sampled
            .authentications
            .record(now, self.counters.access_requests.get());
        sampled
            .accounting
            .record(now, self.counters.accounting_total());
        sampled.host = Arc::new(sampled.sampler.sample());
    }

    /// Copies what the dashboard needs.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let sampled = self.sampled();
        Snapshot {
            running: now.saturating_duration_since(self.started),
            authentications_per_second: sampled.authentications.per_second(),
            accounting_per_second: sampled.accounting.per_second(),
            host: Arc::clone(&sampled.host),
        }
    }

    /// Samples are whole numbers in place: a thread that panicked while holding the lock leaves nothing half done.
    fn sampled(&self) -> MutexGuard<'_, Sampled> {
        self.sampled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The monotonic clock, for time-outs and rates. It never jumps, and says nothing about the date.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the monotonic clock; all others take an Instant"
)]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// The running log: its level can be changed, and its last lines are kept.
pub struct Logging {
    filter: reload::Handle<Targets, Registry>,
    pub lines: Arc<LogLines>,
}

impl Logging {
    /// Logs at another level from now on. `RUST_LOG` still wins.
    pub fn set_level(&self, level: &str) {
        let (filter, _) = filter(level, &env::var("RUST_LOG").unwrap_or_default());
        // A change that fails is one to a log that is gone.
        let _ = self.filter.reload(filter);
    }
}

/// Starts logging to standard error. Called once, before anything is logged; later calls change nothing.
///
/// `level` is a level's name (`info`), and holds for this program; what libraries say is kept from `warn` on. The
/// environment variable `RUST_LOG` replaces both. Under systemd, which stamps every line, the time is left out. Lines
/// carry no colour codes, so that they read the same in the journal, in a file and on a terminal.
pub fn start_logging(level: &str) -> Logging {
    let requested = env::var("RUST_LOG").unwrap_or_default();
    let (filter, understood) = filter(level, &requested);
    let (filter, handle) = reload::Layer::new(filter);
    let lines = Arc::new(LogLines::default());
    let log = registry()
        .with(filter)
        .with(lines::Keeper(Arc::clone(&lines)));
    let output = fmt::layer().with_writer(io::stderr);
    // A second subscriber is refused by the library; the first one keeps logging, which is all that is wanted.
    let _already_started = match env::var_os("JOURNAL_STREAM") {
        Some(_) => log.with(output.without_time()).try_init(),
        None => log.with(output).try_init(),
    };
    if !understood {
        tracing::warn!(
            level,
            "RUST_LOG cannot be understood; logging at the configured level"
        );
    }
    Logging {
        filter: handle,
        lines,
    }
}

/// The filter to log with, and whether `requested` could be understood. An empty request is none.
fn filter(level: &str, requested: &str) -> (Targets, bool) {
    let ours = Targets::new()
        .with_default(Level::WARN)
        .with_target("proxpanel", level.parse().unwrap_or(Level::INFO));
    if requested.is_empty() {
        return (ours, true);
    }
    requested
        .parse()
        .map_or((ours, false), |theirs| (theirs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_configured_level_when_it_can_be_understood() {
        let cases = [
            ("info", "", "proxpanel=info,warn", true),
            ("trace", "", "proxpanel=trace,warn", true),
            ("info", "debug", "debug", true),
            ("info", "error,tantivy=info", "tantivy=info,error", true),
            ("debug", "proxpanel=loud", "proxpanel=debug,warn", false),
        ];
        for (level, requested, expected, understood) in cases {
            let (filter, found) = filter(level, requested);
            assert_eq!(
                (filter.to_string().as_str(), found),
                (expected, understood),
                "{level} {requested}"
            );
        }
    }

    #[test]
    fn a_snapshot_shows_what_was_counted_and_sampled() {
        let start = monotonic();
        let folder = tempfile::tempdir().expect("temporary folder");
        let telemetry = Telemetry::new(folder.path(), start);
        assert!(
            telemetry
                .snapshot(start)
                .authentications_per_second
                .is_empty()
        );
        telemetry.counters.access_requests.add(50);
        telemetry.counters.accounting(AccountingKind::Start).add(20);
        telemetry
            .counters
            .accounting(AccountingKind::Interim)
            .add(10);
        telemetry.sample(start + SAMPLE_INTERVAL);
        let snapshot = telemetry.snapshot(start + Duration::from_secs(17));
        assert_eq!(snapshot.running, Duration::from_secs(17));
        assert_eq!(snapshot.authentications_per_second, [5.0]);
        assert_eq!(snapshot.accounting_per_second, [3.0]);
        assert!(snapshot.host.memory_total_bytes > 0);
    }

    #[test]
    fn the_monotonic_clock_does_not_go_back() {
        assert!(monotonic() <= monotonic());
    }
}
