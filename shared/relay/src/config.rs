//! The destinations and who is told what: read once, with everything that is wrong named at once.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use portpulse_core::choice::Severity;
use portpulse_core::definition::{Diagnostic, FieldPath, NetworkAccess};
use serde_json::{Map, Value};

use crate::destination::Destination;
use crate::fields::{Fields, shown};
use crate::route::{Pattern, Route};

/// The most destinations of one relay: they are told at once.
pub const MAX_DESTINATIONS: usize = 50;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const MIN_TIMEOUT: Duration = Duration::from_millis(100);
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// The name of a destination: a part of a key in the table, and a word in every log.
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
        Err(InvalidDestinationName { shown: shown(text) })
    }
}

impl fmt::Display for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that no destination can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{shown}` is not the name of a destination: use 1 to 32 of a-z, 0-9 and `-`, beginning with a letter or digit"
)]
pub struct InvalidDestinationName {
    shown: String,
}

/// One destination with all that is configured for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Configured {
    pub(crate) name: DestinationName,
    pub(crate) destination: Destination,
    pub(crate) route: Route,
    /// How long one request may take.
    pub(crate) timeout: Duration,
}

/// The destinations of a relay.
///
/// ```yaml
/// destinations:
///   ops-chat:                            # a name of your choice
///     kind: slack                        # slack, discord, teams, google_chat: `url`
///     url: ssm:/portpulse/ops-chat       # the name of a secret, never the secret
///     severities: [critical, warning]    # default: all; for pagerduty and opsgenie, critical
///     tags: [prod]                       # any of them; default: all, with or without tags
///     monitors: [orders-db, "web-*"]     # any of them; default: all, and locations
///     timeout: 10s                       # for one request: 100ms to 30s
///   pager:  { kind: pagerduty, key: "secretsmanager:pager" }     # opsgenie likewise; `server` for the EU
///   bot:    { kind: telegram, token: "ssm:/portpulse/bot", chat: "-1001234567890" }
///   phone:  { kind: ntfy, topic: "ssm:/portpulse/topic" }        # `token`, `server` if it is your own
///   audit:  { kind: webhook, url: "https://audit.example.com/portpulse", key: "ssm:/portpulse/audit" }
/// ```
///
/// A secret is named by `ssm:/path` (AWS Systems Manager Parameter Store) or `secretsmanager:name` (AWS Secrets Manager);
/// on one machine also by `env:NAME` or `file:/path`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    pub(crate) destinations: Vec<Configured>,
}

impl Config {
    /// Reads a configuration, such as the YAML above as JSON.
    ///
    /// # Errors
    /// Everything that is wrong with it, with the place and the mend of each. No value of a secret is shown.
    pub fn validate(written: &Value, network_access: NetworkAccess) -> Result<Self, Vec<Diagnostic>> {
        let root = FieldPath::root();
        let wanted = "write `destinations:` and under it one destination by name";
        let Value::Object(top) = written else {
            return Err(vec![Diagnostic::new(root, "is not a map", wanted)]);
        };
        let mut diagnostics: Vec<_> = top
            .keys()
            .filter(|name| *name != "destinations")
            .map(|name| Diagnostic::new(root.field(name), "is not known here", wanted))
            .collect();
        let at = root.field("destinations");
        let empty = Map::new();
        let written = match top.get("destinations") {
            Some(Value::Object(written)) => written,
            Some(Value::Null) | None => &empty,
            Some(_) => {
                diagnostics.push(Diagnostic::new(at.clone(), "is not a map", wanted));
                &empty
            }
        };
        if written.len() > MAX_DESTINATIONS {
            let help = format!("name at most {MAX_DESTINATIONS}");
            diagnostics.push(Diagnostic::new(
                at.clone(),
                format!("has {} destinations", written.len()),
                help,
            ));
        }
        let mut destinations = Vec::new();
        for (name, fields) in written {
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

    /// Each destination in a configuration of its own, for whoever tells them apart from each other.
    pub fn apart(self) -> impl Iterator<Item = (DestinationName, Self)> {
        let destinations = self.destinations.into_iter();
        destinations.map(|each| {
            let name = each.name.clone();
            let destinations = vec![each];
            (name, Self { destinations })
        })
    }

    /// The destinations by their names.
    pub fn destinations(&self) -> impl Iterator<Item = (&DestinationName, &Destination)> {
        let destinations = self.destinations.iter();
        destinations.map(|each| (&each.name, &each.destination))
    }
}

fn read(
    at: FieldPath,
    name: &str,
    written: &Value,
    network_access: NetworkAccess,
) -> Result<Configured, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let name = name.parse::<DestinationName>().map_err(|_| {
        let help = "use 1 to 32 of a-z, 0-9 and `-`, beginning with a letter or digit";
        diagnostics.push(Diagnostic::new(
            at.clone(),
            "is not a name for a destination",
            help,
        ));
    });
    let Value::Object(written) = written else {
        diagnostics.push(Diagnostic::new(
            at,
            "is not a map",
            "write its fields, `kind` first",
        ));
        return Err(diagnostics);
    };
    let mut fields = Fields::new(at, written, network_access);
    let kinds = format!("write one of {}", Destination::KINDS.join(", "));
    let kind = fields.required("kind", &kinds);
    let severities = fields.words("severities", "write a list such as [critical, warning]", |word| {
        word.parse::<Severity>()
            .map_err(|error| format!("write one of {}", error.allowed().join(", ")))
    });
    let tags = fields.words("tags", "write a list such as [prod, eu]", |word| {
        Ok(word.to_owned())
    });
    let monitors = fields.words(
        "monitors",
        "write a list such as [orders-db, \"web-*\"]",
        Pattern::parse,
    );
    let timeout = fields.duration("timeout", DEFAULT_TIMEOUT, MIN_TIMEOUT..=MAX_TIMEOUT);
    let known = kind.filter(|kind| Destination::KINDS.contains(kind));
    if let (Some(kind), None) = (kind, known) {
        fields.diagnostic("kind", format!("`{}` is not known here", shown(kind)), kinds);
    }
    let destination = known.and_then(|kind| Destination::read(kind, &mut fields));
    // Without a kind, nobody knows which fields are known.
    diagnostics.extend(if known.is_some() {
        fields.finish()
    } else {
        fields.give_up()
    });
    match (name, destination) {
        (Ok(name), Some(destination)) if diagnostics.is_empty() => {
            let severities = severities.unwrap_or_else(|| destination.usual_severities().to_vec());
            let route = Route {
                severities: BTreeSet::from_iter(severities),
                tags: tags.map(BTreeSet::from_iter),
                monitors,
            };
            Ok(Configured {
                name,
                destination,
                route,
                timeout,
            })
        }
        _ => Err(diagnostics),
    }
}
