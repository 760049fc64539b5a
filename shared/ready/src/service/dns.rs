//! DNS: sends one question, by default `. NS`, and checks required and forbidden records.
//!
//! | condition | code | outcome | why |
//! |---|---|---|---|
//! | reply to the default question, `. NS` | `NOERROR` `REFUSED` | open | the server decided about the question; authoritative servers refuse this one |
//! | `REFUSED` to the default question, from a server that offers recursion | – | open, with a warning | a forwarder without servers to ask, such as dnsmasq before the network is up; or it resolves nothing for this client |
//! | reply to the default question, `. NS` | `SERVFAIL` | open, with a warning | the server works, but resolves nothing |
//! | reply to the default question, `. NS` | any other | service_error | not known to come from a server that works |
//! | reply to a configured question | `NOERROR` `NXDOMAIN` | open | the server decided about the name |
//! | reply to a configured question | any other | service_error | the server does not answer what is asked |
//! | a required record is missing | – | wrong_answer | the records are not the expected ones |
//! | a forbidden record is present | – | wrong_answer | the records are not the expected ones |
//! | nothing | – | silent | BIND does not answer at its `tcp-clients` quota |
//!
//! A message whose id or question differs from the query is another service over TCP. Over UDP the message is ignored,
//! because anyone can send one. A truncated reply over UDP is not evaluated: the query is repeated over TCP.
//!
//! Sources: RFC 1035, section 4; RFC 2181, section 9, for truncation; RFC 7766 for TCP; RFC 3596 for AAAA;
//! RFC 2782 for SRV; RFC 8659 for CAA; tested with BIND 9.18, unbound 1.17 and dnsmasq 2.90.

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
    // The record comes first, because a long list of others may be cut.
    let wrong = |record: &str, what: &str| {
        DialogueResult::Failed(FailureClass::WrongAnswer, format!("{record} {what}: {banner}"))
    };
    if let Some(missing) = check.must().iter().find(|record| !reply.records.contains(record)) {
        return wrong(missing, "is missing");
    }
    if let Some(forbidden) = check
        .must_not()
        .iter()
        .find(|record| reply.records.contains(record))
    {
        return wrong(forbidden, "must not be present");
    }
    let is_default_question = check.name().is_empty();
    let warning = match reply.code {
        ReplyCode::NOERROR => None,
        ReplyCode::REFUSED if is_default_question && reply.offers_recursion => {
            Some(format!("{banner}, although the server offers recursion"))
        }
        ReplyCode::REFUSED if is_default_question => None,
        ReplyCode::NXDOMAIN if !is_default_question => None,
        ReplyCode::SERVFAIL if is_default_question => Some(banner.clone()),
        _ => return DialogueResult::Failed(FailureClass::ServiceError, banner),
    };
    DialogueResult::Healthy { banner, warning }
}

#[cfg(test)]
mod tests;
