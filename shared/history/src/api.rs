//! The JSON API, as described by `openapi.json`.

use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::definition::Visibility;
use portpulse_core::group_state::{Ending, Finding, LocationKind};
use portpulse_core::observation::milliseconds;
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::uptime::ObservedTime;
use portpulse_core::withheld::Withheld;
use serde_json::{Map, Number, Value, json};

use crate::state::State;
use crate::view::{
    Bar, IncidentInside, IncidentView, IncidentsPage, LeftOut, LocationVisibility, Maintenance,
    MonitorInside, MonitorPage, MonitorView, Overview, Percentiles, Point, Uptime, VisibilityState,
};

/// The OpenAPI 3.1 document of the JSON API.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// The answer to `GET /api/monitors`.
pub fn monitors(overview: &Overview) -> Value {
    json!({
        "at": time(overview.at),
        "monitors": overview.monitors.iter().map(monitor_summary).collect::<Vec<_>>(),
        "left_out": left_out(overview.left_out),
    })
}

/// The answer to `GET /api/monitors/{id}`.
pub fn monitor(page: &MonitorPage) -> Value {
    let view = &page.monitor;
    let mut monitor = monitor_summary(view);
    let mut add = |name: &str, value| {
        if let Value::Object(monitor) = &mut monitor {
            monitor.insert(name.to_owned(), value);
        }
    };
    add("hours", view.hours.iter().map(bar).collect());
    add("days", view.days.iter().map(bar).collect());
    if let Some(inside) = &view.inside {
        add("checks_by_hour", inside.hours.iter().map(point).collect());
        add("checks_by_day", inside.days.iter().map(point).collect());
        add("banners", Value::Object(banners(inside)));
    }
    json!({
        "at": time(page.at),
        "monitor": monitor,
        "incidents": page.incidents.iter().map(incident).collect::<Vec<_>>(),
        "left_out": left_out(page.left_out),
    })
}

/// The last banner of the service by location; locations without a banner are absent.
fn banners(inside: &MonitorInside) -> Map<String, Value> {
    let locations = inside.locations.iter();
    let banners = locations.filter_map(|(location, visibility)| {
        let banner = visibility.banner.as_ref()?;
        let banner = json!({ "text": banner.text.as_str(), "at": banner.at.to_string() });
        Some((location.as_str().to_owned(), banner))
    });
    banners.collect()
}

/// The answer to `GET /api/incidents`.
pub fn incidents(page: &IncidentsPage) -> Value {
    json!({
        "at": time(page.at),
        "open": page.open.iter().map(incident).collect::<Vec<_>>(),
        "closed": page.closed.iter().map(incident).collect::<Vec<_>>(),
        "left_out": left_out(page.left_out),
    })
}

fn time(time: Timestamp) -> String {
    time.to_string()
}

fn left_out(left_out: LeftOut) -> Value {
    json!({
        "days": left_out.days,
        "hour": left_out.hour,
        "incidents": left_out.incidents,
        "phases": left_out.phases,
    })
}

fn monitor_summary(view: &MonitorView) -> Value {
    let mut monitor = json!({
        "id": view.id.as_str(),
        "name": view.about.name,
        "description": view.about.description,
        "group": view.about.group,
        "status": view.status.as_str(),
        "state": State::of(view).as_str(),
        "since": view.since.map(time),
        "in_maintenance": view.in_maintenance,
        "maintenance": view.maintenance.iter().map(maintenance).collect::<Vec<_>>(),
        "uptime": uptime(view.uptime),
    });
    if let (Value::Object(monitor), Some(inside)) = (&mut monitor, &view.inside) {
        monitor.extend(monitor_inside(inside));
    }
    monitor
}

fn maintenance(window: &Maintenance) -> Value {
    let mut value = json!({ "from": time(window.from), "until": time(window.until) });
    if let (Value::Object(value), Some(why)) = (&mut value, &window.why) {
        value.insert("why".to_owned(), json!(why));
    }
    value
}

