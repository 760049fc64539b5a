//! Encoding and decoding of items, one file for each kind. Decoders accept any item and report what is invalid.
//!
//! The codecs use no derived serialization such as `serde_dynamo`: its errors name neither the path of an attribute nor its
//! type, items differ from the types of the core (one map for each monitor, lists of times as text, a number instead of text
//! for a plain connect time), and mirrored types would take more lines than these functions.

#[cfg(test)]
mod arbitrary;
mod attributes;
pub(crate) mod banners;
pub(crate) mod closed_incident;
pub(crate) mod control;
pub(crate) mod decision_state;
pub(crate) mod definition;
pub(crate) mod expectation;
pub(crate) mod fleet_state;
pub(crate) mod home_failures;
pub(crate) mod home_loss;
mod incident;
pub(crate) mod location_state;
pub(crate) mod operator_note;
mod outbox;
mod owner;
pub(crate) mod phase_rollup;
pub(crate) mod report_claim;
pub(crate) mod results;
pub(crate) mod rollup;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod sizes;
pub(crate) mod standby;
#[cfg(test)]
mod tests;
mod times;

use attributes::{AttributeMap, AttributeReader};

use crate::error::Malformed;
use crate::keys::{EXPIRES_AT, Key, PK, SK};
use crate::table::{Item, LAYOUT};

/// The layout version of items. This crate writes and reads this version only.
pub const VERSION: u32 = 1;

/// Days until results, location states and banners expire.
const RESULT_DAYS: i64 = 35;
/// Days until closed incidents and rollups expire.
const HISTORY_DAYS: i64 = 400;

/// Keys and layout version, which every item has.
fn begin(key: &Key) -> AttributeMap {
    AttributeMap::default()
        .text(PK, &key.pk)
        .text(SK, &key.sk)
        .number(LAYOUT, VERSION)
}

/// [`begin`] for an item that expires `days` after `second` (since the Unix epoch).
fn begin_expiring(key: &Key, second: i64, days: i64) -> AttributeMap {
    begin(key).number(EXPIRES_AT, second.saturating_add(days * 86_400))
}

/// The attributes of an item of the current layout version.
fn open(item: &Item) -> Result<AttributeReader<'_>, Malformed> {
    let fields = AttributeReader::top(item);
    let found = fields.digits(LAYOUT)?;
    if found == VERSION.to_string() {
        Ok(fields)
    } else {
        Err(Malformed::Version {
            found: found.to_owned(),
        })
    }
}
