//! The decision row of a group: open incidents, advisories, locations in trouble, and what waits to be told.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use portpulse_core::group_state::{Advisory, DecisionState, LocationReporting};
use portpulse_core::id::MonitorId;
use portpulse_core::time::{Interval, Tick};

use super::fields::{Fields, Map};
use super::{begin, closed_incident, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, REVISION};

const ADVISORY: &str = "advisory";
const BROKEN: &str = "broken";
const MORE_BROKEN: &str = "more_broken";
/// What follows the name of a track where its changes are kept.
const CHANGES: &str = "_changes";

pub(crate) fn encode(key: &Key, row: &DecisionState) -> Item {
    let locations = row.locations.iter();
    let closed = row.closed.iter();
    let begun = match row.more_broken {
        0 => begin(key),
        more => begin(key).number(MORE_BROKEN, more),
    };
    begun
        .number(REVISION, row.revision)
        .map("monitors", encode_monitors(row))
        .map(
            "locations",
            locations.map(|(location, state)| (location.to_string(), encode_state(*state))),
        )
        .outbox(&row.outbox)
        .list("closed", closed.map(closed_incident::encode_inner))
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<DecisionState, Malformed> {
    let fields = open(item)?;
    let locations = fields.map("locations")?;
    let location = |name| Ok((locations.key(name)?, decode_state(&locations.map(name)?)?));
    let closed = fields.maps("closed")?;
    let mut row = DecisionState {
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
    let monitors = fields.map("monitors")?;
    for id in monitors.names() {
        decode_monitor(id, &monitors, &mut row)?;
    }
    Ok(row)
}

/// Whatever is kept of one monitor stands under its id, which is so written once.
fn encode_monitors(row: &DecisionState) -> impl Iterator<Item = (String, AttributeValue)> + use<> {
    let mut monitors = BTreeMap::<String, Map>::new();
    let mut add = |id: &str, name: &str, value| {
        let known = monitors.remove(id).unwrap_or_default();
        monitors.insert(id.to_owned(), known.with(name, value));
    };
    for ((id, track), incident) in &row.incidents {
        let value = Map::default().incident(incident).into_value();
        add(id.as_str(), track.as_str(), value);
    }
    for (id, advisory) in &row.advisories {
        add(id.as_str(), ADVISORY, encode_advisory(advisory));
    }
    for ((id, track), ticks) in &row.changes {
        let name = format!("{}{CHANGES}", track.as_str());
        add(id.as_str(), &name, AttributeValue::S(encode_changes(ticks)));
    }
    for id in &row.broken {
        add(id, BROKEN, AttributeValue::Bool(true));
    }
    monitors.into_iter().map(|(id, map)| (id, map.into_value()))
}

fn decode_monitor(id: &str, monitors: &Fields<'_>, row: &mut DecisionState) -> Result<(), Malformed> {
    let fields = monitors.map(id)?;
    for name in fields.names() {
        if name == BROKEN {
            // An id that may not even be one.
            fields.flag(name)?;
            row.broken.insert(id.to_owned());
            continue;
        }
        let monitor: MonitorId = monitors.key(id)?;
        if name == ADVISORY {
            row.advisories
                .insert(monitor, decode_advisory(&fields.map(name)?)?);
        } else if let Some(track) = name.strip_suffix(CHANGES) {
            let track = track.parse().map_err(|error| fields.nonsense(name, error))?;
            row.changes
                .insert((monitor, track), decode_changes(name, &fields)?);
        } else {
            let incident = fields.map(name)?.incident()?;
            row.incidents.insert((monitor, fields.key(name)?), incident);
        }
    }
    Ok(())
}

/// Ticks as minutes: since the Unix epoch for the first, since the one before for the others. There are many, and each
/// weighs two or three bytes so.
fn encode_changes(ticks: &[Tick]) -> String {
    let mut before = 0;
    let minutes = ticks.iter().map(|tick| {
        let minute = tick.as_second().div_euclid(60);
        (minute - std::mem::replace(&mut before, minute)).to_string()
    });
    minutes.collect::<Vec<_>>().join(" ")
}

fn decode_changes(name: &str, fields: &Fields<'_>) -> Result<Vec<Tick>, Malformed> {
    let text = fields.str(name)?;
    let nonsense = || fields.nonsense(name, "it is no list of minutes, such as 29922097 3 1");
    let mut before = 0_i64;
    let tick = |word: &str| {
        let minute = word.parse::<i64>().ok()?.checked_add(before)?;
        before = minute;
        let time = Timestamp::from_second(minute.checked_mul(60)?).ok()?;
        Some(Tick::containing(time, Interval::OneMinute))
    };
    let ticks: Option<Vec<_>> = text.split_ascii_whitespace().map(tick).collect();
    ticks.ok_or_else(nonsense)
}

fn encode_advisory(advisory: &Advisory) -> AttributeValue {
    Map::default()
        .text("opened", advisory.opened)
        .number(REVISION, advisory.revision)
        .notified(advisory.notified)
        .into_value()
}

fn decode_advisory(fields: &Fields<'_>) -> Result<Advisory, Malformed> {
    Ok(Advisory {
        opened: fields.text("opened")?,
        revision: fields.number(REVISION)?,
        notified: fields.notified()?,
    })
}

fn encode_state(state: LocationReporting) -> AttributeValue {
    let (word, since) = match state {
        LocationReporting::Awaited(since) => ("awaited", Some(since)),
        LocationReporting::Silent(since) => ("silent", Some(since)),
        LocationReporting::Suspect(since) => ("suspect", Some(since)),
        LocationReporting::Returned => ("returned", None),
    };
    Map::default()
        .text("state", word)
        .optional_text("since", since)
        .into_value()
}

fn decode_state(fields: &Fields<'_>) -> Result<LocationReporting, Malformed> {
    match fields.str("state")? {
        "awaited" => Ok(LocationReporting::Awaited(fields.time("since")?)),
        "silent" => Ok(LocationReporting::Silent(fields.time("since")?)),
        "suspect" => Ok(LocationReporting::Suspect(fields.time("since")?)),
        "returned" => Ok(LocationReporting::Returned),
        _ => Err(fields.nonsense("state", "it is none of awaited, silent, suspect, returned")),
    }
}
