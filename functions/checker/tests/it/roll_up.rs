//! Rollups of hours and days count what the ticks counted, even if checkers are killed, doubled or lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use portpulse_checker::{Checker, Error, Invocation, TickEvent, TickReport};
use portpulse_core::choice::Expect;
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::period::{Grain, Period};
use portpulse_core::phase_times::PhaseTimes;
use portpulse_core::rollup::{PhaseRollup, Rollup, Tally, with_phases};
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_store::table::{Operation, Read};
use portpulse_testkit::memory_table::{Fault, MemoryTable, poll};
use serde_json::json;

use crate::nominal::FixedClock;
use crate::rig::{
    ProbeResult, RecordingTopic, ScriptedProbe, assert_counted, invocation, location, locations, run, texts,
};

const GROUP: GroupId = GroupId {
    interval: Interval::FifteenMinutes,
    shard: 0,
};
/// The number of ticks in an hour.
const HOUR: u32 = 4;

fn tick(number: u32) -> Tick {
    let first: Tick = "2026-11-21T20:00:00Z".parse().unwrap();
    first.later(GROUP.interval, number)
}

/// Two monitors: the test scripts the results of the first, the second is always good.
fn table() -> MemoryTable {
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    for number in 0..2 {
        let fields = json!({ "host": "192.0.2.1", "port": 1000 + number, "interval": "15m", "retries": 0 });
        let fields = fields.as_object().unwrap();
        run(store.put_definition(GROUP, &format!("m{number}"), fields)).unwrap();
    }
    table
}

/// Runs one tick of a location, killed after `polls` polls. Returns the report if the tick completed.
fn run_tick(
    table: &MemoryTable,
    at: usize,
    number: u32,
    result: ProbeResult,
    polls: usize,
    remaining: Duration,
) -> Option<TickReport> {
    let checker = Checker::new(
        Store::new(table.clone()),
        ScriptedProbe(vec![result, ProbeResult::Good]),
        RecordingTopic::default(),
        // Twenty seconds late.
        FixedClock(tick(number).timestamp() + SignedDuration::from_secs(20)),
        location(at),
        locations(2),
    );
    let event = TickEvent::new(tick(number).timestamp(), GROUP);
    let invocation = Invocation {
        remaining,
        ..invocation(format!("{at}/{number}/{polls}"))
    };
    poll(checker.handle(&event, &invocation), polls)
}

fn complete_tick(table: &MemoryTable, at: usize, number: u32, result: ProbeResult) -> TickReport {
    let report = run_tick(table, at, number, result, usize::MAX, Duration::from_secs(60)).unwrap();
    assert!(report.errors.is_empty(), "{report:?}");
    report
}

/// The stored rollups of `periods` with all phases.
fn stored(
    table: &MemoryTable,
    location: &Location,
    periods: impl IntoIterator<Item = Period>,
) -> BTreeMap<Period, Rollup> {
    let store = Store::new(table.clone());
    let found = run(store.summaries_of::<Rollup>(GROUP, periods, location, Read::Strong)).unwrap();
    assert!(found.unreadable.is_empty());
    let others =
        run(store.summaries_of::<PhaseRollup>(GROUP, found.records.keys().copied(), location, Read::Strong))
            .unwrap();
    assert!(others.unreadable.is_empty());
    let none = PhaseRollup::new();
    let whole = found.records.into_iter().map(|(period, rollup)| {
        let times = others.records.get(&period).unwrap_or(&none);
        (period, with_phases(rollup, times))
    });
    whole.collect()
}

fn period(number: u32, grain: Grain) -> Period {
    Period::of(tick(number), grain)
}

/// The expected rollups of `seen`.
fn expected_rollups(seen: &BTreeMap<u32, ProbeResult>, grain: Grain) -> BTreeMap<Period, Rollup> {
    let mut sums: BTreeMap<Period, Rollup> = BTreeMap::new();
    for (number, result) in seen {
        let sum = sums.entry(period(*number, grain)).or_default();
        for (id, result) in [("m0", *result), ("m1", ProbeResult::Good)] {
            let code = match result {
                ProbeResult::Good => "1///5",
                ProbeResult::Failing => "refused",
                ProbeResult::NoData => "no_data_out_of_time",
            };
            let tally: &mut Tally = sum.entry(id.parse().unwrap()).or_default();
            tally.count(Expect::Open, code.parse().unwrap());
        }
    }
    sums
}

