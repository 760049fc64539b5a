//! Summing up hours and days: what is kept counts what the ticks counted, whoever is killed, doubled or lost.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use portpulse_checker::{Checker, Clock, Error, Invocation, Report, TickEvent, TickOutcome, chain};
use portpulse_core::choice::Expect;
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::outbox::Claimant;
use portpulse_core::period::{Grain, Period};
use portpulse_core::phase_times::PhaseTimes;
use portpulse_core::rollup::{OtherTimes, Rollup, Tally, with_others};
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_store::table::{Operation, Read};
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use serde_json::json;

use crate::rig::{Scripted, Topic, Visibility, location, locations, run};

const GROUP: GroupId = GroupId {
    interval: Interval::FifteenMinutes,
    shard: 0,
};
/// Ticks in an hour.
const HOUR: u32 = 4;

fn tick(number: u32) -> Tick {
    let first: Tick = "2026-11-21T20:00:00Z".parse().unwrap();
    first.later(GROUP.interval, number)
}

/// Twenty seconds after a tick, and it stays so.
struct At(Tick);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.as_second() + 20).unwrap()
    }
}

/// Two monitors; what is seen of the first is up to the test, the second is always good.
fn table() -> MemoryTable {
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    for number in 0..2 {
        let fields = json!({ "host": "192.0.2.1", "port": 1000 + number, "interval": "15m" });
        let fields = fields.as_object().unwrap();
        run(store.put_definition(GROUP, &format!("m{number}"), fields)).unwrap();
    }
    table
}

/// One tick of a location, killed after so many polls; what it reported, if it lived.
fn killed(
    table: &MemoryTable,
    at: usize,
    number: u32,
    visibility: Visibility,
    polls: usize,
    time: Duration,
) -> Option<Report> {
    let checker = Checker::new(
        Store::new(table.clone()),
        Scripted(vec![visibility, Visibility::Good]),
        Topic::default(),
        At(tick(number)),
        location(at),
        locations(2),
    );
    let event = TickEvent::new(tick(number).timestamp(), GROUP);
    let invocation = Invocation {
        claimant: Claimant::new(format!("{at}/{number}/{polls}")),
        remaining: time,
    };
    let mut future = pin!(checker.handle(&event, &invocation));
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(report) => Some(report),
        std::task::Poll::Pending => None,
    })
}

fn whole(table: &MemoryTable, at: usize, number: u32, visibility: Visibility) -> Report {
    let report = killed(table, at, number, visibility, usize::MAX, Duration::from_secs(60)).unwrap();
    assert!(report.errors.is_empty(), "{report:?}");
    report
}

/// What is kept of hours or days, all phases together.
fn kept(
    table: &MemoryTable,
    location: &Location,
    periods: impl IntoIterator<Item = Period>,
) -> BTreeMap<Period, Rollup> {
    let store = Store::new(table.clone());
    let found = run(store.summaries_of::<Rollup>(GROUP, periods, location, Read::Strong)).unwrap();
    assert!(found.unreadable.is_empty());
    let others =
        run(store.summaries_of::<OtherTimes>(GROUP, found.rows.keys().copied(), location, Read::Strong))
            .unwrap();
    assert!(others.unreadable.is_empty());
    let none = OtherTimes::new();
    let whole = found.rows.into_iter().map(|(period, rollup)| {
        let times = others.rows.get(&period).unwrap_or(&none);
        (period, with_others(rollup, times))
    });
    whole.collect()
}

fn period(number: u32, grain: Grain) -> Period {
    Period::of(tick(number), grain)
}

/// What a location saw, summed up by the test.
fn summed(seen: &BTreeMap<u32, Visibility>, grain: Grain) -> BTreeMap<Period, Rollup> {
    let mut sums: BTreeMap<Period, Rollup> = BTreeMap::new();
    for (number, visibility) in seen {
        let sum = sums.entry(period(*number, grain)).or_default();
        for (id, visibility) in [("m0", *visibility), ("m1", Visibility::Good)] {
            let code = match visibility {
                Visibility::Good => "1///5",
                Visibility::Failing => "refused",
                Visibility::NoData => "no_data_out_of_time",
            };
            let tally: &mut Tally = sum.entry(id.parse().unwrap()).or_default();
            tally.count(Expect::Open, code.parse().unwrap());
        }
    }
    sums
}

#[test]
fn hours_and_days_count_what_each_location_counted() {
    let table = table();
    let mut seen = [BTreeMap::new(), BTreeMap::new()];
    // From 20:00 for three days and more. One location misses a few ticks, most of a night, and sees other things.
    let last = 4 * HOUR + 3 * 24 * HOUR + 1;
    for number in 0..=last {
        for (at, seen) in seen.iter_mut().enumerate() {
            let missed = at == 1 && (number % 7 == 3 || (120..180).contains(&number));
            if missed {
                continue;
            }
            let visibility = match (number + 5 * u32::try_from(at).unwrap()) % 11 {
                0..=1 => Visibility::Failing,
                2 => Visibility::NoData,
                _ => Visibility::Good,
            };
            // Delivered twice, now and then with another sight: what came first counts.
            whole(&table, at, number, visibility);
            if number % 5 == 0 {
                whole(&table, at, number, Visibility::Failing);
            }
            seen.insert(number, visibility);
        }
    }
    for (at, seen) in seen.iter().enumerate() {
        for grain in [Grain::Hour, Grain::Day] {
            let mut expected = summed(seen, grain);
            // The last is running.
            expected.remove(&period(last, grain));
            let all: BTreeSet<_> = (0..=last).map(|number| period(number, grain)).collect();
            assert_eq!(kept(&table, &location(at), all), expected, "{at}: {grain}");
        }
    }
}

