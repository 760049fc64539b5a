//! The raw fields of a definition, before validation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A field value of the expected type, or a value of another type.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum FieldValue<T> {
    /// A value of the expected type.
    Typed(T),
    /// A value of another type.
    WrongType(Value),
}

/// The raw value of the field `tls`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum RawTls {
    /// `true` or `false`.
    Bool(bool),
    /// `starttls`, or an unsupported text.
    Text(String),
}

/// Every supported field of a definition, as written. Unknown fields are detected by [`RawMonitor::FIELDS`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawMonitor {
    /// DNS name or address.
    pub host: Option<FieldValue<String>>,
    /// TCP port.
    pub port: Option<FieldValue<i64>>,
    /// A known service: sets the port, the timeout and the readiness exchange.
    pub service: Option<FieldValue<String>>,
    /// `critical`, `supporting` or `background`.
    pub tier: Option<FieldValue<String>>,
    /// How often to check.
    pub interval: Option<FieldValue<String>>,
    /// The timeout for all phases of one check.
    pub timeout: Option<FieldValue<String>>,
    /// The connect time above which a check counts as slow.
    pub slow_after: Option<FieldValue<String>>,
    /// `open`, `closed` or `reachable`.
    pub expect: Option<FieldValue<String>>,
    /// `connect` or `ready`.
    pub check: Option<FieldValue<String>>,
    /// Whether and when TLS begins.
    pub tls: Option<FieldValue<RawTls>>,
    /// The days before a certificate's expiry from which the monitor is degraded.
    pub warn_days: Option<FieldValue<i64>>,
    /// The HTTP request and the expected response.
    pub http: Option<FieldValue<Map<String, Value>>>,
    /// The DNS question and the expected answer.
    pub dns: Option<FieldValue<Map<String, Value>>>,
    /// The steps of a script: texts to send and to expect.
    pub script: Option<FieldValue<Vec<Value>>>,
    /// Consecutive failures that count as a location's vote.
    pub failures_to_open: Option<FieldValue<i64>>,
    /// Consecutive good checks that close an incident.
    pub successes_to_close: Option<FieldValue<i64>>,
    /// The number of locations that must agree; a strict majority if absent.
    pub quorum: Option<FieldValue<i64>>,
    /// The locations that check the monitor; all if absent.
    pub locations: Option<FieldValue<Vec<Value>>>,
    /// `critical`, `warning` or `info`.
    pub severity: Option<FieldValue<String>>,
    /// `any`, `v4` or `v6`.
    pub ip: Option<FieldValue<String>>,
    /// `fin` or `quiet`.
    pub close: Option<FieldValue<String>>,
    /// Tags to filter and group by.
    pub tags: Option<FieldValue<Vec<Value>>>,
    /// The URL of the runbook.
    pub runbook: Option<FieldValue<String>>,
    /// Monitors whose outage explains an outage of this one.
    pub depends_on: Option<FieldValue<Vec<Value>>>,
    /// Whether the monitor is checked.
    pub enabled: Option<FieldValue<bool>>,
    /// The period of reminders of an open incident.
    pub remind_every: Option<FieldValue<String>>,
    /// The time after which an open incident is escalated to critical.
    pub escalate_after: Option<FieldValue<String>>,
    /// The maximum number of changes within an hour before a monitor is flapping; 0 disables flapping detection.
    pub flapping_after: Option<FieldValue<i64>>,
    /// In items only: the maintenance windows of the monitor.
    pub maintenance: Option<FieldValue<Vec<Value>>>,
    /// In items only: the group of each monitor in `depends_on`.
    pub depends_on_groups: Option<FieldValue<BTreeMap<String, Value>>>,
}

impl RawMonitor {
    /// The fields that users can write, in the order of the documentation.
    pub const FIELDS: &'static [&'static str] = &[
        "host",
        "port",
        "service",
        "tier",
        "interval",
        "timeout",
        "slow_after",
        "expect",
        "check",
        "tls",
        "warn_days",
        "http",
        "dns",
        "script",
        "failures_to_open",
        "successes_to_close",
        "quorum",
        "locations",
        "severity",
        "ip",
        "close",
        "tags",
        "runbook",
        "depends_on",
        "enabled",
        "remind_every",
        "escalate_after",
        "flapping_after",
    ];
}

/// The most similar word to `found`, if it is similar enough to be a typo.
pub(super) fn nearest(found: &str, words: &[&'static str]) -> Option<&'static str> {
    // A longer text is not a typo of a field name.
    if found.len() > 40 {
        return None;
    }
    words
        .iter()
        .map(|word| (distance(found, word), *word))
        .min()
        .filter(|(steps, word)| *steps <= 1 + word.len() / 4)
        .map(|(_, word)| word)
}

/// Up to three of `words` that `found` may mean, most similar first: similar words, and words that contain `found`.
pub fn near_misses<'a>(found: &str, words: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if found.len() > 70 {
        return Vec::new();
    }
    let rank = |word: &'a str| {
        let steps = distance(found, word);
        let is_part = found.len() > 2 && word.contains(found);
        (steps <= 1 + word.len() / 4 || is_part).then_some((steps, word))
    };
    let mut near: Vec<_> = words.into_iter().filter_map(rank).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, word)| word).take(3).collect()
}

/// The Levenshtein distance, in single-character edits.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((to, pair), left) in b.chars().zip(row.windows(2)).zip(0..) {
            let [diagonal, above] = pair else { continue };
            let replaced = diagonal + usize::from(from != to);
            let inserted = next.get(left).map_or(replaced, |left| left + 1);
            next.push(replaced.min(above + 1).min(inserted));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_suggests_misspelt_fields_only() {
        assert_eq!(nearest("time_out", RawMonitor::FIELDS), Some("timeout"));
        assert_eq!(nearest("hots", RawMonitor::FIELDS), Some("host"));
        assert_eq!(
            nearest("failure_to_open", RawMonitor::FIELDS),
            Some("failures_to_open")
        );
        assert_eq!(nearest("colour", RawMonitor::FIELDS), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn near_misses_suggest_misspelt_and_partial_ids() {
        let ids = ["orders-db", "orders-db-replica", "order-db", "cache", "web"];
        for (found, expected) in [
            ("ordres-db", &["order-db", "orders-db"][..]),
            ("replica", &["orders-db-replica"]),
            ("chache", &["cache"]),
            ("we", &["web"]),
            ("smtp", &[]),
            (&"x".repeat(100), &[]),
        ] {
            assert_eq!(near_misses(found, ids), expected, "{found}");
        }
    }
}
