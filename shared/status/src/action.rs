//! What a signed-in reader can do from a monitor page: acknowledge, silence, and add notes.

use jiff::{SignedDuration, Timestamp};
use portpulse_core::control::{InvalidNote, InvalidSilence, Note, Silence};
use portpulse_core::definition::Visibility;
use portpulse_core::group_state::IncidentId;
use portpulse_core::id::MonitorId;
use portpulse_core::operator_note::OperatorNote;

use crate::request::Request;

/// A change that a form of a monitor page asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Acknowledges the open incidents of the monitor.
    Acknowledge(Note),
    /// Silences the monitor.
    Silence(Silence),
    /// Adds a note to an incident of the monitor.
    AddNote(OperatorNote),
}

/// Why a form is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidForm {
    /// The name, the reason or the note.
    #[error(transparent)]
    Text(#[from] InvalidNote),
    /// The end of the silence.
    #[error(transparent)]
    Silence(#[from] InvalidSilence),
    /// A missing or unknown value of a field that the page itself fills in.
    #[error("the field `{0}` is missing or invalid")]
    Field(&'static str),
}

/// The hours for which a monitor can be silenced.
pub(crate) const SILENCE_HOURS: [i64; 4] = [1, 2, 8, 24];

impl Action {
    /// Reads the form of a request for a monitor.
    pub(crate) fn read(monitor: &MonitorId, request: &Request, now: Timestamp) -> Result<Self, InvalidForm> {
        let text = |name: &'static str| request.form_value(name).unwrap_or_default();
        let (by, reason) = (text("by"), text("reason"));
        let reason = Some(reason.trim()).filter(|reason| !reason.is_empty());
        match &*text("action") {
            "acknowledge" => Ok(Self::Acknowledge(Note::new(&by, now, reason)?)),
            "silence" => {
                let hours = SILENCE_HOURS
                    .into_iter()
                    .find(|hours| text("hours") == hours.to_string())
                    .ok_or(InvalidForm::Field("hours"))?;
                let until = now.saturating_add(SignedDuration::from_hours(hours));
                let note = Note::new(&by, now, reason)?;
                Ok(Self::Silence(Silence::new(
                    until.unwrap_or(Timestamp::MAX),
                    note,
                )?))
            }
            "note" => {
                let incident = text("incident").parse::<IncidentId>().ok();
                let incident = incident.filter(|incident| incident.monitor == *monitor);
                let incident = incident.ok_or(InvalidForm::Field("incident"))?;
                let visibility = match &*text("public") {
                    "" => Visibility::Internal,
                    "yes" => Visibility::Public,
                    _ => return Err(InvalidForm::Field("public")),
                };
                Ok(Self::AddNote(OperatorNote::new(
                    incident,
                    &by,
                    now,
                    &text("text"),
                    visibility,
                )?))
            }
            _ => Err(InvalidForm::Field("action")),
        }
    }
}
