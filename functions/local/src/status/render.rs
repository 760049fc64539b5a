//! The output of `portpulse status`, as text or JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_alert::{cause_text, elapsed, plain};
use portpulse_core::control::{Note, Silence};
use portpulse_core::decide::View;
use portpulse_core::group_state::{Finding, LocationProblem, Status};
use portpulse_core::id::MonitorId;
use portpulse_history::view::Maintenance;
use serde::Serialize;

use super::summary::{MonitorSummary, OpenIncident, StatusSummary};
use crate::output::{BAD, CommandError, GOOD, WARNING, clock_time, count_of};
use crate::text_table::{self, Cell};

/// The maximum bytes of external text in a line, such as a banner or an error.
const MAX_TEXT_LENGTH: usize = 120;

/// The totals, then the problems by severity, then maintenance, silences and acknowledgements.
pub(crate) fn lines(summary: &StatusSummary) -> Vec<String> {
    let now = summary.now;
    let mut lines = vec![sum(summary)];
    let mut bad: Vec<_> = summary
        .monitors
        .iter()
        .filter(|(_, found)| !found.is_healthy())
        .collect();
    // A stable sort keeps the order of ids within a status.
    bad.sort_by_key(|(_, found)| found.status.rank());
    let rows: Vec<_> = bad.iter().flat_map(|(id, found)| rows(id, found, now)).collect();
    lines.extend(text_table::lines(&rows));
    for ((location, problem), since) in &summary.locations {
        let what = match problem {
            LocationProblem::Silent => "does not report",
            LocationProblem::Suspect => {
                "is suspect: only this location sees most monitors failing; its results are ignored"
            }
        };
        lines.push(format!(
            "Location {BAD}{location}{BAD:#} {what} (since {}).",
            elapsed(*since, now)
        ));
    }
    for (id, diagnostics) in &summary.broken {
        let diagnostics: Vec<_> = diagnostics
            .iter()
            .map(|diagnostic| plain(diagnostic, MAX_TEXT_LENGTH))
            .collect();
        let id = plain(id, MAX_TEXT_LENGTH);
        lines.push(format!(
            "{BAD}{id}{BAD:#} is not checked, its definition is invalid: {}",
            diagnostics.join("; ")
        ));
    }
    for error in &summary.unreadable {
        lines.push(format!(
            "{BAD}Unreadable item{BAD:#}: {}",
            plain(error, 2 * MAX_TEXT_LENGTH)
        ));
    }
    lines.extend(maintenance(summary));
    for (id, found) in &summary.monitors {
        if let Some(Silence { until, note }) = &found.silence {
            let (until, left) = (clock_time(*until), elapsed(now, *until));
            lines.push(format!(
                "{id} is silenced until {until} ({left} left), {}.",
                author_and_reason(note)
            ));
        }
        for open in &found.incidents {
            if let Some(note) = &open.acknowledged {
                lines.push(format!(
                    "{} is acknowledged, {}.",
                    open.id,
                    author_and_reason(note)
                ));
            }
        }
    }
    lines
}

/// One line for each active maintenance window.
fn maintenance(summary: &StatusSummary) -> Vec<String> {
    let mut windows = BTreeMap::<&Maintenance, Vec<&str>>::new();
    for (id, found) in &summary.monitors {
        if let Some(window) = &found.maintenance {
            windows.entry(window).or_default().push(id.as_str());
        }
    }
    let line = |(Maintenance { until, why, .. }, monitors): (&Maintenance, Vec<&str>)| {
        let (until, left) = (clock_time(*until), elapsed(summary.now, *until));
        let who = match monitors.as_slice() {
            [only] => format!("{only} is"),
            few @ ([_, _] | [_, _, _]) => format!("{} are", few.join(", ")),
            many => format!("{} are", count_of(many.len() as u64, "monitor")),
        };
        let why = why
            .as_ref()
            .map(|why| format!(": {}", plain(why, 2 * MAX_TEXT_LENGTH)));
        let why = why.unwrap_or_default();
        format!("{who} in maintenance until {until} ({left} left){why}.")
    };
    windows.into_iter().map(line).collect()
}

