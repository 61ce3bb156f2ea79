//! `radtest`: one login against a RADIUS server, with the reply decoded.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::crypto::random_bytes;
use crate::radius::auth::Method;
use crate::radius::client::{Login, Request, exchange};
use crate::radius::describe::{describe, push_named};
use crate::radius::{AttributeBuffer, Code, SharedSecret};

#[derive(Args)]
pub struct Options {
    user: String,
    password: String,
    /// Server, with or without a port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1812")]
    server: Server,
    /// Shared secret
    #[arg(long, default_value = "testing123")]
    secret: String,
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

/// An address whose port may be left out.
#[derive(Clone, Copy)]
struct Server(SocketAddr);

const AUTH_PORT: u16 = 1812;

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let with_port = text.parse::<SocketAddr>();
        let alone = text
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .map(|ip| SocketAddr::new(ip, AUTH_PORT));
        with_port
            .or(alone)
            .map(Server)
            .map_err(|_| "an address such as 127.0.0.1, 127.0.0.1:1812 or [::1]:1812".to_owned())
    }
}

/// 0: accepted; 1: rejected; 2: no reply.
pub fn run(options: &Options) -> Result<ExitCode, String> {
    let secret = SharedSecret::new(options.secret.as_bytes()).map_err(|error| error.to_string())?;
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
    let reply = match exchange(
        options.server.0,
        &request,
        Duration::from_secs(options.timeout),
        options.tries,
    ) {
        Ok(reply) => reply,
        Err(error) => {
            say(&[
                format!("No reply from {}: {error}", options.server.0),
                "Check the address and port, that this machine is a NAS device of the server, and the shared secret.".to_owned(),
            ])?;
            return Ok(ExitCode::from(2));
        }
    };
    let packet = reply.packet().map_err(|error| error.to_string())?;
    let mut lines = describe(&packet);
    lines.push(format!(
        "{:.1} ms, sent {} time{}",
        reply.elapsed.as_secs_f64() * 1000.0,
        reply.tries,
        if reply.tries == 1 { "" } else { "s" }
    ));
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
