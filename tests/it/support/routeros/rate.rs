//! Speeds as the router understands them: Mikrotik-Rate-Limit and the columns of a simple queue (mikrotik.md a3, b5).

/// Bits a second, seen from the subscriber. Zero is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pair {
    pub upload: u64,
    pub download: u64,
}

impl std::fmt::Display for Pair {
    /// As queues show it: `upload/download` in plain digits.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.upload, self.download)
    }
}

/// All fields of a Mikrotik-Rate-Limit, with those that were left out filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    pub limit: Pair,
    pub burst: Option<Burst>,
    /// 1 is served first.
    pub priority: u64,
    pub least: Pair,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burst {
    pub limit: Pair,
    pub threshold: Pair,
    /// Seconds.
    pub time: Pair,
}

const LOWEST_PRIORITY: u64 = 8;

/// Digits with `k`, `M` or `G`; the last is lenient, since it is not documented.
fn number(text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1_000),
        b'm' | b'M' => (&text[..text.len() - 1], 1_000_000),
        b'g' | b'G' => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then_some(())?;
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// `rx[/tx]`; one number counts for both.
pub fn pair(text: &str) -> Option<Pair> {
    let (upload, download) = text.split_once('/').unwrap_or((text, text));
    Some(Pair {
        upload: number(upload)?,
        download: number(download)?,
    })
}

impl Rate {
    pub fn plain(limit: Pair) -> Rate {
        Rate {
            limit,
            burst: None,
            priority: LOWEST_PRIORITY,
            least: limit,
        }
    }

    /// The grammar of mikrotik.md a3. `None` for anything else.
    pub fn parse(text: &str) -> Option<Rate> {
        let mut fields = text.split(' ').filter(|field| !field.is_empty());
        let mut rate = Rate::plain(pair(fields.next()?)?);
        if let Some(limit) = fields.next() {
            let limit = pair(limit)?;
            let threshold = fields.next().map_or(Some(rate.limit), pair)?;
            let one_second = Pair {
                upload: 1,
                download: 1,
            };
            let time = fields.next().map_or(Some(one_second), pair)?;
            rate.burst = Some(Burst {
                limit,
                threshold,
                time,
            });
        }
        if let Some(priority) = fields.next() {
            rate.priority = number(priority)?;
        }
        if let Some(least) = fields.next() {
            rate.least = pair(least)?;
        }
        let most = |limit: u64| if limit == 0 { u64::MAX } else { limit };
        let sound = (1..=LOWEST_PRIORITY).contains(&rate.priority)
            && rate.least.upload <= most(rate.limit.upload)
            && rate.least.download <= most(rate.limit.download)
            && fields.next().is_none();
        sound.then_some(rate)
    }

    /// What the dynamic queue of a session shows.
    pub fn columns(&self) -> Vec<(&'static str, String)> {
        let zero = Pair::default();
        let burst = self.burst.clone().unwrap_or(Burst {
            limit: zero,
            threshold: zero,
            time: zero,
        });
        let least = if self.least == self.limit {
            zero
        } else {
            self.least
        };
        vec![
            ("limit-at", least.to_string()),
            ("max-limit", self.limit.to_string()),
            ("burst-limit", burst.limit.to_string()),
            ("burst-threshold", burst.threshold.to_string()),
            (
                "burst-time",
                format!("{}s/{}s", burst.time.upload, burst.time.download),
            ),
            ("priority", format!("{0}/{0}", self.priority)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(upload: u64, download: u64) -> Pair {
        Pair { upload, download }
    }

    #[test]
    fn rate_limits_are_read_as_the_reference_writes_them() {
        let plain = [
            ("128k", of(128_000, 128_000)),
            ("64k/128M", of(64_000, 128_000_000)),
            ("10M/50m", of(10_000_000, 50_000_000)),
            ("1000", of(1000, 1000)),
            ("0/0", of(0, 0)),
        ];
        for (text, limit) in plain {
            assert_eq!(Rate::parse(text), Some(Rate::plain(limit)), "{text}");
        }
        let full = Rate::parse("10M/50M 15M/75M 8M/40M 16/16 5 2M/10M").unwrap();
        let burst = full.burst.clone().unwrap();
        assert_eq!(burst.limit, of(15_000_000, 75_000_000));
        assert_eq!(burst.threshold, of(8_000_000, 40_000_000));
        assert_eq!(burst.time, of(16, 16));
        assert_eq!((full.priority, full.least), (5, of(2_000_000, 10_000_000)));
        let short = Rate::parse("64k 256k").unwrap();
        assert_eq!(
            short.burst,
            Some(Burst {
                limit: of(256_000, 256_000),
                threshold: of(64_000, 64_000),
                time: of(1, 1)
            })
        );
    }

    #[test]
    fn what_is_no_rate_limit_is_refused() {
        let wrong = [
            "",
            " ",
            "M",
            "10/",
            "/10",
            "1.5M",
            "-1",
            "10M/50M 1 1 1 0",
            "10M/50M 1 1 1 9",
            "1M 2M 1M 1 8 2M",
            "1M 2M 1M 1 8 1M 1",
            "99999999999999999999",
            "99999999999999999G",
        ];
        for text in wrong {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
    }
}
