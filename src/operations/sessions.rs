//! Sessions: disconnect, and give up those that fell silent.

use crate::app::App;
use crate::domain::access::interim_interval;
use crate::domain::audit::{Actor, Difference, Object};
use crate::domain::id::{SessionId, SubscriberId};
use crate::domain::mac::MacPart;
use crate::domain::session::{Presence, Session};
use crate::domain::text::searchable;
use crate::domain::time::Timestamp;
use crate::store::outbox::{self, Work};
use crate::store::subscribers;

use super::Error;
use super::trail::{Named, note};

/// Asks the router to end a session. Returns when the request is on disk; the router is asked behind it.
pub async fn disconnect(app: &App, actor: &Actor, id: SessionId) -> Result<(), Error> {
    let (username, subscriber) = {
        let live = app.accounting.live();
        let session = live
            .session(id)
            .filter(|s| s.stopped.is_none())
            .ok_or(Error::Missing("session"))?;
        (session.username.clone(), session.subscriber)
    };
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("disconnect", move |tx| {
            outbox::add(tx, Work::Disconnect(id))?;
            let mut difference = Difference::default();
            difference.field("session", "online", "disconnect requested");
            let object = subscriber.map_or(Object::Settings, Object::Subscriber);
            let what = Named(object, &username);
            note(tx, &actor, "disconnected", &what, difference, now)
        })
        .await
}

/// Asks the routers to end every open session of a subscriber. Says how many there are; none is no error.
pub async fn disconnect_subscriber(
    app: &App,
    actor: &Actor,
    id: SubscriberId,
) -> Result<usize, Error> {
    let open = app.accounting.live().open_of(id).count();
    if open == 0 {
        return Ok(0);
    }
    let (actor, now) = (actor.clone(), app.now());
    app.store
        .write("disconnect subscriber", move |tx| {
            let stored = subscribers::get(tx, id)?.ok_or(Error::Missing("subscriber"))?;
            outbox::add(tx, Work::DisconnectSubscriber(id))?;
            let mut difference = Difference::default();
            difference.field("sessions", open, "disconnect requested");
            let what = &stored.subscriber;
            note(tx, &actor, "disconnected", what, difference, now)?;
            Ok(open)
        })
        .await
}

/// Closes sessions whose router was silent for ten intervals. Says how many.
pub fn give_up_lost(app: &App, now: Timestamp) -> usize {
    let table = app.nas_table();
    let lost: Vec<(SessionId, Timestamp)> = {
        let live = app.accounting.live();
        let online = live.open_count();
        live.open_sessions()
            .filter(|s| {
                let own = table
                    .by_id(s.nas)
                    .and_then(|entry| entry.nas.interim_interval);
                s.presence(now, interim_interval(own, online)) == Presence::Lost
            })
            .map(|s| (s.id, s.updated_at))
            .collect()
    };
    for (id, at) in &lost {
        app.accounting.give_up(*id, *at);
    }
    lost.len()
}

/// What sessions are searched for: a part of the user name, the address or the MAC address, however that is written. Read
/// once and asked of every session there is, so what cannot be part of an address is not compared with any.
#[derive(Debug)]
pub struct Wanted {
    text: String,
    may_be_address: bool,
    mac: WantedMac,
}

#[derive(Debug)]
enum WantedMac {
    None,
    /// Enough digits to mean an address, whatever stands between them.
    Digits(MacPart),
    /// Few digits, as they stand between the colons.
    Written,
}

const FEWEST_MAC_DIGITS: usize = 4;

impl Wanted {
    pub fn of(text: &str) -> Wanted {
        let text = searchable(text.trim());
        let digits: String = text.chars().filter(|c| !":-. ".contains(*c)).collect();
        let mac = match MacPart::read(&digits) {
            Some(part) if digits.len() >= FEWEST_MAC_DIGITS => WantedMac::Digits(part),
            Some(_) => WantedMac::Written,
            None => WantedMac::None,
        };
        Wanted {
            may_be_address: text.chars().all(|c| c.is_ascii_digit() || c == '.'),
            mac,
            text,
        }
    }

    pub fn is_in(&self, session: &Session) -> bool {
        self.text.is_empty()
            || searchable(&session.username).contains(&self.text)
            || self.is_in_address(session)
            || self.is_in_mac(session)
    }

    fn is_in_address(&self, session: &Session) -> bool {
        let address = session.place.address.filter(|_| self.may_be_address);
        address.is_some_and(|address| address.to_string().contains(&self.text))
    }

    fn is_in_mac(&self, session: &Session) -> bool {
        session.place.mac.is_some_and(|mac| match self.mac {
            WantedMac::None => false,
            WantedMac::Digits(part) => part.is_in(mac),
            WantedMac::Written => mac.to_string().to_lowercase().contains(&self.text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::NasId;
    use crate::domain::mac::Mac;
    use crate::domain::octets::Traffic;
    use crate::domain::session::Place;

    fn session() -> Session {
        let at = Timestamp(1);
        Session {
            id: SessionId(1),
            nas: NasId(1),
            acct_session_id: b"81".to_vec(),
            username: "Beadé-7".into(),
            subscriber: None,
            login: None,
            started_at: at,
            updated_at: at,
            heard_at: at,
            session_time: 0,
            highest: Traffic::ZERO,
            booked: Traffic::ZERO,
            free: Traffic::ZERO,
            place: Place {
                address: Some("100.64.10.19".parse().expect("an address")),
                mac: Some(Mac([0x02, 0xAB, 0xCD, 0xEF, 0x10, 0x9F])),
                ..Place::default()
            },
            stopped: None,
            resumed: false,
            told: None,
        }
    }

    #[test]
    fn a_session_is_found_by_a_part_of_its_name_address_or_mac() {
        for text in [
            "",
            " ",
            "beadé",
            "BEADÉ-7",
            "é",
            "-7",
            "100.64.10.19",
            "64.1",
            ".19",
            "9",
            "02:ab:CD:ef:10:9f",
            "ab:c",
            ":9f",
            "02abcdef109f",
            "02AB.CDEF.109F",
            "02-ab-cd-ef-10-9f",
            "cd-ef",
            "02 ab cd",
            "abcd",
            "ab",
            "2:",
        ] {
            assert!(Wanted::of(text).is_in(&session()), "{text}");
        }
        for text in [
            "beade",
            "beadé 7",
            "100.64.10.2",
            "100-64",
            "a-b",
            "ab-c",
            "ab:ce",
            "02abce",
            "abcdefg",
            "cd ee",
            "user",
        ] {
            assert!(!Wanted::of(text).is_in(&session()), "{text}");
        }
        let nowhere = Session {
            place: Place::default(),
            ..session()
        };
        assert!(Wanted::of("7").is_in(&nowhere) && !Wanted::of("abcd").is_in(&nowhere));
    }
}
