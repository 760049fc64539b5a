//! The decision state of a group: open incidents, advisories, problems of locations, and the outbox.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use portpulse_core::group_state::{
    Advisory, Cluster, DecisionState, Incident, IncidentId, LocationReporting,
};
use portpulse_core::id::MonitorId;
use portpulse_core::time::{Interval, Tick};

use super::attributes::{AttributeMap, AttributeReader};
use super::{begin, closed_incident, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, REVISION};

const CLUSTER: &str = "cluster";
const CLUSTERS: &str = "clusters";
const ENDED: &str = "ended";
const FIRST: &str = "named_by";
const ADVISORY: &str = "advisory";
const BROKEN: &str = "broken";
const RECOVERED: &str = "recovered";
const MORE_BROKEN: &str = "more_broken";
/// The suffix of a track's name in the attribute with its changes.
const CHANGES: &str = "_changes";

pub(crate) fn encode(key: &Key, decision: &DecisionState) -> Item {
    let locations = decision.locations.iter();
    let closed = decision.closed.iter();
    let begun = match decision.more_broken {
        0 => begin(key),
        more => begin(key).number(MORE_BROKEN, more),
    };
    begun
        .number(REVISION, decision.revision)
        .map("monitors", encode_monitors(decision))
        .clusters(&decision.clusters)
        .map(
            "locations",
            locations.map(|(location, state)| (location.to_string(), encode_state(*state))),
        )
        .outbox(&decision.outbox)
        .list("closed", closed.map(closed_incident::encode_inner))
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<DecisionState, Malformed> {
    let fields = open(item)?;
    let locations = fields.map("locations")?;
    let location = |name| Ok((locations.key(name)?, decode_state(&locations.map(name)?)?));
    let closed = fields.maps("closed")?;
    let mut decision = DecisionState {
        revision: fields.number(REVISION)?,
        locations: locations.names().map(location).collect::<Result<_, _>>()?,
        outbox: fields.outbox()?,
        closed: closed
            .iter()
            .map(closed_incident::decode_inner)
            .collect::<Result<_, _>>()?,
        more_broken: match fields.has(MORE_BROKEN) {
            true => fields.number(MORE_BROKEN)?,
            false => 0,
        },
        ..DecisionState::default()
    };
    let clusters = fields.clusters()?;
    let ids: Vec<_> = clusters.iter().map(|(id, _)| id.clone()).collect();
    decision.clusters = clusters.into_iter().collect();
    let monitors = fields.map("monitors")?;
    for id in monitors.names() {
        decode_monitor(id, &monitors, &ids, &mut decision)?;
    }
    Ok(decision)
}

/// One map for each monitor, so that each id is written once.
fn encode_monitors(decision: &DecisionState) -> impl Iterator<Item = (String, AttributeValue)> + use<> {
    let mut monitors = BTreeMap::<String, AttributeMap>::new();
    let mut add = |id: &str, name: &str, value| {
        let known = monitors.remove(id).unwrap_or_default();
        monitors.insert(id.to_owned(), known.with(name, value));
    };
    for ((id, track), incident) in &decision.incidents {
        let cluster = incident.cluster.as_ref();
        let cluster = cluster.and_then(|cluster| decision.clusters.keys().position(|id| id == cluster));
        let map = AttributeMap::default().incident(incident);
        let value = match cluster {
            Some(number) => map.number(CLUSTER, number),
            None => map,
        }
        .into_value();
        add(id.as_str(), track.as_str(), value);
    }
    for (id, advisory) in &decision.advisories {
        add(id.as_str(), ADVISORY, encode_advisory(advisory));
    }
    for ((id, track), ticks) in &decision.changes {
        let name = format!("{}{CHANGES}", track.as_str());
        add(id.as_str(), &name, AttributeValue::S(encode_changes(ticks)));
    }
    for id in &decision.broken {
        add(id, BROKEN, AttributeValue::Bool(true));
    }
    monitors.into_iter().map(|(id, map)| (id, map.into_value()))
}

fn decode_monitor(
    id: &str,
    monitors: &AttributeReader<'_>,
    clusters: &[IncidentId],
    decision: &mut DecisionState,
) -> Result<(), Malformed> {
    let fields = monitors.map(id)?;
    for name in fields.names() {
        if name == BROKEN {
            // The id may be invalid.
            fields.flag(name)?;
            decision.broken.insert(id.to_owned());
            continue;
        }
        let monitor: MonitorId = monitors.key(id)?;
        if name == ADVISORY {
            decision
                .advisories
                .insert(monitor, decode_advisory(&fields.map(name)?)?);
        } else if let Some(track) = name.strip_suffix(CHANGES) {
            let track = track.parse().map_err(|error| fields.invalid(name, error))?;
            decision
                .changes
                .insert((monitor, track), decode_changes(name, &fields)?);
        } else {
            let incident = fields.map(name)?;
            let incident = Incident {
                cluster: decode_cluster_of(&incident, clusters)?,
                ..incident.incident()?
            };
            decision.incidents.insert((monitor, fields.key(name)?), incident);
        }
    }
    Ok(())
}

/// The cluster of an incident: its number in the list of clusters, since ids are long.
fn decode_cluster_of(
    fields: &AttributeReader<'_>,
    clusters: &[IncidentId],
) -> Result<Option<IncidentId>, Malformed> {
    if !fields.has(CLUSTER) {
        return Ok(None);
    }
    let number: usize = fields.number(CLUSTER)?;
    let cluster = clusters.get(number).cloned();
    cluster
        .map(Some)
        .ok_or_else(|| fields.invalid(CLUSTER, "expected the number of a cluster"))
}

impl AttributeMap {
    fn clusters(self, clusters: &BTreeMap<IncidentId, Cluster>) -> Self {
        if clusters.is_empty() {
            return self;
        }
        self.list(CLUSTERS, clusters.iter().map(encode_cluster))
    }
}

fn encode_cluster((id, cluster): (&IncidentId, &Cluster)) -> AttributeValue {
    AttributeMap::default()
        .text("id", id)
        .text("since", cluster.since)
        .number("incidents", cluster.incidents)
        .optional_texts(RECOVERED, &cluster.recovered)
        .notified(cluster.notified)
        .urgency(cluster.urgency)
        .into_value()
}

impl AttributeReader<'_> {
    fn clusters(&self) -> Result<Vec<(IncidentId, Cluster)>, Malformed> {
        if !self.has(CLUSTERS) {
            return Ok(Vec::new());
        }
        self.maps(CLUSTERS)?.iter().map(decode_cluster).collect()
    }
}

