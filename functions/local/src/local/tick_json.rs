//! A finished tick as one line of JSON.

use std::collections::BTreeMap;

use portpulse_checker::TickOutcome;
use portpulse_core::observation::{Observation, Seen};
use portpulse_core::outcome::Outcome;
use serde::Serialize;

use super::scheduler::FinishedTick;
use crate::output::rounded_ms;

/// A tick as one JSON object.
#[derive(Serialize)]
struct TickLine<'a> {
    r#type: &'static str,
    time: String,
    location: &'a str,
    group: String,
    results: BTreeMap<&'a str, ResultOf>,
}

#[derive(Serialize)]
struct ResultOf {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// A tick as one line of JSON; `None` if it was not counted.
pub(crate) fn tick_json(ticked: &FinishedTick) -> Option<String> {
    let report = &ticked.report;
    let TickOutcome::Counted(outcomes) = &report.outcome else {
        return None;
    };
    let line = TickLine {
        r#type: "tick",
        time: report.tick.to_string(),
        location: report.location.as_str(),
        group: report.group.to_string(),
        results: outcomes
            .iter()
            .map(|(id, outcome)| (id.as_str(), result_of(outcome)))
            .collect(),
    };
    serde_json::to_string(&line).ok()
}

fn result_of(outcome: &Outcome) -> ResultOf {
    let observation = Observation::of(outcome);
    let (outcome, connect_ms) = match observation.seen {
        Seen::Open { connect, .. } => ("open", Some(rounded_ms(connect))),
        Seen::Failed(class) => (class.code(), None),
        Seen::NoData(reason) => (reason.code(), None),
    };
    let detail = observation.detail.map(|detail| detail.as_str().to_owned());
    ResultOf {
        outcome,
        connect_ms,
        detail,
    }
}
