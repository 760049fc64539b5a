//! The options of a `ready` check, each read from what was written.

use serde_json::{Map, Value};

use super::fields::{Given, RawTls};
use super::reader::Reader;
use super::section::Section;
use super::values::{kind_of, number};
use super::{Diagnostic, FieldPath, InvalidValue};
use crate::readiness::{
    DnsCheck, DnsCheckError, HttpCheck, HttpCheckError, Method, Readiness, RecordType, Script, ScriptError,
    ScriptStep, Transport,
};
use crate::text::quoted;

/// What was said of the exchange; what could not be read is absent, and told already.
pub(super) struct Options {
    pub(super) tls: Option<TlsChoice>,
    pub(super) warn_days: Option<u16>,
    pub(super) http: Option<HttpCheck>,
    pub(super) dns: Option<DnsCheck>,
    pub(super) script: Scripted,
}

/// What was said of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsChoice {
    /// `true`: at once.
    On,
    /// `false`: never.
    Off,
    /// `starttls`: within the protocol.
    Within,
}

/// A script, if one was written and could be read.
pub(super) struct Scripted {
    pub(super) is_given: bool,
    pub(super) read: Option<Script>,
}

const STEP: &str = "write `{ send: … }` or `{ expect: … }`";

impl Reader<'_> {
    pub(super) fn options(
        &mut self,
        tls: Option<Given<RawTls>>,
        warn_days: Option<Given<i64>>,
        http: Option<Given<Map<String, Value>>>,
        dns: Option<Given<Map<String, Value>>>,
        script: Option<Given<Vec<Value>>>,
    ) -> Options {
        let most = u32::from(Readiness::MAX_WARN_DAYS);
        let warn_days = self.optional("warn_days", warn_days, number(0..=most));
        Options {
            tls: self.optional("tls", tls, tls_choice),
            warn_days: warn_days.and_then(|days| u16::try_from(days).ok()),
            http: self.map("http", http, read_http),
            dns: self.map("dns", dns, read_dns),
            script: Scripted {
                is_given: script.is_some(),
                read: self.script(script),
            },
        }
    }

    /// Reads a map of fields of its own.
    fn map<T>(
        &mut self,
        field: &str,
        given: Option<Given<Map<String, Value>>>,
        read: impl FnOnce(&mut Section<'_>) -> Option<T>,
    ) -> Option<T> {
        let fields = self.optional(field, given, Ok::<_, InvalidValue>)?;
        let mut section = Section {
            at: self.place(field),
            fields: &fields,
            diagnostics: Vec::new(),
        };
        let made = read(&mut section);
        let is_good = section.diagnostics.is_empty();
        self.diagnostics.append(&mut section.diagnostics);
        made.filter(|_| is_good)
    }

    fn script(&mut self, given: Option<Given<Vec<Value>>>) -> Option<Script> {
        let values = self.optional("script", given, Ok::<Vec<Value>, InvalidValue>)?;
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
                // Told above.
                ScriptError::Count => continue,
                // Not to be told while others cannot be read.
                ScriptError::Size(_) | ScriptError::ExpectsNothing if !is_read || values.is_empty() => {
                    continue;
                }
                ScriptError::ExpectsNothing => (
                    at.clone(),
                    "waits for nothing, so that nothing would ever be wrong".to_owned(),
                    "add `{ expect: … }`".to_owned(),
                ),
                ScriptError::Size(step) => (
                    at.index(step.saturating_sub(1)),
                    "is empty, or too long".to_owned(),
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
        RawTls::Switch(true) => Ok(TlsChoice::On),
        RawTls::Switch(false) => Ok(TlsChoice::Off),
        RawTls::Word(word) if word == "starttls" => Ok(TlsChoice::Within),
        RawTls::Word(word) => Err(InvalidValue::new(
            format!("`{}` is not known here", quoted(&word)),
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
            let help = "write text, in quotes if need be";
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
    // What brings a body, where a text is looked for in it.
    let usual = if section.has("text") {
        Method::Get
    } else {
        Method::Head
    };
    let written = section.word::<Method>("method", "GET, HEAD or OPTIONS");
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
                let help = format!(
                    "begin it with `/`, and use printable ASCII without spaces, at most {most} bytes"
                );
                section.diagnostic("path", what, help);
            }
            HttpCheckError::Status => {
                let help = format!("keep to {}, or use ranges", HttpCheck::MAX_STATUSES);
                section.diagnostic("status", "has too many entries", help);
            }
            HttpCheckError::Text => {
                let help = format!("write 1 to {most} bytes");
                section.diagnostic("text", "is empty, or too long", help);
            }
            HttpCheckError::NoBody => {
                let what = "`HEAD` brings no body to look for a text in";
                section.diagnostic("method", what, "write GET, or leave it out");
            }
        }
    }
    made.ok()
}

fn read_dns(section: &mut Section<'_>) -> Option<DnsCheck> {
    section.only(&["name", "type", "must", "must_not", "transport"]);
    let list = "a list of records such as [192.0.2.1]";
    let name = section.text("name", "the name to ask for, such as example.com");
    let written = section.word::<RecordType>("type", "the type of record to ask for, such as A");
    let (mut must, mut must_not) = (section.texts("must", list), section.texts("must_not", list));
    let transport = section.word::<Transport>("transport", "tcp or udp");
    if !section.has("name") && (section.has("must") || section.has("must_not")) {
        section.diagnostic("name", "is missing", "write the name whose records these are");
    }
    if section.has("type") && written.is_none() {
        // How they must look is not known.
        must.clear();
        must_not.clear();
    }
    // What every server can answer or refuse, or else what most people ask for.
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
                let help = "write labels of 1 to 63 characters, joined by dots, at most 253 in all";
                section.diagnostic("name", what, help);
            }
            DnsCheckError::Count => {
                let help = format!("keep to {} in all", DnsCheck::MAX_RECORDS);
                let list = if must.is_empty() { "must_not" } else { "must" };
                section.diagnostic(list, "has too many records", help);
            }
            DnsCheckError::Record(place, record_type) => {
                let (list, index) = match place.checked_sub(must.len()) {
                    None => ("must", *place),
                    Some(index) => ("must_not", index),
                };
                let at = section.at.field(list).index(index);
                let what = format!("can be no {record_type} record");
                section
                    .diagnostics
                    .push(Diagnostic::new(at, what, example(*record_type)));
            }
        }
    }
    made.ok()
}

/// How a record of the type is written.
fn example(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::A => "write an IPv4 address",
        RecordType::Aaaa => "write an IPv6 address",
        RecordType::Mx => "write a preference and a name, such as `10 mail.example.com`",
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => "write a name",
        RecordType::Txt => "write 1 to 255 bytes of text, without quotes",
    }
}
