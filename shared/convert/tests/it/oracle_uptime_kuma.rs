//! Uptime Kuma: random monitors of a backup, compared with what Uptime Kuma would check.
//!
//! The oracle is written from <https://github.com/louislam/uptime-kuma/wiki> and the defaults of the form: the timeout is 0.8
//! of the interval, a monitor is down after its retries, and up again at the first success.

use std::time::Duration;

use portpulse_convert::Format;
use portpulse_core::choice::Expect;
use portpulse_core::readiness::Tls;
use portpulse_core::target::Check;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::equal_or_named;
use crate::imported::{Imported, accepts_body, attempts, http, interval, interval_of, timeout};

#[derive(Debug, Clone)]
struct Monitor {
    kind: &'static str,
    interval: u64,
    timeout: Option<f64>,
    retries: u32,
    retry_interval: u64,
    codes: Option<Vec<&'static str>>,
    redirects: Option<u32>,
    is_inverted: bool,
    is_active: bool,
    has_tls: bool,
    resend: u32,
    expires: bool,
    is_insecure: bool,
    auth: Option<&'static str>,
}

fn monitor() -> impl Strategy<Value = Monitor> {
    (
        (
            prop::sample::select(vec![
                "http",
                "keyword",
                "json-query",
                "port",
                "redis",
                "postgres",
                "dns",
                "ping",
                "push",
            ]),
            prop_oneof![Just(60u64), Just(20), 20u64..4_000],
            proptest::option::of(prop_oneof![Just(0.0), Just(48.0), 1.0..60.0f64]),
            0u32..12,
            prop_oneof![Just(60u64), 20u64..100],
            proptest::option::of(prop::sample::select(vec![
                vec!["200-299"],
                vec!["200", "301-302"],
                vec!["401"],
            ])),
        ),
        (
            proptest::option::of(prop_oneof![Just(0u32), Just(10)]),
            prop::bool::weighted(0.2),
            any::<bool>(),
            any::<bool>(),
            0u32..5,
            any::<bool>(),
            any::<bool>(),
            proptest::option::of(prop::sample::select(vec!["basic", "bearer", "mtls"])),
        ),
    )
        .prop_map(
            |(
                (kind, interval, timeout, retries, retry_interval, codes),
                (redirects, is_inverted, is_active, has_tls, resend, expires, is_insecure, auth),
            )| {
                Monitor {
                    kind,
                    interval,
                    timeout,
                    retries,
                    retry_interval,
                    codes,
                    redirects,
                    is_inverted,
                    is_active,
                    has_tls,
                    resend,
                    expires,
                    is_insecure,
                    auth,
                }
            },
        )
}

impl Monitor {
    fn json(&self, name: &str) -> Value {
        let scheme = if self.has_tls { "https" } else { "http" };
        let connection = match self.kind {
            "redis" => format!(
                "{}://u:p@{name}.example.com:7000",
                if self.has_tls { "rediss" } else { "redis" }
            ),
            _ => format!(
                "postgres://u:p@{name}.example.com:7000/x{}",
                if self.has_tls { "?sslmode=require" } else { "" }
            ),
        };
        let mut fields = json!({
            "name": name, "type": self.kind, "url": format!("{scheme}://{name}.example.com/x"),
            "hostname": format!("{name}.example.com"), "port": 7000, "interval": self.interval,
            "maxretries": self.retries, "retryInterval": self.retry_interval, "upsideDown": self.is_inverted,
            "active": self.is_active, "databaseConnectionString": connection, "resendInterval": self.resend,
            "dns_resolve_server": "192.0.2.53", "dns_resolve_type": "A", "keyword": "well",
            "expiryNotification": self.expires, "invertKeyword": self.has_tls, "jsonPath": "data[0].status",
            "expectedValue": "up", "headers": r#"{"X-Env": "prod"}"#, "authMethod": self.auth,
            "basic_auth_user": "monitor", "basic_auth_pass": "u:p", "bearer_token": "u:p", "tlsCert": "u:p", "tlsKey": "u:p",
            "ignoreTls": self.is_insecure,
        });
        if let Some(timeout) = self.timeout {
            fields["timeout"] = json!(timeout);
        }
        if let Some(codes) = &self.codes {
            fields["accepted_statuscodes"] = json!(codes);
        }
        if let Some(redirects) = self.redirects {
            fields["maxredirects"] = json!(redirects);
        }
        fields
    }

    fn timeout(&self) -> Duration {
        let default = Duration::from_millis(self.interval * 800);
        let written = self
            .timeout
            .filter(|seconds| *seconds > 0.0)
            .map(Duration::from_secs_f64);
        match self.kind {
            "port" | "redis" | "dns" => Duration::from_secs(5),
            // 1.x passes this deadline to the program ping, whatever the setting is.
            "ping" => Duration::from_secs(10),
            "postgres" => Duration::from_secs(u64::MAX / 4),
            _ => written.unwrap_or(default),
        }
    }

