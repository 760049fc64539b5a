//! The verdict row of a group: open incidents, advisories, regions in trouble, and what waits to be told.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::board::{Advisory, Incident, RegionState, Track, VerdictRow};
use portpulse_core::id::MonitorId;
use portpulse_core::time::Tick;

use super::fields::{Fields, Map};
use super::{begin, closed_incident, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, REVISION};

const CHANGES: &str = "changes";

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
        .map(CHANGES, encode_changes(&row.changes))
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
        changes: decode_changes(&fields)?,
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

/// One level, since there are many: a monitor, or `monitor#track` where that is not its health. The ticks are in seconds
/// since the Unix epoch, which weigh a third of a time that is written out.
fn encode_changes(changes: &BTreeMap<(MonitorId, Track), Vec<Tick>>) -> HashMap<String, AttributeValue> {
    let entry = |((id, track), ticks): (&(MonitorId, Track), &Vec<Tick>)| {
        let key = match track {
            Track::Health => id.to_string(),
            Track::Quality | Track::Sight => format!("{id}#{}", track.as_str()),
        };
        let ticks = ticks
            .iter()
            .map(|tick| AttributeValue::N(tick.as_second().to_string()));
        (key, AttributeValue::L(ticks.collect()))
    };
    changes.iter().map(entry).collect()
}

fn decode_changes(fields: &Fields<'_>) -> Result<BTreeMap<(MonitorId, Track), Vec<Tick>>, Malformed> {
    // Rows of before this was kept.
    if !fields.has(CHANGES) {
        return Ok(BTreeMap::new());
    }
    let changes = fields.map(CHANGES)?;
    let entry = |key: &str| {
        let (id, track) = key.split_once('#').unwrap_or((key, Track::Health.as_str()));
        let track = track.parse().map_err(|error| changes.nonsense(key, error))?;
        Ok(((changes.key(id)?, track), changes.ticks(key)?))
    };
    changes.names().map(entry).collect()
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
