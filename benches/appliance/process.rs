//! A server under measurement: its process, and what the kernel says of it.

use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use crate::clock;
use crate::fault::Fault;

/// `utime` and `stime` count in hundredths of a second on every Linux (USER_HZ). Their sum is scaled to what the
/// scheduler measured in nanoseconds, so over ten seconds it is good to about a tenth of a percent.
const TICK: Duration = Duration::from_millis(10);
/// Longest wait for a process to calm down or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A child that is killed when dropped.
pub struct Process {
    child: Child,
}

/// Memory in KiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub resident: u64,
    /// Without files mapped into memory, which the kernel can take back.
    pub anonymous: u64,
}

impl Process {
    pub fn of(child: Child) -> Process {
        Process { child }
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    fn read(&self, file: &str) -> Result<String, Fault> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).map_err(|error| format!("{path}: {error}").into())
    }

    /// Processor time of all threads so far, ended ones included.
    pub fn cpu(&self) -> Result<Duration, Fault> {
        let stat = self.read("stat")?;
        // The name in brackets may hold anything; fields 14 and 15 are the 12th and 13th behind it (proc(5)).
        let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc/PID/stat")?;
        let ticks = |place| -> Result<u32, Fault> {
            let field = fields.split_whitespace().nth(place);
            Ok(field.ok_or("/proc/PID/stat is short")?.parse()?)
        };
        Ok(TICK * (ticks(11)? + ticks(12)?))
    }

    /// Octets this process caused to be written to storage, by page, since its start.
    pub fn written(&self) -> Result<u64, Fault> {
        number_after(&self.read("io")?, "\nwrite_bytes:")
    }

    pub fn memory(&self) -> Result<Memory, Fault> {
        let status = self.read("status")?;
        Ok(Memory {
            resident: number_after(&status, "\nVmRSS:")?,
            anonymous: number_after(&status, "\nRssAnon:")?,
        })
    }

    /// Waits until the process has used almost no processor time for two seconds.
    pub fn wait_until_idle(&self) -> Result<(), Fault> {
        let started = clock::now();
        while clock::now().duration_since(started) < PATIENCE {
            let before = self.cpu()?;
            clock::pause(Duration::from_secs(2));
            if self.cpu()?.saturating_sub(before) <= 2 * TICK {
                return Ok(());
            }
        }
        Err("the server does not come to rest".into())
    }

    /// Asks it to end, and waits.
    pub fn stop(mut self) -> Result<(), Fault> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let started = clock::now();
        while clock::now().duration_since(started) < PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            clock::pause(Duration::from_millis(10));
        }
        Err("the server does not stop".into())
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(mut self) -> Result<(), Fault> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number_after(text: &str, label: &str) -> Result<u64, Fault> {
    let (_, rest) = text
        .split_once(label)
        .ok_or_else(|| format!("no {label:?} in /proc"))?;
    Ok(rest
        .split_whitespace()
        .next()
        .ok_or("no number in /proc")?
        .parse()?)
}
