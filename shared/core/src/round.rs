//! One tick of a location: computes the next location state from the previous one and the observations.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::assess::{Assessment, Quality, assess_seen, quality};
use crate::choice::Expect;
use crate::definition::{Diagnostic, Monitor};
use crate::group_state::{Cause, Entry, Finding, Health, Impairment, LocationState, Streak, Streaks};
use crate::id::{Location, MonitorId};
use crate::observation::{Observation, Seen, milliseconds};
use crate::outcome::{Detail, Phase};
use crate::time::Tick;

/// The definitions of one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    /// The valid, enabled monitors.
    pub monitors: BTreeMap<MonitorId, Monitor>,
    /// The invalid definitions by [`broken_id`], with their diagnostics.
    pub broken: BTreeMap<String, Vec<Diagnostic>>,
}

/// The maximum length of an invalid definition's id in bytes, as of a monitor id.
pub const MAX_BROKEN_ID_BYTES: usize = 64;

/// The id of an invalid definition: its sort key. A sort key longer than [`MAX_BROKEN_ID_BYTES`] is shortened and ends with
/// `~` and 64 bits of its SHA-256, so that the id is stable and distinct.
pub fn broken_id(sort_key: &str) -> String {
    if sort_key.len() <= MAX_BROKEN_ID_BYTES {
        return sort_key.to_owned();
    }
    let digest = Sha256::digest(sort_key.as_bytes());
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let end = sort_key.floor_char_boundary(MAX_BROKEN_ID_BYTES - hash.len() - 1);
    format!("{}~{hash}", sort_key.get(..end).unwrap_or_default())
}

impl Definitions {
    /// The monitors that `location` checks.
    pub fn checked_by<'a>(&'a self, location: &'a Location) -> impl Iterator<Item = &'a Monitor> {
        self.monitors
            .values()
            .filter(|monitor| monitor.rule().locations.includes(location))
    }

    /// Excludes the agents of the group from monitors that name no locations, so that a new agent changes no quorum.
    pub fn exclude_agents(&mut self, agents: &BTreeSet<Location>) {
        if agents.is_empty() {
            return;
        }
        for monitor in self.monitors.values_mut() {
            monitor.exclude_agents(agents);
        }
    }

    /// Whether the monitor is still defined, validly or not.
    pub fn knows(&self, id: &MonitorId) -> bool {
        self.monitors.contains_key(id) || self.broken.contains_key(id.as_str())
    }
}

/// The observations of a location in one tick, by monitor.
pub type Observations = BTreeMap<MonitorId, Observation>;

/// The location state that follows `previous`, or `None` if `tick` was already counted.
///
/// `has_incident` returns whether a monitor has an open incident. While it has, its entry is kept even if all checks
/// are good, so that closing depends on counted checks.
pub fn advance(
    previous: Option<&LocationState>,
    tick: Tick,
    definitions: &Definitions,
    seen: &Observations,
    has_incident: impl Fn(&MonitorId) -> bool,
) -> Option<LocationState> {
    if previous.is_some_and(|state| state.tick >= tick) {
        return None;
    }
    let mut entries = BTreeMap::new();
    for (id, observation) in seen {
        let Some(monitor) = definitions.monitors.get(id) else {
            continue;
        };
        let before = previous.map(|state| (state.tick, state.entries.get(id)));
        let entry = next_entry(before, tick, monitor, observation, has_incident(id));
        entries.extend(entry.map(|entry| (id.clone(), entry)));
    }
    // A monitor with an invalid definition keeps its entry.
    for (id, entry) in previous.iter().flat_map(|state| &state.entries) {
        if definitions.broken.contains_key(id.as_str()) {
            entries.insert(id.clone(), entry.clone());
        }
    }
    Some(LocationState { tick, entries })
}

