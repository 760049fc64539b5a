//! Where each item stands: the only place that spells partition and sort keys.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::ClosedIncident;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::period::{Grain, Period};
use portpulse_core::time::Tick;

use crate::table::{KeyRange, Order};

/// The name of the partition key.
pub const PK: &str = "pk";
/// The name of the sort key.
pub const SK: &str = "sk";
/// The name of the attribute by which DynamoDB lets items expire: seconds since the Unix epoch.
pub const EXPIRES_AT: &str = "expires_at";

/// The sort key of a group's decision row, and of the fleet's.
const DECISION: &str = "decision";
const LOCATION: &str = "location#";
const EXPECTS: &str = "expects#";
/// Sorts behind every name and time.
const LAST: &str = "~";

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

/// The same as a stretch, in the order of the ids.
pub fn definitions_of(group: GroupId) -> KeyRange {
    KeyRange {
        order: Order::Ascending,
        ..whole(definitions(group))
    }
}

/// A monitor's definition; the id may be one that no monitor can have, so that it can be deleted.
pub fn definition(group: GroupId, id: &str) -> Key {
    Key::new(definitions(group), id)
}

/// The partition of a group's board.
pub fn group_state(group: GroupId) -> String {
    format!("group#{group}")
}

/// A location's row on a group's board.
pub fn location_state(group: GroupId, location: &Location) -> Key {
    Key::new(group_state(group), format!("{LOCATION}{location}"))
}

/// That a location should report to a group's board: an item that carries nothing but its keys.
pub fn expectation(group: GroupId, location: &Location) -> Key {
    Key::new(group_state(group), format!("{EXPECTS}{location}"))
}

/// A group's decision row.
pub fn decision_state(group: GroupId) -> Key {
    Key::new(group_state(group), DECISION)
}

/// The row on which all groups note what they know of the locations.
pub fn fleet_state() -> Key {
    Key::new("fleet", DECISION)
}

/// What one location saw in one tick.
pub fn results(group: GroupId, tick: Tick, location: &Location) -> Key {
    let time = Offset::UTC.to_datetime(tick.timestamp());
    let (date, time) = (time.date(), time.time());
    Key::new(format!("results#{group}#{date}"), format!("{time}#{location}"))
}

/// What all locations saw in the ticks of one day, the latest first.
pub fn results_of_day(group: GroupId, day: Period) -> KeyRange {
    whole(format!("results#{group}#{}", day.day()))
}

/// What all locations saw in the ticks of one hour, the latest first.
pub fn results_of_hour(group: GroupId, hour: Period) -> KeyRange {
    let time = Offset::UTC.to_datetime(hour.start()).hour();
    KeyRange {
        from: format!("{time:02}:"),
        to: format!("{time:02}:{LAST}"),
        ..results_of_day(group, hour)
    }
}

/// Reads the sort key of results: the time of day, and whose they are.
pub(crate) fn parse_results(day: &str, sk: &str) -> Option<(Tick, Location)> {
    let (time, location) = sk.split_once('#')?;
    let tick = format!("{day}T{time}Z").parse().ok()?;
    Some((tick, location.parse().ok()?))
}

/// What one location saw over an hour or a day.
pub fn rollup(group: GroupId, period: Period, location: &Location) -> Key {
    Key::new(rollups_of(group, period.grain()), format!("{period}#{location}"))
}

/// What all locations saw from one hour to another, or from one day to another, both included; the latest first.
pub fn rollups(group: GroupId, first: Period, last: Period) -> KeyRange {
    KeyRange {
        pk: rollups_of(group, last.grain()),
        from: format!("{first}#"),
        to: format!("{last}#{LAST}"),
        after: None,
        order: Order::Descending,
    }
}

/// The phases but the connect, as one location saw them over an hour or a day.
pub fn other_times(group: GroupId, period: Period, location: &Location) -> Key {
    Key::new(
        other_times_of(group, period.grain()),
        rollup(group, period, location).sk,
    )
}

/// The same as all locations saw it, from one hour to another, or from one day to another; as [`rollups`].
pub fn all_other_times(group: GroupId, first: Period, last: Period) -> KeyRange {
    KeyRange {
        pk: other_times_of(group, last.grain()),
        ..rollups(group, first, last)
    }
}

/// A partition of its own, so that who reads rollups does not pay for it.
fn other_times_of(group: GroupId, grain: Grain) -> String {
    format!("{}#phases", rollups_of(group, grain))
}

fn rollups_of(group: GroupId, grain: Grain) -> String {
    match grain {
        Grain::Hour => format!("hourly#{group}"),
        Grain::Day => format!("daily#{group}"),
    }
}

