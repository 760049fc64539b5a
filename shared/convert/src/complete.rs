//! Completes a draft: fields that depend on several settings of the source, and defaults of definitions that the source does
//! not have.

use std::time::Duration;

use portpulse_core::readiness::Tls;
use portpulse_core::retry::{MAX_RETRY_WINDOW, RetryPolicy};
use portpulse_core::service::Service;
use portpulse_core::time::{Interval, format_duration, parse_duration};
use serde_json::{Map, Value, json};

use crate::draft::{Draft, readable};
use crate::pending::{Pending, Retries};
use crate::ping::Pings;

/// The range of `retry_interval`, and the maximum of `retries`.
const RETRY_INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(30);
const MAX_RETRIES: u32 = 10;
/// The retry that a short interval has by default.
const SHORT_INTERVAL: RetryPolicy = RetryPolicy {
    count: 1,
    interval: Duration::from_secs(1),
};

impl Draft {
    /// Sets the retries of the source.
    pub(crate) fn set_retries(&mut self, retries: Retries) {
        self.pending.retries = Some(retries);
    }

    /// Accepts any certificate; `field` names the setting of the source.
    pub(crate) fn set_insecure(&mut self, field: &str) {
        self.pending.insecure = Some(field.to_owned());
    }

    /// Sets the server name that TLS sends and verifies.
    pub(crate) fn set_tls_name(&mut self, field: &str, name: &str) {
        self.pending.tls_name = Some((field.to_owned(), name.to_owned()));
    }

    /// Presents a client certificate, by the name of a secret: neither the certificate nor its key is copied.
    pub(crate) fn set_client_certificate(&mut self, field: &str) {
        self.pending.certificate = Some(field.to_owned());
    }

    /// Sets the fields whose defaults would differ from what the source does.
    pub(crate) fn complete(&mut self, pings: Pings<'_>) {
        self.complete_ping(pings);
        let pending = std::mem::take(&mut self.pending);
        self.complete_tls(&pending);
        if let Some((field, expected)) = &pending.interval {
            self.complete_interval(field, *expected);
        }
        self.complete_retries(pending.retries);
        if self.port() == Some(3306) && !self.has("service") && !self.has("script") && !self.has("close") {
            // MySQL blocks a client that only connects; it does not see a connection that is reset at once.
            self.set("close", "quiet");
        }
    }

    fn port(&self) -> Option<u64> {
        self.fields.get("port").and_then(Value::as_u64)
    }

    fn timeout(&self) -> Option<Duration> {
        self.text("timeout").and_then(|text| parse_duration(text).ok())
    }

    /// The longest supported interval that is at most as long as that of the source; the timeout must be shorter than an
    /// interval below a minute.
    fn complete_interval(&mut self, field: &str, expected: Duration) {
        let timeout = self.timeout().unwrap_or_default();
        let mut possible: Vec<Interval> = Interval::ALL.to_vec();
        possible.retain(|interval| !interval.is_below_minute() || timeout < interval.length());
        possible.sort_by_key(|interval| interval.length());
        let fitting = possible
            .iter()
            .rev()
            .find(|interval| interval.length() <= expected);
        let Some(interval) = fitting.or(possible.first()) else {
            return;
        };
        self.set("interval", interval.as_str());
        if interval.length() != expected {
            let mut reason = format!("The interval of {} became {interval}", readable(expected));
            if interval.length() > expected && !timeout.is_zero() && timeout >= expected {
                reason.push_str(": an interval below a minute must be longer than the timeout");
            }
            self.changed(field, format!("{reason}."));
        }
    }

    /// Retries of the source are retries where they fit into a tick; otherwise, they are further checks, one an interval.
    fn complete_retries(&mut self, retries: Option<Retries>) {
        let is_retried = self.text("expect") != Some("closed");
        if let Some(retries) = retries {
            let policy = fitting_policy(&retries).filter(|policy| is_retried && self.has_room(*policy));
            match policy {
                Some(policy) => {
                    self.set("failures_to_open", 1);
                    self.set("retries", policy.count);
                    self.set("retry_interval", format_duration(policy.interval));
                }
                None => self.repeat_at_interval(&retries),
            }
        }
        if !is_retried || self.has("retries") {
            return;
        }
        if self.has("failures_to_open") {
            // The source counts every failed check.
            self.set("retries", 0);
        } else if self.interval().is_some_and(Interval::is_below_minute) && !self.has_room(SHORT_INTERVAL) {
            self.set("retries", 0);
            self.set("failures_to_open", 2);
        }
    }

