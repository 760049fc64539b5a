//! A sample of every kind of item, with failures and incidents.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::banners::{Banner, Banners};
use portpulse_core::choice::Expect;
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::definition::Visibility;
use portpulse_core::diagnosis::{Diagnosis, Evidence, FailurePoint, HostEvidence, Layer};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{
    Advisory, Cause, CauseChange, ClosedIncident, Cluster, DecisionState, Ending, Entry, Finding,
    FleetProblem, FleetState, Health, Impairment, Incident, LocationProblem, LocationReporting,
    LocationState, Notified, Stability, Status, Streak, Streaks, Track, Urgency,
};
use portpulse_core::home_loss::{HomeFailures, HomeLoss};
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase};
use portpulse_core::rollup::{PhaseRollup, Rollup, Tally};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;
use serde_json::{Value, json};

pub(super) const GROUP: &str = "1m#0";
pub(super) const TICK: &str = "2026-11-22T05:41:00Z";

pub(super) fn group() -> GroupId {
    GROUP.parse().unwrap()
}

pub(super) fn tick(text: &str) -> Tick {
    text.parse().unwrap()
}

pub(super) fn time(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

pub(super) fn finding(cause: Cause, detail: &str) -> Option<Finding> {
    let detail = Detail::new(detail);
    Some(Finding { cause, detail })
}

pub(super) fn incident(notified: Notified) -> Incident {
    Incident {
        cluster: None,
        cause_changes: Vec::new(),
        diagnosis: Some(Diagnosis {
            layer: Layer::Port,
            evidence: Some(Evidence {
                failing: 2,
                good: 0,
                pending: 1,
                host: HostEvidence::Answers { port: 22 },
                parent: None,
            }),
        }),
        status: Status::Down,
        opened: tick("2026-11-22T05:40:00Z"),
        revision: 7,
        since: tick("2026-11-22T05:39:00Z"),
        flapped_until: None,
        finding: finding(
            Cause::Failed(FailureClass::Refused),
            "57P03 the database is starting",
        ),
        notified,
        urgency: Urgency::Normal,
        stability: Stability::Steady,
    }
}

pub(super) fn closed_incident() -> ClosedIncident {
    let first = time("2026-11-22T05:40:07.5Z");
    let last = time("2026-11-22T05:45:03Z");
    ClosedIncident {
        monitor: "orders-db".parse().unwrap(),
        track: Track::Health,
        incident: Incident {
            cluster: Some("orders-cache@2026-11-22T05:40:00Z.7".parse().unwrap()),
            urgency: Urgency::Escalated,
            flapped_until: Some(tick("2026-11-22T05:43:00Z")),
            cause_changes: vec![
                CauseChange {
                    at: tick("2026-11-22T05:42:00Z"),
                    before: Cause::Failed(FailureClass::Timeout),
                },
                CauseChange {
                    at: tick("2026-11-22T05:44:00Z"),
                    before: Cause::Open,
                },
            ],
            ..incident(Notified::At {
                first,
                last,
                reminders: 2,
            })
        },
        closed: tick("2026-11-22T05:50:00Z"),
        ending: Ending::Recovered,
    }
}

pub(super) fn rollup() -> Rollup {
    let mut good = Tally::default();
    for hundredths in [980, 990, 1_000, 1_100, 4_200] {
        let connect = Duration::from_micros(hundredths * 10);
        let others = ready(1, hundredths / 40, 7);
        let remark = Remark::None;
        good.count(
            Expect::Open,
            Seen::Open {
                connect,
                others,
                remark,
            },
        );
    }
    let mut failing = Tally::default();
    for seen in ["refused", "timeout", "refused", "no_data_no_route"] {
        failing.count(Expect::Open, seen.parse().unwrap());
    }
    BTreeMap::from([
        ("orders-db".parse().unwrap(), good),
        ("cache".parse().unwrap(), failing),
    ])
}

pub(super) fn phase_rollup() -> PhaseRollup {
    portpulse_core::rollup::phase_rollup(&rollup())
}

pub(super) fn operator_note() -> OperatorNote {
    let incident = "orders-db@2026-11-22T05:40:00Z.7".parse().unwrap();
    let text = "The disk was full; the replica serves reads.";
    OperatorNote::new(
        incident,
        "ann",
        time("2026-11-22T05:55:00Z"),
        text,
        Visibility::Public,
    )
    .unwrap()
}

/// The phases of a `ready` check, in milliseconds.
fn ready(dns: u64, tls: u64, ready: u64) -> OtherPhases<Option<Duration>> {
    let phases = OtherPhases { dns, tls, ready };
    phases.map(|ms| Some(Duration::from_millis(*ms)))
}

pub(super) fn outbox() -> Outbox {
    let pending = |id: &str, kind, subject, claim| Pending {
        id: id.to_owned(),
        kind,
        subject,
        status: Status::Down,
        cause: Some(Cause::Failed(FailureClass::Timeout)),
        urgency: Urgency::Escalated,
        monitors: 2,
        members: ["orders-cache".parse().unwrap()].into(),
        since: time("2026-11-22T05:39:00Z"),
        at: time("2026-11-22T05:40:00Z"),
        claim,
    };
    let claim = Claim {
        by: Claimant::new("8c4f2a"),
        at: time("2026-11-22T05:41:03.25Z"),
    };
    Outbox::new(vec![
        pending(
            "orders-db@2026-11-22T05:40:00Z.7/down",
            Kind::Down,
            Subject::Monitor("orders-db".parse().unwrap()),
            Some(claim),
        ),
        pending(
            "eu-west-1.3/location_silent",
            Kind::LocationSilent,
            Subject::Location("eu-west-1".parse().unwrap()),
            None,
        ),
        pending(
            "No Id@1m#0.7/broken_definition",
            Kind::BrokenDefinition,
            Subject::Definition("No Id".to_owned()),
            None,
        ),
    ])
}

pub(super) fn location_state() -> LocationState {
    let failing = Streaks {
        seen: tick(TICK),
        health: Streak {
            state: Health::Failing,
            ticks: 3,
            since: tick("2026-11-22T05:39:00Z"),
        },
        quality: Some(Streak {
            state: Impairment::Impaired,
            ticks: 1,
            since: tick("2026-11-22T05:38:00Z"),
        }),
        finding: finding(Cause::Failed(FailureClass::Timeout), ""),
        point: Some(FailurePoint {
            phase: Phase::Connect,
            address: Some([192, 0, 2, 1].into()),
        }),
    };
    let since = tick(TICK);
    LocationState {
        tick: tick(TICK),
        entries: BTreeMap::from([
            ("orders-db".parse().unwrap(), Entry::Seen(failing)),
            ("cache".parse().unwrap(), Entry::NoData { since }),
        ]),
    }
}

pub(super) fn decision_state() -> DecisionState {
    let opened = tick("2026-11-22T05:40:00Z");
    let notified = Notified::NotYet;
    let since = time("2026-11-22T05:40:01Z");
    let advisory = Advisory {
        opened,
        revision: 6,
        notified,
        first: None,
        ended: ["orders-cache".parse().unwrap()].into(),
    };
    let flapping = Incident {
        status: Status::Degraded,
        stability: Stability::Flapping {
            state: Health::Good,
            notified: Some(since),
        },
        ..incident(notified)
    };
    let member = Incident {
        cluster: Some("orders-db@2026-11-22T05:40:00Z.7".parse().unwrap()),
        ..incident(notified)
    };
    let cluster = Cluster {
        since: opened,
        incidents: 2,
        recovered: ["orders-cache".parse().unwrap()].into(),
        notified: Notified::At {
            first: since,
            last: since,
            reminders: 0,
        },
        urgency: Urgency::Normal,
    };
    DecisionState {
        revision: 7,
        incidents: BTreeMap::from([
            (("orders-db".parse().unwrap(), Track::Health), member),
            (("orders-db".parse().unwrap(), Track::Quality), flapping),
        ]),
        clusters: BTreeMap::from([("orders-db@2026-11-22T05:40:00Z.7".parse().unwrap(), cluster)]),
        changes: BTreeMap::from([(
            ("orders-db".parse().unwrap(), Track::Health),
            vec![tick("2026-11-22T05:37:00Z"), opened],
        )]),
        advisories: BTreeMap::from([("cache".parse().unwrap(), advisory)]),
        locations: BTreeMap::from([
            ("eu-west-1".parse().unwrap(), LocationReporting::Silent(since)),
            ("us-east-1".parse().unwrap(), LocationReporting::Returned),
        ]),
        broken: ["No Id".to_owned()].into(),
        more_broken: 0,
        outbox: outbox(),
        closed: vec![closed_incident()],
    }
}

pub(super) fn fleet_state() -> FleetState {
    let problem = FleetProblem {
        since: time("2026-11-22T05:40:01Z"),
        revision: 3,
        groups: BTreeMap::from([(group(), time("2026-11-22T05:41:01Z"))]),
    };
    FleetState {
        revision: 3,
        problems: BTreeMap::from([(("eu-west-1".parse().unwrap(), LocationProblem::Silent), problem)]),
        outbox: Outbox::default(),
    }
}

pub(super) fn home_failures() -> HomeFailures {
    HomeFailures {
        first: tick("2026-11-22T05:39:00Z"),
        latest: tick(TICK),
        ticks: 3,
    }
}

pub(super) fn home_loss() -> HomeLoss {
    HomeLoss {
        revision: 4,
        began: 3,
        locations: BTreeMap::from([("eu-west-1".parse().unwrap(), time("2026-11-22T05:39:00Z"))]),
        notified: Some(time("2026-11-22T05:41:01Z")),
        outbox: outbox(),
    }
}

pub(super) fn observations() -> Observations {
    let open = |micros, remark| Seen::Open {
        connect: Duration::from_micros(micros),
        others: OtherPhases::default(),
        remark,
    };
    let of_ready = Seen::Open {
        connect: Duration::from_micros(12_340),
        others: ready(1, 30, 5),
        remark: Remark::None,
    };
    let seen = [
        ("bank", of_ready),
        ("cache", open(310, Remark::None)),
        ("mail", open(1_012_500, Remark::Retransmitted)),
        ("orders-db", Seen::Failed(FailureClass::Timeout)),
        ("v6-only", Seen::NoData(NoData::NoRoute)),
    ];
    seen.into_iter()
        .map(|(id, seen)| (id.parse().unwrap(), Observation::from(seen)))
        .collect()
}

pub(super) fn banners() -> Banners {
    let banner = |text, at| Banner {
        text: Detail::new(text).unwrap(),
        at: tick(at),
    };
    Banners {
        tick: tick(TICK),
        by_monitor: BTreeMap::from([
            ("bastion".parse().unwrap(), banner("SSH-2.0-OpenSSH_9.6", TICK)),
            (
                "mail".parse().unwrap(),
                banner("220 mail.example.com ESMTP", "2026-11-22T03:00:00Z"),
            ),
        ]),
    }
}

pub(super) fn control() -> Control {
    let note = |by, at, why| Note::new(by, time(at), why).unwrap();
    Control {
        revision: 2,
        silence: Some(Silence {
            until: time("2026-11-22T09:00:00Z"),
            note: note("ann", "2026-11-22T07:00:00Z", Some("a new switch")),
        }),
        acknowledgement: Some(Acknowledgement {
            incidents: ["orders-db@2026-11-22T05:40:00Z.7".to_owned()].into(),
            note: note("bob", "2026-11-22T05:45:00Z", None),
        }),
    }
}

pub(super) fn definition() -> serde_json::Map<String, Value> {
    let attributes = json!({
        "host": "db.example.com", "service": "postgres", "interval": "1m", "failures_to_open": 1,
        "tags": ["prod"], "enabled": true, "depends_on": ["router"], "depends_on_groups": { "router": "1m#0" },
    });
    attributes.as_object().unwrap().clone()
}
