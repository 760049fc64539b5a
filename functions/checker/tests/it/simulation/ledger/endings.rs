//! What must hold when a schedule has come to rest, and when it ends.

use std::collections::BTreeSet;

use portpulse_core::group_state::{Incident, Track};
use portpulse_store::Store;
use portpulse_testkit::memory_table::MemoryTable;

use super::super::schedule::{STILL, STORM, Totals, Weather};
use super::{Ledger, Seen, name};
use crate::rig::{Visibility, group_state, run as finish};

impl Ledger {
    /// After enough ticks in which all locations agree and nothing fails, whatever is down has an incident open, and
    /// that has been told, unless an outage in front of it explains it.
    pub(in crate::simulation) fn hold_while_still(&self, sent: &[String]) {
        let is_down = |monitor: usize| {
            (0..self.location_count).all(|location| {
                self.world.visibility(location, STORM + STILL - 1, monitor) == Visibility::Failing
            })
        };
        for (monitor, rule) in self.rules.iter().enumerate() {
            let key = (format!("m{monitor}").parse().unwrap(), Track::Health);
            let incident = self.status.incidents.get(&key);
            let bad = incident.is_some_and(Incident::is_bad_now);
            assert_eq!(
                is_down(monitor),
                bad,
                "m{monitor} at the end of the calm: {:?}",
                self.status
            );
            if let Some(incident) = incident.filter(|_| bad && !(rule.alert_policy.behind && is_down(0))) {
                let transcript = format!("{}/", name(&key.0, incident));
                assert!(
                    sent.iter().any(|id| id.starts_with(&transcript)),
                    "{transcript} was not told, though nothing holds it back any more: {:?}",
                    self.status
                );
            }
        }
    }

    pub(in crate::simulation) fn hold_at_the_end(
        &self,
        sent: &[String],
        weather: Weather,
        totals: &mut Totals,
    ) {
        let read = group_state(&self.table).group_state;
        let status = &read.status;
        assert!(
            status.outbox.is_empty() && status.closed.is_empty(),
            "left pending: {status:?}"
        );
        assert!(
            status.incidents.is_empty() && status.advisories.is_empty(),
            "left open: {status:?}"
        );
        assert!(status.locations.is_empty(), "left in trouble: {status:?}");
        let fleet = finish(Store::new(MemoryTable::from_items(self.table.snapshot())).fleet()).unwrap();
        assert!(
            fleet.outbox.is_empty() && fleet.problems.is_empty(),
            "left in the fleet: {fleet:?}"
        );

        let filed = self.table.snapshot().into_keys();
        let filed = filed.filter(|(pk, sk)| pk == "incidents#2026-11" && sk.ends_with("#health"));
        assert_eq!(filed.count(), self.incidents.len(), "filed, of all incidents");

        for (key, seen) in &self.incidents {
            assert!(seen.closed, "{key} is not closed");
            self.hold_story(key, seen, sent, totals);
        }
        let began = sent.iter().filter(|id| id.ends_with("/advisory"));
        let unended = began
            .filter(|id| !sent.contains(&format!("{id}_over")))
            .collect::<Vec<_>>();
        assert_eq!(
            unended, [""; 0],
            "advisories that were told, and whose end was not"
        );
        let of_a_monitor = |id: &&String| id.starts_with('m') && !id.contains(".advisory/");
        let known = |id: &str| self.incidents.contains_key(id.rsplit_once('/').unwrap().0);
        let of_another_track = |id: &str| id.contains(".quality/") || id.contains(".visibility/");
        let invented = sent
            .iter()
            .filter(of_a_monitor)
            .find(|id| !known(id) && !of_another_track(id));
        assert_eq!(invented, None, "told without cause");
        let distinct: BTreeSet<_> = sent.iter().collect();
        let repeats = sent.len() - distinct.len();
        assert!(
            weather == Weather::Stormy || repeats == 0,
            "told twice without a crash: {sent:?}"
        );

        totals.incidents += self.incidents.len() as u64;
        totals.closed += self.incidents.values().filter(|seen| seen.closed).count() as u64;
        totals.repeats += repeats as u64;
    }

    /// What was told of an incident: its beginning first and its end last, or nothing at all if it was held back.
    fn hold_story(&self, key: &str, seen: &Seen, sent: &[String], totals: &mut Totals) {
        let mut banners: Vec<&str> = Vec::new();
        for id in sent {
            let word = id.strip_prefix(key).and_then(|rest| rest.strip_prefix('/'));
            banners.extend(word.filter(|word| !banners.contains(word)));
        }
        let count = |pick: fn(&str) -> bool| banners.iter().filter(|word| pick(word)).count() as u64;
        totals.flapped += count(|word| word == "flapping");
        totals.escalated += count(|word| word == "escalated");
        totals.reminders += count(|word| word.starts_with("reminder-"));
        let (alert_policy, flaps) = (
            self.rules[seen.monitor].alert_policy,
            self.rules[seen.monitor].flapping_after > 0,
        );
        let (Some(first), Some(last)) = (banners.first(), banners.last()) else {
            let gates = self.incidents.values().filter(|gate| gate.monitor == 0);
            let held = alert_policy.holds(seen.decided_ms)
                || gates
                    .map(|gate| (gate.opened, gate.ended))
                    .any(|gate| alert_policy.may_hide(seen.opened, gate));
            assert!(
                held,
                "{key} was never told, and nothing held it back: {alert_policy:?} {seen:?} {sent:?}"
            );
            totals.held += 1;
            return;
        };
        let begins = *first == "down" || (*first == "flapping" && flaps);
        assert!(begins, "{key} does not begin with its beginning: {banners:?}");
        assert_eq!(
            *last, "recovered",
            "the end of {key} was not told, or not last: {banners:?}"
        );
        for word in banners.iter().take(banners.len() - 1).skip(1) {
            let fits = match *word {
                "escalated" => alert_policy.escalates,
                "flapping" | "down-for-good" => flaps,
                word => word.starts_with("reminder-") && alert_policy.reminds,
            };
            assert!(fits, "`{word}` does not belong to {key}: {banners:?}");
        }
    }
}
