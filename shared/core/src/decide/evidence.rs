//! Collects the evidence for the diagnosis of open incidents from the location states of the group.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::ancestors;
use super::input::Input;
use super::votes::Electorate;
use crate::choice::Expect;
use crate::definition::Monitor;
use crate::diagnosis::{Access, Diagnosis, Evidence, FailingLocation, Fault, HostEvidence, Layer, layer};
use crate::group_state::{
    Cause, DecisionState, Entry, Health, Impairment, Incident, LocationState, Stability, Status, Streaks,
    Track,
};
use crate::id::{Location, MonitorId};
use crate::target::Host;
use crate::time::Tick;

/// Diagnoses every open incident. A diagnosis improves while more locations report the fault; during the recovery, the
/// last one stays.
pub(super) fn diagnose_incidents(input: &Input<'_>, electorate: &Electorate<'_>, next: &mut DecisionState) {
    if next.incidents.is_empty() {
        return;
    }
    let surroundings = Surroundings::new(input, electorate);
    let mut found = Vec::new();
    for ((id, track), incident) in &next.incidents {
        let Some(monitor) = input.definitions.monitors.get(id) else {
            continue;
        };
        let fault = FaultOf {
            monitor,
            track: *track,
            status: incident.status,
            cause: incident.finding.as_ref().map(|finding| finding.cause),
            since: incident.since,
        };
        let diagnosis = surroundings.diagnose(&fault, ancestors::down_ancestor(input, next, id));
        if replaces(incident, *track, &diagnosis) {
            found.push(((id.clone(), *track), diagnosis));
        }
    }
    for (key, diagnosis) in found {
        if let Some(incident) = next.incidents.get_mut(&key) {
            incident.diagnosis = Some(diagnosis);
        }
    }
}

/// Whether a diagnosis replaces the one of the incident: at least as many locations see the fault, or some still see it
/// although the dependency that explained it is up. Without the evidence for the known one, all must see the fault.
fn replaces(incident: &Incident, track: Track, found: &Diagnosis) -> bool {
    let is_good = matches!(
        incident.stability,
        Stability::Flapping {
            state: Health::Good,
            ..
        }
    );
    let (Some(known), Some(new)) = (&incident.diagnosis, &found.evidence) else {
        return true;
    };
    let is_explained = known.layer == Layer::Dependency && found.layer != Layer::Dependency;
    let sees_more = match &known.evidence {
        Some(old) => new.failing >= old.failing,
        None => new.good == 0 && new.pending == 0,
    };
    // The layer of a warning follows from its cause.
    let is_other_warning = track == Track::Quality && known.layer != found.layer;
    !is_good && (is_other_warning || (new.failing > 0 && (is_explained || sees_more)))
}

/// What is to be diagnosed: an incident, or an advisory.
pub(super) struct FaultOf<'a> {
    pub(super) monitor: &'a Monitor,
    pub(super) track: Track,
    pub(super) status: Status,
    pub(super) cause: Option<Cause>,
    pub(super) since: Tick,
}

/// What a location reports of a monitor at its last tick.
enum Reported<'a> {
    Good,
    Failing(&'a Streaks),
    NoData,
}

/// The hosts that a location gets an answer from, and those that it does not.
#[derive(Default)]
struct HostsSeen<'a> {
    answering: BTreeSet<&'a Host>,
    silent: BTreeSet<&'a Host>,
}

