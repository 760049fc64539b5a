//! The JSON that programs read, as `openapi.json` describes it.

use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::board::{Ending, Finding};
use portpulse_core::observation::milliseconds;
use portpulse_core::uptime::Watched;
use serde_json::{Map, Number, Value, json};

use crate::view::{
    Bar, IncidentView, IncidentsPage, LeftOut, Maintenance, MonitorInside, MonitorPage, MonitorView,
    Overview, Percentiles, Point, RegionSight, SightState, Uptime,
};

/// What the answers look like: an OpenAPI 3.1 document.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// The answer to `GET /api/monitors`.
pub fn monitors(overview: &Overview) -> Value {
    json!({
        "at": time(overview.at),
        "monitors": overview.monitors.iter().map(monitor_in_short).collect::<Vec<_>>(),
        "left_out": left_out(overview.left_out),
    })
}

/// The answer to `GET /api/monitors/{id}`.
pub fn monitor(page: &MonitorPage) -> Value {
    let view = &page.monitor;
    let mut monitor = monitor_in_short(view);
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
        add("said", Value::Object(said(inside)));
    }
    json!({
        "at": time(page.at),
        "monitor": monitor,
        "incidents": page.incidents.iter().map(incident).collect::<Vec<_>>(),
        "left_out": left_out(page.left_out),
    })
}

/// What the service last said of itself to each region that has heard it.
fn said(inside: &MonitorInside) -> Map<String, Value> {
    let regions = inside.regions.iter();
    let said = regions.filter_map(|(region, sight)| {
        let said = sight.said.as_ref()?;
        let words = json!({ "text": said.text.as_str(), "at": said.at.to_string() });
        Some((region.as_str().to_owned(), words))
    });
    said.collect()
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

fn monitor_in_short(view: &MonitorView) -> Value {
    let mut monitor = json!({
        "id": view.id.as_str(),
        "verdict": view.verdict.as_str(),
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

/// What the public is not shown stands in these fields and nowhere else.
fn monitor_inside(inside: &MonitorInside) -> Map<String, Value> {
    let definition = &inside.definition;
    let regions = inside
        .regions
        .iter()
        .map(|(region, sight)| (region.as_str().to_owned(), region_sight(sight)));
    let fields = [
        ("group", json!(inside.group.to_string())),
        ("host", json!(definition.target().host.to_string())),
        ("port", json!(definition.target().port)),
        (
            "service",
            json!(definition.service().map(portpulse_core::target::Service::as_str)),
        ),
        ("expect", json!(definition.rule().expect.as_str())),
        ("tags", json!(definition.telling().tags)),
        ("runbook", json!(definition.telling().runbook)),
        ("finding", inside.finding.as_ref().map_or(Value::Null, finding)),
        ("advisory", json!(inside.advisory)),
        ("regions", Value::Object(regions.collect())),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn region_sight(sight: &RegionSight) -> Value {
    json!({
        "state": sight_word(sight.state),
        "since": sight.since.map(|tick| tick.to_string()),
        "seen": sight.seen.map(|tick| tick.to_string()),
        "finding": sight.finding.as_ref().map_or(Value::Null, finding),
    })
}

/// The word for what a region sees.
pub(crate) const fn sight_word(state: SightState) -> &'static str {
    match state {
        SightState::Good => "good",
        SightState::Impaired => "impaired",
        SightState::Failing => "failing",
        SightState::NoData => "no_data",
        SightState::Silent => "silent",
    }
}

fn finding(finding: &Finding) -> Value {
    json!({
        "cause": finding.cause.code(),
        "detail": finding.detail.as_ref().map(portpulse_core::outcome::Detail::as_str),
    })
}

fn uptime(uptime: Uptime) -> Value {
    let share = |watched: Option<Watched>| watched.and_then(Watched::uptime);
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
    let ending = incident.closed.map(|(_, ending)| ending_word(ending));
    let mut value = json!({
        "id": incident.id.to_string(),
        "monitor": incident.id.monitor.as_str(),
        "verdict": incident.verdict.as_str(),
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
        value.insert("told".to_owned(), json!(inside.told.map(time)));
        value.insert("reminders".to_owned(), json!(inside.reminders));
    }
    value
}

/// The word for how an incident ended.
pub(crate) const fn ending_word(ending: Ending) -> &'static str {
    match ending {
        Ending::Recovered => "recovered",
        Ending::Removed => "removed",
    }
}
