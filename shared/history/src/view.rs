//! Views: plain values, with private data in separate `inside` fields.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::banners::Banner;
use portpulse_core::by_phase::ByPhase;
use portpulse_core::control::{Control, Note, Silence};
use portpulse_core::decide::Explanation;
use portpulse_core::definition::{About, Monitor};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{
    Cause, Ending, Finding, IncidentId, LocationKind, LocationProblem, Stability, Status, Urgency,
};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::never_notified::NeverNotified;
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::outcome::Phase;
use portpulse_core::period::Period;
use portpulse_core::phase_times::PhaseTimes;
use portpulse_core::time::{Interval, Tick};
use portpulse_core::uptime::ObservedTime;
use portpulse_core::withheld::Withheld;

pub use crate::audience::{Audience, UpcomingMaintenance};
use crate::location_kinds::LocationKinds;

/// All monitors with their incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// When the view was assembled.
    pub at: Timestamp,
    /// The monitors, sorted by severity, then by id.
    pub monitors: Vec<MonitorView>,
    /// Open incidents, latest first.
    pub open: Vec<IncidentView>,
    /// Closed incidents of the last 90 days, latest first, as far as read.
    pub closed: Vec<IncidentView>,
    /// History that exceeds the read limit.
    pub left_out: LeftOut,
    /// Private data.
    pub inside: Option<OverviewInside>,
}

/// History that was not read, because it exceeds the read limit of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The earliest days: they have no data, and uptime over them is `None`.
    pub days: bool,
    /// The earliest ticks of the current hour: its checks are omitted, since they would be incomplete.
    pub hour: bool,
    /// The earliest closed incidents: uptime is `None`, since it would be too high.
    pub incidents: bool,
    /// The earliest single checks or times of each phase.
    pub phases: bool,
}

/// Private data of the overview.
#[derive(Debug, Clone, PartialEq)]
pub struct OverviewInside {
    /// All expected locations.
    pub locations: BTreeMap<Location, LocationStanding>,
    /// Which of the locations are agents.
    pub kinds: LocationKinds,
    /// Invalid definitions, with their diagnostics.
    pub broken: BTreeMap<String, Vec<String>>,
    /// Errors of unreadable items in the table.
    pub unreadable: Vec<String>,
}

/// The state of a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationStanding {
    /// The latest reported tick; `None` if the location never reported.
    pub last: Option<Tick>,
    /// The problem of the location, and since when.
    pub problem: Option<(LocationProblem, Timestamp)>,
}

/// One monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorView {
    /// The id.
    pub id: MonitorId,
    /// The name, the description and the group from the definition. Public views omit the description.
    pub about: About,
    /// The status from all locations.
    pub status: Status,
    /// When the status began; `None` if the monitor is up, or unknown without an incident.
    pub since: Option<Timestamp>,
    /// Whether the monitor changes between up and down too often for notifications.
    pub is_flapping: bool,
    /// Whether the monitor is in maintenance now.
    pub in_maintenance: bool,
    /// The current or next occurrence of each maintenance window, earliest first. Public views omit the reason, and
    /// upcoming windows unless they are announced.
    pub maintenance: Vec<Maintenance>,
    /// The uptime.
    pub uptime: Uptime,
    /// The last 24 hours, earliest first, including the current hour.
    pub hours: Vec<Bar>,
    /// The last 90 days in UTC, earliest first, including today.
    pub days: Vec<Bar>,
    /// Private data.
    pub inside: Option<Box<MonitorInside>>,
}

impl MonitorView {
    /// The name for people; the id if none is configured.
    pub fn title(&self) -> &str {
        self.about.name.as_deref().unwrap_or(self.id.as_str())
    }
}

/// An occurrence of a maintenance window, in which notifications are held back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Maintenance {
    /// The start.
    pub from: Timestamp,
    /// The end.
    pub until: Timestamp,
    /// The reason from the definition; private.
    pub why: Option<String>,
}

/// Uptime over several spans; `None` if the history of the span was not read completely.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uptime {
    /// The last 24 hours.
    pub day: Option<ObservedTime>,
    /// The last 7 days in UTC, including today.
    pub week: Option<ObservedTime>,
    /// The last 30 days in UTC, including today.
    pub month: Option<ObservedTime>,
    /// The last 90 days in UTC, including today.
    pub quarter: Option<ObservedTime>,
}

