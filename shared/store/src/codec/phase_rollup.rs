//! Times of each phase at one location over an hour or a day: for each monitor and phase the maximum
//! in milliseconds, and the counts by bucket.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::by_phase::ByPhase;
use portpulse_core::observation::{milliseconds, parse_milliseconds};
use portpulse_core::outcome::Phase;
use portpulse_core::period::{Grain, Period};
use portpulse_core::phase_times::PhaseTimes;
use portpulse_core::rollup::PhaseRollup;

use super::attributes::{AttributeMap, AttributeReader};
use super::times::{decode_buckets, encode_buckets};
use super::{HISTORY_DAYS, RESULT_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::Item;

/// Items of an hour expire together with results: readers use them only for the last days. Items of a day expire with
/// the history.
pub(crate) fn encode(key: &Key, period: Period, times: &PhaseRollup) -> Item {
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

pub(crate) fn decode(item: &Item) -> Result<PhaseRollup, Malformed> {
    let monitors = open(item)?.map("phases")?;
    let phases = |id| Ok((monitors.key(id)?, decode_phases(&monitors.map(id)?)?));
    monitors.names().map(phases).collect()
}

/// Phases without times are omitted.
fn encode_phases(phases: &ByPhase<PhaseTimes>) -> AttributeValue {
    let mut map = AttributeMap::default();
    for (phase, times) in phases.each() {
        if let Some(max) = times.max() {
            let text = format!("{} {}", milliseconds(max), encode_buckets(times));
            map = map.text(phase.as_str(), text);
        }
    }
    map.into_value()
}

fn decode_phases(fields: &AttributeReader<'_>) -> Result<ByPhase<PhaseTimes>, Malformed> {
    let times = |phase: Phase| {
        let name = phase.as_str();
        if !fields.has(name) {
            return Ok(PhaseTimes::default());
        }
        decode_times(fields.str(name)?).ok_or_else(|| {
            fields.invalid(
                name,
                "expected a maximum in milliseconds and a list of bucket distances with counts, such as 12.5 63:58 1:2",
            )
        })
    };
    Ok(ByPhase {
        dns: times(Phase::Dns)?,
        connect: times(Phase::Connect)?,
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
