//! One mistake in a file: the line, and what the core says of the value there.

use portpulse_core::definition::Fault;

/// One mistake in a file, shown as `line 12: monitors.orders-db.timeout: what (mend)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Mistake {
    /// The line, from 1, on which the value or its nearest written parent stands.
    pub line: usize,
    /// What is wrong there, and the mend.
    pub fault: Fault,
}

impl Mistake {
    pub(crate) fn new(line: usize, fault: Fault) -> Self {
        Self { line, fault }
    }
}
