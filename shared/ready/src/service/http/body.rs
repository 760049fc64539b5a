//! Searches the body of a response for a text while it arrives.

/// The maximum number of searched bytes of a body.
pub(super) const MAX_SEARCHED_BYTES: usize = 64 * 1024;

/// How the end of a body is found (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy)]
pub(super) enum Framing {
    Chunked,
    Length(u64),
    UntilClose,
}

/// The search for a text in a body. Only the last bytes are kept.
#[derive(Debug)]
pub(super) struct Body {
    text: Vec<u8>,
    /// The last bytes, one fewer than the text has, because the text may span two reads.
    tail: Vec<u8>,
    found: bool,
    searched: usize,
    part: Part,
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
    pub(super) fn new(framing: Framing, text: &str) -> Self {
        let part = match framing {
            Framing::Chunked => Part::Size(0),
            Framing::Length(length) => Part::Data(length, After::End),
            Framing::UntilClose => Part::Data(u64::MAX, After::End),
        };
        Self {
            text: text.as_bytes().to_vec(),
            tail: Vec::new(),
            found: false,
            searched: 0,
            part,
        }
    }

    pub(super) fn found(&self) -> bool {
        self.found
    }

    /// Whether the maximum number of bytes was searched.
    pub(super) fn is_exhausted(&self) -> bool {
        self.searched >= MAX_SEARCHED_BYTES
    }

    /// Searches the next bytes; returns whether the body is complete.
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
                    self.search(data);
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

    fn search(&mut self, data: &[u8]) {
        let data = data
            .get(..MAX_SEARCHED_BYTES - self.searched.min(MAX_SEARCHED_BYTES))
            .unwrap_or(data);
        self.searched += data.len();
        self.tail.extend_from_slice(data);
        self.found |= self
            .tail
            .windows(self.text.len())
            .any(|window| window == self.text);
        let surplus = self.tail.len().saturating_sub(self.text.len().saturating_sub(1));
        self.tail.drain(..surplus);
    }
}
