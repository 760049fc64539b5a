//! Helpers to build items.

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_store::table::Item;

pub(crate) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) fn number(digits: impl ToString) -> AttributeValue {
    AttributeValue::N(digits.to_string())
}

/// An item with these attributes.
pub(crate) fn item(pk: &str, sk: &str, attributes: &[(&str, AttributeValue)]) -> Item {
    let keys = [("pk", text(pk)), ("sk", text(sk))];
    let all = keys.into_iter().chain(attributes.iter().cloned());
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}
