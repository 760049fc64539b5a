//! Converts the types of monitors of Uptime Kuma, each with the time that it waits.

use std::time::Duration;

use portpulse_core::readiness::RecordType;
use serde_json::{Value, json};

use super::Version;
use crate::address::Address;
use crate::connection;
use crate::draft::{Draft, reverse_name};
use crate::note::Note;
use crate::secret::{CREDENTIALS, is_secret_name};
use crate::source_fields::{SourceFields, text_of};

/// The statuses that the form accepts by default.
const STATUSES: &str = "200-299";
/// The number of redirects that the form follows by default.
const REDIRECTS: f64 = 10.0;
/// The time that a ping waits in 1.x, and by default in 2.x.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// The bytes of data that a ping has by default.
const PACKET_SIZE: f64 = 56.0;

/// Applies the type of a monitor to its draft.
///
/// # Errors
/// The reason, if the type or the target is not supported.
pub(super) fn apply(
    draft: &mut Draft,
    fields: &mut SourceFields,
    kind: &str,
    is_inverted: bool,
    notes: &mut Vec<Note>,
) -> Result<(), &'static str> {
    match (kind, is_inverted) {
        ("port", true) => {
            draft.set("expect", "closed");
            draft.changed(
                "upsideDown",
                "An open port is reported at the first check, without retries.",
            );
            host_and_port(draft, fields)
        }
        (_, true) => Err("Upside-down mode is supported only for type `port`."),
        ("http" | "keyword" | "json-query", false) => http(draft, fields, kind),
        ("port", false) => {
            host_and_port(draft, fields)?;
            if matches!(
                fields.text("smtpSecurity").as_deref(),
                Some("secure" | "starttls")
            ) {
                draft.lost("smtpSecurity", "Only the port is checked, not its certificate.");
            }
            Ok(())
        }
        ("mqtt", false) => mqtt(draft, fields),
        ("smtp", false) => smtp(draft, fields),
        ("websocket-upgrade", false) => websocket(draft, fields),
        ("ping" | "tailscale-ping", false) => ping(draft, fields, kind),
        ("dns", false) => dns(draft, fields),
        ("postgres" | "mysql" | "mongodb" | "redis" | "sqlserver", false) => {
            let text = fields.text("databaseConnectionString");
            let text = text.ok_or("Its connection string is missing.")?;
            connection::apply(draft, "databaseConnectionString", kind, &text)?;
            if kind != "sqlserver" {
                let reason = "Became a readiness check without credentials: the server must answer, a query is not sent.";
                draft.changed("databaseConnectionString", reason);
            }
            Ok(())
        }
        ("docker", false) => Err("Containers are not visible from outside."),
        ("push" | "manual", false) => Err("Push-based monitors are not supported."),
        ("steam" | "gamedig" | "radius" | "snmp" | "ntp" | "sip-options", false) => {
            Err("Of UDP services, only DNS is supported.")
        }
        ("grpc-keyword" | "kafka-producer" | "rabbitmq" | "real-browser" | "oracledb", false) => {
            Err("The protocol is not supported: write a monitor for its port.")
        }
        ("system-service" | "pm2" | "globalping", false) => Err("The type is not supported."),
        (_, false) => {
            notes.push(Note::lost(&draft.name, "type", "The type is not known."));
            Err("Its type is not supported.")
        }
    }
}

