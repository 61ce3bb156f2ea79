//! `make bench`: measures the release daemon with demo subscribers on this machine, and FreeRADIUS beside it where that is
//! installed. Method and results are in benches/RESULTS.md.
//!
//! Invariant: no figure is printed of a load whose replies were not all checked.
#![allow(
    clippy::print_stdout,
    reason = "printing figures is what this program is for"
)]

mod appliance;
mod boundary;
mod clock;
mod fault;
mod floor;
mod freeradius;
mod load;
mod logins;
mod pages;
mod prepare;
mod process;
mod quota_sync;
mod report;
mod requests;
mod resolver;
#[path = "../../tests/it/support/routeros/mod.rs"]
mod routeros;
mod towers;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use proxpanel::radius::auth::Method;

use appliance::Appliance;
use fault::Fault;
use freeradius::{FreeRadius, Users};
use load::{Pressure, Tally, ask, drive, pace};
use process::Process;
use report::{Line, megabytes};
use requests::{InTurn, Logins, Sessions, Source};

/// Sockets of the generator, a thread each.
const SOCKETS: u32 = 4;
/// Requests in flight on each socket: few for logins, which are answered at once, and many for accounting, whose answers
/// wait for the disk together. All of them are fewer than one router may have open (256 a socket).
const LOGINS_IN_FLIGHT: usize = 16;
const RECORDS_IN_FLIGHT: usize = 128;
/// SQLite lets one writer in and turns the others away, so that many in flight only make it slower: 4 are kinder than 128.
const RECORDS_IN_FLIGHT_SQLITE: usize = 4;
/// What 5,000 sessions send with an interim interval of a minute.
const STEADY_PER_SECOND: u32 = 83;
/// At its first start the daemon makes the search index, and gives the memory for it back half a minute to a minute later.
const FIRST_REST: Duration = Duration::from_secs(70);
const WARM_UP: Duration = Duration::from_secs(2);

#[derive(Debug, Parser)]
struct Options {
    /// Length of each load.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Length of the steady load; 300 is one round of folding. 0 leaves it out.
    #[arg(long, default_value_t = 300)]
    steady_seconds: u64,
    #[arg(long, default_value_t = 10_000)]
    subscribers: u32,
    #[arg(long, default_value_t = 5_000)]
    sessions: u32,
    /// Measures the appliance alone.
    #[arg(long)]
    alone: bool,
    /// The demo plans have tiers, windows, free hours and quotas, and there are twenty bandwidth rules.
    #[arg(long)]
    rules: bool,
    /// Measures the resolver, and nothing that is not asked for as well.
    #[arg(long)]
    resolver: bool,
    /// Measures the job that holds usage against quotas; nothing else likewise.
    #[arg(long)]
    quota_sync: bool,
    /// Measures all sessions crossing a speed window; nothing else likewise.
    #[arg(long)]
    boundary: bool,
    /// Measures logins alone, in so many rounds, each behind its own measurement of the floor; nothing else likewise.
    #[arg(long, default_value_t = 0)]
    logins: u32,
    /// Measures every page with so many days of history, and the start after all that; nothing else likewise.
    #[arg(long, value_name = "DAYS")]
    pages: Option<u32>,
    /// A folder that `--pages` fills once and uses again: a year of 100,000 subscribers takes half an hour.
    #[arg(long, value_name = "FOLDER")]
    kept: Option<PathBuf>,
    /// Another build of the daemon that `--logins` measures in turn with this tree's.
    #[arg(long)]
    against: Option<PathBuf>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Fault> {
    if std::env::args().nth(1).as_deref() == Some(floor::ARGUMENT) {
        return floor::serve();
    }
    let bench = Bench {
        options: Options::parse(),
        lines: Vec::new(),
    };
    bench.run()
}

struct Bench {
    options: Options,
    lines: Vec<Line>,
}

const LOGINS: [(Method, &str); 3] = [
    (Method::Pap, "PAP"),
    (Method::Chap, "CHAP"),
    (Method::MsChap2, "MS-CHAP v2"),
];

impl Bench {
    fn run(mut self) -> Result<(), Fault> {
        let folder = tempfile::Builder::new()
            .prefix("proxpanel-bench-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        if self.parts(folder.path())? {
            return Ok(());
        }
        let floor = self.floor()?;
        self.appliance(folder.path())?;
        if !self.options.alone {
            self.freeradius(folder.path())?;
        }
        report::print(&self.lines, floor);
        Ok(())
    }

    /// The parts that have a switch of their own. False when none was asked for.
    fn parts(&mut self, folder: &Path) -> Result<bool, Fault> {
        let Options {
            resolver,
            quota_sync,
            boundary,
            logins,
            subscribers,
            sessions,
            pages,
            ..
        } = self.options;
        if resolver {
            resolver::run()?;
        }
        if quota_sync {
            quota_sync::run(folder, subscribers, sessions)?;
        }
        if boundary {
            boundary::run(folder, subscribers, sessions)?;
        }
        if logins > 0 {
            let plan = logins::Plan {
                rounds: logins,
                seconds: self.options.seconds,
                subscribers,
                rules: self.options.rules,
                against: self.options.against.clone(),
            };
            logins::run(folder, &plan)?;
        }
        if let Some(days) = pages {
            self.pages(folder, days)?;
        }
        Ok(resolver || quota_sync || boundary || logins > 0 || pages.is_some())
    }

