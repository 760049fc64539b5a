//! Fits a decision into a DynamoDB item. A decision that does not fit at once is made in steps, ordered by severity and
//! age.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::incidents::pass_on;
use super::input::Input;
use super::notification::severity_of;
use crate::choice::Severity;
use crate::diagnosis::Diagnosis;
use crate::group_state::{
    Advisory, ClosedIncident, Cluster, DecisionState, Finding, FleetState, Incident, IncidentId, Track,
};
use crate::id::{Location, MonitorId};
use crate::outbox::{Kind, Outbox, Pending, Subject};

/// The maximum size of stored states.
///
/// The storage layer knows the size of an item; the decision only asks whether a state fits.
pub trait SizeLimit {
    /// Whether a decision state fits into its item.
    fn decision_fits(&self, state: &DecisionState) -> bool;
    /// Whether a fleet state fits into its item.
    fn fleet_fits(&self, state: &FleetState) -> bool;
}

/// No limit: states of any size fit.
#[derive(Debug, Clone, Copy)]
pub struct Unlimited;

impl SizeLimit for Unlimited {
    fn decision_fits(&self, _: &DecisionState) -> bool {
        true
    }

    fn fleet_fits(&self, _: &FleetState) -> bool {
        true
    }
}

/// Whether a decision is complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Completeness {
    /// Every change is decided.
    #[default]
    Complete,
    /// Some changes did not fit beside the pending notifications and closed incidents. The caller must publish and
    /// archive those, then decide again.
    Partial,
}

/// The decision state to write for the complete decision `whole`, and whether it holds everything. `None` if the state
/// would not change.
pub(super) fn group(
    input: &Input<'_>,
    whole: DecisionState,
    limit: &impl SizeLimit,
) -> (Option<DecisionState>, Completeness) {
    let before = &input.group_state.decision;
    let changed = |state: DecisionState| (!state.is_same(before)).then_some(state);
    if limit.decision_fits(&whole) {
        return (changed(whole), Completeness::Complete);
    }
    // The location states hold the details of findings as well.
    let (whole, plain) = (without_details(whole), without_details(before.clone()));
    if whole.is_same(&plain) || limit.decision_fits(&whole) {
        return (changed(whole), Completeness::Complete);
    }
    let largest = Steps::new(input, &plain, &whole).largest(limit);
    if !largest.is_same(&plain) {
        return (changed(largest), Completeness::Partial);
    }
    // Not even one step fits.
    let (whole, plain) = (without_ended(whole), without_ended(plain));
    if limit.decision_fits(&whole) {
        return (changed(whole), Completeness::Complete);
    }
    let largest = Steps::new(input, &plain, &whole).largest(limit);
    (changed(largest), Completeness::Partial)
}

/// The fleet state to write for the complete decision `whole`, and whether it holds everything. If `whole` does not fit, the
/// state takes as many steps as fit: first the claims, then the changes of each location, those that free space first.
pub(super) fn fleet(
    input: &Input<'_>,
    before: &FleetState,
    whole: FleetState,
    limit: &impl SizeLimit,
) -> (FleetState, Completeness) {
    if limit.fleet_fits(&whole) {
        return (whole, Completeness::Complete);
    }
    let claims = before.outbox.clone().claim(input.me, input.stamp(), usize::MAX);
    let records = |state: &FleetState, location: &Location| -> usize {
        let problems = state.problems.iter().filter(|((of, _), _)| of == location);
        problems.map(|(_, problem)| problem.groups.len()).sum()
    };
    let changed: BTreeSet<_> = differing(&before.problems, &whole.problems)
        .map(|(location, _)| location)
        .collect();
    let mut changed: Vec<_> = changed.into_iter().collect();
    changed.sort_by_key(|location| records(&whole, location) > records(before, location));
    let state = |steps: usize| {
        let chosen: BTreeSet<_> = changed.iter().take(steps.saturating_sub(claims)).collect();
        let new = new_pending(&before.outbox, &whole.outbox).filter(|pending| match &pending.subject {
            Subject::Location(location) => chosen.contains(&location),
            Subject::Monitor(_) | Subject::Definition(_) | Subject::Portpulse => false,
        });
        let outbox = claimed(input, &before.outbox, steps, new);
        FleetState {
            revision: whole.revision,
            problems: merged(&before.problems, &whole.problems, |(location, _)| {
                chosen.contains(&location)
            }),
            outbox,
        }
    };
    let fits = |state: &FleetState| limit.fleet_fits(state);
    (
        largest(claims + changed.len(), state, fits),
        Completeness::Partial,
    )
}

