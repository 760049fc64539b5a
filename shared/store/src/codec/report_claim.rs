//! Which request sends the report of a month.

use jiff::Timestamp;

use super::{HISTORY_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::Item;

pub(crate) fn encode(key: &Key, request: &str, now: Timestamp) -> Item {
    begin_expiring(key, now.as_second(), HISTORY_DAYS)
        .text("request", request)
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<String, Malformed> {
    Ok(open(item)?.str("request")?.to_owned())
}
