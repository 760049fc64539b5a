//! Fitting a decision into its row: what does not fit at once is decided step by step, the loudest and oldest first.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Input;
use super::notification::severity_of;
use crate::choice::Severity;
use crate::group_state::{ClosedIncident, DecisionState, Finding, FleetState, Incident};
use crate::id::Location;
use crate::outbox::{Outbox, Pending, Subject};

/// How large rows may become.
///
/// What may wait in a row at its largest is for whoever stores it to say: the decision only asks whether a row fits.
pub trait SizeLimit {
    /// Whether a decision row fits into its item.
    fn decision_fits(&self, row: &DecisionState) -> bool;
    /// Whether a fleet row fits into its item.
    fn fits_fleet(&self, row: &FleetState) -> bool;
}

/// Rows of any size fit.
#[derive(Debug, Clone, Copy)]
pub struct Unlimited;

impl SizeLimit for Unlimited {
    fn decision_fits(&self, _: &DecisionState) -> bool {
        true
    }

    fn fits_fleet(&self, _: &FleetState) -> bool {
        true
    }
}

/// What a decision leaves to be decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rest {
    /// Nothing: everything is decided.
    #[default]
    Nothing,
    /// What does not fit beside what waits to be published and filed. Publish and file it, and decide again.
    More,
}

/// The row to write for the decision `whole`, and what it leaves. A row that would not change is absent.
pub(super) fn status(
    input: &Input<'_>,
    whole: DecisionState,
    limit: &impl SizeLimit,
) -> (Option<DecisionState>, Rest) {
    let before = &input.group_state.status;
    let changed = |row: DecisionState| (!row.is_same(before)).then_some(row);
    if limit.decision_fits(&whole) {
        return (changed(whole), Rest::Nothing);
    }
    // The details of what is found stand in the rows of the locations as well.
    let (whole, plain) = (without_details(whole), without_details(before.clone()));
    if whole.is_same(&plain) || limit.decision_fits(&whole) {
        return (changed(whole), Rest::Nothing);
    }
    let steps = Steps::new(input, &plain, &whole);
    (changed(steps.largest(limit)), Rest::More)
}

/// The fleet row to write for the decision `whole`, and what it leaves. Where `whole` does not fit: first the claims, then
/// the changes, location by location, those that make the row smaller first; as many as fit.
pub(super) fn fleet(
    input: &Input<'_>,
    before: &FleetState,
    whole: FleetState,
    limit: &impl SizeLimit,
) -> (FleetState, Rest) {
    if limit.fits_fleet(&whole) {
        return (whole, Rest::Nothing);
    }
    let claims = before.outbox.clone().claim(input.me, input.stamp(), usize::MAX);
    let notes = |row: &FleetState, location: &Location| -> usize {
        let problems = row.problems.iter().filter(|((of, _), _)| of == location);
        problems.map(|(_, problem)| problem.groups.len()).sum()
    };
    let changed: BTreeSet<_> = differing(&before.problems, &whole.problems)
        .map(|(location, _)| location)
        .collect();
    let mut changed: Vec<_> = changed.into_iter().collect();
    changed.sort_by_key(|location| notes(&whole, location) > notes(before, location));
    let row = |steps: usize| {
        let chosen: BTreeSet<_> = changed.iter().take(steps.saturating_sub(claims)).collect();
        let mut pending = before.outbox.pending().to_vec();
        // A decision only adds to what waits.
        let new = whole.outbox.pending().iter().skip(pending.len());
        let new = new.filter(|pending| match &pending.subject {
            Subject::Location(location) => chosen.contains(&location),
            Subject::Monitor(_) | Subject::Definition(_) | Subject::Portpulse => false,
        });
        pending.extend(new.map(|pending| Pending {
            claim: None,
            ..pending.clone()
        }));
        let mut outbox = Outbox::new(pending);
        let claims = if steps < claims { steps } else { usize::MAX };
        outbox.claim(input.me, input.stamp(), claims);
        FleetState {
            revision: whole.revision,
            problems: mixed(&before.problems, &whole.problems, |(location, _)| {
                chosen.contains(&location)
            }),
            outbox,
        }
    };
    let fits = |row: &FleetState| limit.fits_fleet(row);
    (largest(claims + changed.len(), row, fits), Rest::More)
}

fn without_details(row: DecisionState) -> DecisionState {
    let plain = |finding: Finding| Finding {
        detail: None,
        ..finding
    };
    let incidents = row.incidents.into_iter().map(|(key, incident)| {
        let finding = incident.finding.map(plain);
        (key, Incident { finding, ..incident })
    });
    DecisionState {
        incidents: incidents.collect(),
        ..row
    }
}

