//! The options of `ready` checks.

use portpulse_core::readiness::{DnsCheck, HttpCheck, Method, Readiness, RecordType, Script, Transport};
use serde_json::{Value, json};

use crate::{choice, number};

const STATUS: &str = "^([1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$";

pub(crate) fn tls() -> Value {
    let about = |value: Value, description: &str| json!({ "const": value, "description": description });
    json!({
        "description": "Whether and when TLS starts. The ports 443, 465, 993, 995 and 8443 and the services smtps, imaps, pop3s, https and tls imply `true`.",
        "oneOf": [
            about(json!(true), "TLS from the start of the connection."),
            about(json!(false), "No TLS."),
            about(json!("starttls"), "Upgrade within the protocol: PostgreSQL, MySQL, MariaDB, SMTP, IMAP, POP3."),
        ],
    })
}

pub(crate) fn warn_days() -> Value {
    number(
        "The number of days before the expiry of the certificate from which the monitor is degraded; 0 disables this.",
        0,
        u32::from(Readiness::MAX_WARN_DAYS),
    )
}

pub(crate) fn http() -> Value {
    let methods = Method::ALL.iter().map(|value| value.as_str());
    json!({
        "description": "The request of `service: http` or `https`, and the expected response.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "method": choice("The method. Default: HEAD, or GET with `text`.", methods),
            "path": {
                "description": "The path with its query. Default: /.",
                "type": "string",
                "pattern": "^/[!-~]*$",
                "maxLength": HttpCheck::MAX_BYTES,
            },
            "status": {
                "description": "The accepted statuses: 200, 2xx, 200-299 or a list of these. Default: all below 500.",
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
            "text": text("A text that the first 64 KiB of the body must contain.", HttpCheck::MAX_BYTES),
            "follow": {
                "description": "Whether to follow redirects: at most five, on the same host.",
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
    let types = RecordType::ALL.iter().map(|value| value.as_str());
    let transports = Transport::ALL.iter().map(|value| value.as_str());
    json!({
        "description": "The query of `service: dns`, and the required and forbidden records.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": {
                "description": "The name to query. Default: the root.",
                "type": "string",
                "maxLength": 254,
            },
            "type": choice("The record type to query. Default: A, or NS for the root.", types),
            "must": records("Required records, such as 192.0.2.1 or 10 mail.example.com."),
            "must_not": records("Forbidden records."),
            "transport": choice("The transport of the query. Default: tcp.", transports),
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
        "description": "Texts to send and to expect, in order, for services without a preset.",
        "type": "array",
        "minItems": 1,
        "maxItems": Script::MAX_STEPS,
        "items": { "oneOf": [
            step("send", "A text to send; in double quotes, \\r\\n ends a line."),
            step("expect", "A text that must be received, anywhere after the previous expected text."),
        ] },
    })
}

fn text(description: &str, max: usize) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1, "maxLength": max })
}
