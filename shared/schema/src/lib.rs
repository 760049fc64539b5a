//! The JSON Schema of the definitions file, for completion and validation in editors.
//!
//! Values, services and presets come from the core. A schema cannot express every rule: what the schema refuses is invalid,
//! but `portpulse validate` may refuse what the schema accepts.

mod options;

use portpulse_core::choice::{CheckKind, CloseMode, Expect, IpFamily, Severity, Tier};
use portpulse_core::definition::RawMonitor;
use portpulse_core::preset;
use portpulse_core::service::Service;
use portpulse_core::time::Interval;
use serde_json::{Map, Value, json};

/// The schema, in draft 7, which all editors support.
pub fn definitions() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Portpulse monitors",
        "type": "object",
        "required": ["monitors"],
        "additionalProperties": false,
        "properties": {
            "monitors": {
                "description": "The monitors: a map from ids to monitors.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": MONITOR_ID },
                "additionalProperties": { "$ref": "#/definitions/monitor" },
            },
            "defaults": {
                "description": "Default fields for all monitors.",
                "type": ["object", "null"],
                "additionalProperties": false,
                "properties": fields(|field| !matches!(field, "host" | "script" | "depends_on")),
            },
            "maintenance": {
                "description": "Maintenance windows: notifications are suppressed, checks continue.",
                "type": ["array", "null"],
                "maxItems": 100,
                "items": { "$ref": "#/definitions/window" },
            },
        },
        "definitions": {
            "monitor": {
                "type": "object",
                "additionalProperties": false,
                "required": ["host"],
                "properties": fields(|_| true),
            },
            "window": window(),
        },
    })
}

const MONITOR_ID: &str = "^[a-z0-9][a-z0-9_.-]{0,63}$";
const LOCATION: &str = "^[a-z0-9][a-z0-9-]{0,31}$";
const TAG: &str = "^[A-Za-z0-9_.:/=-]{1,64}$";
const DURATION: &str = "^[0-9]+(ms|s|m|h|d)$";

/// The schemas of the fields of a monitor that `include` selects.
fn fields(include: impl Fn(&str) -> bool) -> Map<String, Value> {
    let names = RawMonitor::FIELDS.iter().copied().filter(|field| include(field));
    names
        .map(|name| (name.to_owned(), field_with_default(name)))
        .collect()
}

/// The schema of a field, with its default.
fn field_with_default(name: &str) -> Value {
    let mut schema = field(name);
    if let (Some(value), Some(schema)) = (preset::default().get(name), schema.as_object_mut()) {
        schema.insert("default".to_owned(), value.clone());
    }
    schema
}

