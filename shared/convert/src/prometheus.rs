//! Prometheus with the blackbox exporter: modules, scrapes of the exporter, and target files.
//!
//! Sources: <https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md>,
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config>

mod expression;
mod module;
mod unused_keys;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::draft::{Draft, duration};
use crate::note::{Note, NoteKind, sanitize};
use crate::source_fields::{SourceFields, UnusedKey, text_of};
use crate::{Extracted, Format, ImportError};

/// The label with the id of a monitor in an export.
pub(crate) const MONITOR: &str = "monitor";
/// The label with the tags in an export that are not pairs.
pub(crate) const TAGS: &str = "tags";
/// The labels that set the module and the interval of a target.
pub(crate) const MODULE: &str = "__param_module";
pub(crate) const INTERVAL: &str = "__scrape_interval__";

/// The default interval of Prometheus.
const EVERY: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

const EXPORTER: &str = "only connects Prometheus to the exporter";
const OF_ITSELF: &str = "concerns only Prometheus itself";
const NOT_FILES: &str = "service discovery is not supported: list the targets in a file";
const FILE_KEYS: [UnusedKey; 12] = [
    ("global", NoteKind::NotNeeded, OF_ITSELF),
    (
        "rule_files",
        NoteKind::Lost,
        "use `failures_to_open` and similar fields instead",
    ),
    (
        "alerting",
        NoteKind::Lost,
        "configure subscribers with the variable `subscribers`, or destinations in the relay",
    ),
    ("scrape_config_files", NoteKind::Lost, "import these files too"),
    ("remote_write", NoteKind::NotNeeded, OF_ITSELF),
    ("remote_read", NoteKind::NotNeeded, OF_ITSELF),
    ("storage", NoteKind::NotNeeded, OF_ITSELF),
    ("tracing", NoteKind::NotNeeded, OF_ITSELF),
    ("otlp", NoteKind::NotNeeded, OF_ITSELF),
    ("runtime", NoteKind::NotNeeded, OF_ITSELF),
    ("tls_server_config", NoteKind::NotNeeded, OF_ITSELF),
    ("modules", NoteKind::NotNeeded, OF_ITSELF),
];
const SCRAPE_KEYS: [UnusedKey; 15] = [
    ("metrics_path", NoteKind::NotNeeded, EXPORTER),
    ("scheme", NoteKind::NotNeeded, EXPORTER),
    (
        "relabel_configs",
        NoteKind::Changed,
        "relabeling is not applied: labels are used as written",
    ),
    ("metric_relabel_configs", NoteKind::NotNeeded, OF_ITSELF),
    ("basic_auth", NoteKind::NotNeeded, EXPORTER),
    ("authorization", NoteKind::NotNeeded, EXPORTER),
    ("tls_config", NoteKind::NotNeeded, EXPORTER),
    ("proxy_url", NoteKind::NotNeeded, EXPORTER),
    ("honor_labels", NoteKind::NotNeeded, OF_ITSELF),
    ("honor_timestamps", NoteKind::NotNeeded, OF_ITSELF),
    ("sample_limit", NoteKind::NotNeeded, OF_ITSELF),
    ("params", NoteKind::Lost, "only `module` is supported"),
    ("dns_sd_configs", NoteKind::Lost, NOT_FILES),
    ("kubernetes_sd_configs", NoteKind::Lost, NOT_FILES),
    ("http_sd_configs", NoteKind::Lost, NOT_FILES),
];

/// Targets with the same labels and scrape settings.
#[derive(Clone)]
struct Targets {
    from: String,
    targets: Vec<String>,
    labels: BTreeMap<String, String>,
    module: Option<String>,
    every: Duration,
    timeout: Option<Duration>,
}

/// A scrape of the exporter with targets in files.
struct ByFile {
    endings: Vec<String>,
    like: Targets,
}

