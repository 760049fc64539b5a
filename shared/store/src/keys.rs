//! Where each item stands: the only place that spells partition and sort keys.

use std::fmt;

use jiff::tz::Offset;
use portpulse_core::board::ClosedIncident;
use portpulse_core::group::GroupId;
use portpulse_core::id::{MonitorId, Region};
use portpulse_core::time::Tick;

/// The name of the partition key.
pub const PK: &str = "pk";
/// The name of the sort key.
pub const SK: &str = "sk";
/// The name of the attribute by which DynamoDB lets items expire: seconds since the Unix epoch.
pub const EXPIRES_AT: &str = "expires_at";

/// The sort key of a group's verdict row, and of the fleet's.
const VERDICT: &str = "verdict";
const REGION: &str = "region#";

/// Where an item stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its partition key.
    pub pk: String,
    /// Its sort key.
    pub sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pk.escape_debug(), self.sk.escape_debug())
    }
}

/// The partition of a group's definitions.
pub fn definitions(group: GroupId) -> String {
    format!("monitors#{group}")
}

/// A monitor's definition; the id may be one that no monitor can have, so that it can be deleted.
pub fn definition(group: GroupId, id: &str) -> Key {
    Key::new(definitions(group), id)
}

/// The partition of a group's board.
pub fn board(group: GroupId) -> String {
    format!("board#{group}")
}

/// A region's row on a group's board.
pub fn region_row(group: GroupId, region: &Region) -> Key {
    Key::new(board(group), format!("{REGION}{region}"))
}

/// A group's verdict row.
pub fn verdict_row(group: GroupId) -> Key {
    Key::new(board(group), VERDICT)
}

/// The row on which all groups note what they know of the regions.
pub fn fleet_row() -> Key {
    Key::new("board#fleet", VERDICT)
}

/// What one region saw in one tick.
pub fn results(group: GroupId, tick: Tick, region: &Region) -> Key {
    let time = Offset::UTC.to_datetime(tick.timestamp());
    let (date, time) = (time.date(), time.time());
    Key::new(format!("results#{group}#{date}"), format!("{time}#{region}"))
}

/// A closed incident, in the month in which it opened.
pub fn closed_incident(closed: &ClosedIncident) -> Key {
    let opened = Offset::UTC.to_datetime(closed.incident.opened.timestamp());
    let pk = format!("incidents#{:04}-{:02}", opened.year(), opened.month());
    Key::new(pk, closed.key())
}

/// The partition of what people have said of monitors.
pub fn controls() -> String {
    "controls".to_owned()
}

/// What people have said of one monitor.
pub fn control(monitor: &MonitorId) -> Key {
    Key::new(controls(), monitor.as_str())
}

/// That a notification has reached a destination of the relay.
pub fn relayed(destination: &str, id: &str) -> Key {
    Key::new(format!("relayed#{destination}"), id)
}

/// Which row of a board an item is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    /// A region's.
    Region(Region),
    /// The verdict row.
    Verdict,
    /// None that this version knows.
    Other(String),
}

impl RowKey {
    /// Reads the sort key of an item of a board.
    pub fn of(sk: &str) -> Self {
        let region = sk.strip_prefix(REGION).and_then(|name| name.parse().ok());
        match region {
            Some(region) => Self::Region(region),
            None if sk == VERDICT => Self::Verdict,
            None => Self::Other(sk.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_core::board::{Ending, Incident, Told, Track, Verdict};

    #[test]
    fn every_key_is_spelt_as_documented() {
        let group: GroupId = "1m#0".parse().unwrap();
        let region: Region = "eu-west-1".parse().unwrap();
        let monitor: MonitorId = "orders-db".parse().unwrap();
        let tick: Tick = "2026-11-22T05:41:00Z".parse().unwrap();
        let closed = ClosedIncident {
            monitor: monitor.clone(),
            track: Track::Health,
            incident: Incident {
                verdict: Verdict::Down,
                opened: tick,
                revision: 7,
                since: tick,
                finding: None,
                told: Told::NotYet,
            },
            closed: "2026-12-01T00:00:00Z".parse().unwrap(),
            ending: Ending::Recovered,
        };
        for (key, text) in [
            (definition(group, "orders-db"), "monitors#1m#0/orders-db"),
            (region_row(group, &region), "board#1m#0/region#eu-west-1"),
            (verdict_row(group), "board#1m#0/verdict"),
            (fleet_row(), "board#fleet/verdict"),
            (
                results(group, tick, &region),
                "results#1m#0#2026-11-22/05:41:00#eu-west-1",
            ),
            (
                closed_incident(&closed),
                "incidents#2026-11/2026-11-22T05:41:00Z#orders-db#7#health",
            ),
            (control(&monitor), "controls/orders-db"),
            (
                relayed("ops", "orders-db@x.7/down"),
                "relayed#ops/orders-db@x.7/down",
            ),
        ] {
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn rows_of_a_board_are_told_apart() {
        let region = RowKey::Region("eu-west-1".parse().unwrap());
        for (sk, row) in [
            ("verdict", RowKey::Verdict),
            ("region#eu-west-1", region),
            ("region#EU", RowKey::Other("region#EU".to_owned())),
            ("verdicts", RowKey::Other("verdicts".to_owned())),
            ("", RowKey::Other(String::new())),
        ] {
            assert_eq!(RowKey::of(sk), row);
        }
    }
}
