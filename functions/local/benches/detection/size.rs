//! How much is measured, and what is promised.

use std::time::Duration;

use serde_json::{Value, json};

use crate::target::Failure;

/// Monitors of one definition, in a group of their own: a check ends when those of its group end.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) group: &'static str,
    pub(crate) fields: Value,
    pub(crate) failure: Failure,
    /// The maximum time at the 99th percentile.
    pub(crate) promise: Duration,
}

fn rows() -> Vec<Row> {
    let row = |name, group, fields, failure, promise| Row {
        name,
        group,
        fields,
        failure,
        promise: Duration::from_secs(promise),
    };
    let (every_10s, dropped) = (json!({ "interval": "10s", "timeout": "2s" }), Failure::Dropped);
    vec![
        row(
            "every 10 s, refused",
            "10s#0",
            every_10s.clone(),
            Failure::Refused,
            12,
        ),
        row(
            "every 10 s, dropped, timeout 2 s",
            "10s#1",
            every_10s,
            dropped,
            16,
        ),
        row(
            "`critical`, refused",
            "1m#0",
            json!({ "tier": "critical" }),
            Failure::Refused,
            65,
        ),
        row(
            "`supporting`, dropped",
            "5m#0",
            json!({ "tier": "supporting" }),
            dropped,
            340,
        ),
    ]
}

/// How much is measured.
pub(crate) struct Size {
    pub(crate) rows: Vec<Row>,
    pub(crate) outages: usize,
    /// The time in which all outages begin.
    pub(crate) window: Duration,
    /// The monitors with blips, and the minutes, with a blip each.
    pub(crate) blips: (usize, u32),
}

impl Size {
    pub(crate) fn of(is_quick: bool) -> Self {
        let mut rows = rows();
        if is_quick {
            rows.retain(|row| row.promise < Duration::from_secs(300));
        }
        let (outages, minutes, blips) = if is_quick {
            (20, 1, (20, 1))
        } else {
            (200, 10, (100, 10))
        };
        Self {
            rows,
            outages,
            window: Duration::from_secs(60 * minutes),
            blips,
        }
    }
}
