//! Notifications between the decision and their publishing: kept in the row that decided them, claimed by one
//! writer at a time, and taken over once a claim is stale. So none is lost, and a repeated one has the same id.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::choice::choice;
use crate::group_state::{Cause, Status, Urgency};
use crate::id::{Location, MonitorId};

/// After how long a claim is taken over: longer than any invocation lives after it claimed.
pub const CLAIM_LIFETIME: Duration = Duration::from_secs(120);

/// Who publishes: one invocation. Unique; the request id of the invocation serves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claimant(String);

impl Claimant {
    /// A claimant by a name that nobody else has.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A writer's promise to publish a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub by: Claimant,
    /// When it was made.
    pub at: Timestamp,
}

choice! {
    /// What a notification tells.
    Kind {
        /// A monitor is not as expected.
        Down = "down",
        /// A port is open that should be closed.
        Exposed = "exposed",
        /// A monitor is slow, or gives cause for a warning.
        Degraded = "degraded",
        /// A monitor's certificate is about to expire.
        CertificateExpiring = "certificate_expiring",
        /// No location can tell how a monitor is.
        Unknown = "unknown",
        /// An incident that was told is over.
        Recovered = "recovered",
        /// An incident that was told is still open.
        Reminder = "reminder",
        /// A monitor changes more often than anybody wants to hear: nothing more is told until it is stable.
        Flapping = "flapping",
        /// An incident was open for so long that it is told to those who hear of critical ones.
        Escalated = "escalated",
        /// Fewer locations than the quorum see a monitor failing.
        Advisory = "advisory",
        /// An advisory that was told is over.
        AdvisoryOver = "advisory_over",
        /// A location does not report.
        LocationSilent = "location_silent",
        /// A silent location reports again.
        LocationBack = "location_back",
        /// A location sees most of its monitors failing, alone: it is not counted.
        LocationSuspect = "location_suspect",
        /// A suspect location counts again.
        LocationTrusted = "location_trusted",
        /// A definition cannot be read: its monitor is not checked.
        BrokenDefinition = "broken_definition",
        /// Nothing: somebody wants to see whom a message reaches.
        Test = "test",
    }
}

/// Where a notification stands in the life of what it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It begins, or still is so.
    On,
    /// It has ended.
    Over,
    /// It never was: a test.
    Test,
}

impl Kind {
    /// Where it stands.
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
            | Self::BrokenDefinition => Stage::On,
            Self::Recovered | Self::AdvisoryOver | Self::LocationBack | Self::LocationTrusted => Stage::Over,
            Self::Test => Stage::Test,
        }
    }
}

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A monitor.
    Monitor(MonitorId),
    /// A location.
    Location(Location),
    /// A definition whose id may not even be one.
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

/// A notification that is not yet known to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its id: the same however often it is published.
    pub id: String,
    /// What it tells.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// The status that it tells of; for a recovery, the one that is over.
    pub status: Status,
    /// What was found.
    pub cause: Option<Cause>,
    /// How loudly it is told.
    pub urgency: Urgency,
    /// Since when it has been so.
    pub since: Timestamp,
    /// When the change happened.
    pub at: Timestamp,
    /// Who publishes it, if anybody has promised to.
    pub claim: Option<Claim>,
}

/// The notifications of one row, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox(Vec<Pending>);

impl Outbox {
    /// An outbox with these notifications, oldest first.
    pub fn new(pending: Vec<Pending>) -> Self {
        Self(pending)
    }

    /// Its notifications, oldest first.
    pub fn pending(&self) -> &[Pending] {
        &self.0
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, pending: Pending) {
        // An id stands for one change: a second decision on the same state adds nothing.
        if !self.0.iter().any(|known| known.id == pending.id) {
            self.0.push(pending);
        }
    }

    /// Claims for `me` whatever nobody has claimed, or claimed too long ago: the oldest, at most so many. Returns how
    /// many.
    ///
    /// What is about the same subject goes out in order: while somebody else still holds an earlier one,
    /// a later one waits.
    pub(crate) fn claim(&mut self, me: &Claimant, now: Timestamp, most: usize) -> usize {
        let (mut held_by_others, mut claims) = (BTreeSet::new(), 0);
        for pending in &mut self.0 {
            if claims == most {
                break;
            }
            if held_by_others.contains(&pending.subject) {
                continue;
            }
            match &pending.claim {
                Some(claim) if claim.by == *me => {}
                Some(claim) if !is_stale(claim, now) => {
                    held_by_others.insert(pending.subject.clone());
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

    /// The time of the oldest claim that another claimant than `me` holds and that is not stale yet.
    pub fn oldest_claim_of_others(&self, me: &Claimant, now: Timestamp) -> Option<Timestamp> {
        let claims = self.0.iter().filter_map(|pending| pending.claim.as_ref());
        let live = claims.filter(|claim| claim.by != *me && !is_stale(claim, now));
        live.map(|claim| claim.at).min()
    }

    /// What `me` has promised to publish.
    pub fn claimed_by(&self, me: &Claimant) -> impl Iterator<Item = &Pending> {
        self.0
            .iter()
            .filter(move |pending| pending.claim.as_ref().is_some_and(|claim| claim.by == *me))
    }

    /// Strikes out what `me` has published, and gives back what it could not.
    pub(crate) fn acknowledge_published(&mut self, me: &Claimant, published: &BTreeSet<String>) {
        self.0.retain(|pending| !published.contains(&pending.id));
        for pending in &mut self.0 {
            pending.claim.take_if(|claim| claim.by == *me);
        }
    }
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
            urgency: Urgency::Usual,
            since: at(0),
            at: at(0),
            claim: None,
        }
    }

    /// The ids that `who` holds after claiming at `second`.
    fn claimed(outbox: &mut Outbox, who: &str, second: i64) -> Vec<String> {
        let me = Claimant::new(who);
        outbox.claim(&me, at(second), usize::MAX);
        outbox.claimed_by(&me).map(|pending| pending.id.clone()).collect()
    }

    #[test]
    fn a_claim_is_respected_until_it_is_stale() {
        let mut outbox = Outbox::new(vec![pending("1", "a")]);
        assert_eq!(claimed(&mut outbox, "first", 0), ["1"]);
        assert_eq!(claimed(&mut outbox, "second", 119), [""; 0]);
        assert_eq!(claimed(&mut outbox, "second", 120), ["1"]);
    }

    #[test]
    fn a_recovery_waits_for_the_outage_that_another_still_holds() {
        let mut outbox = Outbox::new(vec![pending("down", "a")]);
        claimed(&mut outbox, "first", 0);
        outbox.push(pending("recovered", "a"));
        outbox.push(pending("other", "b"));
        assert_eq!(claimed(&mut outbox, "second", 60), ["other"]);
        assert_eq!(claimed(&mut outbox, "third", 120), ["down", "recovered"]);
    }

    #[test]
    fn settling_strikes_out_the_published_and_frees_the_rest() {
        let mut outbox = Outbox::new(vec![pending("1", "a"), pending("2", "b")]);
        claimed(&mut outbox, "first", 0);
        outbox.acknowledge_published(&Claimant::new("first"), &BTreeSet::from(["1".to_owned()]));
        assert_eq!(claimed(&mut outbox, "second", 1), ["2"]);
    }

    #[test]
    fn an_id_is_kept_once() {
        let mut outbox = Outbox::new(vec![pending("1", "a")]);
        outbox.push(pending("1", "a"));
        assert_eq!(outbox.pending().len(), 1);
    }
}
