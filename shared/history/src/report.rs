//! The report of a month: uptime by monitor and group, incidents, and how the downtime is spread.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::Track;
use portpulse_core::id::MonitorId;
use portpulse_core::period::{Grain, Period};
use portpulse_core::uptime::{CheckedSeconds, Objective, ObservedTime, Outages};
use serde_json::{Value, json};

use crate::assemble::closed_by_monitor;
use crate::assemble::monitor_history::{checks_of_day, checks_of_hour};
use crate::figure;
use crate::snapshot::{GroupSnapshot, Snapshot};
use crate::view::Audience;

/// A month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

/// A text that is not a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a month such as 2026-10")]
pub struct InvalidMonth;

impl std::str::FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let date = format!("{text}-01").parse::<Date>().map_err(|_| InvalidMonth)?;
        let month = Self(date);
        // Only the canonical text.
        (month.to_string() == text).then_some(month).ok_or(InvalidMonth)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m"))
    }
}

impl Month {
    /// The month that contains a time.
    pub fn containing(time: Timestamp) -> Self {
        Self(Offset::UTC.to_datetime(time).date().first_of_month())
    }

    /// The month before this one.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(Span::new().months(1)))
    }

    /// The name, such as `October 2026`.
    pub fn title(self) -> String {
        self.0.strftime("%B %Y").to_string()
    }

    /// The name in a list that begins with the month `first`: `Oct`, with the year for the first and each December.
    pub fn short(self, first: Self) -> String {
        let has_year = self == first || self.0.month() == 12;
        self.0.strftime(if has_year { "%b %Y" } else { "%b" }).to_string()
    }

    /// The start.
    pub fn start(self) -> Timestamp {
        midnight(self.0)
    }

    /// The end, exclusive.
    pub fn end(self) -> Timestamp {
        midnight(self.0.saturating_add(Span::new().months(1)))
    }

    /// The first hour of the days in this month that have no rollup: the day of `now`, and in its first hour the day before.
    pub(crate) fn hours_without_day(self, now: Timestamp) -> Option<Period> {
        let day = now.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(now);
        let first = Period::containing(day, Grain::Day).start().max(self.start());
        (Self::containing(first) == self && first <= now).then(|| Period::containing(first, Grain::Hour))
    }
}

fn midnight(date: Date) -> Timestamp {
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    Offset::UTC.to_timestamp(midnight).unwrap_or(Timestamp::MAX)
}

/// The report of a month.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The month.
    pub month: Month,
    /// When the report was made; the current month is reported up to this time.
    pub at: Timestamp,
    /// The objective of the monitors without their own, if there is one.
    pub objective: Option<Objective>,
    /// The monitors, sorted by group and name.
    pub monitors: Vec<MonitorReport>,
    /// Whether a part of the history is missing, exceeds the read limit or cannot be read.
    pub is_incomplete: bool,
}

/// The month of one monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorReport {
    /// The id.
    pub id: MonitorId,
    /// The name for people.
    pub title: String,
    /// The label of its group.
    pub group: Option<String>,
    /// Its own objective.
    pub objective: Option<Objective>,
    /// The time that was observed, was an outage, or was maintenance.
    pub watched: ObservedTime,
    /// The time of the month without checks, outside of maintenance.
    pub unwatched: SignedDuration,
    /// The outages that began in the month.
    pub outages: u32,
    /// The mean time to recovery of the outages that ended in the month.
    pub mean_time_to_recovery: Option<SignedDuration>,
    /// The hour, the day and the week with the most downtime, by the length of [`WINDOWS`]; `None` without data, or if less
    /// than the length has passed.
    pub worst: [Option<ObservedTime>; 3],
}

/// The lengths of the windows of [`MonitorReport::worst`].
pub const WINDOWS: [SignedDuration; 3] = [
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(7 * 24),
];

impl Report {
    /// The objective of a monitor, and the downtime that it still allows in the whole month; negative if exceeded.
    pub fn objective_of(&self, monitor: &MonitorReport) -> Option<(Objective, SignedDuration)> {
        let objective = monitor.objective.or(self.objective)?;
        let whole = self.month.end().duration_since(self.month.start());
        let allowed = whole.as_secs_f64() * (1.0 - objective.share());
        let allowed = SignedDuration::try_from_secs_f64(allowed).unwrap_or(SignedDuration::ZERO);
        let left = allowed - SignedDuration::from_secs(monitor.watched.down_seconds());
        Some((objective, left))
    }

    /// Whether a monitor has an objective.
    pub fn has_objectives(&self) -> bool {
        self.objective.is_some() || self.monitors.iter().any(|monitor| monitor.objective.is_some())
    }

    /// The observed time of each group together.
    pub fn groups(&self) -> BTreeMap<&str, ObservedTime> {
        let mut groups: BTreeMap<&str, ObservedTime> = BTreeMap::new();
        for monitor in &self.monitors {
            let group = monitor.group.as_deref().unwrap_or("No group");
            let sum = groups.entry(group).or_default();
            *sum = sum.and(monitor.watched);
        }
        groups
    }

