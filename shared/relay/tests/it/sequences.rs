//! The final state of each destination after an incident, for different orders of notifications.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::group_state::Status;
use portpulse_core::outbox::Kind;
use portpulse_relay::{DeliveryReport, Relay};
use portpulse_store::table::Operation;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use serde_json::json;

use crate::harness::{LONG, Reply, Secrets, Service, destination, relay, secrets_of};
use crate::services::kinds;
use portpulse_testkit::notification;

const PAGERS: [&str; 2] = ["pagerduty", "opsgenie"];

/// A destination with its service and ledger.
struct TestDestination {
    service: Service,
    table: MemoryTable,
    relay: Relay<MemoryTable, Secrets>,
}

impl TestDestination {
    async fn new(kind: &'static str, severities: &[&str]) -> Self {
        let service = Service::start(kind, []).await;
        let mut fields = destination(kind, Some(service.address));
        fields["severities"] = json!(severities);
        let (table, secrets) = (MemoryTable::new(), secrets_of(service.address));
        let relay = relay(&json!({ "it": fields }), &table, &secrets);
        Self {
            service,
            table,
            relay,
        }
    }

    /// Delivers the notification without errors.
    async fn accepts(&self, notification: &Notification) -> DeliveryReport {
        let report = self.relay.deliver(std::slice::from_ref(notification), LONG).await;
        assert_eq!(report.errors.len(), 0, "{:?}", report.errors);
        report
    }

    /// Fails to deliver the notification, because the service is unavailable.
    async fn fails(&self, notification: &Notification) {
        self.service
            .then(std::iter::repeat_n(Reply::Status(503, Some("0"), ""), 3));
        let report = self.relay.deliver(std::slice::from_ref(notification), LONG).await;
        assert_eq!(report.errors.len(), 1);
        self.service.then([]);
    }

    /// The open alerts with their severity or priority, such as `critical` or `P1`.
    fn alerts(&self) -> Vec<(String, String)> {
        self.service.alerts().into_iter().collect()
    }
}

fn advisory() -> Notification {
    Notification {
        id: "orders-db@2026-11-22T05:35:00Z.5.advisory/advisory".to_owned(),
        ..notification::of(Kind::Advisory)
    }
}

fn advisory_over(status: Status) -> Notification {
    Notification {
        id: "orders-db@2026-11-22T05:35:00Z.5.advisory/advisory_over".to_owned(),
        status,
        ..notification::of(Kind::AdvisoryOver)
    }
}

/// The notification with this severity and audience.
fn with_severity(severity: Severity, audience: &[Severity], notification: Notification) -> Notification {
    Notification {
        severity,
        audience: audience.iter().copied().collect(),
        ..notification
    }
}

fn alert(name: &str, severity: &str) -> (String, String) {
    (name.to_owned(), severity.to_owned())
}

const INCIDENT: &str = "orders-db@2026-11-22T05:40:00Z.7";

