//! Dependencies in other groups, at any depth.

use std::collections::BTreeMap;

use portpulse_core::group::GroupId;
use portpulse_core::group_state::{DecisionState, Incident, Notified, Stability, Status, Track, Urgency};
use portpulse_core::time::{Interval, Tick};
use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;
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

/// Opens or closes an outage of `top`.
fn decide_top(table: &MemoryTable, revision: u64, is_down: bool) {
    let tick = Tick::containing(TestTime::of_tick(0), Interval::OneMinute);
    let incident = Incident {
        cause_changes: Vec::new(),
        status: Status::Down,
        opened: tick,
        revision: 1,
        since: tick,
        finding: None,
        diagnosis: None,
        cluster: None,
        notified: Notified::NotYet,
        urgency: Urgency::Normal,
        stability: Stability::Steady,
    };
    let open = is_down.then(|| (("top".parse().unwrap(), Track::Health), incident));
    let state = DecisionState {
        revision,
        incidents: open.into_iter().collect(),
        ..DecisionState::default()
    };
    run(Store::new(table.clone()).put_decision("15m#0".parse().unwrap(), &state)).unwrap();
}

#[test]
fn outage_two_groups_away_holds_back_a_notification() {
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
    decide_top(&table, 1, true);
    let topic = RecordingTopic::default();
    let tick = |number: i64| {
        let (store, probe) = (
            Store::new(table.clone()),
            ScriptedProbe(vec![ProbeResult::Failing]),
        );
        let by = invocation(format!("tick-{number}"));
        let report = run(handle(store, probe, &topic, (number, 0), locations(1), &by));
        assert_counted(&report);
    };
    tick(1);
    assert_eq!(topic.kinds(), [""; 0]);
    decide_top(&table, 2, false);
    tick(2);
    assert_eq!(topic.kinds(), ["down"]);
}
