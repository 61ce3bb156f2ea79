//! The map of the store: every table with its key, value, owner and rough size.
//!
//! Nothing here reads or writes. Invariant: a table that exists is listed in `ALL`, which schema version 1 creates and
//! which doctor and statistics walk; a table added after a release also needs a migration in `schema.rs`.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use redb::{Database, ReadTransaction, TableDefinition, WriteTransaction};

use super::StoreError;
use super::acme::AcmeRow;
use super::audit::AuditRow;
use super::auth_log::BlockRow;
use super::backups::BackupRow;
use super::bandwidth_rules::BandwidthRuleRow;
use super::cdn::{CdnProfileRow, CdnRouterRow};
use super::codec::Record;
use super::imports::ImportRow;
use super::licence::LicenceRow;
use super::nas::NasRow;
use super::notices::{self, NoticeRow};
use super::operators::{LoginRow, OperatorRow};
use super::outbox::OutboxRow;
use super::planned::{self, PlannedRow};
use super::plans::PlanRow;
use super::pools::PoolRow;
use super::sessions::SessionRow;
use super::snapshot;
use super::subscribers::SubscriberRow;
use super::updates::{OfferRow, UpdateRow};
use super::usage::UsageRow;
use super::usage_audit::UsageAuditRow;

/// A typed table: keys of type `K` in their order, values of type `V` as version octet and body.
pub struct Map<K: redb::Key + 'static, V: Record> {
    name: &'static str,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: redb::Key + 'static, V: Record> Map<K, V> {
    pub const fn new(name: &'static str) -> Self {
        Map {
            name,
            types: PhantomData,
        }
    }

    pub(super) fn definition(&self) -> TableDefinition<'static, K, &'static [u8]> {
        TableDefinition::new(self.name)
    }

    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// A table whatever its types, for what is done to all tables alike.
pub trait AnyMap: Sync {
    fn name(&self) -> &'static str;

    /// Creates the table when it is missing; redb refuses to read a table that was never opened for writing.
    fn create(&self, transaction: &WriteTransaction) -> Result<(), StoreError>;

    /// How many rows there are; nothing where the table does not exist.
    fn rows(&self, transaction: &ReadTransaction) -> Result<Option<u64>, StoreError>;

    /// Copies the rows to the same table of another file, until `next`, asked after each row, breaks.
    fn copy(
        &self,
        from: &ReadTransaction,
        into: &Database,
        next: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<(), StoreError>;
}

impl<K: redb::Key + 'static, V: Record> AnyMap for Map<K, V> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn create(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        transaction
            .open_table(self.definition())
            .map(drop)
            .map_err(|error| StoreError::fault("create a table", error))
    }

    fn rows(&self, transaction: &ReadTransaction) -> Result<Option<u64>, StoreError> {
        snapshot::count_rows(self.definition(), transaction)
    }

    fn copy(
        &self,
        from: &ReadTransaction,
        into: &Database,
        next: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        snapshot::copy_rows(self.definition(), from, into, next)
    }
}

/// Facts about the file itself. Key: name of the fact (`schema.rs`). Value: its bytes. Owner: schema, open. Two rows.
pub const META: Map<&str, minicbor::bytes::ByteVec> = Map::new("meta");

/// The next ids and sequences. Key: name of the counter. Owner: ids. A handful of rows.
pub const COUNTERS: Map<&str, u64> = Map::new("counters");

/// Settings. Key: name of the setting. Owner: settings. A handful of rows.
pub const SETTINGS: Map<&str, String> = Map::new("settings");

/// Subscribers. Key: subscriber. Owner: subscribers. 10,000 rows of 200 octets.
pub const SUBSCRIBERS: Map<u32, SubscriberRow> = Map::new("subscribers");

/// Who has a login name. Key: the name without case. Value: subscriber. Owner: subscribers. 10,000 rows of 20 octets.
pub const SUBSCRIBER_NAMES: Map<&str, u32> = Map::new("subscriber_names");

/// Who holds a static address. Key: the IPv4 address as a number. Value: subscriber. Owner: statics. Hundreds of rows.
pub const STATIC_ADDRESSES: Map<u32, u32> = Map::new("static_addresses");

/// Who holds a static prefix. Key: first number and length of the prefix. Value: subscriber. Owner: statics. Hundreds of
/// rows.
pub const STATIC_PREFIXES: Map<(u128, u8), u32> = Map::new("static_prefixes");

/// Plans. Key: plan. Owner: plans. Tens of rows.
pub const PLANS: Map<u32, PlanRow> = Map::new("plans");

/// Bandwidth rules. Key: rule. Owner: bandwidth_rules. Tens of rows.
pub const BANDWIDTH_RULES: Map<u32, BandwidthRuleRow> = Map::new("bandwidth_rules");

/// Server-side pools of addresses. Key: pool. Owner: pools. Tens of rows.
pub const POOLS: Map<u32, PoolRow> = Map::new("pools");
/// CDN profiles. Key: profile. Owner: cdn. A few rows of up to 40 KB.
pub const CDN_PROFILES: Map<u32, CdnProfileRow> = Map::new("cdn_profiles");

/// Routers that are kept in step with the CDN profiles. Key: NAS. Owner: cdn. Tens of rows.
pub const CDN_ROUTERS: Map<u32, CdnRouterRow> = Map::new("cdn_routers");

/// NAS devices. Key: NAS. Owner: nas. Tens of rows.
pub const NAS: Map<u32, NasRow> = Map::new("nas");

