//! The options of a `ready` check.

use portpulse_core::readiness::{DnsCheck, HttpCheck, Method, Readiness, RecordType, Script, Transport};
use serde_json::{Value, json};

use crate::{number, words};

const STATUS: &str = "^([1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$";

pub(crate) fn tls() -> Value {
    let about = |value: Value, description: &str| json!({ "const": value, "description": description });
    json!({
        "description": "Whether and when TLS begins; the ports 443, 465, 993, 995, 8443 and the services smtps, imaps, pop3s, https and tls imply it.",
        "oneOf": [
            about(json!(true), "At once, before the protocol."),
            about(json!(false), "Never."),
            about(json!("starttls"), "Within the protocol: PostgreSQL, MySQL, MariaDB, SMTP, IMAP, POP3."),
        ],
    })
}

pub(crate) fn warn_days() -> Value {
    number(
        "Days before the certificate expires from which the monitor is degraded; 0 is never.",
        0,
        u32::from(Readiness::MAX_WARN_DAYS),
    )
}

pub(crate) fn http() -> Value {
    let methods = Method::ALL.iter().map(|word| word.as_str());
    json!({
        "description": "The request of `service: http` or `https`, and what must come back.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "method": words("HEAD, or GET where a text must appear, unless told otherwise.", methods),
            "path": {
                "description": "What to ask for, query included; / if absent.",
                "type": "string",
                "pattern": "^/[!-~]*$",
                "maxLength": HttpCheck::MAX_BYTES,
            },
            "status": {
                "description": "What is good: 200, 2xx, 200-299 or a list of these; anything below 500 if absent.",
                "oneOf": [
                    { "type": "integer", "minimum": 100, "maximum": 599 },
                    { "type": "string", "pattern": STATUS },
                    {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": HttpCheck::MAX_STATUSES,
                        "items": { "oneOf": [
                            { "type": "integer", "minimum": 100, "maximum": 599 },
                            { "type": "string", "pattern": STATUS },
                        ] },
                    },
                ],
            },
            "text": text("A text that must appear in the first 64 KiB of the body.", HttpCheck::MAX_BYTES),
            "follow": {
                "description": "Whether redirects are followed, on the same host, at most five.",
                "type": "boolean",
                "default": false,
            },
        },
    })
}

pub(crate) fn dns() -> Value {
    let records = |description: &str| {
        json!({
            "description": description,
            "type": "array",
            "maxItems": DnsCheck::MAX_RECORDS,
            "items": { "type": "string", "minLength": 1, "maxLength": DnsCheck::MAX_BYTES },
        })
    };
    let types = RecordType::ALL.iter().map(|word| word.as_str());
    let transports = Transport::ALL.iter().map(|word| word.as_str());
    json!({
        "description": "The question to `service: dns`, and the records that must or must not be in the answer.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": {
                "description": "The name to ask for; the root if absent.",
                "type": "string",
                "maxLength": 254,
            },
            "type": words("The type of record to ask for: A, or NS for the root, if absent.", types),
            "must": records("Records that must be there, such as 192.0.2.1 or 10 mail.example.com."),
            "must_not": records("Records that must not be there."),
            "transport": words("How the question travels: tcp if absent.", transports),
        },
    })
}

pub(crate) fn script() -> Value {
    let step = |name: &str, description: &str| {
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": [name],
            "properties": { name: text(description, Script::MAX_BYTES) },
        })
    };
    json!({
        "description": "Texts to send and to wait for, in order, for what is no known service.",
        "type": "array",
        "minItems": 1,
        "maxItems": Script::MAX_STEPS,
        "items": { "oneOf": [
            step("send", "What to send; in double quotes, \\r\\n is the end of a line."),
            step("expect", "What must come, anywhere behind what was waited for before."),
        ] },
    })
}

fn text(description: &str, most: usize) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1, "maxLength": most })
}
