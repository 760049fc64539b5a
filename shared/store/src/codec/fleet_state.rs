//! The fleet state: problems of locations, with the groups that observe them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group_state::{FleetProblem, FleetState, LocationProblem};
use portpulse_core::id::Location;

use super::attributes::{AttributeMap, AttributeReader};
use super::{begin, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::{Item, REVISION};

pub(crate) fn encode(key: &Key, fleet: &FleetState) -> Item {
    // Two levels: location, then kind of problem.
    let mut locations = BTreeMap::<_, AttributeMap>::new();
    for ((location, problem), state) in &fleet.problems {
        let problems = locations.remove(location).unwrap_or_default();
        locations.insert(location, problems.with(problem.as_str(), encode_problem(state)));
    }
    let locations = locations.into_iter();
    begin(key)
        .number(REVISION, fleet.revision)
        .map(
            "locations",
            locations.map(|(location, problems)| (location.to_string(), problems.into_value())),
        )
        .outbox(&fleet.outbox)
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<FleetState, Malformed> {
    let fields = open(item)?;
    let locations = fields.map("locations")?;
    let mut problems = BTreeMap::new();
    for name in locations.names() {
        let (location, of_location) = (locations.key::<Location>(name)?, locations.map(name)?);
        for code in of_location.names() {
            let problem = match code {
                "silent" => LocationProblem::Silent,
                "suspect" => LocationProblem::Suspect,
                _ => return Err(of_location.invalid(code, "expected silent or suspect")),
            };
            problems.insert(
                (location.clone(), problem),
                decode_problem(&of_location.map(code)?)?,
            );
        }
    }
    Ok(FleetState {
        revision: fields.number(REVISION)?,
        problems,
        outbox: fields.outbox()?,
    })
}

fn encode_problem(problem: &FleetProblem) -> AttributeValue {
    let groups = problem.groups.iter();
    AttributeMap::default()
        .text("since", problem.since)
        .number(REVISION, problem.revision)
        .map(
            "groups",
            groups.map(|(group, seen)| (group.to_string(), AttributeValue::S(seen.to_string()))),
        )
        .into_value()
}

fn decode_problem(fields: &AttributeReader<'_>) -> Result<FleetProblem, Malformed> {
    let groups = fields.map("groups")?;
    let note = |group| Ok((groups.key(group)?, groups.time(group)?));
    Ok(FleetProblem {
        since: fields.time("since")?,
        revision: fields.number(REVISION)?,
        groups: groups.names().map(note).collect::<Result<_, _>>()?,
    })
}
