//! Telling: which open incidents may be told now, and what a notification says when it goes out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::Input;
use super::regions::suspects;
use super::tally::{Electorate, Tally, elapsed};
use crate::board::{
    Cause, Entry, Finding, Health, Incident, IncidentId, Pace, Told, Track, Urgency, Verdict, VerdictRow,
};
use crate::choice::Severity;
use crate::definition::Monitor;
use crate::group::GroupId;
use crate::id::{MonitorId, Region};
use crate::outbox::{Kind, Pending, Subject};
use crate::outcome::Detail;
use crate::time::Tick;

/// Puts into the outbox whatever is open, untold and not held back; and the reminders that are due.
pub(super) fn open_incidents(input: &Input<'_>, monitor: &Monitor, tally: &Tally, next: &mut VerdictRow) {
    let id = monitor.id();
    if is_held(input, monitor) {
        return;
    }
    let behind = monitor
        .telling()
        .depends_on
        .keys()
        .any(|parent| is_down(input, next, parent));
    for track in [Track::Health, Track::Quality, Track::Sight] {
        let Some(incident) = next.incidents.get_mut(&(id.clone(), track)) else {
            continue;
        };
        // An outage in front explains silence, not an open port.
        if behind && incident.verdict != Verdict::Exposed {
            continue;
        }
        if let Some(news) = news(input, monitor, track, tally, incident) {
            next.outbox
                .push(tell(&incident.id(id, track), incident, news, input.now));
        }
    }
    if let Some(advisory) = next
        .advisories
        .get_mut(id)
        .filter(|advisory| advisory.told == Told::NotYet && !behind)
    {
        advisory.told = Told::At {
            first: input.now,
            last: input.now,
            reminders: 0,
        };
        let pending = Pending {
            id: format!("{}/{}", advisory.id(id), Kind::Advisory),
            kind: Kind::Advisory,
            subject: Subject::Monitor(id.clone()),
            verdict: Verdict::Up,
            cause: tally.health.finding.as_ref().map(|finding| finding.cause),
            urgency: Urgency::Usual,
            since: tally.health.since.unwrap_or(advisory.opened).timestamp(),
            at: advisory.opened.timestamp(),
            claim: None,
        };
        next.outbox.push(pending);
    }
}

/// Tells of each definition that cannot be read, once for as long as it cannot.
pub(super) fn broken_definitions(input: &Input<'_>, next: &mut VerdictRow) {
    let broken = &input.definitions.broken;
    next.broken.retain(|id| broken.contains_key(id));
    for id in broken.keys() {
        if next.broken.insert(id.clone()) {
            next.outbox.push(Pending {
                id: format!(
                    "{id}@{}.{}/{}",
                    input.group,
                    next.revision,
                    Kind::BrokenDefinition
                ),
                kind: Kind::BrokenDefinition,
                subject: Subject::Definition(id.clone()),
                verdict: Verdict::Unknown,
                cause: None,
                urgency: Urgency::Usual,
                since: input.now,
                at: input.now,
                claim: None,
            });
        }
    }
}

/// Whether a monitor's notifications are held back whatever they say.
fn is_held(input: &Input<'_>, monitor: &Monitor) -> bool {
    let control = input.controls.get(monitor.id());
    let silenced = control.is_some_and(|control| control.is_silenced(input.now));
    silenced || monitor.telling().in_maintenance(input.now)
}

fn is_down(input: &Input<'_>, next: &VerdictRow, parent: &MonitorId) -> bool {
    let here = next.incidents.get(&(parent.clone(), Track::Health));
    here.is_some_and(|incident| incident.verdict == Verdict::Down && incident.is_bad_now())
        || input.down_elsewhere.contains(parent)
}

fn is_still_bad(track: Track, tally: &Tally) -> bool {
    match track {
        Track::Health => tally.still_bad(&tally.health),
        Track::Quality => tally.still_bad(&tally.quality),
        Track::Sight => tally.voters == 0,
    }
}

