//! The outbox: notifications between the decision and their publication. The decision state holds them; one writer at a
//! time claims and publishes them, and another takes over a stale claim. No notification is lost, and a repeated one
//! has the same id.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::choice::choice;
use crate::finding::Cause;
use crate::id::{Location, MonitorId};
use crate::incident::{Status, Urgency};

/// The age at which a claim is stale: longer than any invocation runs after its claim.
pub const CLAIM_LIFETIME: Duration = Duration::from_secs(120);

/// The publisher: one invocation, identified by its unique request id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claimant(String);

impl Claimant {
    /// Creates a claimant with a unique name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The claim of a writer that is about to publish a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The claimant.
    pub by: Claimant,
    /// The time of the claim.
    pub at: Timestamp,
}

choice! {
    /// The kind of a notification.
    Kind {
        /// A monitor is not as expected.
        Down = "down",
        /// A port is open and should be closed.
        Exposed = "exposed",
        /// A monitor is slow or reports a warning.
        Degraded = "degraded",
        /// A monitor's certificate is about to expire.
        CertificateExpiring = "certificate_expiring",
        /// No location has data on a monitor.
        Unknown = "unknown",
        /// A notified incident has ended.
        Recovered = "recovered",
        /// A notified incident is still open.
        Reminder = "reminder",
        /// A monitor changes too often: notifications pause until it is stable.
        Flapping = "flapping",
        /// An incident is not acknowledged `escalate_after` after its first notification: it is now critical.
        Escalated = "escalated",
        /// Fewer locations than the quorum see a monitor failing.
        Advisory = "advisory",
        /// A notified advisory has ended.
        AdvisoryOver = "advisory_over",
        /// A location does not report.
        LocationSilent = "location_silent",
        /// A silent location reports again.
        LocationBack = "location_back",
        /// A location alone sees most of its monitors failing: its votes do not count.
        LocationSuspect = "location_suspect",
        /// The votes of a suspect location count again.
        LocationTrusted = "location_trusted",
        /// A location cannot read the table in the home region.
        HomeUnreachable = "home_unreachable",
        /// The table in the home region can be read again.
        HomeReachable = "home_reachable",
        /// A definition is invalid: its monitor is not checked.
        BrokenDefinition = "broken_definition",
        /// A test of the delivery.
        Test = "test",
    }
}

/// The stage of a notified condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The condition begins or continues.
    Active,
    /// The condition has ended.
    Ended,
    /// No condition: a test.
    Test,
}

impl Kind {
    /// The stage of the condition.
    pub const fn stage(self) -> Stage {
        match self {
            Self::Down
            | Self::Exposed
            | Self::Degraded
            | Self::CertificateExpiring
            | Self::Unknown
            | Self::Reminder
            | Self::Flapping
            | Self::Escalated
            | Self::Advisory
            | Self::LocationSilent
            | Self::LocationSuspect
            | Self::HomeUnreachable
            | Self::BrokenDefinition => Stage::Active,
            Self::Recovered
            | Self::AdvisoryOver
            | Self::LocationBack
            | Self::LocationTrusted
            | Self::HomeReachable => Stage::Ended,
            Self::Test => Stage::Test,
        }
    }
}

/// The subject of a notification.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A monitor.
    Monitor(MonitorId),
    /// A location.
    Location(Location),
    /// A definition, by its id as written, which may be invalid.
    Definition(String),
    /// Portpulse itself.
    Portpulse,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Monitor(id) => write!(f, "{id}"),
            Self::Location(location) => write!(f, "{location}"),
            Self::Definition(id) => f.write_str(id),
            Self::Portpulse => f.write_str("portpulse"),
        }
    }
}

/// A notification that is not confirmed as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The id, identical for repeated publications of the same notification.
    pub id: String,
    /// The kind.
    pub kind: Kind,
    /// The subject.
    pub subject: Subject,
    /// The status; for a recovery, the status that has ended.
    pub status: Status,
    /// The cause.
    pub cause: Option<Cause>,
    /// The urgency.
    pub urgency: Urgency,
    /// The number of monitors; more than one if they have a common cause.
    pub monitors: u32,
    /// At the end of a notification of several monitors: those that have ended before, whose subscribers are notified too.
    pub members: BTreeSet<MonitorId>,
    /// The start of the condition.
    pub since: Timestamp,
    /// The time of the change.
    pub at: Timestamp,
    /// The claim of the publisher, if any.
    pub claim: Option<Claim>,
}

