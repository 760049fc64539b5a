//! One notification for one cause: incidents with a shared cause form a cluster, which is notified once, reminded once,
//! and ends with its last incident.

use std::collections::{BTreeMap, BTreeSet};

use super::due::{Reason, follow_up, inaudible, is_acknowledged, suppression};
use super::input::Input;
use super::notification::severity;
use super::notify::{first_kind, notify};
use super::shared_cause::{SharedCause, by_tags, shared_causes};
use super::votes::Electorate;
use crate::choice::Severity;
use crate::cluster::{Cluster, MAX_CLUSTERS, fitting};
use crate::group_state::{
    Cause, ClosedIncident, DecisionState, Ending, Incident, IncidentId, Notified, Stability, Status, Track,
    Urgency,
};
use crate::id::MonitorId;
use crate::outbox::{Kind, Pending, Subject};
use crate::withheld::Withheld;

/// The key of an incident in a decision state.
type Key = (MonitorId, Track);

/// Notifies the incidents in `openings`, whose first notification is due. Those with a shared cause are one notification.
/// One that opened just now, with the cause and the onset of a notified incident, joins it without a notification.
pub(super) fn notify_openings(
    input: &Input<'_>,
    electorate: &Electorate<'_>,
    openings: Vec<Key>,
    next: &mut DecisionState,
) {
    if openings.is_empty() {
        return;
    }
    let shared = |next: &DecisionState, key: &Key| shared_causes(input, electorate, next, key);
    let mut by_cause: BTreeMap<(Kind, SharedCause), Vec<Key>> = BTreeMap::new();
    for (key, incident) in &next.incidents {
        let is_notified = incident.notified != Notified::NotYet && incident.stability == Stability::Steady;
        if is_notified {
            for cause in shared(next, key) {
                let known = by_cause.entry((first_kind(incident), cause)).or_default();
                known.push(key.clone());
            }
        }
    }
    let mut rest = Vec::new();
    for key in openings {
        let Some(incident) = next.incidents.get(&key) else {
            continue;
        };
        let (kind, is_new) = (first_kind(incident), incident.revision == next.revision);
        let causes = shared(next, &key).into_iter();
        let known = causes.filter_map(|cause| by_cause.get(&(kind, cause))).flatten();
        let leader = known
            .filter(|_| is_new)
            .find(|leader| may_join(input, next, &key, leader));
        let joined = leader.is_some_and(|leader| join(input, &leader.clone(), &key, next));
        if !joined {
            rest.push(key);
        }
    }
    for component in components(rest, |key| {
        let kind = next.incidents.get(key).map(first_kind);
        shared(next, key)
            .into_iter()
            .map(move |cause| (kind, cause))
            .collect()
    }) {
        for keys in by_tags(input, ranked(input, component, next), |(id, _)| id) {
            open(input, keys, next);
        }
    }
}

/// Whether a new incident may join the notification of another one without a notification of its own: it began to fail at
/// the same time, within one interval, in the same layer or as the reason of the other one, its subscribers were notified,
/// and reminders and escalations still follow: the other incident is neither acknowledged, nor silenced, nor in maintenance.
fn may_join(input: &Input<'_>, next: &DecisionState, key: &Key, leader: &Key) -> bool {
    let (Some(incident), Some(known)) = (next.incidents.get(key), next.incidents.get(leader)) else {
        return false;
    };
    let first = known
        .cluster
        .as_ref()
        .map_or(&leader.0, |cluster| &cluster.monitor);
    let (Some(monitor), Some(first)) = (
        input.definitions.monitors.get(&key.0),
        input.definitions.monitors.get(first),
    ) else {
        return false;
    };
    let layer = |of: &Incident| of.diagnosis.as_ref().map(|diagnosis| diagnosis.layer);
    let reason = known
        .diagnosis
        .as_ref()
        .and_then(|diagnosis| diagnosis.evidence.as_ref()?.parent.as_ref());
    let apart = incident.since.as_second().abs_diff(known.since.as_second());
    let loudness = |monitor, of: &Incident| severity(first_kind(of), of.status, Some(monitor));
    let notified = &first.alert_policy().tags;
    let tags = &monitor.alert_policy().tags;
    let own_id = known.id(&leader.0, leader.1);
    let id = known.cluster.as_ref().unwrap_or(&own_id);
    let is_followed_up = !has_acknowledged(input, next, id)
        && suppression(input, first).is_none()
        && input
            .definitions
            .monitors
            .get(&leader.0)
            .is_some_and(|of| suppression(input, of).is_none());
    is_followed_up
        && apart <= input.group.interval.seconds().unsigned_abs()
        && (layer(incident) == layer(known) || reason == Some(&key.0))
        && loudness(first, known) <= loudness(monitor, incident)
        && tags.iter().all(|tag| notified.contains(tag))
}

