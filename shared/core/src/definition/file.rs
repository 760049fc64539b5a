//! The definitions file as a whole: its monitors, its defaults, its maintenance, and what they say of each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::rules::{Draft, Source};
use super::{Fault, FieldPath, Monitor, Vantage};
use crate::group::{GroupId, shard_of, shards_for};
use crate::id::MonitorId;
use crate::maintenance::RawWindow;
use crate::preset::Fields;
use crate::time::Interval;

/// A definitions file that has passed every rule.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionFile {
    monitors: Vec<Defined>,
}

/// A monitor with its place in the table and the attributes that its item has there.
#[derive(Debug, Clone, PartialEq)]
pub struct Defined {
    /// The monitor.
    pub monitor: Monitor,
    /// The group that checks it.
    pub group: GroupId,
    /// What its item says, under the names of the file: its own fields over the file's defaults, its
    /// maintenance windows, and the groups of the monitors it depends on. Presets are not written out.
    pub attributes: Map<String, Value>,
}

impl Monitor {
    /// Reads one monitor from the attributes of its item.
    ///
    /// # Errors
    /// Every fault of the item.
    pub fn from_attributes(id: &str, attributes: &Value) -> Result<Self, Vec<Fault>> {
        let defaults = Fields::new();
        let (at, source, vantage) = (FieldPath::root(), Source::Item, Vantage::OwnNetwork);
        Draft {
            id,
            at,
            own: attributes,
            defaults: &defaults,
            source,
            vantage,
        }
        .validate()
    }

    /// Reads one monitor that was not written in a file, such as a target on a command line.
    ///
    /// # Errors
    /// Every fault of the fields.
    pub fn from_fields(id: &str, fields: &Value) -> Result<Self, Vec<Fault>> {
        let defaults = Fields::new();
        let (at, source, vantage) = (FieldPath::root(), Source::File, Vantage::OwnNetwork);
        Draft {
            id,
            at,
            own: fields,
            defaults: &defaults,
            source,
            vantage,
        }
        .validate()
    }
}

impl DefinitionFile {
    /// Reads a whole file, given as the value that its YAML says.
    ///
    /// # Errors
    /// Every fault of the file, in the order of their places.
    pub fn validate(file: &Value, vantage: Vantage) -> Result<Self, Vec<Fault>> {
        let mut faults = BTreeSet::new();
        let root = FieldPath::root();
        let Value::Object(top) = file else {
            return Err(vec![Fault::new(
                root,
                "the file is not a map",
                "begin it with `monitors:`",
            )]);
        };
        for name in top
            .keys()
            .filter(|name| !matches!(name.as_str(), "monitors" | "defaults" | "maintenance"))
        {
            let mend = "the top of the file has `monitors`, `defaults` and `maintenance`";
            faults.insert(Fault::new(root.field(name), "is not known here", mend));
        }
        let nothing = Fields::new();
        let defaults = match top.get("defaults") {
            None | Some(Value::Null) => &nothing,
            Some(Value::Object(defaults)) => defaults,
            Some(_) => {
                faults.insert(Fault::new(
                    root.field("defaults"),
                    "is not a map of fields",
                    "write `defaults: { tier: … }`",
                ));
                &nothing
            }
        };
        for field in ["host", "depends_on"]
            .into_iter()
            .filter(|field| defaults.contains_key(*field))
        {
            let at = root.field("defaults").field(field);
            faults.insert(Fault::new(
                at,
                "belongs to one monitor",
                "move it to the monitors that it is meant for",
            ));
        }
        let empty = Map::new();
        let written = match top.get("monitors") {
            Some(Value::Object(monitors)) if !monitors.is_empty() => monitors,
            _ => {
                let mend = "write `monitors:` and below it `id: { host: …, port: … }`";
                faults.insert(Fault::new(
                    root.field("monitors"),
                    "there is nothing to watch",
                    mend,
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
                vantage,
            })
            .validate()
            {
                Ok(monitor) => {
                    monitors.insert(monitor.id().clone(), monitor);
                }
                Err(found) => faults.extend(found),
            }
        }
        faults.extend(dependency_faults(&monitors, written));
        let windows = maintenance(top.get("maintenance"), &monitors, written, &mut faults);
        if !faults.is_empty() {
            return Err(faults.into_iter().collect());
        }
        Ok(Self {
            monitors: assemble(monitors, defaults, written, &windows),
        })
    }

    /// Its monitors, in the order of their ids.
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

/// Puts each monitor into its group, and gives it what the rest of the file says of it.
fn assemble(
    monitors: BTreeMap<MonitorId, Monitor>,
    defaults: &Fields,
    written: &Map<String, Value>,
    windows: &[(Value, BTreeSet<MonitorId>)],
) -> Vec<Defined> {
    let shards = shards(monitors.values());
    let group_of = |monitor: &Monitor| {
        let interval = monitor.rule().interval;
        GroupId {
            interval,
            shard: shard_of(monitor.id(), shards.get(&interval).copied().unwrap_or(1)),
        }
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
        attributes.retain(|_, value| !value.is_null());
        let mut parents = Map::new();
        for (parent, group) in &mut monitor.telling.depends_on {
            *group = groups.get(parent).copied();
            if let Some(group) = group {
                parents.insert(parent.to_string(), json!(group.to_string()));
            }
        }
        if !parents.is_empty() {
            attributes.insert("depends_on_groups".to_owned(), Value::Object(parents));
        }
        let mine: Vec<_> = windows
            .iter()
            .filter(|(_, ids)| ids.contains(&id))
            .map(|(window, _)| window.clone())
            .collect();
        if !mine.is_empty() {
            let at = FieldPath::root();
            let valid = mine
                .iter()
                .filter_map(|value| RawWindow::read(value, &at).ok()?.validate(&at).ok());
            monitor.telling.maintenance = valid.collect();
            attributes.insert("maintenance".to_owned(), Value::Array(mine));
        }
        let group = groups.get(&id).copied().unwrap_or(GroupId {
            interval: monitor.rule().interval,
            shard: 0,
        });
        defined.push(Defined {
            monitor,
            group,
            attributes,
        });
    }
    defined
}

/// Dependencies that name nothing, or lead back to where they began.
fn dependency_faults(monitors: &BTreeMap<MonitorId, Monitor>, written: &Map<String, Value>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (id, monitor) in monitors {
        let at = FieldPath::root()
            .field("monitors")
            .field(id.as_str())
            .field("depends_on");
        for parent in monitor.telling().depends_on.keys() {
            // A parent that is there but faulty has its own fault already.
            if !written.contains_key(parent.as_str()) {
                faults.push(Fault::new(
                    at.clone(),
                    format!("`{parent}` is no monitor of this file"),
                    "name one that is",
                ));
            }
        }
        if let Some(path) = cycle_from(id, monitors) {
            let path: Vec<_> = path.iter().map(|id| id.as_str()).collect();
            faults.push(Fault::new(
                at,
                format!("goes in a circle: {}", path.join(" -> ")),
                "take one of them out",
            ));
        }
    }
    faults
}

/// The way from `start` back to itself, if there is one and `start` is its first id.
fn cycle_from<'a>(
    start: &'a MonitorId,
    monitors: &'a BTreeMap<MonitorId, Monitor>,
) -> Option<Vec<&'a MonitorId>> {
    let mut paths = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while let Some(path) = paths.pop() {
        let parents = path
            .last()
            .and_then(|id| monitors.get(*id))
            .map(|monitor| monitor.telling().depends_on.keys());
        for parent in parents.into_iter().flatten() {
            let next: Vec<_> = path.iter().copied().chain([parent]).collect();
            if parent == start {
                // Told once, at the first id of the circle; a monitor that names itself has been told already.
                return (path.len() > 1 && path.iter().all(|id| *id >= start)).then_some(next);
            }
            if seen.insert(parent) {
                paths.push(next);
            }
        }
    }
    None
}

