//! Bandwidth rules.

use minicbor::{Decode, Encode};

use super::codec::Record;
use super::plan_parts::WindowRow;
use super::tables::BANDWIDTH_RULES;
use super::{Change, Read, StoreError, Tx, ids};
use crate::domain::bandwidth_rule::{Adjust, BandwidthRule};
use crate::domain::id::{PlanId, RuleId, SubscriberId};
use crate::domain::time::Day;

/// More rules than anybody keeps apart; bounds every resolution of a speed.
pub const MOST_RULES: usize = 200;

pub use v1::BandwidthRuleRow;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct BandwidthRuleRow {
        #[n(0)]
        pub name: String,
        #[n(1)]
        pub enabled: bool,
        #[n(2)]
        pub window: WindowRow,
        #[n(3)]
        pub from: Option<i32>,
        #[n(4)]
        pub until: Option<i32>,
        #[n(5)]
        pub priority: u16,
        #[n(6)]
        pub download: AdjustRow,
        #[n(7)]
        pub upload: AdjustRow,
        #[n(8)]
        pub plans: Vec<u32>,
        #[n(9)]
        pub subscribers: Vec<u32>,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub enum AdjustRow {
        #[n(0)]
        Unchanged,
        #[n(1)]
        Percent(#[n(0)] u16),
        #[n(2)]
        Add(#[n(0)] i64),
    }
}

impl Record for BandwidthRuleRow {
    const VERSION: u8 = 1;
}

impl From<Adjust> for v1::AdjustRow {
    fn from(adjust: Adjust) -> Self {
        match adjust {
            Adjust::Unchanged => v1::AdjustRow::Unchanged,
            Adjust::Percent(percent) => v1::AdjustRow::Percent(percent),
            Adjust::Add(kbps) => v1::AdjustRow::Add(kbps),
        }
    }
}

impl From<v1::AdjustRow> for Adjust {
    fn from(row: v1::AdjustRow) -> Self {
        match row {
            v1::AdjustRow::Unchanged => Adjust::Unchanged,
            v1::AdjustRow::Percent(percent) => Adjust::Percent(percent),
            v1::AdjustRow::Add(kbps) => Adjust::Add(kbps),
        }
    }
}

impl From<&BandwidthRule> for BandwidthRuleRow {
    fn from(r: &BandwidthRule) -> Self {
        BandwidthRuleRow {
            name: r.name.clone(),
            enabled: r.enabled,
            window: r.window.into(),
            from: r.from.map(|day| day.0),
            until: r.until.map(|day| day.0),
            priority: r.priority,
            download: r.download.into(),
            upload: r.upload.into(),
            plans: r.plans.iter().map(|id| id.0).collect(),
            subscribers: r.subscribers.iter().map(|id| id.0).collect(),
        }
    }
}

impl BandwidthRuleRow {
    fn into_rule(self, id: RuleId) -> BandwidthRule {
        BandwidthRule {
            id,
            name: self.name,
            enabled: self.enabled,
            window: self.window.into(),
            from: self.from.map(Day),
            until: self.until.map(Day),
            priority: self.priority,
            download: self.download.into(),
            upload: self.upload.into(),
            plans: self.plans.into_iter().map(PlanId).collect(),
            subscribers: self.subscribers.into_iter().map(SubscriberId).collect(),
        }
    }
}

pub fn get(read: &impl Read, id: RuleId) -> Result<Option<BandwidthRule>, StoreError> {
    Ok(read
        .get(&BANDWIDTH_RULES, id.0)?
        .map(|row: BandwidthRuleRow| row.into_rule(id)))
}

/// All rules by id.
pub fn all(read: &impl Read) -> Result<Vec<BandwidthRule>, StoreError> {
    let rows = read.range(&BANDWIDTH_RULES, 0u32.., MOST_RULES)?;
    Ok(rows
        .into_iter()
        .map(|(id, row): (u32, BandwidthRuleRow)| row.into_rule(RuleId(id)))
        .collect())
}

pub fn next_id(tx: &mut Tx<'_>) -> Result<RuleId, StoreError> {
    ids::next(tx, ids::BANDWIDTH_RULE).map(RuleId)
}

pub fn put(tx: &mut Tx<'_>, rule: &BandwidthRule) -> Result<(), StoreError> {
    tx.insert(&BANDWIDTH_RULES, rule.id.0, &BandwidthRuleRow::from(rule))?;
    tx.touch(Change::BandwidthRules);
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, id: RuleId) -> Result<(), StoreError> {
    tx.remove(&BANDWIDTH_RULES, id.0)?;
    tx.touch(Change::BandwidthRules);
    Ok(())
}
