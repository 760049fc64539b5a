//! Maintenance windows: single or recurring periods in which a monitor's notifications are suppressed.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use serde_json::{Map, Value};

use crate::definition::diagnostic::{Diagnostic, FieldPath, kind_of};
use crate::definition::subfields::{MAX_WINDOW_LENGTH, MAX_WINDOW_TEXT, WINDOW};
use crate::definition::{Help, nearest};
use crate::text::{one_line, quoted};
use crate::time::{parse_duration, parse_time};

/// A maintenance window. Notifications are suppressed during the window; checks continue.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    schedule: Schedule,
    why: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Schedule {
    Once {
        from: Timestamp,
        until: Timestamp,
    },
    Recurring {
        days: Vec<Weekday>,
        at: Time,
        length: Duration,
        zone: TimeZone,
    },
}

impl Window {
    /// Whether the window covers `now`. The start is inclusive, the end exclusive.
    ///
    /// A recurring window starts at its local time in its zone. If that time does not exist (clocks go forward), the
    /// window starts later by the length of the gap; if it occurs twice (clocks go back), at the first. The length
    /// counts elapsed time.
    pub fn covers(&self, now: Timestamp) -> bool {
        self.next(now).is_some_and(|(from, _)| from <= now)
    }

    /// The reason for the window.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// The start and the end of the current or next window; `None` after the last one. If windows overlap, the one that
    /// started first.
    pub fn next(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        match &self.schedule {
            Schedule::Once { from, until } => (now < *until).then_some((*from, *until)),
            Schedule::Recurring {
                days,
                at,
                length,
                zone,
            } => {
                let today = now.to_zoned(zone.clone()).date();
                let length = SignedDuration::try_from(*length).unwrap_or(SignedDuration::ZERO);
                // A window that started up to a week ago may still cover `now`; the next one starts within a week.
                let near = (-8..=8i64).filter_map(|ahead| today.checked_add(Span::new().days(ahead)).ok());
                let starts = near
                    .filter(|day| days.contains(&day.weekday()))
                    .filter_map(|day| {
                        let start = day.to_datetime(*at).to_zoned(zone.clone()).ok()?;
                        Some(start.timestamp())
                    });
                starts
                    .map(|from| (from, from.saturating_add(length).unwrap_or(Timestamp::MAX)))
                    .find(|(_, until)| now < *until)
            }
        }
    }
}

impl Window {
    /// The starts and ends of the windows that overlap the time between `from` and `to`, earliest first, as the schedule
    /// is now.
    pub fn within(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let all: Vec<_> = match &self.schedule {
            Schedule::Once { from, until } => vec![(*from, *until)],
            Schedule::Recurring {
                days,
                at,
                length,
                zone,
            } => {
                let date = |time: Timestamp| time.to_zoned(zone.clone()).date();
                let length = SignedDuration::try_from(*length).unwrap_or(SignedDuration::ZERO);
                // A window that started up to a week before may still last.
                let first = date(from).saturating_sub(Span::new().days(8));
                let dates = first
                    .series(Span::new().days(1))
                    .take_while(|day| *day <= date(to));
                let starts = dates
                    .filter(|day| days.contains(&day.weekday()))
                    .filter_map(|day| Some(day.to_datetime(*at).to_zoned(zone.clone()).ok()?.timestamp()));
                starts
                    .map(|from| (from, from.saturating_add(length).unwrap_or(Timestamp::MAX)))
                    .collect()
            }
        };
        let overlaps = |(start, end): &(Timestamp, Timestamp)| *start < to && from < *end;
        all.into_iter().filter(overlaps).collect()
    }
}

/// A window of the definitions file, with the monitors that it covers.
#[derive(Debug, Clone)]
pub(crate) struct RawWindow {
    /// The monitor ids, as written.
    pub(crate) monitors: Vec<String>,
    /// The tags, as written.
    pub(crate) tags: Vec<String>,
    /// The period.
    pub(crate) window: Window,
}

impl RawWindow {
    /// Reads a window: either `from` and `until`, or `every`, `for` and `zone`.
    pub(crate) fn read(value: &Value, at: &FieldPath) -> Result<Self, Vec<Diagnostic>> {
        let Value::Object(fields) = value else {
            let help = "write `{ from: …, until: … }` or `{ every: sun 02:00, for: 2h }`";
            return Err(vec![Diagnostic::new(
                at.clone(),
                "is not a maintenance window",
                help,
            )]);
        };
        let mut reader = WindowReader {
            at,
            fields,
            diagnostics: Vec::new(),
        };
        reader.unknown_fields();
        let (monitors, tags) = (reader.texts("monitors"), reader.texts("tags"));
        let why = reader.text("why");
        match reader.schedule() {
            Some(schedule) if reader.diagnostics.is_empty() => Ok(Self {
                monitors,
                tags,
                window: Window {
                    schedule,
                    why: why.map(one_line).filter(|why| !why.is_empty()),
                },
            }),
            _ => Err(reader.diagnostics),
        }
    }
}

