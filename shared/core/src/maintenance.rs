//! Maintenance windows: when a monitor's notifications are held back, once or again and again.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::definition::{Fault, FieldPath};
use crate::time::{parse_duration, parse_time};

/// The longest a recurring window may last.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// A time in which what happens to a monitor is expected: its notifications wait, its checks go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Window(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
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
    /// Whether `now` lies inside; the start belongs to the window, the end does not.
    ///
    /// A recurring window starts at its local time in its zone. Where that time does not exist (clocks go
    /// forward) it starts as much later; where it comes twice (clocks go back), at the first. It lasts its
    /// length in real hours.
    pub fn covers(&self, now: Timestamp) -> bool {
        match &self.0 {
            Kind::Once { from, until } => *from <= now && now < *until,
            Kind::Recurring {
                days,
                at,
                length,
                zone,
            } => {
                let today = now.to_zoned(zone.clone()).date();
                let length = SignedDuration::try_from(*length).unwrap_or(SignedDuration::ZERO);
                // A window that began up to a week ago may still last; one that begins "tomorrow" cannot cover now.
                (0..=8i64).any(|back| {
                    let Ok(day) = today.checked_sub(Span::new().days(back)) else {
                        return false;
                    };
                    let started = day
                        .to_datetime(*at)
                        .to_zoned(zone.clone())
                        .map(|start| start.timestamp());
                    let Ok(start) = started else { return false };
                    days.contains(&day.weekday()) && start <= now && now.duration_since(start) < length
                })
            }
        }
    }
}

/// A window as written: either `from` and `until`, or `every`, `for` and `zone`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawWindow {
    pub(crate) monitors: Vec<String>,
    pub(crate) tags: Vec<String>,
    from: Option<String>,
    until: Option<String>,
    every: Option<String>,
    #[serde(rename = "for")]
    length: Option<String>,
    zone: Option<String>,
    why: Option<String>,
}

impl RawWindow {
    pub(crate) fn read(value: &Value, at: &FieldPath) -> Result<Self, Fault> {
        serde_json::from_value(value.clone()).map_err(|error| {
            Fault::new(
                at.clone(),
                format!("is not a maintenance window: {error}"),
                "write `from` and `until`, or `every` and `for`; `monitors` and `tags` are lists",
            )
        })
    }

    pub(crate) fn validate(&self, at: &FieldPath) -> Result<Window, Vec<Fault>> {
        let mut faults = Vec::new();
        let time = |field: &str, text: &str, faults: &mut Vec<Fault>| match parse_time(text) {
            Ok(time) => Some(time),
            Err(error) => {
                faults.push(Fault::new(
                    at.field(field),
                    error.to_string(),
                    "write it as 2026-11-22T02:00:00Z",
                ));
                None
            }
        };
        let window = match (&self.from, &self.until, &self.every, &self.length) {
            (Some(from), Some(until), None, None) => {
                let from = time("from", from, &mut faults);
                let until = time("until", until, &mut faults);
                match (from, until) {
                    (Some(from), Some(until)) if from < until => Some(Kind::Once { from, until }),
                    (Some(_), Some(_)) => {
                        faults.push(Fault::new(
                            at.field("until"),
                            "does not lie after `from`",
                            "swap them or correct one",
                        ));
                        None
                    }
                    _ => None,
                }
            }
            (None, None, Some(every), Some(length)) => self.recurring(every, length, at, &mut faults),
            _ => {
                faults.push(Fault::new(
                    at.clone(),
                    "is neither a single nor a recurring window",
                    "write `from` and `until`, or `every` (such as `sun 02:00`) and `for` (such as `2h`)",
                ));
                None
            }
        };
        match window {
            Some(kind) if faults.is_empty() => Ok(Window(kind)),
            _ => Err(faults),
        }
    }

    fn recurring(&self, every: &str, length: &str, at: &FieldPath, faults: &mut Vec<Fault>) -> Option<Kind> {
        let start = parse_every(every);
        if start.is_none() {
            faults.push(Fault::new(
                at.field("every"),
                format!("`{every}` is not a weekly or daily time"),
                "write `daily 02:00`, `sun 02:00` or `mon,wed 22:30`",
            ));
        }
        let length = match parse_duration(length) {
            Ok(length) if length > Duration::ZERO && length <= LONGEST => Some(length),
            Ok(_) => {
                faults.push(Fault::new(
                    at.field("for"),
                    "is zero or longer than 7 days",
                    "write a length such as 2h",
                ));
                None
            }
            Err(error) => {
                faults.push(Fault::new(
                    at.field("for"),
                    error.to_string(),
                    "write a length such as 2h",
                ));
                None
            }
        };
        let zone = match TimeZone::get(self.zone.as_deref().unwrap_or("UTC")) {
            Ok(zone) => Some(zone),
            Err(error) => {
                let mend = "write a name of the IANA time zone database, such as Europe/Berlin";
                faults.push(Fault::new(at.field("zone"), error.to_string(), mend));
                None
            }
        };
        let (days, at) = start?;
        Some(Kind::Recurring {
            days,
            at,
            length: length?,
            zone: zone?,
        })
    }
}