/// The times that Uptime Kuma waits: some types have their own, and do not use the setting.
pub(super) fn set_timeout(
    draft: &mut Draft,
    kind: &str,
    written: Option<Duration>,
    default: Duration,
    version: Version,
) {
    let seconds = Duration::from_secs;
    match kind {
        "http" | "keyword" | "json-query" | "smtp" | "websocket-upgrade" => {
            draft.set_timeout("timeout", written.unwrap_or(default));
        }
        "ping" => {
            let written = written.filter(|_| version == Version::Two);
            draft.set_timeout("timeout", written.unwrap_or(PING_TIMEOUT));
        }
        "tailscale-ping" => draft.set_timeout("timeout", default),
        // The library tcp-ping.
        "port" => draft.set_timeout("timeout", seconds(5)),
        "mqtt" => draft.set_timeout("timeout", default),
        "dns" => {
            draft.set_timeout("timeout", seconds(5));
            draft.changed(
                "timeout",
                "A question waits 5 s for its answer; Uptime Kuma repeats it up to three times.",
            );
        }
        // The defaults of the clients; that of PostgreSQL has none.
        "redis" => draft.set_timeout("timeout", seconds(5)),
        "mysql" => draft.set_timeout("timeout", seconds(10)),
        "sqlserver" => draft.set_timeout("timeout", seconds(15)),
        "postgres" => {
            draft.set_timeout("timeout", seconds(30));
            draft.changed(
                "timeout",
                "A check waits at most 30 s; Uptime Kuma waits without a limit.",
            );
        }
        _ => draft.set_timeout("timeout", seconds(30)),
    }
}

fn http(draft: &mut Draft, fields: &mut SourceFields, kind: &str) -> Result<(), &'static str> {
    let url = fields.text("url").and_then(|url| Address::parse(&url));
    let url = url.ok_or("Its `url` has no host.")?;
    draft.set_http_target(&url);
    match fields.text("ipFamily").as_deref() {
        Some("ipv4") => draft.set("ip", "v4"),
        Some("ipv6") => draft.set("ip", "v6"),
        Some(_) => draft.lost("ipFamily", "The value is not known."),
        None => {}
    }
    let method = fields.text("method").unwrap_or_else(|| "GET".to_owned());
    let codes = fields.texts("accepted_statuscodes");
    let redirects = fields.number("maxredirects").unwrap_or(REDIRECTS);
    let codes = if codes.is_empty() {
        vec![STATUSES.to_owned()]
    } else {
        codes
    };
    draft.set_method("method", &method);
    draft.set_option("http", "follow", redirects > 0.0);
    draft.set_option("http", "status", json!(codes));
    request(draft, fields);
    credentials(draft, fields);
    match kind {
        "keyword" => keyword(draft, fields),
        "json-query" => json_query(draft, fields),
        _ => {}
    }
    Ok(())
}

fn keyword(draft: &mut Draft, fields: &mut SourceFields) {
    let is_inverted = fields.switch("invertKeyword") == Some(true);
    match fields.text("keyword") {
        Some(_) if draft.has_method("HEAD") => {
            draft.lost("keyword", "A response to HEAD has no text to search.");
        }
        Some(keyword) if is_inverted => draft.forbid_text("keyword", &keyword),
        Some(keyword) => draft.require_text("keyword", &keyword),
        None => {}
    }
}

/// The query of a value: a path of JSONata, which is a JSONPath where it only has names and indices.
fn json_query(draft: &mut Draft, fields: &mut SourceFields) {
    let (Some(written), Some(value)) = (fields.text("jsonPath"), fields.text("expectedValue")) else {
        return;
    };
    let operator = fields.text("jsonPathOperator").unwrap_or_else(|| "==".to_owned());
    let last = written.rsplit('.').next().unwrap_or_default();
    if is_secret_name(last) {
        draft.lost(
            "expectedValue",
            "The value looks like a secret, so it was not copied and is not checked.",
        );
        return;
    }
    let bare = written.trim_start_matches('$').trim_start_matches('.');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let starts_well =
        bare.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '[') || bare.is_empty();
    if !bare.chars().all(is_plain) || !starts_well {
        draft.lost(
            "jsonPath",
            "Of JSONata, only names and indices are supported, so this condition is not checked.",
        );
        return;
    }
    let path = match bare {
        "" => "$".to_owned(),
        bare if bare.starts_with('[') => format!("${bare}"),
        bare => format!("$.{bare}"),
    };
    draft.require_json(
        "jsonPath",
        json!({ "path": path, "operator": operator, "value": value }),
    );
}

