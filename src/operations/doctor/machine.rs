//! The machine itself: room on its disks, memory, load, clock.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::{Finding, NEARLY_FULL};
use crate::app::App;
use crate::domain::octets::Octets;
use crate::domain::time::{MINUTE, Timestamp};
use crate::operations::Error;
use crate::store::audit;
use crate::telemetry::{DiskSample, HostSample, HostSampler, disk_of, monotonic};

/// So full that the next busy hour fills it, in percent, or so little room in octets.
const FULL: u8 = 97;
const LEAST_ROOM: u64 = 64 << 20;
/// Shares of the memory that are free, in percent: below the first it gets tight, below the second something is killed.
const TIGHT: u64 = 10;
const SHORT: u64 = 3;
/// The program itself is this share of the memory at most on the smallest machine it is made for.
const OWN_SHARE: u64 = 50;
/// Ready processes for each core: beyond it answers are late.
const BUSY: f64 = 4.0;
/// 2026-01-01 UTC: this program is younger.
const YOUNGEST: Timestamp = Timestamp(1_767_225_600_000);
/// 2100-01-01 UTC.
const OLDEST: Timestamp = Timestamp(4_102_444_800_000);
/// A clock that is set now and then jumps by less.
const JUMP: i64 = 5 * MINUTE;
/// What systemd-timesyncd says: the folder is there while it runs, the file once the clock was set.
const TIMESYNC: &str = "/run/systemd/timesync";

/// The last sample of the daemon, or a fresh one where no job takes samples.
pub(super) fn host(app: &App) -> Arc<HostSample> {
    let sampled = app.telemetry.snapshot(monotonic()).host;
    match sampled.memory_total_bytes {
        0 => Arc::new(HostSampler::new(app.store.folder()).sample()),
        _ => sampled,
    }
}

/// The disk of the data, and that of the backups where it is another one. A folder that is not there yet is made by the first
/// backup.
pub(super) fn disks(app: &App, host: &HostSample) -> Vec<Finding> {
    let (data, folder) = (app.store.folder(), &app.config.backup.folder);
    let mut findings = vec![disk("Disk of the data", data, host.disk)];
    let what = "Disk of the backups";
    let own = fs::metadata(data).map(|metadata| metadata.dev()).ok();
    match fs::metadata(folder) {
        Ok(metadata) if Some(metadata.dev()) == own => {}
        Ok(_) => findings.push(disk(what, folder, disk_of(folder))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            let shown = folder.display();
            let mend = format!("see that the daemon's user may enter it: `namei -l {shown}`");
            let finding = Finding::bad(what, format!("{shown}: {error}"), mend);
            findings.push(finding.at("/settings/backups"));
        }
    }
    findings
}

pub(super) fn disk(what: &str, folder: &Path, sample: Option<DiskSample>) -> Finding {
    let path = folder.display();
    let Some(sample) = sample else {
        let seen = format!("the disk of {path} cannot be asked");
        return Finding::warning(what, seen, format!("look with `df -h {path}`"));
    };
    let seen = format!(
        "{} % full, {} of {} free",
        sample.used_percent(),
        Octets(sample.available_bytes),
        Octets(sample.total_bytes)
    );
    let mend = format!("free some space: `du -xh {path} | sort -h | tail` names what is large");
    if sample.used_percent() >= FULL || sample.available_bytes < LEAST_ROOM {
        Finding::bad(what, seen, mend)
    } else if sample.used_percent() >= NEARLY_FULL {
        Finding::warning(what, seen, mend)
    } else {
        Finding::good(what, seen)
    }
}

pub(super) fn memory(host: &HostSample) -> Finding {
    let total = host.memory_total_bytes;
    let free = total.saturating_sub(host.memory_used_bytes);
    let own = host.process_memory_bytes;
    let share = |octets: u64| octets.saturating_mul(100).checked_div(total).unwrap_or(100);
    let seen = format!(
        "{} of {} free; this program uses {}",
        Octets(free),
        Octets(total),
        Octets(own)
    );
    let what = "Memory";
    let mend = "`ps -eo rss,comm --sort -rss | head` names who uses it; end what is not needed, or give the machine more";
    if total == 0 {
        Finding::warning(what, "the system does not say", "look with `free -m`")
    } else if share(free) < SHORT {
        Finding::bad(what, seen, mend)
    } else if share(free) < TIGHT {
        Finding::warning(what, seen, mend)
    } else if share(own) > OWN_SHARE {
        let mend = "a restart gives back what it does not need: `systemctl restart proxpanel`; report it when it comes again";
        Finding::warning(what, seen, mend).at("/system/restart")
    } else {
        Finding::good(what, seen)
    }
}

pub(super) fn load(host: &HostSample) -> Finding {
    let [_, _, fifteen] = host.load_average;
    let cores = host.cores.max(1);
    let seen = format!("{fifteen:.2} over 15 minutes on {cores} cores");
    let most = BUSY * f64::from(u32::try_from(cores).unwrap_or(u32::MAX));
    match fifteen > most {
        true => Finding::warning("Load", seen, "`top` names what keeps the machine busy"),
        false => Finding::good("Load", seen),
    }
}

/// Whether the clock was set by a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    Yes,
    No,
    /// Another program may care for it.
    Unknown,
}

fn sync_of(folder: &Path) -> Sync {
    match (folder.join("synchronized").try_exists(), folder.is_dir()) {
        (Ok(true), _) => Sync::Yes,
        (Ok(false), true) => Sync::No,
        _ => Sync::Unknown,
    }
}

