//! How each location sees a monitor now.

use std::collections::BTreeMap;

use super::input::Input;
use super::locations::suspects;
use super::votes::Electorate;
use crate::definition::Monitor;
use crate::group_state::{Entry, Finding, Health};
use crate::id::Location;
use crate::time::Tick;

/// The view of one location on a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationView {
    /// The state of the monitor in this location.
    pub view: View,
    /// The number of consecutive counted ticks in this state.
    pub ticks: u32,
    /// The first of those ticks, if known.
    pub since: Option<Tick>,
    /// The last finding, unless the monitor is good.
    pub finding: Option<Finding>,
}

crate::choice::choice! {
    /// The state of a monitor as seen from one location.
    View {
        /// The monitor is as expected.
        Good = "good",
        /// The monitor is not as expected.
        Failing = "failing",
        /// The location reports, but could not tell.
        NoData = "no_data",
        /// The location does not report.
        Silent = "silent",
        /// The location alone sees most monitors failing, and does not count.
        Suspect = "suspect",
    }
}

/// The current view of each location that checks the monitor.
pub fn views(monitor: &Monitor, input: &Input<'_>) -> BTreeMap<Location, LocationView> {
    let electorate = Electorate::new(input);
    let suspects = suspects(&input.group_state.decision);
    let locations = input
        .expected()
        .iter()
        .filter(|location| monitor.rule().locations.includes(location));
    let plain = |view| LocationView {
        view,
        ticks: 0,
        since: None,
        finding: None,
    };
    let view = |location: &Location| {
        let Some(state) = electorate.fresh_state(location) else {
            return plain(View::Silent);
        };
        match state.entries.get(monitor.id()) {
            None => plain(View::Good),
            Some(Entry::NoData { .. }) => plain(View::NoData),
            Some(Entry::Seen(streaks)) => {
                let bad = streaks.health.state == Health::Failing;
                let view = match (suspects.contains(location), streaks.seen < state.tick, bad) {
                    (true, _, _) => View::Suspect,
                    (_, true, _) => View::NoData,
                    (_, _, true) => View::Failing,
                    (_, _, false) => View::Good,
                };
                let (ticks, since) = (streaks.health.ticks, Some(streaks.health.since));
                LocationView {
                    view,
                    ticks,
                    since,
                    finding: streaks.finding.clone().filter(|_| view != View::Good),
                }
            }
        }
    };
    locations
        .map(|location| (location.clone(), view(location)))
        .collect()
}
