//! A file of 60 random monitors survives the round trip to Prometheus and back, or the report names what does not.

use portpulse_convert::{Format, Options, Pings, Source, export, import};
use portpulse_core::definition::{Defined, DefinitionFile, Field, NetworkAccess};
use proptest::prelude::*;
use serde_json::{Value, json};

use portpulse_convert::{Note, Report};

const MONITORS: usize = 60;

/// What is checked: a port, or a service with its options.
fn check() -> impl Strategy<Value = Value> {
    let port = || 1024u16..;
    let service = prop::sample::select(vec![
        "redis",
        "postgres",
        "mysql",
        "smtp",
        "ssh",
        "websocket",
        "kafka",
        "imaps",
        "etcd",
    ]);
    prop_oneof![
        3 => port().prop_map(|port| json!({ "port": port })),
        1 => (port(), prop::sample::select(vec!["closed", "reachable"]))
            .prop_map(|(port, expect)| json!({ "port": port, "expect": expect })),
        1 => Just(json!({ "check": "ping" })),
        2 => service.prop_map(|service| json!({ "service": service })),
        4 => http(),
        2 => dns(),
        1 => Just(json!({ "port": 4222, "script": [{ "expect": "INFO {" }, { "send": "PING\r\n" }] })),
        1 => Just(json!({ "service": "grpc", "port": 50051, "tls": true })),
        1 => (port(), any::<bool>()).prop_map(|(port, is_insecure)| {
            json!({ "service": "tls", "port": port, "tls": { "name": "b.example.com" }, "insecure": is_insecure })
        }),
        1 => Just(json!({ "service": "smtp", "tls": "starttls" })),
        1 => Just(json!({ "service": "https", "tls": { "certificate": "ssm:/portpulse/client" } })),
    ]
}

fn http() -> impl Strategy<Value = Value> {
    (
        prop::sample::select(vec!["http", "https"]),
        prop::sample::select(vec!["GET", "HEAD", "OPTIONS", "POST"]),
        proptest::option::of(Just("/up?x=1")),
        proptest::option::of(prop::sample::select(vec!["200", "2xx", "200-299"])),
        (
            any::<bool>(),
            any::<bool>(),
            any::<bool>(),
            any::<bool>(),
            any::<bool>(),
        ),
    )
        .prop_map(
            |(service, method, path, status, (has_text, has_header, has_secret, has_json, follows))| {
                let mut http = json!({ "method": method, "follow": follows });
                if method == "POST" {
                    http["unsafe_method"] = json!(true);
                    http["body"] = json!("a=1");
                }
                if let Some(path) = path {
                    http["path"] = json!(path);
                }
                if let Some(status) = status {
                    http["status"] = json!([status]);
                }
                if has_text && method != "HEAD" {
                    http["text"] = json!("all (well)");
                    http["body_matches"] = json!(["^ok"]);
                    http["body_not_matches"] = json!(["(?i)error"]);
                }
                if has_json && method != "HEAD" {
                    http["json"] = json!([{ "path": "$.a", "value": 1 }]);
                }
                if has_header {
                    http["headers"] = json!({ "X-Env": "prod" });
                }
                if has_secret {
                    http["bearer_token"] = json!("ssm:/portpulse/token");
                }
                json!({ "service": service, "http": http })
            },
        )
}

fn dns() -> impl Strategy<Value = Value> {
    let transport = prop::sample::select(vec!["tcp", "udp"]);
    (
        transport,
        prop::sample::select(vec!["A", "MX", "TXT"]),
        any::<bool>(),
    )
        .prop_map(|(transport, record_type, has_must)| {
            let mut dns = json!({ "name": "example.com", "type": record_type, "transport": transport });
            if has_must && record_type == "A" {
                dns["must"] = json!(["192.0.2.1"]);
            }
            json!({ "service": "dns", "dns": dns })
        })
}

/// Fields that any monitor may have.
fn common() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let choices: Vec<(&'static str, Value)> = vec![
        ("interval", json!("1m")),
        ("interval", json!("10m")),
        ("timeout", json!("2s")),
        ("ip", json!("v4")),
        ("tags", json!(["env=prod", "shop", "a-b=c"])),
        ("tier", json!("critical")),
        ("tier", json!("background")),
        ("name", json!("Über uns")),
        ("description", json!("The shop")),
        ("group", json!("Shop")),
        ("runbook", json!("https://wiki.example.com/x")),
        ("public", json!(false)),
        ("enabled", json!(false)),
        ("severity", json!("info")),
        ("failures_to_open", json!(3)),
        ("successes_to_close", json!(4)),
        ("remind_every", json!("4h")),
        ("escalate_after", json!("30m")),
        ("flapping_after", json!(0)),
        ("quorum", json!(2)),
        ("locations", json!(["eu-west-1", "us-east-1"])),
        ("fail_slower_than", json!("1s")),
        ("slower_than", json!("500ms")),
        ("depends_on", json!(["gateway"])),
    ];
    prop::collection::vec(prop::sample::select(choices), 0..6)
}

