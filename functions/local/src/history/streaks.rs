//! What a location saw of a monitor, tick by tick, put together into streaks: pure, from results to lines.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::assess::{Assessment, Quality, assess_seen, quality};
use portpulse_core::definition::Monitor;
use portpulse_core::id::MonitorId;
use portpulse_core::observation::{Seen, milliseconds};
use portpulse_core::round::Observations;
use portpulse_core::time::{Interval, Tick};
use serde::Serialize;

use super::clock;
use crate::output::{GOOD, INVALID, UNSURE, counted, rounded_ms};
use crate::table::Cell;

/// Consecutive ticks that saw the same.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Streak {
    what: What,
    from: Tick,
    to: Tick,
    ticks: u64,
    /// The least and the greatest connect time, where there is one.
    connect: Option<(Duration, Duration)>,
}

/// What a tick saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// As it should be.
    Good(&'static str),
    /// As it should be, but slow or with a warning.
    Impaired(&'static str),
    Failing(&'static str),
    /// We could not tell.
    NoData(&'static str),
    /// There is no result: the location did not report, or did not check it yet.
    Absent,
}

/// Puts together what was seen in `ticks`.
pub(crate) fn streaks(
    id: &MonitorId,
    monitor: Option<&Monitor>,
    interval: Interval,
    ticks: &[Tick],
    results: &BTreeMap<Tick, Observations>,
) -> Vec<Streak> {
    let mut streaks: Vec<Streak> = Vec::new();
    for tick in ticks {
        let seen = results
            .get(tick)
            .and_then(|seen| seen.get(id))
            .map(|observation| observation.seen);
        let what = seen.map_or(What::Absent, |seen| what(monitor, seen));
        let connect = match seen {
            Some(Seen::Open { connect, .. }) => Some(connect),
            Some(Seen::Failed(_) | Seen::NoData(_)) | None => None,
        };
        match streaks.last_mut() {
            Some(last) if last.what == what && last.to.later(interval, 1) == *tick => {
                last.to = *tick;
                last.ticks += 1;
                last.connect = match (last.connect, connect) {
                    (Some((least, most)), Some(time)) => Some((least.min(time), most.max(time))),
                    (known, _) => known,
                };
            }
            Some(_) | None => streaks.push(Streak {
                what,
                from: *tick,
                to: *tick,
                ticks: 1,
                connect: connect.map(|time| (time, time)),
            }),
        }
    }
    streaks
}

/// Without a definition, only an open port counts as good.
fn what(monitor: Option<&Monitor>, seen: Seen) -> What {
    let code = match seen {
        Seen::Open { .. } => "open",
        Seen::Failed(class) => class.code(),
        Seen::NoData(reason) => reason.code(),
    };
    let Some(rule) = monitor.map(Monitor::rule) else {
        return match seen {
            Seen::Open { .. } => What::Good(code),
            Seen::Failed(_) => What::Failing(code),
            Seen::NoData(_) => What::NoData(code),
        };
    };
    match assess_seen(rule.expect, seen) {
        Assessment::Failing => What::Failing(code),
        Assessment::NoData => What::NoData(code),
        Assessment::Good => match quality(rule.slow_after, seen) {
            None | Some(Quality::Sound) => What::Good(code),
            Some(_) => What::Impaired(code),
        },
    }
}

impl Streak {
    pub(crate) fn row(&self) -> Vec<Cell> {
        let (word, style) = match self.what {
            What::Good(code) => (code.to_owned(), GOOD),
            What::Impaired(code) => (format!("{code}, impaired"), UNSURE),
            What::Failing(code) => (code.to_owned(), INVALID),
            What::NoData(code) => (
                format!("could not tell: {}", code.trim_start_matches("no_data_")),
                UNSURE,
            ),
            What::Absent => ("no result".to_owned(), UNSURE),
        };
        let connect = self.connect.map(|(least, most)| {
            let (least, most) = (milliseconds(least), milliseconds(most));
            if least == most {
                format!("{least} ms")
            } else {
                format!("{least} to {most} ms")
            }
        });
        vec![
            clock(self.from),
            clock(self.to),
            Cell::new(counted(self.ticks, "tick")).right(),
            Cell::new(word).styled(style),
            Cell::new(connect.unwrap_or_default()),
        ]
    }

    pub(crate) fn json(&self) -> StreakJson {
        let (assessment, code) = match self.what {
            What::Good(code) => ("good", Some(code)),
            What::Impaired(code) => ("impaired", Some(code)),
            What::Failing(code) => ("failing", Some(code)),
            What::NoData(code) => ("no_data", Some(code)),
            What::Absent => ("absent", None),
        };
        StreakJson {
            from: self.from.to_string(),
            to: self.to.to_string(),
            ticks: self.ticks,
            assessment,
            outcome: code,
            connect_ms_min: self.connect.map(|(least, _)| rounded_ms(least)),
            connect_ms_max: self.connect.map(|(_, most)| rounded_ms(most)),
        }
    }
}

/// A streak as one JSON object, in the order of the documentation.
#[derive(Serialize)]
pub(crate) struct StreakJson {
    from: String,
    to: String,
    ticks: u64,
    assessment: &'static str,
    outcome: Option<&'static str>,
    connect_ms_min: Option<f64>,
    connect_ms_max: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;
    use portpulse_core::observation::Observation;
    use serde_json::json;

    /// Results as `MINUTE SEEN`, a line each, of the minutes 0 to 9.
    fn check(fields: serde_json::Value, results: &str, expected: &[&str]) {
        let monitor = Monitor::from_fields("db", &fields).unwrap();
        let tick = |minute: &str| format!("2026-11-22T05:0{minute}:00Z").parse::<Tick>().unwrap();
        let results = results.split(", ").map(|result| {
            let (minute, seen) = result.split_once(' ').unwrap();
            let seen = Observation {
                seen: seen.parse().unwrap(),
                detail: None,
            };
            (tick(minute), Observations::from([("db".parse().unwrap(), seen)]))
        });
        let ticks: Vec<_> = (0..10).map(|minute| tick(&minute.to_string())).collect();
        let id = monitor.id().clone();
        let streaks = streaks(
            &id,
            Some(&monitor),
            Interval::OneMinute,
            &ticks,
            &results.collect(),
        );
        let rows: Vec<_> = streaks.iter().map(Streak::row).collect();
        let shown = table::lines(&rows).join("\n").replace("2026-11-22 05:0", "");
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert_eq!(shown.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn equal_ticks_in_a_row_are_one_streak() {
        check(
            json!({ "host": "db.example.com", "port": 5432, "slow_after": "100ms" }),
            "0 0.31, 1 0.4, 2 refused, 3 refused, 4 timeout, 5 no_data_no_route, 7 200, 8 1, 9 1",
            &[
                "0:00Z  1:00Z  2 ticks  open                      0.31 to 0.4 ms",
                "2:00Z  3:00Z  2 ticks  refused",
                "4:00Z  4:00Z   1 tick  timeout",
                "5:00Z  5:00Z   1 tick  could not tell: no_route",
                "6:00Z  6:00Z   1 tick  no result",
                "7:00Z  7:00Z   1 tick  open, impaired            200 ms",
                "8:00Z  9:00Z  2 ticks  open                      1 ms",
            ],
        );
    }

    #[test]
    fn what_is_good_depends_on_what_is_expected() {
        let streak = |expect: &str, seen: &str| {
            let fields = json!({ "host": "db.example.com", "port": 23, "expect": expect });
            let monitor = Monitor::from_fields("db", &fields).unwrap();
            what(Some(&monitor), seen.parse().unwrap())
        };
        assert_eq!(streak("closed", "refused"), What::Good("refused"));
        assert_eq!(streak("closed", "1"), What::Failing("open"));
        assert_eq!(streak("reachable", "refused"), What::Good("refused"));
        assert_eq!(streak("open", "refused"), What::Failing("refused"));
    }
}