fn without_details(state: DecisionState) -> DecisionState {
    let plain = |finding: Finding| Finding {
        detail: None,
        ..finding
    };
    let incidents = state.incidents.into_iter().map(|(key, incident)| {
        let finding = incident.finding.map(plain);
        let diagnosis = incident.diagnosis.map(|diagnosis| Diagnosis {
            evidence: None,
            ..diagnosis
        });
        let incident = Incident {
            finding,
            diagnosis,
            cause_changes: Vec::new(),
            ..incident
        };
        (key, incident)
    });
    DecisionState {
        incidents: incidents.collect(),
        ..state
    }
}

/// Without the monitors that have recovered before the others of their notification. Their subscribers miss its end, which
/// is better than a change that is not decided.
fn without_ended(mut state: DecisionState) -> DecisionState {
    for cluster in state.clusters.values_mut() {
        cluster.recovered.clear();
    }
    for advisory in state.advisories.values_mut() {
        advisory.ended.clear();
    }
    state
}

/// A decision as a sequence of steps, each possible without the later ones: first every claim of a pending
/// notification, then the state of the locations, then the changes of each monitor.
struct Steps<'a> {
    input: &'a Input<'a>,
    before: &'a DecisionState,
    whole: &'a DecisionState,
    /// The number of pending notifications that can be claimed.
    claims: usize,
    /// The ids of changed monitors and definitions, by rank.
    changed: Vec<&'a str>,
}

/// Whether the members of a cluster change in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Members {
    /// All with the first.
    Together,
    /// Each by itself, but none before the first.
    Apart,
}

impl<'a> Steps<'a> {
    fn new(input: &'a Input<'a>, before: &'a DecisionState, whole: &'a DecisionState) -> Self {
        let mut all = before.outbox.clone();
        let claims = all.claim(input.me, input.stamp(), usize::MAX);
        let mut changed: Vec<_> = changed_ids(before, whole)
            .into_iter()
            .map(|id| (rank(input, before, whole, id), id))
            .collect();
        changed.sort();
        Self {
            input,
            claims,
            changed: changed.into_iter().map(|(_, id)| id).collect(),
            before,
            whole,
        }
    }

    /// The decision state after as many steps as fit.
    fn largest(&self, limit: &impl SizeLimit) -> DecisionState {
        let all = self.claims + 1 + self.changed.len();
        let fits = |state: &DecisionState| limit.decision_fits(state);
        let together = largest(all, |steps| self.state(steps, Members::Together), fits);
        if !together.is_same(self.before) {
            return together;
        }
        // Not even one cluster fits: its incidents may be notified more than once, but none is missed.
        largest(all, |steps| self.state(steps, Members::Apart), fits)
    }