fn next_entry(
    before: Option<(Tick, Option<&Entry>)>,
    tick: Tick,
    monitor: &Monitor,
    observation: &Observation,
    has_incident: bool,
) -> Option<Entry> {
    let rule = monitor.rule();
    let health = match assess_seen(rule.expect, observation.seen) {
        Assessment::Good => Health::Good,
        Assessment::Failing => Health::Failing,
        Assessment::NoData => return Some(without_data(before, tick)),
    };
    let streaks = match before {
        Some((_, Some(Entry::Seen(streaks)))) => Some(streaks),
        Some((_, Some(Entry::NoData { .. }) | None)) | None => None,
    };
    let health = lengthened(streaks.map(|streaks| streaks.health), health, tick);
    let found = match (health.state, quality(rule, observation.seen)) {
        // A failing check carries no information on the quality of good checks.
        (Health::Failing, _) | (Health::Good, None) => None,
        (Health::Good, Some(Quality::Sound)) => Some(Impairment::Sound),
        (
            Health::Good,
            Some(Quality::SlowConnect | Quality::SlowResponse | Quality::Warned | Quality::Expiring),
        ) => Some(Impairment::Impaired),
    };
    let known = streaks.and_then(|streaks| streaks.quality);
    let quality_streak = match found {
        Some(found) => Some(lengthened(known, found, tick)),
        None => known,
    };
    let impaired = quality_streak.is_some_and(|streak| streak.state == Impairment::Impaired);
    if health.state == Health::Good && !impaired && !has_incident {
        return None;
    }
    let finding = finding(monitor, observation, health.state)
        .or_else(|| streaks.and_then(|streaks| streaks.finding.clone()));
    Some(Entry::Seen(Streaks {
        seen: tick,
        health,
        quality: quality_streak,
        finding,
        point: observation.point.filter(|_| health.state == Health::Failing),
    }))
}

/// A check without data neither ends nor extends a streak, and does not update `seen`.
fn without_data(before: Option<(Tick, Option<&Entry>)>, tick: Tick) -> Entry {
    match before {
        Some((_, Some(entry))) => entry.clone(),
        // Nominal until the last tick. Earlier ticks were not counted.
        Some((last, None)) => Entry::Seen(Streaks {
            seen: last,
            health: Streak {
                state: Health::Good,
                ticks: 0,
                since: last,
            },
            quality: None,
            finding: None,
            point: None,
        }),
        None => Entry::NoData { since: tick },
    }
}

fn lengthened<S: PartialEq + Copy>(streak: Option<Streak<S>>, state: S, tick: Tick) -> Streak<S> {
    match streak {
        Some(streak) if streak.state == state => Streak {
            ticks: streak.ticks.saturating_add(1),
            ..streak
        },
        Some(_) | None => Streak {
            state,
            ticks: 1,
            since: tick,
        },
    }
}

fn finding(monitor: &Monitor, observation: &Observation, health: Health) -> Option<Finding> {
    let rule = monitor.rule();
    let cause = match (health, observation.seen) {
        (Health::Failing, Seen::Failed(_) | Seen::Open { .. }) if rule.expect == Expect::Closed => {
            Cause::Open
        }
        (Health::Failing, Seen::Failed(class)) => Cause::Failed(class),
        (Health::Failing, Seen::Open { .. } | Seen::NoData(_)) => Cause::Open,
        (Health::Good, seen) => match quality(rule, seen)? {
            Quality::Sound => return None,
            Quality::SlowConnect => Cause::Slow,
            Quality::SlowResponse => Cause::SlowResponse,
            Quality::Warned => Cause::Warned,
            Quality::Expiring => Cause::Certificate,
        },
    };
    let detail = match cause {
        Cause::Slow if observation.detail.is_none() => connect_text(observation.seen),
        // The banner says nothing about the time.
        Cause::SlowResponse => response_text(observation.seen),
        Cause::Slow | Cause::Failed(_) | Cause::Open | Cause::Warned | Cause::Certificate | Cause::NoData => {
            observation.detail.clone()
        }
    };
    Some(Finding { cause, detail })
}

/// `connect took 812.5 ms`.
fn connect_text(seen: Seen) -> Option<Detail> {
    let Seen::Open { connect, .. } = seen else {
        return None;
    };
    Detail::new(&format!("connect took {} ms", milliseconds(connect)))
}

/// `1250 ms: dns 1 ms, connect 20 ms, ready 1229 ms`.
fn response_text(seen: Seen) -> Option<Detail> {
    let Seen::Open { connect, others, .. } = seen else {
        return None;
    };
    let mut phases: Vec<_> = others
        .each()
        .into_iter()
        .filter_map(|(phase, time)| Some((phase, (*time)?)))
        .chain([(Phase::Connect, connect)])
        .collect();
    phases.sort_unstable();
    let parts = phases
        .iter()
        .map(|(phase, time)| format!("{} {} ms", phase.as_str(), milliseconds(*time)));
    let total = milliseconds(seen.response_time()?);
    Detail::new(&format!("{total} ms: {}", parts.collect::<Vec<_>>().join(", ")))
}
