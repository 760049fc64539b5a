//! Sizes of items: of a nominal tick, and the largest of each kind.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_core::banners::{Banner, Banners};
use portpulse_core::choice::Expect;
use portpulse_core::group::{GroupId, MAX_LOCATIONS, MAX_MONITORS_PER_GROUP};
use portpulse_core::group_state::{
    Cause, ClosedIncident, DecisionState, Ending, Entry, FleetProblem, FleetState, Health, Impairment,
    Incident, LocationProblem, LocationReporting, LocationState, MAX_BROKEN, Notified, Stability, Status,
    Streak, Streaks, Track, Urgency,
};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_core::outcome::{Detail, DnsFailure, FailureClass};
use portpulse_core::rollup::{Rollup, Tally};
use portpulse_core::round::{MAX_BROKEN_ID_BYTES, Observations, broken_id};
use portpulse_core::time::{Interval, Tick};

use super::samples::{TICK, finding, group, incident, tick, time};
use super::*;
use crate::{keys, size};

fn location() -> Location {
    "ap-southeast-1".parse().unwrap()
}

/// The other phases of a check with a connect time of 123.45 ms: a cached name, TLS in two round trips, one request.
fn ready() -> OtherPhases<Option<Duration>> {
    let phases = OtherPhases {
        dns: 1,
        tls: 247,
        ready: 123,
    };
    phases.map(|ms| Some(Duration::from_millis(*ms)))
}

/// The write units of a nominal tick: results of monitors with ids of 20 characters, and the location state.
fn nominal_units(monitors: usize, others: OtherPhases<Option<Duration>>) -> usize {
    let seen = Seen::Open {
        connect: Duration::from_micros(123_450),
        others,
        remark: Remark::None,
    };
    let observation = Observation { seen, detail: None };
    let id = |number: usize| format!("orders-database-{number:04}").parse().unwrap();
    let seen: Observations = (0..monitors)
        .map(|number| (id(number), observation.clone()))
        .collect();
    let state = LocationState {
        tick: tick(TICK),
        entries: BTreeMap::new(),
    };
    let items = [
        results::encode(
            &keys::results(group(), tick(TICK), &location()),
            tick(TICK),
            &seen,
        ),
        location_state::encode(&keys::location_state(group(), &location()), &state),
    ];
    items.iter().map(|item| size::write_units(size::item(item))).sum()
}

#[test]
fn nominal_tick_stays_within_write_units() {
    for (monitors, most) in [(400, 16), (50, 3)] {
        for others in [OtherPhases::default(), ready()] {
            let units = nominal_units(monitors, others);
            assert!(
                units <= most,
                "{monitors} monitors with {others:?} cost {units} write units"
            );
        }
    }
}

/// A claimant of the maximum length: a Lambda request id.
const LONGEST_CLAIMANT: &str = "8c4f2a7e-1b3d-4c5e-9f60-718293a4b5c6";
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

/// The largest decision state with an empty outbox: two open incidents for each monitor, the maximum at the same time,
/// and every definition broken.
fn largest_steady_state(monitors: usize) -> DecisionState {
    let mut state = DecisionState {
        revision: LATEST_REVISION,
        ..DecisionState::default()
    };
    // One change more than the maximum, spread over an hour.
    let changes: Vec<_> = (0..=20)
        .map(|number| {
            Tick::containing(
                time(TICK) + SignedDuration::from_mins(number * 3),
                Interval::OneMinute,
            )
        })
        .collect();
    for id in (0..monitors).map(id_of_max_length) {
        for (track, status) in [
            (Track::Health, Status::Exposed),
            (Track::Quality, Status::Degraded),
        ] {
            state
                .incidents
                .insert((id.clone(), track), largest_incident(status));
            state.changes.insert((id.clone(), track), changes.clone());
        }
    }
    // Ids of no monitor, so that each has an entry of its own.
    state.broken = (0..MAX_BROKEN)
        .map(|number| broken_id(&format!("{number:01024}")))
        .collect();
    assert!(state.broken.iter().all(|id| id.len() == MAX_BROKEN_ID_BYTES));
    state.more_broken = usize::MAX;
    let silent = (0..MAX_LOCATIONS).map(|number| {
        (
            location_of_max_length(number),
            LocationReporting::Suspect(time(LATE)),
        )
    });
    state.locations.extend(silent);
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
        since: time(TICK),
        at: time(LATE),
        claim: Some(Claim {
            by: Claimant::new(LONGEST_CLAIMANT),
            at: time(LATE),
        }),
    };
    let closed = |status, track| ClosedIncident {
        monitor: id.clone(),
        track,
        incident: Incident {
            finding: finding(
                Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure)),
                &"x".repeat(Detail::MAX_BYTES),
            ),
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
    let mut state = largest_steady_state(MAX_MONITORS_PER_GROUP);
    let steady = size::item(&decision_state::encode(&key, &state));
    let (pending, closed) = largest_outbox_of_monitor(&id_of_max_length(0));
    (state.outbox, state.closed) = (Outbox::new(pending), closed);
    let one_more = size::item(&decision_state::encode(&key, &state));
    eprintln!("decision state: {steady} bytes, {one_more} with the outbox of one monitor");
    assert!(one_more < size::MAX_BYTES, "{steady}, {one_more}");
    assert!(steady > size::MAX_BYTES * 4 / 5, "{steady}");
}