/// What there is to tell of an open incident.
#[derive(Clone, Copy)]
enum News {
    /// That it is there.
    Begins,
    /// That it flaps.
    Flaps,
    /// That it has flapped, and is bad for good.
    Settles,
    /// That it has been open for too long.
    Escalates,
    /// That it is still there.
    Lasts,
}

/// What is to be told of an open incident now, if nothing holds it back.
fn news(
    input: &Input<'_>,
    monitor: &Monitor,
    track: Track,
    tally: &Tally,
    incident: &Incident,
) -> Option<News> {
    let telling = monitor.telling();
    match (incident.pace, incident.told) {
        (Pace::Flapping { told: Some(_), .. }, _) => None,
        // Who heard of an outage waits for its end; to others it is no news while all is well.
        (Pace::Flapping { told: None, state }, told) => {
            (state == Health::Failing || told != Told::NotYet).then_some(News::Flaps)
        }
        // What was held back is told only if it is still bad.
        (Pace::Steady | Pace::Settled, Told::NotYet) => is_still_bad(track, tally).then_some(News::Begins),
        (Pace::Settled, Told::At { .. }) => Some(News::Settles),
        (Pace::Steady, Told::At { .. }) if is_acknowledged(input, &incident.id(monitor.id(), track)) => None,
        (Pace::Steady, Told::At { first, last, .. }) => {
            let is_due =
                |every: Option<Duration>, from| every.is_some_and(|every| elapsed(from, input.now) >= every);
            let may_escalate = track == Track::Health && incident.urgency == Urgency::Usual;
            if may_escalate && is_due(telling.escalate_after, first) {
                Some(News::Escalates)
            } else {
                is_due(telling.remind_every, last).then_some(News::Lasts)
            }
        }
    }
}

/// Whether somebody is at work on it.
fn is_acknowledged(input: &Input<'_>, name: &IncidentId) -> bool {
    let control = input.controls.get(&name.monitor);
    control.is_some_and(|control| control.has_acknowledged(name))
}

/// Notes in the incident that this was told, and gives what is to be told.
fn tell(name: &IncidentId, incident: &mut Incident, news: News, now: Timestamp) -> Pending {
    let (first, reminders) = match incident.told {
        Told::NotYet => (now, 0),
        Told::At { first, reminders, .. } => (first, reminders),
    };
    let reminders = match news {
        News::Lasts => reminders + 1,
        News::Begins | News::Flaps | News::Settles | News::Escalates => reminders,
    };
    incident.told = Told::At {
        first,
        last: now,
        reminders,
    };
    let kind = match news {
        News::Begins | News::Settles => beginning(incident),
        News::Flaps => Kind::Flapping,
        News::Escalates => Kind::Escalated,
        News::Lasts => Kind::Reminder,
    };
    let word = match news {
        News::Begins | News::Flaps | News::Escalates => kind.to_string(),
        // It may have been told before it flapped.
        News::Settles => format!("{kind}-for-good"),
        News::Lasts => format!("{kind}-{reminders}"),
    };
    match (news, incident.pace) {
        (News::Flaps, Pace::Flapping { state, .. }) => {
            incident.pace = Pace::Flapping {
                state,
                told: Some(now),
            };
        }
        (News::Begins | News::Settles, _) => incident.pace = Pace::Steady,
        (News::Escalates, _) => incident.urgency = Urgency::Raised,
        (News::Flaps | News::Lasts, _) => {}
    }
    Pending {
        id: format!("{name}/{word}"),
        kind,
        subject: Subject::Monitor(name.monitor.clone()),
        verdict: incident.verdict,
        cause: incident.finding.as_ref().map(|finding| finding.cause),
        urgency: incident.urgency,
        since: incident.since.timestamp(),
        at: match news {
            News::Begins => incident.opened.timestamp(),
            News::Flaps | News::Settles | News::Escalates | News::Lasts => now,
        },
        claim: None,
    }
}

/// As what an incident is told first.
fn beginning(incident: &Incident) -> Kind {
    let cause = incident.finding.as_ref().map(|finding| finding.cause);
    match (incident.verdict, cause) {
        (Verdict::Exposed, _) => Kind::Exposed,
        (Verdict::Degraded, Some(Cause::Certificate)) => Kind::CertificateExpiring,
        (Verdict::Degraded, _) => Kind::Degraded,
        (Verdict::Unknown, _) => Kind::Unknown,
        (Verdict::Down | Verdict::Up, _) => Kind::Down,
    }
}

