//! The page's settings, read once at start, with everything that is wrong named at once.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_history::view::Ahead;

/// What the function is told about its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table.
    pub table: String,
    /// The region in which table and token are.
    pub home_region: String,
    /// The regions that should report where the table lists none; empty if it was not said.
    pub locations: BTreeSet<Location>,
    /// The groups that have monitors; empty if it was not said: then they are looked for.
    pub groups: BTreeSet<GroupId>,
    /// Who may read.
    pub readers: Readers,
    /// Whether the public is told of maintenance ahead.
    pub ahead: Ahead,
}

/// Who may read, and with that, what they see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// Anybody: names, verdicts, uptime, and that maintenance is on.
    Anybody,
    /// Callers whose signature AWS has verified: everything. The function URL has `AuthType: AWS_IAM`.
    Signed,
    /// Whoever knows the token that this parameter of Parameter Store holds: everything.
    WithToken(ParameterName),
}

impl Readers {
    /// For how long one instance of the function shows what it has read. Nobody knows how often the public asks.
    pub const fn keep(&self) -> SignedDuration {
        match self {
            Self::Anybody => SignedDuration::from_secs(60),
            Self::Signed | Self::WithToken(_) => SignedDuration::from_secs(15),
        }
    }
}

/// The name of a parameter in AWS Systems Manager's Parameter Store, such as `/portpulse/status-token`.
/// Source: <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterName(String);

impl ParameterName {
    /// Reads `ssm:/name`; `None` if it is anything else, and then it is not shown: it may be the token itself.
    fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("ssm:")?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
        let is_name = name.starts_with('/') && (2..=1_011).contains(&name.len()) && name.chars().all(fits);
        is_name.then(|| Self(name.to_owned()))
    }

    /// The name as Parameter Store knows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Settings that cannot be used, with all that is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidSettings {
    diagnostics: Vec<String>,
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let diagnostics = self.diagnostics.join("; ");
        write!(
            f,
            "the environment does not say what the status page needs: {diagnostics}"
        )
    }
}

impl Settings {
    /// Reads from a lookup: `PORTPULSE_TABLE`, `PORTPULSE_HOME_REGION`, `PORTPULSE_LOCATIONS` (for a table that does not
    /// list the regions that should report) and `PORTPULSE_GROUPS` (such as `1m#0,5m#0`; either may be absent),
    /// `PORTPULSE_STATUS_ACCESS` (`public` or `private`) and `PORTPULSE_STATUS_TOKEN` (`ssm:/name`). A private page
    /// without a token is for signed callers. `PORTPULSE_STATUS_MAINTENANCE` (`announced`, or `withheld`, which it is
    /// otherwise) says whether a public page tells of maintenance ahead.
    ///
    /// # Errors
    /// Everything that is missing or wrong.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut diagnostics = Vec::new();
        let set = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut required = |name: &str, what: &str| {
            set(name).unwrap_or_else(|| {
                diagnostics.push(format!("{name} is not set: {what}"));
                String::new()
            })
        };
        let table = required("PORTPULSE_TABLE", "it names the DynamoDB table");
        let home_region = required("PORTPULSE_HOME_REGION", "it names the table's region");
        let access = required("PORTPULSE_STATUS_ACCESS", "use `public` or `private`");
        let token = set("PORTPULSE_STATUS_TOKEN").map(|text| ParameterName::parse(text.trim()));
        let readers = match (access.as_str(), token) {
            ("public", None) => Readers::Anybody,
            ("private", None) => Readers::Signed,
            ("private", Some(Some(name))) => Readers::WithToken(name),
            ("public", Some(_)) => {
                diagnostics.push(
                    "PORTPULSE_STATUS_TOKEN is set, and a public page asks for none: remove one".to_owned(),
                );
                Readers::Signed
            }
            (_, Some(None)) => {
                diagnostics.push(
                    "PORTPULSE_STATUS_TOKEN names no parameter: keep the token in Parameter Store and write \
                     `ssm:/its/name`"
                        .to_owned(),
                );
                Readers::Signed
            }
            // What is not set has been said.
            ("", _) => Readers::Signed,
            (other, _) => {
                diagnostics.push(format!(
                    "PORTPULSE_STATUS_ACCESS is `{}`: use `public` or `private`",
                    other.escape_debug()
                ));
                Readers::Signed
            }
        };
        let ahead = match set("PORTPULSE_STATUS_MAINTENANCE").as_deref().map(str::trim) {
            Some("announced") => Ahead::Announced,
            Some("withheld") | None => Ahead::Withheld,
            Some(other) => {
                diagnostics.push(format!(
                    "PORTPULSE_STATUS_MAINTENANCE is `{}`: use `announced` or `withheld`",
                    other.escape_debug()
                ));
                Ahead::Withheld
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
            ahead,
        })
    }
}

/// What a variable lists, separated by commas; empty if it is not set.
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
    fn who_may_read_is_public_signed_or_with_a_token() {
        let readers = |vars: &[(&str, &str)]| parse(vars).unwrap().readers;
        let token = ("PORTPULSE_STATUS_TOKEN", "ssm:/portpulse/status-token");
        let (public, private) = (
            ("PORTPULSE_STATUS_ACCESS", "public"),
            ("PORTPULSE_STATUS_ACCESS", "private"),
        );
        assert_eq!(readers(&[public]), Readers::Anybody);
        assert_eq!(readers(&[private]), Readers::Signed);
        let name = ParameterName("/portpulse/status-token".to_owned());
        assert_eq!(readers(&[private, token]), Readers::WithToken(name));
        assert_eq!(parse(&[public, token]).unwrap_err().diagnostics.len(), 1);
    }

    #[test]
    fn groups_are_looked_for_unless_they_are_named() {
        let public = ("PORTPULSE_STATUS_ACCESS", "public");
        assert!(parse(&[public]).unwrap().groups.is_empty());
        let named = parse(&[public, ("PORTPULSE_GROUPS", "1m#0, 1m#1")])
            .unwrap()
            .groups;
        let named: Vec<_> = named.iter().map(ToString::to_string).collect();
        assert_eq!(named, ["1m#0", "1m#1"]);
    }

    #[test]
    fn maintenance_ahead_is_announced_only_where_that_is_asked_for() {
        let public = ("PORTPULSE_STATUS_ACCESS", "public");
        let name = "PORTPULSE_STATUS_MAINTENANCE";
        assert_eq!(parse(&[public]).unwrap().ahead, Ahead::Withheld);
        assert_eq!(
            parse(&[public, (name, "withheld")]).unwrap().ahead,
            Ahead::Withheld
        );
        assert_eq!(
            parse(&[public, (name, "announced")]).unwrap().ahead,
            Ahead::Announced
        );
        assert_eq!(
            parse(&[public, (name, "yes")]).unwrap_err().diagnostics,
            ["PORTPULSE_STATUS_MAINTENANCE is `yes`: use `announced` or `withheld`"]
        );
    }

    #[test]
    fn the_public_is_shown_what_was_read_for_a_minute() {
        let keep = |readers: Readers| readers.keep().as_secs();
        assert_eq!((keep(Readers::Anybody), keep(Readers::Signed)), (60, 15));
    }

    #[test]
    fn everything_wrong_is_named_at_once_and_no_token_is_shown() {
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
            ["PORTPULSE_STATUS_ACCESS is `open`: use `public` or `private`"]
        );
    }
}
