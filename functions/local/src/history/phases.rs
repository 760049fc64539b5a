//! Percentiles of the phase times of a monitor's successful checks in one location.

use std::collections::BTreeMap;

use portpulse_core::observation::milliseconds;
use portpulse_core::outcome::Phase;
use portpulse_core::rollup::Tally;
use portpulse_history::view::Percentiles;
use serde::Serialize;

use crate::output::rounded_ms;
use crate::text_table::Cell;

/// The phases of a check, in their order.
#[derive(Debug, PartialEq)]
pub(crate) struct Phases(Vec<(Phase, Percentiles)>);

impl Phases {
    /// `None` if the checks have no phase but the connect, whose times the streaks show.
    pub(crate) fn of(tally: &Tally) -> Option<Self> {
        if tally.others.is_empty() {
            return None;
        }
        let phases = [
            (Phase::Dns, &tally.others.dns),
            (Phase::Connect, &tally.connect),
            (Phase::Tls, &tally.others.tls),
            (Phase::Ready, &tally.others.ready),
        ];
        let phases = phases.into_iter();
        let taken = phases.filter_map(|(phase, times)| Some((phase, Percentiles::of(times)?)));
        Some(Self(taken.collect()))
    }

    pub(crate) fn rows(&self) -> Vec<Vec<Cell>> {
        let row = |(phase, times): &(Phase, Percentiles)| {
            let of = |name, time| Cell::new(format!("{name} {} ms", milliseconds(time)));
            vec![
                Cell::new(phase.as_str()),
                of("p50", times.p50),
                of("p95", times.p95),
                of("max", times.max),
            ]
        };
        self.0.iter().map(row).collect()
    }

    pub(crate) fn json(&self) -> BTreeMap<&'static str, TimesJson> {
        let phases = self.0.iter();
        let times = |times: &Percentiles| TimesJson {
            p50_ms: rounded_ms(times.p50),
            p95_ms: rounded_ms(times.p95),
            max_ms: rounded_ms(times.max),
        };
        phases
            .map(|(phase, taken)| (phase.as_str(), times(taken)))
            .collect()
    }
}

/// The percentiles of a phase as one JSON object.
#[derive(Serialize)]
pub(crate) struct TimesJson {
    p50_ms: f64,
    p95_ms: f64,
    max_ms: f64,
}