    fn accepts(&self, status: u16) -> bool {
        let codes = self.codes.clone().unwrap_or_else(|| vec!["200-299"]);
        codes.iter().any(|code| {
            let (from, to) = code.split_once('-').unwrap_or((code, code));
            (from.parse().unwrap()..=to.parse().unwrap()).contains(&status)
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn monitors_are_checked_as_by_uptime_kuma_or_the_difference_is_named(
        monitors in prop::collection::vec(monitor(), 1..4),
    ) {
        let written: Vec<Value> = monitors.iter().enumerate().map(|(index, each)| each.json(&format!("m{index}"))).collect();
        let written = json!({ "version": "1.23.16", "monitorList": written }).to_string();
        let imported = Imported::of(Format::UptimeKuma, &[("backup.json", &written)]);
        prop_assert_eq!(imported.report.found, monitors.len());
        prop_assert!(!imported.shown().contains("u:p"));
        for (index, source) in monitors.iter().enumerate() {
            let id = format!("m{index}");
            let Some(monitor) = imported.monitor(&id) else {
                prop_assert!(imported.is_refused(&id) && (source.kind == "push" || source.is_inverted && source.kind != "port"), "{}", imported.shown());
                continue;
            };
            equal_or_named!(imported, &id, "interval", interval_of(monitor), source.interval);
            prop_assert_eq!(interval_of(monitor), interval(source.interval, monitor.target().timeout));
            let found = monitor.target().timeout;
            let wanted = source.timeout();
            // Definitions have whole milliseconds.
            prop_assert!(found.abs_diff(timeout(wanted)) < Duration::from_millis(1), "{found:?} {wanted:?}");
            prop_assert!(found.abs_diff(wanted) < Duration::from_millis(1) || imported.is_named(&id, "timeout"), "{}", imported.shown());
            equal_or_named!(imported, &id, "maxretries", attempts(monitor), source.retries + 1);
            prop_assert_eq!(monitor.rule().successes_to_close, 1);
            if source.retries > 0 {
                let retry = monitor.rule().retry;
                let pause = if retry.count > 0 { retry.interval.as_secs() } else { interval_of(monitor) };
                equal_or_named!(imported, &id, "retryInterval", pause, source.retry_interval);
            }
            let reminder = (source.resend > 0).then(|| Duration::from_secs(u64::from(source.resend) * source.interval));
            equal_or_named!(imported, &id, "resendInterval", monitor.alert_policy().remind_every, reminder);
            prop_assert_eq!(monitor.is_enabled(), source.is_active);
            let expect = match source.kind {
                "port" if source.is_inverted => Expect::Closed,
                "ping" => Expect::Reachable,
                _ => Expect::Open,
            };
            prop_assert_eq!(monitor.rule().expect, expect);
            if let Some(http) = http(monitor) {
                for status in 100..600 {
                    prop_assert_eq!(http.expects(status), source.accepts(status));
                }
                prop_assert_eq!(http.follows(), source.redirects != Some(0));
                for body in ["all is well", "bad", r#"{"data":[{"status":"up"}]}"#, r#"{"data":[{"status":"down"}]}"#] {
                    let expected = match source.kind {
                        "keyword" => body.contains("well") != source.has_tls,
                        "json-query" => body.contains("up"),
                        _ => true,
                    };
                    prop_assert_eq!(accepts_body(http, body), expected, "{} {}", source.kind, body);
                }
                let content = http.content();
                prop_assert!(content.has_header("X-Env"));
                let secrets: Vec<String> = content.secrets().map(ToString::to_string).collect();
                let (secret, field) = match source.auth {
                    Some("basic") => (Some("password"), "basic_auth_pass"),
                    Some("bearer") => (Some("token"), "bearer_token"),
                    _ => (None, ""),
                };
                let expected: Vec<String> = secret.iter().map(|secret| format!("ssm:/portpulse/{id}/{secret}")).collect();
                prop_assert_eq!(&secrets, &expected);
                prop_assert!(secrets.is_empty() || imported.is_named(&id, field));
                prop_assert_eq!(imported.is_named(&id, "tlsCert"), source.auth == Some("mtls") && source.has_tls);
            }
            if let Check::Ready(ready) = &monitor.target().check {
                let tls = match source.kind {
                    "http" | "keyword" | "json-query" | "redis" if source.has_tls => Tls::Implicit,
                    "postgres" if source.has_tls => Tls::Upgrade,
                    _ => Tls::Off,
                };
                prop_assert_eq!(ready.tls(), tls);
                let may_ignore = matches!(source.kind, "http" | "keyword" | "json-query" | "redis");
                let has_secret = source.kind != "redis" && matches!(source.auth, Some("basic" | "bearer"));
                let is_insecure = source.is_insecure && may_ignore && tls != Tls::Off;
                prop_assert_eq!(ready.is_insecure(), is_insecure && !has_secret, "{}", imported.shown());
                prop_assert!(!is_insecure || !has_secret || imported.is_named(&id, "ignoreTls"));
                if tls != Tls::Off && !ready.is_insecure() {
                    prop_assert_eq!(ready.warn_days() > 0, source.expires);
                }
            }
        }
    }
}
