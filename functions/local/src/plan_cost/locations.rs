//! Which locations are meant by a number, or by names.

use std::collections::BTreeSet;
use std::str::FromStr;

use portpulse_core::id::{InvalidName, Location};

use crate::output::Stopped;

/// The locations that every account has, the likely ones first.
/// Source: <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const BY_DEFAULT: [&str; 17] = [
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

/// What `--locations` says.
#[derive(Debug, Clone)]
pub(super) enum LocationsArg {
    /// So many, whichever.
    Count(usize),
    /// These.
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
    /// The locations, and the first of them. Those that the definitions ask for come before any others.
    pub(super) fn choose(
        &self,
        asked_for: &BTreeSet<Location>,
        home: Option<&Location>,
    ) -> Result<(BTreeSet<Location>, Location), Stopped> {
        let complaint = |complaint: String| Stopped::Usage { complaint };
        let chosen: Vec<Location> = match self {
            Self::Named(names) => names.clone(),
            Self::Count(count) => {
                let likely = BY_DEFAULT.iter().filter_map(|name| name.parse().ok());
                let mut chosen: Vec<Location> = Vec::new();
                for location in asked_for.iter().cloned().chain(home.cloned()).chain(likely) {
                    if chosen.len() < (*count).max(asked_for.len()) && !chosen.contains(&location) {
                        chosen.push(location);
                    }
                }
                if chosen.len() > *count {
                    return Err(complaint(format!(
                        "the monitors name {} locations: give --locations at least that many",
                        asked_for.len()
                    )));
                }
                if chosen.len() < *count {
                    return Err(complaint(format!(
                        "there are {} locations to choose from: name them with commas between, or give a smaller number",
                        chosen.len()
                    )));
                }
                chosen
            }
        };
        let locations = BTreeSet::from_iter(chosen.iter().cloned());
        if let Some(missing) = asked_for.iter().find(|location| !locations.contains(location)) {
            return Err(complaint(format!(
                "a monitor names the location {missing}, which does not check: add it to --locations"
            )));
        }
        let first = chosen.into_iter().next();
        let first = first.ok_or_else(|| complaint("give at least one location".to_owned()))?;
        Ok((locations, first))
    }
}
