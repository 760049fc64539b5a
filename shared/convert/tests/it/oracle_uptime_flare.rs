//! UptimeFlare: random monitors, compared with what UptimeFlare would check.
//!
//! The oracle is written from <https://github.com/lyc8503/UptimeFlare/wiki/Configuration>: every minute, 10 s, status 2xx,
//! redirects followed, and a grace period in minutes.

use std::time::Duration;

use portpulse_convert::Format;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::equal_or_named;
use crate::imported::{Imported, accepts_body, attempts, http, interval_of, timeout};

#[derive(Debug, Clone)]
struct Monitor {
    method: &'static str,
    codes: Option<Vec<u16>>,
    timeout: Option<u64>,
    keyword: Option<&'static str>,
    forbidden: Option<&'static str>,
    has_header: bool,
}

fn monitor() -> impl Strategy<Value = Monitor> {
    (
        prop::sample::select(vec!["GET", "HEAD", "POST", "TCP_PING"]),
        proptest::option::of(prop::collection::vec(
            prop::sample::select(vec![200u16, 204, 301, 418]),
            1..4,
        )),
        proptest::option::of(1u64..60_000),
        proptest::option::of(Just("well")),
        proptest::option::of(Just("bad")),
        any::<bool>(),
    )
        .prop_map(
            |(method, codes, timeout, keyword, forbidden, has_header)| Monitor {
                method,
                codes,
                timeout,
                keyword,
                forbidden,
                has_header,
            },
        )
}

impl Monitor {
    fn json(&self, id: &str) -> Value {
        let target = match self.method {
            "TCP_PING" => format!("{id}.example.com:7000"),
            _ => format!("https://{id}.example.com/up"),
        };
        let mut fields = json!({ "id": id, "name": id, "method": self.method, "target": target });
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields[name] = value;
            }
        };
        set("expectedCodes", self.codes.as_ref().map(|codes| json!(codes)));
        set("timeout", self.timeout.map(Value::from));
        set("responseKeyword", self.keyword.map(Value::from));
        set("responseForbiddenKeyword", self.forbidden.map(Value::from));
        set(
            "headers",
            self.has_header
                .then(|| json!({ "Authorization": "Bearer s3cret" })),
        );
        fields
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn monitors_are_checked_as_by_uptimeflare_or_the_difference_is_named(
        monitors in prop::collection::vec(monitor(), 1..4),
        grace in proptest::option::of(0u32..12),
    ) {
        let written: Vec<Value> = monitors.iter().enumerate().map(|(index, each)| each.json(&format!("m{index}"))).collect();
        let mut worker = json!({ "monitors": written });
        if let Some(grace) = grace {
            worker["notification"] = json!({ "gracePeriod": grace });
        }
        let text = json!({ "workerConfig": worker }).to_string();
        let imported = Imported::of(Format::UptimeFlare, &[("config.json", &text)]);
        prop_assert!(!imported.shown().contains("s3cret"));
        for (index, source) in monitors.iter().enumerate() {
            let id = format!("m{index}");
            let monitor = imported.monitor(&id).unwrap();
            prop_assert_eq!(interval_of(monitor), 60);
            let wanted = Duration::from_millis(source.timeout.unwrap_or(10_000));
            equal_or_named!(imported, &id, "timeout", monitor.target().timeout, wanted);
            prop_assert_eq!(monitor.target().timeout, timeout(wanted));
            equal_or_named!(imported, &id, "gracePeriod", attempts(monitor), grace.unwrap_or(0) + 1);
            prop_assert_eq!(monitor.rule().successes_to_close, 1);
            let Some(http) = http(monitor) else {
                prop_assert_eq!(source.method, "TCP_PING");
                continue;
            };
            equal_or_named!(imported, &id, "method", http.method().as_str(), source.method);
            if source.method == "HEAD" {
                prop_assert!(source.keyword.is_none() || imported.is_named(&id, "responseKeyword"));
                prop_assert!(source.forbidden.is_none() || imported.is_named(&id, "responseForbiddenKeyword"));
            } else {
                for body in ["all is well", "bad", "well, not bad", ""] {
                    let expected = source.keyword.is_none_or(|text| body.contains(text))
                        && !source.forbidden.is_some_and(|text| body.contains(text));
                    prop_assert_eq!(accepts_body(http, body), expected);
                }
            }
            prop_assert!(!source.has_header || imported.is_named(&id, "headers.Authorization"));
            prop_assert_eq!(http.content().secrets().count(), usize::from(source.has_header));
            prop_assert!(http.follows());
            for status in 100..600 {
                let is_expected = match &source.codes {
                    Some(codes) => codes.contains(&status),
                    None => (200..300).contains(&status),
                };
                prop_assert_eq!(http.expects(status), is_expected);
            }
        }
    }
}
