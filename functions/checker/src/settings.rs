//! The checker's settings, read once at start, with everything that is wrong named at once.

use std::collections::BTreeSet;
use std::fmt;

use portpulse_core::id::Location;

use crate::metrics::Metrics;

/// What a checker is told about its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table.
    pub table: String,
    /// The location in which table and topic are.
    pub home_region: String,
    /// The topic for alerts.
    pub topic_arn: String,
    /// The location in whose name this checker reports.
    pub location: Location,
    /// The locations that should report where the table lists none; `location` is one of them.
    pub fallback_locations: BTreeSet<Location>,
    /// Whether ticks leave metrics behind.
    pub metrics: Metrics,
}

/// Settings that cannot be used, with all that is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidSettings {
    diagnostics: Vec<String>,
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the environment does not say what the checker needs: {}",
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
    /// Everything that is missing or wrong.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut diagnostics = Vec::new();
        let given = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut required = |name: &str, what: &str| {
            given(name).unwrap_or_else(|| {
                diagnostics.push(format!("{name} is not set: it names {what}"));
                String::new()
            })
        };
        let table = required("PORTPULSE_TABLE", "the DynamoDB table");
        let home_region = required("PORTPULSE_HOME_REGION", "the location of table and topic");
        let topic_arn = required("PORTPULSE_TOPIC_ARN", "the SNS topic for alerts");
        let (name, location) = match given("PORTPULSE_LOCATION") {
            Some(location) => ("PORTPULSE_LOCATION", Some(location)),
            None => ("AWS_REGION", given("AWS_REGION")),
        };
        let location = match location.map(|location| location.trim().parse::<Location>()) {
            Some(Ok(location)) => Some(location),
            Some(Err(error)) => {
                diagnostics.push(format!("{name}: {error}"));
                None
            }
            None => {
                diagnostics.push(
                    "neither PORTPULSE_LOCATION nor AWS_REGION is set: one names where this checker runs"
                        .to_owned(),
                );
                None
            }
        };
        let mut fallback_locations = BTreeSet::new();
        for word in given("PORTPULSE_LOCATIONS")
            .iter()
            .flat_map(|list| list.split(','))
        {
            match word.trim().parse::<Location>() {
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
                    "PORTPULSE_LOCATIONS does not name {location}, where this checker runs: add it"
                ));
            }
        }
        let metrics = given("PORTPULSE_METRICS").map(|word| word.trim().parse::<Metrics>());
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

    const PLACES: [(&str, &str); 3] = [
        ("PORTPULSE_TABLE", "t"),
        ("PORTPULSE_HOME_REGION", "eu-west-1"),
        ("PORTPULSE_TOPIC_ARN", "arn:x"),
    ];

    #[test]
    fn a_single_location_needs_no_list() {
        let settings = parse(&[&PLACES[..], &[("AWS_REGION", "eu-west-1")]].concat()).unwrap();
        assert_eq!(
            settings.fallback_locations,
            BTreeSet::from(["eu-west-1".parse().unwrap()])
        );
    }

    #[test]
    fn the_own_name_goes_before_the_region_of_aws() {
        let own = [
            ("AWS_REGION", "eu-west-1"),
            ("PORTPULSE_LOCATION", "office"),
            ("PORTPULSE_LOCATIONS", "office, home"),
        ];
        let settings = parse(&[&PLACES[..], &own].concat()).unwrap();
        assert_eq!(
            (settings.location.as_str(), settings.fallback_locations.len()),
            ("office", 2)
        );
    }

    #[test]
    fn metrics_are_off_unless_asked_for() {
        let metrics = |word: &str| {
            let own = [("AWS_REGION", "eu-west-1"), ("PORTPULSE_METRICS", word)];
            parse(&[&PLACES[..], &own].concat()).map(|settings| settings.metrics)
        };
        assert_eq!(
            [metrics(""), metrics("off"), metrics("emf")],
            [Metrics::Off, Metrics::Off, Metrics::Emf].map(Ok)
        );
        let error = metrics("on").unwrap_err().to_string();
        assert!(
            error.ends_with("PORTPULSE_METRICS: `on` is neither off nor emf"),
            "{error}"
        );
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        assert_eq!(parse(&[]).unwrap_err().diagnostics.len(), 4);
        let bad = [
            ("AWS_REGION", "eu-west-1"),
            ("PORTPULSE_LOCATIONS", "us-east-1,EU"),
        ];
        let error = parse(&[&PLACES[..], &bad].concat()).unwrap_err();
        assert_eq!(error.diagnostics.len(), 2, "{error}");
    }
}
