//! cloudprober: probes and their targets, in the text format of Protocol Buffers, YAML or JSON.
//!
//! Sources: <https://cloudprober.org/docs/config/latest/probes/> and the messages in
//! <https://github.com/cloudprober/cloudprober/tree/main/probes>.

mod http;
mod keys;
mod targets;
mod text_proto;

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::readiness::RecordType;
use serde_json::{Map, Value};

use self::http::{http, tls_config};
use self::keys::{ALERT, FILE, PING, PROBE, TARGETS, TCP};
use self::targets::{Target, maps, port, targets_of};
use crate::address::Address;
use crate::draft::Draft;
use crate::note::Note;
use crate::secret::CREDENTIALS;
use crate::source_fields::SourceFields;
use crate::{Extracted, Format, ImportError};

/// The default interval and timeout of a probe.
const EVERY: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(1);
/// The default period of repeated alerts.
const REPEATED: Duration = Duration::from_secs(3_600);

/// Parses the text format; `None` for other formats.
pub(crate) fn parse(text: &str) -> Option<Value> {
    text_proto::parse(text)
}

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    for (name, value) in sources {
        let mut file = SourceFields::from_value(snake_case(value))
            .filter(|file| file.has("probe"))
            .ok_or_else(|| ImportError::Foreign {
                name: name.to_owned(),
                format: Format::Cloudprober,
                problem: "`probe` is missing; expand templates with `cloudprober --dumpconfig` first",
            })?;
        let mut shared = BTreeMap::new();
        for mut entry in maps(&mut file, "shared_targets") {
            if let (Some(name), Some(targets)) = (entry.text("name"), entry.map("targets")) {
                shared.insert(name, targets);
            }
            entry.note_unused(name, "shared_targets.", &[], &mut read.notes);
        }
        for (index, probe) in maps(&mut file, "probe").into_iter().enumerate() {
            probe_of(probe, index, &shared, &mut read);
        }
        file.note_unused(name, "", &FILE, &mut read.notes);
    }
    Ok(read)
}

