//! Prometheus metrics of all monitors.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::Write;

use portpulse_core::group_state::Status;
use portpulse_core::uptime::ObservedTime;

use crate::api::visibility_name;
use crate::state::State;
use crate::view::{MonitorView, Overview, Percentiles, VisibilityState};

/// The text format of the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Exposition {
    /// The text format of Prometheus.
    #[default]
    Prometheus,
    /// OpenMetrics 1.0 (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
    OpenMetrics,
}

impl Exposition {
    /// The format that the header `Accept` of a request asks for.
    pub fn of(accept: Option<&str>) -> Self {
        match accept {
            Some(accept) if accept.contains("application/openmetrics-text") => Self::OpenMetrics,
            Some(_) | None => Self::Prometheus,
        }
    }

    /// The content type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Renders the metrics. All of them are gauges, which the two formats write alike, apart from the end.
    pub fn text(self, overview: &Overview) -> String {
        let text = text(overview);
        match self {
            Self::Prometheus => text,
            Self::OpenMetrics => text + "# EOF\n",
        }
    }
}

const VISIBILITIES: [VisibilityState; 5] = [
    VisibilityState::Good,
    VisibilityState::Impaired,
    VisibilityState::Failing,
    VisibilityState::NoData,
    VisibilityState::Silent,
];

/// A metric in seconds: name, help and value.
type SecondsMetric = (&'static str, &'static str, fn(ObservedTime) -> i64);

/// The times of each uptime window.
const SECONDS: [SecondsMetric; 3] = [
    (
        "portpulse_watched_seconds",
        "Observed time that the uptime rests on, outside of maintenance.",
        ObservedTime::seconds,
    ),
    (
        "portpulse_down_seconds",
        "Time of outages within the observed time.",
        ObservedTime::down_seconds,
    ),
    (
        "portpulse_maintenance_seconds",
        "Time of maintenance, with or without checks, which is no part of the observed time.",
        ObservedTime::maintenance_seconds,
    ),
];

/// Renders one sample per monitor and status, state, uptime window, and location and state. Metrics by location require a
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
        "portpulse_state",
        "State of the monitor, which is its status unless it is flapping or in maintenance: 1 for the current state.",
    );
    for monitor in &overview.monitors {
        for state in State::ALL {
            let labels = [("monitor", monitor.id.as_str()), ("state", state.as_str())];
            text.sample(&labels, flag(state == State::of(monitor)));
        }
    }
    text.family(
        "portpulse_uptime_ratio",
        "Share of the observed time without an outage.",
    );
    for monitor in &overview.monitors {
        for (window, watched) in windows(monitor) {
            if let Some(share) = watched.uptime() {
                text.sample(&[("monitor", monitor.id.as_str()), ("window", window)], share);
            }
        }
    }
    for (name, help, seconds) in SECONDS {
        text.family(name, help);
        for monitor in &overview.monitors {
            for (window, watched) in windows(monitor) {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "seconds of some months are exact in a double"
                )]
                let seconds = seconds(watched) as f64;
                text.sample(&[("monitor", monitor.id.as_str()), ("window", window)], seconds);
            }
        }
    }
    let inside = || {
        let monitors = overview.monitors.iter();
        monitors.filter_map(|monitor| Some((monitor.id.as_str(), monitor.inside.as_ref()?)))
    };
    if inside().next().is_none() {
        return text.into_string();
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
        "portpulse_response_seconds",
        "Total times (name resolution, connect, TLS handshake and answer) of the latest hour with data, accurate to 12 percent or 0.05 milliseconds.",
    );
    for (id, inside) in inside() {
        for (location, visibility) in &inside.locations {
            if let Some(total) = visibility.total {
                text.quantiles(&[("monitor", id), ("location", location.as_str())], total);
            }
        }
    }
    text.family(
        "portpulse_phase_seconds",
        "Times of each phase in the current hour, accurate to 12 percent or 0.05 milliseconds.",
    );
    for (id, inside) in inside() {
        for (location, visibility) in &inside.locations {
            for (phase, times) in visibility.phases.each() {
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
    text.into_string()
}

/// The windows of uptime that were read completely.
fn windows(monitor: &MonitorView) -> impl Iterator<Item = (&'static str, ObservedTime)> {
    let uptime = monitor.uptime;
    let windows = [
        ("24h", uptime.day),
        ("7d", uptime.week),
        ("30d", uptime.month),
        ("90d", uptime.quarter),
    ];
    let windows = windows.into_iter();
    windows.filter_map(|(window, watched)| Some((window, watched?)))
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

    /// The text, which is held while the response is made from it: of many monitors several megabytes, so nothing spare.
    fn into_string(mut self) -> String {
        self.0.shrink_to_fit();
        self.0
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
