//! A monitor during its conversion: its fields so far, and the notes about its source.

use std::time::Duration;

use portpulse_core::time::format_duration;
use serde_json::{Map, Value, json};

use crate::address::Address;
use crate::note::{Note, NoteKind, sanitize};

/// A monitor during its conversion.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The name in the source; the id is derived from it.
    pub(crate) name: String,
    /// The comment above the monitor.
    pub(crate) comment: String,
    pub(crate) fields: Map<String, Value>,
    pub(crate) notes: Vec<Note>,
}

/// The supported intervals, in seconds.
const INTERVALS: [(u64, &str); 7] = [
    (3600, "1h"),
    (1800, "30m"),
    (900, "15m"),
    (600, "10m"),
    (300, "5m"),
    (120, "2m"),
    (60, "1m"),
];
const MIN_TIMEOUT: Duration = Duration::from_millis(100);
const MAX_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum of `failures_to_open` and `successes_to_close`.
const MAX_TICKS: u32 = 10;

impl Draft {
    pub(crate) fn new(name: &str, comment: &str) -> Self {
        Self {
            name: sanitize(name),
            comment: sanitize(comment),
            fields: Map::new(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.fields.insert(field.to_owned(), value.into());
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Sets an option in the section `http` or `dns`.
    pub(crate) fn set_option(&mut self, section: &str, field: &str, value: impl Into<Value>) {
        let section = self.fields.entry(section).or_insert_with(|| json!({}));
        if let Value::Object(map) = section {
            map.insert(field.to_owned(), value.into());
        }
    }

    pub(crate) fn add_note(&mut self, kind: NoteKind, field: &str, reason: impl Into<String>) {
        self.notes.push(Note {
            kind,
            item: self.name.clone(),
            field: sanitize(field),
            reason: reason.into(),
        });
    }

    /// Sets host and port. User names are not converted.
    pub(crate) fn set_target(&mut self, address: &Address, default_port: Option<u16>) {
        self.set("host", address.host.as_str());
        if let Some(port) = address.port
            && Some(port) != default_port
        {
            self.set("port", port);
        }
        if address.has_user {
            self.add_note(NoteKind::Lost, "user", "checks have no credentials");
        }
    }

    /// Sets an HTTP check of this URL, with TLS according to its scheme.
    pub(crate) fn set_http_target(&mut self, address: &Address) {
        let is_tls = matches!(address.scheme.as_str(), "https" | "wss");
        let (service, default_port) = if is_tls { ("https", 443) } else { ("http", 80) };
        self.set("service", service);
        self.set_target(address, Some(default_port));
        // The default of `tls` depends on the port, not only on the service.
        if let Some(port) = address.port
            && (is_tls != matches!(port, 443 | 8443))
        {
            self.set("tls", is_tls);
        }
        if address.path != "/" {
            self.set_option("http", "path", address.path.as_str());
        }
    }

    /// Sets a connect in place of a ping.
    pub(crate) fn set_ping(&mut self, host: &str) {
        self.set("host", host);
        self.set("port", 443);
        self.set("expect", "reachable");
        let reason = "ICMP is not supported: became a connect to port 443, where open and refused both count as \
                      reachable; set another `port` if 443 is filtered";
        self.add_note(NoteKind::Changed, "ping", reason);
    }

    pub(crate) fn set_interval(&mut self, field: &str, expected: Duration) {
        let wanted_seconds = expected.as_secs();
        let found = INTERVALS.iter().find(|(seconds, _)| *seconds <= wanted_seconds);
        let (seconds, name) = found.copied().unwrap_or((60, "1m"));
        self.set("interval", name);
        if expected != Duration::from_secs(seconds) {
            let reason = format!("{} s became {name}", expected.as_secs_f64());
            self.add_note(NoteKind::Changed, field, reason);
        }
    }

    pub(crate) fn set_timeout(&mut self, field: &str, expected: Duration) {
        // Definitions have a resolution of one millisecond.
        let whole = Duration::from_millis(u64::try_from(expected.as_millis()).unwrap_or(u64::MAX));
        let timeout = whole.clamp(MIN_TIMEOUT, MAX_TIMEOUT);
        self.set("timeout", format_duration(timeout));
        if timeout != expected {
            let reason = format!("became {}: the range is 100ms to 30s", format_duration(timeout));
            self.add_note(NoteKind::Changed, field, reason);
        }
    }

    /// Sets `failures_to_open` or `successes_to_close`.
    pub(crate) fn set_count(&mut self, field: &str, from: &str, expected: f64) {
        let ticks = (1..MAX_TICKS)
            .find(|ticks| f64::from(*ticks) >= expected)
            .unwrap_or(MAX_TICKS);
        self.set(field, ticks);
        if (f64::from(ticks) - expected).abs() > f64::EPSILON {
            self.add_note(
                NoteKind::Changed,
                from,
                format!("became {ticks}: the range is 1 to {MAX_TICKS}"),
            );
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

/// A duration in the notation of Go, such as `1m30s`, `300ms` or `24h`; a bare number has the given unit.
pub(crate) fn duration(text: &str, bare: Duration) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return scaled(bare, number);
    }
    let (mut rest, mut sum) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at_checked(end)?;
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at_checked(end)?;
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3_600),
            "d" => Duration::from_secs(86_400),
            "w" => Duration::from_secs(7 * 86_400),
            _ => return None,
        };
        sum = sum.checked_add(scaled(unit, number.parse().ok()?)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// `number` times `unit`; `None` above about 500 years.
pub(crate) fn scaled(unit: Duration, number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(unit.as_secs_f64() * number)
        .ok()
        .filter(|length| length.as_secs() < 1 << 34)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_accepts_notation_of_go_and_prometheus() {
        let second = Duration::from_secs(1);
        for (text, ms) in [
            ("1m30s", 90_000),
            ("300ms", 300),
            ("1.5h", 5_400_000),
            ("2d", 172_800_000),
            ("20", 20_000),
        ] {
            assert_eq!(duration(text, second), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "5x", "-3s", "1m-", "1e400", "9999999999999999h"] {
            assert_eq!(duration(text, second), None, "{text}");
        }
    }

    #[test]
    fn unsupported_value_becomes_the_nearest_supported() {
        let mut draft = Draft::new("a", "");
        draft.set_interval("interval", Duration::from_secs(90));
        draft.set_timeout("timeout", Duration::from_secs(48));
        draft.set_count("failures_to_open", "retries", 12.0);
        draft.set_count("successes_to_close", "successes", 2.0);
        draft.tag("team a");
        draft.tag("☃");
        assert_eq!(
            Value::Object(draft.fields),
            json!({ "interval": "1m", "timeout": "30s", "failures_to_open": 10, "successes_to_close": 2, "tags": ["team-a"] })
        );
        let notes: Vec<_> = draft.notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "a: interval: 90 s became 1m",
                "a: timeout: became 30s: the range is 100ms to 30s",
                "a: retries: became 10: the range is 1 to 10",
            ]
        );
    }
}
