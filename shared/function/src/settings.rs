//! Reads settings from environment variables, and reports all invalid ones together.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use portpulse_core::text::quoted;

/// Invalid settings with all diagnostics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid environment variables: {}", diagnostics.join("; "))]
pub struct InvalidSettings {
    /// The diagnostics, each with the name of its variable.
    pub diagnostics: Vec<String>,
}

/// The table, which all functions use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The name of the DynamoDB table.
    pub table: String,
    /// The AWS region of the table, and of the function's other resources.
    pub region: String,
}

/// Reads settings with `lookup`, which returns the value of an environment variable.
///
/// # Errors
/// All diagnostics that `read` has reported. If `read` returns `None`, it has reported why.
pub fn read_settings<T>(
    lookup: impl Fn(&str) -> Option<String>,
    read: impl FnOnce(&mut SettingsReader<'_>) -> Option<T>,
) -> Result<T, InvalidSettings> {
    let mut reader = SettingsReader {
        lookup: &lookup,
        diagnostics: Vec::new(),
    };
    let settings = read(&mut reader).filter(|_| reader.diagnostics.is_empty());
    settings.ok_or(InvalidSettings {
        diagnostics: reader.diagnostics,
    })
}

/// Reads settings one by one. A value that is missing or invalid is reported and read as `None`.
pub struct SettingsReader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    diagnostics: Vec<String>,
}

impl SettingsReader<'_> {
    /// The value of a variable, trimmed; `None` if the variable is not set or blank.
    pub fn optional(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    /// The value of a required variable. `what` completes "set it to".
    pub fn required(&mut self, name: &str, what: &str) -> Option<String> {
        let value = self.optional(name);
        if value.is_none() {
            self.report(format!("{name} is not set: set it to {what}"));
        }
        value
    }

    /// `PORTPULSE_TABLE` and `PORTPULSE_HOME_REGION`.
    pub fn home(&mut self) -> Option<Home> {
        let table = self.required("PORTPULSE_TABLE", "the name of the DynamoDB table");
        let region = self.required("PORTPULSE_HOME_REGION", "the AWS region of the table");
        Some(Home {
            table: table?,
            region: region?,
        })
    }

    /// An optional value. Messages contain the error only, not the value.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let parsed = self.optional(name)?.parse();
        parsed
            .map_err(|error| self.report(format!("{name} is invalid: {error}")))
            .ok()
    }

    /// An optional value without which the function does its work: an invalid one is logged and ignored.
    pub fn parsed_or_ignored<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let parsed = self.optional(name)?.parse();
        parsed
            .map_err(|error| tracing::warn!("{name} is ignored, because it is invalid: {error}"))
            .ok()
    }

    /// A comma-separated list; empty if the variable is not set.
    pub fn list<T: FromStr<Err: Display> + Ord>(&mut self, name: &str) -> BTreeSet<T> {
        let mut values = BTreeSet::new();
        for text in self.optional(name).iter().flat_map(|texts| texts.split(',')) {
            match text.trim().parse() {
                Ok(value) => drop(values.insert(value)),
                Err(error) => self.report(format!("{name} is invalid: {error}")),
            }
        }
        values
    }

    /// An optional value out of `choices`.
    pub fn choice<T: Clone>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.optional(name)?;
        let chosen = choices.iter().find(|(code, _)| *code == text);
        if chosen.is_none() {
            let (found, choices) = (quoted(&text), codes(choices));
            self.report(format!("{name} is invalid: `{found}`: use {choices}"));
        }
        chosen.map(|(_, value)| value.clone())
    }

    /// A required value out of `choices`.
    pub fn required_choice<T: Clone>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        self.required(name, &codes(choices))?;
        self.choice(name, choices)
    }

    /// Reports a diagnostic, which names its variable.
    pub fn report(&mut self, diagnostic: impl Into<String>) {
        self.diagnostics.push(diagnostic.into());
    }
}

fn codes<T>(choices: &[(&str, T)]) -> String {
    let codes: Vec<_> = choices.iter().map(|(code, _)| format!("`{code}`")).collect();
    codes.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Settings {
        home: Home,
        port: Option<u16>,
        numbers: BTreeSet<u8>,
        format: Option<char>,
    }

    fn read(vars: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let lookup = |name: &str| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let settings = read_settings(lookup, |reader| {
            let (home, port) = (reader.home(), reader.parsed("PORT"));
            let numbers = reader.list("NUMBERS");
            let format = reader.choice("FORMAT", &[("off", '0'), ("on", '1')]);
            let required = reader.required_choice("MODE", &[("slow", 's'), ("fast", 'f')]);
            Some(Settings {
                home: home?,
                port,
                numbers,
                format: format.or(required),
            })
        });
        settings.map_err(|error| error.diagnostics)
    }

    const HOME: [(&str, &str); 3] = [
        ("PORTPULSE_TABLE", " t "),
        ("PORTPULSE_HOME_REGION", "eu-west-1"),
        ("MODE", "fast"),
    ];

    #[test]
    fn values_are_trimmed_and_blank_ones_are_not_set() {
        let optional = [("PORT", " 80 "), ("NUMBERS", "2, 1"), ("FORMAT", "on")];
        let blank = [("PORT", " "), ("NUMBERS", ""), ("FORMAT", " ")];
        let settings = |port, numbers: &[u8], format| Settings {
            home: Home {
                table: "t".to_owned(),
                region: "eu-west-1".to_owned(),
            },
            port,
            numbers: numbers.iter().copied().collect(),
            format: Some(format),
        };
        let with = |vars: &[(&str, &str)]| read(&[&HOME, vars].concat());
        assert_eq!(with(&optional), Ok(settings(Some(80), &[1, 2], '1')));
        assert_eq!(with(&blank), Ok(settings(None, &[], 'f')));
    }

    #[test]
    fn all_invalid_settings_are_reported_together() {
        let invalid = [
            ("PORTPULSE_TABLE", " "),
            ("PORT", "http"),
            ("NUMBERS", "1,x,256"),
            ("FORMAT", "\u{1b}"),
        ];
        assert_eq!(
            read(&invalid).unwrap_err(),
            [
                "PORTPULSE_TABLE is not set: set it to the name of the DynamoDB table",
                "PORTPULSE_HOME_REGION is not set: set it to the AWS region of the table",
                "PORT is invalid: invalid digit found in string",
                "NUMBERS is invalid: invalid digit found in string",
                "NUMBERS is invalid: number too large to fit in target type",
                r"FORMAT is invalid: `\u001b`: use `off` or `on`",
                "MODE is not set: set it to `slow` or `fast`",
            ]
        );
    }
}
