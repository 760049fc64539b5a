//! Prometheus with its blackbox exporter: modules, scrapes of the exporter, and files of targets.
//!
//! Sources: <https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md>,
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config>

mod expression;
mod known;
mod module;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::draft::{Draft, duration};
use crate::fields::{Fields, Known, text_of};
use crate::left::{Kind, Left, tame};
use crate::{Format, ImportError, Read};

/// The label by which an export names a monitor.
pub(crate) const MONITOR: &str = "monitor";
/// The label by which an export lists tags that are no pairs.
pub(crate) const TAGS: &str = "tags";
/// The labels that choose the module and the interval of one target.
pub(crate) const MODULE: &str = "__param_module";
pub(crate) const INTERVAL: &str = "__scrape_interval__";

/// Prometheus's own defaults.
const EVERY: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

const EXPORTER: &str = "points Prometheus to the exporter";
const OF_ITSELF: &str = "is of Prometheus itself";
const NOT_FILES: &str = "targets that are discovered cannot be carried over: write them into a file";
const OF_FILE: [Known; 12] = [
    ("global", Kind::NotNeeded, OF_ITSELF),
    (
        "rule_files",
        Kind::Lost,
        "thresholds are `failures_to_open` and the like",
    ),
    (
        "alerting",
        Kind::Lost,
        "whom to tell is set up with the variable `subscribers`, and in the relay",
    ),
    ("scrape_config_files", Kind::Lost, "give those files too"),
    ("remote_write", Kind::NotNeeded, OF_ITSELF),
    ("remote_read", Kind::NotNeeded, OF_ITSELF),
    ("storage", Kind::NotNeeded, OF_ITSELF),
    ("tracing", Kind::NotNeeded, OF_ITSELF),
    ("otlp", Kind::NotNeeded, OF_ITSELF),
    ("runtime", Kind::NotNeeded, OF_ITSELF),
    ("tls_server_config", Kind::NotNeeded, OF_ITSELF),
    ("modules", Kind::NotNeeded, OF_ITSELF),
];
const OF_SCRAPE: [Known; 15] = [
    ("metrics_path", Kind::NotNeeded, EXPORTER),
    ("scheme", Kind::NotNeeded, EXPORTER),
    (
        "relabel_configs",
        Kind::Changed,
        "labels are taken as they stand: what else is done to them is not",
    ),
    ("metric_relabel_configs", Kind::NotNeeded, OF_ITSELF),
    ("basic_auth", Kind::NotNeeded, EXPORTER),
    ("authorization", Kind::NotNeeded, EXPORTER),
    ("tls_config", Kind::NotNeeded, EXPORTER),
    ("proxy_url", Kind::NotNeeded, EXPORTER),
    ("honor_labels", Kind::NotNeeded, OF_ITSELF),
    ("honor_timestamps", Kind::NotNeeded, OF_ITSELF),
    ("sample_limit", Kind::NotNeeded, OF_ITSELF),
    ("params", Kind::Lost, "only `module` can be carried over"),
    ("dns_sd_configs", Kind::Lost, NOT_FILES),
    ("kubernetes_sd_configs", Kind::Lost, NOT_FILES),
    ("http_sd_configs", Kind::Lost, NOT_FILES),
];

/// Some targets with the same labels, and how they are scraped.
#[derive(Clone)]
struct Targets {
    from: String,
    targets: Vec<String>,
    labels: BTreeMap<String, String>,
    module: Option<String>,
    every: Duration,
    timeout: Option<Duration>,
}

/// A scrape of the exporter whose targets stand in files.
struct ByFile {
    endings: Vec<String>,
    like: Targets,
}

#[derive(Default)]
struct Files {
    modules: BTreeMap<String, Fields>,
    targets: Vec<Targets>,
    by_file: Vec<ByFile>,
    /// By the names of their files.
    lists: Vec<(String, Vec<Value>)>,
    left: Vec<Left>,
}

pub(crate) fn read(sources: Vec<(&str, Value)>) -> Result<Read, ImportError> {
    let mut files = Files::default();
    for (name, value) in sources {
        let wanted = "it has neither `modules:` nor `scrape_configs:`, and is no list of targets";
        match value {
            Value::Array(list) => files.lists.push((name.to_owned(), list)),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => match Fields::of(other) {
                Some(file) if file.has("modules") || file.has("scrape_configs") => {
                    files.configuration(name, file);
                }
                _ => {
                    return Err(ImportError::Foreign {
                        name: name.to_owned(),
                        format: Format::Prometheus,
                        wanted,
                    });
                }
            },
        }
    }
    files.assign_lists();
    let Files {
        modules,
        targets,
        mut left,
        ..
    } = files;
    let mut drafts = Vec::new();
    let mut used = BTreeSet::new();
    for group in targets {
        used.extend(group.module.clone());
        for target in &group.targets {
            drafts.extend(draft_of(target, &group, &modules, &mut left));
        }
    }
    for name in modules.keys().filter(|name| !used.contains(*name)) {
        left.push(Left {
            kind: Kind::NotNeeded,
            of: tame(&format!("module {name}")),
            field: String::new(),
            why: "no target is checked with it".to_owned(),
        });
    }
    Ok(Read {
        drafts,
        left,
        ..Read::default()
    })
}