/// Reads `daily 02:00` or `mon,wed 22:30`.
fn parse_every(text: &str) -> Option<(Vec<Weekday>, Time)> {
    let (days, at) = text.split_once(' ')?;
    let (hour, minute) = at.trim().split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
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
    if days == "daily" {
        return Some((week.iter().map(|(_, day)| *day).collect(), at));
    }
    let day_of = |word: &str| week.iter().find(|(name, _)| *name == word).map(|(_, day)| *day);
    let days: Option<Vec<_>> = days.split(',').map(day_of).collect();
    Some((days?, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn window(value: Value) -> Result<Window, Vec<Fault>> {
        let at = FieldPath::root();
        RawWindow::read(&value, &at)
            .map_err(|fault| vec![fault])?
            .validate(&at)
    }

    /// Whether the window covers each of the times, as a string of `x` and `.`.
    fn covered(value: Value, times: &[&str]) -> String {
        let window = window(value).unwrap();
        times
            .iter()
            .map(|time| {
                if window.covers(time.parse().unwrap()) {
                    'x'
                } else {
                    '.'
                }
            })
            .collect()
    }

    #[test]
    fn a_single_window_has_a_start_and_an_end() {
        let value = json!({ "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T04:00:00Z" });
        let times = [
            "2026-11-22T01:59:59Z",
            "2026-11-22T02:00:00Z",
            "2026-11-22T03:59:59Z",
            "2026-11-22T04:00:00Z",
        ];
        assert_eq!(covered(value, &times), ".xx.");
    }

    #[test]
    fn a_weekly_window_comes_on_its_day_and_may_pass_midnight() {
        let value = json!({ "every": "sat 23:00", "for": "3h" });
        // 2026-11-21 is a Saturday.
        let times = [
            "2026-11-21T22:59:59Z",
            "2026-11-21T23:00:00Z",
            "2026-11-22T01:59:59Z",
            "2026-11-22T02:00:00Z",
            "2026-11-22T23:30:00Z",
        ];
        assert_eq!(covered(value, &times), ".xx..");
    }

    #[test]
    fn local_time_is_kept_over_the_change_of_clocks() {
        let value = || json!({ "every": "daily 09:00", "for": "1h", "zone": "Europe/Berlin" });
        assert_eq!(
            covered(value(), &["2026-07-01T07:00:00Z", "2026-07-01T08:00:00Z"]),
            "x."
        );
        assert_eq!(
            covered(value(), &["2026-12-01T07:30:00Z", "2026-12-01T08:30:00Z"]),
            ".x"
        );
    }

    #[test]
    fn a_start_that_does_not_exist_moves_forward_and_a_doubled_one_is_the_first() {
        let value = || json!({ "every": "sun 02:30", "for": "1h", "zone": "Europe/Berlin" });
        // 2026-03-29: 02:00 becomes 03:00. 02:30 is taken as 03:30 summer time, 01:30 UTC.
        assert_eq!(
            covered(
                value(),
                &[
                    "2026-03-29T01:29:59Z",
                    "2026-03-29T01:30:00Z",
                    "2026-03-29T02:29:59Z",
                    "2026-03-29T02:30:00Z"
                ]
            ),
            ".xx."
        );
        // 2026-10-25: 02:30 comes twice; the first is summer time, 00:30 UTC.
        assert_eq!(
            covered(
                value(),
                &[
                    "2026-10-25T00:29:59Z",
                    "2026-10-25T00:30:00Z",
                    "2026-10-25T01:29:59Z",
                    "2026-10-25T01:30:00Z"
                ]
            ),
            ".xx."
        );
    }

    #[test]
    fn mistakes_are_named_all_at_once() {
        for (value, count) in [
            (json!({}), 1),
            (json!({ "from": "x", "until": "y" }), 2),
            (
                json!({ "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T02:00:00Z" }),
                1,
            ),
            (
                json!({ "every": "someday 02:00", "for": "8d", "zone": "Mars/Base" }),
                3,
            ),
            (json!({ "every": "sun 2:00", "for": "1h" }), 1),
            (json!({ "every": "sun 02:00", "for": "1h", "colour": "red" }), 1),
            (json!("always"), 1),
        ] {
            assert_eq!(window(value.clone()).unwrap_err().len(), count, "{value}");
        }
    }
}
