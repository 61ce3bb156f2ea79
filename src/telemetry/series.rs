//! How often something happened, in steps of ten seconds, for the last hour: the small curves of the dashboard.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One sample covers this much time.
pub const SAMPLE_INTERVAL: Duration = Duration::from_secs(10);

/// Samples kept: one hour.
pub const SAMPLES: usize = 360;

const SECONDS_PER_SAMPLE: f64 = 10.0;

/// The growth of one counter, sample by sample. It holds at most [`SAMPLES`] numbers of four bytes.
#[derive(Debug)]
pub struct Series {
    /// Events in each finished sample, oldest first.
    events: VecDeque<u32>,
    /// When the running sample began; always a whole number of intervals after the start.
    sample_began: Instant,
    /// The counter at that time.
    counted: u64,
}

impl Series {
    /// A series without samples, whose first one begins now, with the counter at zero.
    pub fn new(now: Instant) -> Self {
        Self {
            events: VecDeque::with_capacity(SAMPLES),
            sample_began: now,
            counted: 0,
        }
    }

    /// Notes the counter's value. Nothing happens before the running sample is over. When the caller is late by
    /// several samples, what was counted is spread evenly over them, because nobody knows when it happened.
    pub fn record(&mut self, now: Instant, total: u64) {
        let elapsed = now.saturating_duration_since(self.sample_began);
        let finished = elapsed.as_secs() / SAMPLE_INTERVAL.as_secs();
        let Some(each) = total.saturating_sub(self.counted).checked_div(finished) else {
            return;
        };
        let remainder = total.saturating_sub(self.counted) % finished;
        // Beyond an hour only the newest samples would survive; the loop stays as short as the ring.
        let kept = usize::try_from(finished).map_or(SAMPLES, |finished| finished.min(SAMPLES));
        for index in 0..kept {
            let extra = u64::from(u64::try_from(index).is_ok_and(|index| index < remainder));
            if self.events.len() == SAMPLES {
                self.events.pop_front();
            }
            self.events
                .push_back(u32::try_from(each + extra).unwrap_or(u32::MAX));
        }
        self.counted = total;
        self.sample_began += Duration::from_secs(finished * SAMPLE_INTERVAL.as_secs());
    }

    /// Events per second in each sample, oldest first; as many as were taken, at most [`SAMPLES`].
    pub fn per_second(&self) -> Vec<f64> {
        self.events
            .iter()
            .map(|events| f64::from(*events) / SECONDS_PER_SAMPLE)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::monotonic;

    const fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn a_sample_is_taken_when_its_time_is_over() {
        let start = monotonic();
        let mut series = Series::new(start);
        series.record(start + Duration::from_millis(9_999), 500);
        assert!(series.per_second().is_empty());
        series.record(start + seconds(10), 500);
        assert_eq!(series.per_second(), [50.0]);
        series.record(start + seconds(12), 600);
        series.record(start + seconds(20), 501);
        assert_eq!(series.per_second(), [50.0, 0.1]);
    }

    #[test]
    fn a_late_caller_does_not_shift_the_next_sample() {
        let start = monotonic();
        let mut series = Series::new(start);
        series.record(start + seconds(19), 10);
        assert_eq!(series.per_second(), [1.0]);
        series.record(start + seconds(20), 40);
        assert_eq!(series.per_second(), [1.0, 3.0]);
    }

    #[test]
    fn missed_samples_share_what_was_counted() {
        let start = monotonic();
        let mut series = Series::new(start);
        series.record(start + seconds(35), 32);
        assert_eq!(series.per_second(), [1.1, 1.1, 1.0]);
    }

    #[test]
    fn the_ring_keeps_an_hour() {
        let start = monotonic();
        let mut series = Series::new(start);
        for n in 1..=361_u64 {
            series.record(start + seconds(n * 10), n * n);
        }
        let rates = series.per_second();
        assert_eq!(rates.len(), SAMPLES);
        // Sample n counted n² - (n-1)² = 2n - 1 events; the first one is gone.
        assert_eq!(rates.first(), Some(&0.3));
        assert_eq!(rates.last(), Some(&72.1));
    }

    #[test]
    fn a_long_sleep_and_a_backward_counter_do_no_harm() {
        let start = monotonic();
        let mut series = Series::new(start);
        series.record(start + seconds(100_000_000), 10_000_000);
        let rates = series.per_second();
        assert_eq!(rates.len(), SAMPLES);
        assert!(rates.iter().all(|rate| *rate == 0.1));
        series.record(start + seconds(100_000_010), 5);
        assert_eq!(series.per_second().last(), Some(&0.0));
        // A clock that stands still, or an earlier instant, takes no sample.
        let before = series.per_second();
        series.record(start, 900);
        assert_eq!(series.per_second(), before);
    }
}
