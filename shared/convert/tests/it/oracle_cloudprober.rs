//! cloudprober: random probes of the documented grammar, compared with what cloudprober would check.
//!
//! The oracle is written from <https://cloudprober.org/docs/config/latest/probes/> and the comments of the messages in
//! `probes/*/proto/config.proto` and `validators/*/proto/config.proto`: every 2 s, 1 s, GET of `/`, up to 10 redirects, and
//! any status without a validator.

use std::fmt::Write as _;
use std::time::Duration;

use portpulse_convert::Format;
use portpulse_core::choice::{Expect, IpFamily};
use portpulse_core::definition::Monitor;
use portpulse_core::readiness::{Protocol, RecordType, Tls, Transport};
use proptest::prelude::*;

use crate::equal_or_named;
use crate::imported::{Imported, accepts_body, attempts, http, interval, interval_of, readiness, timeout};

/// Part of every secret in the files.
const SECRET: &str = "s3cr3t";

#[derive(Debug, Clone)]
struct Probe {
    kind: &'static str,
    target: Target,
    interval_ms: Option<u64>,
    timeout_ms: Option<u64>,
    version: Option<&'static str>,
    is_negative: bool,
    alert: Option<(u32, u32, Option<u64>)>,
    http: Http,
    tls: TlsConfig,
    dns: (Option<&'static str>, Option<&'static str>),
    handshakes: bool,
}

/// How a probe names its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    HostName,
    /// A host name with a port.
    HostAndPort,
    /// An endpoint with a port.
    Endpoint,
    /// An endpoint with a URL.
    Url,
}

#[derive(Debug, Clone)]
struct Http {
    is_https: bool,
    port: Option<u16>,
    path: Option<&'static str>,
    method: Option<&'static str>,
    redirects: Option<u32>,
    codes: Option<(u16, u16)>,
    failures: Option<u16>,
    pattern: bool,
    has_header: bool,
    has_secret: bool,
}

#[derive(Debug, Clone)]
struct TlsConfig {
    is_insecure: bool,
    is_insecure_in_config: bool,
    name: Option<&'static str>,
    has_certificate: bool,
}

