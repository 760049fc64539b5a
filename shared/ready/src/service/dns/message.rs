//! DNS messages (RFC 1035): encodes queries and decodes replies.
//!
//! Not with `hickory-proto`, which rejects a whole reply for one malformed record in a section that is not asked for.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, Ipv6Addr};

use portpulse_core::readiness::{DnsCheck, RecordType};

use crate::input::{be_u16, be_u32, excerpt};

/// The length of a message header.
pub(super) const HEADER_BYTES: u16 = 12;
const CLASS_IN: u16 = 1;
const RECURSION_DESIRED: u16 = 0x0100;
const QUERY_RESPONSE: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const TRUNCATED: u16 = 0x0200;
/// `RA`.
const RECURSION_AVAILABLE: u16 = 0x0080;
const RCODE: u16 = 0x000f;
/// The maximum length of a name in bytes (RFC 1035, section 2.3.4).
const MAX_NAME_LENGTH: usize = 255;
const MAX_RECORDS: u16 = 256;

/// The id of a query, which its reply repeats. Together with the random source port, the id keeps an attacker who
/// cannot see the query from forging a reply (RFC 5452, section 9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueryId(u16);

impl QueryId {
    /// Creates an unpredictable id: the keys of the standard library's hashers come from the system's random source.
    pub(crate) fn random() -> Self {
        let [high, low, ..] = RandomState::new().hash_one(()).to_be_bytes();
        Self(u16::from_be_bytes([high, low]))
    }

    #[cfg(test)]
    pub(super) const fn fixed(id: u16) -> Self {
        Self(id)
    }
}

/// Encodes a query as sent in a datagram, or after its length over TCP.
pub(crate) fn query(check: &DnsCheck, QueryId(id): QueryId) -> Vec<u8> {
    let mut message = Vec::new();
    for number in [id, RECURSION_DESIRED, 1, 0, 0, 0] {
        message.extend_from_slice(&number.to_be_bytes());
    }
    for label in check.name().split('.').filter(|label| !label.is_empty()) {
        message.push(u8::try_from(label.len()).unwrap_or_default());
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&check.record_type().number().to_be_bytes());
    message.extend_from_slice(&CLASS_IN.to_be_bytes());
    message
}

/// Whether the bytes received so far can be the start of a reply to a query.
pub(super) fn may_be_reply(message: &[u8], query: &[u8]) -> bool {
    let id_is_ours = message.iter().zip(query.iter().take(2)).all(|(a, b)| a == b);
    let flags_are_a_reply =
        be_u16(message, 2).is_none_or(|flags| flags & (QUERY_RESPONSE | OPCODE) == QUERY_RESPONSE);
    id_is_ours && flags_are_a_reply
}

/// Whether a message has the header of a reply to a query, and its question (RFC 5452, section 9.1).
///
/// An error reply may omit the question, as some servers do with FORMERR and REFUSED.
pub(crate) fn is_reply(message: &[u8], query: &[u8]) -> bool {
    let (Some(flags), Some(questions)) = (be_u16(message, 2), be_u16(message, 4)) else {
        return false;
    };
    let header = usize::from(HEADER_BYTES);
    let sent_question = query.get(header..).unwrap_or_default();
    let received_question = message.get(header..header + sent_question.len());
    message.len() >= header
        && may_be_reply(message, query)
        && match questions {
            0 => flags & (RCODE | TRUNCATED) != 0,
            // A server may change the case of a name (RFC 4343).
            _ => received_question.is_some_and(|question| question.eq_ignore_ascii_case(sent_question)),
        }
}

/// Whether the header of a reply marks it as truncated.
pub(crate) fn is_truncated(reply: &[u8]) -> bool {
    be_u16(reply, 2).is_some_and(|flags| flags & TRUNCATED != 0)
}

/// The RCODE of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReplyCode(u16);

impl ReplyCode {
    pub(super) const NOERROR: Self = Self(0);
    pub(super) const SERVFAIL: Self = Self(2);
    pub(super) const NXDOMAIN: Self = Self(3);
    pub(super) const REFUSED: Self = Self(5);
}