#[tokio::test]
async fn advisory_leaves_no_open_alert() {
    let becomes_incident = [
        advisory(),
        notification::of(Kind::Down),
        advisory_over(Status::Down),
        notification::of(Kind::Recovered),
    ];
    let passes = [advisory(), advisory_over(Status::Up)];
    for kind in kinds() {
        for severities in [&["info"][..], &["critical"], &["critical", "info"]] {
            for sequence in [&becomes_incident[..], &passes] {
                let destination = TestDestination::new(kind, severities).await;
                let mut open = BTreeMap::<String, bool>::new();
                for notification in sequence {
                    let report = destination.accepts(notification).await;
                    for (_, id) in report.delivered {
                        let (what, _) = id.rsplit_once('/').unwrap();
                        let is_over = matches!(notification.kind, Kind::AdvisoryOver | Kind::Recovered);
                        open.insert(what.to_owned(), !is_over);
                    }
                    if PAGERS.contains(&kind) {
                        let notified = open.iter().filter(|(_, is_open)| **is_open).map(|(what, _)| what);
                        let at_pager = destination.service.alerts();
                        assert_eq!(
                            notified.collect::<BTreeSet<_>>(),
                            at_pager.keys().collect(),
                            "{kind}"
                        );
                    }
                }
                assert!(
                    !open.is_empty() || severities == ["critical"],
                    "{kind} received nothing"
                );
                assert!(
                    open.values().all(|is_open| !is_open),
                    "{kind} {severities:?}: {open:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn escalation_raises_open_alert_to_critical() {
    let both = [Severity::Warning, Severity::Critical];
    for (kind, severities, before, after) in [
        (
            "pagerduty",
            &["warning", "critical"][..],
            Some("warning"),
            "critical",
        ),
        ("pagerduty", &["critical"], None, "critical"),
        ("opsgenie", &["warning", "critical"], Some("P3"), "P1"),
        ("opsgenie", &["critical"], None, "P1"),
    ] {
        let destination = TestDestination::new(kind, severities).await;
        destination
            .accepts(&with_severity(
                Severity::Warning,
                &both[..1],
                notification::of(Kind::Down),
            ))
            .await;
        let opened: Vec<_> = before
            .map(|severity| alert(INCIDENT, severity))
            .into_iter()
            .collect();
        assert_eq!(destination.alerts(), opened, "{kind}");
        let escalated = with_severity(Severity::Critical, &both, notification::of(Kind::Escalated));
        let report = destination.accepts(&escalated).await;
        assert_eq!(report.delivered.len(), 1);
        assert_eq!(
            destination.alerts(),
            [alert(INCIDENT, after)],
            "{kind} {severities:?}"
        );
        destination
            .accepts(&with_severity(
                Severity::Critical,
                &both,
                notification::of(Kind::Recovered),
            ))
            .await;
        assert_eq!(destination.alerts(), [], "{kind}");
    }
}

#[tokio::test]
async fn escalation_is_retried_until_both_requests_succeed() {
    for parts_taken in [0, 1] {
        let destination = TestDestination::new("opsgenie", &["warning", "critical"]).await;
        let warning = [Severity::Warning];
        destination
            .accepts(&with_severity(
                Severity::Warning,
                &warning,
                notification::of(Kind::Down),
            ))
            .await;
        let escalated = [notification::of(Kind::Escalated)];
        let mut script = vec![Reply::Status(202, None, ""); parts_taken];
        script.extend(vec![Reply::Status(503, Some("0"), ""); 3]);
        destination.service.then(script);
        let report = destination.relay.deliver(&escalated, LONG).await;
        assert_eq!(report.errors[0].ids(), [escalated[0].id.clone()]);
        destination.service.then([]);
        destination.accepts(&escalated[0]).await;
        assert_eq!(destination.alerts(), [alert(INCIDENT, "P1")]);
    }
}

#[tokio::test]
async fn refused_priority_change_reports_the_notification() {
    let destination = TestDestination::new("opsgenie", &["critical"]).await;
    let escalated = [notification::of(Kind::Escalated)];
    destination.service.then([Reply::Status(403, None, "")]);
    let report = destination.relay.deliver(&escalated, LONG).await;
    let ids = [escalated[0].id.clone()];
    assert_eq!(report.errors[0].ids(), ids);
    assert_eq!(report.delivered.len(), 1, "the alert itself is delivered");
}

#[tokio::test]
async fn late_retry_does_not_reopen_ended_incident() {
    for kind in kinds() {
        let destination = TestDestination::new(kind, &["critical", "warning", "info"]).await;
        for (late, end) in [
            (notification::of(Kind::Down), notification::of(Kind::Recovered)),
            (advisory(), advisory_over(Status::Up)),
            (
                notification::of(Kind::LocationSilent),
                notification::of(Kind::LocationBack),
            ),
            (
                notification::of(Kind::LocationSuspect),
                notification::of(Kind::LocationTrusted),
            ),
        ] {
            destination.fails(&late).await;
            assert_eq!(destination.accepts(&end).await.delivered.len(), 1, "{kind}");
            let report = destination.accepts(&late).await;
            assert_eq!(
                (report.delivered.len(), report.superseded.len()),
                (0, 1),
                "{kind}"
            );
            assert_eq!(report.superseded[0].1, late.id);
            // The next incident is delivered.
            let next = Notification {
                id: late.id.replace('/', "9/"),
                ..late
            };
            assert_eq!(destination.accepts(&next).await.delivered.len(), 1, "{kind}");
        }
        if PAGERS.contains(&kind) {
            assert_eq!(destination.alerts().len(), 4, "one alert for each next incident");
        }
    }
}

#[tokio::test]
async fn start_is_sent_if_its_end_was_not_delivered() {
    let destination = TestDestination::new("pagerduty", &["critical"]).await;
    destination.fails(&notification::of(Kind::Recovered)).await;
    // The end of the incident was not delivered; the end of the advisory does not count.
    destination.accepts(&advisory_over(Status::Down)).await;
    assert_eq!(
        destination
            .accepts(&notification::of(Kind::Down))
            .await
            .delivered
            .len(),
        1
    );
    assert_eq!(destination.alerts(), [alert(INCIDENT, "critical")]);
    destination.accepts(&notification::of(Kind::Recovered)).await;

    // If the ledger cannot be read, a repeat is better than a loss.
    destination.table.set_faults(|call| {
        if call.operation == Operation::Get {
            Fault::Before
        } else {
            Fault::None
        }
    });
    assert_eq!(
        destination
            .accepts(&notification::of(Kind::Down))
            .await
            .delivered
            .len(),
        1
    );
}
