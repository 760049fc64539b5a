//! Random schedules for several locations: lost, doubled, delayed and reordered ticks, crashes, failing tables and
//! topics, and clock skew. Each schedule is derived from a seed, which a failure prints.
//!
//! To replay a schedule, to run more schedules, and to run those from a seed on:
//!
//! ```text
//! PORTPULSE_SIM_SEED=447182931235 cargo test -p portpulse-checker simulation
//! PORTPULSE_SIM_SCHEDULES=100000 cargo test -p portpulse-checker simulation -- --nocapture
//! PORTPULSE_SIM_SEED=0 PORTPULSE_SIM_SCHEDULES=100000 cargo test -p portpulse-checker simulation -- --nocapture
//! ```

mod cadence;
mod deliveries;
mod observer;
mod oracle;
mod presence;
mod recording_table;
mod schedule;
mod scripted_results;

use std::panic::{AssertUnwindSafe, catch_unwind};

const SCHEDULES: u64 = 900;
const THREADS: u64 = 2;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is `{text}`, not a whole number")),
    )
}

#[test]
fn random_schedules_cause_no_lost_or_false_notification() {
    let (seed, schedules) = (number("PORTPULSE_SIM_SEED"), number("PORTPULSE_SIM_SCHEDULES"));
    if let (Some(seed), None) = (seed, schedules) {
        schedule::run(seed);
        return;
    }
    let schedules = schedules.unwrap_or(SCHEDULES);
    let first = seed.unwrap_or_else(|| fastrand::u64(..1 << 40));
    let run = |thread: u64| {
        let mut seen = schedule::Totals::default();
        for seed in (first..first + schedules).filter(|seed| seed % THREADS == thread) {
            match catch_unwind(AssertUnwindSafe(|| schedule::run(seed))) {
                Ok(totals) => seen += totals,
                Err(panic) => {
                    eprintln!("the schedule failed: replay it with PORTPULSE_SIM_SEED={seed}");
                    std::panic::resume_unwind(panic);
                }
            }
        }
        seen
    };
    let totals = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || run(thread)))
            .collect();
        let mut totals = schedule::Totals::default();
        for thread in threads {
            totals += thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        totals
    });
    eprintln!("{schedules} schedules from seed {first}: {totals:?}");
    // Each kind of event must occur often enough, or the simulation tests nothing.
    let expected = schedules / 4;
    for (what, rarity) in [
        ("outages", 1),
        ("recoveries", 1),
        ("crashes", 1),
        ("repeated messages", 20),
        ("suppressed incidents", 20),
        ("flapping monitors", 40),
        ("escalations", 10),
        ("reminders", 10),
        ("acknowledgements", 20),
        ("added locations", 2),
        ("removed locations", 4),
        ("full decision states", 40),
        ("incidents notified with others", 4),
        ("healed checks", 1),
        ("schedules below a minute", 2),
        ("outages detected in time", 10),
    ] {
        let count = totals.0.get(what).copied().unwrap_or_default();
        assert!(
            schedules < 200 || count * rarity >= expected,
            "only {count} {what} in {schedules} schedules"
        );
    }
}
