//! The ledger: what each destination has heard of each incident, so that it hears nothing twice, and the end last.
//!
//! One item tells what a destination has heard of an incident, and who is telling it more. Whoever has something to
//! tell claims the item first, by a write on condition that nobody has written it since it was read. Of two who claim
//! at once DynamoDB refuses one, and shows it in the refusal what the other wrote: it waits. So one call at a time tells
//! a destination of an incident, and knows all that was told before: the end waits for a beginning that is under way,
//! and a beginning whose end was told is told no more.
//!
//! The note that something was told gives the claim back, and so does whoever could not tell it. A relay that was killed
//! does neither; its claim ends with the time that it had, which is before Lambda tries again whoever waited for it: a
//! minute after that one has failed. Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
//!
//! This is left. A post that was taken and whose answer did not come in time is posted again, and so is one between
//! which and its note there was a crash, or a table that failed. Where nothing is known of an incident, since the table
//! fails, all of it is told, in whatever order it comes. Clocks that differ by more than [`LEEWAY`] let a claim be taken
//! over that is still in use. And it is the destination's affair what it makes of a request that it has accepted, or
//! whose connection the relay has given up: it may get to that after the end.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Claimant;
use portpulse_store::VERSION;
use portpulse_store::keys::{EXPIRES_AT, Key, PK, SK, relayed};
use portpulse_store::table::{Condition, Item, LAYOUT, Operation, Put, REVISION, Read, Table, TableError};
use tokio::time::{Instant, timeout_at};

use crate::alert_key::place;
use crate::config::DestinationName;
use crate::entry::{Claim, Entry, Next, Standing};

/// How long an entry is kept. SNS tries to deliver for 23 days, and what lies in a dead-letter queue may be sent again
/// within 14 more. Source: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>
const KEPT: Duration = Duration::from_secs(60 * 86_400);
/// How long a claim outlives the call that made it: the clocks of two machines differ, and what was posted at the last
/// moment is taken a moment later.
const LEEWAY: Duration = Duration::from_secs(5);
/// How long a note may take beyond the call's time: what was posted at the last moment is noted all the same.
const NOTING: Duration = Duration::from_secs(1);

const TOLD: &str = "notified";
const CLAIMED_BY: &str = "claimed_by";
const CLAIMED_UNTIL: &str = "claimed_until";

/// An item is there and tells nothing that this version knows.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be read (update the relay, or delete the item to start afresh)")]
struct Unreadable;

/// What the ledger has of one destination, for one call of the relay.
pub(crate) struct Ledger<'a, T> {
    table: &'a T,
    destination: &'a DestinationName,
    mine: Claim,
    /// When the last note ends.
    ends: Instant,
}

/// Whether a destination has heard a notification, by the ledger in `table`.
///
/// # Errors
/// When the table or the item cannot be read.
pub async fn has_heard<T: Table>(
    table: &T,
    destination: &DestinationName,
    id: &str,
) -> Result<bool, TableError> {
    let (incident, part) = place(id);
    let entry = read(table, &relayed(destination.as_str(), &incident)).await?;
    Ok(entry.notified.contains(&part))
}

impl<'a, T: Table> Ledger<'a, T> {
    /// For a call by `claimant` that ends at `deadline`.
    pub(crate) fn new(
        table: &'a T,
        destination: &'a DestinationName,
        claimant: Claimant,
        deadline: Instant,
    ) -> Self {
        let lasts = deadline.saturating_duration_since(Instant::now()) + LEEWAY;
        let mine = Claim {
            by: claimant,
            until: Timestamp::now().checked_add(lasts).unwrap_or(Timestamp::MAX),
        };
        Self {
            table,
            destination,
            mine,
            ends: deadline + NOTING,
        }
    }

    /// Claims an incident if there is anything to tell of it; and what is to become of each of these notifications.
    pub(crate) async fn claim(
        &self,
        incident: &str,
        notifications: &[&Notification],
    ) -> Result<(Entry, Vec<Standing>), TableError> {
        let now = Timestamp::now();
        let claimed = |entry: &Entry| entry.claimed(notifications, &self.mine, now);
        self.change(incident, None, claimed).await
    }

    /// Notes what was told of an incident; `entry` is what was there last, if that is known. It takes no longer than
    /// [`NOTING`] beyond the call's time.
    pub(crate) async fn note(
        &self,
        incident: &str,
        entry: Option<Entry>,
        ids: &[String],
        next: Next,
    ) -> Result<Entry, TableError> {
        let parts: Vec<_> = ids.iter().map(|id| place(id).1).collect();
        let noted = |entry: &Entry| (entry.noted(&parts, &self.mine, next), ());
        let changed = timeout_at(self.ends, self.change(incident, entry, noted)).await;
        let (entry, ()) = changed.map_err(|elapsed| TableError {
            operation: Operation::Put,
            key: relayed(self.destination.as_str(), incident).to_string(),
            source: Box::new(elapsed),
        })??;
        Ok(entry)
    }

