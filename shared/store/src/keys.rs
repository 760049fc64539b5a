//! Partition and sort keys of all items. No other module builds keys.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::ClosedIncident;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::period::{Grain, Period};
use portpulse_core::time::Tick;

/// The name of the partition key.
pub const PK: &str = "pk";
/// The name of the sort key.
pub const SK: &str = "sk";
/// The name of the attribute with the time of expiry, in seconds since the Unix epoch (DynamoDB time to live).
pub const EXPIRES_AT: &str = "expires_at";

/// The sort key of a group's decision state and of the fleet state.
const DECISION: &str = "decision";
const LOCATION: &str = "location#";
const EXPECTS: &str = "expects#";
/// The partition of the standby table with what locations know of home.
const HOME: &str = "home";
/// Sorts after every name and time.
const LAST: &str = "~";

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
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

/// A range of sort keys in a partition, and the order in which the items are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The partition key.
    pub pk: String,
    /// The lowest sort key, inclusive.
    pub from: String,
    /// The highest sort key, inclusive.
    pub to: String,
    /// The sort key of the last item read, if a page was read before.
    pub after: Option<String>,
    /// The order of the items.
    pub order: Order,
}

/// The order in which a key range is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From the lowest sort key.
    Ascending,
    /// From the highest sort key.
    Descending,
}

/// The partition key of a group's definitions.
pub fn definitions(group: GroupId) -> String {
    format!("monitors#{group}")
}

/// The key range of a group's definitions, ordered by id.
pub fn definitions_of(group: GroupId) -> KeyRange {
    KeyRange {
        order: Order::Ascending,
        ..whole(definitions(group))
    }
}

/// The key of a definition. Accepts invalid ids, so that invalid definitions can be deleted.
pub fn definition(group: GroupId, id: &str) -> Key {
    Key::new(definitions(group), id)
}

/// The partition key of a group's state.
pub fn group_state(group: GroupId) -> String {
    format!("group#{group}")
}

/// The key of a location's state in a group.
pub fn location_state(group: GroupId, location: &Location) -> Key {
    Key::new(group_state(group), format!("{LOCATION}{location}"))
}

/// The key of the item that lists a location as expected to report for a group. The item has keys only, and possibly
/// an owner.
pub fn expectation(group: GroupId, location: &Location) -> Key {
    Key::new(group_state(group), format!("{EXPECTS}{location}"))
}

/// The key of a group's decision state.
pub fn decision_state(group: GroupId) -> Key {
    Key::new(group_state(group), DECISION)
}

/// The key of the fleet state, in which all groups record problems of locations.
pub fn fleet_state() -> Key {
    Key::new("fleet", DECISION)
}

/// The key of the loss of home, in the standby table.
pub fn home_loss() -> Key {
    Key::new(HOME, "lost")
}

/// The key of a location's failures to reach home for a group, in the standby table.
pub fn home_failures(group: GroupId, location: &Location) -> Key {
    Key::new(HOME, format!("failing#{group}#{location}"))
}

/// The key of the item that names the standby table, in the home table.
pub fn standby() -> Key {
    Key::new("standby", "standby")
}

/// The key of one location's results of one tick.
pub fn results(group: GroupId, tick: Tick, location: &Location) -> Key {
    let time = Offset::UTC.to_datetime(tick.timestamp());
    let (date, time) = (time.date(), time.time());
    Key::new(format!("results#{group}#{date}"), format!("{time}#{location}"))
}

/// The results of all locations on one day, the latest first.
pub fn results_of_day(group: GroupId, day: Period) -> KeyRange {
    whole(format!("results#{group}#{}", day.day()))
}

/// The results of all locations in one hour, the latest first.
pub fn results_of_hour(group: GroupId, hour: Period) -> KeyRange {
    let time = Offset::UTC.to_datetime(hour.start()).hour();
    KeyRange {
        from: format!("{time:02}:"),
        to: format!("{time:02}:{LAST}"),
        ..results_of_day(group, hour)
    }
}

/// Parses the sort key of results: time of day and location.
pub(crate) fn parse_results(day: &str, sk: &str) -> Option<(Tick, Location)> {
    let (time, location) = sk.split_once('#')?;
    let tick = format!("{day}T{time}Z").parse().ok()?;
    Some((tick, location.parse().ok()?))
}