/// A notification as it goes out: what was decided, with what the regions see at that moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Its id: the same however often it is sent.
    pub id: String,
    /// What it tells.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// The group it comes from; a test comes from none.
    pub group: Option<GroupId>,
    /// The verdict that it tells of; for a recovery, the one that is over.
    pub verdict: Verdict,
    /// How loudly it is to be told.
    pub severity: Severity,
    /// The severities whose subscribers hear it: its own, and those under which its incident was told before.
    pub audience: BTreeSet<Severity>,
    /// What was found.
    pub finding: Option<Finding>,
    /// Since when it has been so.
    pub since: Timestamp,
    /// When the change happened.
    pub at: Timestamp,
    /// `host:port`, for a monitor that is still defined.
    pub target: Option<String>,
    /// The monitor's tags.
    pub tags: Vec<String>,
    /// The monitor's runbook.
    pub runbook: Option<String>,
    /// What each region that checks the monitor sees.
    pub regions: BTreeMap<Region, RegionView>,
    /// For a broken definition, what is wrong with it.
    pub faults: Vec<String>,
}

/// What one region sees of a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionView {
    /// How it looks from there.
    pub view: View,
    /// For how many counted ticks.
    pub ticks: u32,
    /// Since which tick, where that is known.
    pub since: Option<Tick>,
    /// What was found there last, if it is bad.
    pub finding: Option<Finding>,
}

crate::choice::choice! {
    /// How a monitor looks from one region.
    View {
        /// As expected.
        Good = "good",
        /// Not as expected.
        Failing = "failing",
        /// It reports, but could not tell.
        NoData = "no_data",
        /// It does not report.
        Silent = "silent",
        /// It sees most monitors failing, alone, and is not counted.
        Suspect = "suspect",
    }
}

impl Notification {
    /// Completes what waits in an outbox with what is known now.
    pub fn compose(pending: &Pending, input: &Input<'_>) -> Self {
        let monitor = match &pending.subject {
            Subject::Monitor(id) => input.definitions.monitors.get(id),
            Subject::Region(_) | Subject::Definition(_) | Subject::Portpulse => None,
        };
        let faults = match &pending.subject {
            Subject::Definition(id) => input.definitions.broken.get(id),
            Subject::Region(_) | Subject::Monitor(_) | Subject::Portpulse => None,
        };
        let finding = pending.cause.map(|cause| Finding {
            cause,
            detail: monitor.and_then(|m| detail(m, cause, input)),
        });
        let usual = severity(pending.kind, pending.verdict, monitor);
        let severity = match pending.urgency {
            Urgency::Usual => usual,
            Urgency::Raised => Severity::Critical,
        };
        Self {
            id: pending.id.clone(),
            kind: pending.kind,
            subject: pending.subject.clone(),
            group: Some(input.group),
            verdict: pending.verdict,
            severity,
            audience: BTreeSet::from([usual, severity]),
            finding,
            since: pending.since,
            at: pending.at,
            target: monitor.map(|monitor| monitor.target().to_string()),
            tags: monitor
                .map(|monitor| monitor.telling().tags.clone())
                .unwrap_or_default(),
            runbook: monitor.and_then(|monitor| monitor.telling().runbook.clone()),
            regions: monitor.map(|monitor| views(monitor, input)).unwrap_or_default(),
            faults: faults.into_iter().flatten().map(ToString::to_string).collect(),
        }
    }