/// Keys in the form of the text format: YAML and JSON may use camel case.
fn snake_case(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let key = |key: String| {
                let mut snake = String::new();
                for c in key.chars() {
                    if c.is_ascii_uppercase() {
                        snake.push('_');
                    }
                    snake.push(c.to_ascii_lowercase());
                }
                snake
            };
            let entries = map.into_iter().map(|(name, value)| {
                // The keys of these maps are names of labels and headers.
                if matches!(name.as_str(), "labels" | "header" | "headers") {
                    (name, value)
                } else {
                    (key(name), snake_case(value))
                }
            });
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(snake_case).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

fn probe_of(
    mut probe: SourceFields,
    index: usize,
    shared: &BTreeMap<String, SourceFields>,
    read: &mut Extracted,
) {
    let name = probe.text("name").unwrap_or_else(|| format!("probe {index}"));
    let kind = probe.text("type").unwrap_or_default().to_ascii_uppercase();
    let mut targets = probe.map("targets").unwrap_or_default();
    if let Some(shared_name) = targets.text("shared_targets") {
        match shared.get(&shared_name) {
            Some(shared) => targets.fill(shared),
            None => read.notes.push(Note::lost(
                &name,
                "targets.shared_targets",
                "The targets are in none of the files.",
            )),
        }
    }
    let found = targets_of(&mut targets, &name, &mut read.notes);
    targets.note_unused(&name, "targets.", &TARGETS, &mut read.notes);
    read.found += found.len().max(1);
    if found.is_empty() {
        let reason = "Its targets are not in the file: list them with `host_names` or `endpoint`.";
        read.notes.push(Note::lost(&name, "", reason));
        return;
    }
    let is_alone = found.len() == 1;
    for target in found {
        let own_name = if is_alone {
            name.clone()
        } else {
            format!("{name} {}", target.name)
        };
        let mut draft = Draft::new(&own_name, &own_name);
        draft.set_display_name(&own_name);
        let mut probe = probe.clone();
        if let Err(reason) = apply(&mut draft, &kind, &mut probe, &target) {
            read.notes.push(Note::lost(&draft.name, "", reason));
            continue;
        }
        common(&mut draft, &mut probe, &target);
        let item = draft.name.clone();
        probe.note_unused(&item, "", &PROBE, &mut draft.notes);
        read.drafts.push(draft);
    }
}

/// Sets the target and the check.
///
/// # Errors
/// If the probe is not supported.
fn apply(
    draft: &mut Draft,
    kind: &str,
    probe: &mut SourceFields,
    target: &Target,
) -> Result<(), &'static str> {
    let is_negative = probe.switch("negative_test") == Some(true);
    let host = target.ip.clone().unwrap_or_else(|| target.name.clone());
    let host = Address::parse(&host).ok_or("Its target is not a host.")?.host;
    match (kind, is_negative) {
        ("TCP", _) => {
            let mut options = probe.map("tcp_probe").unwrap_or_default();
            let port = options.number("port").and_then(port).or(target.port);
            draft.set("host", host);
            draft.set("port", port.ok_or("Its port is missing.")?);
            if options.switch("tls_handshake") == Some(true) {
                draft.set("service", "tls");
            }
            if is_negative {
                draft.fields.remove("service");
                draft.set("expect", "closed");
                draft.changed("negative_test", "An open port is reported at the first check.");
            }
            tls_config(draft, &mut options, "tcp_probe.");
            let item = draft.name.clone();
            options.note_unused(&item, "tcp_probe.", &TCP, &mut draft.notes);
            Ok(())
        }
        (_, true) => Err("A negative test is supported only for TCP."),
        ("HTTP", false) => http(draft, probe, target, &host),
        ("DNS", false) => {
            let mut options = probe.map("dns_probe").unwrap_or_default();
            dns(draft, &mut options, target, &host)
        }
        ("PING", false) => {
            draft.set_ping(&host);
            let options = probe.map("ping_probe").unwrap_or_default();
            let item = draft.name.clone();
            options.note_unused(&item, "ping_probe.", &PING, &mut draft.notes);
            Ok(())
        }
        ("UDP" | "UDP_LISTENER", false) => Err("Of UDP services, only DNS is supported."),
        ("GRPC", false) => {
            let mut options = probe.map("grpc_probe").unwrap_or_default();
            let port = options.number("port").and_then(port).or(target.port);
            draft.set("host", host);
            draft.set("port", port.ok_or("Its port is missing.")?);
            if options.text("method").as_deref() == Some("HEALTH_CHECK") {
                draft.set("service", "grpc");
                draft.changed("type", "The health service is checked for the whole server.");
            } else {
                draft.changed("type", "Only the port is checked, not the protocol.");
            }
            Ok(())
        }
        ("", false) => Err("Its type is missing."),
        (_, false) => Err("Probes of its type are not supported."),
    }
}

fn dns(
    draft: &mut Draft,
    options: &mut SourceFields,
    target: &Target,
    host: &str,
) -> Result<(), &'static str> {
    let name = options
        .text("resolved_domain")
        .unwrap_or_else(|| "www.google.com.".to_owned());
    let record_type = options.text("query_type").unwrap_or_else(|| "MX".to_owned());
    if record_type.parse::<RecordType>().is_err() {
        return Err("DNS records of its `query_type` are not supported.");
    }
    draft.set("service", "dns");
    draft.set("host", host);
    if let Some(port) = target.port.filter(|port| *port != 53) {
        draft.set("port", port);
    }
    match options.text("dns_proto").as_deref() {
        None | Some("UDP") => draft.set_option("dns", "transport", "udp"),
        Some("TCP") => draft.set_option("dns", "transport", "tcp"),
        Some(_) => {
            draft.set_option("dns", "transport", "tcp");
            draft.set("tls", true);
            if target.port.is_none() {
                draft.set("port", 853);
            }
        }
    }
    draft.set_option("dns", "name", name.trim_end_matches('.'));
    draft.set_option("dns", "type", record_type);
    draft.changed(
        "dns_probe",
        "Any answer except a server failure is accepted; cloudprober requires NOERROR. Write the records in `dns.must`.",
    );
    let item = draft.name.clone();
    let reason = "The number of answers is not checked: write the records in `dns.must`.";
    let known = [
        ("min_answers", crate::NoteKind::Lost, reason),
        (
            "recursion_desired",
            crate::NoteKind::Lost,
            "Recursion is always requested.",
        ),
        ("query_class", crate::NoteKind::Lost, "The class is always IN."),
        (
            "requests_per_probe",
            crate::NoteKind::Changed,
            "A check sends one request.",
        ),
        (
            "requests_interval_msec",
            crate::NoteKind::NotNeeded,
            "A check sends one request.",
        ),
        (
            "resolve_first",
            crate::NoteKind::NotNeeded,
            "A name is always resolved first.",
        ),
    ];
    options.ignore_if_zero("min_answers");
    std::mem::take(options).note_unused(&item, "dns_probe.", &known, &mut draft.notes);
    Ok(())
}

