//! The settings of the checker from environment variables.

use std::collections::BTreeSet;

use portpulse_core::id::Location;
use portpulse_core::page_url::PageUrl;
use portpulse_function::{Home, InvalidSettings, SettingsReader, read_settings};

use crate::metrics::Metrics;

/// The settings of a checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table. Its region is also that of the topic.
    pub home: Home,
    /// The ARN of the topic for notifications.
    pub topic_arn: String,
    /// The location of this checker.
    pub location: Location,
    /// The expected locations if the table lists none. Contains `location`.
    pub fallback_locations: BTreeSet<Location>,
    /// The format of metrics.
    pub metrics: Metrics,
    /// The address of the status page; `None` without one.
    pub page: Option<PageUrl>,
    /// The standby region; `None` without one.
    pub standby: Option<StandbySettings>,
}

/// The table and the topic of the standby region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandbySettings {
    /// The AWS region.
    pub region: String,
    /// The name of the table.
    pub table: String,
    /// The ARN of the topic.
    pub topic_arn: String,
}

impl Settings {
    /// Reads `PORTPULSE_TABLE`, `PORTPULSE_HOME_REGION`, `PORTPULSE_TOPIC_ARN`, `PORTPULSE_LOCATION` (default
    /// `AWS_REGION`), `PORTPULSE_LOCATIONS` (comma-separated, for a table that does not list the regions that should
    /// report; default the location itself), `PORTPULSE_METRICS` (`off` or `emf`, default `off`) and `PORTPULSE_PAGE_URL` (default
    /// none) from a lookup; and `PORTPULSE_STANDBY_REGION`, `PORTPULSE_STANDBY_TABLE` and `PORTPULSE_STANDBY_TOPIC_ARN`, all or none.
    ///
    /// # Errors
    /// All missing and invalid settings.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        read_settings(lookup, |reader| {
            let home = reader.home();
            let topic_arn = reader.required(
                "PORTPULSE_TOPIC_ARN",
                "the ARN of the SNS topic for notifications",
            );
            let names = ["PORTPULSE_LOCATION", "AWS_REGION"];
            let name = names.into_iter().find(|name| reader.optional(name).is_some());
            if name.is_none() {
                reader.report(
                    "neither PORTPULSE_LOCATION nor AWS_REGION is set: set one to the location of this checker",
                );
            }
            let location: Option<Location> = name.and_then(|name| reader.parsed(name));
            let mut fallback_locations: BTreeSet<Location> = reader.list("PORTPULSE_LOCATIONS");
            if let Some(location) = &location {
                if fallback_locations.is_empty() {
                    fallback_locations.insert(location.clone());
                } else if !fallback_locations.contains(location) {
                    reader.report(format!(
                        "PORTPULSE_LOCATIONS does not contain {location}, the location of this checker: add it"
                    ));
                }
            }
            let formats = [("off", Metrics::Off), ("emf", Metrics::Emf)];
            let metrics = reader.choice("PORTPULSE_METRICS", &formats);
            // A checker without a link is better than no checker.
            let page = reader.parsed_or_ignored("PORTPULSE_PAGE_URL");
            let standby = standby(reader);
            Some(Self {
                home: home?,
                topic_arn: topic_arn?,
                location: location?,
                fallback_locations,
                metrics: metrics.unwrap_or_default(),
                page,
                standby,
            })
        })
    }
}

/// The settings of the standby region: all of them, or none.
fn standby(reader: &mut SettingsReader<'_>) -> Option<StandbySettings> {
    const NAMES: [&str; 3] = [
        "PORTPULSE_STANDBY_REGION",
        "PORTPULSE_STANDBY_TABLE",
        "PORTPULSE_STANDBY_TOPIC_ARN",
    ];
    let [region, table, topic_arn] = NAMES.map(|name| reader.optional(name));
    if let (Some(region), Some(table), Some(topic_arn)) = (region.clone(), table.clone(), topic_arn.clone()) {
        return Some(StandbySettings {
            region,
            table,
            topic_arn,
        });
    }
    if region.or(table).or(topic_arn).is_some() {
        reader.report(format!("set all of {}, or none of them", NAMES.join(", ")));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_testkit::function::lookup;

    const REQUIRED: [(&str, &str); 4] = [
        ("PORTPULSE_TABLE", "t"),
        ("PORTPULSE_HOME_REGION", "eu-west-1"),
        ("PORTPULSE_TOPIC_ARN", "arn:x"),
        ("AWS_REGION", "eu-west-1"),
    ];

    fn parse(vars: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let settings = Settings::parse(lookup(&[&REQUIRED, vars].concat()));
        settings.map_err(|error| error.diagnostics)
    }

    #[test]
    fn location_overrides_aws_region_and_needs_no_list() {
        for (vars, location, fallback) in [
            (&[][..], "eu-west-1", &["eu-west-1"][..]),
            (
                &[
                    ("PORTPULSE_LOCATION", "office"),
                    ("PORTPULSE_LOCATIONS", "office, home"),
                ],
                "office",
                &["home", "office"],
            ),
        ] {
            let settings = parse(vars).unwrap();
            assert_eq!(settings.location.as_str(), location);
            let found: Vec<_> = settings.fallback_locations.iter().map(Location::as_str).collect();
            assert_eq!(found, fallback);
        }
    }

    #[test]
    fn standby_is_set_completely_or_not_at_all() {
        let all = [
            ("PORTPULSE_STANDBY_REGION", "eu-central-1"),
            ("PORTPULSE_STANDBY_TABLE", "s"),
            ("PORTPULSE_STANDBY_TOPIC_ARN", "arn:s"),
        ];
        let standby = parse(&all).unwrap().standby.unwrap();
        assert_eq!(
            (&*standby.region, &*standby.table, &*standby.topic_arn),
            ("eu-central-1", "s", "arn:s")
        );
        assert_eq!(parse(&[]).unwrap().standby, None);
        for missing in 0..3 {
            let mut some = all;
            some[missing].1 = " ";
            assert_eq!(parse(&some).unwrap_err().len(), 1, "{missing}");
        }
    }

    #[test]
    fn invalid_page_url_does_not_stop_the_checker() {
        let page = |url| {
            parse(&[("PORTPULSE_PAGE_URL", url)]).map(|settings| settings.page.map(|url| url.to_string()))
        };
        assert_eq!(page(""), Ok(None));
        assert_eq!(
            page("https://h.example.com/"),
            Ok(Some("https://h.example.com".to_owned()))
        );
        assert_eq!(page("h.example.com"), Ok(None));
    }

    #[test]
    fn metrics_are_off_by_default() {
        for (word, expected) in [
            ("", Ok(Metrics::Off)),
            ("off", Ok(Metrics::Off)),
            ("emf", Ok(Metrics::Emf)),
            (
                "on",
                Err(["PORTPULSE_METRICS is invalid: `on`: use `off` or `emf`".to_owned()].to_vec()),
            ),
        ] {
            let metrics = parse(&[("PORTPULSE_METRICS", word)]).map(|settings| settings.metrics);
            assert_eq!(metrics, expected, "{word}");
        }
    }

    #[test]
    fn all_invalid_settings_are_reported_together() {
        assert_eq!(Settings::parse(|_| None).unwrap_err().diagnostics.len(), 4);
        let diagnostics = parse(&[("PORTPULSE_LOCATIONS", "us-east-1,EU")]).unwrap_err();
        assert_eq!(diagnostics.len(), 2, "{diagnostics:?}");
        let diagnostics = parse(&[("AWS_REGION", "EU")]).unwrap_err();
        assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    }
}
