//! One subscriber's session as the router sees it: its counters, and what RADIUS allowed it.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use proxpanel::radius::Ipv6Prefix;

use super::rate::{Pair, Rate};

/// A session's number inside the stand-in, never used twice.
pub type SessionKey = u32;

/// Earlier interim records kept of each session, to be sent again.
const RECORDS_KEPT: usize = 4;

/// What the Access-Accept, or the profile, allows.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    pub address: Option<Ipv4Addr>,
    pub pool: Option<String>,
    pub profile: Option<String>,
    /// The rate, and its text as it came.
    pub rate: Option<(Rate, String)>,
    pub address_lists: Vec<String>,
    pub class: Vec<Vec<u8>>,
    pub interim_seconds: Option<u32>,
    pub session_timeout: Option<u32>,
    /// Octets after which the session ends; zero is no limit.
    pub upload_limit: u64,
    pub download_limit: u64,
    pub routes: Vec<String>,
    pub ipv6_prefix: Option<Ipv6Prefix>,
    pub delegated_prefix: Option<Ipv6Prefix>,
    /// Of Mikrotik-Delegated-IPv6-Pool or Delegated-IPv6-Prefix-Pool.
    pub delegated_pool: Option<String>,
}

/// Octets of a session so far, as its subscriber counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    pub seconds: u64,
    pub upload: u64,
    pub download: u64,
}

#[derive(Debug, Clone)]
pub struct Session {
    pub user: String,
    /// Acct-Session-Id, eight hex digits in lower case.
    pub id: String,
    pub mac: String,
    pub address: Ipv4Addr,
    pub interface: String,
    pub port: u32,
    /// Whether RADIUS let it in, and not a local secret.
    pub radius: bool,
    pub grant: Grant,
    /// On the router's clock, in milliseconds, like all times here.
    pub started: u64,
    upload: u64,
    download: u64,
    flow: Pair,
    flow_since: u64,
    records: VecDeque<Counters>,
}

impl Session {
    pub fn new(user: &str, id: String, now: u64) -> Session {
        Session {
            user: user.to_owned(),
            id,
            mac: String::new(),
            address: Ipv4Addr::UNSPECIFIED,
            interface: String::new(),
            port: 0,
            radius: true,
            grant: Grant::default(),
            started: now,
            upload: 0,
            download: 0,
            flow: Pair::default(),
            flow_since: now,
            records: VecDeque::new(),
        }
    }

    pub fn rate(&self) -> Option<Pair> {
        self.grant.rate.as_ref().map(|(rate, _)| rate.limit)
    }

    /// Whether what was allowed is used up, in time or in octets.
    pub fn is_over(&self, now: u64) -> bool {
        let counters = self.counters(now);
        let reached = |limit: u64, used: u64| limit > 0 && used >= limit;
        let seconds = self.grant.session_timeout.map_or(0, u64::from);
        reached(seconds, counters.seconds)
            || reached(self.grant.upload_limit, counters.upload)
            || reached(self.grant.download_limit, counters.download)
    }

    pub fn flow(&self) -> Pair {
        self.flow
    }

    pub fn counters(&self, now: u64) -> Counters {
        let passed = u128::from(now.saturating_sub(self.flow_since));
        // Bits a second over milliseconds, in octets.
        let moved = |bits: u64| u64::try_from(u128::from(bits) * passed / 8000).unwrap_or(u64::MAX);
        Counters {
            seconds: now.saturating_sub(self.started) / 1000,
            upload: self.upload.saturating_add(moved(self.flow.upload)),
            download: self.download.saturating_add(moved(self.flow.download)),
        }
    }

    /// Octets that pass at once.
    pub fn pass(&mut self, upload: u64, download: u64) {
        self.upload = self.upload.saturating_add(upload);
        self.download = self.download.saturating_add(download);
    }

    /// Traffic from now on, in bits a second.
    pub fn set_flow(&mut self, flow: Pair, now: u64) {
        let counters = self.counters(now);
        (self.upload, self.download) = (counters.upload, counters.download);
        (self.flow, self.flow_since) = (flow, now);
    }

    /// Remembers what an interim record said.
    pub fn remember(&mut self, counters: Counters) {
        if self.records.len() == RECORDS_KEPT {
            self.records.pop_back();
        }
        self.records.push_front(counters);
    }

    /// The interim record sent `back` records before the last one.
    pub fn recorded(&self, back: usize) -> Option<Counters> {
        self.records.get(back).copied()
    }
}
