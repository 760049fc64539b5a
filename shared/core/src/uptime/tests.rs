//! Tests the uptime against a table computed by hand, and against a count of every minute.

use std::collections::BTreeMap;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::group_state::{Ending, Notified, Stability, Status, Urgency};
use crate::period::Grain;
use crate::time::Tick;

const MIDNIGHT: i64 = 1_795_305_600; // 2026-11-22T00:00:00Z

fn tick(minute: i64) -> Tick {
    let time = Timestamp::from_second(MIDNIGHT + minute * 60).unwrap();
    Tick::containing(time, Interval::OneMinute)
}

fn incident(since: i64) -> Incident {
    Incident {
        status: Status::Down,
        opened: tick(since + 1),
        revision: 1,
        since: tick(since),
        finding: None,
        notified: Notified::NotYet,
        urgency: Urgency::Normal,
        stability: Stability::Steady,
    }
}

fn closed(since: i64, closed: i64, track: Track) -> ClosedIncident {
    ClosedIncident {
        monitor: "db".parse().unwrap(),
        track,
        incident: incident(since),
        closed: tick(closed),
        ending: Ending::Recovered,
    }
}

fn tally(good: u32, failing: u32) -> Tally {
    let failing = (failing > 0).then_some((crate::group_state::Cause::Open, failing));
    Tally {
        good,
        failing: failing.into_iter().collect(),
        no_data: 7,
        ..Tally::default()
    }
}

fn day(number: i64) -> Period {
    Period::of(tick(number * 1_440), Grain::Day)
}

/// The (good, failing) checks of each location; the observed seconds, the seconds down, and the level.
type Row = (&'static [(u32, u32)], i64, i64, UptimeLevel);

#[test]
fn uptime_matches_a_week_computed_by_hand() {
    // Incidents, in minutes since midnight of day 0.
    let closed = [
        // Day 0: an outage of ten minutes, and twenty slow minutes, which are not an outage.
        closed(60, 70, Track::Health),
        closed(100, 120, Track::Quality),
        // Day 1, 23:00, to day 2, 01:00.
        closed(1_440 + 23 * 60, 2 * 1_440 + 60, Track::Health),
        // Day 4: an outage with few checks.
        closed(4 * 1_440, 4 * 1_440 + 720, Track::Health),
    ];
    // Open since day 6, 11:00; it is 12:00.
    let open = incident(6 * 1_440 + 660);
    let now = tick(6 * 1_440 + 720).timestamp();
    let outages = Outages::of(&closed, [(Track::Health, &open)], now);

    // The results of the locations: good and failing minutes.
    let table: [Row; 7] = [
        // All three locations saw the outage; one saw another short failure, which has no effect.
        (
            &[(1_430, 10), (1_430, 10), (1_400, 40)],
            86_400,
            600,
            UptimeLevel::Partial,
        ),
        // One location was silent all day, and one missed half of the day.
        (
            &[(1_380, 60), (700, 20), (0, 0)],
            86_400,
            3_600,
            UptimeLevel::Partial,
        ),
        (&[(1_380, 60)], 86_400, 3_600, UptimeLevel::Partial),
        // No location had data.
        (&[(0, 0), (0, 0)], 0, 0, UptimeLevel::NoData),
        // One location had data for ten minutes of an outage of twelve hours: ten minutes, all of them down.
        (&[(0, 10), (0, 0)], 600, 600, UptimeLevel::Down),
        // One location sees only failures all day; the others see none.
        (&[(0, 1_440), (1_440, 0), (1_440, 0)], 86_400, 0, UptimeLevel::Up),
        // Today, until noon.
        (&[(660, 60)], 43_200, 3_600, UptimeLevel::Partial),
    ];
    let mut week = ObservedTime::default();
    for (number, (locations, seconds, down, level)) in table.into_iter().enumerate() {
        let tallies: Vec<_> = locations
            .iter()
            .map(|(good, failing)| tally(*good, *failing))
            .collect();
        let day = day(i64::try_from(number).unwrap());
        let watched = outages.observed(day, now, Interval::OneMinute, &tallies);
        let found = (watched.seconds(), watched.down_seconds(), watched.level());
        assert_eq!(found, (seconds, down, level), "day {number}");
        week = week.and(watched);
    }
    // 4 days, 10 minutes and 12 hours; 600 + 3,600 + 3,600 + 600 + 3,600 seconds down.
    assert_eq!((week.seconds(), week.down_seconds()), (389_400, 12_000));
    assert_eq!(week.uptime(), Some(377_400.0 / 389_400.0));
    assert_eq!(ObservedTime::default().uptime(), None);
}

/// The result of one tick in a location.
#[derive(Debug, Clone, Copy)]
enum Saw {
    Data,
    NoData,
}

proptest! {
    /// Compares with a count of every minute, for any order of ticks, gaps, duplicates and silent locations.
    #[test]
    fn uptime_equals_a_count_of_every_minute(
        locations in vec(btree_set((0i64..240, prop::bool::weighted(0.8)), 0..240), 1..4),
        spans in vec((0i64..240, 0i64..60), 0..5),
        order in any::<prop::sample::Index>(),
    ) {
        let saw = |has_data| if has_data { Saw::Data } else { Saw::NoData };
        // The first results of a tick count.
        let locations: Vec<BTreeMap<i64, Saw>> = locations
            .iter()
            .map(|ticks| ticks.iter().rev().map(|(minute, has_data)| (*minute, saw(*has_data))).collect())
            .collect();
        let mut incidents: Vec<_> =
            spans.iter().map(|(from, length)| closed(*from, from + length, Track::Health)).collect();
        let turns = order.index(incidents.len().max(1));
        let now = tick(240).timestamp();
        let outages = Outages::of(&incidents, [], now);
        incidents.rotate_left(turns);
        incidents.extend(incidents.clone());
        prop_assert_eq!(&outages, &Outages::of(&incidents, [], now));

        for hour in day(0).hours().take(4) {
            let minutes = (hour.first_second() - MIDNIGHT) / 60..(hour.end_second() - MIDNIGHT) / 60;
            let with_data = |ticks: &BTreeMap<i64, Saw>| {
                let with_data = ticks.range(minutes.clone()).filter(|(_, saw)| matches!(saw, Saw::Data));
                u32::try_from(with_data.count()).unwrap()
            };
            let tallies: Vec<_> = locations.iter().map(|ticks| tally(with_data(ticks), 0)).collect();
            let watched = outages.observed(hour, now, Interval::OneMinute, &tallies);

            let most = locations.iter().map(with_data).max().unwrap();
            let in_outage = |minute: &i64| spans.iter().any(|(from, length)| (*from..from + length).contains(minute));
            let down = minutes.clone().filter(in_outage).count();
            prop_assert_eq!(watched.seconds(), i64::from(most) * 60);
            prop_assert_eq!(watched.down_seconds(), (i64::try_from(down).unwrap() * 60).min(watched.seconds()));
            if let Some(uptime) = watched.uptime() {
                prop_assert!((0.0..=1.0).contains(&uptime));
            }
            // A location without data has no effect.
            let silent = tally(0, 0);
            let with_silent = tallies.iter().chain([&silent]);
            prop_assert_eq!(outages.observed(hour, now, Interval::OneMinute, with_silent), watched);
        }
    }
}
