//! History in the store, on DynamoDB and on the table in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::banners::{Banner, Banners};
use portpulse_core::by_phase::ByPhase;
use portpulse_core::group_state::{
    ClosedIncident, Ending, Incident, Notified, Stability, Status, Track, Urgency,
};
use portpulse_core::id::Location;
use portpulse_core::outcome::Detail;
use portpulse_core::period::Period;
use portpulse_core::phase_times::PhaseTimes;
use portpulse_core::rollup::{PhaseRollup, Rollup, Tally};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;
use portpulse_store::history::Summary;
use portpulse_store::keys;
use portpulse_store::store::Store;
use portpulse_store::table::{Condition, Delete, PagedQuery, Read, Table};

use crate::items::{item, number, text};
use crate::store::{group, location, observations, row};

on_both_tables!(
    archived_incident_is_immutable,
    first_summary_is_kept,
    history_is_read_page_by_page,
    split_summary_is_read_as_one,
    parts_of_killed_writer_are_valid_for_next_writer,
    banners_replace_only_expected_tick,
);

fn closed(minute: u32) -> ClosedIncident {
    ClosedIncident {
        monitor: "orders-db".parse().unwrap(),
        track: Track::Health,
        incident: Incident {
            cluster: None,
            cause_changes: Vec::new(),
            flapped_until: None,
            diagnosis: None,
            status: Status::Down,
            opened: row(40).tick,
            revision: 7,
            since: row(39).tick,
            finding: None,
            notified: Notified::NotYet,
            urgency: Urgency::Normal,
            stability: Stability::Steady,
        },
        closed: row(minute).tick,
        ending: Ending::Recovered,
    }
}

async fn archived_incident_is_immutable<T: Table>(table: T) {
    let store = Store::new(table);
    store.file_incident(&closed(50)).await.unwrap();
    store.file_incident(&closed(51)).await.unwrap();
    let filed = store
        .table()
        .query("incidents#2026-11", Read::Strong)
        .await
        .unwrap();
    let closed: Vec<_> = filed.iter().map(|item| item["closed"].clone()).collect();
    assert_eq!(closed, [text("2026-11-22T05:50:00Z")]);
}

async fn banners_replace_only_expected_tick<T: Table>(table: T) {
    let store = Store::new(table);
    let other: Location = "us-east-1".parse().unwrap();
    let banners = |minute, text| {
        let at = row(minute).tick;
        let text = Detail::new(text).unwrap();
        let banner = BTreeMap::from([("orders-db".parse().unwrap(), Banner { text, at })]);
        Banners {
            tick: at,
            by_monitor: banner,
        }
    };
    let tick = |minute| row(minute).tick;
    for (location, before, put, stored) in [
        (&location(), None, banners(40, "one"), true),
        (&location(), None, banners(41, "conflict"), false),
        (&location(), Some(tick(39)), banners(41, "conflict"), false),
        (&location(), Some(tick(40)), banners(42, "two"), true),
        (&other, None, banners(40, "elsewhere"), true),
    ] {
        let found = store.put_banners(group(), location, before, &put).await;
        assert_eq!(found.unwrap(), stored, "{put:?}");
    }
    let own = store.banners_of(group(), &location()).await.unwrap();
    assert_eq!(own, Some(banners(42, "two")));
    assert_eq!(
        store.banners_of(group(), &"c".parse().unwrap()).await.unwrap(),
        None
    );
    let odd = item("banners#1m#0", "location#Odd", &[("v", number(1))]);
    store.table().put(odd, Condition::Always).await.unwrap();
    let (all, unreadable) = store.banners(group()).await.unwrap();
    let expected = [
        (location(), banners(42, "two")),
        (other, banners(40, "elsewhere")),
    ];
    assert_eq!(all, BTreeMap::from(expected));
    assert!(
        unreadable.len() == 1 && unreadable[0].to_string().contains("banners#1m#0/location#Odd"),
        "{unreadable:?}"
    );
}

fn rollup(good: u32) -> Rollup {
    let tally = Tally {
        good,
        ..Tally::default()
    };
    BTreeMap::from([("orders-db".parse().unwrap(), tally)])
}

fn period(text: &str) -> Period {
    text.parse().unwrap()
}

