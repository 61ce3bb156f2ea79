//! The closed-loop generator: some sockets, a thread each, and on each so many requests in flight at any moment.
//!
//! Invariant: every reply is checked against the request it answers (identifier, code, Response Authenticator,
//! Message-Authenticator, MS-CHAP2-Success). What does not check is counted, and makes a figure worthless.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use proxpanel::radius::Code;
use proxpanel::radius::client::Request;

use crate::clock;
use crate::fault::Fault;
use crate::requests::Source;

/// A request without a reply for so long counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(3);
const LOOK_FOR_LOST: Duration = Duration::from_millis(200);

/// How hard to ask. `in_flight` is for each socket, at most 256.
#[derive(Debug, Clone, Copy)]
pub struct Pressure {
    pub in_flight: usize,
    pub duration: Duration,
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Tally {
    pub answered: u64,
    /// Access-Reject where every credential is right.
    pub rejected: u64,
    pub lost: u64,
    /// Replies that failed the check, and the first reason.
    pub wrong: u64,
    pub first_wrong: Option<String>,
    /// From send to reply, in microseconds, in no order.
    latencies: Vec<u32>,
    pub elapsed: Duration,
}

impl Tally {
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The latency that so many percent of the requests do not exceed, in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted
            .get(rank.saturating_sub(1))
            .map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }

    fn add(&mut self, other: Tally) {
        self.answered += other.answered;
        self.rejected += other.rejected;
        self.lost += other.lost;
        self.wrong += other.wrong;
        self.first_wrong = self.first_wrong.take().or(other.first_wrong);
        self.latencies.extend(other.latencies);
    }
}

/// Drives `server` from one socket and thread for each source until the time is over or all are dry.
/// A server that goes away ends the load; what was answered until then is told.
pub fn drive<S: Source>(
    server: SocketAddr,
    pressure: Pressure,
    sources: &mut [S],
) -> Result<Tally, Fault> {
    let started = clock::now();
    let mut tally = Tally::default();
    std::thread::scope(|scope| -> Result<(), Fault> {
        let lanes: Vec<_> = sources
            .iter_mut()
            .map(|source| scope.spawn(move || Lane::open(server)?.run(source, pressure, started)))
            .collect();
        for lane in lanes {
            tally.add(lane.join().map_err(|_| "a generator thread panicked")??);
        }
        Ok(())
    })?;
    tally.elapsed = clock::now().duration_since(started);
    Ok(tally)
}

/// Sends exactly so many requests a second from one socket, evenly spaced, whether they are answered or not, and calls
/// `each_second`.
pub fn pace(
    server: SocketAddr,
    source: &mut impl Source,
    per_second: u32,
    duration: Duration,
    each_second: impl FnMut() -> Result<(), Fault>,
) -> Result<Tally, Fault> {
    Lane::open(server)?.run_paced(source, per_second, duration, each_second)
}

/// Sends one request and waits for the reply, sending again every `patience`. `None` if none came within `limit`.
pub fn ask(
    server: SocketAddr,
    request: &Request,
    patience: Duration,
    limit: Duration,
) -> Result<Option<Code>, Fault> {
    let lane = Lane::open(server)?;
    lane.socket.set_read_timeout(Some(patience))?;
    let started = clock::now();
    let mut buffer = [0; 4096];
    while clock::now().duration_since(started) < limit {
        // A refusal means that nobody listens yet.
        if lane.socket.send(request.octets()).is_ok()
            && let Ok(length) = lane.socket.recv(&mut buffer)
        {
            return Ok(Some(
                request
                    .verify(buffer.get(..length).unwrap_or_default())?
                    .code(),
            ));
        }
        clock::pause(Duration::from_millis(1));
    }
    Ok(None)
}

/// One socket and what is in flight on it, by identifier.
struct Lane {
    socket: UdpSocket,
    sent: Vec<Option<(Request, Instant)>>,
    /// The identifier that rested longest is used next.
    free: VecDeque<u8>,
}

