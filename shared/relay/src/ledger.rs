//! The ledger: which notification has reached which destination, so that a repeated one is not posted again.
//!
//! An entry is written after the destination has taken the post. So nothing is lost, and only two things tell a
//! notification twice: a crash, or a table that does not answer, between the two; and two invocations with the same
//! notification at the very same time. What is tried again and comes after its end is not told any more; only where both
//! are under way at the very same moment can the end come first.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use portpulse_store::keys::{EXPIRES_AT, Key, PK, SK, relayed};
use portpulse_store::table::{Condition, Item, Read, Table, TableError};

use crate::alert_key::bounded;
use crate::config::DestinationName;

/// How long an entry is kept. SNS tries to deliver for 23 days, and what lies in a dead-letter queue may be sent again
/// within 14 more. Source: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>
const KEPT: Duration = Duration::from_secs(60 * 86_400);

/// Whether a notification has reached a destination.
pub(crate) async fn is_known<T: Table>(
    table: &T,
    destination: &DestinationName,
    id: &str,
) -> Result<bool, TableError> {
    let Key { pk, sk } = relayed(destination.as_str(), &bounded(id));
    Ok(table.get(&pk, &sk, Read::Strong).await?.is_some())
}

/// Notes that a notification has reached a destination; the first note stays.
pub(crate) async fn note<T: Table>(
    table: &T,
    destination: &DestinationName,
    id: &str,
    now: Timestamp,
) -> Result<(), TableError> {
    let Key { pk, sk } = relayed(destination.as_str(), &bounded(id));
    let kept = i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX);
    let expires_at = now.as_second().saturating_add(kept);
    let item = Item::from([
        (PK.to_owned(), AttributeValue::S(pk)),
        (SK.to_owned(), AttributeValue::S(sk)),
        ("at".to_owned(), AttributeValue::S(now.to_string())),
        (EXPIRES_AT.to_owned(), AttributeValue::N(expires_at.to_string())),
    ]);
    table.put(item, Condition::Absent).await?;
    Ok(())
}