    fn repeat_at_interval(&mut self, retries: &Retries) {
        self.set_count("failures_to_open", retries.count_field, retries.count + 1.0);
        let every = self.interval().map(Interval::length);
        if retries.count > 0.0 && every != Some(retries.pause) {
            let reason = format!(
                "The retries take longer than the {} that are possible within a check, so a failed check is made again after the interval.",
                format_duration(MAX_RETRY_WINDOW)
            );
            self.changed(retries.pause_field, reason);
        }
    }

    fn interval(&self) -> Option<Interval> {
        self.text("interval").and_then(|text| text.parse().ok())
    }

    /// Whether retries fit into the time that a check has for them.
    fn has_room(&self, policy: RetryPolicy) -> bool {
        let timeout = self.timeout().unwrap_or_default();
        let room = match self.interval() {
            Some(interval) if interval.is_below_minute() => interval.length().saturating_sub(timeout),
            Some(_) | None => MAX_RETRY_WINDOW,
        };
        policy.window(timeout) <= room
    }

    /// TLS: off where the source uses none, with the server name and the certificates of the source.
    fn complete_tls(&mut self, pending: &Pending) {
        let service = self.text("service");
        let begins_with_tls = |service: &str| service.parse().is_ok_and(Service::begins_with_tls);
        let has_tls_service = service.is_some_and(begins_with_tls);
        let port = self.port().and_then(|port| u16::try_from(port).ok());
        let is_tls_port = port.is_some_and(|port| Tls::PORTS.contains(&port));
        let is_udp = self.fields.get("dns").and_then(|dns| dns.get("transport")) == Some(&json!("udp"));
        let is_ready = (service.is_some() || self.has("script")) && !self.has("expect");
        if is_ready && !has_tls_service && !is_udp && is_tls_port && !self.has("tls") {
            self.set("tls", false);
        }
        if let Some(field) = &pending.insecure {
            self.complete_insecure(field);
        }
        let mut options = Map::new();
        if let Some((field, name)) = &pending.tls_name {
            if self.is_tls() {
                options.insert("name".to_owned(), json!(name));
            } else {
                self.not_needed(field, "The check has no TLS.");
            }
        }
        if let Some(field) = &pending.certificate {
            if self.is_tls() {
                options.insert("certificate".to_owned(), json!(self.certificate_secret(field)));
            } else {
                self.not_needed(field, "The check has no TLS.");
            }
        }
        if !options.is_empty() {
            if self.text("tls") == Some("starttls") {
                options.insert("starttls".to_owned(), json!(true));
            }
            self.set("tls", options);
        }
    }

    fn complete_insecure(&mut self, field: &str) {
        let http = self.fields.get("http");
        let has = |option: &str| http.is_some_and(|http| http.get(option).is_some());
        let follows = http.and_then(|http| http.get("follow")) == Some(&json!(true));
        if !self.is_tls() && follows {
            self.changed(
                field,
                "The check begins without TLS. After a redirect to a host with TLS, the certificate is verified.",
            );
        } else if !self.is_tls() {
            self.not_needed(field, "The check has no TLS.");
        } else if has("secret_headers") || has("basic_auth") || has("bearer_token") {
            self.lost(
                field,
                "The certificate is verified, because otherwise anyone between the checker and the server could read the \
                 secrets of the request.",
            );
        } else {
            self.set("insecure", true);
            let days = self.fields.remove("warn_days");
            if days.is_some_and(|days| days != json!(0)) {
                self.changed(
                    field,
                    "The certificate is not verified, so there is no warning before it expires.",
                );
            }
        }
    }

    /// Whether the check begins with TLS or upgrades to it.
    pub(crate) fn is_tls(&self) -> bool {
        let is_on = match self.fields.get("tls") {
            Some(Value::Bool(is_on)) => *is_on,
            Some(_) => true,
            None => matches!(
                self.text("service"),
                Some("https" | "tls" | "smtps" | "imaps" | "pop3s")
            ),
        };
        let is_ready = self.has("service") || self.has("script");
        is_on && is_ready && !self.has("expect")
    }
}