/// Adds an incident to the cluster of another one, or to a new cluster of both. Returns whether there was room.
fn join(input: &Input<'_>, leader: &Key, key: &Key, next: &mut DecisionState) -> bool {
    let Some(known) = next.incidents.get_mut(leader) else {
        return false;
    };
    let id = match &known.cluster {
        Some(id) => id.clone(),
        None if next.clusters.len() >= MAX_CLUSTERS => return false,
        None => {
            let id = known.id(&leader.0, leader.1);
            known.cluster = Some(id.clone());
            let cluster = Cluster {
                since: known.since,
                incidents: 1,
                recovered: BTreeSet::new(),
                notified: known.notified,
                urgency: known.urgency,
            };
            next.clusters.insert(id.clone(), cluster);
            id
        }
    };
    if let Some(cluster) = next.clusters.get_mut(&id) {
        cluster.incidents = cluster.incidents.saturating_add(1);
    }
    if let Some(incident) = next.incidents.get_mut(key) {
        become_member(incident, id, input);
    }
    true
}

fn become_member(incident: &mut Incident, cluster: IncidentId, input: &Input<'_>) {
    let now = input.stamp();
    incident.cluster = Some(cluster);
    incident.stability = Stability::Steady;
    incident.notified = Notified::At {
        first: now,
        last: now,
        reminders: 0,
    };
}

/// Incidents, the loudest, then oldest, first.
fn ranked(input: &Input<'_>, keys: Vec<Key>, next: &DecisionState) -> Vec<Key> {
    let rank = |(id, track): &Key| {
        let incident = next.incidents.get(&(id.clone(), *track))?;
        let monitor = input.definitions.monitors.get(id);
        Some((
            severity(first_kind(incident), incident.status, monitor),
            incident.since,
        ))
    };
    let mut ranked: Vec<(Option<(Severity, _)>, Key)> =
        keys.into_iter().map(|key| (rank(&key), key)).collect();
    ranked.sort();
    ranked.into_iter().map(|(_, key)| key).collect()
}

/// Notifies incidents with a shared cause once, and names the first.
fn open(input: &Input<'_>, keys: Vec<Key>, next: &mut DecisionState) {
    if keys.len() < 2 || next.clusters.len() >= MAX_CLUSTERS {
        for (id, track) in keys {
            if let Some(incident) = next.incidents.get_mut(&(id.clone(), track)) {
                let pending = notify(&id, track, incident, Reason::Opened, input.stamp());
                next.outbox.push(pending);
            }
        }
        return;
    }
    let Some(((id, track), others)) = keys.split_first() else {
        return;
    };
    let Some(first) = next.incidents.get_mut(&(id.clone(), *track)) else {
        return;
    };
    let pending = notify(id, *track, first, Reason::Opened, input.stamp());
    let name = first.id(id, *track);
    let incidents = u32::try_from(keys.len()).unwrap_or(u32::MAX);
    next.clusters.insert(
        name.clone(),
        Cluster {
            since: first.since,
            incidents,
            recovered: BTreeSet::new(),
            notified: first.notified,
            urgency: first.urgency,
        },
    );
    first.cluster = Some(name.clone());
    for key in others {
        if let Some(incident) = next.incidents.get_mut(key) {
            become_member(incident, name.clone(), input);
        }
    }
    next.outbox.push(Pending {
        monitors: incidents,
        ..pending
    });
}

