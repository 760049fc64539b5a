//! Reads definitions files: YAML to monitors, or all mistakes with their lines. Other YAML files can be read with other
//! rules.
//!
//! The core validates definitions; this crate validates the YAML. Scalars follow the core schema of YAML 1.2
//! (<https://yaml.org/spec/1.2.2/#103-core-schema>). Text that YAML parsers interpret differently is refused, such as `yes`
//! and `2026-11-22`, which Terraform's `yamldecode` changes, so that all programs read the same monitors.

mod build;
mod mistake;
mod open;
mod scalar;
mod source;
mod tree;

use std::collections::BTreeSet;

use portpulse_core::definition::{DefinitionFile, Diagnostic, NetworkAccess};
use serde_json::Value;

use build::AmbiguousScalars;
use tree::Tree;

pub use mistake::Mistake;
pub use source::Source;

/// The maximum size of a file in bytes: enough for 10,000 monitors with all fields.
pub const MAX_BYTES: usize = 8 << 20;

/// Reads a definitions file.
///
/// # Errors
/// As [`read_as`].
pub fn read(text: &str, network_access: NetworkAccess) -> Result<DefinitionFile, Vec<Mistake>> {
    read_as(text, |value| DefinitionFile::validate(value, network_access))
}

/// Reads files of definitions as one: `monitors` are joined, each id once; `maintenance` and `agents` are concatenated; one
/// file may have `defaults`, which apply to all.
///
/// # Errors
/// As [`read_as`].
pub fn read_files(files: &[Source], network_access: NetworkAccess) -> Result<DefinitionFile, Vec<Mistake>> {
    read_files_as(files, |value| DefinitionFile::validate(value, network_access))
}

/// Reads files of definitions as one and validates them with `validate`.
///
/// # Errors
/// As [`read_as`].
pub fn read_files_as<T>(
    files: &[Source],
    validate: impl FnOnce(&Value) -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Mistake>> {
    validated(Tree::join(files), validate)
}

/// Reads YAML and validates it with `validate`.
///
/// # Errors
/// All mistakes in the order of their lines. After a syntax error, which is then the last mistake, the rest of the file is
/// not read.
pub fn read_as<T>(
    text: &str,
    validate: impl FnOnce(&Value) -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Mistake>> {
    validated(Tree::parse(text, AmbiguousScalars::Refused, 0), validate)
}

fn validated<T>(
    tree: Tree,
    validate: impl FnOnce(&Value) -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Mistake>> {
    let Tree {
        root,
        mut mistakes,
        complete,
    } = tree;
    // Diagnostics of an incomplete file would be misleading.
    let file = complete.then(|| validate(&root.value()));
    match file {
        Some(Ok(file)) if mistakes.is_empty() => return Ok(file),
        Some(Err(diagnostics)) => {
            // A mistake in the YAML of a value explains the diagnostics of this value.
            let known: BTreeSet<_> = mistakes
                .iter()
                .map(|mistake| mistake.diagnostic.at.clone())
                .collect();
            let new = diagnostics
                .into_iter()
                .filter(|diagnostic| !known.contains(&diagnostic.at));
            mistakes.extend(new.map(|diagnostic| root.mistake(diagnostic)));
        }
        Some(Ok(_)) | None => {}
    }
    mistakes.sort();
    mistakes.dedup();
    Err(mistakes)
}

/// Reads YAML of another program. Ambiguous scalars are strings; a scalar with a tag such as `!!binary` is a map of the tag
/// to the text.
///
/// # Errors
/// All mistakes in the YAML.
pub fn read_value(text: &str) -> Result<Value, Vec<Mistake>> {
    let tree = Tree::parse(text, AmbiguousScalars::Text, 0);
    if tree.mistakes.is_empty() {
        return Ok(tree.root.value());
    }
    Err(tree.mistakes)
}
