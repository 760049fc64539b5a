//! Converts configurations of other monitoring tools to definitions files, and definitions to Prometheus.
//!
//! Every key of a source is either converted or reported in [`Import::report`], except null and empty values. The result of
//! an import is validated as a definitions file.

mod address;
mod changes;
mod cloudprober;
mod complete;
mod compose;
mod connection;
mod draft;
mod duration;
mod export;
mod gatus;
mod http_request;
mod id;
mod kubernetes;
mod maintenance;
mod mark;
mod note;
mod pending;
mod ping;
mod placeholder;
mod prometheus;
mod report;
mod secret;
mod services;
mod source_fields;
mod statuses;
mod terraform;
mod upptime;
mod uptime_flare;
mod uptime_kuma;
mod write;

use std::fmt;

use portpulse_core::definition::NetworkAccess;
use portpulse_monitors_file::Mistake;
use serde_json::Value;

use draft::Draft;
use maintenance::Window;
use placeholder::Notation;

pub use changes::{ChangedMonitor, Changes, changes};
pub use export::{Export, export};
pub use note::{Note, NoteKind};
pub use ping::Pings;
pub use placeholder::Environment;
pub use report::{Difference, Report};

/// The format of the imported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Gatus: the configuration, YAML.
    Gatus,
    /// Uptime Kuma: the backup of 1.x, or the tables of the database, JSON.
    UptimeKuma,
    /// Prometheus and the blackbox exporter: configurations and target files, YAML or JSON.
    Prometheus,
    /// UptimeFlare: the exports of `uptime.config.ts`, as JSON.
    UptimeFlare,
    /// Upptime: `.upptimerc.yml`.
    Upptime,
    /// cloudprober: the configuration, in the text format of Protocol Buffers, YAML or JSON.
    Cloudprober,
    /// Terraform: the output of `terraform show -json`.
    Terraform,
    /// Docker Compose: YAML.
    Compose,
    /// Kubernetes: manifests, YAML, or the output of `kubectl get -o json`.
    Kubernetes,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::Gatus,
        Self::UptimeKuma,
        Self::Prometheus,
        Self::UptimeFlare,
        Self::Upptime,
        Self::Cloudprober,
        Self::Terraform,
        Self::Compose,
        Self::Kubernetes,
    ];
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gatus => "Gatus",
            Self::UptimeKuma => "Uptime Kuma",
            Self::Prometheus => "Prometheus",
            Self::UptimeFlare => "UptimeFlare",
            Self::Upptime => "Upptime",
            Self::Cloudprober => "cloudprober",
            Self::Terraform => "Terraform",
            Self::Compose => "Docker Compose",
            Self::Kubernetes => "Kubernetes",
        })
    }
}

/// A file to import.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The name, for messages.
    pub name: &'a str,
    /// The content: JSON or YAML.
    pub text: &'a str,
}

/// The result of an import.
#[derive(Debug, Clone)]
pub struct Import {
    /// A definitions file, valid for locations on the user's own network.
    pub text: String,
    /// What was imported, and what was not.
    pub report: Report,
}

/// A failed import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file is neither JSON nor YAML.
    #[error("{name}: {}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unreadable {
        /// The name of the file.
        name: String,
        /// The syntax errors.
        mistakes: Vec<Mistake>,
    },
    /// A file does not have the format.
    #[error("{name} is not a {format} file: {problem}")]
    Foreign {
        /// The name of the file.
        name: String,
        /// The requested format.
        format: Format,
        /// The missing part.
        problem: &'static str,
    },
    /// The files contain no monitor that can be converted.
    #[error("the files contain nothing that can be monitored")]
    NoMonitors {
        /// The reasons.
        report: Report,
    },
    /// The converted definitions are invalid: a bug in this program.
    #[error("the converted definitions are invalid, which is a bug in portpulse: {}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// The mistakes in the definitions.
        mistakes: Vec<Mistake>,
    },
}

