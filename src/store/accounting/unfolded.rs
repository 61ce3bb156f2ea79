//! Usage that no fold has written yet, by subscriber.
//!
//! Invariant: the days of a subscriber are in order, each once. They are as many as records since the last fold spoke of:
//! nearly always one, so that what is asked about one subscriber is not a walk over all.

use std::collections::HashMap;

use crate::domain::id::SubscriberId;
use crate::domain::octets::Usage;
use crate::domain::time::Day;

#[derive(Debug, Clone, Default)]
pub struct Unfolded(HashMap<SubscriberId, Vec<(Day, Usage)>>);

impl Unfolded {
    pub(super) fn add(&mut self, subscriber: SubscriberId, day: Day, usage: Usage) {
        let days = self
            .0
            .entry(subscriber)
            .or_insert_with(|| Vec::with_capacity(1));
        match days.binary_search_by_key(&day, |(day, _)| *day) {
            Ok(index) => {
                if let Some((_, before)) = days.get_mut(index) {
                    *before += usage;
                }
            }
            Err(index) => days.insert(index, (day, usage)),
        }
    }

    /// Oldest first.
    pub(super) fn days_of(&self, subscriber: SubscriberId) -> &[(Day, Usage)] {
        self.0.get(&subscriber).map_or(&[], Vec::as_slice)
    }

    pub(super) fn of_day(&self, subscriber: SubscriberId, day: Day) -> Usage {
        let mut days = self.days_of(subscriber).iter();
        days.find(|(of, _)| *of == day)
            .map_or(Usage::ZERO, |(_, usage)| *usage)
    }

    pub(super) fn by_subscriber(&self) -> impl Iterator<Item = (SubscriberId, &[(Day, Usage)])> {
        self.0
            .iter()
            .map(|(subscriber, days)| (*subscriber, days.as_slice()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = ((Day, SubscriberId), Usage)> + '_ {
        self.by_subscriber().flat_map(|(subscriber, days)| {
            days.iter()
                .map(move |(day, usage)| ((*day, subscriber), *usage))
        })
    }

    /// By day, then subscriber: the order of the rows.
    pub(super) fn in_order(&self) -> Vec<((Day, SubscriberId), Usage)> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::octets::Traffic;

    #[test]
    fn days_stay_in_order_and_add_up() {
        let mut unfolded = Unfolded::default();
        let of = |octets| Usage::from(Traffic::new(octets, 0));
        for (subscriber, day, octets) in [(1, 5, 1), (1, 3, 2), (2, 4, 4), (1, 5, 8), (1, 4, 16)] {
            unfolded.add(SubscriberId(subscriber), Day(day), of(octets));
        }
        let days = unfolded.days_of(SubscriberId(1));
        assert_eq!(days, [(Day(3), of(2)), (Day(4), of(16)), (Day(5), of(9))]);
        assert_eq!(unfolded.of_day(SubscriberId(1), Day(5)), of(9));
        assert_eq!(unfolded.of_day(SubscriberId(2), Day(5)), Usage::ZERO);
        assert_eq!(unfolded.days_of(SubscriberId(3)), []);
        let order: Vec<_> = unfolded
            .in_order()
            .iter()
            .map(|((d, s), _)| (d.0, s.0))
            .collect();
        assert_eq!(order, [(3, 1), (4, 1), (4, 2), (5, 1)]);
    }
}
