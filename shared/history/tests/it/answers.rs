//! Public and private answers match `openapi.json`.

use portpulse_core::definition::Visibility;
use portpulse_core::group_state::{IncidentId, Track};
use portpulse_core::operator_note::OperatorNote;
use portpulse_history::view::{Audience, IncidentsPage, MonitorPage, Overview};
use portpulse_history::{api, atom, badge, prometheus};
use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::{Value, json};

use crate::fleet::{
    SECRETS, banners, define, define_with_maintenance, file, incident, last_day, now, open, reader, roll_up,
    rows, run, tick,
};

/// All views of the sample, for an audience.
async fn read(audience: Audience) -> (Overview, MonitorPage, IncidentsPage) {
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    define_with_maintenance(&store, "c-down").await;
    define(&store, "b-up").await;
    let ids = ["b-up", "c-down"].map(str::to_owned);
    roll_up(&store, &ids, 40).await;
    run(&store, &ids, 10).await;
    rows(&store, &[("eu-west-1", "c-down"), ("us-east-1", "c-down")]).await;
    banners(&store, &["c-down".to_owned()], "220 secret-banner").await;
    open(&store, "c-down", Track::Health, "2026-11-22T12:20:00Z").await;
    file(&store, "c-down", "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z").await;
    let incident = IncidentId {
        monitor: "c-down".parse().unwrap(),
        opened: tick("2026-11-22T12:20:00Z"),
        revision: incident("2026-11-22T12:20:00Z").revision,
        track: Track::Health,
    };
    let note = OperatorNote::new(
        incident,
        "secret-operator",
        now(),
        "restarted",
        Visibility::Public,
    );
    assert!(store.put_operator_note(&note.unwrap()).await.unwrap());
    let reader = reader(table, 400);
    (
        reader.overview(audience, now()).await.unwrap(),
        reader
            .monitor(audience, &"c-down".parse().unwrap(), last_day(), now())
            .await
            .unwrap()
            .unwrap(),
        reader.incidents(audience, now()).await.unwrap(),
    )
}

fn answers(
    (overview, page, incidents): &(Overview, MonitorPage, IncidentsPage),
) -> [(&'static str, Value); 3] {
    [
        ("/api/monitors", api::monitors(overview)),
        ("/api/monitors/{id}", api::monitor(page)),
        ("/api/incidents", api::incidents(incidents)),
    ]
}

/// Violations of the schema of `path`.
fn diagnostics(path: &str, answer: &Value) -> Vec<String> {
    let document: Value = serde_json::from_str(api::OPENAPI).unwrap();
    let answered =
        &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": answered["$ref"],
        "components": document["components"],
    });
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    let diagnostics = validator.iter_errors(answer);
    diagnostics
        .map(|diagnostic| format!("{}: {diagnostic}", diagnostic.instance_path()))
        .collect()
}

#[tokio::test]
async fn answers_match_openapi_document() {
    for audience in [Audience::Public, Audience::Private] {
        for (path, answer) in answers(&read(audience).await) {
            assert_eq!(
                diagnostics(path, &answer),
                Vec::<String>::new(),
                "{path}: {audience:?}"
            );
        }
    }
}

#[tokio::test]
async fn openapi_document_rejects_invalid_answers() {
    let [(path, answer), ..] = answers(&read(Audience::Private).await);
    for (pointer, value) in [
        ("/monitors/0/status", json!("fine")),
        ("/monitors/0/uptime/24h/ratio", json!(1.5)),
        ("/monitors/0/locations/eu-west-1/state", Value::Null),
        ("/at", json!("yesterday")),
        (
            "/left_out",
            json!({ "days": true, "incidents": false, "more": 1 }),
        ),
    ] {
        let mut changed = answer.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert!(!diagnostics(path, &changed).is_empty(), "{pointer}");
    }
}

/// The reverse of `answers_match_openapi_document`.
#[tokio::test]
async fn every_documented_field_occurs_in_answers() {
    let document: Value = serde_json::from_str(api::OPENAPI).unwrap();
    let answers = answers(&read(Audience::Private).await)
        .map(|(_, answer)| answer.to_string())
        .join("");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for field in schema["properties"].as_object().unwrap().keys() {
            assert!(answers.contains(&format!("\"{field}\":")), "{name}.{field}");
        }
    }
}

