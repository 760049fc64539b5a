//! What one incident leaves behind at each channel, in whatever order its notifications arrive.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::choice::Severity;
use portpulse_core::decide::Notification;
use portpulse_core::group_state::Status;
use portpulse_core::outbox::Kind;
use portpulse_relay::{Relay, Report};
use portpulse_store::table::Operation;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use serde_json::json;

use crate::rig::{KINDS, LONG, Reply, Secrets, Service, destination, relay, secrets_of};
use portpulse_testkit::notification;

const PAGERS: [&str; 2] = ["pagerduty", "opsgenie"];

/// A channel of this kind that hears of these severities.
struct Channel {
    service: Service,
    table: MemoryTable,
    relay: Relay<MemoryTable, Secrets>,
}

impl Channel {
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

    async fn hears(&self, notification: &Notification) -> Report {
        let report = self.relay.deliver(std::slice::from_ref(notification), LONG).await;
        assert_eq!(report.errors.len(), 0, "{:?}", report.errors);
        report
    }

    /// It cannot be reached with this.
    async fn misses(&self, notification: &Notification) {
        self.service
            .then(std::iter::repeat_n(Reply::Status(503, Some("0"), ""), 3));
        let report = self.relay.deliver(std::slice::from_ref(notification), LONG).await;
        assert_eq!(report.errors.len(), 1);
        self.service.then([]);
    }

    /// The alerts that are open there, as `critical` or `P1`.
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

/// As loud as a monitor's usual alert may be.
fn at(severity: Severity, audience: &[Severity], notification: Notification) -> Notification {
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
async fn an_advisory_leaves_nothing_open_whatever_comes_of_it() {
    let becomes_an_incident = [
        advisory(),
        notification::of(Kind::Down),
        advisory_over(Status::Down),
        notification::of(Kind::Recovered),
    ];
    let passes = [advisory(), advisory_over(Status::Up)];
    for kind in KINDS {
        for severities in [&["info"][..], &["critical"], &["critical", "info"]] {
            for sequence in [&becomes_an_incident[..], &passes] {
                let channel = Channel::new(kind, severities).await;
                let mut open = BTreeMap::<String, bool>::new();
                for notification in sequence {
                    let report = channel.hears(notification).await;
                    for (_, id) in report.delivered {
                        let (what, _) = id.rsplit_once('/').unwrap();
                        let is_over = matches!(notification.kind, Kind::AdvisoryOver | Kind::Recovered);
                        open.insert(what.to_owned(), !is_over);
                    }
                    if PAGERS.contains(&kind) {
                        let notified = open.iter().filter(|(_, is_open)| **is_open).map(|(what, _)| what);
                        let at_pager = channel.service.alerts();
                        assert_eq!(
                            notified.collect::<BTreeSet<_>>(),
                            at_pager.keys().collect(),
                            "{kind}"
                        );
                    }
                }
                assert!(
                    !open.is_empty() || severities == ["critical"],
                    "{kind} heard nothing"
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
async fn an_escalation_makes_the_open_alert_critical() {
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
        let channel = Channel::new(kind, severities).await;
        channel
            .hears(&at(Severity::Warning, &both[..1], notification::of(Kind::Down)))
            .await;
        let opened: Vec<_> = before
            .map(|severity| alert(INCIDENT, severity))
            .into_iter()
            .collect();
        assert_eq!(channel.alerts(), opened, "{kind}");
        let escalated = at(Severity::Critical, &both, notification::of(Kind::Escalated));
        let report = channel.hears(&escalated).await;
        assert_eq!(report.delivered.len(), 1);
        assert_eq!(
            channel.alerts(),
            [alert(INCIDENT, after)],
            "{kind} {severities:?}"
        );
        channel
            .hears(&at(Severity::Critical, &both, notification::of(Kind::Recovered)))
            .await;
        assert_eq!(channel.alerts(), [], "{kind}");
    }
}

#[tokio::test]
async fn an_escalation_is_told_again_until_both_its_parts_are_taken() {
    for parts_taken in [0, 1] {
        let channel = Channel::new("opsgenie", &["warning", "critical"]).await;
        let warning = [Severity::Warning];
        channel
            .hears(&at(Severity::Warning, &warning, notification::of(Kind::Down)))
            .await;
        let escalated = [notification::of(Kind::Escalated)];
        let mut script = vec![Reply::Status(202, None, ""); parts_taken];
        script.extend(vec![Reply::Status(503, Some("0"), ""); 3]);
        channel.service.then(script);
        let report = channel.relay.deliver(&escalated, LONG).await;
        assert_eq!(report.errors[0].ids(), [escalated[0].id.clone()]);
        channel.service.then([]);
        channel.hears(&escalated[0]).await;
        assert_eq!(channel.alerts(), [alert(INCIDENT, "P1")]);
    }
}

#[tokio::test]
async fn a_refusal_to_raise_an_alert_names_what_was_to_be_told() {
    let channel = Channel::new("opsgenie", &["critical"]).await;
    let escalated = [notification::of(Kind::Escalated)];
    channel.service.then([Reply::Status(403, None, "")]);
    let report = channel.relay.deliver(&escalated, LONG).await;
    let ids = [escalated[0].id.clone()];
    assert_eq!(report.errors[0].ids(), ids);
    assert_eq!(report.delivered.len(), 1, "the alert itself is told all the same");
}

#[tokio::test]
async fn what_is_over_there_is_not_opened_again_by_a_late_try() {
    for kind in KINDS {
        let channel = Channel::new(kind, &["critical", "warning", "info"]).await;
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
            channel.misses(&late).await;
            assert_eq!(channel.hears(&end).await.delivered.len(), 1, "{kind}");
            let report = channel.hears(&late).await;
            assert_eq!((report.delivered.len(), report.overtaken.len()), (0, 1), "{kind}");
            assert_eq!(report.overtaken[0].1, late.id);
            // The next one is another.
            let next = Notification {
                id: late.id.replace('/', "9/"),
                ..late
            };
            assert_eq!(channel.hears(&next).await.delivered.len(), 1, "{kind}");
        }
        if PAGERS.contains(&kind) {
            assert_eq!(channel.alerts().len(), 4, "those that are next");
        }
    }
}

#[tokio::test]
async fn what_may_still_be_true_is_told() {
    let channel = Channel::new("pagerduty", &["critical"]).await;
    channel.misses(&notification::of(Kind::Recovered)).await;
    // The end has not arrived, and the advisory's is not the incident's.
    channel.hears(&advisory_over(Status::Down)).await;
    assert_eq!(
        channel.hears(&notification::of(Kind::Down)).await.delivered.len(),
        1
    );
    assert_eq!(channel.alerts(), [alert(INCIDENT, "critical")]);
    channel.hears(&notification::of(Kind::Recovered)).await;

    // Where the ledger cannot be read, twice is better than never.
    channel.table.set_faults(|call| {
        if call.operation == Operation::Get {
            Fault::Before
        } else {
            Fault::None
        }
    });
    assert_eq!(
        channel.hears(&notification::of(Kind::Down)).await.delivered.len(),
        1
    );
}
