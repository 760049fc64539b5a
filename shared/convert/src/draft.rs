//! A monitor during its conversion: its fields so far, and the notes about its source.

use std::net::IpAddr;
use std::time::Duration;

use portpulse_core::time::{format_duration, parse_duration};
use serde_json::{Map, Value, json};

use crate::address::{Address, name_without_secrets};
use crate::id::id_of;
use crate::mark::has_placeholder;
use crate::note::{Note, NoteKind, sanitize};
use crate::pending::Pending;
use crate::secret::{CREDENTIALS, SECRET_LABEL, is_secret_name, without_secret_parameters};

/// A monitor during its conversion.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// Identifies the monitor among those of the source.
    pub(crate) key: String,
    /// The name in the source; the id is derived from it.
    pub(crate) name: String,
    /// The comment above the monitor.
    pub(crate) comment: String,
    pub(crate) fields: Map<String, Value>,
    pub(crate) notes: Vec<Note>,
    pub(crate) pending: Pending,
}

const MIN_TIMEOUT: Duration = Duration::from_millis(100);
const MAX_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum of `failures_to_open` and `successes_to_close`.
const MAX_TICKS: u32 = 10;
/// The maximum of `warn_days`.
const MAX_WARN_DAYS: u64 = 365;
/// The maximum number of characters of `name`.
const MAX_NAME: usize = 100;
/// The maximum number of characters of `description`.
const MAX_DESCRIPTION: usize = 500;
/// The maximum number of characters of `group`.
const MAX_GROUP: usize = 64;
/// The minimum of `remind_every`.
const MIN_REMINDER: Duration = Duration::from_secs(300);

impl Draft {
    pub(crate) fn new(name: &str, comment: &str) -> Self {
        let name = sanitize(&name_without_secrets(name));
        Self {
            key: name.clone(),
            name,
            comment: sanitize(&name_without_secrets(comment)),
            fields: Map::new(),
            notes: Vec::new(),
            pending: Pending::default(),
        }
    }

    pub(crate) fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.fields.insert(field.to_owned(), value.into());
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// Sets an option in the section `http` or `dns`.
    pub(crate) fn set_option(&mut self, section: &str, field: &str, value: impl Into<Value>) {
        let section = self.fields.entry(section).or_insert_with(|| json!({}));
        if let Value::Object(map) = section {
            map.insert(field.to_owned(), value.into());
        }
    }

    pub(crate) fn add_note(&mut self, kind: NoteKind, field: &str, reason: impl Into<String>) {
        self.notes.push(Note::new(kind, &self.name, field, reason));
    }

    pub(crate) fn lost(&mut self, field: &str, reason: impl Into<String>) {
        self.add_note(NoteKind::Lost, field, reason);
    }

    pub(crate) fn changed(&mut self, field: &str, reason: impl Into<String>) {
        self.add_note(NoteKind::Changed, field, reason);
    }

    pub(crate) fn not_needed(&mut self, field: &str, reason: impl Into<String>) {
        self.add_note(NoteKind::NotNeeded, field, reason);
    }

    /// Sets host and port. Credentials are not converted.
    pub(crate) fn set_target(&mut self, address: &Address, default_port: Option<u16>) {
        self.set_host_and_port(address, default_port);
        if address.has_user {
            self.lost("url: user", CREDENTIALS);
        }
    }

    fn set_host_and_port(&mut self, address: &Address, default_port: Option<u16>) {
        self.set("host", address.host.as_str());
        if let Some(port) = address.port
            && Some(port) != default_port
        {
            self.set("port", port);
        }
    }

    /// Sets an HTTP check of this URL, with TLS according to its scheme.
    pub(crate) fn set_http_target(&mut self, address: &Address) {
        let is_tls = matches!(address.scheme.as_str(), "https" | "wss");
        let (service, default_port) = if is_tls { ("https", 443) } else { ("http", 80) };
        self.set("service", service);
        self.set_host_and_port(address, Some(default_port));
        match &address.user {
            Some(user) => self.set_basic_auth("url: user", user),
            None if address.has_user => self.lost("url: user", CREDENTIALS),
            None => {}
        }
        // The default of `tls` depends on the port, not only on the service.
        if let Some(port) = address.port
            && (is_tls != matches!(port, 443 | 8443))
        {
            self.set("tls", is_tls);
        }
        self.set_path(&address.path);
    }

