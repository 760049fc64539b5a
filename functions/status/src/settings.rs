//! The settings of the status page from environment variables, read once at start.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::SignedDuration;
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_function::{Home, InvalidSettings, SettingsReader, read_settings};
use portpulse_history::view::UpcomingMaintenance;
use portpulse_status::PageConfig;

const TOKEN: &str = "PORTPULSE_STATUS_TOKEN";
const PAGE: &str = "PORTPULSE_STATUS_PAGE";
const ACTIONS: &str = "PORTPULSE_STATUS_ACTIONS";

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table. Its region is also that of the token parameter.
    pub home: Home,
    /// The expected locations if the table lists none; empty if not set.
    pub locations: BTreeSet<Location>,
    /// The groups with monitors; empty if not set, in which case each request discovers them.
    pub groups: BTreeSet<GroupId>,
    /// Who may read the page.
    pub readers: Readers,
    /// Whether upcoming maintenance is announced on a public page.
    pub upcoming: UpcomingMaintenance,
    /// The appearance.
    pub page: PageConfig,
    /// The topic that monthly reports are sent to; `None` for no reports.
    pub report_topic: Option<String>,
}

/// Who may read the page, which determines what the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// Anyone: names, statuses, uptime and current maintenance.
    Public,
    /// Callers with a signature verified by AWS: everything. The function URL has `AuthType: AWS_IAM`.
    Signed,
    /// Readers with the token in this parameter of Parameter Store: everything.
    WithToken(ParameterName, Actions),
}

/// Whether readers can acknowledge incidents, silence monitors and add notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actions {
    /// The page only reads.
    None,
    /// The page has forms, and the role of the function may write what they ask for.
    Offered,
}

impl Readers {
    /// How long an instance of the function caches data. Longer for a public page, whose number of requests is unbounded.
    pub const fn cache_lifetime(&self) -> SignedDuration {
        match self {
            Self::Public => SignedDuration::from_secs(60),
            Self::Signed | Self::WithToken(..) => SignedDuration::from_secs(15),
        }
    }
}

/// The name of a parameter in AWS Systems Manager Parameter Store, such as `/portpulse/status-token`.
/// Source: <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterName(String);

/// Error: not a parameter. The text must not be logged, since it may be the token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("store the token in Parameter Store and set the variable to `ssm:/<name>`")]
pub struct InvalidParameterName;

impl FromStr for ParameterName {
    type Err = InvalidParameterName;

    /// Parses `ssm:/name`.
    fn from_str(text: &str) -> Result<Self, InvalidParameterName> {
        let name = text.strip_prefix("ssm:").ok_or(InvalidParameterName)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
        let is_name = name.starts_with('/') && (2..=1_011).contains(&name.len()) && name.chars().all(fits);
        is_name.then(|| Self(name.to_owned())).ok_or(InvalidParameterName)
    }
}

impl ParameterName {
    /// The name of the parameter.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Settings {
    /// Parses the environment variables that `lookup` returns:
    ///
    /// - `PORTPULSE_TABLE` and `PORTPULSE_HOME_REGION`: the table and its region; required.
    /// - `PORTPULSE_STATUS_ACCESS`: `public` or `private`; required.
    /// - `PORTPULSE_STATUS_TOKEN`: `ssm:/name`, the parameter with the token of a private page. A private page without a
    ///   token requires signed requests.
    /// - `PORTPULSE_STATUS_ACTIONS`: `offered` or `none` (default): whether readers with the token can acknowledge, silence and
    ///   add notes.
    /// - `PORTPULSE_STATUS_MAINTENANCE`: `announced` or `withheld` (default): whether a public page shows upcoming
    ///   maintenance.
    /// - `PORTPULSE_STATUS_PAGE`: the appearance as JSON; optional.
    /// - `PORTPULSE_REPORT_TOPIC_ARN`: the topic, in the home region, that monthly reports are sent to; optional.
    /// - `PORTPULSE_LOCATIONS`: the expected locations, for a table that does not list them; optional.
    /// - `PORTPULSE_GROUPS`: the groups with monitors, such as `1m#0,5m#0`; optional.
    ///
    /// # Errors
    /// All missing and invalid variables.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        read_settings(lookup, |reader| {
            let (home, readers) = (reader.home(), readers(reader));
            let announced = [
                ("announced", UpcomingMaintenance::Announced),
                ("withheld", UpcomingMaintenance::Withheld),
            ];
            let upcoming = reader.choice("PORTPULSE_STATUS_MAINTENANCE", &announced);
            let page = page(reader);
            let (locations, groups) = (
                reader.list("PORTPULSE_LOCATIONS"),
                reader.list("PORTPULSE_GROUPS"),
            );
            Some(Self {
                home: home?,
                locations,
                groups,
                readers: readers?,
                upcoming: upcoming.unwrap_or(UpcomingMaintenance::Withheld),
                page: page?,
                report_topic: reader.optional("PORTPULSE_REPORT_TOPIC_ARN"),
            })
        })
    }
}