/// The partition of what services last said, of a group.
pub fn banners(group: GroupId) -> String {
    format!("banners#{group}")
}

/// What services last said to one location.
pub fn words_of(group: GroupId, location: &Location) -> Key {
    Key::new(banners(group), format!("{LOCATION}{location}"))
}

/// Reads the sort key of what services last said.
pub(crate) fn parse_words(sk: &str) -> Option<Location> {
    sk.strip_prefix(LOCATION)?.parse().ok()
}

/// Where one of several parts of a rollup stands, or of the other phases: the first where the whole would, the others
/// right behind it.
pub(crate) fn part(whole: &Key, number: u32, of: u32) -> Key {
    match number {
        0 => whole.clone(),
        number => Key::new(&whole.pk, format!("{}#{number}/{of}", whole.sk)),
    }
}

/// Reads the sort key of a rollup, whole or in part.
pub(crate) fn parse_rollup(sk: &str) -> Option<(Period, Location)> {
    let mut parts = sk.split('#');
    let (period, location) = (parts.next()?, parts.next()?);
    let is_part = |text: &str| {
        let numbers = text.split_once('/');
        numbers.is_some_and(|(number, of)| number.parse::<u32>().is_ok() && of.parse::<u32>().is_ok())
    };
    let known = parts.next().is_none_or(is_part) && parts.next().is_none();
    known.then_some((period.parse().ok()?, location.parse().ok()?))
}

/// A closed incident, in the month in which it closed: whoever reads from a time on need not know how long it lasted.
pub fn closed_incident(closed: &ClosedIncident) -> Key {
    Key::new(incidents_of(closed.closed.timestamp()), closed.key())
}

/// The incidents that closed in the month of `time`, the latest to open first.
pub fn incidents_of_month(time: Timestamp) -> KeyRange {
    whole(incidents_of(time))
}

fn incidents_of(time: Timestamp) -> String {
    let month = Offset::UTC.to_datetime(time);
    format!("incidents#{:04}-{:02}", month.year(), month.month())
}

/// A whole partition, from its end. Its sort keys begin with digits.
fn whole(pk: String) -> KeyRange {
    KeyRange {
        pk,
        from: "0".to_owned(),
        to: LAST.to_owned(),
        after: None,
        order: Order::Descending,
    }
}

/// The partition of what people have said of monitors.
pub fn controls() -> String {
    "controls".to_owned()
}

/// What people have said of one monitor.
pub fn control(monitor: &MonitorId) -> Key {
    Key::new(controls(), monitor.as_str())
}

/// What a destination of the relay has heard of an incident.
pub fn relayed(destination: &str, incident: &str) -> Key {
    Key::new(format!("relayed#{destination}"), incident)
}

/// Which row of a board an item is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    /// That a location should report.
    Expects(Location),
    /// A location's.
    Location(Location),
    /// The decision row.
    Status,
    /// None that this version knows.
    Other(String),
}

