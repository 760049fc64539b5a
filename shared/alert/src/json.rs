//! A notification as programs read it: one JSON value, the same in a queue, a webhook and on standard output.

use portpulse_core::decide::{LocationView, Notification};
use portpulse_core::group_state::Finding;
use portpulse_core::outbox::Subject;
use serde_json::{Map, Value, json};

use crate::text::plain;

/// The version of the JSON.
pub(crate) const VERSION: u32 = 1;
/// The most entries of a list, and locations, that one notification carries.
pub const MAX_ENTRIES: usize = 50;
/// The most bytes of one of its texts.
pub const MAX_TEXT: usize = 500;
/// The most bytes of one of its faults.
pub(crate) const MAX_DIAGNOSTIC_LENGTH: usize = 300;
/// The most bytes of one of its tags: as long as a definition may have them.
pub(crate) const MAX_TAG: usize = 64;

/// A notification as JSON.
///
/// | field | what |
/// |---|---|
/// | `type` | always `notification` |
/// | `version` | always 1, see below |
/// | `id` | the same however often it is sent: what came twice can be told |
/// | `kind` | `down`, `exposed`, `degraded`, `certificate_expiring`, `unknown`, `recovered`, `reminder`, `flapping`, `escalated`, `advisory`, `advisory_over`, `location_silent`, `location_back`, `location_suspect`, `location_trusted`, `broken_definition` or `test` |
/// | `monitor`, `location`, `definition` | what it is about, the others are null; a test may be about none of them |
/// | `group` | the monitors that are checked together, such as `1m#0`; null for a test |
/// | `status` | `up`, `degraded`, `down`, `exposed` or `unknown`; for a recovery, the one that is over |
/// | `severity` | `critical`, `warning` or `info` |
/// | `audience` | the severities whose subscribers hear it: its own, and those under which its incident was told before |
/// | `finding`, `detail` | what was found, such as `refused`, and the service's own words; or null |
/// | `since`, `at` | since when it has been so, and when it changed: RFC 3339, UTC |
/// | `target` | `host:port`, or null |
/// | `tags`, `runbook` | the monitor's own |
/// | `locations` | for each region: `view` (`good`, `failing`, `no_data`, `silent`, `suspect`), for how many `ticks`, `since` when, `finding`, `detail` |
/// | `diagnostics` | what is wrong with a definition |
///
/// Within a version fields and words may come to it, and readers let through what they do not know; what is there keeps
/// its name, its type and its meaning. `notification.schema.json` beside this crate says the same as a JSON Schema.
///
/// Lists end after 50 entries, tags after 64 bytes, faults after 300, other texts after 500.
pub fn to_json(notification: &Notification) -> Value {
    let Notification {
        id,
        kind,
        subject,
        group,
        status,
        severity,
        audience,
        finding,
        since,
        at,
        target,
        tags,
        runbook,
        locations,
        diagnostics,
    } = notification;
    let (monitor, location, definition) = match subject {
        Subject::Monitor(id) => (Some(id.as_str()), None, None),
        Subject::Location(location) => (None, Some(location.as_str()), None),
        Subject::Definition(id) => (None, None, Some(id.as_str())),
        Subject::Portpulse => (None, None, None),
    };
    let audience: Vec<_> = audience.iter().map(|severity| severity.as_str()).collect();
    let texts = |texts: &[String], most| {
        let texts = texts.iter().take(MAX_ENTRIES);
        texts.map(|each| plain(each, most)).collect::<Vec<_>>()
    };
    let locations = locations.iter().take(MAX_ENTRIES);
    let locations: Map<_, _> = locations
        .map(|(location, view)| (location.to_string(), of_location(view)))
        .collect();
    json!({
        "type": "notification",
        "version": VERSION,
        "id": id,
        "kind": kind.as_str(),
        "monitor": monitor,
        "location": location,
        "definition": definition,
        "group": group.map(|group| group.to_string()),
        "status": status.as_str(),
        "severity": severity.as_str(),
        "audience": audience,
        "finding": code(finding.as_ref()),
        "detail": detail(finding.as_ref()),
        "since": since.to_string(),
        "at": at.to_string(),
        "target": target.as_ref().map(|target| plain(target, MAX_TEXT)),
        "tags": texts(tags, MAX_TAG),
        "runbook": runbook.as_ref().map(|link| plain(link, MAX_TEXT)),
        "locations": locations,
        "faults": texts(diagnostics, MAX_DIAGNOSTIC_LENGTH),
    })
}

fn of_location(view: &LocationView) -> Value {
    json!({
        "view": view.view.as_str(),
        "ticks": view.ticks,
        "since": view.since.map(|tick| tick.to_string()),
        "finding": code(view.finding.as_ref()),
        "detail": detail(view.finding.as_ref()),
    })
}

fn code(finding: Option<&Finding>) -> Option<&'static str> {
    finding.map(|finding| finding.cause.code())
}

fn detail(finding: Option<&Finding>) -> Option<&str> {
    finding?.detail.as_ref().map(|detail| detail.as_str())
}
