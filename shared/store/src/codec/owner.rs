//! The owner of an item, in an attribute of the item.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::definitions::{MANAGED_BY, Owner, SEED};
use crate::table::Item;

/// The owner of `item`.
pub(super) fn of(item: &Item) -> Owner {
    match item.get(MANAGED_BY).and_then(|value| value.as_s().ok()) {
        Some(owner) if owner == SEED => Owner::Seed,
        Some(_) | None => Owner::Other,
    }
}

/// Marks `item` as owned by `portpulse seed`.
pub(super) fn mark(mut item: Item) -> Item {
    item.insert(MANAGED_BY.to_owned(), AttributeValue::S(SEED.to_owned()));
    item
}