fn decode_cluster(fields: &AttributeReader<'_>) -> Result<(IncidentId, Cluster), Malformed> {
    let cluster = Cluster {
        since: fields.text("since")?,
        incidents: fields.number("incidents")?,
        recovered: fields.optional_texts(RECOVERED)?,
        notified: fields.notified()?,
        urgency: fields.urgency()?,
    };
    Ok((fields.text("id")?, cluster))
}

/// Encodes ticks as minutes: the first since the Unix epoch, the others since the previous tick. This takes two or three
/// bytes for each of many ticks.
fn encode_changes(ticks: &[Tick]) -> String {
    let mut before = 0;
    let minutes = ticks.iter().map(|tick| {
        let minute = tick.as_second().div_euclid(60);
        (minute - std::mem::replace(&mut before, minute)).to_string()
    });
    minutes.collect::<Vec<_>>().join(" ")
}

fn decode_changes(name: &str, fields: &AttributeReader<'_>) -> Result<Vec<Tick>, Malformed> {
    let text = fields.str(name)?;
    let invalid = || fields.invalid(name, "expected a list of minutes, such as 29922097 3 1");
    let mut before = 0_i64;
    let tick = |step: &str| {
        let minute = step.parse::<i64>().ok()?.checked_add(before)?;
        before = minute;
        let time = Timestamp::from_second(minute.checked_mul(60)?).ok()?;
        Some(Tick::containing(time, Interval::OneMinute))
    };
    let ticks: Option<Vec<_>> = text.split_ascii_whitespace().map(tick).collect();
    ticks.ok_or_else(invalid)
}

fn encode_advisory(advisory: &Advisory) -> AttributeValue {
    AttributeMap::default()
        .text("opened", advisory.opened)
        .number(REVISION, advisory.revision)
        .notified(advisory.notified)
        .optional_text(FIRST, advisory.first.as_ref())
        .optional_texts(ENDED, &advisory.ended)
        .into_value()
}

fn decode_advisory(fields: &AttributeReader<'_>) -> Result<Advisory, Malformed> {
    Ok(Advisory {
        opened: fields.text("opened")?,
        revision: fields.number(REVISION)?,
        notified: fields.notified()?,
        first: fields.optional_text(FIRST)?,
        ended: fields.optional_texts(ENDED)?,
    })
}

fn encode_state(state: LocationReporting) -> AttributeValue {
    let (code, since) = match state {
        LocationReporting::Awaited(since) => ("awaited", Some(since)),
        LocationReporting::Silent(since) => ("silent", Some(since)),
        LocationReporting::Suspect(since) => ("suspect", Some(since)),
        LocationReporting::Returned => ("returned", None),
    };
    AttributeMap::default()
        .text("state", code)
        .optional_text("since", since)
        .into_value()
}

fn decode_state(fields: &AttributeReader<'_>) -> Result<LocationReporting, Malformed> {
    match fields.str("state")? {
        "awaited" => Ok(LocationReporting::Awaited(fields.time("since")?)),
        "silent" => Ok(LocationReporting::Silent(fields.time("since")?)),
        "suspect" => Ok(LocationReporting::Suspect(fields.time("since")?)),
        "returned" => Ok(LocationReporting::Returned),
        _ => Err(fields.invalid("state", "expected awaited, silent, suspect or returned")),
    }
}
