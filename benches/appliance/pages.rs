//! Pages of the panel, as the browser of an administrator who is signed in asks for them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fault::Fault;

/// The pages that look at the most: every session there was, those that are open, all subscribers, all logins.
const REPORTS: [&str; 4] = [
    "/sessions",
    "/online?sort=download",
    "/subscribers?sort=expires",
    "/auth-log",
];

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