fn sum(summary: &StatusSummary) -> String {
    let all = summary.monitors.len() as u64;
    let up = summary
        .monitors
        .values()
        .filter(|found| found.is_healthy())
        .count() as u64;
    let no_data = match summary.latest_tick {
        None if all > 0 => " No results yet.".to_owned(),
        Some(latest) if is_stale(summary) => {
            let (latest, passed) = (clock_time(latest), elapsed(latest, summary.now));
            format!(" No location reports; the latest check was at {latest}, {passed} ago.")
        }
        None | Some(_) => String::new(),
    };
    match all {
        0 => "No monitors are defined.".to_owned(),
        1 if up == all => format!("{GOOD}The 1 monitor is up.{GOOD:#}"),
        _ if up == all => format!("{GOOD}All {} are up.{GOOD:#}", count_of(all, "monitor")),
        _ => format!("{up} of {} up.{no_data}", count_of(all, "monitor")),
    }
}

/// Whether no location has recent results for any monitor.
fn is_stale(summary: &StatusSummary) -> bool {
    let mut locations = summary
        .monitors
        .values()
        .flat_map(|found| found.locations.values());
    locations.all(|view| *view == View::Silent)
}

/// One row for each open incident, and for an advisory.
fn rows(id: &MonitorId, found: &MonitorSummary, now: Timestamp) -> Vec<Vec<Cell>> {
    let row = |word: &str, style, since: Option<Timestamp>, what: String| {
        vec![
            Cell::new(id.as_str()),
            Cell::new(word).styled(style),
            Cell::new(since.map(|since| elapsed(since, now)).unwrap_or_default()).right(),
            Cell::new(what),
        ]
    };
    let failing = |view| {
        let locations = found.locations.iter().filter(|(_, seen)| **seen == view);
        let names: Vec<_> = locations.map(|(location, _)| location.as_str()).collect();
        names.join(", ")
    };
    let mut rows: Vec<_> = found
        .incidents
        .iter()
        .map(|open| {
            let style = match open.status {
                Status::Down | Status::Exposed => BAD,
                Status::Up | Status::Degraded | Status::Unknown => WARNING,
            };
            row(
                open.status.as_str(),
                style,
                Some(open.since),
                cause(open.finding.as_ref()),
            )
        })
        .collect();
    if found.advisory.is_some() {
        let what = match failing(View::Failing) {
            locations if locations.is_empty() => "failing in some locations".to_owned(),
            locations => format!("failing only in {locations}"),
        };
        rows.push(row("advisory", WARNING, found.advisory, what));
    }
    if rows.is_empty() {
        let silent = failing(View::Silent);
        let what = if silent.is_empty() {
            "no location has reported yet".to_owned()
        } else {
            format!("no data from {silent}")
        };
        rows.push(row(found.status.as_str(), WARNING, None, what));
    }
    rows
}

/// The cause of an incident, with its detail.
pub(crate) fn cause(finding: Option<&Finding>) -> String {
    let Some(finding) = finding else {
        return String::new();
    };
    let detail = finding
        .detail
        .as_ref()
        .map(|detail| plain(detail.as_str(), MAX_TEXT_LENGTH));
    match detail {
        Some(detail) => format!("{}: {detail}", cause_text(finding.cause)),
        None => cause_text(finding.cause).to_owned(),
    }
}

/// `by ann: new switch`.
fn author_and_reason(note: &Note) -> String {
    let by = plain(note.by(), MAX_TEXT_LENGTH);
    match note.why() {
        Some(why) => format!("by {by}: {}", plain(why, 2 * MAX_TEXT_LENGTH)),
        None => format!("by {by}"),
    }
}

