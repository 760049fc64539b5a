//! Exports definitions as targets and modules of the blackbox exporter of Prometheus.

use std::collections::BTreeMap;

use portpulse_core::choice::{Expect, IpFamily};
use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::readiness::{DnsCheck, HttpCheck, Protocol, Readiness, Script, ScriptStep, Tls};
use portpulse_core::target::Check;
use portpulse_core::time::format_duration;
use serde_json::{Map, Value, json};

use crate::note::{Note, NoteKind};
use crate::prometheus::{INTERVAL, MODULE, MONITOR, TAGS};
use crate::write::flow;

/// The result of an export.
#[derive(Debug, Clone)]
pub struct Export {
    /// The target file for `file_sd_configs`, JSON.
    pub targets: String,
    /// The modules of the targets, for the exporter, YAML.
    pub modules: String,
    /// The settings without an equivalent.
    pub notes: Vec<Note>,
}

/// The target and module of one monitor.
struct Probe {
    /// The preferred name of the module.
    name: &'static str,
    target: String,
    module: Value,
}

/// Exports all enabled monitors.
pub fn export(file: &DefinitionFile) -> Export {
    let mut notes = Vec::new();
    let mut modules: BTreeMap<String, Value> = BTreeMap::new();
    let mut groups = Vec::new();
    for defined in file.monitors() {
        let mut add_note = |kind, field: &str, reason: &str| {
            notes.push(Note {
                kind,
                item: defined.monitor.id().to_string(),
                field: field.to_owned(),
                reason: reason.to_owned(),
            });
        };
        if !defined.monitor.is_enabled() {
            add_note(NoteKind::Lost, "", "is disabled");
            continue;
        }
        match probe(defined, &mut add_note) {
            Ok(probe) => {
                let module = named(&mut modules, probe.name, probe.module);
                groups.push(
                    json!({ "targets": [probe.target], "labels": labels(defined, &module, &mut add_note) }),
                );
                note_unsupported(defined, &mut add_note);
            }
            Err(reason) => add_note(NoteKind::Lost, "", reason),
        }
    }
    let mut text = "modules:\n".to_owned();
    for (name, module) in &modules {
        text.push_str(&format!("  {name}: {}\n", flow(module)));
    }
    if modules.is_empty() {
        text = "modules: {}\n".to_owned();
    }
    Export {
        targets: format!("{:#}\n", Value::Array(groups)),
        modules: text,
        notes,
    }
}

/// Adds a module unless an equal one exists. Returns its name.
fn named(modules: &mut BTreeMap<String, Value>, name: &str, module: Value) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2u32;
    loop {
        match modules.get(&candidate) {
            Some(known) if *known != module => {
                candidate = format!("{name}_{number}");
                number = number.saturating_add(1);
            }
            Some(_) => return candidate,
            None => {
                modules.insert(candidate.clone(), module);
                return candidate;
            }
        }
    }
}

fn labels(defined: &Defined, module: &str, add_note: &mut impl FnMut(NoteKind, &str, &str)) -> Value {
    let monitor = &defined.monitor;
    let mut labels = Map::new();
    labels.insert(MONITOR.to_owned(), json!(monitor.id().as_str()));
    labels.insert(MODULE.to_owned(), json!(module));
    labels.insert(INTERVAL.to_owned(), json!(monitor.rule().interval.as_str()));
    let mut plain_tags = Vec::new();
    for tag in &monitor.alert_policy().tags {
        match tag.split_once('=') {
            Some((name, value)) if is_label(name) && !value.is_empty() && !labels.contains_key(name) => {
                labels.insert(name.to_owned(), json!(value));
            }
            Some(_) => add_note(NoteKind::Lost, "tags", "a tag cannot be converted to a label"),
            None => plain_tags.push(tag.as_str()),
        }
    }
    if !plain_tags.is_empty() {
        labels.insert(TAGS.to_owned(), json!(plain_tags.join(",")));
    }
    Value::Object(labels)
}

/// Source: <https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels>; `job` and `instance` are reserved.
fn is_label(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with("__")
        && !matches!(name, "job" | "instance" | TAGS | "module")
}

fn probe(defined: &Defined, add_note: &mut impl FnMut(NoteKind, &str, &str)) -> Result<Probe, &'static str> {
    let monitor = &defined.monitor;
    let target = monitor.target();
    let mut module = json!({ "timeout": format_duration(target.timeout) });
    let host = {
        let authority = target.to_string();
        let without_port = authority
            .strip_suffix(&format!(":{}", target.port))
            .unwrap_or(&authority);
        without_port.to_owned()
    };
    let authority = format!("{host}:{}", target.port);
    let (name, prober, at, mut options) = match (monitor.rule().expect, &target.check) {
        (Expect::Closed, _) => return Err("the exporter does not support `expect: closed`"),
        (Expect::Reachable, _) => {
            if target.port != 443 {
                add_note(
                    NoteKind::Changed,
                    "port",
                    "became a ping of the host, without the port",
                );
            }
            ("icmp", "icmp", host, json!({}))
        }
        (Expect::Open, Check::Connect(_)) => ("tcp_connect", "tcp", authority, json!({})),
        (Expect::Open, Check::Ready(ready)) => readiness_probe(ready, &host, target.port, add_note)?,
    };
    let family = match target.ip {
        IpFamily::Any => None,
        IpFamily::V4 => Some("ip4"),
        IpFamily::V6 => Some("ip6"),
    };
    if let (Value::Object(options), Some(family)) = (&mut options, family) {
        options.insert("preferred_ip_protocol".to_owned(), json!(family));
        options.insert("ip_protocol_fallback".to_owned(), json!(false));
    }
    if let Value::Object(fields) = &mut module {
        fields.insert("prober".to_owned(), json!(prober));
        if options.as_object().is_some_and(|options| !options.is_empty()) {
            fields.insert(prober.to_owned(), options);
        }
    }
    Ok(Probe {
        name,
        target: at,
        module,
    })
}