fn field(name: &str) -> Value {
    match name {
        "host" => {
            json!({ "description": "Host name or IP address, without port or scheme.", "type": "string", "minLength": 1 })
        }
        "port" => number("TCP port. Default: the port of the service.", 1, 65_535),
        "service" => services(),
        "tier" => tiers(),
        "interval" => choice(
            "The interval between checks.",
            Interval::ALL.iter().map(|value| value.as_str()),
        ),
        "timeout" => duration("The timeout of one check with all its phases: 100ms to 30s."),
        "slow_after" => {
            duration("The connect time above which a check counts as slow; less than the timeout.")
        }
        "expect" => choice(
            "The expected state: an open port, a closed port, or a reachable host (in place of a ping).",
            Expect::ALL.iter().map(|value| value.as_str()),
        ),
        "check" => choice(
            "`connect` measures a TCP connect; `ready` adds an exchange in the protocol of the service. For ping, see `expect: reachable`.",
            CheckKind::ALL.iter().map(|value| value.as_str()),
        ),
        "tls" => options::tls(),
        "warn_days" => options::warn_days(),
        "http" => options::http(),
        "dns" => options::dns(),
        "script" => options::script(),
        "failures_to_open" => number(
            "Consecutive failed checks after which a location votes for an incident.",
            1,
            10,
        ),
        "successes_to_close" => number(
            "Consecutive good checks after which a location votes for recovery.",
            1,
            10,
        ),
        "quorum" => number(
            "The number of locations that must agree. Default: more than half.",
            1,
            100,
        ),
        "locations" => list("The locations that check the monitor. Default: all.", LOCATION, 1),
        "severity" => choice(
            "The severity of notifications about incidents.",
            Severity::ALL.iter().map(|value| value.as_str()),
        ),
        "ip" => choice(
            "The allowed IP address families.",
            IpFamily::ALL.iter().map(|value| value.as_str()),
        ),
        "close" => choice(
            "How a connect is closed: with FIN, or before the service accepts the connection.",
            CloseMode::ALL.iter().map(|value| value.as_str()),
        ),
        "tags" => list("Tags to filter and group by.", TAG, 0),
        "runbook" => json!({
            "description": "A link to instructions for incidents of the monitor.",
            "type": "string",
            "pattern": "^https?://",
            "maxLength": 500,
        }),
        "depends_on" => list(
            "Monitors whose incidents suppress notifications about this monitor.",
            MONITOR_ID,
            0,
        ),
        "enabled" => {
            json!({ "description": "Whether the monitor is checked.", "type": "boolean", "default": true })
        }
        "remind_every" => duration("The interval of reminders about an open incident: 5m or more."),
        "escalate_after" => {
            duration("The time after which an open incident is escalated to critical: 1m or more.")
        }
        "flapping_after" => number(
            "The number of changes within an hour above which the monitor is flapping; 0 disables this.",
            0,
            20,
        ),
        // A new field of the core is allowed until its schema is added here; a test requires one.
        _ => json!({}),
    }
}

fn services() -> Value {
    let about = |service: &Service| {
        let port = preset::service(*service)
            .get("port")
            .map(Value::to_string)
            .unwrap_or_default();
        json!({ "const": service.as_str(), "description": format!("{}, port {port}", preset::title(*service)) })
    };
    json!({
        "description": "The service: sets port, timeout and readiness check.",
        "oneOf": Service::ALL.iter().map(about).collect::<Vec<_>>(),
    })
}

fn tiers() -> Value {
    let about = |tier: &Tier| {
        let sets = preset::tier(*tier)
            .iter()
            .map(|(name, value)| format!("{name}: {value}"));
        json!({ "const": tier.as_str(), "description": sets.collect::<Vec<_>>().join(", ").replace('"', "") })
    };
    json!({
        "description": "The importance of the monitor: sets interval, thresholds and severity.",
        "oneOf": Tier::ALL.iter().map(about).collect::<Vec<_>>(),
    })
}

fn window() -> Value {
    let text = |description: &str| json!({ "description": description, "type": "string" });
    let time =
        |description: &str| json!({ "description": description, "type": "string", "format": "date-time" });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "monitors": list("The monitors that the window covers. Without `monitors` and `tags`, the window covers all.", MONITOR_ID, 1),
            "tags": list("The window covers monitors with any of these tags.", TAG, 1),
            "from": time("The start, such as 2026-11-22T02:00:00Z."),
            "until": time("The end."),
            "every": text("The start of a recurring window: `daily 02:00`, `sun 02:00` or `mon,wed 22:30`."),
            "for": duration("The duration: at most 7 days."),
            "zone": text("The time zone of `every`, such as Europe/Berlin. Default: UTC."),
            "why": text("The reason, for people."),
        },
        "oneOf": [{ "required": ["from", "until"] }, { "required": ["every", "for"] }],
    })
}

fn choice<'a>(description: &str, values: impl Iterator<Item = &'a str>) -> Value {
    json!({ "description": description, "enum": values.collect::<Vec<_>>() })
}

fn number(description: &str, min: u32, max: u32) -> Value {
    json!({ "description": description, "type": "integer", "minimum": min, "maximum": max })
}

fn duration(description: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": DURATION })
}

fn list(description: &str, pattern: &str, min: u32) -> Value {
    json!({
        "description": description,
        "type": "array",
        "minItems": min,
        "maxItems": 50,
        "items": { "type": "string", "pattern": pattern },
    })
}
