//! The item that lists a location as expected: keys, and possibly an owner.

use aws_sdk_dynamodb::types::AttributeValue;

use super::owner;
use crate::definitions::Owner;
use crate::keys::{Key, PK, SK};
use crate::table::Item;

/// The owner of the item.
pub(crate) fn owner(item: &Item) -> Owner {
    owner::of(item)
}

/// Encodes the item without an owner, as Terraform does.
pub(crate) fn encode(key: &Key) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    Item::from([(PK.to_owned(), text(&key.pk)), (SK.to_owned(), text(&key.sk))])
}

/// Encodes the item with `portpulse seed` as the owner.
pub(crate) fn encode_seeded(key: &Key) -> Item {
    owner::mark(encode(key))
}
