//! The fields of a definition as written, before any rule is applied.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A value of the right type, or whatever stood in its place.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Given<T> {
    /// A value of the right type.
    Right(T),
    /// Something else.
    Wrong(Value),
}

/// The field `tls` as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum RawTls {
    /// `true` or `false`.
    Switch(bool),
    /// `starttls`, or a word that means nothing.
    Word(String),
}

/// Every field that a definition may have, as written. Others are told by their names, see [`RawMonitor::FIELDS`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RawMonitor {
    /// DNS name or address.
    pub host: Option<Given<String>>,
    /// TCP port.
    pub port: Option<Given<i64>>,
    /// A known service: its port, timeout and readiness exchange.
    pub service: Option<Given<String>>,
    /// `critical`, `supporting` or `background`.
    pub tier: Option<Given<String>>,
    /// How often to check.
    pub interval: Option<Given<String>>,
    /// The time for all phases of one check.
    pub timeout: Option<Given<String>>,
    /// A connect time above which a tick counts as slow.
    pub slow_after: Option<Given<String>>,
    /// `open`, `closed` or `reachable`.
    pub expect: Option<Given<String>>,
    /// `connect` or `ready`.
    pub check: Option<Given<String>>,
    /// Whether and when TLS begins.
    pub tls: Option<Given<RawTls>>,
    /// Days before a certificate's expiry from which the monitor is degraded.
    pub warn_days: Option<Given<i64>>,
    /// The HTTP request, and what must come back.
    pub http: Option<Given<Map<String, Value>>>,
    /// The DNS question, and what must come back.
    pub dns: Option<Given<Map<String, Value>>>,
    /// What to send and what to wait for.
    pub script: Option<Given<Vec<Value>>>,
    /// Consecutive failing ticks that make a location's vote.
    pub failures_to_open: Option<Given<i64>>,
    /// Consecutive good ticks that end it.
    pub successes_to_close: Option<Given<i64>>,
    /// How many locations must agree; a strict majority if absent.
    pub quorum: Option<Given<i64>>,
    /// The locations that check it; all if absent.
    pub locations: Option<Given<Vec<Value>>>,
    /// `critical`, `warning` or `info`.
    pub severity: Option<Given<String>>,
    /// `any`, `v4` or `v6`.
    pub ip: Option<Given<String>>,
    /// `fin` or `quiet`.
    pub close: Option<Given<String>>,
    /// Words to filter and group by.
    pub tags: Option<Given<Vec<Value>>>,
    /// A link to what to do about it.
    pub runbook: Option<Given<String>>,
    /// Monitors whose outage explains this one's.
    pub depends_on: Option<Given<Vec<Value>>>,
    /// Whether it is checked at all.
    pub enabled: Option<Given<bool>>,
    /// How often an open incident is told again.
    pub remind_every: Option<Given<String>>,
    /// After how long an open incident is told as critical.
    pub escalate_after: Option<Given<String>>,
    /// More changes than this within an hour are told as flapping; 0 for never.
    pub flapping_after: Option<Given<i64>>,
    /// In items only: the maintenance windows that apply to it.
    pub maintenance: Option<Given<Vec<Value>>>,
    /// In items only: the group of each monitor in `depends_on`.
    pub depends_on_groups: Option<Given<BTreeMap<String, Value>>>,
}

impl RawMonitor {
    /// The names a user may write, in the order in which they are listed.
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

/// The word nearest to `found`, if one is near enough to have been meant.
pub(super) fn nearest(found: &str, words: &[&'static str]) -> Option<&'static str> {
    // Nothing longer than this is a word with a slip in it.
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

/// Those of `words` that may have been meant by `found`: near to it, or with it as a part; the nearest first, at most
/// three.
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

/// Levenshtein's distance, in single-character edits.
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
    fn a_misspelt_field_is_guessed_and_a_foreign_one_is_not() {
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
    fn a_misspelt_id_is_guessed_and_so_is_a_part_of_one() {
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
