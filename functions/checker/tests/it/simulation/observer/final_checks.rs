//! Invariants of the steady state and of the end of a schedule.

use std::collections::BTreeSet;

use portpulse_core::detection::Detection;
use portpulse_core::group_state::{Incident, Track};
use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;

use super::super::deliveries::FaultLevel;
use super::super::oracle::AlertPolicy;
use super::super::schedule::Totals;
use super::{MAX_SKEW_MS, ObservedIncident, Observer, name};
use crate::rig::{ProbeResult, group_state_of, run as run_to_end};

impl Observer {
    /// After enough ticks with equal results in all locations and without faults, each monitor that is down has an open incident,
    /// which was notified unless a dependency is down, or suppressed up to the last of these ticks.
    pub(in crate::simulation) fn check_steady_state(&self, sent: &[String]) {
        let is_down = |monitor: usize| {
            (0..self.location_count).all(|location| {
                self.scripted_results
                    .result(location, self.cadence.until_good() - 1, monitor)
                    == ProbeResult::Failing
            })
        };
        // By the slowest clock.
        let last_decision = (self.cadence.until_good() - 1) * self.cadence.ms() - MAX_SKEW_MS;
        for (monitor, rule) in self.rules.iter().enumerate() {
            let policy = rule.alert_policy;
            let is_suppressed =
                policy.suppresses(last_decision, self.cadence) || policy.depends_on_first && is_down(0);
            let key = (format!("m{monitor}").parse().unwrap(), Track::Health);
            let incident = self.status.incidents.get(&key);
            let bad = incident.is_some_and(Incident::is_bad_now);
            assert_eq!(
                is_down(monitor),
                bad,
                "m{monitor} at the end of the steady state: {:?}",
                self.status
            );
            if let Some(incident) = incident.filter(|_| bad && !is_suppressed) {
                let own = name(&key.0, incident);
                let about = incident.cluster.as_ref().map_or(own, ToString::to_string);
                let prefix = format!("{about}/");
                assert!(
                    sent.iter().any(|id| id.starts_with(&prefix)),
                    "{prefix} was not notified, although nothing suppresses it: {:?}",
                    self.status
                );
            }
        }
    }

    pub(in crate::simulation) fn check_final_state(
        &self,
        sent: &[String],
        fault_level: FaultLevel,
        totals: &mut Totals,
    ) {
        let read = group_state_of(self.cadence.group(), &self.table).group_state;
        let status = &read.decision;
        assert!(
            status.outbox.is_empty() && status.closed.is_empty(),
            "left pending: {status:?}"
        );
        assert!(
            status.incidents.is_empty() && status.advisories.is_empty(),
            "left open: {status:?}"
        );
        assert!(status.locations.is_empty(), "left with problems:  {status:?}");
        let fleet = run_to_end(Store::new(MemoryTable::from_items(self.table.snapshot())).fleet()).unwrap();
        assert!(
            fleet.outbox.is_empty() && fleet.problems.is_empty(),
            "left in the fleet state:  {fleet:?}"
        );

        let filed = self.table.snapshot().into_keys();
        let filed = filed.filter(|(pk, sk)| pk == "incidents#2026-11" && sk.ends_with("#health"));
        assert_eq!(filed.count(), self.incidents.len(), "archived incidents");

        for (key, seen) in &self.incidents {
            assert!(seen.closed, "{key} is not closed");
            if seen.notified_as == *key {
                self.check_notifications(key, seen, sent, totals);
            } else {
                let prefix = format!("{key}/");
                let own = sent.iter().find(|id| id.starts_with(&prefix));
                assert_eq!(own, None, "notified beside its cluster {}", seen.notified_as);
                assert!(
                    self.incidents.contains_key(&seen.notified_as),
                    "{key}: unknown cluster {seen:?}"
                );
                totals.add("incidents notified with others", 1);
            }
        }
        let began = sent.iter().filter(|id| id.ends_with("/advisory"));
        let unended = began
            .filter(|id| !sent.contains(&format!("{id}_over")))
            .collect::<Vec<_>>();
        assert_eq!(unended, [""; 0], "advisories notified without their end");
        let of_a_monitor = |id: &&String| id.starts_with('m') && !id.contains(".advisory/");
        let known = |id: &str| self.incidents.contains_key(id.rsplit_once('/').unwrap().0);
        let of_another_track = |id: &str| id.contains(".quality/") || id.contains(".visibility/");
        let invented = sent
            .iter()
            .filter(of_a_monitor)
            .find(|id| !known(id) && !of_another_track(id));
        assert_eq!(invented, None, "notified without an incident");
        let distinct: BTreeSet<_> = sent.iter().collect();
        let repeats = sent.len() - distinct.len();
        assert!(
            fault_level == FaultLevel::All || repeats == 0,
            "notified twice without a crash: {sent:?}"
        );

        totals.add("outages", self.incidents.len() as u64);
        totals.add(
            "recoveries",
            self.incidents.values().filter(|seen| seen.closed).count() as u64,
        );
        totals.add("repeated messages", repeats as u64);
    }

