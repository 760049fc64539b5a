//! The value of `--locations`: a number, or names.

use std::collections::BTreeSet;
use std::str::FromStr;

use portpulse_core::id::{InvalidName, Location};

use crate::output::CommandError;

/// The AWS regions that are enabled in every account, in the order in which a number selects them.
/// Source: <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const DEFAULT_REGIONS: [&str; 17] = [
    "us-east-1",
    "eu-west-1",
    "ap-northeast-1",
    "us-west-2",
    "eu-central-1",
    "ap-southeast-1",
    "sa-east-1",
    "ap-south-1",
    "ca-central-1",
    "ap-southeast-2",
    "eu-north-1",
    "us-east-2",
    "eu-west-2",
    "ap-northeast-2",
    "us-west-1",
    "eu-west-3",
    "ap-northeast-3",
];

/// The value of `--locations`.
#[derive(Debug, Clone)]
pub(super) enum LocationsArg {
    /// A number of locations.
    Count(usize),
    /// These locations.
    Named(Vec<Location>),
}

impl FromStr for LocationsArg {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text.parse() {
            Ok(count) => Ok(Self::Count(count)),
            Err(_) => text
                .split(',')
                .map(|name| name.trim().parse())
                .collect::<Result<_, _>>()
                .map(Self::Named),
        }
    }
}

impl LocationsArg {
    /// Returns the locations with all agents, and the first region. Regions that the definitions name are selected first; a number
    /// counts regions.
    pub(super) fn choose(
        &self,
        named: &BTreeSet<Location>,
        agents: &BTreeSet<Location>,
        home: Option<&Location>,
    ) -> Result<(BTreeSet<Location>, Location), CommandError> {
        let required: BTreeSet<&Location> = named.difference(agents).collect();
        let chosen: Vec<Location> = match self {
            Self::Named(names) => {
                let regions = names.iter().filter(|name| !agents.contains(name));
                regions.cloned().collect()
            }
            Self::Count(count) => {
                let likely = DEFAULT_REGIONS.iter().filter_map(|name| name.parse().ok());
                let mut chosen: Vec<Location> = Vec::new();
                for location in required
                    .iter()
                    .copied()
                    .cloned()
                    .chain(home.cloned())
                    .chain(likely)
                {
                    if chosen.len() < (*count).max(required.len()) && !chosen.contains(&location) {
                        chosen.push(location);
                    }
                }
                if chosen.len() > *count {
                    return Err(CommandError::usage(format!(
                        "--locations {count} is too small: the monitors name {} locations",
                        required.len()
                    )));
                }
                if chosen.len() < *count {
                    return Err(CommandError::usage(format!(
                        "--locations {count} is too large: the maximum is {}, or a list of names",
                        chosen.len()
                    )));
                }
                chosen
            }
        };
        let mut locations = BTreeSet::from_iter(chosen.iter().cloned());
        if let Some(missing) = required.iter().find(|location| !locations.contains(**location)) {
            return Err(CommandError::usage(format!(
                "--locations must include {missing}, which a monitor names"
            )));
        }
        let first = chosen.into_iter().next();
        let first = first.ok_or_else(|| CommandError::usage("--locations requires at least one region"))?;
        locations.extend(agents.iter().cloned());
        Ok((locations, first))
    }
}
