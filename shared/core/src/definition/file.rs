//! The definitions file: monitors, defaults, maintenance windows, and references between them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::context::NetworkAccess;
use super::context::Source;
use super::diagnostic::{Diagnostic, FieldPath};
use super::graph::cycles;
use super::monitor::Monitor;
use super::rules::Draft;
use super::values::texts;
use super::windows::{self, ParsedWindow};
use crate::group::{GroupId, MAX_MONITORS_PER_GROUP, shard_of, shards_for};
use crate::id::MonitorId;
use crate::preset::Fields;
use crate::text::quoted;
use crate::time::Interval;

/// A valid definitions file.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionFile {
    monitors: Vec<Defined>,
}

/// A monitor with its group and the attributes of its item.
#[derive(Debug, Clone, PartialEq)]
pub struct Defined {
    /// The monitor.
    pub monitor: Monitor,
    /// The group that checks it.
    pub group: GroupId,
    /// The attributes of the item, named as in the file: the monitor's own fields over the file's defaults, its
    /// maintenance windows, and the groups of its dependencies. Presets are not included.
    pub attributes: Map<String, Value>,
}

impl Monitor {
    /// Reads one monitor from the attributes of its item.
    ///
    /// # Errors
    /// A diagnostic for each mistake in the item.
    pub fn from_attributes(id: &str, attributes: &Value) -> Result<Self, Vec<Diagnostic>> {
        let defaults = Fields::new();
        let (at, source, network_access) = (FieldPath::root(), Source::Item, NetworkAccess::OwnNetwork);
        Draft {
            id,
            at,
            own: attributes,
            defaults: &defaults,
            source,
            network_access,
        }
        .validate()
    }

    /// Reads one monitor that does not come from a file, such as a target on the command line.
    ///
    /// # Errors
    /// A diagnostic for each mistake in the fields.
    pub fn from_fields(id: &str, fields: &Value) -> Result<Self, Vec<Diagnostic>> {
        let defaults = Fields::new();
        let (at, source, network_access) = (FieldPath::root(), Source::File, NetworkAccess::OwnNetwork);
        Draft {
            id,
            at,
            own: fields,
            defaults: &defaults,
            source,
            network_access,
        }
        .validate()
    }
}

impl DefinitionFile {
    /// Reads a file from its parsed YAML.
    ///
    /// # Errors
    /// A diagnostic for each mistake in the file, ordered by place.
    pub fn validate(file: &Value, network_access: NetworkAccess) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = BTreeSet::new();
        let root = FieldPath::root();
        let help = "start the file with `monitors:`, followed by `  id: { host: …, port: … }`";
        let top = match file {
            Value::Object(top) => top,
            Value::Null => return Err(vec![Diagnostic::new(root, "the file is empty", help)]),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(vec![Diagnostic::new(
                    root,
                    "the file is not a map of fields",
                    help,
                )]);
            }
        };
        for name in top
            .keys()
            .filter(|name| !matches!(name.as_str(), "monitors" | "defaults" | "maintenance"))
        {
            let help = "the top-level fields are `monitors`, `defaults` and `maintenance`";
            diagnostics.insert(Diagnostic::new(root.field(name), "unknown field", help));
        }
        let nothing = Fields::new();
        let defaults = match top.get("defaults") {
            None | Some(Value::Null) => &nothing,
            Some(Value::Object(defaults)) => defaults,
            Some(_) => {
                diagnostics.insert(Diagnostic::new(
                    root.field("defaults"),
                    "is not a map of fields",
                    "write `defaults: { tier: … }`",
                ));
                &nothing
            }
        };
        for field in ["host", "script", "depends_on"]
            .into_iter()
            .filter(|field| defaults.contains_key(*field))
        {
            let at = root.field("defaults").field(field);
            diagnostics.insert(Diagnostic::new(
                at,
                "cannot have a default",
                "set it on each monitor",
            ));
        }
        let empty = Map::new();
        let written = match top.get("monitors") {
            Some(Value::Object(monitors)) if !monitors.is_empty() => monitors,
            None | Some(Value::Null | Value::Object(_)) => {
                let help = "write `id: { host: …, port: … }` for each monitor";
                diagnostics.insert(Diagnostic::new(
                    root.field("monitors"),
                    "no monitors are defined",
                    help,
                ));
                &empty
            }
            Some(_) => {
                let help = "write `id: { host: …, port: … }` for each monitor";
                diagnostics.insert(Diagnostic::new(
                    root.field("monitors"),
                    "is not a map of monitors",
                    help,
                ));
                &empty
            }
        };

        let mut monitors = BTreeMap::new();
        for (id, own) in written {
            let at = root.field("monitors").field(id);
            match (Draft {
                id,
                at,
                own,
                defaults,
                source: Source::File,
                network_access,
            })
            .validate()
            {
                Ok(monitor) => {
                    monitors.insert(monitor.id().clone(), monitor);
                }
                Err(found) => diagnostics.extend(found),
            }
        }
        diagnostics.extend(dependency_diagnostics(written));
        let windows = windows::read(top.get("maintenance"), defaults, written, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Err(diagnostics.into_iter().collect());
        }
        let monitors = assemble(monitors, defaults, written, &windows);
        let crowded: Vec<_> = crowded_groups(&monitors).collect();
        if crowded.is_empty() {
            Ok(Self { monitors })
        } else {
            Err(crowded)
        }
    }

    /// The monitors, in the order of their ids.
    pub fn monitors(&self) -> &[Defined] {
        &self.monitors
    }

    /// The number of shards of each interval that has monitors.
    pub fn shards(&self) -> BTreeMap<Interval, u32> {
        shards(self.monitors.iter().map(|defined| &defined.monitor))
    }
}

