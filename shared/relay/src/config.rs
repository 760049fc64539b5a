//! The configuration of the relay: destinations and their routes. Validation reports all diagnostics at once.

use std::fmt;
use std::str::FromStr;

use portpulse_core::definition::{Diagnostic, FieldPath, NetworkAccess};
use portpulse_core::text::quoted;
use serde_json::{Map, Value};

use crate::destination::{Destination, KINDS};
use crate::route::Route;
use crate::setting::COMMON;
use crate::settings::SettingsReader;

/// The maximum number of destinations of one relay: all are notified at the same time.
pub const MAX_DESTINATIONS: usize = 50;

/// The rule of names, as a regular expression.
pub(crate) const NAME_PATTERN: &str = "^[a-z0-9][a-z0-9-]{0,31}$";

/// The name of a destination, used in keys of the table and in logs: 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DestinationName(String);

impl DestinationName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DestinationName {
    type Err = InvalidDestinationName;

    fn from_str(text: &str) -> Result<Self, InvalidDestinationName> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let starts_well = text.starts_with(|c: char| fits(c) && c != '-');
        if starts_well && text.len() <= 32 && text.chars().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidDestinationName { shown: quoted(text) })
    }
}

impl fmt::Display for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An invalid name of a destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{shown}` is not a valid destination name: use 1 to 32 of a-z, 0-9 and `-`, starting with a letter or digit"
)]
pub struct InvalidDestinationName {
    shown: String,
}

/// One destination with its name and route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfiguredDestination {
    pub(crate) name: DestinationName,
    pub(crate) destination: Destination,
    pub(crate) route: Route,
}

/// The destinations of a relay.
///
/// ```yaml
/// destinations:
///   ops-chat:                            # any name
///     kind: slack                        # infra/README.md lists the kinds and their settings
///     url: ssm:/portpulse/ops-chat       # the name of a secret, not its value
///     severities: [critical, warning]    # default: all; for pagers, critical
///     tags: [prod]                       # any of these; default: all, with or without tags
///     monitors: [orders-db, "web-*"]     # any of these; default: all, and locations
///     timeout: 10s                       # for one request: 100ms to 30s
/// ```
///
/// Incidents with one cause share a notification, which is about the first monitor: `monitors` selects the notification by
/// the first one only, `tags` by those of all monitors that it notifies. An incident that begins later and has a tag which the
/// first monitor does not have is notified by itself.
///
/// The name of a secret is `ssm:/path` (AWS Systems Manager Parameter Store) or `secretsmanager:name` (AWS Secrets Manager);
/// on one machine also `env:NAME` or `file:/path`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    pub(crate) destinations: Vec<ConfiguredDestination>,
}

impl Config {
    /// Validates a configuration in JSON, with the structure of the YAML above.
    ///
    /// # Errors
    /// All diagnostics, each with path and help. No diagnostic shows the value of a secret.
    pub fn validate(input: &Value, network_access: NetworkAccess) -> Result<Self, Vec<Diagnostic>> {
        let root = FieldPath::root();
        let help = "write `destinations:` and below it each destination by its name";
        let Value::Object(top) = input else {
            return Err(vec![Diagnostic::new(root, "is not a map", help)]);
        };
        let mut diagnostics: Vec<_> = top
            .keys()
            .filter(|name| *name != "destinations")
            .map(|name| Diagnostic::new(root.field(name), "unknown field", help))
            .collect();
        let at = root.field("destinations");
        let empty = Map::new();
        let input = match top.get("destinations") {
            Some(Value::Object(input)) => input,
            Some(Value::Null) | None => &empty,
            Some(_) => {
                diagnostics.push(Diagnostic::new(at.clone(), "is not a map", help));
                &empty
            }
        };
        if input.len() > MAX_DESTINATIONS {
            let help = format!("use at most {MAX_DESTINATIONS}");
            diagnostics.push(Diagnostic::new(
                at.clone(),
                format!("has {} destinations", input.len()),
                help,
            ));
        }
        let mut destinations = Vec::new();
        for (name, fields) in input {
            match read(at.field(name), name, fields, network_access) {
                Ok(destination) => destinations.push(destination),
                Err(more) => diagnostics.extend(more),
            }
        }
        if diagnostics.is_empty() {
            Ok(Self { destinations })
        } else {
            Err(diagnostics)
        }
    }

    /// Splits the configuration into one for each destination, so that each can have a relay of its own.
    pub fn split_by_destination(self) -> impl Iterator<Item = (DestinationName, Self)> {
        let destinations = self.destinations.into_iter();
        destinations.map(|each| {
            let name = each.name.clone();
            let destinations = vec![each];
            (name, Self { destinations })
        })
    }

    /// The destinations with their names.
    pub fn destinations(&self) -> impl Iterator<Item = (&DestinationName, &Destination)> {
        let destinations = self.destinations.iter();
        destinations.map(|each| (&each.name, &each.destination))
    }
}

fn read(
    path: FieldPath,
    name: &str,
    input: &Value,
    network_access: NetworkAccess,
) -> Result<ConfiguredDestination, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let name = name.parse::<DestinationName>().map_err(|_| {
        let help = "use 1 to 32 of a-z, 0-9 and `-`, starting with a letter or digit";
        diagnostics.push(Diagnostic::new(
            path.clone(),
            "is not a valid destination name",
            help,
        ));
    });
    let Value::Object(input) = input else {
        diagnostics.push(Diagnostic::new(
            path,
            "is not a map",
            "write the fields of the destination, starting with `kind`",
        ));
        return Err(diagnostics);
    };
    let mut reader = SettingsReader::new(path, input, network_access);
    let find = |name: &str| KINDS.into_iter().find(|kind| kind.name() == name);
    let kind = reader.kind(&Destination::kinds(), find);
    reader.read(&COMMON);
    if let Some(kind) = kind {
        reader.read(kind.settings());
        // Without a valid kind, the known fields are undefined.
        reader.refuse_unknown();
    }
    let (settings, more) = reader.finish();
    diagnostics.extend(more);
    match (name, kind) {
        (Ok(name), Some(kind)) if diagnostics.is_empty() => Ok(ConfiguredDestination {
            name,
            route: Route::new(&settings, kind.default_severities()),
            destination: Destination { kind, settings },
        }),
        _ => Err(diagnostics),
    }
}
