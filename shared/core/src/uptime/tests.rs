//! Tests the uptime against a table computed by hand, and against a count of every minute.

use std::collections::BTreeMap;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::group_state::{Ending, Health, Notified, Stability, Status, Urgency};
use crate::period::Grain;
use crate::time::Tick;

const MIDNIGHT: i64 = 1_795_305_600; // 2026-11-22T00:00:00Z

fn tick(minute: i64) -> Tick {
    let time = Timestamp::from_second(MIDNIGHT + minute * 60).unwrap();
    Tick::containing(time, Interval::OneMinute)
}

fn incident(since: i64) -> Incident {
    Incident {
        cluster: None,
        cause_changes: Vec::new(),
        diagnosis: None,
        status: Status::Down,
        opened: tick(since + 1),
        revision: 1,
        since: tick(since),
        flapped_until: None,
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

#[test]
fn outage_after_flapping_counts_as_a_whole() {
    // An hour of flapping with 15 failing checks, then 40 minutes down.
    let mut ended = closed(600, 700, Track::Health);
    ended.incident.flapped_until = Some(tick(660));
    let mut open = ended.incident.clone();
    let checks = tally(1_440 - 55, 55);
    let now = tick(700).timestamp();
    for stability in [Stability::Steady, Stability::StoppedFlapping] {
        open.stability = stability;
        for outages in [
            Outages::of([&ended], [], now),
            Outages::of([], [(Track::Health, &open)], now),
        ] {
            let observed = outages.observed(day(0), tick(1_440).timestamp(), Interval::OneMinute, [&checks]);
            assert_eq!(observed.down_seconds(), 55 * 60, "{stability:?}");
            // The last hour: of the flapping before it, a quarter is down.
            let days = [(day(0), CheckedSeconds::of([(1_385, 55)], Interval::OneMinute))];
            let worst = outages
                .worst_window(&days, tick(1_440).timestamp(), 3_600)
                .unwrap();
            assert_eq!(worst.down_seconds(), 40 * 60 + 5 * 60, "{stability:?}");
        }
    }
}

#[test]
fn good_checks_count_as_up_while_the_monitor_flaps() {
    let mut flapping = closed(600, 660, Track::Health);
    flapping.incident.stability = Stability::Flapping {
        state: Health::Good,
        notified: None,
    };
    let steady = closed(700, 710, Track::Health);
    let outages = Outages::of([&flapping, &steady], [], tick(1_440).timestamp());
    for (locations, down) in [
        // Of the hour, 15 minutes failed, and the ten minutes of the steady outage.
        (&[(1_415, 25)][..], 1_500),
        (&[(1_415, 25), (1_415, 25)], 1_500),
        // Few checks failed, but the steady outage counts as a whole.
        (&[(1_440, 0)], 600),
        // More failing checks than the incidents last are no outage.
        (&[(0, 1_440)], 4_200),
    ] {
        let tallies: Vec<_> = locations
            .iter()
            .map(|(good, failing)| tally(*good, *failing))
            .collect();
        let watched = outages.observed(day(0), tick(1_440).timestamp(), Interval::OneMinute, &tallies);
        assert_eq!(
            (watched.seconds(), watched.down_seconds()),
            (86_400, down),
            "{locations:?}"
        );
    }
}

#[test]
fn maintenance_is_neither_up_nor_down() {
    let outages = Outages::of(&[closed(60, 120, Track::Health)], [], tick(1_440).timestamp());
    let at = |minute| tick(minute).timestamp();
    for (windows, figures, level) in [
        (&[][..], (86_400, 3_600, 0), UptimeLevel::Partial),
        (
            &[(90, 180), (100, 150)],
            (81_000, 1_800, 5_400),
            UptimeLevel::Partial,
        ),
        (&[(30, 150)], (79_200, 0, 7_200), UptimeLevel::Maintenance),
        (&[(-60, 2_000)], (0, 0, 86_400), UptimeLevel::Maintenance),
    ] {
        let windows = windows.iter().map(|(from, to)| (at(*from), at(*to)));
        let outages = outages.clone().except(windows);
        let watched = outages.observed(day(0), at(1_440), Interval::OneMinute, &[tally(1_380, 60)]);
        let found = (
            watched.seconds(),
            watched.down_seconds(),
            watched.maintenance_seconds(),
        );
        assert_eq!((found, watched.level()), (figures, level));
    }
}

#[test]
fn checks_during_maintenance_are_not_observed_time() {
    let at = |minute| tick(minute).timestamp();
    let outages = Outages::of([], [], at(1_440)).except([(at(60), at(120))]);
    for (checks, seconds, level) in [
        (60, 0, UptimeLevel::Maintenance),
        (90, 1_800, UptimeLevel::Maintenance),
        (1_440, 82_800, UptimeLevel::Maintenance),
    ] {
        let watched = outages.observed(day(0), at(1_440), Interval::OneMinute, &[tally(checks, 0)]);
        assert_eq!((watched.seconds(), watched.level()), (seconds, level), "{checks}");
    }

    // An outage of an hour during maintenance, and an hour of flapping with 15 failing checks.
    let mut flapping = closed(600, 660, Track::Health);
    flapping.incident.stability = Stability::Flapping {
        state: Health::Good,
        notified: None,
    };
    let during = closed(60, 120, Track::Health);
    let outages = Outages::of([&flapping, &during], [], at(1_440)).except([(at(60), at(120))]);
    let watched = outages.observed(day(0), at(1_440), Interval::OneMinute, &[tally(1_365, 75)]);
    assert_eq!((watched.seconds(), watched.down_seconds()), (82_800, 900));
}

#[test]
fn objective_is_percentage_below_100() {
    for (text, share) in [
        ("99.9", 0.999),
        ("99.95 %", 0.9995),
        ("95", 0.95),
        ("0.001", 0.000_01),
    ] {
        let objective: Objective = text.parse().unwrap();
        assert!((objective.share() - share).abs() < 1e-12, "{text}");
        assert_eq!(objective.to_string().parse(), Ok(objective), "{text}");
    }
    assert_eq!(Objective::from_percent(99.9), "99.9".parse());
    assert_eq!(Objective::from_percent(99.0).unwrap().to_string(), "99%");
    for text in ["100", "0", "0.0", "-1", "x", "", ".5", "99.", "99.9999", "1e1"] {
        assert_eq!(text.parse::<Objective>(), Err(InvalidObjective), "{text}");
    }
    for percent in [100.0, 0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9] {
        assert_eq!(
            Objective::from_percent(percent),
            Err(InvalidObjective),
            "{percent}"
        );
    }
}

/// The days from day 0, each watched for some minutes, of which some failed.
fn days(watched: impl IntoIterator<Item = (i64, i64)>) -> Vec<(Period, CheckedSeconds)> {
    let checked = watched.into_iter().map(|(minutes, failing)| CheckedSeconds {
        observed: minutes * 60,
        failing: failing * 60,
    });
    (0..).map(day).zip(checked).collect()
}

#[test]
fn worst_window_of_long_outage_is_worse_than_of_short_ones() {
    let month = days([(1_440, 0); 30]);
    let until = tick(30 * 1_440).timestamp();
    let one = Outages::of(&[closed(5_000, 5_060, Track::Health)], [], until);
    let short: Vec<_> = (0..60)
        .map(|day| closed(day * 720 + 100, day * 720 + 101, Track::Health))
        .collect();
    let many = Outages::of(&short, [], until);
    for (window, long, short) in [
        (3_600, 3_600, 60),
        (86_400, 3_600, 120),
        (30 * 86_400, 3_600, 3_600),
    ] {
        let found = |outages: &Outages| {
            let worst = outages.worst_window(&month, until, window).unwrap();
            (worst.seconds(), worst.down_seconds())
        };
        assert_eq!((found(&one), found(&many)), ((window, long), (window, short)));
    }
    assert_eq!(one.worst_window(&month, until, 31 * 86_400), None);
    assert_eq!(one.worst_window(&[], until, 3_600), None);
    let maintained = one.except([(tick(4_000).timestamp(), tick(6_000).timestamp())]);
    assert_eq!(
        maintained.worst_window(&month, until, 3_600).unwrap().uptime(),
        Some(1.0)
    );
}

#[test]
fn worst_window_rests_on_watched_time() {
    let flapping = |mut incident: ClosedIncident| {
        incident.incident.stability = Stability::Flapping {
            state: Health::Good,
            notified: None,
        };
        incident
    };
    let until = tick(8 * 1_440).timestamp();
    let outages = |incidents: &[ClosedIncident]| Outages::of(incidents, [], until);
    let down = outages(&[closed(600, 636, Track::Health)]);
    let week = |first, second| days([first, second].into_iter().chain([(0, 0); 6]));
    for (subject, outages, days, window, minutes) in [
        // Down for all its 36 watched minutes: the rest of the hour, the day and the week is not good.
        ("hour", &down, week((36, 36), (0, 0)), 3_600, Some((36, 36))),
        ("day", &down, week((36, 36), (0, 0)), 86_400, Some((36, 36))),
        ("week", &down, week((36, 36), (0, 0)), 7 * 86_400, Some((36, 36))),
        // The day after was watched.
        (
            "watched day",
            &down,
            week((36, 36), (1_440, 0)),
            7 * 86_400,
            Some((1_476, 36)),
        ),
        // One failure within few checks is not worse than a longer outage.
        (
            "few checks",
            &outages(&[
                closed(1_438, 1_440, Track::Health),
                closed(1_600, 1_620, Track::Health),
            ]),
            week((6, 2), (1_440, 20)),
            86_400,
            Some((1_440, 22)),
        ),
        ("never watched", &down, week((0, 0), (0, 0)), 3_600, None),
        // Of an hour of flapping, a quarter failed.
        (
            "flapping",
            &outages(&[flapping(closed(600, 660, Track::Health))]),
            week((1_440, 15), (1_440, 0)),
            3_600,
            Some((60, 15)),
        ),
    ] {
        let worst = outages.worst_window(&days, until, window);
        let found = worst.map(|worst| (worst.seconds() / 60, worst.down_seconds() / 60));
        assert_eq!(found, minutes, "{subject}");
    }
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
