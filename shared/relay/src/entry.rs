//! The ledger entry of one destination and incident: deliveries and claim. Pure; the ledger reads and writes entries.

use jiff::Timestamp;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Claimant;

use crate::incident_id::{end_kind, split_id};

/// The maximum number of deliveries in an entry: the latest are stored, with the end of the incident.
pub(crate) const MAX_NOTIFIED: usize = 100;

/// The deliveries of an incident to a destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LedgerEntry {
    /// The number of writes; 0 if the item does not exist.
    pub(crate) revision: u64,
    /// The delivered notifications, in order: `down`, `reminder-1`, `recovered`.
    pub(crate) notified: Vec<String>,
    /// The claim of the call that is sending more notifications.
    pub(crate) claim: Option<Claim>,
}

/// The exclusive right to send a destination notifications about an incident, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) by: Claimant,
    /// The expiry: the call that claimed has ended by then, even if it never released the claim.
    pub(crate) until: Timestamp,
}

/// What to do with a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryAction {
    /// Send the notification.
    Send,
    /// Skip the notification: it was delivered before.
    Duplicate,
    /// Skip the notification: the end of its incident was delivered. A pager would open a new alert that never closes.
    /// Source: <https://developer.pagerduty.com/docs/events-api-v2/overview/>
    Superseded,
    /// Wait: another call is sending notifications of the incident, or this call is about to send its end.
    Defer,
}

/// What to do with the claim after a delivery is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimAction {
    /// Keep the claim: more notifications of the incident follow.
    Keep,
    /// Release the claim: other calls may send notifications of the incident.
    Release,
}

impl LedgerEntry {
    /// Decides what to do with notifications of this incident. Returns the next entry, which claims the incident if
    /// anything is to be sent and must be written before sending, and the actions in the order of the notifications.
    pub(crate) fn with_claims(
        &self,
        notifications: &[&Notification],
        mine: &Claim,
        now: Timestamp,
    ) -> (Self, Vec<DeliveryAction>) {
        let others = self.claim.as_ref().filter(|claim| claim.by != mine.by);
        let is_held = others.is_some_and(|claim| now < claim.until);
        // The notifications that this call is about to send.
        let mut coming = Vec::new();
        let action = |notification: &&Notification| {
            let (_, part) = split_id(&notification.id);
            let end = end_kind(notification).map(|end| end.to_string());
            let is_over_in = |parts: &[String]| end.as_ref().is_some_and(|end| parts.contains(end));
            if self.notified.contains(&part) || coming.contains(&part) {
                DeliveryAction::Duplicate
            } else if is_over_in(&self.notified) {
                DeliveryAction::Superseded
            } else if is_held || is_over_in(&coming) {
                DeliveryAction::Defer
            } else {
                coming.push(part);
                DeliveryAction::Send
            }
        };
        let actions: Vec<_> = notifications.iter().map(action).collect();
        let mut next = self.clone();
        if actions.contains(&DeliveryAction::Send) {
            next.claim = Some(mine.clone());
        }
        (next, actions)
    }

