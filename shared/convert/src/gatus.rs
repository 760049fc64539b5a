//! Gatus: endpoints with conditions.
//!
//! Source: <https://github.com/TwiN/gatus/blob/master/README.md#endpoints>

mod conditions;
mod maintenance;

use std::time::Duration;

use serde_json::Value;

use crate::address::Address;
use crate::draft::Draft;
use crate::fields::{Fields, Known};
use crate::left::{Kind, Left};
use crate::maintenance::WindowScope;
use crate::{Format, ImportError, Read};

/// Gatus's own default.
const EVERY: Duration = Duration::from_secs(60);
/// Gatus's own default thresholds of an alert.
const FAILURES: f64 = 3.0;
const SUCCESSES: f64 = 2.0;

const OF_FILE: [Known; 16] = [
    (
        "alerting",
        Kind::Lost,
        "whom to tell is set up with the variable `subscribers`, and in the relay",
    ),
    ("maintenance", Kind::Lost, "is not a map"),
    (
        "external-endpoints",
        Kind::Lost,
        "what reports by itself cannot be watched from outside",
    ),
    (
        "suites",
        Kind::Lost,
        "checks that follow each other cannot be had",
    ),
    ("tunneling", Kind::Lost, "checks go straight to their target"),
    (
        "connectivity",
        Kind::NotNeeded,
        "what a checker itself cannot reach is no data",
    ),
    ("announcements", Kind::NotNeeded, "is of the page"),
    ("metrics", Kind::NotNeeded, "is of Gatus itself"),
    ("storage", Kind::NotNeeded, "is of Gatus itself"),
    ("security", Kind::NotNeeded, "is of the page"),
    ("web", Kind::NotNeeded, "is of Gatus itself"),
    ("ui", Kind::NotNeeded, "is of the page"),
    ("concurrency", Kind::NotNeeded, "is of Gatus itself"),
    ("disable-monitoring-lock", Kind::NotNeeded, "is of Gatus itself"),
    (
        "skip-invalid-config-update",
        Kind::NotNeeded,
        "is of Gatus itself",
    ),
    ("remote", Kind::NotNeeded, "is of Gatus itself"),
];
const OF_ENDPOINT: [Known; 10] = [
    ("method", Kind::NotNeeded, "is of HTTP"),
    ("graphql", Kind::Lost, "requests have no body"),
    ("body", Kind::Lost, "requests have no body"),
    ("headers", Kind::Lost, "requests have no headers of one's own"),
    ("ssh", Kind::Lost, "checks have no credentials"),
    ("maintenance-windows", Kind::Lost, "is not a list of maps"),
    (
        "always-run",
        Kind::Lost,
        "checks that follow each other cannot be had",
    ),
    ("store", Kind::Lost, "checks that follow each other cannot be had"),
    ("ui", Kind::NotNeeded, "is of the page"),
    (
        "extra-labels",
        Kind::NotNeeded,
        "is of the metrics; tags do the like",
    ),
];
const OF_CLIENT: [Known; 7] = [
    ("insecure", Kind::Lost, "certificates are always checked"),
    (
        "dns-resolver",
        Kind::Lost,
        "names are resolved where the checker runs",
    ),
    ("oauth2", Kind::Lost, "checks have no credentials"),
    ("identity-aware-proxy", Kind::Lost, "checks have no credentials"),
    ("proxy-url", Kind::Lost, "checks go straight to their target"),
    ("tls", Kind::Lost, "checks have no certificate of their own"),
    ("tunnel", Kind::Lost, "checks go straight to their target"),
];
const OF_ALERT: [Known; 5] = [
    (
        "type",
        Kind::Lost,
        "whom to tell is set up with the variable `subscribers`, and in the relay",
    ),
    ("description", Kind::Lost, "a `runbook` says what to do"),
    ("send-on-resolved", Kind::NotNeeded, "a recovery is always told"),
    (
        "provider-override",
        Kind::Lost,
        "whom to tell is set up with the variable `subscribers`, and in the relay",
    ),
    ("minimum-reminder-interval", Kind::Lost, "set `remind_every`"),
];

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Read, ImportError> {
    let mut read = Read::default();
    for (name, value) in sources {
        let mut file = Fields::of(value)
            .filter(|file| file.has("endpoints"))
            .ok_or_else(|| ImportError::Foreign {
                name: name.to_owned(),
                format: Format::Gatus,
                wanted: "it has no `endpoints:`",
            })?;
        for (index, endpoint) in file.list("endpoints").into_iter().enumerate() {
            match Fields::of(endpoint) {
                Some(fields) => endpoint_of(fields, index, &mut read),
                None => read.left.push(Left {
                    kind: Kind::Unknown,
                    of: name.to_owned(),
                    field: format!("endpoints.{index}"),
                    why: "is not a map".to_owned(),
                }),
            }
        }
        if let Some(fields) = file.map("maintenance") {
            let window = maintenance::window(
                fields,
                name,
                "maintenance",
                WindowScope::Everybody,
                &mut read.left,
            );
            read.maintenance.extend(window);
        }
        file.rest(name, "", &OF_FILE, &mut read.left);
    }
    Ok(read)
}

