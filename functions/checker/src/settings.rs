//! The settings of the checker from environment variables. All invalid settings are reported together.

use std::collections::BTreeSet;
use std::fmt;

use portpulse_core::id::Location;

use crate::metrics::Metrics;

/// The settings of a checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The name of the table.
    pub table: String,
    /// The AWS region of table and topic.
    pub home_region: String,
    /// The ARN of the topic for notifications.
    pub topic_arn: String,
    /// The location of this checker.
    pub location: Location,
    /// The expected locations if the table lists none. Contains `location`.
    pub fallback_locations: BTreeSet<Location>,
    /// The format of metrics.
    pub metrics: Metrics,
}

/// Invalid settings with all diagnostics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidSettings {
    diagnostics: Vec<String>,
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid environment variables: {}",
            self.diagnostics.join("; ")
        )
    }
}

impl Settings {
    /// Reads `PORTPULSE_TABLE`, `PORTPULSE_HOME_REGION`, `PORTPULSE_TOPIC_ARN`, `PORTPULSE_LOCATION` (default
    /// `AWS_REGION`), `PORTPULSE_LOCATIONS` (comma-separated, for a table that does not list the regions that should
    /// report; default the location itself) and `PORTPULSE_METRICS` (`off` or `emf`, default `off`) from a lookup.
    ///
    /// # Errors
    /// All missing and invalid settings.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut diagnostics = Vec::new();
        let variable = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut required = |name: &str, what: &str| {
            variable(name).unwrap_or_else(|| {
                diagnostics.push(format!("{name} is not set (set it to {what})"));
                String::new()
            })
        };
        let table = required("PORTPULSE_TABLE", "the name of the DynamoDB table");
        let home_region = required("PORTPULSE_HOME_REGION", "the AWS region of table and topic");
        let topic_arn = required(
            "PORTPULSE_TOPIC_ARN",
            "the ARN of the SNS topic for notifications",
        );
        let (name, location) = match variable("PORTPULSE_LOCATION") {
            Some(location) => ("PORTPULSE_LOCATION", Some(location)),
            None => ("AWS_REGION", variable("AWS_REGION")),
        };
        let location = match location.map(|location| location.trim().parse::<Location>()) {
            Some(Ok(location)) => Some(location),
            Some(Err(error)) => {
                diagnostics.push(format!("{name}: {error}"));
                None
            }
            None => {
                diagnostics.push(
                    "neither PORTPULSE_LOCATION nor AWS_REGION is set (set one to the location of this checker)"
                        .to_owned(),
                );
                None
            }
        };
        let mut fallback_locations = BTreeSet::new();
        for name in variable("PORTPULSE_LOCATIONS")
            .iter()
            .flat_map(|list| list.split(','))
        {
            match name.trim().parse::<Location>() {
                Ok(location) => {
                    fallback_locations.insert(location);
                }
                Err(error) => diagnostics.push(format!("PORTPULSE_LOCATIONS: {error}")),
            }
        }
        if let Some(location) = &location {
            if fallback_locations.is_empty() {
                fallback_locations.insert(location.clone());
            } else if !fallback_locations.contains(location) {
                diagnostics.push(format!(
                    "PORTPULSE_LOCATIONS does not contain {location}, the location of this checker (add it)"
                ));
            }
        }
        let metrics = variable("PORTPULSE_METRICS").map(|word| word.trim().parse::<Metrics>());
        let metrics = metrics.transpose().unwrap_or_else(|error| {
            diagnostics.push(format!("PORTPULSE_METRICS: {error}"));
            None
        });
        match location {
            Some(location) if diagnostics.is_empty() => Ok(Self {
                table,
                home_region,
                topic_arn,
                location,
                fallback_locations,
                metrics: metrics.unwrap_or_default(),
            }),
            _ => Err(InvalidSettings { diagnostics }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(vars: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
        let find = |name: &str| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Settings::parse(find)
    }

    const REQUIRED: [(&str, &str); 3] = [
        ("PORTPULSE_TABLE", "t"),
        ("PORTPULSE_HOME_REGION", "eu-west-1"),
        ("PORTPULSE_TOPIC_ARN", "arn:x"),
    ];

    #[test]
    fn single_location_needs_no_list() {
        let settings = parse(&[&REQUIRED[..], &[("AWS_REGION", "eu-west-1")]].concat()).unwrap();
        assert_eq!(
            settings.fallback_locations,
            BTreeSet::from(["eu-west-1".parse().unwrap()])
        );
    }

    #[test]
    fn location_overrides_aws_region() {
        let own = [
            ("AWS_REGION", "eu-west-1"),
            ("PORTPULSE_LOCATION", "office"),
            ("PORTPULSE_LOCATIONS", "office, home"),
        ];
        let settings = parse(&[&REQUIRED[..], &own].concat()).unwrap();
        assert_eq!(
            (settings.location.as_str(), settings.fallback_locations.len()),
            ("office", 2)
        );
    }

    #[test]
    fn metrics_are_off_by_default() {
        let metrics = |word: &str| {
            let own = [("AWS_REGION", "eu-west-1"), ("PORTPULSE_METRICS", word)];
            parse(&[&REQUIRED[..], &own].concat()).map(|settings| settings.metrics)
        };
        assert_eq!(
            [metrics(""), metrics("off"), metrics("emf")],
            [Metrics::Off, Metrics::Off, Metrics::Emf].map(Ok)
        );
        let error = metrics("on").unwrap_err().to_string();
        assert!(
            error.ends_with("PORTPULSE_METRICS: invalid value `on`, expected off or emf"),
            "{error}"
        );
    }

    #[test]
    fn all_invalid_settings_are_reported_together() {
        assert_eq!(parse(&[]).unwrap_err().diagnostics.len(), 4);
        let bad = [
            ("AWS_REGION", "eu-west-1"),
            ("PORTPULSE_LOCATIONS", "us-east-1,EU"),
        ];
        let error = parse(&[&REQUIRED[..], &bad].concat()).unwrap_err();
        assert_eq!(error.diagnostics.len(), 2, "{error}");
    }
}
