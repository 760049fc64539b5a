//! The text of a table with several problems.

use std::collections::BTreeSet;

use portpulse_core::control::Control;
use portpulse_core::group_state::{
    Advisory, Cause, DecisionState, Entry, Health, Incident, LocationState, Notified, Stability, Status,
    Streak, Streaks, Track, Urgency,
};
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_core::time::Tick;
use portpulse_store::Store;
use portpulse_store::store::Written;
use portpulse_testkit::memory_table::MemoryTable;
use serde_json::{Value, json};

use super::*;
use crate::overview::Overview;

const NOW: &str = "2026-11-22T05:45:30Z";

fn incident(status: Status, cause: Cause, detail: &str) -> Incident {
    Incident {
        cluster: None,
        cause_changes: Vec::new(),
        flapped_until: None,
        diagnosis: None,
        status,
        opened: "2026-11-22T05:41:00Z".parse().unwrap(),
        revision: 1,
        since: "2026-11-22T05:40:00Z".parse().unwrap(),
        finding: Some(Finding {
            cause,
            detail: Detail::new(detail),
        }),
        notified: Notified::NotYet,
        urgency: Urgency::Normal,
        stability: Stability::Steady,
    }
}

/// Stores one group with this state, and reads it as the command does.
async fn summary(incidents: &[(&str, Track, Incident)], advisory: &str, broken: bool) -> StatusSummary {
    let store = Store::new(MemoryTable::new());
    let group = "1m#0".parse().unwrap();
    let define = async |id: &str, fields: Value| {
        store
            .put_definition(group, id, fields.as_object().unwrap())
            .await
            .unwrap();
    };
    for id in ["cache", "db", "web"] {
        define(
            id,
            json!({ "host": "a.example.com", "port": 1, "interval": "1m" }),
        )
        .await;
    }
    let window = json!({
        "from": "2026-11-22T05:00:00Z", "until": "2026-11-22T06:00:00Z", "why": "new\u{1b}[2J\ndisks",
    });
    // Of two active windows, the one that ends last is shown.
    let shorter = json!({ "from": "2026-11-22T04:00:00Z", "until": "2026-11-22T05:50:00Z" });
    for (id, windows) in [("cache", json!([shorter, window])), ("db", json!([window]))] {
        define(
            id,
            json!({ "host": "a.example.com", "port": 1, "interval": "1m", "maintenance": windows }),
        )
        .await;
    }
    if broken {
        define("Orders\u{1b}[2J", json!({ "host": "a.example.com" })).await;
    }
    let tick: Tick = "2026-11-22T05:45:00Z".parse().unwrap();
    for location in ["east", "west"] {
        let failing = Entry::Seen(Streaks {
            seen: tick,
            health: Streak {
                state: Health::Failing,
                ticks: 1,
                since: tick,
            },
            quality: None,
            finding: None,
            point: None,
        });
        let entries = match advisory.parse() {
            Ok(id) if location == "east" => [(id, failing)].into(),
            _ => [].into(),
        };
        let row = LocationState { tick, entries };
        store
            .put_location_state(group, &location.parse().unwrap(), None, &row)
            .await
            .unwrap();
    }
    let mut row = DecisionState {
        revision: 1,
        ..DecisionState::default()
    };
    for (id, track, incident) in incidents {
        row.incidents
            .insert((id.parse().unwrap(), *track), incident.clone());
    }
    if !advisory.is_empty() {
        let advisory_row = Advisory {
            opened: tick,
            revision: 1,
            notified: Notified::NotYet,
            first: None,
            ended: BTreeSet::new(),
        };
        row.advisories.insert(advisory.parse().unwrap(), advisory_row);
    }
    assert_eq!(store.put_decision(group, &row).await.unwrap(), Written::Done);
    let now = NOW.parse().unwrap();
    let note = Note::new("ann", now, Some("new switch")).unwrap();
    let silence = Silence::new("2026-11-22T07:45:30Z".parse().unwrap(), note).unwrap();
    let control = Control::default().silenced(silence);
    store
        .put_control(&"web".parse().unwrap(), &control, now)
        .await
        .unwrap();
    StatusSummary::of(&Overview::read(&store, now).await.unwrap())
}

fn check(summary: &StatusSummary, healthy: bool, expected: &[&str]) {
    let render = anstream::adapter::strip_str(&lines(summary).join("\n")).to_string();
    assert_eq!(render.lines().collect::<Vec<_>>(), expected);
    assert_eq!(summary.is_healthy(), healthy);
    assert_eq!(json(summary, "t")["healthy"], json!(healthy));
}

#[tokio::test]
async fn healthy_status_lists_maintenance_and_silences() {
    check(
        &summary(&[], "", false).await,
        true,
        &[
            "1 of 3 monitors up, 2 in maintenance.",
            "cache, db are in maintenance until 2026-11-22 06:00:00Z (14 min 30 s left): new [2J disks.",
            "web is silenced until 2026-11-22 07:45:30Z (2 h left), by ann: new switch.",
        ],
    );
}

#[tokio::test]
async fn problems_are_sorted_by_severity_and_control_characters_escaped() {
    let refused = Cause::Failed(FailureClass::Refused);
    let incidents = [
        (
            "cache",
            Track::Quality,
            incident(Status::Degraded, Cause::Slow, "connect took 812.5 ms"),
        ),
        (
            "db",
            Track::Health,
            incident(Status::Down, refused, "no\u{1b}[2J\nway"),
        ),
    ];
    let found = summary(&incidents, "web", true).await;
    let render = anstream::adapter::strip_str(&lines(&found).join("\n")).to_string();
    let lines: Vec<_> = render.lines().collect();
    assert_eq!(lines.len(), 11, "{lines:#?}");
    assert_eq!(lines[0], "0 of 3 monitors up, 2 in maintenance.");
    for (line, parts) in [
        (1, &["MONITOR  STATE                          FOR  CAUSE"][..]),
        (
            2,
            &["web      advisory                      30 s  failing only in east"],
        ),
        (
            3,
            &["db       maintenance (down)      5 min 30 s  the connection was refused: no"],
        ),
        (
            4,
            &["cache    maintenance (degraded)  5 min 30 s  the connect is slow: connect took 812.5 ms"],
        ),
        (
            5,
            &["is not checked, its definition is invalid: ", "port: is missing"],
        ),
        (
            7,
            &["cache@2026-11-22T05:41:00Z.1.quality is not notified: the monitor is in maintenance."],
        ),
        (
            8,
            &["db@2026-11-22T05:41:00Z.1 is not notified: the monitor is in maintenance."],
        ),
        (
            10,
            &["The advisory of web is not notified: the monitor is silenced until 2026-11-22 07:45:30 UTC."],
        ),
    ] {
        assert!(
            parts.iter().all(|part| lines[line].contains(part)),
            "{}",
            lines[line]
        );
    }
    assert!(!render.contains('\u{1b}'), "{render:?}");
    assert!(!found.is_healthy());
}

#[tokio::test]
async fn suppressed_advisory_names_the_reason() {
    let found = summary(&[], "db", false).await;
    let expected = "The advisory of db is not notified: the monitor is in maintenance.";
    let lines = lines(&found);
    assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
    let shown = json(&found, "t");
    let reason = &shown["monitors"]["db"]["advisory_withheld"]["reason"];
    assert_eq!(reason, "maintenance");
    let up = json(&summary(&[], "", false).await, "t");
    assert_eq!(up["monitors"]["db"]["advisory_withheld"], json!(null));
}