#[derive(Default)]
struct Files {
    modules: BTreeMap<String, SourceFields>,
    targets: Vec<Targets>,
    by_file: Vec<ByFile>,
    /// Target files with their names.
    lists: Vec<(String, Vec<Value>)>,
    notes: Vec<Note>,
}

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Extracted, ImportError> {
    let mut files = Files::default();
    for (name, value) in sources {
        let problem = "it must be a list of targets, or have `modules:` or `scrape_configs:`";
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
    files.assign_lists();
    let Files {
        modules,
        targets,
        mut notes,
        ..
    } = files;
    let mut drafts = Vec::new();
    let mut used = BTreeSet::new();
    for group in targets {
        used.extend(group.module.clone());
        for target in &group.targets {
            drafts.extend(draft_of(target, &group, &modules, &mut notes));
        }
    }
    for name in modules.keys().filter(|name| !used.contains(*name)) {
        notes.push(Note {
            kind: NoteKind::NotNeeded,
            item: sanitize(&format!("module {name}")),
            field: String::new(),
            reason: "no target uses the module".to_owned(),
        });
    }
    Ok(Extracted {
        drafts,
        notes,
        ..Extracted::default()
    })
}

impl Files {
    fn configuration(&mut self, name: &str, mut file: SourceFields) {
        if let Some(modules) = file.map("modules") {
            for (module, fields) in modules.into_entries() {
                match SourceFields::from_value(fields) {
                    Some(fields) => drop(self.modules.insert(module, fields)),
                    None => self.lost(&format!("module {module}"), "", "is not a map"),
                }
            }
        }
        let mut global = file.map("global").unwrap_or_default();
        let every = time(&mut global, "scrape_interval").unwrap_or(EVERY);
        let timeout = time(&mut global, "scrape_timeout");
        for (index, scrape) in file.list("scrape_configs").into_iter().enumerate() {
            match SourceFields::from_value(scrape) {
                Some(fields) => self.scrape(fields, index, every, timeout),
                None => self.lost(name, &format!("scrape_configs.{index}"), "is not a map"),
            }
        }
        global.note_unused(
            name,
            "global.",
            &[
                ("external_labels", NoteKind::NotNeeded, OF_ITSELF),
                ("evaluation_interval", NoteKind::NotNeeded, OF_ITSELF),
                ("query_log_file", NoteKind::NotNeeded, OF_ITSELF),
            ],
            &mut self.notes,
        );
        file.note_unused(name, "", &FILE_KEYS, &mut self.notes);
    }

    fn scrape(&mut self, mut fields: SourceFields, index: usize, every: Duration, timeout: Option<Duration>) {
        let job = fields
            .text("job_name")
            .unwrap_or_else(|| format!("scrape {index}"));
        let job = format!("job {job}");
        let mut params = fields.map("params").unwrap_or_default();
        let modules = params.texts("module");
        if modules.len() > 1 {
            self.lost(&job, "params.module", "only the first module is used");
        }
        let module = modules.into_iter().next();
        let is_probe = fields.text("metrics_path").as_deref() == Some("/probe");
        if module.is_none() && !is_probe {
            self.lost(
                &job,
                "",
                "is not a scrape of the blackbox exporter: `params.module` is missing",
            );
            return;
        }
        let like = Targets {
            from: job.clone(),
            targets: Vec::new(),
            labels: BTreeMap::new(),
            module,
            every: time(&mut fields, "scrape_interval").unwrap_or(every),
            timeout: time(&mut fields, "scrape_timeout").or(timeout),
        };
        for (index, group) in fields.list("static_configs").into_iter().enumerate() {
            match self.group(group, &like) {
                Some(group) => self.targets.push(group),
                None => self.lost(&job, &format!("static_configs.{index}"), "has no `targets`"),
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
                &[("refresh_interval", NoteKind::NotNeeded, OF_ITSELF)],
                &mut self.notes,
            );
        }
        params.note_unused(&job, "params.", &[], &mut self.notes);
        fields.note_unused(&job, "", &SCRAPE_KEYS, &mut self.notes);
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
            self.lost(
                &job,
                &format!("file_sd_configs: {ending}"),
                "the targets file is missing: import it too",
            );
        }
        for (name, list) in std::mem::take(&mut self.lists) {
            let scrape = self.by_file.iter().find(|scrape| {
                scrape
                    .endings
                    .iter()
                    .any(|ending| matches(&base(ending), &base(&name)))
            });
            let like = scrape.map_or_else(
                || Targets {
                    from: name.clone(),
                    targets: Vec::new(),
                    labels: BTreeMap::new(),
                    module: None,
                    every: EVERY,
                    timeout: None,
                },
                |scrape| scrape.like.clone(),
            );
            for (index, group) in list.into_iter().enumerate() {
                match self.group(group, &like) {
                    Some(group) => self.targets.push(group),
                    None => self.lost(&name, &index.to_string(), "has no `targets`"),
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
                    None => self.lost(&like.from, &format!("labels.{name}"), "is not text"),
                }
            }
        }
        made.module = made
            .labels
            .remove(MODULE)
            .or_else(|| made.labels.remove("module"))
            .or(made.module);
        let every = made
            .labels
            .remove(INTERVAL)
            .and_then(|text| duration(&text, SECOND));
        made.every = every.unwrap_or(made.every);
        let timeout = made
            .labels
            .remove("__scrape_timeout__")
            .and_then(|text| duration(&text, SECOND));
        made.timeout = timeout.or(made.timeout);
        made.targets = targets;
        group.note_unused(&like.from, "", &[], &mut self.notes);
        (!made.targets.is_empty()).then_some(made)
    }

    fn lost(&mut self, item: &str, field: &str, reason: &str) {
        self.notes.push(lost(item, field, reason));
    }
}

fn lost(item: &str, field: &str, reason: &str) -> Note {
    Note {
        kind: NoteKind::Lost,
        item: sanitize(item),
        field: sanitize(field),
        reason: reason.to_owned(),
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

fn draft_of(
    target: &str,
    group: &Targets,
    modules: &BTreeMap<String, SourceFields>,
    notes: &mut Vec<Note>,
) -> Option<Draft> {
    let mut labels = group.labels.clone();
    let authority = target
        .split_once("://")
        .map_or(target, |(_, authority)| authority);
    let name = labels.remove(MONITOR).unwrap_or_else(|| authority.to_owned());
    let mut draft = Draft::new(&name, &format!("{target}, {}", group.from));
    let module = group
        .module
        .clone()
        .unwrap_or_else(|| default_module(target).to_owned());
    let fields = match modules.get(&module) {
        Some(fields) => fields.clone(),
        None => module::builtin(&module).or_else(|| {
            notes.push(lost(
                target,
                "",
                &format!("its module `{}` is in none of the files", sanitize(&module)),
            ));
            None
        })?,
    };
    if let Err(reason) = module::apply(&module, fields, target, group.timeout, &mut draft, notes) {
        notes.push(lost(target, "", reason));
        return None;
    }
    draft.set_interval("scrape_interval", group.every);
    for (name, value) in labels {
        match name.as_str() {
            TAGS => value.split(',').for_each(|tag| draft.tag(tag.trim())),
            _ if name.starts_with("__") => draft.add_note(NoteKind::Lost, &name, "concerns only the scrape"),
            _ => draft.tag(&format!("{name}={value}")),
        }
    }
    Some(draft)
}

/// The most likely module of a target without one.
fn default_module(target: &str) -> &'static str {
    if target.contains("://") {
        "http_2xx"
    } else {
        "tcp_connect"
    }
}
