//! Gatus: endpoints with conditions.
//!
//! Source: <https://github.com/TwiN/gatus/blob/master/README.md#endpoints>

mod conditions;
mod maintenance;

use std::time::Duration;

use serde_json::Value;

use crate::address::Address;
use crate::draft::Draft;
use crate::maintenance::WindowScope;
use crate::note::{Note, NoteKind};
use crate::source_fields::{SourceFields, UnusedKey};
use crate::{Extracted, Format, ImportError};

/// The default interval of Gatus.
const EVERY: Duration = Duration::from_secs(60);
/// The default thresholds of alerts in Gatus.
const FAILURES: f64 = 3.0;
const SUCCESSES: f64 = 2.0;

const FILE_KEYS: [UnusedKey; 16] = [
    (
        "alerting",
        NoteKind::Lost,
        "configure subscribers with the variable `subscribers`, or destinations in the relay",
    ),
    ("maintenance", NoteKind::Lost, "is not a map"),
    (
        "external-endpoints",
        NoteKind::Lost,
        "push-based monitors are not supported",
    ),
    ("suites", NoteKind::Lost, "sequences of checks are not supported"),
    (
        "tunneling",
        NoteKind::Lost,
        "checks do not use proxies or tunnels",
    ),
    (
        "connectivity",
        NoteKind::NotNeeded,
        "a checker without connectivity reports no data",
    ),
    (
        "announcements",
        NoteKind::NotNeeded,
        "concerns only the status page",
    ),
    ("metrics", NoteKind::NotNeeded, "concerns only Gatus itself"),
    ("storage", NoteKind::NotNeeded, "concerns only Gatus itself"),
    ("security", NoteKind::NotNeeded, "concerns only the status page"),
    ("web", NoteKind::NotNeeded, "concerns only Gatus itself"),
    ("ui", NoteKind::NotNeeded, "concerns only the status page"),
    ("concurrency", NoteKind::NotNeeded, "concerns only Gatus itself"),
    (
        "disable-monitoring-lock",
        NoteKind::NotNeeded,
        "concerns only Gatus itself",
    ),
    (
        "skip-invalid-config-update",
        NoteKind::NotNeeded,
        "concerns only Gatus itself",
    ),
    ("remote", NoteKind::NotNeeded, "concerns only Gatus itself"),
];
const ENDPOINT_KEYS: [UnusedKey; 10] = [
    ("method", NoteKind::NotNeeded, "concerns only HTTP checks"),
    ("graphql", NoteKind::Lost, "requests have no body"),
    ("body", NoteKind::Lost, "requests have no body"),
    (
        "headers",
        NoteKind::Lost,
        "custom request headers are not supported",
    ),
    ("ssh", NoteKind::Lost, "checks have no credentials"),
    ("maintenance-windows", NoteKind::Lost, "is not a list of maps"),
    (
        "always-run",
        NoteKind::Lost,
        "sequences of checks are not supported",
    ),
    ("store", NoteKind::Lost, "sequences of checks are not supported"),
    ("ui", NoteKind::NotNeeded, "concerns only the status page"),
    (
        "extra-labels",
        NoteKind::NotNeeded,
        "concerns only metrics; use tags instead",
    ),
];
const CLIENT_KEYS: [UnusedKey; 7] = [
    ("insecure", NoteKind::Lost, "certificates are always verified"),
    (
        "dns-resolver",
        NoteKind::Lost,
        "the resolver of the checker is used",
    ),
    ("oauth2", NoteKind::Lost, "checks have no credentials"),
    (
        "identity-aware-proxy",
        NoteKind::Lost,
        "checks have no credentials",
    ),
    (
        "proxy-url",
        NoteKind::Lost,
        "checks do not use proxies or tunnels",
    ),
    ("tls", NoteKind::Lost, "client certificates are not supported"),
    ("tunnel", NoteKind::Lost, "checks do not use proxies or tunnels"),
];
const ALERT_KEYS: [UnusedKey; 5] = [
    (
        "type",
        NoteKind::Lost,
        "configure subscribers with the variable `subscribers`, or destinations in the relay",
    ),
    ("description", NoteKind::Lost, "use `runbook` instead"),
    (
        "send-on-resolved",
        NoteKind::NotNeeded,
        "recoveries are always notified",
    ),
    (
        "provider-override",
        NoteKind::Lost,
        "configure subscribers with the variable `subscribers`, or destinations in the relay",
    ),
    (
        "minimum-reminder-interval",
        NoteKind::Lost,
        "use `remind_every` instead",
    ),
];

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    for (name, value) in sources {
        let mut file = SourceFields::from_value(value)
            .filter(|file| file.has("endpoints"))
            .ok_or_else(|| ImportError::Foreign {
                name: name.to_owned(),
                format: Format::Gatus,
                problem: "`endpoints:` is missing",
            })?;
        for (index, endpoint) in file.list("endpoints").into_iter().enumerate() {
            match SourceFields::from_value(endpoint) {
                Some(fields) => endpoint_of(fields, index, &mut read),
                None => read.notes.push(Note {
                    kind: NoteKind::Unknown,
                    item: name.to_owned(),
                    field: format!("endpoints.{index}"),
                    reason: "is not a map".to_owned(),
                }),
            }
        }
        if let Some(fields) = file.map("maintenance") {
            let window = maintenance::window(fields, name, "maintenance", WindowScope::All, &mut read.notes);
            read.maintenance.extend(window);
        }
        file.note_unused(name, "", &FILE_KEYS, &mut read.notes);
    }
    Ok(read)
}

