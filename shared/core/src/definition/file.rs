//! The definitions file: monitors, defaults, maintenance windows, and references between them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::context::{NetworkAccess, Source};
use super::diagnostic::{Diagnostic, FieldPath};
use super::effective::{Effective, windows_text};
use super::expand::{Monitors, Written};
use super::field::Field;
use super::graph::cycles;
use super::layers;
use super::locations;
use super::monitor::Monitor;
use super::nearest::nearest;
use super::read::texts;
use super::reader::Defaults;
use super::rules::Draft;
use super::windows::{self, ParsedWindow};
use crate::group::{GroupId, MAX_MONITORS_PER_GROUP, shard_of, shards_for};
use crate::id::{Location, MonitorId};
use crate::preset::Fields;
use crate::text::quoted;
use crate::time::Interval;

/// A valid definitions file.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionFile {
    monitors: Vec<Defined>,
    agents: BTreeSet<Location>,
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
        Self::single(id, attributes, Source::Item)
    }

    /// Reads one monitor that does not come from a file, such as a target on the command line.
    ///
    /// # Errors
    /// A diagnostic for each mistake in the fields.
    pub fn from_fields(id: &str, fields: &Value) -> Result<Self, Vec<Diagnostic>> {
        Self::single(id, fields, Source::File)
    }

    fn single(id: &str, own: &Value, source: Source) -> Result<Self, Vec<Diagnostic>> {
        let defaults = Defaults::new(&NO_FIELDS);
        Draft {
            id,
            at: FieldPath::root(),
            own,
            defaults: &defaults,
            source,
            network_access: NetworkAccess::OwnNetwork,
            agents: None,
            expanded: &[],
        }
        .validate()
    }
}

static NO_FIELDS: LazyLock<Fields> = LazyLock::new(Fields::new);

/// The sections of a file that are maps, or absent.
struct Sections<'a> {
    top: &'a Map<String, Value>,
    defaults: Defaults<'a>,
    monitors: Monitors<'a>,
    agents: BTreeSet<Location>,
}

