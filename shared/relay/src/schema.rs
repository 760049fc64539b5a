//! The JSON Schema and the documentation of configurations, from the declared settings.
//!
//! A schema cannot express every rule: what the schema refuses is invalid, but [`Config::validate`] may refuse what the
//! schema accepts.
//!
//! [`Config::validate`]: crate::Config::validate

use std::fmt::Write as _;

use portpulse_core::choice::Severity;
use portpulse_core::definition::NetworkAccess;
use serde_json::{Map, Value, json};

use crate::config::{MAX_DESTINATIONS, NAME_PATTERN};
use crate::destination::{DestinationKind, KINDS};
use crate::setting::{COMMON, Form, Presence, Setting};

// Go's regular expressions, which Terraform uses, repeat at most 1,000 times.
const SECRET: &str =
    "ssm:/[A-Za-z0-9_./-]{0,500}[A-Za-z0-9_./-]{0,510}|secretsmanager:[A-Za-z0-9_./+=@-]{1,512}";
const ORIGIN: &str =
    r"https://[^/?#@\s]+|http://(localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])(:[0-9]+)?";

/// The schema of `relay.yaml` in AWS, in draft 7, which all editors support. Each kind of destination is an alternative.
///
/// `format` is `secret-name` or `secret-name-or-url` for settings that name secrets, and `patternErrorMessage` is the help.
pub fn schema() -> Value {
    let help = "write `destinations:` and below it each destination by its name";
    let kinds = KINDS.iter().map(|kind| kind.name());
    let destination = json!({
        "type": "object",
        "required": ["kind"],
        "properties": { "kind": { "description": "The service.", "enum": kinds.collect::<Vec<_>>() } },
        "oneOf": KINDS.iter().map(|kind| kind_schema(*kind)).collect::<Vec<_>>(),
    });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Portpulse destinations",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "destinations": {
                "description": format!("The destinations: {help}."),
                "type": ["object", "null"],
                "maxProperties": MAX_DESTINATIONS,
                "propertyNames": { "pattern": NAME_PATTERN },
                "additionalProperties": destination,
            },
        },
    })
}

fn kind_schema(kind: &dyn DestinationKind) -> Value {
    let settings = || COMMON.iter().chain(kind.settings());
    let required = settings().filter(|setting| setting.presence == Presence::Required);
    let required: Vec<_> = ["kind"]
        .into_iter()
        .chain(required.map(|setting| setting.name))
        .collect();
    let mut properties: Map<_, _> = settings()
        .map(|setting| (setting.name.to_owned(), setting_schema(setting, kind)))
        .collect();
    properties.insert("kind".to_owned(), json!({ "const": kind.name() }));
    json!({
        "title": kind.title(),
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn setting_schema(setting: &Setting, kind: &dyn DestinationKind) -> Value {
    let help = setting.help(NetworkAccess::PlainLambda);
    let text = |pattern: String| json!({ "type": "string", "pattern": pattern, "patternErrorMessage": help });
    let list = |items: Value| json!({ "type": "array", "minItems": 1, "items": items, "errorMessage": help });
    let mut schema = match setting.form {
        Form::Secret => text(format!("^({SECRET})$")),
        Form::UrlOrSecret => text(format!("^(({ORIGIN})([/?][!-~]*)?|{SECRET})$")),
        Form::Server => text(format!(r"^({ORIGIN})(/[^?#\s]*)?$")),
        Form::Text(rule) => text(rule.pattern.to_owned()),
        Form::Severities => {
            let names: Vec<_> = Severity::ALL.iter().map(|severity| severity.as_str()).collect();
            list(json!({ "type": "string", "enum": names }))
        }
        Form::Tags => list(json!({ "type": "string" })),
        Form::Monitors => {
            list(json!({ "type": "string", "pattern": r"^([a-z0-9_.-]{1,64}|[a-z0-9_.-]{0,64}\*)$" }))
        }
        // From 100ms to 30s.
        Form::Timeout => {
            text("^0*([1-9][0-9]{2,3}ms|[12][0-9]{4}ms|30000ms|([1-9]|[12][0-9]|30)s)$".to_owned())
        }
    };
    let Some(fields) = schema.as_object_mut() else {
        return schema;
    };
    fields.insert("description".to_owned(), json!(sentence(setting.doc)));
    let format = match setting.form {
        Form::Secret => Some("secret-name"),
        Form::UrlOrSecret => Some("secret-name-or-url"),
        Form::Server | Form::Text(_) | Form::Severities | Form::Tags | Form::Monitors | Form::Timeout => None,
    };
    fields.extend(format.map(|format| ("format".to_owned(), json!(format))));
    if setting.presence != Presence::Required {
        // An empty field counts as absent.
        let of_type = fields.get("type").cloned();
        fields.insert("type".to_owned(), json!([of_type, "null"]));
    }
    match (setting.form, setting.presence) {
        (_, Presence::Default(default)) => drop(fields.insert("default".to_owned(), json!(default))),
        (Form::Severities, _) => {
            let default: Vec<_> = kind
                .default_severities()
                .iter()
                .map(|each| each.as_str())
                .collect();
            fields.insert("default".to_owned(), json!(default));
        }
        _ => {}
    }
    schema
}

/// A noun as a sentence.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

/// The tables of kinds and settings, in Markdown.
pub fn documentation() -> String {
    let mut text = "| service | `kind` | settings | severities by default |\n|---|---|---|---|\n".to_owned();
    for kind in KINDS {
        let settings: Vec<_> = kind.settings().iter().map(setting_text).collect();
        let severities = match kind.default_severities() {
            all if all == Severity::ALL => "all".to_owned(),
            some => some
                .iter()
                .map(|each| format!("`{each}`"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        // Writing to a String cannot fail.
        let (title, name) = (kind.title(), kind.name());
        let _ = writeln!(
            text,
            "| {title} | `{name}` | {} | {severities} |",
            settings.join("; ")
        );
    }
    text += "\n| setting of every kind | default |\n|---|---|\n";
    for setting in COMMON {
        let default = match setting.presence {
            Presence::Default(default) => default,
            Presence::Required => "required",
            Presence::Optional if matches!(setting.form, Form::Severities) => "by kind",
            Presence::Optional => "all",
        };
        let _ = writeln!(text, "| `{}`: {} | {default} |", setting.name, setting.doc);
    }
    text
}

fn setting_text(setting: &Setting) -> String {
    let form = match setting.form {
        Form::Secret => "secret",
        Form::UrlOrSecret => "secret or URL",
        Form::Server => "URL",
        Form::Text(_) => "text",
        Form::Severities | Form::Tags | Form::Monitors => "list",
        Form::Timeout => "duration",
    };
    let presence = match setting.presence {
        Presence::Required => String::new(),
        Presence::Optional => ", optional".to_owned(),
        Presence::Default(default) => format!(", default `{default}`"),
    };
    format!("`{}`: {} ({form}{presence})", setting.name, setting.doc)
}
