//! What is shown: plain values, in which everything that is not for the public stands apart.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::banners::Banner;
use portpulse_core::control::Control;
use portpulse_core::definition::Monitor;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{Ending, Finding, IncidentId, LocationProblem, Status};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outcome::Phase;
use portpulse_core::period::Period;
use portpulse_core::phase_times::PhaseTimes;
use portpulse_core::time::Tick;
use portpulse_core::uptime::Watched;

/// Who is shown something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Anybody: names, statuses and uptime. Never hosts, ports, addresses, locations, times of connects or words of services:
    /// every `inside` is `None`. A port that should be closed and is open is down to them: which one it is they are not
    /// told.
    Public,
    /// Those who may see everything.
    Private,
}

/// Whether the public is told of maintenance ahead. That it is on, anybody may know; that it will be says when alerts are
/// going to wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ahead {
    /// It is not.
    #[default]
    Withheld,
    /// It is told of the next time of each window.
    Announced,
}

/// All monitors at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// When it was assembled.
    pub at: Timestamp,
    /// The monitors: what is bad first, then by id.
    pub monitors: Vec<MonitorView>,
    /// Open incidents, the latest first.
    pub open: Vec<IncidentView>,
    /// Closed incidents of the last 90 days, the latest first, as far as they were read.
    pub closed: Vec<IncidentView>,
    /// What history was left unread, for it would have cost more than one request may.
    pub left_out: LeftOut,
    /// What only those within may see.
    pub inside: Option<OverviewInside>,
}

/// What history was left unread, because one request may not read more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Days, the earliest ones: they show as "no data", and no figure is told over them.
    pub days: bool,
    /// Ticks of the running hour, the earliest ones: none of its checks are told, for those that were read are not all.
    pub hour: bool,
    /// Closed incidents, the earliest ones: no uptime is told, for it would be too good.
    pub incidents: bool,
    /// Phases but the connect, the earliest ones.
    pub phases: bool,
}

/// What only those within may see of the whole.
#[derive(Debug, Clone, PartialEq)]
pub struct OverviewInside {
    /// Every location that should report.
    pub locations: BTreeMap<Location, LocationStanding>,
    /// Definitions that cannot be read, with all that is wrong with each.
    pub broken: BTreeMap<String, Vec<String>>,
    /// Rows of the table that cannot be read, with what is wrong with each.
    pub unreadable: Vec<String>,
}

/// How a location stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationStanding {
    /// The latest tick that it has reported; `None` where it never has.
    pub last: Option<Tick>,
    /// What is wrong with it, and since when.
    pub problem: Option<(LocationProblem, Timestamp)>,
}

/// One monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorView {
    /// Its id.
    pub id: MonitorId,
    /// What all locations together say of it.
    pub status: Status,
    /// Since when, unless it is up, or unknown for too short a time for an incident.
    pub since: Option<Timestamp>,
    /// Whether a maintenance window covers now: what it shows is expected.
    pub in_maintenance: bool,
    /// Of each of its maintenance windows the time that is on now or next, the earliest first. The public is not told
    /// why, nor of what is ahead unless that is announced.
    pub maintenance: Vec<Maintenance>,
    /// Its uptime.
    pub uptime: Uptime,
    /// The last 24 hours, the earliest first; the last one is running.
    pub hours: Vec<Bar>,
    /// The last 90 days of UTC, the earliest first; the last one is running.
    pub days: Vec<Bar>,
    /// What only those within may see.
    pub inside: Option<Box<MonitorInside>>,
}

/// A time of maintenance: alerts wait, and what goes wrong is expected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Maintenance {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// What for, as its definition says; only those within may see it.
    pub why: Option<String>,
}

/// Uptime over the usual spans; `None` where not all of the span could be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uptime {
    /// Of the last 24 hours, by hours.
    pub day: Option<Watched>,
    /// Of the last 7 days of UTC, today among them.
    pub week: Option<Watched>,
    /// Of the last 30 days of UTC, today among them.
    pub month: Option<Watched>,
    /// Of the last 90 days of UTC, today among them.
    pub quarter: Option<Watched>,
}

/// An hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Which.
    pub period: Period,
    /// How much of it was watched, and how much of that was an outage.
    pub watched: Watched,
}

/// What only those within may see of a monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorInside {
    /// The group it is checked in.
    pub group: GroupId,
    /// Its definition.
    pub definition: Monitor,
    /// What was found last, of the incident that makes its status.
    pub finding: Option<Finding>,
    /// Whether fewer locations than the quorum see it failing, for long enough to be told.
    pub advisory: bool,
    /// What people have said of it.
    pub control: Option<Control>,
    /// What each location that should check it sees.
    pub locations: BTreeMap<Location, LocationVisibility>,
    /// All locations' connect times by hour, for the last 24 hours.
    pub hours: Vec<Point>,
    /// All locations' connect times by day, for the last 90 days; on one monitor's page alone.
    pub days: Vec<Point>,
}

