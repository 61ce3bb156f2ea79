//! The floor: the least that a UDP service with a signed answer can cost, one blocking read, one MD5, one write.
//!
//! It runs as a process of its own, made of this same program, so that it is measured just as the servers are.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};

use md5::Digest;
use proxpanel::operations::demo;

use crate::fault::Fault;
use crate::process::Process;

/// The argument that makes this program the floor.
pub const ARGUMENT: &str = "serve-floor";

/// Answers every datagram with an empty, signed Access-Accept, until killed.
pub fn serve() -> Result<(), Fault> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    println!("{}", socket.local_addr()?);
    std::io::stdout().flush()?;
    let mut buffer = [0; 4096];
    loop {
        let (length, source) = socket.recv_from(&mut buffer)?;
        let Some([_, identifier, _, _, authenticator @ ..]) = buffer.get(..length.min(20)) else {
            continue;
        };
        let head = [2, *identifier, 0, 20];
        let digest = md5::Md5::new()
            .chain_update(head)
            .chain_update(authenticator)
            .chain_update(demo::SECRET)
            .finalize();
        let mut reply = [0; 20];
        for (place, octet) in reply.iter_mut().zip(head.iter().chain(&digest)) {
            *place = *octet;
        }
        socket.send_to(&reply, source)?;
    }
}

pub fn start() -> Result<(Process, SocketAddr), Fault> {
    let child = Command::new(std::env::current_exe()?)
        .arg(ARGUMENT)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut process = Process::of(child);
    let mut line = String::new();
    let stdout = process
        .child()
        .stdout
        .take()
        .ok_or("no output of the floor")?;
    BufReader::new(stdout).read_line(&mut line)?;
    Ok((process, line.trim().parse()?))
}
