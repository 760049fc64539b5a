//! Settings of destinations: declared once; the reader, the JSON Schema and the documentation use the declaration.

use std::collections::BTreeSet;
use std::time::Duration;

use portpulse_core::choice::{InvalidChoice, Severity};
use portpulse_core::definition::NetworkAccess;
use portpulse_core::text::quoted;
use portpulse_core::time::{format_duration, parse_duration};
use serde_json::Value;

use crate::address::{parse_server, parse_url};
use crate::pattern::Pattern;
use crate::secret::SecretName;

/// The declaration of a setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) presence: Presence,
    /// What the setting contains, as a noun with an article: it also follows "store" in the help for a secret.
    pub(crate) doc: &'static str,
}

/// The form of a valid value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// The name of a secret.
    Secret,
    /// A URL, or the name of the secret that contains the URL.
    UrlOrSecret,
    /// The base URL of a service.
    Server,
    /// A text with a rule of its own.
    Text(&'static TextRule),
    /// A list of severities.
    Severities,
    /// A list of tags.
    Tags,
    /// A list of monitor ids and prefixes.
    Monitors,
    /// A duration from [`MIN_TIMEOUT`] to [`MAX_TIMEOUT`].
    Timeout,
}

/// The rule of a text.
#[derive(Debug)]
pub(crate) struct TextRule {
    pub(crate) is_valid: fn(&str) -> bool,
    /// The same rule as a regular expression, for the schema.
    pub(crate) pattern: &'static str,
    pub(crate) help: &'static str,
}

/// What applies if the setting is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// The setting is required.
    Required,
    /// The setting is optional.
    Optional,
    /// This value applies.
    Default(&'static str),
}

/// The valid value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SettingValue {
    Secret(SecretName),
    Text(String),
    Severities(BTreeSet<Severity>),
    Tags(BTreeSet<String>),
    Monitors(Vec<Pattern>),
    Duration(Duration),
}

/// A mistake in a value, and its fix.
pub(crate) struct InvalidSetting {
    /// The index of the entry in a list; `None` for the whole value.
    pub(crate) index: Option<usize>,
    pub(crate) what: String,
    pub(crate) help: String,
}

const MIN_TIMEOUT: Duration = Duration::from_millis(100);
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// The settings of every destination, beside `kind`.
pub(crate) const COMMON: [Setting; 4] = [
    Setting::optional(
        "severities",
        Form::Severities,
        "the severities that are sent: critical, warning, info",
    ),
    Setting::optional(
        "tags",
        Form::Tags,
        "the tags of which a monitor must have at least one",
    ),
    Setting::optional(
        "monitors",
        Form::Monitors,
        "the monitors whose notifications are sent, by id or prefix such as web-*",
    ),
    Setting {
        presence: Presence::Default("10s"),
        ..Setting::optional(
            "timeout",
            Form::Timeout,
            "the timeout of one request, from 100ms to 30s",
        )
    },
];

impl Setting {
    pub(crate) const fn required(name: &'static str, form: Form, doc: &'static str) -> Self {
        let presence = Presence::Required;
        Self {
            name,
            form,
            presence,
            doc,
        }
    }

    pub(crate) const fn optional(name: &'static str, form: Form, doc: &'static str) -> Self {
        let presence = Presence::Optional;
        Self {
            name,
            form,
            presence,
            doc,
        }
    }

    /// The base URL of a service, with its public server as default; `doc` names other servers.
    pub(crate) const fn server(default: &'static str, doc: &'static str) -> Self {
        let presence = Presence::Default(default);
        Self {
            presence,
            ..Self::optional("server", Form::Server, doc)
        }
    }

    /// How to write a valid value.
    pub(crate) fn help(&self, network_access: NetworkAccess) -> String {
        let names = match network_access {
            NetworkAccess::PlainLambda => "ssm:/path or secretsmanager:name",
            NetworkAccess::OwnNetwork => "env:NAME, file:/path, ssm:/path or secretsmanager:name",
        };
        let doc = self.doc;
        match (self.form, self.presence) {
            (Form::Secret, _) => format!("store {doc} in a secret and write its name: {names}"),
            (Form::UrlOrSecret, _) => {
                format!(
                    "use a URL that starts with https://, or store {doc} in a secret and write its name: {names}"
                )
            }
            (Form::Server, Presence::Default(default)) => format!("use a URL such as {default}"),
            (Form::Server, _) => "use a URL that starts with https://".to_owned(),
            (Form::Text(rule), _) => rule.help.to_owned(),
            (Form::Severities, _) => "use a list such as [critical, warning]".to_owned(),
            (Form::Tags, _) => "use a list such as [prod, eu]".to_owned(),
            (Form::Monitors, _) => "use a list such as [orders-db, \"web-*\"]".to_owned(),
            (Form::Timeout, _) => {
                let (min, max) = (format_duration(MIN_TIMEOUT), format_duration(MAX_TIMEOUT));
                format!("use a duration from {min} to {max}")
            }
        }
    }