/// What one location sees of one monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationVisibility {
    /// What it sees now.
    pub state: VisibilityState,
    /// The first tick of the streak that makes this state, where it was counted.
    pub since: Option<Tick>,
    /// The last tick that brought data; `None` where none ever did.
    pub seen: Option<Tick>,
    /// What it found last while it was not as it should be, in the service's own words.
    pub finding: Option<Finding>,
    /// What the service last said of itself while it was open, noted once an hour; read for one monitor's page alone.
    pub banner: Option<Banner>,
    /// Connect times of this hour, or of the last that has any.
    pub connect: Option<Percentiles>,
    /// The times of the other phases in this hour.
    pub others: OtherPhases<Option<Percentiles>>,
    /// Checks and connect times by hour, for the last 24 hours; on one monitor's page alone.
    pub hours: Vec<Point>,
    /// Checks and connect times by day, for the last 90 days; on one monitor's page alone.
    pub days: Vec<Point>,
}

/// What a location sees of a monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisibilityState {
    /// As expected.
    Good,
    /// As expected, but slow or with a warning.
    Impaired,
    /// Not as expected.
    Failing,
    /// Its last check could not tell.
    NoData,
    /// The location does not report.
    Silent,
}

/// The checks of an hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Which.
    pub period: Period,
    /// Checks that found the monitor as expected.
    pub good: u32,
    /// Checks that did not.
    pub failing: u32,
    /// Checks that could not tell.
    pub no_data: u32,
    /// Connect times of the good checks; `None` where there are none.
    pub connect: Option<Percentiles>,
    /// The times of their other phases, as far as those were read; `None` where there are none.
    pub others: OtherPhases<Option<Percentiles>>,
}

impl Point {
    /// How long a phase took.
    pub fn times(&self, phase: Phase) -> Option<Percentiles> {
        match phase {
            Phase::Dns => self.others.dns,
            Phase::Connect => self.connect,
            Phase::Tls => self.others.tls,
            Phase::Ready => self.others.ready,
        }
    }
}

/// How long a phase took: give or take 6.25 % of the connect, and of the other phases, which are kept in fewer digits,
/// another 5 % or 0.05 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of the checks took at most this long.
    pub p50: Duration,
    /// 95 of 100 took at most this long.
    pub p95: Duration,
    /// The longest, as it was kept.
    pub max: Duration,
}

impl Percentiles {
    /// Those of the times that were counted; `None` where there are none.
    pub fn of(times: &PhaseTimes) -> Option<Self> {
        Some(Self {
            p50: times.percentile(50)?,
            p95: times.percentile(95)?,
            max: times.max()?,
        })
    }
}

/// One incident, or the difference between its beginning and its end.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentView {
    /// Its id, as in notifications.
    pub id: IncidentId,
    /// What the status was, or is.
    pub status: Status,
    /// The first bad tick.
    pub since: Timestamp,
    /// When it was certain.
    pub opened: Timestamp,
    /// When it ended, and why; `None` while it is open.
    pub closed: Option<(Timestamp, Ending)>,
    /// What only those within may see.
    pub inside: Option<IncidentInside>,
}

/// What only those within may see of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentInside {
    /// What was found last.
    pub finding: Option<Finding>,
    /// When it was told last; `None` while it is held back.
    pub notified: Option<Timestamp>,
    /// How many reminders followed the first message.
    pub reminders: u32,
}

/// One monitor with its incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorPage {
    /// When it was assembled.
    pub at: Timestamp,
    /// The monitor.
    pub monitor: MonitorView,
    /// Its incidents of the last 90 days, the latest first, open ones among them.
    pub incidents: Vec<IncidentView>,
    /// What history was left unread.
    pub left_out: LeftOut,
}

impl Overview {
    /// The page of one of these monitors, as far as it is known here: all of it to the public, who is shown no more of
    /// one than of all. `None` if there is none of that id.
    pub fn page_of(&self, id: &MonitorId) -> Option<MonitorPage> {
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
    /// When it was assembled.
    pub at: Timestamp,
    /// Open ones, the latest first.
    pub open: Vec<IncidentView>,
    /// Closed ones of the last 90 days, the latest first, as far as they were read.
    pub closed: Vec<IncidentView>,
    /// What history was left unread.
    pub left_out: LeftOut,
}
