//! Prometheus: random scrapes and modules, compared with what the blackbox exporter would check.
//!
//! The oracle is written from <https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md>, its README on
//! timeouts, and the defaults of <https://prometheus.io/docs/prometheus/latest/configuration/configuration/>.

use std::time::Duration;

use portpulse_convert::Format;
use portpulse_core::choice::IpFamily;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::equal_or_named;
use crate::imported::{Imported, accepts_body, attempts, http, interval, interval_of, readiness, timeout};

#[derive(Debug, Clone)]
struct Scrape {
    is_http: bool,
    interval: Option<u64>,
    scrape_timeout: Option<u64>,
    module_timeout: Option<u64>,
    codes: Vec<u16>,
    follows: Option<bool>,
    fallback: Option<bool>,
    preferred: Option<&'static str>,
    /// How the target is set: by the address, by `params`, or by the usual relabeling with a prefix.
    way: u8,
    tls: Tls,
}

/// `tls_config` of a module.
#[derive(Debug, Clone)]
struct Tls {
    is_https: bool,
    is_insecure: bool,
    name: Option<&'static str>,
    has_certificate: bool,
}

fn tls() -> impl Strategy<Value = Tls> {
    let name = proptest::option::of(Just("other.example.com"));
    (any::<bool>(), any::<bool>(), name, any::<bool>()).prop_map(
        |(is_https, is_insecure, name, has_certificate)| Tls {
            is_https,
            is_insecure,
            name,
            has_certificate,
        },
    )
}

fn scrape() -> impl Strategy<Value = Scrape> {
    (
        any::<bool>(),
        proptest::option::of(5u64..4_000),
        proptest::option::of(1u64..40),
        proptest::option::of(0u64..60),
        prop::collection::vec(prop::sample::select(vec![200u16, 201, 204, 301, 401]), 0..4),
        proptest::option::of(any::<bool>()),
        proptest::option::of(any::<bool>()),
        proptest::option::of(prop::sample::select(vec!["ip4", "ip6"])),
        0u8..3,
        tls(),
    )
        .prop_map(
            |(
                is_http,
                interval,
                scrape_timeout,
                module_timeout,
                codes,
                follows,
                fallback,
                preferred,
                way,
                tls,
            )| Scrape {
                is_http,
                interval,
                scrape_timeout,
                module_timeout,
                codes,
                follows,
                fallback,
                preferred,
                way,
                tls,
            },
        )
}

