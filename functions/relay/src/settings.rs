//! The settings of the relay, read once at start.

use portpulse_core::definition::NetworkAccess;
use portpulse_function::{Home, InvalidSettings, SettingsReader, read_settings};
use portpulse_relay::Config;
use serde_json::Value;

/// The settings of a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table. Its region is also that of the secrets.
    pub home: Home,
    /// The destinations.
    pub config: Config,
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
        read_settings(lookup, |reader| {
            let (home, config) = (reader.home(), config(reader));
            Some(Self {
                home: home?,
                config: config?,
            })
        })
    }
}

fn config(reader: &mut SettingsReader<'_>) -> Option<Config> {
    let text = reader.required("PORTPULSE_RELAY", "the destinations, as JSON")?;
    let json = serde_json::from_str::<Value>(&text).map_err(|error| {
        // The error's own text may quote the value.
        let (line, column) = (error.line(), error.column());
        reader.report(format!(
            "PORTPULSE_RELAY is not JSON at line {line}, column {column}"
        ));
    });
    let diagnostics = match Config::validate(&json.ok()?, NetworkAccess::PlainLambda) {
        Ok(config) => return Some(config),
        Err(diagnostics) => diagnostics,
    };
    for diagnostic in diagnostics {
        reader.report(format!("PORTPULSE_RELAY: {diagnostic}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_testkit::function::lookup;

    fn parse(vars: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
        Settings::parse(lookup(vars))
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
            (settings.home.table.as_str(), settings.home.region.as_str()),
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