/// A decision as steps, each of which can be made without those after it: first whatever waits is claimed, then comes
/// the state of the locations, then what has changed, monitor by monitor.
struct Steps<'a> {
    input: &'a Input<'a>,
    before: &'a DecisionState,
    whole: &'a DecisionState,
    /// How many notifications can be claimed of those that wait already.
    claims: usize,
    /// The ids of monitors and definitions that changed.
    changed: Vec<&'a str>,
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

    /// The row after as many steps as fit.
    fn largest(&self, limit: &impl SizeLimit) -> DecisionState {
        let all = self.claims + 1 + self.changed.len();
        largest(all, |steps| self.row(steps), |row| limit.decision_fits(row))
    }

    /// The row after the first `steps`.
    fn row(&self, steps: usize) -> DecisionState {
        let (before, whole) = (self.before, self.whole);
        let chosen = self.changed.iter().take(steps.saturating_sub(self.claims + 1));
        let chosen: BTreeSet<&str> = chosen.copied().collect();
        let is_chosen = |id: &str| chosen.contains(id);
        let mut pending = before.outbox.pending().to_vec();
        let new = new_pending(before, whole).filter(|pending| is_chosen(text_of(&pending.subject)));
        pending.extend(new.map(|pending| Pending {
            claim: None,
            ..pending.clone()
        }));
        let mut outbox = Outbox::new(pending);
        let most = if steps < self.claims { steps } else { usize::MAX };
        outbox.claim(self.input.me, self.input.stamp(), most);
        // The number goes together with its notification.
        let counts_more = new_pending(before, whole).find(|pending| is_unnamed(pending, whole));
        let counts_more = counts_more.is_none_or(|pending| is_chosen(text_of(&pending.subject)));
        let mut closed = before.closed.clone();
        let new = new_closed(before, whole).filter(|closed| is_chosen(closed.monitor.as_str()));
        closed.extend(new.cloned());
        DecisionState {
            revision: whole.revision,
            incidents: mixed(&before.incidents, &whole.incidents, |(id, _)| {
                is_chosen(id.as_str())
            }),
            advisories: mixed(&before.advisories, &whole.advisories, |id| is_chosen(id.as_str())),
            locations: if steps > self.claims { whole } else { before }.locations.clone(),
            broken: {
                let kept = before.broken.iter().filter(|id| !is_chosen(id));
                let new = whole.broken.iter().filter(|id| is_chosen(id));
                kept.chain(new).cloned().collect()
            },
            more_broken: if counts_more { whole } else { before }.more_broken,
            changes: mixed(&before.changes, &whole.changes, |(id, _)| is_chosen(id.as_str())),
            outbox,
            closed,
        }
    }
}

/// The largest of the rows of 0 to `most` steps that fits, found by halving; that of no step, if none does.
fn largest<R>(most: usize, row: impl Fn(usize) -> R, fits: impl Fn(&R) -> bool) -> R {
    let (mut good, mut bad) = (0, most + 1);
    let mut best = row(good);
    while bad - good > 1 {
        let steps = good + (bad - good) / 2;
        let tried = row(steps);
        if fits(&tried) {
            (good, best) = (steps, tried);
        } else {
            bad = steps;
        }
    }
    best
}

/// What is chosen as it is in `whole`, and the rest as it was before.
fn mixed<K: Ord + Clone, V: Clone>(
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

fn new_pending<'a>(
    before: &DecisionState,
    whole: &'a DecisionState,
) -> impl Iterator<Item = &'a Pending> + use<'a> {
    // A decision only adds to what waits.
    whole.outbox.pending().iter().skip(before.outbox.pending().len())
}

/// Whether a notification is of the broken definitions that the row does not name.
fn is_unnamed(pending: &Pending, row: &DecisionState) -> bool {
    matches!(&pending.subject, Subject::Definition(id) if !row.broken.contains(id))
}

fn new_closed<'a>(
    before: &DecisionState,
    whole: &'a DecisionState,
) -> impl Iterator<Item = &'a ClosedIncident> + use<'a> {
    whole.closed.iter().skip(before.closed.len())
}

/// The ids of all monitors and definitions of which anything differs.
fn changed_ids<'a>(before: &'a DecisionState, whole: &'a DecisionState) -> BTreeSet<&'a str> {
    let incidents = differing(&before.incidents, &whole.incidents).map(|(id, _)| id.as_str());
    let advisories = differing(&before.advisories, &whole.advisories).map(|id| id.as_str());
    let changes = differing(&before.changes, &whole.changes).map(|(id, _)| id.as_str());
    let broken = before
        .broken
        .symmetric_difference(&whole.broken)
        .map(String::as_str);
    let pending = new_pending(before, whole).map(|pending| text_of(&pending.subject));
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

/// What makes one change go before another: the loudest, then the oldest; what is not told comes last.
fn rank(
    input: &Input<'_>,
    before: &DecisionState,
    whole: &DecisionState,
    id: &str,
) -> (bool, Option<(Severity, Timestamp)>) {
    let notified = new_pending(before, whole).filter(|pending| text_of(&pending.subject) == id);
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
