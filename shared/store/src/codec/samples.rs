//! One row of every kind, as it would be after a bad morning.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::board::{
    Advisory, Cause, ClosedIncident, Ending, Entry, Finding, FleetRow, FleetTrouble, Health, Impairment,
    Incident, Pace, RegionRow, RegionState, Streak, Streaks, Told, Track, Trouble, Urgency, Verdict,
    VerdictRow,
};
use portpulse_core::choice::Expect;
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::group::GroupId;
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_core::outcome::{Detail, FailureClass, NoData};
use portpulse_core::rollup::{OtherTimes, Rollup, Tally};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;
use portpulse_core::words::{Said, Words};
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

pub(super) fn incident(told: Told) -> Incident {
    Incident {
        verdict: Verdict::Down,
        opened: tick("2026-11-22T05:40:00Z"),
        revision: 7,
        since: tick("2026-11-22T05:39:00Z"),
        finding: finding(
            Cause::Failed(FailureClass::Refused),
            "57P03 the database is starting",
        ),
        told,
        urgency: Urgency::Usual,
        pace: Pace::Steady,
    }
}

pub(super) fn closed_incident() -> ClosedIncident {
    let first = time("2026-11-22T05:40:07.5Z");
    let last = time("2026-11-22T05:45:03Z");
    ClosedIncident {
        monitor: "orders-db".parse().unwrap(),
        track: Track::Health,
        incident: Incident {
            urgency: Urgency::Raised,
            ..incident(Told::At {
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
    let mut well = Tally::default();
    for hundredths in [980, 990, 1_000, 1_100, 4_200] {
        let connect = Duration::from_micros(hundredths * 10);
        let others = ready(1, hundredths / 40, 7);
        let remark = Remark::None;
        well.count(
            Expect::Open,
            Seen::Open {
                connect,
                others,
                remark,
            },
        );
    }
    let mut ill = Tally::default();
    for seen in ["refused", "timeout", "refused", "no_data_no_route"] {
        ill.count(Expect::Open, seen.parse().unwrap());
    }
    BTreeMap::from([
        ("orders-db".parse().unwrap(), well),
        ("cache".parse().unwrap(), ill),
    ])
}

pub(super) fn other_times() -> OtherTimes {
    portpulse_core::rollup::other_times(&rollup())
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
        verdict: Verdict::Down,
        cause: Some(Cause::Failed(FailureClass::Timeout)),
        urgency: Urgency::Raised,
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
            "eu-west-1.3/region_silent",
            Kind::RegionSilent,
            Subject::Region("eu-west-1".parse().unwrap()),
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

pub(super) fn region_row() -> RegionRow {
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
    };
    let since = tick(TICK);
    RegionRow {
        tick: tick(TICK),
        entries: BTreeMap::from([
            ("orders-db".parse().unwrap(), Entry::Seen(failing)),
            ("cache".parse().unwrap(), Entry::Unseen { since }),
        ]),
    }
}

pub(super) fn verdict_row() -> VerdictRow {
    let opened = tick("2026-11-22T05:40:00Z");
    let told = Told::NotYet;
    let since = time("2026-11-22T05:40:01Z");
    let advisory = Advisory {
        opened,
        revision: 6,
        told,
    };
    let flapping = Incident {
        verdict: Verdict::Degraded,
        pace: Pace::Flapping {
            state: Health::Good,
            told: Some(since),
        },
        ..incident(told)
    };
    VerdictRow {
        revision: 7,
        incidents: BTreeMap::from([
            (("orders-db".parse().unwrap(), Track::Health), incident(told)),
            (("orders-db".parse().unwrap(), Track::Quality), flapping),
        ]),
        changes: BTreeMap::from([(
            ("orders-db".parse().unwrap(), Track::Health),
            vec![tick("2026-11-22T05:37:00Z"), opened],
        )]),
        advisories: BTreeMap::from([("cache".parse().unwrap(), advisory)]),
        regions: BTreeMap::from([
            ("eu-west-1".parse().unwrap(), RegionState::Silent(since)),
            ("us-east-1".parse().unwrap(), RegionState::Returned),
        ]),
        broken: ["No Id".to_owned()].into(),
        outbox: outbox(),
        closed: vec![closed_incident()],
    }
}

pub(super) fn fleet_row() -> FleetRow {
    let trouble = FleetTrouble {
        since: time("2026-11-22T05:40:01Z"),
        revision: 3,
        groups: BTreeMap::from([(group(), time("2026-11-22T05:41:01Z"))]),
    };
    FleetRow {
        revision: 3,
        troubles: BTreeMap::from([(("eu-west-1".parse().unwrap(), Trouble::Silent), trouble)]),
        outbox: Outbox::default(),
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
    let of = |seen| Observation { seen, detail: None };
    seen.into_iter()
        .map(|(id, seen)| (id.parse().unwrap(), of(seen)))
        .collect()
}

pub(super) fn words() -> Words {
    let said = |text, at| Said {
        text: Detail::new(text).unwrap(),
        at: tick(at),
    };
    Words {
        tick: tick(TICK),
        said: BTreeMap::from([
            ("bastion".parse().unwrap(), said("SSH-2.0-OpenSSH_9.6", TICK)),
            (
                "mail".parse().unwrap(),
                said("220 mail.example.com ESMTP", "2026-11-22T03:00:00Z"),
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
