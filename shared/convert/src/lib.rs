//! Definitions from the files of other monitors, and to Prometheus: what cannot be carried over is told, and nothing is
//! dropped without a word.
//!
//! Every key of a source is either used, or handed out in [`Import::left`]; only what is null or empty says nothing. What
//! comes out has been read again as a definitions file before it is handed out.

mod address;
mod draft;
mod export;
mod fields;
mod gatus;
mod left;
mod maintenance;
mod prometheus;
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
pub use left::{Kind, Left};

/// Whose files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Gatus: its configuration, YAML.
    Gatus,
    /// Uptime Kuma 1.x: its backup, JSON.
    UptimeKuma,
    /// Prometheus and its blackbox exporter: their configurations and files of targets, YAML or JSON.
    Prometheus,
    /// UptimeFlare: what its `uptime.config.ts` exports, as JSON.
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

/// A file to read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What it is called, for messages.
    pub name: &'a str,
    /// What it says: JSON or YAML.
    pub text: &'a str,
}

/// What came of an import.
#[derive(Debug, Clone)]
pub struct Import {
    /// A definitions file, valid on a machine or in a VPC of the user's own.
    pub text: String,
    /// How many monitors it has.
    pub monitors: usize,
    /// What was not carried over as it was.
    pub left: Vec<Left>,
}

/// Why nothing could be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A source is no YAML.
    #[error("{name}: {}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unreadable {
        /// Which.
        name: String,
        /// What is wrong with it.
        mistakes: Vec<Mistake>,
    },
    /// A source does not look like one of its kind.
    #[error("{name} is not of {format}: {wanted}")]
    Foreign {
        /// Which.
        name: String,
        /// What it was taken for.
        format: Format,
        /// What it should have had.
        wanted: &'static str,
    },
    /// There is nothing in it that can be watched.
    #[error("nothing in it can be watched")]
    Nothing {
        /// Why not.
        left: Vec<Left>,
    },
    /// The definitions that came out are not valid: a fault of this program.
    #[error("what came out is not valid, which should not happen: {}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// What is wrong with them.
        mistakes: Vec<Mistake>,
    },
}

/// What a format has read from its sources.
#[derive(Default)]
struct Read {
    drafts: Vec<Draft>,
    maintenance: Vec<Window>,
    left: Vec<Left>,
}

/// Definitions from these files, which belong together.
///
/// # Errors
/// When one of them cannot be read, or nothing in them can be watched.
pub fn import(format: Format, sources: &[Source<'_>]) -> Result<Import, ImportError> {
    let mut values = Vec::new();
    for source in sources {
        let name = source.name;
        // JSON is nearly all YAML, but for the halves of characters and the tabs that it may have.
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
    let Read {
        drafts,
        maintenance,
        mut left,
    } = read;
    let written = write::write(
        &format!("{format}: {}", names.join(", ")),
        drafts,
        maintenance,
        &mut left,
    );
    left.sort();
    left.dedup();
    if written.monitors == 0 {
        return Err(ImportError::Nothing { left });
    }
    match portpulse_monitors_file::read(&written.text, NetworkAccess::OwnNetwork) {
        Ok(_) => Ok(Import {
            text: written.text,
            monitors: written.monitors,
            left,
        }),
        Err(mistakes) => Err(ImportError::Invalid { mistakes }),
    }
}
