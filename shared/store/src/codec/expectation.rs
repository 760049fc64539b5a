//! The item that lists a location as expected: keys, for an agent its kind, and possibly an owner.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group_state::LocationKind;

use super::owner;
use crate::definitions::Owner;
use crate::error::Malformed;
use crate::keys::{Key, PK, SK};
use crate::table::Item;

/// The attribute with the kind of the location; missing for a region.
const KIND: &str = "kind";
const AGENT: &str = "agent";

/// The owner of the item.
pub(crate) fn owner(item: &Item) -> Owner {
    owner::of(item)
}

/// Encodes the item without an owner, as Terraform does.
pub(crate) fn encode(key: &Key, kind: LocationKind) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut item = Item::from([(PK.to_owned(), text(&key.pk)), (SK.to_owned(), text(&key.sk))]);
    match kind {
        LocationKind::Region => {}
        LocationKind::Agent => drop(item.insert(KIND.to_owned(), text(AGENT))),
    }
    item
}

/// Encodes the item with `portpulse seed` as the owner.
pub(crate) fn encode_seeded(key: &Key, kind: LocationKind) -> Item {
    owner::mark(encode(key, kind))
}

/// The kind of the listed location.
///
/// # Errors
/// If the kind is unknown. It may be that of a newer release.
pub(crate) fn kind(item: &Item) -> Result<LocationKind, Malformed> {
    match item.get(KIND).map(AttributeValue::as_s) {
        None => Ok(LocationKind::Region),
        Some(Ok(kind)) if kind == AGENT => Ok(LocationKind::Agent),
        Some(_) => Err(Malformed::Unknown),
    }
}
