//! Settings from environment variables, read once at start. All errors are reported together.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_history::view::UpcomingMaintenance;

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The name of the DynamoDB table.
    pub table: String,
    /// The region of the table and of the token parameter.
    pub home_region: String,
    /// The expected locations if the table lists none; empty if not set.
    pub locations: BTreeSet<Location>,
    /// The groups with monitors; empty if not set, in which case each request discovers them.
    pub groups: BTreeSet<GroupId>,
    /// Who may read the page.
    pub readers: Readers,
    /// Whether upcoming maintenance is announced on a public page.
    pub upcoming: UpcomingMaintenance,
}

/// Who may read the page, which determines what the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// Anyone: names, statuses, uptime and current maintenance.
    Public,
    /// Callers with a signature verified by AWS: everything. The function URL has `AuthType: AWS_IAM`.
    Signed,
    /// Readers with the token in this parameter of Parameter Store: everything.
    WithToken(ParameterName),
}

impl Readers {
    /// How long an instance of the function caches data. Longer for a public page, whose number of requests is unbounded.
    pub const fn cache_lifetime(&self) -> SignedDuration {
        match self {
            Self::Public => SignedDuration::from_secs(60),
            Self::Signed | Self::WithToken(_) => SignedDuration::from_secs(15),
        }
    }
}

/// The name of a parameter in AWS Systems Manager Parameter Store, such as `/portpulse/status-token`.
/// Source: <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterName(String);

impl ParameterName {
    /// Parses `ssm:/name`. Returns `None` for anything else; the text must not be logged, since it may be the token itself.
    fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("ssm:")?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
        let is_name = name.starts_with('/') && (2..=1_011).contains(&name.len()) && name.chars().all(fits);
        is_name.then(|| Self(name.to_owned()))
    }

    /// The name of the parameter.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Error: invalid settings, with all diagnostics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidSettings {
    diagnostics: Vec<String>,
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let diagnostics = self.diagnostics.join("; ");
        write!(f, "invalid environment variables: {diagnostics}")
    }
}

impl Settings {
    /// Parses the environment variables that `lookup` returns:
    ///
    /// - `PORTPULSE_TABLE` and `PORTPULSE_HOME_REGION`: the table and its region; required.
    /// - `PORTPULSE_STATUS_ACCESS`: `public` or `private`; required.
    /// - `PORTPULSE_STATUS_TOKEN`: `ssm:/name`, the parameter with the token of a private page. A private page without a
    ///   token requires signed requests.
    /// - `PORTPULSE_STATUS_MAINTENANCE`: `announced` or `withheld` (default): whether a public page shows upcoming
    ///   maintenance.
    /// - `PORTPULSE_LOCATIONS`: the expected locations, for a table that does not list them; optional.
    /// - `PORTPULSE_GROUPS`: the groups with monitors, such as `1m#0,5m#0`; optional.
    ///
    /// # Errors
    /// All missing and invalid variables.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut diagnostics = Vec::new();
        let set = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut required = |name: &str, what: &str| {
            set(name).unwrap_or_else(|| {
                diagnostics.push(format!("{name} is missing: {what}"));
                String::new()
            })
        };
        let table = required("PORTPULSE_TABLE", "set it to the name of the DynamoDB table");
        let home_region = required("PORTPULSE_HOME_REGION", "set it to the region of the table");
        let access = required("PORTPULSE_STATUS_ACCESS", "set it to `public` or `private`");
        let token = set("PORTPULSE_STATUS_TOKEN").map(|text| ParameterName::parse(text.trim()));
        let readers = match (access.as_str(), token) {
            ("public", None) => Readers::Public,
            ("private", None) => Readers::Signed,
            ("private", Some(Some(name))) => Readers::WithToken(name),
            ("public", Some(_)) => {
                diagnostics.push(
                    "PORTPULSE_STATUS_TOKEN is set, but a public page has no token: remove the variable, or set \
                     PORTPULSE_STATUS_ACCESS to `private`"
                        .to_owned(),
                );
                Readers::Signed
            }
            (_, Some(None)) => {
                diagnostics.push(
                    "PORTPULSE_STATUS_TOKEN is invalid: store the token in Parameter Store and set the variable to \
                     `ssm:/<name>`"
                        .to_owned(),
                );
                Readers::Signed
            }
            // Reported as missing above.
            ("", _) => Readers::Signed,
            (other, _) => {
                diagnostics.push(format!(
                    "PORTPULSE_STATUS_ACCESS is invalid: `{}`: use `public` or `private`",
                    other.escape_debug()
                ));
                Readers::Signed
            }
        };
        let upcoming = match set("PORTPULSE_STATUS_MAINTENANCE").as_deref().map(str::trim) {
            Some("announced") => UpcomingMaintenance::Announced,
            Some("withheld") | None => UpcomingMaintenance::Withheld,
            Some(other) => {
                diagnostics.push(format!(
                    "PORTPULSE_STATUS_MAINTENANCE is invalid: `{}`: use `announced` or `withheld`",
                    other.escape_debug()
                ));
                UpcomingMaintenance::Withheld
            }
        };
        let locations = list("PORTPULSE_LOCATIONS", set, &mut diagnostics);
        let groups = list("PORTPULSE_GROUPS", set, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Err(InvalidSettings { diagnostics });
        }
        Ok(Self {
            table,
            home_region,
            locations,
            groups,
            readers,
            upcoming,
        })
    }
}

