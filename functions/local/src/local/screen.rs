//! The output of `portpulse local`: a table that is redrawn in place, plain lines, or JSON lines.

use std::io::IsTerminal as _;

use jiff::Timestamp;
use portpulse_store::chain;

use super::alert::Alert;
use super::relay::RelayEvent;
use super::scheduler::FinishedTick;
use super::tick_json::tick_json;
use super::watch_state::WatchState;
use crate::output::{BAD, CommandError, Output, print_note};

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisplayMode {
    /// A table, redrawn in place below the notifications.
    Redrawn,
    /// One line per tick, without a terminal.
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

/// Writes events as they happen.
pub(crate) struct Screen<'a> {
    output: &'a mut Output,
    mode: DisplayMode,
    /// The number of table lines on the terminal.
    drawn_lines: usize,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(output: &'a mut Output, mode: DisplayMode) -> Self {
        Self {
            output,
            mode,
            drawn_lines: 0,
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

    pub(crate) fn ticked(
        &mut self,
        watch: &WatchState,
        ticked: &FinishedTick,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        let report = &ticked.report;
        let errors = report.errors.iter().chain(&report.warnings);
        let errors = errors.map(|error| {
            let (location, group) = (&report.location, report.group);
            format!("{BAD}{location} {group}: {}{BAD:#}", chain(error))
        });
        match self.mode {
            DisplayMode::Json => {
                errors.for_each(|error| print_note(&error));
                self.lines(tick_json(ticked))
            }
            DisplayMode::Appended => self.lines(watch.tick_line(ticked).into_iter().chain(errors)),
            DisplayMode::Redrawn => self.redraw(watch, now, errors.collect()),
        }
    }

    pub(crate) fn alert(
        &mut self,
        watch: &WatchState,
        alert: &Alert,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        match self.mode {
            DisplayMode::Json => self.lines(alert.notifications.iter().map(ToString::to_string)),
            DisplayMode::Appended => self.lines(alert.lines(now)),
            DisplayMode::Redrawn => self.redraw(watch, now, alert.lines(now)),
        }
    }

    pub(crate) fn relayed(
        &mut self,
        watch: &WatchState,
        relayed: &RelayEvent,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        match self.mode {
            DisplayMode::Json => {
                let line = relayed.json();
                if line.is_none() {
                    relayed.line().iter().for_each(|line| print_note(line));
                }
                self.lines(line.as_ref().map(ToString::to_string))
            }
            DisplayMode::Appended => self.lines(relayed.line()),
            DisplayMode::Redrawn => self.redraw(watch, now, relayed.line().into_iter().collect()),
        }
    }

    /// Updates the time in the table.
    pub(crate) fn refresh(&mut self, watch: &WatchState, now: Timestamp) -> Result<(), CommandError> {
        match self.mode {
            DisplayMode::Redrawn => self.redraw(watch, now, Vec::new()),
            DisplayMode::Appended | DisplayMode::Json => Ok(()),
        }
    }

    pub(crate) fn summary(&mut self, watch: &WatchState) -> Result<(), CommandError> {
        match self.mode {
            DisplayMode::Json => self.lines([watch.summary_json()]),
            DisplayMode::Appended | DisplayMode::Redrawn => {
                self.lines(std::iter::once(String::new()).chain(watch.summary()))
            }
        }
    }

    fn lines(&mut self, lines: impl IntoIterator<Item = String>) -> Result<(), CommandError> {
        for line in lines {
            self.output.line(line)?;
        }
        self.output.flush()
    }

    /// Replaces the table by `lines`, which stay on the screen, and draws it again below them.
    fn redraw(&mut self, watch: &WatchState, now: Timestamp, lines: Vec<String>) -> Result<(), CommandError> {
        // The cursor needs one line.
        let height = terminal_size::terminal_size()
            .map_or(24, |(_, height)| usize::from(height.0))
            .saturating_sub(1);
        let table = watch.table(now, height);
        if self.drawn_lines > 0 {
            self.output.control(&format!("\u{1b}[{}F", self.drawn_lines))?;
        }
        // Clears the old table and turns off line wrapping: a wrapped line would count as two.
        self.output.control("\u{1b}[J\u{1b}[?7l")?;
        for line in lines.iter().chain(&table) {
            self.output.line(line)?;
        }
        self.output.control("\u{1b}[?7h")?;
        self.drawn_lines = table.len();
        self.output.flush()
    }
}
