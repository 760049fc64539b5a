//! Checks the names of locations against AWS regions and declared agents.

use std::collections::BTreeSet;

use serde_json::Value;

use super::diagnostic::{Diagnostic, FieldPath};
use super::field::Field;
use super::nearest::nearest;
use super::reader::Reader;
use crate::id::Location;
use crate::text::quoted;

/// The AWS regions with Lambda, DynamoDB and SNS.
/// Source: <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>, and the lists of the
/// partitions for GovCloud and China.
pub const AWS_REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// The location of `portpulse local` by default.
const LOCAL: &str = "local";

/// What is wrong with the name of a location that is neither an AWS region nor one of `agents`, and how to fix it.
pub fn unknown_location(name: &str, agents: &BTreeSet<Location>) -> Option<(String, String)> {
    let known = |name: &str| AWS_REGIONS.contains(&name) || name == LOCAL;
    if known(name) || agents.iter().any(|agent| agent.as_str() == name) {
        return None;
    }
    let names = agents.iter().map(Location::as_str);
    let near = nearest(name, AWS_REGIONS.iter().copied().chain(names));
    let what = format!("`{}` is neither an AWS region nor one of `agents`", quoted(name));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write an AWS region, or add the name to `agents: […]` at the top of the file".to_owned(),
    };
    Some((what, help))
}

/// Adds a diagnostic for each unknown location of a monitor.
pub(super) fn check(reader: &mut Reader<'_>, agents: &BTreeSet<Location>) {
    let Some((value, _)) = reader.layers.value(Field::Locations) else {
        return;
    };
    let at = reader.place(Field::Locations);
    for (index, name) in value.as_array().into_iter().flatten().enumerate() {
        let Some(name) = name.as_str().filter(|name| name.parse::<Location>().is_ok()) else {
            continue;
        };
        if let Some((what, help)) = unknown_location(name, agents) {
            reader
                .diagnostics
                .push(Diagnostic::new(at.index(index), what, help));
        }
    }
}

/// Reads the top-level field `agents`: the names of locations that are agents.
pub(super) fn agents(section: Option<&Value>, diagnostics: &mut BTreeSet<Diagnostic>) -> BTreeSet<Location> {
    let at = FieldPath::root().field("agents");
    let values = match section {
        None | Some(Value::Null) => return BTreeSet::new(),
        Some(Value::Array(values)) => values,
        Some(_) => {
            let help = "write a list such as [office-berlin]";
            diagnostics.insert(Diagnostic::new(at, "is not a list of names", help));
            return BTreeSet::new();
        }
    };
    let mut agents = BTreeSet::new();
    for (index, value) in values.iter().enumerate() {
        let at = at.index(index);
        let Some(name) = value.as_str() else {
            let help = "write a name, in quotes if necessary";
            diagnostics.insert(Diagnostic::new(at, "is not a name", help));
            continue;
        };
        match name.parse::<Location>() {
            Ok(_) if AWS_REGIONS.contains(&name) => {
                let what = format!("`{name}` is an AWS region");
                diagnostics.insert(Diagnostic::new(at, what, "use another name for an agent"));
            }
            Ok(agent) => drop(agents.insert(agent)),
            Err(invalid) => drop(diagnostics.insert(Diagnostic::of(at, invalid.into()))),
        }
    }
    agents
}