    /// Sets a check of the WebSocket at this URL.
    pub(crate) fn set_websocket_target(&mut self, address: &Address) {
        self.set("service", "websocket");
        self.set_target(address, Some(80));
        if matches!(address.scheme.as_str(), "wss" | "https") {
            self.set("tls", true);
            if address.port.is_none() {
                self.set("port", 443);
            }
        }
        self.set_path(&address.path);
    }

    /// Sets a check of gRPC's health service; the port defaults to that of HTTP.
    pub(crate) fn set_grpc_target(&mut self, address: &Address, is_tls: bool) {
        self.set("service", "grpc");
        self.set_target(address, None);
        if address.port.is_none() {
            self.set("port", if is_tls { 443 } else { 80 });
        }
        if is_tls {
            self.set("tls", true);
        }
    }

    /// Sets the path of the request, without secret parameters.
    pub(crate) fn set_path(&mut self, path: &str) {
        let (path, secrets) = without_secret_parameters(path);
        for (field, reason) in secrets {
            self.lost(&field, reason);
        }
        if path != "/" {
            self.set_option("http", "path", percent_encoded(&path));
        }
    }

    /// Sets the interval; `field` names the setting of the source. The timeout decides which intervals are possible.
    pub(crate) fn set_interval(&mut self, field: &str, expected: Duration) {
        self.pending.interval = Some((field.to_owned(), expected));
    }

    /// Sets the timeout; `field` names the setting of the source.
    pub(crate) fn set_timeout(&mut self, field: &str, expected: Duration) {
        // Definitions have a resolution of one millisecond.
        let whole = Duration::from_millis(u64::try_from(expected.as_millis()).unwrap_or(u64::MAX));
        let timeout = whole.clamp(MIN_TIMEOUT, MAX_TIMEOUT);
        self.set("timeout", format_duration(timeout));
        if timeout != expected {
            let reason = format!(
                "The timeout of {} became {}: the range is 100ms to 30s.",
                readable(expected),
                format_duration(timeout)
            );
            self.changed(field, reason);
        }
    }

    /// Sets the limit of the response time, above which the source reports a failure.
    pub(crate) fn set_response_limit(&mut self, field: &str, limit: Duration) {
        self.set_limit("fail_slower_than", field, limit);
    }

    /// Sets the limit of the response time, above which the source reports a slow service.
    pub(crate) fn set_slow_limit(&mut self, field: &str, limit: Duration) {
        self.set_limit("slower_than", field, limit);
    }

