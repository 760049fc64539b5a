//! What the checks of a model find.

use crate::rig::ProbeResult;

/// The number of monitors. The first opens an incident with its first failure, the second with its second.
pub(super) const MONITORS: usize = 2;

/// The failures that open an incident of a monitor.
pub(super) const fn failures_to_open(monitor: usize) -> u32 {
    if monitor == 0 { 1 } else { 2 }
}

/// The ticks in which a monitor fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outage {
    pub(super) monitor: usize,
    /// The location that sees it; `None` for all.
    pub(super) only: Option<usize>,
    pub(super) from: i64,
    pub(super) until: i64,
}

/// The outages of a run.
#[derive(Debug, Clone)]
pub(super) struct World(pub(super) Vec<Outage>);

impl World {
    /// The worlds of a test: both monitors are down for two ticks; the one after the other; for good; and one of them in
    /// one location alone. `first` is the first tick of a run.
    pub(super) fn all(first: i64) -> Vec<Self> {
        let everywhere = |monitor, from, ticks| Outage {
            monitor,
            only: None,
            from: first + from,
            until: first + from + ticks,
        };
        vec![
            Self(vec![everywhere(0, 0, 2), everywhere(1, 0, 2)]),
            Self(vec![everywhere(0, 0, 1), everywhere(1, 1, 100)]),
            Self(vec![
                Outage {
                    only: Some(0),
                    ..everywhere(0, 0, 2)
                },
                everywhere(1, 1, 2),
            ]),
        ]
    }

    /// The result of a check.
    pub(super) fn result(&self, location: usize, tick: i64, monitor: usize) -> ProbeResult {
        let fails = self.0.iter().any(|outage| {
            outage.monitor == monitor
                && outage.only.is_none_or(|only| only == location)
                && (outage.from..outage.until).contains(&tick)
        });
        if fails {
            ProbeResult::Failing
        } else {
            ProbeResult::Good
        }
    }

    /// The outage that all locations see, if the monitor has one.
    pub(super) fn outage(&self, monitor: usize) -> Option<Outage> {
        let mut outages = self.0.iter();
        outages
            .find(|outage| outage.monitor == monitor && outage.only.is_none())
            .copied()
    }
}
