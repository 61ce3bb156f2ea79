//! All live sessions cross a speed window in the same second: until when the last one has its speed, and what the logins
//! meanwhile notice of it, while somebody looks at one report after the other.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proxpanel::radius::auth::Method;

use crate::appliance::{self, Appliance};
use crate::clock;
use crate::fault::Fault;
use crate::load::{Tally, pace};
use crate::pages;
use crate::prepare::{double_from, prepare, signed_in};
use crate::requests::Logins;
use crate::towers::Towers;

/// Minutes from the start of this part to the window: filling, dialling and resting fit into it.
const AHEAD_MINUTES: u32 = 3;
const LOGINS_PER_SECOND: u32 = 300;
/// The load before the boundary, and the one that begins with it and covers all requests to routers.
const LOAD: Duration = Duration::from_secs(30);
const GIVEN_UP: Duration = Duration::from_secs(120);

pub fn run(folder: &Path, subscribers: u32, sessions: u32) -> Result<(), Fault> {
    let data = folder.join("boundary");
    appliance::fill(&data, subscribers)?;
    let towers = Towers::start();
    let opens = clock::civil_seconds() / 60 + AHEAD_MINUTES;
    let cookie = prepare(&data, async |app| {
        towers.add_to(app).await?;
        double_from(app, opens % 1_440).await?;
        signed_in(app).await
    })?;
    let daemon = Appliance::start(&data)?;
    let eligible = towers.dial(daemon.auth, daemon.acct, sessions)?;
    daemon.process.wait_until_idle()?;
    let before = logins(daemon.auth, subscribers, 1)?;
    let left = clock::until_minute(opens).ok_or("the window began before all were online")?;
    clock::pause(left);
    let began = clock::now();
    let cpu = daemon.process.cpu()?;
    let enough = AtomicBool::new(false);
    let (last, during, reports) = std::thread::scope(|scope| -> Result<_, Fault> {
        let load = scope.spawn(|| {
            let tally = logins(daemon.auth, subscribers, 2);
            enough.store(true, Ordering::Relaxed);
            tally
        });
        let reports = scope.spawn(|| pages::reports(daemon.web, &cookie, &enough));
        for router in &towers.0 {
            let usual = router.read(|state| {
                let pool =
                    |s: &&crate::routeros::Session| s.grant.pool.as_deref() == Some("subscribers");
                u64::try_from(state.sessions.values().filter(pool).count())
            })?;
            if !router.wait_until(GIVEN_UP, |state| state.totals.acks >= usual) {
                return Err("some sessions were not changed within two minutes".into());
            }
        }
        let last = began.elapsed();
        let tally = load.join().map_err(|_| "the generator panicked")??;
        Ok((
            last,
            tally,
            reports.join().map_err(|_| "the browser panicked")??,
        ))
    })?;
    let spent = daemon.process.cpu()?.saturating_sub(cpu);
    println!(
        "boundary: {eligible} of {sessions} sessions changed, the last one {:.1} s after the full minute; {} CoA requests, {} \
         resends, {} NAKs, {} disconnects; {:.2} s CPU of the daemon in {:.0} s, the logins and {reports} reports among it",
        last.as_secs_f64(),
        towers.sum(|totals| totals.coa_requests),
        towers.sum(|totals| totals.copies),
        towers.sum(|totals| totals.naks),
        towers.sum(|totals| totals.disconnect_requests),
        spent.as_secs_f64(),
        LOAD.max(last).as_secs_f64(),
    );
    for (name, tally) in [("before", &before), ("during", &during)] {
        println!(
            "boundary, PAP at {LOGINS_PER_SECOND}/s {name}: p50 {:.2} ms, p99 {:.2} ms, {} answered, {} not as they should be",
            tally.percentile(50),
            tally.percentile(99),
            tally.answered,
            tally.rejected + tally.lost + tally.wrong,
        );
    }
    daemon.process.stop()
}

fn logins(auth: SocketAddr, subscribers: u32, seed: u64) -> Result<Tally, Fault> {
    let mut source = Logins::new(Method::Pap, subscribers, seed << 32)?;
    pace(auth, &mut source, LOGINS_PER_SECOND, LOAD, || Ok(()))
}