/// The pending notifications of one stored state, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox(Vec<Pending>);

impl Outbox {
    /// Creates an outbox with these notifications, oldest first.
    pub fn new(pending: Vec<Pending>) -> Self {
        Self(pending)
    }

    /// The pending notifications, oldest first.
    pub fn pending(&self) -> &[Pending] {
        &self.0
    }

    /// Whether no notification is pending.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, pending: Pending) {
        // An id identifies one change: a repeated decision adds nothing.
        if !self.0.iter().any(|known| known.id == pending.id) {
            self.0.push(pending);
        }
    }

    /// Claims up to `most` of the oldest notifications that have no claim or a stale one. Returns the number of new
    /// claims.
    ///
    /// Notifications are published in order as [`Held`] describes: a later one waits while another claimant holds an
    /// earlier one.
    pub(crate) fn claim(&mut self, me: &Claimant, now: Timestamp, most: usize) -> usize {
        let (mut held_by_others, mut claims) = (Held::default(), 0);
        for pending in &mut self.0 {
            if claims == most {
                break;
            }
            if held_by_others.holds(&pending.id, &pending.subject) {
                held_by_others.hold(&pending.id, &pending.subject);
                continue;
            }
            match &pending.claim {
                Some(claim) if claim.by == *me => {}
                Some(claim) if !is_stale(claim, now) => {
                    held_by_others.hold(&pending.id, &pending.subject);
                }
                Some(_) | None => {
                    pending.claim = Some(Claim {
                        by: me.clone(),
                        at: now,
                    });
                    claims += 1;
                }
            }
        }
        claims
    }

    /// The time of the oldest current claim of another claimant than `me`.
    pub fn oldest_claim_of_others(&self, me: &Claimant, now: Timestamp) -> Option<Timestamp> {
        let claims = self.0.iter().filter_map(|pending| pending.claim.as_ref());
        let current = claims.filter(|claim| claim.by != *me && !is_stale(claim, now));
        current.map(|claim| claim.at).min()
    }

    /// The notifications that `me` has claimed.
    pub fn claimed_by(&self, me: &Claimant) -> impl Iterator<Item = &Pending> {
        self.0
            .iter()
            .filter(move |pending| pending.claim.as_ref().is_some_and(|claim| claim.by == *me))
    }

    /// Removes the published notifications, and releases the other claims of `me`.
    pub(crate) fn acknowledge_published(&mut self, me: &Claimant, published: &BTreeSet<String>) {
        self.0.retain(|pending| !published.contains(&pending.id));
        for pending in &mut self.0 {
            pending.claim.take_if(|claim| claim.by == *me);
        }
    }
}

/// The order of publication: notifications that are held, and those that wait for them. The notifications about one subject
/// are published in order, and those of one incident, because the incidents of a cluster share an id and have subjects of
/// their own.
#[derive(Debug, Default)]
pub struct Held {
    subjects: BTreeSet<Subject>,
    incidents: BTreeSet<String>,
}

impl Held {
    /// Holds a notification: later ones about its subject or of its incident wait.
    pub fn hold(&mut self, id: &str, subject: &Subject) {
        self.subjects.insert(subject.clone());
        self.incidents.insert(incident_of(id).to_owned());
    }

    /// Whether a notification must wait, and is to be held too.
    pub fn holds(&self, id: &str, subject: &Subject) -> bool {
        self.subjects.contains(subject) || self.incidents.contains(incident_of(id))
    }
}

/// The incident, the advisory or the location problem in the id of a notification.
fn incident_of(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(incident, _)| incident)
}

