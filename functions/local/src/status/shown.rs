//! What is bad now, for people and for programs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_alert::{lasting, plain, words};
use portpulse_core::control::{Note, Silence};
use portpulse_core::decide::View;
use portpulse_core::group_state::{Finding, LocationProblem, Status};
use portpulse_core::id::MonitorId;
use portpulse_history::view::Maintenance;
use serde::Serialize;

use super::findings::{Findings, Found, Open};
use crate::output::{GOOD, INVALID, Stopped, UNSURE, clock_time, counted};
use crate::table::{self, Cell};

/// The most bytes of a service's own words that a line shows.
const MAX_TEXT_LENGTH: usize = 120;

/// The sum of it, what is bad, the worst first, and what is held back and why.
pub(crate) fn lines(findings: &Findings) -> Vec<String> {
    let now = findings.now;
    let mut lines = vec![sum(findings)];
    let mut bad: Vec<_> = findings
        .monitors
        .iter()
        .filter(|(_, found)| !found.is_well())
        .collect();
    // Stable: within one status the ids stay in order.
    bad.sort_by_key(|(_, found)| found.status.rank());
    let rows: Vec<_> = bad.iter().flat_map(|(id, found)| rows(id, found, now)).collect();
    lines.extend(table::lines(&rows));
    for ((location, problem), since) in &findings.locations {
        let what = match problem {
            LocationProblem::Silent => "does not report",
            LocationProblem::Suspect => "alone sees most monitors failing, and is not counted",
        };
        lines.push(format!(
            "{INVALID}{location}{INVALID:#} {what}, for {}.",
            lasting(*since, now)
        ));
    }
    for (id, diagnostics) in &findings.broken {
        let diagnostics: Vec<_> = diagnostics
            .iter()
            .map(|diagnostic| plain(diagnostic, MAX_TEXT_LENGTH))
            .collect();
        let id = plain(id, MAX_TEXT_LENGTH);
        lines.push(format!(
            "{INVALID}{id}{INVALID:#} is not checked: {}",
            diagnostics.join("; ")
        ));
    }
    for error in &findings.unreadable {
        lines.push(format!(
            "{INVALID}Not read{INVALID:#}: {}",
            plain(error, 2 * MAX_TEXT_LENGTH)
        ));
    }
    lines.extend(maintenance(findings));
    for (id, found) in &findings.monitors {
        if let Some(Silence { until, note }) = &found.silence {
            let (until, left) = (clock_time(*until), lasting(now, *until));
            lines.push(format!(
                "{id} is silent until {until}, {left} more, {}.",
                banner(note)
            ));
        }
        for open in &found.incidents {
            if let Some(note) = &open.acknowledged {
                lines.push(format!("{} is acknowledged, {}.", open.id, banner(note)));
            }
        }
    }
    lines
}

/// A line for each window that is on.
fn maintenance(findings: &Findings) -> Vec<String> {
    let mut windows = BTreeMap::<&Maintenance, Vec<&str>>::new();
    for (id, found) in &findings.monitors {
        if let Some(window) = &found.maintenance {
            windows.entry(window).or_default().push(id.as_str());
        }
    }
    let line = |(Maintenance { until, why, .. }, monitors): (&Maintenance, Vec<&str>)| {
        let (until, left) = (clock_time(*until), lasting(findings.now, *until));
        let who = match monitors.as_slice() {
            [only] => format!("{only} is"),
            few @ ([_, _] | [_, _, _]) => format!("{} are", few.join(", ")),
            many => format!("{} are", counted(many.len() as u64, "monitor")),
        };
        let why = why
            .as_ref()
            .map(|why| format!(": {}", plain(why, 2 * MAX_TEXT_LENGTH)));
        let why = why.unwrap_or_default();
        format!("{who} in maintenance until {until}, {left} more{why}.")
    };
    windows.into_iter().map(line).collect()
}