#[test]
fn largest_location_state_fits() {
    let streaks = Streaks {
        seen: tick(TICK),
        health: Streak {
            state: Health::Failing,
            ticks: u32::MAX,
            since: tick(TICK),
        },
        quality: Some(Streak {
            state: Impairment::Impaired,
            ticks: u32::MAX,
            since: tick(TICK),
        }),
        finding: finding(
            Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure)),
            &"x".repeat(Detail::MAX_BYTES),
        ),
    };
    let entries =
        (0..MAX_MONITORS_PER_GROUP).map(|number| (id_of_max_length(number), Entry::Seen(streaks.clone())));
    let state = LocationState {
        tick: tick(TICK),
        entries: entries.collect(),
    };
    let bytes = size::item(&location_state::encode(
        &keys::location_state(group(), &location_of_max_length(0)),
        &state,
    ));
    eprintln!("location state: {bytes} bytes");
    assert!(bytes < size::MAX_BYTES, "{bytes}");
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
            let problem = (
                (location.clone(), problem),
                FleetProblem {
                    since: time(LATE),
                    revision: LATEST_REVISION,
                    groups: notes(half),
                },
            );
            state.problems.extend([problem]);
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

/// The sizes of the rollup and of the other phases' times of one location, where `times` is the time of each phase in
/// each tick.
fn rollup_bytes(monitors: usize, ticks: u64, times: impl Fn(u64) -> Duration) -> (usize, usize) {
    let mut tally = Tally::default();
    for number in 0..ticks {
        let connect = times(number);
        let seen = Seen::Open {
            connect,
            others: ready().map(|_| Some(connect)),
            remark: Remark::None,
        };
        tally.count(Expect::Open, seen);
    }
    let id = |number: usize| format!("orders-database-{number:04}").parse().unwrap();
    let rollup: Rollup = (0..monitors).map(|number| (id(number), tally.clone())).collect();
    let day = "2026-11-22".parse().unwrap();
    let key = keys::rollup(group(), day, &location());
    let key_of_others = keys::other_times(group(), day, &location());
    let others = portpulse_core::rollup::other_times(&rollup);
    (
        size::item(&rollup::encode(&key, day, &rollup)),
        size::item(&other_times::encode(&key_of_others, day, &others)),
    )
}

#[test]
fn rollups_fit_for_all_distributions_of_times() {
    // 20 to 25 ms, as between two regions; some twice as long.
    let usual = |number: u64| {
        Duration::from_micros((20_000 + number * 7_919 % 5_000) << u32::from(number.is_multiple_of(50)))
    };
    for (ticks, most, most_of_others) in [(60, 4 * 1024, 7 * 1024), (1_440, 5 * 1024, 10 * 1024)] {
        let (bytes, of_others) = rollup_bytes(50, ticks, usual);
        assert!(bytes < most && of_others < most_of_others, "{bytes}, {of_others}");
    }
    // Every bucket below the maximum timeout of 30 s, with many times each.
    let widest =
        |number: u64| Duration::from_micros(1.02_f64.powi(i32::try_from(number % 900).unwrap()) as u64 * 10);
    let (bytes, _) = rollup_bytes(400, 1_440, widest);
    assert!(bytes < size::MAX_BYTES && bytes > size::MAX_BYTES / 2, "{bytes}");
    // All buckets from 10 ms to one second, for three phases, within one day.
    let wide = |number: u64| {
        Duration::from_millis(10) + Duration::from_micros(number * number * 990_000 / 2_073_600)
    };
    let (_, of_others) = rollup_bytes(400, 1_440, wide);
    assert!(of_others < size::MAX_BYTES, "{of_others}");
}

#[test]
fn banners_of_max_length_fit() {
    let text = Detail::new(&"x".repeat(1_000)).unwrap();
    assert!(text.as_str().len() <= Detail::MAX_BYTES);
    for at in [tick(TICK), tick("2026-11-22T03:00:00Z")] {
        let banner = |number: usize| {
            let text = text.clone();
            (format!("{number:064}").parse().unwrap(), Banner { text, at })
        };
        let banners = Banners {
            tick: tick(TICK),
            by_monitor: (0..400).map(banner).collect(),
        };
        let bytes = size::item(&banners::encode(
            &keys::banners_of(group(), &location()),
            &banners,
        ));
        assert!(
            bytes < size::MAX_BYTES / 2 && bytes > 400 * Detail::MAX_BYTES,
            "{bytes}"
        );
    }
}
