//! Collects the notes about a module of the blackbox exporter.

use crate::note::{Note, NoteKind};
use crate::source_fields::{SourceFields, UnusedKey};

/// The notes about a module.
pub(super) struct Account<'a> {
    pub(super) item: String,
    pub(super) notes: &'a mut Vec<Note>,
}

impl Account<'_> {
    pub(super) fn note(&mut self, kind: NoteKind, field: &str, reason: &str) {
        self.notes.push(Note::new(kind, &self.item, field, reason));
    }

    pub(super) fn unused(&mut self, options: SourceFields, prefix: &str, known: &[UnusedKey]) {
        options.note_unused(&self.item, prefix, known, self.notes);
    }
}