fn monitor() -> impl Strategy<Value = Value> {
    (check(), common()).prop_map(|(mut fields, common)| {
        fields["host"] = json!("a.example.com");
        for (name, value) in common {
            fields[name] = value;
        }
        // An AWS region cannot ping.
        if fields.get("check").is_some()
            && let Some(fields) = fields.as_object_mut()
        {
            fields.remove("locations");
        }
        fields
    })
}

fn read(text: &str) -> DefinitionFile {
    portpulse_monitors_file::read(text, NetworkAccess::OwnNetwork)
        .unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{text}"))
}

fn find<'a>(file: &'a DefinitionFile, id: &str) -> Option<&'a Defined> {
    file.monitors()
        .iter()
        .find(|defined| defined.monitor.id().as_str() == id)
}

/// Whether the notes of the export name a field of a monitor, or one that sets it.
fn is_named(notes: &[Note], id: &str, field: Field) -> bool {
    // The fields that a tier sets.
    let of_tier = [
        Field::Retries,
        Field::RetryInterval,
        Field::FailuresToOpen,
        Field::SuccessesToClose,
        Field::Severity,
    ];
    notes.iter().any(|note| {
        let is_field = note.field == field.name() || note.field.starts_with(&format!("{}.", field.name()));
        note.item == id && (is_field || of_tier.contains(&field) && note.field == "tier")
    })
}

/// The fields that the exporter's target and module express together.
const OF_CHECK: [Field; 13] = [
    Field::Host,
    Field::Port,
    Field::Service,
    Field::Check,
    Field::Expect,
    Field::Close,
    Field::Tls,
    Field::Insecure,
    Field::WarnDays,
    Field::Http,
    Field::Dns,
    Field::Script,
    Field::FailSlowerThan,
];

fn compare(before: &Defined, after: &Defined, notes: &[Note], report: &Report) -> Result<(), TestCaseError> {
    let id = before.monitor.id().as_str();
    let (source, found) = (before.monitor.target(), after.monitor.target());
    if (&source.check, source.port, before.monitor.rule().expect)
        != (&found.check, found.port, after.monitor.rule().expect)
        || source.fail_slower_than != found.fail_slower_than
    {
        let is_any_named = OF_CHECK.iter().any(|field| is_named(notes, id, *field));
        prop_assert!(is_any_named, "{id}: {source:?}\n{found:?}\n{notes:?}\n{report:?}");
    }
    prop_assert_eq!(&source.host, &found.host);
    for field in Field::ALL.iter().filter(|field| !OF_CHECK.contains(field)) {
        let (expected, got) = (before.monitor.effective(*field), after.monitor.effective(*field));
        let sorted = |text: Option<String>| {
            let mut words: Vec<String> = text.unwrap_or_default().split(", ").map(str::to_owned).collect();
            words.sort();
            words
        };
        let is_equal =
            expected == got || *field == Field::Tags && sorted(expected.clone()) == sorted(got.clone());
        prop_assert!(
            is_equal || is_named(notes, id, *field),
            "{id}: {field:?}: {expected:?} became {got:?}\n{notes:?}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sixty_monitors_survive_the_round_trip_or_the_report_names_the_difference(
        monitors in prop::collection::vec(monitor(), MONITORS),
    ) {
        let mut file = serde_json::Map::new();
        file.insert("gateway".to_owned(), json!({ "host": "gw.example.com", "port": 1 }));
        for (index, fields) in monitors.into_iter().enumerate() {
            file.insert(format!("m{index}"), fields);
        }
        // JSON is YAML.
        let before = read(&json!({ "monitors": file }).to_string());
        let out = export(&before);
        let sources = [("blackbox.yml", &out.modules), ("targets.json", &out.targets)];
        let options = Options { pings: Pings::FromLocal, ..Options::default() };
        let back = import(Format::Prometheus, &sources.map(|(name, text)| Source { name, text }), &options);
        let back = back.map_err(|error| TestCaseError::fail(format!("{error}\n{}\n{}", out.modules, out.targets)))?;
        let after = read(&back.text);
        for defined in before.monitors() {
            let id = defined.monitor.id().as_str();
            match find(&after, id) {
                Some(found) => compare(defined, found, &out.notes, &back.report)?,
                None => {
                    let is_named = out.notes.iter().any(|note| note.item == id && note.field.is_empty());
                    prop_assert!(is_named, "{id} is lost\n{}\n{:?}", out.modules, back.report);
                }
            }
        }
    }
}