fn shards<'a>(monitors: impl Iterator<Item = &'a Monitor>) -> BTreeMap<Interval, u32> {
    let mut counts = BTreeMap::new();
    for monitor in monitors {
        *counts.entry(monitor.rule().interval).or_insert(0) += 1;
    }
    counts
        .into_iter()
        .map(|(interval, count)| (interval, shards_for(count)))
        .collect()
}

/// Assigns each monitor to its group, and adds its maintenance windows and the groups of its dependencies.
fn assemble(
    monitors: BTreeMap<MonitorId, Monitor>,
    defaults: &Fields,
    written: &Map<String, Value>,
    windows: &[ParsedWindow],
) -> Vec<Defined> {
    let shards = shards(monitors.values());
    let group_of = |monitor: &Monitor| {
        let interval = monitor.rule().interval;
        let shard = shard_of(monitor.id(), shards.get(&interval).copied().unwrap_or(1));
        GroupId { interval, shard }
    };
    let groups: BTreeMap<_, _> = monitors
        .iter()
        .map(|(id, monitor)| (id.clone(), group_of(monitor)))
        .collect();
    let mut defined = Vec::new();
    for (id, mut monitor) in monitors {
        let mut attributes = defaults.clone();
        if let Some(Value::Object(own)) = written.get(id.as_str()) {
            attributes.extend(own.clone());
        }
        let mut parents = Map::new();
        for (parent, group) in &mut monitor.alert_policy.depends_on {
            *group = groups.get(parent).copied();
            if let Some(group) = group {
                parents.insert(parent.to_string(), json!(group.to_string()));
            }
        }
        if !parents.is_empty() {
            attributes.insert("depends_on_groups".to_owned(), Value::Object(parents));
        }
        let mine: Vec<_> = windows.iter().filter(|held| held.covers(&monitor)).collect();
        if !mine.is_empty() {
            let values = mine.iter().map(|held| held.value.clone()).collect();
            attributes.insert("maintenance".to_owned(), Value::Array(values));
            monitor.alert_policy.maintenance = mine.iter().map(|held| held.raw.window.clone()).collect();
        }
        let group = group_of(&monitor);
        defined.push(Defined {
            monitor,
            group,
            attributes,
        });
    }
    defined
}

/// A diagnostic for each group with more monitors than the maximum. A hash spreads ids, so sizes differ.
fn crowded_groups(monitors: &[Defined]) -> impl Iterator<Item = Diagnostic> + use<> {
    let mut counts = BTreeMap::<GroupId, usize>::new();
    for defined in monitors {
        *counts.entry(defined.group).or_default() += 1;
    }
    let crowded = counts
        .into_iter()
        .filter(|(_, count)| *count > MAX_MONITORS_PER_GROUP);
    crowded.map(|(group, count)| {
        let what =
            format!("the group {group} has {count} monitors, and the maximum is {MAX_MONITORS_PER_GROUP}");
        let help = format!(
            "change the interval of some monitors that are checked every {}",
            group.interval
        );
        Diagnostic::new(FieldPath::root().field("monitors"), what, help)
    })
}

/// Diagnostics for dependencies on unknown monitors, and for dependency cycles.
fn dependency_diagnostics(written: &Map<String, Value>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut graph = BTreeMap::new();
    let at = |id: &str| FieldPath::root().field("monitors").field(id).field("depends_on");
    for (id, fields) in written {
        let mut parents = BTreeSet::new();
        for (index, parent) in texts(fields, "depends_on") {
            if parent.parse::<MonitorId>().is_err() {
                // The diagnostics of the monitor itself include an invalid id and a dependency on itself.
                continue;
            }
            if !written.contains_key(parent) {
                let what = format!("`{}` is not a monitor in this file", quoted(parent));
                diagnostics.push(Diagnostic::new(
                    at(id).index(index),
                    what,
                    "use the id of a monitor in this file",
                ));
            } else if parent != id {
                parents.insert(parent);
            }
        }
        graph.insert(id.as_str(), parents);
    }
    for cycle in cycles(&graph) {
        let Some(first) = cycle.first() else { continue };
        let what = format!("dependency cycle: {}", format_cycle(&cycle));
        diagnostics.push(Diagnostic::new(
            at(first),
            what,
            "remove one of these dependencies",
        ));
    }
    diagnostics
}

/// The maximum number of ids that a message about a cycle shows.
const MAX_CYCLE_IDS: usize = 10;

/// `a -> b -> a`.
fn format_cycle(cycle: &[&str]) -> String {
    let mut steps: Vec<_> = cycle.iter().take(MAX_CYCLE_IDS).map(|id| quoted(id)).collect();
    if cycle.len() > MAX_CYCLE_IDS {
        steps.push(format!("… {} more", cycle.len() - MAX_CYCLE_IDS));
    }
    steps.extend(cycle.first().map(|id| quoted(id)));
    steps.join(" -> ")
}
