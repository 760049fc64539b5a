//! The bytes received from a target, and the functions with which a dialogue reads them.

/// All bytes received in one exchange. A dialogue consumes them from the start.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    consumed: usize,
    answer_start: usize,
}

/// How bytes compare with a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrefixMatch {
    /// The bytes start with the prefix.
    Full,
    /// The bytes are too short, but agree with the prefix so far.
    Partial,
    /// The bytes differ from the prefix.
    Mismatch,
}

impl Input {
    /// Appends received bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Records that a request was sent: bytes from here on are the answer to the request.
    pub(crate) fn mark_sent(&mut self) {
        self.answer_start = self.consumed;
    }

    /// The number of bytes received.
    pub(crate) fn total_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes received since the last request.
    pub(crate) fn answer(&self) -> &[u8] {
        self.bytes.get(self.answer_start..).unwrap_or_default()
    }

    /// The bytes not consumed yet.
    pub(crate) fn remaining(&self) -> &[u8] {
        self.bytes.get(self.consumed..).unwrap_or_default()
    }

    /// Consumes `count` bytes, if they have been received.
    pub(crate) fn take(&mut self, count: usize) -> Option<&[u8]> {
        let end = self.consumed.checked_add(count)?;
        let consumed = self.bytes.get(self.consumed..end)?;
        self.consumed = end;
        Some(consumed)
    }

    /// Consumes a complete line, without its LF or CRLF. Invalid UTF-8 is replaced.
    pub(crate) fn take_line(&mut self) -> Option<String> {
        let end = self.remaining().iter().position(|&b| b == b'\n')?;
        let line = self.take(end + 1)?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }

    /// Compares the remaining bytes with a prefix.
    pub(crate) fn match_prefix(&self, prefix: &[u8]) -> PrefixMatch {
        match_prefix(self.remaining(), prefix)
    }
}

/// Compares bytes with a prefix.
pub(crate) fn match_prefix(bytes: &[u8], prefix: &[u8]) -> PrefixMatch {
    if bytes.starts_with(prefix) {
        PrefixMatch::Full
    } else if prefix.starts_with(bytes) {
        PrefixMatch::Partial
    } else {
        PrefixMatch::Mismatch
    }
}

/// Reads a big-endian number at an offset.
pub(crate) fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_be_bytes(*b))
}

/// Reads a big-endian number at an offset.
pub(crate) fn be_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_be_bytes(*b))
}

/// Reads a little-endian number at an offset.
pub(crate) fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

/// Reads a little-endian number at an offset.
pub(crate) fn le_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

/// Formats at most 400 bytes for a message: text as it is, mostly text with escapes, and other bytes as hexadecimal
/// numbers. A [`Detail`] holds less than that.
///
/// [`Detail`]: portpulse_core::outcome::Detail
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let head = bytes.get(..400).unwrap_or(bytes);
    let is_control = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n');
    match std::str::from_utf8(head) {
        Ok(text) if !text.contains(is_control) => return text.to_owned(),
        Ok(_) | Err(_) => {}
    }
    let printable = head
        .iter()
        .filter(|b| b.is_ascii_graphic() || **b == b' ')
        .count();
    if printable * 2 >= head.len() {
        return head.escape_ascii().to_string();
    }
    let numbers: Vec<_> = head.iter().map(|b| format!("{b:02x}")).collect();
    numbers.join(" ")
}
