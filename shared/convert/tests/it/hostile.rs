//! Random input: no panic, and the output is valid.

use portpulse_convert::{Format, ImportError, Options, Source, export, import};
use portpulse_core::definition::NetworkAccess;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Texts with a meaning in some format, and hostile texts.
const TEXTS: &[&str] = &[
    "https://a.example.com/x?y#z",
    "tcp://10.0.0.1:3306",
    "icmp://a",
    "a.example.com:22",
    "starttls://m:25",
    "[::1]:53",
    "8.8.8.8",
    "http",
    "tcp",
    "dns",
    "icmp",
    "port",
    "ping",
    "keyword",
    "postgres",
    "GET",
    "POST",
    "TCP_PING",
    "1m",
    "0",
    "-1",
    "1e9",
    "99999d",
    "[STATUS] == 200",
    "[STATUS] > 598",
    "[STATUS] < 100",
    "[RESPONSE_TIME] < 1e400",
    "[BODY] == pat(*x*)",
    "[CERTIFICATE_EXPIRATION] > 99999h",
    "200-299",
    "^220",
    "yes",
    "no",
    "null",
    "~",
    "a: b",
    "x\n  y: {",
    "\u{2028}# x",
    "\u{1b}[31m",
    "\"",
    "'",
    "\\",
    "💥",
    "{{}}",
    "2026-11-22",
    "2026-11-22T00:00:00Z",
    "2027-11-22T00:00:00+01:00",
    "m",
    "http_2xx",
    "tcp_connect",
    "23:00",
    "Europe/Berlin",
    "Sunday",
    "HTTP",
    "TCP",
    "Service",
    "ClusterIP",
    "NodePort",
    "postgres:16",
    "8080:80",
    "1-99999",
    "${X}",
    "$X",
    "postgres://u:p@h:1/d?sslmode=require",
    "tcp-ping",
    "*/5 * * * *",
];

/// Keys with a meaning in some format.
const KEYS: &[&str] = &[
    "name",
    "group",
    "url",
    "method",
    "conditions",
    "interval",
    "dns",
    "query-name",
    "query-type",
    "alerts",
    "failure-threshold",
    "success-threshold",
    "client",
    "timeout",
    "network",
    "enabled",
    "type",
    "hostname",
    "port",
    "maxretries",
    "resendInterval",
    "upsideDown",
    "accepted_statuscodes",
    "maxredirects",
    "tags",
    "value",
    "dns_resolve_server",
    "dns_resolve_type",
    "databaseConnectionString",
    "job_name",
    "params",
    "module",
    "static_configs",
    "targets",
    "labels",
    "scrape_interval",
    "scrape_timeout",
    "metrics_path",
    "file_sd_configs",
    "files",
    "prober",
    "http",
    "tcp",
    "icmp",
    "tls",
    "query_response",
    "expect",
    "send",
    "starttls",
    "valid_status_codes",
    "monitor",
    "id",
    "target",
    "expectedCodes",
    "responseKeyword",
    "gracePeriod",
    "start",
    "end",
    "monitors",
    "title",
    "maintenance-windows",
    "duration",
    "timezone",
    "every",
    "check",
    "expectedStatusCodes",
    "maxResponseTime",
    "targets",
    "host_names",
    "endpoint",
    "http_probe",
    "tcp_probe",
    "validator",
    "alert",
    "image",
    "ports",
    "published",
    "kind",
    "spec",
    "metadata",
    "nodePort",
    "relabel_configs",
    "source_labels",
    "target_label",
    "regex",
    "replacement",
    "action",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(TEXTS).prop_map(str::to_owned), "\\PC{0,12}"]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![9 => prop::sample::select(KEYS).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (0u32..70_000).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..8).prop_map(|map| json!(map)),
        ]
    })
}

fn map() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(key(), value(), 0..10).prop_map(|map| json!(map))
}

