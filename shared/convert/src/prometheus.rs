//! Prometheus with the blackbox exporter: modules, scrapes of the exporter, and target files.
//!
//! Sources: <https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md>,
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config>

mod account;
mod expression;
mod module;
mod relabel;
mod target;
mod tcp;
mod unused_keys;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use self::relabel::Rule;
use self::unused_keys::{FILE, GLOBAL, OF_ITSELF, SCRAPE};
use crate::note::Note;
use crate::source_fields::{SourceFields, text_of};
use crate::{Extracted, Format, ImportError};

/// The label with the id of a monitor in an export.
pub(crate) const MONITOR: &str = "monitor";
/// The label with the tags in an export that are not pairs.
pub(crate) const TAGS: &str = "tags";
/// The labels that set the module and the interval of a target.
pub(crate) const MODULE: &str = "__param_module";
pub(crate) const INTERVAL: &str = "__scrape_interval__";
pub(crate) const TIMEOUT: &str = "__scrape_timeout__";
const TARGET: &str = "__param_target";
const ADDRESS: &str = "__address__";

/// The default interval and timeout of Prometheus.
const EVERY: Duration = Duration::from_secs(60);
pub(crate) const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
/// How much less time than the scrape the exporter has.
pub(crate) const SCRAPE_OFFSET: Duration = Duration::from_millis(500);
const SECOND: Duration = Duration::from_secs(1);

/// Targets with the same labels and scrape settings.
#[derive(Clone)]
struct Targets {
    from: String,
    targets: Vec<String>,
    labels: BTreeMap<String, String>,
    rules: Vec<Rule>,
    every: Duration,
    /// The timeout of a scrape; without it, the default, which is at most the interval.
    timeout: Option<Duration>,
}

/// A scrape of the exporter with targets in files.
struct ByFile {
    endings: Vec<String>,
    like: Targets,
}

/// The settings of a configuration for all scrapes.
#[derive(Clone, Copy)]
struct Global {
    every: Duration,
    timeout: Option<Duration>,
}

#[derive(Default)]
struct Files {
    modules: BTreeMap<String, SourceFields>,
    /// The scrapes of all configurations, which need the modules of all files.
    scrapes: Vec<(usize, SourceFields, Global)>,
    targets: Vec<Targets>,
    by_file: Vec<ByFile>,
    /// Target files with their names.
    lists: Vec<(String, Vec<Value>)>,
    notes: Vec<Note>,
}

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut files = Files::default();
    let names: Vec<&str> = sources.iter().map(|(name, _)| *name).collect();
    let all_names = names.join(", ");
    for (name, value) in sources {
        let problem = "it must be a list of targets, or have `modules:`, `scrape_configs:` or `groups:`";
        match value {
            Value::Array(list) => files.lists.push((name.to_owned(), list)),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => match SourceFields::from_value(other) {
                Some(file) if file.has("modules") || file.has("scrape_configs") => {
                    files.configuration(name, file);
                }
                Some(file) if file.has("groups") => files.lost(name, "groups", RULES),
                _ => {
                    return Err(ImportError::Foreign {
                        name: name.to_owned(),
                        format: Format::Prometheus,
                        problem,
                    });
                }
            },
        }
    }
    for (index, fields, global) in std::mem::take(&mut files.scrapes) {
        files.scrape(fields, index, global);
    }
    files.assign_lists();
    let Files {
        modules,
        targets,
        notes,
        ..
    } = files;
    let mut read = Extracted {
        notes,
        ..Extracted::default()
    };
    let mut used = BTreeSet::new();
    for group in targets {
        for target in &group.targets {
            read.found += 1;
            let draft = target::draft_of(target, &group, &modules, &mut used, &mut read.notes);
            read.drafts.extend(draft);
        }
    }
    if !read.drafts.is_empty() {
        let reason = "Alerting rules decide in Prometheus what is an incident; here one opens when a check and its \
                      retries fail (two checks, where no retry fits), closes after 2 successes, and certificates are \
                      reported 14 days before they expire.";
        read.notes.push(Note::changed(&all_names, "rules", reason));
    }
    for name in modules.keys().filter(|name| !used.contains(*name)) {
        let item = format!("module {name}");
        read.notes
            .push(Note::not_needed(&item, "modules", "No target uses the module."));
    }
    Ok(read)
}