/// The key of one location's rollup of an hour or a day.
pub fn rollup(group: GroupId, period: Period, location: &Location) -> Key {
    Key::new(rollups_of(group, period.grain()), format!("{period}#{location}"))
}

/// The rollups of all locations from the period `first` to the period `last`, inclusive; the latest first.
pub fn rollups(group: GroupId, first: Period, last: Period) -> KeyRange {
    KeyRange {
        pk: rollups_of(group, last.grain()),
        from: format!("{first}#"),
        to: format!("{last}#{LAST}"),
        after: None,
        order: Order::Descending,
    }
}

/// The key of one location's times of each phase, over an hour or a day.
pub fn phase_rollup(group: GroupId, period: Period, location: &Location) -> Key {
    Key::new(
        phase_rollups_of(group, period.grain()),
        rollup(group, period, location).sk,
    )
}

/// The times of each phase of all locations, in the range of [`rollups`].
pub fn phase_rollups(group: GroupId, first: Period, last: Period) -> KeyRange {
    KeyRange {
        pk: phase_rollups_of(group, last.grain()),
        ..rollups(group, first, last)
    }
}

/// A separate partition, so that readers of rollups don't pay for these items.
fn phase_rollups_of(group: GroupId, grain: Grain) -> String {
    format!("{}#phases", rollups_of(group, grain))
}

fn rollups_of(group: GroupId, grain: Grain) -> String {
    match grain {
        Grain::Hour => format!("hourly#{group}"),
        Grain::Day => format!("daily#{group}"),
    }
}

/// The partition key of the banners of a group's services.
pub fn banners(group: GroupId) -> String {
    format!("banners#{group}")
}

/// The key of the banners that one location received.
pub fn banners_of(group: GroupId, location: &Location) -> Key {
    Key::new(banners(group), format!("{LOCATION}{location}"))
}

/// Parses the sort key of banners.
pub(crate) fn parse_banners(sk: &str) -> Option<Location> {
    sk.strip_prefix(LOCATION)?.parse().ok()
}

/// The key of part `number` of a summary with `of` parts. The first part has the key of the whole; the others sort
/// directly after it.
pub(crate) fn part(whole: &Key, number: u32, of: u32) -> Key {
    match number {
        0 => whole.clone(),
        number => Key::new(&whole.pk, format!("{}#{number}/{of}", whole.sk)),
    }
}

/// Parses the sort key of a rollup or of a part of one.
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

/// The key of a closed incident, in the partition of the month in which the incident closed. Readers of a period need
/// not know how long incidents lasted.
pub fn closed_incident(closed: &ClosedIncident) -> Key {
    Key::new(incidents_of(closed.closed.timestamp()), closed.key())
}

/// The incidents that closed in the month of `time`, the last opened first.
pub fn incidents_of_month(time: Timestamp) -> KeyRange {
    whole(incidents_of(time))
}

fn incidents_of(time: Timestamp) -> String {
    let month = Offset::UTC.to_datetime(time);
    format!("incidents#{:04}-{:02}", month.year(), month.month())
}

/// A whole partition in descending order. The sort keys must begin with a digit or a later character.
fn whole(pk: String) -> KeyRange {
    KeyRange {
        pk,
        from: "0".to_owned(),
        to: LAST.to_owned(),
        after: None,
        order: Order::Descending,
    }
}

/// The partition key of silences and acknowledgements.
pub fn controls() -> String {
    "controls".to_owned()
}

/// The key of the silence and the acknowledgement of one monitor.
pub fn control(monitor: &MonitorId) -> Key {
    Key::new(controls(), monitor.as_str())
}

/// The partition key of operators' notes.
pub fn operator_notes() -> String {
    "notes".to_owned()
}

/// The key of a note: its incident and its time.
pub fn operator_note(note: &OperatorNote) -> Key {
    Key::new(operator_notes(), format!("{}#{}", note.incident, note.at))
}

/// The key of the claim of a month's report.
pub fn report(month: &str) -> Key {
    Key::new("reports".to_owned(), month)
}

/// The key of the relay's ledger: the notifications about one incident that one destination received.
pub fn relayed(destination: &str, incident: &str) -> Key {
    Key::new(format!("relayed#{destination}"), incident)
}