/// The retries of a source as a definition has them, if their number and their pause are in range.
fn fitting_policy(retries: &Retries) -> Option<RetryPolicy> {
    let is_count = |count: &u32| (f64::from(*count) - retries.count).abs() < f64::EPSILON;
    let count = (1..=MAX_RETRIES).find(is_count)?;
    RETRY_INTERVALS.contains(&retries.pause).then_some(RetryPolicy {
        count,
        interval: retries.pause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(fields: Value, set: impl FnOnce(&mut Draft)) -> (Value, Vec<String>) {
        let mut draft = Draft::new("a", "");
        draft.fields = fields.as_object().cloned().unwrap_or_default();
        set(&mut draft);
        draft.complete(Pings::Connect);
        let notes = draft.notes.iter().map(ToString::to_string).collect();
        (Value::Object(draft.fields), notes)
    }

    #[test]
    fn ports_without_tls_in_the_source_have_none_here() {
        let check = |fields: Value, expected: Value| assert_eq!(completed(fields, |_| ()).0, expected);
        check(
            json!({ "service": "ssh", "port": 443 }),
            json!({ "service": "ssh", "port": 443, "tls": false }),
        );
        check(json!({ "port": 443 }), json!({ "port": 443 }));
        check(json!({ "port": 3306 }), json!({ "port": 3306, "close": "quiet" }));
    }

    #[test]
    fn interval_is_the_longest_that_is_not_longer_than_that_of_the_source() {
        let check = |timeout: &str, seconds: u64, expected: &str, is_named: bool| {
            let (fields, notes) = completed(json!({ "timeout": timeout }), |draft| {
                draft.set_interval("interval", Duration::from_secs(seconds));
            });
            assert_eq!(
                fields.get("interval"),
                Some(&json!(expected)),
                "{timeout} {seconds}"
            );
            assert_eq!(!notes.is_empty(), is_named, "{notes:?}");
        };
        check("5s", 60, "1m", false);
        check("5s", 90, "1m", true);
        check("5s", 30, "30s", false);
        check("5s", 2, "10s", true);
        check("10s", 10, "15s", true);
        check("30s", 20, "1m", true);
        check("5s", 86_400, "1h", true);
    }

    #[test]
    fn retries_of_the_source_stay_retries_where_they_fit() {
        let check = |fields: Value, count: f64, pause: u64, expected: Value, is_named: bool| {
            let (fields, notes) = completed(fields, |draft| {
                draft.set_retries(Retries {
                    count_field: "maxretries",
                    count,
                    pause_field: "retryInterval",
                    pause: Duration::from_secs(pause),
                });
            });
            let names = ["failures_to_open", "retries", "retry_interval"];
            let found: Vec<_> = names
                .iter()
                .map(|name| fields.get(*name).cloned().unwrap_or_default())
                .collect();
            assert_eq!(Value::Array(found), expected);
            assert_eq!(!notes.is_empty(), is_named, "{notes:?}");
        };
        let minute = || json!({ "interval": "1m", "timeout": "2s" });
        check(minute(), 2.0, 20, json!([1, 2, "20s"]), false);
        check(minute(), 3.0, 20, json!([4, 0, null]), true);
        check(minute(), 3.0, 60, json!([4, 0, null]), false);
        check(minute(), 0.0, 20, json!([1, 0, null]), false);
        let short = json!({ "interval": "20s", "timeout": "5s" });
        check(short.clone(), 1.0, 10, json!([1, 1, "10s"]), false);
        check(short, 1.0, 11, json!([2, 0, null]), true);
        let closed = json!({ "interval": "1m", "timeout": "2s", "expect": "closed" });
        check(closed, 1.0, 60, json!([2, null, null]), false);
    }

    #[test]
    fn threshold_of_the_source_counts_every_check() {
        let check = |fields: Value, expected: Option<u32>| {
            let (fields, _) = completed(fields, |_| ());
            assert_eq!(fields.get("retries"), expected.map(Value::from).as_ref());
        };
        check(json!({ "failures_to_open": 3 }), Some(0));
        check(json!({ "failures_to_open": 1, "expect": "closed" }), None);
        check(json!({ "interval": "1m", "timeout": "30s" }), None);
        check(json!({ "interval": "15s", "timeout": "5s" }), None);
        check(json!({ "interval": "15s", "timeout": "9500ms" }), Some(0));
    }

    #[test]
    fn certificates_are_accepted_unless_the_request_has_secrets() {
        let check = |fields: Value, is_insecure: bool, note: &str| {
            let (fields, notes) = completed(fields, |draft| draft.set_insecure("insecure"));
            assert_eq!(fields.get("insecure").is_some(), is_insecure, "{fields}");
            assert_eq!(notes.len(), usize::from(!note.is_empty()), "{notes:?}");
            assert!(notes.concat().contains(note), "{notes:?}");
        };
        check(json!({ "service": "https", "warn_days": 0 }), true, "");
        check(json!({ "service": "https", "warn_days": 7 }), true, "no warning");
        check(
            json!({ "service": "https", "http": { "bearer_token": "ssm:/a" } }),
            false,
            "verified",
        );
        check(json!({ "service": "http" }), false, "no TLS");
        check(
            json!({ "service": "http", "http": { "follow": true } }),
            false,
            "After a redirect",
        );
    }
}
