//! Reads the options of a `ready` check.

use serde_json::Value;

use super::declaration::FieldDeclaration;
use super::diagnostic::{Diagnostic, FieldPath, kind_of};
use super::map_reader::MapReader;
use super::read::{self, Read};
use super::shape::Subfield;
use super::subfields::{DNS, TLS, TLS_OPTIONS};
use crate::readiness::{DnsCheck, DnsCheckError, RecordType, Script, ScriptError, ScriptStep, Transport};
use crate::secret::SecretName;
use crate::target::Host;
use crate::text::quoted;

/// The value of the field `tls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlsChoice {
    pub(super) start: TlsStart,
    /// The server name, if it is not the host.
    pub(super) name: Option<Host>,
    /// The secret with the client certificate and its key.
    pub(super) certificate: Option<SecretName>,
}

/// When TLS starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsStart {
    /// `true`: TLS from the start.
    On,
    /// `false`: no TLS.
    Off,
    /// `starttls`: TLS after an upgrade within the protocol.
    StartTls,
}

const HELP_STEP: &str = "write `{ send: … }` or `{ expect: … }`";

/// The names of declared fields.
pub(super) fn names(fields: &[Subfield]) -> Vec<&'static str> {
    fields.iter().map(|field| field.name).collect()
}

/// The value of `tls`.
pub(super) fn tls(_: &FieldDeclaration, value: &Value) -> Read<TlsChoice> {
    let start = |start| {
        Ok(TlsChoice {
            start,
            name: None,
            certificate: None,
        })
    };
    let what = match value {
        Value::Bool(true) => return start(TlsStart::On),
        Value::Bool(false) => return start(TlsStart::Off),
        Value::String(word) if word == "starttls" => return start(TlsStart::StartTls),
        Value::String(word) => format!("unknown value `{}`", quoted(word)),
        Value::Object(options) => {
            let mut reader = MapReader::new(FieldPath::root(), options);
            let choice = read_tls(&mut reader);
            return reader.finish(Some(choice));
        }
        Value::Null | Value::Number(_) | Value::Array(_) => {
            format!("is {}", kind_of(value))
        }
    };
    let mut help = format!("write {}", TLS.wanted(""));
    if let Some(word) = value
        .as_str()
        .filter(|word| word.eq_ignore_ascii_case("starttls"))
    {
        help = format!("write {} instead of {}", word.to_ascii_lowercase(), quoted(word));
    }
    Err(vec![Diagnostic::new(FieldPath::root(), what, help)])
}

fn read_tls(section: &mut MapReader<'_>) -> TlsChoice {
    section.only(&names(TLS_OPTIONS));
    let name = section.choice::<Host>("name", "the server name, such as db.example.com");
    let start = match section.read("starttls", "true or false", Value::as_bool) {
        Some(true) => TlsStart::StartTls,
        Some(false) | None => TlsStart::On,
    };
    let certificate = section.read("certificate", "the name of a secret", Some);
    let at = section.place("certificate");
    let certificate = certificate.and_then(|value| section.secret(at, value));
    TlsChoice {
        start,
        name,
        certificate,
    }
}

/// The question of a DNS check.
pub(super) fn dns(field: &FieldDeclaration, value: &Value) -> Read<DnsCheck> {
    let mut reader = MapReader::new(FieldPath::root(), read::map(field, value)?);
    let check = read_dns(&mut reader);
    reader.finish(check)
}

/// The steps of a script.
pub(super) fn script(field: &FieldDeclaration, value: &Value) -> Read<Script> {
    let at = FieldPath::root();
    let values = value.as_array().map(Vec::as_slice);
    let Some(values) = values else {
        return Err(read::entries(field, value).err().unwrap_or_default());
    };
    let mut diagnostics = Vec::new();
    let mut steps = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match read_step(&at.index(index), value) {
            Ok(step) => steps.push(step),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    let is_read = steps.len() == values.len();
    if !(1..=Script::MAX_STEPS).contains(&values.len()) {
        let help = format!("write 1 to {}", Script::MAX_STEPS);
        let what = format!("has {} steps", values.len());
        diagnostics.push(Diagnostic::new(at.clone(), what, help));
    }
    let errors = match Script::new(steps) {
        Ok(script) if diagnostics.is_empty() => return Ok(script),
        Ok(_) => Vec::new(),
        Err(errors) => errors,
    };
    for error in errors {
        let (place, what, help) = match error {
            // Already reported above.
            ScriptError::Count => continue,
            // Not reported while other steps are invalid.
            ScriptError::Size(_) | ScriptError::ExpectsNothing if !is_read || values.is_empty() => continue,
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
        diagnostics.push(Diagnostic::new(place, what, help));
    }
    Err(diagnostics)
}

fn read_step(at: &FieldPath, value: &Value) -> Result<ScriptStep, Diagnostic> {
    let none = || Diagnostic::new(at.clone(), "is not a step", HELP_STEP);
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

fn read_dns(section: &mut MapReader<'_>) -> Option<DnsCheck> {
    section.only(&names(DNS));
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
    let default = if section.has("name") {
        RecordType::A
    } else {
        RecordType::Ns
    };
    let made = DnsCheck::new(
        name.unwrap_or_default(),
        written.unwrap_or(default),
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
                let at = section.place(list).index(index);
                let what = format!("is not a valid {record_type} record");
                section.report(Diagnostic::new(at, what, example(*record_type)));
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
        RecordType::Soa => {
            "write two names and five numbers, such as `ns.example.com hostmaster.example.com 1 7200 3600 1209600 60`"
        }
        RecordType::Srv => "write priority, weight, port and name, such as `10 5 5060 sip.example.com`",
        RecordType::Caa => "write flags, tag and value, such as `0 issue letsencrypt.org`",
    }
}
