//! What the reads of a page cost, as DynamoDB bills them, and that the ceiling holds.

use portpulse_core::definition::{DefinitionFile, Vantage};
use portpulse_cost::{Spread, ViewCost};
use portpulse_history::view::Audience;
use portpulse_store::Store;
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::meter::Consumed;
use serde_json::{Map, json};

use crate::fleet::{define, definition, file, now, reader, regions, roll_up, rows, words};

async fn dynamo(monitors: usize, days: i64) -> EmbeddedDynamo {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let store = Store::new(dynamo.table());
    let ids: Vec<_> = (0..monitors)
        .map(|number| format!("orders-db-{number:03}-primary"))
        .collect();
    for id in &ids {
        define(&store, id).await;
    }
    roll_up(&store, &ids, days).await;
    rows(&store, &[]).await;
    let banner = "220 mail.example.com ESMTP Postfix (Debian/GNU), and forty more characters of it";
    words(&store, &ids, banner).await;
    for day in 1..=20 {
        for id in &ids[..5] {
            let at = |minute: u32| format!("2026-11-{day:02}T05:{minute:02}:00Z");
            file(&store, id, &at(10), &at(20)).await;
        }
    }
    dynamo
}

/// The same as a file of definitions.
fn planned(monitors: usize) -> DefinitionFile {
    let fields = definition(54_321);
    let ids = (0..monitors).map(|number| format!("orders-db-{number:03}-primary"));
    let monitors: Map<_, _> = ids.map(|id| (id, fields.clone())).collect();
    DefinitionFile::validate(&json!({ "monitors": monitors }), Vantage::PlainLambda).unwrap()
}

#[tokio::test]
async fn ninety_days_of_fifty_monitors_are_read_for_less_than_two_hundred_units() {
    let dynamo = dynamo(50, 89).await;
    let (table, meter) = dynamo.metered_table();
    let reader = reader(table, 400);
    let overview = reader.overview(Audience::Private, now()).await.unwrap();
    let Consumed {
        reads, read_units, ..
    } = meter.take();
    assert!(!overview.left_out.days && !overview.left_out.incidents);
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
    // As a plan of its cost reckons, where times of 10 to 12 ms fall into three buckets.
    let spread = Spread { hour: 3, day: 3 };
    let reckoned = ViewCost::of(&planned(50), &regions(), spread).read_units;
    assert!(
        (reckoned / read_units - 1.0).abs() < 0.05,
        "{reckoned} reckoned, {read_units} read"
    );

    let id = "orders-db-007-primary".parse().unwrap();
    assert!(
        reader
            .monitor(Audience::Private, &id, now())
            .await
            .unwrap()
            .is_some()
    );
    let Consumed {
        reads, read_units, ..
    } = meter.take();
    assert!(
        reads < 20 && read_units < 200.0,
        "{reads} reads, {read_units} units"
    );

    // What services said is read for those who are shown it.
    reader.monitor(Audience::Public, &id, now()).await.unwrap();
    assert_eq!(meter.take().reads, reads - 1);

    // That is all that a monitor costs that is not there.
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
        reader.monitor(Audience::Private, &none, now()).await.unwrap(),
        None
    );
    assert_eq!(meter.take().read_units, 0.5);
}

#[tokio::test]
async fn no_request_reads_more_than_its_ceiling_and_no_figure_is_told_of_what_was_not_read() {
    let dynamo = dynamo(50, 89).await;
    let (table, meter) = dynamo.metered_table();
    for (ceiling, day, week, quarter) in [
        (0, false, false, false),
        (60, true, true, false),
        (90, true, true, false),
    ] {
        let overview = reader(table.clone(), ceiling)
            .overview(Audience::Private, now())
            .await
            .unwrap();
        let consumed = meter.take();
        // The present is read whatever it costs: less than 10 units here.
        let most = f64::from(ceiling).max(10.0);
        assert!(consumed.read_units <= most, "{ceiling}: {consumed:?}");
        assert!(overview.left_out.days);
        for monitor in &overview.monitors {
            let uptime = monitor.uptime;
            let told = [uptime.day, uptime.week, uptime.quarter].map(|watched| watched.is_some());
            assert_eq!(told, [day, week, quarter], "{ceiling}: {:?}", overview.left_out);
        }
    }
}
