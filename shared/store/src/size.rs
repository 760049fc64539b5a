//! The size of an item by the rules of DynamoDB's prices and limits.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use aws_sdk_dynamodb::types::AttributeValue;

use crate::table::{Item, Read};

/// The maximum number of bytes of an item. Below DynamoDB's limit of 400 KB (409,600 bytes), so that
/// [`Error::TooLarge`](crate::Error::TooLarge) reports the item before it is sent.
pub const MAX_BYTES: usize = 390 * 1024;

/// The overhead of a list or map, in bytes.
const COLLECTION: usize = 3;
/// The overhead of each element of a list or map, in bytes.
const ELEMENT: usize = 1;

/// The size of an item in bytes: names and values of all attributes.
pub fn item(item: &Item) -> usize {
    item.iter()
        .map(|(name, attribute)| name.len() + value(attribute))
        .sum()
}

/// The write units of a put: one for each started kilobyte.
pub fn write_units(bytes: usize) -> usize {
    bytes.div_ceil(1024).max(1)
}

/// The read units of a query whose items have `bytes` in total: one for each started 4 KB, half for an eventually
/// consistent read.
pub fn read_units(bytes: usize, read: Read) -> f64 {
    let units = u32::try_from(bytes.div_ceil(4096).max(1)).unwrap_or(u32::MAX);
    match read {
        Read::Strong => f64::from(units),
        Read::Eventual => f64::from(units) / 2.0,
    }
}

/// The size of an item in DynamoDB's JSON, in bytes, without escapes of text.
pub fn sent(item: &Item) -> usize {
    let attributes = item
        .iter()
        .map(|(name, attribute)| name.len() + r#""":,"#.len() + sent_value(attribute));
    "{}".len() + attributes.sum::<usize>()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK hides the variant of types it does not know"
)]
fn sent_value(attribute: &AttributeValue) -> usize {
    match attribute {
        AttributeValue::S(text) => r#"{"S":""}"#.len() + text.len(),
        AttributeValue::N(digits) => r#"{"N":""}"#.len() + digits.len(),
        AttributeValue::L(values) => {
            r#"{"L":[]}"#.len()
                + values
                    .iter()
                    .map(|each| ",".len() + sent_value(each))
                    .sum::<usize>()
        }
        AttributeValue::M(map) => r#"{"M":}"#.len() + sent(map),
        // In Base64.
        AttributeValue::B(bytes) => r#"{"B":""}"#.len() + bytes.as_ref().len().div_ceil(3) * 4,
        other => r#"{"BOOL":false}"#.len() + value(other),
    }
}

/// The size of a value in bytes.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK hides the variant of types it does not know"
)]
pub(crate) fn value(attribute: &AttributeValue) -> usize {
    match attribute {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => number(digits),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|digits| number(digits)).sum(),
        AttributeValue::Bs(all) => all.iter().map(|bytes| bytes.as_ref().len()).sum(),
        AttributeValue::L(values) => {
            COLLECTION + values.iter().map(|each| ELEMENT + value(each)).sum::<usize>()
        }
        AttributeValue::M(map) => {
            let elements = map.iter().map(|(name, each)| ELEMENT + name.len() + value(each));
            COLLECTION + elements.sum::<usize>()
        }
        _ => 1,
    }
}

/// The size of a number: one byte for each two significant digits (pairs do not cross the decimal point), plus one,
/// plus one for a minus sign.
fn number(digits: &str) -> usize {
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let minus = usize::from(mantissa.starts_with('-'));
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_matches('0').len();
    let leading = all.len() - all.trim_start_matches('0').len();
    // The number of significant digits before the decimal point.
    let before = exponent
        .parse::<isize>()
        .unwrap_or(0)
        .saturating_add_unsigned(whole.len())
        .saturating_sub_unsigned(leading);
    let before = usize::try_from(before).unwrap_or(0).min(significant);
    before.div_ceil(2) + (significant - before).div_ceil(2) + 1 + minus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_sizes_match_documentation() {
        use AttributeValue as A;
        let text = |text: &str| A::S(text.to_owned());
        for (attribute, bytes) in [
            (text(""), 0),
            (text("abc"), 3),
            (text("ü"), 2),
            (A::N("0".to_owned()), 1),
            (A::N("12.34".to_owned()), 3),
            (A::N("-123".to_owned()), 4),
            (A::N("100000".to_owned()), 2),
            (A::N("123.4".to_owned()), 4),
            (A::N("0.31".to_owned()), 2),
            (A::N("0.0031".to_owned()), 2),
            (A::N("-303.8199".to_owned()), 6),
            (A::N("1.5E3".to_owned()), 2),
            (A::N("1.5e-3".to_owned()), 2),
            (A::Bool(true), 1),
            (A::Null(true), 1),
            (A::L(vec![]), 3),
            (A::L(vec![text("a"), text("bc")]), 3 + 1 + 1 + 1 + 2),
            (A::M(Item::from([("k".to_owned(), text("abc"))])), 3 + 1 + 1 + 3),
            (A::Ss(vec!["a".to_owned(), "bc".to_owned()]), 3),
        ] {
            assert_eq!(value(&attribute), bytes, "{attribute:?}");
        }
        let keys = Item::from([
            ("pk".to_owned(), text("abc")),
            ("n".to_owned(), A::N("7".to_owned())),
        ]);
        assert_eq!(item(&keys), 2 + 3 + 1 + 2);
    }

    #[test]
    fn read_units_are_rounded_up_to_4_kilobytes() {
        for (bytes, units) in [(0, 1.0), (4096, 1.0), (4097, 2.0), (40_000, 10.0)] {
            assert!((read_units(bytes, Read::Strong) - units).abs() < 1e-9, "{bytes}");
            assert!(
                (read_units(bytes, Read::Eventual) - units / 2.0).abs() < 1e-9,
                "{bytes}"
            );
        }
    }

    #[test]
    fn sent_size_matches_length_of_json() {
        use AttributeValue as A;
        let text = |text: &str| A::S(text.to_owned());
        let map = Item::from([("b-1".to_owned(), A::N("12.5".to_owned()))]);
        let item = Item::from([
            ("pk".to_owned(), text("results#1m#0")),
            ("seen".to_owned(), A::M(map)),
            ("tags".to_owned(), A::L(vec![text("a"), text("bc")])),
        ]);
        let json = r#"{"pk":{"S":"results#1m#0"},"seen":{"M":{"b-1":{"N":"12.5"}}},"tags":{"L":[{"S":"a"},{"S":"bc"}]}}"#;
        // `sent` also counts a comma after the last element of each map and list.
        assert_eq!(sent(&item), json.len() + 3);
    }

    #[test]
    fn write_units_are_rounded_up_to_kilobytes() {
        for (bytes, units) in [(1, 1), (1024, 1), (1025, 2), (10 * 1024, 10)] {
            assert_eq!(write_units(bytes), units);
        }
    }
}
