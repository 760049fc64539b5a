//! Gatus: endpoints with conditions.
//!
//! Sources: <https://github.com/TwiN/gatus/blob/master/README.md#endpoints>, and for what the documentation leaves open,
//! <https://github.com/TwiN/gatus/blob/master/client/client.go>

mod alerts;
mod conditions;
mod maintenance;
mod unused_keys;

use std::time::Duration;

use portpulse_core::readiness::RecordType;
use serde_json::{Map, Value, json};

use self::alerts::Providers;
use self::unused_keys::{CLIENT, ENDPOINT, FILE};
use crate::address::Address;
use crate::draft::{Draft, reverse_name};
use crate::maintenance::WindowScope;
use crate::mark::{has_placeholder, missing_address};
use crate::note::Note;
use crate::note::NoteKind::{Lost, NotNeeded};
use crate::secret::CREDENTIALS;
use crate::source_fields::SourceFields;
use crate::{Extracted, Format, ImportError};

/// The default interval of Gatus.
const EVERY: Duration = Duration::from_secs(60);
/// The default timeout of Gatus.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout of questions for DNS, which `client.timeout` does not change.
const DNS_TIMEOUT: Duration = Duration::from_secs(2);

/// What an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http,
    Dns,
    Tcp,
    Tls,
    StartTls,
    Ssh {
        signs_in: bool,
    },
    Icmp,
    /// WebSocket and gRPC, of which only the port is checked.
    PortOnly,
}

impl Protocol {
    /// Whether a text in the answer can be required.
    fn has_body(self) -> bool {
        matches!(self, Self::Http | Self::Tcp | Self::Tls)
    }
}

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut read = Extracted::default();
    let names: Vec<&str> = sources.iter().map(|(name, _)| *name).collect();
    let name = names.join(", ");
    let mut merged = Value::Object(Map::new());
    for (_, value) in sources {
        merge(&mut merged, value);
    }
    let has_monitors = |file: &SourceFields| {
        ["endpoints", "external-endpoints", "suites"]
            .iter()
            .any(|key| file.has(key))
    };
    let mut file = SourceFields::from_value(merged)
        .filter(has_monitors)
        .ok_or_else(|| ImportError::Foreign {
            name: name.clone(),
            format: Format::Gatus,
            problem: "`endpoints:` is missing",
        })?;
    let providers = Providers::read(file.map("alerting"), &name, &mut read.notes);
    for (index, endpoint) in file.list("endpoints").into_iter().enumerate() {
        read.found += 1;
        match SourceFields::from_value(endpoint) {
            Some(fields) => endpoint_of(fields, index, &providers, &mut read),
            None => read.notes.push(Note::lost(
                &name,
                &format!("endpoints.{index}"),
                "The value is not a map.",
            )),
        }
    }
    for (section, reason) in [
        ("external-endpoints", "Push-based monitors are not supported."),
        ("suites", "Sequences of checks are not supported."),
    ] {
        for (index, entry) in file.list(section).into_iter().enumerate() {
            read.found += 1;
            let entry = SourceFields::from_value(entry).and_then(|mut entry| entry.text("name"));
            let entry = entry.unwrap_or_else(|| format!("{section}.{index}"));
            read.notes.push(Note::lost(&entry, "", reason));
        }
    }
    if let Some(fields) = file.map("maintenance") {
        let window = maintenance::window(fields, &name, "maintenance", WindowScope::All, &mut read.notes);
        read.maintenance.extend(window);
    }
    file.note_unused(&name, "", &FILE, &mut read.notes);
    Ok(read)
}

/// Merges a file of a configuration folder: maps by their keys, lists one after the other.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                match into.get_mut(&name) {
                    Some(known) => merge(known, value),
                    None => drop(into.insert(name, value)),
                }
            }
        }
        (Value::Array(into), Value::Array(mut more)) => into.append(&mut more),
        (_, Value::Null) => {}
        (into, more) => *into = more,
    }
}