impl Lane {
    fn open(server: SocketAddr) -> Result<Lane, Fault> {
        let socket = UdpSocket::bind((if server.is_ipv6() { "::1" } else { "127.0.0.1" }, 0))?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(LOOK_FOR_LOST))?;
        let sent = (0..=u8::MAX).map(|_| None).collect();
        Ok(Lane {
            socket,
            sent,
            free: (0..=u8::MAX).collect(),
        })
    }

    fn run(
        mut self,
        source: &mut impl Source,
        pressure: Pressure,
        started: Instant,
    ) -> Result<Tally, Fault> {
        let mut tally = Tally::default();
        let mut buffer = [0; 4096];
        let mut dry = false;
        loop {
            let over = clock::now().duration_since(started) >= pressure.duration;
            while !over && !dry && self.in_flight() < pressure.in_flight {
                let Some(identifier) = self.free.pop_front() else {
                    break;
                };
                let Some(request) = source.next(identifier)? else {
                    self.free.push_front(identifier);
                    dry = true;
                    break;
                };
                if self.send(request).is_err() {
                    return Ok(tally);
                }
            }
            if (over || dry) && self.in_flight() == 0 {
                return Ok(tally);
            }
            match self.socket.recv(&mut buffer) {
                Ok(length) => self.check(buffer.get(..length).unwrap_or_default(), &mut tally),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    self.give_up_old(&mut tally);
                }
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(tally),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends when it is due, and takes replies in between.
    fn run_paced(
        mut self,
        source: &mut impl Source,
        per_second: u32,
        duration: Duration,
        mut each_second: impl FnMut() -> Result<(), Fault>,
    ) -> Result<Tally, Fault> {
        let mut tally = Tally::default();
        let mut buffer = [0; 4096];
        let started = clock::now();
        let (mut sent, mut second) = (0, Duration::from_secs(1));
        loop {
            let elapsed = clock::now().duration_since(started);
            if elapsed >= second {
                second += Duration::from_secs(1);
                self.give_up_old(&mut tally);
                each_second()?;
            }
            let due = Duration::from_secs(1) * sent / per_second;
            if elapsed >= due && due < duration {
                let identifier = self
                    .free
                    .pop_front()
                    .ok_or("too many requests are unanswered")?;
                let request = source.next(identifier)?.ok_or("the source is dry")?;
                self.send(request)?;
                sent += 1;
                continue;
            }
            if due >= duration && self.in_flight() == 0 {
                tally.elapsed = clock::now().duration_since(started).max(duration);
                return Ok(tally);
            }
            let patience = if due < duration {
                due - elapsed
            } else {
                LOOK_FOR_LOST
            };
            self.socket
                .set_read_timeout(Some(patience.max(Duration::from_micros(100))))?;
            match self.socket.recv(&mut buffer) {
                Ok(length) => self.check(buffer.get(..length).unwrap_or_default(), &mut tally),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends a request that has one of the free identifiers.
    fn send(&mut self, request: Request) -> std::io::Result<()> {
        let at = clock::now();
        self.socket.send(request.octets())?;
        if let Some(slot) = self.sent.get_mut(usize::from(request.identifier())) {
            *slot = Some((request, at));
        }
        Ok(())
    }

    fn in_flight(&self) -> usize {
        self.sent.len() - self.free.len()
    }

    fn check(&mut self, datagram: &[u8], tally: &mut Tally) {
        let identifier = datagram.get(1).copied().unwrap_or_default();
        let slot = self
            .sent
            .get_mut(usize::from(identifier))
            .and_then(Option::take);
        let Some((request, at)) = slot else {
            // The reply to one that was given up; it has been counted as lost.
            return;
        };
        self.free.push_back(identifier);
        match request.verify(datagram) {
            Ok(reply) if reply.code() == Code::ACCESS_REJECT => tally.rejected += 1,
            Ok(_) => {
                tally.answered += 1;
                let micros = clock::now().duration_since(at).as_micros();
                tally
                    .latencies
                    .push(u32::try_from(micros).unwrap_or(u32::MAX));
            }
            Err(error) => {
                tally.wrong += 1;
                tally.first_wrong.get_or_insert_with(|| error.to_string());
            }
        }
    }

    fn give_up_old(&mut self, tally: &mut Tally) {
        let now = clock::now();
        for (identifier, slot) in (0..=u8::MAX).zip(self.sent.iter_mut()) {
            if slot
                .as_ref()
                .is_some_and(|(_, at)| now.duration_since(*at) >= LOST_AFTER)
            {
                *slot = None;
                tally.lost += 1;
                self.free.push_back(identifier);
            }
        }
    }
}
