//! Plans.

use minicbor::{Decode, Encode};

use super::codec::Record;
use super::plan_parts::{
    ExtrasRow, FairUseRow, FreeWindowRow, QuotaRow, RateRow, SpeedWindowRow, WindowRow, extras,
    extras_row, fair_use, fair_use_row, filled, items, quota, quota_row, rows as rows_of,
};
use super::tables::{PLANS, SUBSCRIBERS};
use super::{Change, Order, Read, StoreError, Tx, ids, rows};
use crate::domain::id::{CdnId, PlanId};
use crate::domain::money::{Currency, Money};
use crate::domain::plan::{AddressSource, OnExpiry, Plan, Term, TermUnit};
use crate::domain::rate::{Burst, Rate};
use crate::domain::time::Timestamp;
use crate::domain::window::Window;
use std::ops::ControlFlow;

pub use v1::{BurstRow, PlanRow};

/// More plans than any ISP sells; bounds lists and the table in memory.
pub const MOST_PLANS: usize = 2_000;

mod v1 {
    use super::*;

    /// Never renumber; new fields are optional.
    #[derive(Debug, Clone, Encode, Decode)]
    pub struct PlanRow {
        #[n(0)]
        pub name: String,
        #[n(1)]
        pub price_minor: i64,
        #[n(2)]
        pub currency: String,
        #[n(3)]
        pub term_count: u32,
        /// 0 minutes, 1 hours, 2 days, 3 months.
        #[n(4)]
        pub term_unit: u8,
        #[n(5)]
        pub up_kbps: u64,
        #[n(6)]
        pub down_kbps: u64,
        #[n(7)]
        pub burst: Option<BurstRow>,
        #[n(8)]
        pub priority: u8,
        #[n(9)]
        pub pool: String,
        #[n(10)]
        pub address_list: String,
        #[n(11)]
        pub max_sessions: u8,
        #[n(12)]
        pub on_limit: u8,
        /// Set for the expired pool; otherwise reject.
        #[n(13)]
        pub expired_pool: Option<String>,
        #[n(14)]
        pub monthly_quota_octets: Option<u64>,
        #[n(15)]
        pub login_hours: Option<WindowRow>,
        #[n(16)]
        pub send_mppe: bool,
        #[n(17)]
        pub notes: String,
        #[n(18)]
        pub created_at: i64,
        #[n(19)]
        pub quota: Option<QuotaRow>,
        #[n(20)]
        pub fair_use: Option<FairUseRow>,
        #[n(21)]
        pub speed_windows: Option<Vec<SpeedWindowRow>>,
        #[n(22)]
        pub free_windows: Option<Vec<FreeWindowRow>>,
        #[n(23)]
        pub extras: Option<ExtrasRow>,
        #[n(24)]
        pub cdn: Option<Vec<u32>>,
        /// Set where the pool is one of ours.
        #[n(25)]
        pub server_pool: Option<bool>,
        #[n(26)]
        pub ipv6_pool: Option<String>,
        #[n(27)]
        pub delegated_pool: Option<String>,
        #[n(28)]
        pub router_profile: Option<String>,
        /// Where the session goes on after expiry.
        #[n(29)]
        pub goes_on: Option<GoesOnRow>,
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub enum GoesOnRow {
        #[n(0)]
        Speed(#[n(0)] RateRow),
        #[n(1)]
        Grace(#[n(0)] u16, #[n(1)] Option<RateRow>),
    }

    #[derive(Debug, Clone, Encode, Decode)]
    pub struct BurstRow {
        #[n(0)]
        pub up_kbps: u64,
        #[n(1)]
        pub down_kbps: u64,
        #[n(2)]
        pub threshold_up_kbps: u64,
        #[n(3)]
        pub threshold_down_kbps: u64,
        #[n(4)]
        pub time_s: u32,
    }
}

impl Record for PlanRow {
    const VERSION: u8 = 1;
}

impl From<Burst> for BurstRow {
    fn from(b: Burst) -> Self {
        BurstRow {
            up_kbps: b.rate.upload_kbps,
            down_kbps: b.rate.download_kbps,
            threshold_up_kbps: b.threshold.upload_kbps,
            threshold_down_kbps: b.threshold.download_kbps,
            time_s: b.time_s,
        }
    }
}

impl From<BurstRow> for Burst {
    fn from(row: BurstRow) -> Self {
        Burst {
            rate: Rate::new(row.up_kbps, row.down_kbps),
            threshold: Rate::new(row.threshold_up_kbps, row.threshold_down_kbps),
            time_s: row.time_s,
        }
    }
}

impl From<&Plan> for PlanRow {
    fn from(p: &Plan) -> Self {
        PlanRow {
            name: p.name.clone(),
            price_minor: p.price.minor,
            currency: p.price.currency.as_str().to_owned(),
            term_count: p.term.count,
            term_unit: match p.term.unit {
                TermUnit::Minutes => 0,
                TermUnit::Hours => 1,
                TermUnit::Days => 2,
                TermUnit::Months => 3,
            },
            up_kbps: p.rate.upload_kbps,
            down_kbps: p.rate.download_kbps,
            burst: p.burst.map(BurstRow::from),
            priority: p.priority,
            pool: p.pool.clone(),
            address_list: p.address_list.clone(),
            max_sessions: p.max_sessions,
            on_limit: rows::on_limit_number(p.on_limit),
            expired_pool: match &p.on_expiry {
                OnExpiry::ExpiredPool { pool } => Some(pool.clone()),
                _ => None,
            },
            monthly_quota_octets: p.quota.monthly,
            login_hours: p.login_hours.map(WindowRow::from),
            send_mppe: p.send_mppe,
            notes: p.notes.clone(),
            created_at: p.created_at.0,
            quota: quota_row(&p.quota),
            fair_use: fair_use_row(&p.fair_use),
            speed_windows: rows_of(&p.speed_windows),
            free_windows: rows_of(&p.free_windows),
            extras: extras_row(&p.extras),
            cdn: (!p.cdn.is_empty()).then(|| p.cdn.iter().map(|id| id.0).collect()),
            server_pool: (p.address_source == AddressSource::Server).then_some(true),
            ipv6_pool: filled(&p.ipv6_pool),
            delegated_pool: filled(&p.delegated_pool),
            router_profile: filled(&p.router_profile),
            goes_on: match &p.on_expiry {
                OnExpiry::ExpiredSpeed { rate } => Some(v1::GoesOnRow::Speed((*rate).into())),
                OnExpiry::Grace { days, rate } => {
                    Some(v1::GoesOnRow::Grace(*days, rate.map(RateRow::from)))
                }
                OnExpiry::Reject | OnExpiry::ExpiredPool { .. } => None,
            },
        }
    }
}

impl PlanRow {
    fn into_plan(self, id: PlanId) -> Result<Plan, StoreError> {
        let currency =
            Currency::parse(&self.currency).map_err(|why| rows::damaged(&PLANS, id, &why))?;
        Ok(Plan {
            id,
            name: self.name,
            price: Money {
                minor: self.price_minor,
                currency,
            },
            term: Term {
                count: self.term_count,
                unit: match self.term_unit {
                    0 => TermUnit::Minutes,
                    1 => TermUnit::Hours,
                    2 => TermUnit::Days,
                    _ => TermUnit::Months,
                },
            },
            rate: Rate::new(self.up_kbps, self.down_kbps),
            burst: self.burst.map(Burst::from),
            priority: self.priority,
            pool: self.pool,
            address_list: self.address_list,
            max_sessions: self.max_sessions,
            on_limit: rows::on_limit(self.on_limit),
            on_expiry: match (self.goes_on, self.expired_pool) {
                (Some(v1::GoesOnRow::Speed(rate)), _) => {
                    OnExpiry::ExpiredSpeed { rate: rate.into() }
                }
                (Some(v1::GoesOnRow::Grace(days, rate)), _) => OnExpiry::Grace {
                    days,
                    rate: rate.map(Rate::from),
                },
                (None, Some(pool)) => OnExpiry::ExpiredPool { pool },
                (None, None) => OnExpiry::Reject,
            },
            address_source: match self.server_pool {
                Some(true) => AddressSource::Server,
                _ => AddressSource::Router,
            },
            ipv6_pool: self.ipv6_pool.unwrap_or_default(),
            delegated_pool: self.delegated_pool.unwrap_or_default(),
            router_profile: self.router_profile.unwrap_or_default(),
            quota: quota(self.monthly_quota_octets, self.quota),
            fair_use: fair_use(self.fair_use),
            speed_windows: items(self.speed_windows),
            free_windows: items(self.free_windows),
            cdn: self
                .cdn
                .unwrap_or_default()
                .into_iter()
                .map(CdnId)
                .collect(),
            extras: extras(self.extras),
            login_hours: self.login_hours.map(Window::from),
            send_mppe: self.send_mppe,
            notes: self.notes,
            created_at: Timestamp(self.created_at),
        })
    }
}

pub fn get(read: &impl Read, id: PlanId) -> Result<Option<Plan>, StoreError> {
    read.get(&PLANS, id.0)?
        .map(|row: PlanRow| row.into_plan(id))
        .transpose()
}

/// All plans by id.
pub fn all(read: &impl Read) -> Result<Vec<Plan>, StoreError> {
    let rows = read.range(&PLANS, 0u32.., MOST_PLANS)?;
    rows.into_iter()
        .map(|(id, row): (u32, PlanRow)| row.into_plan(PlanId(id)))
        .collect()
}

pub fn next_id(tx: &mut Tx<'_>) -> Result<PlanId, StoreError> {
    ids::next(tx, ids::PLAN).map(PlanId)
}

pub fn put(tx: &mut Tx<'_>, plan: &Plan) -> Result<(), StoreError> {
    tx.insert(&PLANS, plan.id.0, &PlanRow::from(plan))?;
    tx.touch(Change::Plan(plan.id.0));
    Ok(())
}

pub fn remove(tx: &mut Tx<'_>, id: PlanId) -> Result<(), StoreError> {
    tx.remove(&PLANS, id.0)?;
    tx.touch(Change::Plan(id.0));
    Ok(())
}

/// Whether any subscriber has this plan. Walks over all subscribers at worst; only asked before a plan is deleted.
pub fn is_in_use(read: &impl Read, id: PlanId) -> Result<bool, StoreError> {
    let mut found = false;
    read.scan(
        &SUBSCRIBERS,
        0u32..,
        Order::Ascending,
        usize::MAX,
        |_, row: super::subscribers::SubscriberRow| {
            found = row.plan == id.0;
            if found {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    )?;
    Ok(found)
}
