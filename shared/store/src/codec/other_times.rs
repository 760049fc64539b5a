//! The phases but the connect, as one location saw them over an hour or a day: for each monitor the maximum of each in
//! milliseconds, and its times in buckets.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::observation::{milliseconds, parse_milliseconds};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outcome::Phase;
use portpulse_core::period::{Grain, Period};
use portpulse_core::phase_times::PhaseTimes;
use portpulse_core::rollup::OtherTimes;

use super::fields::{Fields, Map};
use super::times::{decode_buckets, encode_buckets};
use super::{HISTORY_DAYS, RESULT_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::Item;

/// Hours are shown for a day and summed up into days; they are kept no longer than the results they are made of.
pub(crate) fn encode(key: &Key, period: Period, times: &OtherTimes) -> Item {
    let days = match period.grain() {
        Grain::Hour => RESULT_DAYS,
        Grain::Day => HISTORY_DAYS,
    };
    begin_expiring(key, period.end_second(), days)
        .map(
            "phases",
            times
                .iter()
                .map(|(id, phases)| (id.to_string(), encode_phases(phases))),
        )
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<OtherTimes, Malformed> {
    let monitors = open(item)?.map("phases")?;
    let phases = |id| Ok((monitors.key(id)?, decode_phases(&monitors.map(id)?)?));
    monitors.names().map(phases).collect()
}

/// A phase that did not happen takes no room.
fn encode_phases(phases: &OtherPhases<PhaseTimes>) -> AttributeValue {
    let mut map = Map::default();
    for (phase, times) in phases.each() {
        if let Some(max) = times.max() {
            let text = format!("{} {}", milliseconds(max), encode_buckets(times));
            map = map.text(phase.as_str(), text);
        }
    }
    map.into_value()
}

fn decode_phases(fields: &Fields<'_>) -> Result<OtherPhases<PhaseTimes>, Malformed> {
    let times = |phase: Phase| {
        let name = phase.as_str();
        if !fields.has(name) {
            return Ok(PhaseTimes::default());
        }
        decode_times(fields.str(name)?).ok_or_else(|| {
            fields.nonsense(
                name,
                "it is no maximum in milliseconds with a list of steps from bucket to bucket and their counts, such as \
                 12.5 63:58 1:2",
            )
        })
    };
    Ok(OtherPhases {
        dns: times(Phase::Dns)?,
        tls: times(Phase::Tls)?,
        ready: times(Phase::Ready)?,
    })
}

fn decode_times(text: &str) -> Option<PhaseTimes> {
    let (max, buckets) = text.split_once(' ')?;
    Some(PhaseTimes::from_buckets(
        decode_buckets(buckets)?,
        parse_milliseconds(max)?,
    ))
}
