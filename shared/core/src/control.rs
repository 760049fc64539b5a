//! Silences and acknowledgements of monitors.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::group_state::IncidentId;
use crate::text::is_plain;

/// The maximum length of a silence: a forgotten silence must end by itself.
pub const MAX_SILENCE: Duration = Duration::from_secs(30 * 86_400);
/// The maximum number of bytes of a reason or a name.
pub const MAX_TEXT_LENGTH: usize = 200;

/// The silence and the acknowledgement of a monitor. Writes require the expected revision, so that concurrent writers
/// do not overwrite each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Control {
    /// The number of writes; 0 if nothing is stored.
    pub revision: u64,
    /// The silence, which suppresses the monitor's notifications.
    pub silence: Option<Silence>,
    /// The acknowledgement, which suppresses reminders.
    pub acknowledgement: Option<Acknowledgement>,
}

/// Suppresses a monitor's notifications, except recoveries of notified incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// The end of the silence, exclusive.
    pub until: Timestamp,
    /// Author, time and reason.
    pub note: Note,
}

/// Suppresses the reminders of the listed incidents. Later incidents are notified as usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The ids of the incidents, in the text form of [`IncidentId`].
    pub incidents: BTreeSet<String>,
    /// Author, time and reason.
    pub note: Note,
}

/// Author, time and reason of a silence or an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    by: String,
    at: Timestamp,
    why: Option<String>,
}

/// An invalid name or reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNote {
    /// The text is empty.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// The text is longer than this number of bytes.
    #[error("the {0} is longer than {1} bytes")]
    TooLong(&'static str, usize),
    /// The text is not printable on one line.
    #[error("the {0} contains a line break or another unprintable character")]
    NotOnOneLine(&'static str),
}

/// An invalid end of a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSilence {
    /// The end is not in the future.
    #[error("the end {until} is not after the current time {now}")]
    Over {
        /// The requested end.
        until: Timestamp,
        /// The current time.
        now: Timestamp,
    },
    /// The silence is longer than [`MAX_SILENCE`].
    #[error("the silence would last longer than 30 days (to disable the monitor, set `enabled: false`)")]
    TooLong,
}

impl Control {
    /// Whether notifications are silenced at `now`.
    pub fn is_silenced(&self, now: Timestamp) -> bool {
        self.silence.as_ref().is_some_and(|silence| now < silence.until)
    }

    /// Whether the incident is acknowledged.
    pub fn has_acknowledged(&self, incident: &IncidentId) -> bool {
        self.acknowledgement
            .as_ref()
            .is_some_and(|ack| ack.incidents.contains(&incident.to_string()))
    }

    /// Sets the silence and replaces any other.
    #[must_use]
    pub fn silenced(&self, silence: Silence) -> Self {
        Self {
            silence: Some(silence),
            ..self.next()
        }
    }

    /// Removes the silence.
    #[must_use]
    pub fn unsilenced(&self) -> Self {
        Self {
            silence: None,
            ..self.next()
        }
    }

    /// Sets the acknowledgement and replaces any other.
    #[must_use]
    pub fn acknowledged(&self, acknowledgement: Acknowledgement) -> Self {
        Self {
            acknowledgement: Some(acknowledgement),
            ..self.next()
        }
    }

    fn next(&self) -> Self {
        Self {
            revision: self.revision + 1,
            ..self.clone()
        }
    }
}

impl Silence {
    /// Creates a silence from the time of `note` until `until`.
    ///
    /// # Errors
    /// When `until` is not after the time of `note`, or the silence is longer than [`MAX_SILENCE`].
    pub fn new(until: Timestamp, note: Note) -> Result<Self, InvalidSilence> {
        let now = note.at;
        let length = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        if length.is_zero() {
            Err(InvalidSilence::Over { until, now })
        } else if length > MAX_SILENCE {
            Err(InvalidSilence::TooLong)
        } else {
            Ok(Self { until, note })
        }
    }
}

