//! DNS: one question, `. NS` unless told otherwise, and the records that must or must not be in the answer.
//!
//! | answer | means |
//! |---|---|
//! | a well-formed reply with our id, REFUSED and NXDOMAIN too | healthy |
//! | SERVFAIL | healthy, with a warning |
//! | a record that must be there is missing, or one that must not be is there | wrong answer |
//! | nothing | silent: BIND does so at its `tcp-clients` quota |
//!
//! What is no reply to this very question, by its id and by the question in it, is another service over TCP; over UDP
//! it is nothing, since anybody can send it.
//! A truncated reply over UDP means nothing by itself: the question is asked again over TCP.
//!
//! Sources: RFC 1035, section 4; RFC 2181, section 9, for truncation; RFC 7766 for TCP; RFC 3596 for AAAA; seen with
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
        // What is not DNS shows in the header, whatever length the first two bytes make.
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

/// What a whole reply to a query means.
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
    if let Some(unwanted) = check
        .must_not()
        .iter()
        .find(|record| reply.records.contains(record))
    {
        return DialogueResult::Failed(
            FailureClass::WrongAnswer,
            format!("{banner}; {unwanted} must not be there"),
        );
    }
    let warning = (reply.code == ReplyCode::SERVFAIL).then(|| banner.clone());
    DialogueResult::Healthy { banner, warning }
}

#[cfg(test)]
mod tests;
