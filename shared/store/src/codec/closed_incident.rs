//! Closed incidents: in the decision state until archived, then as items of their own.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group_state::{ClosedIncident, Ending, Incident};

use super::attributes::{AttributeMap, AttributeReader};
use super::{HISTORY_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::Item;

pub(crate) fn encode(key: &Key, closed: &ClosedIncident) -> Item {
    put(
        begin_expiring(key, closed.closed.as_second(), HISTORY_DAYS),
        closed,
    )
    .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<ClosedIncident, Malformed> {
    decode_inner(&open(item)?)
}

pub(super) fn encode_inner(closed: &ClosedIncident) -> AttributeValue {
    put(AttributeMap::default(), closed).into_value()
}

fn put(map: AttributeMap, closed: &ClosedIncident) -> AttributeMap {
    map.text("monitor", &closed.monitor)
        .text("track", closed.track.as_str())
        .incident(&closed.incident)
        .optional_text("cluster", closed.incident.cluster.as_ref())
        .text("closed", closed.closed)
        .text("ending", ending_code(closed.ending))
}

pub(super) fn decode_inner(fields: &AttributeReader<'_>) -> Result<ClosedIncident, Malformed> {
    Ok(ClosedIncident {
        monitor: fields.text("monitor")?,
        track: fields.text("track")?,
        incident: Incident {
            cluster: fields.optional_text("cluster")?,
            ..fields.incident()?
        },
        closed: fields.text("closed")?,
        ending: fields.one_of("ending", &[Ending::Recovered, Ending::Removed], ending_code)?,
    })
}

const fn ending_code(ending: Ending) -> &'static str {
    match ending {
        Ending::Recovered => "recovered",
        Ending::Removed => "removed",
    }
}
