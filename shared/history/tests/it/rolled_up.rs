//! Hours and days: from rollups where they are stored, otherwise from their ticks and hours.

use portpulse_core::observation::{Observation, Seen};
use portpulse_core::outcome::FailureClass;
use portpulse_core::period::{Grain, Period};
use portpulse_history::Detail;
use portpulse_history::view::{Audience, Point, Slot};
use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;

use crate::assembled::{figures, page, read_overview, table};
use crate::fleet::{GROUP, define, last_day, now, reader, roll_up, rows, run, seen, tick};

#[tokio::test]
async fn current_hour_is_summed_up_from_ticks() {
    let table = table().await;
    let ids = ["a-blip", "b-up", "c-down"].map(str::to_owned);
    // Results up to 12:09. By the location states of 12:30 alone it would be half an hour.
    run(&Store::new(table.clone()), &ids, 10).await;
    let overview = read_overview(table.clone(), 400).await;
    let up = &overview.monitors[2];
    assert_eq!(figures(up.uptime.day), (23 * 3_600 + 600, 0));
    let inside = up.inside.as_ref().unwrap();
    let running = inside.hours[23];
    assert_eq!((running.good, running.failing, running.no_data), (30, 0, 0));
    assert_eq!(running.phases.connect.unwrap().max.as_micros(), 11_910);
    assert_eq!(running.phases.tls.unwrap().max.as_millis(), 24);
    let inside = page(table.clone(), "b-up").await;
    assert_eq!(
        inside.days[89].good,
        3 * 12 * 60 + 30,
        "today is the sum of its hours"
    );
    assert_eq!(inside.locations[&"eu-west-1".parse().unwrap()].hours[23].good, 10);

    // If the limit does not cover all ticks, no checks are shown; the observed time comes from the location state.
    assert!(!overview.left_out.hour);
    let little = read_overview(table.clone(), 14).await;
    assert!(little.left_out.hour);
    let up = &little.monitors[2];
    let inside = up.inside.as_ref().unwrap();
    let running = inside.hours[23];
    assert_eq!((running.good, running.total), (0, None));
    assert_eq!(inside.hours[22].good, 180, "earlier hours are shown");
    assert_eq!(up.hours[23].watched.seconds(), 1_820);

    // The same holds for unreadable ticks.
    let seen = table
        .snapshot()
        .into_keys()
        .filter(|(pk, _)| pk.starts_with("results#"));
    for (pk, sk) in seen {
        let mut item = table.peek(&pk, &sk).unwrap();
        item.remove("seen");
        table.overwrite(item);
    }
    let overview = read_overview(table, 400).await;
    assert_eq!(overview.monitors[2].hours[23].watched.seconds(), 1_820);
    assert_eq!(overview.inside.unwrap().unreadable.len(), 30);
}

#[tokio::test]
async fn single_checks_count_retries_of_good_checks() {
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    define(&store, "db").await;
    let location = "eu-west-1".parse().unwrap();
    let refused = Seen::Failed(FailureClass::Refused);
    // The checks of the current hour and those before are read separately.
    let stored = [
        ("2026-11-22T11:27:00Z", refused, 2, (0, 0, 1)),
        ("2026-11-22T11:28:00Z", seen(0), 2, (1, 1, 0)),
        ("2026-11-22T12:28:00Z", seen(0), 0, (1, 0, 0)),
        ("2026-11-22T12:29:00Z", seen(0), 1, (1, 1, 0)),
    ];
    for (at, seen, retries, _) in stored {
        let observation = Observation {
            retries,
            ..Observation::from(seen)
        };
        let results = [("db".parse().unwrap(), observation)].into();
        let put = store.put_results(GROUP, tick(at), &location, &results);
        put.await.unwrap();
    }
    let page = reader(table, 400)
        .monitor(Audience::Private, &"db".parse().unwrap(), Detail::Checks, now())
        .await;
    let inside = page.unwrap().unwrap().monitor.inside.unwrap();
    let checks = inside.locations[&location].checks.iter();
    let counts: Vec<_> = checks
        .map(|check| (check.good, check.retried, check.failing))
        .collect();
    assert_eq!(counts, stored.map(|(.., expected)| expected));
}

