//! A finished round of checks as one line of JSON.

use portpulse_checker::{TickOutcome, TickReport};
use portpulse_core::observation::{Observation, Seen};
use portpulse_core::outcome::Outcome;
use serde_json::{Map, Value, json};

use crate::output::{present, rounded_ms};

/// The results of a location, for all monitors of an interval; `None` if they were not counted.
pub(crate) fn round_json(report: &TickReport) -> Option<Value> {
    let TickOutcome::Counted(outcomes) = &report.outcome else {
        return None;
    };
    let results = outcomes
        .iter()
        .map(|(id, outcome)| (id.to_string(), result_of(outcome, report.retries.get(id))));
    Some(json!({
        "type": "check",
        "time": report.tick.to_string(),
        "location": report.location.as_str(),
        "interval": report.group.interval.as_str(),
        "results": results.collect::<Map<_, _>>(),
    }))
}

fn result_of(outcome: &Outcome, retries: Option<&u32>) -> Value {
    let observation = Observation::of(outcome);
    let (outcome, connect_ms) = match observation.seen {
        Seen::Open { connect, .. } => ("open", Some(json!(rounded_ms(connect)))),
        Seen::Failed(class) => (class.code(), None),
        Seen::NoData(reason) => (reason.code(), None),
    };
    let detail = observation.detail.map(|detail| json!(detail.as_str()));
    let fields = [
        ("outcome", Some(json!(outcome))),
        ("connect_ms", connect_ms),
        ("retries", retries.map(|retries| json!(retries))),
        ("detail", detail),
    ];
    Value::Object(present(fields))
}
