//! The text of the table, tick lines and summary.

use super::super::tick_json::tick_json;
use super::*;
use std::time::Duration;

use portpulse_checker::TickReport;
use portpulse_core::definition::NetworkAccess;
use portpulse_core::outcome::{Failure, FailureClass, NoData, Opened, Outcome, Phase, Phases, Trust};

const FILE: &str = "\
monitors:
  db: { host: db.example.com, port: 5432, slow_after: 100ms }
  gone: { host: 203.0.113.7, port: 23, expect: closed }
  far: { host: far.example.com, port: 80, locations: [west] }
  idle: { host: off.example.com, port: 80, enabled: false }
";

fn open(ms: u64) -> Outcome {
    let phases = Phases {
        connect: Some(Duration::from_millis(ms)),
        ..Phases::default()
    };
    Outcome::Open(Opened {
        address: "203.0.113.9:80".parse().unwrap(),
        phases,
        trust: Trust::Kernel,
        warning: None,
        banner: None,
    })
}

fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed(Failure {
        class,
        phase: Phase::Connect,
        phases: Phases::default(),
        address: None,
        detail: None,
    })
}

fn ticked(location: &str, outcomes: &[(&str, Outcome)], open: &[(&str, Status)]) -> FinishedTick {
    let id = |text: &str| text.parse::<MonitorId>().unwrap();
    let outcomes = outcomes
        .iter()
        .map(|(name, outcome)| (id(name), outcome.clone()))
        .collect();
    FinishedTick {
        report: TickReport {
            tick: "2026-11-22T05:40:00Z".parse().unwrap(),
            group: "5m#0".parse().unwrap(),
            location: location.parse().unwrap(),
            outcome: TickOutcome::Counted(outcomes),
            sum: Default::default(),
            published: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        },
        open: Some(open.iter().map(|(name, status)| (id(name), *status)).collect()),
    }
}

fn watch() -> WatchState {
    let locations = ["east", "west"].map(|name| name.parse().unwrap()).into();
    WatchState::new(
        &locations,
        &portpulse_monitors_file::read(FILE, NetworkAccess::OwnNetwork).unwrap(),
    )
}

/// The table without colours.
fn table(watch: &WatchState, height: usize) -> String {
    let lines = watch
        .table("2026-11-22T05:40:07Z".parse().unwrap(), height)
        .join("\n");
    anstream::adapter::strip_str(&lines).to_string()
}

#[test]
fn table_shows_each_monitor_in_each_location() {
    let mut watch = watch();
    let east = [("db", open(12)), ("gone", failed(FailureClass::Refused))];
    watch.ticked(&ticked("east", &east, &[]));
    let west = [
        ("db", Outcome::NoData(NoData::NoRoute)),
        ("gone", open(3)),
        ("far", failed(FailureClass::Timeout)),
    ];
    watch.ticked(&ticked("west", &west, &[("gone", Status::Exposed)]));
    let expected = "
2026-11-22 05:40:07Z  2 ticks, 5 checks, 0 notifications
MONITOR  TARGET                  east       west  STATUS
db       db.example.com:5432    12 ms    no data  up
far      far.example.com:80         -    timeout  up
gone     203.0.113.7:23       refused  open 3 ms  exposed";
    assert_eq!(table(&watch, 24), expected);
    let expected = "
2026-11-22 05:40:07Z  2 ticks, 5 checks, 0 notifications
MONITOR  TARGET                east     west  STATUS
db       db.example.com:5432  12 ms  no data  up
… and 2 more";
    assert_eq!(table(&watch, 5), expected);
    let summary = watch.summary().join("\n");
    assert_eq!(
        summary,
        "2 ticks, 5 checks, 0 notifications.\nOpen incidents: gone (exposed)."
    );
}

#[test]
fn short_table_shows_problems_first() {
    let mut watch = watch();
    let good = [("db", open(12)), ("far", open(12)), ("gone", open(1))];
    watch.ticked(&ticked("west", &good, &[("gone", Status::Exposed)]));
    let shown = table(&watch, 5);
    assert!(shown.contains("\ngone ") && !shown.contains("\ndb "), "{shown}");
}

#[test]
fn table_without_results_shows_placeholders() {
    let watch = watch();
    let expected = "
2026-11-22 05:40:07Z  0 ticks, 0 checks, 0 notifications
MONITOR  TARGET               east  west  STATUS
db       db.example.com:5432     …     …  …
far      far.example.com:80      -     …  …
gone     203.0.113.7:23          …     …  …";
    assert_eq!(table(&watch, 24), expected);
    assert_eq!(watch.summary()[1], "No open incidents.");
}

#[test]
fn incident_of_an_earlier_run_is_shown_before_the_first_check() {
    let mut watch = watch();
    let mut repeated = ticked("east", &[], &[("db", Status::Down)]);
    repeated.report.outcome = TickOutcome::Repeated;
    watch.ticked(&repeated);
    assert!(
        table(&watch, 24).contains("…     …  down"),
        "{}",
        table(&watch, 24)
    );
    assert_eq!((watch.tick_line(&repeated), tick_json(&repeated)), (None, None));
}

#[test]
fn tick_is_one_line() {
    let watch = watch();
    let outcomes = [
        ("db", open(150)),
        ("gone", failed(FailureClass::Timeout)),
        ("far", failed(FailureClass::Reset)),
    ];
    let ticked = ticked("west", &outcomes, &[]);
    let line = watch.tick_line(&ticked).unwrap();
    assert_eq!(
        anstream::adapter::strip_str(&line).to_string(),
        "2026-11-22 05:40:00Z  west  5m#0  1 of 3 as expected; db: 150 ms, far: reset"
    );
    assert_eq!(
        tick_json(&ticked).unwrap(),
        r#"{"type":"tick","time":"2026-11-22T05:40:00Z","location":"west","group":"5m#0","results":{"db":{"outcome":"open","connect_ms":150.0},"far":{"outcome":"reset"},"gone":{"outcome":"timeout"}}}"#
    );
}

#[test]
fn tick_does_not_change_other_groups() {
    let mut watch = watch();
    watch.ticked(&ticked(
        "west",
        &[("gone", open(1))],
        &[("gone", Status::Exposed)],
    ));
    let mut other = ticked("west", &[], &[]);
    other.report.group = "1m#0".parse().unwrap();
    watch.ticked(&other);
    assert_eq!(watch.summary()[1], "Open incidents: gone (exposed).");
}
