//! The fields of one destination as written, taken one by one, with every fault noted.

use std::time::Duration;

use portpulse_alert::plain;
use portpulse_core::definition::{Fault, FieldPath, Vantage};
use portpulse_core::time::{format_duration, parse_duration};
use serde_json::{Map, Value};

use crate::address::Server;
use crate::secret::{BadSecretName, SecretName};

/// What a user wrote, where it stands, and what is wrong with it so far.
pub(crate) struct Fields<'a> {
    at: FieldPath,
    written: &'a Map<String, Value>,
    vantage: Vantage,
    /// The fields that somebody asked for.
    asked: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(at: FieldPath, written: &'a Map<String, Value>, vantage: Vantage) -> Self {
        Self {
            at,
            written,
            vantage,
            asked: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Everything that is wrong, unknown fields included.
    pub(crate) fn finish(mut self) -> Vec<Fault> {
        let unknown = self
            .written
            .keys()
            .filter(|name| !self.asked.contains(&name.as_str()));
        let mend = format!("leave it out; here stand {}", self.asked.join(", "));
        let unknown: Vec<_> = unknown
            .map(|name| Fault::new(self.at.field(name), "is not known here", mend.clone()))
            .collect();
        self.faults.extend(unknown);
        self.faults
    }

    /// Everything that is wrong so far: what else is written may be right for what could not be told.
    pub(crate) fn give_up(self) -> Vec<Fault> {
        self.faults
    }

    pub(crate) fn fault(&mut self, field: &str, what: impl Into<String>, mend: impl Into<String>) {
        self.faults.push(Fault::new(self.at.field(field), what, mend));
    }

    /// A text that may be left out.
    pub(crate) fn text(&mut self, field: &'static str, mend: &str) -> Option<&'a str> {
        let text = self.value(field)?.as_str();
        if text.is_none() {
            self.fault(field, "is not text", mend);
        }
        text
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, field: &'static str, mend: &str) -> Option<&'a str> {
        if self.value(field).is_none() {
            self.fault(field, "is missing", mend);
        }
        self.text(field, mend)
    }

    /// The name of a secret that must be there.
    pub(crate) fn secret(&mut self, field: &'static str, what: &str) -> Option<SecretName> {
        let mend = self.how_to_name(what);
        let text = self.required(field, &mend)?;
        self.secret_name(field, text, mend)
    }

    /// The name of a secret that may be left out.
    pub(crate) fn optional_secret(&mut self, field: &'static str, what: &str) -> Option<SecretName> {
        let mend = self.how_to_name(what);
        let text = self.text(field, &mend)?;
        self.secret_name(field, text, mend)
    }

    fn secret_name(&mut self, field: &str, text: &str, mend: String) -> Option<SecretName> {
        match SecretName::parse(text, self.vantage) {
            Ok(name) => Some(name),
            // The text is not shown: it may be the secret itself.
            Err(BadSecretName::NoName) => {
                self.fault(field, "is not the name of a secret", mend);
                None
            }
            Err(BadSecretName::NotInALambda) => {
                self.fault(
                    field,
                    "names a secret of this machine, which a Lambda cannot read",
                    mend,
                );
                None
            }
        }
    }

    fn how_to_name(&self, what: &str) -> String {
        let names = match self.vantage {
            Vantage::PlainLambda => "ssm:/path or secretsmanager:name",
            Vantage::OwnNetwork => "env:NAME, file:/path, ssm:/path or secretsmanager:name",
        };
        format!("put {what} into a secret, and name that by {names}")
    }

    /// The address of a server, or the usual one.
    pub(crate) fn server(&mut self, field: &'static str, usual: &'static str) -> Option<Server> {
        let mend = format!("write an address such as {usual}");
        if self.value(field).is_none() {
            return Some(Server::known(usual));
        }
        match Server::parse(self.text(field, &mend)?) {
            Ok(server) => Some(server),
            Err(mend) => {
                self.fault(field, "is not an address that can be posted to", mend);
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
        let mend = format!("write a duration from {low} to {high}");
        let Some(text) = self.text(field, &mend) else {
            return usual;
        };
        match parse_duration(text) {
            Ok(duration) if bounds.contains(&duration) => duration,
            Ok(_) => {
                self.fault(field, format!("{text} is out of range"), mend);
                usual
            }
            Err(_) => {
                self.fault(field, format!("`{}` is not a duration", shown(text)), mend);
                usual
            }
        }
    }

    /// A list of words, each read by `read`; `None` if it is left out.
    pub(crate) fn words<T>(
        &mut self,
        field: &'static str,
        mend: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let value = self.value(field)?;
        let Value::Array(items) = value else {
            self.fault(field, "is not a list", mend);
            return None;
        };
        if items.is_empty() {
            self.fault(field, "is an empty list, which nothing could match", mend);
        }
        let mut words = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = self.at.field(field).index(index);
            match item.as_str().map(|text| (text, read(text))) {
                Some((_, Ok(word))) => words.push(word),
                Some((text, Err(mend))) => {
                    self.faults.push(Fault::new(
                        at,
                        format!("`{}` cannot stand here", shown(text)),
                        mend,
                    ));
                }
                None => self.faults.push(Fault::new(at, "is not text", mend)),
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