const RULES: &str = "Alerting rules are not converted: use `failures_to_open` and similar fields.";

impl Files {
    fn configuration(&mut self, name: &str, mut file: SourceFields) {
        if let Some(modules) = file.map("modules") {
            for (module, fields) in modules.into_entries() {
                let item = format!("module {module}");
                match SourceFields::from_value(fields) {
                    Some(fields) => {
                        if let Some(known) = self.modules.insert(module.clone(), fields.clone())
                            && known != fields
                        {
                            let reason =
                                "Several files define the module differently; the last definition is used.";
                            self.notes.push(Note::changed(&item, "modules", reason));
                        }
                    }
                    None => self.lost(&item, "modules", "The value is not a map."),
                }
            }
        }
        let mut global = file.map("global").unwrap_or_default();
        let settings = Global {
            every: time(&mut global, "scrape_interval").unwrap_or(EVERY),
            timeout: time(&mut global, "scrape_timeout"),
        };
        for (index, scrape) in file.list("scrape_configs").into_iter().enumerate() {
            match SourceFields::from_value(scrape) {
                Some(fields) => self.scrapes.push((index, fields, settings)),
                None => self.lost(
                    name,
                    &format!("scrape_configs.{index}"),
                    "The value is not a map.",
                ),
            }
        }
        if file.take("rule_files").is_some() {
            self.lost(name, "rule_files", RULES);
        }
        global.note_unused(name, "global.", &GLOBAL, &mut self.notes);
        file.note_unused(name, "", &FILE, &mut self.notes);
    }

    fn scrape(&mut self, mut fields: SourceFields, index: usize, global: Global) {
        let job_name = fields
            .text("job_name")
            .unwrap_or_else(|| format!("scrape {index}"));
        let job = format!("job {job_name}");
        let mut params = fields.map("params").unwrap_or_default();
        let modules = params.texts("module");
        let module = modules.first().cloned();
        let path = fields.text("metrics_path");
        let is_known =
            |module: &String| self.modules.contains_key(module) || module::builtin(module).is_some();
        let is_probe = path.as_deref() == Some("/probe") || module.as_ref().is_some_and(is_known);
        if !is_probe {
            let reason = "The job scrapes another exporter, not the blackbox exporter.";
            // A job of Prometheus without targets to probe is no monitor.
            self.notes
                .push(if params.names().next().is_some() || module.is_some() {
                    Note::lost(&job, "", reason)
                } else {
                    Note::not_needed(&job, "scrape_configs", reason)
                });
            return;
        }
        if modules.len() > 1 {
            let reason = "The exporter uses only the first module.";
            self.notes.push(Note::not_needed(&job, "params.module", reason));
        }
        let targets = params.texts("target");
        if targets.len() > 1 {
            let reason = "The exporter uses only the first target.";
            self.notes.push(Note::not_needed(&job, "params.target", reason));
        }
        let every = time(&mut fields, "scrape_interval").unwrap_or(global.every);
        let mut labels = BTreeMap::from([("job".to_owned(), job_name)]);
        labels.extend(module.map(|module| (MODULE.to_owned(), module)));
        labels.extend(
            targets
                .into_iter()
                .next()
                .map(|target| (TARGET.to_owned(), target)),
        );
        if let Some(path) = path {
            labels.insert("__metrics_path__".to_owned(), path);
        }
        let mut rules = Vec::new();
        for rule in fields.maps("relabel_configs") {
            match Rule::read(rule) {
                Ok(rule) => rules.push(rule),
                Err(reason) => self.lost(&job, "relabel_configs", reason),
            }
        }
        let like = Targets {
            from: job.clone(),
            targets: Vec::new(),
            labels,
            rules,
            every,
            timeout: time(&mut fields, "scrape_timeout").or(global.timeout),
        };
        for (index, group) in fields.list("static_configs").into_iter().enumerate() {
            match self.group(group, &like) {
                Some(group) => self.targets.push(group),
                None => self.lost(
                    &job,
                    &format!("static_configs.{index}"),
                    "The group has no `targets`.",
                ),
            }
        }
        for mut discovery in fields.maps("file_sd_configs") {
            let endings = discovery.texts("files");
            self.by_file.push(ByFile {
                endings,
                like: like.clone(),
            });
            discovery.note_unused(
                &job,
                "file_sd_configs.",
                &[("refresh_interval", crate::NoteKind::NotNeeded, OF_ITSELF)],
                &mut self.notes,
            );
        }
        params.note_unused(&job, "params.", &[], &mut self.notes);
        fields.note_unused(&job, "", &SCRAPE, &mut self.notes);
    }

