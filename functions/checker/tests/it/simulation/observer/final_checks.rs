//! Invariants of the steady state and of the end of a schedule.

use std::collections::BTreeSet;

use portpulse_core::group_state::{Incident, Track};
use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;

use super::super::schedule::{FAULTY_TICKS, FaultLevel, STEADY_TICKS, Totals};
use super::{ObservedIncident, Observer, name};
use crate::rig::{ProbeResult, group_state, run as run_to_end};

impl Observer {
    /// After enough ticks with equal results in all locations and without faults, each monitor that is down has an open incident,
    /// which was notified unless a dependency is down.
    pub(in crate::simulation) fn check_steady_state(&self, sent: &[String]) {
        let is_down = |monitor: usize| {
            (0..self.location_count).all(|location| {
                self.scripted_results
                    .result(location, FAULTY_TICKS + STEADY_TICKS - 1, monitor)
                    == ProbeResult::Failing
            })
        };
        for (monitor, rule) in self.rules.iter().enumerate() {
            let key = (format!("m{monitor}").parse().unwrap(), Track::Health);
            let incident = self.status.incidents.get(&key);
            let bad = incident.is_some_and(Incident::is_bad_now);
            assert_eq!(
                is_down(monitor),
                bad,
                "m{monitor} at the end of the steady state: {:?}",
                self.status
            );
            if let Some(incident) =
                incident.filter(|_| bad && !(rule.alert_policy.depends_on_first && is_down(0)))
            {
                let prefix = format!("{}/", name(&key.0, incident));
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
        let read = group_state(&self.table).group_state;
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
            self.check_notifications(key, seen, sent, totals);
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

        totals.incidents += self.incidents.len() as u64;
        totals.closed += self.incidents.values().filter(|seen| seen.closed).count() as u64;
        totals.repeats += repeats as u64;
    }

    /// Checks the notifications of an incident: the beginning first and the end last, or none if suppressed.
    fn check_notifications(&self, key: &str, seen: &ObservedIncident, sent: &[String], totals: &mut Totals) {
        let mut kinds: Vec<&str> = Vec::new();
        for id in sent {
            let kind = id.strip_prefix(key).and_then(|rest| rest.strip_prefix('/'));
            kinds.extend(kind.filter(|kind| !kinds.contains(kind)));
        }
        let count = |pick: fn(&str) -> bool| kinds.iter().filter(|kind| pick(kind)).count() as u64;
        totals.flapped += count(|kind| kind == "flapping");
        totals.escalated += count(|kind| kind == "escalated");
        totals.reminders += count(|kind| kind.starts_with("reminder-"));
        let (alert_policy, flaps) = (
            self.rules[seen.monitor].alert_policy,
            self.rules[seen.monitor].flapping_after > 0,
        );
        let (Some(first), Some(last)) = (kinds.first(), kinds.last()) else {
            let parents = self.incidents.values().filter(|parent| parent.monitor == 0);
            let suppressed = alert_policy.suppresses(seen.decided_ms)
                || parents
                    .map(|parent| (parent.opened, parent.ended))
                    .any(|parent| alert_policy.may_suppress(seen.opened, parent));
            assert!(
                suppressed,
                "{key} was not notified, and nothing suppressed it: {alert_policy:?} {seen:?} {sent:?}"
            );
            totals.suppressed += 1;
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
                "escalated" => alert_policy.escalates,
                "flapping" | "down-for-good" => flaps,
                kind => kind.starts_with("reminder-") && alert_policy.reminds,
            };
            assert!(fits, "{key}: unexpected notification `{kind}`: {kinds:?}");
        }
    }
}