/// Imports and exports a text. Returns the number of monitors.
fn check(format: Format, text: &str) -> Result<usize, TestCaseError> {
    match import(format, &[Source { name: "x", text }], &Options::default()) {
        Ok(import) => {
            let file = portpulse_monitors_file::read(&import.text, NetworkAccess::OwnNetwork).unwrap();
            prop_assert_eq!(file.monitors().len(), import.report.imported);
            let out = export(&file);
            prop_assert!(serde_json::from_str::<Value>(&out.targets).is_ok());
            prop_assert!(
                portpulse_monitors_file::read_value(&out.modules).is_ok(),
                "{}",
                out.modules
            );
            Ok(import.report.imported)
        }
        Err(ImportError::Invalid { mistakes }) => Err(TestCaseError::fail(format!("{mistakes:?}\n{text}"))),
        Err(
            ImportError::Unreadable { .. } | ImportError::Foreign { .. } | ImportError::NoMonitors { .. },
        ) => Ok(0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn imported_definitions_are_always_valid(
        list in prop::collection::vec(map(), 0..5),
        more in map(),
        windows in prop::collection::vec(map(), 0..3),
        url in text(),
        kind in text(),
    ) {
        // Maps that are likely to become monitors.
        let mut likely = list.clone();
        for fields in likely.iter_mut().filter_map(Value::as_object_mut) {
            for name in ["url", "target", "hostname", "databaseConnectionString"] {
                fields.insert(name.to_owned(), json!(url));
            }
            for name in ["type", "method"] {
                fields.insert(name.to_owned(), json!(kind));
            }
            fields.insert("maintenance-windows".to_owned(), json!(windows));
        }
        let module = json!({ "prober": kind, "http": more, "tcp": more, "dns": more, "icmp": more });
        let files = [
            (Format::Gatus, json!({ "endpoints": likely, "alerting": more, "maintenance": windows.first() })),
            (Format::Gatus, json!({ "endpoints": list, "alerting": more })),
            (Format::UptimeKuma, json!({ "monitorList": likely, "version": more })),
            (Format::UptimeFlare, json!({ "workerConfig": { "monitors": likely, "notification": more }, "maintenances": windows })),
            (Format::Prometheus, json!({ "modules": { "m": more }, "scrape_configs": list })),
            (Format::Prometheus, json!({ "modules": { "m": module }, "scrape_configs": [
                { "params": { "module": ["m"] }, "static_configs": [{ "targets": ["a.example.com:25", "http://b/", "c", url], "labels": windows.first() }] },
            ] })),
            (Format::Prometheus, json!(list)),
            (Format::UptimeKuma, json!({ "monitor": likely, "maintenance": windows, "tag": list })),
            (Format::Upptime, json!({ "sites": likely, "workflowSchedule": more })),
            (Format::Cloudprober, json!({ "probe": likely, "shared_targets": more })),
            (Format::Cloudprober, json!({ "probe": { "name": kind, "type": "HTTP", "targets": { "host_names": url, "endpoint": list }, "http_probe": more } })),
            (Format::Compose, json!({ "services": { "a": more, "b": { "image": kind, "ports": [url, kind, more] } } })),
            (Format::Kubernetes, json!([{ "kind": kind, "spec": more }, { "kind": "Service", "spec": { "type": kind, "ports": list } },
                { "kind": "Ingress", "metadata": more, "spec": { "rules": [{ "host": url, "http": { "paths": list } }] } }])),
            (Format::Terraform, json!({ "values": { "root_module": { "resources": [
                { "address": kind, "type": "aws_db_instance", "values": { "address": url, "engine": kind, "tags": more } },
                { "address": "b", "type": "aws_lb", "values": more },
            ] } } })),
        ];
        for (format, file) in files {
            check(format, &file.to_string())?;
        }
    }

    #[test]
    fn import_never_panics(text in "(\\PC|\n| |\t|\u{0}){0,120}") {
        for format in Format::ALL {
            check(format, &text)?;
        }
    }
}
