//! Percentiles of the total and phase times of a monitor's successful checks in one location.

use portpulse_core::observation::milliseconds;
use portpulse_core::rollup::Tally;
use portpulse_history::view::Percentiles;
use serde_json::{Map, Value, json};

use crate::output::rounded_ms;
use crate::text_table::{self, Cell};

/// The total, then the phases of a check in their order.
#[derive(Debug, PartialEq)]
pub(crate) struct Phases(Vec<(&'static str, Percentiles)>);

impl Phases {
    /// `None` if the checks have no phase but the connect, whose times the streaks show.
    pub(crate) fn of(tally: &Tally) -> Option<Self> {
        if tally.phases.is_connect_alone() {
            return None;
        }
        let phases = tally.phases.each().map(|(phase, times)| (phase.as_str(), times));
        let taken = [("total", &tally.total)]
            .into_iter()
            .chain(phases)
            .filter_map(|(name, times)| Some((name, Percentiles::of(times)?)));
        Some(Self(taken.collect()))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let row = |(name, times): &(&'static str, Percentiles)| {
            let of = |time| Cell::new(format!("{} ms", milliseconds(time))).right();
            vec![Cell::new(*name), of(times.p50), of(times.p95), of(times.max)]
        };
        text_table::titled(&["PHASE", "P50", "P95", "MAX"], self.0.iter().map(row).collect())
    }

    pub(crate) fn json(&self) -> Map<String, Value> {
        let json = |(name, times): &(&'static str, Percentiles)| {
            let [p50, p95, max] = [times.p50, times.p95, times.max].map(rounded_ms);
            let times = json!({ "p50_ms": p50, "p95_ms": p95, "max_ms": max });
            ((*name).to_owned(), times)
        };
        self.0.iter().map(json).collect()
    }
}