async fn first_summary_is_kept<T: Table>(table: T) {
    let store = Store::new(table);
    let hours = [
        period("2026-11-22T04"),
        period("2026-11-22T05"),
        period("2026-11-22"),
    ];
    for (number, hour) in [(1, hours[1]), (2, hours[1]), (3, hours[2])] {
        let stored = store
            .put_summary(group(), hour, &location(), &rollup(number))
            .await;
        assert_eq!(stored.unwrap(), number != 2);
    }
    let mut broken = item("hourly#1m#0", "2026-11-22T04#eu-west-1", &[("v", number(9))]);
    store
        .table()
        .put(broken.clone(), Condition::Always)
        .await
        .unwrap();
    broken.insert("sk".to_owned(), text("2026-11-22T03#us-east-1"));
    store.table().put(broken, Condition::Always).await.unwrap();

    let found = store
        .summaries_of::<Rollup>(group(), period("2026-11-22").hours(), &location(), Read::Strong)
        .await
        .unwrap();
    assert_eq!(found.records, BTreeMap::from([(hours[1], rollup(1))]));
    assert_eq!(found.unreadable.keys().collect::<Vec<_>>(), [&hours[0]]);
    // The unreadable summary is not overwritten.
    assert!(
        !store
            .put_summary(group(), hours[0], &location(), &rollup(4))
            .await
            .unwrap()
    );
    let found = store
        .summaries_of::<Rollup>(group(), [hours[2]], &location(), Read::Eventual)
        .await
        .unwrap();
    assert_eq!(found.records, BTreeMap::from([(hours[2], rollup(3))]));
}

/// Times of `monitors` monitors in all buckets; too large for one item if there are many.
fn wide(monitors: usize) -> PhaseRollup {
    let times = PhaseTimes::from_buckets((0..=255).map(|bucket| (bucket, 10_000)), Duration::from_secs(30));
    let phases = ByPhase {
        dns: times.clone(),
        connect: PhaseTimes::default(),
        tls: PhaseTimes::default(),
        ready: times,
    };
    let id = |number: usize| format!("{number:0>64}").parse().unwrap();
    (0..monitors).map(|number| (id(number), phases.clone())).collect()
}

/// All records of the phases of a day, read page by page.
async fn records_of<T: Table + PagedQuery>(
    store: &Store<T>,
    day: Period,
) -> Vec<(Period, Location, PhaseRollup)> {
    let mut rest = Some(keys::phase_rollups(group(), day, day));
    let mut records = Vec::new();
    while let Some(key_range) = rest {
        let page = store
            .next_page::<(Period, Location, PhaseRollup)>(&key_range, 2)
            .await
            .unwrap();
        assert!(page.unreadable.is_empty(), "{:?}", page.unreadable);
        records.extend(page.records);
        rest = page.rest;
    }
    records
}

async fn split_summary_is_read_as_one<T: Table + PagedQuery>(table: T) {
    let store = Store::new(table);
    let day = period("2026-11-22");
    // Another location whose name begins with the name of the first.
    let other: Location = format!("{}-2", location()).parse().unwrap();
    let (all, few) = (wide(400), wide(2));
    assert!(store.put_summary(group(), day, &location(), &all).await.unwrap());
    assert!(!store.put_summary(group(), day, &location(), &few).await.unwrap());
    assert!(store.put_summary(group(), day, &other, &few).await.unwrap());
    for (location, expected) in [(location(), &all), (other.clone(), &few)] {
        let found = store
            .summaries_of::<PhaseRollup>(group(), [day], &location, Read::Strong)
            .await
            .unwrap();
        assert!(found.unreadable.is_empty());
        assert!(
            found.records == BTreeMap::from([(day, expected.clone())]),
            "{location}"
        );
    }
    let records = records_of(&store, day).await;
    let own = records.iter().filter(|(_, of, _)| *of == location());
    let parts: Vec<_> = own.map(|(_, _, part)| part).collect();
    assert!(parts.len() > 1);
    let mut joined = PhaseRollup::new();
    for part in parts {
        assert!(part.keys().all(|id| !joined.contains_key(id)));
        joined.join(part.clone());
    }
    assert!(joined == all);
    let neighbours: Vec<_> = records.iter().filter(|(_, of, _)| *of == other).collect();
    assert!(neighbours.len() == 1 && neighbours[0].2 == few);
}