/// Removes the clusters without an open incident, and notifies their recovery. The others keep the monitors that have
/// recovered. `closed_before` is the number of closed incidents before this decision.
pub(super) fn end(closed_before: usize, next: &mut DecisionState) {
    let mut closed: BTreeMap<IncidentId, Vec<&ClosedIncident>> = BTreeMap::new();
    for each in next.closed.iter().skip(closed_before) {
        // Removed monitors close without a notification.
        if let (Some(id), Ending::Recovered) = (&each.incident.cluster, each.ending) {
            closed.entry(id.clone()).or_default().push(each);
            let kept = next.clusters.values().flat_map(|cluster| &cluster.recovered);
            let recovered: Vec<_> = fitting(kept, [&each.monitor]).collect();
            if let Some(cluster) = next.clusters.get_mut(id) {
                cluster.recovered.extend(recovered);
            }
        }
    }
    let open: BTreeSet<_> = next
        .incidents
        .values()
        .filter_map(|incident| incident.cluster.clone())
        .collect();
    let ended = next.clusters.extract_if(.., |id, _| !open.contains(id));
    for (id, cluster) in ended {
        let Some(last) = closed.get(&id).and_then(|closed| closed.last()) else {
            continue;
        };
        // A monitor that failed again has an incident of its own, whose end is notified by itself.
        let is_bad = |of: &MonitorId| next.incidents.contains_key(&(of.clone(), id.track));
        let good = cluster.recovered.iter().filter(|of| !is_bad(of)).count();
        let all_are_good = good == cluster.recovered.len();
        let subject = match is_bad(&id.monitor) {
            true => &last.monitor,
            false => &id.monitor,
        };
        next.outbox.push(Pending {
            id: format!("{id}/{}", Kind::Recovered),
            kind: Kind::Recovered,
            subject: Subject::Monitor(subject.clone()),
            status: last.incident.status,
            cause: last.incident.finding.as_ref().map(|finding| finding.cause),
            urgency: cluster.urgency,
            monitors: match all_are_good {
                true => cluster.incidents,
                false => u32::try_from(good).unwrap_or(u32::MAX),
            },
            members: cluster.recovered,
            since: cluster.since.timestamp(),
            at: last.closed.timestamp(),
            claim: None,
        });
    }
}

/// Queues the due reminders and escalations of clusters.
pub(super) fn follow_up_all(input: &Input<'_>, next: &mut DecisionState) {
    let due: Vec<_> = next
        .clusters
        .keys()
        .filter_map(|id| Some((id.clone(), due(input, next, id).ok()?)))
        .collect();
    for (id, due) in due {
        if let Some(pending) = record(input, next, &id, due) {
            next.outbox.push(pending);
        }
    }
}

/// A due reminder or escalation of a cluster, with the monitor, the status and the cause of its loudest open incident that is
/// not suppressed, and the number of open incidents.
pub(super) struct Due {
    reason: Reason,
    monitor: MonitorId,
    status: Status,
    cause: Option<Cause>,
    open: usize,
}

/// The due reminder or escalation of a cluster, or why there is none. The most frequent reminder and the earliest escalation
/// of the open incidents apply.
pub(super) fn due(input: &Input<'_>, next: &DecisionState, id: &IncidentId) -> Result<Due, Withheld> {
    if has_acknowledged(input, next, id) {
        return Err(Withheld::Acknowledged);
    }
    let members = next
        .incidents
        .iter()
        .filter(|(_, incident)| incident.cluster.as_ref() == Some(id));
    let members =
        members.filter_map(|((of, _), incident)| Some((input.definitions.monitors.get(of)?, incident)));
    let (mut audible, mut withheld, mut open) = (Vec::new(), None, 0);
    for (monitor, incident) in members {
        open += 1;
        let is_flapping = matches!(incident.stability, Stability::Flapping { .. });
        let flapping = is_flapping.then_some(Withheld::Flapping);
        match flapping.or_else(|| inaudible(input, monitor, incident, next)) {
            None => audible.push((monitor, incident)),
            Some(reason) => withheld = withheld.or(Some(reason)),
        }
    }
    let policies = audible.iter().map(|(monitor, _)| monitor.alert_policy());
    let escalate_after = policies.clone().filter_map(|policy| policy.escalate_after).min();
    let remind_every = policies.filter_map(|policy| policy.remind_every).min();
    let cluster = next.clusters.get(id);
    let loudest = audible.iter().min_by_key(|(monitor, incident)| {
        let loudness = severity(first_kind(incident), incident.status, Some(monitor));
        // The monitor that the first notification named, as long as it is open.
        (loudness, *monitor.id() != id.monitor, incident.since)
    });
    let (Some((monitor, incident)), Some(cluster)) = (loudest, cluster) else {
        return Err(withheld.unwrap_or(Withheld::NoReminders));
    };
    let Notified::At { first, last, .. } = cluster.notified else {
        return Err(Withheld::NoReminders);
    };
    let may_escalate = id.track == Track::Health && cluster.urgency == Urgency::Normal;
    let escalate_after = escalate_after.filter(|_| may_escalate);
    Ok(Due {
        reason: follow_up(input, (first, escalate_after), (last, remind_every))?,
        monitor: monitor.id().clone(),
        status: incident.status,
        cause: incident.finding.as_ref().map(|finding| finding.cause),
        open,
    })
}