    /// Whether this call has the incident for itself.
    pub(crate) fn holds(&self, entry: &Entry) -> bool {
        entry.claim.as_ref().is_some_and(|claim| claim.by == self.mine.by)
    }

    /// Puts in place what `decide` makes of an entry, anew whenever another writer was faster.
    async fn change<R>(
        &self,
        incident: &str,
        entry: Option<Entry>,
        decide: impl Fn(&Entry) -> (Entry, R),
    ) -> Result<(Entry, R), TableError> {
        let key = relayed(self.destination.as_str(), incident);
        let mut entry = match entry {
            Some(entry) => entry,
            None => read(self.table, &key).await?,
        };
        loop {
            let (mut next, result) = decide(&entry);
            if next == entry {
                return Ok((entry, result));
            }
            next.revision += 1;
            let item = encode(&key, &next, Timestamp::now());
            match self.table.put(item, Condition::Revision(entry.revision)).await? {
                Put::Done => return Ok((next, result)),
                Put::Refused { current } => entry = decode(&key, current.as_ref())?,
            }
        }
    }
}

/// What an item tells. A read that missed the latest write would cost a refused one, and another round.
async fn read<T: Table>(table: &T, key: &Key) -> Result<Entry, TableError> {
    let item = table.get(&key.pk, &key.sk, Read::Strong).await?;
    decode(key, item.as_ref())
}

fn encode(key: &Key, entry: &Entry, now: Timestamp) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let kept = i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX);
    let expires_at = now.as_second().saturating_add(kept);
    let notified = entry.notified.iter().map(|part| text(part)).collect();
    let mut item = Item::from([
        (PK.to_owned(), text(&key.pk)),
        (SK.to_owned(), text(&key.sk)),
        (LAYOUT.to_owned(), AttributeValue::N(VERSION.to_string())),
        (REVISION.to_owned(), AttributeValue::N(entry.revision.to_string())),
        (TOLD.to_owned(), AttributeValue::L(notified)),
        (EXPIRES_AT.to_owned(), AttributeValue::N(expires_at.to_string())),
    ]);
    if let Some(Claim { by, until }) = &entry.claim {
        item.insert(CLAIMED_BY.to_owned(), text(by.as_str()));
        item.insert(CLAIMED_UNTIL.to_owned(), text(&until.to_string()));
    }
    item
}

fn decode(key: &Key, item: Option<&Item>) -> Result<Entry, TableError> {
    let Some(item) = item else {
        return Ok(Entry::default());
    };
    decoded(item).ok_or_else(|| TableError {
        operation: Operation::Get,
        key: key.to_string(),
        source: Box::new(Unreadable),
    })
}

fn decoded(item: &Item) -> Option<Entry> {
    let number = |name| item.get(name)?.as_n().ok()?.parse::<u64>().ok();
    let text = |name| item.get(name).and_then(|value| value.as_s().ok());
    if number(LAYOUT) != Some(u64::from(VERSION)) {
        return None;
    }
    let notified = item.get(TOLD)?.as_l().ok()?.iter();
    let claim = match (text(CLAIMED_BY), text(CLAIMED_UNTIL)) {
        (Some(by), Some(until)) => Some(Claim {
            by: Claimant::new(by),
            until: until.parse().ok()?,
        }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return None,
    };
    Some(Entry {
        revision: number(REVISION)?,
        notified: notified
            .map(|part| part.as_s().ok().cloned())
            .collect::<Option<_>>()?,
        claim,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::MAX_NOTIFIED;
    use portpulse_store::size;
    use portpulse_testkit::sizes::{Largest, assert_documented};

    #[test]
    fn an_entry_fits_at_its_largest() {
        // As long as the ids of notifications are kept as they are.
        let foreign = |number: usize| place(&format!("{0}/{number:0>255}", "x".repeat(255)));
        let (incident, _) = foreign(0);
        let entry = Entry {
            revision: u64::MAX,
            notified: (0..MAX_NOTIFIED).map(|number| foreign(number).1).collect(),
            claim: Some(Claim {
                by: Claimant::new("00000000-0000-0000-0000-000000000000"),
                until: Timestamp::from_nanosecond(1_795_498_867_123_456_789).unwrap(),
            }),
        };
        assert_eq!(entry.notified[0].len(), 255);
        let key = relayed(&"x".repeat(32), &incident);
        let item = encode(&key, &entry, Timestamp::UNIX_EPOCH);
        assert_eq!(decoded(&item), Some(entry));
        let bytes = size::item(&item);
        assert!(bytes <= size::MAX_BYTES, "{bytes}");
        assert_documented(&[Largest {
            kind: "relay's ledger",
            bytes,
            limit: 400 * 1024,
            parts: 1,
        }]);
    }
}
