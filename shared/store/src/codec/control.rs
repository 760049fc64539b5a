//! The silence and the acknowledgement of a monitor.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::text::plain;

use super::attributes::{AttributeMap, AttributeReader};
use super::{begin, open};
use crate::error::Malformed;
use crate::keys::{EXPIRES_AT, Key};
use crate::table::{Item, REVISION};

/// Seconds until an ended control expires. Readers compare times themselves.
const ENDED_SECONDS: i64 = 86_400;
/// Seconds until an acknowledgement expires. Reminders of an incident that is still open then start again.
const ACKNOWLEDGED_SECONDS: i64 = 90 * 86_400;

pub(crate) fn encode(key: &Key, control: &Control, now: Timestamp) -> Item {
    let until = control.silence.as_ref().map(|silence| silence.until.as_second());
    let acknowledged = control
        .acknowledgement
        .as_ref()
        .map(|ack| ack.note.at().as_second());
    let latest = until
        .max(acknowledged.map(|at| at.saturating_add(ACKNOWLEDGED_SECONDS)))
        .max(Some(now.as_second()))
        .unwrap_or_default();
    let mut map = begin(key)
        .number(REVISION, control.revision)
        .number(EXPIRES_AT, latest.saturating_add(ENDED_SECONDS));
    if let Some(silence) = &control.silence {
        let fields = AttributeMap::default()
            .text("until", silence.until)
            .note(&silence.note);
        map = map.with("silence", fields.into_value());
    }
    if let Some(ack) = &control.acknowledgement {
        let incidents = ack.incidents.iter().map(|id| AttributeValue::S(id.clone()));
        let fields = AttributeMap::default()
            .list("incidents", incidents)
            .note(&ack.note);
        map = map.with("acknowledgement", fields.into_value());
    }
    map.into_item()
}

pub(crate) fn decode(item: &Item) -> Result<Control, Malformed> {
    let fields = open(item)?;
    let silence = fields.has("silence").then(|| {
        let fields = fields.map("silence")?;
        let (until, note) = (fields.time("until")?, fields.note()?);
        Ok(Silence { until, note })
    });
    let acknowledgement = fields.has("acknowledgement").then(|| {
        let fields = fields.map("acknowledgement")?;
        let incidents = fields.texts("incidents")?.into_iter().map(str::to_owned);
        let (incidents, note) = (incidents.collect::<BTreeSet<_>>(), fields.note()?);
        Ok(Acknowledgement { incidents, note })
    });
    Ok(Control {
        revision: fields.number(REVISION)?,
        silence: silence.transpose()?,
        acknowledgement: acknowledgement.transpose()?,
    })
}

impl AttributeMap {
    fn note(self, note: &Note) -> Self {
        self.text("by", note.by())
            .text("at", note.at())
            .optional_text("why", note.why())
    }
}

impl AttributeReader<'_> {
    fn note(&self) -> Result<Note, Malformed> {
        // Other tools may write controls: a silence is valid even if its texts contain control characters.
        let by = plain(self.str("by")?);
        let why = self.has("why").then(|| self.str("why").map(plain)).transpose()?;
        Note::new(&by, self.time("at")?, why.as_deref()).map_err(|error| self.invalid("by", error))
    }
}
