//! MongoDB: sends `hello` in an `OP_MSG`, which needs no login.
//!
//! | answer | means |
//! |---|---|
//! | `ok: 1` with `isWritablePrimary`, `secondary` or `arbiterOnly` true | healthy |
//! | `ok: 1` with `isreplicaset: true` | starting: the replica set is not initiated |
//! | `ok: 1` with none of them | starting: the member recovers |
//! | `ok: 0`, code 91 or 11600 | starting: the server shuts down |
//! | `ok: 0`, any other code | busy: the code gives the reason |
//! | closed at once | closed; MongoDB closes at `maxIncomingConnections` |
//!
//! Sources: the MongoDB Wire Protocol and the `hello` command in MongoDB's manual; the BSON specification, version 1.1;
//! the error codes in `error_codes.yml`.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, EndOfStream, Step};
use crate::input::{Input, excerpt, le_u32};

const REQUEST_ID: u32 = 0x7070_0001;
const OP_MSG: u32 = 2013;
const MAX_LENGTH: u32 = 16 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Mongodb {
    request_sent: bool,
}

impl Dialogue for Mongodb {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("hello", hello());
        }
        let answer = input.remaining();
        let Some(length) = le_u32(answer, 0) else {
            return Step::Receive;
        };
        // The header (16 bytes), the flags (4), the section's kind (1) and an empty document (5).
        if !(26..=MAX_LENGTH).contains(&length) {
            return Step::WRONG_SERVICE;
        }
        match (le_u32(answer, 8), le_u32(answer, 12)) {
            (Some(REQUEST_ID), Some(OP_MSG)) => {}
            (Some(REQUEST_ID) | None, None) => return Step::Receive,
            _ => return Step::WRONG_SERVICE,
        }
        let Some(message) = usize::try_from(length).ok().and_then(|length| input.take(length)) else {
            return Step::Receive;
        };
        match message.get(20..).and_then(<[u8]>::split_first) {
            Some((0, document)) => match Hello::read(document) {
                Some(hello) => hello.evaluate(),
                None => Step::WRONG_SERVICE,
            },
            _ => Step::WRONG_SERVICE,
        }
    }

    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        EndOfStream::Closed {
            hint: ", as MongoDB does at maxIncomingConnections",
        }
    }
}

/// `{hello: 1, $db: "admin"}` in a section of kind 0.
fn hello() -> Vec<u8> {
    let mut document = b"\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0".to_vec();
    let size = |bytes: usize| u32::try_from(bytes).unwrap_or_default().to_le_bytes();
    let mut message = size(16 + 4 + 1 + 4 + document.len()).to_vec();
    for number in [REQUEST_ID, 0, OP_MSG, 0] {
        message.extend_from_slice(&number.to_le_bytes());
    }
    message.push(0);
    message.extend_from_slice(&size(4 + document.len()));
    message.append(&mut document);
    message
}

/// The needed fields of the answer to `hello`.
#[derive(Debug, Default)]
struct Hello {
    ok: bool,
    writable_primary: bool,
    secondary: bool,
    arbiter: bool,
    uninitiated: bool,
    code: u32,
    errmsg: String,
}

impl Hello {
    fn evaluate(self) -> Step {
        if !self.ok {
            let text = format!("{} {}", self.code, self.errmsg);
            let class = if matches!(self.code, 91 | 11600) {
                FailureClass::Starting
            } else {
                FailureClass::Busy
            };
            return Step::failure(class, text);
        }
        match self {
            Self {
                writable_primary: true,
                ..
            } => Step::healthy("isWritablePrimary"),
            Self { secondary: true, .. } => Step::healthy("secondary"),
            Self { arbiter: true, .. } => Step::healthy("arbiterOnly"),
            Self {
                uninitiated: true, ..
            } => Step::failure(
                FailureClass::Starting,
                "isreplicaset: the replica set is not initiated",
            ),
            _ => Step::failure(
                FailureClass::Starting,
                "neither primary nor secondary: the member starts or recovers",
            ),
        }
    }

    /// Reads the fields of the outer document; `None` if the bytes are not BSON.
    fn read(document: &[u8]) -> Option<Self> {
        let size = usize::try_from(le_u32(document, 0)?).ok()?;
        let mut elements = document.get(4..size.checked_sub(1)?)?;
        let mut hello = Self::default();
        while let Some((&kind, rest)) = elements.split_first() {
            let end = rest.iter().position(|&b| b == 0)?;
            let (name, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
            let (value, rest) = rest.split_at_checked(value_size(kind, rest)?)?;
            elements = rest;
            match name {
                b"ok" => hello.ok = is_one(kind, value),
                b"isWritablePrimary" | b"ismaster" => hello.writable_primary |= is_one(kind, value),
                b"secondary" => hello.secondary = is_one(kind, value),
                b"arbiterOnly" => hello.arbiter = is_one(kind, value),
                b"isreplicaset" => hello.uninitiated = is_one(kind, value),
                b"code" => hello.code = le_u32(value, 0)?,
                b"errmsg" => hello.errmsg = excerpt(value.get(4..value.len().checked_sub(1)?)?),
                _ => {}
            }
        }
        Some(hello)
    }
}

/// The size of a value of this kind; `None` for kinds that the answer cannot contain.
fn value_size(kind: u8, rest: &[u8]) -> Option<usize> {
    let stated = || usize::try_from(le_u32(rest, 0)?).ok();
    match kind {
        0x01 | 0x09 | 0x11 | 0x12 => Some(8),
        0x02 => stated()?.checked_add(4).filter(|&size| size > 4),
        0x03 | 0x04 => stated(),
        0x05 => stated()?.checked_add(5),
        0x07 => Some(12),
        0x08 => Some(1),
        0x0a => Some(0),
        0x10 => Some(4),
        0x13 => Some(16),
        _ => None,
    }
}

/// Whether a boolean is true or a number is 1.
fn is_one(kind: u8, value: &[u8]) -> bool {
    match kind {
        0x01 => value.first_chunk().is_some_and(|b| f64::from_le_bytes(*b) == 1.0),
        0x08 => value == [1],
        0x10 | 0x12 => value
            .split_first()
            .is_some_and(|(first, rest)| *first == 1 && rest.iter().all(|&b| b == 0)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
