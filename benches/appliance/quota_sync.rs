//! The job that holds usage against quotas, over all live sessions, as it runs by itself every thirty seconds.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::appliance::{self, Appliance};
use crate::clock;
use crate::fault::Fault;
use crate::pages;
use crate::prepare::{every_rule, prepare, signed_in};
use crate::towers::Towers;

/// The job's period, and how many of its runs are measured.
const PERIOD: Duration = Duration::from_secs(30);
const RUNS: u32 = 3;
const GB: u64 = 1_000_000_000;

pub fn run(folder: &Path, subscribers: u32, sessions: u32) -> Result<(), Fault> {
    let data = folder.join("quota-sync");
    appliance::fill(&data, subscribers)?;
    let towers = Towers::start();
    let cookie = prepare(&data, async |app| {
        towers.add_to(app).await?;
        every_rule(app).await?;
        signed_in(app).await
    })?;
    let daemon = Appliance::start(&data)?;
    towers.dial(daemon.auth, daemon.acct, sessions)?;
    // Half of each router's sessions have used something, below any tier.
    for router in &towers.0 {
        let users: Vec<String> = router.read(|state| {
            let users = state.sessions.values().step_by(2);
            users.map(|session| session.user.clone()).collect()
        });
        router.advance(600);
        for user in &users {
            router.pass(user, GB, GB);
        }
        router.interim_all();
    }
    daemon.process.wait_until_idle()?;
    let mut walls = Vec::new();
    let asked = towers.sum(|totals| totals.commands);
    let cpu = daemon.process.cpu()?;
    for _ in 0..RUNS {
        clock::pause(PERIOD);
        walls.push(took(daemon.web, &cookie)?);
    }
    let spent = daemon.process.cpu()?.saturating_sub(cpu);
    println!(
        "quota sync: {sessions} sessions on {} routers, runs of {} ms by the job board; {:.3} s CPU of the daemon a period \
         of 30 s, everything else it does at rest among it; {} API commands a run, {} CoA requests",
        towers.0.len(),
        walls.join(", "),
        spent.as_secs_f64() / f64::from(RUNS),
        (towers.sum(|totals| totals.commands) - asked) / u64::from(RUNS),
        towers.sum(|totals| totals.coa_requests),
    );
    daemon.process.stop()
}

/// How long the last run took, in milliseconds, as the page of jobs says.
fn took(web: SocketAddr, cookie: &str) -> Result<String, Fault> {
    let page = pages::get(web, cookie, "/system/jobs")?;
    let row = page
        .split_once("quota sync")
        .ok_or("no such job on the page")?;
    let (before, _) = row.1.split_once(" ms").ok_or("the job did not run yet")?;
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next();
    Ok(digits.unwrap_or_default().to_owned())
}