/// The monitors of the group by host and address, and the hosts that each location reaches.
pub(super) struct Surroundings<'a> {
    electorate: &'a Electorate<'a>,
    by_host: BTreeMap<&'a Host, Vec<&'a Monitor>>,
    by_address: BTreeMap<IpAddr, Vec<&'a Monitor>>,
    hosts: BTreeMap<&'a Location, HostsSeen<'a>>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(input: &Input<'a>, electorate: &'a Electorate<'a>) -> Self {
        let mut surroundings = Self {
            electorate,
            by_host: BTreeMap::new(),
            by_address: BTreeMap::new(),
            hosts: BTreeMap::new(),
        };
        for monitor in input.definitions.monitors.values() {
            surroundings.add(monitor);
        }
        for hosts in surroundings.hosts.values_mut() {
            let answering = &hosts.answering;
            hosts.silent.retain(|host| !answering.contains(host));
        }
        surroundings
    }

    fn add(&mut self, monitor: &'a Monitor) {
        let host = &monitor.target().host;
        self.by_host.entry(host).or_default().push(monitor);
        let mut addresses = BTreeSet::new();
        if let Host::Address(address) = host {
            addresses.insert(*address);
        }
        for (location, state) in self.electorate.counted(monitor) {
            addresses.extend(address(monitor.id(), state));
            let hosts = self.hosts.entry(location).or_default();
            match host_answers(monitor, state) {
                Some(true) => drop(hosts.answering.insert(host)),
                Some(false) => drop(hosts.silent.insert(host)),
                None => {}
            }
        }
        for address in addresses {
            self.by_address.entry(address).or_default().push(monitor);
        }
    }

    /// Diagnoses a fault; `parent` is a monitor that is down and that the monitor depends on.
    pub(super) fn diagnose(&self, fault: &FaultOf<'a>, parent: Option<MonitorId>) -> Diagnosis {
        let (monitor, cause) = (fault.monitor, fault.cause);
        let mut failing = Vec::new();
        let (mut good, mut pending) = (0, 0);
        for (location, state) in self.electorate.counted(monitor) {
            match reported(monitor, fault.track, state) {
                Reported::Failing(streaks) => failing.push(self.failing(monitor, location, state, streaks)),
                // A location that has not checked since the fault began shows nothing.
                Reported::Good if state.tick >= fault.since => good += 1,
                Reported::Good | Reported::NoData => pending += 1,
            }
        }
        // The outage of a dependency explains an unavailable port, but neither an open one nor missing data.
        let parent = parent.filter(|_| fault.status == Status::Down);
        let (layer, host) = match (&parent, fault.track, cause) {
            (Some(_), _, _) => (Layer::Dependency, HostEvidence::Unchecked),
            (None, Track::Visibility, _) => (Layer::Checker, HostEvidence::Unchecked),
            (None, Track::Quality, Some(Cause::Certificate)) => (Layer::Tls, HostEvidence::Unchecked),
            (None, Track::Quality, Some(Cause::Warned)) => (Layer::Service, HostEvidence::Unchecked),
            (None, Track::Quality, _) => (Layer::Unknown, HostEvidence::Unchecked),
            (None, Track::Health, _) => layer(&failing, good),
        };
        let evidence = Evidence {
            failing: u32::try_from(failing.len()).unwrap_or(u32::MAX),
            good,
            pending,
            host,
            parent,
        };
        Diagnosis {
            layer,
            evidence: Some(evidence),
        }
    }

    fn failing(
        &self,
        monitor: &Monitor,
        location: &Location,
        state: &LocationState,
        streaks: &Streaks,
    ) -> FailingLocation {
        let own = monitor.target();
        let cause = streaks
            .finding
            .as_ref()
            .map_or(Cause::Open, |finding| finding.cause);
        let mut found = FailingLocation {
            fault: Fault::of(own, cause, streaks.point),
            answering: None,
            silent_ports: 0,
            other_host_answers: false,
            silent_hosts: 0,
        };
        let mut silent = BTreeSet::new();
        let mut own_hosts = BTreeSet::from([&own.host]);
        for sibling in self.siblings(monitor, streaks) {
            let access = Access::of(sibling.target());
            own_hosts.insert(&sibling.target().host);
            if access == Access::of(own) || !sibling.rule().locations.includes(location) {
                continue;
            }
            match host_answers(sibling, state) {
                Some(true) => {
                    found.answering = Some(found.answering.map_or(access, |known| known.min(access)));
                }
                Some(false) => drop(silent.insert(access)),
                None => {}
            }
        }
        found.silent_ports = u32::try_from(silent.len()).unwrap_or(u32::MAX);
        if let Some(hosts) = self.hosts.get(location) {
            found.other_host_answers = hosts.answering.iter().any(|host| !own_hosts.contains(host));
            let others = hosts.silent.difference(&own_hosts).count();
            found.silent_hosts = u32::try_from(others).unwrap_or(u32::MAX);
        }
        found
    }

    /// The monitors of the same host, or of the address that did not answer.
    fn siblings(&self, monitor: &Monitor, streaks: &Streaks) -> impl Iterator<Item = &'a Monitor> {
        let of_host = self.by_host.get(&monitor.target().host);
        let address = streaks.point.and_then(|point| point.address);
        let of_address = address.and_then(|address| self.by_address.get(&address));
        let of_host = of_host.into_iter().flatten();
        of_host.chain(of_address.into_iter().flatten()).copied()
    }
}

/// What a location reports of a monitor. An entry that is older than the last tick is no data.
fn reported<'a>(monitor: &Monitor, track: Track, state: &'a LocationState) -> Reported<'a> {
    match state.entries.get(monitor.id()) {
        None => Reported::Good,
        Some(Entry::NoData { .. }) => Reported::NoData,
        Some(Entry::Seen(streaks)) if streaks.seen < state.tick => Reported::NoData,
        Some(Entry::Seen(streaks)) => {
            let is_bad = match track {
                Track::Health => streaks.health.state == Health::Failing,
                Track::Quality => {
                    let quality = streaks.quality;
                    quality.is_some_and(|quality| quality.state == Impairment::Impaired)
                }
                Track::Visibility => false,
            };
            if is_bad {
                Reported::Failing(streaks)
            } else {
                Reported::Good
            }
        }
    }
}

/// Whether the host of a monitor answers a location; `None` if the check does not show it.
fn host_answers(monitor: &Monitor, state: &LocationState) -> Option<bool> {
    match reported(monitor, Track::Health, state) {
        // A port that must be closed is good if it is refused or filtered.
        Reported::Good => (monitor.rule().expect != Expect::Closed).then_some(true),
        Reported::Failing(streaks) => {
            let cause = streaks.finding.as_ref()?.cause;
            Fault::of(monitor.target(), cause, streaks.point).host_answered()
        }
        Reported::NoData => None,
    }
}

/// The counted locations that see a monitor failing.
pub(super) fn failing_locations(monitor: &Monitor, electorate: &Electorate<'_>) -> BTreeSet<Location> {
    let counted = electorate.counted(monitor);
    let failing =
        counted.filter(|(_, state)| matches!(reported(monitor, Track::Health, state), Reported::Failing(_)));
    failing.map(|(location, _)| location.clone()).collect()
}

/// The address at which a monitor fails in a location.
pub(super) fn address(id: &MonitorId, state: &LocationState) -> Option<IpAddr> {
    match state.entries.get(id)? {
        Entry::Seen(streaks) => streaks.point?.address,
        Entry::NoData { .. } => None,
    }
}
