//! Rows about this machine: updates, and imports into it.

use super::samples::NOW;
use crate::store::{imports, updates};

pub fn offer_row() -> updates::OfferRow {
    updates::OfferRow {
        last_good: NOW.0,
        last_tried: NOW.0,
        problem: "silent".into(),
        manifest: "a.b".into(),
    }
}

pub fn update_row() -> updates::UpdateRow {
    updates::UpdateRow {
        version: "0.3.0".into(),
        from: "0.2.0".into(),
        by: "rania".into(),
        handed_over_at: NOW.0,
        started_at: Some(NOW.0),
        ended_at: Some(NOW.0),
        problem: "no".into(),
        log: "end".into(),
    }
}

pub fn import_row() -> imports::ImportRow {
    imports::ImportRow {
        at: NOW.0,
        by: "rania".into(),
        file: "list.csv".into(),
        first: 7,
        count: 412,
        left_out: 3,
        plans: vec![2, 9],
        undone_at: Some(NOW.0),
    }
}
