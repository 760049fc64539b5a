//! How each kind of item looks: one file a kind, to the item and back, where reading back trusts nothing.

#[cfg(test)]
mod arbitrary;
pub(crate) mod banners;
pub(crate) mod closed_incident;
pub(crate) mod control;
pub(crate) mod decision_state;
pub(crate) mod definition;
pub(crate) mod expectation;
mod fields;
pub(crate) mod fleet_state;
mod incident;
pub(crate) mod location_state;
pub(crate) mod other_times;
mod outbox;
mod owner;
pub(crate) mod results;
pub(crate) mod rollup;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod times;
#[cfg(test)]
mod weights;

use fields::{Fields, Map};

use crate::error::Malformed;
use crate::keys::{EXPIRES_AT, Key, PK, SK};
use crate::table::{Item, LAYOUT};

/// The version of the layout that this crate writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// The days after which results and location rows expire.
const RESULT_DAYS: i64 = 35;
/// The days after which closed incidents and rollups expire.
const HISTORY_DAYS: i64 = 400;

/// The beginning of every item that Portpulse writes.
fn begin(key: &Key) -> Map {
    Map::default()
        .text(PK, &key.pk)
        .text(SK, &key.sk)
        .number(LAYOUT, VERSION)
}

/// The beginning of an item that expires some days after a second since the Unix epoch.
fn begin_expiring(key: &Key, second: i64, days: i64) -> Map {
    begin(key).number(EXPIRES_AT, second.saturating_add(days * 86_400))
}

/// The attributes of an item of our layout.
fn open(item: &Item) -> Result<Fields<'_>, Malformed> {
    let fields = Fields::top(item);
    let found = fields.digits(LAYOUT)?;
    if found == VERSION.to_string() {
        Ok(fields)
    } else {
        Err(Malformed::Version {
            found: found.to_owned(),
        })
    }
}
