//! Converts conditions of Gatus to options of a check. All conditions of an endpoint must hold, so several of one kind
//! narrow each other.
//!
//! Source: <https://github.com/TwiN/gatus/blob/master/README.md#conditions>

mod parse;

use std::time::Duration;

use serde_json::json;

use self::parse::{Condition, Operator, Part, Pattern, Subject};
use super::Protocol;
use crate::draft::Draft;
use crate::duration::{duration, scaled};
use crate::http_request::SECRET_BODY;
use crate::secret::seems_secret;
use crate::statuses::Statuses;

const UNSUPPORTED: &str = "This condition is not supported, so it is not checked.";
const ONE_TEXT: &str = "Only one text can be required, so this one is not checked.";
const NEVER: &str = "No answer meets this condition, so Gatus always reports the endpoint as unhealthy.";

/// What the conditions require, as far as definitions can express it.
struct Required {
    statuses: Statuses,
    connected: Option<bool>,
    /// The lowest limit, with its condition.
    response_limit: Option<(Duration, String)>,
    certificate: Option<(u64, String)>,
    /// The text, with its condition.
    text: Option<(String, String)>,
    records: Vec<String>,
    forbidden_records: Vec<String>,
    asks_for_rcode: bool,
}

/// Applies the conditions to the draft, with a note for each unsupported one.
///
/// # Errors
/// If the conditions contradict each other, or the protocol.
pub(super) fn apply(
    draft: &mut Draft,
    conditions: &[String],
    protocol: Protocol,
    sent: Option<&str>,
) -> Result<(), &'static str> {
    let mut required = Required {
        statuses: Statuses::all(),
        connected: None,
        response_limit: None,
        certificate: None,
        text: None,
        records: Vec::new(),
        forbidden_records: Vec::new(),
        asks_for_rcode: false,
    };
    for text in conditions {
        let Some(condition) = Condition::parse(text) else {
            draft.lost(text, UNSUPPORTED);
            continue;
        };
        required.add(draft, &condition, protocol)?;
    }
    connection(draft, required.connected, protocol)?;
    if let Some((limit, label)) = &required.response_limit {
        draft.set_response_limit(label, *limit);
    }
    match &required.certificate {
        Some((days, label)) => {
            draft.set_warn_days(label, Some(*days));
            if draft.has("warn_days") {
                draft.changed(
                    label,
                    "An expiring certificate makes the monitor degraded, not down.",
                );
            }
        }
        None => draft.set_warn_days("", None),
    }
    match protocol {
        Protocol::Http => http(draft, &required)?,
        Protocol::Dns => dns(draft, &required),
        Protocol::Tcp | Protocol::Tls => script(draft, required.text.as_ref(), sent),
        Protocol::StartTls | Protocol::Ssh { .. } | Protocol::Icmp | Protocol::PortOnly => {}
    }
    Ok(())
}

