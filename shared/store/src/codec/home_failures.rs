//! The failures of a location to reach home for a group, in the standby table.

use portpulse_core::home_loss::HomeFailures;

use super::{begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, TICK};

/// Days until the item expires. An older one says nothing about a later loss.
const DAYS: i64 = 2;

pub(crate) fn encode(key: &Key, failures: &HomeFailures) -> Item {
    begin_expiring(key, failures.latest.as_second(), DAYS)
        .text(TICK, failures.latest)
        .text("first", failures.first)
        .number("ticks", failures.ticks)
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<HomeFailures, Malformed> {
    let fields = open(item)?;
    Ok(HomeFailures {
        first: fields.text("first")?,
        latest: fields.text(TICK)?,
        ticks: fields.number("ticks")?,
    })
}
