//! The text of the table, the lines of checks and the summary.

use super::super::round_json::round_json;
use super::*;
use std::time::Duration;

use portpulse_checker::TickReport;
use portpulse_core::definition::NetworkAccess;
use portpulse_core::outcome::{
    Detail, Failure, FailureClass, NoData, Opened, Outcome, Phase, Phases, Trust, Warning,
};

const FILE: &str = "\
agents: [west]
monitors:
  db: { host: db.example.com, port: 5432, slow_after: 100ms }
  gone: { host: 203.0.113.7, port: 23, expect: closed }
  far: { host: far.example.com, port: 80, locations: [west] }
  idle: { host: off.example.com, port: 80, enabled: false }
";

fn open(ms: u64) -> Outcome {
    opened(ms, None)
}

fn opened(ms: u64, warning: Option<Warning>) -> Outcome {
    let phases = Phases {
        connect: Some(Duration::from_millis(ms)),
        ..Phases::default()
    };
    Outcome::Open(Opened {
        address: "203.0.113.9:80".parse().unwrap(),
        phases,
        trust: Trust::Kernel,
        warning,
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

fn finished(location: &str, outcomes: &[(&str, Outcome)], open: &[(&str, Status)]) -> FinishedTick {
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
            retries: Default::default(),
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
fn table(watch: &WatchState, width: usize, height: usize) -> String {
    let size = TableSize { width, height };
    let lines = watch.table("2026-11-22T05:40:07Z".parse().unwrap(), size);
    anstream::adapter::strip_str(&lines.join("\n")).to_string()
}

/// `gone` is exposed, `far` fails in one location, and `db` has no data in one.
fn watch_with_problems() -> WatchState {
    let mut watch = watch();
    let east = [("db", open(12)), ("gone", failed(FailureClass::Refused))];
    watch.finished(&finished("east", &east, &[]));
    let west = [
        ("db", Outcome::NoData(NoData::NoRoute)),
        ("gone", open(3)),
        ("far", failed(FailureClass::Timeout)),
    ];
    watch.finished(&finished("west", &west, &[("gone", Status::Exposed)]));
    watch
}

#[test]
fn table_shows_problems_first_and_fits_the_width() {
    let watch = watch_with_problems();
    for (width, height, expected) in [
        (
            80,
            24,
            "
2026-11-22 05:40:07Z  5 checks, 0 notifications
MONITOR  STATUS      east         west  TARGET
gone     exposed  refused  ✗ open 3 ms  203.0.113.7:23
db       up         12 ms    ! no data  db.example.com:5432
far      up             -    ✗ timeout  far.example.com:80",
        ),
        (
            60,
            5,
            "
2026-11-22 05:40:07Z  5 checks, 0 notifications
MONITOR  STATUS      east         west  TARGET
gone     exposed  refused  ✗ open 3 ms  203.0.113.7:23
… and 2 more",
        ),
        (
            50,
            5,
            "
2026-11-22 05:40:07Z  5 checks, 0 notifications
MONITOR  STATUS      east         west  TARGET
gone     exposed  refused  ✗ open 3 ms  203.0.113…
… and 2 more",
        ),
        (
            40,
            5,
            "
2026-11-22 05:40:07Z  5 checks, 0 notifications
MONITOR  STATUS      east         west
gone     exposed  refused  ✗ open 3 ms
… and 2 more",
        ),
        (
            30,
            24,
            "
2026-11-22 05:40:07Z  5 checks, 0 notifications
MONITOR  STATUS   LOCATIONS
gone     exposed  west: ✗ ope…
db       up       west: ! no …
far      up       west: ✗ tim…",
        ),
    ] {
        assert_eq!(table(&watch, width, height), expected, "{width}");
    }
    let summary = watch.summary().join("\n");
    assert_eq!(
        summary,
        "5 checks, 0 notifications.\nOpen incidents: gone (exposed)."
    );
}

#[test]
fn table_without_results_shows_placeholders() {
    let watch = watch();
    let expected = "
2026-11-22 05:40:07Z  0 checks, 0 notifications
MONITOR  STATUS  east  west  TARGET
db       …          …     …  db.example.com:5432
far      …          -     …  far.example.com:80
gone     …          …     …  203.0.113.7:23";
    assert_eq!(table(&watch, 80, 24), expected);
    assert_eq!(watch.summary()[1], "No open incidents.");
}

#[test]
fn incident_of_an_earlier_run_is_shown_before_the_first_check() {
    let mut watch = watch();
    let mut repeated = finished("east", &[], &[("db", Status::Down)]);
    repeated.report.outcome = TickOutcome::Repeated;
    watch.finished(&repeated);
    let table = table(&watch, 80, 24);
    assert!(table.contains("\ndb       down       …     …  db."), "{table}");
    assert_eq!(
        (watch.round_line(&repeated), round_json(&repeated.report)),
        (None, None)
    );
}

#[test]
fn round_of_checks_is_one_line() {
    let watch = watch();
    let outcomes = [
        ("db", open(150)),
        ("gone", failed(FailureClass::Timeout)),
        ("far", failed(FailureClass::Reset)),
    ];
    let finished = finished("west", &outcomes, &[]);
    let line = watch.round_line(&finished).unwrap();
    assert_eq!(
        anstream::adapter::strip_str(&line).to_string(),
        "2026-11-22 05:40:00Z  west  every 5m  1 of 3 as expected; db: ! 150 ms, far: ✗ reset"
    );
    let results = json!({
        "db": { "outcome": "open", "connect_ms": 150.0 }, "far": { "outcome": "reset" }, "gone": { "outcome": "timeout" },
    });
    let expected = json!({
        "type": "check", "time": "2026-11-22T05:40:00Z", "location": "west", "interval": "5m", "results": results,
    });
    assert_eq!(round_json(&finished.report), Some(expected));
}

#[test]
fn result_is_marked_by_its_level() {
    let expiring = Warning::CertificateExpiring {
        issuer: None,
        at: "2026-12-01T00:00:00Z".parse().unwrap(),
        days: 8,
    };
    let warned = Warning::FromService(Detail::new("replica").unwrap());
    for (outcome, expected) in [
        (open(12), "1 of 1 as expected"),
        (open(150), "0 of 1 as expected; db: ! 150 ms"),
        (opened(12, Some(warned)), "0 of 1 as expected; db: ! 12 ms"),
        (opened(12, Some(expiring)), "0 of 1 as expected; db: ! 12 ms"),
        (
            Outcome::NoData(NoData::NoRoute),
            "0 of 1 as expected; db: ! no data",
        ),
        (failed(FailureClass::Timeout), "0 of 1 as expected; db: ✗ timeout"),
    ] {
        let line = watch()
            .round_line(&finished("west", &[("db", outcome)], &[]))
            .unwrap();
        let line = anstream::adapter::strip_str(&line).to_string();
        assert!(line.ends_with(&format!("  {expected}")), "{line}");
    }
}

#[test]
fn round_does_not_change_monitors_of_other_intervals() {
    let mut watch = watch();
    watch.finished(&finished(
        "west",
        &[("gone", open(1))],
        &[("gone", Status::Exposed)],
    ));
    let mut other = finished("west", &[], &[]);
    other.report.group = "1m#0".parse().unwrap();
    watch.finished(&other);
    assert_eq!(watch.summary()[1], "Open incidents: gone (exposed).");
}
