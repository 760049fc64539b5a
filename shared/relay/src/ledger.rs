//! The ledger: records which notifications each destination has received, so that none is sent twice and the end of an
//! incident is sent last.
//!
//! There is one item for each destination and incident. It lists the notifications that were delivered, and the claim of
//! the call that is sending more. A call claims the item before it sends, with a write on condition that the revision is
//! unchanged. If two calls claim at once, DynamoDB refuses one of them and returns the current item; that call waits. So
//! only one call at a time sends to a destination about an incident, and the call knows everything that was delivered
//! before: the end waits for a start that is being sent, and a start is not sent after its end.
//!
//! Recording a delivery releases the claim, and so does a failed delivery. A relay that was killed does neither. Its claim
//! expires with the time that the call had, which is before Lambda retries a call that waited: the first retry is one
//! minute after the failure. Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
//!
//! Known limits:
//! - A post is repeated if its answer did not arrive in time, if the relay crashed before it recorded the delivery, or if
//!   the table failed.
//! - While the table fails, the ledger is unknown: all notifications are sent, in the order in which they arrive.
//! - If clocks differ by more than [`CLAIM_MARGIN`], a claim that is still in use may be taken over.
//! - A destination may process an accepted or abandoned request late, even after the end of the incident.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use portpulse_core::decide::Notification;
use portpulse_core::outbox::Claimant;
use portpulse_store::VERSION;
use portpulse_store::keys::{EXPIRES_AT, Key, PK, SK, relayed};
use portpulse_store::table::{Condition, Item, LAYOUT, Operation, Put, REVISION, Read, Table, TableError};
use tokio::time::{Instant, timeout_at};

use crate::config::DestinationName;
use crate::entry::{Claim, ClaimAction, DeliveryAction, LedgerEntry};
use crate::incident_id::split_id;

/// How long an entry is stored. SNS retries deliveries for 23 days, and a message in a dead-letter queue may be sent again
/// within 14 more. Source: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>
const RETENTION: Duration = Duration::from_secs(60 * 86_400);
/// How long a claim outlives its call: clocks of two machines differ, and a post sent just before the deadline is
/// accepted after it.
const CLAIM_MARGIN: Duration = Duration::from_secs(5);
/// How long recording a delivery may take beyond the deadline of the call.
const RECORD_TIMEOUT: Duration = Duration::from_secs(1);

const NOTIFIED: &str = "notified";
const CLAIMED_BY: &str = "claimed_by";
const CLAIMED_UNTIL: &str = "claimed_until";

/// The layout of an item is unknown to this version.
#[derive(Debug, thiserror::Error)]
#[error("the item has an unknown layout (update the relay, or delete the item)")]
struct Unreadable;

/// The ledger of one destination, for one call of the relay.
pub(crate) struct Ledger<'a, T> {
    table: &'a T,
    destination: &'a DestinationName,
    mine: Claim,
    /// The deadline for recording deliveries.
    record_deadline: Instant,
}

/// Whether the ledger in `table` records that the notification was delivered to the destination.
///
/// # Errors
/// If the table or the item cannot be read.
pub async fn is_delivered<T: Table>(
    table: &T,
    destination: &DestinationName,
    id: &str,
) -> Result<bool, TableError> {
    let (incident, part) = split_id(id);
    let entry = read(table, &relayed(destination.as_str(), &incident)).await?;
    Ok(entry.notified.contains(&part))
}

impl<'a, T: Table> Ledger<'a, T> {
    /// The ledger for a call by `claimant` that ends at `deadline`.
    pub(crate) fn new(
        table: &'a T,
        destination: &'a DestinationName,
        claimant: Claimant,
        deadline: Instant,
    ) -> Self {
        let lasts = deadline.saturating_duration_since(Instant::now()) + CLAIM_MARGIN;
        let mine = Claim {
            by: claimant,
            until: Timestamp::now().checked_add(lasts).unwrap_or(Timestamp::MAX),
        };
        Self {
            table,
            destination,
            mine,
            record_deadline: deadline + RECORD_TIMEOUT,
        }
    }

    /// Claims the incident if any of the notifications must be sent. Returns the entry and the action for each
    /// notification.
    pub(crate) async fn claim(
        &self,
        incident: &str,
        notifications: &[&Notification],
    ) -> Result<(LedgerEntry, Vec<DeliveryAction>), TableError> {
        let now = Timestamp::now();
        let with_claims = |entry: &LedgerEntry| entry.with_claims(notifications, &self.mine, now);
        self.change(incident, None, with_claims).await
    }

