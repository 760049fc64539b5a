//! The configuration of the relay: destinations and their routes. Validation reports all diagnostics at once.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use portpulse_core::choice::Severity;
use portpulse_core::definition::{Diagnostic, FieldPath, NetworkAccess};
use serde_json::{Map, Value};

use crate::destination::Destination;
use crate::destination_fields::{DestinationFields, excerpt};
use crate::route::{Pattern, Route};

/// The maximum number of destinations of one relay: all are notified at the same time.
pub const MAX_DESTINATIONS: usize = 50;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const MIN_TIMEOUT: Duration = Duration::from_millis(100);
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

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
        Err(InvalidDestinationName { shown: excerpt(text) })
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

/// One destination with its name, route and timeout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfiguredDestination {
    pub(crate) name: DestinationName,
    pub(crate) destination: Destination,
    pub(crate) route: Route,
    /// The timeout of one request.
    pub(crate) timeout: Duration,
}

/// The destinations of a relay.
///
/// ```yaml
/// destinations:
///   ops-chat:                            # any name
///     kind: slack                        # slack, discord, teams, google_chat: `url`
///     url: ssm:/portpulse/ops-chat       # the name of a secret, not its value
///     severities: [critical, warning]    # default: all; for pagerduty and opsgenie, critical
///     tags: [prod]                       # any of these; default: all, with or without tags
///     monitors: [orders-db, "web-*"]     # any of these; default: all, and locations
///     timeout: 10s                       # for one request: 100ms to 30s
///   pager:  { kind: pagerduty, key: "secretsmanager:pager" }     # opsgenie likewise; `server` for the EU
///   bot:    { kind: telegram, token: "ssm:/portpulse/bot", chat: "-1001234567890" }
///   phone:  { kind: ntfy, topic: "ssm:/portpulse/topic" }        # optional: `token`, and `server` for your own server
///   audit:  { kind: webhook, url: "https://audit.example.com/portpulse", key: "ssm:/portpulse/audit" }
/// ```
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
    let mut fields = DestinationFields::new(path, input, network_access);
    let kinds = format!("use one of {}", Destination::KINDS.join(", "));
    let kind = fields.required("kind", &kinds);
    let severities = fields.list("severities", "use a list such as [critical, warning]", |text| {
        text.parse::<Severity>()
            .map_err(|error| format!("use one of {}", error.allowed().join(", ")))
    });
    let tags = fields.list("tags", "use a list such as [prod, eu]", |tag| Ok(tag.to_owned()));
    let monitors = fields.list(
        "monitors",
        "use a list such as [orders-db, \"web-*\"]",
        Pattern::parse,
    );
    let timeout = fields.duration("timeout", DEFAULT_TIMEOUT, MIN_TIMEOUT..=MAX_TIMEOUT);
    let known = kind.filter(|kind| Destination::KINDS.contains(kind));
    if let (Some(kind), None) = (kind, known) {
        fields.diagnostic("kind", format!("unknown kind `{}`", excerpt(kind)), kinds);
    }
    let destination = known.and_then(|kind| Destination::read(kind, &mut fields));
    // Without a valid kind, the known fields are undefined.
    diagnostics.extend(if known.is_some() {
        fields.finish()
    } else {
        fields.into_diagnostics()
    });
    match (name, destination) {
        (Ok(name), Some(destination)) if diagnostics.is_empty() => {
            let severities = severities.unwrap_or_else(|| destination.default_severities().to_vec());
            let route = Route {
                severities: BTreeSet::from_iter(severities),
                tags: tags.map(BTreeSet::from_iter),
                monitors,
            };
            Ok(ConfiguredDestination {
                name,
                destination,
                route,
                timeout,
            })
        }
        _ => Err(diagnostics),
    }
}
