//! Converts configurations of other monitoring tools to definitions files, and definitions to Prometheus.
//!
//! Every key of a source is either converted or reported in [`Import::notes`], except null and empty values. The result of
//! an import is validated as a definitions file.

mod address;
mod draft;
mod export;
mod gatus;
mod maintenance;
mod note;
mod prometheus;
mod source_fields;
mod uptime_flare;
mod uptime_kuma;
mod write;

use std::fmt;

use portpulse_core::definition::NetworkAccess;
use portpulse_monitors_file::Mistake;
use serde_json::Value;

use draft::Draft;
use maintenance::Window;

pub use export::{Export, export};
pub use note::{Note, NoteKind};

/// The format of the imported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Gatus: the configuration, YAML.
    Gatus,
    /// Uptime Kuma 1.x: the backup, JSON.
    UptimeKuma,
    /// Prometheus and the blackbox exporter: configurations and target files, YAML or JSON.
    Prometheus,
    /// UptimeFlare: the exports of `uptime.config.ts`, as JSON.
    UptimeFlare,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gatus => "Gatus",
            Self::UptimeKuma => "Uptime Kuma",
            Self::Prometheus => "Prometheus",
            Self::UptimeFlare => "UptimeFlare",
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
    /// The number of monitors.
    pub monitors: usize,
    /// The settings that were changed or not converted.
    pub notes: Vec<Note>,
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
        notes: Vec<Note>,
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
    drafts: Vec<Draft>,
    maintenance: Vec<Window>,
    notes: Vec<Note>,
}

/// Converts these files together to one definitions file.
///
/// # Errors
/// If a file cannot be parsed, has another format, or if there is no monitor to convert.
pub fn import(format: Format, sources: &[Source<'_>]) -> Result<Import, ImportError> {
    let mut values = Vec::new();
    for source in sources {
        let name = source.name;
        // JSON first: surrogate escapes and tabs are valid in JSON, but not in YAML.
        if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(source.text) {
            values.push((name, value));
            continue;
        }
        match portpulse_monitors_file::read_value(source.text) {
            Ok(value) => values.push((name, value)),
            Err(mistakes) => {
                let name = name.to_owned();
                return Err(ImportError::Unreadable { name, mistakes });
            }
        }
    }
    let read = match format {
        Format::Gatus => gatus::read(values)?,
        Format::UptimeKuma => uptime_kuma::read(values)?,
        Format::Prometheus => prometheus::read(values)?,
        Format::UptimeFlare => uptime_flare::read(values)?,
    };
    let names: Vec<_> = sources.iter().map(|source| source.name).collect();
    let Extracted {
        drafts,
        maintenance,
        mut notes,
    } = read;
    let written = write::write(
        &format!("{format}: {}", names.join(", ")),
        drafts,
        maintenance,
        &mut notes,
    );
    notes.sort();
    notes.dedup();
    if written.monitors == 0 {
        return Err(ImportError::NoMonitors { notes });
    }
    match portpulse_monitors_file::read(&written.text, NetworkAccess::OwnNetwork) {
        Ok(_) => Ok(Import {
            text: written.text,
            monitors: written.monitors,
            notes,
        }),
        Err(mistakes) => Err(ImportError::Invalid { mistakes }),
    }
}
