//! Bandwidth rules: more or less speed for some plans or subscribers in some hours (rules.md section 4).

use super::Invalid;
use super::id::{PlanId, RuleId, SubscriberId};
use super::rate::{FASTEST_KBPS, Kbps, typed_kbps};
use super::time::Day;
use super::window::{WallClock, Window};
use std::fmt;

/// Plans and subscribers that one rule may name; beyond that a plan of their own is plainer.
pub const MOST_NAMED: usize = 500;

/// Ten times the speed; more is a typing mistake.
const MOST_PERCENT: u16 = 1_000;
/// No router is faster, in kbit/s.
const MOST_ADDED: i64 = FASTEST_KBPS.cast_signed();

/// What a rule does to one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Adjust {
    #[default]
    Unchanged,
    /// 100 is unchanged, 200 double.
    Percent(u16),
    /// kbit/s, added or taken away.
    Add(i64),
}

impl Adjust {
    /// Reads `150%`, `+2M` or `-512k`; nothing is unchanged.
    pub fn parse(text: &str) -> Result<Adjust, Invalid> {
        let refused = || Invalid::new("A share such as 150%, or more or less such as +2M or -512k");
        let text = text.trim();
        if text.is_empty() {
            return Ok(Adjust::Unchanged);
        }
        if let Some(share) = text.strip_suffix('%') {
            let percent = share.trim().parse::<u16>().ok();
            let percent = percent.filter(|percent| (1..=MOST_PERCENT).contains(percent));
            return percent.map(Adjust::Percent).ok_or_else(|| {
                Invalid::new(format!(
                    "A share from 1% to {MOST_PERCENT}%; 100% is unchanged"
                ))
            });
        }
        let (sign, amount) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(more), _) => (1, more),
            (_, Some(less)) => (-1, less),
            _ => return Err(refused()),
        };
        let (digits, scale) = match amount.char_indices().last() {
            Some((at, 'k' | 'K')) => (amount.get(..at), 1),
            Some((at, 'm' | 'M')) => (amount.get(..at), 1_000),
            Some((at, 'g' | 'G')) => (amount.get(..at), 1_000_000),
            _ => (Some(amount), 1),
        };
        let kbps = digits
            .filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|d| d.parse::<u32>().ok())
            .and_then(|n| i64::from(n).checked_mul(scale))
            .filter(|kbps| (1..=MOST_ADDED).contains(kbps));
        kbps.map(|kbps| Adjust::Add(sign * kbps))
            .ok_or_else(refused)
    }

    /// As [`Adjust::parse`] reads it back.
    pub fn typed(self) -> String {
        match self {
            Adjust::Unchanged => String::new(),
            Adjust::Percent(percent) => format!("{percent}%"),
            Adjust::Add(kbps) => {
                let sign = if kbps < 0 { '-' } else { '+' };
                format!("{sign}{}", typed_kbps(kbps.unsigned_abs()))
            }
        }
    }

    /// The adjusted speed in kbit/s; the resolver clamps it.
    pub fn apply(self, kbps: u64) -> u64 {
        match self {
            Adjust::Unchanged => kbps,
            Adjust::Percent(percent) => kbps.saturating_mul(percent.into()) / 100,
            Adjust::Add(more) => kbps.saturating_add_signed(more),
        }
    }
}

