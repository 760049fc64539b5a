//! What the items of a tick weigh: in a quiet minute, and when everything is down.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::board::{Cause, Incident, RegionRow, Told, Track, Urgency, Verdict, VerdictRow};
use portpulse_core::choice::Expect;
use portpulse_core::id::Region;
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_core::rollup::{Rollup, Tally};
use portpulse_core::round::Observations;
use portpulse_core::words::{Said, Words};

use super::samples::{TICK, finding, group, incident, tick, time};
use super::*;
use crate::{keys, size};

fn region() -> Region {
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
    let row = RegionRow {
        tick: tick(TICK),
        entries: BTreeMap::new(),
    };
    let items = [
        results::encode(&keys::results(group(), tick(TICK), &region()), tick(TICK), &seen),
        region_row::encode(&keys::region_row(group(), &region()), &row),
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

#[test]
fn a_group_of_which_everything_is_down_still_fits() {
    let id = |number: usize| format!("{number:064}");
    let detail = "x".repeat(190);
    let last = time("2026-11-22T05:40:07.123456789Z");
    let mut row = VerdictRow {
        revision: 1_000_000,
        ..VerdictRow::default()
    };
    let mut pending = Vec::new();
    for number in 0..400 {
        let monitor = id(number);
        pending.push(Pending {
            id: format!("{monitor}@2026-11-22T05:40:00Z.1000000.health/recovered"),
            kind: Kind::Recovered,
            subject: Subject::Monitor(monitor.parse().unwrap()),
            verdict: Verdict::Down,
            cause: Some(Cause::Failed(FailureClass::WrongService)),
            urgency: Urgency::Raised,
            since: time("2026-11-22T05:39:00Z"),
            at: last,
            claim: Some(Claim {
                by: Claimant::new("8c4f2a7e-1b3d-4c5e-9f60-718293a4b5c6"),
                at: last,
            }),
        });
        let incident = Incident {
            finding: finding(Cause::Failed(FailureClass::WrongService), &detail),
            ..incident(Told::At {
                first: last,
                last,
                reminders: 10,
            })
        };
        let key = (monitor.parse().unwrap(), Track::Health);
        // It was down before, within the hour.
        row.changes.insert(key.clone(), vec![tick(TICK); 2]);
        row.incidents.insert(key, incident);
    }
    row.outbox = Outbox::new(pending);
    let bytes = size::item(&verdict_row::encode(&keys::verdict_row(group()), &row));
    assert!(bytes < size::MOST_BYTES, "{bytes}");
}

/// What one region saw over a period of so many ticks, where all phases take as long as these times: the bytes of the
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
    let key = keys::rollup(group(), day, &region());
    let key_of_others = keys::other_times(group(), day, &region());
    let others = portpulse_core::rollup::other_times(&rollup);
    (
        size::item(&rollup::encode(&key, day, &rollup)),
        size::item(&other_times::encode(&key_of_others, day, &others)),
    )
}

#[test]
fn rollups_are_small_and_fit_whatever_the_times() {
    // 20 to 25 ms, as between two regions; now and then twice as much.
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
    assert!(
        bytes < size::MOST_BYTES && bytes > size::MOST_BYTES / 2,
        "{bytes}"
    );
    // Of three phases, each from 10 ms up to a second within one day: all the buckets in between.
    let wide = |number: u64| {
        Duration::from_millis(10) + Duration::from_micros(number * number * 990_000 / 2_073_600)
    };
    let (_, of_others) = rollup_bytes(400, 1_440, wide);
    assert!(of_others < size::MOST_BYTES, "{of_others}");
}

#[test]
fn words_fit_however_long_they_are_and_however_old() {
    let text = Detail::new(&"x".repeat(1_000)).unwrap();
    assert!(text.as_str().len() <= Detail::MAX_BYTES);
    for at in [tick(TICK), tick("2026-11-22T03:00:00Z")] {
        let said = |number: usize| {
            let text = text.clone();
            (format!("{number:064}").parse().unwrap(), Said { text, at })
        };
        let words = Words {
            tick: tick(TICK),
            said: (0..400).map(said).collect(),
        };
        let bytes = size::item(&words::encode(&keys::words_of(group(), &region()), &words));
        assert!(
            bytes < size::MOST_BYTES / 2 && bytes > 400 * Detail::MAX_BYTES,
            "{bytes}"
        );
    }
}
