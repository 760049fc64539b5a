//! Tests the counts against a table, and that order and grouping of ticks do not change a sum.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::*;
use crate::definition::Monitor;
use crate::group::GroupId;
use crate::id::Location;
use crate::observation::Observation;
use crate::other_phases::OtherPhases;
use crate::outcome::{FailureClass, NoData, Phase};
use crate::period::{Grain, Period};

fn definitions() -> Definitions {
    let monitors = [("db", "open"), ("telnet", "closed"), ("host", "reachable")];
    let monitors = monitors.map(|(id, expect)| {
        let attributes = json!({ "host": "192.0.2.1", "port": 7, "expect": expect });
        let monitor = Monitor::from_attributes(id, &attributes).unwrap();
        (monitor.id().clone(), monitor)
    });
    Definitions {
        monitors: monitors.into(),
        broken: BTreeMap::new(),
    }
}

fn tick(minute: i64) -> Tick {
    let first: Tick = "2026-11-22T05:00:00Z".parse().unwrap();
    first.later(Interval::OneMinute, u32::try_from(minute).unwrap())
}

fn seen(texts: &[(&str, &str)]) -> Observations {
    let observation = |text: &str| Observation::from(text.parse::<Seen>().unwrap());
    let texts = texts
        .iter()
        .map(|(id, text)| (id.parse().unwrap(), observation(text)));
    texts.collect()
}