    /// Sets a limit of the response time. The timeout is set already: a slower response times out.
    fn set_limit(&mut self, limit_field: &str, field: &str, limit: Duration) {
        let timeout = self.text("timeout").and_then(|text| parse_duration(text).ok());
        let limit = Duration::from_millis(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        if timeout.is_some_and(|timeout| limit >= timeout) {
            self.not_needed(field, "A response as slow as this times out.");
        } else {
            self.set(limit_field, format_duration(limit.max(Duration::from_millis(1))));
        }
    }

    /// Sets the name that people see, if it differs from the id of the monitor.
    pub(crate) fn set_display_name(&mut self, name: &str) {
        let name = sanitize(&name_without_secrets(name));
        let name: String = name.chars().take(MAX_NAME).collect();
        let name = name.trim();
        if !name.is_empty() && id_of(&self.name) != name && !has_placeholder(&Value::from(name)) {
            self.set("name", name);
        }
    }

    /// Sets `failures_to_open` or `successes_to_close`.
    pub(crate) fn set_count(&mut self, field: &str, from: &str, expected: f64) {
        let ticks = (1..MAX_TICKS)
            .find(|ticks| f64::from(*ticks) >= expected)
            .unwrap_or(MAX_TICKS);
        self.set(field, ticks);
        if (f64::from(ticks) - expected).abs() > f64::EPSILON {
            let reason =
                format!("The threshold of {expected} became {ticks}: the range is 1 to {MAX_TICKS}.");
            self.changed(from, reason);
        }
    }

    /// Sets the period of reminders.
    pub(crate) fn set_reminder(&mut self, field: &str, expected: Duration) {
        let pause = Duration::from_secs(expected.as_secs()).max(MIN_REMINDER);
        self.set("remind_every", format_duration(pause));
        if pause != expected {
            let reason = format!(
                "The reminder every {} became {}.",
                readable(expected),
                format_duration(pause)
            );
            self.changed(field, reason);
        }
    }

    /// Sets the days before the expiry of a certificate from which the source warns; `None` if the source does not warn.
    pub(crate) fn set_warn_days(&mut self, field: &str, days: Option<u64>) {
        match days {
            Some(_) if !self.is_tls() => self.lost(field, "The check has no TLS, so it sees no certificate."),
            Some(days) => {
                self.set("warn_days", days.min(MAX_WARN_DAYS));
                if days > MAX_WARN_DAYS {
                    self.changed(field, format!("{days} days became {MAX_WARN_DAYS}."));
                }
            }
            None if self.is_tls() => self.set("warn_days", 0),
            None => {}
        }
    }

    /// Sets the description.
    pub(crate) fn set_description(&mut self, description: &str) {
        let description: String = sanitize(description).chars().take(MAX_DESCRIPTION).collect();
        if !description.trim().is_empty() && !has_placeholder(&Value::from(description.as_str())) {
            self.set("description", description.trim());
        }
    }

    /// Sets the group by which pages fold monitors.
    pub(crate) fn set_group(&mut self, group: &str) {
        let group: String = sanitize(group).chars().take(MAX_GROUP).collect();
        let group = group.trim();
        if !group.is_empty() && !has_placeholder(&Value::from(group)) {
            self.set("group", group);
        }
    }

    /// Adds a tag for a label of the source; `field` names the setting. A label whose name says that it is a secret is not
    /// copied.
    pub(crate) fn label(&mut self, field: &str, name: &str, value: &str) {
        if is_secret_name(name) {
            self.lost(&format!("{field}{name}"), SECRET_LABEL);
        } else {
            self.tag(&format!("{name}={value}"));
        }
    }

    /// Adds a tag; characters that are invalid in tags become `-`.
    pub(crate) fn tag(&mut self, text: &str) {
        let tag: String = text
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "_.:/=-".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .take(64)
            .collect();
        if tag.chars().all(|c| c == '-') {
            return;
        }
        let tags = self.fields.entry("tags").or_insert_with(|| json!([]));
        if let Value::Array(tags) = tags
            && !tags.iter().any(|known| known == &json!(tag))
        {
            tags.push(json!(tag));
        }
    }
}

/// A duration as people write it.
pub(crate) fn readable(length: Duration) -> String {
    if length.subsec_nanos().is_multiple_of(1_000_000) {
        format_duration(length)
    } else {
        format!("{length:?}")
    }
}

/// A path of a request: spaces and characters other than printable ASCII are percent-encoded.
fn percent_encoded(path: &str) -> String {
    if has_placeholder(&Value::from(path)) {
        // The monitor is refused later.
        return path.to_owned();
    }
    let encode = |byte: u8| {
        if byte.is_ascii_graphic() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    path.bytes().map(encode).collect()
}

/// The name that a PTR question for an address asks for, such as `8.8.8.8.in-addr.arpa`; other names stay.
pub(crate) fn reverse_name(name: &str) -> String {
    match name.trim_end_matches('.').parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let mut octets = address.octets();
            octets.reverse();
            let octets: Vec<_> = octets.iter().map(ToString::to_string).collect();
            format!("{}.in-addr.arpa", octets.join("."))
        }
        Ok(IpAddr::V6(address)) => {
            let nibbles = address
                .octets()
                .into_iter()
                .rev()
                .flat_map(|byte| [byte & 15, byte >> 4]);
            let nibbles: Vec<_> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
            format!("{}.ip6.arpa", nibbles.join("."))
        }
        Err(_) => name.trim_end_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_value_becomes_the_nearest_supported() {
        let mut draft = Draft::new("a", "");
        draft.set_timeout("timeout", Duration::from_secs(48));
        draft.set_count("failures_to_open", "retries", 12.0);
        draft.set_count("successes_to_close", "successes", 2.0);
        draft.set_reminder("resend", Duration::from_secs(60));
        draft.tag("team a");
        draft.tag("☃");
        assert_eq!(
            Value::Object(draft.fields),
            json!({ "timeout": "30s", "failures_to_open": 10, "successes_to_close": 2,
                    "remind_every": "5m", "tags": ["team-a"] })
        );
        let notes: Vec<_> = draft.notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "a: timeout: The timeout of 48s became 30s: the range is 100ms to 30s.",
                "a: retries: The threshold of 12 became 10: the range is 1 to 10.",
                "a: resend: The reminder every 1m became 5m.",
            ]
        );
    }

    #[test]
    fn reverse_name_of_an_address_is_in_arpa() {
        for (name, expected) in [
            ("8.8.4.1", "1.4.8.8.in-addr.arpa"),
            (
                "2001:db8::1",
                "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            ),
            ("1.0.0.127.in-addr.arpa.", "1.0.0.127.in-addr.arpa"),
        ] {
            assert_eq!(reverse_name(name), expected);
        }
    }
}
