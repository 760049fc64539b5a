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
use serde_json::{Map, Value, json};

use super::alert::Alert;
use super::relay::RelayEvent;
use super::scheduler::FinishedTick;
use crate::output::{BAD, BOLD, DIM, GOOD, WARNING, clock_time, count_of, status_style};
use crate::text_table::{self, Cell, Columns};

/// The minimum width of a truncated target or id.
const MIN_TARGET_WIDTH: usize = 10;
const MIN_ID_WIDTH: usize = 12;

/// The monitors with the latest result of each location, and counters.
pub(crate) struct WatchState {
    locations: BTreeSet<Location>,
    rows: BTreeMap<MonitorId, Row>,
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

/// The size of the table in characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableSize {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl TableSize {
    /// The size of the terminal, except the line of the cursor; 80 x 23 if it is unknown.
    pub(crate) fn of_terminal() -> Self {
        let size = terminal_size::terminal_size();
        let (width, height) = size.map_or((80, 24), |(width, height)| (width.0.into(), height.0.into()));
        let height: usize = height;
        Self {
            width,
            height: height.saturating_sub(1),
        }
    }
}

/// The columns of the table, from the widest to the narrowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Full,
    WithoutTarget,
    /// One column for all locations.
    CombinedLocations,
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

    /// The mark that distinguishes the level without colours.
    fn mark(self) -> &'static str {
        match self {
            Self::Good => "",
            Self::Bad => "✗ ",
            Self::Unsure => "! ",
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
            checks: 0,
            notifications: 0,
            deliveries: 0,
        }
    }

    /// Records a finished round of checks.
    pub(crate) fn finished(&mut self, finished: &FinishedTick) {
        let report = &finished.report;
        if let TickOutcome::Counted(outcomes) = &report.outcome {
            self.checks += outcomes.len() as u64;
            for (id, outcome) in outcomes {
                if let Some(row) = self.rows.get_mut(id) {
                    row.seen
                        .insert(report.location.clone(), Observation::of(outcome).seen);
                }
            }
        }
        let Some(open) = &finished.open else { return };
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

    /// A line of counters and the table of monitors by location, problems first. If the width is too small, the target is
    /// truncated and then left out, then the locations are combined.
    pub(crate) fn table(&self, now: Timestamp, size: TableSize) -> Vec<String> {
        let mut lines = vec![
            String::new(),
            format!("{BOLD}{}{BOLD:#}  {}", clock_time(now), self.counts()),
        ];
        let mut rows: Vec<_> = self.rows.values().collect();
        // A stable sort keeps the order of ids.
        rows.sort_by_key(|row| row.urgency());
        // The header, and the line of left-out rows.
        let room = size.height.saturating_sub(lines.len() + 2).max(1);
        let left_out = rows.len().saturating_sub(room);
        rows.truncate(room);
        lines.extend(self.fitting_lines(&rows, size.width));
        if left_out > 0 {
            lines.push(format!("{DIM}… and {left_out} more{DIM:#}"));
        }
        lines
    }

    fn fitting_lines(&self, rows: &[&Row], width: usize) -> Vec<String> {
        for layout in [Layout::Full, Layout::WithoutTarget, Layout::CombinedLocations] {
            let mut table: Vec<_> = rows
                .iter()
                .map(|row| row.cells(&self.locations, layout))
                .collect();
            if let Some(first) = table.first() {
                table.insert(0, text_table::header(&self.titles(layout), first));
            }
            let mut columns = Columns::of(&table);
            let last = table.first().map_or(0, |row| row.len().saturating_sub(1));
            match layout {
                Layout::Full => columns.narrow(last, width, MIN_TARGET_WIDTH),
                Layout::WithoutTarget => {}
                Layout::CombinedLocations => {
                    columns.narrow(0, width, MIN_ID_WIDTH);
                    columns.narrow(last, width, 0);
                }
            }
            if columns.width() <= width || layout == Layout::CombinedLocations {
                return table.iter().map(|row| columns.line(row)).collect();
            }
        }
        Vec::new()
    }

    fn titles(&self, layout: Layout) -> Vec<&str> {
        let locations = self.locations.iter().map(Location::as_str);
        let mut titles = vec!["MONITOR", "STATUS"];
        match layout {
            Layout::Full => titles.extend(locations.chain(["TARGET"])),
            Layout::WithoutTarget => titles.extend(locations),
            Layout::CombinedLocations => titles.push("LOCATIONS"),
        }
        titles
    }

    fn counts(&self) -> String {
        let mut counts = vec![
            count_of(self.checks, "check"),
            count_of(self.notifications, "notification"),
        ];
        if self.deliveries > 0 {
            counts.push(format!("{} delivered", self.deliveries));
        }
        counts.join(", ")
    }

    /// The counters and the open incidents, as text.
    pub(crate) fn summary(&self) -> [String; 2] {
        let open = self
            .open()
            .map(|row| format!("{} ({})", row.monitor.id(), row.status_name()));
        let open = open.collect::<Vec<_>>().join(", ");
        let open = match open.as_str() {
            "" => "No open incidents.".to_owned(),
            open => format!("Open incidents: {open}."),
        };
        [format!("{}.", self.counts()), open]
    }

    pub(crate) fn summary_json(&self) -> Value {
        let open = self
            .open()
            .map(|row| (row.monitor.id().to_string(), row.status_name().into()));
        json!({
            "type": "summary",
            "checks": self.checks,
            "notifications": self.notifications,
            "deliveries": self.deliveries,
            "open": open.collect::<Map<_, _>>(),
        })
    }

    /// The monitors with an open incident.
    fn open(&self) -> impl Iterator<Item = &Row> {
        let rows = self.rows.values();
        rows.filter(|row| row.status.is_some_and(|status| status != Status::Up))
    }

    /// One line for a round of checks: the number of expected results, and the others by monitor.
    pub(crate) fn round_line(&self, finished: &FinishedTick) -> Option<String> {
        let report = &finished.report;
        let TickOutcome::Counted(outcomes) = &report.outcome else {
            return None;
        };
        let results = outcomes.iter().filter_map(|(id, outcome)| {
            let row = self.rows.get(id)?;
            Some((id, row, Observation::of(outcome).seen))
        });
        let others: Vec<_> = results
            .filter(|(_, row, seen)| row.level_of(*seen) != Level::Good)
            .map(|(id, row, seen)| {
                let style = row.level_of(seen).style();
                format!("{id}: {style}{}{style:#}", row.result_text(seen))
            })
            .collect();
        let (time, interval) = (clock_time(report.tick.timestamp()), report.group.interval);
        let (all, good) = (outcomes.len(), outcomes.len() - others.len());
        let others = if others.is_empty() {
            String::new()
        } else {
            format!("; {}", others.join(", "))
        };
        let location = &report.location;
        Some(format!(
            "{time}  {location}  every {interval}  {good} of {all} as expected{others}"
        ))
    }
}

