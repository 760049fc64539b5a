//! MongoDB: sends `hello` in an `OP_MSG`, which needs no login.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `ok: 1` with `isWritablePrimary`, `secondary` or `arbiterOnly` true | – | open | the member has a role |
//! | `ok: 1` with `msg: "isdbgrid"` and `isWritablePrimary` true | – | open | a `mongos` |
//! | `ok: 1` with `isreplicaset: true` | – | starting | the replica set is not initiated |
//! | `ok: 1` with none of them | – | starting | the member recovers |
//! | `ok: 0` | `13` `18` | open | the server requires a login |
//! | `ok: 0` | `91` `94` `189` `11600` `11602` `13436` | starting | the server starts, steps down or shuts down |
//! | `ok: 0` | `6` `7` `70` `89` `133` `202` `384` `9001` | no_backend | `mongos` or a proxy cannot reach a server |
//! | `ok: 0` | any other | service_error | not known to come from a server that works |
//! | `ok: 0` with code 59, then `ok: 1` in answer to `isMaster` | – | open | servers before 4.4.2 and some compatible ones do not know `hello` |
//! | closed at once | – | closed | MongoDB closes at `maxIncomingConnections` |
//!
//! A `mongos` answers `hello` itself, and requests that reach its shards require a login: the result shows that the
//! `mongos` works, and says so.
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
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    Hello,
    IsMaster,
}

impl Dialogue for Mongodb {
    fn next(&mut self, input: &mut Input) -> Step {
        if self.state == State::Start {
            self.state = State::Hello;
            return Step::send("hello", command("hello"));
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
                Some(hello) if hello.is_unknown_command() && self.state == State::Hello => {
                    self.state = State::IsMaster;
                    Step::send("isMaster", command("isMaster"))
                }
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

/// `{<name>: 1, $db: "admin"}` in a section of kind 0.
fn command(name: &str) -> Vec<u8> {
    let mut document = [
        b"\x10".as_slice(),
        name.as_bytes(),
        b"\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0",
    ]
    .concat();
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
    /// Whether a `mongos` answers, for the shards behind it.
    router: bool,
    code: u32,
    code_name: String,
    errmsg: String,
}

impl Hello {
    /// Whether the server does not know the command (59, `CommandNotFound`).
    fn is_unknown_command(&self) -> bool {
        !self.ok && self.code == 59
    }

    fn evaluate(self) -> Step {
        if !self.ok {
            let text = match self.code_name.as_str() {
                "" => format!("{} {}", self.code, self.errmsg),
                name => format!("{} {name}: {}", self.code, self.errmsg),
            };
            return match self.code {
                13 | 18 => Step::healthy(text),
                91 | 94 | 189 | 11600 | 11602 | 13436 => Step::failure(FailureClass::Starting, text),
                6 | 7 | 70 | 89 | 133 | 202 | 384 | 9001 => Step::failure(FailureClass::NoBackend, text),
                _ => Step::failure(FailureClass::ServiceError, text),
            };
        }
        match self {
            Self {
                writable_primary: true,
                router: true,
                ..
            } => Step::healthy("isdbgrid: a mongos, which answers without its shards"),
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
                b"msg" => hello.router = value.get(4..) == Some(b"isdbgrid\0".as_slice()),
                b"code" => hello.code = le_u32(value, 0)?,
                b"codeName" => hello.code_name = excerpt(value.get(4..value.len().checked_sub(1)?)?),
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
