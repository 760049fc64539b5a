//! The largest decision state and fleet state. `portpulse-testkit` measures the largest items of all other kinds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use portpulse_core::diagnosis::{Diagnosis, Layer};
use portpulse_core::group::{GroupId, MAX_LOCATIONS, MAX_MONITORS_PER_GROUP};
use portpulse_core::group_state::{
    Cause, CauseChange, ClosedIncident, Cluster, DecisionState, Ending, FleetProblem, FleetState, Health,
    Incident, IncidentId, LocationProblem, LocationReporting, MAX_BROKEN, MAX_CAUSE_CHANGES, MAX_CLUSTERS,
    Notified, Stability, Status, Track, Urgency,
};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_core::outcome::{Detail, DnsFailure, FailureClass};
use portpulse_core::round::{MAX_BROKEN_ID_BYTES, broken_id};
use portpulse_core::time::{Interval, Tick};

use super::samples::{TICK, finding, group, incident, tick, time};
use super::*;
use crate::{keys, size};

/// A claimant of the maximum length: a Lambda request id.
const CLAIMANT_OF_MAX_LENGTH: &str = "8c4f2a7e-1b3d-4c5e-9f60-718293a4b5c6";
const LATE: &str = "2026-11-22T05:40:07Z";
/// Ten writes a minute for nineteen hundred years.
const LATEST_REVISION: u64 = 9_999_999_999;

fn id_of_max_length(number: usize) -> MonitorId {
    format!("{number:064}").parse().unwrap()
}

fn location_of_max_length(number: usize) -> Location {
    format!("{number:032}").parse().unwrap()
}

/// The largest incident without details: notified twice, with reminders, escalated, and notified as flapping.
fn largest_incident(status: Status) -> Incident {
    Incident {
        status,
        revision: LATEST_REVISION,
        finding: finding(Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure)), ""),
        // Evidence is left out of a state that is too large.
        diagnosis: Some(Diagnosis {
            layer: Layer::Dependency,
            evidence: None,
        }),
        urgency: Urgency::Escalated,
        stability: Stability::Flapping {
            state: Health::Failing,
            notified: Some(time(LATE)),
        },
        ..incident(Notified::At {
            first: time(TICK),
            last: time(LATE),
            reminders: 999_999,
        })
    }
}

/// A cluster with the longest id, notified twice.
fn largest_cluster(number: usize) -> (IncidentId, Cluster) {
    let id = IncidentId {
        monitor: id_of_max_length(number),
        opened: tick(TICK),
        revision: LATEST_REVISION,
        track: Track::Visibility,
    };
    let cluster = Cluster {
        since: tick(TICK),
        incidents: u32::MAX,
        recovered: BTreeSet::new(),
        notified: Notified::At {
            first: time(TICK),
            last: time(LATE),
            reminders: 999_999,
        },
        urgency: Urgency::Escalated,
    };
    (id, cluster)
}

/// The largest decision state with an empty outbox: two open incidents for each monitor, the maximum at the same time,
/// and every definition broken.
fn largest_steady_state(monitors: usize) -> DecisionState {
    let mut state = DecisionState {
        revision: LATEST_REVISION,
        ..DecisionState::default()
    };
    // One change more than the maximum, spread over an hour.
    let change = |number: i64| time(TICK) + SignedDuration::from_mins(number * 3);
    let changes: Vec<_> = (0..=20)
        .map(|number| Tick::containing(change(number), Interval::OneMinute))
        .collect();
    state.clusters = (0..MAX_CLUSTERS).map(largest_cluster).collect();
    for id in (0..monitors).map(id_of_max_length) {
        for (track, status) in [
            (Track::Health, Status::Exposed),
            (Track::Quality, Status::Degraded),
        ] {
            let incident = Incident {
                cluster: state.clusters.keys().last().cloned(),
                ..largest_incident(status)
            };
            state.incidents.insert((id.clone(), track), incident);
            state.changes.insert((id.clone(), track), changes.clone());
        }
    }
    // Ids of no monitor, so that each has an entry of its own.
    state.broken = (0..MAX_BROKEN)
        .map(|number| broken_id(&format!("{number:01024}")))
        .collect();
    assert!(state.broken.iter().all(|id| id.len() == MAX_BROKEN_ID_BYTES));
    state.more_broken = usize::MAX;
    let suspect = LocationReporting::Suspect(time(LATE));
    let locations = (0..MAX_LOCATIONS).map(location_of_max_length);
    state
        .locations
        .extend(locations.map(|location| (location, suspect)));
    state
}

