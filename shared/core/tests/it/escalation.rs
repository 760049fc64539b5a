//! Escalation of incidents that stay open for too long.

use std::collections::BTreeSet;

use portpulse_core::choice::Severity;
use serde_json::json;

use crate::world::World;

fn world(severity: &str) -> World {
    let fields = json!({
        "failures_to_open": 1, "successes_to_close": 1, "escalate_after": "10m", "remind_every": "6m",
        "severity": severity, "slow_after": "100ms",
    });
    World::new(1, &[("m", fields)])
}

fn ticks(symbol: char, from: i64, to: i64) -> String {
    (from..=to).map(|tick| format!("{tick} {symbol}\n")).collect()
}

#[test]
fn incident_escalates_once_and_recovery_reaches_both_audiences() {
    let mut world = world("info");
    let notified = world.notified(&(ticks('x', 1, 20) + "21 .\n22 x\n23 ."));
    let notified: Vec<_> = notified
        .iter()
        .map(|(tick, _, n)| {
            let audience: Vec<_> = n.audience.iter().map(|severity| severity.as_str()).collect();
            format!("{tick} {} {} to {}", n.kind, n.severity, audience.join(" "))
        })
        .collect();
    assert_eq!(
        notified,
        [
            "1 down info to info",
            "7 reminder info to info",
            "11 escalated critical to critical info",
            "17 reminder critical to critical info",
            "21 recovered critical to critical info",
            // The next incident has the severity of the monitor again.
            "22 down info to info",
            "23 recovered info to info",
        ]
    );
}

#[test]
fn critical_incident_is_escalated_as_well() {
    let notified = world("critical").notified(&ticks('x', 1, 12));
    let (_, _, last) = notified.last().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.severity),
        ("escalated", Severity::Critical)
    );
    assert_eq!(last.audience, BTreeSet::from([Severity::Critical]));
}

#[test]
fn acknowledged_incident_is_not_escalated() {
    let mut world = world("warning");
    world.play("1 x");
    world.acknowledge();
    assert_eq!(world.play(&ticks('x', 2, 30)), "");
    world.controls.clear();
    assert_eq!(world.play("31 x"), "31 a escalated m");
}

#[test]
fn escalation_time_counts_from_first_notification() {
    let mut world = world("warning");
    world.silence("m", 30);
    let notified = "30 a down m\n36 a reminder m\n40 a escalated m";
    assert_eq!(world.play(&ticks('x', 1, 41)), notified);
}

#[test]
fn degraded_incident_is_not_escalated() {
    let notified = world("warning").play(&ticks('s', 1, 30));
    assert!(
        notified.contains("reminder") && !notified.contains("escalated"),
        "{notified}"
    );
}
