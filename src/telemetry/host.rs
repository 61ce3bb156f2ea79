//! The machine's health: processor, memory, disk of the data folder, and this process.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// One look at the machine. A figure that the system does not give is zero, or `None` where zero would mislead.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostSample {
    /// All cores together since the previous sample, 0 to 100. The first sample has nothing to compare with: 0.
    pub cpu_percent: f32,
    pub cores: usize,
    pub memory_total_bytes: u64,
    /// Memory in use, without what the kernel would give back at once (caches).
    pub memory_used_bytes: u64,
    pub swap_total_bytes: u64,
    pub swap_used_bytes: u64,
    /// The disk that holds the data folder; `None` when it cannot be asked.
    pub disk: Option<DiskSample>,
    /// Processes ready to run, averaged over 1, 5 and 15 minutes.
    pub load_average: [f64; 3],
    /// Since the machine's start.
    pub uptime_seconds: u64,
    /// Memory of this process that is in RAM (resident set).
    pub process_memory_bytes: u64,
    /// This process since the previous sample; 100 is one whole core.
    pub process_cpu_percent: f32,
}

/// The file system of the data folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskSample {
    pub total_bytes: u64,
    /// What an ordinary process may still write.
    pub available_bytes: u64,
}

impl DiskSample {
    /// How full it is, 0 to 100, rounded down so that 100 means full.
    pub fn used_percent(&self) -> u8 {
        let used = u128::from(self.total_bytes.saturating_sub(self.available_bytes)) * 100;
        used.checked_div(u128::from(self.total_bytes))
            .and_then(|percent| u8::try_from(percent).ok())
            .unwrap_or(0)
    }
}

/// Takes samples. It remembers the previous one, because processor use is a difference between two.
#[derive(Debug)]
pub struct HostSampler {
    /// `None` on a system that sysinfo does not know: its figures stay zero.
    system: Option<System>,
    process: Option<Pid>,
    data_dir: PathBuf,
}

impl HostSampler {
    /// `data_dir` may appear later; until then its disk is unknown.
    pub fn new(data_dir: &Path) -> Self {
        Self {
            system: System::new().ok(),
            process: sysinfo::get_current_pid().ok(),
            data_dir: data_dir.to_path_buf(),
        }
    }

    /// Looks at the machine. Processor use is averaged over the time since the previous call, which should be at
    /// least a second ago.
    pub fn sample(&mut self) -> HostSample {
        let mut sample = HostSample {
            disk: disk_of(&self.data_dir),
            ..HostSample::default()
        };
        sample.uptime_seconds = System::uptime().unwrap_or_default();
        if let Ok(load) = System::load_average() {
            sample.load_average = [load.one, load.five, load.fifteen];
        }
        let Some(system) = &mut self.system else {
            return sample;
        };
        system.refresh_cpu_usage();
        system.refresh_memory_specifics(MemoryRefreshKind::everything());
        sample.cpu_percent = system.global_cpu_usage();
        sample.cores = system.cpus().len();
        sample.memory_total_bytes = system.total_memory();
        sample.memory_used_bytes = system
            .total_memory()
            .saturating_sub(system.available_memory());
        sample.swap_total_bytes = system.total_swap();
        sample.swap_used_bytes = system.used_swap();
        if let Some(pid) = self.process {
            let wanted = ProcessRefreshKind::nothing()
                .with_memory()
                .with_cpu()
                .without_tasks();
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, wanted);
            if let Some(process) = system.process(pid) {
                sample.process_memory_bytes = process.memory();
                sample.process_cpu_percent = process.cpu_usage();
            }
        }
        sample
    }
}

/// Asks the kernel for the file system that holds `folder` (statvfs).
/// The disk that holds a folder; nothing when it cannot be asked.
pub fn disk_of(folder: &Path) -> Option<DiskSample> {
    let stat = statvfs(folder).ok()?;
    Some(DiskSample {
        total_bytes: stat.blocks().saturating_mul(stat.fragment_size()),
        available_bytes: stat.blocks_available().saturating_mul(stat.fragment_size()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_plausible_figures() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut sampler = HostSampler::new(folder.path());
        let first = sampler.sample();
        assert!(first.cores >= 1);
        assert!(first.memory_used_bytes > 0 && first.memory_used_bytes <= first.memory_total_bytes);
        assert!(
            first.process_memory_bytes > 1 << 20
                && first.process_memory_bytes < first.memory_total_bytes
        );
        let disk = first.disk.expect("the temporary folder is on a disk");
        assert!(disk.total_bytes > 0 && disk.available_bytes <= disk.total_bytes);
        assert!(first.load_average.iter().all(|load| *load >= 0.0));
        let second = sampler.sample();
        assert!(
            (0.0..=100.0).contains(&second.cpu_percent),
            "{}",
            second.cpu_percent
        );
        assert!(second.process_cpu_percent >= 0.0);
        assert!(second.uptime_seconds >= first.uptime_seconds);
    }

    #[test]
    fn a_missing_folder_has_no_disk() {
        let folder = tempfile::tempdir().expect("temporary folder");
        assert_eq!(
            HostSampler::new(&folder.path().join("missing"))
                .sample()
                .disk,
            None
        );
    }

    #[test]
    fn used_percent_covers_the_whole_range() {
        let cases = [
            (0, 0, 0),
            (1000, 1000, 0),
            (1000, 991, 0),
            (1000, 990, 1),
            (1000, 1, 99),
            (1000, 0, 100),
            (1000, 2000, 0),
            (u64::MAX, 0, 100),
        ];
        for (total_bytes, available_bytes, expected) in cases {
            assert_eq!(
                DiskSample {
                    total_bytes,
                    available_bytes
                }
                .used_percent(),
                expected,
                "{total_bytes} {available_bytes}"
            );
        }
    }
}
