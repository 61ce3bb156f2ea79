//! What is different about a subscriber, in words for the audit log.

use crate::domain::audit::Difference;
use crate::domain::id::{NasId, PlanId};
use crate::domain::mac::Mac;
use crate::domain::plan::{OnLimit, Plan};
use crate::domain::subscriber::{MacMode, Subscriber};
use crate::domain::time::{Calendar, Timestamp};
use crate::store::{Tx, nas, plans};

use super::{Error, extras};

/// Every field that differs, in the order of the form.
pub(super) fn differences(
    tx: &mut Tx<'_>,
    was: &Subscriber,
    new: &Subscriber,
    calendar: &Calendar,
) -> Result<Difference, Error> {
    let optional = |value: Option<String>| value.unwrap_or_default();
    let mut difference = Difference::default();
    difference
        .field("user name", was.username.as_str(), new.username.as_str())
        .field("full name", &was.full_name, &new.full_name)
        .field("phone", &was.phone, &new.phone)
        .field("e-mail", &was.email, &new.email)
        .field("address", &was.address, &new.address)
        .field("notes", &was.notes, &new.notes)
        .field("state", state_word(was), state_word(new))
        .field(
            "expires",
            expiry(calendar, was.expires_at),
            expiry(calendar, new.expires_at),
        )
        .field(
            "sessions",
            optional(was.max_sessions.map(|n| n.to_string())),
            optional(new.max_sessions.map(|n| n.to_string())),
        )
        .field(
            "at the session limit",
            on_limit_word(was.on_limit),
            on_limit_word(new.on_limit),
        )
        .field(
            "MAC lock",
            mac_mode_word(was.mac_mode),
            mac_mode_word(new.mac_mode),
        )
        .field("MAC addresses", mac_list(was), mac_list(new))
        .field(
            "static address",
            optional(was.static_address.map(|a| a.to_string())),
            optional(new.static_address.map(|a| a.to_string())),
        )
        .field("static prefix", prefix(was), prefix(new))
        .field(
            "own speed",
            optional(was.rate_override.map(|r| r.to_string())),
            optional(new.rate_override.map(|r| r.to_string())),
        )
        .field(
            "check attributes",
            extras::to_text(&was.extras.check),
            extras::to_text(&new.extras.check),
        )
        .field(
            "reply attributes",
            extras::to_text(&was.extras.reply),
            extras::to_text(&new.extras.reply),
        );
    if was.plan != new.plan {
        difference.field("plan", plan_name(tx, was.plan)?, plan_name(tx, new.plan)?);
    }
    if was.only_nas != new.only_nas {
        difference.field(
            "only through NAS",
            nas_name(tx, was.only_nas)?,
            nas_name(tx, new.only_nas)?,
        );
    }
    Ok(difference)
}

pub(super) fn plan_name(tx: &mut Tx<'_>, id: PlanId) -> Result<String, Error> {
    Ok(plans::get(tx, id)?.map_or_else(|| format!("plan {id}"), |p: Plan| p.name))
}

fn nas_name(tx: &mut Tx<'_>, id: Option<NasId>) -> Result<String, Error> {
    let Some(id) = id else {
        return Ok(String::new());
    };
    Ok(nas::get(tx, id)?.map_or_else(|| format!("NAS {id}"), |n| n.nas.name))
}

pub(super) fn state_word(subscriber: &Subscriber) -> &'static str {
    if subscriber.is_suspended() {
        "suspended"
    } else {
        "enabled"
    }
}

pub(super) fn expiry(calendar: &Calendar, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| calendar.format_minute(at))
}

pub(super) fn mac_list(subscriber: &Subscriber) -> String {
    subscriber
        .macs
        .iter()
        .map(Mac::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

fn prefix(subscriber: &Subscriber) -> String {
    let prefix = subscriber.static_prefix;
    prefix.map_or_else(String::new, |(address, length)| {
        format!("{address}/{length}")
    })
}

fn on_limit_word(on_limit: Option<OnLimit>) -> &'static str {
    match on_limit {
        None => "as the plan",
        Some(OnLimit::ReplaceOld) => "replace the oldest",
        Some(OnLimit::RejectNew) => "reject the new one",
    }
}

fn mac_mode_word(mode: MacMode) -> String {
    match mode {
        MacMode::Off => "off".to_owned(),
        MacMode::Learn(most) => format!("learn {most}"),
        MacMode::Fixed => "fixed".to_owned(),
    }
}
