//! Benchmark: one decision on 400 monitors in three locations.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, prints it, and stops on any error"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portpulse_core::decide::{Decision, Elsewhere, Input, Unlimited, decide, is_nominal};
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{
    Cause, Entry, Finding, FleetState, GroupState, Health, LocationState, Streak, Streaks,
};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::outbox::Claimant;
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_core::round::Definitions;
use portpulse_core::time::{Interval, Tick};
use serde_json::json;

const MONITORS: usize = 400;
const LOCATIONS: [&str; 3] = ["ap-northeast-1", "eu-west-1", "us-east-1"];
const RUNS: usize = 1_000;
const TICK: &str = "2026-11-22T05:41:00Z";
const NOW: &str = "2026-11-22T05:41:07Z";

fn main() {
    println!(
        "decide() for {MONITORS} monitors from {} locations, {RUNS} runs:",
        LOCATIONS.len()
    );
    println!(
        "{:>24} {:>10} {:>10} {:>14}",
        "group state", "median", "p99", "notifications"
    );
    let definitions = definitions();
    let opening = |failing| group_state(&definitions, failing);
    // The group state after the decision has open incidents.
    let open = GroupState {
        decision: decision(&definitions, &opening(MONITORS)).state.unwrap(),
        ..opening(MONITORS)
    };
    for (name, group_state) in [
        ("all good", opening(0)),
        ("one starts to fail", opening(1)),
        ("all start to fail", opening(MONITORS)),
        ("all fail, incidents open", open),
    ] {
        let mut times: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let began = Instant::now();
                black_box(decision(&definitions, black_box(&group_state)));
                began.elapsed()
            })
            .collect();
        times.sort();
        let us = |time: Duration| time.as_secs_f64() * 1e6;
        let notified = decision(&definitions, &group_state)
            .state
            .map_or(0, |row| row.outbox.pending().len());
        println!(
            "{name:>24} {:>7.0} µs {:>7.0} µs {notified:>14}",
            us(times[RUNS / 2]),
            us(times[RUNS * 99 / 100])
        );
    }
}

fn definitions() -> Definitions {
    let monitors = (0..MONITORS).map(|number| {
        let id = format!("orders-db-{number:03}-primary");
        let attributes = json!({ "host": "db.example.com", "service": "postgres", "tier": "critical" });
        let monitor = Monitor::from_attributes(&id, &attributes).unwrap();
        (monitor.id().clone(), monitor)
    });
    Definitions {
        monitors: monitors.collect(),
        broken: BTreeMap::new(),
    }
}

/// A group state in which the first `failing` monitors have just failed in all locations.
fn group_state(definitions: &Definitions, failing: usize) -> GroupState {
    let tick: Tick = TICK.parse().unwrap();
    let entry = Entry::Seen(Streaks {
        seen: tick,
        health: Streak {
            state: Health::Failing,
            ticks: 1,
            since: tick,
        },
        quality: None,
        finding: Some(Finding {
            cause: Cause::Failed(FailureClass::Starting),
            detail: Detail::new("57P03: the database system is starting up"),
        }),
        point: None,
    });
    let ids = definitions.monitors.keys().take(failing);
    let entries: BTreeMap<MonitorId, Entry> = ids.map(|id| (id.clone(), entry.clone())).collect();
    let row = LocationState { tick, entries };
    GroupState {
        locations: locations()
            .into_iter()
            .map(|location| (location, row.clone()))
            .collect(),
        ..GroupState::default()
    }
}

fn locations() -> BTreeSet<Location> {
    LOCATIONS.iter().map(|name| name.parse().unwrap()).collect()
}

fn decision(definitions: &Definitions, group_state: &GroupState) -> Decision {
    let (expected, me) = (locations(), Claimant::new("only"));
    let now: Timestamp = NOW.parse().unwrap();
    let fleet = FleetState::default();
    let input = Input {
        group: GroupId {
            interval: Interval::OneMinute,
            shard: 0,
        },
        definitions,
        group_state,
        fleet: Some(&fleet),
        fallback_locations: &expected,
        controls: &BTreeMap::new(),
        elsewhere: Elsewhere::NOTHING,
        now,
        me: &me,
    };
    // A tick evaluates this first, and decides only if the group is not nominal.
    black_box(is_nominal(&input));
    decide(&input, &Unlimited)
}