fn endpoint_of(mut fields: SourceFields, index: usize, read: &mut Extracted) {
    let name = fields.text("name").unwrap_or_else(|| format!("endpoint {index}"));
    let group = fields.text("group");
    let url = fields.text("url").unwrap_or_default();
    let full = group
        .as_ref()
        .map_or_else(|| name.clone(), |group| format!("{group}/{name}"));
    let mut draft = Draft::new(&full, &full);
    let dns = fields.map("dns");
    let is_dns = dns.is_some();
    let lost = |reason: &str| Note {
        kind: NoteKind::Lost,
        item: draft.name.clone(),
        field: String::new(),
        reason: reason.to_owned(),
    };
    let Some(address) = Address::parse(&url) else {
        read.notes.push(lost("its `url` has no host"));
        return;
    };
    let is_http = !is_dns && matches!(address.scheme.as_str(), "http" | "https");
    let method = is_http.then(|| fields.text("method")).flatten();
    let method = method.unwrap_or_else(|| "GET".to_owned());
    match (dns, address.scheme.as_str()) {
        (Some(question), _) => dns_of(&mut draft, &address, question),
        (None, "http" | "https") => {
            draft.set_http_target(&address);
            draft.set_option("http", "method", method.to_ascii_uppercase());
        }
        (None, "tcp") => draft.set_target(&address, None),
        (None, "tls") => {
            draft.set("service", "tls");
            draft.set_target(&address, None);
        }
        (None, "starttls") => {
            draft.set("service", "submission");
            draft.set("tls", "starttls");
            draft.set_target(&address, None);
        }
        (None, "ssh") => {
            draft.set("service", "ssh");
            draft.set_target(&address, None);
        }
        (None, "icmp") => draft.set_ping(&address.host),
        (None, "ws" | "wss" | "grpc" | "grpcs") => {
            if matches!(address.scheme.as_str(), "wss" | "grpcs") {
                draft.set("service", "tls");
            }
            draft.set_target(&address, None);
            if address.port.is_none() {
                draft.set("port", if draft.has("service") { 443 } else { 80 });
            }
            draft.add_note(
                NoteKind::Changed,
                "url",
                "only the port is checked, not the protocol",
            );
        }
        (None, scheme) => {
            read.notes.push(lost(match scheme {
                "udp" => "of UDP services, only DNS is supported",
                "sctp" => "SCTP is not supported",
                "" => "its `url` has no scheme",
                _ => "the scheme of its `url` is not supported",
            }));
            return;
        }
    }
    draft.set_interval("interval", fields.duration("interval", EVERY).unwrap_or(EVERY));
    if fields.switch("enabled") == Some(false) {
        draft.set("enabled", false);
    }
    if let Some(group) = group {
        draft.tag(&group);
    }
    client(&mut draft, fields.map("client"));
    conditions::apply(&mut draft, &fields.texts("conditions"), is_dns);
    alerts(&mut draft, fields.maps("alerts"));
    if is_http {
        finish_http(&mut draft, &method);
    }
    let name = draft.name.clone();
    for (index, window) in fields.maps("maintenance-windows").into_iter().enumerate() {
        let (field, window_scope) = (
            format!("maintenance-windows.{index}"),
            WindowScope::Named(vec![name.clone()]),
        );
        let window = maintenance::window(window, &name, &field, window_scope, &mut draft.notes);
        read.maintenance.extend(window);
    }
    fields.note_unused(&name, "", &ENDPOINT_KEYS, &mut draft.notes);
    read.drafts.push(draft);
}