    /// The decision state after the first `steps`.
    fn state(&self, steps: usize, of_clusters: Members) -> DecisionState {
        let (before, whole) = (self.before, self.whole);
        let chosen = self.changed.iter().take(steps.saturating_sub(self.claims + 1));
        let mut chosen: BTreeSet<&str> = chosen.copied().collect();
        // Incidents and advisories that are notified together open together: the first has the notification of all.
        let advisories = whole.advisories.iter();
        let advisories =
            advisories.filter_map(|(id, advisory)| Some((id.as_str(), advisory.first.as_ref()?.as_str())));
        let members = whole.incidents.iter().filter_map(|((id, _), incident)| {
            let first = incident.cluster.as_ref()?.monitor.as_str();
            Some((id.as_str(), first))
        });
        let members = members.chain(advisories);
        for (id, first) in members.clone() {
            if chosen.contains(id) {
                chosen.insert(first);
            }
        }
        if of_clusters == Members::Together {
            for (id, first) in members {
                if chosen.contains(first) {
                    chosen.insert(id);
                }
            }
        }
        let is_chosen = |id: &str| chosen.contains(id);
        let incidents = merged(&before.incidents, &whole.incidents, |(id, _)| {
            is_chosen(id.as_str())
        });
        let clusters = self.clusters(&incidents, is_chosen);
        let mut advisories = merged(&before.advisories, &whole.advisories, |id| is_chosen(id.as_str()));
        for (id, advisory) in &before.advisories {
            if !advisories.contains_key(id) && self.input.definitions.knows(id) {
                pass_on(id, advisory, &mut advisories);
            }
        }
        let new = new_pending(&before.outbox, &whole.outbox).filter(|pending| {
            if let Some(id) = ended_cluster(before, pending) {
                // A cluster recovers when its last incident has closed.
                !clusters.contains_key(id)
            } else if pending.kind == Kind::AdvisoryOver {
                // Likewise advisories that were notified together.
                let is_about = |(id, advisory): (&MonitorId, &Advisory)| is_end_of(pending, id, advisory);
                !advisories.iter().any(is_about)
            } else {
                is_chosen(text_of(&pending.subject))
            }
        });
        let outbox = claimed(self.input, &before.outbox, steps, new);
        // The number and its notification are one change.
        let counts_more =
            new_pending(&before.outbox, &whole.outbox).find(|pending| is_unnamed(pending, whole));
        let counts_more = counts_more.is_none_or(|pending| is_chosen(text_of(&pending.subject)));
        let mut closed = before.closed.clone();
        let new = new_closed(before, whole).filter(|closed| is_chosen(closed.monitor.as_str()));
        closed.extend(new.cloned());
        DecisionState {
            revision: whole.revision,
            incidents,
            clusters,
            advisories,
            locations: if steps > self.claims { whole } else { before }.locations.clone(),
            broken: {
                let kept = before.broken.iter().filter(|id| !is_chosen(id));
                let new = whole.broken.iter().filter(|id| is_chosen(id));
                kept.chain(new).cloned().collect()
            },
            more_broken: if counts_more { whole } else { before }.more_broken,
            changes: merged(&before.changes, &whole.changes, |(id, _)| is_chosen(id.as_str())),
            outbox,
            closed,
        }
    }
}

impl Steps<'_> {
    /// The clusters of these incidents.
    fn clusters(
        &self,
        incidents: &BTreeMap<(MonitorId, Track), Incident>,
        is_chosen: impl Fn(&str) -> bool,
    ) -> BTreeMap<IncidentId, Cluster> {
        let ids = incidents
            .values()
            .filter_map(|incident| incident.cluster.as_ref());
        let clusters = ids.filter_map(|id| {
            let (old, new) = (self.before.clusters.get(id), self.whole.clusters.get(id));
            let cluster = if is_chosen(id.monitor.as_str()) {
                new.or(old)
            } else {
                old.or(new)
            };
            let cluster = cluster?;
            // Those whose end is decided already, and no others.
            let recovered = |cluster: &Cluster| cluster.recovered.clone();
            let kept = old.map(recovered).unwrap_or_default();
            let added = new.map(recovered).unwrap_or_default().into_iter();
            let added = added.filter(|monitor| is_chosen(monitor.as_str()));
            Some((
                id.clone(),
                Cluster {
                    recovered: kept.into_iter().chain(added).collect(),
                    ..cluster.clone()
                },
            ))
        });
        clusters.collect()
    }
}

/// The cluster whose end a notification is about.
fn ended_cluster<'a>(before: &'a DecisionState, pending: &Pending) -> Option<&'a IncidentId> {
    let about = pending.id.strip_suffix("/recovered")?;
    before.clusters.keys().find(|id| id.to_string() == about)
}

/// Whether a notification is about the end of an advisory.
fn is_end_of(pending: &Pending, id: &MonitorId, advisory: &Advisory) -> bool {
    let about = pending.id.strip_suffix(Kind::AdvisoryOver.as_str());
    about.and_then(|about| about.strip_suffix('/')) == Some(advisory.id(id).as_str())
}

