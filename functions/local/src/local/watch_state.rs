//! The state that `portpulse local` displays: latest results, statuses and counters, and their text. No I/O.

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
use super::relay::RelayEvent;
use super::scheduler::FinishedTick;
use crate::output::{BAD, BOLD, DIM, GOOD, WARNING, clock_time, count_of};
use crate::text_table::{self, Cell};

/// The monitors with the latest result of each location, and counters.
pub(crate) struct WatchState {
    locations: BTreeSet<Location>,
    rows: BTreeMap<MonitorId, Row>,
    ticks: u64,
    checks: u64,
    notifications: u64,
    /// The number of successful deliveries to destinations.
    deliveries: u64,
}

struct Row {
    monitor: Monitor,
    group: GroupId,
    seen: BTreeMap<Location, Seen>,
    status: Option<Status>,
}

/// The severity of a result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Good,
    Bad,
    Unsure,
}

impl Level {
    fn style(self) -> Style {
        match self {
            Self::Good => GOOD,
            Self::Bad => BAD,
            Self::Unsure => WARNING,
        }
    }
}

impl WatchState {
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

    /// Records a finished tick.
    pub(crate) fn ticked(&mut self, ticked: &FinishedTick) {
        let report = &ticked.report;
        if let TickOutcome::Counted(outcomes) = &report.outcome {
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

    /// Records a published message.
    pub(crate) fn alerted(&mut self, alert: &Alert) {
        self.notifications += alert.notifications.len() as u64;
    }

    /// Records the result of a delivery.
    pub(crate) fn relayed(&mut self, relayed: &RelayEvent) {
        match relayed {
            RelayEvent::Delivered { .. } => self.deliveries += 1,
            RelayEvent::Delayed { .. } | RelayEvent::GivenUp { .. } | RelayEvent::Warned { .. } => {}
        }
    }

    /// A line of counters and the table of monitors by location, in at most `height` lines; monitors with problems come
    /// first if the table is too long.
    pub(crate) fn table(&self, now: Timestamp, height: usize) -> Vec<String> {
        let mut lines = vec![
            String::new(),
            format!("{BOLD}{}{BOLD:#}  {}", clock_time(now), self.counts()),
        ];
        let mut header = vec![title("MONITOR"), title("TARGET")];
        header.extend(
            self.locations
                .iter()
                .map(|location| title(location.as_str()).right()),
        );
        header.push(title("STATUS"));
        let room = height.saturating_sub(lines.len() + 2).max(1);
        let mut shown: Vec<_> = self.rows.values().collect();
        if shown.len() > room {
            // A stable sort keeps the order of ids.
            shown.sort_by_key(|row| row.level() == Level::Good);
        }
        let left = shown.len().saturating_sub(room);
        let rows = shown.iter().take(room).map(|row| row.cells(&self.locations));
        let table: Vec<_> = std::iter::once(header).chain(rows).collect();
        lines.extend(text_table::lines(&table));
        if left > 0 {
            lines.push(format!("{DIM}… and {left} more{DIM:#}"));
        }
        lines
    }

    fn counts(&self) -> String {
        let mut counts = vec![
            count_of(self.ticks, "tick"),
            count_of(self.checks, "check"),
            count_of(self.notifications, "notification"),
        ];
        if self.deliveries > 0 {
            counts.push(format!("{} delivered", self.deliveries));
        }
        counts.join(", ")
    }

    /// The counters and the open incidents, as text.
    pub(crate) fn summary(&self) -> Vec<String> {
        let mut lines = vec![format!("{}.", self.counts())];
        let bad = self
            .rows
            .values()
            .filter(|row| row.status.is_some_and(|status| status != Status::Up));
        let bad: Vec<_> = bad
            .map(|row| format!("{} ({})", row.monitor.id(), row.status_name()))
            .collect();
        lines.push(match bad.as_slice() {
            [] => "No open incidents.".to_owned(),
            open => format!("Open incidents: {}.", open.join(", ")),
        });
        lines
    }

    pub(crate) fn summary_json(&self) -> String {
        let open = self
            .rows
            .values()
            .filter(|row| row.status.is_some_and(|status| status != Status::Up));
        let open: Map<_, _> = open
            .map(|row| (row.monitor.id().to_string(), row.status_name().into()))
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

    /// One line for a tick: the number of expected results, and the others by monitor.
    pub(crate) fn tick_line(&self, ticked: &FinishedTick) -> Option<String> {
        let report = &ticked.report;
        let TickOutcome::Counted(outcomes) = &report.outcome else {
            return None;
        };
        let mut good = 0;
        let mut others = Vec::new();
        for (id, outcome) in outcomes {
            let Some(row) = self.rows.get(id) else { continue };
            let seen = Observation::of(outcome).seen;
            match row.level_of(seen) {
                Level::Good => good += 1,
                level @ (Level::Bad | Level::Unsure) => {
                    let style = level.style();
                    others.push(format!(
                        "{id}: {style}{}{style:#}",
                        result_text(row.monitor.rule().expect, seen)
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
                Some(seen) => Cell::new(result_text(self.monitor.rule().expect, *seen))
                    .styled(self.level_of(*seen).style())
                    .right(),
                None if self.monitor.rule().locations.includes(location) => Cell::new("…").right(),
                None => Cell::new("-").styled(DIM).right(),
            }
        }));
        let style = match self.status {
            Some(Status::Up) => GOOD,
            Some(Status::Down | Status::Exposed) => BAD,
            Some(Status::Degraded | Status::Unknown) => WARNING,
            None => DIM,
        };
        cells.push(Cell::new(self.status_name()).styled(style));
        cells
    }

    fn status_name(&self) -> &'static str {
        self.status.map_or("…", Status::as_str)
    }

    fn level_of(&self, seen: Seen) -> Level {
        let rule = self.monitor.rule();
        match (assess_seen(rule.expect, seen), quality(rule.slow_after, seen)) {
            (Assessment::Failing, _) => Level::Bad,
            (Assessment::NoData, _) | (_, Some(Quality::Slow | Quality::Warned)) => Level::Unsure,
            (Assessment::Good, _) => Level::Good,
        }
    }

    /// `Bad` if the status or any result is not good.
    fn level(&self) -> Level {
        let up = matches!(self.status, None | Some(Status::Up));
        let good = self.seen.values().all(|seen| self.level_of(*seen) == Level::Good);
        if up && good { Level::Good } else { Level::Bad }
    }
}

fn title(text: &str) -> Cell {
    Cell::new(text).styled(BOLD)
}

/// A result in short: the connect time, or the failure class.
fn result_text(expect: Expect, seen: Seen) -> String {
    match (seen, expect) {
        (Seen::Open { connect, .. }, Expect::Closed) => format!("open {} ms", milliseconds(connect)),
        (Seen::Open { connect, .. }, Expect::Open | Expect::Reachable) => {
            format!("{} ms", milliseconds(connect))
        }
        (Seen::Failed(class), _) => class.code().to_owned(),
        (Seen::NoData(_), _) => "no data".to_owned(),
    }
}

#[cfg(test)]
mod tests;