/// The header fields, a JSON object in a text, and the body.
fn request(draft: &mut Draft, fields: &mut SourceFields) {
    let encoding = match fields.text("httpBodyEncoding").as_deref() {
        Some("form") => "application/x-www-form-urlencoded",
        Some("xml") => "text/xml; charset=utf-8",
        _ => "application/json",
    };
    if let Some(body) = fields.text("body") {
        draft.add_header("httpBodyEncoding", "Content-Type", encoding);
        draft.set_body("body", &body);
    }
    let Some(headers) = fields.text("headers") else {
        return;
    };
    match serde_json::from_str(&headers) {
        Ok(Value::Object(headers)) => {
            for (name, value) in headers {
                let value = text_of(&value).unwrap_or_default();
                draft.add_header(&format!("headers.{name}"), &name, &value);
            }
        }
        Ok(_) | Err(_) => draft.lost("headers", "The value is not a JSON object."),
    }
}

/// The fields of all methods of authentication.
const CREDENTIAL_FIELDS: [&str; 13] = [
    "basic_auth_user",
    "basic_auth_pass",
    "bearer_token",
    "authWorkstation",
    "authDomain",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_token_url",
    "oauth_scopes",
    "oauth_audience",
    "tlsCa",
    "tlsCert",
    "tlsKey",
];

/// The credentials that `authMethod` selects. Those of other methods stay in the database without effect.
fn credentials(draft: &mut Draft, fields: &mut SourceFields) {
    let method = fields.text("authMethod").filter(|method| method != "null");
    match method.as_deref() {
        Some("basic") => {
            drop(fields.take("basic_auth_pass"));
            let user = fields.text("basic_auth_user").unwrap_or_default();
            draft.set_basic_auth("basic_auth_pass", &user);
        }
        Some("bearer") => {
            drop(fields.take("bearer_token"));
            draft.set_bearer_token("bearer_token");
        }
        Some("mtls") => {
            drop((fields.take("tlsCert"), fields.take("tlsKey")));
            draft.set_client_certificate("tlsCert");
            if fields.take("tlsCa").is_some() {
                draft.lost("tlsCa", "Certificates are verified against public authorities.");
            }
        }
        Some(_) => draft.lost("authMethod", CREDENTIALS),
        None => {}
    }
    let mut has_others = false;
    for field in CREDENTIAL_FIELDS {
        has_others |= fields.take(field).is_some();
    }
    if has_others {
        let reason = "The credentials of a method that is not selected have no effect.";
        draft.not_needed("authMethod", reason);
    }
}

fn host_and_port(draft: &mut Draft, fields: &mut SourceFields) -> Result<(), &'static str> {
    let host = fields.text("hostname").ok_or("Its `hostname` is missing.")?;
    let address = Address::parse(&host).ok_or("Its `hostname` is not a host.")?;
    draft.set("host", address.host);
    if let Some(port) = port(fields).or(address.port) {
        draft.set("port", port);
    }
    Ok(())
}

fn mqtt(draft: &mut Draft, fields: &mut SourceFields) -> Result<(), &'static str> {
    let host = fields.text("hostname").ok_or("Its `hostname` is missing.")?;
    let address = Address::parse(&host).ok_or("Its `hostname` is not a host.")?;
    let is_tls = matches!(address.scheme.as_str(), "mqtts" | "wss" | "https");
    if matches!(address.scheme.as_str(), "ws" | "wss" | "http" | "https") {
        // MQTT within WebSocket.
        if is_tls {
            draft.set("service", "tls");
        }
        draft.changed("hostname", "Only the port is checked, not the protocol.");
    } else {
        draft.set("service", "mqtt");
        draft.set("tls", is_tls);
        draft.changed("hostname", "The broker must answer a client; no topic is read.");
    }
    let default = if is_tls { 8883 } else { 1883 };
    draft.set("host", address.host);
    draft.set("port", port(fields).or(address.port).unwrap_or(default));
    Ok(())
}

