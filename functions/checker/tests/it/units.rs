//! What a nominal tick may cost.

use portpulse_core::definition::{Defined, DefinitionFile, Vantage};
use portpulse_core::period::Grain;
use portpulse_cost::{Assumptions, RollupCost, Spread, TickCost, WordsCost};
use serde_json::json;

use crate::nominal::{self, Checks};

#[tokio::test]
async fn a_nominal_tick_is_two_writes_within_its_units() {
    for (checks, monitors, most) in [
        (Checks::Connect, 50, 3.0),
        (Checks::Ready, 50, 3.0),
        (Checks::Connect, 400, 16.0),
        (Checks::Ready, 400, 16.0),
    ] {
        for regions in [1, 3] {
            let consumed = nominal::tick(checks, monitors, regions).await;
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
    for (checks, monitors, regions) in [
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
        let file = DefinitionFile::validate(&whole, Vantage::PlainLambda).unwrap();
        let defined: Vec<&Defined> = file.monitors().iter().collect();
        let expected = nominal::expected(regions);
        let region = expected.last().unwrap();
        let foretold = TickCost::of(nominal::GROUP, &defined, region, &expected);
        let consumed = nominal::tick(checks, monitors, regions).await;

        let of = format!("{monitors} from {regions}: {foretold:?}, {consumed:?}");
        assert_eq!(
            u64::from(TickCost::REQUESTS),
            consumed.reads + consumed.writes,
            "{of}"
        );
        assert!((foretold.read_units - consumed.read_units).abs() < 1e-9, "{of}");
        // Times have fewer digits than are reckoned with.
        let more = foretold.write_units - consumed.write_units;
        assert!((0.0..=1.0).contains(&more), "{of}");
    }
}

#[tokio::test]
async fn summing_up_an_hour_or_a_day_and_keeping_words_costs_little_more_than_a_tick() {
    for (checks, items, words, of_hour, of_day) in [
        (Checks::Connect, 1, 0, (4.0, 40.0), (5.0, 50.0)),
        (Checks::Ready, 2, 1, (16.0, 45.0), (14.0, 80.0)),
    ] {
        let tick = nominal::tick(checks, 50, 1).await;
        let hourly = nominal::first_of(Grain::Hour, checks, 50).await;
        let daily = nominal::first_of(Grain::Day, checks, 50).await;
        let writes = (tick.writes + items + words, tick.writes + 2 * items + words);
        assert_eq!((hourly.writes, daily.writes), writes);
        assert_eq!(
            (hourly.reads, daily.reads),
            (tick.reads + 2 + words, tick.reads + 4 + words)
        );
        for (more, less, (write_units, read_units)) in [(&hourly, &tick, of_hour), (&daily, &hourly, of_day)]
        {
            let writes = more.write_units - less.write_units;
            let reads = more.read_units - less.read_units;
            assert!((1.0..=write_units).contains(&writes), "{more:?} after {less:?}");
            assert!((1.0..=read_units).contains(&reads), "{more:?} after {less:?}");
        }
    }
}

/// What summing up costs is promised as well.
#[tokio::test]
async fn summing_up_costs_what_was_foretold() {
    for checks in [Checks::Connect, Checks::Ready] {
        let monitors = 50;
        let whole = json!({ "monitors": nominal::definitions(checks, monitors) });
        let file = DefinitionFile::validate(&whole, Vantage::PlainLambda).unwrap();
        let defined: Vec<&Defined> = file.monitors().iter().collect();
        let expected = nominal::expected(1);
        let region = expected.first().unwrap();
        let tick = TickCost::of(nominal::GROUP, &defined, region, &expected);
        // What moves by a tenth falls into two buckets.
        let spread = Spread { hour: 2, day: 2 };
        let hour = RollupCost::of_hour(nominal::GROUP, &defined, region, &tick, spread);
        let day = RollupCost::of_day(nominal::GROUP, &defined, region, spread);
        let said_bytes = Assumptions::default().said_bytes;
        assert_eq!(nominal::BANNER.len(), said_bytes);
        let words = WordsCost::of(nominal::GROUP, &defined, region, said_bytes);
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
            let consumed = nominal::first_of(grain, checks, monitors).await;
            let write_units = write_units + words.map_or(0.0, |words| words.write_units);
            let read_units = read_units + words.map_or(0.0, |words| words.read_units);
            let requests = requests + words.map_or(0, |words| words.requests);
            let of = format!("{write_units} and {read_units} foretold, {consumed:?}");
            assert_eq!(
                u64::from(TickCost::REQUESTS + requests),
                consumed.reads + consumed.writes,
                "{of}"
            );
            // Times have fewer digits, and some fewer buckets, than are reckoned with.
            let more = write_units - consumed.write_units;
            assert!((0.0..=1.0).contains(&more), "{of}");
            // For that, the phases of each of 24 hours weigh here just less than four kilobytes, there just more.
            let more = read_units - consumed.read_units;
            let most = match (checks, grain) {
                (Checks::Ready, Grain::Day) => 25.0,
                (Checks::Ready, Grain::Hour) | (Checks::Connect, _) => 1.0,
            };
            assert!((0.0..=most).contains(&more), "{of}");
        }
    }
}