fn endpoint_of(mut fields: Fields, index: usize, read: &mut Read) {
    let name = fields.text("name").unwrap_or_else(|| format!("endpoint {index}"));
    let group = fields.text("group");
    let url = fields.text("url").unwrap_or_default();
    let full = group
        .as_ref()
        .map_or_else(|| name.clone(), |group| format!("{group}/{name}"));
    let mut draft = Draft::new(&full, &full);
    let dns = fields.map("dns");
    let is_dns = dns.is_some();
    let lost = |why: &str| Left {
        kind: Kind::Lost,
        of: draft.name.clone(),
        field: String::new(),
        why: why.to_owned(),
    };
    let Some(address) = Address::parse(&url) else {
        read.left.push(lost("its `url` names no host"));
        return;
    };
    let is_http = !is_dns && matches!(address.scheme.as_str(), "http" | "https");
    let method = is_http.then(|| fields.text("method")).flatten();
    let method = method.unwrap_or_else(|| "GET".to_owned());
    match (dns, address.scheme.as_str()) {
        (Some(question), _) => dns_of(&mut draft, &address, question),
        (None, "http" | "https") => {
            draft.http_at(&address);
            draft.option("http", "method", method.to_ascii_uppercase());
        }
        (None, "tcp") => draft.at(&address, None),
        (None, "tls") => {
            draft.set("service", "tls");
            draft.at(&address, None);
        }
        (None, "starttls") => {
            draft.set("service", "submission");
            draft.set("tls", "starttls");
            draft.at(&address, None);
        }
        (None, "ssh") => {
            draft.set("service", "ssh");
            draft.at(&address, None);
        }
        (None, "icmp") => draft.ping(&address.host),
        (None, "ws" | "wss" | "grpc" | "grpcs") => {
            if matches!(address.scheme.as_str(), "wss" | "grpcs") {
                draft.set("service", "tls");
            }
            draft.at(&address, None);
            if address.port.is_none() {
                draft.set("port", if draft.has("service") { 443 } else { 80 });
            }
            draft.leave(
                Kind::Changed,
                "url",
                "the port is checked, not what is spoken on it",
            );
        }
        (None, scheme) => {
            read.left.push(lost(match scheme {
                "udp" => "only DNS is checked over UDP",
                "sctp" => "there is no SCTP",
                "" => "its `url` has no scheme",
                _ => "the scheme of its `url` is not known here",
            }));
            return;
        }
    }
    draft.every("interval", fields.duration("interval", EVERY).unwrap_or(EVERY));
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
        let window = maintenance::window(window, &name, &field, window_scope, &mut draft.left);
        read.maintenance.extend(window);
    }
    fields.rest(&name, "", &OF_ENDPOINT, &mut draft.left);
    read.drafts.push(draft);
}

/// Other methods than those that change nothing are not sent.
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
    draft.leave(
        Kind::Changed,
        "method",
        "only GET, HEAD and OPTIONS are sent: HEAD asks whether the server answers with a status below 500, whatever the \
         conditions were",
    );
}

fn dns_of(draft: &mut Draft, address: &Address, mut question: Fields) {
    draft.set("service", "dns");
    draft.at(address, Some(53));
    draft.option("dns", "transport", "udp");
    if let Some(name) = question.text("query-name") {
        draft.option("dns", "name", name.trim_end_matches('.'));
    }
    if let Some(record_type) = question.text("query-type") {
        draft.option("dns", "type", record_type.to_ascii_uppercase());
    }
    let name = draft.name.clone();
    question.rest(&name, "dns.", &[], &mut draft.left);
}

fn client(draft: &mut Draft, client: Option<Fields>) {
    let Some(mut client) = client else { return };
    client.forget_if_off("insecure");
    if let Some(timeout) = client.duration("timeout", Duration::from_secs(1)) {
        draft.timeout("client.timeout", timeout);
    }
    let ignores_redirects = client.switch("ignore-redirect") == Some(true);
    if draft.fields.get("http").is_some() && !ignores_redirects {
        draft.option("http", "follow", true);
    }
    match client.text("network").as_deref() {
        Some("ip4") => draft.set("ip", "v4"),
        Some("ip6") => draft.set("ip", "v6"),
        Some("ip") | None => {}
        Some(_) => draft.leave(Kind::Unknown, "client.network", "is not known here"),
    }
    let name = draft.name.clone();
    client.rest(&name, "client.", &OF_CLIENT, &mut draft.left);
}

fn alerts(draft: &mut Draft, alerts: Vec<Fields>) {
    let (mut failures, mut successes) = (None, None);
    let name = draft.name.clone();
    for (index, mut alert) in alerts.into_iter().enumerate() {
        if alert.switch("enabled") == Some(false) {
            draft.leave(Kind::NotNeeded, &format!("alerts.{index}"), "is not enabled");
            continue;
        }
        let failing = alert.number("failure-threshold").unwrap_or(FAILURES);
        let good = alert.number("success-threshold").unwrap_or(SUCCESSES);
        failures = Some(failures.map_or(failing, |least: f64| least.min(failing)));
        successes = Some(successes.map_or(good, |least: f64| least.min(good)));
        alert.rest(&name, &format!("alerts.{index}."), &OF_ALERT, &mut draft.left);
    }
    if let Some(failures) = failures {
        draft.ticks("failures_to_open", "alerts.failure-threshold", failures);
    }
    if let Some(successes) = successes {
        draft.ticks("successes_to_close", "alerts.success-threshold", successes);
    }
}