fn smtp(draft: &mut Draft, fields: &mut SourceFields) -> Result<(), &'static str> {
    match fields.text("smtpSecurity").as_deref() {
        Some("secure") => draft.set("service", "smtps"),
        Some("starttls") => {
            draft.set("service", "smtp");
            draft.set("tls", "starttls");
        }
        Some("nostarttls") => {
            draft.set("service", "smtp");
            draft.set("tls", false);
        }
        _ => {
            draft.set("service", "smtp");
            draft.set("tls", false);
            draft.changed(
                "smtpSecurity",
                "The check uses no TLS; Uptime Kuma uses STARTTLS where the server offers it.",
            );
        }
    }
    host_and_port(draft, fields)
}

fn websocket(draft: &mut Draft, fields: &mut SourceFields) -> Result<(), &'static str> {
    let url = fields.text("url").and_then(|url| Address::parse(&url));
    let address = url.ok_or("Its `url` has no host.")?;
    draft.set_websocket_target(&address);
    draft.changed(
        "url",
        "The upgrade to WebSocket is checked, as Uptime Kuma does; header fields are not sent.",
    );
    Ok(())
}

fn ping(draft: &mut Draft, fields: &mut SourceFields, kind: &str) -> Result<(), &'static str> {
    let host = fields.text("hostname").ok_or("Its `hostname` is missing.")?;
    let address = Address::parse(&host).ok_or("Its `hostname` is not a host.")?;
    draft.set_ping(&address.host);
    if kind == "tailscale-ping" {
        draft.changed(
            "type",
            "The host is checked directly; the ping of Tailscale is not sent.",
        );
        return Ok(());
    }
    if fields
        .number("packetSize")
        .is_some_and(|size| (size - PACKET_SIZE).abs() > f64::EPSILON)
    {
        draft.lost("packetSize", "A ping has 32 bytes of data.");
    }
    if fields.number("ping_count").is_some_and(|count| count > 1.0) {
        draft.not_needed("ping_count", "One reply is enough, as in Uptime Kuma.");
    }
    // The settings of the program ping: until the timeout, it sends an echo each second.
    let _ = fields.number("ping_per_request_timeout");
    let _ = fields.switch("ping_numeric");
    Ok(())
}

fn dns(draft: &mut Draft, fields: &mut SourceFields) -> Result<(), &'static str> {
    let server = fields.text("dns_resolve_server");
    let server = server.ok_or("Its `dns_resolve_server` is missing.")?;
    let servers: Vec<&str> = server
        .split(',')
        .map(str::trim)
        .filter(|server| !server.is_empty())
        .collect();
    let address = servers.first().and_then(|first| Address::parse(first));
    let address = address.ok_or("Its `dns_resolve_server` is not a host.")?;
    if servers.len() > 1 {
        draft.changed(
            "dns_resolve_server",
            "Only the first server is asked: write a monitor for each.",
        );
    }
    draft.set("service", "dns");
    draft.set_target(&address, Some(53));
    if let Some(port) = port(fields).filter(|port| *port != 53) {
        draft.set("port", port);
    }
    draft.set_option("dns", "transport", "udp");
    let record_type = fields.text("dns_resolve_type").unwrap_or_else(|| "A".to_owned());
    let record_type = record_type.to_ascii_uppercase();
    if record_type.parse::<RecordType>().is_err() {
        return Err("DNS records of its `dns_resolve_type` are not supported.");
    }
    let name = fields.text("hostname").ok_or("Its `hostname` is missing.")?;
    let name = if record_type == "PTR" {
        reverse_name(&name)
    } else {
        name
    };
    draft.set_option("dns", "name", name);
    draft.set_option("dns", "type", record_type);
    draft.changed(
        "dns_resolve_type",
        "An answer without records counts as up; Uptime Kuma requires a record. Write the records in `dns.must`.",
    );
    Ok(())
}

fn port(fields: &mut SourceFields) -> Option<u16> {
    let port = fields.number("port")?;
    (1..=u16::MAX).find(|whole| (f64::from(*whole) - port).abs() < f64::EPSILON)
}