/// Reads the fields of a window and collects diagnostics.
struct WindowReader<'a> {
    at: &'a FieldPath,
    fields: &'a Map<String, Value>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> WindowReader<'a> {
    fn diagnostic(&mut self, field: &str, what: impl Into<String>, help: impl Into<Help>) {
        self.diagnostics
            .push(Diagnostic::new(self.at.field(field), what, help));
    }

    fn unknown_fields(&mut self) {
        let known: Vec<_> = WINDOW.iter().map(|field| field.name).collect();
        for name in self.fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let help = match nearest(name, known.iter().copied()) {
                Some(field) => format!("did you mean `{field}`?"),
                None => format!("known fields: {}", known.join(", ")),
            };
            self.diagnostic(name, "unknown field", help);
        }
    }

    /// The text of a field; `None` if absent or, with a diagnostic, of another type.
    fn text(&mut self, field: &str) -> Option<&'a str> {
        let value = self.fields.get(field)?;
        let text = value.as_str();
        match text {
            None => self.diagnostic(field, format!("is {}", kind_of(value)), "write a string"),
            Some(text) if text.len() > MAX_WINDOW_TEXT => {
                self.diagnostic(
                    field,
                    "is too long",
                    format!("use at most {MAX_WINDOW_TEXT} bytes"),
                );
            }
            Some(_) => {}
        }
        text
    }

    fn texts(&mut self, field: &str) -> Vec<String> {
        let Some(value) = self.fields.get(field) else {
            return Vec::new();
        };
        let texts: Option<Vec<_>> = value
            .as_array()
            .filter(|values| !values.is_empty())
            .and_then(|values| {
                values
                    .iter()
                    .map(|value| value.as_str().map(str::to_owned))
                    .collect()
            });
        if texts.is_none() {
            self.diagnostic(
                field,
                "is not a list of names",
                "write a list such as [one, two], or remove the field to cover every monitor",
            );
        }
        texts.unwrap_or_default()
    }

    fn schedule(&mut self) -> Option<Schedule> {
        let has = |field: &str| self.fields.contains_key(field);
        let single = (has("from"), has("until"));
        let recurring = (has("every"), has("for"));
        match (single, recurring) {
            ((true, true), (false, false)) => self.once(),
            ((false, false), (true, true)) => self.recurring(),
            _ => {
                self.diagnostics.push(Diagnostic::new(
                    self.at.clone(),
                    "is neither a single nor a recurring window",
                    "write `from` and `until`, or `every` (such as `sun 02:00`) and `for` (such as `2h`)",
                ));
                None
            }
        }
    }

    fn once(&mut self) -> Option<Schedule> {
        if self.fields.contains_key("zone") {
            let help = "remove `zone`: `from` and `until` contain their offset from UTC";
            self.diagnostic("zone", "is only supported with `every`", help);
        }
        let (from, until) = (self.time("from"), self.time("until"));
        let (from, until) = (from?, until?);
        if from >= until {
            self.diagnostic("until", "is not after `from`", "swap the two, or correct one");
            return None;
        }
        Some(Schedule::Once { from, until })
    }

    fn time(&mut self, field: &str) -> Option<Timestamp> {
        let text = self.text(field)?;
        let time = parse_time(text).ok().filter(|_| is_rfc_3339(text));
        if time.is_none() {
            let what = format!("`{}` is not an RFC 3339 time", quoted(text));
            self.diagnostic(field, what, "write a time such as 2026-11-22T02:00:00Z");
        }
        time
    }

    fn recurring(&mut self) -> Option<Schedule> {
        let every = self.text("every").and_then(|text| {
            let every = parse_every(text);
            if every.is_none() {
                let what = format!("`{}` is not a weekly or daily time", quoted(text));
                self.diagnostic(
                    "every",
                    what,
                    "write `daily 02:00`, `sun 02:00` or `mon,wed 22:30`",
                );
            }
            every
        });
        let length = self.length();
        let zone = match self.fields.get("zone") {
            None => Some(TimeZone::UTC),
            Some(_) => self.zone(),
        };
        let (days, at) = every?;
        Some(Schedule::Recurring {
            days,
            at,
            length: length?,
            zone: zone?,
        })
    }

    fn length(&mut self) -> Option<Duration> {
        let text = self.text("for")?;
        match parse_duration(text) {
            Ok(length) if !length.is_zero() && length <= MAX_WINDOW_LENGTH => Some(length),
            Ok(_) => {
                self.diagnostic(
                    "for",
                    "is zero or longer than 7 days",
                    "write a length such as 2h",
                );
                None
            }
            Err(error) => {
                self.diagnostics
                    .push(Diagnostic::of(self.at.field("for"), error.into()));
                None
            }
        }
    }

    fn zone(&mut self) -> Option<TimeZone> {
        let name = self.text("zone")?;
        let zone = TimeZone::get(name).ok();
        if zone.is_none() {
            let what = format!("`{}` is not a time zone", quoted(name));
            let help = "write a name of the IANA time zone database, such as Europe/Berlin";
            self.diagnostic("zone", what, help);
        }
        zone
    }
}

/// Whether a text has the form of RFC 3339, section 5.6, with its date, time and offset in full.
fn is_rfc_3339(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_digit() {
                '0'
            } else {
                c.to_ascii_uppercase()
            }
        })
        .collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else {
        return false;
    };
    let offset = match rest.strip_prefix('.') {
        Some(fraction) if fraction.starts_with('0') => fraction.trim_start_matches('0'),
        Some(_) => return false,
        None => rest,
    };
    matches!(offset, "Z" | "+00:00" | "-00:00")
}

/// Parses `daily 02:00` or `mon,wed 22:30`.
fn parse_every(text: &str) -> Option<(Vec<Weekday>, Time)> {
    let (days, at) = text.rsplit_once(' ')?;
    let (hour, minute) = at.split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let at = Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
    let week = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    let days = days.to_ascii_lowercase();
    if days.trim() == "daily" {
        return Some((week.iter().map(|(_, day)| *day).collect(), at));
    }
    let day_of = |word: &str| week.iter().find(|(name, _)| *name == word).map(|(_, day)| *day);
    let days: Option<Vec<_>> = days.split(',').map(|day| day_of(day.trim())).collect();
    Some((days?, at))
}

#[cfg(test)]
mod tests;