/// The private fields; there are no others.
fn monitor_inside(inside: &MonitorInside) -> Map<String, Value> {
    let definition = &inside.definition;
    let locations = inside
        .locations
        .iter()
        .map(|(location, visibility)| (location.as_str().to_owned(), location_visibility(visibility)));
    let advisory = inside.advisory.as_ref();
    let advisory_withheld = advisory.and_then(|advisory| Some(withheld_json(advisory.withheld.as_ref()?)));
    let fields = [
        ("host", json!(definition.target().host.to_string())),
        ("port", json!(definition.target().port)),
        (
            "service",
            json!(definition.service().map(portpulse_core::service::Service::as_str)),
        ),
        ("expect", json!(definition.rule().expect.as_str())),
        ("tags", json!(definition.alert_policy().tags)),
        ("runbook", json!(definition.alert_policy().runbook)),
        ("finding", inside.finding.as_ref().map_or(Value::Null, finding)),
        ("advisory", json!(inside.advisory.is_some())),
        ("advisory_withheld", json!(advisory_withheld)),
        ("locations", Value::Object(locations.collect())),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn location_visibility(visibility: &LocationVisibility) -> Value {
    json!({
        "kind": visibility.kind.map(LocationKind::as_str),
        "state": visibility_name(visibility.state),
        "since": visibility.since.map(|tick| tick.to_string()),
        "seen": visibility.seen.map(|tick| tick.to_string()),
        "finding": visibility.finding.as_ref().map_or(Value::Null, finding),
    })
}

/// The name of a location's state in JSON and metrics.
pub(crate) const fn visibility_name(state: VisibilityState) -> &'static str {
    match state {
        VisibilityState::Good => "good",
        VisibilityState::Impaired => "impaired",
        VisibilityState::Failing => "failing",
        VisibilityState::NoData => "no_data",
        VisibilityState::Silent => "silent",
    }
}

fn finding(finding: &Finding) -> Value {
    json!({
        "cause": finding.cause.code(),
        "detail": finding.detail.as_ref().map(portpulse_core::outcome::Detail::as_str),
    })
}

fn uptime(uptime: Uptime) -> Value {
    let window = |watched: Option<ObservedTime>| {
        watched.map(|watched| {
            json!({
                "ratio": watched.uptime(),
                "watched_seconds": watched.seconds(),
                "down_seconds": watched.down_seconds(),
                "maintenance_seconds": watched.maintenance_seconds(),
            })
        })
    };
    json!({
        "24h": window(uptime.day),
        "7d": window(uptime.week),
        "30d": window(uptime.month),
        "90d": window(uptime.quarter),
    })
}

fn bar(bar: &Bar) -> Value {
    json!({
        "period": bar.period.to_string(),
        "watched_seconds": bar.watched.seconds(),
        "down_seconds": bar.watched.down_seconds(),
        "maintenance_seconds": bar.watched.maintenance_seconds(),
    })
}

fn point(point: &Point) -> Value {
    let phases = &point.phases;
    json!({
        "period": point.slot.to_string(),
        "good": point.good,
        "retried": point.retried,
        "failing": point.failing,
        "no_data": point.no_data,
        "total_ms": point.total.map(percentiles),
        "dns_ms": phases.dns.map(percentiles),
        "connect_ms": phases.connect.map(percentiles),
        "tls_ms": phases.tls.map(percentiles),
        "ready_ms": phases.ready.map(percentiles),
    })
}

fn percentiles(times: Percentiles) -> Value {
    let ms = |time: Duration| milliseconds(time).parse::<f64>().ok().and_then(Number::from_f64);
    json!({ "p50": ms(times.p50), "p95": ms(times.p95), "max": ms(times.max) })
}

fn incident(incident: &IncidentView) -> Value {
    let ending = incident.closed.map(|(_, ending)| ending_name(ending));
    let mut value = json!({
        "id": incident.id.to_string(),
        "monitor": incident.id.monitor.as_str(),
        "status": incident.status.as_str(),
        "since": time(incident.since),
        "opened": time(incident.opened),
        "closed": incident.closed.map(|(at, _)| time(at)),
        "ending": ending,
        "notes": incident.notes.iter().map(|note| note_value(note, incident.inside.is_some())).collect::<Vec<_>>(),
    });
    if let (Value::Object(value), Some(inside)) = (&mut value, &incident.inside) {
        value.insert(
            "finding".to_owned(),
            inside.finding.as_ref().map_or(Value::Null, finding),
        );
        let diagnosis = inside
            .diagnosis
            .as_ref()
            .map(|known| json!({ "layer": known.diagnosis.layer.as_str(), "sentence": known.sentence }));
        value.insert("diagnosis".to_owned(), json!(diagnosis));
        let cluster = inside.cluster.as_ref().map(ToString::to_string);
        value.insert("cluster".to_owned(), json!(cluster));
        value.insert(
            "notified".to_owned(),
            json!(inside.notified.map(|(_, last)| time(last))),
        );
        value.insert("reminders".to_owned(), json!(inside.reminders));
        value.insert("withheld".to_owned(), json!(unnotified_json(inside)));
    }
    value
}

/// Why nothing is notified about an open incident, or why a closed one was never notified.
pub fn unnotified_json(inside: &IncidentInside) -> Option<Value> {
    let open = inside.withheld.as_ref().map(withheld_json);
    let closed = || {
        let reason = inside.never_notified.as_ref()?;
        Some(json!({ "reason": reason.code(), "text": reason.to_string() }))
    };
    open.or_else(closed)
}

/// Why nothing is notified about an open incident or advisory.
pub fn withheld_json(withheld: &Withheld) -> Value {
    json!({ "reason": withheld.code(), "text": withheld.to_string() })
}

/// A note of an operator; its author and whether it is public are private.
fn note_value(note: &OperatorNote, is_private: bool) -> Value {
    let mut value = json!({ "at": time(note.at), "text": note.text() });
    if let (Value::Object(value), true) = (&mut value, is_private) {
        value.insert("by".to_owned(), json!(note.by()));
        value.insert("public".to_owned(), json!(note.visibility == Visibility::Public));
    }
    value
}

/// The name of the way in which an incident ended.
pub(crate) const fn ending_name(ending: Ending) -> &'static str {
    match ending {
        Ending::Recovered => "recovered",
        Ending::Removed => "removed",
    }
}