fn is_stale(claim: &Claim, now: Timestamp) -> bool {
    Duration::try_from(now.duration_since(claim.at)).is_ok_and(|age| age >= CLAIM_LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pending(id: &str, subject: &str) -> Pending {
        Pending {
            id: id.to_owned(),
            kind: Kind::Down,
            subject: Subject::Monitor(subject.parse().unwrap()),
            status: Status::Down,
            cause: None,
            urgency: Urgency::Normal,
            monitors: 1,
            members: BTreeSet::new(),
            since: at(0),
            at: at(0),
            claim: None,
        }
    }

    /// The ids that the claimant `who` holds after claiming at `second`.
    fn claimed(outbox: &mut Outbox, who: &str, second: i64) -> Vec<String> {
        let me = Claimant::new(who);
        outbox.claim(&me, at(second), usize::MAX);
        outbox.claimed_by(&me).map(|pending| pending.id.clone()).collect()
    }

    #[test]
    fn claim_is_exclusive_until_stale() {
        let mut outbox = Outbox::new(vec![pending("1", "a")]);
        assert_eq!(claimed(&mut outbox, "first", 0), ["1"]);
        assert_eq!(claimed(&mut outbox, "second", 119), [""; 0]);
        assert_eq!(claimed(&mut outbox, "second", 120), ["1"]);
    }

    #[test]
    fn recovery_waits_for_claimed_outage_of_same_subject() {
        let mut outbox = Outbox::new(vec![pending("down", "a")]);
        claimed(&mut outbox, "first", 0);
        outbox.push(pending("recovered", "a"));
        outbox.push(pending("other", "b"));
        assert_eq!(claimed(&mut outbox, "second", 60), ["other"]);
        assert_eq!(claimed(&mut outbox, "third", 120), ["down", "recovered"]);
    }

    #[test]
    fn notifications_of_cluster_are_claimed_in_order() {
        let mut outbox = Outbox::new(vec![pending("a@1/down", "a")]);
        claimed(&mut outbox, "first", 0);
        for (id, subject) in [
            ("a@1/flapping-b", "b"),
            ("b@2/down", "b"),
            ("b@2/flapping-c", "c"),
            ("d@1/down", "d"),
        ] {
            outbox.push(pending(id, subject));
        }
        assert_eq!(claimed(&mut outbox, "second", 60), ["d@1/down"]);
        let (rest, all) = (["a@1/down", "a@1/flapping-b", "b@2/down", "b@2/flapping-c"], 120);
        assert_eq!(claimed(&mut outbox, "third", all), rest);
    }

    #[test]
    fn acknowledging_removes_published_and_releases_the_rest() {
        let mut outbox = Outbox::new(vec![pending("1", "a"), pending("2", "b")]);
        claimed(&mut outbox, "first", 0);
        outbox.acknowledge_published(&Claimant::new("first"), &BTreeSet::from(["1".to_owned()]));
        assert_eq!(claimed(&mut outbox, "second", 1), ["2"]);
    }

    #[test]
    fn claimant_claims_what_follows_its_own_claim() {
        let mut outbox = Outbox::new(vec![pending("down", "a")]);
        claimed(&mut outbox, "me", 0);
        outbox.push(pending("recovered", "a"));
        assert_eq!(claimed(&mut outbox, "me", 1), ["down", "recovered"]);
    }

    #[test]
    fn claims_are_at_most_those_asked_for() {
        let me = Claimant::new("me");
        let mut outbox = Outbox::new(vec![pending("1", "a"), pending("2", "b"), pending("3", "c")]);
        assert_eq!(outbox.claim(&me, at(0), 2), 2);
        assert_eq!(outbox.claimed_by(&me).count(), 2);
        assert_eq!(outbox.claim(&me, at(0), 2), 1);
    }

    #[test]
    fn oldest_claim_of_others_is_current() {
        let mut outbox = Outbox::new(vec![pending("1", "a"), pending("2", "b"), pending("3", "c")]);
        for (who, second) in [("mine", 10), ("later", 30), ("first", 20)] {
            outbox.claim(&Claimant::new(who), at(second), 1);
        }
        for (who, second, expected) in [
            ("mine", 40, Some(20)),
            ("first", 40, Some(10)),
            ("mine", 140, Some(30)),
            ("mine", 150, None),
        ] {
            let found = outbox.oldest_claim_of_others(&Claimant::new(who), at(second));
            assert_eq!(found, expected.map(at), "of {who} at {second}");
        }
        assert_eq!(Claimant::new("mine").as_str(), "mine");
    }

    #[test]
    fn push_ignores_duplicate_id() {
        let mut outbox = Outbox::new(vec![pending("1", "a")]);
        outbox.push(pending("1", "a"));
        assert_eq!(outbox.pending().len(), 1);
    }
}
