//! Reads the options of a `ready` check.

use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, FieldPath, InvalidValue};
use super::fields::{FieldValue, RawTls};
use super::reader::Reader;
use super::section::Section;
use super::values::{kind_of, number};
use crate::readiness::{
    DnsCheck, DnsCheckError, HttpCheck, HttpCheckError, Method, Readiness, RecordType, Script, ScriptError,
    ScriptStep, Transport,
};
use crate::text::quoted;

/// The options of the exchange. An invalid option is `None` and already has a diagnostic.
pub(super) struct Options {
    pub(super) tls: Option<TlsChoice>,
    pub(super) warn_days: Option<u16>,
    pub(super) http: Option<HttpCheck>,
    pub(super) dns: Option<DnsCheck>,
    pub(super) script: Scripted,
}

/// The value of the field `tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsChoice {
    /// `true`: TLS from the start.
    On,
    /// `false`: no TLS.
    Off,
    /// `starttls`: TLS after an upgrade within the protocol.
    StartTls,
}

/// The field `script`: whether it is present, and the script if it is valid.
pub(super) struct Scripted {
    pub(super) is_present: bool,
    pub(super) read: Option<Script>,
}

const STEP: &str = "write `{ send: … }` or `{ expect: … }`";

impl Reader<'_> {
    pub(super) fn options(
        &mut self,
        tls: Option<FieldValue<RawTls>>,
        warn_days: Option<FieldValue<i64>>,
        http: Option<FieldValue<Map<String, Value>>>,
        dns: Option<FieldValue<Map<String, Value>>>,
        script: Option<FieldValue<Vec<Value>>>,
    ) -> Options {
        let most = u32::from(Readiness::MAX_WARN_DAYS);
        let warn_days = self.optional("warn_days", warn_days, number(0..=most));
        Options {
            tls: self.optional("tls", tls, tls_choice),
            warn_days: warn_days.and_then(|days| u16::try_from(days).ok()),
            http: self.map("http", http, read_http),
            dns: self.map("dns", dns, read_dns),
            script: Scripted {
                is_present: script.is_some(),
                read: self.script(script),
            },
        }
    }

    /// Reads a field that is a map.
    fn map<T>(
        &mut self,
        field: &str,
        value: Option<FieldValue<Map<String, Value>>>,
        read: impl FnOnce(&mut Section<'_>) -> Option<T>,
    ) -> Option<T> {
        let fields = self.optional(field, value, Ok::<_, InvalidValue>)?;
        let mut section = Section {
            at: self.place(field),
            fields: &fields,
            diagnostics: Vec::new(),
        };
        let value = read(&mut section);
        let is_valid = section.diagnostics.is_empty();
        self.diagnostics.append(&mut section.diagnostics);
        value.filter(|_| is_valid)
    }

    fn script(&mut self, value: Option<FieldValue<Vec<Value>>>) -> Option<Script> {
        let values = self.optional("script", value, Ok::<Vec<Value>, InvalidValue>)?;
        let at = self.place("script");
        let diagnostics = self.diagnostics.len();
        let mut steps = Vec::new();
        for (index, value) in values.iter().enumerate() {
            match read_step(&at.index(index), value) {
                Ok(step) => steps.push(step),
                Err(diagnostic) => self.diagnostics.push(diagnostic),
            }
        }
        let is_read = steps.len() == values.len();
        if !(1..=Script::MAX_STEPS).contains(&values.len()) {
            let help = format!("write 1 to {}", Script::MAX_STEPS);
            let what = format!("has {} steps", values.len());
            self.diagnostics.push(Diagnostic::new(at.clone(), what, help));
        }
        let errors = match Script::new(steps) {
            Ok(script) if self.diagnostics.len() == diagnostics => return Some(script),
            Ok(_) => Vec::new(),
            Err(errors) => errors,
        };
        for error in errors {
            let (place, what, help) = match error {
                // Already reported above.
                ScriptError::Count => continue,
                // Not reported while other steps are invalid.
                ScriptError::Size(_) | ScriptError::ExpectsNothing if !is_read || values.is_empty() => {
                    continue;
                }
                ScriptError::ExpectsNothing => (
                    at.clone(),
                    "has no `expect` step, so it can never fail".to_owned(),
                    "add `{ expect: … }`".to_owned(),
                ),
                ScriptError::Size(step) => (
                    at.index(step.saturating_sub(1)),
                    "is empty or too long".to_owned(),
                    format!("write 1 to {} bytes", Script::MAX_BYTES),
                ),
            };
            self.diagnostics.push(Diagnostic::new(place, what, help));
        }
        None
    }
}

fn tls_choice(raw: RawTls) -> Result<TlsChoice, InvalidValue> {
    match raw {
        RawTls::Bool(true) => Ok(TlsChoice::On),
        RawTls::Bool(false) => Ok(TlsChoice::Off),
        RawTls::Text(word) if word == "starttls" => Ok(TlsChoice::StartTls),
        RawTls::Text(word) => Err(InvalidValue::new(
            format!("unknown value `{}`", quoted(&word)),
            "write true, false or starttls",
        )),
    }
}

