//! The state of a location: the last tick, and the streaks of monitors that are not good there.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group_state::{Entry, Health, Impairment, LocationState, Streak, Streaks};

use super::attributes::{AttributeMap, AttributeReader};
use super::{RESULT_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, TICK};

pub(crate) fn encode(key: &Key, state: &LocationState) -> Item {
    let entries = state.entries.iter();
    begin_expiring(key, state.tick.as_second(), RESULT_DAYS)
        .text(TICK, state.tick)
        .map(
            "entries",
            entries.map(|(id, entry)| (id.to_string(), encode_entry(entry))),
        )
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<LocationState, Malformed> {
    let fields = open(item)?;
    let entries = fields.map("entries")?;
    let entry = |id| Ok((entries.key(id)?, decode_entry(&entries.map(id)?)?));
    Ok(LocationState {
        tick: fields.text(TICK)?,
        entries: entries.names().map(entry).collect::<Result<_, _>>()?,
    })
}

fn encode_entry(entry: &Entry) -> AttributeValue {
    let streaks = match entry {
        Entry::NoData { since } => return AttributeMap::default().text("no_data_since", since).into_value(),
        Entry::Seen(streaks) => streaks,
    };
    let map = AttributeMap::default()
        .text("seen", streaks.seen)
        .text("health", health_code(streaks.health.state))
        .number("ticks", streaks.health.ticks)
        .text("since", streaks.health.since)
        .finding(streaks.finding.as_ref())
        .failure_point(streaks.point.as_ref());
    match &streaks.quality {
        None => map,
        Some(quality) => map
            .text("quality", quality_code(quality.state))
            .number("quality_ticks", quality.ticks)
            .text("quality_since", quality.since),
    }
    .into_value()
}

fn decode_entry(fields: &AttributeReader<'_>) -> Result<Entry, Malformed> {
    if fields.has("no_data_since") {
        let since = fields.text("no_data_since")?;
        return Ok(Entry::NoData { since });
    }
    let health = Streak {
        state: fields.one_of("health", &[Health::Good, Health::Failing], health_code)?,
        ticks: fields.number("ticks")?,
        since: fields.text("since")?,
    };
    let quality = if fields.has("quality") {
        Some(Streak {
            state: fields.one_of(
                "quality",
                &[Impairment::Sound, Impairment::Impaired],
                quality_code,
            )?,
            ticks: fields.number("quality_ticks")?,
            since: fields.text("quality_since")?,
        })
    } else {
        None
    };
    Ok(Entry::Seen(Streaks {
        seen: fields.text("seen")?,
        health,
        quality,
        finding: fields.finding()?,
        point: fields.failure_point()?,
    }))
}

const fn health_code(health: Health) -> &'static str {
    match health {
        Health::Good => "good",
        Health::Failing => "failing",
    }
}

const fn quality_code(quality: Impairment) -> &'static str {
    match quality {
        Impairment::Sound => "sound",
        Impairment::Impaired => "impaired",
    }
}
