//! Converts one target: relabels it as Prometheus would, and applies its module.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::relabel::{self, Labels};
use super::{
    ADDRESS, INTERVAL, MODULE, MONITOR, SCRAPE_OFFSET, SCRAPE_TIMEOUT, SECOND, TAGS, TARGET, TIMEOUT,
    Targets, module,
};
use crate::address::Address;
use crate::draft::Draft;
use crate::duration::duration;
use crate::note::Note;
use crate::source_fields::SourceFields;

/// The draft of a target; `None`, with a note, if it cannot be converted or relabeling drops it.
pub(super) fn draft_of(
    address: &str,
    group: &Targets,
    modules: &BTreeMap<String, SourceFields>,
    used: &mut BTreeSet<String>,
    notes: &mut Vec<Note>,
) -> Option<Draft> {
    let mut labels: Labels = group.labels.clone();
    labels.insert(ADDRESS.to_owned(), address.to_owned());
    let fixed_target = labels.contains_key(TARGET);
    if !relabel::apply(&group.rules, &mut labels) {
        let reason = "A relabeling rule drops the target.";
        notes.push(Note::not_needed(&shown(address), "relabel_configs", reason));
        return None;
    }
    labels.remove(ADDRESS);
    let target = match labels.remove(TARGET) {
        Some(target) => target,
        None if group.rules.is_empty() => address.to_owned(),
        None => {
            let reason = "Relabeling sets no `__param_target`: the address is used.";
            notes.push(Note::changed(&shown(address), "relabel_configs", reason));
            address.to_owned()
        }
    };
    if fixed_target && group.rules.is_empty() {
        let reason = "The address is the exporter; the target of `params` is checked.";
        notes.push(Note::not_needed(&shown(address), "static_configs", reason));
    }
    // Without relabeling rules, a label may name the module.
    let module = labels.remove(MODULE);
    let named = labels.remove("module");
    let module = module
        .or(named)
        .unwrap_or_else(|| default_module(&target).to_owned());
    let mut set = |label: &str| labels.remove(label).and_then(|text| duration(&text, SECOND));
    let every = set(INTERVAL).unwrap_or(group.every);
    let timeout = set(TIMEOUT)
        .or(group.timeout)
        .unwrap_or(SCRAPE_TIMEOUT.min(every));
    let name = labels.remove(MONITOR);
    let instance = labels.remove("instance").filter(|instance| *instance != target);
    let shown_target = shown(&target);
    let name = name
        .or(instance.map(|instance| shown(&instance)))
        .unwrap_or_else(|| authority(&shown_target).to_owned());
    let mut draft = Draft::new(&name, &format!("{shown_target}, {}", group.from));
    used.insert(module.clone());
    let fields = match modules.get(&module).cloned().or_else(|| module::builtin(&module)) {
        Some(fields) => fields,
        None => {
            let reason = "Its module is in none of the files.";
            notes.push(Note::lost(&shown_target, &format!("module {module}"), reason));
            notes.push(Note::lost(&shown_target, "", reason));
            return None;
        }
    };
    if let Err(reason) = module::apply(
        &module,
        fields,
        &target,
        probe_timeout(timeout),
        &mut draft,
        notes,
    ) {
        notes.push(Note::lost(&shown_target, "", reason));
        return None;
    }
    draft.set_interval("scrape_interval", every);
    for (name, value) in labels {
        match name.as_str() {
            TAGS => value.split(',').for_each(|tag| draft.tag(tag.trim())),
            // Prometheus removes these after relabeling.
            _ if name.starts_with("__") => {}
            "job" => {}
            _ => draft.label("labels.", &name, &value),
        }
    }
    Some(draft)
}

/// The time that the exporter has: half a second less than the scrape. A scrape shorter than this keeps its time.
fn probe_timeout(scrape: Duration) -> Duration {
    scrape
        .checked_sub(SCRAPE_OFFSET)
        .filter(|left| !left.is_zero())
        .unwrap_or(scrape)
}

/// The most likely module of a target without one.
fn default_module(target: &str) -> &'static str {
    if target.contains("://") {
        "http_2xx"
    } else {
        "tcp_connect"
    }
}

/// A target without credentials.
fn shown(target: &str) -> String {
    Address::parse(target).map_or_else(|| "target".to_owned(), |address| address.shown(target))
}

fn authority(target: &str) -> &str {
    target
        .split_once("://")
        .map_or(target, |(_, authority)| authority)
}
