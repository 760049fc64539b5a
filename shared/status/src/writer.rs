//! Stores what signed-in readers ask for.

use jiff::Timestamp;
use portpulse_core::control::{Acknowledgement, Control};
use portpulse_core::group_state::IncidentId;
use portpulse_core::id::MonitorId;
use portpulse_store::store::Written;
use portpulse_store::table::Table;
use portpulse_store::{Error, Store};

use crate::action::Action;

/// The maximum attempts of a change that conflicts with other writers.
const MAX_ATTEMPTS: u32 = 5;

/// Stores what signed-in readers ask for.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type determines whether its futures are Send"
)]
pub trait PageWriter {
    /// The error of a failed write.
    type Error;

    /// Stores an action for a monitor, whose open incidents are `open`. Returns whether it was stored: false if other writers
    /// changed the monitor's silence or acknowledgement during each attempt, or the incident has a note of the same time.
    ///
    /// # Errors
    /// If the table cannot be read or written.
    async fn perform(
        &self,
        monitor: &MonitorId,
        open: &[IncidentId],
        action: &Action,
        now: Timestamp,
    ) -> Result<bool, Self::Error>;
}

impl<T: Table> PageWriter for Store<T> {
    type Error = Error;

    async fn perform(
        &self,
        monitor: &MonitorId,
        open: &[IncidentId],
        action: &Action,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let next = |control: &Control| match action {
            Action::Acknowledge(note) => Some(control.acknowledged(Acknowledgement {
                incidents: open.iter().map(ToString::to_string).collect(),
                note: note.clone(),
            })),
            Action::Silence(silence) => Some(control.silenced(silence.clone())),
            Action::AddNote(_) => None,
        };
        if let Action::AddNote(note) = action {
            return self.put_operator_note(note).await;
        }
        for _ in 0..MAX_ATTEMPTS {
            let Some(next) = next(&self.control(monitor).await?) else {
                return Ok(true);
            };
            match self.put_control(monitor, &next, now).await? {
                Written::Done => return Ok(true),
                Written::Conflict => {}
            }
        }
        Ok(false)
    }
}