fn endpoint_of(mut fields: SourceFields, index: usize, providers: &Providers, read: &mut Extracted) {
    let name = fields.text("name").unwrap_or_else(|| format!("endpoint {index}"));
    let group = fields.text("group");
    let url = fields.text("url").unwrap_or_default();
    let full = group
        .as_ref()
        .map_or_else(|| name.clone(), |group| format!("{group}/{name}"));
    let mut draft = Draft::new(&full, &full);
    draft.key = format!("{index} {full}");
    let Some(address) = Address::parse(&url) else {
        let problem = if has_placeholder(&Value::from(url.as_str())) {
            missing_address(&[&url])
        } else {
            "Its `url` has no host.".to_owned()
        };
        read.notes.push(Note::lost(&draft.name, "", problem));
        return;
    };
    let signs_in = fields.map("ssh").is_some_and(|ssh| {
        let mut names = ssh.names();
        names.any(|name| matches!(name, "username" | "password" | "private-key"))
    });
    let protocol = match target(&mut draft, &address, fields.map("dns"), signs_in) {
        Ok(protocol) => protocol,
        Err(reason) => {
            read.notes.push(Note::lost(&draft.name, "", reason));
            return;
        }
    };
    let every = fields
        .duration("interval", Duration::from_nanos(1))
        .filter(|every| !every.is_zero());
    draft.set_interval("interval", every.unwrap_or(EVERY));
    if fields.switch("enabled") == Some(false) {
        draft.set("enabled", false);
    }
    draft.set_display_name(&name);
    if let Some(group) = group {
        draft.set_group(&group);
    }
    for (name, value) in fields
        .map("extra-labels")
        .into_iter()
        .flat_map(SourceFields::into_entries)
    {
        if let Some(value) = crate::source_fields::text_of(&value) {
            draft.label("extra-labels.", &name, &value);
        }
    }
    client(&mut draft, fields.map("client").unwrap_or_default(), protocol);
    alerts::apply(&mut draft, fields.maps("alerts"), providers);
    if protocol == Protocol::Http {
        request(&mut draft, &mut fields);
    }
    let sent = match protocol {
        Protocol::Tcp | Protocol::Tls => fields.text("body"),
        Protocol::Http
        | Protocol::Dns
        | Protocol::StartTls
        | Protocol::Ssh { .. }
        | Protocol::Icmp
        | Protocol::PortOnly => None,
    };
    let conditions = fields.texts("conditions");
    if let Err(reason) = conditions::apply(&mut draft, &conditions, protocol, sent.as_deref()) {
        read.notes.push(Note::lost(&draft.name, "", reason));
        return;
    }
    let (name, key) = (draft.name.clone(), draft.key.clone());
    for window in fields.maps("maintenance-windows") {
        let window_scope = WindowScope::Keys(vec![key.clone()]);
        let window = maintenance::window(
            window,
            &name,
            "maintenance-windows",
            window_scope,
            &mut draft.notes,
        );
        read.maintenance.extend(window);
    }
    fields.note_unused(&name, "", &ENDPOINT, &mut draft.notes);
    read.drafts.push(draft);
}

/// Sets host, port and service.
///
/// # Errors
/// If the protocol is not supported.
fn target(
    draft: &mut Draft,
    address: &Address,
    dns: Option<SourceFields>,
    signs_in: bool,
) -> Result<Protocol, &'static str> {
    if let Some(question) = dns {
        dns_of(draft, address, question)?;
        return Ok(Protocol::Dns);
    }
    let needs_port = |protocol| {
        if address.port.is_some() {
            Ok(protocol)
        } else {
            Err("Its `url` has no port.")
        }
    };
    match address.scheme.as_str() {
        "http" | "https" => {
            draft.set_http_target(address);
            Ok(Protocol::Http)
        }
        "tcp" => {
            draft.set_target(address, None);
            needs_port(Protocol::Tcp)
        }
        "tls" => {
            draft.set("service", "tls");
            draft.set_target(address, None);
            needs_port(Protocol::Tls)
        }
        "starttls" => {
            draft.set("service", "submission");
            draft.set("tls", "starttls");
            draft.set_target(address, None);
            needs_port(Protocol::StartTls)
        }
        "ssh" => {
            draft.set("service", "ssh");
            draft.set_target(address, None);
            if signs_in {
                draft.lost("ssh", CREDENTIALS);
            }
            draft.changed(
                "url",
                "Only the identification of the SSH server is checked, within the timeout; Gatus waits for it for one second.",
            );
            Ok(Protocol::Ssh { signs_in })
        }
        "icmp" => {
            draft.set_ping(&address.host);
            Ok(Protocol::Icmp)
        }
        "ws" | "wss" => {
            draft.set_websocket_target(address);
            draft.changed(
                "url",
                "The upgrade to WebSocket is checked, and no message is sent.",
            );
            Ok(Protocol::PortOnly)
        }
        "grpc" | "grpcs" => {
            draft.set_grpc_target(address, address.scheme == "grpcs");
            draft.changed(
                "url",
                "The standard health service is checked for the whole server.",
            );
            Ok(Protocol::PortOnly)
        }
        "udp" => Err("Of UDP services, only DNS is supported."),
        "sctp" => Err("SCTP is not supported."),
        "" => Err("Its `url` has no scheme."),
        _ => Err("The scheme of its `url` is not supported."),
    }
}

