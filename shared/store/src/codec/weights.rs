//! What the items of a tick weigh: in a quiet minute, and when everything is down.

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

/// The phases beside a connect of 123.45 ms: a name from a cache, TLS in two round trips, one question.
fn ready() -> OtherPhases<Option<Duration>> {
    let phases = OtherPhases {
        dns: 1,
        tls: 247,
        ready: 123,
    };
    phases.map(|ms| Some(Duration::from_millis(*ms)))
}

/// The write units of a nominal tick: results of monitors whose ids are 20 characters long, and the row.
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
    let row = LocationState {
        tick: tick(TICK),
        entries: BTreeMap::new(),
    };
    let items = [
        results::encode(
            &keys::results(group(), tick(TICK), &location()),
            tick(TICK),
            &seen,
        ),
        location_state::encode(&keys::location_state(group(), &location()), &row),
    ];
    items.iter().map(|item| size::write_units(size::item(item))).sum()
}

#[test]
fn a_nominal_tick_costs_few_write_units() {
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

/// The longest that a monitor's id, a location's name, an invocation's name and a time in a row become.
const MAX_CLAIMANT_LENGTH: &str = "8c4f2a7e-1b3d-4c5e-9f60-718293a4b5c6";
const LATE: &str = "2026-11-22T05:40:07Z";
/// As many writes as ten a minute make in nineteen hundred years.
const LATEST_REVISION: u64 = 9_999_999_999;

fn longest_id(number: usize) -> MonitorId {
    format!("{number:064}").parse().unwrap()
}

fn longest_location(number: usize) -> Location {
    format!("{number:032}").parse().unwrap()
}

/// The largest incident: told twice and reminded of, escalated, flapping and told so, without its details.
fn largest_incident(status: Status) -> Incident {
    Incident {
        status,
        revision: LATEST_REVISION,
        finding: finding(Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure)), ""),
        urgency: Urgency::Raised,
        pace: Stability::Flapping {
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

/// The largest decision row in which nothing waits: two tracks of each monitor are open, the most that can be at once,
/// and as many definitions are broken as it names.
fn largest_steady_row(monitors: usize) -> DecisionState {
    let mut row = DecisionState {
        revision: LATEST_REVISION,
        ..DecisionState::default()
    };
    // One change more than the limit, spread over an hour.
    let changes: Vec<_> = (0..=20)
        .map(|number| {
            Tick::containing(
                time(TICK) + SignedDuration::from_mins(number * 3),
                Interval::OneMinute,
            )
        })
        .collect();
    for id in (0..monitors).map(longest_id) {
        for (track, status) in [
            (Track::Health, Status::Exposed),
            (Track::Quality, Status::Degraded),
        ] {
            row.incidents
                .insert((id.clone(), track), largest_incident(status));
            row.changes.insert((id.clone(), track), changes.clone());
        }
    }
    // Ids that are no ids of monitors, so that each has an entry of its own.
    row.broken = (0..MAX_BROKEN)
        .map(|number| broken_id(&format!("{number:01024}")))
        .collect();
    assert!(row.broken.iter().all(|id| id.len() == MAX_BROKEN_ID_BYTES));
    row.more_broken = usize::MAX;
    let silent =
        (0..MAX_LOCATIONS).map(|number| (longest_location(number), LocationReporting::Suspect(time(LATE))));
    row.locations.extend(silent);
    row
}

/// All that one decision can have to tell of one monitor, and to file, each claimed.
fn most_that_waits(id: &MonitorId) -> (Vec<Pending>, Vec<ClosedIncident>) {
    let pending = |word: &str| Pending {
        id: format!("{id}@{TICK}.{LATEST_REVISION}.quality/{word}"),
        kind: Kind::CertificateExpiring,
        subject: Subject::Monitor(id.clone()),
        status: Status::Degraded,
        cause: Some(Cause::Failed(FailureClass::Dns(DnsFailure::ServerFailure))),
        urgency: Urgency::Raised,
        since: time(TICK),
        at: time(LATE),
        claim: Some(Claim {
            by: Claimant::new(MAX_CLAIMANT_LENGTH),
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
    // One for each track, and an advisory that ends.
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
fn the_largest_status_row_of_a_full_group_has_room_for_what_one_monitor_brings() {
    let key = keys::decision_state(group());
    let mut row = largest_steady_row(MAX_MONITORS_PER_GROUP);
    let steady = size::item(&decision_state::encode(&key, &row));
    let (pending, closed) = most_that_waits(&longest_id(0));
    (row.outbox, row.closed) = (Outbox::new(pending), closed);
    let one_more = size::item(&decision_state::encode(&key, &row));
    eprintln!("decision row: {steady} bytes, {one_more} with what one monitor brings");
    assert!(one_more < size::MAX_BYTES, "{steady}, {one_more}");
    assert!(steady > size::MAX_BYTES * 4 / 5, "{steady}");
}

#[test]
fn the_largest_location_row_of_a_full_group_fits() {
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
        (0..MAX_MONITORS_PER_GROUP).map(|number| (longest_id(number), Entry::Seen(streaks.clone())));
    let row = LocationState {
        tick: tick(TICK),
        entries: entries.collect(),
    };
    let bytes = size::item(&location_state::encode(
        &keys::location_state(group(), &longest_location(0)),
        &row,
    ));
    eprintln!("location row: {bytes} bytes");
    assert!(bytes < size::MAX_BYTES, "{bytes}");
}

/// The fleet row in which each of so many groups notes every location, as silent or suspect.
fn fleet_bytes(groups: u32) -> usize {
    let notes = |half: u32| -> BTreeMap<GroupId, Timestamp> {
        let mine = (0..groups).filter(|shard| shard % 2 == half);
        let interval = Interval::ThirtyMinutes;
        mine.map(|shard| (GroupId { interval, shard }, time(LATE)))
            .collect()
    };
    let mut row = FleetState {
        revision: LATEST_REVISION,
        ..FleetState::default()
    };
    for location in (0..MAX_LOCATIONS).map(longest_location) {
        // One group sees one trouble of a location at a time.
        for (half, problem) in [(0, LocationProblem::Silent), (1, LocationProblem::Suspect)] {
            let problem = (
                (location.clone(), problem),
                FleetProblem {
                    since: time(LATE),
                    revision: LATEST_REVISION,
                    groups: notes(half),
                },
            );
            row.problems.extend([problem]);
        }
    }
    size::item(&fleet_state::encode(&keys::fleet_state(), &row))
}

#[test]
fn the_largest_fleet_row_of_a_hundred_thousand_monitors_fits() {
    let bytes = fleet_bytes(250);
    eprintln!("fleet row: {bytes} bytes with 250 groups and {MAX_LOCATIONS} locations");
    assert!(bytes < size::MAX_BYTES, "{bytes}");
}

/// What one location saw over a period of so many ticks, where all phases take as long as these times: the bytes of the
/// rollup, and those of the phases but the connect.
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
fn rollups_are_small_and_fit_whatever_the_times() {
    // 20 to 25 ms, as between two locations; now and then twice as much.
    let usual = |number: u64| {
        Duration::from_micros((20_000 + number * 7_919 % 5_000) << u32::from(number.is_multiple_of(50)))
    };
    for (ticks, most, most_of_others) in [(60, 4 * 1024, 7 * 1024), (1_440, 5 * 1024, 10 * 1024)] {
        let (bytes, of_others) = rollup_bytes(50, ticks, usual);
        assert!(bytes < most && of_others < most_of_others, "{bytes}, {of_others}");
    }
    // Every bucket there is below the longest timeout of 30 s, each held by many.
    let widest =
        |number: u64| Duration::from_micros(1.02_f64.powi(i32::try_from(number % 900).unwrap()) as u64 * 10);
    let (bytes, _) = rollup_bytes(400, 1_440, widest);
    assert!(bytes < size::MAX_BYTES && bytes > size::MAX_BYTES / 2, "{bytes}");
    // Of three phases, each from 10 ms up to a second within one day: all the buckets in between.
    let wide = |number: u64| {
        Duration::from_millis(10) + Duration::from_micros(number * number * 990_000 / 2_073_600)
    };
    let (_, of_others) = rollup_bytes(400, 1_440, wide);
    assert!(of_others < size::MAX_BYTES, "{of_others}");
}

#[test]
fn words_fit_however_long_they_are_and_however_old() {
    let text = Detail::new(&"x".repeat(1_000)).unwrap();
    assert!(text.as_str().len() <= Detail::MAX_BYTES);
    for at in [tick(TICK), tick("2026-11-22T03:00:00Z")] {
        let banner = |number: usize| {
            let text = text.clone();
            (format!("{number:064}").parse().unwrap(), Banner { text, at })
        };
        let banners = Banners {
            tick: tick(TICK),
            banner: (0..400).map(banner).collect(),
        };
        let bytes = size::item(&banners::encode(&keys::words_of(group(), &location()), &banners));
        assert!(
            bytes < size::MAX_BYTES / 2 && bytes > 400 * Detail::MAX_BYTES,
            "{bytes}"
        );
    }
}
