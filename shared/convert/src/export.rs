//! Definitions as targets and modules of Prometheus's blackbox exporter.

use std::collections::BTreeMap;

use portpulse_core::choice::{Expect, IpFamily};
use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::readiness::{DnsCheck, HttpCheck, Protocol, Readiness, Script, ScriptStep, Tls};
use portpulse_core::target::Check;
use portpulse_core::time::format_duration;
use serde_json::{Map, Value, json};

use crate::left::{Kind, Left};
use crate::prometheus::{INTERVAL, MODULE, MONITOR, TAGS};
use crate::write::flow;

/// What came of an export.
#[derive(Debug, Clone)]
pub struct Export {
    /// A file of targets for `file_sd_configs`: JSON.
    pub targets: String,
    /// The modules that the targets name, for the exporter: YAML.
    pub modules: String,
    /// What Prometheus cannot express.
    pub left: Vec<Left>,
}

/// What one monitor becomes.
struct Probe {
    /// What its module is called, if no other is.
    name: &'static str,
    target: String,
    module: Value,
}

/// The monitors that are enabled, as Prometheus would check them.
pub fn export(file: &DefinitionFile) -> Export {
    let mut left = Vec::new();
    let mut modules: BTreeMap<String, Value> = BTreeMap::new();
    let mut groups = Vec::new();
    for defined in file.monitors() {
        let mut notify = |kind, field: &str, why: &str| {
            left.push(Left {
                kind,
                of: defined.monitor.id().to_string(),
                field: field.to_owned(),
                why: why.to_owned(),
            });
        };
        if !defined.monitor.is_enabled() {
            notify(Kind::Lost, "", "is not enabled");
            continue;
        }
        match probe(defined, &mut notify) {
            Ok(probe) => {
                let module = named(&mut modules, probe.name, probe.module);
                groups.push(
                    json!({ "targets": [probe.target], "labels": labels(defined, &module, &mut notify) }),
                );
                unexpressed(defined, &mut notify);
            }
            Err(why) => notify(Kind::Lost, "", why),
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
        left,
    }
}

/// The name of this module, which is added if it is not there.
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

fn labels(defined: &Defined, module: &str, notify: &mut impl FnMut(Kind, &str, &str)) -> Value {
    let monitor = &defined.monitor;
    let mut labels = Map::new();
    labels.insert(MONITOR.to_owned(), json!(monitor.id().as_str()));
    labels.insert(MODULE.to_owned(), json!(module));
    labels.insert(INTERVAL.to_owned(), json!(monitor.rule().interval.as_str()));
    let mut words = Vec::new();
    for tag in &monitor.alert_policy().tags {
        match tag.split_once('=') {
            Some((name, value)) if is_label(name) && !value.is_empty() && !labels.contains_key(name) => {
                labels.insert(name.to_owned(), json!(value));
            }
            Some(_) => notify(Kind::Lost, "tags", "one of them cannot be a label"),
            None => words.push(tag.as_str()),
        }
    }
    if !words.is_empty() {
        labels.insert(TAGS.to_owned(), json!(words.join(",")));
    }
    Value::Object(labels)
}

/// Source: <https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels>; `job` and `instance` are taken.
fn is_label(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with("__")
        && !matches!(name, "job" | "instance" | TAGS | "module")
}

fn probe(defined: &Defined, notify: &mut impl FnMut(Kind, &str, &str)) -> Result<Probe, &'static str> {
    let monitor = &defined.monitor;
    let target = monitor.target();
    let mut module = json!({ "timeout": format_duration(target.timeout) });
    let host = {
        let place = target.to_string();
        let without_port = place.strip_suffix(&format!(":{}", target.port)).unwrap_or(&place);
        without_port.to_owned()
    };
    let place = format!("{host}:{}", target.port);
    let (name, prober, at, mut options) = match (monitor.rule().expect, &target.check) {
        (Expect::Closed, _) => return Err("a port that must be closed cannot be expressed"),
        (Expect::Reachable, _) => {
            if target.port != 443 {
                notify(
                    Kind::Changed,
                    "port",
                    "became a ping of the host, which has no port",
                );
            }
            ("icmp", "icmp", host, json!({}))
        }
        (Expect::Open, Check::Connect(_)) => ("tcp_connect", "tcp", place, json!({})),
        (Expect::Open, Check::Ready(ready)) => asked(ready, &host, target.port, notify)?,
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

type Asked = (&'static str, &'static str, String, Value);

fn asked(
    ready: &Readiness,
    host: &str,
    port: u16,
    notify: &mut impl FnMut(Kind, &str, &str),
) -> Result<Asked, &'static str> {
    let place = format!("{host}:{port}");
    let is_tls = match ready.tls() {
        Tls::Off => false,
        Tls::Implicit => true,
        Tls::Upgrade => {
            notify(
                Kind::Changed,
                "tls",
                "became a connect: STARTTLS is not written out",
            );
            return Ok(("tcp_connect", "tcp", place, json!({})));
        }
    };
    Ok(match ready.protocol() {
        Protocol::Mysql => return Err("a connect alone would have the exporter banned by MySQL and MariaDB"),
        Protocol::Http(http) => {
            let (scheme, usual) = if is_tls { ("https", 443) } else { ("http", 80) };
            let place = if port == usual { host.to_owned() } else { place };
            let path = if http.path() == "/" { "" } else { http.path() };
            (
                "http",
                "http",
                format!("{scheme}://{place}{path}"),
                http_options(http),
            )
        }
        Protocol::Dns(_) if is_tls => return Err("DNS over TLS is not written out"),
        Protocol::Dns(dns) => {
            if !dns.must().is_empty() || !dns.must_not().is_empty() {
                notify(
                    Kind::Lost,
                    "dns",
                    "which records must be there is not written out",
                );
            }
            ("dns", "dns", place, dns_options(dns))
        }
        Protocol::Ssh => (
            "ssh_banner",
            "tcp",
            place,
            json!({ "query_response": [{ "expect": "^SSH-2.0-" }] }),
        ),
        Protocol::Script(script) => {
            let mut options = json!({ "query_response": script_steps(script, notify) });
            if let (Value::Object(options), true) = (&mut options, is_tls) {
                options.insert("tls".to_owned(), json!(true));
            }
            ("script", "tcp", place, options)
        }
        Protocol::TlsAlone => ("tls_connect", "tcp", place, json!({ "tls": true })),
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
            notify(
                Kind::Changed,
                "check",
                "the port is checked, not what the service says",
            );
            if is_tls {
                ("tls_connect", "tcp", place, json!({ "tls": true }))
            } else {
                ("tcp_connect", "tcp", place, json!({}))
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

fn script_steps(script: &Script, notify: &mut impl FnMut(Kind, &str, &str)) -> Vec<Value> {
    let mut steps = Vec::new();
    for step in script.steps() {
        match step {
            ScriptStep::Expect(bytes) => {
                steps.push(json!({ "expect": escaped(&String::from_utf8_lossy(bytes)) }));
            }
            ScriptStep::Send(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                // The exporter ends each with a line feed.
                let line = text.strip_suffix('\n').unwrap_or_else(|| {
                    notify(
                        Kind::Changed,
                        "script",
                        "the exporter ends what it sends with a line feed",
                    );
                    &text
                });
                steps.push(json!({ "send": line }));
            }
        }
    }
    steps
}

/// A regular expression of RE2 for this very text.
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

/// What a definition says beyond what a scrape does.
fn unexpressed(defined: &Defined, notify: &mut impl FnMut(Kind, &str, &str)) {
    const RULES: &str = "is not of a scrape: write it as an alerting rule";
    for field in defined.attributes.keys() {
        match field.as_str() {
            "tier" | "slow_after" | "failures_to_open" | "successes_to_close" | "quorum" | "severity"
            | "remind_every" | "runbook" | "warn_days" => notify(Kind::Lost, field, RULES),
            "depends_on" | "maintenance" => {
                notify(Kind::Lost, field, "is of Alertmanager: inhibitions and silences");
            }
            "locations" => notify(Kind::Lost, field, "an exporter checks from where it runs"),
            "close" => notify(Kind::Lost, field, "an exporter closes with FIN"),
            // Said by the target, its module and its labels, or by another field.
            _ => {}
        }
    }
}