/// Reads `maintenance:`: each window as the items will carry it, with the monitors it covers.
fn maintenance(
    written: Option<&Value>,
    monitors: &BTreeMap<MonitorId, Monitor>,
    all: &Map<String, Value>,
    faults: &mut BTreeSet<Fault>,
) -> Vec<(Value, BTreeSet<MonitorId>)> {
    let at = FieldPath::root().field("maintenance");
    let values = match written {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(values)) => values,
        Some(_) => {
            faults.insert(Fault::new(at, "is not a list of windows", "begin each with `- `"));
            return Vec::new();
        }
    };
    let mut windows = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let at = at.index(index);
        let raw = match RawWindow::read(value, &at) {
            Ok(raw) => raw,
            Err(fault) => {
                faults.insert(fault);
                continue;
            }
        };
        faults.extend(raw.validate(&at).err().into_iter().flatten());
        for id in raw.monitors.iter().filter(|id| !all.contains_key(*id)) {
            faults.insert(Fault::new(
                at.field("monitors"),
                format!("`{id}` is no monitor of this file"),
                "name one that is",
            ));
        }
        let has_tag = |monitor: &Monitor, tag: &String| monitor.telling().tags.contains(tag);
        for tag in raw
            .tags
            .iter()
            .filter(|tag| !monitors.values().any(|monitor| has_tag(monitor, tag)))
        {
            faults.insert(Fault::new(
                at.field("tags"),
                format!("no monitor has the tag `{tag}`"),
                "name a tag in use",
            ));
        }
        let everyone = raw.monitors.is_empty() && raw.tags.is_empty();
        let covered = monitors.values().filter(|monitor| {
            let named = raw.monitors.iter().any(|id| id == monitor.id().as_str());
            everyone || named || raw.tags.iter().any(|tag| has_tag(monitor, tag))
        });
        let ids = covered.map(|monitor| monitor.id().clone()).collect();
        let mut value = value.clone();
        if let Value::Object(window) = &mut value {
            window.remove("monitors");
            window.remove("tags");
        }
        windows.push((value, ids));
    }
    windows
}
