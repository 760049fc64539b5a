//! What the items of a tick weigh: in a quiet minute, and when everything is down.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::board::{Cause, Incident, RegionRow, Told, Track, Urgency, Verdict, VerdictRow};
use portpulse_core::choice::Expect;
use portpulse_core::id::Region;
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outbox::{Claim, Claimant, Kind, Outbox, Pending, Subject};
use portpulse_core::outcome::FailureClass;
use portpulse_core::rollup::{Rollup, Tally};
use portpulse_core::round::Observations;

use super::samples::{TICK, finding, group, incident, tick, time};
use super::*;
use crate::{keys, size};

fn region() -> Region {
    "ap-southeast-1".parse().unwrap()
}

/// The write units of a nominal tick: results of monitors whose ids are 20 characters long, and the row.
fn nominal_units(monitors: usize) -> usize {
    let seen = Seen::Open {
        connect: Duration::from_micros(123_450),
        others: OtherPhases::default(),
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
        let units = nominal_units(monitors);
        assert!(units <= most, "{monitors} monitors cost {units} write units");
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

/// What one region saw over a period of so many ticks, of monitors whose connects take anything up to 30 s.
fn rollup_bytes(monitors: usize, ticks: u64, times: impl Fn(u64) -> Duration) -> usize {
    let mut tally = Tally::default();
    for number in 0..ticks {
        let connect = times(number);
        let remark = Remark::None;
        tally.count(
            Expect::Open,
            Seen::Open {
                connect,
                others: OtherPhases::default(),
                remark,
            },
        );
    }
    let id = |number: usize| format!("orders-database-{number:04}").parse().unwrap();
    let rollup: Rollup = (0..monitors).map(|number| (id(number), tally.clone())).collect();
    let day = "2026-11-22".parse().unwrap();
    size::item(&rollup::encode(
        &keys::rollup(group(), day, &region()),
        day,
        &rollup,
    ))
}

#[test]
fn rollups_are_small_and_fit_whatever_the_times() {
    // 20 to 25 ms, as between two regions; now and then twice as much.
    let usual = |number: u64| {
        Duration::from_micros((20_000 + number * 7_919 % 5_000) << u32::from(number.is_multiple_of(50)))
    };
    assert!(
        rollup_bytes(50, 60, usual) < 4 * 1024,
        "{}",
        rollup_bytes(50, 60, usual)
    );
    assert!(
        rollup_bytes(50, 1_440, usual) < 5 * 1024,
        "{}",
        rollup_bytes(50, 1_440, usual)
    );
    // Every bucket there is below the longest timeout of 30 s, each held by many.
    let widest =
        |number: u64| Duration::from_micros(1.02_f64.powi(i32::try_from(number % 900).unwrap()) as u64 * 10);
    let bytes = rollup_bytes(400, 1_440, widest);
    assert!(
        bytes < size::MOST_BYTES && bytes > size::MOST_BYTES / 2,
        "{bytes}"
    );
}
