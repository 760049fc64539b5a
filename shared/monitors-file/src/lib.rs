//! Reads the file of monitor definitions: YAML into monitors, or every mistake with its line. Other files of settings
//! are read the same way, by rules of their own.
//!
//! The rules of definitions are the core's; this crate adds what belongs to the file as text. Scalars follow
//! the core schema of YAML 1.2 (<https://yaml.org/spec/1.2.2/#103-core-schema>). Where readers of YAML differ, as
//! Terraform's `yamldecode` does over `yes` and `2026-11-22`, the text is refused, so that all see the same monitors.

mod build;
mod mistake;
mod open;
mod scalar;
mod tree;

use std::collections::BTreeSet;

use portpulse_core::definition::{DefinitionFile, Diagnostic, NetworkAccess};
use serde_json::Value;

use build::Doubtful;
use tree::Tree;

pub use mistake::Mistake;

/// The most bytes of a file: room for 10,000 monitors that use every field.
pub const MAX_BYTES: usize = 8 << 20;

/// Reads a whole file.
///
/// # Errors
/// As [`read_as`].
pub fn read(text: &str, network_access: NetworkAccess) -> Result<DefinitionFile, Vec<Mistake>> {
    read_as(text, |written| DefinitionFile::validate(written, network_access))
}

/// Reads YAML whose rules are those of `validate`.
///
/// # Errors
/// Every mistake of the file, in the order of their lines. Text that is not YAML is read as far as it goes:
/// that mistake is then the last, and what it hides is not reported.
pub fn read_as<T>(
    text: &str,
    validate: impl FnOnce(&Value) -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Mistake>> {
    let Tree {
        root,
        mut mistakes,
        complete,
    } = Tree::parse(text, Doubtful::Refused);
    // What follows from a file that was read by half would only mislead.
    let file = complete.then(|| validate(&root.value()));
    match file {
        Some(Ok(file)) if mistakes.is_empty() => return Ok(file),
        Some(Err(diagnostics)) => {
            // What is wrong with the text of a value explains what is wrong with the value.
            let notified: BTreeSet<_> = mistakes
                .iter()
                .map(|mistake| mistake.diagnostic.at.clone())
                .collect();
            let new = diagnostics
                .into_iter()
                .filter(|diagnostic| !notified.contains(&diagnostic.at));
            mistakes.extend(new.map(|diagnostic| root.mistake(diagnostic)));
        }
        Some(Ok(_)) | None => {}
    }
    mistakes.sort();
    mistakes.dedup();
    Err(mistakes)
}

/// Reads YAML that is no definitions file, such as another program's. What readers of YAML take for different things is
/// text here: its own program knows better.
///
/// # Errors
/// What is wrong with it as YAML.
pub fn read_value(text: &str) -> Result<Value, Vec<Mistake>> {
    let tree = Tree::parse(text, Doubtful::Text);
    if tree.mistakes.is_empty() {
        return Ok(tree.root.value());
    }
    Err(tree.mistakes)
}