#[tokio::test]
async fn public_answers_contain_no_private_data() {
    let all = |read: (Overview, MonitorPage, IncidentsPage)| {
        let mut all: Vec<String> = answers(&read)
            .iter()
            .map(|(_, answer)| answer.to_string())
            .collect();
        all.push(prometheus::text(&read.0));
        all.push(atom::feed(&read.2));
        for kind in [
            badge::BadgeKind::Status,
            badge::BadgeKind::Uptime,
            badge::BadgeKind::Response,
        ] {
            all.extend(badge::svg(kind, &read.1.monitor));
        }
        all.join("\n")
    };
    let (public, private) = (
        all(read(Audience::Public).await),
        all(read(Audience::Private).await),
    );
    for secret in SECRETS.into_iter().chain(["secret-operator"]) {
        assert!(private.contains(secret), "{secret}");
        assert!(!public.contains(secret), "{secret}: {public}");
    }
    let public = read(Audience::Public).await.1;
    assert_eq!(badge::svg(badge::BadgeKind::Response, &public.monitor), None);
}

#[tokio::test]
async fn metrics_badges_and_feed_contain_values() {
    let (overview, page, incidents) = read(Audience::Private).await;
    let text = prometheus::text(&overview);
    for line in [
        "portpulse_status{monitor=\"c-down\",status=\"down\"} 1",
        "portpulse_status{monitor=\"c-down\",status=\"up\"} 0",
        "portpulse_uptime_ratio{monitor=\"b-up\",window=\"30d\"} 1",
        // 6 days and eleven hours; the current hour and one of the day before are maintenance.
        "portpulse_watched_seconds{monitor=\"c-down\",window=\"7d\"} 558000",
        "portpulse_down_seconds{monitor=\"c-down\",window=\"7d\"} 3600",
        "portpulse_maintenance_seconds{monitor=\"c-down\",window=\"7d\"} 5420",
        "portpulse_location_state{monitor=\"c-down\",location=\"us-east-1\",state=\"failing\"} 1",
        "portpulse_location_state{monitor=\"c-down\",location=\"ap-northeast-1\",state=\"good\"} 1",
        "portpulse_phase_seconds{monitor=\"b-up\",location=\"eu-west-1\",phase=\"connect\",quantile=\"1\"} 0.01191",
        "portpulse_phase_seconds{monitor=\"b-up\",location=\"eu-west-1\",phase=\"tls\",quantile=\"1\"} 0.024",
        "portpulse_phase_seconds{monitor=\"b-up\",location=\"eu-west-1\",phase=\"dns\",quantile=\"0.5\"} 0.000995",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    let badge = |kind| badge::svg(kind, &page.monitor).unwrap();
    assert!(badge(badge::BadgeKind::Status).contains("<title>c-down: maintenance</title>"));
    // 3,600 seconds down of 29 days and eleven hours: 0.142 %.
    assert!(
        badge(badge::BadgeKind::Uptime).contains("<title>c-down 30 days: 99.85%</title>"),
        "{}",
        badge(badge::BadgeKind::Uptime)
    );
    assert!(badge(badge::BadgeKind::Response).contains(" ms</title>"));
    let feed = atom::feed(&incidents);
    let titles: Vec<_> = feed.lines().filter(|line| line.starts_with("<title>")).collect();
    assert_eq!(
        titles,
        [
            "<title>Incidents</title>",
            "<title>c-down is down</title>",
            "<title>c-down was down: recovered</title>",
        ]
    );
    let mut many = incidents;
    many.closed = vec![many.closed[0].clone(); 60];
    assert_eq!(atom::feed(&many).matches("<entry>").count(), 50);
}

#[tokio::test]
async fn dashboard_and_alert_rules_use_existing_metrics() {
    let (overview, ..) = read(Audience::Private).await;
    let text = prometheus::Exposition::OpenMetrics.text(&overview);
    assert!(text.ends_with("\n# EOF\n"));
    let names: std::collections::BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    for (file, least) in [("dashboard.json", 8), ("alert-rules.yaml", 6)] {
        let path = format!("{}/../../infra/metrics/{file}", env!("CARGO_MANIFEST_DIR"));
        let content = std::fs::read_to_string(path).unwrap();
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let used = content.match_indices("portpulse_").map(|(at, _)| {
            let rest = &content[at..];
            &rest[..rest.find(|c| !is_name(c)).unwrap()]
        });
        let used: Vec<_> = used.collect();
        assert!(used.len() >= least, "{file}: {used:?}");
        for name in used {
            assert!(
                names.contains(name),
                "{file} uses {name}, and there are {names:?}"
            );
        }
    }
}