impl fmt::Display for Adjust {
    /// `unchanged`, `200 %`, `+512 kbit/s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Adjust::Unchanged => f.write_str("unchanged"),
            Adjust::Percent(percent) => write!(f, "{percent} %"),
            Adjust::Add(kbps) => {
                let sign = if *kbps < 0 { '-' } else { '+' };
                write!(f, "{sign}{}", Kbps(kbps.unsigned_abs()))
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandwidthRule {
    pub id: RuleId,
    pub name: String,
    pub enabled: bool,
    pub window: Window,
    /// First and last business day; `None` is open.
    pub from: Option<Day>,
    pub until: Option<Day>,
    /// The lower number wins, then the lower id.
    pub priority: u16,
    pub download: Adjust,
    pub upload: Adjust,
    /// Sorted. With `subscribers`: whom it concerns; both empty concerns all.
    pub plans: Vec<PlanId>,
    pub subscribers: Vec<SubscriberId>,
}

impl BandwidthRule {
    /// Whether it holds at this hour.
    pub fn is_on(&self, clock: &WallClock) -> bool {
        self.enabled
            && self.from.is_none_or(|day| day <= clock.day)
            && self.until.is_none_or(|day| clock.day <= day)
            && self.window.holds(clock)
    }

    /// Whether the rule is for everybody.
    pub fn concerns_all(&self) -> bool {
        self.plans.is_empty() && self.subscribers.is_empty()
    }

    /// Whether nothing but the id says which of the two wins: at some hour both change the same direction of somebody with
    /// the same priority. That a subscriber of one has a plan of the other is not known here.
    pub fn rivals(&self, other: &BandwidthRule) -> bool {
        let starts = |rule: &BandwidthRule| rule.from.unwrap_or(Day(i32::MIN));
        let ends = |rule: &BandwidthRule| rule.until.unwrap_or(Day(i32::MAX));
        let both = |one: Adjust, two: Adjust| one != Adjust::Unchanged && two != Adjust::Unchanged;
        self.id != other.id
            && self.enabled
            && other.enabled
            && self.priority == other.priority
            && (both(self.download, other.download) || both(self.upload, other.upload))
            && (self.concerns_all()
                || other.concerns_all()
                || self.plans.iter().any(|plan| other.plans.contains(plan))
                || self
                    .subscribers
                    .iter()
                    .any(|id| other.subscribers.contains(id)))
            && starts(self) <= ends(other)
            && starts(other) <= ends(self)
            && self.window.overlaps(&other.window)
    }

    pub fn concerns(&self, plan: PlanId, subscriber: SubscriberId) -> bool {
        self.concerns_all()
            || self.plans.binary_search(&plan).is_ok()
            || self.subscribers.binary_search(&subscriber).is_ok()
    }
}

/// All rules, the one that wins in front.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(Vec<BandwidthRule>);

impl Rules {
    pub fn new(mut rules: Vec<BandwidthRule>) -> Rules {
        for rule in &mut rules {
            rule.plans.sort_unstable();
            rule.subscribers.sort_unstable();
        }
        rules.sort_by_key(|rule| (rule.priority, rule.id));
        Rules(rules)
    }

    pub fn iter(&self) -> impl Iterator<Item = &BandwidthRule> {
        self.0.iter()
    }

    pub fn get(&self, id: RuleId) -> Option<&BandwidthRule> {
        self.0.iter().find(|rule| rule.id == id)
    }

    /// The winners for download and for upload at this hour; a rule that leaves a direction unchanged does not compete for it.
    pub fn winners(
        &self,
        clock: &WallClock,
        plan: PlanId,
        subscriber: SubscriberId,
    ) -> (Option<&BandwidthRule>, Option<&BandwidthRule>) {
        let (mut download, mut upload) = (None, None);
        for rule in &self.0 {
            let competes = (download.is_none() && rule.download != Adjust::Unchanged)
                || (upload.is_none() && rule.upload != Adjust::Unchanged);
            if !competes || !rule.is_on(clock) || !rule.concerns(plan, subscriber) {
                continue;
            }
            if rule.download != Adjust::Unchanged {
                download = download.or(Some(rule));
            }
            if rule.upload != Adjust::Unchanged {
                upload = upload.or(Some(rule));
            }
            if download.is_some() && upload.is_some() {
                break;
            }
        }
        (download, upload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: u32) -> BandwidthRule {
        BandwidthRule {
            id: RuleId(id),
            name: String::new(),
            enabled: true,
            window: Window::parse("18:00-23:00").unwrap(),
            from: None,
            until: None,
            priority: 10,
            download: Adjust::Percent(200),
            upload: Adjust::Unchanged,
            plans: Vec::new(),
            subscribers: Vec::new(),
        }
    }

    #[test]
    fn rules_are_rivals_when_only_their_numbers_decide() {
        let day = |text| Some(Day::parse(text).unwrap());
        let plans = |ids: &[u32]| ids.iter().copied().map(PlanId).collect::<Vec<_>>();
        let one = BandwidthRule {
            plans: plans(&[1, 2]),
            until: day("2026-12-01"),
            ..rule(1)
        };
        let same = rule(2);
        assert!(one.rivals(&same) && same.rivals(&one));
        assert!(!one.rivals(&one));
        let apart = [
            BandwidthRule {
                priority: 11,
                ..rule(2)
            },
            BandwidthRule {
                enabled: false,
                ..rule(2)
            },
            BandwidthRule {
                window: Window::parse("23:00-18:00").unwrap(),
                ..rule(2)
            },
            BandwidthRule {
                download: Adjust::Unchanged,
                upload: Adjust::Add(512),
                ..rule(2)
            },
            BandwidthRule {
                plans: plans(&[3]),
                ..rule(2)
            },
            BandwidthRule {
                subscribers: vec![SubscriberId(1)],
                ..rule(2)
            },
            BandwidthRule {
                from: day("2026-12-02"),
                ..rule(2)
            },
        ];
        for other in apart {
            assert!(!one.rivals(&other) && !other.rivals(&one), "{other:?}");
        }
        for other in [
            BandwidthRule {
                plans: plans(&[2]),
                ..rule(2)
            },
            BandwidthRule {
                from: day("2026-12-01"),
                ..rule(2)
            },
        ] {
            assert!(one.rivals(&other) && other.rivals(&one), "{other:?}");
        }
    }

    #[test]
    fn adjustments_are_typed_and_read_back() {
        for (text, adjust) in [
            ("", Adjust::Unchanged),
            ("1%", Adjust::Percent(1)),
            ("1000%", Adjust::Percent(1_000)),
            ("+1k", Adjust::Add(1)),
            ("-2M", Adjust::Add(-2_000)),
            ("+4294967k", Adjust::Add(4_294_967)),
        ] {
            assert_eq!(Adjust::parse(text), Ok(adjust), "{text}");
            assert_eq!(adjust.typed(), text);
        }
        assert_eq!(Adjust::parse(" 150 % "), Ok(Adjust::Percent(150)));
        assert_eq!(Adjust::parse("+512"), Ok(Adjust::Add(512)));
        for text in [
            "0%", "1001%", "%", "512k", "+", "-k", "+0", "+5G", "+-1", "+1.5M", "x",
        ] {
            assert!(Adjust::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn adjustments_are_said_with_their_sign() {
        for (adjust, words) in [
            (Adjust::Unchanged, "unchanged"),
            (Adjust::Percent(150), "150 %"),
            (Adjust::Add(2_000), "+2 Mbit/s"),
            (Adjust::Add(-512), "-512 kbit/s"),
        ] {
            assert_eq!(adjust.to_string(), words);
        }
    }
}
