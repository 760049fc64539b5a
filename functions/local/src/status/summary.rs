//! Summarizes the current state of a table. No I/O.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_core::control::{Note, Silence};
use portpulse_core::decide::{Explanation, View, views};
use portpulse_core::group_state::{Finding, Incident, LocationProblem, Notified, Status, Track};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::time::Interval;
use portpulse_core::withheld::Withheld;
use portpulse_history::assemble;
use portpulse_history::location_kinds::LocationKinds;
use portpulse_history::snapshot::GroupSnapshot;
use portpulse_history::state::State;
use portpulse_history::view::{Audience, Maintenance, MonitorInside, MonitorView, UpcomingMaintenance};

use crate::overview::Overview;

/// The current state of all monitors and locations.
#[derive(Debug)]
pub(crate) struct StatusSummary {
    pub(crate) now: Timestamp,
    pub(crate) monitors: BTreeMap<MonitorId, MonitorSummary>,
    /// Locations that do not report or are suspect, with the start time.
    pub(crate) locations: BTreeMap<(Location, LocationProblem), Timestamp>,
    /// Which of the expected locations are agents.
    pub(crate) kinds: LocationKinds,
    /// Invalid definitions, with their mistakes.
    pub(crate) broken: BTreeMap<String, Vec<String>>,
    /// An error for each unreadable item.
    pub(crate) unreadable: Vec<String>,
    /// The time of the latest check that any location has reported.
    pub(crate) latest_check: Option<Timestamp>,
}

/// The current state of a monitor.
#[derive(Debug)]
pub(crate) struct MonitorSummary {
    /// The name for people, if one is configured.
    pub(crate) name: Option<String>,
    /// The label by which pages fold the monitor.
    pub(crate) group: Option<String>,
    pub(crate) interval: Interval,
    pub(crate) target: String,
    pub(crate) status: Status,
    /// What people see, as on the status page: the status, unless the monitor is flapping or in maintenance.
    pub(crate) state: State,
    pub(crate) incidents: Vec<OpenIncident>,
    /// The start time of the advisory: fewer locations than the quorum see a failure.
    pub(crate) advisory: Option<Timestamp>,
    /// Why the advisory is not notified now; `None` if it was notified, or if nothing suppresses it.
    pub(crate) advisory_withheld: Option<Withheld>,
    pub(crate) locations: BTreeMap<Location, View>,
    pub(crate) silence: Option<Silence>,
    /// The active maintenance window; of several, the one that ends last.
    pub(crate) maintenance: Option<Maintenance>,
}

/// An open incident.
#[derive(Debug)]
pub(crate) struct OpenIncident {
    pub(crate) id: String,
    pub(crate) status: Status,
    pub(crate) since: Timestamp,
    pub(crate) diagnosis: Option<Explanation>,
    pub(crate) finding: Option<Finding>,
    pub(crate) acknowledged: Option<Note>,
    pub(crate) is_notified: bool,
    /// Why nothing is notified now; `None` if the next check notifies the incident.
    pub(crate) withheld: Option<Withheld>,
}

impl StatusSummary {
    pub(crate) fn of(overview: &Overview) -> Self {
        let (mut monitors, mut broken) = (BTreeMap::new(), BTreeMap::new());
        // The views of the status page, so that the states are the same.
        let shown = assemble::overview(
            &overview.snapshot,
            Audience::Private,
            UpcomingMaintenance::Announced,
            overview.now,
        );
        for (id, group) in &overview.snapshot.groups {
            let withheld = assemble::withheld(&overview.snapshot, *id, group, overview.now);
            let views = shown.monitors.iter();
            let views = views.filter_map(|view| Some((view, view.inside.as_deref()?)));
            for (view, inside) in views.filter(|(_, inside)| inside.group == *id) {
                monitors.insert(
                    view.id.clone(),
                    MonitorSummary::of(overview, group, (view, inside), &withheld),
                );
            }
            let diagnostics = group.definitions.broken.iter();
            broken.extend(diagnostics.map(|(id, diagnostics)| {
                let diagnostics = diagnostics.iter().map(ToString::to_string);
                (id.clone(), diagnostics.collect())
            }));
        }
        let problems = overview.snapshot.fleet.problems.iter();
        Self {
            now: overview.now,
            monitors,
            locations: problems
                .map(|(key, problem)| (key.clone(), problem.since))
                .collect(),
            kinds: LocationKinds::of(&overview.snapshot),
            broken,
            unreadable: overview.snapshot.unreadable.clone(),
            latest_check: overview.latest_check(),
        }
    }

    /// Whether there are no problems.
    pub(crate) fn is_healthy(&self) -> bool {
        let quiet = self.locations.is_empty() && self.broken.is_empty() && self.unreadable.is_empty();
        quiet && self.monitors.values().all(MonitorSummary::is_healthy)
    }
}

impl MonitorSummary {
    fn of(
        overview: &Overview,
        group: &GroupSnapshot,
        (view, inside): (&MonitorView, &MonitorInside),
        withheld: &BTreeMap<(MonitorId, Track), Withheld>,
    ) -> Self {
        let monitor = &inside.definition;
        let input = overview.input(inside.group, group);
        let control = inside.control.as_ref();
        let open = |track| {
            let key = (monitor.id().clone(), track);
            let incident: &Incident = group.group_state.decision.incidents.get(&key)?;
            let id = incident.id(monitor.id(), track);
            let acknowledged = control
                .filter(|control| control.has_acknowledged(&id))
                .and_then(|control| control.acknowledgement.as_ref());
            Some(OpenIncident {
                id: id.to_string(),
                status: incident.status,
                since: incident.since.timestamp(),
                diagnosis: Explanation::of(monitor.id(), Some(monitor), incident),
                finding: incident.finding.clone(),
                acknowledged: acknowledged.map(|ack| ack.note.clone()),
                is_notified: incident.notified != Notified::NotYet,
                withheld: withheld.get(&key).cloned(),
            })
        };
        let tracks = [Track::Health, Track::Quality, Track::Visibility];
        let advisories = &group.group_state.decision.advisories;
        let advisory = inside.advisory.as_ref();
        let advised = advisories.get(monitor.id()).filter(|_| advisory.is_some());
        let views = views(monitor, &input).into_iter();
        let windows = view.maintenance.iter();
        let on = windows.filter(|window| window.from <= overview.now);
        Self {
            name: monitor.about().name.clone(),
            group: monitor.about().group.clone(),
            interval: inside.group.interval,
            target: monitor.target().to_string(),
            status: view.status,
            state: State::of(view),
            incidents: tracks.into_iter().filter_map(open).collect(),
            advisory: advised.map(|advisory| advisory.opened.timestamp()),
            advisory_withheld: advisory.and_then(|advisory| advisory.withheld.clone()),
            locations: views.map(|(location, view)| (location, view.view)).collect(),
            silence: control
                .filter(|control| control.is_silenced(overview.now))
                .and_then(|control| control.silence.clone()),
            maintenance: on.max_by_key(|window| window.until).cloned(),
        }
    }

    /// Whether there are no problems; an incident is a problem during maintenance too.
    pub(crate) fn is_healthy(&self) -> bool {
        self.status == Status::Up && self.incidents.is_empty() && self.advisory.is_none()
    }
}