    /// The report as one JSON object.
    pub fn json(&self) -> Value {
        let seconds = |length: SignedDuration| length.as_secs();
        let window = |worst: Option<ObservedTime>| {
            worst.map(|worst| json!({ "uptime": worst.uptime(), "watched_seconds": worst.seconds() }))
        };
        let monitors = self.monitors.iter().map(|monitor| {
            let objective = self.objective_of(monitor);
            json!({
                "id": monitor.id.as_str(),
                "name": monitor.title,
                "group": monitor.group,
                "uptime": monitor.watched.uptime(),
                "watched_seconds": monitor.watched.seconds(),
                "down_seconds": monitor.watched.down_seconds(),
                "maintenance_seconds": monitor.watched.maintenance_seconds(),
                "unwatched_seconds": seconds(monitor.unwatched),
                "outages": monitor.outages,
                "mean_time_to_recovery_seconds": monitor.mean_time_to_recovery.map(seconds),
                "worst_hour": window(monitor.worst[0]),
                "worst_day": window(monitor.worst[1]),
                "worst_week": window(monitor.worst[2]),
                "objective": objective.map(|(objective, _)| objective.share()),
                "objective_left_seconds": objective.map(|(_, left)| seconds(left)),
            })
        });
        json!({
            "month": self.month.to_string(),
            "at": self.at.to_string(),
            "objective": self.objective.map(Objective::share),
            "incomplete": self.is_incomplete,
            "monitors": monitors.collect::<Vec<_>>(),
        })
    }

    /// The report as CSV (RFC 4180, but with line feeds alone), one line for each monitor.
    pub fn csv(&self) -> String {
        let mut csv = "monitor,name,group,uptime,watched_seconds,down_seconds,maintenance_seconds,unwatched_seconds,outages,\
            mean_time_to_recovery_seconds,worst_hour,worst_hour_watched_seconds,worst_day,worst_day_watched_seconds,\
            worst_week,worst_week_watched_seconds,objective,objective_left_seconds\n"
            .to_owned();
        let number = |share: Option<f64>| share.map(|share| format!("{share:.6}")).unwrap_or_default();
        for monitor in &self.monitors {
            let objective = self.objective_of(monitor);
            let left = objective.map(|(_, left)| left.as_secs().to_string());
            let objective = number(objective.map(|(objective, _)| objective.share()));
            let recovery = monitor
                .mean_time_to_recovery
                .map(|mean| mean.as_secs().to_string());
            let worst = monitor.worst.iter().flat_map(|worst| {
                let watched = worst.map(|worst| worst.seconds().to_string());
                [
                    number(worst.and_then(ObservedTime::uptime)),
                    watched.unwrap_or_default(),
                ]
            });
            let fields = [
                quoted(monitor.id.as_str()),
                quoted(&monitor.title),
                quoted(monitor.group.as_deref().unwrap_or_default()),
                number(monitor.watched.uptime()),
                monitor.watched.seconds().to_string(),
                monitor.watched.down_seconds().to_string(),
                monitor.watched.maintenance_seconds().to_string(),
                monitor.unwatched.as_secs().to_string(),
                monitor.outages.to_string(),
                recovery.unwrap_or_default(),
            ];
            let fields = fields
                .into_iter()
                .chain(worst)
                .chain([objective, left.unwrap_or_default()]);
            csv += &fields.collect::<Vec<_>>().join(",");
            csv.push('\n');
        }
        csv
    }
}

/// A field of CSV. A text that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@']);
    let text = text.replace('"', "\"\"");
    format!("\"{}{text}\"", if formula { "'" } else { "" })
}

/// The uptime of a worst window, and what it rests on if that is less than the window: `0% of 36 min`.
pub fn window_text(worst: Option<ObservedTime>, window: SignedDuration) -> Option<String> {
    let share = figure::percent(worst?.uptime()?);
    Some(match figure::uptime_basis(worst, window) {
        Some(basis) => format!("{share} {basis}"),
        None => share,
    })
}

/// What the objective leaves, as text: `12 min left`, or `exceeded by 3 min`.
pub fn left_text(left: SignedDuration) -> String {
    match left.is_negative() {
        true => format!("exceeded by {}", figure::duration(left.abs())),
        false => format!("{} left", figure::duration(left)),
    }
}

