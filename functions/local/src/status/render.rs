//! The output of `portpulse status`, as text or JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_alert::{cause_text, elapsed};
use portpulse_core::control::{Note, Silence};
use portpulse_core::decide::{Explanation, View};
use portpulse_core::diagnosis::Layer;
use portpulse_core::group_state::{Finding, LocationProblem, Status};
use portpulse_core::id::MonitorId;
use portpulse_core::text::excerpt;
use portpulse_history::api::withheld_json;
use portpulse_history::location_kinds::kind_suffix;
use portpulse_history::state::State;
use portpulse_history::view::Maintenance;
use serde_json::{Map, Value, json};

use super::summary::{MonitorSummary, OpenIncident, StatusSummary};
use crate::control::note_json;
use crate::incident_list::unnotified_text;
use crate::output::{
    BAD, GOOD, WARNING, clock_time, count_of, kinds_json, monitor_title, state_style, status_style,
};
use crate::text_table::{self, Cell};

/// The maximum bytes of external text in a line, such as a banner or an error.
const MAX_TEXT_LENGTH: usize = 120;

/// The totals, then the problems by severity, then maintenance, silences, acknowledgements and incidents that are not notified, and the locations.
pub(crate) fn lines(summary: &StatusSummary) -> Vec<String> {
    let mut lines = vec![sum(summary)];
    lines.extend(monitor_problems(summary));
    lines.extend(location_problems(summary));
    lines.extend(unusable_items(summary));
    lines.extend(maintenance(summary));
    lines.extend(controls(summary));
    lines.extend(summary.kinds.sentence());
    lines
}

/// The table of monitors that are not healthy.
fn monitor_problems(summary: &StatusSummary) -> Vec<String> {
    let bad = summary.monitors.iter().filter(|(_, found)| !found.is_healthy());
    let mut bad: Vec<_> = bad.collect();
    // Maintenance is expected, and so comes last. A stable sort keeps the order of ids within a state.
    bad.sort_by_key(|(_, found)| {
        (
            found.state == State::Maintenance,
            found.state,
            found.status.rank(),
        )
    });
    let rows = bad.iter().flat_map(|(id, found)| rows(id, found, summary.now));
    text_table::titled(&["MONITOR", "STATE", "FOR", "CAUSE"], rows.collect())
}

fn location_problems(summary: &StatusSummary) -> impl Iterator<Item = String> {
    summary.locations.iter().map(|((location, problem), since)| {
        let what = match problem {
            LocationProblem::Silent => "does not report",
            LocationProblem::Suspect => {
                "is suspect: only this location sees most monitors failing; its results are ignored"
            }
        };
        let since = elapsed(*since, summary.now);
        let kind = kind_suffix(summary.kinds.get(location));
        format!("Location {BAD}{location}{BAD:#}{kind} {what} (since {since}).")
    })
}

/// Invalid definitions and unreadable items.
fn unusable_items(summary: &StatusSummary) -> impl Iterator<Item = String> {
    let broken = summary.broken.iter().map(|(id, diagnostics)| {
        let diagnostics = diagnostics
            .iter()
            .map(|diagnostic| excerpt(diagnostic, MAX_TEXT_LENGTH));
        let diagnostics: Vec<_> = diagnostics.collect();
        let (id, diagnostics) = (excerpt(id, MAX_TEXT_LENGTH), diagnostics.join("; "));
        format!("{BAD}{id}{BAD:#} is not checked, its definition is invalid: {diagnostics}")
    });
    let unreadable = summary.unreadable.iter().map(|error| {
        let error = excerpt(error, 2 * MAX_TEXT_LENGTH);
        format!("{BAD}Unreadable item{BAD:#}: {error}")
    });
    broken.chain(unreadable)
}

/// One line for each silence, acknowledgement and incident that is not notified.
fn controls(summary: &StatusSummary) -> impl Iterator<Item = String> {
    summary.monitors.iter().flat_map(move |(id, found)| {
        let silence = found.silence.iter().map(move |Silence { until, note }| {
            let (end, left) = (clock_time(*until), elapsed(summary.now, *until));
            format!(
                "{id} is silenced until {end} ({left} left), {}.",
                author_and_reason(note)
            )
        });
        let acknowledged = found.incidents.iter().filter_map(|open| {
            let note = author_and_reason(open.acknowledged.as_ref()?);
            Some(format!("{} is acknowledged, {note}.", open.id))
        });
        let unnotified = found.incidents.iter().filter(|open| !open.is_notified);
        let unnotified = unnotified.map(|open| unnotified_text(&open.id, open.withheld.as_ref()));
        let advisory = found.advisory_withheld.iter();
        let advisory = advisory.map(move |reason| format!("The advisory of {id} is not notified: {reason}."));
        silence.chain(acknowledged).chain(unnotified).chain(advisory)
    })
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
            .map(|why| format!(": {}", excerpt(why, 2 * MAX_TEXT_LENGTH)));
        let why = why.unwrap_or_default();
        format!("{who} in maintenance until {until} ({left} left){why}.")
    };
    windows.into_iter().map(line).collect()
}

