//! What has been seen and told so far, and how that reads: pure, from events to text.

use std::collections::{BTreeMap, BTreeSet};

use clap::builder::styling::Style;
use jiff::Timestamp;
use portpulse_checker::TickOutcome;
use portpulse_core::assess::{Assessment, Quality, assess_seen, quality};
use portpulse_core::choice::Expect;
use portpulse_core::definition::{Defined, DefinitionFile, Monitor};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::Status;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::observation::{Observation, Seen, milliseconds};
use serde_json::{Map, json};

use super::alert::Alert;
use super::relay::Relayed;
use super::scheduler::Ticked;
use crate::output::{GOOD, INVALID, QUIET, TITLE, UNSURE, clock_time, counted};
use crate::table::{self, Cell};

/// The monitors, what each location saw of them last, and what was counted.
pub(crate) struct Watch {
    locations: BTreeSet<Location>,
    rows: BTreeMap<MonitorId, Row>,
    ticks: u64,
    checks: u64,
    notifications: u64,
    /// How often a destination took one.
    deliveries: u64,
}

struct Row {
    monitor: Monitor,
    group: GroupId,
    seen: BTreeMap<Location, Seen>,
    status: Option<Status>,
}

/// How a sight is to be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tone {
    Good,
    Bad,
    Unsure,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Good => GOOD,
            Self::Bad => INVALID,
            Self::Unsure => UNSURE,
        }
    }
}

impl Watch {
    pub(crate) fn new(locations: &BTreeSet<Location>, file: &DefinitionFile) -> Self {
        let row = |defined: &Defined| Row {
            monitor: defined.monitor.clone(),
            group: defined.group,
            seen: BTreeMap::new(),
            status: None,
        };
        let enabled = file
            .monitors()
            .iter()
            .filter(|defined| defined.monitor.is_enabled());
        Self {
            locations: locations.clone(),
            rows: enabled
                .map(|defined| (defined.monitor.id().clone(), row(defined)))
                .collect(),
            ticks: 0,
            checks: 0,
            notifications: 0,
            deliveries: 0,
        }
    }

    /// Takes note of a tick.
    pub(crate) fn ticked(&mut self, ticked: &Ticked) {
        let report = &ticked.report;
        if let TickOutcome::Counted(outcomes) = &report.outcome_of_tick {
            self.ticks += 1;
            self.checks += outcomes.len() as u64;
            for (id, outcome) in outcomes {
                if let Some(row) = self.rows.get_mut(id) {
                    row.seen
                        .insert(report.location.clone(), Observation::of(outcome).seen);
                }
            }
        }
        let Some(open) = &ticked.open else { return };
        for row in self.rows.values_mut().filter(|row| row.group == report.group) {
            let known = open.get(row.monitor.id()).copied();
            row.status = known.or((!row.seen.is_empty()).then_some(Status::Up));
        }
    }

    /// Takes note of a message.
    pub(crate) fn alerted(&mut self, alert: &Alert) {
        self.notifications += alert.notifications.len() as u64;
    }

    /// Takes note of what became of a notification.
    pub(crate) fn relayed(&mut self, relayed: &Relayed) {
        match relayed {
            Relayed::Delivered { .. } => self.deliveries += 1,
            Relayed::Delayed { .. } | Relayed::GivenUp { .. } | Relayed::Warned { .. } => {}
        }
    }

    /// The table of monitors by location, under a line that counts; the bad ones alone if all take more than
    /// `height` lines.
    pub(crate) fn table(&self, now: Timestamp, height: usize) -> Vec<String> {
        let mut lines = vec![
            String::new(),
            format!("{TITLE}{}{TITLE:#}  {}", clock_time(now), self.counts()),
        ];
        let mut header = vec![title("MONITOR"), title("TARGET")];
        header.extend(
            self.locations
                .iter()
                .map(|location| title(location.as_str()).right()),
        );
        header.push(title("VERDICT"));
        let room = height.saturating_sub(lines.len() + 2).max(1);
        let mut shown: Vec<_> = self.rows.values().collect();
        if shown.len() > room {
            // Stable: within the bad and the good ones the order stays.
            shown.sort_by_key(|row| row.tone() == Tone::Good);
        }
        let left = shown.len().saturating_sub(room);
        let rows = shown.iter().take(room).map(|row| row.cells(&self.locations));
        let table: Vec<_> = std::iter::once(header).chain(rows).collect();
        lines.extend(table::lines(&table));
        if left > 0 {
            lines.push(format!("{QUIET}… and {left} more{QUIET:#}"));
        }
        lines
    }

    fn counts(&self) -> String {
        let mut counts = vec![
            counted(self.ticks, "tick"),
            counted(self.checks, "check"),
            counted(self.notifications, "notification"),
        ];
        if self.deliveries > 0 {
            counts.push(format!("{} delivered", self.deliveries));
        }
        counts.join(", ")
    }

