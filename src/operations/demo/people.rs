//! The invented people and their sessions: the same numbers give the same ones every time.

use std::net::Ipv4Addr;

use crate::domain::id::{NasId, PlanId, SessionId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::octets::{Traffic, Usage};
use crate::domain::session::{Cause, Place, Session, Stopped};
use crate::domain::subscriber::Subscriber;
use crate::domain::text::Username;
use crate::domain::time::{Calendar, DAY, Day, HOUR, MINUTE, SECOND, Timestamp};
use crate::operations::Error;

/// The same numbers every time: SplitMix64 (Steele, Lea, Flood 2014) of a number.
fn scatter(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn below(seed: u64, bound: u64) -> u64 {
    scatter(seed) % bound.max(1)
}

fn pick<'a>(seed: u64, from: &[&'a str]) -> &'a str {
    let index = usize::try_from(below(seed, u64::try_from(from.len()).unwrap_or(1))).unwrap_or(0);
    from.get(index).copied().unwrap_or_default()
}

/// Given and family names in one script, as people write them.
const LATIN: ([&str; 10], [&str; 8]) = (
    [
        "Ahmed", "Sara", "Omar", "Layla", "Hassan", "Nour", "Yusuf", "Mariam", "Karim", "Zainab",
    ],
    [
        "Haddad", "Khalil", "Saleh", "Mansour", "Aziz", "Rahman", "Najjar", "Fares",
    ],
);
const ARABIC: ([&str; 10], [&str; 8]) = (
    [
        "أحمد",
        "فاطمة",
        "محمد",
        "زينب",
        "علي",
        "مريم",
        "حسين",
        "نور",
        "مصطفى",
        "هدى",
    ],
    [
        "الحداد",
        "الجبوري",
        "العبيدي",
        "الموسوي",
        "التميمي",
        "السامرائي",
        "الزبيدي",
        "الربيعي",
    ],
);
const STREETS: [&str; 6] = [
    "Market Street",
    "River Road",
    "Palm Avenue",
    "School Lane",
    "Station Road",
    "Garden Square",
];

fn full_name(seed: u64) -> String {
    let (given, family) = if below(seed + 9, 2) == 0 {
        LATIN
    } else {
        ARABIC
    };
    format!("{} {}", pick(seed + 2, &given), pick(seed + 3, &family))
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Demo {
    pub now: Timestamp,
    pub plans: [PlanId; 4],
    pub nas: NasId,
    pub subscribers: u32,
}

impl Demo {
    pub fn subscriber(&self, number: u32) -> Result<Subscriber, Error> {
        let seed = u64::from(number) << 8;
        let username = Username::parse(&format!("user{number:05}"));
        let username = username.map_err(|problem| Error::Field {
            field: "user_name",
            problem,
        })?;
        let plan = usize::try_from(below(seed + 1, 4)).unwrap_or(0);
        let created_at = self.now.plus(-signed(below(seed + 8, 700)) * DAY);
        let plan = self.plans.get(plan).copied().unwrap_or(PlanId(1));
        let id = SubscriberId(number.saturating_add(1));
        Ok(Subscriber {
            full_name: full_name(seed),
            phone: format!("+9647{:09}", below(seed + 4, 1_000_000_000)),
            address: format!("{} {}", 1 + below(seed + 5, 200), pick(seed + 6, &STREETS)),
            expires_at: Some(self.now.plus(self.days_left(number) * DAY)),
            ..Subscriber::new(id, username, plan, created_at)
        })
    }

    /// Most have weeks left, some a few days, a few are over and get the expired pool.
    fn days_left(&self, number: u32) -> i64 {
        let seed = (u64::from(number) << 8) + 7;
        match below(seed, 100) {
            _ if number < 10 => 30,
            0..4 => -1 - signed(below(seed + 100, 20)),
            4..14 => 1 + signed(below(seed + 100, 6)),
            _ => 8 + signed(below(seed + 100, 50)),
        }
    }

    fn place(&self, number: u32) -> Place {
        let [_, a, b, c] = number.to_be_bytes();
        Place {
            address: Some(Ipv4Addr::from_bits(0x6440_0000 + number + 2)),
            mac: Some(Mac([0x02, 0x10, 0x20, a, b, c])),
            nas_port: Some(0x00f0_0000 + number),
            nas_port_id: "ether2".to_owned(),
            nas_ip: Some(Ipv4Addr::LOCALHOST),
            source: Some(Ipv4Addr::LOCALHOST.into()),
            ..Place::default()
        }
    }

    pub fn open_session(&self, number: u32, id: u64) -> Session {
        let seed = (u64::from(number) << 8) + 50;
        let started_at = self
            .now
            .plus(-(5 * MINUTE + signed(below(seed, 20 * 3600)) * SECOND));
        let updated_at = self.now.plus(-signed(below(seed + 1, 55)) * SECOND);
        let seconds = updated_at.since(started_at) / SECOND;
        let used = Traffic::new(
            below(seed + 2, 40_000) * u64::try_from(seconds).unwrap_or(0),
            below(seed + 3, 400_000) * u64::try_from(seconds).unwrap_or(0),
        );
        Session {
            id: SessionId(id),
            nas: self.nas,
            acct_session_id: format!("81d{number:05x}").into_bytes(),
            username: format!("user{number:05}"),
            subscriber: Some(SubscriberId(number.saturating_add(1))),
            login: None,
            started_at,
            updated_at,
            heard_at: updated_at,
            session_time: u32::try_from(seconds).unwrap_or(0),
            highest: used,
            booked: used,
            free: Traffic::ZERO,
            place: self.place(number),
            stopped: None,
            resumed: false,
            told: None,
        }
    }

    /// A session that began and ended on one day in the past, or `None` for one who stayed away.
    pub fn past_session(&self, number: u32, back: u32, id: u64) -> Option<Session> {
        let seed = (u64::from(number) << 24) + (u64::from(back) << 8);
        if below(seed, 100) < 30 {
            return None;
        }
        let calendar = Calendar::utc();
        let day = calendar.day(self.now).plus(-i32::try_from(back).ok()?);
        let started_at = calendar
            .starts(day)
            .plus(HOUR + signed(below(seed + 1, 14 * 3600)) * SECOND);
        let seconds = 600 + below(seed + 2, 8 * 3600);
        let ended_at = started_at.plus(signed(seconds) * SECOND);
        let used = Traffic::new(
            below(seed + 3, 30_000) * seconds,
            below(seed + 4, 300_000) * seconds,
        );
        let causes = [1, 1, 1, 2, 5, 10];
        let cause = causes
            .get(usize::try_from(below(seed + 5, 6)).unwrap_or(0))
            .copied()
            .unwrap_or(1);
        Some(Session {
            id: SessionId(id),
            acct_session_id: format!("80{back:02x}{number:05x}").into_bytes(),
            started_at,
            updated_at: ended_at,
            heard_at: ended_at,
            session_time: u32::try_from(seconds).unwrap_or(0),
            highest: used,
            booked: used,
            stopped: Some(Stopped {
                at: ended_at,
                cause: Cause::Radius(cause),
            }),
            ..self.open_session(number, id)
        })
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(0)
}

/// The usage of an open session by day, all of it on the day of its last record: close enough for a demo, and it adds up.
pub(super) fn spread_today(session: &Session, now: Timestamp) -> Vec<(Day, Usage)> {
    vec![(
        Calendar::utc().day(session.updated_at.max(now.plus(-DAY))),
        session.usage(),
    )]
}
