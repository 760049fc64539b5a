//! The settings of one destination: read from its fields in the configuration, with all diagnostics.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::definition::{Diagnostic, FieldPath, NetworkAccess};
use portpulse_core::text::quoted;
use serde_json::{Map, Value};

use crate::secret::SecretName;
use crate::setting::{MAX_TIMEOUT, Presence, Setting, SettingValue};

/// The valid settings of a destination, with defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings(BTreeMap<&'static str, SettingValue>);

impl Settings {
    pub(crate) fn get(&self, name: &str) -> Option<&SettingValue> {
        self.0.get(name)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &SettingValue> {
        self.0.values()
    }

    /// The timeout of one request.
    pub(crate) fn timeout(&self) -> Duration {
        let durations = self.values().find_map(|value| {
            let SettingValue::Duration(timeout) = value else {
                return None;
            };
            Some(*timeout)
        });
        // `timeout` has a default, so there is one.
        durations.unwrap_or(MAX_TIMEOUT)
    }

    /// A setting that is a text and no secret; empty if absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        let Some(SettingValue::Text(text)) = self.get(name) else {
            return "";
        };
        text
    }

    /// The settings that are secrets, with the names of the secrets.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&'static str, &SecretName)> {
        self.0.iter().filter_map(|(setting, value)| {
            let SettingValue::Secret(name) = value else {
                return None;
            };
            Some((*setting, name))
        })
    }
}

/// Reads the fields of a destination and collects diagnostics.
pub(crate) struct SettingsReader<'a> {
    path: FieldPath,
    fields: &'a Map<String, Value>,
    network_access: NetworkAccess,
    /// The declared fields so far.
    known: Vec<&'static str>,
    settings: Settings,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> SettingsReader<'a> {
    pub(crate) fn new(
        path: FieldPath,
        fields: &'a Map<String, Value>,
        network_access: NetworkAccess,
    ) -> Self {
        Self {
            path,
            fields,
            network_access,
            known: Vec::new(),
            settings: Settings::default(),
            diagnostics: Vec::new(),
        }
    }

    /// Reads the field `kind`, whose value must be one of `kinds`.
    pub(crate) fn kind<T>(&mut self, kinds: &[&str], parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let what = match self.value("kind") {
            None => "is missing".to_owned(),
            Some(Value::String(text)) => match parse(text) {
                Some(kind) => return Some(kind),
                None => format!("unknown kind `{}`", quoted(text)),
            },
            Some(_) => "is not a string".to_owned(),
        };
        let help = format!("use one of {}", kinds.join(", "));
        self.diagnostics
            .push(Diagnostic::new(self.path.field("kind"), what, help));
        None
    }

    /// Reads the fields of these settings.
    pub(crate) fn read(&mut self, settings: &[Setting]) {
        for setting in settings {
            let default;
            let value = match (self.value(setting.name), setting.presence) {
                (Some(value), _) => value,
                (None, Presence::Default(text)) => {
                    default = Value::from(text);
                    &default
                }
                (None, Presence::Optional) => continue,
                (None, Presence::Required) => {
                    let help = setting.help(self.network_access);
                    self.diagnostics
                        .push(Diagnostic::new(self.path.field(setting.name), "is missing", help));
                    continue;
                }
            };
            match setting.parse(value, self.network_access) {
                Ok(value) => drop(self.settings.0.insert(setting.name, value)),
                Err(mistakes) => self.diagnostics.extend(mistakes.into_iter().map(|mistake| {
                    let field = self.path.field(setting.name);
                    let at = mistake
                        .index
                        .map_or_else(|| field.clone(), |index| field.index(index));
                    Diagnostic::new(at, mistake.what, mistake.help)
                })),
            }
        }
    }

    /// Reports the fields that are not declared.
    pub(crate) fn refuse_unknown(&mut self) {
        let help = format!("remove the field, or use one of {}", self.known.join(", "));
        let unknown = self
            .fields
            .keys()
            .filter(|name| !self.known.contains(&name.as_str()));
        let diagnostic =
            |name: &String| Diagnostic::new(self.path.field(name), "unknown field", help.clone());
        self.diagnostics.extend(unknown.map(diagnostic));
    }

    /// The settings and all diagnostics.
    pub(crate) fn finish(self) -> (Settings, Vec<Diagnostic>) {
        (self.settings, self.diagnostics)
    }

    /// The value of a field; an empty field counts as absent.
    fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.known.push(field);
        self.fields.get(field).filter(|value| !value.is_null())
    }
}