    /// The entry after these parts were delivered.
    pub(crate) fn with_delivered(&self, parts: &[String], mine: &Claim, next: ClaimAction) -> Self {
        let mut entry = self.clone();
        let new = parts.iter().filter(|part| !self.notified.contains(part));
        entry.notified.extend(new.cloned());
        let excess = entry.notified.len().saturating_sub(MAX_NOTIFIED);
        entry.notified.drain(..excess);
        if next == ClaimAction::Release {
            entry.claim.take_if(|claim| claim.by == mine.by);
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_core::outbox::{Kind, Subject};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn claim(by: &str, until: i64) -> Claim {
        Claim {
            by: Claimant::new(by),
            until: at(until),
        }
    }

    fn entry(notified: &str, claim: Option<Claim>) -> LedgerEntry {
        LedgerEntry {
            revision: 1,
            notified: notified.split_whitespace().map(str::to_owned).collect(),
            claim,
        }
    }

    /// A notification of the kind before the number, if any, about one incident of a monitor or a location.
    fn notification(part: &str) -> Notification {
        let kind: Kind = part.split('-').next().unwrap().parse().unwrap();
        let location = part.starts_with("location_");
        Notification {
            id: format!("it/{part}"),
            kind,
            subject: if location {
                Subject::Location("eu-west-1".parse().unwrap())
            } else {
                Subject::Monitor("it".parse().unwrap())
            },
            ..Notification::test(None, at(0))
        }
    }

    #[test]
    fn action_depends_on_deliveries_and_claim() {
        let others = |until| Some(claim("other", until));
        for (notified, held, asked, expected) in [
            ("", None, "down", "Send"),
            ("down", None, "down recovered", "Duplicate Send"),
            ("down", None, "reminder-1 escalated", "Send Send"),
            // Nothing is sent after the end, even if another call holds the claim.
            (
                "recovered",
                None,
                "down reminder-1 escalated",
                "Superseded Superseded Superseded",
            ),
            (
                "down recovered",
                others(10),
                "down degraded recovered",
                "Duplicate Superseded Duplicate",
            ),
            ("location_back", None, "location_silent", "Superseded"),
            ("location_trusted", None, "location_suspect", "Superseded"),
            ("location_back", None, "location_suspect", "Send"),
            ("advisory_over", None, "advisory down", "Superseded Send"),
            ("recovered", None, "advisory", "Send"),
            ("recovered", None, "test", "Send"),
            // Another call holds the claim until it expires.
            ("", others(10), "down recovered", "Defer Defer"),
            ("down", others(10), "down recovered", "Duplicate Defer"),
            ("", others(9), "down recovered", "Send Send"),
            ("", Some(claim("me", 10)), "down", "Send"),
            // Within one call, earlier notifications count.
            ("", None, "recovered down", "Send Defer"),
            (
                "",
                None,
                "down down recovered recovered",
                "Send Duplicate Send Duplicate",
            ),
        ] {
            let before = entry(notified, held);
            let asked: Vec<_> = asked.split(' ').map(notification).collect();
            let asked: Vec<_> = asked.iter().collect();
            let mine = claim("me", 99);
            let (after, actions) = before.with_claims(&asked, &mine, at(9));
            let shown: Vec<_> = actions.iter().map(|each| format!("{each:?}")).collect();
            assert_eq!(shown.join(" "), expected, "{before:?}");
            let with_claims = if expected.contains("Send") {
                Some(mine)
            } else {
                before.claim.clone()
            };
            assert_eq!(
                after,
                LedgerEntry {
                    claim: with_claims,
                    ..before
                }
            );
        }
    }

    #[test]
    fn recording_releases_only_own_claim() {
        let mine = claim("me", 99);
        let parts = ["down".to_owned()];
        for (held, next, left) in [
            (Some(claim("me", 99)), ClaimAction::Release, None),
            (Some(claim("me", 99)), ClaimAction::Keep, Some(claim("me", 99))),
            (
                Some(claim("other", 99)),
                ClaimAction::Release,
                Some(claim("other", 99)),
            ),
        ] {
            let with_delivered = entry("advisory", held).with_delivered(&parts, &mine, next);
            assert_eq!(with_delivered, entry("advisory down", left));
            assert_eq!(
                with_delivered.with_delivered(&parts, &mine, ClaimAction::Keep),
                with_delivered
            );
        }
    }

    #[test]
    fn long_incident_stores_latest_deliveries() {
        let parts: Vec<_> = (0..150).map(|number| format!("reminder-{number}")).collect();
        let with_delivered =
            LedgerEntry::default().with_delivered(&parts, &claim("me", 99), ClaimAction::Release);
        assert_eq!(with_delivered.notified, parts[50..]);
    }
}
