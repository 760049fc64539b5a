//! Packs the map of a large item into compressed JSON, and unpacks it: items are billed by their size.
//!
//! An item is packed only where that makes it smaller, so its maximum size is that of the plain item. Readers accept both.

use std::borrow::Cow;
use std::io::{Read as _, Write as _};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use portpulse_core::definition::FieldPath;
use serde_json::Value;

use crate::codec::definition::{attribute, json};
use crate::error::Malformed;
use crate::size;
use crate::table::Item;

/// The maximum length of the JSON of a map, in bytes: more than that of the largest plain item, which has at least a byte of
/// its size for each four of JSON.
const MAX_JSON: usize = 4 * size::MAX_BYTES;

/// Packs each map that is smaller as compressed JSON.
pub(crate) fn pack(mut item: Item) -> Item {
    for value in item.values_mut().filter(|value| value.is_m()) {
        if let Some(packed) = compressed(value).filter(|packed| size::value(packed) < size::value(value)) {
            *value = packed;
        }
    }
    item
}

/// The item with plain maps.
///
/// # Errors
/// If a packed map is invalid.
pub fn unpack(item: &Item) -> Result<Cow<'_, Item>, Malformed> {
    let mut plain = Cow::Borrowed(item);
    for (name, value) in item {
        if let AttributeValue::B(bytes) = value {
            let map = map(bytes.as_ref()).ok_or_else(|| Malformed::Value {
                at: name.clone(),
                source: "expected a map as compressed JSON (raw DEFLATE)".into(),
            })?;
            plain.to_mut().insert(name.clone(), map);
        }
    }
    Ok(plain)
}

fn compressed(map: &AttributeValue) -> Option<AttributeValue> {
    let json = json(&FieldPath::root(), map).ok()?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(json.to_string().as_bytes()).ok()?;
    Some(AttributeValue::B(Blob::new(encoder.finish().ok()?)))
}

fn map(bytes: &[u8]) -> Option<AttributeValue> {
    let mut json = Vec::new();
    // A longer one is not from a checker: a few bytes could fill the memory of a reader. Cut off, it is no map.
    DeflateDecoder::new(bytes)
        .take(u64::try_from(MAX_JSON).ok()?)
        .read_to_end(&mut json)
        .ok()?;
    let value: Value = serde_json::from_slice(&json).ok()?;
    value.is_object().then(|| attribute(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(entries: usize) -> Item {
        let tally = |number: usize| {
            let fields = [
                ("good", AttributeValue::N("60".to_owned())),
                ("max", AttributeValue::N("12.5".to_owned())),
                ("total", AttributeValue::S(format!("{number}:58 1:2"))),
            ];
            AttributeValue::M(fields.map(|(name, value)| (name.to_owned(), value)).into())
        };
        let map = (0..entries).map(|number| (format!("orders-{number}"), tally(number)));
        Item::from([
            ("pk".to_owned(), AttributeValue::S("p".to_owned())),
            ("monitors".to_owned(), AttributeValue::M(map.collect())),
        ])
    }

    #[test]
    fn map_is_packed_only_where_smaller_and_unpacked_alike() {
        for (entries, is_packed) in [(0, false), (1, false), (50, true), (500, true)] {
            let plain = item(entries);
            let packed = pack(plain.clone());
            assert_eq!(packed["monitors"].is_b(), is_packed, "{entries}");
            assert!(size::item(&packed) <= size::item(&plain), "{entries}");
            assert_eq!(*unpack(&packed).unwrap(), plain, "{entries}");
        }
    }

    #[test]
    fn invalid_packed_map_is_malformed() {
        let deflated = |bytes: &[u8]| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let bomb = format!("{{\"a\":\"{}\"}}", " ".repeat(MAX_JSON));
        for bytes in [
            Vec::new(),
            vec![0xff; 40],
            deflated(b"[1]"),
            deflated(b"{"),
            deflated(b"\xff"),
            deflated(bomb.as_bytes()),
        ] {
            let mut item = item(1);
            item.insert("monitors".to_owned(), AttributeValue::B(Blob::new(bytes)));
            let error = unpack(&item).unwrap_err();
            assert_eq!(
                error.to_string(),
                "`monitors` is invalid (delete the item to reset its state)"
            );
        }
    }
}
