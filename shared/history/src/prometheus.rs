//! The monitors as Prometheus scrapes them.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::Write;

use portpulse_core::group_state::Status;
use portpulse_core::uptime::Watched;

use crate::api::visibility_word;
use crate::view::{Overview, Percentiles, VisibilityState};

/// The content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const VISIBILITIES: [VisibilityState; 5] = [
    VisibilityState::Good,
    VisibilityState::Impaired,
    VisibilityState::Failing,
    VisibilityState::NoData,
    VisibilityState::Silent,
];

/// The text: a sample each status, window, location and state of every monitor. What only those within may see is
/// there only if the overview has it.
pub fn text(overview: &Overview) -> String {
    let mut text = Text::default();
    text.family(
        "portpulse_status",
        "Whether this is the status on the monitor: 1 for the one, 0 for the others.",
    );
    for monitor in &overview.monitors {
        for status in Status::ALL {
            let labels = [("monitor", monitor.id.as_str()), ("status", status.as_str())];
            text.sample(&labels, flag(*status == monitor.status));
        }
    }
    text.family(
        "portpulse_uptime_ratio",
        "Of the time that the monitor was watched, the share in which it was as expected.",
    );
    for monitor in &overview.monitors {
        let uptime = monitor.uptime;
        for (window, watched) in [
            ("24h", uptime.day),
            ("7d", uptime.week),
            ("30d", uptime.month),
            ("90d", uptime.quarter),
        ] {
            if let Some(share) = watched.and_then(Watched::uptime) {
                text.sample(&[("monitor", monitor.id.as_str()), ("window", window)], share);
            }
        }
    }
    let inside = || {
        let monitors = overview.monitors.iter();
        monitors.filter_map(|monitor| Some((monitor.id.as_str(), monitor.inside.as_ref()?)))
    };
    if inside().next().is_none() {
        return text.0;
    }
    text.family(
        "portpulse_location_state",
        "Whether this is what the location sees of the monitor: 1 for the one state, 0 for the others.",
    );
    for (id, inside) in inside() {
        for (location, visibility) in &inside.locations {
            for state in VISIBILITIES {
                let labels = [
                    ("monitor", id),
                    ("location", location.as_str()),
                    ("state", visibility_word(state)),
                ];
                text.sample(&labels, flag(state == visibility.state));
            }
        }
    }
    text.family(
        "portpulse_connect_seconds",
        "Connect times of this hour, or of the last that has any, give or take 6.25 percent; the maximum (quantile 1) as it was kept.",
    );
    for (id, inside) in inside() {
        for (location, visibility) in &inside.locations {
            if let Some(connect) = visibility.connect {
                text.quantiles(&[("monitor", id), ("location", location.as_str())], connect);
            }
        }
    }
    text.family(
        "portpulse_phase_seconds",
        "Times of the other phases in this hour, give or take 12 percent or 0.05 milliseconds.",
    );
    for (id, inside) in inside() {
        for (location, visibility) in &inside.locations {
            for (phase, times) in visibility.others.each() {
                let labels = [
                    ("monitor", id),
                    ("location", location.as_str()),
                    ("phase", phase.as_str()),
                ];
                if let Some(times) = times {
                    text.quantiles(&labels, *times);
                }
            }
        }
    }
    text.0
}

const fn flag(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

/// The text in the making; the name of the last family.
#[derive(Default)]
struct Text(String, &'static str);

impl Text {
    fn family(&mut self, name: &'static str, help: &str) {
        self.1 = name;
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn quantiles(&mut self, labels: &[(&str, &str)], times: Percentiles) {
        for (quantile, time) in [("0.5", times.p50), ("0.95", times.p95), ("1", times.max)] {
            self.sample(&[labels, &[("quantile", quantile)]].concat(), time.as_secs_f64());
        }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
            .collect();
        let _ = writeln!(self.0, "{}{{{}}} {value}", self.1, labels.join(","));
    }
}

/// What a label's value may not contain as it is.
fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
