//! The settings of the relay, read once at start. Errors report all diagnostics at once.

use std::fmt;

use portpulse_core::definition::NetworkAccess;
use portpulse_relay::Config;
use serde_json::Value;

/// The settings of a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The name of the DynamoDB table.
    pub table: String,
    /// The AWS region of the table and the secrets.
    pub home_region: String,
    /// The destinations.
    pub config: Config,
}

/// Invalid settings, with all diagnostics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidSettings {
    diagnostics: Vec<String>,
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the settings of the relay are invalid: {}",
            self.diagnostics.join("; ")
        )
    }
}

impl Settings {
    /// Reads `PORTPULSE_TABLE`, `PORTPULSE_HOME_REGION` and `PORTPULSE_RELAY` with `lookup`. `PORTPULSE_RELAY` is a
    /// [`Config`] in JSON; it contains the names of secrets, not their values. The environment variables of a Lambda
    /// together are limited to 4 KB, enough for about twenty destinations.
    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
    ///
    /// # Errors
    /// All missing and invalid settings.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut diagnostics = Vec::new();
        let mut required = |name: &str, what: &str| {
            let value = lookup(name).filter(|value| !value.trim().is_empty());
            value.unwrap_or_else(|| {
                diagnostics.push(format!("{name} is not set: set it to {what}"));
                String::new()
            })
        };
        let table = required("PORTPULSE_TABLE", "the name of the DynamoDB table");
        let home_region = required(
            "PORTPULSE_HOME_REGION",
            "the AWS region of the table and the secrets",
        );
        let relay = required("PORTPULSE_RELAY", "the destinations, as JSON");
        let config = match serde_json::from_str::<Value>(&relay) {
            Ok(relay) => Config::validate(&relay, NetworkAccess::PlainLambda),
            // The missing variable is reported above.
            Err(_) if relay.is_empty() => Ok(Config::default()),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                diagnostics.push(format!(
                    "PORTPULSE_RELAY is not JSON at line {line}, column {column}"
                ));
                Ok(Config::default())
            }
        };
        match config {
            Ok(config) if diagnostics.is_empty() => Ok(Self {
                table,
                home_region,
                config,
            }),
            config => {
                let more = config.err().into_iter().flatten();
                diagnostics.extend(more.map(|diagnostic| format!("PORTPULSE_RELAY: {diagnostic}")));
                Err(InvalidSettings { diagnostics })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(vars: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
        let find = |name: &str| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::parse(find)
    }

    #[test]
    fn settings_are_read_from_the_environment() {
        let relay = r#"{"destinations":{"ops":{"kind":"slack","url":"ssm:/slack"}}}"#;
        let settings = parse(&[
            ("PORTPULSE_TABLE", "t"),
            ("PORTPULSE_HOME_REGION", "eu-west-1"),
            ("PORTPULSE_RELAY", relay),
        ]);
        let settings = settings.unwrap();
        assert_eq!(
            (settings.table.as_str(), settings.home_region.as_str()),
            ("t", "eu-west-1")
        );
        assert_eq!(settings.config.destinations().count(), 1);
    }

    #[test]
    fn all_diagnostics_are_reported_at_once() {
        assert_eq!(parse(&[]).unwrap_err().diagnostics.len(), 3);
        let relay = r#"{"destinations":{"ops":{"kind":"slack","url":"env:SLACK"},"b":{}}}"#;
        let error = parse(&[("PORTPULSE_TABLE", "t"), ("PORTPULSE_RELAY", relay)]).unwrap_err();
        assert_eq!(error.diagnostics.len(), 3, "{error}");
        let error = parse(&[("PORTPULSE_RELAY", "{hush")]).unwrap_err().to_string();
        assert!(
            error.contains("not JSON at line 1") && !error.contains("hush"),
            "{error}"
        );
    }
}