impl Scrape {
    fn module(&self) -> Value {
        let mut options = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            options.extend(value.map(|value| (name.to_owned(), value)));
        };
        set("ip_protocol_fallback", self.fallback.map(Value::from));
        set("preferred_ip_protocol", self.preferred.map(Value::from));
        if self.is_http {
            set("valid_status_codes", Some(json!(self.codes)));
            set("follow_redirects", self.follows.map(Value::from));
            set("method", self.follows.map(|_| json!("POST")));
            set("body", self.follows.map(|_| json!("a=1")));
            set("headers", self.fallback.map(|_| json!({ "X-Env": "prod" })));
            set(
                "basic_auth",
                self.fallback
                    .map(|_| json!({ "username": "u", "password": "s3cret" })),
            );
            set(
                "fail_if_body_matches_regexp",
                self.preferred.map(|_| json!(["(?i)BAD", "down$"])),
            );
            set(
                "fail_if_body_not_matches_regexp",
                self.preferred.map(|_| json!(["^all", "well"])),
            );
        }
        let mut config = json!({ "insecure_skip_verify": self.tls.is_insecure });
        if let Some(name) = self.tls.name {
            config["server_name"] = json!(name);
        }
        if self.tls.has_certificate {
            config["cert_file"] = json!("/c.pem");
            config["key"] = json!("s3cret");
        }
        set("tls_config", Some(config));
        if !self.is_http {
            set("tls", Some(json!(self.tls.is_https)));
        }
        let prober = if self.is_http { "http" } else { "tcp" };
        let mut module = json!({ "prober": prober, prober: options });
        if let Some(seconds) = self.module_timeout {
            module["timeout"] = json!(format!("{seconds}s"));
        }
        module
    }

    fn job(&self, name: &str) -> Value {
        let address = if self.is_http && self.tls.is_https {
            format!("https://{name}.example.com")
        } else if self.is_http {
            format!("{name}.example.com")
        } else {
            format!("{name}.example.com:7000")
        };
        let mut job = json!({ "job_name": name, "metrics_path": "/probe", "params": { "module": [name] } });
        let targets = match self.way {
            0 => vec![address],
            1 => {
                job["params"]["target"] = json!([address]);
                vec!["exporter.example.com:9115".to_owned()]
            }
            _ => {
                job["relabel_configs"] = json!([
                    { "source_labels": ["__address__"], "regex": "x-(.*)", "target_label": "__param_target" },
                    { "source_labels": ["__param_target"], "target_label": "instance" },
                    { "target_label": "__address__", "replacement": "exporter.example.com:9115" },
                ]);
                vec![format!("x-{address}")]
            }
        };
        job["static_configs"] = json!([{ "targets": targets }]);
        if let Some(seconds) = self.interval {
            job["scrape_interval"] = json!(format!("{seconds}s"));
        }
        if let Some(seconds) = self.scrape_timeout {
            job["scrape_timeout"] = json!(format!("{seconds}s"));
        }
        job
    }

    fn every(&self) -> u64 {
        self.interval.unwrap_or(60)
    }

    fn timeout(&self) -> Duration {
        let scrape = self.scrape_timeout.unwrap_or_else(|| 10.min(self.every()));
        let available = Duration::from_millis(scrape * 1_000 - 500);
        match self.module_timeout {
            Some(seconds) if seconds > 0 => available.min(Duration::from_secs(seconds)),
            _ => available,
        }
    }

    fn accepts(&self, status: u16) -> bool {
        if self.codes.is_empty() {
            (200..300).contains(&status)
        } else {
            self.codes.contains(&status)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn targets_are_checked_as_by_the_exporter_or_the_difference_is_named(
        scrapes in prop::collection::vec(scrape(), 1..4),
    ) {
        let names: Vec<String> = (0..scrapes.len()).map(|index| format!("s{index}")).collect();
        let jobs: Vec<Value> = scrapes.iter().zip(&names).map(|(scrape, name)| scrape.job(name)).collect();
        // The modules are in files of their own.
        let modules: Vec<String> = scrapes
            .iter()
            .zip(&names)
            .map(|(scrape, name)| json!({ "modules": { name: scrape.module() } }).to_string())
            .collect();
        let jobs = json!({ "scrape_configs": jobs }).to_string();
        let mut files = vec![("prometheus.yml", jobs.as_str())];
        files.extend(modules.iter().map(|text| ("blackbox.yml", text.as_str())));
        let imported = Imported::of(Format::Prometheus, &files);
        prop_assert_eq!(imported.report.found, scrapes.len());
        prop_assert!(!imported.shown().contains("s3cret"));
        for (scrape, name) in scrapes.iter().zip(&names) {
            let id = if scrape.is_http { format!("{name}.example.com") } else { format!("{name}.example.com-7000") };
            let item = if scrape.is_http { format!("{name}.example.com") } else { format!("{name}.example.com:7000") };
            let module = format!("module {name}");
            let Some(monitor) = imported.monitor(&id) else {
                return Err(TestCaseError::fail(format!("{id}\n{}", imported.shown())));
            };
            equal_or_named!(imported, &item, "scrape_interval", interval_of(monitor), scrape.every());
            prop_assert_eq!(interval_of(monitor), interval(scrape.every(), monitor.target().timeout));
            // Alerting rules decide in Prometheus; here one failed attempt is no incident.
            prop_assert!(attempts(monitor) > 1);
            let has_secret = scrape.is_http && scrape.fallback.is_some();
            let expected = scrape.tls.is_https && scrape.tls.is_insecure && !has_secret;
            let ready = readiness(monitor);
            prop_assert_eq!(ready.is_some_and(|ready| ready.is_insecure()), expected, "{}", imported.shown());
            if scrape.tls.is_https {
                let field = if scrape.is_http { "http.tls_config." } else { "tcp.tls_config." };
                let name = ready.and_then(|ready| ready.tls_name()).map(ToString::to_string);
                prop_assert_eq!(name.as_deref(), scrape.tls.name);
                prop_assert!(!scrape.tls.is_insecure || expected || imported.is_named(&item, "insecure_skip_verify"));
                prop_assert_eq!(imported.is_named(&item, &format!("{field}cert")), scrape.tls.has_certificate);
            }
            equal_or_named!(imported, &item, "timeout", monitor.target().timeout, scrape.timeout());
            prop_assert_eq!(monitor.target().timeout, timeout(scrape.timeout()));
            let family = match (scrape.fallback, scrape.preferred) {
                (Some(false), Some("ip4")) => IpFamily::V4,
                (Some(false), _) => IpFamily::V6,
                _ => IpFamily::Any,
            };
            prop_assert_eq!(monitor.target().ip, family);
            if family == IpFamily::Any {
                prop_assert!(imported.is_named(&module, "preferred_ip_protocol"), "{}", imported.shown());
            }
            if let Some(http) = http(monitor) {
                let method = if scrape.follows.is_some() { "POST" } else { "GET" };
                prop_assert_eq!(http.method().as_str(), method);
                prop_assert_eq!(http.content().body.as_deref(), scrape.follows.map(|_| "a=1"));
                prop_assert_eq!(http.content().has_header("X-Env"), scrape.fallback.is_some());
                prop_assert_eq!(http.content().credentials.is_some(), scrape.fallback.is_some());
                for body in ["all is well", "all well, not bad", "it is well", "all well, but down", ""] {
                    let expected = scrape.preferred.is_none()
                        || body.starts_with("all") && body.contains("well") && !body.contains("bad") && !body.ends_with("down");
                    prop_assert_eq!(accepts_body(http, body), expected, "{}", body);
                }
                prop_assert_eq!(http.follows(), scrape.follows.unwrap_or(true));
                for status in 100..600 {
                    prop_assert_eq!(http.expects(status), scrape.accepts(status));
                }
            }
        }
    }
}
