//! The detection times of the plan.

use std::time::Duration;

use portpulse_core::definition::{Defined, Monitor};
use portpulse_core::detection::{Detection, DetectionTime, PUBLICATION};
use portpulse_core::time::Interval;
use serde_json::{Value, json};

use super::Plan;
use crate::output::count_of;
use crate::text_table::{self, Cell};

/// The maximum number of ids in a row of the table.
const MAX_IDS: usize = 3;

impl Plan<'_> {
    /// The detection times of each enabled monitor.
    fn detections(&self) -> impl Iterator<Item = (&Monitor, Detection)> {
        let enabled = || {
            let monitors = self.deployment.file.monitors().iter();
            monitors.filter(|defined| defined.monitor.is_enabled())
        };
        enabled().map(move |defined| {
            let group = enabled().filter(|other: &&Defined| other.group == defined.group);
            let group = group.map(|other| &other.monitor);
            (&defined.monitor, Detection::of(&defined.monitor, group))
        })
    }

    /// A table with a row for all monitors with the same times.
    pub(super) fn detection_lines(&self) -> Vec<String> {
        let mut rows: Vec<((Interval, Detection), Vec<&str>)> = Vec::new();
        for (monitor, detection) in self.detections() {
            let key = (monitor.rule().interval, detection);
            match rows.iter_mut().find(|(known, _)| *known == key) {
                Some((_, ids)) => ids.push(monitor.id().as_str()),
                None => rows.push((key, vec![monitor.id().as_str()])),
            }
        }
        rows.sort_by_key(|((interval, _), _)| *interval);
        let titles = [
            "Time to notification",
            "interval",
            "refused: mean",
            "maximum",
            "dropped: mean",
            "maximum",
            "with others",
            "ignored",
        ];
        let row = |((interval, detection), ids): &((Interval, Detection), Vec<&str>)| {
            let of = |time: Option<DetectionTime>| {
                let text = |of: fn(DetectionTime) -> Duration| {
                    time.map_or_else(|| "-".to_owned(), |time| readable(of(time)))
                };
                [text(|time| time.mean), text(|time| time.max)]
            };
            let times = [of(detection.refused), of(detection.dropped)]
                .into_iter()
                .flatten();
            let last = [detection.max_with_others, detection.ignored].map(readable);
            let mut cells = vec![Cell::new(names(ids)), Cell::new(interval.as_str()).right()];
            cells.extend(times.chain(last).map(|text| Cell::new(text).right()));
            cells
        };
        let mut lines = text_table::titled(&titles, rows.iter().map(row).collect());
        lines.push(format!(
            "From the failure to the published notification, with {} for reads, writes and publishing. `with others`: the \
             maximum if other monitors of the interval fail in the same check. `ignored`: refusals for less than this \
             time open no incident. On AWS, add the lateness of the schedule and the start of a Lambda.",
            readable(PUBLICATION)
        ));
        lines
    }

    pub(super) fn detection_json(&self) -> Value {
        let seconds = |time: Duration| json!(time.as_secs_f64());
        let of = |time: Option<DetectionTime>| {
            time.map(|time| json!({ "mean_seconds": seconds(time.mean), "max_seconds": seconds(time.max) }))
        };
        let monitors = self.detections().map(|(monitor, detection)| {
            json!({
                "monitor": monitor.id().as_str(),
                "interval": monitor.rule().interval.as_str(),
                "refused": of(detection.refused),
                "dropped": of(detection.dropped),
                "max_with_others_seconds": seconds(detection.max_with_others),
                "ignored_seconds": seconds(detection.ignored),
            })
        });
        monitors.collect()
    }
}

/// `a, b, c and 47 more`.
fn names(ids: &[&str]) -> String {
    let shown = ids.iter().take(MAX_IDS).copied().collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(MAX_IDS) {
        0 => shown,
        more => format!("{shown} and {} more", count_of(more as u64, "monitor")),
    }
}

/// `4 s`, `65 s`, `5 min 16 s`.
fn readable(time: Duration) -> String {
    let millis = time.as_millis();
    if !millis.is_multiple_of(1_000) {
        return format!("{:.1} s", time.as_secs_f64());
    }
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0 | 1, _) => format!("{} s", time.as_secs()),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}
