//! Hosts that a source pings: a connect, or a ping from the agents or the machine that the caller names.

use portpulse_convert::{Format, Options, Pings};
use portpulse_core::choice::Expect;
use portpulse_core::definition::LocationSelector;
use portpulse_core::id::Location;
use portpulse_core::target::Check;

use crate::imported::Imported;

/// A host of each source that has pings, with an item that it does not ping.
const SOURCES: [(Format, &str); 5] = [
    (
        Format::Gatus,
        r#"endpoints:
  - { name: a, url: "icmp://a.example.com", client: { timeout: 3s }, conditions: ["[CONNECTED] == true", "[RESPONSE_TIME] < 200"] }
  - { name: b, url: "tcp://b.example.com:1", conditions: ["[CONNECTED] == true"] }"#,
    ),
    (
        Format::UptimeKuma,
        r#"{ "monitorList": [{ "name": "a", "type": "ping", "hostname": "a.example.com", "interval": 60, "timeout": 48, "packetSize": 56 },
            { "name": "b", "type": "port", "hostname": "b.example.com", "port": 1 }] }"#,
    ),
    (
        Format::UptimeKuma,
        r#"{ "monitor": [{ "id": 1, "name": "a", "type": "tailscale-ping", "hostname": "a.example.com", "interval": 60 },
            { "id": 2, "name": "b", "type": "port", "hostname": "b.example.com", "port": 1 }] }"#,
    ),
    (
        Format::Prometheus,
        r#"
modules: { icmp: { prober: icmp, timeout: 2s, icmp: { preferred_ip_protocol: ip4, ip_protocol_fallback: false } }, tcp_connect: { prober: tcp } }
scrape_configs:
  - { job_name: a, metrics_path: /probe, params: { module: [icmp] }, static_configs: [{ targets: [a.example.com], labels: { monitor: a } }] }
  - { job_name: b, metrics_path: /probe, params: { module: [tcp_connect] }, static_configs: [{ targets: ["b.example.com:1"], labels: { monitor: b } }] }"#,
    ),
    (
        Format::Cloudprober,
        r#"probe { name: "a" type: PING targets { host_names: "a.example.com" } ping_probe { packets_per_probe: 2 } }
           probe { name: "b" type: TCP targets { host_names: "b.example.com" } tcp_probe { port: 1 } }"#,
    ),
];

fn imported(format: Format, text: &str, pings: Pings<'_>) -> Imported {
    let options = Options {
        pings,
        ..Options::default()
    };
    Imported::import(format, &[("file", text)], &options)
}

#[test]
fn pinged_host_is_pinged_from_the_named_agents_and_no_other_is() {
    let agents: Vec<Location> = ["office-berlin", "office-paris"]
        .map(|name| name.parse().unwrap())
        .into();
    for (format, text) in SOURCES {
        for pings in [Pings::Connect, Pings::FromAgents(&agents), Pings::FromLocal] {
            let imported = imported(format, text, pings);
            let shown = format!("{pings:?} {}", imported.shown());
            let monitor = imported.monitor("a").unwrap();
            let is_connect = pings == Pings::Connect;
            assert_eq!(monitor.target().check == Check::Ping, !is_connect, "{shown}");
            assert_eq!(monitor.target().port, is_connect.then_some(443), "{shown}");
            assert_eq!(monitor.rule().expect, Expect::Reachable, "{shown}");
            // The difference is named where there is one, with the options that avoid it.
            assert_eq!(
                imported.is_named("a", "ping"),
                is_connect || format == Format::Cloudprober,
                "{shown}"
            );
            assert_eq!(shown.contains("--agents"), is_connect, "{shown}");
            assert_eq!(shown.contains("--local"), is_connect, "{shown}");
            let expected = match pings {
                Pings::FromAgents(_) => LocationSelector::Only(agents.iter().cloned().collect()),
                Pings::Connect | Pings::FromLocal => LocationSelector::AllExcept([].into()),
            };
            assert_eq!(monitor.rule().locations, expected, "{shown}");
            let is_declared = imported
                .text
                .contains("agents: [office-berlin, office-paris]\nmonitors:");
            assert_eq!(is_declared, matches!(pings, Pings::FromAgents(_)), "{shown}");
            let other = imported.monitor("b").unwrap();
            assert_eq!(
                other.rule().locations,
                LocationSelector::AllExcept([].into()),
                "{shown}"
            );
            assert_eq!(other.target().port, Some(1), "{shown}");
        }
    }
}

#[test]
fn agents_are_declared_only_if_one_of_them_pings() {
    let agents = ["office-berlin".parse().unwrap()];
    let text =
        r#"endpoints: [{ name: b, url: "tcp://b.example.com:1", conditions: ["[CONNECTED] == true"] }]"#;
    let imported = imported(Format::Gatus, text, Pings::FromAgents(&agents));
    assert!(!imported.text.contains("office-berlin"), "{}", imported.text);
}

#[test]
fn ping_of_uptime_kuma_waits_as_its_version_does() {
    let timeout = |fields: &str| {
        let text = format!(
            r#"{{ "monitor": [{{ "id": 1, "name": "a", "type": "ping", "hostname": "a.example.com", "interval": 60, {fields} }}] }}"#
        );
        let imported = imported(Format::UptimeKuma, &text, Pings::FromLocal);
        let is_named = ["timeout", "packetSize", "ping_count"].map(|field| imported.is_named("a", field));
        (
            imported.monitor("a").unwrap().target().timeout.as_secs(),
            is_named,
        )
    };
    assert_eq!(timeout(r#""timeout": 48, "packet_size": 56"#), (10, [false; 3]));
    assert_eq!(
        timeout(r#""timeout": 8, "ping_count": 3, "ping_per_request_timeout": 2"#),
        (8, [false; 3])
    );
    assert_eq!(
        timeout(r#""timeout": 0, "ping_count": 1, "packet_size": 1400"#),
        (10, [false, true, false])
    );
    assert_eq!(
        timeout(r#""timeout": 48, "ping_count": 1"#),
        (30, [true, false, false])
    );
}
