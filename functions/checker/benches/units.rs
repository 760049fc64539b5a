//! Consumed capacity of a nominal tick, as DynamoDB reports it (`ReturnConsumedCapacity`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and panics on errors"
)]

use portpulse_core::period::Grain;

#[path = "../tests/it/nominal.rs"]
mod nominal;

use nominal::{Checks, MinuteUnits};

/// The maximum write units of a minute after midnight, with 1,000 monitors.
const MAX_AFTER_MIDNIGHT: f64 = 250.0;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("One tick of one location, all monitors open:");
    println!(
        "{:>9} {:>8} {:>8} {:>7} {:>12} {:>6} {:>11}",
        "monitors", "checks", "locations", "writes", "write units", "reads", "read units"
    );
    let kinds = [("connect", Checks::Connect), ("ready", Checks::Ready)];
    let all = || {
        [50, 400]
            .into_iter()
            .flat_map(|monitors| kinds.map(|kind| (monitors, kind)))
    };
    for (monitors, (name, checks)) in all() {
        for locations in [1, 3] {
            let consumed = runtime.block_on(nominal::tick(checks, monitors, locations));
            println!(
                "{monitors:>9} {name:>8} {locations:>8} {:>7} {:>12} {:>6} {:>11}",
                consumed.writes, consumed.write_units, consumed.reads, consumed.read_units
            );
        }
    }
    println!("\nThe two ticks with the rollups of an hour, and of an hour and a day:");
    for (monitors, (name, checks)) in all() {
        for grain in [Grain::Hour, Grain::Day] {
            let consumed = runtime.block_on(nominal::rollups(grain, checks, monitors));
            println!("{monitors} monitors, {name}, {grain}: {consumed:?}");
        }
    }
    println!(
        "\nWrite units in the hour after midnight, from three locations: the worst minute, of them for ticks,"
    );
    println!("the worst tick with its rollups and a tick without:");
    for (monitors, (name, checks)) in [50, 1_000]
        .into_iter()
        .flat_map(|monitors| kinds.map(|kind| (monitors, kind)))
    {
        let minutes = runtime.block_on(nominal::write_units_after_midnight(checks, monitors, 3));
        let find = |of: fn(&MinuteUnits) -> f64, choose: fn(f64, f64) -> f64| {
            minutes.iter().map(of).reduce(choose).unwrap()
        };
        let (worst, ticks) = (
            find(|units| units.all, f64::max),
            find(|units| units.all, f64::min),
        );
        let (tick, plain) = (
            find(|units| units.of_tick, f64::max),
            find(|units| units.of_tick, f64::min),
        );
        println!("{monitors} monitors, {name}: {worst}, {ticks}; {tick}, {plain}");
        assert!(worst <= MAX_AFTER_MIDNIGHT, "{minutes:?}");
    }
}
