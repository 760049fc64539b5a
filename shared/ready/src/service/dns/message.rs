//! The messages of RFC 1035: a query out, a reply in.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use portpulse_core::readiness::{DnsCheck, RecordType};

use crate::input::{be_u16, shown};

/// The length of a header.
pub(super) const HEADER: u16 = 12;
/// Ours, so that a reply to something else is not taken for one to us. It guards against mix-ups, not against forgers:
/// who can forge replies on the path can forge the records as well.
const ID: u16 = 0x7070;
const CLASS_IN: u16 = 1;
const RECURSION_DESIRED: u16 = 0x0100;
const QUERY_RESPONSE: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const TRUNCATED: u16 = 0x0200;
/// RFC 1035, section 2.3.4.
const LONGEST_NAME: usize = 255;
const MOST_RECORDS: u16 = 256;

pub(super) fn query(check: &DnsCheck) -> Vec<u8> {
    let mut message = Vec::new();
    for number in [ID, RECURSION_DESIRED, 1, 0, 0, 0] {
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

/// Whether what has come of a message can be the beginning of a reply to us.
pub(super) fn may_be_reply(message: &[u8]) -> bool {
    let id = ID.to_be_bytes();
    let id_is_ours = message.iter().zip(&id).all(|(a, b)| a == b);
    let flags_are_a_reply =
        be_u16(message, 2).is_none_or(|flags| flags & (QUERY_RESPONSE | OPCODE) == QUERY_RESPONSE);
    id_is_ours && flags_are_a_reply
}

/// Whether this is a reply to us that says in its header that it was cut short, wherever the cut is.
pub(super) fn is_truncated_reply(message: &[u8]) -> bool {
    message.len() >= usize::from(HEADER)
        && may_be_reply(message)
        && be_u16(message, 2).is_some_and(|flags| flags & TRUNCATED != 0)
}

/// The RCODE of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReplyCode(u16);

impl ReplyCode {
    pub(super) const SERVFAIL: Self = Self(2);
}

impl fmt::Display for ReplyCode {
    /// IANA's name for it.
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

/// A reply, as far as it matters.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) code: ReplyCode,
    /// Whether records were left out for want of room.
    pub(super) truncated: bool,
    /// The records of the answer section whose types are known, in the form of a zone file.
    pub(super) records: Vec<String>,
}

impl Reply {
    /// Reads a whole message; `None` if it is not a well-formed reply to us.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        if message.len() < usize::from(HEADER) || !may_be_reply(message) {
            return None;
        }
        let flags = be_u16(message, 2)?;
        let (questions, answers) = (be_u16(message, 4)?, be_u16(message, 6)?);
        let mut at = usize::from(HEADER);
        for _ in 0..questions.min(MOST_RECORDS) {
            at = name(message, at)?
                .1
                .checked_add(4)
                .filter(|&end| end <= message.len())?;
        }
        let mut records = Vec::new();
        for _ in 0..answers.min(MOST_RECORDS) {
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
            code: ReplyCode(flags & 0x000f),
            truncated: flags & TRUNCATED != 0,
            records,
        })
    }
}

/// The name at an offset, in lower case without a final dot, and the offset behind it.
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
                // A pointer goes backwards, or it goes round in circles.
                if target >= at {
                    return None;
                }
                end = end.or(Some(at + 2));
                at = target;
            }
            _ => return None,
        }
        if text.len() > LONGEST_NAME * 4 {
            return None;
        }
    }
}

fn record(record_type: RecordType, message: &[u8], start: usize, data: &[u8]) -> Option<String> {
    Some(match record_type {
        RecordType::A => Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string(),
        RecordType::Aaaa => Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string(),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => name(message, start)?.0,
        RecordType::Mx => format!("{} {}", be_u16(data, 0)?, name(message, start + 2)?.0),
        RecordType::Txt => {
            let mut text = Vec::new();
            let mut rest = data;
            while let Some((&length, more)) = rest.split_first() {
                let (string, after) = more.split_at_checked(usize::from(length))?;
                text.extend_from_slice(string);
                rest = after;
            }
            shown(&text)
        }
    })
}
