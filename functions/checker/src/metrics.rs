//! Metrics of a tick as one line in CloudWatch's embedded metric format. Off by default, because each metric costs money.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use portpulse_core::observation::milliseconds;
use serde_json::{Map, Value, json};

use crate::report::{TickOutcome, TickReport};

/// The format of metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Metrics {
    /// No metrics.
    #[default]
    Off,
    /// One line in the embedded metric format for each tick.
    Emf,
}

/// The metrics line of a tick; `None` if the tick did not count, so that each tick is reported once.
///
/// The metrics are per group and location, independent of the number of monitors: `Good`, `Failing` and `NoData` count
/// checks; `TotalP50`, `TotalP95` and `TotalMax` are the total times of good checks in milliseconds.
pub fn emf(report: &TickReport) -> Option<String> {
    let TickOutcome::Counted(_) = report.outcome else {
        return None;
    };
    let sum = &report.sum;
    let mut values = vec![
        ("Good", "Count", json!(sum.good)),
        ("Failing", "Count", json!(sum.failures())),
        ("NoData", "Count", json!(sum.no_data)),
    ];
    let times = [
        ("TotalP50", sum.total.percentile(50)),
        ("TotalP95", sum.total.percentile(95)),
        ("TotalMax", sum.total.max()),
    ];
    for (name, time) in times {
        // Times that don't parse as a number are omitted.
        if let Some(ms) = time.and_then(|time| milliseconds(time).parse::<f64>().ok()) {
            values.push((name, "Milliseconds", json!(ms)));
        }
    }
    let metrics: Vec<_> = values
        .iter()
        .map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }))
        .collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": report.tick.as_second().saturating_mul(1_000),
            "CloudWatchMetrics": [{
                "Namespace": "Portpulse", "Dimensions": [["Location", "Group"]], "Metrics": metrics,
            }],
        }),
    );
    line.insert("Location".to_owned(), json!(report.location.as_str()));
    line.insert("Group".to_owned(), json!(report.group.to_string()));
    line.extend(
        values
            .into_iter()
            .map(|(name, _, value)| (name.to_owned(), value)),
    );
    Some(Value::Object(line).to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use portpulse_core::choice::Expect;
    use portpulse_core::rollup::Tally;

    use super::*;

    fn report(outcome: TickOutcome, seen: &[&str]) -> TickReport {
        let mut sum = Tally::default();
        for code in seen {
            sum.count(Expect::Open, code.parse().unwrap());
        }
        TickReport {
            tick: "2026-11-22T05:41:00Z".parse().unwrap(),
            group: "1m#0".parse().unwrap(),
            location: "eu-west-1".parse().unwrap(),
            outcome,
            retries: BTreeMap::new(),
            sum,
            published: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn counted_tick_has_one_line_with_group_and_location() {
        let counted = report(
            TickOutcome::Counted(BTreeMap::new()),
            &["1", "0.05", "refused", "no_data_no_route"],
        );
        let line = emf(&counted).unwrap();
        assert!(!line.contains('\n'));
        let line: Value = serde_json::from_str(&line).unwrap();
        let unit = |name: &str| {
            if name.starts_with("Total") {
                "Milliseconds"
            } else {
                "Count"
            }
        };
        let names = ["Good", "Failing", "NoData", "TotalP50", "TotalP95", "TotalMax"];
        let metrics = names.map(|name| json!({ "Name": name, "Unit": unit(name) }));
        let expected = json!({
            "_aws": {
                "Timestamp": 1_795_326_060_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "Portpulse", "Dimensions": [["Location", "Group"]], "Metrics": metrics,
                }],
            },
            "Location": "eu-west-1", "Group": "1m#0", "Good": 2, "Failing": 1, "NoData": 1,
            "TotalP50": 0.05, "TotalP95": 0.99, "TotalMax": 1.0,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn missing_times_are_omitted() {
        let line = emf(&report(TickOutcome::Counted(BTreeMap::new()), &["timeout"])).unwrap();
        assert!(!line.contains("Total"), "{line}");
    }

    #[test]
    fn uncounted_tick_has_no_metrics() {
        for outcome in [TickOutcome::Repeated, TickOutcome::Conflict, TickOutcome::Failed] {
            assert_eq!(emf(&report(outcome, &["1"])), None);
        }
    }
}