/// The outbox before a decision with `most` claims, and then the chosen notifications of the decision, which has claimed them.
fn claimed<'a>(
    input: &Input<'_>,
    before: &Outbox,
    most: usize,
    new: impl Iterator<Item = &'a Pending>,
) -> Outbox {
    let mut outbox = before.clone();
    outbox.claim(input.me, input.stamp(), most);
    for pending in new {
        outbox.push(pending.clone());
    }
    outbox
}

/// The largest of the states before `state(all)`, which does not fit, by binary search; `state(0)` if none fits.
fn largest<R>(all: usize, state: impl Fn(usize) -> R, fits: impl Fn(&R) -> bool) -> R {
    let (mut good, mut bad) = (0, all);
    let mut best = state(good);
    while bad - good > 1 {
        let steps = good + (bad - good) / 2;
        let tried = state(steps);
        if fits(&tried) {
            (good, best) = (steps, tried);
        } else {
            bad = steps;
        }
    }
    best
}

/// The chosen entries of `whole`, and the other entries of `before`.
fn merged<K: Ord + Clone, V: Clone>(
    before: &BTreeMap<K, V>,
    whole: &BTreeMap<K, V>,
    is_chosen: impl Fn(&K) -> bool,
) -> BTreeMap<K, V> {
    let kept = before.iter().filter(|(key, _)| !is_chosen(key));
    let new = whole.iter().filter(|(key, _)| is_chosen(key));
    kept.chain(new)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn new_pending<'a>(before: &Outbox, whole: &'a Outbox) -> impl Iterator<Item = &'a Pending> + use<'a> {
    // A decision only appends to the outbox.
    whole.pending().iter().skip(before.pending().len())
}

/// Whether a notification counts the invalid definitions that the decision state does not list.
fn is_unnamed(pending: &Pending, state: &DecisionState) -> bool {
    matches!(&pending.subject, Subject::Definition(id) if !state.broken.contains(id))
}

fn new_closed<'a>(
    before: &DecisionState,
    whole: &'a DecisionState,
) -> impl Iterator<Item = &'a ClosedIncident> + use<'a> {
    whole.closed.iter().skip(before.closed.len())
}

/// The ids of all monitors and definitions that differ between the two states.
fn changed_ids<'a>(before: &'a DecisionState, whole: &'a DecisionState) -> BTreeSet<&'a str> {
    let incidents = differing(&before.incidents, &whole.incidents).map(|(id, _)| id.as_str());
    let advisories = differing(&before.advisories, &whole.advisories).map(|id| id.as_str());
    let changes = differing(&before.changes, &whole.changes).map(|(id, _)| id.as_str());
    let broken = before
        .broken
        .symmetric_difference(&whole.broken)
        .map(String::as_str);
    let pending = new_pending(&before.outbox, &whole.outbox).map(|pending| text_of(&pending.subject));
    let closed = new_closed(before, whole).map(|closed| closed.monitor.as_str());
    incidents
        .chain(advisories)
        .chain(changes)
        .chain(broken)
        .chain(pending)
        .chain(closed)
        .collect()
}

fn differing<'a, K: Ord, V: PartialEq>(
    before: &'a BTreeMap<K, V>,
    whole: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = &'a K> {
    let gone = before.keys().filter(|key| !whole.contains_key(key));
    let new = whole.iter().filter(|(key, value)| before.get(key) != Some(value));
    gone.chain(new.map(|(key, _)| key))
}

/// The order of changes: highest severity first, then the oldest. Changes without a notification come last.
fn rank(
    input: &Input<'_>,
    before: &DecisionState,
    whole: &DecisionState,
    id: &str,
) -> (bool, Option<(Severity, Timestamp)>) {
    let notified =
        new_pending(&before.outbox, &whole.outbox).filter(|pending| text_of(&pending.subject) == id);
    let loudest = notified
        .map(|pending| (severity_of(pending, input), pending.since))
        .min();
    (loudest.is_none(), loudest)
}

fn text_of(subject: &Subject) -> &str {
    match subject {
        Subject::Monitor(id) => id.as_str(),
        Subject::Location(location) => location.as_str(),
        Subject::Definition(id) => id,
        Subject::Portpulse => "portpulse",
    }
}