    /// Parses a value that is not null.
    ///
    /// # Errors
    /// All mistakes; those in a list with the index of the entry. No mistake shows a value that may be a secret.
    pub(crate) fn parse(
        &self,
        value: &Value,
        access: NetworkAccess,
    ) -> Result<SettingValue, Vec<InvalidSetting>> {
        let help = || self.help(access);
        match self.form {
            Form::Severities => {
                let severity = |text: &str| {
                    let allowed = |error: InvalidChoice| format!("use one of {}", error.allowed().join(", "));
                    text.parse::<Severity>().map_err(allowed)
                };
                let severities = parse_list(value, help(), severity)?;
                Ok(SettingValue::Severities(severities.into_iter().collect()))
            }
            Form::Tags => {
                let tags = parse_list(value, help(), |tag| Ok(tag.to_owned()))?;
                Ok(SettingValue::Tags(tags.into_iter().collect()))
            }
            Form::Monitors => Ok(SettingValue::Monitors(parse_list(value, help(), Pattern::parse)?)),
            Form::Secret | Form::UrlOrSecret | Form::Server | Form::Text(_) | Form::Timeout => {
                let invalid = |(what, help)| {
                    vec![InvalidSetting {
                        index: None,
                        what,
                        help,
                    }]
                };
                match value.as_str() {
                    Some(text) => self.parse_text(text, access).map_err(invalid),
                    None => Err(invalid(("is not a string".to_owned(), help()))),
                }
            }
        }
    }

    /// Parses a text; the error is the mistake and its fix.
    fn parse_text(&self, text: &str, access: NetworkAccess) -> Result<SettingValue, (String, String)> {
        let invalid = |what: &str| (what.to_owned(), self.help(access));
        let invalid_url = |help: &str| ("is not a valid URL".to_owned(), help.to_owned());
        let owned = || SettingValue::Text(text.to_owned());
        match self.form {
            Form::UrlOrSecret if text.contains("://") => {
                parse_url(text).map(|_| owned()).map_err(invalid_url)
            }
            Form::Secret | Form::UrlOrSecret => match SecretName::parse(text) {
                Ok(name) if name.is_local() && access != NetworkAccess::OwnNetwork => Err(invalid(
                    "names a secret on this machine, which a Lambda cannot read",
                )),
                Ok(name) => Ok(SettingValue::Secret(name)),
                Err(_) => Err(invalid("is not the name of a secret")),
            },
            Form::Server => parse_server(text).map(SettingValue::Text).map_err(invalid_url),
            Form::Text(rule) if (rule.is_valid)(text) => Ok(owned()),
            Form::Timeout => match parse_duration(text) {
                Ok(timeout) if (MIN_TIMEOUT..=MAX_TIMEOUT).contains(&timeout) => {
                    Ok(SettingValue::Duration(timeout))
                }
                Ok(_) => Err(invalid(&format!("{text} is out of range"))),
                Err(_) => Err(invalid(&format!("`{}` is not a duration", quoted(text)))),
            },
            Form::Text(_) | Form::Severities | Form::Tags | Form::Monitors => {
                Err(invalid(&format!("is not a valid {}", self.name)))
            }
        }
    }
}

/// Parses the entries of a list with `parse`, whose error is the help.
fn parse_list<T>(
    value: &Value,
    help: String,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Vec<InvalidSetting>> {
    let invalid = |index, what: &str, help: &str| InvalidSetting {
        index,
        what: what.to_owned(),
        help: help.to_owned(),
    };
    let entries = value
        .as_array()
        .ok_or_else(|| vec![invalid(None, "is not a list", &help)])?;
    let (mut values, mut mistakes) = (Vec::new(), Vec::new());
    if entries.is_empty() {
        mistakes.push(invalid(None, "is an empty list, which matches nothing", &help));
    }
    for (index, entry) in entries.iter().enumerate() {
        match entry.as_str().map(|text| (text, parse(text))) {
            Some((_, Ok(value))) => values.push(value),
            Some((text, Err(help))) => {
                let what = format!("invalid value `{}`", quoted(text));
                mistakes.push(invalid(Some(index), &what, &help));
            }
            None => mistakes.push(invalid(Some(index), "is not a string", &help)),
        }
    }
    if mistakes.is_empty() {
        Ok(values)
    } else {
        Err(mistakes)
    }
}