impl Note {
    /// Creates a note by the author `by` at the time `at`.
    ///
    /// # Errors
    /// When the name or the reason is empty, longer than [`MAX_TEXT_LENGTH`], or not printable on one line.
    pub fn new(by: &str, at: Timestamp, why: Option<&str>) -> Result<Self, InvalidNote> {
        Ok(Self {
            by: valid_text("name", by, MAX_TEXT_LENGTH)?,
            at,
            why: why
                .map(|why| valid_text("reason", why, MAX_TEXT_LENGTH))
                .transpose()?,
        })
    }

    /// The author.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// The time.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The reason.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

/// Trims a text of at most `limit` bytes on one line.
pub(crate) fn valid_text(what: &'static str, text: &str, limit: usize) -> Result<String, InvalidNote> {
    let text = text.trim();
    if text.is_empty() {
        Err(InvalidNote::Empty(what))
    } else if text.len() > limit {
        Err(InvalidNote::TooLong(what, limit))
    } else if !text.chars().all(is_plain) {
        Err(InvalidNote::NotOnOneLine(what))
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn note() -> Note {
        Note::new("ann", time("2026-11-22T05:00:00Z"), Some("new switch")).unwrap()
    }

    #[test]
    fn silence_ends_in_the_future_within_30_days() {
        for (until, expected) in [
            ("2026-11-22T05:00:01Z", None),
            ("2026-12-22T05:00:00Z", None),
            (
                "2026-12-22T05:00:00.001Z",
                Some("the silence would last longer than 30 days"),
            ),
            (
                "2026-11-22T05:00:00Z",
                Some("the end 2026-11-22T05:00:00Z is not after the current time 2026-11-22T05:00:00Z"),
            ),
            (
                "2026-11-22T04:00:00Z",
                Some("the end 2026-11-22T04:00:00Z is not after the current time 2026-11-22T05:00:00Z"),
            ),
        ] {
            let error = Silence::new(time(until), note())
                .err()
                .map(|error| error.to_string());
            let begins = |text: &String| expected.is_some_and(|expected| text.starts_with(expected));
            assert_eq!(error.is_some(), expected.is_some(), "{until}");
            assert!(error.as_ref().is_none_or(begins), "{until}: {error:?}");
        }
    }

    #[test]
    fn silence_ends_at_its_end_time() {
        let silence = Silence::new(time("2026-11-22T07:00:00Z"), note()).unwrap();
        let control = Control::default().silenced(silence);
        assert!(control.is_silenced(time("2026-11-22T06:59:59Z")));
        assert!(!control.is_silenced(time("2026-11-22T07:00:00Z")));
    }

    #[test]
    fn silence_and_acknowledgement_do_not_erase_each_other() {
        let silence = Silence::new(time("2026-11-22T07:00:00Z"), note()).unwrap();
        let incidents = BTreeSet::from(["a@x.1".to_owned()]);
        let acknowledgement = Acknowledgement {
            incidents,
            note: note(),
        };
        let both = Control::default()
            .silenced(silence.clone())
            .acknowledged(acknowledgement.clone());
        assert_eq!(
            both,
            Control {
                revision: 2,
                silence: Some(silence),
                acknowledgement: Some(acknowledgement.clone()),
            }
        );
        assert_eq!(
            both.unsilenced(),
            Control {
                revision: 3,
                silence: None,
                acknowledgement: Some(acknowledgement),
            }
        );
    }

    #[test]
    fn note_rejects_empty_long_and_unprintable_text() {
        let at = time("2026-11-22T05:00:00Z");
        let long = "x".repeat(MAX_TEXT_LENGTH + 1);
        for (by, why, expected) in [
            ("ann", None, None),
            ("", None, Some(InvalidNote::Empty("name"))),
            ("ann", Some(" \t"), Some(InvalidNote::Empty("reason"))),
            (
                "ann",
                Some(long.as_str()),
                Some(InvalidNote::TooLong("reason", MAX_TEXT_LENGTH)),
            ),
            (
                "ann",
                Some("a\u{1b}[2J"),
                Some(InvalidNote::NotOnOneLine("reason")),
            ),
            ("a\nb", None, Some(InvalidNote::NotOnOneLine("name"))),
            ("a\u{202e}b", None, Some(InvalidNote::NotOnOneLine("name"))),
        ] {
            assert_eq!(Note::new(by, at, why).err(), expected, "{by:?} {why:?}");
        }
    }
}
