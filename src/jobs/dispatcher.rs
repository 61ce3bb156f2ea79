//! Which order goes out next: fair between routers, urgent ones first, at most so many under way to each, and one to a session.
//!
//! Pure bookkeeping: no socket, no clock. Invariant: a row of the outbox is done when its last order was carried out, and
//! never before; what is sent about a session is known before the next order of it goes out.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::domain::id::{NasId, SessionId};
use crate::domain::time::{SECOND, Timestamp};
use crate::operations::routers::Order;

/// Requests under way to one NAS (rules.md section 6).
const IN_FLIGHT_PER_NAS: usize = 20;
/// Unanswered requests in a row after which a NAS counts as silent: one full flight.
const SILENT_AFTER: u32 = 20;
/// A silent NAS is tried again so often; what comes between is given up at once.
const PROBE_EVERY: i64 = 30 * SECOND;

/// How an order is to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Send,
    /// The router does not answer: without asking it.
    GiveUp,
}

/// An order on its way, with the rows that wait for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub nas: NasId,
    pub order: Order,
    pub how: How,
    rows: Vec<u64>,
}

#[derive(Debug, Default)]
struct Lane {
    urgent: VecDeque<Order>,
    bulk: VecDeque<Order>,
    flying: usize,
    /// Requests without an answer since the last answer.
    silent: u32,
    probe_at: Timestamp,
}

impl Lane {
    /// Where the first order stands that concerns no session with one under way; urgent ones first. Orders that have to wait
    /// are few, at most one of each kind for each that is under way, so the look is short.
    fn ready(&self, busy: &HashSet<SessionId>) -> Option<Place> {
        let first = |queue: &VecDeque<Order>| {
            let is_free = |order: &Order| !busy.contains(&order.session());
            queue.iter().position(is_free)
        };
        let urgent = first(&self.urgent).map(Place::Urgent);
        urgent.or_else(|| first(&self.bulk).map(Place::Bulk))
    }

    fn take(&mut self, place: Place) -> Option<Order> {
        match place {
            Place::Urgent(at) => self.urgent.remove(at),
            Place::Bulk(at) => self.bulk.remove(at),
        }
    }

    fn is_idle(&self) -> bool {
        self.urgent.is_empty() && self.bulk.is_empty() && self.flying == 0
    }
}

/// A place in the queues of a lane.
#[derive(Debug, Clone, Copy)]
enum Place {
    Urgent(usize),
    Bulk(usize),
}

#[derive(Debug, Default)]
pub(super) struct Dispatcher {
    lanes: BTreeMap<NasId, Lane>,
    /// Orders that wait, with the rows that want them, so that a session that is named twice is told once.
    waiting: HashMap<Order, Vec<u64>>,
    /// Orders that each row still waits for.
    rows: HashMap<u64, usize>,
    /// The NAS that was served last.
    last: Option<NasId>,
    /// Sessions with an order under way: two at once would not know of each other.
    busy: HashSet<SessionId>,
}

impl Dispatcher {
    /// Takes the orders of one row over. The row is done at once when it has none.
    pub fn add(
        &mut self,
        row: u64,
        is_urgent: bool,
        orders: impl IntoIterator<Item = (NasId, Order)>,
    ) -> Option<u64> {
        let mut count = 0;
        for (nas, order) in orders {
            count += 1;
            let rows = self.waiting.entry(order).or_default();
            let is_new = rows.is_empty();
            rows.push(row);
            if is_new {
                let lane = self.lanes.entry(nas).or_default();
                if is_urgent {
                    lane.urgent.push_back(order);
                } else {
                    lane.bulk.push_back(order);
                }
            }
        }
        if count == 0 {
            return Some(row);
        }
        self.rows.insert(row, count);
        None
    }

    /// The next order that may go out; `None` while every NAS has enough under way, or nothing waits but for sessions that
    /// have one under way.
    pub fn next(&mut self, now: Timestamp) -> Option<Flight> {
        let (nas, place) = self.pick()?;
        let lane = self.lanes.get_mut(&nas)?;
        let order = lane.take(place)?;
        let how = if lane.silent < SILENT_AFTER {
            How::Send
        } else if now >= lane.probe_at {
            lane.probe_at = now.plus(PROBE_EVERY);
            How::Send
        } else {
            How::GiveUp
        };
        lane.flying += 1;
        self.busy.insert(order.session());
        self.last = Some(nas);
        Some(Flight {
            nas,
            order,
            how,
            rows: self.waiting.remove(&order).unwrap_or_default(),
        })
    }

    /// The next NAS after the last one that has room and something urgent, or else anything; and what.
    fn pick(&self) -> Option<(NasId, Place)> {
        let behind = |nas: &NasId| self.last.is_some_and(|last| *nas <= last);
        let ready = self.lanes.iter().filter_map(|(nas, lane)| {
            let has_room = lane.flying < IN_FLIGHT_PER_NAS;
            let place = has_room.then(|| lane.ready(&self.busy)).flatten()?;
            Some((*nas, place))
        });
        ready.min_by_key(|(nas, place)| (matches!(place, Place::Bulk(_)), behind(nas), *nas))
    }

