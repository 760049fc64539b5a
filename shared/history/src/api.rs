//! The JSON API, as described by `openapi.json`.

use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::group_state::{Ending, Finding};
use portpulse_core::observation::milliseconds;
use portpulse_core::uptime::ObservedTime;
use serde_json::{Map, Number, Value, json};

use crate::view::{
    Bar, IncidentView, IncidentsPage, LeftOut, LocationVisibility, Maintenance, MonitorInside, MonitorPage,
    MonitorView, Overview, Percentiles, Point, Uptime, VisibilityState,
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
        "status": view.status.as_str(),
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
    let fields = [
        ("group", json!(inside.group.to_string())),
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
        ("advisory", json!(inside.advisory)),
        ("locations", Value::Object(locations.collect())),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn location_visibility(visibility: &LocationVisibility) -> Value {
    json!({
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
    let share = |watched: Option<ObservedTime>| watched.and_then(ObservedTime::uptime);
    json!({
        "24h": share(uptime.day),
        "7d": share(uptime.week),
        "30d": share(uptime.month),
        "90d": share(uptime.quarter),
    })
}

fn bar(bar: &Bar) -> Value {
    json!({
        "period": bar.period.to_string(),
        "watched_seconds": bar.watched.seconds(),
        "down_seconds": bar.watched.down_seconds(),
    })
}

fn point(point: &Point) -> Value {
    let others = &point.others;
    json!({
        "period": point.period.to_string(),
        "good": point.good,
        "failing": point.failing,
        "no_data": point.no_data,
        "connect_ms": point.connect.map(percentiles),
        "dns_ms": others.dns.map(percentiles),
        "tls_ms": others.tls.map(percentiles),
        "ready_ms": others.ready.map(percentiles),
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
    });
    if let (Value::Object(value), Some(inside)) = (&mut value, &incident.inside) {
        value.insert(
            "finding".to_owned(),
            inside.finding.as_ref().map_or(Value::Null, finding),
        );
        value.insert("notified".to_owned(), json!(inside.notified.map(time)));
        value.insert("reminders".to_owned(), json!(inside.reminders));
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