async fn parts_of_killed_writer_are_valid_for_next_writer<T: Table + Delete>(table: T) {
    let store = Store::new(table);
    let day = period("2026-11-22");
    // The killed writers had other monitors: once the same number of parts, once more.
    let (mut before, mut after) = (wide(400), wide(400));
    before.remove(&format!("{:0>64}", 7).parse().unwrap());
    after.remove(&format!("{:0>64}", 8).parse().unwrap());
    for left_behind in [&before, &wide(700)] {
        store
            .put_summary(group(), day, &location(), left_behind)
            .await
            .unwrap();
        let first = <PhaseRollup as Summary>::key(group(), day, &location());
        let deleted = store
            .table()
            .delete(&first.pk, &first.sk, Condition::Always)
            .await;
        deleted.unwrap();
    }
    assert!(
        store
            .put_summary(group(), day, &location(), &after)
            .await
            .unwrap()
    );
    let found = store
        .summaries_of::<PhaseRollup>(group(), [day], &location(), Read::Strong)
        .await
        .unwrap();
    let found = &found.records[&day];
    // Only monitors that differ between the writers may be missing.
    let missing: Vec<_> = after.keys().filter(|id| !found.contains_key(*id)).collect();
    assert!(missing.len() <= 1, "{missing:?}");
    assert!(
        found
            .iter()
            .all(|(id, phases)| after.get(id).or_else(|| before.get(id)) == Some(phases))
    );
}

async fn history_is_read_page_by_page<T: Table + PagedQuery>(table: T) {
    let store = Store::new(table);
    let other: Location = "us-east-1".parse().unwrap();
    for day in 19..24 {
        for (number, location) in [(day, location()), (day + 100, other.clone())] {
            let day = period(&format!("2026-11-{day}"));
            store
                .put_summary(group(), day, &location, &rollup(number))
                .await
                .unwrap();
        }
    }
    let broken = item("daily#1m#0", "2026-11-21#a", &[("v", number(9))]);
    store.table().put(broken, Condition::Always).await.unwrap();
    let mut rest = Some(keys::rollups(group(), period("2026-11-20"), period("2026-11-22")));
    let (mut days, mut unreadable) = (Vec::new(), Vec::new());
    while let Some(key_range) = rest {
        let page = store
            .next_page::<(Period, Location, Rollup)>(&key_range, 2)
            .await
            .unwrap();
        assert!(page.records.len() + page.unreadable.len() <= 2);
        unreadable.extend(page.unreadable.iter().map(ToString::to_string));
        days.extend(page.records.into_iter().map(|(day, location, rollup)| {
            (
                day.to_string(),
                location.to_string(),
                rollup.values().next().unwrap().good,
            )
        }));
        rest = page.rest;
    }
    let expected = [
        ("2026-11-22", "us-east-1", 122),
        ("2026-11-22", "eu-west-1", 22),
        ("2026-11-21", "us-east-1", 121),
        ("2026-11-21", "eu-west-1", 21),
        ("2026-11-20", "us-east-1", 120),
        ("2026-11-20", "eu-west-1", 20),
    ];
    assert_eq!(
        days,
        expected.map(|(day, location, good)| (day.to_owned(), location.to_owned(), good))
    );
    assert_eq!(unreadable, ["cannot read the item `daily#1m#0/2026-11-21#a`"]);

    let ticks = [40, 41, 42].map(|minute| row(minute).tick);
    for tick in ticks {
        store
            .put_results(group(), tick, &location(), &observations(None))
            .await
            .unwrap();
    }
    store
        .put_results(group(), ticks[1], &other, &observations(None))
        .await
        .unwrap();
    let page = store
        .next_page::<(Tick, Location, Observations)>(
            &keys::results_of_day(group(), period("2026-11-22")),
            100,
        )
        .await
        .unwrap();
    let found: Vec<_> = page
        .records
        .iter()
        .map(|(tick, location, _)| (*tick, location.as_str()))
        .collect();
    let (us, eu) = ("us-east-1", "eu-west-1");
    assert_eq!(
        found,
        [(ticks[2], eu), (ticks[1], us), (ticks[1], eu), (ticks[0], eu)]
    );
    let own = store
        .results_of(group(), [ticks[0], ticks[1], row(50).tick], &location())
        .await
        .unwrap();
    assert_eq!(own.records.into_keys().collect::<Vec<_>>(), ticks[..2]);
}
