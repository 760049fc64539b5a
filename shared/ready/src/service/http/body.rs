//! Reads the body of a response while it arrives, and checks the conditions on it.

use portpulse_core::readiness::HttpCheck;

/// The maximum number of bytes of a body that are checked.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;

/// How the end of a body is found (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy)]
pub(super) enum Framing {
    Chunked,
    Length(u64),
    UntilClose,
}

/// A body, as far as it was received. Only the part that the conditions need is kept.
#[derive(Debug)]
pub(super) struct Body {
    search: Search,
    /// The number of bytes so far, at most [`MAX_BODY_BYTES`].
    length: usize,
    part: Part,
}

#[derive(Debug)]
enum Search {
    /// Only a text is searched: the last bytes, one fewer than the text has, because the text may span two reads.
    Text {
        text: Vec<u8>,
        tail: Vec<u8>,
        found: bool,
    },
    /// The whole body is needed.
    Whole(Vec<u8>),
}

#[derive(Debug)]
enum Part {
    /// The remaining bytes of data, and what follows them.
    Data(u64, After),
    /// The size of a chunk.
    Size(u64),
    /// The rest of the line after the size.
    SizeEnd(u64),
    /// The line end after a chunk.
    ChunkEnd,
    Over,
}

#[derive(Debug, Clone, Copy)]
enum After {
    Chunk,
    End,
}

impl Body {
    /// A body of a response to this check.
    pub(super) fn new(framing: Framing, check: &HttpCheck) -> Self {
        let part = match framing {
            Framing::Chunked => Part::Size(0),
            Framing::Length(length) => Part::Data(length, After::End),
            Framing::UntilClose => Part::Data(u64::MAX, After::End),
        };
        let search = match check.text() {
            Some(text) if check.conditions().is_empty() => Search::Text {
                text: text.as_bytes().to_vec(),
                tail: Vec::new(),
                found: false,
            },
            Some(_) | None => Search::Whole(Vec::new()),
        };
        Self {
            search,
            length: 0,
            part,
        }
    }

    /// Whether the check is complete before the body is: only a text is searched, and it was found.
    pub(super) fn found(&self) -> bool {
        matches!(self.search, Search::Text { found: true, .. })
    }

    /// The number of bytes of the body so far.
    pub(super) fn bytes_read(&self) -> usize {
        self.length
    }

    /// Whether the maximum number of bytes was received.
    pub(super) fn is_exhausted(&self) -> bool {
        self.length >= MAX_BODY_BYTES
    }

    /// Checks the conditions on a body of which no more bytes are read.
    ///
    /// # Errors
    /// What differs.
    pub(super) fn check(&self, check: &HttpCheck) -> Result<(), String> {
        // A body with exactly the maximum is complete too.
        let is_cut = self.is_exhausted() && !matches!(self.part, Part::Over | Part::Data(0, After::End));
        let within = if is_cut {
            " in the first 64 KiB of the body"
        } else {
            ""
        };
        let missing = || {
            Err(match is_cut {
                true => "the expected text is not in the first 64 KiB of the body".to_owned(),
                false => "the expected text is missing".to_owned(),
            })
        };
        let bytes = match &self.search {
            Search::Text { found: true, .. } => return Ok(()),
            Search::Text { found: false, .. } => return missing(),
            Search::Whole(bytes) => bytes,
        };
        let body = String::from_utf8_lossy(bytes);
        if check.text().is_some_and(|text| !body.contains(text)) {
            return missing();
        }
        let conditions = check.conditions();
        for pattern in &conditions.matches {
            if !pattern.is_match(&body) {
                return Err(format!("the body does not match `{}`{within}", pattern.as_str()));
            }
        }
        for pattern in &conditions.not_matches {
            if pattern.is_match(&body) {
                return Err(format!("the body matches `{}`, and must not", pattern.as_str()));
            }
        }
        if conditions.json.is_empty() {
            return Ok(());
        }
        if is_cut {
            return Err("the body is longer than 64 KiB, too long to check its JSON".to_owned());
        }
        let value = serde_json::from_slice(bytes);
        let value = value.map_err(|error| match bytes.is_empty() {
            true => "the body is empty, not JSON".to_owned(),
            false => format!("the body is not JSON: {error}"),
        })?;
        conditions
            .json
            .iter()
            .try_for_each(|condition| condition.check(&value))
    }

    /// Reads the next bytes; returns whether the body is complete.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            match self.part {
                Part::Over => return true,
                Part::Data(0, After::End) => self.part = Part::Over,
                Part::Data(0, After::Chunk) => self.part = Part::ChunkEnd,
                Part::Data(left, after) => {
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (data, rest) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
                    if data.is_empty() {
                        return false;
                    }
                    self.keep(data);
                    bytes = rest;
                    self.part = Part::Data(left.saturating_sub(u64::try_from(count).unwrap_or(left)), after);
                }
                Part::Size(_) | Part::SizeEnd(_) | Part::ChunkEnd => {
                    let Some((&byte, rest)) = bytes.split_first() else {
                        return false;
                    };
                    bytes = rest;
                    self.read_framing(byte);
                }
            }
        }
    }

    fn read_framing(&mut self, byte: u8) {
        let digit = char::from(byte).to_digit(16).map(u64::from);
        self.part = match (&self.part, byte, digit) {
            (Part::Size(size), _, Some(digit)) => Part::Size(size.saturating_mul(16).saturating_add(digit)),
            // The last chunk is empty; the trailer fields after it are ignored.
            (Part::Size(0) | Part::SizeEnd(0), b'\n', _) => Part::Over,
            (Part::Size(size) | Part::SizeEnd(size), b'\n', _) => Part::Data(*size, After::Chunk),
            (Part::Size(size) | Part::SizeEnd(size), _, _) => Part::SizeEnd(*size),
            (Part::ChunkEnd, b'\n', _) => Part::Size(0),
            (Part::ChunkEnd, _, _) => Part::ChunkEnd,
            (Part::Data(..) | Part::Over, _, _) => Part::Over,
        };
    }

    fn keep(&mut self, data: &[u8]) {
        let data = data.get(..MAX_BODY_BYTES - self.length).unwrap_or(data);
        self.length += data.len();
        match &mut self.search {
            Search::Whole(bytes) => bytes.extend_from_slice(data),
            Search::Text { text, tail, found } => {
                tail.extend_from_slice(data);
                *found |= tail.windows(text.len()).any(|window| window == *text);
                let surplus = tail.len().saturating_sub(text.len().saturating_sub(1));
                tail.drain(..surplus);
            }
        }
    }
}
