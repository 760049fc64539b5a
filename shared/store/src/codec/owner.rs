//! Who looks after an item, as the item itself says.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::definitions::{MANAGED_BY, Owner, SEED};
use crate::table::Item;

/// Who looks after it.
pub(super) fn of(item: &Item) -> Owner {
    match item.get(MANAGED_BY).and_then(|value| value.as_s().ok()) {
        Some(owner) if owner == SEED => Owner::Seed,
        Some(_) | None => Owner::Other,
    }
}

/// The item with the mark of `portpulse seed`.
pub(super) fn mark(mut item: Item) -> Item {
    item.insert(MANAGED_BY.to_owned(), AttributeValue::S(SEED.to_owned()));
    item
}