impl DefinitionFile {
    /// Reads a file from its parsed YAML.
    ///
    /// # Errors
    /// A diagnostic for each mistake in the file, ordered by place.
    pub fn validate(file: &Value, network_access: NetworkAccess) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = BTreeSet::new();
        let Sections {
            top,
            defaults,
            monitors: written,
            agents,
        } = sections(file, &mut diagnostics)?;
        let mut monitors = BTreeMap::new();
        for (id, one) in &written.by_id {
            let draft = draft(id, one, &defaults, &agents, network_access);
            match draft.validate() {
                Ok(monitor) => {
                    monitors.insert(monitor.id().clone(), monitor);
                }
                Err(found) => diagnostics.extend(found),
            }
        }
        diagnostics.extend(dependency_diagnostics(&written));
        let windows = windows::read(top.get("maintenance"), &defaults, &written, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Err(diagnostics.into_iter().collect());
        }
        let monitors = assemble(monitors, &defaults, &written, &windows);
        let crowded: Vec<_> = crowded_groups(&monitors).collect();
        if crowded.is_empty() {
            Ok(Self { monitors, agents })
        } else {
            Err(crowded)
        }
    }

    /// The same monitors, with the agents of the file as exceptions: an agent checks only monitors that name it. In a table, the
    /// lists of the groups say which locations are agents.
    #[must_use]
    pub fn with_agents_excluded(&self) -> Self {
        let mut file = self.clone();
        for defined in &mut file.monitors {
            defined.monitor.exclude_agents(&file.agents);
        }
        file
    }

    /// The same monitors with an interval of at most `interval`, for estimates. Their timeouts and retries may not fit.
    #[must_use]
    pub fn at_most(&self, interval: Interval) -> Self {
        let mut file = self.clone();
        for defined in &mut file.monitors {
            let rule = &mut defined.monitor.rule;
            rule.interval = rule.interval.min(interval);
        }
        let shards = shards(file.monitors.iter().map(|defined| &defined.monitor));
        for defined in &mut file.monitors {
            defined.group = group_of(&defined.monitor, &shards);
        }
        file
    }

    /// The effective values of the fields of a monitor of a file, in the order of the documentation, and where each comes
    /// from; `None` if the file has no such monitor.
    ///
    /// # Errors
    /// A diagnostic for each mistake in the monitor, or in what surrounds the monitors of the file.
    pub fn effective(file: &Value, id: &str) -> Result<Option<Vec<Effective>>, Vec<Diagnostic>> {
        let mut diagnostics = BTreeSet::new();
        let sections = sections(file, &mut diagnostics)?;
        let Some(one) = sections.monitors.by_id.get(id) else {
            return Ok(None);
        };
        let access = NetworkAccess::OwnNetwork;
        let monitor = draft(id, one, &sections.defaults, &sections.agents, access).validate()?;
        let Some(own) = one.own.as_object() else {
            return Ok(None);
        };
        let draft = draft(id, one, &sections.defaults, &sections.agents, access);
        let layers = draft.reader(own).layers;
        let fields = Field::of_monitors().filter_map(|field| {
            let text = monitor.effective(field)?;
            let (value, origin) = layers.value(field).unzip();
            Some(Effective {
                field,
                text,
                value: value.map(Cow::into_owned),
                origin,
            })
        });
        let mut fields: Vec<_> = fields.collect();
        let windows = sections.top.get("maintenance");
        let windows = windows::read(windows, &sections.defaults, &sections.monitors, &mut diagnostics);
        let own: Vec<_> = windows
            .into_iter()
            .filter(|window| window.covers(&monitor))
            .collect();
        if !own.is_empty() {
            fields.push(Effective {
                field: Field::Maintenance,
                text: format!("{} in `maintenance`", windows_text(own.len())),
                value: Some(own.into_iter().map(|window| window.value).collect()),
                origin: None,
            });
        }
        Ok(Some(fields))
    }

    /// The ids of the monitors of a file, after the expansion of lists.
    pub fn ids(file: &Value) -> Vec<String> {
        let sections = sections(file, &mut BTreeSet::new());
        let ids = sections.map(|sections| sections.monitors.by_id.into_keys().map(Cow::into_owned).collect());
        ids.unwrap_or_default()
    }

    /// The monitors, in the order of their ids.
    pub fn monitors(&self) -> &[Defined] {
        &self.monitors
    }

    /// The locations that the file declares as agents.
    pub fn agents(&self) -> &BTreeSet<Location> {
        &self.agents
    }

    /// The number of shards of each interval that has monitors.
    pub fn shards(&self) -> BTreeMap<Interval, u32> {
        shards(self.monitors.iter().map(|defined| &defined.monitor))
    }
}

fn draft<'a>(
    id: &'a str,
    one: &'a Written<'_>,
    defaults: &'a Defaults<'_>,
    agents: &'a BTreeSet<Location>,
    network_access: NetworkAccess,
) -> Draft<'a> {
    Draft {
        id,
        at: FieldPath::root().field("monitors").field(one.source),
        own: &one.own,
        defaults,
        source: Source::File,
        network_access,
        agents: Some(agents),
        expanded: &one.expanded,
    }
}

/// The top-level fields of a file. Fields that start with `x-` are for anchors and are not read.
const TOP: [&str; 4] = ["monitors", "defaults", "maintenance", "agents"];