#[tokio::test]
async fn phase_times_are_read_from_requested_period() {
    let reader = reader(table().await, 400);
    let id = "b-up".parse().unwrap();
    let yesterday = Period::containing(now(), Grain::Day).later(-1);
    let mut shown = Vec::new();
    for since in [last_day(), last_day().later(20), yesterday] {
        let page = reader.monitor(Audience::Private, &id, since, now()).await;
        let inside = page.unwrap().unwrap().monitor.inside.unwrap();
        let east = &inside.locations[&"us-east-1".parse().unwrap()];
        let count = |points: &[Point]| points.iter().filter(|point| point.phases.tls.is_some()).count();
        shown.push([&inside.hours, &inside.days, &east.hours, &east.days].map(|points| count(points)));
    }
    // Today is the sum of the hours that were read.
    assert_eq!(shown, [[23, 1, 23, 1], [3, 1, 3, 1], [12, 2, 12, 2]]);
}

#[tokio::test]
async fn phase_times_beyond_read_limit_are_reported() {
    let table = table().await;
    let id = "b-up".parse().unwrap();
    for (read_limit, lacks) in [(400, false), (14, true), (8, true)] {
        let page = reader(table.clone(), read_limit)
            .monitor(Audience::Private, &id, last_day(), now())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(page.left_out.phases, lacks, "{read_limit}");
        let hours = page.monitor.inside.unwrap().hours;
        let has_phases = hours.iter().filter(|point| point.phases.tls.is_some()).count();
        assert_eq!(has_phases == 23, !lacks, "{read_limit}: {has_phases}");
    }
}

/// The locations store the rollup of an hour at once, 5 and 10 minutes later.
#[tokio::test]
async fn last_hour_is_read_tick_by_tick_until_its_rollup_is_due() {
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    define(&store, "db").await;
    run(&store, &["db".to_owned()], 60).await;
    rows(&store, &[]).await;
    let (id, hour): (_, Period) = ("db".parse().unwrap(), "2026-11-22T12".parse().unwrap());
    let reader = reader(table, 500);
    for (time, expected) in [
        ("2026-11-22T13:01:00Z", [60, 60, 60]),
        ("2026-11-22T13:06:59Z", [0, 60, 60]),
        ("2026-11-22T13:11:59Z", [0, 0, 60]),
        ("2026-11-22T13:12:01Z", [0, 0, 0]),
    ] {
        let page = reader
            .monitor(Audience::Private, &id, last_day(), time.parse().unwrap())
            .await;
        let inside = page.unwrap().unwrap().monitor.inside.unwrap();
        let good = inside.locations.values().map(|location| {
            let point = location
                .hours
                .iter()
                .find(|point| point.slot == Slot::Period(hour));
            let point = point.unwrap();
            assert_eq!(point.phases.ready.is_some(), point.good > 0, "{point:?}");
            point.good
        });
        assert_eq!(good.collect::<Vec<_>>(), expected, "{time}");
    }
}

/// In the first hour after midnight, the day before is the sum of its hours.
#[tokio::test]
async fn day_without_a_rollup_is_the_sum_of_all_its_hours() {
    let table = MemoryTable::new();
    let store = Store::new(table.clone());
    define(&store, "db").await;
    roll_up(&store, &["db".to_owned()], 0).await;
    let now = "2026-11-22T13:30:00Z".parse().unwrap();
    let page = reader(table, 500)
        .monitor(Audience::Private, &"db".parse().unwrap(), last_day(), now)
        .await;
    let inside = page.unwrap().unwrap().monitor.inside.unwrap();
    // Rollups of the hours from 13:00 of the day before are stored.
    let day = "2026-11-21".parse().unwrap();
    for location in inside.locations.values() {
        let point = location.days.iter().find(|point| point.slot == Slot::Period(day));
        assert_eq!(point.unwrap().good, 11 * 60);
    }
}
