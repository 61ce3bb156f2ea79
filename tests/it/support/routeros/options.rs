//! How a router is set up for a test.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use proxpanel::radius::auth::Method;

/// Somebody who may use the API.
#[derive(Debug, Clone)]
pub struct User {
    pub name: String,
    pub password: String,
    pub policies: Vec<String>,
}

impl User {
    /// `policies` as in a group: `api,read,write`.
    pub fn new(name: &str, password: &str, policies: &str) -> User {
        User {
            name: name.to_owned(),
            password: password.to_owned(),
            policies: policies.split(',').map(str::to_owned).collect(),
        }
    }

    pub fn may(&self, policy: &str) -> bool {
        self.policies.iter().any(|held| held == policy)
    }
}

/// The RADIUS server the router is set to.
#[derive(Debug, Clone)]
pub struct Radius {
    pub auth: SocketAddr,
    pub acct: SocketAddr,
    pub secret: String,
}

/// How a router is set up. The default is a router of today without RADIUS.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its own address, of 127.0.0.0/8: servers tell routers apart by it.
    pub address: Ipv4Addr,
    /// 6.42.12, 6.49.10, 7.14.3, 7.20.6, ...: decides the login, `!empty`, and which columns there are.
    pub version: &'static str,
    pub identity: String,
    pub users: Vec<User>,
    pub radius: Option<Radius>,
    /// How subscribers prove who they are where a test does not say.
    pub method: Method,
    /// Between two rows of monitor-traffic and torch.
    pub stream_interval: Duration,
    /// Until a request is sent again.
    pub radius_timeout: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            address: Ipv4Addr::LOCALHOST,
            version: "7.20.6",
            identity: "bras-01".to_owned(),
            users: vec![User::new("isp-api", "api-pass", "api,read,write,test")],
            radius: None,
            method: Method::MsChap2,
            stream_interval: Duration::from_secs(1),
            radius_timeout: Duration::from_secs(3),
        }
    }
}
