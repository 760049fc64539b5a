//! A monitor on its way into a definitions file: what is known of it so far, and what of its source was left.

use std::time::Duration;

use portpulse_core::time::format_duration;
use serde_json::{Map, Value, json};

use crate::address::Address;
use crate::left::{Kind, Left, tame};

/// A monitor on its way.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// As its source calls it; its id is made from this.
    pub(crate) name: String,
    /// What stands above it as a comment.
    pub(crate) comment: String,
    pub(crate) fields: Map<String, Value>,
    pub(crate) left: Vec<Left>,
}

/// The intervals that there are, in seconds.
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
/// The most of `failures_to_open` and `successes_to_close`.
const MAX_TICKS: u32 = 10;

impl Draft {
    pub(crate) fn new(name: &str, comment: &str) -> Self {
        Self {
            name: tame(name),
            comment: tame(comment),
            fields: Map::new(),
            left: Vec::new(),
        }
    }

    pub(crate) fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.fields.insert(field.to_owned(), value.into());
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Sets a field of `http:` or `dns:`.
    pub(crate) fn option(&mut self, section: &str, field: &str, value: impl Into<Value>) {
        let section = self.fields.entry(section).or_insert_with(|| json!({}));
        if let Value::Object(map) = section {
            map.insert(field.to_owned(), value.into());
        }
    }

    pub(crate) fn leave(&mut self, kind: Kind, field: &str, why: impl Into<String>) {
        self.left.push(Left {
            kind,
            of: self.name.clone(),
            field: tame(field),
            why: why.into(),
        });
    }

    /// Host and port, and that a name before the host was left.
    pub(crate) fn at(&mut self, address: &Address, usual_port: Option<u16>) {
        self.set("host", address.host.as_str());
        if let Some(port) = address.port
            && Some(port) != usual_port
        {
            self.set("port", port);
        }
        if address.has_user {
            self.leave(Kind::Lost, "user", "checks have no credentials");
        }
    }

    /// An HTTP request to this URL. Whether it is made over TLS, the scheme says.
    pub(crate) fn http_at(&mut self, address: &Address) {
        let is_tls = matches!(address.scheme.as_str(), "https" | "wss");
        let (service, usual) = if is_tls { ("https", 443) } else { ("http", 80) };
        self.set("service", service);
        self.at(address, Some(usual));
        // These ports imply TLS, or its absence, whatever the service.
        if let Some(port) = address.port
            && (is_tls != matches!(port, 443 | 8443))
        {
            self.set("tls", is_tls);
        }
        if address.path != "/" {
            self.option("http", "path", address.path.as_str());
        }
    }

    /// As ping would, by a connect.
    pub(crate) fn ping(&mut self, host: &str) {
        self.set("host", host);
        self.set("port", 443);
        self.set("expect", "reachable");
        let why = "there is no ICMP: a connect to port 443, open or refused, proves that the host answers; set another \
                   `port` where 443 is filtered";
        self.leave(Kind::Changed, "ping", why);
    }

    pub(crate) fn every(&mut self, field: &str, wanted: Duration) {
        let wanted_seconds = wanted.as_secs();
        let found = INTERVALS.iter().find(|(seconds, _)| *seconds <= wanted_seconds);
        let (seconds, word) = found.copied().unwrap_or((60, "1m"));
        self.set("interval", word);
        if wanted != Duration::from_secs(seconds) {
            let why = format!("every {} s became {word}", wanted.as_secs_f64());
            self.leave(Kind::Changed, field, why);
        }
    }

    pub(crate) fn timeout(&mut self, field: &str, wanted: Duration) {
        // Whole milliseconds are what can be written.
        let whole = Duration::from_millis(u64::try_from(wanted.as_millis()).unwrap_or(u64::MAX));
        let timeout = whole.clamp(MIN_TIMEOUT, MAX_TIMEOUT);
        self.set("timeout", format_duration(timeout));
        if timeout != wanted {
            let why = format!(
                "timeouts are 100ms to 30s: it became {}",
                format_duration(timeout)
            );
            self.leave(Kind::Changed, field, why);
        }
    }

    /// `failures_to_open` or `successes_to_close`.
    pub(crate) fn ticks(&mut self, field: &str, from: &str, wanted: f64) {
        let ticks = (1..MAX_TICKS)
            .find(|ticks| f64::from(*ticks) >= wanted)
            .unwrap_or(MAX_TICKS);
        self.set(field, ticks);
        if (f64::from(ticks) - wanted).abs() > f64::EPSILON {
            self.leave(
                Kind::Changed,
                from,
                format!("it became {ticks}, for there are 1 to {MAX_TICKS}"),
            );
        }
    }

    /// Adds a tag, in letters that tags may have.
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

/// A duration as Go writes it, such as `1m30s`, `300ms` or `24h`; a bare number has the given unit.
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

/// So many of a unit; no more than some centuries.
pub(crate) fn scaled(unit: Duration, number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(unit.as_secs_f64() * number)
        .ok()
        .filter(|length| length.as_secs() < 1 << 34)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go_and_prometheus() {
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
    fn what_there_is_not_becomes_the_next_that_there_is() {
        let mut draft = Draft::new("a", "");
        draft.every("interval", Duration::from_secs(90));
        draft.timeout("timeout", Duration::from_secs(48));
        draft.ticks("failures_to_open", "retries", 12.0);
        draft.ticks("successes_to_close", "successes", 2.0);
        draft.tag("team a");
        draft.tag("☃");
        assert_eq!(
            Value::Object(draft.fields),
            json!({ "interval": "1m", "timeout": "30s", "failures_to_open": 10, "successes_to_close": 2, "tags": ["team-a"] })
        );
        let left: Vec<_> = draft.left.iter().map(ToString::to_string).collect();
        assert_eq!(
            left,
            [
                "a: interval: every 90 s became 1m",
                "a: timeout: timeouts are 100ms to 30s: it became 30s",
                "a: retries: it became 10, for there are 1 to 10",
            ]
        );
    }
}
