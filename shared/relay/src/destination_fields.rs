//! Reads the fields of one destination in a configuration and collects all diagnostics.

use std::time::Duration;

use portpulse_alert::plain;
use portpulse_core::definition::{Diagnostic, FieldPath, NetworkAccess};
use portpulse_core::time::{format_duration, parse_duration};
use serde_json::{Map, Value};

use crate::address::Server;
use crate::secret::{InvalidSecretName, SecretName};

/// The fields of one destination, their path, and the diagnostics so far.
pub(crate) struct DestinationFields<'a> {
    path: FieldPath,
    input: &'a Map<String, Value>,
    network_access: NetworkAccess,
    /// The fields that the destination has: all that were looked up.
    known: Vec<&'static str>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> DestinationFields<'a> {
    pub(crate) fn new(path: FieldPath, input: &'a Map<String, Value>, network_access: NetworkAccess) -> Self {
        Self {
            path,
            input,
            network_access,
            known: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// All diagnostics, unknown fields included.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        let unknown = self
            .input
            .keys()
            .filter(|name| !self.known.contains(&name.as_str()));
        let help = format!("remove the field, or use one of {}", self.known.join(", "));
        let unknown: Vec<_> = unknown
            .map(|name| Diagnostic::new(self.path.field(name), "unknown field", help.clone()))
            .collect();
        self.diagnostics.extend(unknown);
        self.diagnostics
    }

    /// The diagnostics so far, without unknown fields: for an unknown kind, any field may be valid.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    pub(crate) fn diagnostic(&mut self, field: &str, what: impl Into<String>, help: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::new(self.path.field(field), what, help));
    }

    /// An optional string.
    pub(crate) fn text(&mut self, field: &'static str, help: &str) -> Option<&'a str> {
        let text = self.value(field)?.as_str();
        if text.is_none() {
            self.diagnostic(field, "is not a string", help);
        }
        text
    }

    /// A required string.
    pub(crate) fn required(&mut self, field: &'static str, help: &str) -> Option<&'a str> {
        if self.value(field).is_none() {
            self.diagnostic(field, "is missing", help);
        }
        self.text(field, help)
    }

    /// The required name of a secret; `what` describes the value of the secret.
    pub(crate) fn secret(&mut self, field: &'static str, what: &str) -> Option<SecretName> {
        let help = self.secret_help(what);
        let text = self.required(field, &help)?;
        self.secret_name(field, text, help)
    }

    /// The optional name of a secret; `what` describes the value of the secret.
    pub(crate) fn optional_secret(&mut self, field: &'static str, what: &str) -> Option<SecretName> {
        let help = self.secret_help(what);
        let text = self.text(field, &help)?;
        self.secret_name(field, text, help)
    }

    fn secret_name(&mut self, field: &str, text: &str, help: String) -> Option<SecretName> {
        match SecretName::parse(text, self.network_access) {
            Ok(name) => Some(name),
            // The message does not show the text, because it may be the secret itself.
            Err(InvalidSecretName::NotAName) => {
                self.diagnostic(field, "is not the name of a secret", help);
                None
            }
            Err(InvalidSecretName::LocalOnly) => {
                self.diagnostic(
                    field,
                    "names a secret on this machine, which a Lambda cannot read",
                    help,
                );
                None
            }
        }
    }

    fn secret_help(&self, what: &str) -> String {
        let names = match self.network_access {
            NetworkAccess::PlainLambda => "ssm:/path or secretsmanager:name",
            NetworkAccess::OwnNetwork => "env:NAME, file:/path, ssm:/path or secretsmanager:name",
        };
        format!("store {what} in a secret and write its name: {names}")
    }

    /// The URL of a server, by default `default`.
    pub(crate) fn server(&mut self, field: &'static str, default: &'static str) -> Option<Server> {
        let help = format!("use a URL such as {default}");
        if self.value(field).is_none() {
            return Some(Server::from_static(default));
        }
        match Server::parse(self.text(field, &help)?) {
            Ok(server) => Some(server),
            Err(help) => {
                self.diagnostic(field, "is not a valid URL", help);
                None
            }
        }
    }

    /// A duration within bounds, by default `default`.
    pub(crate) fn duration(
        &mut self,
        field: &'static str,
        default: Duration,
        bounds: std::ops::RangeInclusive<Duration>,
    ) -> Duration {
        let (low, high) = (format_duration(*bounds.start()), format_duration(*bounds.end()));
        let help = format!("use a duration from {low} to {high}");
        let Some(text) = self.text(field, &help) else {
            return default;
        };
        match parse_duration(text) {
            Ok(duration) if bounds.contains(&duration) => duration,
            Ok(_) => {
                self.diagnostic(field, format!("{text} is out of range"), help);
                default
            }
            Err(_) => {
                self.diagnostic(field, format!("`{}` is not a duration", excerpt(text)), help);
                default
            }
        }
    }

    /// An optional list of strings, each parsed by `read`; `None` if the field is absent.
    pub(crate) fn list<T>(
        &mut self,
        field: &'static str,
        help: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let value = self.value(field)?;
        let Value::Array(items) = value else {
            self.diagnostic(field, "is not a list", help);
            return None;
        };
        if items.is_empty() {
            self.diagnostic(field, "is an empty list, which matches nothing", help);
        }
        let mut values = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = self.path.field(field).index(index);
            match item.as_str().map(|text| (text, read(text))) {
                Some((_, Ok(value))) => values.push(value),
                Some((text, Err(help))) => {
                    self.diagnostics.push(Diagnostic::new(
                        path,
                        format!("invalid value `{}`", excerpt(text)),
                        help,
                    ));
                }
                None => self
                    .diagnostics
                    .push(Diagnostic::new(path, "is not a string", help)),
            }
        }
        Some(values)
    }

    fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&field) {
            self.known.push(field);
        }
        self.input.get(field).filter(|value| !value.is_null())
    }
}

/// The text for a message: on one line, at most 80 bytes.
pub(crate) fn excerpt(text: &str) -> String {
    plain(text, 80)
}
