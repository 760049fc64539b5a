//! The JSON Schema of the definitions file, by which editors complete it and mark mistakes.
//!
//! Words, services and presets come from the core. A schema cannot say every rule: what it refuses is wrong, what it
//! accepts may still be refused by `portpulse validate`.

mod options;

use portpulse_core::choice::{CheckKind, CloseMode, Expect, IpFamily, Severity, Tier};
use portpulse_core::definition::RawMonitor;
use portpulse_core::preset;
use portpulse_core::target::Service;
use portpulse_core::time::Interval;
use serde_json::{Map, Value, json};

/// The schema, in the dialect of draft 7, which every editor knows.
pub fn definitions() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Portpulse's monitors",
        "type": "object",
        "required": ["monitors"],
        "additionalProperties": false,
        "properties": {
            "monitors": {
                "description": "What is watched: a map of ids to monitors.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": MONITOR_ID },
                "additionalProperties": { "$ref": "#/definitions/monitor" },
            },
            "defaults": {
                "description": "What holds for every monitor that does not say otherwise.",
                "type": ["object", "null"],
                "additionalProperties": false,
                "properties": fields(|field| !matches!(field, "host" | "script" | "depends_on")),
            },
            "maintenance": {
                "description": "Times in which notifications are held back; the checks go on.",
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

/// The fields of a monitor, as far as `wanted`.
fn fields(wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let names = RawMonitor::FIELDS.iter().copied().filter(|field| wanted(field));
    names.map(|name| (name.to_owned(), described(name))).collect()
}

/// A field's schema, with what it defaults to.
fn described(name: &str) -> Value {
    let mut schema = field(name);
    if let (Some(value), Some(schema)) = (preset::default().get(name), schema.as_object_mut()) {
        schema.insert("default".to_owned(), value.clone());
    }
    schema
}

fn field(name: &str) -> Value {
    match name {
        "host" => json!({ "description": "DNS name or address, alone.", "type": "string", "minLength": 1 }),
        "port" => number("TCP port. A service brings its usual one along.", 1, 65_535),
        "service" => services(),
        "tier" => tiers(),
        "interval" => words(
            "How often it is checked.",
            Interval::ALL.iter().map(|word| word.as_str()),
        ),
        "timeout" => duration("The time for all phases of one check: 100ms to 30s."),
        "slow_after" => duration("A connect time above which a tick counts as slow; below the timeout."),
        "expect" => words(
            "What a healthy one looks like: an open port, a closed one, or (what ping would tell) a host that answers at all.",
            Expect::ALL.iter().map(|word| word.as_str()),
        ),
        "check" => words(
            "A timed connect, or also one exchange in the service's own protocol. For ping, see `expect: reachable`.",
            CheckKind::ALL.iter().map(|word| word.as_str()),
        ),
        "tls" => options::tls(),
        "warn_days" => options::warn_days(),
        "http" => options::http(),
        "dns" => options::dns(),
        "script" => options::script(),
        "failures_to_open" => number("Consecutive failing ticks that make a location's vote.", 1, 10),
        "successes_to_close" => number("Consecutive good ticks that end it.", 1, 10),
        "quorum" => number("How many locations must agree; more than half if absent.", 1, 100),
        "locations" => list("The locations that check it; all if absent.", LOCATION, 1),
        "severity" => words(
            "How loudly its incidents are told.",
            Severity::ALL.iter().map(|word| word.as_str()),
        ),
        "ip" => words(
            "Which address families may be used.",
            IpFamily::ALL.iter().map(|word| word.as_str()),
        ),
        "close" => words(
            "How a connection that was only opened is ended: politely, or before the service sees it.",
            CloseMode::ALL.iter().map(|word| word.as_str()),
        ),
        "tags" => list("Words to filter and group by.", TAG, 0),
        "runbook" => json!({
            "description": "A link to what to do about it.",
            "type": "string",
            "pattern": "^https?://",
            "maxLength": 500,
        }),
        "depends_on" => list("Monitors whose outage explains this one's.", MONITOR_ID, 0),
        "enabled" => {
            json!({ "description": "Whether it is checked at all.", "type": "boolean", "default": true })
        }
        "remind_every" => duration("How often an open incident is told again: 5m or more."),
        "escalate_after" => {
            duration("After how long an open incident is told again, as critical: 1m or more.")
        }
        "flapping_after" => number(
            "More changes than this within an hour are told as flapping; 0 for never.",
            0,
            20,
        ),
        // A field that is new in the core is allowed until it is described here; a test asks for it.
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
        "description": "A service that is known: its port, timeout and readiness exchange.",
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
        "description": "How much it matters: sets interval, thresholds and severity.",
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
            "monitors": list("The monitors it covers. Without monitors and tags it covers all.", MONITOR_ID, 1),
            "tags": list("The tags whose monitors it covers.", TAG, 1),
            "from": time("When it begins, such as 2026-11-22T02:00:00Z."),
            "until": time("When it ends."),
            "every": text("When it comes again and again: `daily 02:00`, `sun 02:00` or `mon,wed 22:30`."),
            "for": duration("How long it lasts: at most 7 days."),
            "zone": text("The time zone of `every`, such as Europe/Berlin; UTC if absent."),
            "why": text("For those who read it later."),
        },
        "oneOf": [{ "required": ["from", "until"] }, { "required": ["every", "for"] }],
    })
}

fn words<'a>(description: &str, words: impl Iterator<Item = &'a str>) -> Value {
    json!({ "description": description, "enum": words.collect::<Vec<_>>() })
}

fn number(description: &str, least: u32, most: u32) -> Value {
    json!({ "description": description, "type": "integer", "minimum": least, "maximum": most })
}

fn duration(description: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": DURATION })
}

fn list(description: &str, pattern: &str, least: u32) -> Value {
    json!({
        "description": description,
        "type": "array",
        "minItems": least,
        "maxItems": 50,
        "items": { "type": "string", "pattern": pattern },
    })
}