impl Required {
    /// Adds a condition.
    ///
    /// # Errors
    /// If no result can meet the condition.
    fn add(
        &mut self,
        draft: &mut Draft,
        condition: &Condition,
        protocol: Protocol,
    ) -> Result<(), &'static str> {
        let Condition { operator, value, .. } = condition;
        let label = condition.label();
        let is_supported = match condition.subject {
            Subject::Connected => match condition.boolean() {
                Some(expected) => {
                    if self.connected.is_some_and(|known| known != expected) {
                        return Err("Its conditions on [CONNECTED] contradict each other.");
                    }
                    self.connected = Some(expected);
                    true
                }
                None => false,
            },
            Subject::Status if protocol == Protocol::Http => condition.narrow(&mut self.statuses),
            // The exit status of the banner check of Gatus is 0.
            Subject::Status if protocol == (Protocol::Ssh { signs_in: false }) => {
                condition.is_equality_with("0")
            }
            Subject::ResponseTime => match condition.upper_limit() {
                Some(limit) if !limit.is_zero() => {
                    if self
                        .response_limit
                        .as_ref()
                        .is_none_or(|(known, _)| limit < *known)
                    {
                        self.response_limit = Some((limit, label.clone()));
                    }
                    true
                }
                Some(_) => return Err(NEVER),
                None => false,
            },
            Subject::CertificateExpiration => match (operator, duration(value, Duration::from_millis(1))) {
                (Operator::Greater | Operator::GreaterOrEqual, Some(left)) => {
                    let days = scaled(left, 1.0 / 86_400.0).unwrap_or_default();
                    let days = days.as_secs().saturating_add(u64::from(days.subsec_nanos() > 0));
                    if self.certificate.as_ref().is_none_or(|(known, _)| days > *known) {
                        self.certificate = Some((days, label.clone()));
                    }
                    true
                }
                _ => false,
            },
            Subject::DnsRcode if protocol == Protocol::Dns => {
                self.asks_for_rcode = condition.is_equality_with("NOERROR");
                self.asks_for_rcode
            }
            Subject::Body if protocol == Protocol::Dns => return self.record(draft, condition),
            Subject::Body if protocol == Protocol::Http => whole_body(draft, condition),
            Subject::Body if protocol.has_body() => return self.body(draft, condition),
            Subject::Other if protocol == Protocol::Http => part_of_body(draft, condition),
            Subject::Status | Subject::DnsRcode | Subject::Body | Subject::Other => false,
        };
        if !is_supported {
            draft.lost(&label, UNSUPPORTED);
        }
        Ok(())
    }

    fn body(&mut self, draft: &mut Draft, condition: &Condition) -> Result<(), &'static str> {
        let label = condition.label();
        if condition.operator != Operator::Equal {
            let reason = "A text can only be required, not forbidden, so this condition is not checked.";
            draft.lost(&label, reason);
            return Ok(());
        }
        let (text, is_contained) = match condition.pattern() {
            Some(Pattern::Anything) => return Ok(()),
            Some(Pattern::Contains(text)) => (text, true),
            Some(Pattern::Exactly(text)) => (text, false),
            None => {
                draft.lost(
                    &label,
                    "Only a plain text can be required, so this condition is not checked.",
                );
                return Ok(());
            }
        };
        if self.text.as_ref().is_some_and(|(known, _)| *known != text) {
            draft.lost(&label, ONE_TEXT);
            return Ok(());
        }
        if !is_contained {
            draft.changed(&label, "The body must contain the text; it need not equal it.");
        }
        self.text = Some((text, label));
        Ok(())
    }

    fn record(&mut self, draft: &mut Draft, condition: &Condition) -> Result<(), &'static str> {
        let label = condition.label();
        let is_mx = draft.fields.get("dns").and_then(|dns| dns.get("type")) == Some(&json!("MX"));
        match (condition.operator, condition.pattern()) {
            (Operator::Equal, Some(Pattern::Anything)) => {}
            (Operator::Equal | Operator::NotEqual, _) if is_mx => {
                let reason = "A definition requires the preference of a mail server too, such as `10 mail.example.com`, \
                              so this condition is not checked.";
                draft.lost(&label, reason);
            }
            (Operator::Equal, Some(Pattern::Exactly(record))) => {
                if self.records.iter().any(|known| *known != record) {
                    return Err("Its conditions on [BODY] contradict each other.");
                }
                let reason = "Gatus compares the last record of the answer; Portpulse looks for the record in the whole \
                              answer.";
                draft.changed(&label, reason);
                self.records = vec![record];
            }
            (Operator::NotEqual, Some(Pattern::Exactly(record))) => {
                let reason = "Gatus compares the last record of the answer; Portpulse refuses the record in the whole \
                              answer.";
                draft.changed(&label, reason);
                self.forbidden_records.push(record);
            }
            _ => draft.lost(
                &label,
                "Only one complete record can be required, so this condition is not checked.",
            ),
        }
        Ok(())
    }
}

/// Applies the conditions on `[CONNECTED]`.
///
/// # Errors
/// If the protocol cannot be expected to fail.
fn connection(draft: &mut Draft, connected: Option<bool>, protocol: Protocol) -> Result<(), &'static str> {
    match (connected, protocol) {
        (Some(false), Protocol::Tcp) => {
            draft.set("expect", "closed");
            if draft.fields.get("failures_to_open") != Some(&json!(1)) {
                let reason = "An open port is reported at the first check, without a threshold.";
                draft.changed("[CONNECTED] == false", reason);
            }
        }
        (Some(false), Protocol::Icmp) => return Err("A host cannot be expected to be unreachable."),
        (Some(false), _) => return Err(NEVER),
        // For these protocols, a failure to connect is an error of its own in Gatus.
        (None, Protocol::Tcp | Protocol::Icmp) => draft.changed(
            "conditions",
            "Without a condition on [CONNECTED], Gatus accepts a failed connect; Portpulse does not.",
        ),
        (Some(true) | None, _) => {}
    }
    Ok(())
}

fn http(draft: &mut Draft, required: &Required) -> Result<(), &'static str> {
    if required.statuses.is_empty() {
        return Err("Its conditions on [STATUS] contradict each other.");
    }
    match required.statuses.field() {
        Ok(statuses) => draft.set_option("http", "status", statuses),
        Err(reason) => {
            draft.set_option("http", "status", json!(["100-999"]));
            draft.lost("[STATUS]", reason);
        }
    }
    Ok(())
}