    /// Every page, and the start after a kill, over a store with a past.
    fn pages(&mut self, folder: &Path, days: u32) -> Result<(), Fault> {
        let folder = self.options.kept.as_deref().unwrap_or(folder);
        let (data, cookie) = (folder.join("data"), folder.join("cookie"));
        if !cookie.exists() {
            let Options {
                subscribers,
                sessions,
                ..
            } = self.options;
            appliance::fill_with_past(&data, subscribers, sessions, days)?;
            std::fs::write(&cookie, prepare::prepare(&data, prepare::signed_in)?)?;
        }
        let daemon = Appliance::start(&data)?;
        let address = daemon.auth;
        self.logins("proxpanel", &daemon.process, address, Method::Pap, "PAP")?;
        let mut sessions =
            self.accounting("proxpanel", &daemon.process, daemon.acct, RECORDS_IN_FLIGHT)?;
        clock::pause(FIRST_REST);
        daemon.process.wait_until_idle()?;
        let cookie = std::fs::read_to_string(&cookie)?;
        pages::measure(&daemon, &cookie, self.options.subscribers)?;
        self.start_after_kill(daemon, &data, &mut sessions)
    }

    /// The floor under PAP requests; returns its processor time each, in microseconds.
    fn floor(&mut self) -> Result<f64, Fault> {
        let (process, address) = floor::start()?;
        self.logins("floor", &process, address, Method::Pap, "PAP requests")?;
        Ok(self
            .lines
            .last()
            .and_then(|line| line.cpu_micros)
            .unwrap_or(f64::NAN))
    }

    fn appliance(&mut self, folder: &Path) -> Result<(), Fault> {
        let data = folder.join("appliance");
        appliance::fill(&data, self.options.subscribers)?;
        if self.options.rules {
            prepare::prepare(&data, prepare::every_rule)?;
        }
        let daemon = Appliance::start(&data)?;
        clock::pause(FIRST_REST);
        daemon.process.wait_until_idle()?;
        let memory = daemon.process.memory()?;
        println!(
            "memory idle: {} MB resident, {} MB of it anonymous",
            megabytes(memory.resident),
            megabytes(memory.anonymous)
        );
        for (method, name) in LOGINS {
            self.logins("proxpanel", &daemon.process, daemon.auth, method, name)?;
        }
        let mut sessions =
            self.accounting("proxpanel", &daemon.process, daemon.acct, RECORDS_IN_FLIGHT)?;
        daemon.process.wait_until_idle()?;
        let memory = daemon.process.memory()?;
        println!(
            "memory after all loads, {} online: {} MB resident, {} MB of it anonymous",
            self.options.sessions,
            megabytes(memory.resident),
            megabytes(memory.anonymous)
        );
        self.steady(&daemon, &mut sessions)?;
        self.start_after_kill(daemon, &data, &mut sessions)
    }

    fn logins(
        &mut self,
        server: &str,
        process: &Process,
        address: SocketAddr,
        method: Method,
        name: &'static str,
    ) -> Result<(), Fault> {
        let sources = |seed: u32| -> Result<Vec<Logins>, Fault> {
            (0..SOCKETS)
                .map(|n| Logins::new(method, self.options.subscribers, u64::from(seed + n) << 32))
                .collect()
        };
        let (mut first, mut second) = (sources(0)?, sources(SOCKETS)?);
        drive(
            address,
            Pressure {
                in_flight: LOGINS_IN_FLIGHT,
                duration: WARM_UP,
            },
            &mut first,
        )?;
        self.measure(
            server,
            name,
            process,
            address,
            LOGINS_IN_FLIGHT,
            &mut second,
        )
    }

    /// Starts all sessions, then sends interims. Returns the sources, whose sessions are now open.
    fn accounting(
        &mut self,
        server: &str,
        process: &Process,
        address: SocketAddr,
        in_flight: usize,
    ) -> Result<Vec<Sessions>, Fault> {
        let share = self.options.sessions / SOCKETS;
        let mut sources: Vec<Sessions> = (0..SOCKETS)
            .map(|n| Sessions::new(1, n * share, usize::try_from(share)?))
            .collect::<Result<_, Fault>>()?;
        self.measure(
            server,
            "accounting, starts",
            process,
            address,
            in_flight,
            &mut sources,
        )?;
        sources = sources.into_iter().map(Sessions::interims).collect();
        self.measure(
            server,
            "accounting, interims",
            process,
            address,
            in_flight,
            &mut sources,
        )?;
        Ok(sources)
    }

