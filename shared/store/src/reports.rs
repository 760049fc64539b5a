//! The claims of monthly reports, which are sent once.

use jiff::Timestamp;

use crate::codec::report_claim;
use crate::error::Error;
use crate::keys;
use crate::store::{Store, decode_current};
use crate::table::{Condition, Put, Table};

impl<T: Table> Store<T> {
    /// Claims the report of a month, such as `2026-10`, for a request. Returns whether the request may send it: not if another
    /// request has claimed it; again if it has itself, since Lambda repeats a failed request under its id.
    ///
    /// # Errors
    /// If the outcome of the write is unknown, or the claim in place is unreadable.
    pub async fn claim_report(&self, month: &str, request: &str, now: Timestamp) -> Result<bool, Error> {
        let key = keys::report(month);
        let item = report_claim::encode(&key, request, now);
        match self.put(key.clone(), item, Condition::Absent).await? {
            Put::Done => Ok(true),
            Put::Refused { current } => {
                let claimed = decode_current(key, current.as_ref(), report_claim::decode)?;
                Ok(claimed.is_some_and(|by| by == request))
            }
        }
    }
}
