//! Converts maintenance of Uptime Kuma: single windows, and windows that repeat on days of the week.
//!
//! Source: <https://github.com/louislam/uptime-kuma/blob/master/server/model/maintenance.js>

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use portpulse_core::time::format_duration;
use serde_json::{Map, Value, json};

use crate::Extracted;
use crate::maintenance::{Window, WindowScope};
use crate::note::{Note, sanitize};
use crate::source_fields::{SourceFields, text_of};

/// In the order of cron: 0 and 7 are Sunday.
const DAYS: [&str; 8] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads the table `maintenance`, with the monitors of each window.
pub(super) fn read(
    windows: Vec<Map<String, Value>>,
    members: &[Map<String, Value>],
    server_zone: &str,
    read: &mut Extracted,
) {
    for window in windows {
        let id = window.get("id").and_then(text_of).unwrap_or_default();
        let text = |row: &Map<String, Value>, column: &str| row.get(column).and_then(text_of);
        let keys: Vec<String> = members
            .iter()
            .filter(|row| text(row, "maintenance_id").as_ref() == Some(&id))
            .filter_map(|row| text(row, "monitor_id"))
            .collect();
        let Some(mut fields) = SourceFields::from_value(Value::Object(window)) else {
            continue;
        };
        let title = fields
            .text("title")
            .unwrap_or_else(|| format!("maintenance {id}"));
        if fields.switch("active") == Some(false) {
            let reason = "The window is not active.";
            read.notes.push(Note::not_needed(&title, "maintenance", reason));
            continue;
        }
        match times(&mut fields, server_zone) {
            Ok((mut when, ends)) => {
                if ends {
                    let reason = "A repeated window has no last day: remove the window after it.";
                    read.notes
                        .push(Note::changed(&title, "maintenance: end_date", reason));
                }
                when.insert("why".to_owned(), json!(reason_of(&title)));
                read.maintenance.push(Window {
                    item: title,
                    field: "maintenance".to_owned(),
                    window_scope: WindowScope::Keys(keys),
                    when,
                });
            }
            Err(reason) => read.notes.push(Note::lost(&title, "maintenance", reason)),
        }
    }
}

/// A title that fits into a window.
fn reason_of(title: &str) -> String {
    const MAX: usize = 200;
    let mut reason = sanitize(title);
    while reason.len() > MAX {
        reason.pop();
    }
    reason
}

/// The times of a window, and whether a repeated window ends.
fn times(fields: &mut SourceFields, server_zone: &str) -> Result<(Map<String, Value>, bool), &'static str> {
    let zone = fields.text("timezone");
    let zone = zone.filter(|zone| zone != "SAME_AS_SERVER");
    let zone = zone.unwrap_or_else(|| server_zone.to_owned());
    let strategy = fields.text("strategy").unwrap_or_default();
    if strategy == "single" {
        let zone = TimeZone::get(&zone).map_err(|_| "The time zone of the window is not known.")?;
        let mut time = |column: &str| -> Option<Value> {
            let text = fields.text(column)?;
            let text = text.trim_end_matches('Z').replace('T', " ");
            let time: DateTime = text.parse().ok()?;
            let time = time.to_zoned(zone.clone()).ok()?;
            Some(json!(time.timestamp().to_string()))
        };
        let (from, until) = (time("start_date"), time("end_date"));
        let (Some(from), Some(until)) = (from, until) else {
            return Err("A single window requires a start and an end.");
        };
        return Ok((
            Map::from_iter([("from".to_owned(), from), ("until".to_owned(), until)]),
            false,
        ));
    }
    let (days, at) = match strategy.as_str() {
        "manual" => return Err("The window has no end: start a silence with `portpulse silence` instead."),
        "recurring-interval" => {
            let days = fields.number("interval_day").unwrap_or(1.0);
            if days > 1.0 {
                return Err("A window repeats daily or on days of the week, not every few days.");
            }
            ("daily".to_owned(), start_time(fields)?)
        }
        "recurring-weekday" => {
            let days = fields.text("weekdays").unwrap_or_default();
            let days: Vec<usize> = serde_json::from_str(&days).unwrap_or_default();
            let names: Option<Vec<&str>> = days.iter().map(|day| DAYS.get(*day).copied()).collect();
            let names = names.filter(|names| !names.is_empty());
            let names = names.ok_or("The days of the week of the window are not known.")?;
            (names.join(","), start_time(fields)?)
        }
        "cron" => {
            let cron = fields.text("cron").unwrap_or_default();
            from_cron(&cron).ok_or("Of cron expressions, only a time on days of the week is supported.")?
        }
        "recurring-day-of-month" => {
            return Err("A window repeats daily or on days of the week, not on days of the month.");
        }
        _ => return Err("The strategy of the window is not known."),
    };
    let length = fields.number("duration").filter(|seconds| *seconds > 0.0);
    let length = length.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let length = length.ok_or("The duration of the window is missing.")?;
    let mut when = Map::from_iter([
        ("every".to_owned(), json!(format!("{days} {at}"))),
        ("for".to_owned(), json!(format_duration(length))),
    ]);
    if zone != "UTC" {
        when.insert("zone".to_owned(), json!(zone));
    }
    Ok((when, fields.text("end_date").is_some()))
}

fn start_time(fields: &mut SourceFields) -> Result<String, &'static str> {
    let time = fields.text("start_time").unwrap_or_default();
    let mut parts = time.split(':');
    let (hour, minute) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (hour, minute) = (hour.parse::<u8>(), minute.parse::<u8>());
    match (hour, minute) {
        (Ok(hour), Ok(minute)) => Ok(format!("{hour:02}:{minute:02}")),
        _ => Err("The start time of the window is not known."),
    }
}

/// `minute hour * * days` as days and a time.
fn from_cron(cron: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, "*", "*", days] = parts.as_slice() else {
        return None;
    };
    let (minute, hour): (u8, u8) = (minute.parse().ok()?, hour.parse().ok()?);
    let at = format!("{hour:02}:{minute:02}");
    if *days == "*" {
        return Some(("daily".to_owned(), at));
    }
    let day = |day: &str| -> Option<&str> {
        let lower = day.to_ascii_lowercase();
        match day.parse::<usize>() {
            Ok(number) => DAYS.get(number).copied(),
            Err(_) => DAYS.iter().find(|known| **known == lower).copied(),
        }
    };
    let days: Option<Vec<&str>> = days.split(',').map(day).collect();
    Some((days?.join(","), at))
}

#[cfg(test)]
mod tests {
    use super::from_cron;

    #[test]
    fn simple_cron_expressions_become_days_and_a_time() {
        for (cron, expected) in [
            ("30 3 * * *", Some(("daily", "03:30"))),
            ("0 22 * * 1,Wed,7", Some(("mon,wed,sun", "22:00"))),
            ("*/5 * * * *", None),
            ("0 0 1 * *", None),
            ("0 22 * * 1-5", None),
        ] {
            let expected = expected.map(|(days, at)| (days.to_owned(), at.to_owned()));
            assert_eq!(from_cron(cron), expected, "{cron}");
        }
    }
}