/// The uptime of an hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// The hour or day.
    pub period: Period,
    /// The observed time, and the part of it that was an outage.
    pub watched: ObservedTime,
}

/// Private data of a monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorInside {
    /// The group that checks the monitor.
    pub group: GroupId,
    /// The definition.
    pub definition: Monitor,
    /// The latest finding of the incident that determines the status.
    pub finding: Option<Finding>,
    /// The open advisory: fewer locations than the quorum see a failure.
    pub advisory: Option<AdvisoryView>,
    /// The silence and the acknowledgement.
    pub control: Option<Control>,
    /// The result of each location that should check the monitor.
    pub locations: BTreeMap<Location, LocationVisibility>,
    /// Checks of all locations by hour, for the last 24 hours.
    pub hours: Vec<Point>,
    /// Checks of all locations by day, for the last 90 days; on monitor pages only.
    pub days: Vec<Point>,
}

/// An open advisory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvisoryView {
    /// Whether the advisory was notified.
    pub is_notified: bool,
    /// Why the advisory is not notified now; `None` if it was notified, or if nothing suppresses it.
    pub withheld: Option<Withheld>,
}

/// The result of one location for one monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationVisibility {
    /// Whether the location is a region or an agent; `None` if it is neither, as in `portpulse local`.
    pub kind: Option<LocationKind>,
    /// The current state.
    pub state: VisibilityState,
    /// The first tick of the streak behind the state, if counted.
    pub since: Option<Tick>,
    /// The last tick with data; `None` if there never was one.
    pub seen: Option<Tick>,
    /// The last failure or warning, with the text of the service.
    pub finding: Option<Finding>,
    /// The last banner of the service, recorded once an hour; on monitor pages only.
    pub banner: Option<Banner>,
    /// Total times of the latest hour with data.
    pub total: Option<Percentiles>,
    /// Times of each phase in the current hour.
    pub phases: ByPhase<Option<Percentiles>>,
    /// Single checks of the last hours, as far as read; on monitor pages only.
    pub checks: Vec<Point>,
    /// Checks by hour, for the last 24 hours; on monitor pages only.
    pub hours: Vec<Point>,
    /// Checks by day, for the last 90 days; on monitor pages only.
    pub days: Vec<Point>,
}

/// The state of a monitor as seen from a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisibilityState {
    /// The result is as expected.
    Good,
    /// The result is as expected, but slow or with a warning.
    Impaired,
    /// The result is not as expected.
    Failing,
    /// The last check had no result, or there was no check yet.
    NoData,
    /// The location does not report.
    Silent,
}

/// The time that a point covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// A single check, until the next one is due.
    Check(Tick, Interval),
    /// An hour or a day.
    Period(Period),
}

impl Slot {
    /// The start.
    pub fn start(self) -> Timestamp {
        match self {
            Self::Check(tick, _) => tick.timestamp(),
            Self::Period(period) => period.start(),
        }
    }

    /// The end, exclusive.
    pub fn end(self) -> Timestamp {
        match self {
            Self::Check(tick, interval) => tick.later(interval, 1).timestamp(),
            Self::Period(period) => period.later(1).start(),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(tick, _) => tick.fmt(f),
            Self::Period(period) => period.fmt(f),
        }
    }
}

/// A check, or the checks of an hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The time that the checks cover.
    pub slot: Slot,
    /// Checks with the expected result.
    pub good: u32,
    /// Good checks that failed at first and were good when made again.
    pub retried: u32,
    /// Checks with another result.
    pub failing: u32,
    /// Checks without a result.
    pub no_data: u32,
    /// Total times of the good checks; `None` if there are none.
    pub total: Option<Percentiles>,
    /// Times of each phase, as far as read; `None` if there are none.
    pub phases: ByPhase<Option<Percentiles>>,
}

/// What a time covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timed {
    /// A whole check: name resolution, connect, TLS handshake and answer.
    Total,
    /// One phase of a check.
    Phase(Phase),
}