fn common(draft: &mut Draft, probe: &mut SourceFields, target: &Target) {
    let millisecond = Duration::from_millis(1);
    let every = probe.duration("interval", Duration::from_secs(1));
    let every = every.or_else(|| probe.duration("interval_msec", millisecond));
    draft.set_interval("interval", every.unwrap_or(EVERY));
    let timeout = probe.duration("timeout", Duration::from_secs(1));
    let timeout = timeout.or_else(|| probe.duration("timeout_msec", millisecond));
    draft.set_timeout("timeout", timeout.unwrap_or(TIMEOUT));
    match probe.text("ip_version").as_deref() {
        Some("IPV4") => draft.set("ip", "v4"),
        Some("IPV6") => draft.set("ip", "v6"),
        Some("IP_VERSION_UNSPECIFIED") | None => {}
        Some(_) => draft.lost("ip_version", "The value is not known."),
    }
    let alerts = maps(probe, "alert");
    if alerts.is_empty() {
        draft.changed(
            "alert",
            "cloudprober sends no alert for this probe; Portpulse opens an incident at the first failure.",
        );
    }
    let mut failures: Option<f64> = None;
    let name = draft.name.clone();
    for mut alert in alerts {
        let mut condition = alert.map("condition").unwrap_or_default();
        let count = condition.number("failures").unwrap_or(1.0);
        let total = condition.number("total").unwrap_or(count).max(count);
        condition.note_unused(&name, "alert.condition.", &[], &mut draft.notes);
        if total > count {
            draft.changed(
                "alert.condition",
                "Failures must follow each other; cloudprober counts them among the last checks.",
            );
        }
        failures = Some(failures.map_or(count, |least| least.min(count)));
        let repeated = alert.duration("repeat_interval_sec", Duration::from_secs(1));
        draft.set_reminder("alert.repeat_interval_sec", repeated.unwrap_or(REPEATED));
        match alert.text("severity").as_deref() {
            Some("CRITICAL") => draft.set("severity", "critical"),
            Some("ERROR" | "WARNING") => draft.set("severity", "warning"),
            Some("INFO") => draft.set("severity", "info"),
            _ => {}
        }
        if let Some(url) = alert.text("playbook_url_template") {
            let shown = Address::parse(&url).map(|address| address.shown(&url));
            if shown.as_deref() != Some(url.as_str()) {
                draft.lost("alert.playbook_url_template", CREDENTIALS);
            } else if url.contains("@") {
                draft.lost(
                    "alert.playbook_url_template",
                    "Templates are not supported in `runbook`.",
                );
            } else {
                draft.set("runbook", url);
            }
        }
        alert.note_unused(&name, "alert.", &ALERT, &mut draft.notes);
    }
    draft.set_count("failures_to_open", "alert.condition", failures.unwrap_or(1.0));
    draft.set("successes_to_close", 1);
    draft.set_warn_days("", None);
    for mut label in maps(probe, "additional_label") {
        if let (Some(key), Some(value)) = (label.text("key"), label.text("value")) {
            let value = match value
                .strip_prefix("@target.label.")
                .and_then(|rest| rest.strip_suffix('@'))
            {
                Some(name) => target.labels.get(name).cloned().unwrap_or_default(),
                None => value,
            };
            if !value.is_empty() {
                draft.label("additional_label.", &key, &value);
            }
        }
        label.note_unused(&name, "additional_label.", &[], &mut draft.notes);
    }
}