/// The maximum that one decision can add to the outbox and to the closed incidents for one monitor, claimed.
fn largest_outbox_of_monitor(id: &MonitorId) -> (Vec<Pending>, Vec<ClosedIncident>) {
    let pending = |word: &str| Pending {
        id: format!("{id}@{TICK}.{LATEST_REVISION}.quality/{word}"),
        kind: Kind::CertificateExpiring,
        subject: Subject::Monitor(id.clone()),
        status: Status::Degraded,
        cause: Some(Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure))),
        urgency: Urgency::Escalated,
        monitors: u32::MAX,
        members: BTreeSet::new(),
        since: time(TICK),
        at: time(LATE),
        claim: Some(Claim {
            by: Claimant::new(CLAIMANT_OF_MAX_LENGTH),
            at: time(LATE),
        }),
    };
    let closed = |status, track| ClosedIncident {
        monitor: id.clone(),
        track,
        incident: Incident {
            cluster: Some(largest_cluster(0).0),
            finding: finding(
                Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure)),
                &"x".repeat(Detail::MAX_BYTES),
            ),
            cause_changes: vec![
                CauseChange {
                    at: tick(TICK),
                    before: Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure)),
                };
                MAX_CAUSE_CHANGES
            ],
            ..largest_incident(status)
        },
        closed: tick(TICK),
        ending: Ending::Recovered,
    };
    // One notification for each track, and one for the end of an advisory.
    let notified = [
        "certificate_expiring-for-good",
        "certificate_expiring-for-good",
        "advisory_over",
    ];
    let closed = [
        closed(Status::Exposed, Track::Health),
        closed(Status::Degraded, Track::Quality),
    ];
    (notified.map(pending).to_vec(), closed.to_vec())
}

#[test]
fn largest_decision_state_has_room_for_one_more_monitor() {
    let key = keys::decision_state(group());
    // The ids of recovered monitors are left out of a state that is too large.
    let mut state = largest_steady_state(MAX_MONITORS_PER_GROUP);
    for flapped in [None, Some(tick(TICK))] {
        for incident in state.incidents.values_mut().filter(|_| flapped.is_some()) {
            (incident.stability, incident.flapped_until) = (Stability::StoppedFlapping, flapped);
        }
        let steady = size::item(&decision_state::encode(&key, &state));
        let (pending, closed) = largest_outbox_of_monitor(&id_of_max_length(0));
        let (outbox, closed) = (Outbox::new(pending), closed);
        let more = DecisionState {
            outbox,
            closed,
            ..state.clone()
        };
        let one_more = size::item(&decision_state::encode(&key, &more));
        eprintln!("decision state: {steady} bytes, {one_more} with the outbox of one monitor");
        assert!(one_more < size::MAX_BYTES, "{steady}, {one_more}");
        assert!(steady > size::MAX_BYTES * 4 / 5, "{steady}");
    }
}

/// The size of the fleet state in which each of `groups` groups records every location as silent or suspect.
fn fleet_bytes(groups: u32) -> usize {
    let notes = |half: u32| -> BTreeMap<GroupId, Timestamp> {
        let mine = (0..groups).filter(|shard| shard % 2 == half);
        let interval = Interval::ThirtyMinutes;
        mine.map(|shard| (GroupId { interval, shard }, time(LATE)))
            .collect()
    };
    let mut state = FleetState {
        revision: LATEST_REVISION,
        ..FleetState::default()
    };
    for location in (0..MAX_LOCATIONS).map(location_of_max_length) {
        // One group observes one problem of a location at a time.
        for (half, problem) in [(0, LocationProblem::Silent), (1, LocationProblem::Suspect)] {
            let state_of_problem = FleetProblem {
                since: time(LATE),
                revision: LATEST_REVISION,
                groups: notes(half),
            };
            state
                .problems
                .insert((location.clone(), problem), state_of_problem);
        }
    }
    size::item(&fleet_state::encode(&keys::fleet_state(), &state))
}

#[test]
fn largest_fleet_state_of_100000_monitors_fits() {
    let bytes = fleet_bytes(250);
    eprintln!("fleet state: {bytes} bytes with 250 groups and {MAX_LOCATIONS} locations");
    assert!(bytes < size::MAX_BYTES, "{bytes}");
}
