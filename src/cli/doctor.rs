//! `proxpanel doctor`: what the examination found, and an exit code that scripts can go by.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use super::{CliError, Place, ask, ask_daemon};
use crate::control::Request;
use crate::operations::doctor::{Finding, Verdict};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Leave out the walk over all usage, which takes minutes for years of it
    #[arg(long)]
    quick: bool,
    /// Only ask the running daemon whether it reads and writes, as after an installation
    #[arg(long, conflicts_with = "quick")]
    pulse: bool,
}

/// The exit code is 0 where nothing is bad, and 1 where something is.
pub fn run(options: &Options) -> Result<ExitCode, CliError> {
    if options.pulse {
        ask_daemon(&options.place, &Request::Pulse)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut answer = Vec::new();
    let request = Request::Doctor {
        quick: options.quick,
    };
    let findings: Vec<Finding> = match ask(&options.place, request, &mut answer) {
        Ok(()) => serde_json::from_slice(&answer).map_err(io::Error::from)?,
        // What stands in the way of looking at all else is what is wrong.
        Err(error) => vec![Finding::bad(
            "Data",
            error.to_string(),
            "`journalctl -u proxpanel -n 50` says what the daemon makes of it",
        )],
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for finding in &findings {
        say(finding, &mut out)?;
    }
    let count = |verdict| findings.iter().filter(|it| it.verdict == verdict).count();
    let bad = count(Verdict::Bad);
    let (warnings, good) = (count(Verdict::Warning), count(Verdict::Good));
    writeln!(out, "\n{bad} bad, {warnings} to look at, {good} good")?;
    out.flush()?;
    Ok(match bad {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn say(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let word = match finding.verdict {
        Verdict::Good => "ok",
        Verdict::Warning => "warning",
        Verdict::Bad => "BAD",
    };
    writeln!(out, "{word:<8}{}: {}", finding.what, finding.seen)?;
    if !finding.mend.is_empty() {
        writeln!(out, "        {}", finding.mend)?;
    }
    Ok(())
}
