//! The figures as Markdown tables, so that they can be pasted into RESULTS.md as they are.

use std::fmt;
use std::time::Duration;

use crate::load::Tally;
use crate::process::Memory;

/// The kernel counts processor time in hundredths of a second; with less than this the error would be over 2 percent.
const SHORTEST_CPU: Duration = Duration::from_millis(500);

/// One server under one load.
pub struct Line {
    pub server: String,
    pub load: &'static str,
    pub per_second: f64,
    pub p50: f64,
    pub p99: f64,
    /// Processor time of the server for each answer, in microseconds. Absent where the load was too short to tell.
    pub cpu_micros: Option<f64>,
    pub resident: u64,
    pub trouble: String,
}

impl Line {
    pub fn new(
        server: &str,
        load: &'static str,
        tally: &Tally,
        cpu: Duration,
        memory: Memory,
    ) -> Line {
        let mut trouble = Vec::new();
        for (count, what) in [
            (tally.rejected, "rejected"),
            (tally.lost, "unanswered"),
            (tally.wrong, "wrong"),
        ] {
            if count > 0 {
                trouble.push(format!("{count} {what}"));
            }
        }
        trouble.extend(tally.first_wrong.clone());
        Line {
            server: server.to_owned(),
            load,
            per_second: tally.per_second(),
            p50: tally.percentile(50),
            p99: tally.percentile(99),
            cpu_micros: (cpu >= SHORTEST_CPU)
                .then(|| cpu.as_secs_f64() * 1e6 / (tally.answered.max(1) as f64)),
            resident: memory.resident,
            trouble: trouble.join(", "),
        }
    }
}

impl Line {
    fn cpu(&self) -> String {
        self.cpu_micros
            .map_or_else(|| "-".to_owned(), |micros| format!("{micros:.1}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line {
            server,
            load,
            per_second,
            p50,
            p99,
            trouble,
            ..
        } = self;
        write!(
            f,
            "{server}, {load}: {per_second:.0}/s, p50 {p50:.2} ms, p99 {p99:.2} ms, {} µs each {trouble}",
            self.cpu()
        )
    }
}

/// All lines, with processor time against the floor's.
pub fn print(lines: &[Line], floor_micros: f64) {
    println!(
        "\n| server | load | answers/s | p50 ms | p99 ms | CPU µs each | x floor | RSS MB | not as it should be |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|---|");
    for line in lines {
        println!(
            "| {} | {} | {:.0} | {:.2} | {:.2} | {} | {} | {} | {} |",
            line.server,
            line.load,
            line.per_second,
            line.p50,
            line.p99,
            line.cpu(),
            line.cpu_micros.map_or_else(
                || "-".to_owned(),
                |micros| format!("{:.1}", micros / floor_micros)
            ),
            megabytes(line.resident),
            line.trouble,
        );
    }
    println!();
}

/// KiB as MB with one decimal.
pub fn megabytes(kibibytes: u64) -> String {
    format!("{:.1}", kibibytes as f64 * 1024.0 / 1e6)
}