impl Files {
    fn configuration(&mut self, name: &str, mut file: Fields) {
        if let Some(modules) = file.map("modules") {
            for (module, fields) in modules.into_entries() {
                match Fields::of(fields) {
                    Some(fields) => drop(self.modules.insert(module, fields)),
                    None => self.lost(&format!("module {module}"), "", "is not a map"),
                }
            }
        }
        let mut global = file.map("global").unwrap_or_default();
        let every = time(&mut global, "scrape_interval").unwrap_or(EVERY);
        let timeout = time(&mut global, "scrape_timeout");
        for (index, scrape) in file.list("scrape_configs").into_iter().enumerate() {
            match Fields::of(scrape) {
                Some(fields) => self.scrape(fields, index, every, timeout),
                None => self.lost(name, &format!("scrape_configs.{index}"), "is not a map"),
            }
        }
        global.rest(
            name,
            "global.",
            &[
                ("external_labels", Kind::NotNeeded, OF_ITSELF),
                ("evaluation_interval", Kind::NotNeeded, OF_ITSELF),
                ("query_log_file", Kind::NotNeeded, OF_ITSELF),
            ],
            &mut self.left,
        );
        file.rest(name, "", &OF_FILE, &mut self.left);
    }

    fn scrape(&mut self, mut fields: Fields, index: usize, every: Duration, timeout: Option<Duration>) {
        let job = fields
            .text("job_name")
            .unwrap_or_else(|| format!("scrape {index}"));
        let job = format!("job {job}");
        let mut params = fields.map("params").unwrap_or_default();
        let modules = params.texts("module");
        if modules.len() > 1 {
            self.lost(&job, "params.module", "only the first is asked");
        }
        let module = modules.into_iter().next();
        let is_probe = fields.text("metrics_path").as_deref() == Some("/probe");
        if module.is_none() && !is_probe {
            self.lost(
                &job,
                "",
                "is no scrape of the blackbox exporter: it has no `params.module`",
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
            discovery.rest(
                &job,
                "file_sd_configs.",
                &[("refresh_interval", Kind::NotNeeded, OF_ITSELF)],
                &mut self.left,
            );
        }
        params.rest(&job, "params.", &[], &mut self.left);
        fields.rest(&job, "", &OF_SCRAPE, &mut self.left);
    }

    /// Gives each file of targets to the scrape that names it; without one, its labels must say how to check.
    fn assign_lists(&mut self) {
        let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let given: Vec<String> = self.lists.iter().map(|(name, _)| base(name)).collect();
        let missing: Vec<(String, String)> = self
            .by_file
            .iter()
            .flat_map(|scrape| {
                scrape
                    .endings
                    .iter()
                    .map(|ending| (scrape.like.from.clone(), ending.clone()))
            })
            .filter(|(_, ending)| !given.iter().any(|name| matches(&base(ending), name)))
            .collect();
        for (job, ending) in missing {
            self.lost(
                &job,
                &format!("file_sd_configs: {ending}"),
                "its targets are in none of the files: give it too",
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
        let mut group = Fields::of(group)?;
        let targets = group.texts("targets");
        let mut made = like.clone();
        if let Some(labels) = group.map("labels") {
            for (name, value) in labels.into_entries() {
                match text_of(&value) {
                    Some(text) => drop(made.labels.insert(name, text)),
                    None => self.lost(&like.from, &format!("labels.{name}"), "is no text"),
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
        group.rest(&like.from, "", &[], &mut self.left);
        (!made.targets.is_empty()).then_some(made)
    }

    fn lost(&mut self, of: &str, field: &str, why: &str) {
        self.left.push(lost(of, field, why));
    }
}

fn lost(of: &str, field: &str, why: &str) -> Left {
    Left {
        kind: Kind::Lost,
        of: tame(of),
        field: tame(field),
        why: why.to_owned(),
    }
}

fn time(fields: &mut Fields, name: &str) -> Option<Duration> {
    fields.duration(name, SECOND)
}

/// Whether a file's name is the one that a scrape names, where `*` stands for anything.
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
    modules: &BTreeMap<String, Fields>,
    left: &mut Vec<Left>,
) -> Option<Draft> {
    let mut labels = group.labels.clone();
    let place = target.split_once("://").map_or(target, |(_, place)| place);
    let name = labels.remove(MONITOR).unwrap_or_else(|| place.to_owned());
    let mut draft = Draft::new(&name, &format!("{target}, {}", group.from));
    let module = group
        .module
        .clone()
        .unwrap_or_else(|| usual_module(target).to_owned());
    let fields = match modules.get(&module) {
        Some(fields) => fields.clone(),
        None => module::well_known(&module).or_else(|| {
            left.push(lost(
                target,
                "",
                &format!("its module `{}` is in none of the files", tame(&module)),
            ));
            None
        })?,
    };
    if let Err(why) = module::apply(&module, fields, target, group.timeout, &mut draft, left) {
        left.push(lost(target, "", why));
        return None;
    }
    draft.every("scrape_interval", group.every);
    for (name, value) in labels {
        match name.as_str() {
            TAGS => value.split(',').for_each(|tag| draft.tag(tag.trim())),
            _ if name.starts_with("__") => draft.leave(Kind::Lost, &name, "is of the scrape"),
            _ => draft.tag(&format!("{name}={value}")),
        }
    }
    Some(draft)
}

/// What a target without a module is most likely checked with.
fn usual_module(target: &str) -> &'static str {
    if target.contains("://") {
        "http_2xx"
    } else {
        "tcp_connect"
    }
}