impl RowKey {
    /// Reads the sort key of an item of a board.
    pub fn of(sk: &str) -> Self {
        let location_behind = |prefix| sk.strip_prefix(prefix)?.parse().ok();
        if sk == DECISION {
            Self::Status
        } else if let Some(location) = location_behind(LOCATION) {
            Self::Location(location)
        } else if let Some(location) = location_behind(EXPECTS) {
            Self::Expects(location)
        } else {
            Self::Other(sk.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_core::group_state::{Ending, Incident, Notified, Stability, Status, Track, Urgency};

    #[test]
    fn every_key_is_spelt_as_documented() {
        let group: GroupId = "1m#0".parse().unwrap();
        let location: Location = "eu-west-1".parse().unwrap();
        let monitor: MonitorId = "orders-db".parse().unwrap();
        let tick: Tick = "2026-11-22T05:41:00Z".parse().unwrap();
        let closed = ClosedIncident {
            monitor: monitor.clone(),
            track: Track::Health,
            incident: Incident {
                status: Status::Down,
                opened: tick,
                revision: 7,
                since: tick,
                finding: None,
                notified: Notified::NotYet,
                urgency: Urgency::Usual,
                pace: Stability::Steady,
            },
            closed: "2026-12-01T00:00:00Z".parse().unwrap(),
            ending: Ending::Recovered,
        };
        for (key, text) in [
            (definition(group, "orders-db"), "monitors#1m#0/orders-db"),
            (location_state(group, &location), "group#1m#0/location#eu-west-1"),
            (expectation(group, &location), "group#1m#0/expects#eu-west-1"),
            (decision_state(group), "group#1m#0/decision"),
            (fleet_state(), "fleet/decision"),
            (
                results(group, tick, &location),
                "results#1m#0#2026-11-22/05:41:00#eu-west-1",
            ),
            (
                rollup(group, "2026-11-22T05".parse().unwrap(), &location),
                "hourly#1m#0/2026-11-22T05#eu-west-1",
            ),
            (
                rollup(group, "2026-11-22".parse().unwrap(), &location),
                "daily#1m#0/2026-11-22#eu-west-1",
            ),
            (
                other_times(group, "2026-11-22T05".parse().unwrap(), &location),
                "hourly#1m#0#phases/2026-11-22T05#eu-west-1",
            ),
            (
                other_times(group, "2026-11-22".parse().unwrap(), &location),
                "daily#1m#0#phases/2026-11-22#eu-west-1",
            ),
            (
                closed_incident(&closed),
                "incidents#2026-12/2026-11-22T05:41:00Z#orders-db#7#health",
            ),
            (
                part(&rollup(group, "2026-11-22".parse().unwrap(), &location), 1, 3),
                "daily#1m#0/2026-11-22#eu-west-1#1/3",
            ),
            (words_of(group, &location), "banners#1m#0/location#eu-west-1"),
            (control(&monitor), "controls/orders-db"),
            (
                relayed("ops", "orders-db@2026-11-22T05:40:00Z.7"),
                "relayed#ops/orders-db@2026-11-22T05:40:00Z.7",
            ),
        ] {
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn stretches_hold_the_keys_of_what_they_are_of_and_no_others() {
        let group: GroupId = "5m#1".parse().unwrap();
        let (first, last): (Location, Location) = ("0".parse().unwrap(), "z".repeat(32).parse().unwrap());
        let period = |text: &str| text.parse::<Period>().unwrap();
        let days = rollups(group, period("2026-11-20"), period("2026-11-22"));
        for (day, inside) in [
            ("2026-11-19", false),
            ("2026-11-20", true),
            ("2026-11-22", true),
            ("2026-11-23", false),
        ] {
            for location in [&first, &last] {
                let other = other_times(group, period(day), location);
                let others = all_other_times(group, period("2026-11-20"), period("2026-11-22"));
                assert_eq!(holds(&others, &other), inside, "{day}");
                assert!(!holds(&days, &other), "{day}");
                let key = rollup(group, period(day), location);
                assert_eq!(
                    (key.pk.as_str(), holds(&days, &key)),
                    ("daily#5m#1", inside),
                    "{day}"
                );
                for number in 0..3 {
                    let part = part(&key, number, 3);
                    assert_eq!(holds(&days, &part), inside, "{part}");
                    assert_eq!(
                        parse_rollup(&part.sk),
                        Some((period(day), location.clone())),
                        "{part}"
                    );
                }
            }
        }
        let day = results_of_day(group, period("2026-11-22T05"));
        for time in ["00:00:00", "23:59:00"] {
            let tick: Tick = format!("2026-11-22T{time}Z").parse().unwrap();
            let key = results(group, tick, &last);
            assert!(holds(&day, &key), "{time}");
            assert_eq!(parse_results("2026-11-22", &key.sk), Some((tick, last.clone())));
        }
        let hour = results_of_hour(group, period("2026-11-22T05"));
        for (time, inside) in [
            ("04:59:00", false),
            ("05:00:00", true),
            ("05:59:00", true),
            ("06:00:00", false),
        ] {
            let tick: Tick = format!("2026-11-22T{time}Z").parse().unwrap();
            assert_eq!(holds(&hour, &results(group, tick, &last)), inside, "{time}");
        }
        let month = incidents_of_month("2026-11-30T23:59:59Z".parse().unwrap());
        assert_eq!(month.pk, "incidents#2026-11");
        assert!(holds(
            &month,
            &Key::new("incidents#2026-11", "2026-11-01T00:00:00Z#a#1#health")
        ));
    }

    fn holds(key_range: &KeyRange, key: &Key) -> bool {
        key_range.pk == key.pk && key_range.from <= key.sk && key.sk <= key_range.to
    }

    #[test]
    fn rows_of_a_board_are_told_apart() {
        let location: Location = "eu-west-1".parse().unwrap();
        for (sk, row) in [
            ("decision", RowKey::Status),
            ("location#eu-west-1", RowKey::Location(location.clone())),
            ("location#EU", RowKey::Other("location#EU".to_owned())),
            ("expects#eu-west-1", RowKey::Expects(location)),
            ("expects#", RowKey::Other("expects#".to_owned())),
            ("statuses", RowKey::Other("statuses".to_owned())),
            ("", RowKey::Other(String::new())),
        ] {
            assert_eq!(RowKey::of(sk), row);
        }
    }
}
