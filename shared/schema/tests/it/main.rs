//! Compares the schema with the committed file and with the rules of the core.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portpulse_core::definition::{DefinitionFile, NetworkAccess, RawMonitor};
use regex::Regex;
use serde_json::{Value, json};

#[test]
fn committed_schema_is_current() {
    let committed = include_str!("../../../../infra/monitors.schema.json");
    let help = "cargo run -q -p portpulse-schema --example print > infra/monitors.schema.json";
    assert_eq!(
        committed,
        format!("{:#}\n", portpulse_schema::definitions()),
        "run {help}"
    );
}

/// Whether `value` is valid by `schema`; supports only the keywords that the schema uses.
fn fits(value: &Value, schema: &Value, root: &Value) -> bool {
    let Value::Object(rules) = schema else {
        unreachable!("a schema must be an object: {schema}")
    };
    rules.iter().all(|(rule, wanted)| match rule.as_str() {
        "$schema" | "title" | "description" | "default" | "definitions" | "format" => true,
        "$ref" => fits(
            value,
            root.pointer(wanted.as_str().unwrap().trim_start_matches('#'))
                .unwrap(),
            root,
        ),
        "type" => match wanted.as_array() {
            Some(types) => types.iter().any(|one| is(value, one.as_str().unwrap())),
            None => is(value, wanted.as_str().unwrap()),
        },
        "enum" => wanted.as_array().unwrap().contains(value),
        "const" => wanted == value,
        "oneOf" => {
            wanted
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| fits(value, one, root))
                .count()
                == 1
        }
        "minimum" => value
            .as_i64()
            .is_none_or(|number| number >= wanted.as_i64().unwrap()),
        "maximum" => value
            .as_i64()
            .is_none_or(|number| number <= wanted.as_i64().unwrap()),
        "minLength" => value.as_str().is_none_or(|text| text.len() >= size(wanted)),
        "maxLength" => value.as_str().is_none_or(|text| text.len() <= size(wanted)),
        "pattern" => value
            .as_str()
            .is_none_or(|text| Regex::new(wanted.as_str().unwrap()).unwrap().is_match(text)),
        "minItems" => value.as_array().is_none_or(|items| items.len() >= size(wanted)),
        "maxItems" => value.as_array().is_none_or(|items| items.len() <= size(wanted)),
        "items" => value
            .as_array()
            .is_none_or(|items| items.iter().all(|item| fits(item, wanted, root))),
        "minProperties" => value.as_object().is_none_or(|map| map.len() >= size(wanted)),
        "propertyNames" => value
            .as_object()
            .is_none_or(|map| map.keys().all(|name| fits(&json!(name), wanted, root))),
        "required" => {
            let names = wanted.as_array().unwrap();
            value
                .as_object()
                .is_none_or(|map| names.iter().all(|name| map.contains_key(name.as_str().unwrap())))
        }
        "properties" => value.as_object().is_none_or(|map| {
            map.iter()
                .all(|(name, value)| wanted.get(name).is_none_or(|schema| fits(value, schema, root)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|map| {
            let named = |name: &str| {
                rules
                    .get("properties")
                    .is_some_and(|named| named.get(name).is_some())
            };
            let mut others = map.iter().filter(|(name, _)| !named(name));
            others.all(|(_, value)| wanted.is_object() && fits(value, wanted, root))
        }),
        other => unreachable!("unknown keyword: {other}"),
    })
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => unreachable!("unknown type: {other}"),
    }
}

fn size(wanted: &Value) -> usize {
    usize::try_from(wanted.as_u64().unwrap()).unwrap()
}

fn accepted_by_schema(file: &Value) -> bool {
    let schema = portpulse_schema::definitions();
    fits(file, &schema, &schema)
}

fn accepted_by_core(file: &Value) -> bool {
    DefinitionFile::validate(file, NetworkAccess::OwnNetwork).is_ok()
}

/// Valid and invalid values for each field.
fn samples(field: &str) -> (Vec<Value>, Vec<Value>) {
    let choice = |good: &[&str]| {
        (
            good.iter().map(|value| json!(value)).collect(),
            vec![json!("other"), json!(1)],
        )
    };
    match field {
        "host" => (
            vec![json!("a.example.com"), json!("::1")],
            vec![json!(""), json!(7), json!(null)],
        ),
        "port" => (
            vec![json!(1), json!(65_535)],
            vec![json!(0), json!(65_536), json!("22"), json!(1.5)],
        ),
        "service" => choice(&["postgres", "ssh", "https", "mariadb", "kafka"]),
        "tier" => choice(&["critical", "supporting", "background"]),
        "interval" => choice(&["1m", "2m", "5m", "10m", "15m", "30m", "1h"]),
        "timeout" => (
            vec![json!("100ms"), json!("30s")],
            vec![json!(5), json!("5 s"), json!("5"), json!("1.5s")],
        ),
        "slow_after" => (vec![json!("200ms")], vec![json!(5), json!("fast")]),
        "expect" => choice(&["open", "closed", "reachable"]),
        "check" => choice(&["connect"]),
        "tls" => (
            vec![json!(true), json!(false), json!("starttls")],
            vec![json!("yes"), json!(1), json!(null)],
        ),
        "warn_days" => (
            vec![json!(0), json!(365)],
            vec![json!(-1), json!(366), json!("14"), json!(null)],
        ),
        "http" => (
            vec![
                json!({}),
                json!({ "method": "GET", "path": "/a?b", "status": 200, "text": "well", "follow": true }),
                json!({ "status": [204, "3xx", "400-404"] }),
                json!({ "status": "2xx" }),
            ],
            vec![
                json!([]),
                json!({ "method": "POST" }),
                json!({ "path": "a" }),
                json!({ "path": "/a b" }),
                json!({ "status": 99 }),
                json!({ "status": "6xx" }),
                json!({ "status": [] }),
                json!({ "status": true }),
                json!({ "text": "" }),
                json!({ "follow": "yes" }),
                json!({ "paths": "/" }),
            ],
        ),
        "dns" => (
            vec![
                json!({}),
                json!({ "name": "example.com", "type": "MX", "must": ["10 mail.example.com"], "transport": "udp" }),
                json!({ "name": "example.com", "must_not": ["192.0.2.1"] }),
            ],
            vec![
                json!("example.com"),
                json!({ "type": "ANY" }),
                json!({ "transport": "tls" }),
                json!({ "name": "a", "must": "192.0.2.1" }),
                json!({ "name": "a", "must": [1] }),
                json!({ "name": "a", "type": "TXT", "must": [""] }),
                json!({ "names": "a" }),
            ],
        ),
        "script" => (
            vec![json!([{ "expect": "220" }, { "send": "QUIT\r\n" }])],
            vec![
                json!([]),
                json!({}),
                json!([{ "expect": "" }]),
                json!([{ "wait": "x" }]),
                json!([{ "send": "x", "expect": "y" }]),
                json!([{ "expect": 220 }]),
                json!(vec![json!({ "expect": "x" }); 17]),
            ],
        ),
        "failures_to_open" | "successes_to_close" => (
            vec![json!(1), json!(10)],
            vec![json!(0), json!(11), json!("2"), json!(null)],
        ),
        "quorum" => (vec![json!(1), json!(100)], vec![json!(0), json!(101)]),
        "locations" => (
            vec![json!(["eu-west-1"])],
            vec![
                json!([]),
                json!("eu-west-1"),
                json!(["EU"]),
                json!([1]),
                json!(vec!["a"; 51]),
            ],
        ),
        "severity" => choice(&["critical", "warning", "info"]),
        "ip" => choice(&["any", "v4", "v6"]),
        "close" => choice(&["fin", "quiet"]),
        "tags" => (
            vec![json!([]), json!(["env=prod", "a:b/c.d_e"])],
            vec![json!("one"), json!(["a b"]), json!([7])],
        ),
        "runbook" => (
            vec![json!("https://wiki.example.com/a?b#c")],
            vec![json!("wiki"), json!("ftp://a"), json!(1)],
        ),
        "depends_on" => (
            vec![json!([]), json!(["other"])],
            vec![json!("other"), json!(["No"]), json!([1])],
        ),
        "enabled" => (
            vec![json!(true), json!(false)],
            vec![json!("true"), json!(1), json!(null)],
        ),
        "remind_every" => (vec![json!("5m"), json!("1d")], vec![json!(4), json!("often")]),
        "escalate_after" => (vec![json!("1m"), json!("1d")], vec![json!(4), json!("soon")]),
        "flapping_after" => (vec![json!(0), json!(20)], vec![json!(-1), json!(21), json!("6")]),
        other => unreachable!("the field {other} has no samples"),
    }
}

#[test]
fn schema_and_core_agree_on_every_field() {
    for field in RawMonitor::FIELDS {
        let file = |value: &Value| {
            let mut monitor = json!({ "host": "a.example.com", "port": 8080 });
            // Options require a service.
            match *field {
                "http" => monitor["service"] = json!("http"),
                "dns" => monitor["service"] = json!("dns"),
                "tls" => monitor["service"] = json!("postgres"),
                "warn_days" => monitor["service"] = json!("tls"),
                _ => {}
            }
            monitor[field] = value.clone();
            json!({ "monitors": { "a": monitor, "other": { "host": "b.example.com", "port": 1 } } })
        };
        let (good, bad) = samples(field);
        for value in good {
            assert!(
                accepted_by_core(&file(&value)),
                "the core refuses {field}: {value}"
            );
            assert!(
                accepted_by_schema(&file(&value)),
                "the schema refuses {field}: {value}"
            );
        }
        for value in bad {
            assert!(
                !accepted_by_core(&file(&value)),
                "the core accepts {field}: {value}"
            );
            assert!(
                !accepted_by_schema(&file(&value)),
                "the schema accepts {field}: {value}"
            );
        }
    }
}

#[test]
fn schema_and_core_agree_on_whole_file() {
    let with = |part: &str, value: Value| {
        let mut file = json!({ "monitors": { "a": { "host": "a.example.com", "port": 1, "tags": ["x"] } } });
        file[part] = value;
        file
    };
    let once = || json!({ "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T04:00:00Z" });
    for good in [
        with("defaults", json!({ "tier": "critical", "tags": ["x"] })),
        with("defaults", json!(null)),
        with("maintenance", json!([once()])),
        with(
            "maintenance",
            json!([{ "every": "sun 02:00", "for": "2h", "zone": "Europe/Berlin", "tags": ["x"], "why": "w" }]),
        ),
        with(
            "maintenance",
            json!([{ "every": "daily 02:00", "for": "2h", "monitors": ["a"] }]),
        ),
    ] {
        assert!(accepted_by_core(&good), "the core refuses {good}");
        assert!(accepted_by_schema(&good), "the schema refuses {good}");
    }
    for bad in [
        json!({}),
        json!([]),
        json!({ "monitors": {} }),
        json!({ "monitors": [] }),
        json!({ "monitors": { "No": { "host": "a", "port": 1 } } }),
        json!({ "monitors": { "a": { "host": "a", "port": 1, "hots": "b" } } }),
        json!({ "monitors": { "a": 7 } }),
        with("colour", json!("red")),
        with("defaults", json!({ "host": "a" })),
        with("defaults", json!([])),
        with("maintenance", json!({})),
        with("maintenance", json!([{ "from": "2026-11-22T02:00:00Z" }])),
        with(
            "maintenance",
            json!([{ "every": "sun 02:00", "for": "2h", "when": "now" }]),
        ),
        with("maintenance", json!([{ "every": "sun 02:00", "for": 2 }])),
        with(
            "maintenance",
            json!([{ "every": "sun 02:00", "for": "2h", "monitors": [] }]),
        ),
    ] {
        assert!(!accepted_by_core(&bad), "the core accepts {bad}");
        assert!(!accepted_by_schema(&bad), "the schema accepts {bad}");
    }
}