/// Records a reminder or an escalation in the cluster, and returns the notification.
fn record(input: &Input<'_>, next: &mut DecisionState, id: &IncidentId, due: Due) -> Option<Pending> {
    let now = input.stamp();
    let cluster = next.clusters.get_mut(id)?;
    let Notified::At { first, reminders, .. } = cluster.notified else {
        return None;
    };
    let (kind, word, reminders) = if due.reason == Reason::Escalated {
        cluster.urgency = Urgency::Escalated;
        (Kind::Escalated, Kind::Escalated.to_string(), reminders)
    } else {
        let reminders = reminders + 1;
        (
            Kind::Reminder,
            format!("{}-{reminders}", Kind::Reminder),
            reminders,
        )
    };
    cluster.notified = Notified::At {
        first,
        last: now,
        reminders,
    };
    Some(Pending {
        id: format!("{id}/{word}"),
        kind,
        subject: Subject::Monitor(due.monitor),
        status: due.status,
        cause: due.cause,
        urgency: cluster.urgency,
        monitors: u32::try_from(due.open).unwrap_or(u32::MAX),
        members: BTreeSet::new(),
        since: cluster.since.timestamp(),
        at: now,
        claim: None,
    })
}

/// Whether a cluster, an incident in it or one without a cluster is acknowledged.
fn has_acknowledged(input: &Input<'_>, next: &DecisionState, id: &IncidentId) -> bool {
    let mut members = next
        .incidents
        .iter()
        .filter(|(_, incident)| incident.cluster.as_ref() == Some(id));
    is_acknowledged(input, id)
        || members.any(|((of, track), incident)| is_acknowledged(input, &incident.id(of, *track)))
}

/// Splits items into the connected components of their shared features, in no particular order.
fn components<T, F: Ord>(items: Vec<T>, features: impl Fn(&T) -> BTreeSet<F>) -> Vec<Vec<T>> {
    let mut components: Vec<(BTreeSet<F>, Vec<T>)> = Vec::new();
    for item in items {
        let mut merged = (features(&item), Vec::new());
        let (connected, apart): (Vec<_>, Vec<_>) = components
            .into_iter()
            .partition(|(known, _)| !known.is_disjoint(&merged.0));
        for (known, members) in connected {
            merged.0.extend(known);
            merged.1.extend(members);
        }
        merged.1.push(item);
        components = apart;
        components.push(merged);
    }
    components.into_iter().map(|(_, members)| members).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_connected_by_any_feature() {
        let features = |item: &&str| item.chars().collect::<BTreeSet<_>>();
        let split = |items: &[&'static str]| components(items.to_vec(), features);
        assert_eq!(split(&[]), Vec::<Vec<&str>>::new());
        assert_eq!(split(&["a", "b"]), [["a"], ["b"]]);
        assert_eq!(split(&["a", "b", "ab"]), [["a", "b", "ab"]]);
        assert_eq!(
            split(&["ax", "b", "xy", "c", "yb"]),
            [vec!["c"], vec!["b", "ax", "xy", "yb"]]
        );
    }
}
