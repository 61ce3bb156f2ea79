//! Logins of two builds in turn: this tree's daemon and the one at `--against`, each round behind a fresh measurement of
//! the floor, so that what else the machine does meets all of them alike. Each figure is the middle one of its rounds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proxpanel::radius::auth::Method;

use crate::appliance::{self, Appliance};
use crate::fault::Fault;
use crate::load::{Pressure, drive};
use crate::process::Process;
use crate::requests::Logins;
use crate::{LOGINS, LOGINS_IN_FLIGHT, SOCKETS, WARM_UP, floor, prepare};

pub struct Plan {
    pub rounds: u32,
    pub seconds: u64,
    pub subscribers: u32,
    pub rules: bool,
    pub against: Option<PathBuf>,
}

/// One server under one kind of login, and its processor time for each answer, in microseconds, round by round.
struct Figure<'a> {
    server: &'a str,
    load: &'static str,
    micros: Vec<f64>,
}

pub fn run(folder: &Path, plan: &Plan) -> Result<(), Fault> {
    let mut daemons = vec![(
        "this tree",
        start(folder, "this", appliance::PROGRAM, plan)?,
    )];
    if let Some(program) = &plan.against {
        let program = program.to_str().ok_or("--against is no text")?;
        daemons.push(("the other", start(folder, "other", program, plan)?));
    }
    let (floor, floor_address) = floor::start()?;
    let mut figures = vec![Figure::new("floor", "PAP requests")];
    for (name, _) in &daemons {
        figures.extend(LOGINS.map(|(_, load)| Figure::new(name, load)));
    }
    for round in 0..plan.rounds {
        let mut rest = figures.iter_mut();
        let mut note = |micros| {
            if let Some(figure) = rest.next() {
                figure.micros.push(micros);
            }
        };
        note(measure(plan, round, &floor, floor_address, Method::Pap)?);
        for (_, daemon) in &daemons {
            for (method, _) in LOGINS {
                note(measure(plan, round, &daemon.process, daemon.auth, method)?);
            }
        }
    }
    print(&mut figures);
    for (_, daemon) in daemons {
        daemon.process.stop()?;
    }
    Ok(())
}

fn start(folder: &Path, name: &str, program: &str, plan: &Plan) -> Result<Appliance, Fault> {
    let data = folder.join(name);
    appliance::fill(&data, plan.subscribers)?;
    if plan.rules {
        prepare::prepare(&data, prepare::every_rule)?;
    }
    let daemon = Appliance::start_program(program, &data)?;
    // The warmth that the caches of a running daemon have.
    for (method, _) in LOGINS {
        drive(
            daemon.auth,
            pressure(WARM_UP),
            &mut sources(plan, 0, method)?,
        )?;
    }
    Ok(daemon)
}

/// Processor time for each answer. Errors: a reply that is not an accept, or none.
fn measure(
    plan: &Plan,
    round: u32,
    process: &Process,
    address: std::net::SocketAddr,
    method: Method,
) -> Result<f64, Fault> {
    process.wait_until_idle()?;
    let mut sources = sources(plan, round + 1, method)?;
    let before = process.cpu()?;
    let tally = drive(
        address,
        pressure(Duration::from_secs(plan.seconds)),
        &mut sources,
    )?;
    let cpu = process.cpu()?.saturating_sub(before);
    if tally.rejected + tally.lost + tally.wrong > 0 {
        return Err(format!(
            "{} rejected, {} unanswered, {} wrong",
            tally.rejected, tally.lost, tally.wrong
        )
        .into());
    }
    Ok(cpu.as_secs_f64() * 1e6 / (tally.answered.max(1) as f64))
}

fn sources(plan: &Plan, round: u32, method: Method) -> Result<Vec<Logins>, Fault> {
    (0..SOCKETS)
        .map(|n| {
            Logins::new(
                method,
                plan.subscribers,
                u64::from(round * SOCKETS + n) << 32,
            )
        })
        .collect()
}

fn pressure(duration: Duration) -> Pressure {
    Pressure {
        in_flight: LOGINS_IN_FLIGHT,
        duration,
    }
}

fn print(figures: &mut [Figure<'_>]) {
    let floor = figures.first_mut().map_or(f64::NAN, |floor| floor.middle());
    println!("| server | load | CPU µs each | range | x floor |\n|---|---|--:|--:|--:|");
    for figure in figures {
        let middle = figure.middle();
        let (least, most) = (figure.micros.first(), figure.micros.last());
        println!(
            "| {} | {} | {middle:.1} | {:.1} to {:.1} | {:.2} |",
            figure.server,
            figure.load,
            least.copied().unwrap_or(f64::NAN),
            most.copied().unwrap_or(f64::NAN),
            middle / floor,
        );
    }
}

impl<'a> Figure<'a> {
    fn new(server: &'a str, load: &'static str) -> Self {
        Figure {
            server,
            load,
            micros: Vec::new(),
        }
    }

    /// Sorts the rounds, least first.
    fn middle(&mut self) -> f64 {
        self.micros.sort_by(f64::total_cmp);
        self.micros
            .get(self.micros.len() / 2)
            .copied()
            .unwrap_or(f64::NAN)
    }
}
