//! Text from services, definitions and URLs is escaped in every format.

use portpulse_core::group_state::{Cause, Finding, IncidentId, Status, Track};
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_history::view::{Audience, IncidentInside, IncidentView, IncidentsPage, LeftOut};
use portpulse_history::{api, atom, badge, prometheus};
use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fleet::{GROUP, banners, last_day, now, reader, roll_up, rows, tick};

/// Strings that try to break out of markup, and random strings.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("</content><entry><title>".to_owned()),
        Just("]]><script>alert(1)</script>".to_owned()),
        Just("\"/><image href=\"x\" onload='x'/>".to_owned()),
        Just("&lt;&#0;&amp\u{ffff}\u{fffe}\u{1b}[31m".to_owned()),
        Just("a\"} 1\nportpulse_status{monitor=\"x".to_owned()),
        "\\PC{0,60}",
        ".{0,60}",
    ]
}

fn incidents(detail: &str) -> IncidentsPage {
    let incident = IncidentView {
        id: IncidentId {
            monitor: "orders-db".parse().unwrap(),
            opened: tick("2026-11-22T12:20:00Z"),
            revision: 7,
            track: Track::Quality,
        },
        status: Status::Degraded,
        since: now(),
        opened: now(),
        closed: None,
        title: "orders-db".to_owned(),
        notes: Vec::new(),
        inside: Some(IncidentInside {
            cause_changes: Vec::new(),
            diagnosis: None,
            cluster: None,
            finding: Some(Finding {
                cause: Cause::Failed(FailureClass::Tls),
                detail: Detail::new(detail),
            }),
            notified: None,
            reminders: 0,
            withheld: None,
            never_notified: None,
            urgency: portpulse_core::group_state::Urgency::Normal,
            stability: portpulse_core::group_state::Stability::Steady,
            acknowledged: None,
            silenced: None,
            dependencies: Default::default(),
        }),
    };
    IncidentsPage {
        at: now(),
        open: vec![incident],
        closed: Vec::new(),
        left_out: LeftOut::default(),
    }
}

proptest! {
    #[test]
    fn service_text_is_escaped_in_feed_and_json(detail in hostile()) {
        let page = incidents(&detail);
        let feed = atom::feed(&page);
        let feed = roxmltree::Document::parse(&feed).map_err(|error| TestCaseError::fail(format!("{error}: {feed}")))?;
        let elements: Vec<_> = feed.descendants().filter(|node| node.is_element()).map(|node| node.tag_name().name()).collect();
        let expected = [
            "feed", "id", "title", "updated", "author", "name", "link", "link",
            "entry", "id", "title", "published", "updated", "link", "content",
        ];
        prop_assert_eq!(elements, expected);
        let kept = Detail::new(&detail);
        let content = feed.descendants().find(|node| node.has_tag_name("content")).unwrap();
        prop_assert_eq!(content.children().count(), 1);
        let content_text = content.text().unwrap();
        if let Some(detail) = &kept {
            let shown = detail.as_str().replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
            prop_assert!(content_text.ends_with(&format!("tls: {shown}")), "{} of {}", content_text, shown);
        }
        let answer: Value = serde_json::from_str(&api::incidents(&page).to_string()).unwrap();
        let detail = kept.as_ref().map(Detail::as_str);
        prop_assert_eq!(answer["open"][0]["finding"]["detail"].as_str(), detail);
    }
}

/// Definitions with the most hostile values that validation admits.
#[tokio::test]
async fn definition_values_are_escaped_in_json_badges_and_metrics() {
    let tag = "</svg>\"}{<script>";
    let runbook = "https://example.com/?a=%22&b=<x>";
    for (id, fields) in [
        (
            "a.b_c-d",
            json!({ "host": "x.example.com", "port": 7, "interval": "1m", "tags": [tag], "runbook": runbook }),
        ),
        (
            "0",
            json!({ "host": "2001:db8::1", "port": 65_535, "interval": "1m", "tags": ["a\\\"b"] }),
        ),
    ] {
        let table = MemoryTable::new();
        let store = Store::new(table.clone());
        store
            .put_definition(GROUP, id, fields.as_object().unwrap())
            .await
            .unwrap();
        let banner = "</svg>\"}\n<script>alert(1)</script>";
        roll_up(&store, &[id.to_owned()], 1).await;
        banners(&store, &[id.to_owned()], banner).await;
        rows(&store, &[("eu-west-1", id)]).await;
        let reader = reader(table, 400);
        let overview = reader.overview(Audience::Private, now()).await.unwrap();
        let broken = &overview.inside.as_ref().unwrap().broken;
        let Some(monitor) = overview.monitors.first() else {
            // Validation rejected the definition and reported it.
            assert!(broken.contains_key(id), "{overview:?}");
            continue;
        };
        let answer: Value = serde_json::from_str(&api::monitors(&overview).to_string()).unwrap();
        assert_eq!(answer["monitors"][0]["tags"], fields["tags"]);
        let page = reader
            .monitor(Audience::Private, &id.parse().unwrap(), last_day(), now())
            .await
            .unwrap()
            .unwrap();
        let answer: Value = serde_json::from_str(&api::monitor(&page).to_string()).unwrap();
        assert_eq!(
            answer["monitor"]["banners"]["us-east-1"],
            json!({ "text": "</svg>\"} <script>alert(1)</script>", "at": "2026-11-22T12:00:00Z" })
        );
        for kind in [
            badge::BadgeKind::Status,
            badge::BadgeKind::Uptime,
            badge::BadgeKind::Response,
        ] {
            let svg = badge::svg(kind, monitor).unwrap();
            let svg = roxmltree::Document::parse(&svg).unwrap();
            let elements: Vec<_> = svg
                .descendants()
                .filter(|node| node.is_element())
                .map(|node| node.tag_name().name())
                .collect();
            assert_eq!(elements, ["svg", "title", "rect", "rect", "g", "text", "text"]);
        }
        check_exposition(&prometheus::text(&overview));
    }
}

/// Asserts that each line is a comment or a sample of the preceding family, in the grammar of the text format.
fn check_exposition(text: &str) {
    let mut families = Vec::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            families.push(rest.strip_suffix(" gauge").unwrap().to_owned());
            continue;
        }
        if line.starts_with("# HELP ") {
            continue;
        }
        let (name, rest) = line.split_once('{').unwrap();
        assert_eq!(families.last().map(String::as_str), Some(name), "{line}");
        let (labels, value) = rest.rsplit_once("} ").unwrap();
        value.parse::<f64>().unwrap();
        let mut rest = labels;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap();
            assert!(
                label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{line}"
            );
            let mut escaped = false;
            let end = after.find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            let (_, after) = after.split_at(end.unwrap());
            match after.strip_prefix("\",") {
                Some(more) => rest = more,
                None => {
                    assert_eq!(after, "\"", "{line}");
                    break;
                }
            }
        }
    }
    assert!(families.len() >= 2, "{text}");
}
