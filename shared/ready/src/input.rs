//! The bytes that came from a target, and the ways the services' files may look at them.

/// Everything received in one exchange, of which a dialogue takes what it understands.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    consumed: usize,
    answer_start: usize,
}

/// How the beginning of the input compares with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrefixMatch {
    /// It begins with the word.
    Full,
    /// It may yet: too little has come.
    Partial,
    /// It does not.
    Mismatch,
}

impl Input {
    /// Adds what has come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Remembers that something was sent: what comes from here on is the answer to it.
    pub(crate) fn mark_sent(&mut self) {
        self.answer_start = self.consumed;
    }

    /// How many bytes have come in all.
    pub(crate) fn total_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// What has come since something was last sent.
    pub(crate) fn answer(&self) -> &[u8] {
        self.bytes.get(self.answer_start..).unwrap_or_default()
    }

    /// What has not been taken yet.
    pub(crate) fn remaining(&self) -> &[u8] {
        self.bytes.get(self.consumed..).unwrap_or_default()
    }

    /// Takes so many bytes, if they are there.
    pub(crate) fn take(&mut self, count: usize) -> Option<&[u8]> {
        let end = self.consumed.checked_add(count)?;
        let consumed = self.bytes.get(self.consumed..end)?;
        self.consumed = end;
        Some(consumed)
    }

    /// Takes a line, if its end is there; the end, LF or CRLF, is cut off, and what is not UTF-8 is replaced.
    pub(crate) fn take_line(&mut self) -> Option<String> {
        let end = self.remaining().iter().position(|&b| b == b'\n')?;
        let line = self.take(end + 1)?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }

    /// Compares the beginning of what is left with a word.
    pub(crate) fn match_prefix(&self, prefix: &[u8]) -> PrefixMatch {
        match_prefix(self.remaining(), prefix)
    }
}

/// Compares the beginning of some bytes with a word.
pub(crate) fn match_prefix(bytes: &[u8], prefix: &[u8]) -> PrefixMatch {
    if bytes.starts_with(prefix) {
        PrefixMatch::Full
    } else if prefix.starts_with(bytes) {
        PrefixMatch::Partial
    } else {
        PrefixMatch::Mismatch
    }
}

/// The big-endian number at an offset.
pub(crate) fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_be_bytes(*b))
}

/// The big-endian number at an offset.
pub(crate) fn be_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_be_bytes(*b))
}

/// The little-endian number at an offset.
pub(crate) fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

/// The little-endian number at an offset.
pub(crate) fn le_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_le_bytes(*b))
}

/// Bytes as text for a message: as they are if they are UTF-8, else with escapes. Cut well above what a detail may hold.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let head = bytes.get(..400).unwrap_or(bytes);
    match std::str::from_utf8(head) {
        Ok(text) => text.to_owned(),
        Err(_) => head.escape_ascii().to_string(),
    }
}