    /// Checks the promise of the detection time, without faults: an outage is decided within its maximum time, and a monitor
    /// whose failures were healed by retries has no incident. `outages` has the first failing tick of each monitor.
    pub(in crate::simulation) fn check_detection(&self, outages: &[Option<i64>], totals: &mut Totals) {
        let store = Store::new(MemoryTable::from_items(self.table.snapshot()));
        let definitions = run_to_end(store.definitions(self.cadence.group())).unwrap();
        for (monitor, outage) in outages.iter().enumerate() {
            let id = format!("m{monitor}").parse().unwrap();
            let promised = Detection::of(&definitions.monitors[&id], definitions.monitors.values());
            let mut incidents = self.incidents.values().filter(|seen| seen.monitor == monitor);
            let (first, second) = (incidents.next(), incidents.next());
            assert!(second.is_none(), "m{monitor}: {first:?} and {second:?}");
            let (Some(from), Some(incident)) = (outage, first) else {
                assert!(
                    outage.is_none() && first.is_none(),
                    "m{monitor}: {outage:?} {first:?}"
                );
                continue;
            };
            // The outage began after the last good check at the earliest.
            let took = incident.decided_ms - (from - 1) * self.cadence.ms();
            let max = if self.rules.len() == 1 {
                promised.refused.unwrap().max
            } else {
                promised.max_with_others
            };
            assert!(
                took <= i64::try_from(max.as_millis()).unwrap(),
                "m{monitor} was decided after {took} ms, and {max:?} are promised: {promised:?}"
            );
            totals.add("outages detected in time", 1);
        }
    }

    /// Checks the notifications of an incident: the beginning first and the end last, or none if suppressed.
    fn check_notifications(&self, key: &str, seen: &ObservedIncident, sent: &[String], totals: &mut Totals) {
        let mut kinds: Vec<&str> = Vec::new();
        for id in sent {
            let kind = id.strip_prefix(key).and_then(|rest| rest.strip_prefix('/'));
            kinds.extend(kind.filter(|kind| !kinds.contains(kind)));
        }
        let count = |pick: fn(&str) -> bool| kinds.iter().filter(|kind| pick(kind)).count() as u64;
        totals.add("flapping monitors", count(|kind| kind.starts_with("flapping")));
        totals.add("escalations", count(|kind| kind == "escalated"));
        totals.add("reminders", count(|kind| kind.starts_with("reminder-")));
        // The incidents of a cluster are notified by the policies of all of them.
        let members = self.incidents.values().filter(|member| member.notified_as == key);
        let rules: Vec<_> = members.map(|member| self.rules[member.monitor]).collect();
        let (alert_policy, flaps) = (
            self.rules[seen.monitor].alert_policy,
            rules.iter().any(|rule| rule.flapping_after > 0),
        );
        let any = |is: fn(&AlertPolicy) -> bool| rules.iter().any(|rule| is(&rule.alert_policy));
        let (Some(first), Some(last)) = (kinds.first(), kinds.last()) else {
            let parents = self.incidents.values().filter(|parent| parent.monitor == 0);
            let suppressed = alert_policy.suppresses(seen.decided_ms, self.cadence)
                || parents
                    .map(|parent| (parent.opened, parent.ended))
                    .any(|parent| alert_policy.may_suppress(seen.opened, parent, self.cadence));
            assert!(
                suppressed,
                "{key} was not notified, and nothing suppressed it: {alert_policy:?} {seen:?} {sent:?}"
            );
            totals.add("suppressed incidents", 1);
            return;
        };
        let begins = *first == "down" || (*first == "flapping" && flaps);
        assert!(begins, "{key}: the first notification is wrong: {kinds:?}");
        assert_eq!(
            *last, "recovered",
            "{key}: the last notification is not the end: {kinds:?}"
        );
        for kind in kinds.iter().take(kinds.len() - 1).skip(1) {
            let fits = match *kind {
                "escalated" => any(|policy| policy.escalates),
                kind if kind.starts_with("flapping") || kind.starts_with("down-for-good") => flaps,
                kind => kind.starts_with("reminder-") && any(|policy| policy.reminds),
            };
            assert!(fits, "{key}: unexpected notification `{kind}`: {kinds:?}");
        }
    }
}
