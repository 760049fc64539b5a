//! Combines consecutive equal results of a monitor in one location into streaks.

use std::collections::BTreeMap;
use std::time::Duration;

use portpulse_core::assess::{Assessment, Quality, assess_seen, quality};
use portpulse_core::definition::Monitor;
use portpulse_core::id::MonitorId;
use portpulse_core::observation::{Seen, milliseconds};
use portpulse_core::round::Observations;
use portpulse_core::time::{Interval, Tick};
use serde_json::{Value, json};

use crate::output::{BAD, GOOD, WARNING, clock_time, rounded_ms};
use crate::text_table::{self, Cell};

/// Consecutive ticks with the same result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Streak {
    result_of: TickResult,
    from: Tick,
    to: Tick,
    ticks: u64,
    /// The minimum and maximum total time, if the port was open.
    total: Option<(Duration, Duration)>,
}

/// The result of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TickResult {
    /// As expected.
    Good(&'static str),
    /// As expected, but slow or with a warning.
    Impaired(&'static str),
    Failing(&'static str),
    /// The checker could not determine a result.
    NoData(&'static str),
    /// No result is stored: the location did not report, or did not check the monitor yet.
    Absent,
}

/// Combines the results of `ticks` into streaks.
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
        let result_of = seen.map_or(TickResult::Absent, |seen| result_of(monitor, seen));
        let total = seen.and_then(|seen| seen.response_time());
        match streaks.last_mut() {
            Some(last) if last.result_of == result_of && last.to.later(interval, 1) == *tick => {
                last.to = *tick;
                last.ticks += 1;
                last.total = match (last.total, total) {
                    (Some((least, most)), Some(time)) => Some((least.min(time), most.max(time))),
                    (known, _) => known,
                };
            }
            Some(_) | None => streaks.push(Streak {
                result_of,
                from: *tick,
                to: *tick,
                ticks: 1,
                total: total.map(|time| (time, time)),
            }),
        }
    }
    streaks
}

/// Classifies a result. Without a definition, an open port is good.
fn result_of(monitor: Option<&Monitor>, seen: Seen) -> TickResult {
    let code = match seen {
        Seen::Open { .. } => "open",
        Seen::Failed(class) => class.code(),
        Seen::NoData(reason) => reason.code(),
    };
    let Some(rule) = monitor.map(Monitor::rule) else {
        return match seen {
            Seen::Open { .. } => TickResult::Good(code),
            Seen::Failed(_) => TickResult::Failing(code),
            Seen::NoData(_) => TickResult::NoData(code),
        };
    };
    match assess_seen(rule.expect, seen) {
        Assessment::Failing => TickResult::Failing(code),
        Assessment::NoData => TickResult::NoData(code),
        Assessment::Good => match quality(rule, seen) {
            None | Some(Quality::Sound) => TickResult::Good(code),
            Some(_) => TickResult::Impaired(code),
        },
    }
}

impl Streak {
    fn row(&self) -> Vec<Cell> {
        // The marks distinguish results without colours.
        let (word, style) = match self.result_of {
            TickResult::Good(code) => (code.to_owned(), GOOD),
            TickResult::Impaired(code) => (format!("! {code}, impaired"), WARNING),
            TickResult::Failing(code) => (format!("✗ {code}"), BAD),
            TickResult::NoData(code) => (
                format!("? no data: {}", code.trim_start_matches("no_data_")),
                WARNING,
            ),
            TickResult::Absent => ("? no result".to_owned(), WARNING),
        };
        let total = self.total.map(|(least, most)| {
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
            Cell::new(self.ticks.to_string()).right(),
            Cell::new(word).styled(style),
            Cell::new(total.unwrap_or_default()),
        ]
    }

    pub(crate) fn json(&self) -> Value {
        let (assessment, code) = match self.result_of {
            TickResult::Good(code) => ("good", Some(code)),
            TickResult::Impaired(code) => ("impaired", Some(code)),
            TickResult::Failing(code) => ("failing", Some(code)),
            TickResult::NoData(code) => ("no_data", Some(code)),
            TickResult::Absent => ("absent", None),
        };
        json!({
            "from": self.from.to_string(),
            "to": self.to.to_string(),
            "checks": self.ticks,
            "assessment": assessment,
            "outcome": code,
            "total_ms_min": self.total.map(|(least, _)| rounded_ms(least)),
            "total_ms_max": self.total.map(|(_, most)| rounded_ms(most)),
        })
    }
}

/// The table of streaks.
pub(crate) fn lines(streaks: &[Streak]) -> Vec<String> {
    let rows = streaks.iter().map(Streak::row).collect();
    text_table::titled(&["FROM", "TO", "CHECKS", "RESULT", "TOTAL"], rows)
}

/// The time of a tick, as a table cell.
fn clock(time: Tick) -> Cell {
    Cell::new(clock_time(time.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_core::observation::Observation;

    /// `results` are `MINUTE RESULT` pairs of the minutes 0 to 9.
    fn check(fields: Value, results: &str, expected: &[&str]) {
        let monitor = Monitor::from_fields("db", &fields).unwrap();
        let tick = |minute: &str| format!("2026-11-22T05:0{minute}:00Z").parse::<Tick>().unwrap();
        let results = results.split(", ").map(|result| {
            let (minute, seen) = result.split_once(' ').unwrap();
            let seen = Observation::from(seen.parse::<Seen>().unwrap());
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
        let shown = lines(&streaks).join("\n").replace("2026-11-22 05:0", "");
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert_eq!(shown.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn consecutive_equal_results_form_one_streak() {
        check(
            json!({ "host": "db.example.com", "port": 5432, "slow_after": "100ms" }),
            "0 0.31, 1 0.4, 2 refused, 3 refused, 4 timeout, 5 no_data_no_route, 7 200, 8 1, 9 1",
            &[
                "FROM                  TO                    CHECKS  RESULT               TOTAL",
                "0:00Z  1:00Z       2  open                 0.31 to 0.4 ms",
                "2:00Z  3:00Z       2  ✗ refused",
                "4:00Z  4:00Z       1  ✗ timeout",
                "5:00Z  5:00Z       1  ? no data: no_route",
                "6:00Z  6:00Z       1  ? no result",
                "7:00Z  7:00Z       1  ! open, impaired     200 ms",
                "8:00Z  9:00Z       2  open                 1 ms",
            ],
        );
    }

    #[test]
    fn assessment_depends_on_the_expected_result() {
        let streak = |expect: &str, seen: &str| {
            let fields = json!({ "host": "db.example.com", "port": 23, "expect": expect });
            let monitor = Monitor::from_fields("db", &fields).unwrap();
            result_of(Some(&monitor), seen.parse().unwrap())
        };
        assert_eq!(streak("closed", "refused"), TickResult::Good("refused"));
        assert_eq!(streak("closed", "1"), TickResult::Failing("open"));
        assert_eq!(streak("reachable", "refused"), TickResult::Good("refused"));
        assert_eq!(streak("open", "refused"), TickResult::Failing("refused"));
    }
}
