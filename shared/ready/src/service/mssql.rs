//! SQL Server: sends `PRELOGIN`, which the server answers before a login.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | `PRELOGIN` with the server's version | – | open | the server is ready for a login |
//! | error instead | `17142` `18401` `18451` | starting | paused, in an upgrade, or only for administrators |
//! | error instead | `10928` `10929` `17809` `40501` `49918` `49919` `49920` | busy | a limit of the server or of Azure SQL |
//! | error instead | `40613` | no_backend | Azure's gateway cannot reach the database |
//! | error instead | `40532` `40615` | blocked | Azure's firewall refuses this client |
//! | error instead | any other | service_error | not known to come from a server that works |
//! | the end of the stream | – | closed | a server with strict encryption expects TLS first: use `tls: true` |
//!
//! The answer shows that the server accepts logins, not that a database is online: databases are opened after a login,
//! and logins are encrypted within this protocol.
//!
//! Sources: MS-TDS, sections 2.2.3.1, 2.2.6.5 and 2.2.7.10, and the examples in 4.1 and 4.2; "Database Engine events and
//! errors" of SQL Server. Not tested with a real server, which the registries used here do not have.

use portpulse_core::outcome::FailureClass;

use crate::dialogue::{Dialogue, EndOfStream, Step};
use crate::input::{Input, PrefixMatch, be_u16, le_u16, le_u32};

/// The options `VERSION`, `ENCRYPTION` (off, as most clients ask), `INSTOPT`, `THREADID` and `MARS`.
const PRELOGIN: &[u8] = b"\x12\x01\x00\x2f\x00\x00\x01\x00\
    \x00\x00\x1a\x00\x06\x01\x00\x20\x00\x01\x02\x00\x21\x00\x01\x03\x00\x22\x00\x04\x04\x00\x26\x00\x01\xff\
    \x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
/// The start of an answer: its type, and the end of the message in the same packet.
const ANSWER: &[u8] = &[0x04, 0x01];
const HEADER_BYTES: u16 = 8;
/// Answers have some 50 bytes, or an error message.
const MAX_LENGTH: u16 = 4 * 1024;
const VERSION: u8 = 0x00;
const TERMINATOR: u8 = 0xff;
const ERROR: u8 = 0xaa;

#[derive(Debug, Default)]
pub(crate) struct Mssql {
    request_sent: bool,
}

impl Dialogue for Mssql {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            return Step::send("PRELOGIN", PRELOGIN);
        }
        match input.match_prefix(ANSWER) {
            PrefixMatch::Mismatch => return Step::WRONG_SERVICE,
            PrefixMatch::Partial => return Step::Receive,
            PrefixMatch::Full => {}
        }
        let Some(length) = be_u16(input.remaining(), 2) else {
            return Step::Receive;
        };
        if !(HEADER_BYTES + 1..=MAX_LENGTH).contains(&length) {
            return Step::WRONG_SERVICE;
        }
        let Some(packet) = input.remaining().get(..usize::from(length)) else {
            return Step::Receive;
        };
        let data = packet.get(usize::from(HEADER_BYTES)..).unwrap_or_default();
        match data.first() {
            Some(&VERSION) => version(data).map(|version| Step::healthy(format!("SQL Server {version}"))),
            Some(&ERROR) => error(data),
            _ => None,
        }
        .unwrap_or(Step::WRONG_SERVICE)
    }

    fn end_of_stream(&mut self, _input: &Input) -> EndOfStream {
        EndOfStream::Closed {
            hint: ", as SQL Server does where it expects TLS first (strict encryption)",
        }
    }
}

/// The version in a complete list of options, of which it is the first.
fn version(data: &[u8]) -> Option<String> {
    let (mut options, mut rest) = (Vec::new(), data);
    loop {
        match rest {
            [TERMINATOR, ..] => break,
            [_, position @ ..] => {
                let (&[a, b, c, d], after) = position.split_first_chunk()?;
                options.push((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])));
                rest = after;
            }
            [] => return None,
        }
    }
    let mut contents = options
        .into_iter()
        .map(|(offset, length)| data.get(usize::from(offset)..)?.get(..usize::from(length)));
    let first = contents.next().flatten()?;
    let &[major, minor, build_high, build_low, _, _] = first else {
        return None;
    };
    // An option that points out of the packet is not of this protocol.
    contents
        .all(|content| content.is_some())
        .then(|| format!("{major}.{minor}.{}", u16::from_be_bytes([build_high, build_low])))
}

/// The number and the text of an `ERROR` token.
fn error(data: &[u8]) -> Option<Step> {
    let number = le_u32(data, 3)?;
    let characters = le_u16(data, 9)?;
    let text = data.get(11..)?.get(..usize::from(characters) * 2)?;
    let text: Vec<_> = text.chunks_exact(2).filter_map(|pair| le_u16(pair, 0)).collect();
    let class = match number {
        17142 | 18401 | 18451 => FailureClass::Starting,
        10928 | 10929 | 17809 | 40501 | 49918..=49920 => FailureClass::Busy,
        40613 => FailureClass::NoBackend,
        40532 | 40615 => FailureClass::Blocked,
        _ => FailureClass::ServiceError,
    };
    let text = String::from_utf16_lossy(&text);
    Some(Step::failure(class, format!("error {number}: {text}")))
}

#[cfg(test)]
mod tests;