impl fmt::Display for ReplyCode {
    /// Writes IANA's name of the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("NOERROR"),
            1 => f.write_str("FORMERR"),
            2 => f.write_str("SERVFAIL"),
            3 => f.write_str("NXDOMAIN"),
            4 => f.write_str("NOTIMP"),
            5 => f.write_str("REFUSED"),
            other => write!(f, "RCODE {other}"),
        }
    }
}

/// The needed parts of a reply.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) code: ReplyCode,
    /// Whether records are missing for lack of space.
    pub(super) truncated: bool,
    /// Whether the server offers to ask other servers.
    pub(super) offers_recursion: bool,
    /// The records of known types in the answer section, in zone file format.
    pub(super) records: Vec<String>,
}

impl Reply {
    /// Reads a complete message; `None` if it is not a well-formed reply to the query.
    pub(super) fn read(message: &[u8], query: &[u8]) -> Option<Self> {
        if !is_reply(message, query) {
            return None;
        }
        let flags = be_u16(message, 2)?;
        let (questions, answers) = (be_u16(message, 4)?, be_u16(message, 6)?);
        let mut at = usize::from(HEADER_BYTES);
        for _ in 0..questions.min(MAX_RECORDS) {
            at = name(message, at)?
                .1
                .checked_add(4)
                .filter(|&end| end <= message.len())?;
        }
        let mut records = Vec::new();
        for _ in 0..answers.min(MAX_RECORDS) {
            let (_, after) = name(message, at)?;
            let number = be_u16(message, after)?;
            let start = after + 10;
            at = start + usize::from(be_u16(message, after + 8)?);
            if let Some(known) = RecordType::ALL.iter().find(|known| known.number() == number) {
                records.push(record(*known, message, start, message.get(start..at)?)?);
            }
        }
        if at > message.len() {
            return None;
        }
        Some(Self {
            code: ReplyCode(flags & RCODE),
            truncated: flags & TRUNCATED != 0,
            offers_recursion: flags & RECURSION_AVAILABLE != 0,
            records,
        })
    }
}

/// Reads the name at an offset: in lower case without a final dot, and the offset after it.
fn name(message: &[u8], start: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut at = start;
    let mut end = None;
    loop {
        let length = *message.get(at)?;
        match length {
            0 => return Some((text, end.unwrap_or(at + 1))),
            1..=63 => {
                let label = message.get(at + 1..at + 1 + usize::from(length))?;
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(&label.to_ascii_lowercase().escape_ascii().to_string());
                at += 1 + usize::from(length);
            }
            192..=255 => {
                let target = usize::from(be_u16(message, at)? & 0x3fff);
                // A pointer must point backwards, otherwise names could loop.
                if target >= at {
                    return None;
                }
                end = end.or(Some(at + 2));
                at = target;
            }
            _ => return None,
        }
        if text.len() > MAX_NAME_LENGTH * 4 {
            return None;
        }
    }
}

fn record(record_type: RecordType, message: &[u8], start: usize, data: &[u8]) -> Option<String> {
    Some(match record_type {
        RecordType::A => Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string(),
        RecordType::Aaaa => Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string(),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => name(message, start)?.0,
        RecordType::Soa => {
            let (primary, after) = name(message, start)?;
            let (mailbox, after) = name(message, after)?;
            let mut record = format!("{primary} {mailbox}");
            for place in 0..5 {
                record.push_str(&format!(" {}", be_u32(message, after + 4 * place)?));
            }
            record
        }
        RecordType::Srv => {
            let [priority, weight, port] = [be_u16(data, 0)?, be_u16(data, 2)?, be_u16(data, 4)?];
            format!("{priority} {weight} {port} {}", name(message, start + 6)?.0)
        }
        RecordType::Caa => {
            let (&[flags, length], rest) = data.split_first_chunk()?;
            let (tag, value) = rest.split_at_checked(usize::from(length))?;
            let tag = tag.to_ascii_lowercase().escape_ascii().to_string();
            format!("{flags} {tag} {}", excerpt(value))
        }
        RecordType::Mx => format!("{} {}", be_u16(data, 0)?, name(message, start + 2)?.0),
        RecordType::Txt => {
            let mut text = Vec::new();
            let mut rest = data;
            while let Some((&length, more)) = rest.split_first() {
                let (string, after) = more.split_at_checked(usize::from(length))?;
                text.extend_from_slice(string);
                rest = after;
            }
            excerpt(&text)
        }
    })
}