fn read_step(at: &FieldPath, value: &Value) -> Result<ScriptStep, Diagnostic> {
    let none = || Diagnostic::new(at.clone(), "is not a step", STEP);
    let fields = value.as_object().ok_or_else(none)?;
    let mut fields = fields.iter();
    let (Some((name, value)), None) = (fields.next(), fields.next()) else {
        return Err(none());
    };
    let make = match name.as_str() {
        "send" => ScriptStep::Send,
        "expect" => ScriptStep::Expect,
        _ => return Err(none()),
    };
    match value.as_str() {
        Some(text) => Ok(make(text.as_bytes().to_vec())),
        None => {
            let help = "write a string, in quotes if necessary";
            Err(Diagnostic::new(
                at.field(name),
                format!("is {}", kind_of(value)),
                help,
            ))
        }
    }
}

fn read_http(section: &mut Section<'_>) -> Option<HttpCheck> {
    section.only(&["method", "path", "status", "text", "follow"]);
    // The default method returns a body if a text is expected in the body.
    let usual = if section.has("text") {
        Method::Get
    } else {
        Method::Head
    };
    let written = section.choice::<Method>("method", "GET, HEAD or OPTIONS");
    let path = section.text("path", "a path such as /health");
    let statuses = section.statuses("status");
    let text = section.text("text", "the text that must appear");
    let follow = section.read("follow", "true or false", Value::as_bool);
    let made = HttpCheck::new(
        written.unwrap_or(usual),
        path.as_deref().unwrap_or("/"),
        statuses,
        text,
        follow.unwrap_or(false),
    );
    let most = HttpCheck::MAX_BYTES;
    for error in made.as_ref().err().into_iter().flatten() {
        match error {
            HttpCheckError::Path => {
                let what = format!("`{}` is not a path", quoted(&path.clone().unwrap_or_default()));
                let help =
                    format!("start with `/`, and use printable ASCII without spaces, at most {most} bytes");
                section.diagnostic("path", what, help);
            }
            HttpCheckError::Status => {
                let help = format!("use at most {}, or use ranges", HttpCheck::MAX_STATUSES);
                section.diagnostic("status", "has too many entries", help);
            }
            HttpCheckError::Text => {
                let help = format!("write 1 to {most} bytes");
                section.diagnostic("text", "is empty or too long", help);
            }
            HttpCheckError::NoBody => {
                let what = "`HEAD` returns no body to search for `text`";
                section.diagnostic("method", what, "write GET, or remove `method`");
            }
        }
    }
    made.ok()
}

fn read_dns(section: &mut Section<'_>) -> Option<DnsCheck> {
    section.only(&["name", "type", "must", "must_not", "transport"]);
    let list = "a list of records such as [192.0.2.1]";
    let name = section.text("name", "the DNS name to query, such as example.com");
    let written = section.choice::<RecordType>("type", "the record type to query, such as A");
    let (mut must, mut must_not) = (section.texts("must", list), section.texts("must_not", list));
    let transport = section.choice::<Transport>("transport", "tcp or udp");
    if !section.has("name") && (section.has("must") || section.has("must_not")) {
        section.diagnostic("name", "is missing", "write the name of the records");
    }
    if section.has("type") && written.is_none() {
        // The format of the records depends on the type.
        must.clear();
        must_not.clear();
    }
    // The default type: NS for the root, which every server can answer or refuse; otherwise A.
    let usual = if section.has("name") {
        RecordType::A
    } else {
        RecordType::Ns
    };
    let made = DnsCheck::new(
        name.as_deref().unwrap_or_default(),
        written.unwrap_or(usual),
        &must,
        &must_not,
        transport.unwrap_or(Transport::Tcp),
    );
    for error in made.as_ref().err().into_iter().flatten() {
        match error {
            DnsCheckError::Name(found) => {
                let what = format!("`{}` is not a DNS name", quoted(found));
                let help = "write labels of 1 to 63 characters, separated by dots, at most 253 in total";
                section.diagnostic("name", what, help);
            }
            DnsCheckError::Count => {
                let help = format!("use at most {} in total", DnsCheck::MAX_RECORDS);
                let list = if must.is_empty() { "must_not" } else { "must" };
                section.diagnostic(list, "has too many records", help);
            }
            DnsCheckError::Record(place, record_type) => {
                let (list, index) = match place.checked_sub(must.len()) {
                    None => ("must", *place),
                    Some(index) => ("must_not", index),
                };
                let at = section.at.field(list).index(index);
                let what = format!("is not a valid {record_type} record");
                section
                    .diagnostics
                    .push(Diagnostic::new(at, what, example(*record_type)));
            }
        }
    }
    made.ok()
}

/// The format of a record of the type.
fn example(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::A => "write an IPv4 address",
        RecordType::Aaaa => "write an IPv6 address",
        RecordType::Mx => "write a preference and a name, such as `10 mail.example.com`",
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => "write a name",
        RecordType::Txt => "write 1 to 255 bytes of text, without quotes",
    }
}