    /// Takes note of what came of an order; `answered` is `None` where nothing was sent. Returns the rows that are done.
    pub fn finish(&mut self, flight: Flight, answered: Option<bool>) -> Vec<u64> {
        self.busy.remove(&flight.order.session());
        if let Some(lane) = self.lanes.get_mut(&flight.nas) {
            lane.flying = lane.flying.saturating_sub(1);
            match answered {
                Some(true) => lane.silent = 0,
                Some(false) => lane.silent = lane.silent.saturating_add(1),
                None => {}
            }
            if lane.is_idle() && lane.silent == 0 {
                self.lanes.remove(&flight.nas);
            }
        }
        let mut done = Vec::new();
        for row in flight.rows {
            let left = self.rows.get(&row).map_or(0, |left| left.saturating_sub(1));
            if left == 0 {
                self.rows.remove(&row);
                done.push(row);
            } else {
                self.rows.insert(row, left);
            }
        }
        done
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_idle(&self) -> bool {
        self.busy.is_empty() && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SessionId;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn push(id: u64) -> Order {
        Order::Push(SessionId(id))
    }

    fn orders(nas: u32, ids: std::ops::Range<u64>) -> Vec<(NasId, Order)> {
        ids.map(|id| (NasId(nas), push(id))).collect()
    }

    fn take(dispatcher: &mut Dispatcher) -> Vec<(u32, Order)> {
        let mut taken = Vec::new();
        while let Some(flight) = dispatcher.next(NOW) {
            taken.push((flight.nas.0, flight.order));
        }
        taken
    }

    #[test]
    fn routers_take_turns_and_none_has_more_than_its_share_under_way() {
        let mut dispatcher = Dispatcher::default();
        assert_eq!(dispatcher.add(1, false, orders(1, 0..30)), None);
        dispatcher.add(2, false, orders(2, 100..102));
        let taken = take(&mut dispatcher);
        assert_eq!(
            taken[..5],
            [
                (1, push(0)),
                (2, push(100)),
                (1, push(1)),
                (2, push(101)),
                (1, push(2))
            ]
        );
        assert_eq!(taken.len(), 22);
        assert_eq!((dispatcher.busy.len(), dispatcher.waiting()), (22, 10));
    }

    #[test]
    fn urgent_orders_pass_bulk_ones() {
        let mut dispatcher = Dispatcher::default();
        dispatcher.add(1, false, orders(1, 0..3));
        dispatcher.add(2, true, orders(2, 9..10));
        dispatcher.add(3, true, [(NasId(1), Order::Disconnect(SessionId(8)))]);
        let taken = take(&mut dispatcher);
        assert_eq!(
            taken[..3],
            [
                (1, Order::Disconnect(SessionId(8))),
                (2, push(9)),
                (1, push(0))
            ]
        );
    }

    #[test]
    fn a_row_is_done_with_its_last_order_and_one_order_serves_two_rows() {
        let mut dispatcher = Dispatcher::default();
        assert_eq!(dispatcher.add(7, false, []), Some(7), "nothing to do");
        dispatcher.add(1, false, orders(1, 0..2));
        dispatcher.add(2, true, orders(1, 1..2));
        let (first, second) = (dispatcher.next(NOW).unwrap(), dispatcher.next(NOW).unwrap());
        assert_eq!(dispatcher.next(NOW), None);
        assert_eq!((first.order, second.order), (push(0), push(1)));
        // What was wanted anew while the first is under way goes out once more, behind it.
        dispatcher.add(3, false, orders(1, 0..1));
        assert_eq!(dispatcher.next(NOW), None);
        assert!(dispatcher.finish(first, Some(true)).is_empty());
        let mut done = dispatcher.finish(second, Some(true));
        done.sort_unstable();
        assert_eq!(done, [1, 2]);
        let again = dispatcher.next(NOW).unwrap();
        assert_eq!(dispatcher.finish(again, Some(true)), [3]);
        assert!(dispatcher.is_idle());
    }

    #[test]
    fn a_session_is_told_one_thing_after_the_other_and_holds_up_no_other() {
        let mut dispatcher = Dispatcher::default();
        let (adjust, end) = (Order::Adjust(SessionId(1)), Order::Disconnect(SessionId(1)));
        dispatcher.add(1, true, [(NasId(1), push(1))]);
        let first = dispatcher.next(NOW).unwrap();
        dispatcher.add(2, false, [(NasId(1), adjust), (NasId(1), push(2))]);
        dispatcher.add(3, true, [(NasId(1), end)]);
        assert_eq!(take(&mut dispatcher), [(1, push(2))]);
        assert!(!dispatcher.is_idle());
        assert_eq!(dispatcher.finish(first, Some(true)), [1]);
        let next = dispatcher.next(NOW).unwrap();
        assert_eq!((next.order, dispatcher.next(NOW)), (end, None));
        assert_eq!(dispatcher.finish(next, Some(true)), [3]);
        assert_eq!(dispatcher.next(NOW).unwrap().order, adjust);
    }

    #[test]
    fn a_silent_router_is_probed_now_and_then() {
        let mut dispatcher = Dispatcher::default();
        dispatcher.add(1, false, orders(1, 0..100));
        for _ in 0..20 {
            let flight = dispatcher.next(NOW).unwrap();
            assert_eq!(flight.how, How::Send);
            dispatcher.finish(flight, Some(false));
        }
        let mut how = |now| {
            let flight = dispatcher.next(now).unwrap();
            let how = flight.how;
            let answered = (how == How::Send).then_some(false);
            dispatcher.finish(flight, answered);
            how
        };
        assert_eq!(how(NOW), How::Send, "a probe");
        assert_eq!(how(NOW), How::GiveUp);
        assert_eq!(how(NOW.plus(PROBE_EVERY - 1)), How::GiveUp);
        assert_eq!(how(NOW.plus(PROBE_EVERY)), How::Send);
        assert_eq!(how(NOW.plus(PROBE_EVERY)), How::GiveUp);
        let probe = dispatcher.next(NOW.plus(2 * PROBE_EVERY)).unwrap();
        dispatcher.finish(probe, Some(true));
        let flight = dispatcher.next(NOW).unwrap();
        assert_eq!(flight.how, How::Send, "it answers again");
    }
}
