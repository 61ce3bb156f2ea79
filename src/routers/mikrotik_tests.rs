//! Rate limits written and read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::rate::Burst;
use crate::routers::vectors::vector;

fn read(text: &str) -> Result<RateLimitText, RouterError> {
    text.parse()
}

/// In the shape of the vector, where no burst is zeros.
fn as_vector(limit: RateLimitText) -> Value {
    let pair = |pair: Pair| json!([pair.upload, pair.download]);
    let none = BurstText {
        rate: Pair::both(0),
        threshold: Pair::both(0),
        time: Pair::both(0),
    };
    let burst = limit.burst.unwrap_or(none);
    json!({
        "rate": pair(limit.rate),
        "burst_rate": pair(burst.rate),
        "burst_threshold": pair(burst.threshold),
        "burst_time": pair(burst.time),
        "priority": limit.priority,
        "min_rate": pair(limit.minimum),
    })
}

#[test]
fn reads_the_vector() {
    let vector = vector("mikrotik-rate-limit");
    let texts = vector["inputs"]["strings"].as_array().unwrap();
    let expected = vector["expected"]["parsed"].as_array().unwrap();
    assert_eq!(texts.len(), 6);
    for (text, expected) in texts.iter().zip(expected) {
        let limit = read(text.as_str().unwrap()).unwrap();
        assert_eq!(&as_vector(limit), expected, "{text}");
    }
}

#[test]
fn writes_what_is_needed() {
    let burst = Burst {
        rate: Rate::new(15_000, 75_000),
        threshold: Rate::new(8_000, 40_000),
        time_s: 16,
    };
    for (rate, burst, priority, expected) in [
        (Rate::new(10_000, 50_000), None, 8, "10M/50M"),
        (Rate::new(512, 2_500), None, 8, "512k/2500k"),
        (
            Rate::new(10_000, 50_000),
            None,
            5,
            "10M/50M 10M/50M 10M/50M 1/1 5",
        ),
        (
            Rate::new(10_000, 50_000),
            Some(burst),
            8,
            "10M/50M 15M/75M 8M/40M 16/16",
        ),
        (
            Rate::new(10_000, 50_000),
            Some(burst),
            1,
            "10M/50M 15M/75M 8M/40M 16/16 1",
        ),
        (Rate::new(64, 64), None, 0, "64k/64k 64k/64k 64k/64k 1/1 1"),
        (Rate::new(64, 64), None, 9, "64k/64k"),
    ] {
        let limit = RateLimit {
            rate,
            burst,
            priority,
        };
        assert_eq!(RateLimitText::from(&limit).to_string(), expected);
    }
}

#[test]
fn writes_the_example_with_a_minimum() {
    let text = "10M/50M 15M/75M 8M/40M 16/16 5 2M/10M";
    let limit = read(text).unwrap();
    assert_eq!(limit.minimum, Pair::new(2_000_000, 10_000_000));
    assert_eq!(limit.to_string(), text);
    let plain = RateLimitText {
        burst: None,
        priority: 8,
        ..limit
    };
    assert_eq!(plain.to_string(), "10M/50M 10M/50M 10M/50M 1/1 8 2M/10M");
}

#[test]
fn reads_leniently() {
    for (text, same) in [
        ("  10m/50M\t", "10M/50M"),
        ("1g", "1000M/1000M"),
        ("10000000/50000K", "10M/50M"),
        ("1M 1M 1M", "1M/1M"),
        ("1M 2M", "1M/1M 2M/2M 1M/1M 1/1"),
        ("1M 0/0 0/0 0/0 3", "1M/1M 1M/1M 1M/1M 1/1 3"),
        ("0", "0/0"),
        ("999/1001", "999/1001"),
    ] {
        assert_eq!(read(text).unwrap().to_string(), same, "{text}");
    }
}

#[test]
fn refuses_with_the_field() {
    for (text, field, part) in [
        ("", "the rate", ""),
        ("fast", "the rate", "fast"),
        ("1M/", "the rate", "1M/"),
        ("/1M", "the rate", "/1M"),
        ("1M/1M/1M", "the rate", "1M/1M/1M"),
        ("+1M", "the rate", "+1M"),
        ("1.5M", "the rate", "1.5M"),
        ("M", "the rate", "M"),
        ("1é", "the rate", "1é"),
        ("18446744073709551616", "the rate", "18446744073709551616"),
        ("99999999999999999G", "the rate", "99999999999999999G"),
        ("1M x", "the burst rate", "x"),
        ("1M 1M x", "the threshold", "x"),
        ("1M 1M 1M 16k", "the burst time", "16k"),
        ("1M 1M 1M 16 0", "the priority", "0"),
        ("1M 1M 1M 16 9", "the priority", "9"),
        ("1M 1M 1M 16 8 x", "the minimum", "x"),
    ] {
        let expected = RouterError::RateLimit {
            field,
            text: part.to_owned(),
        };
        assert_eq!(read(text), Err(expected));
    }
    assert!(read("1M 2M 1M 16 8 1M").is_ok());
    assert!(read("1M 2M 1M 16 8 1M 1").is_err());
}

fn pairs(values: std::ops::Range<u64>) -> impl Strategy<Value = Pair> {
    (values.clone(), values).prop_map(|(upload, download)| Pair::new(upload, download))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        rate in pairs(1..5_000_000_000),
        rounded in any::<bool>(),
        burst in proptest::option::of((pairs(1..5_000_000_000), pairs(0..5_000_000_000), pairs(0..3600))),
        priority in 1u8..=8,
        minimum in proptest::option::of(pairs(0..5_000_000_000)),
    ) {
        let round = |pair: Pair| match rounded {
            true => Pair::new(pair.upload.next_multiple_of(1_000), pair.download.next_multiple_of(1_000_000)),
            false => pair,
        };
        let rate = round(rate);
        let burst = burst
            .map(|(burst, threshold, time)| BurstText { rate: round(burst), threshold: round(threshold), time })
            .filter(|burst| (burst.rate, burst.threshold) != (rate, rate));
        let limit = RateLimitText { rate, burst, priority, minimum: minimum.map_or(rate, round) };
        let text = limit.to_string();
        prop_assert!(text.len() <= 247, "{}", text);
        prop_assert_eq!(read(&text), Ok(limit));
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        let _ = read(&text);
    }
}