    fn measure(
        &mut self,
        server: &str,
        load: &'static str,
        process: &Process,
        address: SocketAddr,
        in_flight: usize,
        sources: &mut [impl Source],
    ) -> Result<(), Fault> {
        let pressure = Pressure {
            in_flight,
            duration: Duration::from_secs(self.options.seconds),
        };
        let before = process.cpu()?;
        let tally: Tally = drive(address, pressure, sources)?;
        let cpu = process.cpu()?.saturating_sub(before);
        let line = Line::new(server, load, &tally, cpu, process.memory()?);
        println!("{line}");
        self.lines.push(line);
        Ok(())
    }

    /// Interims at the pace of 5,000 sessions, and what they make the daemon write.
    fn steady(&self, daemon: &Appliance, sessions: &mut [Sessions]) -> Result<(), Fault> {
        let duration = Duration::from_secs(self.options.steady_seconds);
        if duration.is_zero() {
            return Ok(());
        }
        let mut source = InTurn::new(sessions);
        let (written_before, cpu_before) = (daemon.process.written()?, daemon.process.cpu()?);
        let mut segments = daemon.segments()?;
        let mut folds = 0;
        let tally = pace(
            daemon.acct,
            &mut source,
            STEADY_PER_SECOND,
            duration,
            || {
                let now = daemon.segments()?;
                folds += u32::from(now.iter().any(|name| !segments.contains(name)));
                segments = now;
                Ok(())
            },
        )?;
        let seconds = tally.elapsed.as_secs_f64();
        let written = daemon.process.written()?.saturating_sub(written_before) as f64;
        let cpu = daemon
            .process
            .cpu()?
            .saturating_sub(cpu_before)
            .as_secs_f64();
        println!(
            "steady: {:.1} interims/s over {seconds:.0} s, {folds} folds, {} unanswered: {:.2} MB written, {:.2} GB a day; \
             {:.2} % of one core; p50 {:.1} ms, p99 {:.1} ms",
            tally.per_second(),
            tally.lost + tally.wrong,
            written / 1e6,
            written / seconds * 86_400.0 / 1e9,
            cpu / seconds * 100.0,
            tally.percentile(50),
            tally.percentile(99),
        );
        Ok(())
    }

    /// Kills the daemon under accounting load and measures from the new process to the first authenticated login.
    fn start_after_kill(
        &self,
        daemon: Appliance,
        data: &Path,
        sessions: &mut [Sessions],
    ) -> Result<(), Fault> {
        let Appliance { process, acct, .. } = daemon;
        let pressure = Pressure {
            in_flight: RECORDS_IN_FLIGHT,
            duration: Duration::from_secs(30),
        };
        let answered = std::thread::scope(|scope| -> Result<u64, Fault> {
            let load = scope.spawn(|| drive(acct, pressure, sessions));
            clock::pause(WARM_UP);
            process.kill()?;
            Ok(load.join().map_err(|_| "the generator panicked")??.answered)
        })?;
        let started = clock::now();
        let daemon = Appliance::start(data)?;
        let ready = started.elapsed();
        let request = Logins::new(Method::Pap, self.options.subscribers, 1)?
            .next(1)?
            .ok_or("no request")?;
        ask(
            daemon.auth,
            &request,
            Duration::from_millis(50),
            Duration::from_secs(60),
        )?
        .ok_or("no answer after the restart")?;
        println!(
            "killed after {answered} records: ready {:.0} ms and first login {:.0} ms after the new process began",
            ready.as_secs_f64() * 1e3,
            started.elapsed().as_secs_f64() * 1e3
        );
        daemon.process.stop()
    }

    fn freeradius(&mut self, folder: &Path) -> Result<(), Fault> {
        let Some(version) = freeradius::version() else {
            println!(
                "FreeRADIUS is not installed, so there is nothing to compare with. To have it: sudo apt-get install freeradius"
            );
            return Ok(());
        };
        println!("{version}");
        for (users, name) in [
            (Users::Memory, "FreeRADIUS, users in memory"),
            (Users::Sqlite, "FreeRADIUS, SQLite"),
        ] {
            let server = FreeRadius::start(
                &folder.join(format!("{users:?}")),
                users,
                self.options.subscribers,
            )?;
            let request = Logins::new(Method::Pap, self.options.subscribers, 1)?
                .next(1)?
                .ok_or("no request")?;
            ask(
                server.auth,
                &request,
                Duration::from_millis(200),
                Duration::from_secs(60),
            )?
            .ok_or(
                "FreeRADIUS did not start; its output is lost with the folder, try its -X by hand",
            )?;
            for (method, load) in LOGINS {
                self.logins(name, &server.process, server.auth, method, load)?;
            }
            if users == Users::Sqlite {
                self.accounting(name, &server.process, server.acct, RECORDS_IN_FLIGHT_SQLITE)?;
            }
            server.process.stop()?;
        }
        Ok(())
    }
}
