//! The fields of one destination as written, taken one by one, with every fault noted.

use std::time::Duration;

use portpulse_alert::plain;
use portpulse_core::definition::{Diagnostic, FieldPath, NetworkAccess};
use portpulse_core::time::{format_duration, parse_duration};
use serde_json::{Map, Value};

use crate::address::Server;
use crate::secret::{InvalidSecretName, SecretName};

/// What a user wrote, where it stands, and what is wrong with it so far.
pub(crate) struct Fields<'a> {
    at: FieldPath,
    written: &'a Map<String, Value>,
    network_access: NetworkAccess,
    /// The fields that somebody asked for.
    asked: Vec<&'static str>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(at: FieldPath, written: &'a Map<String, Value>, network_access: NetworkAccess) -> Self {
        Self {
            at,
            written,
            network_access,
            asked: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Everything that is wrong, unknown fields included.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        let unknown = self
            .written
            .keys()
            .filter(|name| !self.asked.contains(&name.as_str()));
        let help = format!("leave it out; here stand {}", self.asked.join(", "));
        let unknown: Vec<_> = unknown
            .map(|name| Diagnostic::new(self.at.field(name), "is not known here", help.clone()))
            .collect();
        self.diagnostics.extend(unknown);
        self.diagnostics
    }

    /// Everything that is wrong so far: what else is written may be right for what could not be told.
    pub(crate) fn give_up(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    pub(crate) fn diagnostic(&mut self, field: &str, what: impl Into<String>, help: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::new(self.at.field(field), what, help));
    }

    /// A text that may be left out.
    pub(crate) fn text(&mut self, field: &'static str, help: &str) -> Option<&'a str> {
        let text = self.value(field)?.as_str();
        if text.is_none() {
            self.diagnostic(field, "is not text", help);
        }
        text
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, field: &'static str, help: &str) -> Option<&'a str> {
        if self.value(field).is_none() {
            self.diagnostic(field, "is missing", help);
        }
        self.text(field, help)
    }

    /// The name of a secret that must be there.
    pub(crate) fn secret(&mut self, field: &'static str, what: &str) -> Option<SecretName> {
        let help = self.how_to_name(what);
        let text = self.required(field, &help)?;
        self.secret_name(field, text, help)
    }

    /// The name of a secret that may be left out.
    pub(crate) fn optional_secret(&mut self, field: &'static str, what: &str) -> Option<SecretName> {
        let help = self.how_to_name(what);
        let text = self.text(field, &help)?;
        self.secret_name(field, text, help)
    }

    fn secret_name(&mut self, field: &str, text: &str, help: String) -> Option<SecretName> {
        match SecretName::parse(text, self.network_access) {
            Ok(name) => Some(name),
            // The text is not shown: it may be the secret itself.
            Err(InvalidSecretName::NoName) => {
                self.diagnostic(field, "is not the name of a secret", help);
                None
            }
            Err(InvalidSecretName::NotInALambda) => {
                self.diagnostic(
                    field,
                    "names a secret of this machine, which a Lambda cannot read",
                    help,
                );
                None
            }
        }
    }

    fn how_to_name(&self, what: &str) -> String {
        let names = match self.network_access {
            NetworkAccess::PlainLambda => "ssm:/path or secretsmanager:name",
            NetworkAccess::OwnNetwork => "env:NAME, file:/path, ssm:/path or secretsmanager:name",
        };
        format!("put {what} into a secret, and name that by {names}")
    }

    /// The address of a server, or the usual one.
    pub(crate) fn server(&mut self, field: &'static str, usual: &'static str) -> Option<Server> {
        let help = format!("write an address such as {usual}");
        if self.value(field).is_none() {
            return Some(Server::known(usual));
        }
        match Server::parse(self.text(field, &help)?) {
            Ok(server) => Some(server),
            Err(help) => {
                self.diagnostic(field, "is not an address that can be posted to", help);
                None
            }
        }
    }

    /// A duration within bounds, or the usual one.
    pub(crate) fn duration(
        &mut self,
        field: &'static str,
        usual: Duration,
        bounds: std::ops::RangeInclusive<Duration>,
    ) -> Duration {
        let (low, high) = (format_duration(*bounds.start()), format_duration(*bounds.end()));
        let help = format!("write a duration from {low} to {high}");
        let Some(text) = self.text(field, &help) else {
            return usual;
        };
        match parse_duration(text) {
            Ok(duration) if bounds.contains(&duration) => duration,
            Ok(_) => {
                self.diagnostic(field, format!("{text} is out of range"), help);
                usual
            }
            Err(_) => {
                self.diagnostic(field, format!("`{}` is not a duration", shown(text)), help);
                usual
            }
        }
    }

    /// A list of words, each read by `read`; `None` if it is left out.
    pub(crate) fn words<T>(
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
            self.diagnostic(field, "is an empty list, which nothing could match", help);
        }
        let mut words = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = self.at.field(field).index(index);
            match item.as_str().map(|text| (text, read(text))) {
                Some((_, Ok(word))) => words.push(word),
                Some((text, Err(help))) => {
                    self.diagnostics.push(Diagnostic::new(
                        at,
                        format!("`{}` cannot stand here", shown(text)),
                        help,
                    ));
                }
                None => self.diagnostics.push(Diagnostic::new(at, "is not text", help)),
            }
        }
        Some(words)
    }

    fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        if !self.asked.contains(&field) {
            self.asked.push(field);
        }
        self.written.get(field).filter(|value| !value.is_null())
    }
}

/// A text as a message shows it: on one line, not too long.
pub(crate) fn shown(text: &str) -> String {
    plain(text, 80)
}
