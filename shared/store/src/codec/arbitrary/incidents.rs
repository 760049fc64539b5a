//! Strategies for the states of decisions and what they contain: streaks, incidents, notifications.

use portpulse_core::diagnosis::{Diagnosis, Evidence, FailurePoint, HostEvidence, Layer};
use portpulse_core::group_state::{
    Advisory, Cause, CauseChange, ClosedIncident, Cluster, DecisionState, Ending, Entry, Finding,
    FleetProblem, FleetState, Health, Impairment, Incident, IncidentId, LocationProblem, LocationReporting,
    LocationState, MAX_CAUSE_CHANGES, Notified, Stability, Status, Streak, Streaks, Track, Urgency,
};
use portpulse_core::home_loss::{HomeFailures, HomeLoss};
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_core::outcome::{Detail, Phase};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::parts::{class, group, location, monitor, tick, time};

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        class().prop_map(Cause::Failed),
        select(vec![
            Cause::Open,
            Cause::Slow,
            Cause::SlowResponse,
            Cause::Warned,
            Cause::Certificate,
            Cause::NoData
        ]),
    ]
}

fn finding() -> impl Strategy<Value = Finding> {
    (cause(), ".{0,250}").prop_map(|(cause, detail)| Finding {
        cause,
        detail: Detail::new(&detail),
    })
}

fn diagnosis() -> impl Strategy<Value = Diagnosis> {
    let host = prop_oneof![
        Just(HostEvidence::Unchecked),
        any::<u16>().prop_map(|port| HostEvidence::Answers { port }),
        Just(HostEvidence::AnswersPing),
        any::<u32>().prop_map(|ports| HostEvidence::Silent { ports }),
        Just(HostEvidence::Mixed),
    ];
    let counts = (any::<u32>(), any::<u32>(), any::<u32>());
    let evidence =
        (counts, host, option::of(monitor())).prop_map(|((failing, good, pending), host, parent)| Evidence {
            failing,
            good,
            pending,
            host,
            parent,
        });
    (select(Layer::ALL), option::of(evidence)).prop_map(|(layer, evidence)| Diagnosis { layer, evidence })
}

fn point() -> impl Strategy<Value = FailurePoint> {
    let phases = select(Phase::ALL);
    (phases, option::of(any::<std::net::IpAddr>()))
        .prop_map(|(phase, address)| FailurePoint { phase, address })
}

fn streak<S: Clone + std::fmt::Debug + 'static>(states: Vec<S>) -> impl Strategy<Value = Streak<S>> {
    (select(states), any::<u32>(), tick()).prop_map(|(state, ticks, since)| Streak { state, ticks, since })
}

fn entry() -> impl Strategy<Value = Entry> {
    let streaks = (
        tick(),
        streak(vec![Health::Good, Health::Failing]),
        option::of(streak(vec![Impairment::Sound, Impairment::Impaired])),
        (option::of(finding()), option::of(point())),
    );
    prop_oneof![
        tick().prop_map(|since| Entry::NoData { since }),
        streaks.prop_map(|(seen, health, quality, (finding, point))| Entry::Seen(Streaks {
            seen,
            health,
            quality,
            finding,
            point,
        })),
    ]
}

pub(in crate::codec) fn location_state() -> impl Strategy<Value = LocationState> {
    (tick(), btree_map(monitor(), entry(), 0..5)).prop_map(|(tick, entries)| LocationState { tick, entries })
}

fn notified() -> impl Strategy<Value = Notified> {
    option::of((time(), time(), any::<u32>())).prop_map(|notified| match notified {
        None => Notified::NotYet,
        Some((first, last, reminders)) => Notified::At {
            first,
            last,
            reminders,
        },
    })
}

fn urgency() -> impl Strategy<Value = Urgency> {
    select(vec![Urgency::Normal, Urgency::Escalated])
}

fn stability() -> impl Strategy<Value = Stability> {
    let state = select(vec![Health::Good, Health::Failing]);
    prop_oneof![
        Just(Stability::Steady),
        Just(Stability::StoppedFlapping),
        (state, option::of(time())).prop_map(|(state, notified)| Stability::Flapping { state, notified }),
    ]
}

fn cause_changes() -> impl Strategy<Value = Vec<CauseChange>> {
    let change = (tick(), cause()).prop_map(|(at, before)| CauseChange { at, before });
    vec(change, 0..=MAX_CAUSE_CHANGES)
}

fn incident() -> impl Strategy<Value = Incident> {
    let parts = (
        select(Status::ALL),
        tick(),
        any::<u64>(),
        (tick(), option::of(tick())),
        (option::of(finding()), option::of(diagnosis()), cause_changes()),
        notified(),
        (urgency(), stability()),
    );
    parts.prop_map(
        |(
            status,
            opened,
            revision,
            (since, flapped_until),
            (finding, diagnosis, cause_changes),
            notified,
            (urgency, stability),
        )| Incident {
            status,
            opened,
            revision,
            since,
            flapped_until,
            finding,
            cause_changes,
            diagnosis,
            cluster: None,
            notified,
            urgency,
            stability,
        },
    )
}

fn track() -> impl Strategy<Value = Track> {
    select(vec![Track::Health, Track::Quality, Track::Visibility])
}

