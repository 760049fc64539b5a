//! Every key of a source is used, named or refused: an unknown key, and a value of a wrong type, never disappear.

use portpulse_convert::{Format, ImportError, Options, Report, Source, import};
use serde_json::{Value, json};

const UNKNOWN: &str = "zzunknown";
/// The tables of a database of which single columns are read.
const SINGLE_COLUMNS: [&str; 7] = [
    "group",
    "monitor_group",
    "monitor_maintenance",
    "monitor_tag",
    "notification",
    "setting",
    "tag",
];

/// The files of a source.
type Files = Vec<(String, Value)>;

fn sample(name: &str) -> (String, Value) {
    let path = format!("{}/tests/samples/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let value = serde_json::from_str(&text).ok();
    let value = value.unwrap_or_else(|| portpulse_monitors_file::read_value(&text).unwrap());
    (name.to_owned(), value)
}

/// The formats whose files describe nothing but monitoring, each with files that have most of its keys. Files of
/// infrastructure consist of keys that do not concern monitoring.
fn sources() -> Vec<(Format, Files)> {
    let cloudprober = json!({
        "probe": [
            {
                "name": "web", "type": "HTTP", "interval": "60s", "timeout": "5s", "ip_version": "IPV4",
                "targets": { "endpoint": [{ "name": "one", "url": "https://one.example.com/up" }] },
                "http_probe": {
                    "method": "GET", "max_redirects": 3, "body": "x", "user_agent": "y", "requests_per_probe": 2,
                    "header": [{ "key": "X-Team", "value": "web" }], "tls_config": { "server_name": "b.example.com" },
                },
                "validator": [{ "name": "v", "http_validator": { "success_status_codes": "200" } }, { "name": "w", "regex": "up" }],
                "alert": { "name": "down", "condition": { "failures": 3, "total": 5 }, "severity": "ERROR" },
            },
            {
                "name": "port", "type": "TCP", "targets": { "host_names": "db.example.com" },
                "tcp_probe": { "port": 5432, "tls_handshake": true, "tls_config": { "disable_cert_validation": true } },
            },
            {
                "name": "name", "type": "DNS", "targets": { "host_names": "192.0.2.53" },
                "dns_probe": { "resolved_domain": "example.com", "query_type": "A", "dns_proto": "TCP" },
            },
        ],
        "surfacer": { "type": "PROMETHEUS" },
    });
    vec![
        (Format::Gatus, vec![sample("gatus.yaml")]),
        (Format::UptimeKuma, vec![sample("uptime-kuma.json")]),
        (Format::UptimeKuma, vec![sample("kuma-tables.json")]),
        (Format::UptimeFlare, vec![sample("uptimeflare.json")]),
        (Format::Upptime, vec![sample("upptimerc.yml")]),
        (
            Format::Prometheus,
            vec![
                sample("prometheus.yml"),
                sample("blackbox.yml"),
                sample("more.json"),
            ],
        ),
        (
            Format::Cloudprober,
            vec![("cloudprober.json".to_owned(), cloudprober)],
        ),
    ]
}

/// The definitions and the report, or the error.
fn imported(format: Format, files: &Files) -> (String, Report) {
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect();
    let sources: Vec<_> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    match import(format, &sources, &Options::default()) {
        Ok(import) => (format!("{}{:?}", import.text, import.report), import.report),
        Err(ImportError::NoMonitors { report }) => (format!("{report:?}"), report),
        Err(error @ (ImportError::Unreadable { .. } | ImportError::Foreign { .. })) => {
            (format!("refused: {error} {UNKNOWN}"), Report::default())
        }
        Err(error @ ImportError::Invalid { .. }) => panic!("{format}: {error}"),
    }
}

/// The JSON pointers of all values below a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                pointers(value, &format!("{at}/{}", escaped(key)), found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether the report names one of the keys of a pointer, so that everything below it is named.
fn is_named(report: &Report, pointer: &str, owner: &[String]) -> bool {
    let keys = pointer.split('/').map(|key| key.replace("~1", "/"));
    let keys: Vec<String> = keys
        .filter(|key| !key.is_empty() && key.parse::<usize>().is_err())
        .collect();
    let differences = report
        .lost
        .iter()
        .chain(&report.changed)
        .chain(&report.not_needed);
    differences.into_iter().any(|each| {
        keys.iter().any(|key| each.field == *key || each.field.ends_with(&format!(".{key}")) || each.field.starts_with(&format!("{key}: ")))
            // A monitor, a job or a group that is named as a whole.
            || matches!(each.field.as_str(), "" | "type group") && each.items.iter().any(|item| is_one_of(owner, item))
    })
}

/// Whether an item of a report is one of the names of an entry.
fn is_one_of(names: &[String], item: &str) -> bool {
    let mut names = names.iter();
    names.any(|name| item == name || item.ends_with(&format!("/{name}")) || item == format!("job {name}"))
}

/// The names of the innermost entry around a pointer that has one.
fn owner(root: &Value, pointer: &str) -> Vec<String> {
    let mut owner = Vec::new();
    let mut end = 0;
    while let Some(next) = pointer.get(end + 1..).and_then(|rest| rest.find('/')) {
        end += next + 1;
        let entry = root.pointer(&pointer[..end]);
        let names = ["name", "job_name", "id"]
            .iter()
            .filter_map(|key| entry?.get(*key)?.as_str());
        let names: Vec<String> = names.map(str::to_owned).collect();
        if !names.is_empty() {
            owner = names;
        }
    }
    owner
}

/// Settings of HTTP requests, which belong to the types of monitors of Uptime Kuma that make requests.
const OF_REQUESTS: [&str; 6] = [
    "url",
    "method",
    "accepted_statuscodes",
    "maxredirects",
    "headers",
    "body",
];

/// Whether a key is a setting of another type of monitor, which Uptime Kuma stores with each monitor.
fn is_of_other_type(report: &Report, root: &Value, pointer: &str) -> bool {
    let names = owner(root, pointer);
    let mut not_needed = report.not_needed.iter();
    let is_named = not_needed.any(|each| {
        each.field == "settings of other types" && each.items.iter().any(|item| is_one_of(&names, item))
    });
    let mut at = pointer;
    while let Some((entry, key)) = at.rsplit_once('/') {
        let kind = root.pointer(entry).and_then(|entry| entry.get("type"));
        if let Some(kind) = kind.and_then(Value::as_str) {
            let makes_requests = matches!(kind, "http" | "keyword" | "json-query");
            return is_named && (!makes_requests || !OF_REQUESTS.contains(&key));
        }
        at = entry;
    }
    false
}

/// Whether all columns of a table are read.
fn is_read(pointer: &str) -> bool {
    !SINGLE_COLUMNS
        .iter()
        .any(|table| pointer.starts_with(&format!("/{table}/")))
}

#[test]
fn unknown_keys_are_named_or_refused() {
    for (format, files) in sources() {
        let (_, report) = imported(format, &files);
        for (index, (_, root)) in files.iter().enumerate() {
            let mut all = Vec::new();
            pointers(root, "", &mut all);
            for pointer in all.into_iter().filter(|pointer| is_read(pointer)) {
                let mut changed = files.clone();
                let Some(Value::Object(map)) = changed[index].1.pointer_mut(&pointer) else {
                    continue;
                };
                map.insert(UNKNOWN.to_owned(), json!("zz"));
                let (shown, _) = imported(format, &changed);
                let owner = owner(root, &format!("{pointer}/x"));
                assert!(
                    shown.contains(UNKNOWN) || is_named(&report, &pointer, &owner),
                    "{format}: {pointer}: an unknown key disappears\n{shown}"
                );
            }
        }
    }
}

#[test]
fn values_of_a_wrong_type_are_named_or_refused() {
    for (format, files) in sources() {
        let (before, report) = imported(format, &files);
        for (index, (_, root)) in files.iter().enumerate() {
            let mut all = Vec::new();
            pointers(root, "", &mut all);
            for pointer in all
                .iter()
                .filter(|pointer| !pointer.is_empty() && is_read(pointer))
            {
                let mut changed = files.clone();
                let value = changed[index].1.pointer_mut(pointer).unwrap();
                *value = json!({ UNKNOWN: [{ "zz": 1 }] });
                let (shown, _) = imported(format, &changed);
                assert!(
                    shown != before
                        || is_named(&report, pointer, &owner(root, pointer))
                        || is_of_other_type(&report, root, pointer),
                    "{format}: {pointer}: a value of a wrong type disappears\n{shown}"
                );
            }
        }
    }
}
