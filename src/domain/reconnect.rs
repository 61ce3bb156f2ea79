//! New logins: what of a change only a login can bring, and when a live session is ended for it (rules.md section 6).

use super::id::{SessionId, SubscriberId};
use super::plan::Plan;
use super::subscriber::Subscriber;
use super::time::{Calendar, Timestamp};

/// When a session is ended whose subscriber changed in a way that no CoA can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reconnect {
    /// Not at all: the change waits for the next login.
    #[default]
    NextLogin,
    Now,
    /// At the next [`QUIET_HOUR`].
    Tonight,
}

impl Reconnect {
    pub const ALL: [Reconnect; 3] = [Reconnect::NextLogin, Reconnect::Now, Reconnect::Tonight];

    pub fn word(self) -> &'static str {
        match self {
            Reconnect::NextLogin => "next",
            Reconnect::Now => "now",
            Reconnect::Tonight => "tonight",
        }
    }

    pub fn from_word(word: &str) -> Option<Reconnect> {
        Self::ALL.into_iter().find(|when| when.word() == word)
    }
}

/// Minutes after midnight at which the fewest subscribers notice: 04:00 on the ISP's clock.
pub const QUIET_HOUR: u16 = 4 * 60;

/// The next quiet hour after `now`.
pub fn tonight(calendar: &Calendar, now: Timestamp) -> Timestamp {
    // A business day may begin after the quiet hour of its date, so that two dates can have passed it.
    let today = calendar.day(now);
    let mut hours = (0..=2).map(|days| calendar.at(today.plus(days), QUIET_HOUR));
    hours.find(|at| *at > now).unwrap_or(now)
}

/// A session that is to be ended at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub due_at: Timestamp,
    pub session: SessionId,
    pub subscriber: SubscriberId,
    /// The operator's name.
    pub by: String,
}

/// Whether addresses, names on the router or extra attributes differ, which an accept says and a CoA does not.
pub fn moves(was: (&Subscriber, &Plan), new: (&Subscriber, &Plan)) -> bool {
    address(was) != address(new)
        || prefix(was) != prefix(new)
        || names(was.1) != names(new.1)
        || was.0.extras.reply != new.0.extras.reply
        || was.1.extras.reply != new.1.extras.reply
}

/// Whether the speed that was bought differs, for routers that take one only at a login.
pub fn changes_speed(was: (&Subscriber, &Plan), new: (&Subscriber, &Plan)) -> bool {
    let rate =
        |(subscriber, plan): (&Subscriber, &Plan)| subscriber.rate_override.unwrap_or(plan.rate);
    rate(was) != rate(new)
}

/// What decides the IPv4 address: its own, else the pool of the plan.
fn address<'a>((subscriber, plan): (&'a Subscriber, &'a Plan)) -> impl PartialEq + 'a {
    let fixed = subscriber.static_address;
    let pool = fixed
        .is_none()
        .then_some((plan.address_source, plan.pool.as_str()));
    (fixed, pool)
}

/// The same of the delegated prefix, and of the prefix of the link.
fn prefix<'a>((subscriber, plan): (&'a Subscriber, &'a Plan)) -> impl PartialEq + 'a {
    let fixed = subscriber.static_prefix;
    let pool = fixed.is_none().then_some(plan.delegated_pool.as_str());
    (fixed, pool, plan.ipv6_pool.as_str())
}

