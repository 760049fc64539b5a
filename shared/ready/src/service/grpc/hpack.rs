//! HPACK (RFC 7541): encodes the fields of the request, and decodes the fields of the response.
//!
//! Not with the crate `h2`, whose decoder is not public and which needs a socket of its own.

use std::collections::VecDeque;

/// The maximum size of the dynamic table, which is HTTP/2's default (RFC 9113, section 6.5.2).
const MAX_TABLE_BYTES: usize = 4096;
/// The maximum size of the fields of one block: each byte of a block can repeat a large entry of the table.
const MAX_FIELDS_BYTES: usize = 16 * 1024;
/// The size of an entry in addition to its name and value (RFC 7541, section 4.1).
const ENTRY_BYTES: usize = 32;
/// The number of entries of the static table (RFC 7541, appendix A).
const STATIC_ENTRIES: usize = 61;
/// The static entries for statuses, from index 8.
const STATUSES: [&str; 7] = ["200", "204", "206", "304", "400", "404", "500"];
/// The number of bits of the code of each byte. The codes are canonical: within a length they follow each other in the
/// order of the bytes (RFC 7541, appendix B).
const CODE_LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7,
    15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24,
    23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26,
    26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
    27, 27, 26,
];
/// The number of bits of the longest code of a byte.
const MAX_CODE_LENGTH: u8 = 30;

/// A decoded field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
}

/// Appends a field whose name is in the static table, without adding it to the dynamic table.
pub(super) fn encode(block: &mut Vec<u8>, name_index: u8, value: &str) {
    integer(block, 0x00, 4, usize::from(name_index));
    string(block, value);
}

/// Appends a field whose name is not in the static table.
pub(super) fn encode_named(block: &mut Vec<u8>, name: &str, value: &str) {
    block.push(0x00);
    string(block, name);
    string(block, value);
}

fn string(block: &mut Vec<u8>, text: &str) {
    integer(block, 0x00, 7, text.len());
    block.extend_from_slice(text.as_bytes());
}

/// Appends an integer with a prefix of some bits (RFC 7541, section 5.1).
fn integer(block: &mut Vec<u8>, first: u8, prefix: u32, number: usize) {
    let limit = (1_usize << prefix) - 1;
    let low = |number: usize| u8::try_from(number).unwrap_or_default();
    let Some(mut rest) = number.checked_sub(limit) else {
        block.push(first | low(number));
        return;
    };
    block.push(first | low(limit));
    while rest >= 128 {
        block.push(low(rest % 128) | 128);
        rest /= 128;
    }
    block.push(low(rest));
}

/// The state of decoding in one connection.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The newest entry first.
    table: VecDeque<Field>,
    table_bytes: usize,
    max_table_bytes: usize,
    /// The bytes in the order of their codes.
    symbols: Vec<u8>,
    /// The number of codes of each length.
    counts: [u32; MAX_CODE_LENGTH as usize + 1],
}

impl Decoder {
    pub(super) fn new() -> Self {
        let mut symbols: Vec<_> = (0..=u8::MAX).collect();
        symbols.sort_by_key(|symbol| CODE_LENGTHS.get(usize::from(*symbol)));
        let mut counts = [0; MAX_CODE_LENGTH as usize + 1];
        for length in CODE_LENGTHS {
            if let Some(count) = counts.get_mut(usize::from(length)) {
                *count += 1;
            }
        }
        Self {
            table: VecDeque::new(),
            table_bytes: 0,
            max_table_bytes: MAX_TABLE_BYTES,
            symbols,
            counts,
        }
    }