/// The content of the sources of one format.
#[derive(Default)]
struct Extracted {
    /// The number of monitors in the source.
    found: usize,
    drafts: Vec<Draft>,
    maintenance: Vec<Window>,
    notes: Vec<Note>,
}

/// What a caller decides about an import.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// The values of placeholders such as `${HOST}`; without it, they are reported.
    pub environment: Option<Environment<'a>>,
    /// The host of published ports of Docker Compose, by default `localhost`, or a node of Kubernetes.
    pub host: Option<&'a str>,
    /// What checks the hosts that the source pings.
    pub pings: Pings<'a>,
}

/// Converts these files together to one definitions file.
///
/// # Errors
/// If a file cannot be parsed, has another format, or if there is no monitor to convert.
pub fn import(format: Format, sources: &[Source<'_>], options: &Options<'_>) -> Result<Import, ImportError> {
    let mut values = Vec::new();
    let mut notes = Vec::new();
    for source in sources {
        let mut value = parse(format, source)?;
        placeholder::fill(
            &mut value,
            notation(format),
            options.environment,
            source.name,
            &mut notes,
        );
        values.push((source.name, value));
    }
    let read = match format {
        Format::Gatus => gatus::read(values)?,
        Format::UptimeKuma => uptime_kuma::read(values)?,
        Format::Prometheus => prometheus::read(values)?,
        Format::UptimeFlare => uptime_flare::read(values)?,
        Format::Upptime => upptime::read(values)?,
        Format::Cloudprober => cloudprober::read(values)?,
        Format::Terraform => terraform::read(values)?,
        Format::Compose => compose::read(values, options.host.unwrap_or("localhost"))?,
        Format::Kubernetes => kubernetes::read(values, options.host)?,
    };
    let names: Vec<_> = sources.iter().map(|source| source.name).collect();
    let Extracted {
        found,
        drafts,
        maintenance,
        notes: mut read_notes,
    } = read;
    notes.append(&mut read_notes);
    let written = write::write(
        &format!("{format}: {}", names.join(", ")),
        drafts,
        maintenance,
        options.pings,
        &mut notes,
    );
    notes.sort();
    notes.dedup();
    let report = Report::new(found, written.monitors, &notes);
    if written.monitors == 0 {
        return Err(ImportError::NoMonitors { report });
    }
    match portpulse_monitors_file::read(&written.text, NetworkAccess::OwnNetwork) {
        Ok(_) => Ok(Import {
            text: written.text,
            report,
        }),
        Err(mistakes) => Err(ImportError::Invalid { mistakes }),
    }
}

/// The notation of placeholders in files of a format.
fn notation(format: Format) -> Notation {
    match format {
        Format::Gatus => Notation::Shell,
        Format::Compose => Notation::ShellWithDefaults,
        Format::Upptime => Notation::Plain,
        Format::Cloudprober => Notation::Starred,
        Format::UptimeKuma
        | Format::Prometheus
        | Format::UptimeFlare
        | Format::Terraform
        | Format::Kubernetes => Notation::None,
    }
}

fn parse(format: Format, source: &Source<'_>) -> Result<Value, ImportError> {
    // JSON first: surrogate escapes and tabs are valid in JSON, but not in YAML.
    if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(source.text) {
        return Ok(value);
    }
    if format == Format::Cloudprober
        && let Some(value) = cloudprober::parse(source.text)
    {
        return Ok(value);
    }
    let read = |text: &str| {
        portpulse_monitors_file::read_value(text).map_err(|mistakes| ImportError::Unreadable {
            name: source.name.to_owned(),
            mistakes,
        })
    };
    if format == Format::Kubernetes {
        let documents: Result<Vec<Value>, ImportError> =
            documents(source.text).iter().map(|text| read(text)).collect();
        return documents.map(Value::Array);
    }
    read(source.text)
}

/// The documents of a YAML file, which begin after lines of three dashes.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        let is_start = line == "---" || line.starts_with("--- ");
        if is_start {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    documents.retain(|document| !document.trim().is_empty());
    documents
}
