//! The checker's settings, read once at start, with everything that is wrong named at once.

use std::collections::BTreeSet;
use std::fmt;

use portpulse_core::id::Region;

use crate::metrics::Metrics;

/// What a checker is told about its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table.
    pub table: String,
    /// The region in which table and topic are.
    pub home_region: String,
    /// The topic for alerts.
    pub topic_arn: String,
    /// The region in whose name this checker reports.
    pub region: Region,
    /// The regions that should report where the table lists none; `region` is one of them.
    pub otherwise: BTreeSet<Region>,
    /// Whether ticks leave metrics behind.
    pub metrics: Metrics,
}

/// Settings that cannot be used, with all that is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BadSettings {
    faults: Vec<String>,
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the environment does not say what the checker needs: {}",
            self.faults.join("; ")
        )
    }
}

impl Settings {
    /// Reads `PORTPULSE_TABLE`, `PORTPULSE_HOME_REGION`, `PORTPULSE_TOPIC_ARN`, `PORTPULSE_REGION` (default
    /// `AWS_REGION`), `PORTPULSE_REGIONS` (comma-separated, for a table that does not list the regions that should
    /// report; default the region itself) and `PORTPULSE_METRICS` (`off` or `emf`, default `off`) from a lookup.
    ///
    /// # Errors
    /// Everything that is missing or wrong.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, BadSettings> {
        let mut faults = Vec::new();
        let given = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut required = |name: &str, what: &str| {
            given(name).unwrap_or_else(|| {
                faults.push(format!("{name} is not set: it names {what}"));
                String::new()
            })
        };
        let table = required("PORTPULSE_TABLE", "the DynamoDB table");
        let home_region = required("PORTPULSE_HOME_REGION", "the region of table and topic");
        let topic_arn = required("PORTPULSE_TOPIC_ARN", "the SNS topic for alerts");
        let (name, region) = match given("PORTPULSE_REGION") {
            Some(region) => ("PORTPULSE_REGION", Some(region)),
            None => ("AWS_REGION", given("AWS_REGION")),
        };
        let region = match region.map(|region| region.trim().parse::<Region>()) {
            Some(Ok(region)) => Some(region),
            Some(Err(error)) => {
                faults.push(format!("{name}: {error}"));
                None
            }
            None => {
                faults.push(
                    "neither PORTPULSE_REGION nor AWS_REGION is set: one names where this checker runs"
                        .to_owned(),
                );
                None
            }
        };
        let mut otherwise = BTreeSet::new();
        for word in given("PORTPULSE_REGIONS").iter().flat_map(|list| list.split(',')) {
            match word.trim().parse::<Region>() {
                Ok(region) => {
                    otherwise.insert(region);
                }
                Err(error) => faults.push(format!("PORTPULSE_REGIONS: {error}")),
            }
        }
        if let Some(region) = &region {
            if otherwise.is_empty() {
                otherwise.insert(region.clone());
            } else if !otherwise.contains(region) {
                faults.push(format!(
                    "PORTPULSE_REGIONS does not name {region}, where this checker runs: add it"
                ));
            }
        }
        let metrics = given("PORTPULSE_METRICS").map(|word| word.trim().parse::<Metrics>());
        let metrics = metrics.transpose().unwrap_or_else(|error| {
            faults.push(format!("PORTPULSE_METRICS: {error}"));
            None
        });
        match region {
            Some(region) if faults.is_empty() => Ok(Self {
                table,
                home_region,
                topic_arn,
                region,
                otherwise,
                metrics: metrics.unwrap_or_default(),
            }),
            _ => Err(BadSettings { faults }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(vars: &[(&str, &str)]) -> Result<Settings, BadSettings> {
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
    fn a_single_region_needs_no_list() {
        let settings = parse(&[&PLACES[..], &[("AWS_REGION", "eu-west-1")]].concat()).unwrap();
        assert_eq!(settings.otherwise, BTreeSet::from(["eu-west-1".parse().unwrap()]));
    }

    #[test]
    fn the_own_name_goes_before_the_region_of_aws() {
        let own = [
            ("AWS_REGION", "eu-west-1"),
            ("PORTPULSE_REGION", "office"),
            ("PORTPULSE_REGIONS", "office, home"),
        ];
        let settings = parse(&[&PLACES[..], &own].concat()).unwrap();
        assert_eq!(
            (settings.region.as_str(), settings.otherwise.len()),
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
        assert_eq!(parse(&[]).unwrap_err().faults.len(), 4);
        let bad = [("AWS_REGION", "eu-west-1"), ("PORTPULSE_REGIONS", "us-east-1,EU")];
        let error = parse(&[&PLACES[..], &bad].concat()).unwrap_err();
        assert_eq!(error.faults.len(), 2, "{error}");
    }
}