    /// Records delivered notifications of an incident; `entry` is the last known entry, if any. Takes at most
    /// [`RECORD_TIMEOUT`] beyond the deadline of the call.
    pub(crate) async fn record(
        &self,
        incident: &str,
        entry: Option<LedgerEntry>,
        ids: &[String],
        next: ClaimAction,
    ) -> Result<LedgerEntry, TableError> {
        let parts: Vec<_> = ids.iter().map(|id| split_id(id).1).collect();
        let with_delivered = |entry: &LedgerEntry| (entry.with_delivered(&parts, &self.mine, next), ());
        let changed = timeout_at(self.record_deadline, self.change(incident, entry, with_delivered)).await;
        let (entry, ()) = changed.map_err(|elapsed| TableError {
            operation: Operation::Put,
            key: relayed(self.destination.as_str(), incident).to_string(),
            source: Box::new(elapsed),
        })??;
        Ok(entry)
    }

    /// Writes the entry that `decide` returns; reads and decides again after a conflict.
    async fn change<R>(
        &self,
        incident: &str,
        entry: Option<LedgerEntry>,
        decide: impl Fn(&LedgerEntry) -> (LedgerEntry, R),
    ) -> Result<(LedgerEntry, R), TableError> {
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

/// Reads an entry. The read is strongly consistent: a stale entry would cost a refused write and another read.
async fn read<T: Table>(table: &T, key: &Key) -> Result<LedgerEntry, TableError> {
    let item = table.get(&key.pk, &key.sk, Read::Strong).await?;
    decode(key, item.as_ref())
}

fn encode(key: &Key, entry: &LedgerEntry, now: Timestamp) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let seconds = i64::try_from(RETENTION.as_secs()).unwrap_or(i64::MAX);
    let expires_at = now.as_second().saturating_add(seconds);
    let notified = entry.notified.iter().map(|part| text(part)).collect();
    let mut item = Item::from([
        (PK.to_owned(), text(&key.pk)),
        (SK.to_owned(), text(&key.sk)),
        (LAYOUT.to_owned(), AttributeValue::N(VERSION.to_string())),
        (REVISION.to_owned(), AttributeValue::N(entry.revision.to_string())),
        (NOTIFIED.to_owned(), AttributeValue::L(notified)),
        (EXPIRES_AT.to_owned(), AttributeValue::N(expires_at.to_string())),
    ]);
    if let Some(Claim { by, until }) = &entry.claim {
        item.insert(CLAIMED_BY.to_owned(), text(by.as_str()));
        item.insert(CLAIMED_UNTIL.to_owned(), text(&until.to_string()));
    }
    item
}

fn decode(key: &Key, item: Option<&Item>) -> Result<LedgerEntry, TableError> {
    let Some(item) = item else {
        return Ok(LedgerEntry::default());
    };
    decoded(item).ok_or_else(|| TableError {
        operation: Operation::Get,
        key: key.to_string(),
        source: Box::new(Unreadable),
    })
}

fn decoded(item: &Item) -> Option<LedgerEntry> {
    let number = |name| item.get(name)?.as_n().ok()?.parse::<u64>().ok();
    let text = |name| item.get(name).and_then(|value| value.as_s().ok());
    if number(LAYOUT) != Some(u64::from(VERSION)) {
        return None;
    }
    let notified = item.get(NOTIFIED)?.as_l().ok()?.iter();
    let claim = match (text(CLAIMED_BY), text(CLAIMED_UNTIL)) {
        (Some(by), Some(until)) => Some(Claim {
            by: Claimant::new(by),
            until: until.parse().ok()?,
        }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return None,
    };
    Some(LedgerEntry {
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
    fn largest_entry_fits_one_item() {
        // The longest ids that are stored without hashing.
        let foreign = |number: usize| split_id(&format!("{0}/{number:0>255}", "x".repeat(255)));
        let (incident, _) = foreign(0);
        let entry = LedgerEntry {
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
        let sixty_days = AttributeValue::N("5184000".to_owned());
        assert_eq!(item.get(EXPIRES_AT), Some(&sixty_days));
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