    /// A message that tells of nothing, to see whom it reaches: whoever hears of any severity hears it, and where a
    /// monitor is given, whoever hears of that one.
    ///
    /// Its id holds the time: two tests are told apart if they are not of the same moment.
    pub fn test(monitor: Option<&Monitor>, now: Timestamp) -> Self {
        let subject = monitor.map_or(Subject::Portpulse, |monitor| {
            Subject::Monitor(monitor.id().clone())
        });
        Self {
            id: format!("{subject}@{now}/{}", Kind::Test),
            kind: Kind::Test,
            subject,
            group: None,
            verdict: Verdict::Up,
            severity: Severity::Info,
            audience: Severity::ALL.iter().copied().collect(),
            finding: None,
            since: now,
            at: now,
            target: monitor.map(|monitor| monitor.target().to_string()),
            tags: monitor
                .map(|monitor| monitor.telling().tags.clone())
                .unwrap_or_default(),
            runbook: monitor.and_then(|monitor| monitor.telling().runbook.clone()),
            regions: BTreeMap::new(),
            faults: Vec::new(),
        }
    }
}

/// Only what is down or exposed is as loud as the monitor asks for, with what follows from it; the rest is told, not
/// paged. So whoever hears of an incident hears of its end.
fn severity(kind: Kind, verdict: Verdict, monitor: Option<&Monitor>) -> Severity {
    let own = monitor.map_or(Severity::Warning, |monitor| monitor.telling().severity);
    match (kind, verdict) {
        (Kind::Down | Kind::Exposed, _)
        | (
            Kind::Recovered | Kind::Reminder | Kind::Flapping | Kind::Escalated,
            Verdict::Down | Verdict::Exposed | Verdict::Up,
        ) => own,
        (
            Kind::Recovered | Kind::Reminder | Kind::Flapping | Kind::Escalated,
            Verdict::Degraded | Verdict::Unknown,
        )
        | (
            Kind::Degraded
            | Kind::CertificateExpiring
            | Kind::Unknown
            | Kind::BrokenDefinition
            | Kind::RegionSilent
            | Kind::RegionBack
            | Kind::RegionSuspect
            | Kind::RegionTrusted,
            _,
        ) => own.max(Severity::Warning),
        (Kind::Advisory | Kind::AdvisoryOver | Kind::Test, _) => Severity::Info,
    }
}

/// The service's own words about this cause, from the open incident or from any region's row.
fn detail(monitor: &Monitor, cause: Cause, input: &Input<'_>) -> Option<Detail> {
    let of = |finding: &Finding| (finding.cause == cause).then(|| finding.detail.clone()).flatten();
    let incidents = input.board.verdict.incidents.iter();
    let mine = incidents
        .filter(|((id, _), _)| id == monitor.id())
        .filter_map(|(_, incident)| incident.finding.as_ref());
    let rows = input
        .board
        .rows
        .values()
        .filter_map(|row| match row.entries.get(monitor.id()) {
            Some(Entry::Seen(streaks)) => streaks.finding.as_ref(),
            Some(Entry::Unseen { .. }) | None => None,
        });
    mine.chain(rows).find_map(of)
}

/// How a monitor looks now from each of the regions that check it.
pub fn views(monitor: &Monitor, input: &Input<'_>) -> BTreeMap<Region, RegionView> {
    let electorate = Electorate::new(input.now, input.group.interval, input.expected, input.board);
    let suspects = suspects(&input.board.verdict);
    let regions = input
        .expected
        .iter()
        .filter(|region| monitor.rule().regions.includes(region));
    let plain = |view| RegionView {
        view,
        ticks: 0,
        since: None,
        finding: None,
    };
    let view = |region: &Region| {
        let Some(row) = electorate.fresh_row(region) else {
            return plain(View::Silent);
        };
        match row.entries.get(monitor.id()) {
            None => plain(View::Good),
            Some(Entry::Unseen { .. }) => plain(View::NoData),
            Some(Entry::Seen(streaks)) => {
                let bad = streaks.health.state == Health::Failing;
                let view = match (suspects.contains(region), streaks.seen < row.tick, bad) {
                    (true, _, _) => View::Suspect,
                    (_, true, _) => View::NoData,
                    (_, _, true) => View::Failing,
                    (_, _, false) => View::Good,
                };
                let (ticks, since) = (streaks.health.ticks, Some(streaks.health.since));
                RegionView {
                    view,
                    ticks,
                    since,
                    finding: streaks.finding.clone().filter(|_| view != View::Good),
                }
            }
        }
    };
    regions.map(|region| (region.clone(), view(region))).collect()
}
