//! Gatus: random endpoints of the documented grammar, compared with what Gatus would check.
//!
//! The oracle is written from <https://github.com/TwiN/gatus/blob/master/README.md>: the defaults of `client`, of
//! `interval` and of alerts, and the conditions, evaluated status by status.

use std::time::Duration;

use portpulse_convert::Format;
use portpulse_core::choice::Expect;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::equal_or_named;
use crate::imported::{Imported, accepts_body, attempts, http, interval, interval_of, readiness, timeout};

#[derive(Debug, Clone)]
struct Alert {
    kind: &'static str,
    failures: Option<u32>,
    successes: Option<u32>,
    is_enabled: Option<bool>,
    reminder_minutes: Option<u64>,
}

impl Alert {
    fn json(&self) -> Value {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("failure-threshold", self.failures.map(Value::from));
        set("success-threshold", self.successes.map(Value::from));
        set("enabled", self.is_enabled.map(Value::from));
        let reminder = self
            .reminder_minutes
            .map(|minutes| Value::from(format!("{minutes}m")));
        set("minimum-reminder-interval", reminder);
        Value::Object(fields)
    }
}

#[derive(Debug, Clone)]
struct Endpoint {
    scheme: &'static str,
    interval_seconds: Option<u64>,
    timeout_ms: Option<u64>,
    ignores_redirects: Option<bool>,
    is_enabled: Option<bool>,
    conditions: Vec<String>,
    alerts: Vec<Alert>,
    method: Option<&'static str>,
    is_insecure: bool,
    has_secret: bool,
    has_certificate: bool,
}

fn status_condition() -> impl Strategy<Value = String> {
    let code = prop_oneof![3 => 199u16..=205, 1 => 399u16..=405, 1 => 100u16..=599];
    let value = prop_oneof![
        4 => code.clone().prop_map(|code| code.to_string()),
        1 => prop::collection::vec(code.clone(), 1..4).prop_map(|codes| {
            let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
            format!("any({})", codes.join(", "))
        }),
    ];
    let operator = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    (operator, value, code, any::<bool>()).prop_map(|(operator, value, code, is_swapped)| {
        let value = if matches!(operator, "==" | "!=") {
            value
        } else {
            code.to_string()
        };
        if is_swapped && !value.contains('(') {
            let swapped = match operator {
                "<" => ">",
                "<=" => ">=",
                ">" => "<",
                ">=" => "<=",
                same => same,
            };
            format!("{value} {swapped} [STATUS]")
        } else {
            format!("[STATUS] {operator} {value}")
        }
    })
}

fn condition() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => status_condition(),
        2 => prop::sample::select(vec![
            "[CONNECTED] == true", "[CONNECTED] == false", "[CONNECTED] != true", "[CONNECTED] != false",
        ]).prop_map(str::to_owned),
        2 => (1u32..20_000).prop_map(|limit| format!("[RESPONSE_TIME] < {limit}")),
        1 => (1u32..900).prop_map(|hours| format!("[CERTIFICATE_EXPIRATION] > {hours}h")),
        2 => prop::sample::select(vec![
            "[BODY] == pat(*well*)", "[BODY] == pat(*fine*)", "[BODY] == ok", "[BODY] != bad", "[BODY].status == UP",
            "len([BODY].items) > 3", "has([BODY].errors) == false", "[IP] == 192.0.2.1", "[DOMAIN_EXPIRATION] > 720h",
            "[STATUS] == pat(2*)", "[BODY] == any(a, b)", "[BODY] != pat(*bad*)", "[BODY] == pat(o?)",
            "[BODY].items[0] < 2", "[BODY].status == any(UP, WELL)",
        ]).prop_map(str::to_owned),
    ]
}