fn incident_id() -> impl Strategy<Value = IncidentId> {
    (monitor(), tick(), any::<u64>(), track()).prop_map(|(monitor, opened, revision, track)| IncidentId {
        monitor,
        opened,
        revision,
        track,
    })
}

pub(in crate::codec) fn closed_incident() -> impl Strategy<Value = ClosedIncident> {
    let endings = select(vec![Ending::Recovered, Ending::Removed]);
    let incident = (incident(), option::of(incident_id()));
    (monitor(), track(), incident, tick(), endings).prop_map(
        |(monitor, track, (incident, cluster), closed, ending)| ClosedIncident {
            monitor,
            track,
            incident: Incident { cluster, ..incident },
            closed,
            ending,
        },
    )
}

fn outbox() -> impl Strategy<Value = Outbox> {
    let subject = prop_oneof![
        monitor().prop_map(Subject::Monitor),
        location().prop_map(Subject::Location),
        ".{1,20}".prop_map(Subject::Definition),
        Just(Subject::Portpulse),
    ];
    let claim = (".{1,40}", time()).prop_map(|(by, at)| Claim {
        by: Claimant::new(by),
        at,
    });
    let pending = (
        ".{1,80}",
        select(Kind::ALL),
        subject,
        select(Status::ALL),
        (
            option::of(cause()),
            urgency(),
            any::<u32>(),
            btree_set(monitor(), 0..3),
        ),
        (time(), time()),
        option::of(claim),
    );
    let pending = pending.prop_map(
        |(id, kind, subject, status, (cause, urgency, monitors, members), (since, at), claim)| Pending {
            id,
            kind,
            subject,
            status,
            cause,
            urgency,
            monitors,
            members,
            since,
            at,
            claim,
        },
    );
    vec(pending, 0..4).prop_map(Outbox::new)
}

fn location_reporting() -> impl Strategy<Value = LocationReporting> {
    prop_oneof![
        time().prop_map(LocationReporting::Awaited),
        time().prop_map(LocationReporting::Silent),
        time().prop_map(LocationReporting::Suspect),
        Just(LocationReporting::Returned),
    ]
}

pub(in crate::codec) fn decision_state() -> impl Strategy<Value = DecisionState> {
    let ended = btree_set(monitor(), 0..3);
    let advisory = (tick(), any::<u64>(), notified(), option::of(monitor()), ended);
    let advisory = advisory.prop_map(|(opened, revision, notified, first, ended)| Advisory {
        opened,
        revision,
        notified,
        first,
        ended,
    });
    let recovered = btree_set(monitor(), 0..3);
    let cluster = (tick(), any::<u32>(), recovered, notified(), urgency());
    let cluster = cluster.prop_map(|(since, incidents, recovered, notified, urgency)| Cluster {
        since,
        incidents,
        recovered,
        notified,
        urgency,
    });
    let parts = (
        any::<u64>(),
        (
            btree_map((monitor(), track()), incident(), 0..4),
            btree_map(incident_id(), cluster, 0..3),
        ),
        btree_map(monitor(), advisory, 0..4),
        btree_map(location(), location_reporting(), 0..4),
        (btree_set(".{1,20}", 0..3), any::<usize>()),
        btree_map((monitor(), track()), vec(tick(), 0..8), 0..4),
        outbox(),
        vec(closed_incident(), 0..3),
    );
    parts.prop_map(
        |(
            revision,
            (mut incidents, clusters),
            advisories,
            locations,
            (broken, more_broken),
            changes,
            outbox,
            closed,
        )| {
            // The incidents of a decision state belong to its clusters.
            for ((_, incident), cluster) in incidents.iter_mut().zip(clusters.keys()) {
                incident.cluster = Some(cluster.clone());
            }
            DecisionState {
                revision,
                incidents,
                clusters,
                advisories,
                locations,
                broken,
                more_broken,
                changes,
                outbox,
                closed,
            }
        },
    )
}

pub(in crate::codec) fn fleet_state() -> impl Strategy<Value = FleetState> {
    let problem = (time(), any::<u64>(), btree_map(group(), time(), 0..3));
    let problem = problem.prop_map(|(since, revision, groups)| FleetProblem {
        since,
        revision,
        groups,
    });
    let key = (
        location(),
        select(vec![LocationProblem::Silent, LocationProblem::Suspect]),
    );
    (any::<u64>(), btree_map(key, problem, 0..4), outbox()).prop_map(|(revision, problems, outbox)| {
        FleetState {
            revision,
            problems,
            outbox,
        }
    })
}

pub(in crate::codec) fn home_failures() -> impl Strategy<Value = HomeFailures> {
    (tick(), tick(), any::<u32>()).prop_map(|(first, latest, ticks)| HomeFailures { first, latest, ticks })
}

pub(in crate::codec) fn home_loss() -> impl Strategy<Value = HomeLoss> {
    let locations = btree_map(location(), time(), 0..4);
    let parts = (
        any::<u64>(),
        any::<u64>(),
        locations,
        option::of(time()),
        outbox(),
    );
    parts.prop_map(|(revision, began, locations, notified, outbox)| HomeLoss {
        revision,
        began,
        locations,
        notified,
        outbox,
    })
}