/// Name, prober, target and options.
type ProbeParts = (&'static str, &'static str, String, Value);

fn readiness_probe(
    ready: &Readiness,
    host: &str,
    port: u16,
    add_note: &mut impl FnMut(NoteKind, &str, &str),
) -> Result<ProbeParts, &'static str> {
    let authority = format!("{host}:{port}");
    let is_tls = match ready.tls() {
        Tls::Off => false,
        Tls::Implicit => true,
        Tls::Upgrade => {
            add_note(
                NoteKind::Changed,
                "tls",
                "became a connect: STARTTLS is not exported",
            );
            return Ok(("tcp_connect", "tcp", authority, json!({})));
        }
    };
    Ok(match ready.protocol() {
        Protocol::Mysql => return Err("MySQL and MariaDB would block the exporter after repeated connects"),
        Protocol::Http(http) => {
            let (scheme, default_port) = if is_tls { ("https", 443) } else { ("http", 80) };
            let authority = if port == default_port {
                host.to_owned()
            } else {
                authority
            };
            let path = if http.path() == "/" { "" } else { http.path() };
            (
                "http",
                "http",
                format!("{scheme}://{authority}{path}"),
                http_options(http),
            )
        }
        Protocol::Dns(_) if is_tls => return Err("DNS over TLS is not exported"),
        Protocol::Dns(dns) => {
            if !dns.must().is_empty() || !dns.must_not().is_empty() {
                add_note(NoteKind::Lost, "dns", "required records are not exported");
            }
            ("dns", "dns", authority, dns_options(dns))
        }
        Protocol::Ssh => (
            "ssh_banner",
            "tcp",
            authority,
            json!({ "query_response": [{ "expect": "^SSH-2.0-" }] }),
        ),
        Protocol::Script(script) => {
            let mut options = json!({ "query_response": script_steps(script, add_note) });
            if let (Value::Object(options), true) = (&mut options, is_tls) {
                options.insert("tls".to_owned(), json!(true));
            }
            ("script", "tcp", authority, options)
        }
        Protocol::TlsAlone => ("tls_connect", "tcp", authority, json!({ "tls": true })),
        Protocol::Postgres
        | Protocol::Redis
        | Protocol::Memcached
        | Protocol::Mongodb
        | Protocol::Amqp
        | Protocol::Kafka
        | Protocol::Zookeeper
        | Protocol::Smtp
        | Protocol::Imap
        | Protocol::Pop3 => {
            add_note(
                NoteKind::Changed,
                "check",
                "only the port is checked, not the service",
            );
            if is_tls {
                ("tls_connect", "tcp", authority, json!({ "tls": true }))
            } else {
                ("tcp_connect", "tcp", authority, json!({}))
            }
        }
    })
}

fn http_options(http: &HttpCheck) -> Value {
    let codes: Vec<u16> = (200..600).filter(|code| http.expects(*code)).collect();
    let mut options = json!({ "method": http.method().as_str(), "valid_status_codes": codes, "follow_redirects": http.follows() });
    if let (Value::Object(options), Some(text)) = (&mut options, http.text()) {
        options.insert(
            "fail_if_body_not_matches_regexp".to_owned(),
            json!([escaped(text)]),
        );
    }
    options
}

fn dns_options(dns: &DnsCheck) -> Value {
    let name = if dns.name().is_empty() { "." } else { dns.name() };
    json!({
        "transport_protocol": dns.transport().as_str(),
        "query_name": name,
        "query_type": dns.record_type().as_str(),
    })
}

fn script_steps(script: &Script, add_note: &mut impl FnMut(NoteKind, &str, &str)) -> Vec<Value> {
    let mut steps = Vec::new();
    for step in script.steps() {
        match step {
            ScriptStep::Expect(bytes) => {
                steps.push(json!({ "expect": escaped(&String::from_utf8_lossy(bytes)) }));
            }
            ScriptStep::Send(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                // The exporter appends a line feed.
                let line = text.strip_suffix('\n').unwrap_or_else(|| {
                    add_note(
                        NoteKind::Changed,
                        "script",
                        "the exporter appends a line feed to sent text",
                    );
                    &text
                });
                steps.push(json!({ "send": line }));
            }
        }
    }
    steps
}

/// A regular expression (RE2) that matches exactly this text.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Adds notes for fields without an equivalent in a scrape.
fn note_unsupported(defined: &Defined, add_note: &mut impl FnMut(NoteKind, &str, &str)) {
    const RULES: &str = "has no equivalent in a scrape: use an alerting rule";
    for field in defined.attributes.keys() {
        match field.as_str() {
            "tier" | "slow_after" | "failures_to_open" | "successes_to_close" | "quorum" | "severity"
            | "remind_every" | "runbook" | "warn_days" => add_note(NoteKind::Lost, field, RULES),
            "depends_on" | "maintenance" => {
                add_note(
                    NoteKind::Lost,
                    field,
                    "has no equivalent in a scrape: use inhibitions or silences of Alertmanager",
                );
            }
            "locations" => add_note(
                NoteKind::Lost,
                field,
                "an exporter checks only from its own location",
            ),
            "close" => add_note(NoteKind::Lost, field, "an exporter always closes with FIN"),
            // Exported in the target, the module or the labels.
            _ => {}
        }
    }
}