impl Row {
    fn cells(&self, locations: &BTreeSet<Location>, layout: Layout) -> Vec<Cell> {
        let status = Cell::new(self.status_name()).styled(self.status.map_or(DIM, status_style));
        let mut cells = vec![Cell::new(self.monitor.id().as_str()), status];
        let of_locations = || locations.iter().map(|location| self.location_cell(location));
        match layout {
            Layout::Full => {
                cells.extend(of_locations());
                cells.push(Cell::new(self.monitor.target().to_string()));
            }
            Layout::WithoutTarget => cells.extend(of_locations()),
            Layout::CombinedLocations => cells.push(self.combined_cell()),
        }
        cells
    }

    fn location_cell(&self, location: &Location) -> Cell {
        match self.seen.get(location) {
            Some(seen) => Cell::new(self.result_text(*seen)).styled(self.level_of(*seen).style()),
            None if self.monitor.rule().locations.includes(location) => Cell::new("…"),
            None => Cell::new("-").styled(DIM),
        }
        .right()
    }

    /// `3 ok`, or the first problem: `west: ✗ timeout, 1 more`.
    fn combined_cell(&self) -> Cell {
        let mut problems = self
            .seen
            .iter()
            .filter(|(_, seen)| self.level_of(**seen) != Level::Good);
        match (problems.next(), problems.count()) {
            (None, _) if self.seen.is_empty() => Cell::new("…"),
            (None, _) => Cell::new(format!("{} ok", self.seen.len())).styled(GOOD),
            (Some((location, seen)), more) => {
                let more = if more > 0 {
                    format!(", {more} more")
                } else {
                    String::new()
                };
                let text = format!("{location}: {}{more}", self.result_text(*seen));
                Cell::new(text).styled(self.level_of(*seen).style())
            }
        }
    }

    /// A result in short: the total time, or the failure class, after the mark of its level.
    fn result_text(&self, seen: Seen) -> String {
        let mark = self.level_of(seen).mark();
        let total = milliseconds(seen.response_time().unwrap_or_default());
        match (seen, self.monitor.rule().expect) {
            (Seen::Open { .. }, Expect::Closed) => format!("{mark}open {total} ms"),
            (Seen::Open { .. }, Expect::Open | Expect::Reachable) => format!("{mark}{total} ms"),
            (Seen::Failed(class), _) => format!("{mark}{}", class.code()),
            (Seen::NoData(_), _) => format!("{mark}no data"),
        }
    }

    fn status_name(&self) -> &'static str {
        self.status.map_or("…", Status::as_str)
    }

    fn level_of(&self, seen: Seen) -> Level {
        let rule = self.monitor.rule();
        match (assess_seen(rule.expect, seen), quality(rule, seen)) {
            (Assessment::Failing, _) => Level::Bad,
            (Assessment::Good, Some(Quality::Sound) | None) => Level::Good,
            (
                Assessment::Good,
                Some(Quality::SlowConnect | Quality::SlowResponse | Quality::Warned | Quality::Expiring),
            )
            | (Assessment::NoData, _) => Level::Unsure,
        }
    }

    /// The rank in the table: monitors with a problem by status, then those with a failing location, then the rest.
    fn urgency(&self) -> (bool, u8) {
        let status = self.status.unwrap_or(Status::Up);
        let is_good =
            status == Status::Up && self.seen.values().all(|seen| self.level_of(*seen) == Level::Good);
        (is_good, status.rank())
    }
}

#[cfg(test)]
mod tests;