#[test]
fn checks_are_counted_by_expectation() {
    let ticks = BTreeMap::from([
        (
            tick(0),
            seen(&[
                ("db", "12"),
                ("telnet", "refused"),
                ("host", "refused"),
                ("gone", "1"),
            ]),
        ),
        (
            tick(1),
            seen(&[("db", "timeout"), ("telnet", "3.5"), ("host", "timeout")]),
        ),
        (
            tick(2),
            seen(&[("db", "timeout"), ("telnet", "dns_not_found"), ("host", "4")]),
        ),
        (
            tick(3),
            seen(&[
                ("db", "1100 starved"),
                ("telnet", "silent"),
                ("host", "no_data_no_route"),
            ]),
        ),
        (tick(4), seen(&[("db", "1020 retransmitted")])),
    ]);
    let rollup = of_ticks(&definitions(), &ticks);
    let shown: Vec<_> = rollup
        .iter()
        .map(|(id, tally)| {
            let failing: Vec<_> = tally
                .failing
                .iter()
                .map(|(cause, count)| format!("{}*{count}", cause.code()))
                .collect();
            format!(
                "{id}: {} good, [{}] failing, {} no data, {} timed, at most {:?}",
                tally.good,
                failing.join(" "),
                tally.no_data,
                tally.total.count(),
                tally.total.max(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "db: 3 good, [timeout*2] failing, 0 no data, 2 timed, at most Some(1.02s)",
            "host: 2 good, [timeout*1] failing, 1 no data, 1 timed, at most Some(4ms)",
            "telnet: 1 good, [open*2] failing, 1 no data, 0 timed, at most None",
        ]
    );
    let db = &rollup[&"db".parse().unwrap()];
    assert_eq!((db.checks(), db.with_data(), db.failures()), (5, 5, 2));
    assert_eq!(db.availability(), Some(0.6));
    assert_eq!(db.observed_seconds(Interval::FiveMinutes), 1_500);
    let telnet = &rollup[&"telnet".parse().unwrap()];
    assert_eq!((telnet.checks(), telnet.with_data()), (4, 3));
    assert_eq!(Tally::default().availability(), None);
}

#[test]
fn due_lists_completed_periods_at_first_tick_after_delay() {
    let due = |delay: RollupDelay, before: &str, tick: &str| {
        let due = due(Some(before.parse().unwrap()), tick.parse().unwrap(), delay);
        let shown = |periods: &[Period]| {
            periods
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        format!("{} | {}", shown(&due.hours), shown(&due.days))
    };
    for (before, tick, expected) in [
        ("2026-11-22T05:58:00Z", "2026-11-22T05:59:00Z", " | "),
        (
            "2026-11-22T05:59:00Z",
            "2026-11-22T06:00:00Z",
            "2026-11-22T00 2026-11-22T01 2026-11-22T02 2026-11-22T03 2026-11-22T04 2026-11-22T05 | 2026-11-21",
        ),
        // The first tick of a day, late.
        (
            "2026-11-21T23:58:00Z",
            "2026-11-22T00:02:00Z",
            "2026-11-21T18 2026-11-21T19 2026-11-21T20 2026-11-21T21 2026-11-21T22 2026-11-21T23 | 2026-11-20 2026-11-21",
        ),
        // After days without ticks: the periods up to the previous tick.
        (
            "2026-11-18T01:30:00Z",
            "2026-11-22T07:10:00Z",
            "2026-11-17T20 2026-11-17T21 2026-11-17T22 2026-11-17T23 2026-11-18T00 2026-11-18T01 | 2026-11-17 2026-11-18",
        ),
        // Out of order.
        ("2026-11-22T06:00:00Z", "2026-11-22T05:59:00Z", " | "),
    ] {
        assert_eq!(
            due(RollupDelay::NONE, before, tick),
            expected,
            "{tick} after {before}"
        );
    }
    let minutes = SignedDuration::from_mins;
    let delay = RollupDelay {
        hour: minutes(7),
        day: minutes(41),
    };
    for (before, tick, expected) in [
        ("2026-11-22T00:00:00Z", "2026-11-22T00:06:00Z", " | "),
        (
            "2026-11-22T00:06:00Z",
            "2026-11-22T00:07:00Z",
            "2026-11-21T18 2026-11-21T19 2026-11-21T20 2026-11-21T21 2026-11-21T22 2026-11-21T23 | ",
        ),
        (
            "2026-11-22T00:40:00Z",
            "2026-11-22T00:41:00Z",
            " | 2026-11-20 2026-11-21",
        ),
        ("2026-11-22T05:40:00Z", "2026-11-22T05:41:00Z", " | 2026-11-21"),
        // Hours without ticks begin before the delay.
        (
            "2026-11-22T01:05:00Z",
            "2026-11-22T09:00:00Z",
            "2026-11-21T20 2026-11-21T21 2026-11-21T22 2026-11-21T23 2026-11-22T00 2026-11-22T01 | 2026-11-21",
        ),
    ] {
        assert_eq!(due(delay, before, tick), expected, "{tick} after {before}");
    }
    assert_eq!(super::due(None, tick(0), delay), Due::default());
    let of_days = |before: &str, tick: &str| {
        let due = super::due(Some(before.parse().unwrap()), tick.parse().unwrap(), delay);
        due.hours_of_days
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        of_days("2026-11-22T01:40:00Z", "2026-11-22T01:41:00Z"),
        "2026-11-21T19 2026-11-21T20 2026-11-21T21 2026-11-21T22 2026-11-21T23 2026-11-22T00"
    );
    assert_eq!(of_days("2026-11-22T01:06:00Z", "2026-11-22T01:07:00Z"), "");
}

#[test]
fn locations_and_groups_store_rollups_at_different_times() {
    let expected: BTreeSet<Location> = ["a", "b", "c"].map(|name| name.parse().unwrap()).into();
    let minutes = |interval, shard| -> Vec<(i64, i64)> {
        let delay = |location| RollupDelay::of(GroupId { interval, shard }, location, &expected);
        let delays = expected.iter().map(delay);
        delays
            .map(|delay| (delay.hour.as_mins(), delay.day.as_mins()))
            .collect()
    };
    for (interval, shard, expected) in [
        (Interval::TenSeconds, 0, [(0, 30), (5, 40), (10, 50)]),
        (Interval::OneMinute, 0, [(0, 31), (5, 41), (10, 51)]),
        (Interval::OneMinute, 1, [(4, 39), (9, 49), (14, 59)]),
        (Interval::OneMinute, 2, [(1, 33), (6, 43), (11, 53)]),
        (Interval::FiveMinutes, 0, [(0, 30), (5, 40), (15, 50)]),
        (Interval::FifteenMinutes, 0, [(0, 30), (15, 30), (30, 45)]),
        (Interval::OneHour, 0, [(0, 0), (0, 0), (0, 0)]),
    ] {
        assert_eq!(minutes(interval, shard), expected, "{interval}#{shard}");
    }
    // A location that is not expected has a time too.
    let stranger = RollupDelay::of("1m#0".parse().unwrap(), &"z".parse().unwrap(), &BTreeSet::new());
    assert_eq!((stranger.hour.as_mins(), stranger.day.as_mins()), (1, 33));
}

#[test]
fn phases_are_counted_beside_the_total() {
    let ticks = BTreeMap::from([
        (
            tick(0),
            seen(&[("db", "10/1/30/5"), ("telnet", "1/1/1/1"), ("host", "2")]),
        ),
        (tick(1), seen(&[("db", "11///7"), ("host", "refused")])),
        (tick(2), seen(&[("db", "12/900/900/900 starved")])),
        (tick(3), seen(&[("db", "1013/2/35/6 retransmitted")])),
    ]);
    let rollup = of_ticks(&definitions(), &ticks);
    let others = phase_rollup(&rollup);
    let shown: Vec<_> = others
        .iter()
        .flat_map(|(id, phases)| {
            let times = phases
                .each()
                .map(|(phase, times)| (phase, times.count(), times.max()));
            times.map(|(phase, count, max)| (id.as_str(), phase, count, max))
        })
        .collect();
    let ms = |ms| Some(Duration::from_millis(ms));
    assert_eq!(
        shown,
        [
            ("db", Phase::Dns, 2, ms(2)),
            ("db", Phase::Connect, 3, ms(1013)),
            ("db", Phase::Tls, 2, ms(35)),
            ("db", Phase::Ready, 3, ms(7)),
        ],
        "monitors without other phases, failing checks and starved checks are left out"
    );
    let total = &rollup[&"db".parse().unwrap()].total;
    assert_eq!(
        (total.count(), total.max()),
        (3, ms(1056)),
        "the sum of all phases"
    );
    let mut apart = rollup.clone();
    for tally in apart.values_mut() {
        tally.phases = ByPhase::default();
    }
    let mut of_more = others;
    of_more.insert("gone".parse().unwrap(), ByPhase::default());
    assert_eq!(with_phases(apart, &of_more), rollup);
}

fn any_seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        3 => (0u64..400, option::of(0u64..90), option::of(0u64..900)).prop_map(|(ms, dns, ready)| Seen::Open {
            connect: Duration::from_millis(ms),
            others: OtherPhases { dns, tls: None, ready }.map(|ms| ms.map(Duration::from_millis)),
            remark: Remark::None,
        }),
        1 => select(&[FailureClass::Timeout, FailureClass::Refused]).prop_map(Seen::Failed),
        1 => Just(Seen::NoData(NoData::OutOfTime)),
    ]
}

fn ticks() -> impl Strategy<Value = BTreeMap<i64, Seen>> {
    // Three days in which most ticks are missing.
    btree_map(0i64..3 * 1_440, any_seen(), 0..80)
}

proptest! {
    #[test]
    fn daily_rollups_equal_counts_of_their_ticks(
        ticks in ticks(),
        again in vec(any::<prop::sample::Index>(), 0..20),
        order in any::<prop::sample::Index>(),
    ) {
        let definitions = definitions();
        let mut deliveries: Vec<_> = ticks.iter().map(|(minute, seen)| (tick(*minute), *seen)).collect();
        let twice: Vec<_> = again.iter().filter(|_| !deliveries.is_empty()).map(|one| *one.get(&deliveries)).collect();
        deliveries.extend(twice);
        let turns = order.index(deliveries.len().max(1));
        deliveries.rotate_left(turns);

        // The results of a tick are stored once, by its time; hours are summed up from ticks, and days from hours.
        let mut hours: BTreeMap<Period, BTreeMap<Tick, Observations>> = BTreeMap::new();
        for (tick, seen) in deliveries {
            let observation = Observation::from(seen);
            let results = Observations::from([("db".parse().unwrap(), observation)]);
            hours.entry(Period::of(tick, Grain::Hour)).or_default().insert(tick, results);
        }
        let hourly: BTreeMap<_, _> =
            hours.iter().map(|(hour, ticks)| (*hour, of_ticks(&definitions, ticks))).collect();
        let days: BTreeMap<_, Vec<_>> = hourly.iter().fold(BTreeMap::new(), |mut days: BTreeMap<_, Vec<_>>, (hour, rollup)| {
            days.entry(hour.day()).or_default().push(rollup);
            days
        });
        let days: BTreeMap<_, _> = days.into_iter().map(|(day, mut hours)| {
            hours.reverse();
            (day, of_rollups(hours))
        }).collect();

        let mut counted: BTreeMap<Period, Tally> = BTreeMap::new();
        for (minute, seen) in &ticks {
            counted.entry(Period::of(tick(*minute), Grain::Day)).or_default().count(Expect::Open, *seen);
        }
        let counted: BTreeMap<_, _> = counted
            .into_iter()
            .map(|(day, tally)| (day, Rollup::from([("db".parse().unwrap(), tally)])))
            .collect();
        prop_assert_eq!(days, counted);
    }
}