fn sum(findings: &Findings) -> String {
    let all = findings.monitors.len() as u64;
    let up = findings.monitors.values().filter(|found| found.is_well()).count() as u64;
    let no_data = match findings.latest_tick {
        None if all > 0 => " Nobody has checked them yet.".to_owned(),
        Some(latest) if nobody_sees(findings) => {
            let (latest, passed) = (clock_time(latest), lasting(latest, findings.now));
            format!(" Nobody checks them: the last tick was at {latest}, {passed} ago.")
        }
        None | Some(_) => String::new(),
    };
    match all {
        0 => "There is nothing to watch.".to_owned(),
        1 if up == all => format!("{GOOD}The 1 monitor is up.{GOOD:#}"),
        _ if up == all => format!("{GOOD}All {} are up.{GOOD:#}", counted(all, "monitor")),
        _ => format!("{up} of {} up.{no_data}", counted(all, "monitor")),
    }
}

/// Whether no location has reported of any monitor lately.
fn nobody_sees(findings: &Findings) -> bool {
    let mut locations = findings
        .monitors
        .values()
        .flat_map(|found| found.locations.values());
    locations.all(|view| *view == View::Silent)
}

/// A line for each open incident, and for an advisory.
fn rows(id: &MonitorId, found: &Found, now: Timestamp) -> Vec<Vec<Cell>> {
    let row = |word: &str, style, since: Option<Timestamp>, what: String| {
        vec![
            Cell::new(id.as_str()),
            Cell::new(word).styled(style),
            Cell::new(since.map(|since| lasting(since, now)).unwrap_or_default()).right(),
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
                Status::Down | Status::Exposed => INVALID,
                Status::Up | Status::Degraded | Status::Unknown => UNSURE,
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
            locations if locations.is_empty() => "some locations saw it failing".to_owned(),
            locations => format!("failing only in {locations}"),
        };
        rows.push(row("advisory", UNSURE, found.advisory, what));
    }
    if rows.is_empty() {
        let silent = failing(View::Silent);
        let what = if silent.is_empty() {
            "no location has reported yet".to_owned()
        } else {
            format!("no data from {silent}")
        };
        rows.push(row(found.status.as_str(), UNSURE, None, what));
    }
    rows
}

/// What was found, in words, with the service's own.
pub(crate) fn cause(finding: Option<&Finding>) -> String {
    let Some(finding) = finding else {
        return String::new();
    };
    let detail = finding
        .detail
        .as_ref()
        .map(|detail| plain(detail.as_str(), MAX_TEXT_LENGTH));
    match detail {
        Some(detail) => format!("{}: {detail}", words(finding.cause)),
        None => words(finding.cause).to_owned(),
    }
}

/// `banner by ann: new switch`.
fn banner(note: &Note) -> String {
    let by = plain(note.by(), MAX_TEXT_LENGTH);
    match note.why() {
        Some(why) => format!("by {by}: {}", plain(why, 2 * MAX_TEXT_LENGTH)),
        None => format!("by {by}"),
    }
}

/// The state as one JSON object, in the order of the documentation.
#[derive(Serialize)]
struct StatusJson<'a> {
    table: &'a str,
    time: String,
    well: bool,
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

pub(crate) fn json(findings: &Findings, table: &str) -> Result<String, Stopped> {
    let monitors = findings.monitors.iter();
    let locations = findings.locations.iter();
    let status = StatusJson {
        table,
        time: findings.now.to_string(),
        well: findings.is_well(),
        last_tick: findings.latest_tick.map(|tick| tick.to_string()),
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
        broken: &findings.broken,
        unreadable: &findings.unreadable,
    };
    serde_json::to_string(&status).map_err(|error| Stopped::unable("write JSON", error))
}

fn monitor_json(found: &Found) -> MonitorJson<'_> {
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

fn incident_json(open: &Open) -> IncidentJson<'_> {
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