#[test]
fn rollups_match_counted_ticks_of_each_location() {
    let table = table();
    let mut seen = [BTreeMap::new(), BTreeMap::new()];
    // From 20:00 for more than three days. The second location misses some ticks and most of a night, and has other results.
    // Its rollup of the last day is due 45 minutes after midnight.
    let last = 4 * HOUR + 3 * 24 * HOUR + 3;
    for number in 0..=last {
        for (at, seen) in seen.iter_mut().enumerate() {
            let missed = at == 1 && (number % 7 == 3 || (120..180).contains(&number));
            if missed {
                continue;
            }
            let result = match (number + 5 * u32::try_from(at).unwrap()) % 11 {
                0..=1 => ProbeResult::Failing,
                2 => ProbeResult::NoData,
                _ => ProbeResult::Good,
            };
            // Some ticks are delivered twice with different results: the first counts.
            complete_tick(&table, at, number, result);
            if number % 5 == 0 {
                complete_tick(&table, at, number, ProbeResult::Failing);
            }
            seen.insert(number, result);
        }
    }
    for (at, seen) in seen.iter().enumerate() {
        for grain in [Grain::Hour, Grain::Day] {
            let mut expected = expected_rollups(seen, grain);
            // The last period is not over.
            expected.remove(&period(last, grain));
            let all: BTreeSet<_> = (0..=last).map(|number| period(number, grain)).collect();
            assert_eq!(stored(&table, &location(at), all), expected, "{at}: {grain}");
        }
    }
}

