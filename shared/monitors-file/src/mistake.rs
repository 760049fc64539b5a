//! One mistake in a file: the line, and what the core says of the value there.

use portpulse_core::definition::Diagnostic;

/// One mistake in a file, shown as `line 12: monitors.orders-db.timeout: what (help)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}: {diagnostic}")]
pub struct Mistake {
    /// The line, from 1, on which the value or its nearest written parent stands.
    pub line: usize,
    /// What is wrong there, and the mend.
    pub diagnostic: Diagnostic,
}

impl Mistake {
    pub(crate) fn new(line: usize, diagnostic: Diagnostic) -> Self {
        Self { line, diagnostic }
    }
}
