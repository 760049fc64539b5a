//! What people have said of a monitor: that it is to be silent for a while, that somebody is at work on its incident.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::group_state::IncidentId;
use crate::text::is_plain;

/// The longest that a silence may last: one that is forgotten must end by itself.
pub const MAX_SILENCE: Duration = Duration::from_secs(30 * 86_400);
/// The most bytes of a reason, and of a name.
pub const MAX_TEXT_LENGTH: usize = 200;

/// What people have said of a monitor; written on condition of its revision, so that nobody erases another's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Control {
    /// Counts the writes; 0 where nobody has said anything yet.
    pub revision: u64,
    /// Its notifications are held back.
    pub silence: Option<Silence>,
    /// Somebody is at work: no reminders.
    pub acknowledgement: Option<Acknowledgement>,
}

/// Holds back a monitor's notifications, recoveries of what was told excepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Until then; that moment is no longer part of it.
    pub until: Timestamp,
    /// Who asked for it.
    pub note: Note,
}

/// Stops the reminders of the incidents that it names; those that open later are told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The ids of the incidents, as [`IncidentId`] writes them.
    pub incidents: BTreeSet<String>,
    /// Who is at work.
    pub note: Note,
}

/// Who said something, when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    by: String,
    at: Timestamp,
    why: Option<String>,
}

/// Words that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBanners {
    /// Nothing is said.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// Too much is said.
    #[error("the {0} is longer than {MAX_TEXT_LENGTH} bytes")]
    TooLong(&'static str),
    /// It would not stay on its line.
    #[error("the {0} has a line break or another character that does not show")]
    NotOnOneLine(&'static str),
}

/// A silence that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSilence {
    /// It would be over before it began.
    #[error("it would end at {until}, and it is {now} already")]
    Over {
        /// When it would end.
        until: Timestamp,
        /// The time.
        now: Timestamp,
    },
    /// It could be forgotten.
    #[error("it would last longer than 30 days (for good, write `enabled: false` into the definition)")]
    TooLong,
}

impl Control {
    /// Whether notifications are held back at `now`.
    pub fn is_silenced(&self, now: Timestamp) -> bool {
        self.silence.as_ref().is_some_and(|silence| now < silence.until)
    }

    /// Whether somebody is at work on this incident.
    pub fn has_acknowledged(&self, incident: &IncidentId) -> bool {
        self.acknowledgement
            .as_ref()
            .is_some_and(|ack| ack.incidents.contains(&incident.to_string()))
    }

    /// What stands once this silence is in force, in place of any other.
    #[must_use]
    pub fn silenced(&self, silence: Silence) -> Self {
        Self {
            silence: Some(silence),
            ..self.next()
        }
    }

    /// What stands once nothing is silenced.
    #[must_use]
    pub fn unsilenced(&self) -> Self {
        Self {
            silence: None,
            ..self.next()
        }
    }

    /// What stands once somebody is at work on these incidents, in place of any others.
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
    /// A silence from the time of `note` until `until`.
    ///
    /// # Errors
    /// When it would be over already, or last longer than [`MAX_SILENCE`].
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
    /// What `by` said at `at`.
    ///
    /// # Errors
    /// When the name or the reason is empty, longer than [`MAX_TEXT_LENGTH`], or not on one line.
    pub fn new(by: &str, at: Timestamp, why: Option<&str>) -> Result<Self, InvalidBanners> {
        Ok(Self {
            by: words("name", by)?,
            at,
            why: why.map(|why| words("reason", why)).transpose()?,
        })
    }

    /// Who.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// When.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Why.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

fn words(what: &'static str, text: &str) -> Result<String, InvalidBanners> {
    let text = text.trim();
    if text.is_empty() {
        Err(InvalidBanners::Empty(what))
    } else if text.len() > MAX_TEXT_LENGTH {
        Err(InvalidBanners::TooLong(what))
    } else if !text.chars().all(is_plain) {
        Err(InvalidBanners::NotOnOneLine(what))
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
    fn a_silence_lies_ahead_and_ends_within_a_month() {
        for (until, expected) in [
            ("2026-11-22T05:00:01Z", None),
            ("2026-12-22T05:00:00Z", None),
            (
                "2026-12-22T05:00:00.001Z",
                Some("it would last longer than 30 days"),
            ),
            (
                "2026-11-22T05:00:00Z",
                Some("it would end at 2026-11-22T05:00:00Z, and it is"),
            ),
            (
                "2026-11-22T04:00:00Z",
                Some("it would end at 2026-11-22T04:00:00Z, and it is"),
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
    fn a_silence_holds_until_its_end() {
        let silence = Silence::new(time("2026-11-22T07:00:00Z"), note()).unwrap();
        let control = Control::default().silenced(silence);
        assert!(control.is_silenced(time("2026-11-22T06:59:59Z")));
        assert!(!control.is_silenced(time("2026-11-22T07:00:00Z")));
    }

    #[test]
    fn one_word_does_not_erase_the_other() {
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
    fn words_are_few_and_on_one_line() {
        let at = time("2026-11-22T05:00:00Z");
        let long = "x".repeat(MAX_TEXT_LENGTH + 1);
        for (by, why, expected) in [
            ("ann", None, None),
            ("", None, Some(InvalidBanners::Empty("name"))),
            ("ann", Some(" \t"), Some(InvalidBanners::Empty("reason"))),
            (
                "ann",
                Some(long.as_str()),
                Some(InvalidBanners::TooLong("reason")),
            ),
            (
                "ann",
                Some("a\u{1b}[2J"),
                Some(InvalidBanners::NotOnOneLine("reason")),
            ),
            ("a\nb", None, Some(InvalidBanners::NotOnOneLine("name"))),
            ("a\u{202e}b", None, Some(InvalidBanners::NotOnOneLine("name"))),
        ] {
            assert_eq!(Note::new(by, at, why).err(), expected, "{by:?} {why:?}");
        }
    }
}