pub(super) fn clock(app: &App, heard: Option<Timestamp>) -> Result<Finding, Error> {
    let written = audit::newest(&app.store.view()?, u64::MAX, 1, 1, |_| true)?;
    let newest = heard.max(written.first().map(|entry| entry.at));
    let (now, sync) = (app.now(), sync_of(Path::new(TIMESYNC)));
    let shown = app.settings().calendar.format(now);
    Ok(judge_clock(now, newest, sync, &shown))
}

pub(super) fn judge_clock(
    now: Timestamp,
    newest: Option<Timestamp>,
    sync: Sync,
    shown: &str,
) -> Finding {
    let what = "Clock";
    let mend = "set it with `timedatectl set-ntp true`, or `timedatectl set-time`; expiry, quotas and certificates go by it";
    let ahead = newest.map_or(0, |newest| newest.since(now));
    if !(YOUNGEST..OLDEST).contains(&now) {
        Finding::bad(what, format!("it shows {shown}, which cannot be"), mend)
    } else if ahead > JUMP {
        let seen =
            format!("it shows {shown}, which is before the newest record: it was turned back");
        Finding::bad(what, seen, mend)
    } else {
        match sync {
            Sync::Yes => Finding::good(what, format!("{shown}, set by a time server")),
            Sync::Unknown => Finding::good(what, shown),
            Sync::No => Finding::warning(
                what,
                format!("{shown}, but no time server has answered since the start"),
                "let UDP port 123 out, and look with `timedatectl timesync-status`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::Verdict::{Bad, Good, Warning};
    use super::*;

    #[test]
    fn a_disk_is_judged_by_its_share_and_its_room() {
        const GB: u64 = 1 << 30;
        let judged = |total_bytes: u64, available_bytes: u64| {
            let sample = DiskSample {
                total_bytes,
                available_bytes,
            };
            disk("Disk", Path::new("/data"), Some(sample)).verdict
        };
        for (total, available, expected) in [
            (100 * GB, 10 * GB + 1, Good),
            (100 * GB, 10 * GB, Warning),
            (100 * GB, 3 * GB + 1, Warning),
            (100 * GB, 3 * GB, Bad),
            // Small, and not nearly full.
            (GB / 4, LEAST_ROOM, Good),
            (GB / 4, LEAST_ROOM - 1, Bad),
        ] {
            assert_eq!(judged(total, available), expected, "{available} of {total}");
        }
        let unknown = disk("Disk", Path::new("/data"), None);
        assert_eq!(unknown.verdict, Warning);
        assert!(unknown.mend.contains("df -h /data"));
    }

    #[test]
    fn memory_is_judged_by_what_is_free_and_what_is_ours() {
        let judged = |free: u64, own: u64| {
            let host = HostSample {
                memory_total_bytes: 1_000,
                memory_used_bytes: 1_000 - free,
                process_memory_bytes: own,
                ..HostSample::default()
            };
            memory(&host).verdict
        };
        for (free, own, expected) in [
            (100, 500, Good),
            (99, 0, Warning),
            (30, 0, Warning),
            (29, 0, Bad),
            (400, 510, Warning),
        ] {
            assert_eq!(judged(free, own), expected, "{free} free, {own} ours");
        }
        assert_eq!(memory(&HostSample::default()).verdict, Warning);
    }

    #[test]
    fn load_is_judged_by_cores() {
        let judged = |cores: usize, fifteen: f64| {
            let host = HostSample {
                cores,
                load_average: [99.0, 99.0, fifteen],
                ..HostSample::default()
            };
            load(&host).verdict
        };
        for (cores, fifteen, expected) in [
            (1, 4.0, Good),
            (1, 4.1, Warning),
            (4, 16.0, Good),
            (4, 16.1, Warning),
            (0, 1.0, Good),
        ] {
            assert_eq!(judged(cores, fifteen), expected, "{fifteen} on {cores}");
        }
    }

    #[test]
    fn a_clock_is_judged_by_the_year_the_records_and_the_time_server() {
        let now = Timestamp(1_800_000_000_000);
        let judged = |now: Timestamp, newest: Option<Timestamp>, sync: Sync| -> Verdict {
            judge_clock(now, newest, sync, "then").verdict
        };
        for (at, newest, sync, expected) in [
            (now, None, Sync::Unknown, Good),
            (now, Some(now.plus(JUMP)), Sync::Yes, Good),
            (now, Some(now.plus(JUMP + 1)), Sync::Yes, Bad),
            (now, None, Sync::No, Warning),
            (YOUNGEST, None, Sync::Yes, Good),
            (YOUNGEST.plus(-1), None, Sync::Yes, Bad),
            (OLDEST.plus(-1), None, Sync::Yes, Good),
            (OLDEST, None, Sync::Yes, Bad),
        ] {
            assert_eq!(
                judged(at, newest, sync),
                expected,
                "{at:?} {newest:?} {sync:?}"
            );
        }
    }

    #[test]
    fn only_a_service_that_runs_says_that_the_clock_was_not_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timesync");
        assert_eq!(sync_of(&path), Sync::Unknown);
        fs::create_dir(&path).unwrap();
        assert_eq!(sync_of(&path), Sync::No);
        fs::write(path.join("synchronized"), "").unwrap();
        assert_eq!(sync_of(&path), Sync::Yes);
    }
}