fn sum(summary: &StatusSummary) -> String {
    let all = summary.monitors.len() as u64;
    let monitors = || summary.monitors.values();
    let maintained = monitors().filter(|found| found.state == State::Maintenance);
    let in_maintenance = match maintained.count() {
        0 => String::new(),
        count => format!(", {count} in maintenance"),
    };
    let up = monitors().filter(|found| found.is_healthy() && found.state == State::Up);
    let up = up.count() as u64;
    let no_data = match summary.latest_check {
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
        _ => format!(
            "{up} of {} up{in_maintenance}.{no_data}",
            count_of(all, "monitor")
        ),
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
        let (word, style) = match found.state {
            State::Maintenance => (
                format!("{} ({word})", found.state.as_str()),
                state_style(found.state),
            ),
            State::Exposed | State::Down | State::Flapping | State::Degraded | State::Unknown | State::Up => {
                (word.to_owned(), style)
            }
        };
        vec![
            Cell::new(monitor_title(id, found.name.as_deref())),
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
            let (word, style) = match (found.state, open.status) {
                (State::Flapping, Status::Down) => (found.state.as_str(), state_style(found.state)),
                (_, status) => (status.as_str(), status_style(status)),
            };
            let cause = cause(open.diagnosis.as_ref(), open.finding.as_ref());
            row(word, style, Some(open.since), cause)
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

/// The layer of an incident's fault, if it is known, and the cause, with its detail.
pub(crate) fn cause(diagnosis: Option<&Explanation>, finding: Option<&Finding>) -> String {
    let layer = diagnosis.map(|known| known.diagnosis.layer);
    let layer = layer.filter(|layer| *layer != Layer::Unknown);
    let layer = layer.map(|layer| format!("{layer}: ")).unwrap_or_default();
    layer + &cause_and_detail(finding)
}

fn cause_and_detail(finding: Option<&Finding>) -> String {
    let Some(finding) = finding else {
        return String::new();
    };
    let detail = finding
        .detail
        .as_ref()
        .map(|detail| excerpt(detail.as_str(), MAX_TEXT_LENGTH));
    match detail {
        Some(detail) => format!("{}: {detail}", cause_text(finding.cause)),
        None => cause_text(finding.cause).to_owned(),
    }
}

/// `by ann: new switch`.
fn author_and_reason(note: &Note) -> String {
    let by = excerpt(note.by(), MAX_TEXT_LENGTH);
    match note.why() {
        Some(why) => format!("by {by}: {}", excerpt(why, 2 * MAX_TEXT_LENGTH)),
        None => format!("by {by}"),
    }
}

/// The status as one JSON object.
pub(crate) fn json(summary: &StatusSummary, table: &str) -> Value {
    let locations = summary.locations.iter().map(|((location, problem), since)| {
        json!({ "location": location.as_str(), "problem": problem.as_str(), "since": since.to_string() })
    });
    let monitors = summary.monitors.iter();
    json!({
        "table": table,
        "time": summary.now.to_string(),
        "healthy": summary.is_healthy(),
        "latest_check": summary.latest_check.map(|time| time.to_string()),
        "monitors": monitors.map(|(id, found)| (id.to_string(), monitor_json(found))).collect::<Map<_, _>>(),
        "locations": locations.collect::<Vec<_>>(),
        "location_kinds": kinds_json(&summary.kinds, summary.kinds.locations()),
        "broken": summary.broken,
        "unreadable": summary.unreadable,
    })
}

fn monitor_json(found: &MonitorSummary) -> Value {
    let locations = found.locations.iter();
    let silence = found.silence.as_ref().map(|Silence { until, note }| {
        let mut silence = note_json(note);
        silence.insert("until".to_owned(), json!(until.to_string()));
        silence
    });
    let maintenance = found.maintenance.as_ref().map(|Maintenance { from, until, why, .. }| {
        json!({ "from": from.to_string(), "until": until.to_string(), "reason": why })
    });
    json!({
        "name": found.name,
        "group": found.group,
        "status": found.status.as_str(),
        "state": found.state.as_str(),
        "interval": found.interval.as_str(),
        "target": found.target,
        "incidents": found.incidents.iter().map(incident_json).collect::<Vec<_>>(),
        "advisory_since": found.advisory.map(|since| since.to_string()),
        "advisory_withheld": found.advisory_withheld.as_ref().map(withheld_json),
        "locations": locations.map(|(name, view)| (name.to_string(), view.as_str().into())).collect::<Map<_, _>>(),
        "silence": silence,
        "maintenance": maintenance,
    })
}

fn incident_json(open: &OpenIncident) -> Value {
    let (finding, diagnosis) = (open.finding.as_ref(), open.diagnosis.as_ref());
    json!({
        "id": open.id,
        "status": open.status.as_str(),
        "since": open.since.to_string(),
        "layer": diagnosis.map(|known| known.diagnosis.layer.as_str()),
        "diagnosis": diagnosis.map(|known| known.sentence.as_str()),
        "cause": finding.map(|finding| finding.cause.code()),
        "detail": finding.and_then(|finding| Some(finding.detail.as_ref()?.as_str())),
        "acknowledged": open.acknowledged.as_ref().map(note_json),
        "notified": open.is_notified,
        "withheld": open.withheld.as_ref().map(withheld_json),
    })
}

#[cfg(test)]
mod tests;