    /// What was done, and what is still open.
    pub(crate) fn summary(&self) -> Vec<String> {
        let mut lines = vec![format!("{}.", self.counts())];
        let bad = self
            .rows
            .values()
            .filter(|row| row.status.is_some_and(|status| status != Status::Up));
        let bad: Vec<_> = bad
            .map(|row| format!("{} ({})", row.monitor.id(), row.status_word()))
            .collect();
        lines.push(match bad.as_slice() {
            [] => "Nothing is open.".to_owned(),
            open => format!("Still open: {}.", open.join(", ")),
        });
        lines
    }

    pub(crate) fn summary_json(&self) -> String {
        let open = self
            .rows
            .values()
            .filter(|row| row.status.is_some_and(|status| status != Status::Up));
        let open: Map<_, _> = open
            .map(|row| (row.monitor.id().to_string(), row.status_word().into()))
            .collect();
        json!({
            "type": "summary",
            "ticks": self.ticks,
            "checks": self.checks,
            "notifications": self.notifications,
            "deliveries": self.deliveries,
            "open": open,
        })
        .to_string()
    }

    /// A tick on one line: how many are as they should be, and which are not.
    pub(crate) fn tick_line(&self, ticked: &Ticked) -> Option<String> {
        let report = &ticked.report;
        let TickOutcome::Counted(outcomes) = &report.outcome_of_tick else {
            return None;
        };
        let mut good = 0;
        let mut others = Vec::new();
        for (id, outcome) in outcomes {
            let Some(row) = self.rows.get(id) else { continue };
            let seen = Observation::of(outcome).seen;
            match row.tone_of(seen) {
                Tone::Good => good += 1,
                tone @ (Tone::Bad | Tone::Unsure) => {
                    let style = tone.style();
                    others.push(format!(
                        "{id} {style}{}{style:#}",
                        visibility(row.monitor.rule().expect, seen)
                    ));
                }
            }
        }
        let (time, location, group) = (
            clock_time(report.tick.timestamp()),
            &report.location,
            report.group,
        );
        let others = if others.is_empty() {
            String::new()
        } else {
            format!("; {}", others.join(", "))
        };
        Some(format!(
            "{time}  {location}  {group}  {good} of {} as expected{others}",
            outcomes.len()
        ))
    }
}

impl Row {
    fn cells(&self, locations: &BTreeSet<Location>) -> Vec<Cell> {
        let mut cells = vec![
            Cell::new(self.monitor.id().as_str()),
            Cell::new(self.monitor.target().to_string()),
        ];
        cells.extend(locations.iter().map(|location| {
            match self.seen.get(location) {
                Some(seen) => Cell::new(visibility(self.monitor.rule().expect, *seen))
                    .styled(self.tone_of(*seen).style())
                    .right(),
                None if self.monitor.rule().locations.includes(location) => Cell::new("…").right(),
                None => Cell::new("-").styled(QUIET).right(),
            }
        }));
        let style = match self.status {
            Some(Status::Up) => GOOD,
            Some(Status::Down | Status::Exposed) => INVALID,
            Some(Status::Degraded | Status::Unknown) => UNSURE,
            None => QUIET,
        };
        cells.push(Cell::new(self.status_word()).styled(style));
        cells
    }

    fn status_word(&self) -> &'static str {
        self.status.map_or("…", Status::as_str)
    }

    fn tone_of(&self, seen: Seen) -> Tone {
        let rule = self.monitor.rule();
        match (assess_seen(rule.expect, seen), quality(rule.slow_after, seen)) {
            (Assessment::Failing, _) => Tone::Bad,
            (Assessment::NoData, _) | (_, Some(Quality::Slow | Quality::Warned)) => Tone::Unsure,
            (Assessment::Good, _) => Tone::Good,
        }
    }

    /// The worst of its sights and its status.
    fn tone(&self) -> Tone {
        let up = matches!(self.status, None | Some(Status::Up));
        let good = self.seen.values().all(|seen| self.tone_of(*seen) == Tone::Good);
        if up && good { Tone::Good } else { Tone::Bad }
    }
}

fn title(text: &str) -> Cell {
    Cell::new(text).styled(TITLE)
}

/// What was seen, in few words: a connect time, or a class of failure.
fn visibility(expect: Expect, seen: Seen) -> String {
    match (seen, expect) {
        (Seen::Open { connect, .. }, Expect::Closed) => format!("open {} ms", milliseconds(connect)),
        (Seen::Open { connect, .. }, Expect::Open | Expect::Reachable) => {
            format!("{} ms", milliseconds(connect))
        }
        (Seen::Failed(class), _) => class.code().to_owned(),
        (Seen::NoData(_), _) => "could not tell".to_owned(),
    }
}

#[cfg(test)]
mod tests;
