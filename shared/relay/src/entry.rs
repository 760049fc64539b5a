//! What one destination has heard of one incident, and who may tell it more: decided here, carried out by the ledger.

use jiff::Timestamp;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Claimant;

use crate::alert_key::{end_of, place};

/// The most that is remembered of an incident: its latest news, the end among them.
pub(crate) const MAX_NOTIFIED: usize = 100;

/// What a destination has heard of an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// How often it was written; 0 where it never was.
    pub(crate) revision: u64,
    /// What was told, in that order: `down`, `reminder-1`, `recovered`.
    pub(crate) notified: Vec<String>,
    /// Who is telling more.
    pub(crate) claim: Option<Claim>,
}

/// Who alone may tell a destination of an incident, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) by: Claimant,
    /// When it is over, even if nobody says so: whoever made it has ended by then.
    pub(crate) until: Timestamp,
}

/// What is to become of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is to be told.
    New,
    /// It was told.
    Known,
    /// It was told that this is over: a pager would open it anew, and nobody would close it.
    /// Source: <https://developer.pagerduty.com/docs/events-api-v2/overview/>
    Overtaken,
    /// Another call is telling something of the incident, or this one is about to tell its end: after that it will be
    /// known what becomes of this.
    Waits,
}

/// What follows on what is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// More of the same incident.
    More,
    /// Nothing: others may tell of the incident.
    Nothing,
}

impl Entry {
    /// What is to become of notifications of this incident, in their order; and the entry that makes room for those
    /// that are to be told, which has to be in place before they are.
    pub(crate) fn claimed(
        &self,
        notifications: &[&Notification],
        mine: &Claim,
        now: Timestamp,
    ) -> (Self, Vec<Standing>) {
        let others = self.claim.as_ref().filter(|claim| claim.by != mine.by);
        let is_held = others.is_some_and(|claim| now < claim.until);
        // What this call is about to tell of it.
        let mut coming = Vec::new();
        let standing = |notification: &&Notification| {
            let (_, part) = place(&notification.id);
            let end = end_of(notification).map(|end| end.to_string());
            let is_over_in = |parts: &[String]| end.as_ref().is_some_and(|end| parts.contains(end));
            if self.notified.contains(&part) || coming.contains(&part) {
                Standing::Known
            } else if is_over_in(&self.notified) {
                Standing::Overtaken
            } else if is_held || is_over_in(&coming) {
                Standing::Waits
            } else {
                coming.push(part);
                Standing::New
            }
        };
        let standings: Vec<_> = notifications.iter().map(standing).collect();
        let mut next = self.clone();
        if standings.contains(&Standing::New) {
            next.claim = Some(mine.clone());
        }
        (next, standings)
    }

    /// The entry once this was told.
    pub(crate) fn noted(&self, parts: &[String], mine: &Claim, next: Next) -> Self {
        let mut noted = self.clone();
        let new = parts.iter().filter(|part| !self.notified.contains(part));
        noted.notified.extend(new.cloned());
        let forgotten = noted.notified.len().saturating_sub(MAX_NOTIFIED);
        noted.notified.drain(..forgotten);
        if next == Next::Nothing {
            noted.claim.take_if(|claim| claim.by == mine.by);
        }
        noted
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

    fn entry(notified: &str, claim: Option<Claim>) -> Entry {
        Entry {
            revision: 1,
            notified: notified.split_whitespace().map(str::to_owned).collect(),
            claim,
        }
    }

    /// What the kind before the number, if any, is of one incident of a monitor or a location.
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
    fn what_becomes_of_a_notification() {
        let others = |until| Some(claim("other", until));
        for (notified, held, asked, expected) in [
            ("", None, "down", "New"),
            ("down", None, "down recovered", "Known New"),
            ("down", None, "reminder-1 escalated", "New New"),
            // The end is the last word, whoever is telling something.
            (
                "recovered",
                None,
                "down reminder-1 escalated",
                "Overtaken Overtaken Overtaken",
            ),
            (
                "down recovered",
                others(10),
                "down degraded recovered",
                "Known Overtaken Known",
            ),
            ("location_back", None, "location_silent", "Overtaken"),
            ("location_trusted", None, "location_suspect", "Overtaken"),
            ("location_back", None, "location_suspect", "New"),
            ("advisory_over", None, "advisory down", "Overtaken New"),
            ("recovered", None, "advisory", "New"),
            ("recovered", None, "test", "New"),
            // Somebody else is at it, until the claim is over.
            ("", others(10), "down recovered", "Waits Waits"),
            ("down", others(10), "down recovered", "Known Waits"),
            ("", others(9), "down recovered", "New New"),
            ("", Some(claim("me", 10)), "down", "New"),
            // In one call each knows those before it.
            ("", None, "recovered down", "New Waits"),
            ("", None, "down down recovered recovered", "New Known New Known"),
        ] {
            let before = entry(notified, held);
            let asked: Vec<_> = asked.split(' ').map(notification).collect();
            let asked: Vec<_> = asked.iter().collect();
            let mine = claim("me", 99);
            let (after, standings) = before.claimed(&asked, &mine, at(9));
            let said: Vec<_> = standings.iter().map(|each| format!("{each:?}")).collect();
            assert_eq!(said.join(" "), expected, "{before:?}");
            let claimed = if expected.contains("New") {
                Some(mine)
            } else {
                before.claim.clone()
            };
            assert_eq!(
                after,
                Entry {
                    claim: claimed,
                    ..before
                }
            );
        }
    }

    #[test]
    fn a_note_gives_back_what_is_its_own() {
        let mine = claim("me", 99);
        let parts = ["down".to_owned()];
        for (held, next, left) in [
            (Some(claim("me", 99)), Next::Nothing, None),
            (Some(claim("me", 99)), Next::More, Some(claim("me", 99))),
            (Some(claim("other", 99)), Next::Nothing, Some(claim("other", 99))),
        ] {
            let noted = entry("advisory", held).noted(&parts, &mine, next);
            assert_eq!(noted, entry("advisory down", left));
            assert_eq!(noted.noted(&parts, &mine, Next::More), noted);
        }
    }

    #[test]
    fn of_a_long_incident_the_latest_is_remembered() {
        let parts: Vec<_> = (0..150).map(|number| format!("reminder-{number}")).collect();
        let noted = Entry::default().noted(&parts, &claim("me", 99), Next::Nothing);
        assert_eq!(noted.notified, parts[50..]);
    }
}
