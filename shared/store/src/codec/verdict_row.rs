//! The verdict row of a group: open incidents, advisories, regions in trouble, and what waits to be told.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::board::{Advisory, Incident, RegionState, Track, VerdictRow};
use portpulse_core::id::MonitorId;

use super::fields::{Fields, Map};
use super::{begin, closed_incident, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, REVISION};

pub(crate) fn encode(key: &Key, row: &VerdictRow) -> Item {
    let advisories = row.advisories.iter();
    let regions = row.regions.iter();
    let broken = row.broken.iter();
    let closed = row.closed.iter();
    begin(key)
        .number(REVISION, row.revision)
        .map("incidents", encode_incidents(&row.incidents))
        .map(
            "advisories",
            advisories.map(|(id, advisory)| (id.to_string(), encode_advisory(advisory))),
        )
        .map(
            "regions",
            regions.map(|(region, state)| (region.to_string(), encode_state(*state))),
        )
        .list("broken", broken.map(|id| AttributeValue::S(id.clone())))
        .outbox(&row.outbox)
        .list("closed", closed.map(closed_incident::encode_inner))
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<VerdictRow, Malformed> {
    let fields = open(item)?;
    let (advisories, regions) = (fields.map("advisories")?, fields.map("regions")?);
    let advisory = |id| Ok((advisories.key(id)?, decode_advisory(&advisories.map(id)?)?));
    let region = |name| Ok((regions.key(name)?, decode_state(&regions.map(name)?)?));
    let closed = fields.maps("closed")?;
    Ok(VerdictRow {
        revision: fields.number(REVISION)?,
        incidents: decode_incidents(&fields.map("incidents")?)?,
        advisories: advisories.names().map(advisory).collect::<Result<_, _>>()?,
        regions: regions.names().map(region).collect::<Result<_, _>>()?,
        broken: fields.texts("broken")?.into_iter().map(str::to_owned).collect(),
        outbox: fields.outbox()?,
        closed: closed
            .iter()
            .map(closed_incident::decode_inner)
            .collect::<Result<_, _>>()?,
    })
}

/// Two levels: monitor, then track.
fn encode_incidents(incidents: &BTreeMap<(MonitorId, Track), Incident>) -> HashMap<String, AttributeValue> {
    let mut monitors = BTreeMap::<_, Map>::new();
    for ((id, track), incident) in incidents {
        let tracks = monitors.remove(id).unwrap_or_default();
        let value = Map::default().incident(incident).into_value();
        monitors.insert(id, tracks.with(track.as_str(), value));
    }
    let entries = monitors.into_iter();
    entries
        .map(|(id, tracks)| (id.to_string(), tracks.into_value()))
        .collect()
}

fn decode_incidents(monitors: &Fields<'_>) -> Result<BTreeMap<(MonitorId, Track), Incident>, Malformed> {
    let mut incidents = BTreeMap::new();
    for id in monitors.names() {
        let (monitor, tracks) = (monitors.key::<MonitorId>(id)?, monitors.map(id)?);
        for track in tracks.names() {
            let key = (monitor.clone(), tracks.key(track)?);
            incidents.insert(key, tracks.map(track)?.incident()?);
        }
    }
    Ok(incidents)
}

fn encode_advisory(advisory: &Advisory) -> AttributeValue {
    Map::default()
        .text("opened", advisory.opened)
        .number(REVISION, advisory.revision)
        .told(advisory.told)
        .into_value()
}

fn decode_advisory(fields: &Fields<'_>) -> Result<Advisory, Malformed> {
    Ok(Advisory {
        opened: fields.text("opened")?,
        revision: fields.number(REVISION)?,
        told: fields.told()?,
    })
}

fn encode_state(state: RegionState) -> AttributeValue {
    let (word, since) = match state {
        RegionState::Awaited(since) => ("awaited", Some(since)),
        RegionState::Silent(since) => ("silent", Some(since)),
        RegionState::Suspect(since) => ("suspect", Some(since)),
        RegionState::Returned => ("returned", None),
    };
    Map::default()
        .text("state", word)
        .optional_text("since", since)
        .into_value()
}

fn decode_state(fields: &Fields<'_>) -> Result<RegionState, Malformed> {
    match fields.str("state")? {
        "awaited" => Ok(RegionState::Awaited(fields.time("since")?)),
        "silent" => Ok(RegionState::Silent(fields.time("since")?)),
        "suspect" => Ok(RegionState::Suspect(fields.time("since")?)),
        "returned" => Ok(RegionState::Returned),
        _ => Err(fields.nonsense("state", "it is none of awaited, silent, suspect, returned")),
    }
}
