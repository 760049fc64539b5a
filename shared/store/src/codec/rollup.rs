//! The rollup of one location over an hour or a day: for each monitor counts of checks, and the total times by bucket.
//! [`super::phase_rollup`] has the times of each phase.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group_state::Cause;
use portpulse_core::observation::{milliseconds, parse_milliseconds};
use portpulse_core::period::Period;
use portpulse_core::phase_times::PhaseTimes;
use portpulse_core::rollup::{Rollup, Tally};

use super::attributes::{AttributeMap, AttributeReader};
use super::times::{decode_buckets, encode_buckets};
use super::{HISTORY_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::Item;

pub(crate) fn encode(key: &Key, period: Period, rollup: &Rollup) -> Item {
    let monitors = rollup.iter();
    begin_expiring(key, period.end_second(), HISTORY_DAYS)
        .map(
            "monitors",
            monitors.map(|(id, tally)| (id.to_string(), encode_tally(tally))),
        )
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<Rollup, Malformed> {
    let monitors = open(item)?.map("monitors")?;
    let tally = |id| Ok((monitors.key(id)?, decode_tally(&monitors.map(id)?)?));
    monitors.names().map(tally).collect()
}

/// Counts of 0 are omitted.
fn encode_tally(tally: &Tally) -> AttributeValue {
    let mut map = AttributeMap::default().number("good", tally.good);
    if tally.retried > 0 {
        map = map.number("retried", tally.retried);
    }
    if !tally.failing.is_empty() {
        let causes = tally.failing.iter();
        let count = |count: &u32| AttributeValue::N(count.to_string());
        map = map.map(
            "failing",
            causes.map(|(cause, times)| (cause.code().to_owned(), count(times))),
        );
    }
    if tally.no_data > 0 {
        map = map.number("no_data", tally.no_data);
    }
    if let Some(max) = tally.total.max() {
        map = map
            .text("total", encode_buckets(&tally.total))
            .number("max", milliseconds(max));
    }
    map.into_value()
}

fn decode_tally(fields: &AttributeReader<'_>) -> Result<Tally, Malformed> {
    let mut tally = Tally {
        good: fields.number("good")?,
        ..Tally::default()
    };
    if fields.has("retried") {
        tally.retried = fields.number("retried")?;
    }
    if fields.has("failing") {
        let failing = fields.map("failing")?;
        let cause = |code| Ok((failing.key::<Cause>(code)?, failing.number(code)?));
        tally.failing = failing.names().map(cause).collect::<Result<_, Malformed>>()?;
    }
    if fields.has("no_data") {
        tally.no_data = fields.number("no_data")?;
    }
    if fields.has("total") {
        let max = parse_milliseconds(fields.digits("max")?)
            .ok_or_else(|| fields.invalid("max", "expected a time in milliseconds, such as 12.5"))?;
        let buckets = decode_buckets(fields.str("total")?).ok_or_else(|| {
            fields.invalid(
                "total",
                "expected a list of bucket distances with counts, such as 63:58 1:2",
            )
        })?;
        tally.total = PhaseTimes::from_buckets(buckets, max);
    }
    Ok(tally)
}