/// The status as one JSON object.
#[derive(Serialize)]
struct StatusJson<'a> {
    table: &'a str,
    time: String,
    healthy: bool,
    last_tick: Option<String>,
    monitors: BTreeMap<&'a str, MonitorJson<'a>>,
    locations: Vec<LocationJson<'a>>,
    broken: &'a BTreeMap<String, Vec<String>>,
    unreadable: &'a [String],
}

#[derive(Serialize)]
struct MonitorJson<'a> {
    status: &'static str,
    group: String,
    target: &'a str,
    incidents: Vec<IncidentJson<'a>>,
    advisory_since: Option<String>,
    locations: BTreeMap<&'a str, &'static str>,
    silence: Option<SilenceJson<'a>>,
    maintenance: Option<MaintenanceJson<'a>>,
}

#[derive(Serialize)]
struct MaintenanceJson<'a> {
    from: String,
    until: String,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct IncidentJson<'a> {
    id: &'a str,
    status: &'static str,
    since: String,
    cause: Option<&'static str>,
    detail: Option<&'a str>,
    acknowledged: Option<NoteJson<'a>>,
}

#[derive(Serialize)]
struct SilenceJson<'a> {
    until: String,
    #[serde(flatten)]
    note: NoteJson<'a>,
}

#[derive(Serialize)]
struct NoteJson<'a> {
    by: &'a str,
    at: String,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct LocationJson<'a> {
    location: &'a str,
    problem: &'static str,
    since: String,
}

pub(crate) fn json(summary: &StatusSummary, table: &str) -> Result<String, CommandError> {
    let monitors = summary.monitors.iter();
    let locations = summary.locations.iter();
    let status = StatusJson {
        table,
        time: summary.now.to_string(),
        healthy: summary.is_healthy(),
        last_tick: summary.latest_tick.map(|tick| tick.to_string()),
        monitors: monitors
            .map(|(id, found)| (id.as_str(), monitor_json(found)))
            .collect(),
        locations: locations
            .map(|((location, problem), since)| LocationJson {
                location: location.as_str(),
                problem: problem.as_str(),
                since: since.to_string(),
            })
            .collect(),
        broken: &summary.broken,
        unreadable: &summary.unreadable,
    };
    serde_json::to_string(&status).map_err(|error| CommandError::failed("write JSON", error))
}

fn monitor_json(found: &MonitorSummary) -> MonitorJson<'_> {
    let locations = found.locations.iter();
    MonitorJson {
        status: found.status.as_str(),
        group: found.group.to_string(),
        target: &found.target,
        incidents: found.incidents.iter().map(incident_json).collect(),
        advisory_since: found.advisory.map(|since| since.to_string()),
        locations: locations
            .map(|(location, view)| (location.as_str(), view.as_str()))
            .collect(),
        silence: found.silence.as_ref().map(|silence| SilenceJson {
            until: silence.until.to_string(),
            note: note_json(&silence.note),
        }),
        maintenance: found.maintenance.as_ref().map(|window| MaintenanceJson {
            from: window.from.to_string(),
            until: window.until.to_string(),
            why: window.why.as_deref(),
        }),
    }
}

fn incident_json(open: &OpenIncident) -> IncidentJson<'_> {
    let detail = open.finding.as_ref().and_then(|finding| finding.detail.as_ref());
    IncidentJson {
        id: &open.id,
        status: open.status.as_str(),
        since: open.since.to_string(),
        cause: open.finding.as_ref().map(|finding| finding.cause.code()),
        detail: detail.map(|detail| detail.as_str()),
        acknowledged: open.acknowledged.as_ref().map(note_json),
    }
}

fn note_json(note: &Note) -> NoteJson<'_> {
    NoteJson {
        by: note.by(),
        at: note.at().to_string(),
        why: note.why(),
    }
}

#[cfg(test)]
mod tests;
