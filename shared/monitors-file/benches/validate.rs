//! Benchmark: reads and validates large definitions files. `cargo bench -p portpulse-monitors-file --profile dev` measures a
//! debug build.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark measures time, prints it, and stops on any error"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use portpulse_core::definition::NetworkAccess;

const MONITORS: usize = 50_000;
const DISTINCT: usize = 10_000;
const EQUAL: usize = 5_000;

fn main() {
    let typical = file(MONITORS, |number| {
        format!(
            "svc-{number}:\n    host: db-{number}.example.com\n    service: postgres\n    tier: supporting\n    tags: [team-{}, db]",
            number % 7
        )
    });
    let short = |id: String| format!("{id}: {{ host: a.example.com, port: 443 }}");
    let distinct = file(DISTINCT, |number| short(format!("m-{number}")));
    let equal = file(EQUAL, |_| short("same".to_owned()));
    assert!(portpulse_monitors_file::read(&typical, NetworkAccess::OwnNetwork).is_ok());
    assert!(portpulse_monitors_file::read(&distinct, NetworkAccess::OwnNetwork).is_ok());
    let mistakes = portpulse_monitors_file::read(&equal, NetworkAccess::OwnNetwork).unwrap_err();
    assert_eq!(mistakes.len(), EQUAL - 1);
    measure(&format!("{MONITORS} monitors of five fields"), &typical);
    measure(&format!("{DISTINCT} monitors of two fields"), &distinct);
    measure(&format!("{EQUAL} monitors with the same id"), &equal);
}

/// A definitions file of `count` monitors.
fn file(count: usize, monitor: impl Fn(usize) -> String) -> String {
    let mut text = "monitors:\n".to_owned();
    for number in 0..count {
        writeln!(text, "  {}", monitor(number)).unwrap();
    }
    text
}

/// Prints the median of several runs.
fn measure(name: &str, text: &str) {
    let mut runs: Vec<_> = (0..5)
        .map(|_| {
            let start = Instant::now();
            drop(black_box(portpulse_monitors_file::read(
                black_box(text),
                NetworkAccess::OwnNetwork,
            )));
            start.elapsed()
        })
        .collect();
    runs.sort();
    let median = runs.get(runs.len() / 2).copied().unwrap_or_default();
    println!(
        "{name:>32} {:>8} KiB {:>8} ms",
        text.len() / 1024,
        median.as_millis()
    );
}
