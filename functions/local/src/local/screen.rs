//! The output of `portpulse local`: a table that is redrawn in place, plain lines, or JSON lines.

use std::io::IsTerminal as _;
use std::path::Path;

use portpulse_checker::Clock as _;
use portpulse_local_aws::sns::Published;
use portpulse_store::chain;
use serde_json::Value;

use super::alert::Alert;
use super::clock::FastClock;
use super::relay::RelayEvent;
use super::round_json::round_json;
use super::scheduler::FinishedTick;
use super::watch_state::{TableSize, WatchState};
use crate::output::{BAD, CommandError, Output, print_note};

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisplayMode {
    /// A table, redrawn in place below the notifications.
    Redrawn,
    /// One line per round of checks, without a terminal.
    Appended,
    /// One JSON object per line.
    Json,
}

impl DisplayMode {
    pub(crate) fn select(json: bool) -> Self {
        let can_redraw =
            std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        match (json, can_redraw) {
            (true, _) => Self::Json,
            (false, true) => Self::Redrawn,
            (false, false) => Self::Appended,
        }
    }
}

/// Writes events as they happen. After a failed write, events are only counted.
pub(crate) struct Screen<'a> {
    output: &'a mut Output,
    mode: DisplayMode,
    watch: WatchState,
    clock: FastClock,
    /// The data directory, which suggested commands must name.
    data: &'a Path,
    /// The number of table lines on the terminal.
    drawn_lines: usize,
    error: Option<CommandError>,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(
        output: &'a mut Output,
        mode: DisplayMode,
        watch: WatchState,
        clock: FastClock,
        data: &'a Path,
    ) -> Self {
        Self {
            output,
            mode,
            watch,
            clock,
            data,
            drawn_lines: 0,
            error: None,
        }
    }

    /// Writes a line for people; to standard error in JSON mode.
    pub(crate) fn note(&mut self, line: &str) -> Result<(), CommandError> {
        match self.mode {
            DisplayMode::Redrawn | DisplayMode::Appended => self.output.line(line)?,
            DisplayMode::Json => print_note(line),
        }
        self.output.flush()
    }

    pub(crate) fn finished(&mut self, finished: &FinishedTick) {
        self.watch.finished(finished);
        let report = &finished.report;
        let errors = report.errors.iter().chain(&report.warnings).map(|error| {
            let (location, interval) = (&report.location, report.group.interval);
            format!(
                "{BAD}{location}, monitors every {interval}: {}{BAD:#}",
                chain(error)
            )
        });
        let lines = match self.mode {
            DisplayMode::Appended => self
                .watch
                .round_line(finished)
                .into_iter()
                .chain(errors)
                .collect(),
            DisplayMode::Redrawn | DisplayMode::Json => errors.collect(),
        };
        self.show(round_json(&finished.report), lines);
    }

    pub(crate) fn published(&mut self, message: &Published) {
        let alert = Alert::of(message, self.data);
        self.watch.alerted(&alert);
        let lines = alert.lines(self.clock.now());
        match self.mode {
            DisplayMode::Json => self.show(alert.notifications, Vec::new()),
            DisplayMode::Redrawn | DisplayMode::Appended => self.show([], lines),
        }
    }

    pub(crate) fn relayed(&mut self, relayed: &RelayEvent) {
        self.watch.relayed(relayed);
        let json = relayed.json();
        let lines = match (self.mode, &json) {
            (DisplayMode::Json, Some(_)) => None,
            (DisplayMode::Json | DisplayMode::Redrawn | DisplayMode::Appended, _) => relayed.line(),
        };
        self.show(json, lines.into_iter().collect());
    }

    /// Updates the time in the table.
    pub(crate) fn refresh(&mut self) {
        if self.mode == DisplayMode::Redrawn {
            self.show([], Vec::new());
        }
    }

    /// Whether the output was closed or cannot be written.
    pub(crate) fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// Writes the summary.
    ///
    /// # Errors
    /// If any write failed.
    pub(crate) fn end(self) -> Result<(), CommandError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        match self.mode {
            DisplayMode::Json => self.output.json(&self.watch.summary_json())?,
            DisplayMode::Appended | DisplayMode::Redrawn => {
                self.output.line("")?;
                self.output.lines(self.watch.summary())?;
            }
        }
        self.output.flush()
    }

    /// Writes the JSON objects in JSON mode, and the lines: to standard error in JSON mode.
    fn show(&mut self, json: impl IntoIterator<Item = Value>, lines: Vec<String>) {
        if self.error.is_some() {
            return;
        }
        let shown = match self.mode {
            DisplayMode::Json => {
                lines.iter().for_each(|line| print_note(line));
                json.into_iter().try_for_each(|json| self.output.json(&json))
            }
            DisplayMode::Appended => self.output.lines(lines),
            DisplayMode::Redrawn => self.redraw(lines),
        };
        self.error = shown.and_then(|()| self.output.flush()).err();
    }

    /// Replaces the table by `lines`, which stay on the screen, and draws it again below them.
    fn redraw(&mut self, lines: Vec<String>) -> Result<(), CommandError> {
        let table = self.watch.table(self.clock.now(), TableSize::of_terminal());
        if self.drawn_lines > 0 {
            self.output.control(&format!("\u{1b}[{}F", self.drawn_lines))?;
        }
        self.output.control("\u{1b}[J")?;
        self.output.lines(lines)?;
        // Without line wrapping: a wrapped line of the table would count as two.
        self.output.control("\u{1b}[?7l")?;
        self.drawn_lines = table.len();
        self.output.lines(table)?;
        self.output.control("\u{1b}[?7h")
    }
}