fn request() -> impl Strategy<Value = Http> {
    (
        (
            any::<bool>(),
            proptest::option::of(1u16..),
            proptest::option::of(Just("/health?x=1")),
        ),
        proptest::option::of(prop::sample::select(vec!["GET", "HEAD", "POST", "PUT"])),
        proptest::option::of(0u32..3),
        proptest::option::of((200u16..300).prop_flat_map(|from| (Just(from), from..400))),
        proptest::option::of(200u16..210),
        (any::<bool>(), any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(
                (is_https, port, path),
                method,
                redirects,
                codes,
                failures,
                (pattern, has_header, has_secret),
            )| Http {
                is_https,
                port,
                path,
                method,
                redirects,
                codes,
                failures,
                pattern,
                has_header,
                has_secret,
            },
        )
}

fn tls() -> impl Strategy<Value = TlsConfig> {
    let name = proptest::option::of(Just("other.example.com"));
    (any::<bool>(), any::<bool>(), name, any::<bool>()).prop_map(
        |(is_insecure, is_insecure_in_config, name, has_certificate)| TlsConfig {
            is_insecure,
            is_insecure_in_config,
            name,
            has_certificate,
        },
    )
}

fn probe() -> impl Strategy<Value = Probe> {
    let target = prop::sample::select(vec![
        Target::HostName,
        Target::HostAndPort,
        Target::Endpoint,
        Target::Url,
    ]);
    let alert = (1u32..13).prop_flat_map(|failures| {
        (
            Just(failures),
            failures..14,
            proptest::option::of(prop_oneof![Just(3_600u64), 300u64..9_000]),
        )
    });
    let record = proptest::option::of(prop::sample::select(vec!["A", "MX", "TXT", "LOC"]));
    let transport = proptest::option::of(prop::sample::select(vec!["UDP", "TCP", "TCP_TLS"]));
    (
        (
            prop::sample::select(vec![
                "HTTP", "HTTP", "HTTP", "TCP", "PING", "UDP", "DNS", "GRPC", "EXTERNAL",
            ]),
            target,
            proptest::option::of(prop_oneof![Just(60_000u64), 500u64..400_000]),
            proptest::option::of(1u64..60_000),
            proptest::option::of(prop::sample::select(vec!["IPV4", "IPV6"])),
            prop::bool::weighted(0.2),
        ),
        proptest::option::of(alert),
        request(),
        tls(),
        (record, transport),
        any::<bool>(),
    )
        .prop_map(
            |(
                (kind, target, interval_ms, timeout_ms, version, is_negative),
                alert,
                http,
                tls,
                dns,
                handshakes,
            )| Probe {
                kind,
                target,
                interval_ms,
                timeout_ms,
                version,
                is_negative,
                alert,
                http,
                tls,
                dns,
                handshakes,
            },
        )
}

impl Probe {
    fn text(&self, name: &str) -> String {
        let mut text = format!("probe {{\n  name: \"{name}\"\n  type: {}\n", self.kind);
        let targets = match self.target {
            Target::HostName => format!("host_names: \"{name}.example.com\""),
            Target::HostAndPort => format!("host_names: \"{name}.example.com:7000\""),
            Target::Endpoint => format!("endpoint {{ name: \"{name}.example.com\" port: 7000 }}"),
            Target::Url => format!(
                "endpoint {{ name: \"{name}.example.com\" url: \"https://{name}.example.com:7000/up\" }}"
            ),
        };
        writeln!(text, "  targets {{ {targets} }}").unwrap();
        if let Some(ms) = self.interval_ms {
            writeln!(text, "  interval_msec: {ms}").unwrap();
        }
        if let Some(ms) = self.timeout_ms {
            writeln!(text, "  timeout: '{ms}ms'  # comment").unwrap();
        }
        if let Some(version) = self.version {
            writeln!(text, "  ip_version: {version}").unwrap();
        }
        if self.is_negative {
            text.push_str("  negative_test: true\n");
        }
        let mut tls = String::new();
        if self.tls.is_insecure_in_config {
            tls.push_str(" disable_cert_validation: true");
        }
        if let Some(name) = self.tls.name {
            write!(tls, " server_name: \"{name}\"").unwrap();
        }
        if self.tls.has_certificate {
            tls.push_str(" tls_cert_file: \"/c.pem\" tls_key_file: \"/k.pem\"");
        }
        match self.kind {
            "HTTP" => self.write_http(&mut text, &tls),
            "TCP" => writeln!(
                text,
                "  tcp_probe {{ tls_handshake: {} tls_config {{{tls} }} }}",
                self.handshakes
            )
            .unwrap(),
            "DNS" => {
                text.push_str("  dns_probe { resolved_domain: \"example.com.\"");
                if let Some(record) = self.dns.0 {
                    write!(text, " query_type: {record}").unwrap();
                }
                if let Some(transport) = self.dns.1 {
                    write!(text, " dns_proto: {transport}").unwrap();
                }
                text.push_str(" }\n");
            }
            _ => {}
        }
        if let Some((failures, total, repeat)) = self.alert {
            let repeat = repeat.map_or(String::new(), |seconds| format!("repeat_interval_sec: {seconds}"));
            writeln!(
                text,
                "  alert {{ name: \"a\" condition {{ failures: {failures} total: {total} }} {repeat} }}"
            )
            .unwrap();
        }
        text.push_str("}\n");
        text
    }

    fn write_http(&self, text: &mut String, tls: &str) {
        let http = &self.http;
        write!(text, "  http_probe < tls_config {{{tls} }}").unwrap();
        if http.is_https {
            text.push_str(" scheme: HTTPS");
        }
        if let Some(port) = http.port {
            write!(text, " port: {port}").unwrap();
        }
        if let Some(path) = http.path {
            write!(text, " relative_url: \"{path}\"").unwrap();
        }
        if let Some(method) = http.method {
            write!(text, " method: {method}").unwrap();
        }
        if let Some(redirects) = http.redirects {
            write!(text, " max_redirects: {redirects}").unwrap();
        }
        if http.has_header {
            text.push_str(" header { key: \"X-Env\" value: \"prod\" }");
        }
        if http.has_secret {
            write!(
                text,
                " header {{ key: \"Authorization\" value: \"Bearer {SECRET}\" }}"
            )
            .unwrap();
        }
        if self.tls.is_insecure {
            text.push_str(" disable_cert_validation: true");
        }
        text.push_str(" >\n");
        if let Some((from, to)) = http.codes {
            writeln!(
                text,
                "  validator {{ name: \"v\" http_validator {{ success_status_codes: \"{from}-{to}\" }} }}"
            )
            .unwrap();
        }
        if let Some(code) = http.failures {
            writeln!(
                text,
                "  validator {{ name: \"w\" http_validator {{ failure_status_codes: \"{code}\" }} }}"
            )
            .unwrap();
        }
        if http.pattern {
            text.push_str("  validator { name: \"x\" regex: \"^all .*well\" }\n");
        }
    }

    fn has_port(&self) -> bool {
        matches!(self.target, Target::HostAndPort | Target::Endpoint)
    }

    /// Whether no definition can express the probe.
    fn is_refused(&self) -> bool {
        let is_port_missing = matches!(self.kind, "TCP" | "GRPC") && !self.has_port();
        let is_never_healthy = self.kind == "HTTP"
            && self
                .http
                .codes
                .is_some_and(|(from, to)| from == to && self.http.failures == Some(from));
        matches!(self.kind, "UDP" | "EXTERNAL")
            || self.is_negative && self.kind != "TCP"
            || is_port_missing
            || self.kind == "DNS" && self.dns.0 == Some("LOC")
            || is_never_healthy
    }

    /// The scheme, the port and the path of the request.
    fn request(&self) -> (bool, u16, &'static str) {
        let http = &self.http;
        match (self.target, http.path) {
            // The URL of the endpoint holds where the probe has no path of its own.
            (Target::Url, None) => (true, 7000, "/up"),
            (_, path) => {
                let default_port = if http.is_https { 443 } else { 80 };
                let of_target = self.has_port().then_some(7000);
                (
                    http.is_https,
                    http.port.or(of_target).unwrap_or(default_port),
                    path.unwrap_or("/"),
                )
            }
        }
    }

    fn is_tls(&self) -> bool {
        match self.kind {
            "HTTP" => self.request().0,
            "TCP" => self.handshakes && !self.is_negative,
            _ => false,
        }
    }
}

fn check_http(probe: &Probe, monitor: &Monitor, id: &str, imported: &Imported) -> Result<(), TestCaseError> {
    let Some(found) = http(monitor) else {
        prop_assert_ne!(probe.kind, "HTTP");
        return Ok(());
    };
    let source = &probe.http;
    let (is_https, port, path) = probe.request();
    prop_assert_eq!(monitor.target().port, Some(port), "{}", imported.shown());
    prop_assert_eq!(found.path(), path);
    prop_assert_eq!(
        readiness(monitor).map(|ready| ready.tls() != Tls::Off),
        Some(is_https)
    );
    prop_assert_eq!(found.follows(), source.redirects != Some(0));
    let method = source.method.unwrap_or("GET");
    prop_assert_eq!(found.method().as_str(), method);
    prop_assert!(matches!(method, "GET" | "HEAD") || imported.is_named(id, "http_probe.method"));
    prop_assert_eq!(found.content().has_header("X-Env"), source.has_header);
    prop_assert_eq!(found.content().secrets().count(), usize::from(source.has_secret));
    for status in 100..600 {
        let is_expected = source
            .codes
            .is_none_or(|(from, to)| (from..=to).contains(&status));
        prop_assert_eq!(
            found.expects(status),
            is_expected && source.failures != Some(status)
        );
    }
    for body in ["all is well", "it is all well", ""] {
        let expected = !source.pattern || body.starts_with("all");
        let is_known = method != "HEAD" || imported.is_named(id, "validator.regex") || !source.pattern;
        prop_assert!(is_known);
        prop_assert!(method == "HEAD" || accepts_body(found, body) == expected);
    }
    Ok(())
}

fn check_dns(probe: &Probe, monitor: &Monitor) -> Result<(), TestCaseError> {
    let Some(Protocol::Dns(found)) = readiness(monitor).map(|ready| ready.protocol()) else {
        return Err(TestCaseError::fail("no DNS"));
    };
    let record: RecordType = probe.dns.0.unwrap_or("MX").parse().unwrap();
    let transport = if matches!(probe.dns.1, Some("TCP" | "TCP_TLS")) {
        Transport::Tcp
    } else {
        Transport::Udp
    };
    prop_assert_eq!(
        (found.name(), found.record_type(), found.transport()),
        ("example.com", record, transport)
    );
    let default_port = if probe.dns.1 == Some("TCP_TLS") { 853 } else { 53 };
    let port = if probe.has_port() { 7000 } else { default_port };
    prop_assert_eq!(monitor.target().port, Some(port));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn probes_are_checked_as_by_cloudprober_or_the_difference_is_named(
        probes in prop::collection::vec(probe(), 1..4),
    ) {
        let text: String = probes.iter().enumerate().map(|(index, each)| each.text(&format!("p{index}"))).collect();
        let imported = Imported::of(Format::Cloudprober, &[("cloudprober.cfg", &text)]);
        prop_assert_eq!(imported.report.found, probes.len());
        prop_assert!(!imported.shown().contains(SECRET));
        for (index, probe) in probes.iter().enumerate() {
            let id = format!("p{index}");
            let Some(monitor) = imported.monitor(&id) else {
                prop_assert!(imported.is_refused(&id) && probe.is_refused(), "{probe:?}\n{}", imported.shown());
                continue;
            };
            prop_assert!(!probe.is_refused(), "{probe:?}\n{}", imported.shown());
            prop_assert_eq!(monitor.target().host.to_string(), format!("p{index}.example.com"));
            let every = Duration::from_millis(probe.interval_ms.unwrap_or(2_000));
            equal_or_named!(imported, &id, "interval", Duration::from_secs(interval_of(monitor)), every);
            prop_assert_eq!(interval_of(monitor), interval(every.as_secs(), monitor.target().timeout));
            let wanted = Duration::from_millis(probe.timeout_ms.unwrap_or(1_000));
            equal_or_named!(imported, &id, "timeout", monitor.target().timeout, wanted);
            prop_assert_eq!(monitor.target().timeout, timeout(wanted));
            let family = match probe.version {
                Some("IPV4") => IpFamily::V4,
                Some(_) => IpFamily::V6,
                None => IpFamily::Any,
            };
            prop_assert_eq!(monitor.target().ip, family);
            let failures = probe.alert.map_or(1, |(failures, ..)| failures);
            equal_or_named!(imported, &id, "alert.condition", attempts(monitor), failures);
            prop_assert!(probe.alert.is_none_or(|(failures, total, _)| failures == total) || imported.is_named(&id, "alert.condition"));
            prop_assert!(probe.alert.is_some() || imported.is_named(&id, "alert"));
            let reminder = probe.alert.map(|(.., repeat)| Duration::from_secs(repeat.unwrap_or(3_600)));
            equal_or_named!(imported, &id, "repeat_interval_sec", monitor.alert_policy().remind_every, reminder);
            prop_assert_eq!(monitor.rule().successes_to_close, 1);
            let expect = match probe.kind {
                "PING" => Expect::Reachable,
                _ if probe.is_negative => Expect::Closed,
                _ => Expect::Open,
            };
            prop_assert_eq!(monitor.rule().expect, expect);
            prop_assert!(probe.kind != "PING" || imported.is_named(&id, "ping"));
            if matches!(probe.kind, "TCP" | "GRPC") {
                prop_assert_eq!(monitor.target().port, Some(7000));
            }
            check_http(probe, monitor, &id, &imported)?;
            if probe.kind == "DNS" {
                check_dns(probe, monitor)?;
            }
            let has_secret = probe.kind == "HTTP" && probe.http.has_secret;
            let asks_insecure = probe.tls.is_insecure_in_config || probe.kind == "HTTP" && probe.tls.is_insecure;
            let is_insecure = readiness(monitor).is_some_and(|ready| ready.is_insecure());
            prop_assert_eq!(is_insecure, asks_insecure && probe.is_tls() && !has_secret, "{}", imported.shown());
            if probe.is_tls() {
                let ready = readiness(monitor).unwrap();
                prop_assert!(!asks_insecure || is_insecure || imported.is_named(&id, "disable_cert_validation"));
                let name = ready.tls_name().map(ToString::to_string);
                prop_assert_eq!(name.as_deref(), probe.tls.name);
                prop_assert_eq!(ready.client_certificate().is_some(), probe.tls.has_certificate);
                prop_assert_eq!(imported.is_named(&id, "tls_cert_file"), probe.tls.has_certificate);
            }
        }
    }
}
