//! Routing: which notifications a destination receives.

use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Kind;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::{Value, json};

use crate::harness::{LONG, Service, destination, relay, secrets_of};
use portpulse_testkit::notification;

/// Whether a destination with these fields receives the notification.
async fn receives(kind: &'static str, fields: &Value, notification: &Notification) -> bool {
    let service = Service::start(kind, []).await;
    let mut configured = destination(kind, Some(service.address));
    configured.as_object_mut().unwrap().remove("severities");
    for (name, value) in fields.as_object().unwrap() {
        configured[name] = value.clone();
    }
    let relay = relay(
        &json!({ "it": configured }),
        &MemoryTable::new(),
        &secrets_of(service.address),
    );
    let report = relay.deliver(std::slice::from_ref(notification), LONG).await;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    service.log().0 == 1
}

#[tokio::test]
async fn destination_receives_what_matches_every_filter() {
    let down = || notification::of(Kind::Down);
    for (fields, notification, notified) in [
        (json!({}), down(), true),
        (json!({}), notification::of(Kind::LocationBack), true),
        (json!({ "severities": ["critical"] }), down(), true),
        (json!({ "severities": ["warning", "info"] }), down(), false),
        (json!({ "tags": ["eu", "prod"] }), down(), true),
        (json!({ "tags": ["eu"] }), down(), false),
        (
            json!({ "tags": ["prod"] }),
            notification::of(Kind::LocationSilent),
            false,
        ),
        (json!({ "monitors": ["orders-db"] }), down(), true),
        (json!({ "monitors": ["orders-*"] }), down(), true),
        (json!({ "monitors": ["web-*", "orders"] }), down(), false),
        (
            json!({ "monitors": ["*"] }),
            notification::of(Kind::LocationSilent),
            false,
        ),
        (
            json!({ "tags": ["prod"], "monitors": ["orders-db"], "severities": ["critical"] }),
            down(),
            true,
        ),
        (
            json!({ "tags": ["prod"], "monitors": ["orders-db"], "severities": ["info"] }),
            down(),
            false,
        ),
    ] {
        let case = format!("{fields} {}", notification.kind);
        assert_eq!(
            receives("slack", &fields, &notification).await,
            notified,
            "{case}"
        );
    }
}

#[tokio::test]
async fn start_and_end_reach_the_same_destinations() {
    for (begins, ends) in [
        (Kind::Down, Kind::Recovered),
        (Kind::Advisory, Kind::AdvisoryOver),
        (Kind::LocationSilent, Kind::LocationBack),
        (Kind::LocationSuspect, Kind::LocationTrusted),
        (Kind::HomeUnreachable, Kind::HomeReachable),
    ] {
        for severity in Severity::ALL {
            let fields = json!({ "severities": [severity.as_str()] });
            let (begins, ends) = (notification::of(begins), notification::of(ends));
            let notified = (
                receives("slack", &fields, &begins).await,
                receives("slack", &fields, &ends).await,
            );
            assert_eq!(notified.0, notified.1, "{fields} {}", ends.kind);
        }
    }
}

#[tokio::test]
async fn pagers_receive_only_critical_by_default() {
    for kind in ["pagerduty", "opsgenie"] {
        assert!(receives(kind, &json!({}), &notification::of(Kind::Down)).await);
        assert!(!receives(kind, &json!({}), &notification::of(Kind::Degraded)).await);
        assert!(
            receives(
                kind,
                &json!({ "severities": ["warning"] }),
                &notification::of(Kind::Degraded)
            )
            .await
        );
    }
}
