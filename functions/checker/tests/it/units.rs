//! What a nominal tick may cost.

use portpulse_core::definition::{Defined, DefinitionFile, Vantage};
use portpulse_core::period::Grain;
use portpulse_cost::{RollupCost, Spread, TickCost};
use serde_json::json;

use crate::nominal;

#[tokio::test]
async fn a_nominal_tick_is_two_writes_within_its_units() {
    for (monitors, most) in [(50, 3.0), (400, 16.0)] {
        for regions in [1, 3] {
            let consumed = nominal::tick(monitors, regions).await;
            assert_eq!(consumed.writes, 2, "{monitors} from {regions}: {consumed:?}");
            assert_eq!(consumed.reads, 2, "{monitors} from {regions}: {consumed:?}");
            assert!(
                consumed.write_units >= 2.0 && consumed.write_units <= most,
                "{monitors} from {regions}: {consumed:?}"
            );
        }
    }
}

/// `portpulse plan-cost` promises what DynamoDB then bills.
#[tokio::test]
async fn a_nominal_tick_costs_what_was_foretold() {
    for (monitors, regions) in [(1, 1), (10, 3), (50, 1), (50, 3), (120, 2), (400, 3)] {
        let whole = json!({ "monitors": nominal::definitions(monitors) });
        let file = DefinitionFile::validate(&whole, Vantage::PlainLambda).unwrap();
        let defined: Vec<&Defined> = file.monitors().iter().collect();
        let expected = nominal::expected(regions);
        let region = expected.last().unwrap();
        let foretold = TickCost::of(nominal::GROUP, &defined, region, &expected);
        let consumed = nominal::tick(monitors, regions).await;

        let of = format!("{monitors} from {regions}: {foretold:?}, {consumed:?}");
        assert_eq!(
            u64::from(TickCost::REQUESTS),
            consumed.reads + consumed.writes,
            "{of}"
        );
        assert!((foretold.read_units - consumed.read_units).abs() < 1e-9, "{of}");
        // Connect times have three digits or fewer where five are reckoned with.
        let more = foretold.write_units - consumed.write_units;
        assert!((0.0..=1.0).contains(&more), "{of}");
    }
}

#[tokio::test]
async fn summing_up_an_hour_or_a_day_costs_little_more_than_a_tick() {
    let tick = nominal::tick(50, 1).await;
    let hourly = nominal::first_of(Grain::Hour, 50).await;
    let daily = nominal::first_of(Grain::Day, 50).await;
    assert_eq!((hourly.writes, daily.writes), (tick.writes + 1, tick.writes + 2));
    assert_eq!((hourly.reads, daily.reads), (tick.reads + 2, tick.reads + 3));
    for (more, less, write_units, read_units) in [(&hourly, &tick, 4.0, 40.0), (&daily, &hourly, 5.0, 30.0)] {
        let writes = more.write_units - less.write_units;
        let reads = more.read_units - less.read_units;
        assert!((1.0..=write_units).contains(&writes), "{more:?} after {less:?}");
        assert!((1.0..=read_units).contains(&reads), "{more:?} after {less:?}");
    }
}

/// What summing up costs is promised as well.
#[tokio::test]
async fn summing_up_costs_what_was_foretold() {
    let monitors = 50;
    let whole = json!({ "monitors": nominal::definitions(monitors) });
    let file = DefinitionFile::validate(&whole, Vantage::PlainLambda).unwrap();
    let defined: Vec<&Defined> = file.monitors().iter().collect();
    let expected = nominal::expected(1);
    let region = expected.first().unwrap();
    let tick = TickCost::of(nominal::GROUP, &defined, region, &expected);
    // What moves by a tenth falls into two buckets.
    let spread = Spread { hour: 2, day: 2 };
    let hour = RollupCost::of_hour(nominal::GROUP, &defined, region, &tick, spread);
    let day = RollupCost::of_day(nominal::GROUP, &defined, region, spread);
    for (grain, write_units, read_units, requests) in [
        (
            Grain::Hour,
            tick.write_units + hour.write_units,
            tick.read_units + hour.read_units,
            hour.requests,
        ),
        (
            Grain::Day,
            tick.write_units + hour.write_units + day.write_units,
            tick.read_units + hour.read_units + day.read_units,
            hour.requests + day.requests,
        ),
    ] {
        let consumed = nominal::first_of(grain, monitors).await;
        let of = format!("{write_units} and {read_units} foretold, {consumed:?}");
        assert_eq!(
            u64::from(TickCost::REQUESTS + requests),
            consumed.reads + consumed.writes,
            "{of}"
        );
        let more = write_units - consumed.write_units;
        assert!((0.0..=1.0).contains(&more), "{of}");
        // DynamoDB bills what is not there with half a unit, as its guide says.
        let more = read_units - consumed.read_units;
        assert!((0.0..=1.0).contains(&more), "{of}");
    }
}