/// Sets the method, the header fields and the body of an HTTP request.
fn request(draft: &mut Draft, fields: &mut SourceFields) {
    let method = fields.text("method").unwrap_or_else(|| "GET".to_owned());
    draft.set_method("method", &method);
    let headers = fields
        .map("headers")
        .into_iter()
        .flat_map(SourceFields::into_entries);
    let mut has_type = false;
    for (name, value) in headers {
        has_type |= name.eq_ignore_ascii_case("content-type");
        let value = crate::source_fields::text_of(&value).unwrap_or_default();
        draft.add_header(&format!("headers.{name}"), &name, &value);
    }
    let is_graphql = fields.switch("graphql") == Some(true);
    if let Some(body) = fields.text("body") {
        let body = if is_graphql {
            json!({ "query": body }).to_string()
        } else {
            body
        };
        draft.set_body("body", &body);
    }
    if is_graphql && !has_type {
        draft.add_header("graphql", "Content-Type", "application/json");
    }
}

fn dns_of(draft: &mut Draft, address: &Address, mut question: SourceFields) -> Result<(), &'static str> {
    draft.set("service", "dns");
    draft.set_target(address, Some(53));
    draft.set_option("dns", "transport", "udp");
    let record_type = question
        .text("query-type")
        .unwrap_or_default()
        .to_ascii_uppercase();
    if record_type.parse::<RecordType>().is_err() {
        return Err("DNS records of its `query-type` are not supported.");
    }
    let name = question
        .text("query-name")
        .ok_or("Its `query-name` is missing.")?;
    let name = if record_type == "PTR" {
        reverse_name(&name)
    } else {
        name.trim_end_matches('.').to_owned()
    };
    draft.set_option("dns", "name", name);
    draft.set_option("dns", "type", record_type);
    let item = draft.name.clone();
    question.note_unused(&item, "dns.", &[], &mut draft.notes);
    Ok(())
}

fn client(draft: &mut Draft, mut client: SourceFields, protocol: Protocol) {
    let name = draft.name.clone();
    if client.switch("insecure") == Some(true) {
        draft.set_insecure("client.insecure");
    }
    if let Some(mut tls) = client.map("tls") {
        if tls.text("certificate-file").is_some() {
            drop(tls.take("private-key-file"));
            draft.set_client_certificate("client.tls.certificate-file");
        }
        let known = [
            (
                "private-key-file",
                Lost,
                "The file of the certificate is missing.",
            ),
            ("renegotiation", NotNeeded, "TLS does not renegotiate."),
        ];
        tls.note_unused(&name, "client.tls.", &known, &mut draft.notes);
    }
    client.ignore_if_off("store-cookies");
    let timeout = client
        .duration("timeout", Duration::from_nanos(1))
        .filter(|timeout| *timeout >= Duration::from_millis(1));
    if protocol == Protocol::Dns {
        draft.set_timeout("client.timeout", DNS_TIMEOUT);
        if timeout.is_some() {
            let reason = "Gatus does not use the setting for DNS, where its timeout is 2 s.";
            draft.not_needed("client.timeout", reason);
        }
    } else {
        draft.set_timeout("client.timeout", timeout.unwrap_or(TIMEOUT));
    }
    let ignores_redirects = client.switch("ignore-redirect") == Some(true);
    if protocol == Protocol::Http {
        draft.set_option("http", "follow", !ignores_redirects);
    } else if ignores_redirects {
        draft.not_needed("client.ignore-redirect", "The setting concerns only HTTP.");
    }
    match (client.text("network").as_deref(), protocol) {
        (Some("ip4"), Protocol::Icmp) => draft.set("ip", "v4"),
        (Some("ip6"), Protocol::Icmp) => draft.set("ip", "v6"),
        (Some("ip") | None, _) => {}
        (Some("ip4" | "ip6"), _) => {
            draft.not_needed("client.network", "Gatus uses the setting only for ICMP.");
        }
        (Some(_), _) => draft.lost("client.network", "The value is not known."),
    }
    client.note_unused(&name, "client.", &CLIENT, &mut draft.notes);
}
