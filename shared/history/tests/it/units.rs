//! The read units that pages consume, as DynamoDB reports them, and the read limit.

use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_core::period::{Grain, Period};
use portpulse_cost::{Spread, ViewCost};
use portpulse_history::Detail;
use portpulse_history::view::{Audience, LeftOut, Slot};
use portpulse_store::Store;
use portpulse_store::meter::Consumed;
use portpulse_testkit::embedded::EmbeddedDynamo;
use serde_json::{Map, json};

use crate::fleet::{banners, define, definition, file, last_day, locations, now, reader, roll_up, rows, run};

fn ids(monitors: usize) -> Vec<String> {
    let ids = (0..monitors).map(|number| format!("orders-db-{number:03}-primary"));
    ids.collect()
}

/// A table in the middle of an hour.
async fn dynamo(monitors: usize, days: i64) -> EmbeddedDynamo {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let store = Store::new(dynamo.table());
    let ids = ids(monitors);
    for id in &ids {
        define(&store, id).await;
    }
    roll_up(&store, &ids, days).await;
    rows(&store, &[]).await;
    let banner = "220 mail.example.com ESMTP Postfix (Debian/GNU), and forty more characters of it";
    banners(&store, &ids, banner).await;
    run(&store, &ids, 30).await;
    for day in 1..=20 {
        for id in &ids[..5] {
            let at = |minute: u32| format!("2026-11-{day:02}T05:{minute:02}:00Z");
            file(&store, id, &at(10), &at(20)).await;
        }
    }
    dynamo
}

/// The same monitors as a definition file.
fn planned(monitors: usize) -> DefinitionFile {
    let fields = definition(54_321);
    let ids = ids(monitors).into_iter();
    let monitors: Map<_, _> = ids.map(|id| (id, fields.clone())).collect();
    DefinitionFile::validate(&json!({ "monitors": monitors }), NetworkAccess::PlainLambda).unwrap()
}

#[tokio::test]
async fn ninety_days_of_50_monitors_cost_under_200_units() {
    let dynamo = dynamo(50, 89).await;
    let (table, meter) = dynamo.metered_table();
    let reader = reader(table, 500);
    reader.overview(Audience::Private, now()).await.unwrap();
    let read_units = meter.take().read_units;
    // The estimate of `portpulse-cost`; total times of 41 to 50 ms fall into two buckets.
    let spread = Spread { hour: 2, day: 2 };
    let estimated = ViewCost::of(&planned(50), &locations(), spread).read_units;
    assert!(
        (estimated / read_units - 1.0).abs() < 0.05,
        "{estimated} estimated, {read_units} read"
    );

    // At the end of an hour, most ticks are read one by one.
    run(&Store::new(dynamo.table()), &ids(50), 60).await;
    let overview = reader.overview(Audience::Private, now()).await.unwrap();
    let Consumed {
        reads, read_units, ..
    } = meter.take();
    assert_eq!(overview.left_out, LeftOut::default());
    assert!(
        overview
            .monitors
            .iter()
            .all(|monitor| monitor.uptime.quarter.is_some())
    );
    assert!(
        reads < 20 && read_units < 200.0,
        "{reads} reads, {read_units} units"
    );

    // Phase times of longer spans cost more.
    let id = "orders-db-007-primary".parse().unwrap();
    let today = Period::containing(now(), Grain::Day);
    for (since, most) in [
        (last_day(), 240.0),
        (today.later(-6), 240.0),
        (today.later(-29), 320.0),
        (today.later(-89), 500.0),
    ] {
        let page = reader.monitor(Audience::Private, &id, since, now()).await;
        let page = page.unwrap().unwrap();
        assert_eq!(page.left_out, LeftOut::default(), "{since}");
        let inside = page.monitor.inside.unwrap();
        let points = inside.hours.iter().chain(&inside.days);
        let wanted = points.filter(|point| matches!(point.slot, Slot::Period(period) if period.grain() == since.grain() && period >= since));
        assert!(
            wanted.clone().count() > 5 && wanted.clone().all(|point| point.phases.ready.is_some()),
            "{since}"
        );
        let Consumed {
            reads, read_units, ..
        } = meter.take();
        assert!(
            reads < 30 && read_units < most,
            "{since}: {reads} reads, {read_units} units"
        );
    }
    // The single checks of the last three hours cost less than the phases of 90 days.
    let page = reader
        .monitor(Audience::Private, &id, Detail::Checks, now())
        .await;
    let page = page.unwrap().unwrap();
    assert_eq!(page.left_out, LeftOut::default());
    let inside = page.monitor.inside.unwrap();
    assert!(inside.locations.values().all(|seen| !seen.checks.is_empty()));
    let of_checks = meter.take();
    assert!(
        of_checks.reads < 30 && of_checks.read_units < 300.0,
        "{of_checks:?}"
    );
    // Public pages read no phase times and no banners: the cost is that of the overview and one read to find the group.
    reader
        .monitor(Audience::Public, &id, today.later(-89), now())
        .await
        .unwrap()
        .unwrap();
    let of_public = meter.take();
    assert_eq!(of_public.reads, reads + 1);
    assert!(of_public.read_units < 200.0, "{of_public:?}");

    // A request for an unknown monitor costs no more than this.
    assert!(reader.ids().await.unwrap().contains(&id));
    let of_definitions = meter.take();
    assert!(
        of_definitions.reads == 1 && of_definitions.read_units <= 2.0,
        "{of_definitions:?}"
    );

    let incidents = reader.incidents(Audience::Private, now()).await.unwrap();
    assert_eq!(incidents.closed.len(), 100);
    let Consumed {
        reads, read_units, ..
    } = meter.take();
    assert!(
        reads < 15 && read_units < 30.0,
        "{reads} reads, {read_units} units"
    );

    let none = "no-such-monitor".parse().unwrap();
    assert_eq!(
        reader
            .monitor(Audience::Private, &none, last_day(), now())
            .await
            .unwrap(),
        None
    );
    assert_eq!(meter.take().read_units, 0.5);
}

#[tokio::test]
async fn read_limit_holds_and_incomplete_uptime_is_omitted() {
    let dynamo = dynamo(50, 89).await;
    let (table, meter) = dynamo.metered_table();
    for (read_limit, day, week, quarter) in [
        (0, false, false, false),
        (60, true, true, false),
        (90, true, true, false),
    ] {
        let overview = reader(table.clone(), read_limit)
            .overview(Audience::Private, now())
            .await
            .unwrap();
        let consumed = meter.take();
        // The current state is always read; here it costs less than 10 units.
        let most = f64::from(read_limit).max(10.0);
        assert!(consumed.read_units <= most, "{read_limit}: {consumed:?}");
        assert!(overview.left_out.days);
        for monitor in &overview.monitors {
            let uptime = monitor.uptime;
            let known = [uptime.day, uptime.week, uptime.quarter].map(|watched| watched.is_some());
            assert_eq!(
                known,
                [day, week, quarter],
                "{read_limit}: {:?}",
                overview.left_out
            );
        }
    }
}