#[test]
fn rollup_of_killed_checker_is_completed_next_hour() {
    let result = |number: u32| match number % 3 {
        0 => ProbeResult::Failing,
        _ => ProbeResult::Good,
    };
    let mut points = 0;
    // The first tick of an hour, and the tick half an hour after a day.
    for killed_tick in [HOUR, 4 * HOUR + 2] {
        for polls in 1.. {
            let table = table();
            let mut completed = true;
            for number in 0..=killed_tick + HOUR {
                if number == killed_tick {
                    let remaining = Duration::from_secs(60);
                    completed = run_tick(&table, 0, number, result(number), polls, remaining).is_some();
                    continue;
                }
                complete_tick(&table, 0, number, result(number));
            }
            let of = format!("{killed_tick} killed after {polls} polls");
            let over = 0..killed_tick / HOUR * HOUR;
            let seen: BTreeMap<_, _> = over.map(|number| (number, result(number))).collect();
            let hours: BTreeSet<_> = seen.keys().map(|number| period(*number, Grain::Hour)).collect();
            let found = stored(&table, &location(0), hours);
            assert_eq!(found, expected_rollups(&seen, Grain::Hour), "{of}");
            let day = stored(&table, &location(0), [period(0, Grain::Day)]);
            let is_day_over = killed_tick > 4 * HOUR;
            let expected = is_day_over.then(|| expected_rollups(&seen, Grain::Day));
            assert_eq!(day, expected.unwrap_or_default(), "{of}");
            if completed {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 25, "only {points} points were visited");
}

#[test]
fn failed_rollup_is_a_warning_and_retried_next_hour() {
    for (failing, warning) in [
        (
            Some(Operation::GetMany),
            "cannot store the rollup 2026-11-21T15 of 15m#0",
        ),
        (
            Some(Operation::Put),
            "cannot store the rollup 2026-11-21T20 of 15m#0",
        ),
        (None, "no time left for the rollups of 15m#0"),
    ] {
        let table = table();
        let mut seen = BTreeMap::new();
        for number in 0..=2 * HOUR {
            if number == HOUR {
                table.set_faults(move |call| {
                    let of_rollups = call.pk.starts_with("hourly#") || call.pk.starts_with("results#");
                    let fails = Some(call.operation) == failing
                        && of_rollups
                        && !call.sk.unwrap_or("").starts_with("21:00");
                    if fails { Fault::Before } else { Fault::None }
                });
                let seconds = if failing.is_none() { 5 } else { 60 };
                let remaining = Duration::from_secs(seconds);
                let report = run_tick(&table, 0, number, ProbeResult::Good, usize::MAX, remaining).unwrap();
                assert_counted(&report);
                assert!(report.errors.is_empty(), "{report:?}");
                let warnings = texts(&report.warnings);
                assert!(
                    warnings.len() == 1 && warnings[0].starts_with(warning),
                    "{warnings:?}"
                );
                table.clear_faults();
                let hour = period(0, Grain::Hour);
                assert_eq!(stored(&table, &location(0), [hour]), BTreeMap::new());
            } else {
                let report = complete_tick(&table, 0, number, ProbeResult::Good);
                assert!(report.warnings.is_empty(), "{report:?}");
            }
            seen.insert(number, ProbeResult::Good);
        }
        seen.remove(&(2 * HOUR));
        let hours = [period(0, Grain::Hour), period(HOUR, Grain::Hour)];
        assert_eq!(
            stored(&table, &location(0), hours),
            expected_rollups(&seen, Grain::Hour),
            "{failing:?}"
        );
    }
}

#[test]
fn day_contains_hour_that_failed_at_its_own_tick() {
    let table = table();
    // The first day has four hours. The tick half an hour after its end, and after that of the next day, stores the day.
    let midnights = [4 * HOUR, 28 * HOUR];
    let mut seen = BTreeMap::new();
    for number in 0..=midnights[1] + HOUR / 2 {
        let is_midnight = midnights.contains(&number);
        if is_midnight {
            table.set_faults(|call| {
                let is_hour = call.operation == Operation::Put && call.pk.starts_with("hourly#");
                if is_hour { Fault::Before } else { Fault::None }
            });
        }
        let remaining = Duration::from_secs(60);
        let report = run_tick(&table, 0, number, ProbeResult::Failing, usize::MAX, remaining).unwrap();
        assert_eq!(report.warnings.is_empty(), !is_midnight, "{report:?}");
        table.clear_faults();
        if number < midnights[1] {
            seen.insert(number, ProbeResult::Failing);
        }
    }
    let days = [period(0, Grain::Day), period(midnights[0], Grain::Day)];
    assert_eq!(
        stored(&table, &location(0), days),
        expected_rollups(&seen, Grain::Day)
    );
}

#[test]
fn malformed_results_are_reported_and_others_count() {
    let table = table();
    for number in 0..HOUR {
        complete_tick(&table, 0, number, ProbeResult::Good);
    }
    let mut broken = table.peek("results#15m#0#2026-11-21", "20:15:00#a").unwrap();
    broken.remove("seen");
    table.overwrite(broken);
    let report = complete_tick(&table, 0, HOUR, ProbeResult::Good);
    let warnings = texts(&report.warnings);
    assert!(
        matches!(report.warnings[..], [Error::Unreadable { .. }])
            && warnings[0].contains("`results#15m#0#2026-11-21/20:15:00#a`"),
        "{warnings:?}"
    );
    let hour = period(0, Grain::Hour);
    let tally = &stored(&table, &location(0), [hour])[&hour][&"m0".parse().unwrap()];
    assert_eq!((tally.good, tally.checks()), (3, 3));
}

#[test]
fn large_phase_times_are_split_into_several_items() {
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    let ids: Vec<_> = (0..2_550).map(|number| format!("{number:064}")).collect();
    for id in &ids {
        let fields = json!({ "host": "192.0.2.1", "port": 1000, "interval": "15m", "retries": 0 });
        run(store.put_definition(GROUP, id, fields.as_object().unwrap())).unwrap();
    }
    for number in 0..HOUR {
        complete_tick(&table, 0, number, ProbeResult::Good);
        // Different times in each tick, as on slow links.
        let mut item = table
            .peek("results#15m#0#2026-11-21", &format!("20:{:02}:00#a", 15 * number))
            .unwrap();
        let time = 1_000 * 3u32.pow(number);
        let seen = format!("{time}/{time}/{time}/{time}");
        let AttributeValue::M(all) = item.get_mut("seen").unwrap() else {
            panic!("no map")
        };
        all.values_mut()
            .for_each(|value| *value = AttributeValue::S(seen.clone()));
        table.overwrite(item);
    }
    let report = complete_tick(&table, 0, HOUR, ProbeResult::Good);
    assert!(report.warnings.is_empty(), "{report:?}");
    let parts = |pk: &str| table.snapshot().keys().filter(|(of, _)| of == pk).count();
    assert_eq!((parts("hourly#15m#0"), parts("hourly#15m#0#phases")), (1, 2));
    let hour = period(0, Grain::Hour);
    let tallies = &stored(&table, &location(0), [hour])[&hour];
    assert_eq!(tallies.len(), ids.len());
    for tally in tallies.values() {
        let times = tally.phases.map(PhaseTimes::count);
        assert_eq!((times.dns, times.tls, times.ready), (4, 4, 4));
    }
}