/// The kind of an item in the partition of a group's state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupStateKey {
    /// The item that lists an expected location.
    Expectation(Location),
    /// The state of a location.
    Location(Location),
    /// The decision state.
    Decision,
    /// Another sort key, unknown to this version.
    Unknown(String),
}

impl GroupStateKey {
    /// Parses a sort key.
    pub fn of(sk: &str) -> Self {
        let location_after = |prefix| sk.strip_prefix(prefix)?.parse().ok();
        if sk == DECISION {
            Self::Decision
        } else if let Some(location) = location_after(LOCATION) {
            Self::Location(location)
        } else if let Some(location) = location_after(EXPECTS) {
            Self::Expectation(location)
        } else {
            Self::Unknown(sk.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_core::group_state::{Ending, Incident, Notified, Stability, Status, Track, Urgency};

    #[test]
    fn keys_match_documented_format() {
        let group: GroupId = "1m#0".parse().unwrap();
        let location: Location = "eu-west-1".parse().unwrap();
        let monitor: MonitorId = "orders-db".parse().unwrap();
        let tick: Tick = "2026-11-22T05:41:00Z".parse().unwrap();
        let closed = ClosedIncident {
            monitor: monitor.clone(),
            track: Track::Health,
            incident: Incident {
                cluster: None,
                cause_changes: Vec::new(),
                flapped_until: None,
                diagnosis: None,
                status: Status::Down,
                opened: tick,
                revision: 7,
                since: tick,
                finding: None,
                notified: Notified::NotYet,
                urgency: Urgency::Normal,
                stability: Stability::Steady,
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
                phase_rollup(group, "2026-11-22T05".parse().unwrap(), &location),
                "hourly#1m#0#phases/2026-11-22T05#eu-west-1",
            ),
            (
                phase_rollup(group, "2026-11-22".parse().unwrap(), &location),
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
            (banners_of(group, &location), "banners#1m#0/location#eu-west-1"),
            (control(&monitor), "controls/orders-db"),
            (report("2026-10"), "reports/2026-10"),
            (
                relayed("ops", "orders-db@2026-11-22T05:40:00Z.7"),
                "relayed#ops/orders-db@2026-11-22T05:40:00Z.7",
            ),
        ] {
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn key_ranges_contain_only_their_own_keys() {
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
                let other = phase_rollup(group, period(day), location);
                let others = phase_rollups(group, period("2026-11-20"), period("2026-11-22"));
                assert_eq!(contains(&others, &other), inside, "{day}");
                assert!(!contains(&days, &other), "{day}");
                let key = rollup(group, period(day), location);
                assert_eq!(
                    (key.pk.as_str(), contains(&days, &key)),
                    ("daily#5m#1", inside),
                    "{day}"
                );
                for number in 0..3 {
                    let part = part(&key, number, 3);
                    assert_eq!(contains(&days, &part), inside, "{part}");
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
            assert!(contains(&day, &key), "{time}");
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
            assert_eq!(contains(&hour, &results(group, tick, &last)), inside, "{time}");
        }
        let month = incidents_of_month("2026-11-30T23:59:59Z".parse().unwrap());
        assert_eq!(month.pk, "incidents#2026-11");
        assert!(contains(
            &month,
            &Key::new("incidents#2026-11", "2026-11-01T00:00:00Z#a#1#health")
        ));
    }

    fn contains(key_range: &KeyRange, key: &Key) -> bool {
        key_range.pk == key.pk && key_range.from <= key.sk && key.sk <= key_range.to
    }

    #[test]
    fn sort_keys_of_group_state_are_parsed() {
        let location: Location = "eu-west-1".parse().unwrap();
        for (sk, row) in [
            ("decision", GroupStateKey::Decision),
            ("location#eu-west-1", GroupStateKey::Location(location.clone())),
            ("location#EU", GroupStateKey::Unknown("location#EU".to_owned())),
            ("expects#eu-west-1", GroupStateKey::Expectation(location)),
            ("expects#", GroupStateKey::Unknown("expects#".to_owned())),
            ("statuses", GroupStateKey::Unknown("statuses".to_owned())),
            ("", GroupStateKey::Unknown(String::new())),
        ] {
            assert_eq!(GroupStateKey::of(sk), row);
        }
    }
}
