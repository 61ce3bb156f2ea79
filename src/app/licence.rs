//! The licence as pages and forms ask for it: the stored row with its token opened once, and this machine.
//!
//! No file is read and nothing verified when it is asked for. Invariant: the copy follows every commit of the row.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

use super::AppError;
use crate::config;
use crate::domain::time::Timestamp;
use crate::licence::{Facts, Hardware, Licence, Standing, TokenError, VendorKey};
use crate::store::View;
use crate::store::licence::{self, LicenceRow};

/// What is stored, and what its token says.
#[derive(Debug, Clone, Default)]
pub struct Held {
    pub row: Option<LicenceRow>,
    licence: Option<Result<Licence, TokenError>>,
}

impl Held {
    fn read(view: &View, key: Option<&VendorKey>) -> Result<Held, AppError> {
        let row = licence::get(view)?;
        let token = row.as_ref().map_or("", |row| row.token.as_str());
        let licence = key
            .filter(|_| !token.is_empty())
            .map(|key| Licence::open(key, token));
        Ok(Held { row, licence })
    }
}

/// The copy in memory that follows the store.
pub(super) struct LicenceCopy {
    key: Option<VendorKey>,
    held: ArcSwap<Held>,
}

impl LicenceCopy {
    pub(super) fn read(view: &View, vendor: Option<&config::Vendor>) -> Result<Self, AppError> {
        let key = vendor.map(|vendor| vendor.key);
        let held = Held::read(view, key.as_ref())?;
        Ok(LicenceCopy {
            key,
            held: ArcSwap::from_pointee(held),
        })
    }

    pub(super) fn follow(&self, view: &View) {
        super::keep(Held::read(view, self.key.as_ref()), "licence", |held| {
            self.held.store(Arc::new(held));
        });
    }

    pub(super) fn held(&self) -> Arc<Held> {
        self.held.load_full()
    }

    pub(super) fn standing(&self, hardware: &Hardware, now: Timestamp) -> Standing {
        let held = self.held.load();
        let row = held.row.as_ref();
        let time = |of: fn(&LicenceRow) -> i64| Timestamp(row.map_or(0, of));
        let facts = Facts {
            is_configured: self.key.is_some(),
            first_seen: row.map(|row| Timestamp(row.first_seen)),
            licence: held
                .licence
                .as_ref()
                .map(|read| read.as_ref().map_err(|why| *why)),
            revoked: row.and_then(|row| row.revoked.as_deref()),
            is_elsewhere: row.is_some_and(|row| row.is_elsewhere),
            last_good: time(|row| row.last_good),
            last_seen: time(|row| row.last_seen),
            hardware,
        };
        Standing::new(&facts, now)
    }
}

/// This machine, looked at once: a card that is plugged in later counts from the next start.
#[derive(Default)]
pub struct ThisMachine(OnceLock<Hardware>);

impl ThisMachine {
    pub fn hardware(&self) -> &Hardware {
        self.0.get_or_init(|| Hardware::read(Path::new("/")))
    }

    /// Another machine than the one at hand, for tests. Too late once somebody has looked.
    pub fn pretend(&self, hardware: Hardware) {
        // The one that was seen first stays.
        let _ = self.0.set(hardware);
    }
}