/// Assembles the report of a month from its days (and the hours and checks of the day that is not over) and incidents.
pub(crate) fn assemble(
    snapshot: &Snapshot,
    month: Month,
    audience: Audience,
    objective: Option<Objective>,
    now: Timestamp,
) -> Report {
    let closed = closed_by_monitor(snapshot);
    let end = month.end().min(now);
    let mut monitors = Vec::new();
    for (group, known) in &snapshot.groups {
        let defined = known.definitions.monitors.values();
        for monitor in defined.filter(|monitor| audience.may_see(monitor)) {
            let closed = closed.get(monitor.id()).map_or(&[][..], Vec::as_slice);
            let open = known.group_state.decision.incidents.iter();
            let open = open.filter(|((of, _), _)| of == monitor.id());
            let outages = Outages::of(
                closed.iter().copied(),
                open.clone().map(|((_, track), incident)| (*track, incident)),
                now,
            );
            let windows = monitor.alert_policy().maintenance.iter();
            let outages = outages.except(windows.flat_map(|window| window.within(month.start(), end)));
            let of_health = closed.iter().filter(|closed| closed.track == Track::Health);
            let is_within = |time: Timestamp| (month.start()..end).contains(&time);
            let recoveries = of_health.clone().filter_map(|closed| {
                let at = closed.closed.timestamp();
                is_within(at).then(|| at.duration_since(closed.incident.since.timestamp()))
            });
            let begun = of_health.map(|closed| closed.incident.since);
            let begun = begun.chain(
                open.filter(|((_, track), _)| *track == Track::Health)
                    .map(|(_, incident)| incident.since),
            );
            let days = checked_days(known, *group, monitor, month, now);
            let watched = days.iter().fold(ObservedTime::default(), |sum, (day, checked)| {
                sum.and(outages.observed_for(*day, now, *checked))
            });
            let seen = watched.seconds() + watched.maintenance_seconds();
            let elapsed = end.duration_since(month.start()).as_secs().max(0);
            monitors.push(MonitorReport {
                id: monitor.id().clone(),
                title: monitor
                    .about()
                    .name
                    .clone()
                    .unwrap_or_else(|| monitor.id().to_string()),
                group: monitor.about().group.clone(),
                objective: monitor.about().objective,
                watched,
                unwatched: SignedDuration::from_secs((elapsed - seen).max(0)),
                outages: u32::try_from(begun.filter(|since| is_within(since.timestamp())).count())
                    .unwrap_or(u32::MAX),
                mean_time_to_recovery: mean(&recoveries.collect::<Vec<_>>()),
                worst: WINDOWS.map(|window| outages.worst_window(&days, end, window.as_secs())),
            });
        }
    }
    monitors.sort_by(|one, other| {
        let key = |monitor: &MonitorReport| {
            (
                monitor.group.is_none(),
                monitor.group.clone(),
                monitor.title.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    let first = Period::containing(month.start(), Grain::Day);
    let first_hour = month.hours_without_day(now);
    let lacks = |known: &GroupSnapshot| {
        known.days.since.is_none_or(|since| since > first)
            || first_hour.is_some_and(|first_hour| {
                known.hours.since.is_none_or(|since| since > first_hour) || !known.running.is_complete
            })
    };
    Report {
        month,
        at: now,
        objective,
        monitors,
        is_incomplete: !snapshot.all_closed || snapshot.groups.values().any(lacks),
    }
}

fn mean(lengths: &[SignedDuration]) -> Option<SignedDuration> {
    let count = i64::try_from(lengths.len()).ok().filter(|count| *count > 0)?;
    let sum: i64 = lengths.iter().map(SignedDuration::as_secs).sum();
    Some(SignedDuration::from_secs(sum / count))
}

/// The time of the checks of each day of a month, up to now.
fn checked_days(
    known: &GroupSnapshot,
    group: GroupId,
    monitor: &Monitor,
    month: Month,
    now: Timestamp,
) -> Vec<(Period, CheckedSeconds)> {
    let first = Period::containing(month.start(), Grain::Day);
    let days = (0..31).map(|number| first.later(number));
    let days = days.take_while(|day| day.start() < month.end().min(now));
    let checked = days.map(|day| {
        let hours: Vec<_> = day
            .hours()
            .map(|hour| checks_of_hour(known, monitor.id(), hour))
            .collect();
        let checks = checks_of_day(known, monitor.id(), day, hours.iter());
        let checks = checks.values().map(|checks| (checks.good, checks.failing));
        (day, CheckedSeconds::of(checks, group.interval))
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn month_is_read_and_has_neighbours() {
        let month: Month = "2026-03".parse().unwrap();
        assert_eq!(month.title(), "March 2026");
        assert_eq!(
            (month.start().to_string(), month.end().to_string()),
            (
                "2026-03-01T00:00:00Z".to_owned(),
                "2026-04-01T00:00:00Z".to_owned()
            )
        );
        assert_eq!(month.before().to_string(), "2026-02");
        let first: Month = "2026-02".parse().unwrap();
        let list = std::iter::successors(Some(first), |month| Some(month.before()));
        let names: Vec<_> = list.take(4).map(|month| month.short(first)).collect();
        assert_eq!(names, ["Feb 2026", "Jan", "Dec 2025", "Nov"]);
        for text in ["2026-3", "2026-13", "2026", "", "2026-03-01", "../x"] {
            assert_eq!(text.parse::<Month>(), Err(InvalidMonth), "{text}");
        }
    }

    #[test]
    fn csv_fields_are_quoted_and_are_no_formulas() {
        assert_eq!(quoted("a\"b,c"), "\"a\"\"b,c\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }
}
