//! The monitors of valid files.

use std::collections::BTreeMap;

use portpulse_core::definition::{DefinitionFile, Field, Monitor, NetworkAccess};
use portpulse_core::readiness::{
    DnsCheck, HttpCheck, Method, Protocol, Readiness, RecordType, Script, ScriptStep, Tls, Transport,
};
use portpulse_core::service::Service;
use portpulse_core::target::Check;
use serde_json::{Value, json};

fn read(text: &str) -> DefinitionFile {
    portpulse_monitors_file::read(text, NetworkAccess::OwnNetwork).unwrap_or_else(|mistakes| {
        let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

fn sample() -> Value {
    let text = include_str!("../valid/every-field.yaml");
    portpulse_monitors_file::read_value(text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

#[test]
fn every_field_is_read() {
    let file = read(include_str!("../valid/every-field.yaml"));
    let attributes: BTreeMap<_, _> = file
        .monitors()
        .iter()
        .map(|defined| (defined.monitor.id().as_str(), &defined.attributes))
        .collect();
    let weekly =
        json!({ "every": "sun 02:00", "for": "2h", "zone": "Europe/Berlin", "why": "the weekly vacuum" });
    let once = json!({ "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T04:00:00+01:00" });
    let nightly = json!({ "every": "Mon, Wed 22:30", "for": "30m" });
    // The item has the fields as written, over those of `defaults:`.
    let mut orders = sample()["monitors"]["orders-db"].clone();
    for (field, value) in [
        ("tags", json!(["shop", "env=prod", "db"])),
        ("warn_days", json!(21)),
        ("http", json!({ "path": "/up" })),
        (
            "depends_on_groups",
            json!({ "bastion": "2m#0", "gateway.v6": "2m#0" }),
        ),
        ("maintenance", json!([weekly, nightly.clone()])),
    ] {
        orders[field] = value;
    }
    assert_eq!(Value::Object(attributes["orders-db"].clone()), orders);
    orders["host"] = json!("replica.example.com");
    orders["enabled"] = json!(false);
    assert_eq!(Value::Object(attributes["orders-replica"].clone()), orders);
    let bastion = json!({
        "host": "bastion.example.com", "service": "ssh", "tier": "supporting", "interval": "2m",
        "tags": ["shop", "env=prod"], "slow_after": "250ms", "remind_every": "4h", "objective": 99,
        "warn_days": 21, "http": { "path": "/up" },
        "maintenance": [once, nightly.clone()],
    });
    assert_eq!(Value::Object(attributes["bastion"].clone()), bastion);
    assert_eq!(file.monitors().len(), 21);
    let edge = json!({
        "host": "B.example.com.", "port": 8443, "service": "tls", "locations": ["office-berlin"],
        "tier": "supporting", "interval": "2m", "tags": ["shop", "env=prod"], "slow_after": "250ms", "remind_every": "4h",
        "warn_days": 7, "http": { "path": "/up" }, "maintenance": [nightly], "objective": 99,
    });
    assert_eq!(Value::Object(attributes["edge-b.example.com-8443"].clone()), edge);
    for id in [
        "edge-a.example.com-443",
        "edge-a.example.com-8443",
        "edge-b.example.com-443",
    ] {
        assert!(attributes.contains_key(id), "{id}");
    }
    let ns = json!({ "name": "www.example.com", "must": ["192.0.2.1"], "must_not": ["192.0.2.66"], "transport": "udp" });
    assert_eq!(attributes["ns"]["dns"], ns);
    let chat = json!([{ "expect": "INFO {" }, { "send": "PING\r\n" }, { "expect": "PONG" }]);
    assert_eq!(attributes["chat"]["script"], chat);
}

#[test]
fn sample_has_every_field() {
    let sample = sample();
    let monitors = sample["monitors"].as_object().unwrap();
    for field in Field::of_monitors() {
        let has = monitors
            .values()
            .any(|monitor| monitor.get(field.name()).is_some());
        assert!(has, "the sample lacks {}", field.name());
    }
}

/// The check of each monitor, with applicable defaults and the TLS mode that service and port imply.
#[test]
fn options_are_applied_to_checks() {
    let file = read(include_str!("../valid/every-field.yaml"));
    let asked: BTreeMap<_, _> = file
        .monitors()
        .iter()
        .map(|defined| (defined.monitor.id().as_str(), &defined.monitor.target().check))
        .collect();
    let strings = |records: &[&str]| {
        records
            .iter()
            .map(|&record| record.to_owned())
            .collect::<Vec<_>>()
    };
    let http = |method, path: &str, status: &[_], text: Option<&str>, follow| {
        let check = HttpCheck::new(method, path, status.to_vec(), text.map(str::to_owned), follow);
        Protocol::Http(check.unwrap())
    };
    let dns = |name, kind, must: &[&str], must_not: &[&str], transport| {
        Protocol::Dns(DnsCheck::new(name, kind, &strings(must), &strings(must_not), transport).unwrap())
    };
    let (expect, send) = (
        |text: &str| ScriptStep::Expect(text.into()),
        |text: &str| ScriptStep::Send(text.into()),
    );
    let chat = Script::new(vec![expect("INFO {"), send("PING\r\n"), expect("PONG")]).unwrap();
    let statuses = [200..=200, 300..=399, 400..=404, 410..=410];
    let rows = [
        ("orders-db", Protocol::of(Service::Postgres), Tls::Off, 21),
        ("mail", Protocol::of(Service::Smtp), Tls::Upgrade, 30),
        (
            "web",
            http(Method::Get, "/health?full=1", &statuses, Some("all well"), true),
            Tls::Implicit,
            21,
        ),
        (
            "shop",
            http(Method::Head, "/up", &[], None, false),
            Tls::Implicit,
            21,
        ),
        (
            "inner",
            http(Method::Get, "/up", &[], Some("ok"), false),
            Tls::Off,
            21,
        ),
        (
            "ns",
            dns(
                "www.example.com",
                RecordType::A,
                &["192.0.2.1"],
                &["192.0.2.66"],
                Transport::Udp,
            ),
            Tls::Off,
            21,
        ),
        (
            "mx",
            dns(
                "example.com",
                RecordType::Mx,
                &["10 mail.example.com"],
                &[],
                Transport::Tcp,
            ),
            Tls::Off,
            21,
        ),
        ("chat", Protocol::Script(chat), Tls::Off, 21),
        ("directory", Protocol::TlsAlone, Tls::Implicit, 21),
    ];
    for (id, protocol, tls, warn_days) in rows {
        let expected = Check::Ready(Readiness::new(protocol, tls, warn_days).unwrap());
        assert_eq!(asked[id], &expected, "{id}");
    }
    let readiness = |id: &str| match asked[id] {
        Check::Ready(readiness) => readiness,
        Check::Connect(_) | Check::Ping => panic!("{id}"),
    };
    let relay = readiness("relay");
    assert_eq!(
        relay.tls_name().map(ToString::to_string).as_deref(),
        Some("relay.example.com")
    );
    assert_eq!((relay.tls(), relay.is_insecure()), (Tls::Upgrade, false));
    assert_eq!(
        relay.client_name().map(ToString::to_string).as_deref(),
        Some("monitor.example.com")
    );
    assert_eq!(
        relay.client_certificate().map(ToString::to_string).as_deref(),
        Some("ssm:/portpulse/relay")
    );
    let appliance = readiness("appliance");
    assert_eq!(appliance.to_string(), "HTTP over TLS, certificate not verified");
    assert_eq!(
        appliance.tls_name().map(ToString::to_string).as_deref(),
        Some("appliance.example.com")
    );
}

/// The attributes for the table contain the same monitor as the file.
#[test]
fn attributes_read_back_as_same_monitor() {
    let file = read(include_str!("../valid/every-field.yaml"));
    for defined in file.monitors() {
        let attributes = Value::Object(defined.attributes.clone());
        let again = Monitor::from_attributes(defined.monitor.id().as_str(), &attributes).unwrap();
        assert_eq!(again, defined.monitor);
    }
}

#[test]
fn ten_thousand_full_monitors_fit_one_file() {
    let sample = include_str!("../valid/every-field.yaml");
    let (start, end) = (
        sample.find("    host: DB").unwrap(),
        sample.find("  orders-replica").unwrap(),
    );
    let fields = sample[start..end].replace("depends_on: [bastion, gateway.v6]", "depends_on: [m0]");
    let mut text = "monitors:\n  m0: { host: gateway.example.com, port: 443 }\n".to_owned();
    for number in 1..10_000 {
        text.push_str(&format!("  m{number}:\n{fields}"));
    }
    assert!(text.len() < portpulse_monitors_file::MAX_BYTES, "{}", text.len());
    assert_eq!(read(&text).monitors().len(), 10_000);
}

#[test]
fn file_over_size_limit_is_refused() {
    let text = "#".repeat(portpulse_monitors_file::MAX_BYTES + 1);
    let mistakes = portpulse_monitors_file::read(&text, NetworkAccess::OwnNetwork).unwrap_err();
    let found: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "line 1: the file has 8388609 bytes (use at most 8388608 bytes, or split the file into several installations)"
        ]
    );
}