impl Point {
    /// The times of whole checks, or of a phase.
    pub const fn times(&self, what: Timed) -> Option<Percentiles> {
        match what {
            Timed::Total => self.total,
            Timed::Phase(phase) => *self.phases.get(phase),
        }
    }
}

/// The duration of a check or a phase. Accurate to 6.25 %; phases other than connect are stored with fewer digits, which
/// adds another 5 % or 0.05 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// The median.
    pub p50: Duration,
    /// The 95th percentile.
    pub p95: Duration,
    /// The maximum as stored.
    pub max: Duration,
}

impl Percentiles {
    /// The percentiles of the counted times; `None` if there are none.
    pub fn of(times: &PhaseTimes) -> Option<Self> {
        Some(Self {
            p50: times.percentile(50)?,
            p95: times.percentile(95)?,
            max: times.max()?,
        })
    }
}

/// An incident.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentView {
    /// The id, as in notifications.
    pub id: IncidentId,
    /// The name of the monitor for people; its id if none is configured.
    pub title: String,
    /// The status during the incident.
    pub status: Status,
    /// The first failing tick.
    pub since: Timestamp,
    /// When the incident was opened.
    pub opened: Timestamp,
    /// When and why the incident ended; `None` while it is open.
    pub closed: Option<(Timestamp, Ending)>,
    /// The notes of operators, oldest first. Public views have only those that are marked as public.
    pub notes: Vec<OperatorNote>,
    /// Private data.
    pub inside: Option<IncidentInside>,
}

/// Private data of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentInside {
    /// The layer of the fault, with its evidence in one sentence.
    pub diagnosis: Option<Explanation>,
    /// The cluster of incidents that this one is notified with.
    pub cluster: Option<IncidentId>,
    /// The latest finding.
    pub finding: Option<Finding>,
    /// The latest changes of the cause, oldest first: when, from which cause, and to which.
    pub cause_changes: Vec<(Timestamp, Cause, Cause)>,
    /// When the first and the last notification were sent; `None` if none was sent yet.
    pub notified: Option<(Timestamp, Timestamp)>,
    /// The number of reminders sent.
    pub reminders: u32,
    /// Why nothing is notified now; `None` if the next check notifies the incident, or if it is closed.
    pub withheld: Option<Withheld>,
    /// Why the closed incident was never notified; `None` if it was notified or is open.
    pub never_notified: Option<NeverNotified>,
    /// Whether the incident was escalated.
    pub urgency: Urgency,
    /// Whether the monitor was flapping.
    pub stability: Stability,
    /// The acknowledgement, if it is the latest of the monitor.
    pub acknowledged: Option<Note>,
    /// The latest silence of the monitor, if it began during the incident.
    pub silenced: Option<Silence>,
    /// The monitors that this one depends on, at any depth, and that have an open incident; empty if the incident is closed.
    pub dependencies: BTreeSet<MonitorId>,
}

/// One monitor with its incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorPage {
    /// When the view was assembled.
    pub at: Timestamp,
    /// The monitor.
    pub monitor: MonitorView,
    /// Open incidents and those of the last 90 days, latest first.
    pub incidents: Vec<IncidentView>,
    /// History that exceeds the read limit.
    pub left_out: LeftOut,
}

impl Overview {
    /// The page of one monitor of this overview; `None` if the id is unknown. For the public this is the complete page,
    /// since public monitor pages show no more than the overview has.
    pub fn monitor_page(&self, id: &MonitorId) -> Option<MonitorPage> {
        let monitor = self.monitors.iter().find(|monitor| monitor.id == *id)?;
        let own = |incident: &&IncidentView| incident.id.monitor == *id;
        Some(MonitorPage {
            at: self.at,
            monitor: monitor.clone(),
            incidents: self
                .open
                .iter()
                .chain(&self.closed)
                .filter(own)
                .cloned()
                .collect(),
            left_out: self.left_out,
        })
    }
}

/// Incidents of all monitors.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentsPage {
    /// When the view was assembled.
    pub at: Timestamp,
    /// Open incidents, latest first.
    pub open: Vec<IncidentView>,
    /// Closed incidents of the last 90 days, latest first, as far as read.
    pub closed: Vec<IncidentView>,
    /// History that exceeds the read limit.
    pub left_out: LeftOut,
}
