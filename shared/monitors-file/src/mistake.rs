//! One mistake in a file: a diagnostic with its line.

use portpulse_core::definition::Diagnostic;

/// One mistake in a file, shown as `line 12: monitors.orders-db.timeout: what (help)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}: {diagnostic}")]
pub struct Mistake {
    /// The index of the file, from 0.
    pub file: usize,
    /// The line of the value or of its nearest parent in the file, from 1.
    pub line: usize,
    /// The diagnostic.
    pub diagnostic: Diagnostic,
}

impl Mistake {
    pub(crate) fn new(line: usize, diagnostic: Diagnostic) -> Self {
        let file = 0;
        Self {
            file,
            line,
            diagnostic,
        }
    }
}