/// Parses a comma-separated list; empty if the variable is not set.
fn list<T>(name: &str, set: impl Fn(&str) -> Option<String>, diagnostics: &mut Vec<String>) -> BTreeSet<T>
where
    T: FromStr<Err: fmt::Display> + Ord,
{
    let mut all = BTreeSet::new();
    for text in set(name).iter().flat_map(|texts| texts.split(',')) {
        match text.trim().parse() {
            Ok(value) => {
                all.insert(value);
            }
            Err(error) => diagnostics.push(format!("{name}: {error}")),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(vars: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
        let base = [("PORTPULSE_TABLE", "t"), ("PORTPULSE_HOME_REGION", "eu-west-1")];
        Settings::parse(|name| {
            let mut all = base.iter().chain(vars).filter(|(key, _)| *key == name);
            all.next_back().map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn access_is_public_signed_or_token() {
        let readers = |vars: &[(&str, &str)]| parse(vars).unwrap().readers;
        let token = ("PORTPULSE_STATUS_TOKEN", "ssm:/portpulse/status-token");
        let (public, private) = (
            ("PORTPULSE_STATUS_ACCESS", "public"),
            ("PORTPULSE_STATUS_ACCESS", "private"),
        );
        assert_eq!(readers(&[public]), Readers::Public);
        assert_eq!(readers(&[private]), Readers::Signed);
        let name = ParameterName("/portpulse/status-token".to_owned());
        assert_eq!(readers(&[private, token]), Readers::WithToken(name));
        assert_eq!(parse(&[public, token]).unwrap_err().diagnostics.len(), 1);
    }

    #[test]
    fn groups_are_empty_unless_set() {
        let public = ("PORTPULSE_STATUS_ACCESS", "public");
        assert!(parse(&[public]).unwrap().groups.is_empty());
        let named = parse(&[public, ("PORTPULSE_GROUPS", "1m#0, 1m#1")])
            .unwrap()
            .groups;
        let named: Vec<_> = named.iter().map(ToString::to_string).collect();
        assert_eq!(named, ["1m#0", "1m#1"]);
    }

    #[test]
    fn upcoming_maintenance_is_withheld_by_default() {
        let public = ("PORTPULSE_STATUS_ACCESS", "public");
        let name = "PORTPULSE_STATUS_MAINTENANCE";
        assert_eq!(parse(&[public]).unwrap().upcoming, UpcomingMaintenance::Withheld);
        assert_eq!(
            parse(&[public, (name, "withheld")]).unwrap().upcoming,
            UpcomingMaintenance::Withheld
        );
        assert_eq!(
            parse(&[public, (name, "announced")]).unwrap().upcoming,
            UpcomingMaintenance::Announced
        );
        assert_eq!(
            parse(&[public, (name, "yes")]).unwrap_err().diagnostics,
            ["PORTPULSE_STATUS_MAINTENANCE is invalid: `yes`: use `announced` or `withheld`"]
        );
    }

    #[test]
    fn public_page_is_cached_for_a_minute() {
        let cache_lifetime = |readers: Readers| readers.cache_lifetime().as_secs();
        assert_eq!(
            (cache_lifetime(Readers::Public), cache_lifetime(Readers::Signed)),
            (60, 15)
        );
    }

    #[test]
    fn all_errors_are_reported_without_token() {
        let error = Settings::parse(|_| None).unwrap_err();
        assert_eq!(error.diagnostics.len(), 3, "{error}");
        let error = parse(&[
            ("PORTPULSE_TABLE", " "),
            ("PORTPULSE_STATUS_ACCESS", "private"),
            ("PORTPULSE_STATUS_TOKEN", "hush-hush"),
            ("PORTPULSE_LOCATIONS", "eu-west-1, ?"),
            ("PORTPULSE_GROUPS", "1m"),
        ]);
        let error = error.unwrap_err();
        assert_eq!(error.diagnostics.len(), 4, "{error}");
        assert!(!error.to_string().contains("hush"), "{error}");
        let error = parse(&[("PORTPULSE_STATUS_ACCESS", "open")]).unwrap_err();
        assert_eq!(
            error.diagnostics,
            ["PORTPULSE_STATUS_ACCESS is invalid: `open`: use `public` or `private`"]
        );
    }
}
