//! Reads and writes of operators' notes.

use std::collections::BTreeMap;

use portpulse_core::operator_note::OperatorNote;

use crate::codec;
use crate::error::Error;
use crate::keys;
use crate::store::{Store, sort_key, unreadable_at};
use crate::table::{Condition, Put, Read, Table};

/// Notes by the id of their incident, oldest first.
pub type NotesByIncident = BTreeMap<String, Vec<OperatorNote>>;

impl<T: Table> Store<T> {
    /// The notes of all incidents, and the errors of unreadable items.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn operator_notes(&self) -> Result<(NotesByIncident, Vec<Error>), Error> {
        let pk = keys::operator_notes();
        let (mut notes, mut unreadable) = (NotesByIncident::new(), Vec::new());
        for item in self.table.query(&pk, Read::Eventual).await? {
            match codec::operator_note::decode(&item) {
                Ok(note) => notes.entry(note.incident.to_string()).or_default().push(note),
                Err(source) => unreadable.push(unreadable_at(&pk, sort_key(&item), source)),
            }
        }
        Ok((notes, unreadable))
    }

    /// Adds a note. Returns whether it was stored: false if the incident has a note of the same time.
    ///
    /// # Errors
    /// If the outcome of the write is unknown.
    pub async fn put_operator_note(&self, note: &OperatorNote) -> Result<bool, Error> {
        let key = keys::operator_note(note);
        let item = codec::operator_note::encode(&key, note);
        Ok(matches!(self.put(key, item, Condition::Absent).await?, Put::Done))
    }
}
