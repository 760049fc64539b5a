//! The files of definitions that commands read: files, folders, or standard input.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use portpulse_core::definition::{DefinitionFile, Diagnostic, NetworkAccess};
use portpulse_monitors_file::{Mistake, Source};
use serde_json::Value;

use crate::output::{CommandError, diagnostic_text};

/// The file that commands read without arguments.
pub(crate) const DEFAULT_FILE: &str = "infra/monitors.yaml";

/// Files that are read as one.
pub(crate) struct DefinitionFiles(Vec<Source>);

impl DefinitionFiles {
    /// Reads the files; of a folder, all files that end with `.yaml` or `.yml`, in the order of their names.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, CommandError> {
        let mut sources = Vec::new();
        for path in paths {
            if path.is_dir() {
                let files = yaml_files(path).map_err(|error| unreadable(path, error))?;
                if files.is_empty() {
                    let message = format!("{} has no files that end with .yaml or .yml", path.display());
                    return Err(CommandError::usage(message));
                }
                for file in files {
                    sources.push(source(&file)?);
                }
            } else {
                sources.push(source(path)?);
            }
        }
        Ok(Self(sources))
    }

    /// A text that is not in a file.
    pub(crate) fn of_text(name: &str, text: String) -> Self {
        Self(vec![Source {
            name: name.to_owned(),
            bytes: text.into_bytes(),
        }])
    }

    /// The names of the files.
    pub(crate) fn name(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|source| source.name.as_str()).collect();
        names.join(", ")
    }

    /// The valid definitions, or all mistakes.
    pub(crate) fn validate(&self, access: NetworkAccess) -> Result<DefinitionFile, InvalidDefinitions> {
        self.validate_as(|value| DefinitionFile::validate(value, access))
    }

    /// What `validate` makes of all files as one, or all mistakes.
    pub(crate) fn validate_as<T>(
        &self,
        validate: impl FnOnce(&Value) -> Result<T, Vec<Diagnostic>>,
    ) -> Result<T, InvalidDefinitions> {
        portpulse_monitors_file::read_files_as(&self.0, validate).map_err(|mistakes| {
            let located = mistakes.into_iter().map(
                |Mistake {
                     file,
                     line,
                     diagnostic,
                 }| LocatedMistake {
                    file: self
                        .0
                        .get(file)
                        .map(|source| source.name.clone())
                        .unwrap_or_default(),
                    line,
                    diagnostic,
                },
            );
            InvalidDefinitions(located.collect())
        })
    }
}

/// All mistakes in definitions.
pub(crate) struct InvalidDefinitions(pub(crate) Vec<LocatedMistake>);

/// A mistake with the name of its file.
pub(crate) struct LocatedMistake {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) diagnostic: Diagnostic,
}

impl InvalidDefinitions {
    /// Each mistake with its file, line, field and hint.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line =
            |LocatedMistake {
                 file,
                 line,
                 diagnostic,
             }: &LocatedMistake| { format!("{file}:{line}: {}", diagnostic_text(diagnostic)) };
        self.0.iter().map(line).collect()
    }
}

impl From<InvalidDefinitions> for CommandError {
    fn from(invalid: InvalidDefinitions) -> Self {
        Self::usage(invalid.lines().join("\n"))
    }
}

fn source(path: &Path) -> Result<Source, CommandError> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    Ok(Source {
        name: path.display().to_string(),
        bytes: read.map_err(|error| unreadable(path, error))?,
    })
}

fn unreadable(path: &Path, error: io::Error) -> CommandError {
    CommandError::failed(format!("read {}", path.display()), error)
}

fn yaml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if is_yaml && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
