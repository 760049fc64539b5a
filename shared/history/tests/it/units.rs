//! The read units that pages consume, as DynamoDB reports them, and the read limit.

use std::time::Duration;

use portpulse_core::by_phase::ByPhase;
use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_core::period::{Grain, Period};
use portpulse_core::phase_times::PhaseTimes;
use portpulse_core::rollup::{Rollup, Tally};
use portpulse_cost::{Spread, ViewCost};
use portpulse_history::Detail;
use portpulse_history::view::{Audience, LeftOut, Slot};
use portpulse_store::Store;
use portpulse_store::meter::Consumed;
use portpulse_testkit::embedded::EmbeddedDynamo;
use serde_json::{Map, json};

use crate::fleet::{
    banners, define, definition, file, last_day, locations, now, reader, roll_up_as, rows, run,
};

/// Ids such as `payments-cache-eu-3`.
fn ids(monitors: usize) -> Vec<String> {
    let systems = [
        "orders", "payments", "search", "accounts", "media", "mail", "stock",
    ];
    let parts = ["db", "api", "cache", "queue", "frontend"];
    let regions = ["eu", "us", "asia"];
    let id = |number: usize| {
        let (system, part) = (systems[number % systems.len()], parts[number % parts.len()]);
        format!(
            "{system}-{part}-{}-{}",
            regions[number % regions.len()],
            number / 15
        )
    };
    (0..monitors).map(id).collect()
}

/// The spread of the times over buckets that `portpulse plan` assumes.
const SPREAD: Spread = Spread { hour: 4, day: 8 };

/// A rollup of good checks, whose times differ from monitor to monitor and from one rollup to the next, so that they compress
/// no better than those of real services.
fn rollup(ids: &[String], grain: Grain, random: &mut impl FnMut(u32) -> u32) -> Rollup {
    let (checks, buckets) = match grain {
        Grain::Hour => (60, SPREAD.hour),
        Grain::Day => (1_440, SPREAD.day),
    };
    let mut times = || {
        let (first, peak) = (60 + random(60), random(buckets));
        let rest = buckets - 1;
        let mut left = checks - rest;
        let mut counts: Vec<_> = (0..buckets).map(|_| 1).collect();
        for count in &mut counts[..usize::try_from(rest).unwrap()] {
            let more = random(left / 3 + 1);
            left -= more;
            *count += more;
        }
        counts[usize::try_from(peak).unwrap()] += left;
        let buckets = counts
            .into_iter()
            .enumerate()
            .map(|(step, count)| (u8::try_from(first).unwrap() + u8::try_from(step).unwrap(), count));
        PhaseTimes::from_buckets(buckets, Duration::from_micros((10_000 + random(90_000)).into()))
    };
    let mut tally = || Tally {
        good: checks,
        total: times(),
        phases: ByPhase::<()>::default().map(|()| PhaseTimes::default()),
        ..Tally::default()
    };
    let mut all: Rollup = ids.iter().map(|id| (id.parse().unwrap(), tally())).collect();
    for tally in all.values_mut() {
        tally.phases = ByPhase {
            dns: times(),
            connect: times(),
            tls: times(),
            ready: times(),
        };
    }
    all
}

/// Numbers below a bound, the same ones in each run.
fn random() -> impl FnMut(u32) -> u32 {
    let mut state = 42_u64;
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(state >> 33).unwrap() % bound.max(1)
    }
}

/// A table in the middle of an hour.
async fn dynamo(monitors: usize, days: i64) -> EmbeddedDynamo {
    let dynamo = EmbeddedDynamo::start().await.unwrap();
    let store = Store::new(dynamo.table());
    let ids = ids(monitors);
    for id in &ids {
        define(&store, id).await;
    }
    let mut random = random();
    roll_up_as(&store, days, |grain| rollup(&ids, grain, &mut random)).await;
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
    println!("overview: {read_units} units");
    let estimated = ViewCost::of(&planned(50), &locations(), SPREAD).read_units;
    assert!(
        (estimated / read_units - 1.0).abs() < 0.1,
        "{estimated} estimated, {read_units} read"
    );

    // At the end of an hour, most ticks are read one by one.
    run(&Store::new(dynamo.table()), &ids(50), 60).await;
    let overview = reader.overview(Audience::Private, now()).await.unwrap();
    let Consumed {
        reads, read_units, ..
    } = meter.take();
    println!("overview at the end of an hour: {reads} reads, {read_units} units");
    assert_eq!(overview.left_out, LeftOut::default());
    assert!(
        overview
            .monitors
            .iter()
            .all(|monitor| monitor.uptime.quarter.is_some())
    );
    assert!(
        reads < 24 && read_units < 200.0,
        "{reads} reads, {read_units} units"
    );

    // Phase times of longer spans cost more.
    let id = "orders-cache-us-0".parse().unwrap();
    let today = Period::containing(now(), Grain::Day);
    for since in [last_day(), today.later(-6), today.later(-29), today.later(-89)] {
        let page = reader.monitor(Audience::Private, &id, since, now()).await;
        let page = page.unwrap().unwrap();
        // The widely spread times of 90 days exceed the budget of the phases: the earliest are left out.
        let exceeds = since == today.later(-89);
        assert_eq!(page.left_out.phases, exceeds, "{since}");
        assert!(!page.left_out.days && !page.left_out.hour && !page.left_out.incidents);
        let inside = page.monitor.inside.unwrap();
        let points = inside.hours.iter().chain(&inside.days);
        let wanted = points.filter(|point| matches!(point.slot, Slot::Period(period) if period.grain() == since.grain() && period >= since));
        assert!(
            wanted.clone().count() > 5
                && (exceeds || wanted.clone().all(|point| point.phases.ready.is_some())),
            "{since}"
        );
        assert!(
            !exceeds || wanted.filter(|point| point.phases.ready.is_some()).count() >= 40,
            "{since}: the latest 40 days are shown"
        );
        let Consumed {
            reads, read_units, ..
        } = meter.take();
        println!("{since}: {reads} reads, {read_units} units");
        assert!(
            reads < 36 && read_units < 200.0,
            "{since}: {reads} reads, {read_units} units"
        );
    }
    // The single checks of the last three hours.
    let page = reader
        .monitor(Audience::Private, &id, Detail::Checks, now())
        .await;
    let page = page.unwrap().unwrap();
    assert_eq!(page.left_out, LeftOut::default());
    let inside = page.monitor.inside.unwrap();
    assert!(inside.locations.values().all(|seen| !seen.checks.is_empty()));
    let of_checks = meter.take();
    println!("checks: {of_checks:?}");
    assert!(
        of_checks.reads < 36 && of_checks.read_units < 200.0,
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
        (40, true, true, false),
        (60, true, true, false),
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
