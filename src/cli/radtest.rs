//! `radtest`: one login against a RADIUS server, with the reply decoded.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::radsec::{self, Place};
use crate::crypto::random_bytes;
use crate::radius::auth::Method;
use crate::radius::client::{Login, Request, exchange};
use crate::radius::describe::{describe, push_named};
use crate::radius::{AttributeBuffer, Code, Packet, SharedSecret};
use crate::tls::Configured;

#[derive(Args)]
pub struct Options {
    user: String,
    password: String,
    /// Server, with or without a port: an address, with --radsec also a name
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    server: String,
    /// Shared secret; testing123 by default, and radsec with --radsec
    #[arg(long)]
    secret: Option<String>,
    /// Over TLS, port 2083
    #[arg(long)]
    radsec: bool,
    /// With --radsec: the certificate of the server or of its authority (PEM), unless browsers would trust it
    #[arg(long, value_name = "FILE", requires = "radsec")]
    ca: Option<PathBuf>,
    /// With --radsec: the certificate by which the server knows the NAS device (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["radsec", "key"])]
    cert: Option<PathBuf>,
    /// The private key of --cert (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// How the password is proved
    #[arg(long, value_enum, default_value_t = MethodName::Pap)]
    method: MethodName,
    /// A further attribute of the request, such as Calling-Station-Id=AA:BB:CC:00:11:22; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    attributes: Vec<String>,
    /// Seconds to wait for a reply before it is sent again
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
    /// How often it is sent
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10))]
    tries: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum MethodName {
    Pap,
    Chap,
    Mschap,
    Mschapv2,
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Method {
        match name {
            MethodName::Pap => Method::Pap,
            MethodName::Chap => Method::Chap,
            MethodName::Mschap => Method::MsChap,
            MethodName::Mschapv2 => Method::MsChap2,
        }
    }
}

const AUTH_PORT: u16 = 1812;
/// The secret of the demo routers and of the examples of other servers.
const SECRET: &str = "testing123";

/// An address whose port may be left out.
fn address(text: &str) -> Result<SocketAddr, String> {
    let (host, port) = host_and_port(text, AUTH_PORT)?;
    let address = host.parse::<IpAddr>();
    address
        .map(|address| SocketAddr::new(address, port))
        .map_err(|_| format!("{text}: an address such as 127.0.0.1, 127.0.0.1:1812 or [::1]:1812"))
}

/// `host`, `host:2083`, `192.0.2.1:2083`, `::1` or `[::1]:2083`.
fn host_and_port(text: &str, port: u16) -> Result<(String, u16), String> {
    let (host, typed) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, rest))) => (host, rest.strip_prefix(':')),
        Some(None) => return Err(format!("{text}: the bracket is not closed")),
        // More than one colon: an IPv6 address without a port.
        None => match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            _ => (text, None),
        },
    };
    let port = match typed {
        Some(typed) => typed
            .parse()
            .map_err(|_| format!("{text}: {typed} is no port"))?,
        None => port,
    };
    match host.is_empty() {
        true => Err(format!("{text}: the server is missing")),
        false => Ok((host.to_owned(), port)),
    }
}

/// 0: accepted; 1: rejected; 2: no reply.
pub fn run(options: &Options) -> Result<ExitCode, String> {
    let usual = if options.radsec {
        radsec::SECRET
    } else {
        SECRET
    };
    let secret = options.secret.as_deref().unwrap_or(usual);
    let secret = SharedSecret::new(secret.as_bytes()).map_err(|error| error.to_string())?;
    let mut extra = AttributeBuffer::new();
    for attribute in &options.attributes {
        let (name, value) = attribute
            .split_once('=')
            .ok_or_else(|| format!("{attribute}: write it as NAME=VALUE"))?;
        push_named(&mut extra, name.trim(), None, value.trim())
            .map_err(|error| format!("{name}: {error}"))?;
    }
    let login = Login {
        user_name: &options.user,
        password: &options.password,
        method: options.method.into(),
    };
    let [identifier] = random_bytes::<1>().map_err(|error| error.to_string())?;
    let request =
        Request::access(&secret, identifier, &login, &extra).map_err(|error| error.to_string())?;
    match options.radsec {
        true => over_tls(options, &request),
        false => over_udp(options, &request),
    }
}

fn over_udp(options: &Options, request: &Request) -> Result<ExitCode, String> {
    let server = address(&options.server)?;
    let timeout = Duration::from_secs(options.timeout);
    let reply = match exchange(server, request, timeout, options.tries) {
        Ok(reply) => reply,
        Err(error) => {
            say(&[
                format!("No reply from {server}: {error}"),
                "Check the address and port, that this machine is a NAS device of the server, and the shared secret.".to_owned(),
            ])?;
            return Ok(ExitCode::from(2));
        }
    };
    let packet = reply.packet().map_err(|error| error.to_string())?;
    let times = if reply.tries == 1 { "" } else { "s" };
    tell(
        &packet,
        reply.elapsed,
        &format!("sent {} time{times}", reply.tries),
    )
}

/// Sent once: TLS loses nothing.
fn over_tls(options: &Options, request: &Request) -> Result<ExitCode, String> {
    let (host, port) = host_and_port(&options.server, radsec::PORT)?;
    let own = options.cert.clone().zip(options.key.clone());
    let place = Place {
        host,
        port,
        authority: options.ca.clone(),
        own: own.map(|(certificate, key)| Configured { certificate, key }),
    };
    let answer = match radsec::exchange(&place, request, Duration::from_secs(options.timeout)) {
        Ok(answer) => answer,
        Err(error) => {
            say(&["No reply.".to_owned(), error.to_string()])?;
            return Ok(ExitCode::from(2));
        }
    };
    let packet = Packet::parse(&answer.octets).map_err(|error| error.to_string())?;
    tell(&packet, answer.elapsed, "over TLS")
}

/// The reply in words, and whether it lets in.
fn tell(packet: &Packet<'_>, elapsed: Duration, how: &str) -> Result<ExitCode, String> {
    let mut lines = describe(packet);
    lines.push(format!("{:.1} ms, {how}", elapsed.as_secs_f64() * 1000.0));
    say(&lines)?;
    Ok(if packet.code() == Code::ACCESS_ACCEPT {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn say(lines: &[String]) -> Result<(), String> {
    let mut out = io::stdout().lock();
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_may_be_left_out() {
        for (text, host, port) in [
            ("127.0.0.1", "127.0.0.1", 2083),
            ("127.0.0.1:18", "127.0.0.1", 18),
            ("::1", "::1", 2083),
            ("[::1]", "::1", 2083),
            ("[::1]:18", "::1", 18),
            ("radius.example", "radius.example", 2083),
            ("radius.example:18", "radius.example", 18),
        ] {
            let found = host_and_port(text, 2083).unwrap();
            assert_eq!((found.0.as_str(), found.1), (host, port), "{text}");
        }
        for text in ["", ":18", "a:", "a:70000", "[::1", "[]:18"] {
            assert!(host_and_port(text, 2083).is_err(), "{text}");
        }
        assert_eq!(address("[::1]:18").unwrap().to_string(), "[::1]:18");
        assert_eq!(address("192.0.2.1").unwrap().to_string(), "192.0.2.1:1812");
        assert!(address("radius.example").is_err());
    }
}