fn alert() -> impl Strategy<Value = Alert> {
    let kind = prop::sample::select(vec!["slack", "discord", "email"]);
    let count = || proptest::option::of(0u32..14);
    (
        kind,
        count(),
        count(),
        proptest::option::of(any::<bool>()),
        proptest::option::of(5u64..200),
    )
        .prop_map(
            |(kind, failures, successes, is_enabled, reminder_minutes)| Alert {
                kind,
                failures,
                successes,
                is_enabled,
                reminder_minutes,
            },
        )
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    (
        prop::sample::select(vec!["http", "https", "tcp", "tls", "icmp"]),
        proptest::option::of(prop_oneof![Just(60u64), Just(300), 1u64..4_000]),
        proptest::option::of(prop_oneof![Just(5_000u64), 1u64..60_000]),
        proptest::option::of(any::<bool>()),
        proptest::option::of(any::<bool>()),
        prop::collection::vec(condition(), 1..5),
        prop::collection::vec(alert(), 0..3),
        proptest::option::of(prop::sample::select(vec!["GET", "HEAD", "POST"])),
        (any::<bool>(), any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(
                scheme,
                interval_seconds,
                timeout_ms,
                ignores_redirects,
                is_enabled,
                conditions,
                alerts,
                method,
                (is_insecure, has_secret, has_certificate),
            )| Endpoint {
                scheme,
                interval_seconds,
                timeout_ms,
                ignores_redirects,
                is_enabled,
                conditions,
                alerts,
                method,
                is_insecure,
                has_secret,
                has_certificate,
            },
        )
}

impl Endpoint {
    fn json(&self, name: &str) -> Value {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("name", Some(json!(name)));
        let port = if self.scheme == "icmp" { "" } else { ":8080" };
        set(
            "url",
            Some(json!(format!("{}://{name}.example.com{port}", self.scheme))),
        );
        set(
            "interval",
            self.interval_seconds.map(|seconds| json!(format!("{seconds}s"))),
        );
        set("enabled", self.is_enabled.map(Value::from));
        set("method", self.method.map(Value::from));
        set("conditions", Some(json!(self.conditions)));
        let alerts: Vec<Value> = self
            .alerts
            .iter()
            .map(|alert| {
                let mut fields = alert.json();
                fields["type"] = json!(alert.kind);
                fields
            })
            .collect();
        set("alerts", Some(json!(alerts)));
        let mut client = Map::new();
        client.extend(
            self.timeout_ms
                .map(|ms| ("timeout".to_owned(), json!(format!("{ms}ms")))),
        );
        client.extend(
            self.ignores_redirects
                .map(|is_on| ("ignore-redirect".to_owned(), json!(is_on))),
        );
        if self.is_insecure {
            client.insert("insecure".to_owned(), json!(true));
        }
        if self.has_certificate {
            let files = json!({ "certificate-file": "/c.pem", "private-key-file": "/k.pem" });
            client.insert("tls".to_owned(), files);
        }
        if self.has_secret {
            set("headers", Some(json!({ "X-Api-Key": "s3cret" })));
        }
        if !client.is_empty() {
            set("client", Some(Value::Object(client)));
        }
        Value::Object(fields)
    }
}

/// Whether a status meets a condition, as the documentation of Gatus says; `None` for conditions on other subjects.
fn accepts(condition: &str, status: i64) -> Option<bool> {
    let parts: Vec<&str> = condition.splitn(3, ' ').collect();
    let [left, operator, right] = parts.as_slice() else {
        return None;
    };
    let (is_swapped, value) = match (*left, *right) {
        ("[STATUS]", value) => (false, value),
        (value, "[STATUS]") => (true, value),
        _ => return None,
    };
    let is_one_of = |value: &str| {
        let list = value
            .strip_prefix("any(")
            .and_then(|rest| rest.strip_suffix(')'))
            .unwrap_or(value);
        list.split(',').any(|each| match each.trim() {
            "pat(2*)" => (200..300).contains(&status),
            each => each.parse() == Ok(status),
        })
    };
    let (a, b) = match value.parse::<i64>() {
        Ok(value) if is_swapped => (value, status),
        Ok(value) => (status, value),
        Err(_) => (0, 0),
    };
    Some(match *operator {
        "==" => is_one_of(value),
        "!=" => !is_one_of(value),
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        ">=" => a >= b,
        _ => return None,
    })
}

/// Bodies of responses.
const BODIES: [&str; 9] = [
    "",
    "ok",
    "a",
    "all is well",
    "well and fine, not bad",
    "bad",
    r#"{"status":"UP","items":[1,2,3,4]}"#,
    r#"{"status":"DOWN","items":[5],"errors":["bad"]}"#,
    r#"{"status":"WELL"}"#,
];

/// Whether a body meets a condition, as the documentation of Gatus says; `None` for conditions on other subjects.
fn accepts_text(condition: &str, body: &str) -> Option<bool> {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let status = json["status"].as_str();
    Some(match condition {
        "[BODY] == pat(*well*)" => body.contains("well"),
        "[BODY] == pat(*fine*)" => body.contains("fine"),
        "[BODY] == ok" => body == "ok",
        "[BODY] == pat(o?)" => body.len() == 2 && body.starts_with('o'),
        "[BODY] != bad" => body != "bad",
        "[BODY] != pat(*bad*)" => !body.contains("bad"),
        "[BODY] == any(a, b)" => body == "a" || body == "b",
        "[BODY].status == UP" => status == Some("UP"),
        "[BODY].status == any(UP, WELL)" => matches!(status, Some("UP" | "WELL")),
        "len([BODY].items) > 3" => json["items"].as_array().is_some_and(|items| items.len() > 3),
        "[BODY].items[0] < 2" => json["items"][0].as_i64().is_some_and(|first| first < 2),
        "has([BODY].errors) == false" => json.get("errors").is_none(),
        _ => return None,
    })
}

/// The values of an alert with the default alert of its provider: an absent or zero threshold is no value.
fn completed(alert: &Alert, defaults: &Alert) -> Option<(u32, u32)> {
    // `email` is no configured provider.
    if alert.kind == "email" {
        return None;
    }
    let has_defaults = alert.kind == defaults.kind;
    let of = |own: Option<u32>, default: Option<u32>, last: u32| {
        let default = default.filter(|_| has_defaults);
        own.filter(|count| *count > 0)
            .or(default.filter(|count| *count > 0))
            .unwrap_or(last)
    };
    let is_enabled = alert
        .is_enabled
        .or(defaults.is_enabled.filter(|_| has_defaults))
        .unwrap_or(true);
    is_enabled.then(|| {
        (
            of(alert.failures, defaults.failures, 3),
            of(alert.successes, defaults.successes, 2),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn endpoints_are_checked_as_by_gatus_or_the_difference_is_named(
        endpoints in prop::collection::vec(endpoint(), 1..4),
        defaults in alert(),
    ) {
        let written: Vec<Value> = endpoints.iter().enumerate().map(|(index, each)| each.json(&format!("e{index}"))).collect();
        let mut alerting = json!({ "slack": { "webhook-url": "https://x" }, "discord": { "webhook-url": "https://y" } });
        if defaults.kind != "email" {
            alerting[defaults.kind]["default-alert"] = defaults.json();
        }
        // A folder of two files, as Gatus merges them.
        let (alerting, written) = (json!({ "alerting": alerting }).to_string(), json!({ "endpoints": written }).to_string());
        let imported = Imported::of(Format::Gatus, &[("alerting.yaml", &alerting), ("endpoints.yaml", &written)]);
        prop_assert_eq!(imported.report.found, endpoints.len());
        prop_assert!(!imported.shown().contains("s3cret"));
        for (index, endpoint) in endpoints.iter().enumerate() {
            let id = format!("e{index}");
            let is_http = matches!(endpoint.scheme, "http" | "https");
            let accepted: Vec<bool> = (100..600)
                .map(|status| endpoint.conditions.iter().all(|condition| accepts(condition, status).unwrap_or(true)))
                .collect();
            let expects_closed = endpoint.conditions.iter().any(|each| matches!(each.as_str(), "[CONNECTED] == false" | "[CONNECTED] != true"));
            let expects_open = endpoint.conditions.iter().any(|each| matches!(each.as_str(), "[CONNECTED] == true" | "[CONNECTED] != false"));
            let Some(monitor) = imported.monitor(&id) else {
                // Only what can never be healthy, or cannot be expressed at all, may be refused.
                let is_never_healthy = is_http && !accepted.contains(&true) || expects_closed && (expects_open || endpoint.scheme != "tcp");
                prop_assert!(imported.is_refused(&id) && is_never_healthy, "{endpoint:?}\n{}", imported.shown());
                continue;
            };
            equal_or_named!(imported, &id, "interval", interval_of(monitor), endpoint.interval_seconds.unwrap_or(60));
            prop_assert_eq!(interval_of(monitor), interval(endpoint.interval_seconds.unwrap_or(60), monitor.target().timeout));
            let wanted = Duration::from_millis(endpoint.timeout_ms.unwrap_or(10_000));
            equal_or_named!(imported, &id, "client.timeout", monitor.target().timeout, wanted);
            prop_assert_eq!(monitor.target().timeout, timeout(wanted));
            prop_assert_eq!(monitor.is_enabled(), endpoint.is_enabled.unwrap_or(true));

            let alerts: Vec<(u32, u32)> = endpoint.alerts.iter().filter_map(|alert| completed(alert, &defaults)).collect();
            let failures = alerts.iter().map(|(failures, _)| *failures).min();
            let successes = alerts.iter().map(|(_, successes)| *successes).min();
            if failures.is_none() {
                prop_assert!(imported.is_named(&id, "alerts"), "{}", imported.shown());
            }
            equal_or_named!(imported, &id, "failure-threshold", attempts(monitor), failures.unwrap_or(3));
            // Also where alerts differ: the first of them notifies.
            prop_assert_eq!(attempts(monitor), failures.unwrap_or(3).min(10));
            prop_assert_eq!(monitor.rule().successes_to_close, successes.unwrap_or(2).min(10));
            equal_or_named!(imported, &id, "success-threshold", monitor.rule().successes_to_close, successes.unwrap_or(2));

            let expected = match endpoint.scheme {
                "tcp" if expects_closed => Expect::Closed,
                "icmp" => Expect::Reachable,
                _ => Expect::Open,
            };
            prop_assert_eq!(monitor.rule().expect, expected);
            let is_tls = matches!(endpoint.scheme, "https" | "tls");
            let has_secret = is_http && endpoint.has_secret;
            let found = readiness(monitor).is_some_and(|readiness| readiness.is_insecure());
            prop_assert_eq!(found, endpoint.is_insecure && is_tls && !has_secret, "{}", imported.shown());
            prop_assert!(!endpoint.is_insecure || !has_secret || !is_tls || imported.is_named(&id, "client.insecure"));
            prop_assert_eq!(imported.is_named(&id, "client.tls.certificate-file"), endpoint.has_certificate && is_tls);
            if is_http {
                let http = http(monitor).unwrap();
                let method = endpoint.method.unwrap_or("GET");
                equal_or_named!(imported, &id, "method", http.method().as_str(), method);
                prop_assert_eq!(http.follows(), !endpoint.ignores_redirects.unwrap_or(false));
                let found: Vec<bool> = (100..600).map(|status| http.expects(status)).collect();
                equal_or_named!(imported, &id, "[STATUS]", found, accepted);
                let is_json = endpoint.conditions.iter().any(|each| each.contains("[BODY]."));
                for body in BODIES {
                    // A body that is not JSON fails a check of JSON; Gatus then compares an invalid value.
                    if method != "HEAD" && (!is_json || body.starts_with('{')) {
                        let expected = endpoint.conditions.iter().all(|each| accepts_text(each, body).unwrap_or(true));
                        prop_assert_eq!(accepts_body(http, body), expected, "{}\n{}", body, imported.shown());
                    }
                }
            }
            // Every condition that a definition does not express is named.
            for condition in &endpoint.conditions {
                let is_carried = match condition.as_str() {
                    "[CONNECTED] == true" | "[CONNECTED] == false" | "[CONNECTED] != true" | "[CONNECTED] != false" => true,
                    _ if accepts_text(condition, "").is_some() => is_http && endpoint.method != Some("HEAD"),
                    _ if accepts(condition, 200).is_some() => is_http,
                    _ if condition.starts_with("[RESPONSE_TIME]") => true,
                    _ => false,
                };
                // A stricter condition on the same subject includes a weaker one.
                let shared_subjects = ["[STATUS]", "[CERTIFICATE_EXPIRATION]"];
                let part = shared_subjects.into_iter().find(|subject| condition.contains(subject)).unwrap_or(condition);
                prop_assert!(is_carried || imported.is_named(&id, part), "{condition}\n{}", imported.shown());
            }
            let limits = endpoint.conditions.iter().filter_map(|each| each.strip_prefix("[RESPONSE_TIME] < ")?.parse().ok());
            let limit = limits.min().map(Duration::from_millis);
            // After the timeout, a check fails anyway.
            let limit = limit.filter(|limit| *limit < monitor.target().timeout);
            prop_assert_eq!(monitor.target().fail_slower_than, limit, "{}", imported.shown());
        }
    }
}
