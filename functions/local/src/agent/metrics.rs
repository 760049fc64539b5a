//! The state of an agent as Prometheus metrics.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::progress::Progress;

/// The metrics in the text format. Location names need no escaping.
pub(super) fn text(progress: &Progress, now: Timestamp, skew: SignedDuration) -> String {
    let (location, counts) = (progress.location(), progress.counts);
    let is_healthy = u8::from(progress.problems(now).is_empty());
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, samples: &[(String, String)]| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP portpulse_agent_{name} {help}");
        let _ = writeln!(text, "# TYPE portpulse_agent_{name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "portpulse_agent_{name}{labels} {value}");
        }
    };
    let of_location = format!("{{location=\"{location}\"}}");
    let labelled = |label: &str, value: &str| format!("{{location=\"{location}\",{label}=\"{value}\"}}");
    let one = |value: String| [(of_location.clone(), value)];
    metric(
        "healthy",
        "gauge",
        "Whether the location votes on all its monitors.",
        &one(is_healthy.to_string()),
    );
    metric(
        "monitors",
        "gauge",
        "The monitors that name the location.",
        &one(progress.monitors().to_string()),
    );
    metric(
        "rounds_total",
        "counter",
        "Rounds of checks: counted by this agent, repeated (counted by another agent of the location, or before a restart), or failed.",
        &[
            (labelled("outcome", "counted"), counts.counted.to_string()),
            (labelled("outcome", "repeated"), counts.repeated.to_string()),
            (labelled("outcome", "failed"), counts.failed.to_string()),
        ],
    );
    metric(
        "checks_total",
        "counter",
        "Checks in counted rounds by result.",
        &[
            (labelled("result", "good"), counts.good.to_string()),
            (labelled("result", "failing"), counts.failing.to_string()),
            (labelled("result", "no_data"), counts.no_data.to_string()),
        ],
    );
    metric(
        "notifications_total",
        "counter",
        "Notifications published by this agent.",
        &one(counts.notifications.to_string()),
    );
    let latest = progress.intervals();
    let latest: Vec<_> = latest
        .iter()
        .filter_map(|(interval, tick)| {
            Some((
                labelled("interval", interval.as_str()),
                (*tick)?.as_second().to_string(),
            ))
        })
        .collect();
    metric(
        "last_round_timestamp_seconds",
        "gauge",
        "The scheduled time of the latest counted round by interval.",
        &latest,
    );
    metric(
        "clock_ahead_seconds",
        "gauge",
        "How far the clock of this machine is ahead of that of AWS, if more than 5 seconds.",
        &one(skew.as_secs().to_string()),
    );
    text
}
