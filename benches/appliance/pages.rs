//! Pages of the panel, as the browser of an administrator who is signed in asks for them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::appliance::Appliance;
use crate::clock;
use crate::fault::Fault;
use crate::report::megabytes;

/// The pages that look at the most: every session there was, those that are open, all subscribers, all logins.
const REPORTS: [&str; 4] = [
    "/sessions",
    "/online?sort=download",
    "/subscribers?sort=expiry",
    "/auth-log",
];

/// How often each page is asked for, on a connection of its own.
const ROUNDS: usize = 200;

/// Every kind of page that shows rows, and those of the search box. A subscriber in the middle stands for all.
fn every_page(subscribers: u32) -> Vec<String> {
    let middle = subscribers / 2;
    let last = subscribers.div_ceil(50);
    [
        "/",
        "/subscribers",
        "/subscribers?sort=-expiry",
        "/subscribers?state=expired",
        "/subscribers?presence=online",
        "/subscribers?q=karim",
        "/subscribers?page={last}",
        "/subscribers/{middle}",
        "/subscribers/{middle}/edit",
        "/subscribers/{middle}/sessions",
        "/online",
        "/online?sort=download",
        "/online?q=user{middle}",
        "/sessions",
        "/sessions?subscriber={middle}",
        "/sessions?q=user{middle}",
        "/sessions?q=02:AB:CD",
        "/auth-log",
        "/auth-log?q=nobody",
        "/audit",
        "/plans",
        "/plans/1/edit",
        "/rules",
        "/addresses",
        "/addresses/holder?address=100.64.0.9",
        "/nas",
        "/nas/1",
        "/system/health",
        "/system/jobs",
        "/search?q=ahmad",
        "/search?q=usre500",
        "/search?q=77012",
    ]
    .map(|page| {
        page.replace("{middle}", &middle.to_string())
            .replace("{last}", &last.to_string())
    })
    .into()
}

/// Asks for every page in turn, and prints how long each took from the connection to the last octet.
pub fn measure(daemon: &Appliance, cookie: &str, subscribers: u32) -> Result<(), Fault> {
    println!("| page | octets | p50 ms | p99 ms | longest ms |\n|---|--:|--:|--:|--:|");
    for path in every_page(subscribers) {
        let mut octets = 0;
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let began = clock::now();
            octets = get(daemon.web, cookie, &path)?.len();
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let at = |percent: usize| -> f64 {
            let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(place).map_or(f64::NAN, Duration::as_secs_f64) * 1e3
        };
        println!(
            "| `{path}` | {octets} | {:.1} | {:.1} | {:.1} |",
            at(50),
            at(99),
            at(100)
        );
    }
    let memory = daemon.process.memory()?;
    println!(
        "memory after all pages: {} MB resident, {} MB of it anonymous",
        megabytes(memory.resident),
        megabytes(memory.anonymous)
    );
    Ok(())
}

/// The page at `path`, head and all. Errors: it is not there, or nobody is signed in with this cookie.
pub fn get(web: SocketAddr, cookie: &str, path: &str) -> Result<String, Fault> {
    let mut stream = TcpStream::connect(web)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {web}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    )?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    match page.starts_with("HTTP/1.1 200") {
        true => Ok(page),
        false => Err(format!("{path}: {}", page.lines().next().unwrap_or_default()).into()),
    }
}

/// Asks for one report after the other until it is enough, and says how many there were.
pub fn reports(web: SocketAddr, cookie: &str, enough: &AtomicBool) -> Result<u32, Fault> {
    let mut count = 0;
    for path in REPORTS.iter().cycle() {
        if enough.load(Ordering::Relaxed) {
            break;
        }
        get(web, cookie, path)?;
        count += 1;
    }
    Ok(count)
}
