//! Dependencies in other groups, at any depth.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use portpulse_core::group::GroupId;
use portpulse_core::group_state::{
    DecisionState, Health, Incident, Notified, Stability, Status, Track, Urgency,
};
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_testkit::memory_table::{Fault, MemoryTable};
use serde_json::json;

use crate::rig::{
    ProbeResult, RecordingTopic, ScriptedProbe, TestTime, assert_counted, define, handle, invocation,
    locations, run,
};

/// Writes a monitor of another group that depends on a further one.
fn define_in(table: &MemoryTable, group: &str, id: &str, more: &serde_json::Value) {
    let group: GroupId = group.parse().unwrap();
    let mut attributes =
        json!({ "host": format!("{id}.example"), "port": 7, "interval": group.interval.as_str() });
    let attributes = attributes.as_object_mut().unwrap();
    attributes.extend(more.as_object().unwrap().clone());
    run(Store::new(table.clone()).put_definition(group, id, attributes)).unwrap();
}

/// Writes the decision on `top`: an incident of this status and stability, or none.
fn decide_top(table: &MemoryTable, revision: u64, incident: Option<(Status, Stability)>) {
    let tick = Tick::containing(TestTime::of_tick(0), Interval::OneMinute);
    let incident = incident.map(|(status, stability)| Incident {
        cause_changes: Vec::new(),
        flapped_until: None,
        status,
        opened: tick,
        revision: 1,
        since: tick,
        finding: None,
        diagnosis: None,
        cluster: None,
        notified: Notified::NotYet,
        urgency: Urgency::Normal,
        stability,
    });
    let open = incident.map(|incident| (("top".parse().unwrap(), Track::Health), incident));
    let state = DecisionState {
        revision,
        incidents: open.into_iter().collect(),
        ..DecisionState::default()
    };
    run(Store::new(table.clone()).put_decision("15m#0".parse().unwrap(), &state)).unwrap();
}

/// `m0` depends on `mid` in another group, which depends on `top` in a third one.
fn table() -> MemoryTable {
    let table = MemoryTable::new();
    let on =
        |parent: &str, group: &str| json!({ "depends_on": [parent], "depends_on_groups": { parent: group } });
    let mut fields: BTreeMap<&str, _> = BTreeMap::from([("failures_to_open", json!(1))]);
    fields.extend([
        ("depends_on", json!(["mid"])),
        ("depends_on_groups", json!({ "mid": "5m#0" })),
    ]);
    define(&table, 0, &fields);
    define_in(&table, "5m#0", "mid", &on("top", "15m#0"));
    define_in(&table, "15m#0", "top", &json!({}));
    table
}

fn tick(table: &MemoryTable, topic: &RecordingTopic, number: i64, results: &[ProbeResult]) {
    let (store, probe) = (Store::new(table.clone()), ScriptedProbe(results.to_vec()));
    let by = invocation(format!("tick-{number}"));
    let report = run(handle(store, probe, topic, (number, 0), locations(1), &by));
    assert_counted(&report);
}

#[test]
fn outage_two_groups_away_holds_back_a_notification() {
    let good_now = Stability::Flapping {
        state: Health::Good,
        notified: None,
    };
    for no_outage in [
        None,
        Some((Status::Down, good_now)),
        Some((Status::Degraded, Stability::Steady)),
    ] {
        let (table, topic) = (table(), RecordingTopic::default());
        decide_top(&table, 1, Some((Status::Down, Stability::Steady)));
        tick(&table, &topic, 1, &[ProbeResult::Failing]);
        assert_eq!(topic.kinds(), [""; 0]);
        decide_top(&table, 2, no_outage);
        tick(&table, &topic, 2, &[ProbeResult::Failing]);
        assert_eq!(topic.kinds(), ["down"], "{no_outage:?}");
    }
}

#[test]
fn other_groups_are_read_only_for_monitors_that_fail() {
    let (table, topic) = (table(), RecordingTopic::default());
    define(&table, 1, &BTreeMap::from([("failures_to_open", json!(1))]));
    let reads = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&reads);
    table.set_faults(move |call| {
        counted.fetch_add(u32::from(call.pk.ends_with("#5m#0")), Ordering::Relaxed);
        Fault::None
    });
    // The second tick decides with the open incident of `m1`.
    for number in [1, 2] {
        tick(&table, &topic, number, &[ProbeResult::Good, ProbeResult::Failing]);
        assert_eq!(reads.load(Ordering::Relaxed), 0, "m0 is good");
    }
    tick(&table, &topic, 3, &[ProbeResult::Failing, ProbeResult::Failing]);
    assert_eq!(reads.load(Ordering::Relaxed), 2, "definitions and state, once");
}