/// The appearance; the default if not set, and `None`, with a report, if invalid.
fn page(reader: &mut SettingsReader<'_>) -> Option<PageConfig> {
    let Some(text) = reader.optional(PAGE) else {
        return Some(PageConfig::default());
    };
    let read = match serde_json::from_str(&text) {
        Ok(value) => PageConfig::validate(&value).map_err(|diagnostics| {
            diagnostics
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        }),
        Err(error) => Err(error.to_string()),
    };
    read.map_err(|error| reader.report(format!("{PAGE} is invalid: {error}")))
        .ok()
}

fn readers(reader: &mut SettingsReader<'_>) -> Option<Readers> {
    let accesses = [("public", Readers::Public), ("private", Readers::Signed)];
    let access = reader.required_choice("PORTPULSE_STATUS_ACCESS", &accesses);
    let is_token_set = reader.optional(TOKEN).is_some();
    let actions = [("none", Actions::None), ("offered", Actions::Offered)];
    let actions = reader.choice(ACTIONS, &actions).unwrap_or(Actions::None);
    if actions == Actions::Offered && !is_token_set {
        reader.report(format!(
            "{ACTIONS} is `offered`, but only readers with a token may act: set {TOKEN}, or remove the variable"
        ));
    }
    match (access, reader.parsed(TOKEN)) {
        (Some(Readers::Public), _) if is_token_set => {
            reader.report(format!(
                "{TOKEN} is set, but a public page has no token: remove the variable, or set PORTPULSE_STATUS_ACCESS \
                 to `private`"
            ));
            None
        }
        (Some(_), Some(name)) => Some(Readers::WithToken(name, actions)),
        (access, _) => access,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_testkit::function::lookup;

    const PUBLIC: (&str, &str) = ("PORTPULSE_STATUS_ACCESS", "public");
    const PRIVATE: (&str, &str) = ("PORTPULSE_STATUS_ACCESS", "private");

    fn parse(vars: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let home = [("PORTPULSE_TABLE", "t"), ("PORTPULSE_HOME_REGION", "eu-west-1")];
        let settings = Settings::parse(lookup(&[&home, vars].concat()));
        settings.map_err(|error| error.diagnostics)
    }

    #[test]
    fn access_is_public_signed_or_token() {
        let name = "/portpulse/status-token";
        let token = (TOKEN, "ssm:/portpulse/status-token");
        for (vars, expected) in [
            (&[PUBLIC][..], Readers::Public),
            (&[PRIVATE], Readers::Signed),
            (
                &[PRIVATE, token],
                Readers::WithToken(ParameterName(name.to_owned()), Actions::None),
            ),
            (
                &[PRIVATE, token, (ACTIONS, "offered")],
                Readers::WithToken(ParameterName(name.to_owned()), Actions::Offered),
            ),
        ] {
            assert_eq!(parse(vars).unwrap().readers, expected);
        }
        assert_eq!(parse(&[PUBLIC, token]).unwrap_err().len(), 1);
        for access in [PUBLIC, PRIVATE] {
            assert_eq!(parse(&[access, (ACTIONS, "offered")]).unwrap_err().len(), 1);
        }
    }

    #[test]
    fn groups_are_empty_unless_set() {
        assert!(parse(&[PUBLIC]).unwrap().groups.is_empty());
        let named = parse(&[PUBLIC, ("PORTPULSE_GROUPS", "1m#0, 1m#1")])
            .unwrap()
            .groups;
        let named: Vec<_> = named.iter().map(ToString::to_string).collect();
        assert_eq!(named, ["1m#0", "1m#1"]);
    }

    #[test]
    fn upcoming_maintenance_is_withheld_by_default() {
        use UpcomingMaintenance::{Announced, Withheld};
        for (text, expected) in [("", Withheld), ("withheld", Withheld), ("announced", Announced)] {
            let settings = parse(&[PUBLIC, ("PORTPULSE_STATUS_MAINTENANCE", text)]).unwrap();
            assert_eq!(settings.upcoming, expected, "{text}");
        }
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
        assert_eq!(Settings::parse(|_| None).unwrap_err().diagnostics.len(), 3);
        let diagnostics = parse(&[
            ("PORTPULSE_TABLE", " "),
            PRIVATE,
            (TOKEN, "hush-hush"),
            ("PORTPULSE_LOCATIONS", "eu-west-1, ?"),
            ("PORTPULSE_GROUPS", "1m"),
            ("PORTPULSE_STATUS_MAINTENANCE", "yes"),
        ]);
        let diagnostics = diagnostics.unwrap_err();
        assert_eq!(diagnostics.len(), 5, "{diagnostics:?}");
        assert!(!diagnostics.concat().contains("hush"), "{diagnostics:?}");
    }
}
