//! The JSON of a notification: the same in a queue, a webhook and on standard output.

use portpulse_core::decide::{LocationView, Notification};
use portpulse_core::group_state::Finding;
use portpulse_core::outbox::Subject;
use serde_json::{Map, Value, json};

use crate::text::plain;

/// The version of the JSON format.
pub(crate) const VERSION: u32 = 1;
/// The maximum number of entries in a list, and of locations, in one notification.
pub const MAX_ENTRIES: usize = 50;
/// The maximum length of a text, in bytes.
pub const MAX_TEXT: usize = 500;
/// The maximum length of a diagnostic, in bytes.
pub(crate) const MAX_DIAGNOSTIC_LENGTH: usize = 300;
/// The maximum length of a tag, in bytes: the same as in definitions.
pub(crate) const MAX_TAG: usize = 64;

/// A notification as JSON.
///
/// | field | meaning |
/// |---|---|
/// | `type` | always `notification` |
/// | `version` | always 1, see below |
/// | `id` | stays the same when the notification is sent again, so receivers can drop duplicates |
/// | `kind` | `down`, `exposed`, `degraded`, `certificate_expiring`, `unknown`, `recovered`, `reminder`, `flapping`, `escalated`, `advisory`, `advisory_over`, `location_silent`, `location_back`, `location_suspect`, `location_trusted`, `broken_definition` or `test` |
/// | `monitor`, `location`, `definition` | the subject; the other two are null, for a test possibly all three |
/// | `group` | the group of monitors that are checked together, such as `1m#0`; null for a test |
/// | `status` | `up`, `degraded`, `down`, `exposed` or `unknown`; for a recovery, the status that ended |
/// | `severity` | `critical`, `warning` or `info` |
/// | `audience` | the severities whose subscribers are notified: its own, and the earlier severities of its incident |
/// | `finding`, `detail` | the cause, such as `refused`, and the service's own message; or null |
/// | `since`, `at` | the start of the state, and the time of the change: RFC 3339, UTC |
/// | `target` | `host:port`, or null |
/// | `tags`, `runbook` | the tags and the runbook of the monitor |
/// | `locations` | for each location: `view` (`good`, `failing`, `no_data`, `silent`, `suspect`), `ticks` (consecutive checks), `since`, `finding`, `detail` |
/// | `diagnostics` | the errors of a broken definition |
///
/// Within a version, fields and enum values may be added, and readers must ignore unknown ones; existing fields keep
/// their names, types and meanings. `notification.schema.json` in this crate is the JSON Schema.
///
/// Limits: 50 entries in a list, 64 bytes in a tag, 300 in a diagnostic, 500 in other texts.
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
    let texts = |texts: &[String], max| {
        let texts = texts.iter().take(MAX_ENTRIES);
        texts.map(|each| plain(each, max)).collect::<Vec<_>>()
    };
    let locations = locations.iter().take(MAX_ENTRIES);
    let locations: Map<_, _> = locations
        .map(|(location, view)| (location.to_string(), location_json(view)))
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
        "diagnostics": texts(diagnostics, MAX_DIAGNOSTIC_LENGTH),
    })
}

fn location_json(view: &LocationView) -> Value {
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
