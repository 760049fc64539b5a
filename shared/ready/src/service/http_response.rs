//! An HTTP/1.1 response as a whole, for services that use HTTP for their own protocol.
//!
//! Sources: RFC 9112, sections 4, 5, 6 and 7; RFC 9110, section 15.2.

use serde_json::Value;

use crate::input::{PrefixMatch, match_prefix};

/// The state of a response that arrives.
#[derive(Debug)]
pub(crate) enum Arrival<T> {
    Incomplete,
    /// Not HTTP.
    Invalid,
    Complete(T),
}

/// The head of the final response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(super) code: u16,
    /// The status code and the reason phrase.
    pub(super) status: String,
    fields: Vec<(String, String)>,
    /// The number of bytes up to the body, with interim responses.
    length: usize,
}

impl Head {
    /// Reads the head. Interim responses are skipped, except 101, which ends the use of HTTP.
    pub(super) fn read(bytes: &[u8]) -> Arrival<Self> {
        let mut start = 0;
        loop {
            let rest = bytes.get(start..).unwrap_or_default();
            if match_prefix(rest, b"HTTP/1.") == PrefixMatch::Mismatch {
                return Arrival::Invalid;
            }
            let Some(end) = end_of_head(rest) else {
                return Arrival::Incomplete;
            };
            let Some(head) = Self::of(rest.get(..end).unwrap_or_default(), start + end) else {
                return Arrival::Invalid;
            };
            if !matches!(head.code, 100 | 102..=199) {
                return Arrival::Complete(head);
            }
            start += end;
        }
    }

    fn of(bytes: &[u8], length: usize) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let status = lines
            .next()?
            .strip_prefix("HTTP/1.")?
            .split_once(' ')?
            .1
            .trim_end();
        let (code, reason) = status.split_at_checked(3)?;
        let code = Some(code).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
        let code = code?.parse().ok().filter(|code| *code >= 100)?;
        if !(reason.is_empty() || reason.starts_with(' ')) {
            return None;
        }
        let fields = lines.filter_map(|line| line.split_once(':'));
        Some(Self {
            code,
            status: status.to_owned(),
            fields: fields
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            length,
        })
    }

    /// The value of a field, whose name is in lower case.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The JSON document in the body of this response; `None` if it is another one or incomplete. `has_ended` says that
    /// no more bytes arrive.
    pub(super) fn json(&self, bytes: &[u8], has_ended: bool) -> Arrival<Option<Value>> {
        let body = bytes.get(self.length..).unwrap_or_default();
        let is_chunked = self
            .field("transfer-encoding")
            .is_some_and(|encoding| encoding.to_ascii_lowercase().ends_with("chunked"));
        let length = self.field("content-length").map(str::parse::<usize>);
        let document = match (is_chunked, length) {
            (true, _) => chunks(body),
            (false, Some(Ok(length))) => body.get(..length).map(<[u8]>::to_vec),
            (false, Some(Err(_))) => return Arrival::Complete(None),
            (false, None) => has_ended.then(|| body.to_vec()),
        };
        match document {
            Some(document) => Arrival::Complete(serde_json::from_slice(&document).ok()),
            None if has_ended => Arrival::Complete(None),
            None => Arrival::Incomplete,
        }
    }

    /// The status for a message, such as `HTTP 503 Service Unavailable`.
    pub(super) fn description(&self) -> String {
        format!("HTTP {}", self.status)
    }
}

/// The length of a head with its empty line.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        length += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Some(length);
        }
    }
    None
}

/// The content of a complete chunked body; nothing follows what is malformed.
fn chunks(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let end = body.iter().position(|&byte| byte == b'\n')?;
        let (line, rest) = body.split_at_checked(end + 1)?;
        let line = std::str::from_utf8(line).ok()?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(content);
        }
        let (chunk, rest) = rest.split_at_checked(size)?;
        content.extend_from_slice(chunk);
        body = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
    }
}

#[cfg(test)]
mod tests;
