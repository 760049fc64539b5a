//! Numbers for equal values, so that states are small and quickly compared.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_store::table::Item;

/// Distinct values with their numbers; equal values have one number.
#[derive(Debug)]
pub(super) struct Interner<K, V> {
    numbers: HashMap<K, u32>,
    values: Vec<Arc<V>>,
}

impl<K, V> Default for Interner<K, V> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            values: Vec::new(),
        }
    }
}

impl<K: Hash + Eq, V> Interner<K, V> {
    /// The number of a value.
    pub(super) fn number(&mut self, key: K, value: V) -> u32 {
        *self.numbers.entry(key).or_insert_with(|| {
            self.values.push(Arc::new(value));
            u32::try_from(self.values.len() - 1).unwrap()
        })
    }

    /// The number of a known value.
    pub(super) fn known(&self, key: &K) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    pub(super) fn value(&self, number: u32) -> Arc<V> {
        Arc::clone(&self.values[usize::try_from(number).unwrap()])
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }
}

/// A text that is equal for equal items.
pub(super) fn item_text(item: &Item) -> String {
    let mut text = String::new();
    write_map(item, &mut text);
    text
}

fn write_map(map: &HashMap<String, AttributeValue>, text: &mut String) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(name, _)| *name);
    text.push('{');
    for (name, value) in entries {
        text.push_str(name);
        text.push('=');
        write_value(value, text);
        text.push(',');
    }
    text.push('}');
}

fn write_value(value: &AttributeValue, text: &mut String) {
    if let Ok(map) = value.as_m() {
        write_map(map, text);
    } else if let Ok(list) = value.as_l() {
        text.push('[');
        for value in list {
            write_value(value, text);
            text.push(',');
        }
        text.push(']');
    } else {
        text.push_str(&format!("{value:?}"));
    }
}
