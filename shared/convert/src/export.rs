//! Exports definitions as targets and modules of the blackbox exporter of Prometheus.

use std::collections::BTreeMap;

use portpulse_core::choice::{Expect, IpFamily};
use portpulse_core::definition::{self, Defined, DefinitionFile, Field};
use portpulse_core::readiness::{DnsCheck, HttpCheck, Pattern, Protocol, Readiness, Script, ScriptStep, Tls};
use portpulse_core::service::SimpleProtocol;
use portpulse_core::target::Check;
use portpulse_core::time::format_duration;
use serde_json::{Map, Value, json};

use crate::note::{Note, NoteKind};
use crate::prometheus::{INTERVAL, MODULE, MONITOR, SCRAPE_OFFSET, SCRAPE_TIMEOUT, TAGS, TIMEOUT};
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
    // The exporter has half a second less than the scrape, whose default is 10 s and whose maximum is the interval.
    let timeout = monitor.target().timeout + SCRAPE_OFFSET;
    if timeout > SCRAPE_TIMEOUT {
        let interval = monitor.rule().interval.length();
        labels.insert(TIMEOUT.to_owned(), json!(format_duration(timeout.min(interval))));
        if timeout > interval {
            add_note(
                NoteKind::Changed,
                "timeout",
                "an exporter has half a second less than the interval",
            );
        }
    }
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
    if target.host.is_srv() {
        return Err("the exporter does not look up SRV records");
    }
    let authority = target.to_string();
    let host = target
        .port
        .and_then(|port| authority.strip_suffix(&format!(":{port}")));
    let host = host.unwrap_or(&authority).to_owned();
    let (name, prober, at, mut options) = match (monitor.rule().expect, &target.check, target.port) {
        (_, Check::Ping, _) | (_, _, None) => ("icmp", "icmp", host, json!({})),
        (Expect::Closed, ..) => return Err("the exporter does not support `expect: closed`"),
        (Expect::Reachable, _, Some(_)) => {
            add_note(
                NoteKind::Changed,
                "port",
                "became a ping of the host, without the port",
            );
            ("icmp", "icmp", host, json!({}))
        }
        (Expect::Open, Check::Connect(_), _) => ("tcp_connect", "tcp", authority, json!({})),
        (Expect::Open, Check::Ready(ready), Some(port)) => readiness_probe(ready, &host, port, add_note)?,
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
        if let (Check::Ready(ready), Value::Object(options)) = (&target.check, &mut options) {
            tls_config(ready, prober, options, add_note);
        }
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

/// Adds the server name and whether certificates are verified. A client certificate is a secret.
fn tls_config(
    ready: &Readiness,
    prober: &str,
    options: &mut Map<String, Value>,
    add_note: &mut impl FnMut(NoteKind, &str, &str),
) {
    if ready.tls() != Tls::Implicit || prober == "icmp" {
        return;
    }
    if ready.client_certificate().is_some() {
        let reason = "secrets are not exported: set `tls_config` with files of the exporter";
        add_note(NoteKind::Lost, "tls.certificate", reason);
    }
    let mut config = Map::new();
    if ready.is_insecure() {
        config.insert("insecure_skip_verify".to_owned(), json!(true));
    }
    if let Some(name) = ready.tls_name() {
        config.insert("server_name".to_owned(), json!(name.to_string()));
    }
    if !config.is_empty() {
        options.insert("tls_config".to_owned(), Value::Object(config));
    }
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
        Protocol::Simple(SimpleProtocol::Mysql) => {
            return Err("MySQL and MariaDB would block the exporter after repeated connects");
        }
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
                http_options(http, add_note),
            )
        }
        Protocol::Dns(_) if is_tls => return Err("DNS over TLS is not exported"),
        Protocol::Dns(dns) => {
            if !dns.must().is_empty() || !dns.must_not().is_empty() {
                add_note(NoteKind::Lost, "dns", "required records are not exported");
            }
            ("dns", "dns", authority, dns_options(dns))
        }
        Protocol::Simple(SimpleProtocol::Ssh) => (
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
        Protocol::Simple(SimpleProtocol::Grpc) => ("grpc", "grpc", authority, json!({ "tls": is_tls })),
        Protocol::Simple(_) | Protocol::WebSocket(_) => {
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

fn http_options(http: &HttpCheck, add_note: &mut impl FnMut(NoteKind, &str, &str)) -> Value {
    let codes: Vec<u16> = (200..1000).filter(|code| http.expects(*code)).collect();
    let mut options = Map::new();
    let mut set = |name: &str, value: Value| drop(options.insert(name.to_owned(), value));
    set("method", json!(http.method().as_str()));
    set("valid_status_codes", json!(codes));
    set("follow_redirects", json!(http.follows()));
    let conditions = http.conditions();
    let required = http.text().map(escaped).into_iter();
    let patterns = |patterns: &[Pattern]| -> Vec<String> {
        patterns
            .iter()
            .map(|pattern| pattern.as_str().to_owned())
            .collect()
    };
    let required: Vec<String> = required.chain(patterns(&conditions.matches)).collect();
    if !required.is_empty() {
        set("fail_if_body_not_matches_regexp", json!(required));
    }
    if !conditions.not_matches.is_empty() {
        set(
            "fail_if_body_matches_regexp",
            json!(patterns(&conditions.not_matches)),
        );
    }
    let content = http.content();
    let headers: Map<String, Value> = content
        .headers
        .iter()
        .map(|header| (header.name.clone(), json!(header.value)))
        .collect();
    if !headers.is_empty() {
        set("headers", Value::Object(headers));
    }
    if let Some(body) = &content.body {
        set("body", json!(body));
    }
    if !conditions.json.is_empty() {
        add_note(NoteKind::Lost, "http.json", "conditions on JSON are not exported");
    }
    if content.secrets().next().is_some() {
        let reason = "secrets are not exported: set `basic_auth`, `authorization` or `http_headers` with a file of the exporter";
        add_note(NoteKind::Lost, "http.secrets", reason);
    }
    Value::Object(options)
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
    for name in defined.attributes.keys() {
        let export = Field::named(name).map(|field| field.declaration().export);
        match export {
            Some(definition::Export::Lost(reason)) => add_note(NoteKind::Lost, name, reason),
            Some(definition::Export::Exported) | None => {}
        }
    }
}