    /// Assigns each target file to the scrape that names it. Without one, the labels must set the module.
    fn assign_lists(&mut self) {
        let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let names: Vec<String> = self.lists.iter().map(|(name, _)| base(name)).collect();
        let missing: Vec<(String, String)> = self
            .by_file
            .iter()
            .flat_map(|scrape| {
                scrape
                    .endings
                    .iter()
                    .map(|ending| (scrape.like.from.clone(), ending.clone()))
            })
            .filter(|(_, ending)| !names.iter().any(|name| matches(&base(ending), name)))
            .collect();
        for (job, ending) in missing {
            let reason = "The targets file is missing: import it too.";
            self.lost(&job, &format!("file_sd_configs: {ending}"), reason);
        }
        for (name, list) in std::mem::take(&mut self.lists) {
            let is_named = |scrape: &&ByFile| {
                let mut endings = scrape.endings.iter();
                endings.any(|ending| matches(&base(ending), &base(&name)))
            };
            let mut likes: Vec<Targets> = self
                .by_file
                .iter()
                .filter(is_named)
                .map(|scrape| scrape.like.clone())
                .collect();
            if likes.is_empty() {
                likes.push(Targets {
                    from: name.clone(),
                    targets: Vec::new(),
                    labels: BTreeMap::new(),
                    rules: Vec::new(),
                    every: EVERY,
                    timeout: None,
                });
            }
            for like in likes {
                for (index, group) in list.iter().cloned().enumerate() {
                    match self.group(group, &like) {
                        Some(group) => self.targets.push(group),
                        None => self.lost(&name, &index.to_string(), "The group has no `targets`."),
                    }
                }
            }
        }
    }

    /// `{ targets: […], labels: {…} }`.
    fn group(&mut self, group: Value, like: &Targets) -> Option<Targets> {
        let mut group = SourceFields::from_value(group)?;
        let targets = group.texts("targets");
        let mut made = like.clone();
        if let Some(labels) = group.map("labels") {
            for (name, value) in labels.into_entries() {
                match text_of(&value) {
                    Some(text) => drop(made.labels.insert(name, text)),
                    None => self.lost(&like.from, &format!("labels.{name}"), "The value is not text."),
                }
            }
        }
        made.targets = targets;
        group.note_unused(&like.from, "", &[], &mut self.notes);
        (!made.targets.is_empty()).then_some(made)
    }

    fn lost(&mut self, item: &str, field: &str, reason: &str) {
        self.notes.push(Note::lost(item, field, reason));
    }
}

fn time(fields: &mut SourceFields, name: &str) -> Option<Duration> {
    fields.duration(name, SECOND)
}

/// Whether a file name matches a pattern, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => pattern == name,
    }
}