/// Replaces methods that may change data: only GET, HEAD and OPTIONS are supported.
fn finish_http(draft: &mut Draft, method: &str) {
    if matches!(method.to_ascii_uppercase().as_str(), "GET" | "HEAD" | "OPTIONS") {
        return;
    }
    if let Some(Value::Object(http)) = draft.fields.get_mut("http") {
        http.retain(|name, _| name == "path");
        if http.is_empty() {
            draft.fields.remove("http");
        }
    }
    draft.add_note(
        NoteKind::Changed,
        "method",
        "only GET, HEAD and OPTIONS are supported: became HEAD, which requires a status below 500 and \
         ignores the conditions",
    );
}

fn dns_of(draft: &mut Draft, address: &Address, mut question: SourceFields) {
    draft.set("service", "dns");
    draft.set_target(address, Some(53));
    draft.set_option("dns", "transport", "udp");
    if let Some(name) = question.text("query-name") {
        draft.set_option("dns", "name", name.trim_end_matches('.'));
    }
    if let Some(record_type) = question.text("query-type") {
        draft.set_option("dns", "type", record_type.to_ascii_uppercase());
    }
    let name = draft.name.clone();
    question.note_unused(&name, "dns.", &[], &mut draft.notes);
}

fn client(draft: &mut Draft, client: Option<SourceFields>) {
    let Some(mut client) = client else { return };
    client.ignore_if_off("insecure");
    if let Some(timeout) = client.duration("timeout", Duration::from_secs(1)) {
        draft.set_timeout("client.timeout", timeout);
    }
    let ignores_redirects = client.switch("ignore-redirect") == Some(true);
    if draft.fields.get("http").is_some() && !ignores_redirects {
        draft.set_option("http", "follow", true);
    }
    match client.text("network").as_deref() {
        Some("ip4") => draft.set("ip", "v4"),
        Some("ip6") => draft.set("ip", "v6"),
        Some("ip") | None => {}
        Some(_) => draft.add_note(NoteKind::Unknown, "client.network", "unknown value"),
    }
    let name = draft.name.clone();
    client.note_unused(&name, "client.", &CLIENT_KEYS, &mut draft.notes);
}

fn alerts(draft: &mut Draft, alerts: Vec<SourceFields>) {
    let (mut failures, mut successes) = (None, None);
    let name = draft.name.clone();
    for (index, mut alert) in alerts.into_iter().enumerate() {
        if alert.switch("enabled") == Some(false) {
            draft.add_note(NoteKind::NotNeeded, &format!("alerts.{index}"), "is disabled");
            continue;
        }
        let failing = alert.number("failure-threshold").unwrap_or(FAILURES);
        let good = alert.number("success-threshold").unwrap_or(SUCCESSES);
        failures = Some(failures.map_or(failing, |least: f64| least.min(failing)));
        successes = Some(successes.map_or(good, |least: f64| least.min(good)));
        alert.note_unused(&name, &format!("alerts.{index}."), &ALERT_KEYS, &mut draft.notes);
    }
    if let Some(failures) = failures {
        draft.set_count("failures_to_open", "alerts.failure-threshold", failures);
    }
    if let Some(successes) = successes {
        draft.set_count("successes_to_close", "alerts.success-threshold", successes);
    }
}