/// Operators. Key: operator. Owner: operators. Tens of rows.
pub const OPERATORS: Map<u32, OperatorRow> = Map::new("operators");

/// Signed-in browsers. Key: SHA-256 of the token. Owner: operators. Tens of rows.
pub const LOGINS: Map<[u8; 32], LoginRow> = Map::new("logins");

/// The audit log. Key: sequence. Owner: audit. Only grows; thousands of rows of 200 octets a year.
pub const AUDIT: Map<u64, AuditRow> = Map::new("audit");

/// Audit entries of one object. Key: kind, id, sequence. Owner: audit. As many rows as the log.
pub const AUDIT_BY_OBJECT: Map<(u8, u32, u64), ()> = Map::new("audit_by_object");

/// The authentication log in blocks of attempts. Key: number of the first attempt of the block. Owner: auth_log.
/// Bounded by age and number.
pub const AUTH_LOG: Map<u64, BlockRow> = Map::new("auth_log");

/// Follow-up work. Key: lane bit and sequence. Owner: outbox. Empty when all is done.
pub const OUTBOX: Map<u64, OutboxRow> = Map::new("outbox");

/// Sessions that were open at the last fold. Key: session. Owner: accounting. 5,000 rows of 150 octets.
pub const OPEN_SESSIONS: Map<u64, SessionRow> = Map::new("open_sessions");

/// Sessions that ended. Key: session, which grows with time. Owner: accounting. 15,000 rows of 100 octets a day.
pub const CLOSED_SESSIONS: Map<u64, SessionRow> = Map::new("closed_sessions");

/// Ended sessions of a subscriber. Key: subscriber, session. Owner: accounting. As many rows as ended sessions.
pub const SESSIONS_BY_SUBSCRIBER: Map<(u32, u64), ()> = Map::new("sessions_by_subscriber");

/// Ended sessions that held an address. Key: first number of the address or prefix, where IPv4 stands at ::ffff:0:0/96;
/// session. Owner: accounting. Up to three rows for an ended session.
pub const SESSIONS_BY_ADDRESS: Map<(u128, u64), ()> = Map::new("sessions_by_address");

/// Octets booked. Key: business day, subscriber, so that a fold writes one run of rows. Owner: accounting.
/// 10,000 rows of 25 octets a day.
pub const USAGE_DAYS: Map<(i32, u32), UsageRow> = Map::new("usage_days");

/// The sums of the days of a month. Key: month, subscriber. Owner: accounting. 10,000 rows a month.
pub const USAGE_MONTHS: Map<(i32, u32), UsageRow> = Map::new("usage_months");

/// What the last audit of usage found. Key: 0. Owner: usage_audit. One row.
pub const USAGE_AUDIT: Map<u8, UsageAuditRow> = Map::new("usage_audit");

/// Backups that were made, and tries that failed. Key: when it began, in milliseconds since 1970. Owner: backups. Hundreds
/// of rows.
pub const BACKUPS: Map<i64, BackupRow> = Map::new("backups");

/// Certificates by ACME: what is asked for, and how it went. Key: 0. Owner: acme. One row.
pub const ACME: Map<u8, AcmeRow> = Map::new("acme");

/// What subscribers were told about their volume. Key: kind of quota, first day of the period, subscriber, level. Owner: notices.
/// A few rows of 30 octets a day for each subscriber that comes near a quota, for two months.
pub const QUOTA_NOTICES: Map<notices::Key, NoticeRow> = Map::new("quota_notices");

/// Sessions that are to be ended for a new login. Key: when, session. Owner: planned. Empty but between a change and its night.
pub const PLANNED_DISCONNECTS: Map<planned::Key, PlannedRow> = Map::new("planned_disconnects");

/// The licence of this machine. Key: 0. Owner: licence. One row, once a vendor is configured.
pub const LICENCE: Map<u8, LicenceRow> = Map::new("licence");

/// What the vendor offers. Key: 0. Owner: updates. One row, once a vendor is configured.
pub const UPDATE_OFFER: Map<u8, OfferRow> = Map::new("update_offer");

/// Updates that were handed over to be installed. Key: number. Owner: updates. At most a hundred rows of 200 octets.
pub const UPDATES: Map<u32, UpdateRow> = Map::new("updates");

/// Lists of subscribers that were imported. Key: number. Owner: imports. At most a hundred rows of 200 octets.
pub const IMPORTS: Map<u32, ImportRow> = Map::new("imports");

/// Every table, in the order of this file.
pub const ALL: &[&dyn AnyMap] = &[
    &META,
    &COUNTERS,
    &SETTINGS,
    &SUBSCRIBERS,
    &SUBSCRIBER_NAMES,
    &STATIC_ADDRESSES,
    &STATIC_PREFIXES,
    &PLANS,
    &BANDWIDTH_RULES,
    &POOLS,
    &CDN_PROFILES,
    &CDN_ROUTERS,
    &NAS,
    &OPERATORS,
    &LOGINS,
    &AUDIT,
    &AUDIT_BY_OBJECT,
    &AUTH_LOG,
    &OUTBOX,
    &OPEN_SESSIONS,
    &CLOSED_SESSIONS,
    &SESSIONS_BY_SUBSCRIBER,
    &SESSIONS_BY_ADDRESS,
    &USAGE_DAYS,
    &USAGE_MONTHS,
    &USAGE_AUDIT,
    &BACKUPS,
    &ACME,
    &QUOTA_NOTICES,
    &PLANNED_DISCONNECTS,
    &LICENCE,
    &UPDATE_OFFER,
    &UPDATES,
    &IMPORTS,
];
