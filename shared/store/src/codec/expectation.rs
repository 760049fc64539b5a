//! That a location should report: an item whose keys say it all, and which may say who looks after it.

use aws_sdk_dynamodb::types::AttributeValue;

use super::owner;
use crate::definitions::Owner;
use crate::keys::{Key, PK, SK};
use crate::table::Item;

/// Who looks after it.
pub(crate) fn owner(item: &Item) -> Owner {
    owner::of(item)
}

/// The item, as Terraform writes it.
pub(crate) fn encode(key: &Key) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    Item::from([(PK.to_owned(), text(&key.pk)), (SK.to_owned(), text(&key.sk))])
}

/// The same, with the mark of `portpulse seed`.
pub(crate) fn encode_seeded(key: &Key) -> Item {
    owner::mark(encode(key))
}