    /// Decodes a complete block; `None` if it is malformed, or its fields exceed [`MAX_FIELDS_BYTES`].
    pub(super) fn decode(&mut self, mut block: &[u8]) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        let mut room = MAX_FIELDS_BYTES;
        while let Some(first) = block.first() {
            let field = match first {
                0x80.. => self.entry(take_integer(&mut block, 7)?)?,
                0x40..=0x7f => {
                    let field = self.literal(&mut block, 6)?;
                    self.insert(field.clone());
                    field
                }
                0x20..=0x3f => {
                    let size = take_integer(&mut block, 5)?;
                    self.max_table_bytes = Some(size).filter(|size| *size <= MAX_TABLE_BYTES)?;
                    self.evict();
                    continue;
                }
                0x00..=0x1f => self.literal(&mut block, 4)?,
            };
            room = room.checked_sub(entry_bytes(&field))?;
            fields.push(field);
        }
        Some(fields)
    }

    fn literal(&self, block: &mut &[u8], prefix: u32) -> Option<Field> {
        let name = match take_integer(block, prefix)? {
            0 => self.take_string(block)?,
            index => self.entry(index)?.name,
        };
        let value = self.take_string(block)?;
        Some(Field { name, value })
    }

    /// An entry of both tables. The names of static entries that gRPC does not use are left empty.
    fn entry(&self, index: usize) -> Option<Field> {
        let field = |name: &str, value: &str| Field {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        match index {
            0 => None,
            8..=14 => STATUSES.get(index - 8).map(|status| field(":status", status)),
            31 => Some(field("content-type", "")),
            1..=STATIC_ENTRIES => Some(field("", "")),
            _ => self.table.get(index - STATIC_ENTRIES - 1).cloned(),
        }
    }

    fn insert(&mut self, field: Field) {
        self.table_bytes += entry_bytes(&field);
        self.table.push_front(field);
        self.evict();
    }

    fn evict(&mut self) {
        while self.table_bytes > self.max_table_bytes
            && let Some(oldest) = self.table.pop_back()
        {
            self.table_bytes -= entry_bytes(&oldest);
        }
    }

    fn take_string(&self, block: &mut &[u8]) -> Option<String> {
        let is_huffman = block.first()? & 0x80 != 0;
        let length = take_integer(block, 7)?;
        let (bytes, rest) = block.split_at_checked(length)?;
        *block = rest;
        let bytes = if is_huffman {
            self.decode_huffman(bytes)?
        } else {
            bytes.to_vec()
        };
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Decodes a string bit by bit. The end is filled with fewer than eight ones (RFC 7541, section 5.2).
    fn decode_huffman(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut decoded = Vec::new();
        let mut bits = bytes
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |place| u32::from(byte >> place & 1)));
        loop {
            // `code` is compared with the first code of each length; `place` is that of its symbol.
            let (mut code, mut first, mut place) = (0_u32, 0_u32, 0_u32);
            let mut length = 0_u8;
            let symbol = loop {
                let Some(bit) = bits.next() else {
                    let is_padding = length < 8 && code == (1 << length) - 1;
                    return is_padding.then_some(decoded);
                };
                code = code << 1 | bit;
                length += 1;
                let count = *self.counts.get(usize::from(length))?;
                if code < first + count {
                    break self.symbols.get(usize::try_from(place + code - first).ok()?)?;
                }
                if length == MAX_CODE_LENGTH {
                    return None;
                }
                place += count;
                first = (first + count) << 1;
            };
            decoded.push(*symbol);
        }
    }
}

fn entry_bytes(field: &Field) -> usize {
    field.name.len() + field.value.len() + ENTRY_BYTES
}

/// Takes an integer with a prefix of some bits; at most 2²¹.
fn take_integer(block: &mut &[u8], prefix: u32) -> Option<usize> {
    let (first, mut rest) = block.split_first()?;
    let limit = (1_usize << prefix) - 1;
    let mut number = usize::from(*first) & limit;
    if number == limit {
        for shift in [0, 7, 14] {
            let (byte, after) = rest.split_first()?;
            rest = after;
            number += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                *block = rest;
                return Some(number);
            }
        }
        return None;
    }
    *block = rest;
    Some(number)
}

#[cfg(test)]
mod tests;