#[test]
fn killed_at_any_point_an_hour_is_summed_up_by_the_next() {
    let mut points = 0;
    // The first tick of an hour, and of a day.
    for victim in [HOUR, 4 * HOUR] {
        for polls in 1.. {
            let table = table();
            let mut lived = true;
            for number in 0..=victim + HOUR {
                let visibility = if number % 3 == 0 {
                    Visibility::Failing
                } else {
                    Visibility::Good
                };
                if number == victim {
                    let retry_policy = Duration::from_secs(60);
                    lived = killed(&table, 0, number, visibility, polls, retry_policy).is_some();
                    continue;
                }
                whole(&table, 0, number, visibility);
            }
            let hours: BTreeSet<_> = (0..victim).map(|number| period(number, Grain::Hour)).collect();
            let seen = (0..victim).map(|number| {
                let visibility = if number % 3 == 0 {
                    Visibility::Failing
                } else {
                    Visibility::Good
                };
                (number, visibility)
            });
            let seen: BTreeMap<_, _> = seen.collect();
            let found = kept(&table, &location(0), hours);
            assert_eq!(
                found,
                summed(&seen, Grain::Hour),
                "{victim} killed after {polls} polls"
            );
            let day = kept(&table, &location(0), [period(0, Grain::Day)]);
            if victim == 4 * HOUR {
                assert_eq!(
                    day,
                    summed(&seen, Grain::Day),
                    "{victim} killed after {polls} polls"
                );
            } else {
                assert_eq!(day, BTreeMap::new(), "not over yet");
            }
            if lived {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 25, "only {points} points were visited");
}

#[test]
fn what_fails_or_has_no_time_is_left_for_later_and_harms_no_tick() {
    for (what, banner) in [
        (Some(Operation::GetMany), "cannot sum up 2026-11-21T15 of 15m#0"),
        (Some(Operation::Put), "cannot sum up 2026-11-21T20 of 15m#0"),
        (None, "no time is left to sum up the last hour of 15m#0"),
    ] {
        let table = table();
        let mut seen = BTreeMap::new();
        for number in 0..=2 * HOUR {
            if number == HOUR {
                table.set_faults(move |call| {
                    let of_rollups = call.pk.starts_with("hourly#") || call.pk.starts_with("results#");
                    let fails = Some(call.operation) == what
                        && of_rollups
                        && !call.sk.unwrap_or("").starts_with("21:00");
                    if fails { Fault::Before } else { Fault::None }
                });
                let seconds = if what.is_none() { 5 } else { 60 };
                let retry_policy = Duration::from_secs(seconds);
                let report = killed(&table, 0, number, Visibility::Good, usize::MAX, retry_policy).unwrap();
                assert!(
                    matches!(report.outcome_of_tick, TickOutcome::Counted(_)),
                    "{report:?}"
                );
                assert!(report.errors.is_empty(), "{report:?}");
                let late: Vec<_> = report.warnings.iter().map(|error| chain(error)).collect();
                assert!(late.len() == 1 && late[0].starts_with(banner), "{late:?}");
                table.heal();
                let hour = period(0, Grain::Hour);
                assert_eq!(kept(&table, &location(0), [hour]), BTreeMap::new());
            } else {
                let report = whole(&table, 0, number, Visibility::Good);
                assert!(report.warnings.is_empty(), "{report:?}");
            }
            seen.insert(number, Visibility::Good);
        }
        seen.remove(&(2 * HOUR));
        let hours = [period(0, Grain::Hour), period(HOUR, Grain::Hour)];
        assert_eq!(
            kept(&table, &location(0), hours),
            summed(&seen, Grain::Hour),
            "{what:?}"
        );
    }
}

#[test]
fn results_that_cannot_be_read_are_named_and_the_others_count() {
    let table = table();
    for number in 0..HOUR {
        whole(&table, 0, number, Visibility::Good);
    }
    let mut broken = table.peek("results#15m#0#2026-11-21", "20:15:00#a").unwrap();
    broken.remove("seen");
    table.overwrite(broken);
    let report = whole(&table, 0, HOUR, Visibility::Good);
    let late: Vec<_> = report.warnings.iter().map(|error| chain(error)).collect();
    assert!(
        matches!(report.warnings[..], [Error::Unreadable { .. }])
            && late[0].contains("`results#15m#0#2026-11-21/20:15:00#a`"),
        "{late:?}"
    );
    let hour = period(0, Grain::Hour);
    let tally = &kept(&table, &location(0), [hour])[&hour][&"m0".parse().unwrap()];
    assert_eq!((tally.good, tally.checks()), (3, 3));
}

#[test]
fn phases_that_do_not_fit_into_an_item_are_kept_in_several() {
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    let ids: Vec<_> = (0..2_550).map(|number| format!("{number:064}")).collect();
    for id in &ids {
        let fields = json!({ "host": "192.0.2.1", "port": 1000, "interval": "15m" });
        run(store.put_definition(GROUP, id, fields.as_object().unwrap())).unwrap();
    }
    for number in 0..HOUR {
        whole(&table, 0, number, Visibility::Good);
        // Each tick another time, as slow links have them.
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
    let report = whole(&table, 0, HOUR, Visibility::Good);
    assert!(report.warnings.is_empty(), "{report:?}");
    let parts = |pk: &str| table.snapshot().keys().filter(|(of, _)| of == pk).count();
    assert_eq!((parts("hourly#15m#0"), parts("hourly#15m#0#phases")), (1, 2));
    let hour = period(0, Grain::Hour);
    let tallies = &kept(&table, &location(0), [hour])[&hour];
    assert_eq!(tallies.len(), ids.len());
    for tally in tallies.values() {
        let times = tally.others.map(PhaseTimes::count);
        assert_eq!((times.dns, times.tls, times.ready), (4, 4, 4));
    }
}
