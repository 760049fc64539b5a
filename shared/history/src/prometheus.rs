//! Prometheus metrics of all monitors.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::Write;

use portpulse_core::group_state::Status;
use portpulse_core::uptime::ObservedTime;

use crate::api::visibility_name;
use crate::view::{Overview, Percentiles, VisibilityState};

/// The content type of the metrics.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const VISIBILITIES: [VisibilityState; 5] = [
    VisibilityState::Good,
    VisibilityState::Impaired,
    VisibilityState::Failing,
    VisibilityState::NoData,
    VisibilityState::Silent,
];

/// Renders one sample per monitor and status, uptime window, and location and state. Metrics by location require a
/// private overview.
pub fn text(overview: &Overview) -> String {
    let mut text = Text::default();
    text.family(
        "portpulse_status",
        "Status of the monitor: 1 for the current status, 0 for all others.",
    );
    for monitor in &overview.monitors {
        for status in Status::ALL {
            let labels = [("monitor", monitor.id.as_str()), ("status", status.as_str())];
            text.sample(&labels, flag(*status == monitor.status));
        }
    }
    text.family(
        "portpulse_uptime_ratio",
        "Share of the observed time without an outage.",
    );
    for monitor in &overview.monitors {
        let uptime = monitor.uptime;
        for (window, watched) in [
            ("24h", uptime.day),
            ("7d", uptime.week),
            ("30d", uptime.month),
            ("90d", uptime.quarter),
        ] {
            if let Some(share) = watched.and_then(ObservedTime::uptime) {
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
        "State of the monitor as seen from the location: 1 for the current state, 0 for all others.",
    );
    for (id, inside) in inside() {
        for (location, visibility) in &inside.locations {
            for state in VISIBILITIES {
                let labels = [
                    ("monitor", id),
                    ("location", location.as_str()),
                    ("state", visibility_name(state)),
                ];
                text.sample(&labels, flag(state == visibility.state));
            }
        }
    }
    text.family(
        "portpulse_connect_seconds",
        "Connect times of the latest hour with data, accurate to 6.25 percent; the maximum (quantile 1) is exact.",
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
        "Times of the other phases in the current hour, accurate to 12 percent or 0.05 milliseconds.",
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

/// The text so far, and the name of the last metric family.
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

/// Escapes a label value.
fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
