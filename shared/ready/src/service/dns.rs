//! DNS: sends one question, by default `. NS`, and checks required and forbidden records.
//!
//! | answer | means |
//! |---|---|
//! | a well-formed reply with the query's id, including REFUSED and NXDOMAIN | healthy |
//! | SERVFAIL | healthy, with a warning |
//! | a required record is missing, or a forbidden record is present | wrong answer |
//! | nothing | silent: BIND does not answer at its `tcp-clients` quota |
//!
//! A message whose id or question differs from the query is another service over TCP. Over UDP the message is ignored,
//! because anyone can send one. A truncated reply over UDP is not evaluated: the query is repeated over TCP.
//!
//! Sources: RFC 1035, section 4; RFC 2181, section 9, for truncation; RFC 7766 for TCP; RFC 3596 for AAAA; tested with
//! BIND 9.18.

mod message;

use portpulse_core::outcome::FailureClass;
use portpulse_core::readiness::DnsCheck;

use crate::dialogue::{Dialogue, DialogueResult, Step};
use crate::input::{Input, be_u16};
pub(crate) use message::{QueryId, is_reply, is_truncated, query};
use message::{Reply, ReplyCode};

#[derive(Debug)]
pub(crate) struct Dns {
    check: DnsCheck,
    query: Vec<u8>,
    request_sent: bool,
}

impl Dns {
    pub(crate) fn over_tcp(check: &DnsCheck, id: QueryId) -> Self {
        Self {
            check: check.clone(),
            query: query(check, id),
            request_sent: false,
        }
    }
}

impl Dialogue for Dns {
    fn next(&mut self, input: &mut Input) -> Step {
        if !self.request_sent {
            self.request_sent = true;
            let mut framed = u16::try_from(self.query.len())
                .unwrap_or_default()
                .to_be_bytes()
                .to_vec();
            framed.extend_from_slice(&self.query);
            return Step::Send {
                name: self.check.to_string().into(),
                bytes: framed,
            };
        }
        let answer = input.remaining();
        let Some(length) = be_u16(answer, 0) else {
            return Step::Receive;
        };
        let message = answer.get(2..).unwrap_or_default();
        // The header shows that a message is not DNS, whatever length the first two bytes announce.
        if length < message::HEADER_BYTES || !message::may_be_reply(message, &self.query) {
            return Step::WRONG_SERVICE;
        }
        match message.get(..usize::from(length)) {
            Some(message) => Step::Done(evaluate_reply(&self.check, &self.query, message), b""),
            None => Step::Receive,
        }
    }

    fn max_bytes(&self) -> usize {
        2 + usize::from(u16::MAX)
    }
}

/// Evaluates a complete reply to a query.
pub(crate) fn evaluate_reply(check: &DnsCheck, query: &[u8], message: &[u8]) -> DialogueResult {
    let Some(reply) = Reply::read(message, query) else {
        return DialogueResult::WrongService;
    };
    let found = if reply.records.is_empty() {
        String::new()
    } else {
        format!(" {}", reply.records.join(", "))
    };
    let truncated = if reply.truncated { ", truncated" } else { "" };
    let banner = format!("{check}: {}{found}{truncated}", reply.code);
    if let Some(missing) = check.must().iter().find(|record| !reply.records.contains(record)) {
        return DialogueResult::Failed(
            FailureClass::WrongAnswer,
            format!("{banner}; {missing} is missing"),
        );
    }
    if let Some(forbidden) = check
        .must_not()
        .iter()
        .find(|record| reply.records.contains(record))
    {
        return DialogueResult::Failed(
            FailureClass::WrongAnswer,
            format!("{banner}; {forbidden} must not be present"),
        );
    }
    let warning = (reply.code == ReplyCode::SERVFAIL).then(|| banner.clone());
    DialogueResult::Healthy { banner, warning }
}

#[cfg(test)]
mod tests;