/// Reads what surrounds the monitors of a file.
fn sections<'a>(
    file: &'a Value,
    diagnostics: &mut BTreeSet<Diagnostic>,
) -> Result<Sections<'a>, Vec<Diagnostic>> {
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
    let foreign = |name: &&String| !TOP.contains(&name.as_str()) && !name.starts_with("x-");
    let mut has_unindented = false;
    for name in top.keys().filter(foreign) {
        let is_monitor = |fields: &Fields| fields.contains_key("host") || fields.contains_key("hosts");
        let unindented = top.get(name).and_then(Value::as_object).is_some_and(is_monitor);
        has_unindented |= unindented;
        let (what, help) = if unindented {
            let help = "indent it, so that it is below `monitors:`";
            ("is a monitor at the top of the file".to_owned(), help.to_owned())
        } else {
            let near = nearest(name, TOP);
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            let help = format!(
                "the top-level fields are `monitors`, `defaults`, `maintenance` and `agents`, and `x-…` for anchors{near}"
            );
            ("unknown field".to_owned(), help)
        };
        diagnostics.insert(Diagnostic::new(root.field(name), what, help));
    }
    let defaults = match top.get("defaults") {
        None | Some(Value::Null) => &NO_FIELDS,
        Some(Value::Object(defaults)) => defaults,
        Some(_) => {
            diagnostics.insert(Diagnostic::new(
                root.field("defaults"),
                "is not a map of fields",
                "write `defaults: { tier: … }`",
            ));
            &NO_FIELDS
        }
    };
    let defaults = Defaults::new(defaults);
    diagnostics.extend(defaults.diagnostics());
    let at = root.field("monitors");
    let help = "write `id: { host: …, port: … }` for each monitor";
    let written = match top.get("monitors") {
        Some(Value::Object(monitors)) if !monitors.is_empty() => monitors,
        None | Some(Value::Null | Value::Object(_)) => {
            if !has_unindented {
                diagnostics.insert(Diagnostic::new(at, "no monitors are defined", help));
            }
            &NO_FIELDS
        }
        Some(_) => {
            diagnostics.insert(Diagnostic::new(at, "is not a map of monitors", help));
            &NO_FIELDS
        }
    };
    let agents = locations::agents(top.get("agents"), diagnostics);
    Ok(Sections {
        top,
        defaults,
        monitors: Monitors::expand(written, diagnostics),
        agents,
    })
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

fn group_of(monitor: &Monitor, shards: &BTreeMap<Interval, u32>) -> GroupId {
    let interval = monitor.rule().interval;
    let shard = shard_of(monitor.id(), shards.get(&interval).copied().unwrap_or(1));
    GroupId { interval, shard }
}

/// Assigns each monitor to its group, and adds its maintenance windows and the groups of its dependencies.
fn assemble(
    monitors: BTreeMap<MonitorId, Monitor>,
    defaults: &Defaults<'_>,
    written: &Monitors<'_>,
    windows: &[ParsedWindow],
) -> Vec<Defined> {
    let shards = shards(monitors.values());
    let group_of = |monitor: &Monitor| group_of(monitor, &shards);
    let groups: BTreeMap<_, _> = monitors
        .iter()
        .map(|(id, monitor)| (id.clone(), group_of(monitor)))
        .collect();
    let mut defined = Vec::new();
    for ((id, mut monitor), group) in monitors.into_iter().zip(groups.values().copied()) {
        let own = written.by_id.get(id.as_str()).and_then(|one| one.own.as_object());
        let mut attributes = layers::attributes(defaults.fields, own.unwrap_or(&NO_FIELDS));
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
fn dependency_diagnostics(written: &Monitors<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut graph = BTreeMap::new();
    let at = |one: &str| FieldPath::root().field("monitors").field(one).field("depends_on");
    for (id, one) in &written.by_id {
        let mut parents = BTreeSet::new();
        for (index, parent) in texts(&one.own, "depends_on") {
            if parent.parse::<MonitorId>().is_err() {
                // The diagnostics of the monitor itself include an invalid id and a dependency on itself.
                continue;
            }
            if !written.by_id.contains_key(parent) {
                let (what, help) = written.unknown(parent);
                diagnostics.push(Diagnostic::new(at(one.source).index(index), what, help));
            } else if parent != id {
                parents.insert(parent);
            }
        }
        if !parents.is_empty() {
            graph.insert(id.as_ref(), parents);
        }
    }
    for cycle in cycles(&graph) {
        let Some(first) = cycle.first() else { continue };
        let what = format!("dependency cycle: {}", format_cycle(&cycle));
        let source = written.by_id.get(*first).map_or(*first, |one| one.source);
        diagnostics.push(Diagnostic::new(
            at(source),
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