/// Requires or forbids the whole body of a response; `false` if the condition is unsupported.
fn whole_body(draft: &mut Draft, condition: &Condition) -> bool {
    let label = condition.label();
    let is_equal = match condition.operator {
        Operator::Equal => true,
        Operator::NotEqual => false,
        Operator::LessOrEqual | Operator::GreaterOrEqual | Operator::Less | Operator::Greater => {
            return false;
        }
    };
    match condition.pattern() {
        Some(Pattern::Anything) if is_equal => return true,
        Some(Pattern::Contains(text)) if is_equal => draft.require_text(&label, &text),
        Some(Pattern::Contains(text)) => draft.forbid_text(&label, &text),
        Some(Pattern::Anything | Pattern::Exactly(_)) | None => {
            let Some(pattern) = condition.expression() else {
                return false;
            };
            let option = if is_equal {
                "body_matches"
            } else {
                "body_not_matches"
            };
            draft.add_pattern(&label, option, &format!("(?s){pattern}"));
        }
    }
    true
}

/// Requires a value in a JSON body; `false` if the condition is unsupported.
fn part_of_body(draft: &mut Draft, condition: &Condition) -> bool {
    let label = condition.label();
    let Some(part) = condition.part() else {
        return false;
    };
    if condition.is_secret() {
        draft.lost(
            &label,
            "The value looks like a secret, so it was not copied and is not checked.",
        );
        return true;
    }
    let operator = match condition.operator {
        Operator::Equal => "==",
        Operator::NotEqual => "!=",
        Operator::LessOrEqual => "<=",
        Operator::GreaterOrEqual => ">=",
        Operator::Less => "<",
        Operator::Greater => ">",
    };
    let is_order = !matches!(condition.operator, Operator::Equal | Operator::NotEqual);
    let number = condition.value.parse::<i64>().ok();
    let required = match part {
        Part::Has(path) => match condition.boolean() {
            Some(true) => json!({ "path": path, "operator": "exists" }),
            Some(false) => json!({ "path": path, "operator": "absent" }),
            None => return false,
        },
        Part::Length(path) => match number {
            Some(number) => json!({ "path": path, "length": true, "operator": operator, "value": number }),
            None => return false,
        },
        Part::Value(path) if is_order => match number {
            Some(number) => json!({ "path": path, "operator": operator, "value": number }),
            None => return false,
        },
        Part::Value(path) => match (condition.values().as_deref(), condition.expression()) {
            (Some([value]), _) => json!({ "path": path, "operator": operator, "value": value }),
            (_, Some(pattern)) if condition.operator == Operator::Equal => {
                json!({ "path": path, "operator": "matches", "value": pattern })
            }
            _ => return false,
        },
    };
    if condition.operator == Operator::NotEqual && required.get("value").is_some() {
        let reason = "A missing value fails; Gatus accepts it, because it differs.";
        draft.changed(&label, reason);
    }
    draft.require_json(&label, required);
    true
}

fn dns(draft: &mut Draft, required: &Required) {
    if !required.records.is_empty() {
        draft.set_option("dns", "must", json!(required.records));
    }
    if !required.forbidden_records.is_empty() {
        draft.set_option("dns", "must_not", json!(required.forbidden_records));
    }
    if required.asks_for_rcode && required.records.is_empty() {
        let reason =
            "Without a required record, any answer except a server failure is accepted, also NXDOMAIN.";
        draft.changed("[DNS_RCODE] == NOERROR", reason);
    } else if !required.asks_for_rcode {
        let reason = "A server failure or a refusal counts as down; Gatus ignores it without a condition on [DNS_RCODE].";
        draft.changed("conditions", reason);
    }
}

/// A text that is sent and an expected text are a script.
fn script(draft: &mut Draft, text: Option<&(String, String)>, sent: Option<&str>) {
    match (sent, text) {
        (Some(sent), _) if seems_secret(sent) => draft.lost("body", SECRET_BODY),
        (Some(sent), Some((text, _))) if !draft.has("expect") => {
            let is_tls = draft.fields.remove("service").is_some();
            draft.set("script", json!([{ "send": sent }, { "expect": text }]));
            draft.set("tls", is_tls);
        }
        (Some(_), _) => draft.lost(
            "body",
            "A text is sent only where a text is expected, so this one is not sent.",
        ),
        (None, Some((_, label))) => draft.lost(
            label,
            "Gatus reads nothing without `body`, so the condition is not checked.",
        ),
        (None, None) => {}
    }
}
