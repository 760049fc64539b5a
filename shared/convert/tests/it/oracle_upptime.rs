//! Upptime: random sites, compared with what Upptime would check.
//!
//! The oracle is written from <https://upptime.js.org/docs/configuration> and the requests of uptime-monitor.

use std::time::Duration;

use portpulse_convert::Format;
use portpulse_core::choice::IpFamily;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::equal_or_named;
use crate::imported::{Imported, accepts_body, http, interval, interval_of, readiness, timeout};

#[derive(Debug, Clone)]
struct Site {
    check: Option<&'static str>,
    codes: Option<Vec<u16>>,
    redirects: Option<u32>,
    request_timeout: Option<u64>,
    text: Option<&'static str>,
    slow: Option<u64>,
    uses_v6: Option<bool>,
    down: bool,
    insecure: Option<&'static str>,
}

fn site() -> impl Strategy<Value = Site> {
    (
        proptest::option::of(prop::sample::select(vec!["http", "tcp-ping", "ws", "ssl"])),
        proptest::option::of(prop::collection::vec(
            prop::sample::select(vec![200u16, 204, 301, 418]),
            1..4,
        )),
        proptest::option::of(0u32..4),
        proptest::option::of(1u64..90),
        proptest::option::of(Just("well")),
        proptest::option::of(100u64..9_000),
        proptest::option::of(any::<bool>()),
        any::<bool>(),
        proptest::option::of(prop::sample::select(vec![
            "__dangerous__insecure",
            "__dangerous__disable_verify_peer",
            "__dangerous__disable_verify_host",
        ])),
    )
        .prop_map(
            |(check, codes, redirects, request_timeout, text, slow, uses_v6, down, insecure)| Site {
                check,
                codes,
                redirects,
                request_timeout,
                text,
                slow,
                uses_v6,
                down,
                insecure,
            },
        )
}

impl Site {
    fn json(&self, name: &str) -> Value {
        let url = match self.check {
            Some("tcp-ping" | "ssl") => format!("{name}.example.com"),
            Some("ws") => format!("wss://{name}.example.com"),
            _ => format!("https://{name}.example.com/up"),
        };
        let mut fields = json!({ "name": name, "url": url });
        let mut set = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields[field] = value;
            }
        };
        set("check", self.check.map(Value::from));
        set(
            "port",
            matches!(self.check, Some("tcp-ping" | "ssl")).then(|| json!(7000)),
        );
        set(
            "expectedStatusCodes",
            self.codes.as_ref().map(|codes| json!(codes)),
        );
        set("maxRedirects", self.redirects.map(Value::from));
        set("requestTimeout", self.request_timeout.map(Value::from));
        set(
            "__dangerous__body_down_if_text_missing",
            self.text.map(Value::from),
        );
        set("maxResponseTime", self.slow.map(Value::from));
        set("ipv6", self.uses_v6.map(Value::from));
        set("__dangerous__body_down", self.down.then(|| json!("bad")));
        if let Some(field) = self.insecure {
            set(field, Some(json!(true)));
        }
        fields
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sites_are_checked_as_by_upptime_or_the_difference_is_named(
        sites in prop::collection::vec(site(), 1..4),
        minutes in proptest::option::of(1u64..60),
    ) {
        let written: Vec<Value> = sites.iter().enumerate().map(|(index, each)| each.json(&format!("m{index}"))).collect();
        let mut file = json!({ "owner": "o", "repo": "r", "sites": written });
        if let Some(minutes) = minutes {
            file["workflowSchedule"] = json!({ "uptime": format!("*/{minutes} * * * *") });
        }
        let text = file.to_string();
        let imported = Imported::of(Format::Upptime, &[(".upptimerc.yml", &text)]);
        for (index, site) in sites.iter().enumerate() {
            let id = format!("m{index}");
            let monitor = imported.monitor(&id).unwrap();
            let every = minutes.unwrap_or(5) * 60;
            equal_or_named!(imported, &id, "workflowSchedule.uptime", interval_of(monitor), every);
            prop_assert_eq!(interval_of(monitor), interval(every, monitor.target().timeout));
            prop_assert_eq!(monitor.rule().failures_to_open, 1);
            // Three attempts within 11 s; fewer where they would take too long.
            let retry = monitor.rule().retry;
            let is_long = monitor.target().timeout > Duration::from_millis(17_500);
            prop_assert_eq!((retry.count, retry.interval.as_secs()), if is_long { (1, 10) } else { (2, 5) });
            prop_assert!(imported.is_named(&id, "maxRetries"));
            let is_insecure = readiness(monitor).is_some_and(|readiness| readiness.is_insecure());
            prop_assert_eq!(is_insecure, site.insecure.is_some() && site.check != Some("tcp-ping"), "{}", imported.shown());
            prop_assert_eq!(monitor.rule().successes_to_close, 1);
            let slow = site.slow.map(Duration::from_millis);
            // After the timeout, a check fails anyway.
            prop_assert_eq!(monitor.rule().slower_than, slow.filter(|slow| *slow < monitor.target().timeout));
            if site.check == Some("tcp-ping") {
                let family = if site.uses_v6 == Some(true) { IpFamily::V6 } else { IpFamily::V4 };
                prop_assert_eq!(monitor.target().ip, family);
            }
            let Some(http) = http(monitor) else {
                prop_assert!(matches!(site.check, Some("tcp-ping" | "ws" | "ssl")));
                continue;
            };
            let wanted = Duration::from_secs(site.request_timeout.unwrap_or(60));
            equal_or_named!(imported, &id, "requestTimeout", monitor.target().timeout, wanted);
            prop_assert_eq!(monitor.target().timeout, timeout(wanted));
            prop_assert_eq!(http.follows(), site.redirects != Some(0));
            for body in ["all is well", "bad", "well, not bad", ""] {
                let expected = site.text.is_none_or(|text| body.contains(text)) && !(site.down && body.contains("bad"));
                prop_assert_eq!(accepts_body(http, body), expected);
            }
            for status in 100..600 {
                let is_expected = match &site.codes {
                    Some(codes) => codes.contains(&status),
                    None => matches!(status, 200..=208 | 226 | 300..=308),
                };
                prop_assert_eq!(http.expects(status), is_expected);
            }
        }
    }
}
