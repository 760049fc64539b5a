//! The JSON of a notification: the same in a queue, a webhook and on standard output.

use portpulse_core::decide::{AffectedMonitor, Explanation, LocationView, Notification};
use portpulse_core::diagnosis::HostEvidence;
use portpulse_core::group_state::{Cause, Finding, MAX_TAGS};
use portpulse_core::id::MonitorId;
use portpulse_core::outbox::Subject;
use portpulse_core::text::excerpt;
use serde_json::{Map, Value, json};

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
/// | `kind` | `down`, `exposed`, `degraded`, `certificate_expiring`, `unknown`, `recovered`, `reminder`, `flapping`, `escalated`, `advisory`, `advisory_over`, `location_silent`, `location_back`, `location_suspect`, `location_trusted`, `home_unreachable`, `home_reachable`, `broken_definition` or `test` |
/// | `monitor`, `location`, `definition` | the subject; the other two are null, for `home_unreachable` and `home_reachable` all three, for a test possibly too |
/// | `monitors`, `monitor_count` | the affected monitors, with `id`, `name` (for people, or null) and `target`, as far as they are known: several if they have a common cause; and their number |
/// | `group` | the label by which pages fold the monitor, or null |
/// | `check_group` | the monitors that are checked together, such as `1m#0`; null for a test |
/// | `status` | `up`, `degraded`, `down`, `exposed` or `unknown`; for a recovery, the status that ended |
/// | `severity` | `critical`, `warning` or `info` |
/// | `audience` | the severities whose subscribers are notified: its own, and the earlier severities of its incident |
/// | `finding`, `detail` | the cause, such as `refused`, and the service's own message; or null |
/// | `diagnosis` | `layer` (`checker`, `name`, `network`, `host`, `port`, `tls`, `service`, `dependency` or `unknown`), `sentence`, and the evidence: `failing`, `good` and `pending` locations, `answering_port` and `silent_ports` of the host, `answers_ping: true` if the host answers only a ping, `parent`; or null |
/// | `since`, `at` | the start of the state, and the time of the change: RFC 3339, UTC |
/// | `target` | `host:port`, or null |
/// | `tags`, `runbook` | the tags and the runbook of the monitor |
/// | `page` | the address of the monitor's page, or of the status page if the subject is not a monitor; null without a status page |
/// | `locations` | for each location: `view` (`good`, `failing`, `no_data`, `silent`, `suspect`), `checks` (consecutive ones), `since`, `finding`, `detail` |
/// | `diagnostics` | the errors of a broken definition; for `home_unreachable`, what the location sees of its monitors |
///
/// Within a version, fields and enum values may be added, and readers must ignore unknown ones; existing fields keep
/// their names, types and meanings. `notification.schema.json` in this crate is the JSON Schema.
///
/// Limits: 150 tags, 50 entries in each other list, 64 bytes in a tag, 300 in a diagnostic, 500 in other texts.
pub fn to_json(notification: &Notification) -> Value {
    let Notification {
        id,
        kind,
        subject,
        check_group,
        group,
        status,
        severity,
        audience,
        finding,
        diagnosis,
        since,
        at,
        monitors,
        monitor_count,
        target,
        tags,
        runbook,
        page,
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
    let texts = |texts: &[String], most, max| {
        let texts = texts.iter().take(most);
        texts.map(|each| excerpt(each, max)).collect::<Vec<_>>()
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
        "monitors": monitors.iter().take(MAX_ENTRIES).map(monitor_json).collect::<Vec<_>>(),
        "monitor_count": monitor_count,
        "group": group.as_ref().map(|group| excerpt(group, MAX_TEXT)),
        "check_group": check_group.map(|group| group.to_string()),
        "status": status.as_str(),
        "severity": severity.as_str(),
        "audience": audience,
        "finding": code(finding.as_ref()),
        "detail": detail(finding.as_ref()),
        "diagnosis": diagnosis.as_ref().map(diagnosis_json),
        "since": since.to_string(),
        "at": at.to_string(),
        "target": target.as_ref().map(|target| excerpt(target, MAX_TEXT)),
        "tags": texts(tags, MAX_TAGS, MAX_TAG),
        "runbook": runbook.as_ref().map(|link| excerpt(link, MAX_TEXT)),
        "page": page.as_ref().map(|link| excerpt(link, MAX_TEXT)),
        "locations": locations,
        "diagnostics": texts(diagnostics, MAX_ENTRIES, MAX_DIAGNOSTIC_LENGTH),
    })
}

fn monitor_json(monitor: &AffectedMonitor) -> Value {
    let target = monitor.target.as_ref().map(|target| excerpt(target, MAX_TEXT));
    let name = monitor.name.as_ref().map(|name| excerpt(name, MAX_TEXT));
    let finding = monitor.cause.map(Cause::code);
    json!({ "id": monitor.id.as_str(), "name": name, "target": target, "finding": finding })
}

fn diagnosis_json(explanation: &Explanation) -> Value {
    let Explanation { diagnosis, sentence } = explanation;
    let evidence = diagnosis.evidence.as_ref();
    let (answering_port, silent_ports) = match evidence.map(|evidence| evidence.host) {
        Some(HostEvidence::Answers { port }) => (Some(port), None),
        Some(HostEvidence::Silent { ports }) => (None, Some(ports)),
        Some(HostEvidence::Unchecked | HostEvidence::AnswersPing | HostEvidence::Mixed) | None => {
            (None, None)
        }
    };
    let mut json = json!({
        "layer": diagnosis.layer.as_str(),
        "sentence": excerpt(sentence, MAX_TEXT),
        "failing": evidence.map(|evidence| evidence.failing),
        "good": evidence.map(|evidence| evidence.good),
        "pending": evidence.map(|evidence| evidence.pending),
        "answering_port": answering_port,
        "silent_ports": silent_ports,
        "parent": evidence.and_then(|evidence| evidence.parent.as_ref()).map(MonitorId::as_str),
    });
    if evidence.is_some_and(|evidence| evidence.host == HostEvidence::AnswersPing)
        && let Value::Object(fields) = &mut json
    {
        fields.insert("answers_ping".to_owned(), true.into());
    }
    json
}

fn location_json(view: &LocationView) -> Value {
    json!({
        "view": view.view.as_str(),
        "checks": view.ticks,
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