fn names(plan: &Plan) -> (&str, &str) {
    (plan.address_list.as_str(), plan.router_profile.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::extra::Extra;
    use crate::domain::id::PlanId;
    use crate::domain::plan::AddressSource;
    use crate::domain::rate::Rate;
    use crate::domain::testing;
    use crate::domain::text::Username;
    use crate::domain::time::{DAY, HOUR, MINUTE};
    use std::net::Ipv4Addr;

    #[test]
    fn tonight_is_the_next_four_in_the_morning() {
        // 2027-01-15 04:00 UTC.
        let four = Timestamp(1_799_985_600_000);
        for day_starts in [0, 5, 239, 240, 241, 600] {
            let calendar = Calendar::new("UTC", day_starts).unwrap();
            for (ahead, wanted) in [
                (-1, four),
                (-MINUTE, four),
                (-4 * HOUR, four),
                (-4 * HOUR - 1, four),
                (-DAY + 1, four),
                (-DAY, four),
                (0, four.plus(DAY)),
                (HOUR, four.plus(DAY)),
            ] {
                let at = tonight(&calendar, four.plus(ahead));
                assert_eq!(at, wanted, "{day_starts} {ahead}");
            }
        }
        // In Beirut it is two hours ahead.
        let beirut = Calendar::new("Asia/Beirut", 5).unwrap();
        assert_eq!(tonight(&beirut, four), four.plus(22 * HOUR));
    }

    fn pair() -> (Subscriber, Plan) {
        let plan = Plan {
            pool: "homes".into(),
            ..testing::plan("Home", Rate::new(1_000, 2_000))
        };
        let name = Username::parse("ali").unwrap();
        let subscriber = Subscriber::new(SubscriberId(1), name, PlanId(1), Timestamp(0));
        (subscriber, plan)
    }

    fn extra() -> Extra {
        Extra {
            text: "Filter-Id = x".into(),
            octets: vec![11, 3, 120],
        }
    }

    type Edit = fn(&mut Subscriber, &mut Plan);

    /// Whether a change moves the session, and whether it changes the speed.
    fn judge(first: Edit, change: Edit) -> (bool, bool) {
        let (mut subscriber, mut plan) = pair();
        first(&mut subscriber, &mut plan);
        let (mut new, mut other) = (subscriber.clone(), plan.clone());
        change(&mut new, &mut other);
        let (was, new) = ((&subscriber, &plan), (&new, &other));
        (moves(was, new), changes_speed(was, new))
    }

    #[test]
    fn addresses_names_and_attributes_want_a_login_and_speeds_only_of_some_routers() {
        let as_is: Edit = |_, _| ();
        let fixed: Edit = |s, _| {
            s.static_address = Some(Ipv4Addr::new(10, 0, 0, 9));
            s.static_prefix = Some(("2001:db8::".parse().unwrap(), 56));
        };
        let cases: [(Edit, bool); 13] = [
            (|_, _| (), false),
            (|s, _| s.static_address = Some(Ipv4Addr::LOCALHOST), true),
            (
                |s, _| s.static_prefix = Some(("::".parse().unwrap(), 56)),
                true,
            ),
            (|_, p| p.pool = "others".into(), true),
            (|_, p| p.address_source = AddressSource::Server, true),
            (|_, p| p.delegated_pool = "pd".into(), true),
            (|_, p| p.ipv6_pool = "link".into(), true),
            (|_, p| p.address_list = "paying".into(), true),
            (|_, p| p.router_profile = "gold".into(), true),
            (|s, _| s.extras.reply.push(extra()), true),
            (|_, p| p.extras.reply.push(extra()), true),
            (|s, _| s.notes = "n".into(), false),
            (|_, p| p.max_sessions = 2, false),
        ];
        for (number, (change, wanted)) in cases.into_iter().enumerate() {
            assert_eq!(judge(as_is, change), (wanted, false), "{number}");
        }
        // With addresses of its own the pools of the plan mean nothing to it.
        assert_eq!(
            judge(fixed, |_, p| p.pool = "others".into()),
            (false, false)
        );
        assert_eq!(
            judge(fixed, |_, p| p.delegated_pool = "pd".into()),
            (false, false)
        );
        assert_eq!(judge(fixed, |s, _| s.static_address = None), (true, false));
        assert_eq!(judge(as_is, |_, p| p.rate.download_kbps = 1), (false, true));
        assert_eq!(
            judge(as_is, |s, _| s.rate_override = Some(Rate::new(1, 2))),
            (false, true)
        );
        assert_eq!(
            judge(as_is, |s, p| s.rate_override = Some(p.rate)),
            (false, false)
        );
    }
}
