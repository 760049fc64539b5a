//! Consumed capacity of nominal ticks.

use portpulse_core::definition::{Defined, DefinitionFile, NetworkAccess};
use portpulse_core::period::Grain;
use portpulse_cost::{Assumptions, BannersCost, RollupCost, Spread, TickCost};
use serde_json::json;

use crate::nominal::{self, Checks};

#[tokio::test]
async fn nominal_tick_makes_two_writes_within_units() {
    for (checks, monitors, most) in [
        (Checks::Connect, 50, 3.0),
        (Checks::Ready, 50, 3.0),
        (Checks::Connect, 400, 16.0),
        (Checks::Ready, 400, 16.0),
    ] {
        for locations in [1, 3] {
            let consumed = nominal::tick(checks, monitors, locations).await;
            assert_eq!(consumed.writes, 2, "{monitors} from {locations}: {consumed:?}");
            assert_eq!(consumed.reads, 2, "{monitors} from {locations}: {consumed:?}");
            assert!(
                consumed.write_units >= 2.0 && consumed.write_units <= most,
                "{monitors} from {locations}: {consumed:?}"
            );
        }
    }
}

/// `portpulse plan` predicts the consumed capacity.
#[tokio::test]
async fn nominal_tick_consumes_predicted_units() {
    for (checks, monitors, locations) in [
        (Checks::Connect, 1, 1),
        (Checks::Ready, 10, 3),
        (Checks::Connect, 50, 1),
        (Checks::Ready, 50, 3),
        (Checks::Connect, 120, 2),
        (Checks::Ready, 120, 2),
        (Checks::Connect, 400, 3),
        (Checks::Ready, 400, 3),
    ] {
        let whole = json!({ "monitors": nominal::definitions(checks, monitors) });
        let file = DefinitionFile::validate(&whole, NetworkAccess::PlainLambda).unwrap();
        let defined: Vec<&Defined> = file.monitors().iter().collect();
        let expected = nominal::expected(locations);
        let location = expected.last().unwrap();
        let predicted = TickCost::of(nominal::GROUP, &defined, location, &expected);
        let consumed = nominal::tick(checks, monitors, locations).await;

        let of = format!("{monitors} from {locations}: {predicted:?}, {consumed:?}");
        assert_eq!(
            u64::from(TickCost::REQUESTS),
            consumed.reads + consumed.writes,
            "{of}"
        );
        assert!(
            (predicted.read_units + predicted.definition_read_units - consumed.read_units).abs() < 1e-9,
            "{of}"
        );
        // Times have fewer digits than predicted.
        let more = predicted.write_units - consumed.write_units;
        assert!((0.0..=1.0).contains(&more), "{of}");
    }
}

#[tokio::test]
async fn rollups_and_banners_stay_within_units() {
    for (checks, items, banners, of_hour, of_day) in [
        (Checks::Connect, 1, 0, (4.0, 40.0), (5.0, 50.0)),
        (Checks::Ready, 2, 1, (16.0, 45.0), (14.0, 80.0)),
    ] {
        let tick = nominal::tick(checks, 50, 1).await;
        let hourly = nominal::rollups(Grain::Hour, checks, 50).await;
        let daily = nominal::rollups(Grain::Day, checks, 50).await;
        let (ticks, lookups) = (2 * tick.writes, 2 * tick.reads + 3);
        let writes = (ticks + items + banners, ticks + 2 * items + banners);
        assert_eq!((hourly.writes, daily.writes), writes);
        assert_eq!(
            (hourly.reads, daily.reads),
            (lookups + banners, lookups + 2 + banners)
        );
        let of_ticks = (2.0 * tick.write_units, 2.0 * tick.read_units);
        let of_hours = (hourly.write_units, hourly.read_units);
        for (more, less, (write_units, read_units)) in
            [(&hourly, of_ticks, of_hour), (&daily, of_hours, of_day)]
        {
            let (writes, reads) = (more.write_units - less.0, more.read_units - less.1);
            assert!((1.0..=write_units).contains(&writes), "{more:?} after {less:?}");
            assert!((1.0..=read_units).contains(&reads), "{more:?} after {less:?}");
        }
    }
}

/// Even if all requests of a minute fall into one second, they need no more than what DynamoDB provides for free.
#[tokio::test]
async fn rollups_after_midnight_stay_within_free_units() {
    let minutes = nominal::write_units_after_midnight(Checks::Ready, 50, 3).await;
    let all = || minutes.iter().map(|minute| minute.all);
    let ticks = all().fold(f64::MAX, f64::min);
    let rollups: f64 = all().map(|units| units - ticks).sum();
    assert!(
        (20.0..50.0).contains(&rollups),
        "three hours, three days and banners: {minutes:?}"
    );
    let most = all().fold(0.0, f64::max);
    assert!(most <= 25.0, "{minutes:?}");
}

#[tokio::test]
async fn rollups_consume_predicted_units() {
    for checks in [Checks::Connect, Checks::Ready] {
        let monitors = 50;
        let whole = json!({ "monitors": nominal::definitions(checks, monitors) });
        let file = DefinitionFile::validate(&whole, NetworkAccess::PlainLambda).unwrap();
        let defined: Vec<&Defined> = file.monitors().iter().collect();
        let expected = nominal::expected(1);
        let location = expected.first().unwrap();
        let tick = TickCost::of(nominal::GROUP, &defined, location, &expected);
        // Times that vary by a tenth fall into two buckets.
        let spread = Spread { hour: 2, day: 2 };
        let hour = RollupCost::of_hour(nominal::GROUP, &defined, location, &tick, spread);
        let day = RollupCost::of_day(nominal::GROUP, &defined, location, spread);
        let banner_bytes = Assumptions::default().banner_bytes;
        assert_eq!(nominal::BANNER.len(), banner_bytes);
        let banners = BannersCost::of(nominal::GROUP, &defined, location, banner_bytes);
        for (grain, write_units, read_units, requests) in [
            (
                Grain::Hour,
                2.0 * tick.write_units + hour.write_units,
                2.0 * (tick.read_units + tick.definition_read_units) + hour.read_units,
                hour.requests,
            ),
            (
                Grain::Day,
                2.0 * tick.write_units + hour.write_units + day.write_units,
                2.0 * (tick.read_units + tick.definition_read_units) + hour.read_units + day.read_units,
                hour.requests + day.requests,
            ),
        ] {
            let consumed = nominal::rollups(grain, checks, monitors).await;
            let write_units = write_units + banners.map_or(0.0, |banners| banners.write_units);
            let read_units = read_units + banners.map_or(0.0, |banners| banners.read_units);
            let requests = requests + banners.map_or(0, |banners| banners.requests);
            let of = format!("{write_units} and {read_units} predicted, {consumed:?}");
            assert_eq!(
                u64::from(2 * TickCost::REQUESTS + requests),
                consumed.reads + consumed.writes,
                "{of}"
            );
            // Times have fewer digits, and some fewer buckets, than predicted.
            let more = write_units - consumed.write_units;
            assert!((0.0..=2.0).contains(&more), "{of}");
            // The phases of each of 24 hours have slightly less than 4 KB here, and slightly more in the prediction.
            let more = read_units - consumed.read_units;
            let most = match (checks, grain) {
                (Checks::Ready, Grain::Day) => 25.0,
                (Checks::Ready, Grain::Hour) | (Checks::Connect, _) => 1.0,
            };
            assert!((0.0..=most).contains(&more), "{of}");
        }
    }
}
